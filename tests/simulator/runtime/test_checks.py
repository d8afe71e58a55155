# SPDX-License-Identifier: GPL-2.0-or-later
"""When a broken rule is printed, and when the kernel keeps quiet about it."""

from __future__ import annotations

import pytest

from ctxlint.kernel_log.format import render
from ctxlint.kernel_log.parse import parse
from ctxlint.simulator.outcome import Crashed
from ctxlint.simulator.runtime import checks
from ctxlint.simulator.runtime.state import (
    BOOTING,
    HALT,
    RUNNING,
    SCHEDULING,
    SUSPEND,
    Kernel,
)

from .bench import CELLS, RT, boot, cells, compiled, enter


def starting(**more: object) -> Kernel:
    k = boot(cells(True), True, code=compiled(True), **more)
    enter(k, RT["hp"])
    return k


@pytest.mark.parametrize(
    ("state", "why"),
    [
        (BOOTING, checks.WHILE_BOOTING),
        (SCHEDULING, ""),
        (RUNNING, ""),
        (HALT, checks.AFTER_RUNNING),
        (SUSPEND, checks.AFTER_RUNNING),
    ],
)
def test_system_state(state: int, why: str) -> None:
    k = starting()
    k.system_state = state
    k.m.call("op_spin")
    assert [(r.printed, r.suppressed) for r in k.reports] == [(not why, why)]
    assert bool(k.log) == (not why)
    assert ("W" in k.taint) == (not why)


def test_silence_of_an_oops_and_of_a_kernel_without_the_check() -> None:
    k = starting()
    k.oops_in_progress = 1
    k.m.call("op_spin")
    assert [r.suppressed for r in k.reports] == [checks.IN_OOPS]
    k = starting(debug_atomic_sleep=False)
    k.m.call("op_spin")
    assert [r.suppressed for r in k.reports] == [checks.NOT_BUILT]


def test_one_report_a_second() -> None:
    k = starting()
    k.m.call("op_spin")
    k.now += 999_999
    k.m.call("op_spin")
    k.now += 1
    k.m.call("op_spin")
    assert [r.suppressed for r in k.reports] == ["", checks.RATE_LIMIT, ""]
    k = starting(rate_limit=False)
    k.m.call("op_spin")
    k.m.call("op_spin")
    assert all(r.printed for r in k.reports)
    assert len(k.reports) == 2


def test_the_idle_task_may_never_sleep() -> None:
    k = starting()
    k.task.preempt_count = 0
    k.cpu.irqs_off = False
    k.m.call("op_spin")
    assert len(k.reports) == 1
    k.reports.clear()
    k.cpu.current = k.new_task("kthread", 1)
    k.install(k.task)
    k.m.call("op_spin")
    assert not k.reports
    k.task.non_block = 1
    k.m.call("op_spin")
    assert len(k.reports) == 1


def test_the_scheduler_in_atomic_context_resets_the_count() -> None:
    k = starting()
    k.m.call("op_msleep")
    assert [r.kind for r in k.reports] == [
        "scheduling-while-atomic",
        "idle-scheduling",
        "irq-state",
    ]
    assert k.reports[0].headline.endswith("swapper/1/0/0x00000002")
    assert k.reports[1].headline == "bad: scheduling from the idle thread!"
    assert not k.reports[2].printed
    assert (k.task.preempt_count, k.cpu.irqs_off) == (0, False)


def test_places_have_no_absolute_path() -> None:
    k = starting()
    k.m.call("op_mightsleep")
    assert k.reports[0].facts["place"].startswith(CELLS + ":")


def test_panic_and_assumed_atomic_context() -> None:
    k = boot(cells(False), False, code=compiled(False))
    with pytest.raises(Crashed, match="no root"):
        k.m.call("panic", k.m.image.string_at(b"no %s"), k.m.image.string_at(b"root"))
    k = boot(cells(False), False, code=compiled(False))
    k.m.call("__cant_sleep", k.m.image.string_at(b"a.c"), 7, 0)
    assert [r.headline for r in k.reports] == ["BUG: assuming atomic context at a.c:7"]
    k.task.preempt_count = 1
    k.m.call("__cant_sleep", k.m.image.string_at(b"a.c"), 7, 0)
    assert len(k.reports) == 1


def test_what_is_printed_can_be_read_again() -> None:
    k = starting(rate_limit=False)
    k.m.call("op_spin")
    k.m.call("op_msleep")
    splats = [r.splat for r in k.reports if r.printed]
    assert [type(s).__name__ for s in splats] == ["Sleeping", "Scheduling", "IdleScheduling"]
    text = render(splats)
    assert text.splitlines()[:4] == [
        "BUG: sleeping function called from invalid context at kernel/locking/spinlock_rt.c:48",
        "in_atomic(): 1, irqs_disabled(): 1, non_block: 0, pid: 0, name: swapper/1",
        "preempt_count: 1, expected: 0",
        "RCU nest depth: 0, expected: 0",
    ]
    assert "Not tainted" in text.splitlines()[4]
    assert "Tainted: [W]=WARN" in text
    found = [item.splat for item in parse(text).splats]
    assert found == splats
    assert [f.symbol for f in splats[0].frames][4:] == [
        "__might_resched",
        "rt_spin_lock",
        "op_spin",
    ]
