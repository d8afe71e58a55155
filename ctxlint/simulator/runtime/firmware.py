# SPDX-License-Identifier: GPL-2.0-or-later
"""A CPU on its way out of the kernel into firmware that keeps processors.

Source: arch/x86/kernel/acpi/madt_playdead.S. The firmware itself is a device.
"""

from __future__ import annotations

from typing import Protocol

from ctxlint.simulator.machine import Machine, primitive
from ctxlint.simulator.outcome import Halted
from ctxlint.simulator.runtime.checks import report
from ctxlint.simulator.runtime.physical import Physical
from ctxlint.simulator.runtime.scheduler import simulation_of
from ctxlint.simulator.runtime.state import Kernel, kernel_of

_PRESENT, _LARGE = 1, 0x80
_FRAME = 0x000F_FFFF_FFFF_F000


class Keeper(Protocol):
    """Firmware that takes processors back, at the address ``vector``."""

    vector: int

    def enters(self, apic_id: int) -> None: ...

    def loses(self, apic_id: int) -> None: ...


class Firmware:
    """The firmware of the machine that a kernel runs on. ``apic_ids`` are those of its
    CPUs; ``saved`` are the CPUs whose registers a crash has saved."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.keeper: Keeper | None = None
        self.apic_ids = list(range(len(kernel.cpus)))
        self.saved: list[int] = []


@primitive
def model_saved(m: Machine, cpu: int) -> None:
    """``void model_saved(int cpu)``: the registers of a CPU are kept for the dump."""
    kernel_of(m).part(Firmware).saved.append(int(cpu))


@primitive
def model_stopped_await(m: Machine) -> None:
    """``void model_stopped_await(void)``: busily wait until no other CPU is online."""
    kernel = kernel_of(m)
    simulation_of(kernel).spin(
        lambda: sum(cpu.online for cpu in kernel.cpus) == 1, "all other CPUs to stop"
    )


@primitive
def model_reset_vector(m: Machine, vector: int, tables: int, code: int) -> None:
    """``_Noreturn void model_reset_vector(u64 vector, u64 tables, void *code)``: the CPU
    switches to the page tables at a physical address while it runs ``code``, and jumps
    to the firmware's vector. What those tables do not map is a fault without a handler."""
    kernel = kernel_of(m)
    firmware = kernel.part(Firmware)
    apic_id = firmware.apic_ids[kernel.cpu.number]
    keeper = firmware.keeper
    missing = next((a for a in (int(code), int(vector)) if not _maps(m, int(tables), a)), None)
    if missing is not None:
        what = "the code that runs" if missing == int(code) else "the reset vector"
        report(
            kernel, "fault", f"{what} is not in the page tables that the CPU switches to",
            suppressed="no handler can be reached", apic_id=apic_id,
        )  # fmt: skip
        if keeper is not None:
            keeper.loses(apic_id)
    elif keeper is None or int(vector) != keeper.vector:
        report(
            kernel, "fault", f"a CPU jumps to {int(vector):#x}, where no firmware is",
            suppressed="nothing checks", apic_id=apic_id,
        )  # fmt: skip
        if keeper is not None:
            keeper.loses(apic_id)
    else:
        keeper.enters(apic_id)
    simulation_of(kernel).note(f"CPU{kernel.cpu.number} leaves for the firmware")
    raise Halted(f"CPU{kernel.cpu.number} is in the firmware")


def _maps(m: Machine, tables: int, address: int) -> bool:
    """Whether four levels of page tables have an entry for an address."""
    physical = kernel_of(m).part(Physical)
    for shift in (39, 30, 21, 12):
        if not physical.is_ram(tables):
            return False
        entry = int(m.l8(physical.virt(tables) + 8 * (address >> shift & 511)))
        if not entry & _PRESENT:
            return False
        if entry & _LARGE and shift in (30, 21):
            return True
        tables = entry & _FRAME
    return True


__all__ = ["Firmware", "Keeper"]
