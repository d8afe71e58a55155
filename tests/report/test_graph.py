# SPDX-License-Identifier: GPL-2.0-or-later
from __future__ import annotations

import re
import shutil
import subprocess

import graph_samples as samples
import msgspec
import pytest
from golden_files import check_golden
from hypothesis import given, settings
from hypothesis import strategies as st

from ctxlint.findings.graph import CallGraph
from ctxlint.report import graph_text, graph_tree

HOSTILE = (
    "<script>alert(1)</script>", "\"><script>", "]]>", "-->", "&lt;", "</text></svg>", "\\",
    "\\\"", "\\n", "\"]; n1 -> n2; x [label=\"", "%%{init: {}}%%", "#quot;", "`**x**`", "\n",
    "\x00\x1b[31m", "\u202e", "\udc80", "<br/>", "click n1 \"javascript:x\"", "{{ 7*7 }}",
)  # fmt: skip


# -- DOT and Mermaid ----------------------------------------------------------


def test_dot_golden() -> None:
    check_golden("graph.dot", graph_text.dot(samples.lily()))


def test_dot_has_everything() -> None:
    graph = samples.lily()
    text = graph_text.dot(graph)
    nodes = [line for line in text.splitlines() if re.match(r"\tn\d+ \[", line)]
    arrows = [line for line in text.splitlines() if " -> " in line]
    assert (len(nodes), len(arrows)) == (len(graph.nodes), len(graph.edges))
    for node, line in zip(graph.nodes, nodes, strict=True):
        assert node.name in line and all(words in line for words in node.contexts)
    assert "3 more callers" in text and "not drawn: 5 more" in text
    assert sum("penwidth=3" in arrow for arrow in arrows) == 4
    assert sum("style=dotted" in arrow for arrow in arrows) == 1
    assert sum("style=dashed" in arrow for arrow in arrows) == 1
    assert sum("#d9363e" in arrow for arrow in arrows) == 4


def test_mermaid_golden() -> None:
    check_golden("graph.mermaid", graph_text.mermaid(samples.lily()))


@pytest.mark.parametrize("bad", HOSTILE)
def test_hostile_names_stay_in_their_quotes(bad: str) -> None:
    string = r'"(?:[^"\\\n]|\\.)*"'
    plain, dirty = samples.lily(), samples.poisoned(bad)
    skeleton = [re.sub(string, '""', line) for line in graph_text.dot(plain).splitlines()]
    got = [re.sub(string, '""', line) for line in graph_text.dot(dirty).splitlines()]
    # Colours are in quotes too, so both have the same form.
    assert got == skeleton

    def form(text: str) -> list[str]:
        return [re.sub('"[^"]*"', '""', re.sub(":::.*", "", row)) for row in text.splitlines()]

    chart = graph_text.mermaid(dirty)
    assert form(chart) == form(graph_text.mermaid(plain))
    labels = "".join(re.findall('"([^"]*)"', chart))
    assert not re.search(r"[<>&`{}%\\]", labels.replace("<br/>", ""))


@pytest.mark.skipif(shutil.which("dot") is None, reason="no graphviz: dot is not tried on it")
@pytest.mark.parametrize("bad", ["", *(h for h in HOSTILE if "\x00" not in h)])
def test_graphviz_reads_it(bad: str) -> None:
    done = subprocess.run(
        ["dot", "-Tplain"], input=graph_text.dot(samples.poisoned(bad)).encode(),
        capture_output=True, check=True, timeout=60,
    )  # fmt: skip
    nodes = [row for row in done.stdout.decode().splitlines() if row.startswith("node ")]
    assert len(nodes) == len(samples.lily().nodes)
    assert done.stderr == b""


# -- tree ---------------------------------------------------------------------


def test_tree_golden() -> None:
    check_golden("graph.txt", graph_tree.render(samples.lily(), samples.CONTEXTS))


def test_tree_fits_and_is_plain() -> None:
    text = graph_tree.render(samples.lily(), samples.CONTEXTS)
    assert text.isascii() and max(map(len, text.splitlines())) <= graph_tree.WIDTH
    assert text.count("more, see --limit") == 2
    assert "! kzalloc() sleeps on PREEMPT_RT" in text
    assert "lily_cpu_init() (see above)" in text


def test_tree_colour_changes_nothing_else() -> None:
    plain = graph_tree.render(samples.lily(), samples.CONTEXTS)
    coloured = graph_tree.render(samples.lily(), samples.CONTEXTS, colour=True)
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain != coloured


@pytest.mark.parametrize("bad", ["\x1b[31m", "\r\n", "\x00", "\u202e", "\udc80"])
def test_tree_shows_nothing_that_a_terminal_obeys(bad: str) -> None:
    text = graph_tree.render(samples.poisoned(bad), ((bad, (bad,)),))
    assert all(char == "\n" or char.isprintable() for char in text)


def test_tree_of_a_lonely_function() -> None:
    graph = CallGraph(focus="f", profile="p", nodes=(samples.node("f", 0, "focus"),), edges=())
    text = graph_tree.render(graph, (("p", ()),))
    assert "nothing in the analysed files" in text
    assert "nothing known to sleep" in text


@settings(max_examples=40)
@given(st.integers(0, 10**6))
def test_tree_ends_and_draws_each_function(seed: int) -> None:
    graph = samples.chance(seed)
    text = graph_tree.render(graph, ())
    assert len(text.splitlines()) < 10 + 2 * 3 * (len(graph.nodes) + len(graph.edges))
    reached = {edge.source for edge in graph.edges if edge.target == graph.focus}
    for name in reached:
        assert f"{name}()" in text


def test_long_names_stay_whole() -> None:
    long = "f" * 300
    graph = samples.lily()
    node = msgspec.structs.replace(graph.nodes[1], name=long)
    graph = msgspec.structs.replace(graph, nodes=(graph.nodes[0], node, *graph.nodes[2:]))
    assert f"{long}()" in graph_text.dot(graph)
    assert f"{long}()" in graph_tree.render(graph, ())
