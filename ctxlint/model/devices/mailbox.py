# SPDX-License-Identifier: GPL-2.0-or-later
"""Firmware that keeps application processors, and the mailbox it listens at.

ACPI 6.4, 5.2.12.19 (multiprocessor wakeup structure of the MADT). Each processor but
the first waits in the firmware until the operating system asks for it by its APIC id;
version 1 has an address at which a processor gives itself back. The firmware clears
the command when it has done what was asked. It outlives the kernels of its machine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from ctxlint.model.machine import Machine, primitive
from ctxlint.model.outcome import Halted
from ctxlint.model.runtime.checks import report
from ctxlint.model.runtime.physical import Physical
from ctxlint.model.runtime.scheduler import simulation_of
from ctxlint.model.runtime.state import Kernel, kernel_of

MAILBOX, TABLE, RESET_VECTOR = 0x7FFE_0000, 0x7FFD_0000, 0x7FFC_0000
_WAKEUP, _TEST = 1, 2
_COMMAND, _APIC_ID, _VECTOR = 0, 4, 8
_KIND = 0x10
_PRESENT, _LARGE = 1, 0x80
_FRAME = 0x000F_FFFF_FFFF_F000


class Where(StrEnum):
    """Who has a processor."""

    BIOS_PARKED = "BIOS_PARKED"
    KERNEL = "KERNEL"
    PLAYING_DEAD = "PLAYING_DEAD"
    """On its way into the firmware."""
    LOST = "LOST"
    """It took a fault that nobody handles."""


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """``version`` of the structure (0 or 1). ``delay`` is how long the firmware takes to
    notice a command, ``park`` to take a processor back, both in microseconds.
    ``wakes``, ``tests``: whether it ever answers those commands."""

    cpus: int
    version: int = 1
    delay: int = 2
    park: int = 5
    wakes: bool = True
    tests: bool = True


class Bytes:
    """Memory of the firmware that a kernel may read and write."""

    def __init__(self, content: bytes = b"", size: int = 4096) -> None:
        self.content = bytearray(content.ljust(size, b"\0"))

    def read(self, offset: int, size: int) -> int:
        return int.from_bytes(self.content[offset : offset + size], "little")

    def write(self, offset: int, size: int, value: int) -> None:
        self.content[offset : offset + size] = int(value).to_bytes(size, "little")


class Mailbox(Bytes):
    """See the module. ``attach()`` it to each kernel."""

    def __init__(self, parameters: Parameters) -> None:
        super().__init__()
        self.parameters = parameters
        self.where = [Where.BIOS_PARKED] * parameters.cpus
        self.where[0] = Where.KERNEL
        self.commands: list[tuple[int, int]] = []
        """Command and APIC id, in the order in which they were given."""
        length = 24 if parameters.version else 16
        words = _KIND | length << 8 | parameters.version << 16
        vector = RESET_VECTOR if parameters.version else 0
        self.table = Bytes(
            words.to_bytes(4, "little") + bytes(4) + MAILBOX.to_bytes(8, "little")
            + vector.to_bytes(8, "little")
        )  # fmt: skip
        self.length = length
        self.kernel: Kernel | None = None
        self.start: Callable[[int], None] = lambda apic_id: None
        """Starts a processor in the running kernel."""

    def attach(self, kernel: Kernel, start: Callable[[int], None]) -> None:
        """A kernel boots on the machine."""
        self.settle()
        if self.kernel is None:  # the next kernel inherits the devices
            kernel.part(Physical).devices += [
                (MAILBOX, MAILBOX + 0xFFF, self),
                (TABLE, TABLE + 0xFFF, self.table),
            ]
        self.kernel, self.start = kernel, start
        kernel.part(Firmware).mailbox = self

    @property
    def command(self) -> int:
        return self.read(_COMMAND, 2)

    def write(self, offset: int, size: int, value: int) -> None:
        super().write(offset, size, value)
        if offset == _COMMAND and self.command:
            self.commands.append((self.command, self.read(_APIC_ID, 4)))
            self._later(self.parameters.delay, self._listen, "the firmware reads its mailbox")

    def _later(self, microseconds: int, run: Callable[[], object], name: str) -> None:
        kernel = self.kernel
        assert kernel is not None

        def still() -> None:
            if self.kernel is kernel:  # the machine's time, but this kernel's clock
                run()

        simulation_of(kernel).at(microseconds, still, name)

    def _listen(self) -> None:
        """A processor that is in the firmware obeys the command that names it."""
        apic_id = self.read(_APIC_ID, 4)
        if apic_id >= len(self.where) or self.where[apic_id] != Where.BIOS_PARKED:
            return
        if self.command == _WAKEUP and self.parameters.wakes:
            self.where[apic_id] = Where.KERNEL
            super().write(_COMMAND, 2, 0)
            self.start(apic_id)
        elif self.command == _TEST and self.parameters.tests:
            super().write(_COMMAND, 2, 0)

    def enters(self, apic_id: int) -> None:
        """A processor has jumped to the reset vector."""
        self.where[apic_id] = Where.PLAYING_DEAD

        def parked() -> None:
            self.where[apic_id] = Where.BIOS_PARKED
            if self.command:
                self._listen()

        self._later(
            self.parameters.park, parked, f"the firmware has CPU with APIC id {apic_id}"
        )

    def settle(self) -> None:
        """The kernel that handed its processors over is gone; time has passed."""
        self.where = [
            Where.BIOS_PARKED if where == Where.PLAYING_DEAD else where for where in self.where
        ]


class Firmware:
    """The firmware of the machine that a kernel runs on. ``apic_ids`` are those of its
    CPUs; ``saved`` are the CPUs whose registers a crash has saved."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.mailbox: Mailbox | None = None
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
    mailbox = firmware.mailbox
    missing = next((a for a in (int(code), int(vector)) if not _maps(m, int(tables), a)), None)
    if missing is not None:
        what = "the code that runs" if missing == int(code) else "the reset vector"
        report(
            kernel, "fault", f"{what} is not in the page tables that the CPU switches to",
            suppressed="no handler can be reached", apic_id=apic_id,
        )  # fmt: skip
        if mailbox is not None:
            mailbox.where[apic_id] = Where.LOST
    elif mailbox is None or int(vector) != RESET_VECTOR:
        report(
            kernel, "fault", f"a CPU jumps to {int(vector):#x}, where no firmware is",
            suppressed="nothing checks", apic_id=apic_id,
        )  # fmt: skip
        if mailbox is not None:
            mailbox.where[apic_id] = Where.LOST
    else:
        mailbox.enters(apic_id)
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


__all__ = ["MAILBOX", "RESET_VECTOR", "TABLE", "Firmware", "Mailbox", "Parameters", "Where"]
