# SPDX-License-Identifier: GPL-2.0-or-later
"""CPU hotplug: contexts and call traces of recorded kernels, order, failure, rollback."""

from __future__ import annotations

import pytest

from ctxlint.simulator.outcome import Crashed, Hang
from ctxlint.simulator.runtime.boot import Boot, cpu_down, cpu_up
from ctxlint.simulator.runtime.cpuhp import Hotplug
from ctxlint.simulator.runtime.policy import Seeded
from tests.simulator.runtime.hotplug import Seen, World, text, world

TEXT = text("cpuhp")

STARTING = (
    "cpuhp_invoke_callback < __cpuhp_invoke_callback_range < notify_cpu_starting"
    " < secondary_start_kernel < __secondary_switched"
)
THREAD = (
    "cpuhp_invoke_callback < cpuhp_thread_fun < smpboot_thread_fn < kthread < ret_from_fork"
)
DYING = (
    "cpuhp_invoke_callback < __cpuhp_invoke_callback_range < take_cpu_down < multi_cpu_stop"
    " < cpu_stopper_thread < smpboot_thread_fn < kthread < ret_from_fork"
)
PREPARE = "cpuhp_invoke_callback < __cpuhp_invoke_callback_range < _cpu_up < cpu_up"
DEAD = (
    "cpuhp_invoke_callback < __cpuhp_invoke_callback_range < _cpu_down"
    " < __cpu_down_maps_locked < work_for_cpu_fn < process_one_work < worker_thread"
    " < kthread < ret_from_fork"
)

both = pytest.mark.parametrize("rt", [True, False])


def only(seen: list[Seen]) -> Seen:
    assert len(seen) == 1
    return seen[0]


def booted(made: World) -> World:
    made.boot()
    return made


# contexts (what the recorded kernels print for each way of calling)


@both
def test_first_boot(rt: bool) -> None:
    with world(TEXT, rt=rt) as w:
        w.initcall("early", "starting")
        w.boot()
        assert [seen.cpu for seen in w.seen] == [1, 2, 3]
        for seen in w.seen:
            assert seen.word() == (f"swapper/{seen.cpu}", 1, True)
            assert seen.pid == 0
            assert seen.outer("up") == STARTING


@both
def test_registration_before_the_hotplug_threads_exist(rt: bool) -> None:
    with world(TEXT, rt=rt) as w:
        w.initcall("early", "starting_calls")
        w.boot()
        first = w.seen[0]
        assert (first.cpu, first.word(), first.pid) == (0, ("swapper/0", 0, False), 1)
        assert "__cpuhp_setup_state_cpuslocked" in first.trace
        assert [seen.word() for seen in w.seen[1:]] == [
            (f"swapper/{n}", 1, True) for n in (1, 2, 3)
        ]


@both
def test_starting_on_a_cpu_that_comes_up_again(rt: bool) -> None:
    with world(TEXT, rt=rt) as w:
        booted(w).call("starting")
        assert w.seen == []
        assert cpu_down(w.sim, 1) == 0
        assert cpu_up(w.sim, 1) == 0
        down, up = w.seen
        assert down.word() == ("migration/1", 1, True)
        assert down.outer("down") == DYING
        assert up.word() == ("swapper/1", 1, True)
        assert up.outer("up") == STARTING


@both
def test_starting_called_at_registration_and_at_removal(rt: bool) -> None:
    with world(TEXT, rt=rt) as w:
        booted(w).call("starting_calls")
        w.call("unreg", w.kernel.m.image.enums["CPUHP_T_STARTING"], 1)
        assert [seen.cpu for seen in w.seen] == [0, 1, 2, 3, 0, 1, 2, 3]
        for seen in w.seen:
            assert seen.on == seen.cpu
            assert seen.word() == (f"cpuhp/{seen.cpu}", 0, True)
            assert seen.outer(seen.name) == THREAD


@both
def test_online_at_registration_and_on_the_way_up_and_down(rt: bool) -> None:
    with world(TEXT, rt=rt) as w:
        state = booted(w).call("online")
        enums = w.kernel.m.image.enums
        assert state == enums["CPUHP_AP_ONLINE_DYN"]
        cpu_down(w.sim, 2)
        cpu_up(w.sim, 2)
        names = [(seen.name, seen.cpu) for seen in w.seen]
        assert names == [("up", n) for n in range(4)] + [("down", 2), ("up", 2)]
        for seen in w.seen:
            assert seen.word() == (f"cpuhp/{seen.cpu}", 0, False)
            assert seen.outer(seen.name) == THREAD


