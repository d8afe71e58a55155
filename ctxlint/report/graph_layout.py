# SPDX-License-Identifier: GPL-2.0-or-later
"""Places of the nodes of a graph: one column per layer, callers on the left.

The order inside a column follows the neighbours (barycentres, a few sweeps to
and fro), then each node moves towards the middle of its neighbours as far as
the others leave room. Layers are distances from the focus, so no call skips a
column; calls within a column or back are drawn as arcs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ctxlint.findings.graph import CallGraph, GraphEdge, GraphNode
from ctxlint.report.clean import clean
from ctxlint.report.lane import level_of_words

NAME_MAX = 40
NOTE_MAX = 52
HEIGHT = 60
GAP = 16
COLUMN_GAP = 56
MARGIN = 24
_NAME_WIDTH = 7.9
_NOTE_WIDTH = 6.7
_SWEEPS = 6


@dataclass(frozen=True)
class Box:
    """A node with its place in pixels (left upper corner) and what it shows."""

    node: GraphNode
    x: float
    y: float
    width: float
    css: str
    name: str
    note: str
    place: str
    tip: str
    more_left: str
    more_right: str


@dataclass(frozen=True)
class Arrow:
    """An edge as the ``d`` of an SVG path; ``css`` its colour (``""``: none)."""

    edge: GraphEdge
    path: str
    css: str
    tip: str


@dataclass(frozen=True)
class Layout:
    width: int
    height: int
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]


def layout(graph: CallGraph) -> Layout:
    """The same for the same graph, to the pixel."""
    layers: dict[int, list[str]] = {}
    for node in graph.nodes:
        layers.setdefault(node.layer, []).append(node.id)
    known = {node.id: node for node in graph.nodes}
    near: dict[str, list[str]] = {identity: [] for identity in known}
    for edge in graph.edges:
        if known[edge.source].layer != known[edge.target].layer:
            near[edge.source].append(edge.target)
            near[edge.target].append(edge.source)
    columns = [layers[number] for number in sorted(layers)]
    _order(columns, near)
    top = _tops(columns, near)
    boxes: dict[str, Box] = {}
    x: float = MARGIN + _room(known[i].more_callers for i in columns[0])
    for column in columns:
        width = max(_width(known[identity]) for identity in column)
        for identity in column:
            boxes[identity] = _box(known[identity], x, top[identity], width)
        x += width + COLUMN_GAP
    right = x - COLUMN_GAP + _room(known[i].more_callees for i in columns[-1]) + MARGIN
    loops = any(known[e.source].layer >= known[e.target].layer for e in graph.edges)
    return Layout(
        width=round(right + (COLUMN_GAP if loops else 0)),
        height=round(max(top.values()) + HEIGHT + MARGIN),
        boxes=tuple(boxes[node.id] for node in graph.nodes),
        arrows=tuple(_arrow(edge, boxes) for edge in graph.edges),
    )


def shown_place(node: GraphNode | GraphEdge) -> str:
    return f"{node.file}:{node.line}"


def note_of(node: GraphNode) -> str:
    """The second line of a node: what it is, or where it runs."""
    if node.kind in ("entry", "operation"):
        return node.note
    if not node.contexts:
        return "not entered in a restricted context"
    more = len(node.contexts) - 1
    words = node.contexts[0].partition(": ")[2] or node.contexts[0]
    return words + (f" (+{more})" if more else "")


def name_of(node: GraphNode) -> str:
    return node.name if node.kind == "entry" or node.name.endswith(")") else f"{node.name}()"


def colour_of(node: GraphNode) -> str:
    """A colour of :mod:`ctxlint.report.lane`, or ``"operation"``."""
    if node.kind == "operation":
        return "operation"
    return level_of_words(node.contexts[0]) if node.contexts else "unknown"


def cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 3] + "..."


def _order(columns: list[list[str]], near: dict[str, list[str]]) -> None:
    for sweep in range(_SWEEPS):
        order = columns if sweep % 2 == 0 else columns[::-1]
        place = {identity: at for column in columns for at, identity in enumerate(column)}
        for column in order:
            middle = {}
            for identity in column:
                found = [place[other] for other in near[identity]] or [place[identity]]
                middle[identity] = (sum(found) / len(found), place[identity])
            column.sort(key=middle.__getitem__)
            place.update({identity: at for at, identity in enumerate(column)})


def _tops(columns: list[list[str]], near: dict[str, list[str]]) -> dict[str, float]:
    step = HEIGHT + GAP
    tallest = max(map(len, columns))
    top = {
        identity: ((tallest - len(column)) / 2 + at) * step
        for column in columns
        for at, identity in enumerate(column)
    }
    for sweep in range(_SWEEPS):
        for column in columns if sweep % 2 == 0 else columns[::-1]:
            wanted = []
            for identity in column:
                places = sorted(top[other] for other in near[identity])
                wanted.append(places[len(places) // 2] if places else top[identity])
            # Downwards as far as wanted, then back up where that is too far.
            lowest = float("-inf")
            for identity, want in zip(column, wanted, strict=True):
                top[identity] = lowest = max(want, lowest + step)
            over = sum(top[i] - w for i, w in zip(column, wanted, strict=True)) / len(column)
            for identity in column:
                top[identity] -= over
    first = min(top.values())
    return {identity: place - first + MARGIN for identity, place in top.items()}


def _width(node: GraphNode) -> float:
    name = cut(clean(name_of(node)), NAME_MAX)
    notes = [cut(clean(text), NOTE_MAX) for text in (note_of(node), _short_place(node))]
    return max(len(name) * _NAME_WIDTH, max(map(len, notes)) * _NOTE_WIDTH) + 26


def _short_place(node: GraphNode) -> str:
    """The name of the file alone: its folder is in the tip."""
    return f"{node.file.rpartition('/')[2]}:{node.line}"


def _room(counts: Iterable[int]) -> int:
    """Space for "N more" beside the first or last column."""
    return 70 if any(counts) else 0


def _box(node: GraphNode, x: float, y: float, width: float) -> Box:
    lines = [name_of(node), shown_place(node), node.note, *node.contexts]
    return Box(
        node=node,
        x=round(x, 1),
        y=round(y, 1),
        width=round(width, 1),
        css=colour_of(node),
        name=cut(clean(name_of(node)), NAME_MAX),
        note=cut(clean(note_of(node)), NOTE_MAX),
        place=cut(clean(_short_place(node)), NOTE_MAX),
        tip=" | ".join(line for line in lines if line),
        more_left=f"{node.more_callers} more" if node.more_callers else "",
        more_right=f"{node.more_callees} more" if node.more_callees else "",
    )


def _arrow(edge: GraphEdge, boxes: dict[str, Box]) -> Arrow:
    source, target = boxes[edge.source], boxes[edge.target]
    x1, y1 = source.x + source.width, source.y + HEIGHT / 2
    y2 = target.y + HEIGHT / 2
    if target.node.layer > source.node.layer:
        x2 = target.x - 3
        bend = (x1 + x2) / 2
        path = f"M{x1:.1f} {y1:.1f}C{bend:.1f} {y1:.1f} {bend:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"
    else:  # within the column, or back: an arc on the right
        x2 = target.x + target.width + 3
        far = max(x1, x2) + COLUMN_GAP * 0.6
        y1, y2 = y1 + 6, y2 - 6
        path = f"M{x1:.1f} {y1:.1f}C{far:.1f} {y1:.1f} {far:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"
    sites = f", {edge.sites} places" if edge.sites > 1 else ""
    how = {"indirect-call": "calls through a pointer", "registration": "registered as"}
    tip = (
        f"{name_of(source.node)} {how.get(edge.kind, 'calls')} {name_of(target.node)}, "
        f"{shown_place(edge)}{sites}" + (f" | {edge.context}" if edge.context else "")
    )
    return Arrow(edge, path, level_of_words(edge.context) if edge.context else "", tip)
