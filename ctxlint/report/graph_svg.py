# SPDX-License-Identifier: GPL-2.0-or-later
"""A graph as a self-contained picture: SVG, dark and light."""

from __future__ import annotations

from ctxlint.findings.graph import CallGraph
from ctxlint.report.graph_layout import HEIGHT, MARGIN, layout, name_of
from ctxlint.report.html import environment

# No CSS variables: viewers other than browsers do not know them.
_LIGHT = {
    "page": "#ffffff", "box": "#f6f7f9", "ink": "#1b1f24", "dim": "#57606a", "edge": "#8a939e",
    "error": "#c21f2f", "task": "#2d9a56", "unknown": "#8a939e", "rcu": "#0f8a8a",
    "bh": "#8f8400", "preempt": "#d97706", "soft": "#b8860b", "irq": "#d9363e",
    "hard": "#a3123a", "nmi": "#8b2fc9", "operation": "#1b1f24",
}  # fmt: skip
_DARK = {
    "page": "#0e1116", "box": "#171b22", "ink": "#e4e8ee", "dim": "#9aa5b3", "edge": "#7d8794",
    "error": "#ff7b80", "task": "#48c078", "unknown": "#7d8794", "rcu": "#37c2c2",
    "bh": "#c9be3a", "preempt": "#f59e3d", "soft": "#e0b64a", "irq": "#ff6b70",
    "hard": "#ff5c8d", "nmi": "#c98bff", "operation": "#e4e8ee",
}  # fmt: skip
_LEVELS = tuple(_LIGHT)[6:]
_KINDS = {"focus": "focus", "entry": "entry", "operation": "operation", "function": "function"}


def render(graph: CallGraph) -> str:
    """One SVG document, ending in a line break. It runs and loads nothing."""
    operations = {node.id for node in graph.nodes if node.kind == "operation"}
    hits = {e.target for e in graph.edges if e.finding} & operations
    title = f"Calls around {name_of(graph.node(graph.focus))}, {graph.profile}"
    text = (
        environment()
        .get_template("graph.svg.j2")
        .render(
            layout=layout(graph),
            title=title,
            caption=(title, caption(graph)),
            light=_LIGHT,
            dark=_DARK,
            levels=_LEVELS,
            kinds=_KINDS,
            hits=hits,
            box_height=HEIGHT,
            margin=MARGIN,
        )
    )
    return text.rstrip("\n") + "\n"


def caption(graph: CallGraph) -> str:
    """What the lines mean, and what was left out."""
    words = "dotted: registration; dashed: through a pointer; thick: path to a finding"
    left_out = sum(n.more_callers + n.more_callees for n in graph.nodes)
    return f"{words}; not drawn: {left_out} more" if left_out else words
