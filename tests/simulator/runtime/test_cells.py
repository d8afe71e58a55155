# SPDX-License-Identifier: GPL-2.0-or-later
"""Every recorded cell that one task can run: splat or silence, and what it says."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import pytest
import yaml

from ctxlint.simulator.runtime.choice import Choices
from ctxlint.simulator.runtime.state import Kernel, Report

from .bench import NO_RT, RT, cells, run_cell

RECORDED = Path(__file__).parents[2] / "kernel_tree" / "groundtruth" / "cells.json"
PLACES = yaml.safe_load(Path(__file__).with_name("places.yaml").read_text())

# Cells that take more than one task: the control task holds the lock of CPU hotplug.
_MORE_TASKS = {("cpusread", c) for c in ("prep", "dead", "hponline", "offline")}

# What the context is when the operation begins: (count, interrupts off, RCU depth), as
# the recorded kernels printed it on entry. RT first.
CONTEXTS = {
    "task": ((0, 0, 0), (0, 0, 0)),
    "irqsoff": ((0, 1, 0), (0, 1, 0)),
    "preempt": ((1, 0, 0), (1, 0, 0)),
    "migrate": ((0, 0, 0), (0, 0, 0)),
    "bh": ((0, 0, 2), (0x200, 0, 0)),
    "rcu": ((0, 0, 1), (0, 0, 1)),
    "rcusched": ((1, 0, 0), (1, 0, 0)),
    "rcubh": ((0, 0, 2), (0x200, 0, 0)),
    "raw": ((1, 0, 0), (1, 0, 0)),
    "rawirq": ((1, 1, 0), (1, 1, 0)),
    "spin": ((0, 0, 1), (1, 0, 0)),
    "spinirq": ((0, 0, 1), (1, 1, 0)),
    "spinbh": ((0, 0, 3), (0x201, 0, 0)),
    "mutex": ((0, 0, 0), (0, 0, 0)),
    "cpusread": ((0, 0, 0), (0, 0, 0)),
    "nested": ((1, 0, 1), (2, 0, 0)),
}


def recorded(rt: bool) -> dict[tuple[str, str], set[str]]:
    """Outcomes of the cells that the fixture has, by context and operation."""
    contexts = set(CONTEXTS) | set(RT if rt else NO_RT)
    table = json.loads(RECORDED.read_text())["contexts"]
    return {
        (context, operation): set(outcomes.split()[0 if rt else 1].split("|"))
        for context, groups in table.items()
        for outcomes, operations in groups.items()
        for operation in operations.split()
        if context in contexts
        and f"op_{operation}" in cells(rt).functions
        and (operation, context) not in _MORE_TASKS
    }


def printed(reports: list[Report]) -> list[Report]:
    return [r for r in reports if r.printed and any(f.startswith("op_") for f in r.trace)]


def runs(context: str, operation: str, rt: bool) -> list[tuple[Kernel, list[Report], str]]:
    """The usual run, and one for each set of other answers about allocators."""
    first = run_cell(context, operation, rt)
    usual = dict(first[0].part(Choices).asked)
    found = [first]
    for size in range(1, len(usual) + 1):
        for names in combinations(sorted(usual), size):
            forced = {name: not usual[name] for name in names}
            found.append(run_cell(context, operation, rt, forced))
    return found


def said(report: Report, operation: str) -> tuple[str, str]:
    """The row of places.yaml that a report is."""
    what = report.facts.get("place") or report.headline
    if report.kind == "scheduling-while-atomic":
        what = "scheduling while atomic"
    elif "idle thread" in report.headline:
        what = "scheduling from the idle thread"
    elif report.kind == "bug":
        what = report.headline
    if "cells.c" in what:
        what = "fixture"
    inner = report.trace[: report.trace.index(f"op_{operation}")]
    return what, " < ".join(inner)


@pytest.mark.parametrize("rt", [True, False])
def test_splat_or_silence(rt: bool) -> None:
    wrong = []
    table = recorded(rt)
    assert len(table) > 600
    for (context, operation), outcomes in sorted(table.items()):
        usual = run_cell(context, operation, rt)
        outcome = "sleep" if printed(usual[1]) else "silent"
        if outcomes == {outcome}:
            continue
        others = {
            "sleep" if printed(r) else "silent" for _, r, _ in runs(context, operation, rt)
        }
        if outcomes <= others:
            continue
        wrong.append(f"{context}:{operation} kernel {sorted(outcomes)}, model {sorted(others)}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.slow
@pytest.mark.parametrize("rt", [True, False])
def test_place_and_trace(rt: bool) -> None:
    """Each first report that is certain is a row of the table, and each operation that
    reports reaches one."""
    mode = "rt" if rt else "nort"
    reached: dict[str, set[tuple[str, str]]] = {}
    for context, operation in sorted(recorded(rt)):
        for _, reports, _ in runs(context, operation, rt):
            for report in printed(reports)[:1]:
                if not report.certain:
                    continue  # luck decides which of these a log shows
                reached.setdefault(operation, set()).add(said(report, operation))
    wrong = []
    for operation, rows in sorted(reached.items()):
        known = {(what, trace) for what, trace in PLACES[operation].get(mode, ())}
        for row in sorted(rows - known):
            # The kernel keeps its hands off the outermost frame of a BUG at the start.
            if not row[0].startswith("kernel BUG"):
                wrong.append(f"{operation}: the model alone: {row}")
    for operation, rows in sorted(reached.items()):
        if not rows & {(what, trace) for what, trace in PLACES[operation].get(mode, ())}:
            wrong.append(f"{operation}: no row of the kernel is reached")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("rt", [True, False])
def test_contexts_are_those_recorded(rt: bool) -> None:
    for name, rows in CONTEXTS.items():
        k, reports, _ = run_cell(name, "mightsleep", rt)
        count, off, rcu = rows[0 if rt else 1]
        wanted = (count, off, rcu) != (0, 0, 0)
        assert bool(reports) == wanted, name
        for report in reports[:1]:
            context = report.context
            got = context["count"], context["irqs_disabled"], context["rcu_depth"]
            assert got == (count, off, rcu), name
        assert (k.task.preempt_count, k.cpu.irqs_off, k.task.rcu_depth) == (0, False, 0), name
        assert (k.task.migration_disabled, k.task.softirq_disabled) == (0, 0), name
        assert not k.task.held


def test_rt_locks_expect_the_rcu_depth() -> None:
    """Nesting in an RCU reader is legal for a spinlock and is not for a mutex."""
    _, reports, _ = run_cell("nested", "spin", True)
    assert [r.facts["rcu_expected"] for r in reports] == [1]
    _, reports, _ = run_cell("rcu", "mutex", True)
    assert [r.facts["rcu_expected"] for r in reports] == [0]


def test_what_depends_on_an_allocator_is_not_certain() -> None:
    k, reports, _ = run_cell("irqsoff", "free0", True)
    assert not reports
    name = k.part(Choices).asked[0][0]
    k, reports, _ = run_cell("irqsoff", "free0", True, {name: True})
    assert [r.certain for r in reports] == [False]
    assert reports[0].facts["depends_on"] == (name,)
    _, reports, _ = run_cell("irqsoff", "free4", True)
    assert [r.certain for r in reports] == [True]
