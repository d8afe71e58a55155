# SPDX-License-Identifier: GPL-2.0-or-later
from __future__ import annotations

import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from itertools import combinations, pairwise

import graph_samples as samples
import msgspec
import pytest
from golden_files import check_golden
from hypothesis import given, settings
from hypothesis import strategies as st

from ctxlint.findings.graph import CallGraph
from ctxlint.report import graph_svg, graph_text, graph_tree
from ctxlint.report.clean import clean
from ctxlint.report.graph_layout import HEIGHT, layout

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = (
    "<script>alert(1)</script>", "\"><script>", "]]>", "-->", "&lt;", "</text></svg>", "\\",
    "\\\"", "\\n", "\"]; n1 -> n2; x [label=\"", "%%{init: {}}%%", "#quot;", "`**x**`", "\n",
    "\x00\x1b[31m", "\u202e", "\udc80", "<br/>", "click n1 \"javascript:x\"", "{{ 7*7 }}",
)  # fmt: skip


def document(graph: CallGraph) -> ET.Element:
    text = graph_svg.render(graph)
    return ET.fromstring(text.encode("utf-8"))


# -- layout -------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(25))
def test_boxes_do_not_overlap_and_lie_inside(seed: int) -> None:
    drawn = layout(samples.chance(seed))
    for box in drawn.boxes:
        assert box.x >= 0 and box.x + box.width <= drawn.width
        assert box.y >= 0 and box.y + HEIGHT <= drawn.height
    for one, other in combinations(drawn.boxes, 2):
        apart = (
            one.x + one.width <= other.x
            or other.x + other.width <= one.x
            or one.y + HEIGHT <= other.y
            or other.y + HEIGHT <= one.y
        )
        assert apart, (one.node.id, other.node.id)


def test_callers_stand_on_the_left() -> None:
    x = {box.node.id: box.x for box in layout(samples.lily()).boxes}
    assert x["lily entry"] < x["lily_starting_cpu"] < x["lily_cpu_init"] < x["lily_tables"]
    assert x["lily_tables"] < x["lily_tables kzalloc"]


def test_a_chain_is_drawn_straight() -> None:
    names = [f"f{number}" for number in range(5)]
    graph = CallGraph(
        focus="f2", profile="p",
        nodes=tuple(samples.node(name, at - 2) for at, name in enumerate(names)),
        edges=tuple(samples.edge(a, b) for a, b in pairwise(names)),
    )  # fmt: skip
    assert len({box.y for box in layout(graph).boxes}) == 1


# -- SVG ----------------------------------------------------------------------


def test_svg_golden() -> None:
    check_golden("graph.svg", graph_svg.render(samples.lily()))


def test_svg_has_everything() -> None:
    root = document(samples.lily())
    words = [element.text or "" for element in root.iter(f"{SVG}text")]
    graph = samples.lily()
    for node in graph.nodes:
        assert any(word.startswith(node.name) for word in words)
    assert "3 more" in words and "2 more" in words
    assert any("not drawn: 5 more" in word for word in words)
    arrows = [e for e in root.iter(f"{SVG}path") if "arrow" in e.get("class", "").split()]
    assert len(arrows) == len(graph.edges)
    classes = [set(arrow.get("class", "").split()) for arrow in arrows]
    assert sum("finding" in c for c in classes) == 4
    assert sum("registration" in c for c in classes) == 1
    assert sum("indirect" in c for c in classes) == 1
    assert sum("s-irq" in c for c in classes) == 4
    hits = [e for e in root.iter(f"{SVG}g") if "hit" in e.get("class", "").split()]
    assert len(hits) == 1


@pytest.mark.parametrize("bad", HOSTILE)
def test_hostile_names_stay_text_in_svg(bad: str) -> None:
    root = document(samples.poisoned(bad))
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags == {"svg", "title", "style", "defs", "marker", "rect", "path", "g", "text"}
    for element in root.iter():
        for name in element.attrib:
            assert not name.startswith("on") and "href" not in name
    texts = "".join(root.itertext())
    assert texts.count(clean(bad)) >= len(samples.lily().nodes)


# -- DOT and Mermaid ----------------------------------------------------------


def test_dot_golden() -> None:
    check_golden("graph.dot", graph_text.dot(samples.lily()))


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


def test_long_names_are_cut_in_the_picture_alone() -> None:
    long = "f" * 300
    graph = samples.lily()
    node = msgspec.structs.replace(graph.nodes[1], name=long)
    graph = msgspec.structs.replace(graph, nodes=(graph.nodes[0], node, *graph.nodes[2:]))
    assert layout(graph).width < 2500
    assert f"{long}()" in "".join(document(graph).itertext())
    assert f"{long}()" in graph_tree.render(graph, ())
