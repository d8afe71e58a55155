# SPDX-License-Identifier: GPL-2.0-or-later
"""What every drawing of a graph says of a node, and in which colour."""

from __future__ import annotations

from ctxlint.findings.graph import GraphEdge, GraphNode
from ctxlint.report.lane import level_of_words


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
