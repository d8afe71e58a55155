# SPDX-License-Identifier: GPL-2.0-or-later
"""A graph for other programs to draw: DOT (Graphviz) and Mermaid."""

from __future__ import annotations

from ctxlint.findings.graph import CallGraph, GraphEdge, GraphNode
from ctxlint.report.clean import clean
from ctxlint.report.graph_words import colour_of, name_of, note_of, shown_place
from ctxlint.report.lane import level_of_words

_COLOURS = {
    "task": "#2d9a56", "unknown": "#8a939e", "rcu": "#0f8a8a", "bh": "#8f8400",
    "preempt": "#d97706", "soft": "#b8860b", "irq": "#d9363e", "hard": "#a3123a",
    "nmi": "#8b2fc9", "operation": "#1b1f24",
}  # fmt: skip
_LINES = "dotted: registration; dashed: through a pointer; thick: path to a finding"
# In a quoted label these begin an entity, markup, a directive or end the label.
_MERMAID = str.maketrans({char: f"#{ord(char)};" for char in '"#&<>`%{}\\;'})


def dot(graph: CallGraph) -> str:
    """A digraph for ``dot``, ending in a line break."""
    names = _names(graph)
    left_out = sum(node.more_callers + node.more_callees for node in graph.nodes)
    title = f"Calls around {name_of(graph.node(graph.focus))}, {graph.profile}"
    words = _LINES + (f"; not drawn: {left_out} more" if left_out else "")
    lines = [
        f"digraph {_quoted(title)} {{",
        f'\tlabel="{_inside(title)}\\n{_inside(words)}"; rankdir=LR;',
        '\tnode [shape=box, style=rounded, fontname="sans-serif"];',
    ]
    for node in graph.nodes:
        label = "\\n".join(_inside(line) for line in _label(node))
        wide = ", penwidth=3" if node.kind == "focus" else ""
        shape = {"entry": ", shape=house", "operation": ", shape=octagon"}.get(node.kind, "")
        lines.append(
            f'\t{names[node.id]} [label="{label}", color="{_COLOURS[colour_of(node)]}", '
            f"tooltip={_quoted(' | '.join(filter(None, (node.note, *node.contexts))))}"
            f"{shape}{wide}];"
        )
    for edge in graph.edges:
        style = {"call": "solid", "indirect-call": "dashed"}.get(edge.kind, "dotted")
        wide = ", penwidth=3" if edge.finding else ""
        colour = _COLOURS[level_of_words(edge.context) if edge.context else "unknown"]
        lines.append(
            f"\t{names[edge.source]} -> {names[edge.target]} "
            f'[style={style}, color="{colour}", tooltip={_quoted(_site(edge))}{wide}];'
        )
    return "\n".join([*lines, "}"]) + "\n"


def mermaid(graph: CallGraph) -> str:
    """A Mermaid flow chart, ending in a line break."""
    names = _names(graph)
    lines = ["flowchart LR"]
    for node in graph.nodes:
        label = "<br/>".join(clean(line).translate(_MERMAID) for line in _label(node))
        before, after = {"entry": ('[["', '"]]'), "operation": ('{{"', '"}}')}.get(
            node.kind, ('["', '"]')
        )
        lines.append(f"    {names[node.id]}{before}{label}{after}:::{_css(node)}")
    for edge in graph.edges:
        arrow = "-->" if edge.kind == "call" else "-.->"
        arrow = "==>" if edge.finding else arrow
        lines.append(f"    {names[edge.source]} {arrow} {names[edge.target]}")
    for css, colour in sorted(_COLOURS.items()):
        lines.append(f"    classDef {css}_ stroke:{colour},stroke-width:2px")
    lines.append(f"    style {names[graph.focus]} stroke-width:4px")
    return "\n".join(lines) + "\n"


def _css(node: GraphNode) -> str:
    return f"{colour_of(node)}_"


def _names(graph: CallGraph) -> dict[str, str]:
    return {node.id: f"n{number}" for number, node in enumerate(graph.nodes)}


def _label(node: GraphNode) -> list[str]:
    lines = [name_of(node), note_of(node), shown_place(node)]
    if node.more_callers:
        lines.append(f"{node.more_callers} more callers")
    if node.more_callees:
        lines.append(f"{node.more_callees} more callees")
    return [line for line in lines if line]


def _site(edge: GraphEdge) -> str:
    sites = f", {edge.sites} places" if edge.sites > 1 else ""
    return f"{shown_place(edge)}{sites} {edge.context}".strip()


def _quoted(text: str) -> str:
    return f'"{_inside(text)}"'


def _inside(text: str) -> str:
    """Between the quotes of a DOT string, where a backslash begins an escape."""
    return clean(text).replace("\\", "\\\\").replace('"', '\\"')
