# SPDX-License-Identifier: GPL-2.0-or-later
"""All callers that lead to a violation, not the first one alone.

Propagation visits a function once in each execution context, and the call that led to
it first is its way in a witness. What a later caller adds is kept as an *incoming call*
of that visit. Two questions are answered from these: at which calls of the audited files
an operation in another file is to be told, and which functions make the execution context
of an operation what it is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from ctxlint.analysis.nodes import Node, Violation
from ctxlint.facts.summary import Edge, Point, Summary

SITES_MAX = 64
"""Calls of audited files at which one operation is told."""

CAUSES_MAX = 16
"""Functions that are named as those which lead to one operation."""

_VISITS_MAX = 2_000
"""Visits of functions that are gone through for one operation."""

Reported = Callable[[str], bool]
"""Whether a file is among the audited ones."""


class Incoming(NamedTuple):
    """A call that leads into a visited function: the caller's visit and the call site."""

    node: Node
    edge: Edge
    point: Point


class Cause(NamedTuple):
    """A function that brings about an execution context: the call in it that leads to the
    operation, the kind of callback that it is (``""`` when it opens the section itself),
    and the violation as it is reached from there."""

    fn: Summary
    edge: Edge
    kind: str
    violation: Violation


class _Link(NamedTuple):
    """A call on the way down to the operation; ``below`` is the next one."""

    node: Node
    edge: Edge
    point: Point
    below: _Link | None


class Callers:
    """The incoming calls of all visits of a propagation.

    ``nodes`` are the visits by function, ``also`` the calls of each that came after the
    first one. ``cut`` are functions below which an operation was not told at all of its
    calls, by symbol, as far as :meth:`sites` was asked.
    """

    def __init__(
        self,
        nodes: Mapping[str, Iterable[Node]],
        also: Mapping[Node, list[tuple[Node, Edge, Point]]],
        reported: Reported,
    ) -> None:
        self._also = also
        self._reported = reported
        self.cut: dict[str, Summary] = {}
        self._ended = False
        self._below = self._below_told(nodes)

    def sites(self, violation: Violation) -> Iterator[Violation]:
        """The violation once for each call of a reported .c file that leads to it through
        functions that are not reported; the nearest first. Nothing when there is none."""
        start = _Link(violation.node, violation.edge, violation.point, None)
        if self._told(start.node, start.edge):
            yield violation
            return
        told: set[tuple[str, int]] = set()
        for link in self._upwards(
            start,
            lambda node, edge: node in self._below and not self._told(node, edge),
        ):
            place = (link.node.fn.symbol, link.edge.loc)
            if self._told(link.node, link.edge) and place not in told:
                told.add(place)
                if len(told) > SITES_MAX:
                    self._ended = True
                    break
                yield _down(link, violation)
        if self._ended:
            self.cut[start.node.fn.symbol] = start.node.fn

    def causes(self, violation: Violation, rt: bool) -> list[Cause]:
        """The functions that bring about the execution context of a violation: those that
        open the section, and entry points. The nearest first, each once; at most
        :data:`CAUSES_MAX`."""
        level = violation.need.level
        found: dict[tuple[str, str], Cause] = {}

        def inherited(node: Node, _edge: Edge) -> bool:
            return node.context.allows(rt) < level

        start = _Link(violation.node, violation.edge, violation.point, None)
        for link in self._upwards(start, inherited):
            node = link.node
            entered = node.parent is None and node.entry is not None
            if inherited(node, link.edge) and not entered:
                continue
            kind = node.entry.kind if entered and node.entry is not None else ""
            cause = Cause(node.fn, link.edge, kind, _down(link, violation))
            found.setdefault((node.fn.symbol, kind), cause)
            if len(found) == CAUSES_MAX:
                break
        return list(found.values())

    def _told(self, node: Node, edge: Edge) -> bool:
        """Whether a call is one that is shown to people: in an audited .c file."""
        fn = node.fn
        return not fn.file.endswith(".h") and self._reported(fn.locs[edge.loc].file)

    def _incoming(self, node: Node) -> Iterator[Incoming]:
        if node.parent is not None and node.edge is not None and node.point is not None:
            yield Incoming(node.parent, node.edge, node.point)
        for call in self._also.get(node, ()):
            yield Incoming(*call)

    def _below_told(self, nodes: Mapping[str, Iterable[Node]]) -> set[Node]:
        """Visits that a call of an audited file leads to, straight or through others."""
        callees: dict[Node, list[Node]] = {}
        found: set[Node] = set()
        for visits in nodes.values():
            for node in visits:
                for call in self._incoming(node):
                    if self._told(call.node, call.edge):
                        found.add(node)
                    else:
                        callees.setdefault(call.node, []).append(node)
        work = list(found)
        while work:
            for node in callees.get(work.pop(), ()):
                if node not in found:
                    found.add(node)
                    work.append(node)
        return found

    def _upwards(self, start: _Link, beyond: Callable[[Node, Edge], bool]) -> Iterator[_Link]:
        """Breadth first from the operation to its callers, each visit once, as long as
        ``beyond`` says that what is above a call counts."""
        queue = deque([start])
        seen = {start.node}
        self._ended = False
        while queue:
            link = queue.popleft()
            yield link
            if not beyond(link.node, link.edge):
                continue
            if len(seen) > _VISITS_MAX:
                self._ended = True
                continue
            for call in self._incoming(link.node):
                # Two calls of one function are two places, and one way further up.
                if call.node not in seen:
                    seen.add(call.node)
                    queue.append(_Link(*call, link))
                elif not beyond(call.node, call.edge):
                    queue.append(_Link(*call, link))


def _down(link: _Link, violation: Violation) -> Violation:
    """The violation reached through these calls."""
    if link.below is None:
        return violation
    node, at = link.node, link
    while at.below is not None:
        below = at.below.node
        through_pointer = not at.edge.symbol
        node = replace(
            below,
            parent=node,
            edge=at.edge,
            point=at.point,
            entry=node.entry,
            depth=node.depth + 1,
            sure=node.sure and below.sure,
            among=below.among if through_pointer else 0,
            foreign=below.foreign and through_pointer,
            asked=below.asked and through_pointer,
        )
        at = at.below
    return replace(violation, node=node)
