# SPDX-License-Identifier: GPL-2.0-or-later
"""An arm64 machine with a GICv3, with EFI firmware or without, or a domain of Xen.

``hardware`` of a scenario's setup: ``efi`` (``"stub"``: the stub ran and made the chain
of reservations; ``"none"``; ``"xen"``: tables, but no stub; ``"xen-chain"``: Xen makes
a chain itself), ``gic`` (``"3"``, ``"4.0"``,
``"4.1"``), ``sticky``, ``rwp``, ``writes``, ``its`` (:class:`.devices.gic.Parameters`).

Functions that a variant may have: ``irq`` (called at the step of that name, with the
address of the redistributors), or ``node`` (with the device tree's node), ``firmware`` (the
firmware's tables were found, with the address of the chain), or ``tables`` (reads the
configuration tables: address and number), ``early`` (an initcall of that level), ``lpi``
(switches an LPI on).
"""

from __future__ import annotations

import uuid
from typing import Any

import msgspec

from ctxlint.base.errors import UsageError
from ctxlint.scenarios.devices.gic import (
    DISTRIBUTOR,
    ITS,
    REDISTRIBUTORS,
    Gic,
    Parameters,
)
from ctxlint.scenarios.world import Generation, Platform, World, platform
from ctxlint.simulator.machine import Machine
from ctxlint.simulator.memory import PAGE
from ctxlint.simulator.outcome import Crashed
from ctxlint.simulator.runtime.boot import Boot
from ctxlint.simulator.runtime.checks import report
from ctxlint.simulator.runtime.cpuhp import Hotplug
from ctxlint.simulator.runtime.physical import Block, Physical

RAM, RAM_SIZE = 0x4000_0000, 0x4000_0000
IMAGE_SIZE = 0x80_0000
_EFI_IMAGE = RAM + 0x1F00_0000
"""Where a boot loader of EFI puts the kernel; otherwise it is at the start of memory."""
_FIRMWARE, _FIRMWARE_SIZE = 0x7BED_0000, 0x1_0000
CHAIN = _FIRMWARE + 0xFF98
"""Where the stub puts the head of the chain of reservations."""
_CHAINED = ("stub", "xen-chain")
CRASH, CRASH_SIZE = 0x6800_0000, 0x0800_0000
_CHAIN_GUID = uuid.UUID("888eb0c6-8ede-4ff5-a8f0-9aee5cb977c2").bytes_le
"""Of the configuration table that the chain begins at (include/linux/efi.h)."""
_NONE = (1 << 64) - 1
_XEN_DOMAIN = 1


