# SPDX-License-Identifier: GPL-2.0-or-later
"""GICv3: redistributors with LPI tables in memory, the distributor, one ITS.

A redistributor that LPIs were once switched on for goes on writing to the pending table
that it was given then, whatever kernel runs. Sources: include/linux/irqchip/arm-gic-v3.h
for registers, IHI 0069 for what they do; what implementations may choose
(``sticky``, ``rwp``) is a parameter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ctxlint.scenarios.devices.registers import Registers
from ctxlint.simulator.memory import PAGE
from ctxlint.simulator.runtime.checks import report
from ctxlint.simulator.runtime.physical import Physical
from ctxlint.simulator.runtime.state import Kernel

DISTRIBUTOR, REDISTRIBUTORS, ITS = 0x0800_0000, 0x080A_0000, 0x0808_0000
FRAME = 0x2_0000
FIRST_LPI = 8192
TABLE = 0x1_0000
"""Bytes of a property or pending table for 16 bits of interrupt numbers."""

_CTLR, _IIDR, _TYPER, _WAKER, _PROPBASER, _PENDBASER, _PIDR2 = 0, 4, 8, 0x14, 0x70, 0x78, 0xFFE8
_ENABLE_LPIS, _CES, _RWP = 1, 2, 8
_PLPIS, _VLPIS, _LAST, _RVPEID, _PER_CLUSTER = 1, 2, 0x10, 0x80, 3 << 24
_PROP_ADDRESS, _PEND_ADDRESS = 0x000F_FFFF_FFFF_F000, 0x000F_FFFF_FFFF_0000
_VLPI_FRAME = 2 * 0x1_0000
_HARDWARE = "the hardware writes, nobody checks"


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """``version`` is ``"3"``, ``"4.0"`` or ``"4.1"``; ``sticky`` redistributors cannot
    switch LPIs off again; ``rwp`` is how many reads a write to CTLR stays pending;
    ``writes``: whether pending bits are kept in memory at all (an emulation may not);
    ``its``: whether there is one; ``cluster``: how many CPUs share the tables of virtual
    processors (0: all), by the affinity numbers of their clusters."""

    cpus: int
    version: str = "3"
    sticky: bool = True
    rwp: int = 0
    writes: bool = True
    its: bool = True
    cluster: int = 0

    def affinity(self, number: int) -> int:
        if not self.cluster:
            return number
        return number // self.cluster << 8 | number % self.cluster


@dataclass(eq=False)
class Latched:
    """The tables that a redistributor uses; of which kernel (generation)."""

    properties: int
    pending: int
    generation: int


class Redistributor(Registers):
    """One CPU's. ``number`` is the CPU's place in the machine (its affinity)."""

    def __init__(self, gic: Gic, number: int) -> None:
        super().__init__()
        self.gic = gic
        self.number = number
        self.latched: Latched | None = None
        self.delivered: list[int] = []
        """Interrupts that reached the CPU."""
        self.lost: list[int] = []
        """Those that only left a bit in the pending table."""
        self._busy = 0
        flags = _PLPIS | (_LAST if number == gic.parameters.cpus - 1 else 0)
        version = gic.parameters.version
        if version != "3":
            flags |= _VLPIS
        if version == "4.1":
            flags |= _RVPEID
        if gic.parameters.cluster:
            flags |= _PER_CLUSTER
        self.fix(_TYPER, gic.parameters.affinity(number) << 32 | number << 8 | flags)
        self.fix(_PIDR2, 0x30 if version == "3" else 0x40)
        self.fix(_IIDR, 0x43B)
        self.values[_CTLR] = _CES
        self.on_read[_CTLR] = self._ctlr
        self.on_write[_CTLR] = self._set_ctlr
        self.values[_WAKER] = 6
        self.on_write[_WAKER] = self._wake
        self.on_write[_PROPBASER] = lambda v: self._set_base(_PROPBASER, v)
        self.on_write[_PENDBASER] = lambda v: self._set_base(_PENDBASER, v)
        if version != "3":
            self.on_write[_VLPI_FRAME + 0x70] = self._set_vpropbaser

    # registers

    def _ctlr(self) -> int:
        if self._busy:
            self._busy -= 1
            return self.values[_CTLR] | _RWP
        return self.values[_CTLR]

    def _set_ctlr(self, value: int) -> None:
        on = self.latched is not None
        if value & _ENABLE_LPIS and not on:
            self._enable()
        elif not value & _ENABLE_LPIS and on:
            if self.gic.parameters.sticky:
                value |= _ENABLE_LPIS
            else:
                self.latched = None
                self._busy = self.gic.parameters.rwp
        self.values[_CTLR] = value & ~_RWP | _CES

    def _wake(self, value: int) -> None:
        self.values[_WAKER] = value & 2 | (4 if value & 2 else 0)

    def _set_base(self, register: int, value: int) -> None:
        if self.latched is not None:
            name = "PROPBASER" if register == _PROPBASER else "PENDBASER"
            self._say(f"GICR_{name} is written while LPIs are on: unpredictable")
        self.values[register] = value

    def _set_vpropbaser(self, value: int) -> None:
        # 64 KiB pages and entries of two words are what there is (IHI 0069, 12.11.41).
        fields = (2 << 53) | (1 << 59) if self.gic.parameters.version == "4.1" else 0
        mask = (3 << 53) | (0xF << 59) if fields else 0
        self.values[_VLPI_FRAME + 0x70] = value & ~mask | fields

    # tables

    def _enable(self) -> None:
        pending = self.values.get(_PENDBASER, 0) & _PEND_ADDRESS
        properties = self.values.get(_PROPBASER, 0) & _PROP_ADDRESS
        gic = self.gic
        self.latched = Latched(properties, pending, gic.generation)
        owner = gic.owner(pending)
        if owner is not None:
            self._say(
                f"LPIs of redistributor {self.number} are switched on with a pending table at "
                f"{pending:#x}, which is {owner}",
                pending=pending,
            )

    def _say(self, text: str, **facts: Any) -> None:
        kernel = self.gic.kernel
        report(
            kernel, "corruption", text, suppressed=_HARDWARE, redistributor=self.number, **facts
        )

    def move_properties(self, distance: int) -> None:
        """Another kernel gave this redistributor another property table."""
        self.values[_PROPBASER] = self.values.get(_PROPBASER, 0) + distance
        if self.latched is not None:
            self.latched.properties += distance

    # interrupts

    def arrives(self, intid: int) -> bool:
        """A device raises an LPI; whether it reaches the CPU."""
        latched = self.latched
        if latched is None:
            return False
        entry = self.gic.peek(latched.properties + intid - FIRST_LPI)
        if entry & 1:
            self.delivered.append(intid)
            return True
        self.lost.append(intid)
        if self.gic.parameters.writes:
            self._set_pending(latched, intid)
        return False

    def _set_pending(self, latched: Latched, intid: int) -> None:
        gic = self.gic
        address = latched.pending + intid // 8
        bit = intid % 8
        owner = gic.owner(address, latched)
        before = gic.peek(address)
        gic.poke(address, before | 1 << bit)
        if owner is not None:
            self._say(
                f"redistributor {self.number} sets bit {bit} of byte {address:#x}, "
                f"which is {owner}",
                owner=owner, address=address, bit=bit,
            )  # fmt: skip


class Frames:
    """All redistributors, one behind the other."""

    def __init__(self, gic: Gic) -> None:
        self.gic = gic

    def _at(self, offset: int) -> tuple[Redistributor, int]:
        number, rest = divmod(offset, self.gic.frame)
        return self.gic.redistributors[number], rest

    def read(self, offset: int, size: int) -> int:
        one, rest = self._at(offset)
        return one.read(rest, size)

    def write(self, offset: int, size: int, value: int) -> None:
        one, rest = self._at(offset)
        one.write(rest, size, value)


class Its(Registers):
    """The command queue is read at once; what was asked is kept by name."""

    _NAMES: dict[int, str] = {  # noqa: RUF012 - constants
        3: "INT", 4: "CLEAR", 5: "SYNC", 8: "MAPD", 9: "MAPC", 10: "MAPTI", 11: "MAPI",
        12: "INV", 13: "INVALL", 15: "DISCARD", 1: "MOVI", 14: "MOVALL",
    }  # fmt: skip

    def __init__(self, gic: Gic) -> None:
        super().__init__()
        self.gic = gic
        self.commands: list[tuple[str, int, int]] = []
        """Name, the generation of the kernel, the third word."""
        version = gic.parameters.version
        self.fix(_PIDR2, 0x30 if version == "3" else 0x40)
        self.fix(_IIDR, 0x43B)
        virtual = {"3": 0, "4.0": 2, "4.1": 2 | 1 << 37 | 1 << 40}[version]
        # ITT entries of 12 bytes, 16 bits of event, device and collection numbers
        self.fix(8, 1 | virtual | 11 << 4 | 15 << 8 | 15 << 13 | 15 << 32 | 1 << 36)
        self.values[0] = 1 << 31
        self.on_write[0] = lambda v: self.values.__setitem__(0, v & 1 | 1 << 31)
        self.on_write[0x88] = self._advance
        kinds = [1, 4] + ([2] if version != "3" else [])
        for i in range(8):
            fixed = (kinds[i] << 56 | 7 << 48) if i < len(kinds) else 0
            self._table(0x100 + 8 * i, fixed)

    def _table(self, register: int, fixed: int) -> None:
        mask = 7 << 56 | 0x1F << 48
        self.values[register] = fixed

        def write(value: int) -> None:
            self.values[register] = value & ~mask | fixed if fixed else 0

        self.on_write[register] = write

    def _advance(self, value: int) -> None:
        size = ((self.values.get(0x80, 0) & 0xFF) + 1) * PAGE
        base = self.values.get(0x80, 0) & _PROP_ADDRESS
        at = self.values.get(0x90, 0)
        while at != value and size:
            word = self.gic.peek(base + at)
            third = sum(self.gic.peek(base + at + 16 + i) << 8 * i for i in range(8))
            name = self._NAMES.get(word, f"command {word:#x}")
            self.commands.append((name, self.gic.generation, third))
            at = (at + 32) % size
        self.values[0x88] = self.values[0x90] = value


class Gic:
    """The interrupt controller of a machine. ``attach()`` it to each kernel."""

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self.frame = FRAME if parameters.version == "3" else 2 * FRAME
        self.generation = 0
        self.kernel: Kernel = None  # type: ignore[assignment]
        self.physical: Physical = None  # type: ignore[assignment]
        self.distributor = Registers()
        d = self.distributor
        d.fix(4, 15 << 19 | 1 << 17 | 1)  # TYPER: 16 bits of numbers, LPIs, 64 SPIs
        d.fix(8, 0x43B)
        d.fix(_PIDR2, 0x30 if parameters.version == "3" else 0x40)
        self.redistributors = [Redistributor(self, n) for n in range(parameters.cpus)]
        self.its = Its(self) if parameters.its else None
        self.foreign: Callable[[int], str | None] = lambda address: None
        """What of the machine owns an address beyond this kernel's memory."""

    def attach(self, kernel: Kernel, generation: int) -> None:
        """A kernel boots on the machine."""
        self.kernel, self.generation = kernel, generation
        self.physical = physical = kernel.part(Physical)
        end = REDISTRIBUTORS + self.frame * self.parameters.cpus - 1
        physical.devices = [
            (DISTRIBUTOR, DISTRIBUTOR + 0xFFFF, self.distributor),
            (REDISTRIBUTORS, end, Frames(self)),
        ]
        if self.its is not None:
            physical.devices.append((ITS, ITS + 0x1_FFFF, self.its))

    # memory as the hardware sees it

    def peek(self, address: int) -> int:
        page = self.physical.page(address // PAGE)
        return page[address % PAGE] if isinstance(page, bytearray) else 0

    def poke(self, address: int, value: int) -> None:
        page = self.physical.page(address // PAGE)
        if isinstance(page, bytearray):
            page[address % PAGE] = value

    def owner(self, address: int, latched: Latched | None = None) -> str | None:
        """Whose memory a pending table lies in, if it is not a table's: None is fine.
        Tables of an earlier kernel are fine where this one has reserved them."""
        physical = self.physical
        if not any(start <= address < start + size for start, size in physical.layout.ram):
            return "no memory"
        other = self.foreign(address)
        if other is not None:
            return other or None
        block = physical.blocks.get(address // PAGE)
        here = latched is None or latched.generation == self.generation
        if block is None or block.freed:
            if not here and address // PAGE in physical.reserved:
                return None
            if block is not None:
                return f"free memory again ({block.owner} had it, {block.freed} freed it)"
            return "free memory"
        return None if here else f"memory of {block.owner}"


__all__ = [
    "DISTRIBUTOR", "FIRST_LPI", "ITS", "REDISTRIBUTORS", "TABLE", "Gic", "Parameters",
    "Redistributor",
]  # fmt: skip
