# SPDX-License-Identifier: GPL-2.0-or-later
"""An arm64 machine whose firmware delivers events (SDEI) to the kernel.

``hardware`` of a scenario's setup: ``found`` (``"dt"``, ``"acpi"``, ``"none"``, or
``"later"``: as a module, when a step calls its function),
``conduit`` (``"smc"``, ``"hvc"``), ``vhe`` (False: the kernel was entered at EL2 and
dropped to EL1), ``refuse`` (answers of calls by name, from then on) and ``events``
(:class:`.devices.sdei.Event`; without it :data:`EVENTS`).

Functions that a variant may have: ``init`` (an initcall), ``acpi`` (called where the
tables of ACPI are read). The firmware lives on over kexec.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from ctxlint.base.errors import UsageError
from ctxlint.scenarios.devices import sdei
from ctxlint.scenarios.devices.sdei import Event, Firmware, Slot
from ctxlint.scenarios.world import Generation, Platform, World, platform
from ctxlint.simulator.machine import Machine, primitive
from ctxlint.simulator.outcome import Crashed
from ctxlint.simulator.runtime.assembly import Registers
from ctxlint.simulator.runtime.boot import Boot
from ctxlint.simulator.runtime.checks import report
from ctxlint.simulator.runtime.smccc import Conduits
from ctxlint.simulator.runtime.state import Kernel, kernel_of
from ctxlint.simulator.runtime.tasks import Interrupt

EVENTS = (
    Event(number=0, signal=True),
    Event(number=8),
    Event(number=9, critical=True),
    Event(number=2000, shared=True),
    Event(number=2001, shared=True, critical=True),
)
_EL1_VECTORS, _TEXT = 0xFFFF_8000_1008_0800, 0xFFFF_8000_1001_0000
_EL0_64, _EL0_32, _EL1, _EL2, _IRQS_OFF = 0x0, 0x10, 0x5, 0x9, 0x80
_AT_EL1, _AT_EL2 = 0x4, 0x8
_RESUMES = {0x280: "kernel", 0x480: "el0-64", 0x680: "el0-32"}


class Hardware(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """See the module."""

    found: str = "dt"
    conduit: str = "smc"
    vhe: bool = True
    refuse: dict[str, int] = {}
    events: list[dict[str, Any]] = []


@platform("sdei")
class SdeiMachine(Platform):
    """See the module."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        try:
            self.hardware = msgspec.convert(world.setup.hardware, Hardware)
        except msgspec.ValidationError as error:
            raise UsageError(f"hardware: {error}") from error
        events = tuple(Event(**one) for one in self.hardware.events) or EVENTS
        self.firmware = Firmware(world.setup.cpus, events)
        self.firmware.refuse.update(self.hardware.refuse)
        self.firmware.deliver = self._deliver
        self.interrupted: dict[int, int] = {}
        """What the next event interrupts, by CPU: a mode of the processor."""
        self.asleep: set[int] = set()
        """CPUs between going idle and coming back: no memory map that works."""
        self.found: list[dict[str, Any]] = []
        """What each kernel found in the firmware when it was started."""
        self.stacks: dict[int, list[int]] = {}
        self.while_idle: list[Callable[[int], object]] = []
        """What happens while a CPU is idle."""

    def prepare(self, generation: Generation) -> None:
        world, kernel, h = self.world, generation.kernel, self.hardware
        kernel.part(_Where).world = world
        firmware = self.firmware
        for slot in self._slots():
            slot.pending = slot.pending and slot.registered
        firmware.kernel = generation.number
        self.found.append(
            {
                "registered": [e for e, on in firmware.registered().items() if any(on)],
                "masked": all(pe.masked for pe in firmware.pes),
                "active": sum(len(pe.active) for pe in firmware.pes),
            }
        )
        numbers = range(sdei.BASE, sdei.BASE + sdei.CALLS)
        conduits = kernel.part(Conduits)
        conduits.stack = self._stack
        conduits.answer[h.conduit].append(
            (numbers, lambda cpu, number, args: firmware.call(self._pe(cpu), number, args))
        )
        registers = kernel.part(Registers)
        level = _AT_EL2 if h.vhe else _AT_EL1
        registers.reads["CurrentEL"] = lambda kernel: level
        registers.reads["vbar_el1"] = lambda kernel: _EL1_VECTORS
        registers.reads["elr_el1"] = _exceptions
        for pe in range(world.setup.cpus):
            if generation.number > 1 and pe != generation.cpus[0]:
                firmware.power(pe, False)
        boot = kernel.part(Boot)
        boot.at("setup arch", lambda: self._machine(generation))
        boot.at("idle", self._idle)
        init, acpi = world.entry("init"), world.entry("acpi")
        if h.found in ("none", "later"):
            return
        if init is not None:
            boot.initcall("arch", init)
        if acpi is not None and h.found == "acpi":
            boot.initcall("subsys", acpi)

    def _machine(self, generation: Generation) -> None:
        h, m, sim, firmware = self.hardware, generation.kernel.m, generation.sim, self.firmware
        sim.on_start.append(lambda cpu: firmware.power(self._pe(cpu), True))
        sim.on_stop.append(lambda cpu: firmware.power(self._pe(cpu), False))
        method = m.image.string_at(h.conduit.encode())
        m.call("model_sdei_machine", method, int(h.found == "acpi"), int(h.conduit == "hvc"), 0)
        if h.found == "acpi":
            m.s4(m.address_of("acpi_disabled"), 0)

    def _pe(self, cpu: int) -> int:
        return self.world.now.cpus[cpu]

    def _slots(self) -> list[Slot]:
        firmware = self.firmware
        return [
            *firmware.shared.values(),
            *(s for own in firmware.private for s in own.values()),
        ]

    # delivery

    def _deliver(self, pe: int, event: Event, slot: Slot) -> None:
        generation = self.world.now
        if pe not in generation.cpus:
            return
        cpu = generation.cpus.index(pe)
        generation.sim.irq.post(
            cpu,
            Interrupt(
                f"event {event.number}",
                lambda: self._handle(pe, event, slot),
                level=event.level,
                open=lambda: slot.pending and self.firmware.can_take(pe, event, slot),
            ),
        )

    def _handle(self, pe: int, event: Event, slot: Slot) -> None:
        if not self.firmware.take(pe, event, slot):
            return
        kernel = self.world.kernel
        cpu = kernel.cpu.number
        why = ""
        if slot.kernel != self.world.now.number:
            why = "the address of another kernel"
        elif pe in self.asleep:
            why = "an address that is not mapped while the CPU goes idle"
        if why:
            report(
                kernel, "corruption",
                f"firmware enters event {event.number} on CPU{cpu} at {why}",
                suppressed="nothing of this kernel runs", event=event.number,
            )  # fmt: skip
            raise Crashed(f"event {event.number} on CPU{cpu}: firmware jumps to {why}")
        kernel_mode = _EL2 if self.hardware.vhe else _EL1
        before = self.world.sim.irq.were_off
        mode = self.interrupted.pop(pe, kernel_mode | (_IRQS_OFF if before else 0))
        stacks = self.stacks.setdefault(pe, [])
        depth = len(stacks)
        entry = kernel.m.image.function_at(slot.entry)
        if entry is None:
            raise Crashed(f"event {event.number}: no function is at {slot.entry:#x}")
        kernel.m.call(entry, event.number, slot.argument, _TEXT, mode)
        del stacks[depth:]

    def _stack(self, cpu: int, base: int) -> None:
        pe = self._pe(cpu)
        stacks = self.stacks.setdefault(pe, [])
        depth = len(self.firmware.pes[pe].active)
        del stacks[max(depth - 1, 0) :]
        if base in stacks:
            report(
                self.world.kernel, "corruption",
                f"the handler on CPU{cpu} runs on the stack of the one it interrupted",
                suppressed="nothing checks it",
            )  # fmt: skip
        stacks.append(base)

    def _idle(self) -> None:
        """A CPU is idle: what a scenario lets happen there."""
        pe = self._pe(self.world.kernel.cpu.number)
        self.asleep.add(pe)
        for happens in self.while_idle:
            happens(pe)
        self.world.sim.point("idle")
        self.asleep.discard(pe)

    # what is known

    def finish(self) -> None:
        """PEs that are online should not differ in what they take."""
        generation, firmware = self.world.now, self.firmware
        here = [
            pe for cpu, pe in enumerate(generation.cpus) if generation.kernel.cpus[cpu].online
        ]
        masked = [pe for pe in here if firmware.pes[pe].masked]
        if masked and len(masked) < len(here):
            self._differ("the PE takes no event", masked, here)
        for number, on in firmware.registered().items():
            if firmware.events[number].shared:
                continue
            without = [pe for pe in here if not on[pe]]
            if without and len(without) < len(here):
                self._differ(f"event {number} is not registered", without, here)

    def _differ(self, what: str, some: list[int], here: list[int]) -> None:
        names = ", ".join(map(str, some))
        others = ", ".join(str(pe) for pe in here if pe not in some)
        report(
            self.world.kernel, "lost-state", f"{what}: on PE {names}, unlike PE {others}",
            suppressed="nothing checks it",
        )  # fmt: skip

    def facts(self) -> dict[str, Any]:
        firmware = self.firmware
        number = self.world.now.number
        return {
            "registered": {k: [int(x) for x in v] for k, v in firmware.registered().items()},
            "enabled": {k: [int(x) for x in v] for k, v in firmware.enabled().items()},
            "masked": [int(pe.masked) for pe in firmware.pes],
            "unmasks": [
                sum(at == pe and name == "pe-unmask" for at, name, *_ in firmware.calls)
                for pe in range(len(firmware.pes))
            ],
            "active": [len(pe.active) for pe in firmware.pes],
            "taken": [[pe, event] for pe, event, _ in firmware.taken],
            "failed": sum(done.failed for done in firmware.done),
            "resumed": [_resumed(done.resume) for done in firmware.done],
            "lost": [list(one) for one in firmware.lost],
            "denied": sum(answer == sdei.DENIED for *_, answer in firmware.calls),
            "found": self.found[number - 1] if self.found else {},
            "online": [int(cpu.online) for cpu in self.world.kernel.cpus],
            "taint": "".join(sorted(self.world.kernel.taint)),
        }

    def text(self) -> list[str]:
        h, setup = self.hardware, self.world.setup
        where = {
            "dt": "a node of the device tree", "acpi": "a table of ACPI", "none": "nothing",
            "later": "a node of the device tree",
        }  # fmt: skip
        return [
            f"{setup.arch}, {'PREEMPT_RT' if setup.rt else 'PREEMPT'}, {setup.cpus} CPUs",
            f"SDEI firmware by {h.conduit}, {where[h.found]} says so; "
            f"the kernel runs at {'EL2 (VHE)' if h.vhe else 'EL1, entered at EL2'}",
        ]


def _exceptions(kernel: Kernel) -> int:
    """ELR_EL1: an exception changes it, and a warning is one."""
    cpu = kernel.cpu.number
    return _TEXT + 4 * sum(r.kind == "warn" and r.cpu == cpu for r in kernel.reports)


def _resumed(address: int) -> str:
    """Where the interrupted code goes on."""
    if not address:
        return "back"
    return _RESUMES.get(address - _EL1_VECTORS, f"{address:#x}")


def machine_of(world: World) -> SdeiMachine:
    """The platform; raises UsageError when it is another one."""
    if not isinstance(world.platform, SdeiMachine):
        raise UsageError("this step needs a machine with SDEI firmware")
    return world.platform


@primitive
def model_happens(m: Machine, number: int) -> None:
    """``void model_happens(u32 event)``: an event happens on this CPU, now."""
    world = kernel_of(m).part(_Where).world
    machine = machine_of(world)
    pe = machine.world.now.cpus[world.kernel.cpu.number]
    machine.firmware.happen(int(number), pe)
    world.sim.irq.take()


class _Where:
    """The world that a kernel is in."""

    def __init__(self, kernel: Kernel) -> None:
        self.world: World


__all__ = ["EVENTS", "Hardware", "SdeiMachine", "machine_of"]
