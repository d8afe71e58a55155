# SPDX-License-Identifier: GPL-2.0-or-later
"""CPU hotplug of the model with the states and the callbacks of a real kernel."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctxlint.frontend import lower_unit
from ctxlint.simulator.code import Code
from ctxlint.simulator.image import Image, find_member, link
from ctxlint.simulator.machine import Machine
from ctxlint.simulator.runtime import library
from ctxlint.simulator.runtime.assembly import AssemblyByRule
from ctxlint.simulator.runtime.boot import boot, cpu_down, cpu_up
from ctxlint.simulator.runtime.cpuhp import Hotplug
from ctxlint.simulator.runtime.state import Config, Kernel

from .scratch import Bench

ITS = "drivers/irqchip/irq-gic-v3-its.c"


@pytest.mark.slow
def test_the_driver_s_own_online_callback(bench: Bench) -> None:
    done = bench.commands("arm64", "defconfig", True, [ITS])
    units = [
        lower_unit(
            tree=bench.tree.path,
            file=command.file,
            arguments=tuple(command.arguments),
            directory=Path(command.directory),
        )
        for command in done.commands
    ]
    image = link(units, ())
    config = Config(rt=True)
    library.add_models(image, config)
    kernel = Kernel(Machine(Code(image), AssemblyByRule()), config)
    m = kernel.m
    m.call(library.BOOT)
    sim = boot(kernel)
    hotplug = kernel.part(Hotplug)
    assert {cpu.state for cpu in hotplug.cpus} == {image.enums["CPUHP_ONLINE"]}

    def prepare() -> int:
        """Redistributors without pending tables, and the callback of the driver."""
        state = image.enums["CPUHP_AP_ONLINE_DYN"]
        record = image.records["struct rdists"]
        rdists = m.call("__kmalloc_noprof", record.size, 0xDC0)
        m.store(m.address_of(f"{ITS}::gic_rdists"), 8, rdists)
        cells = m.call("pcpu_alloc_noprof", 256, 8, 0, 0xDC0)
        m.store(rdists + member(image, "rdist"), 8, cells)
        m.store(rdists + member(image, "cpuhp_memreserve_state"), 4, state)
        name = image.string_at(b"irqchip/arm/gicv3/memreserve:online")
        callback = image.text_of(f"{ITS}::its_cpu_memreserve_lpi")
        return int(m.call("__cpuhp_setup_state", state, name, 0, callback, 0, 0))

    state = sim.run(sim.spawn("init", 0, prepare))
    assert state == image.enums["CPUHP_AP_ONLINE_DYN"]
    assert cpu_down(sim, 1) == 0
    assert cpu_up(sim, 1) == -12
    assert (1, state, True) in hotplug.history
    assert not kernel.cpus[1].online
    (warning,) = (report for report in kernel.reports if report.kind == "warn")
    assert warning.trace == (
        "its_cpu_memreserve_lpi", "cpuhp_invoke_callback", "cpuhp_thread_fun",
        "smpboot_thread_fn", "kthread", "ret_from_fork",
    )  # fmt: skip
    assert warning.task == "cpuhp/1"
    # Every CPU has booted once: the driver's work takes its callback away.
    sim.settle()
    assert state not in hotplug.steps
    sim.close()


def member(image: Image, name: str) -> int:
    found = find_member(image, image.records["struct rdists"], name)
    assert found is not None
    return found[0] // 8
