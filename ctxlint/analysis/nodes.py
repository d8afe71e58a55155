# SPDX-License-Identifier: GPL-2.0-or-later
"""Functions in an execution context, how they were reached, and what is wrong in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ctxlint.analysis.entry_points import EntryPoint
from ctxlint.analysis.environment import Env
from ctxlint.facts import limits
from ctxlint.facts.summary import Edge, Point, Summary
from ctxlint.rulebook.book import ApiRule
from ctxlint.semantics.context import Context
from ctxlint.semantics.objects import Member
from ctxlint.semantics.terms import (
    Bin,
    Field,
    Func,
    Global,
    KnownBits,
    Lookup,
    Param,
    Term,
    address,
    evaluate,
    nothing,
)
from ctxlint.semantics.waits import Wait


@dataclass(frozen=True, eq=False, slots=True)
class Node:
    """A function in an execution context, and how it was reached.

    ``parent`` is None for a root; then ``entry`` says which (None: the function
    on its own, callers not known).
    """

    fn: Summary
    context: Context
    env: Env
    parent: Node | None
    edge: Edge | None
    point: Point | None
    entry: EntryPoint | None
    depth: int
    sure: bool = True
    among: int = 0
    foreign: bool = False
    """Called through a pointer, and in another driver's directory: the object is not known, or
    is one of two structures of one tag."""
    asked: bool = False
    """Callers ask for objects in a mode (rules/modes.yaml), so each such object is meant."""

    doubt: int = 0
    """0: each step of the way is sure; 1: not, but what is found is shown; 2: it is shown when
    it is asked for."""

    cut: bool = False
    """What callers passed was dropped: the function is called in too many ways."""

    @property
    def likely(self) -> bool:
        """Whether this is, of the functions that the call can go to, one that is worth a
        finding: there are few, and it is in no other driver's directory."""
        if self.asked or self.parent is None:
            return True
        own = self.fn.file == self.parent.fn.file
        most = limits.AMONG_IN_FILE_MAX if own else limits.AMONG_MAX
        return not self.foreign and self.among <= most

    def way(self) -> Iterator[Node]:
        """This node, the one that it was reached from, and so on to the root."""
        at: Node | None = self
        while at is not None:
            yield at
            at = at.parent

    def lookup(
        self, rt: bool, variables: Mapping[str, int], modes: Mapping[Member, int]
    ) -> Lookup:
        """Answers for the leaves of guards; ``variables`` are global ones, ``modes`` members
        with the value that each object has unless a caller is known to have another."""
        args = dict(self.env.args)
        members = {**modes, **dict(self.env.modes), **dict(self.env.flags)}
        numbers = self.env.numbers()

        def answer(value: Term) -> int | None:
            if type(value) is Param:
                known = args.get(value.index)
                return (
                    address(known.symbol) if type(known) is Func else evaluate(known, nothing)
                )
            if type(value) is Bin:
                if value.op == "&" and type(value.a) is Param:
                    known = args.get(value.a.index)
                    if type(known) is KnownBits:
                        return evaluate(Bin("&", known, value.b), answer)
            elif type(value) is Global:
                return variables.get(value.symbol)
            elif type(value) is Field:
                mode = members.get(value.member)
                return mode if mode is not None else numbers.get(value)
            return self.context.lookup(value, rt)

        return answer


@dataclass(frozen=True, eq=False, slots=True)
class Need:
    """What an operation requires: its wait type, and why."""

    level: Wait
    certain: bool
    why: str
    rule: ApiRule
    possible: bool = False
    """Few of the drivers behind the call wait."""


@dataclass(frozen=True, eq=False, slots=True)
class Violation:
    """An operation in a context that does not allow it."""

    node: Node
    edge: Edge
    point: Point
    context: Context
    need: Need
    rt: bool


@dataclass
class Unknowns:
    """Calls in restricted contexts about which nothing is known."""

    count: int
    reason: str
    example: str


def place_of_call(node: Node) -> tuple[str, int] | None:
    """The call in a .c file that led into header functions."""
    for at in node.way():
        if (
            at.parent is not None
            and at.edge is not None
            and not at.parent.fn.file.endswith(".h")
        ):
            return (at.parent.fn.symbol, at.edge.loc)
    return None
