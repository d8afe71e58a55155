# SPDX-License-Identifier: GPL-2.0-or-later
"""The calls around a function as a tree for the terminal, in plain characters.

First the callers, from the function upward to the entry points, then the
callees, downward to the operations. The place is that of the call. A function
that was drawn already is not drawn again, and what is left out is counted.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from ctxlint.findings.graph import CallGraph, GraphEdge, GraphNode
from ctxlint.report.clean import clean
from ctxlint.report.graph_words import name_of, shown_place
from ctxlint.report.lane import level_of_words

WIDTH = 80

_BOLD, _DIM, _HIT = "1", "2", "1;31"
_COLOURS = {
    "nmi": "35", "hard": "31", "irq": "31", "soft": "33", "preempt": "33", "bh": "33",
    "rcu": "36", "task": "32", "unknown": "2",
}  # fmt: skip

Contexts = Sequence[tuple[str, Sequence[str]]]
"""Execution contexts in words, for each profile."""


def render(graph: CallGraph, contexts: Contexts, *, colour: bool = False) -> str:
    """The tree, ending in a line break; 80 columns wide but for longer names."""
    return _Tree(graph, colour).text(contexts)


class _Tree:
    def __init__(self, graph: CallGraph, colour: bool) -> None:
        self._colour = colour
        self._focus = graph.node(graph.focus)
        self._nodes = {node.id: node for node in graph.nodes}
        self._edges: dict[bool, dict[str, list[GraphEdge]]] = {True: {}, False: {}}
        for edge in graph.edges:
            self._edges[True].setdefault(edge.target, []).append(edge)
            self._edges[False].setdefault(edge.source, []).append(edge)
        self._profile = graph.profile
        self._lines: list[str] = []

    def text(self, contexts: Contexts) -> str:
        focus = self._focus
        self._item("", "", name_of(focus), shown_place(focus), _BOLD)
        for profile, found in contexts:
            self._note("  ", f"[{profile}]", "" if found else "no restricted execution context")
            for words in found:
                self._note("    ", words, "", _COLOURS[level_of_words(words)])
        for up, title, nothing in (
            (True, "Called by", "nothing in the analysed files"),
            (False, "Calls that may sleep", "nothing known to sleep"),
        ):
            self._lines += ["", self._paint(f"{title} ({clean(self._profile)}):", _BOLD)]
            before = len(self._lines)
            self._children(focus, "", up, {focus.id})
            if len(self._lines) == before:
                self._note("  ", nothing, "")
        return "\n".join(self._lines) + "\n"

    def _children(self, node: GraphNode, indent: str, up: bool, seen: set[str]) -> None:
        edges = self._edges[up].get(node.id, [])
        hidden = node.more_callers if up else node.more_callees
        for at, edge in enumerate(edges):
            last = at + 1 == len(edges) and not hidden
            self._child(node, edge, indent, last, up, seen)
        if hidden:
            self._note(f"{indent}`-- ", f"{hidden} more, see --limit", "", _DIM)

    def _child(
        self, parent: GraphNode, edge: GraphEdge, indent: str, last: bool, up: bool,
        seen: set[str],
    ) -> None:  # fmt: skip
        node = self._nodes[edge.source if up else edge.target]
        below = indent + ("    " if last else "|   ")
        words = [name_of(node)]
        if node.kind == "operation":
            words.append(node.note)
        if edge.kind == "indirect-call":
            words.append("(through a pointer)")
        if edge.kind == "registration":
            words.append("(registration)")
        again = node.id in seen
        if again:
            words.append("(see above)")
        mark = "! " if edge.finding and node.kind == "operation" else ""
        style = _HIT if mark else _BOLD if edge.finding else ""
        place = shown_place(edge) + (f" and {edge.sites - 1} more" if edge.sites > 1 else "")
        branch = indent + ("`-- " if last else "|-- ")
        self._item(branch, below, mark + " ".join(words), place, style)
        if again:
            return
        seen.add(node.id)
        if node.kind == "operation" and edge.context:
            self._note(below, f"=> {edge.context}", "", _COLOURS[level_of_words(edge.context)])
        elif node.contexts and node.contexts != parent.contexts:
            for context in node.contexts[:2]:
                self._note(below, f"=> {context}", "", _COLOURS[level_of_words(context)])
        self._children(node, below, up, seen)

    def _item(self, branch: str, below: str, words: str, place: str, style: str) -> None:
        """A name and a place, on one line if they fit."""
        words, place = clean(words), clean(place)
        short = ".../" + place.rpartition("/")[2]
        for shown in (place, short):
            if len(branch) + len(words) + 2 + len(shown) <= WIDTH:
                self._lines.append(
                    branch + self._paint(words, style) + "  " + self._paint(shown, _DIM)
                )
                return
        fits = len(below) + 2 + len(place) <= WIDTH
        self._lines.append(branch + self._paint(words, style))
        self._lines.append(f"{below}  " + self._paint(place if fits else short, _DIM))

    def _note(self, indent: str, text: str, more: str, style: str = "") -> None:
        rows = textwrap.wrap(
            clean(f"{text} {more}".strip()),
            max(WIDTH - len(indent), 30),
            subsequent_indent="   " if text.startswith("=> ") else "",
            break_long_words=False,
            break_on_hyphens=False,
        )
        # Only the tree's own bars go on below a branch.
        rest = indent.replace("`-- ", "    ").replace("|-- ", "|   ")
        for at, row in enumerate(rows):
            self._lines.append((indent if at == 0 else rest) + self._paint(row, style))

    def _paint(self, text: str, style: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self._colour and style and text else text
