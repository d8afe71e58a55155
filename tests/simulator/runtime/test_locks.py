# SPDX-License-Identifier: GPL-2.0-or-later
"""Ownership, deadlocks, what taking a lock does to the context on either kernel."""

from __future__ import annotations

import pytest

from ctxlint.simulator.outcome import Hang
from ctxlint.simulator.runtime.locks import Locks, left_held
from ctxlint.simulator.runtime.state import Kernel

from .bench import boot, cells, compiled

LOCK, OTHER = 0xFFFF_8200_0000_0100, 0xFFFF_8200_0000_0200


def kernel(rt: bool) -> Kernel:
    return boot(cells(rt), rt, code=compiled(rt))


def state(k: Kernel) -> tuple[int, bool, int, int]:
    task = k.task
    return task.preempt_count, k.cpu.irqs_off, task.rcu_depth, task.migration_disabled


@pytest.mark.parametrize(
    ("take", "rt", "after"),
    [
        ("_raw_spin_lock", True, (1, False, 0, 0)),
        ("_raw_spin_lock", False, (1, False, 0, 0)),
        ("_raw_spin_lock_irq", False, (1, True, 0, 0)),
        ("spin_lock", True, (0, False, 1, 1)),
        ("spin_lock", False, (1, False, 0, 0)),
        ("spin_lock_irq", True, (0, False, 1, 1)),
        ("spin_lock_irq", False, (1, True, 0, 0)),
        ("spin_lock_bh", True, (0, False, 3, 3)),
        ("spin_lock_bh", False, (0x201, False, 0, 0)),
        ("rt_read_lock", True, (0, False, 1, 1)),
        ("_raw_read_lock", False, (1, False, 0, 0)),
        ("mutex_lock", True, (0, False, 0, 0)),
        ("down_read", False, (0, False, 0, 0)),
        ("percpu_down_read", True, (0, False, 0, 0)),
    ],
)
def test_context(take: str, rt: bool, after: tuple[int, bool, int, int]) -> None:
    k = kernel(rt)
    k.m.call(take, LOCK)
    assert state(k) == after
    release = take.replace("down", "up") if "down" in take else take.replace("lock", "unlock")
    k.m.call(release, LOCK)
    assert state(k) == (0, False, 0, 0)
    assert not k.task.held
    assert not k.reports


def test_trylocks_fail_without_a_trace() -> None:
    for rt in (True, False):
        k = kernel(rt)
        other = k.new_task("other", 1)
        k.part(Locks).at(LOCK).owner = other
        name = "rt_spin_trylock" if rt else "_raw_spin_trylock"
        assert k.m.call(name, LOCK) == 0
        assert k.m.call("mutex_trylock", LOCK) == 0
        assert state(k) == (0, False, 0, 0)


@pytest.mark.parametrize("take", ["_raw_spin_lock", "spin_lock", "mutex_lock", "down_write"])
@pytest.mark.parametrize("rt", [True, False])
def test_a_task_waits_for_itself(take: str, rt: bool) -> None:
    k = kernel(rt)
    k.m.call(take, LOCK)
    with pytest.raises(Hang, match="waits for it itself"):
        k.m.call(take, LOCK)
    assert k.reports[-1].kind == "hang"


def test_readers_share() -> None:
    k = kernel(False)
    k.m.call("_raw_read_lock", LOCK)
    k.m.call("_raw_read_lock", LOCK)
    with pytest.raises(Hang):
        k.m.call("_raw_write_lock", LOCK)
    k.m.call("_raw_read_unlock", LOCK)
    k.m.call("_raw_read_unlock", LOCK)


def test_a_lock_of_somebody_else_is_a_hang_that_says_whose() -> None:
    k = kernel(False)
    k.part(Locks).at(LOCK).owner = k.new_task("holder", 1)
    with pytest.raises(Hang, match="held by holder/"):
        k.m.call("_raw_spin_lock", LOCK)


def test_the_plain_irq_variant_turns_interrupts_on() -> None:
    k = kernel(False)
    k.m.call("arch_local_irq_disable")
    k.m.call("_raw_spin_lock_irq", LOCK)
    k.m.call("_raw_spin_unlock_irq", LOCK)
    assert [r.kind for r in k.reports] == ["irq-state"]
    assert not k.cpu.irqs_off
    k.reports.clear()
    k.m.call("arch_local_irq_disable")
    flags = k.m.call("_raw_spin_lock_irqsave", LOCK)
    k.m.call("_raw_spin_unlock_irqrestore", LOCK, flags)
    assert not k.reports
    assert k.cpu.irqs_off


def test_balance() -> None:
    k = kernel(False)
    k.m.call("_raw_spin_unlock", LOCK)
    assert [r.kind for r in k.reports][:1] == ["lock-balance"]
    k = kernel(False)
    k.m.call("_raw_spin_lock", LOCK)
    k.m.call("_raw_spin_lock", OTHER)
    left_held(k, k.task, 1)
    assert [r.kind for r in k.reports] == ["lock-balance"]
    assert "still held at return" in k.reports[0].headline


def test_a_contended_rt_lock_enters_the_scheduler() -> None:
    k = kernel(True)
    k.part(Locks).at(LOCK).owner = k.new_task("holder", 1)
    k.task.preempt_count = 1
    with pytest.raises(Hang):
        k.m.call("rt_spin_lock", LOCK)
    kinds = [r.kind for r in k.reports]
    assert kinds == ["sleeping", "scheduling-while-atomic"]
    assert k.reports[1].trace == (
        "__schedule_bug",
        "__schedule",
        "schedule_rtlock",
        "rtlock_slowlock_locked",
        "rt_spin_lock",
    )


def test_initialising_forgets_the_owner() -> None:
    k = kernel(False)
    k.m.call("_raw_spin_lock", LOCK)
    k.m.call("__raw_spin_lock_init", LOCK, 0, 0, 0)
    assert k.m.call("_raw_spin_trylock", LOCK) == 1


def test_completion() -> None:
    k = kernel(False)
    done = k.m.call("__kmalloc_noprof", 64, 0)
    k.m.call("complete", done)
    k.m.call("complete", done)
    assert k.m.call("try_wait_for_completion", done) == 1
    k.m.call("wait_for_completion", done)
    assert k.m.call("completion_done", done) == 0
    assert k.m.call("wait_for_completion_timeout", done, 5) == 0
    assert k.now == 5 * 4000
    with pytest.raises(Hang, match="the completion"):
        k.m.call("wait_for_completion", done)


def test_two_locks_in_both_orders() -> None:
    k = kernel(False)
    for first, second in ((LOCK, OTHER), (OTHER, LOCK)):
        k.m.call("spin_lock", first)
        k.m.call("mutex_trylock", second + 64)
        k.m.call("spin_lock", second)
        for lock in (second, first):
            k.m.call("spin_unlock", lock)
        k.m.call("mutex_unlock", second + 64)
    assert [r.kind for r in k.reports] == ["lock-order"]
    assert not k.reports[0].printed
    k = kernel(False)
    for first, second in ((LOCK, OTHER), (OTHER, LOCK)):
        k.m.call("spin_lock", first)
        assert k.m.call("spin_trylock", second) == 1
        for lock in (second, first):
            k.m.call("spin_unlock", lock)
    assert not k.reports
