# SPDX-License-Identifier: GPL-2.0-or-later
"""Callbacks and callers of hotplug that really block, as real kernels were seen to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ctxlint.simulator.outcome import Crashed, Hang
from ctxlint.simulator.runtime.boot import cpu_down, cpu_up
from tests.simulator.runtime.hotplug import World, text, world

both = pytest.mark.parametrize("rt", [True, False])


@contextmanager
def booted(rt: bool) -> Iterator[World]:
    with world(("#define RT\n" if rt else "") + text("blocking"), rt=rt) as w:
        w.boot()
        yield w


def told(made: World) -> list[str]:
    """What the kernel prints, without addresses of places."""
    out = []
    for report in made.kernel.reports:
        if report.printed and report.kind != "hang":
            out.append(report.headline)
    return out


def held(made: World, symbol: str) -> None:
    """A task on CPU2 takes the lock and keeps it for 300 ms."""
    m = made.kernel.m
    made.sim.spawn("holder", 2, lambda: m.call(symbol), daemon=True)
    made.sim.settle()
    assert made.named("held")


MUTEX = {True: "kernel/locking/rtmutex_api.c:518", False: "kernel/locking/mutex.c:283"}
SLEEPING = "BUG: sleeping function called from invalid context at "
BAD = "bad: scheduling from the idle thread!"


def test_a_contended_lock_of_a_cpu_that_comes_up_loses_it() -> None:
    with booted(rt=True) as w:
        w.call("spinc", 0, 0)
        cpu_down(w.sim, 1)
        held(w, "hold_spin")
        assert cpu_up(w.sim, 1) == -5
        assert told(w)[:3] == [
            f"{SLEEPING}kernel/locking/spinlock_rt.c:48",
            "BUG: scheduling while atomic: swapper/1/0/0x00000002",
            BAD,
        ]
        assert "CPU1: failed to come online" in w.kernel.log
        assert not w.named("in")
        assert not w.kernel.cpus[1].online


def test_a_contended_spinlock_without_preempt_rt_spins() -> None:
    with booted(rt=False) as w:
        w.call("spinc", 0, 0)
        cpu_down(w.sim, 1)
        held(w, "hold_spin")
        assert cpu_up(w.sim, 1) == 0
        assert told(w) == []
        assert w.kernel.now >= 300_000


@both
def test_a_contended_mutex_at_registration_comes_back(rt: bool) -> None:
    with booted(rt) as w:
        held(w, "hold_mutex")
        assert w.call("mutexc", 0, 1) == 0
        assert told(w)[0] == SLEEPING + MUTEX[rt]
        assert not any("scheduling" in line for line in told(w))
        first = w.named("in")[0]
        assert (first.comm, first.count) == ("cpuhp/0", 0)
        assert first.irqs_off != rt  # without PREEMPT_RT it spins while the owner runs


@both
def test_the_read_lock_of_hotplug_in_starting(rt: bool) -> None:
    with booted(rt) as w:
        w.call("cpusread", 0, 0)
        cpu_down(w.sim, 1)
        assert cpu_up(w.sim, 1) == -5
        assert told(w)[:3] == [
            f"{SLEEPING}include/linux/percpu-rwsem.h:49",
            "BUG: scheduling while atomic: swapper/1/0/0x00000002",
            BAD,
        ]


@both
def test_waiting_with_a_timeout_in_starting(rt: bool) -> None:
    with booted(rt) as w:
        w.call("wfctmo", 0, 0)
        cpu_down(w.sim, 1)
        assert cpu_up(w.sim, 1) == 0
        assert told(w)[:3] == [
            f"{SLEEPING}kernel/sched/completion.c:111",
            "BUG: scheduling while atomic: swapper/1/0/0x00000002",
            BAD,
        ]
        assert len(w.named("in")) == 1


@both
def test_a_dying_callback_that_blocks_ends_the_kernel(rt: bool) -> None:
    with booted(rt) as w:
        w.call("dying")
        with pytest.raises(Crashed, match=r"kernel/cpu\.c:1364"):
            cpu_down(w.sim, 1)
        assert told(w)[:2] == [
            f"{SLEEPING}include/linux/percpu-rwsem.h:49",
            "BUG: scheduling while atomic: migration/1/23/0x00000002",
        ]
        crash = w.kernel.reports[-1]
        assert crash.trace == (
            "cpuhp_report_idle_dead", "do_idle", "cpu_startup_entry",
            "secondary_start_kernel", "__secondary_switched",
        )  # fmt: skip


@both
def test_the_read_lock_of_hotplug_in_other_sections(rt: bool) -> None:
    with booted(rt) as w:
        assert w.call("cpusread", 1, 1) > 0  # the task in control holds it for reading
        assert len(w.named("in")) == 4
        cpu_down(w.sim, 1)
        with pytest.raises(Hang, match="cpuhp/1"):
            cpu_up(w.sim, 1)
    with booted(rt) as w:
        w.call("prepare")
        cpu_down(w.sim, 1)
        with pytest.raises(Hang, match="which waits for it itself"):
            cpu_up(w.sim, 1)


@both
def test_hotplug_with_interrupts_off_works_all_the_same(rt: bool) -> None:
    with booted(rt) as w:
        assert w.call("irqsoff_remcpu") == 0
        assert told(w) == [SLEEPING + MUTEX[rt]]
        assert not w.kernel.cpus[1].online
    with booted(rt) as w:
        w.call("irqsoff_shutnb")
        assert told(w) == [SLEEPING + MUTEX[rt]]
        assert sum(c.online for c in w.kernel.cpus) == 1


@both
def test_hotplug_with_preemption_off(rt: bool) -> None:
    with booted(rt) as w:
        w.call("preempt_remcpu")
        sleeping, scheduling = told(w)[:2]
        assert sleeping == SLEEPING + MUTEX[rt]
        assert scheduling.startswith("BUG: scheduling while atomic: init/")
        assert scheduling.endswith("/0x00000002")
        bug = next(r for r in w.kernel.reports if r.headline == scheduling)
        assert " < ".join(bug.trace).endswith(
            "__schedule < schedule < schedule_timeout < __wait_for_common"
            " < wait_for_completion < __flush_work < work_on_cpu_key < cpu_down_maps_locked"
            " < cpu_device_down < cpu_subsys_offline < device_offline < remove_cpu"
            " < preempt_remcpu"
        )


@both
def test_a_reader_that_takes_a_cpu_down_waits_for_itself(rt: bool) -> None:
    with booted(rt) as w:
        with pytest.raises(Hang, match="a grace period") as caught:
            w.call("rcu_remcpu")
        assert "init/" in str(caught.value)
        assert told(w)[0] == SLEEPING + MUTEX[rt]
        places = [r.facts.get("place") for r in w.kernel.reports if r.kind == "warn"]
        assert "kernel/rcu/tree_plugin.h:331" in places
