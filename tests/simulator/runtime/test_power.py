# SPDX-License-Identifier: GPL-2.0-or-later
"""Notifiers, threads of drivers, and the ways out of a running kernel."""

from __future__ import annotations

import pytest

from ctxlint.simulator.outcome import Crashed
from ctxlint.simulator.runtime.boot import NextKernel, cpu_down
from ctxlint.simulator.runtime.state import RESTART, RUNNING, SUSPEND
from tests.simulator.runtime.hotplug import World, text, world

TEXT = text("power")


def booted(made: World) -> World:
    made.boot()
    return made


def names(made: World) -> list[str]:
    return [seen.name for seen in made.seen]


@pytest.mark.parametrize("rt", [True, False])
def test_kexec(rt: bool) -> None:
    with world(TEXT, rt=rt) as w:
        booted(w).call("setup")
        with pytest.raises(NextKernel, match="kexec"):
            w.call("kernel_kexec")
        assert names(w) == ["high", "low", "device shutdown", "core shutdown", *["down"] * 3]
        assert [s.cpu for s in w.seen[4:]] == [1, 2, 3]
        assert w.kernel.system_state == RESTART
        assert [c.online for c in w.kernel.cpus] == [True, False, False, False]
        first = w.seen[0]
        assert first.word() == ("init", 0, False)
        assert first.outer("high_fn") == (
            "notifier_call_chain < blocking_notifier_call_chain < kernel_restart_prepare"
            " < kernel_kexec"
        )


def test_restart_stops_cpus_without_hotplug() -> None:
    with world(TEXT) as w:
        booted(w).call("setup")
        with pytest.raises(NextKernel, match="restart"):
            w.call("kernel_restart", 0)
        assert "down" not in names(w)
        assert sum(c.online for c in w.kernel.cpus) == 1


def test_kexec_moves_to_the_boot_cpu() -> None:
    with world(TEXT) as w:
        booted(w).call("setup")
        with pytest.raises(NextKernel):
            w.call("kernel_kexec", cpu=2)
        assert w.kernel.cpu.number == 0


def test_a_cpu_that_stays_on_ends_kexec() -> None:
    with world(TEXT) as w:
        booted(w).call("setup")
        w.kernel.m.s4(w.kernel.m.address_of("cpu_hotplug_disabled"), 1)
        with pytest.raises(Crashed, match=r"kernel/cpu\.c:1564"):
            w.call("kernel_kexec")
        assert "Failed to offline CPU1 - error=-16" in w.kernel.log


def test_crash_stops_a_cpu_with_interrupts_off() -> None:
    with world(TEXT) as w:
        sim = booted(w).sim
        m = w.kernel.m
        sim.spawn("stuck", 2, lambda: m.call("forever"), daemon=True)
        sim.pass_time(100)
        with pytest.raises(NextKernel, match="crash"):
            w.call("model_entry_crash", 1)
        assert w.kernel.oops_in_progress
        assert sum(c.online for c in w.kernel.cpus) == 1
        assert w.kernel.now >= 1_000_000  # an ordinary interrupt was tried first


def test_suspend_and_resume() -> None:
    with world(TEXT) as w:
        booted(w).call("setup")
        states: list[int] = []
        w.at("suspended", lambda: states.append(w.kernel.system_state))
        w.at("suspended", lambda: states.append(sum(c.online for c in w.kernel.cpus)))
        assert w.call("pm_suspend", 3) == 0
        assert names(w) == [
            "suspend", *["down"] * 3, "core suspend", "core resume", *["up"] * 3, "resume",
        ]  # fmt: skip
        assert states == [SUSPEND, 1]
        assert w.kernel.system_state == RUNNING
        assert all(c.online for c in w.kernel.cpus)
        core = next(s for s in w.seen if s.name == "core suspend")
        assert core.word() == ("init", 0, True)
        assert cpu_down(w.sim, 1) == 0


def test_a_device_refuses_to_suspend() -> None:
    with world(TEXT) as w:
        booted(w).call("setup")
        w.probes.answers["suspend", 0] = [-16]
        assert w.call("pm_suspend", 3) == -16
        assert names(w) == ["suspend", "resume"]


def test_hibernation() -> None:
    with world(TEXT) as w:
        booted(w).call("setup")
        assert w.call("hibernate") == 0
        assert names(w) == [
            "freeze", *["down"] * 3, "core suspend", "core resume", *["up"] * 3, "thaw",
        ]  # fmt: skip


def test_priorities_and_registration() -> None:
    with world(TEXT) as w:
        assert booted(w).call("reboot_blocks") == 0
        assert w.call("twice") == -17
        assert w.call("gone") == -2


def test_cpu_pm_notifiers_run_with_interrupts_off() -> None:
    with world(TEXT) as w:
        booted(w).call("cpu_pm_blocks")
        assert w.call("idles") == 0
        assert [(s.name, s.cpu, s.count, s.irqs_off) for s in w.seen] == [
            ("high", 0, 1, True), ("low", 0, 1, True),
            ("high", 2, 0, True), ("low", 2, 0, True),
        ]  # fmt: skip


def test_who_had_agreed_hears_of_a_refusal() -> None:
    with world(TEXT) as w:
        booted(w).call("cpu_pm_blocks")
        w.probes.answers["low", 0] = [0x8000 | 1 + 16]
        assert w.call("idles") == -16
        assert [(s.name, s.cpu) for s in w.seen] == [("high", 0), ("low", 0), ("high", 1)]


def test_threads_of_drivers() -> None:
    with world(TEXT) as w:
        assert booted(w).call("threads") >= 3
        made, thread = w.seen
        assert made.name == "made"
        assert thread.word() == ("drv-7", 0, False)
        assert thread.outer("worker") == "kthread < ret_from_fork"


def test_a_thread_that_was_never_woken() -> None:
    with world(TEXT) as w:
        assert booted(w).call("never") == -4
        assert w.seen == []