@both
def test_prepare_runs_in_the_task_in_control(rt: bool) -> None:
    with world(TEXT, rt=rt) as w:
        booted(w).call("prepare")
        cpu_down(w.sim, 1)
        cpu_up(w.sim, 1, on=3)
        dead, prepare = w.seen
        assert dead.word() == ("kworker/0:0", 0, False)
        assert dead.outer("down") == DEAD
        assert prepare.word() == ("init", 0, False)
        assert prepare.on == 3
        assert prepare.outer("up").startswith(PREPARE)


def test_boot_cpu_at_its_interrupt_controller() -> None:
    with world(TEXT) as w:
        m = w.kernel.m
        w.at("init irq", lambda: m.call("up", 0))
        w.boot()
        seen = only(w.seen)
        assert seen.word() == ("swapper/0", 1, True)
        assert seen.outer("up") == "start_kernel < __primary_switched"


@pytest.mark.slow
def test_x86_frames() -> None:
    with world(TEXT, arch="x86_64") as w:
        w.initcall("early", "starting")
        w.boot()
        assert w.seen[0].outer("up") == (
            "cpuhp_invoke_callback < __cpuhp_invoke_callback_range < notify_cpu_starting"
            " < ap_starting < start_secondary < common_startup_64"
        )


def test_any_schedule_gives_the_same_contexts() -> None:
    expected: list[tuple[str, int, bool]] = []
    for seed in range(8):
        with world(TEXT) as w:
            w.initcall("early", "starting")
            w.boot(Seeded(seed=seed, every=2))
            w.call("online")
            cpu_down(w.sim, 1)
            cpu_up(w.sim, 1)
            words = [seen.word() for seen in w.seen]
            expected = expected or words
            assert words == expected


# order and failure


def names(made: World) -> list[str]:
    return [f"{seen.name} {seen.cpu}" for seen in made.seen]


def test_states_run_in_order_and_backwards() -> None:
    with world(TEXT) as w:
        booted(w)
        for symbol in ("prepare2", "starting", "last"):
            w.call(symbol)
        cpu_down(w.sim, 1)
        cpu_up(w.sim, 1)
        assert names(w) == [
            "later down 1", "down 1", "down2 1", "up2 1", "up 1", "later up 1",
        ]  # fmt: skip
        place = w.kernel.part(Hotplug).cpus[1]
        assert place.state == w.call("online_state")
        assert w.kernel.cpus[1].online


def test_an_error_of_starting_is_told_and_forgotten() -> None:
    with world(TEXT) as w:
        booted(w).call("starting")
        cpu_down(w.sim, 1)
        w.probes.answers["up", 1] = [-5]
        assert cpu_up(w.sim, 1) == 0
        state = w.call("starting_state")
        assert f"CPU 1 UP state t:one ({state}) failed (-5)" in w.kernel.log


def test_an_error_of_prepare_undoes_what_was_done() -> None:
    with world(TEXT) as w:
        booted(w).call("prepare")
        w.call("prepare2")
        cpu_down(w.sim, 1)
        w.seen.clear()
        w.probes.answers["up2", 1] = [-12]
        assert cpu_up(w.sim, 1) == -12
        assert names(w) == ["up 1", "up2 1", "down 1"]
        assert w.kernel.part(Hotplug).cpus[1].state == w.call("offline_state")
        assert not w.kernel.cpus[1].online


def test_an_error_of_online_takes_the_cpu_all_the_way_down() -> None:
    with world(TEXT) as w:
        booted(w).call("starting")
        w.call("prepare2")
        cpu_down(w.sim, 1)
        w.call("last")
        w.seen.clear()
        w.probes.answers["later up", 1] = [-11]
        assert cpu_up(w.sim, 1) == -11
        assert names(w) == ["up2 1", "up 1", "later up 1", "down 1", "down2 1"]
        assert not w.kernel.cpus[1].online
        assert cpu_up(w.sim, 1) == 0


def test_injected_failure_happens_once() -> None:
    with world(TEXT) as w:
        state = booted(w).call("online")
        cpu_down(w.sim, 1)
        w.seen.clear()
        w.kernel.part(Hotplug).fail(1, state)
        assert cpu_up(w.sim, 1) == -11
        assert names(w) == []
        assert cpu_up(w.sim, 1) == 0
        assert names(w) == ["up 1"]


