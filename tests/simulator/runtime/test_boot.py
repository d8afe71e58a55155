# SPDX-License-Identifier: GPL-2.0-or-later
"""The start of a kernel, and of the next one on the same machine."""

from __future__ import annotations

import pytest

from ctxlint.simulator.runtime.boot import Boot, Hardware, NextKernel, boot, succeed
from ctxlint.simulator.runtime.physical import Physical
from ctxlint.simulator.runtime.state import BOOTING, RUNNING, SCHEDULING
from tests.simulator.runtime.hotplug import World, world

TEXT = """
int early(void) { probe("early", 0); return 0; }
int late(void) { probe("late", 0); return 0; }
int chip(void) { probe("chip", 0); return 0; }
void put(unsigned long address, long value) { *(long *)address = value; }
long get(unsigned long address) { return *(long *)address; }
"""
PLACE = 0x9000_0000


def test_steps_and_initcalls_in_order() -> None:
    with world(TEXT) as w:
        states: list[tuple[str, int, int]] = []
        m = w.kernel.m
        for step in ("init irq", "smp", "user"):
            w.at(step, lambda step=step: states.append((  # type: ignore[misc]
                step, w.kernel.system_state, sum(c.online for c in w.kernel.cpus)
            )))  # fmt: skip
        w.at("init irq", lambda: m.call("chip"))
        w.initcall("late", "late")
        w.initcall("early", "early")
        w.boot()
        assert states == [
            ("init irq", BOOTING, 1), ("smp", SCHEDULING, 4), ("user", RUNNING, 4),
        ]  # fmt: skip
        chip, early, late = w.seen
        assert (chip.name, chip.word(), chip.pid) == ("chip", ("swapper/0", 1, True), 0)
        assert (early.name, early.word(), early.pid) == ("early", ("swapper/0", 0, False), 1)
        assert early.outer("early") == "do_one_initcall < kernel_init < ret_from_fork"
        assert late.word() == ("swapper/0", 0, False)


def test_fewer_cpus_than_there_are() -> None:
    with world(TEXT) as w:
        m = w.kernel.m
        m.s4(m.address_of("setup_max_cpus"), 2)
        w.boot()
        assert [c.online for c in w.kernel.cpus] == [True, True, False, False]


def ended(made: World, symbol: str, *args: int) -> str:
    with pytest.raises(NextKernel) as caught:
        made.call(symbol, *args)
    return caught.value.how


def test_memory_lives_on_across_kexec() -> None:
    first, second = World(TEXT), World(TEXT)
    first.boot()
    virt = first.kernel.part(Physical).virt(PLACE)
    first.call("put", virt, 0x1234)
    first.kernel.part(Boot).hardware.parts["device"] = "state"
    assert ended(first, "kernel_kexec") == "kexec"
    succeed(first.kernel, second.kernel)
    second.sim = boot(second.kernel)
    assert second.call("get", virt) == 0x1234
    assert second.kernel.now >= first.kernel.now
    hardware = second.kernel.part(Boot).hardware
    assert hardware == Hardware({"device": "state"}, generation=2)
    assert second.kernel.taint == set()
    assert [c.online for c in second.kernel.cpus] == [True] * 4
    second.sim.close()


def test_variables_do_not() -> None:
    first, second = World(TEXT), World(TEXT)
    first.boot()
    first.kernel.m.s4(first.kernel.m.address_of("cpu_hotplug_disabled"), 7)
    assert ended(first, "model_entry_crash", 1) == "crash"
    succeed(first.kernel, second.kernel, first_page=0xB0000)
    second.sim = boot(second.kernel)
    assert second.kernel.m.l4(second.kernel.m.address_of("cpu_hotplug_disabled")) == 0
    assert not second.kernel.oops_in_progress
    second.sim.close()
