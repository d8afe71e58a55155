# SPDX-License-Identifier: GPL-2.0-or-later
"""An x86 machine whose firmware keeps the processors and listens at a mailbox.

``hardware`` of a scenario's setup: ``version``, ``delay``, ``park``, ``wakes``, ``tests``
(:class:`.devices.mailbox.Parameters`). A variant's function ``parse`` is called with the
entry of the MADT and the address behind it, while the architecture is set up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from ctxlint.base.errors import UsageError
from ctxlint.scenarios.devices.mailbox import TABLE, Mailbox, Parameters
from ctxlint.scenarios.world import Generation, Platform, World, platform, verb
from ctxlint.simulator.memory import PAGE
from ctxlint.simulator.outcome import Hang
from ctxlint.simulator.runtime.boot import Boot
from ctxlint.simulator.runtime.cpuhp import bring_up
from ctxlint.simulator.runtime.firmware import Firmware
from ctxlint.simulator.runtime.hangs import report_hang
from ctxlint.simulator.runtime.physical import Physical
from ctxlint.simulator.runtime.state import HARDIRQ, NMI
from ctxlint.simulator.runtime.tasks import Interrupt

RAM, RAM_SIZE = 0x10_0000, 0x6FF0_0000
IMAGE = 0x100_0000, 0x80_0000
_CRASH = "model_entry_crash"
_NMI = "model_entry_nmi"
_BUILDERS = ("memblock_alloc", "alloc_pgt_page")
"""Who asks for pages while page tables are built."""


class Hardware(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """See :class:`Parameters`."""

    version: int = 1
    delay: int = 2
    park: int = 5
    wakes: bool = True
    tests: bool = True


@platform("mailbox")
class MailboxMachine(Platform):
    """See the module."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        try:
            h = msgspec.convert(world.setup.hardware, Hardware)
        except msgspec.ValidationError as error:
            raise UsageError(f"hardware: {error}") from error
        self.hardware = h
        self.mailbox = Mailbox(
            Parameters(
                cpus=world.setup.cpus, version=h.version, delay=h.delay, park=h.park,
                wakes=h.wakes, tests=h.tests,
            )
        )  # fmt: skip

    def first_image(self) -> tuple[int, int]:
        return IMAGE

    def prepare(self, generation: Generation) -> None:
        kernel, m = generation.kernel, generation.kernel.m
        physical = kernel.part(Physical)
        physical.ram = ((RAM, RAM_SIZE),)
        physical.begin_at((RAM + RAM_SIZE // 2) // PAGE)
        ids = kernel.part(Firmware).apic_ids = list(generation.cpus)
        for cpu, apic_id in enumerate(ids):
            m.s4(m.percpu("x86_cpu_to_apicid", cpu), apic_id)
        box = self.mailbox
        box.attach(kernel, lambda apic_id: bring_up(kernel, ids.index(apic_id)))
        parse = self.world.entry("parse")
        if parse is not None:
            kernel.part(Boot).at("setup arch", lambda: self._parse(generation, parse))

    def _parse(self, generation: Generation, parse: str) -> None:
        kernel = generation.kernel
        entry = kernel.part(Physical).map(TABLE, self.mailbox.length, "the MADT")
        kernel.m.call(parse, entry, entry + self.mailbox.length)

    def facts(self) -> dict[str, Any]:
        kernel, box = self.world.kernel, self.mailbox
        blocks = {
            block.pfn
            for block in kernel.part(Physical).blocks.values()
            if block.owner.startswith(_BUILDERS) and not block.freed
        }
        return {
            "where": [str(where) for where in box.where],
            "command": box.command,
            "commands": [["", "wakeup", "test"][command] for command, _ in box.commands],
            "table-has-mailbox": bool(box.table.read(8, 8)),
            "online": [cpu.online for cpu in kernel.cpus],
            "irqs-off": [cpu.irqs_off for cpu in kernel.cpus],
            "saved": sorted(kernel.part(Firmware).saved),
            "kernels": len(self.world.generations),
            "page-tables": len(blocks),
            "milliseconds": kernel.now // 1000,
        }

    def text(self) -> list[str]:
        h, setup = self.hardware, self.world.setup
        silent = [
            f"{name} is never acknowledged"
            for name, answers in (("wakeup", h.wakes), ("test", h.tests))
            if not answers
        ]
        return [
            f"{setup.arch}, {'PREEMPT_RT' if setup.rt else 'PREEMPT'}, {setup.cpus} CPUs",
            ", ".join([f"multiprocessor wakeup structure version {h.version}", *silent]),
        ]


@verb
def hang(world: World, cpu: int) -> None:
    """``hang: 3``: a task of that CPU loops with interrupts off."""
    sim = world.sim

    def body() -> None:
        sim.kernel.cpu.irqs_off = True
        sim.kernel.task.preempt_count += 1
        sim.spin(lambda: False, "nothing, with interrupts off")

    sim.spawn("stuck", int(cpu), body)
    sim.settle()


@verb
def ignore_nmi(world: World, what: dict[str, Any]) -> None:
    """``ignore-nmi: {cpu: 2}``: it takes no NMI, or, with ``after: 1500``, none before so
    many milliseconds."""
    blind, cpu = world.sim.irq.blind, int(what["cpu"])
    blind.add(cpu)
    if "after" in what:
        world.sim.at(
            1000 * int(what["after"]), lambda: blind.discard(cpu), f"CPU{cpu} takes NMIs"
        )


def _in_nmi(world: World, cpu: int, run: Callable[[], object]) -> None:
    irq = world.sim.irq
    irq.post(cpu, Interrupt("nmi", irq.plain(run, NMI + HARDIRQ), level=1))


@verb
def nmi(world: World, what: dict[str, Any]) -> None:
    """``nmi: {cpu: 0, after: 3}``: the watchdog's NMI, in so many milliseconds."""
    cpu, m = int(what["cpu"]), world.m
    world.sim.at(
        1000 * int(what.get("after", 0)),
        lambda: _in_nmi(world, cpu, lambda: m.call(_NMI)),
        f"the watchdog of CPU{cpu}",
    )


@verb
def crash_in_nmi(world: World, cpu: int) -> None:
    """``crash-in-nmi: 1``: a handler on that CPU finds that nothing can go on; a crash
    kernel is loaded."""
    m, sim = world.m, world.sim
    _in_nmi(world, int(cpu), lambda: m.call(_CRASH, 1))
    sim.pass_time(10_000_000)
    report_hang(sim.kernel, sim.threads)
    raise Hang(f"CPU{cpu} never gets to the crash kernel")


@verb
def panic_now(world: World, cpu: int) -> None:
    """``panic-now: 0``: without a crash kernel."""
    world.ends(_CRASH, 0, cpu=int(cpu))


@verb
def ends_with(world: World, what: list[Any]) -> str:
    """``ends-with: [function, argument]``: a function after which this kernel is over."""
    name, *args = what
    return world.ends(world.symbol(name), *args)
