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

from ctxlint.simulator.runtime.firmware import Firmware
from ctxlint.simulator.runtime.physical import Physical
from ctxlint.simulator.runtime.scheduler import simulation_of
from ctxlint.simulator.runtime.state import Kernel

MAILBOX, TABLE, RESET_VECTOR = 0x7FFE_0000, 0x7FFD_0000, 0x7FFC_0000
_WAKEUP, _TEST = 1, 2
_COMMAND, _APIC_ID, _VECTOR = 0, 4, 8
_KIND = 0x10


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
        self.vector = vector
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
        kernel.part(Firmware).keeper = self

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

    def loses(self, apic_id: int) -> None:
        """A processor took a fault on its way."""
        self.where[apic_id] = Where.LOST

    def settle(self) -> None:
        """The kernel that handed its processors over is gone; time has passed."""
        self.where = [
            Where.BIOS_PARKED if where == Where.PLAYING_DEAD else where for where in self.where
        ]


__all__ = ["MAILBOX", "RESET_VECTOR", "TABLE", "Mailbox", "Parameters", "Where"]
