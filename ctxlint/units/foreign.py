# SPDX-License-Identifier: GPL-2.0-or-later
"""Functions of other files that change the execution context of their callers.

The facts of a unit are made from that unit alone. Where it calls a function of another file
that returns with a lock held, interrupts off or the like (a lock helper), its functions are
summarised again, now that this is known; and what calls these in turn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

import msgspec

from ctxlint.analysis.program import Program, link
from ctxlint.facts.believed import followed
from ctxlint.facts.build import summarise, unit_facts
from ctxlint.facts.summary import Outcome, Summary, UnitFacts, changes_context, is_neutral
from ctxlint.frontend import shares
from ctxlint.ir import codec
from ctxlint.ir.unit import HeaderFunction, Unit
from ctxlint.rulebook import Rulebook
from ctxlint.store import Store
from ctxlint.units.digest import decode_facts

T = TypeVar("T")

ROUNDS = 8
"""A lock helper may be called by a helper of another file, and that by one of a third.
Functions that still change after so many files are told as a limit."""


class Units(Protocol):
    """The units of a profile: their names in the store by file, and how they are read;
    ``jobs`` is how many processes may work on them."""

    rt: bool
    jobs: int
    keys: dict[str, str]
    classes: set[str]

    def decoded(self, name: str, decode: Callable[[bytes], T], blob: bytes) -> T:
        """Something that the store keeps; raises LostError for what cannot be read."""


class Effects:
    """Of the units of one index, which are linked already.

    ``unsettled`` are functions whose effect on their callers in other files was followed no
    further, by symbol, once :meth:`settled` was asked.
    """

    def __init__(
        self,
        index: Units,
        store: Store,
        rules: Rulebook,
        units: list[UnitFacts],
        summaries: Iterable[Summary],
    ) -> None:
        self.index = index
        self.store = store
        self.rules = rules
        self.units = units
        self.summaries = tuple(summaries)
        self.unsettled: dict[str, Summary] = {}

    def settled(self, program: Program) -> Program:
        """The program with all such effects known, the lowest functions first: what a
        function does to its callers may be wrong until that of its callees is known."""
        told: dict[str, tuple[Outcome, ...]] = {}
        headers: dict[str, Summary] = {}
        for number in range(ROUNDS + 1):
            changes = {s: fn for s, fn in program.functions.items() if _is_news(fn, told)}
            if not changes or number == ROUNDS:
                self.unsettled = changes
                break
            changes = _lowest(program, changes)
            told |= {symbol: followed(fn.outcomes) for symbol, fn in changes.items()}
            fresh = self._headers(program, changes)
            headers |= fresh
            program.functions.update(fresh)
            known = _Told(program.functions, told)
            self._summarise_again(program, changes | fresh, known)
            program = link(self.units, [headers.get(s.symbol, s) for s in self.summaries])
        return program

    def _headers(self, program: Program, changes: dict[str, Summary]) -> dict[str, Summary]:
        """Header functions that call a lock helper of a .c file, summarised again, and
        those that call them."""
        found: dict[str, Summary] = {}
        new = set(changes)
        while new:
            callers = {
                caller.symbol
                for symbol in new
                for caller, _ in program.callers.get(symbol, ())
                if caller.file.endswith(".h") and caller.symbol not in found
            }
            new = set()
            for build_class in sorted(self.index.classes):
                mine = sorted(callers & set(self.store.known_inlines(build_class)))
                callers -= set(mine)
                for symbol, blob in self.store.inline_blobs(build_class, mine).items():
                    summary = summarise(
                        self.index.decoded(symbol, _header_function, blob).function,
                        self.rules,
                        self.index.rt,
                        program.decls,
                        lambda s: found.get(s) or program.functions.get(s),
                        {},
                    )
                    if not is_neutral(summary):
                        found[symbol] = summary
                        new.add(symbol)
        return found

    def _summarise_again(
        self, program: Program, changes: dict[str, Summary], known: _Told
    ) -> None:
        """The units that call one of these functions of another file."""
        keys = self.index.keys
        concerned = {
            caller.file
            for symbol, fn in changes.items()
            for caller, _ in program.callers.get(symbol, ())
            if caller.file != fn.file and caller.file in keys
        }
        # Read here: the store is this process's alone.
        stored = self.store.lookup(keys[file] for file in sorted(concerned)).values()
        bodies = [(unit.file, unit.unit_blob) for unit in stored]
        bodies.sort(key=lambda body: -len(body[1]))  # the longest first

        def work(body: tuple[str, bytes]) -> bytes:
            unit = self.index.decoded(body[0], _unit, body[1])
            unit = msgspec.structs.replace(unit, new_inlines=())
            facts = unit_facts(unit, self.rules, self.index.rt, known)[0]
            return msgspec.msgpack.encode(facts)

        blobs = shares.each(work, bodies, self.index.jobs)
        fresh = {
            file: decode_facts(blob) for (file, _), blob in zip(bodies, blobs, strict=True)
        }
        self.units = [fresh.get(unit.file, unit) for unit in self.units]


def _is_shared(fn: Summary) -> bool:
    """Whether other files call the function, and no other one in its place."""
    return fn.symbol == fn.name and "weak" not in fn.attrs


def _is_news(fn: Summary, told: dict[str, tuple[Outcome, ...]]) -> bool:
    """Whether callers in other files were told something else than what a function does."""
    if not _is_shared(fn):
        return False
    before, now = told.get(fn.symbol, ()), followed(fn.outcomes)
    return before != now and any(changes_context(outcome) for outcome in (*before, *now))


def _lowest(program: Program, changes: dict[str, Summary]) -> dict[str, Summary]:
    """Those of the functions that call none of the others in another file, directly or
    through functions of their own file and of headers; all, where each calls another."""
    below: dict[str, set[str]] = {}
    """Of each function the files of those that it calls so."""
    work = [(caller, {fn.file}) for s, fn in changes.items() for caller in _callers(program, s)]
    while work:
        fn, files = work.pop()
        mine = below.setdefault(fn.symbol, set())
        if not files <= mine:
            mine |= files
            work += [
                (caller, files)
                for caller in _callers(program, fn.symbol)
                if caller.file == fn.file or fn.file.endswith(".h")
            ]
    lowest = {s: fn for s, fn in changes.items() if below.get(s, set()) <= {fn.file}}
    return lowest or changes


def _callers(program: Program, symbol: str) -> list[Summary]:
    return [caller for caller, _ in program.callers.get(symbol, ())]


class _Told:
    """The functions of a program as callers in other files are told of them."""

    def __init__(
        self, functions: dict[str, Summary], told: dict[str, tuple[Outcome, ...]]
    ) -> None:
        self.functions = functions
        self.told = told

    def get(self, symbol: str) -> Summary | None:
        """The summary of a function by symbol; None when there is none."""
        fn = self.functions.get(symbol)
        if fn is None or not _is_shared(fn) or fn.file.endswith(".h"):
            return fn
        if symbol not in self.told and is_neutral(fn):
            return fn
        return msgspec.structs.replace(fn, outcomes=self.told.get(symbol, ()))


def _unit(blob: bytes) -> Unit:
    return codec.decode(blob, Unit)


def _header_function(blob: bytes) -> HeaderFunction:
    return codec.decode(blob, HeaderFunction)