class Hardware(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """See the module."""

    efi: str = "stub"
    gic: str = "3"
    sticky: bool = True
    rwp: int = 0
    writes: bool = True
    its: bool = True
    cluster: int = 0


class OwnText:
    """The running kernel's code: whoever writes there destroys what runs."""

    def __init__(self, generation: Generation, start: int) -> None:
        self.generation = generation
        self.start = start

    def read(self, offset: int, size: int) -> int:
        return int.from_bytes(bytes.fromhex("1f2003d5") * 2, "little") & (1 << 8 * size) - 1

    def write(self, offset: int, size: int, value: int) -> None:
        kernel = self.generation.kernel
        where = self.start + offset
        report(
            kernel, "corruption",
            f"the kernel overwrites its own code at {where:#x} with {value:#x}",
            suppressed="nothing protects it here", address=where,
        )  # fmt: skip
        raise Crashed(f"the kernel's own code is overwritten at {where:#x}")


@platform("gic")
class GicMachine(Platform):
    """See the module. The hardware is made when the machine is switched on."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        try:
            self.hardware = msgspec.convert(world.setup.hardware, Hardware)
        except msgspec.ValidationError as error:
            raise UsageError(f"hardware: {error}") from error
        h = self.hardware
        self.gic = Gic(
            Parameters(
                cpus=world.setup.cpus, version=h.gic, sticky=h.sticky, rwp=h.rwp,
                writes=h.writes, its=h.its, cluster=h.cluster,
            )
        )  # fmt: skip

    def first_image(self) -> tuple[int, int]:
        return (_EFI_IMAGE if self.hardware.efi == "stub" else RAM), IMAGE_SIZE

    def memory(self, generation: Generation) -> None:
        physical = generation.kernel.part(Physical)
        ram = (CRASH, CRASH_SIZE) if generation.how == "crash" else (RAM, RAM_SIZE)
        physical.ram = (ram,)
        physical.begin_at(ram[0] // PAGE)

    def prepare(self, generation: Generation) -> None:
        world, kernel = self.world, generation.kernel
        m, physical = kernel.m, kernel.part(Physical)
        image, size = generation.image
        physical.guards.append((image, image + size - 1, OwnText(generation, image)))
        self.gic.attach(kernel, generation.number)
        self.gic.foreign = self._foreign
        numbers = m.address_of("__cpu_logical_map")
        for cpu, place in enumerate(generation.cpus):
            m.s8(numbers + 8 * cpu, self.gic.parameters.affinity(place))
        if self.hardware.efi.startswith("xen"):
            m.s4(m.address_of("xen_domain_type"), _XEN_DOMAIN)
        if generation.how == "crash":
            m.s8(m.address_of("elfcorehdr_addr"), CRASH)
        boot = kernel.part(Boot)
        boot.at("setup arch", lambda: self._setup_arch(generation))
        irq, node = world.entry("irq"), world.entry("node")
        early = world.entry("early")
        if irq is not None:
            boot.at("init irq", lambda: m.call(irq, REDISTRIBUTORS))
        if node is not None:
            boot.at("init irq", lambda: m.call(node, self._node(m), 0))
        if early is not None:
            boot.initcall("early", early)

    def _setup_arch(self, generation: Generation) -> None:
        m = generation.kernel.m
        inside = generation.how != "crash" and self.hardware.efi in _CHAINED
        firmware = (_FIRMWARE, _FIRMWARE_SIZE) if inside else (0, 0)
        m.call("model_machine", *generation.image, *firmware)
        if self.hardware.efi == "none":
            return
        stub = self.hardware.efi in _CHAINED
        found, tables = self.world.entry("firmware"), self.world.entry("tables")
        if found is not None:
            m.call(found, CHAIN if stub else _NONE)
        if tables is not None:
            physical = generation.kernel.part(Physical)
            at = physical.virt(_FIRMWARE)
            m.write(at, _CHAIN_GUID + CHAIN.to_bytes(8, "little"))
            m.call(tables, at, int(stub), 0)

    def _node(self, m: Machine) -> Any:
        """The device tree's node of the controller."""
        size = self.gic.frame * self.gic.parameters.cpus
        its = 0x2_0000 if self.hardware.its else 0
        regions = (DISTRIBUTOR, 0x1_0000, REDISTRIBUTORS, size, ITS, its)
        return m.call("model_gic_node", *regions)

    def _foreign(self, address: int) -> str | None:
        """Whose memory it is, when it is not the page allocator's; ``""`` when that
        does not matter to the kernel that runs."""
        generation = self.world.now
        image, size = generation.image
        if image <= address < image + size:
            return "the kernel's own code"
        if not generation.kernel.part(Physical).is_ram(address):
            return ""  # a dead kernel's
        if _FIRMWARE <= address < _FIRMWARE + _FIRMWARE_SIZE:
            return "data of the firmware"
        return None

    # what is known

    def chain(self) -> list[tuple[int, int, list[tuple[int, int]]]]:
        """The blocks of the chain of reservations: capacity, used, entries."""
        physical = self.world.kernel.part(Physical)
        out: list[tuple[int, int, list[tuple[int, int]]]] = []

        def word(address: int, size: int) -> int:
            page: Any = physical.page(address // PAGE)
            at = address % PAGE
            return int.from_bytes(page[at : at + size], "little") if _plain(page) else 0

        at = word(CHAIN + 8, 8)
        while at and len(out) < 100:
            used = word(at + 4, 4)
            entries = [
                (word(at + 16 + 16 * i, 8), word(at + 24 + 16 * i, 8)) for i in range(used)
            ]
            out.append((word(at, 4), used, entries))
            at = word(at + 8, 8)
        return out

    def finish(self) -> None:
        """Reservations that no table of a redistributor lies in, where no memory is."""
        if self.hardware.efi not in _CHAINED:
            return
        kernel = self.world.kernel
        for _, _, entries in self.chain():
            for base, size in entries:
                if not RAM <= base < RAM + RAM_SIZE:
                    report(
                        kernel, "corruption",
                        f"the chain of reservations has {size:#x} bytes at {base:#x} for every "
                        "later kernel, and there is no memory",
                        suppressed="nobody looks", address=base,
                    )  # fmt: skip

    def facts(self) -> dict[str, Any]:
        kernel = self.world.kernel
        redistributors = self.gic.redistributors
        facts: dict[str, Any] = {
            "taint": "".join(sorted(kernel.taint)),
            "delivered": [len(r.delivered) for r in redistributors],
            "lost": [len(r.lost) for r in redistributors],
            "tables-of-kernel": [
                r.latched.generation if r.latched else 0 for r in redistributors
            ],
            "online": [cpu.online for cpu in kernel.cpus],
            "kernels": len(self.world.generations),
        }
        entries: list[int] = []
        if self.hardware.efi in _CHAINED:
            chain = self.chain()
            facts["chain"] = [used for _, used, _ in chain]
            entries = [base for _, _, found in chain for base, _ in found]
            facts["reserved-twice"] = len(entries) - len(set(entries))
            facts["reserved-no-memory"] = sum(not RAM <= e < RAM + RAM_SIZE for e in entries)
            facts["live-tables-reserved"] = [
                r.latched is not None and r.latched.pending in entries for r in redistributors
            ]
            facts["live-and-unreserved"] = sum(
                r.latched is not None and r.latched.pending not in entries
                for r in redistributors
            )
        if self.gic.its is not None:
            now = self.world.now.number
            facts["commands"] = sum(g == now for _, g, _ in self.gic.its.commands)
        steps = kernel.part(Hotplug).steps.values()
        facts["memreserve-installed"] = any("memreserve" in s.name for s in steps)
        facts["own-code-intact"] = not any(
            "own code" in r.headline and r.kind == "corruption" for r in kernel.reports
        )
        facts["pages"] = self._tables(kernel.part(Physical))
        return facts

    def _tables(self, physical: Physical) -> dict[str, int]:
        """64 KiB tables that this kernel has allocated: in use by a redistributor, not
        in use, freed."""
        used = {r.latched.pending // PAGE for r in self.gic.redistributors if r.latched}
        used |= {r.latched.properties // PAGE for r in self.gic.redistributors if r.latched}
        found = {"used": 0, "unused": 0, "freed": 0}
        seen: list[Block] = []
        for block in physical.blocks.values():
            if block.pages * PAGE != 1 << 16 or "its" not in block.owner or block in seen[-1:]:
                continue
            seen.append(block)
            kind = "freed" if block.freed else "used" if block.pfn in used else "unused"
            found[kind] += 1
        return found

    def text(self) -> list[str]:
        h, setup = self.hardware, self.world.setup
        firmware = {
            "stub": "EFI, its stub ran",
            "none": "no EFI",
            "xen": "a Xen domain: EFI tables, no stub",
            "xen-chain": "a Xen domain: EFI tables with a chain of reservations",
        }
        return [
            f"{setup.arch}, {'PREEMPT_RT' if setup.rt else 'PREEMPT'}, {setup.cpus} CPUs, "
            f"{setup.page_size // 1024} KiB pages",
            f"{firmware.get(h.efi, h.efi)}; GICv{h.gic}, EnableLPIs "
            f"{'cannot' if h.sticky else 'can'} be cleared",
        ]


def _plain(page: object) -> bool:
    return isinstance(page, bytearray)


__all__ = ["CRASH", "IMAGE_SIZE", "RAM", "GicMachine", "Hardware", "OwnText"]