def test_an_error_on_the_way_down_brings_the_cpu_back() -> None:
    with world(TEXT) as w:
        booted(w).call("online")
        w.call("last")
        w.seen.clear()
        w.probes.answers["down", 1] = [-16]
        assert cpu_down(w.sim, 1) == -16
        assert names(w) == ["later down 1", "down 1", "later up 1"]
        assert w.kernel.cpus[1].online
        assert w.kernel.part(Hotplug).cpus[1].state == w.call("online_state")


def test_a_cpu_may_refuse_to_go() -> None:
    with world(TEXT) as w:
        booted(w).call("online")
        w.seen.clear()
        w.kernel.part(Hotplug).cpus[1].refuse = -95
        assert cpu_down(w.sim, 1) == -95
        assert names(w) == ["down 1", "up 1"]
        assert w.kernel.cpus[1].online


def test_failure_at_registration_undoes_the_lower_cpus() -> None:
    with world(TEXT) as w:
        booted(w)
        w.probes.answers["up", 2] = [-22]
        assert w.call("online") == -22
        assert names(w) == ["up 0", "up 1", "up 2", "down 0", "down 1"]
        assert w.call("online2") > 0  # the slot is free again


def test_a_teardown_that_fails_at_removal_is_the_end() -> None:
    with world(TEXT) as w:
        state = booted(w).call("online")
        w.probes.answers["down", 1] = [-22]
        with pytest.raises(Crashed, match=r"kernel/cpu\.c:2374"):
            w.call("unreg", state, 1)


def test_registration_errors() -> None:
    with world(TEXT) as w:
        booted(w)
        assert w.call("bad") == -22
        assert w.call("unnamed") == -22
        assert w.call("starting") == 0
        assert w.call("starting") == -16
        slots = [w.call("online_nocalls") for _ in range(4)]
        first = w.kernel.m.image.enums["CPUHP_AP_ONLINE_DYN"]
        assert slots == [first, first + 1, first + 2, -28]
        with pytest.raises(Crashed, match=r"kernel/cpu\.c:2605"):
            w.call("unreg", -1, 0)


def test_removing_a_free_slot_does_nothing() -> None:
    with world(TEXT) as w:
        booted(w).call("unreg", w.kernel.m.image.enums["CPUHP_T_ONLINE"], 1)
        assert w.seen == []


def test_instances() -> None:
    with world(TEXT) as w:
        assert booted(w).call("multi") == 0
        assert w.call("add_a") == 0
        assert w.call("add_b") == 0
        assert [s.name for s in w.seen] == ["a"] * 4 + ["b"] * 4
        cpu_down(w.sim, 1)
        w.seen.clear()
        cpu_up(w.sim, 1)
        assert names(w) == ["b 1", "a 1"]  # the newest first
        cpu_down(w.sim, 1)
        w.seen.clear()
        w.probes.answers["a", 1] = [-5]
        assert cpu_up(w.sim, 1) == -5
        assert names(w) == ["b 1", "a 1", "undo 1", "b 1"]


def test_removal_inside_a_callback_is_a_deadlock() -> None:
    with world(TEXT) as w:
        booted(w).call("deadlock")
        cpu_down(w.sim, 1)
        with pytest.raises(Hang, match="is held by init") as caught:
            cpu_up(w.sim, 1)
        assert "CPU1 cpuhp/1" in str(caught.value)


def test_the_last_cpu_stays() -> None:
    with world(TEXT, cpus=1) as w:
        assert cpu_down(booted(w).sim, 0) == -16


def test_absent_and_impossible_cpus() -> None:
    with world(TEXT) as w:
        w.kernel.part(Boot).absent(3)
        booted(w)
        assert [cpu.online for cpu in w.kernel.cpus] == [True, True, True, False]
        assert cpu_up(w.sim, 3) == -22
        assert cpu_up(w.sim, 9) == -22


def test_offlining_all_but_one() -> None:
    with world(TEXT) as w:
        booted(w).call("online")
        w.seen.clear()
        w.call("smp_shutdown_nonboot_cpus", 0)
        assert names(w) == ["down 1", "down 2", "down 3"]
        assert cpu_up(w.sim, 1) == -16  # nobody may now


def test_freeze_and_thaw() -> None:
    with world(TEXT) as w:
        booted(w).call("online")
        w.seen.clear()
        assert w.call("freeze_secondary_cpus", -1) == 0
        assert names(w) == ["down 3", "down 2", "down 1"]
        assert cpu_up(w.sim, 1) == -16
        w.call("thaw_secondary_cpus")
        assert names(w)[3:] == ["up 1", "up 2", "up 3"]
        assert cpu_down(w.sim, 1) == 0
