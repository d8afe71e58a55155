# SPDX-License-Identifier: GPL-2.0-or-later
"""Graphs of the miniature tree."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
from warm_cache import warmed

from ctxlint.base.errors import UsageError
from ctxlint.findings.graph import CallGraph
from ctxlint.pipeline import Request, audit, graph

MINIATURE = Path(__file__).parents[2] / "fixtures" / "tree"
ITS = "drivers/irqchip/irq-lily-its.c"


class Quiet:
    def start(self, stage: str, total: int) -> None: ...
    def advance(self, stage: str, text: str = "") -> None: ...
    def finish(self, stage: str) -> None: ...
    def log(self, level: Any, message: str) -> None: ...


@pytest.fixture(scope="module")
def request_(tmp_path_factory: pytest.TempPathFactory) -> Request:
    return Request(
        tree=MINIATURE,
        paths=("drivers/irqchip", "drivers/firmware"),
        builds=tuple(MINIATURE / "builds" / name for name in ("rt", "nort")),
        cache=warmed(tmp_path_factory.mktemp("cache")),
        jobs=1,
    )


def rt(request: Request, target: str, limit: int = 40) -> CallGraph:
    (answer,) = graph(request, target, Quiet(), limit)
    return answer.graphs[0]


def calls(drawn: CallGraph) -> set[tuple[str, str]]:
    names = {node.id: node.name for node in drawn.nodes}
    return {(names[edge.source], names[edge.target]) for edge in drawn.edges}


def test_from_the_registration_to_the_operation(request_: Request) -> None:
    drawn = rt(request_, "lily_its_cpu_init")
    assert calls(drawn) == {
        ("CPUHP_AP_IRQ_GIC_STARTING", "lily_starting_cpu"),
        ("lily_starting_cpu", "lily_cpu_init"),
        ("lily_of_init", "lily_cpu_init"),
        ("lily_cpu_init", "lily_its_cpu_init"),
        ("lily_its_cpu_init", "lily_free_pending_table"),
        ("lily_its_cpu_init", "lily_reserve"),
        ("lily_free_pending_table", "free_pages"),
        ("lily_reserve", "efi_mem_reserve_persistent"),
    }
    layers = {node.name: node.layer for node in drawn.nodes}
    assert layers["CPUHP_AP_IRQ_GIC_STARTING"] == -3
    assert layers["lily_its_cpu_init"] == 0 and layers["free_pages"] == 2
    # What waits in lily_of_init() is not on the way: it is above.
    assert "alloc_percpu" not in layers


def test_contexts_and_the_way_to_a_finding(request_: Request) -> None:
    drawn = rt(request_, "lily_its_cpu_init")
    nodes = {node.name: node for node in drawn.nodes}
    starting = "CPU hotplug STARTING callback: interrupts off, preemption off"
    assert nodes["lily_its_cpu_init"].contexts == (starting,)
    assert nodes["lily_of_init"].contexts == ()
    assert nodes["free_pages"].note == "sleeps on PREEMPT_RT"
    assert nodes["efi_mem_reserve_persistent"].note == "may sleep on PREEMPT_RT"
    names = {node.id: node.name for node in drawn.nodes}
    marked = {names[e.source] for e in drawn.edges if e.finding}
    assert marked == {name for name in nodes if nodes[name].kind != "operation"} - {
        "lily_of_init"
    }
    plain = [e for e in drawn.edges if names[e.source] == "lily_of_init"]
    assert [(e.finding, e.context) for e in plain] == [(False, "")]


def test_without_preempt_rt_these_do_not_sleep(request_: Request) -> None:
    (answer,) = graph(request_, "lily_its_cpu_init", Quiet())
    assert [g.profile for g in answer.graphs] == ["arm64-rt", "arm64-nort"]
    assert [profile for profile, _ in answer.contexts] == ["arm64-rt", "arm64-nort"]
    assert not any(edge.finding for edge in answer.graphs[1].edges)
    assert "free_pages" not in {node.name for node in answer.graphs[1].nodes}


def test_around_a_finding(request_: Request) -> None:
    found = [f for f in audit(request_, Quiet()).findings if f.callee == "free_pages"]
    (finding,) = (f for f in found if f.file == ITS)
    for length in (8, 32):
        drawn = rt(request_, finding.fingerprint[:length])
        names = {node.id: node.name for node in drawn.nodes}
        assert names[drawn.focus] == finding.function
        marked = {(names[e.source], names[e.target]) for e in drawn.edges if e.finding}
        steps = [s.function for s in finding.path if s.kind != "registration"]
        way = list(dict.fromkeys(steps))
        expected = {*itertools.pairwise(way), (finding.function, "free_pages"),
                    ("CPUHP_AP_IRQ_GIC_STARTING", way[0])}  # fmt: skip
        assert marked == expected


def test_what_is_left_out_is_counted(request_: Request) -> None:
    drawn = rt(request_, "lily_its_cpu_init", 1)
    (focus,) = (node for node in drawn.nodes if node.kind == "focus")
    functions = [node for node in drawn.nodes if node.kind == "function"]
    assert [node.layer for node in functions] == [-1, 1]
    assert focus.more_callees == 1
    assert functions[0].more_callers == 2
    # Nothing hangs in the air.
    ids = {node.id for node in drawn.nodes}
    assert all(edge.source in ids and edge.target in ids for edge in drawn.edges)


def test_same_again(request_: Request) -> None:
    assert rt(request_, "lily_cpu_init") == rt(request_, "lily_cpu_init")


@pytest.mark.parametrize("target", ["no_such_function", "deadbeefdeadbeef"])
def test_neither_function_nor_finding(request_: Request, target: str) -> None:
    with pytest.raises(UsageError) as caught:
        graph(request_, target, Quiet())
    assert caught.value.hint


def test_static_functions_by_file(request_: Request) -> None:
    symbol = f"{ITS}::lily_reserve"
    assert rt(request_, symbol).focus == symbol
