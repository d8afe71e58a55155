# SPDX-License-Identifier: GPL-2.0-or-later
"""Physical memory: what lies where, who owns a page, and how the kernel sees it.

The linear map and the array of struct page are at the addresses that the compiler has
folded into the code (``rules/models/layout.yaml``), so address arithmetic comes out as
on the real machine, for NULL pages too. Pages that were freed are taken out of the
linear map: the next access is noticed, reported as a use after free, and goes on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any

import msgspec

from ctxlint.base import yamldata
from ctxlint.base.places import rules_directory
from ctxlint.simulator.image import DATA, PERCPU, TEXT
from ctxlint.simulator.memory import PAGE, Device, DevicePage, Object, Page
from ctxlint.simulator.outcome import Unmodelled
from ctxlint.simulator.runtime.checks import report
from ctxlint.simulator.runtime.state import Kernel

_SHIFT = 12
_NOT_CHECKED = "the kernel does not check"


class Layout(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A row of layout.yaml; see its comments. All are addresses or bytes."""

    linear: int
    linear_end: int
    page: int
    page_bytes: int
    ram_base: int
    ram: tuple[tuple[int, int], ...]
    mappings: int
    image_offset: int
    variables: dict[str, int]


@cache
def layouts() -> dict[str, Layout]:
    text = (rules_directory() / "models" / "layout.yaml").read_text(encoding="utf-8")
    return msgspec.convert(yamldata.load(text), dict[str, Layout])


@dataclass(eq=False)
class Block:
    """Pages that were handed out together. ``pfn`` is the first page frame; ``owner`` is
    who asked, for people; ``freed`` is who gave it back."""

    pfn: int
    pages: int
    owner: str
    freed: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


class Physical:
    """The memory of one machine. It outlives a kernel (kexec): give the old one's
    ``pages`` and ``devices`` to the new one."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        layout = layouts().get(kernel.config.arch)
        if layout is None:
            raise Unmodelled(f"the memory layout of {kernel.config.arch}")
        self.layout = layout
        self.pages: dict[int, bytearray] = {}
        """Contents by page frame number."""
        self.devices: list[tuple[int, int, Device]] = []
        """Registers: first and last physical address, device."""
        self.guards: list[tuple[int, int, Device]] = []
        """Memory of which every access is an event: first and last address, who looks."""
        self.ram = layout.ram
        """What this kernel knows as its memory; more may be installed."""
        self.blocks: dict[int, Block] = {}
        """The block of each page frame, freed ones too until they are used again."""
        self.reserved: set[int] = set()
        """Page frames that the allocator does not get: memblock's reservations."""
        self.scale = (kernel.config.page_size // PAGE).bit_length() - 1
        """Binary logarithm of the frames (4 KiB each) in a page of this kernel."""
        start, size = layout.ram[0]
        self._next = (start + size // 2) >> _SHIFT
        self._free: dict[int, list[int]] = {}
        self._next_mapping = layout.mappings
        self.mappings: dict[int, tuple[int, int]] = {}
        mem = kernel.m.mem
        mem.back(layout.linear, layout.linear_end, self._linear)
        mem.back(layout.page, layout.page + (1 << 38), lambda number: bytearray(PAGE))

    # addresses

    def is_ram(self, address: int, size: int = 1) -> bool:
        return any(s <= address and address + size <= s + n for s, n in self.ram)

    def virt(self, address: int) -> int:
        """The linear address of a physical one."""
        return address - self.layout.ram_base + self.layout.linear

    def phys(self, virt: int) -> int:
        """The physical address of a linear one or of the kernel's image."""
        if self.layout.linear <= virt < self.layout.linear_end:
            return virt - self.layout.linear + self.layout.ram_base
        return virt - self.layout.image_offset & (1 << 64) - 1

    def page_of(self, pfn: int) -> int:
        """The address of a struct page."""
        index = pfn - (self.layout.ram_base >> _SHIFT) >> self.scale
        return (self.layout.page + index * self.layout.page_bytes) & (1 << 64) - 1

    def pfn_of(self, page: int) -> int:
        index = ((page - self.layout.page) & (1 << 64) - 1) // self.layout.page_bytes
        return (index << self.scale) + (self.layout.ram_base >> _SHIFT)

    def frame_of(self, number: int) -> int | None:
        """The page frame that a page of the linear map shows."""
        if self.layout.linear <= number << _SHIFT < self.layout.linear_end:
            return self.phys(number << _SHIFT) >> _SHIFT
        return None

    def begin_at(self, pfn: int) -> None:
        """Pages that are handed out from now on lie at a page frame or above."""
        self._next = pfn

    # contents

    def page(self, pfn: int) -> Page | None:
        """What lies in a page frame: a device, the kernel's image, memory; or nothing."""
        address = pfn << _SHIFT
        for start, end, device in self.devices:
            if start <= address <= end:
                return DevicePage(device, address - start)
        for start, end, device in self.guards:
            if start <= address <= end:
                return DevicePage(device, address - start)
        found = self.pages.get(pfn)
        if found is not None:
            return found
        image = address + self.layout.image_offset
        if TEXT <= image < PERCPU and self.kernel.m.image.placed_at(image >> _SHIFT):
            return self.kernel.m.mem.page(image >> _SHIFT, image, 1, False)
        if not any(start <= address < start + size for start, size in self.layout.ram):
            return None
        found = self.pages[pfn] = bytearray(PAGE)
        return found

    def _linear(self, number: int) -> Page | None:
        pfn = self.phys(number << _SHIFT) >> _SHIFT
        if any(s <= pfn << _SHIFT <= e for s, e, _ in self.devices):
            return None
        self._check_use(pfn)
        return self.page(pfn)

    def _check_use(self, pfn: int) -> None:
        block = self.blocks.get(pfn)
        if block is not None and block.freed:
            report(
                self.kernel, "corruption",
                f"use after free: page {pfn:#x} of {block.owner}, freed by {block.freed}",
                suppressed=_NOT_CHECKED, pfn=pfn,
            )  # fmt: skip

    # handing out

    def allocate(self, order: int, owner: str) -> Block:
        """``1 << order`` pages, aligned to that, cleared."""
        count = 1 << order + self.scale
        pfn = (self._next + count - 1) & -count
        while self.reserved and not self.reserved.isdisjoint(range(pfn, pfn + count)):
            pfn += count
        self._next = pfn + count
        block = Block(pfn, count, owner)
        for number in range(pfn, pfn + count):
            self.blocks[number] = block
            self.pages.pop(number, None)  # of an earlier kernel
        virt = self.virt(pfn << _SHIFT)
        self.kernel.m.mem.add_object(Object(virt, count * PAGE, owner, "heap"))
        return block

    def free(self, pfn: int, pages: int, who: str) -> None:
        """Give back; the pages vanish from the linear map."""
        block = self.blocks.get(pfn)
        if block is None or block.pfn != pfn or block.pages != pages or block.freed:
            self._bad_free(pfn, pages, block, who)
            return
        block.freed = who
        for number in range(pfn, pfn + pages):
            self.kernel.m.mem.unmap(self.virt(number << _SHIFT))
        obj = self.kernel.m.mem.object_at(self.virt(pfn << _SHIFT))
        if obj is not None:
            obj.alive = False

    def reserve(self, address: int, size: int) -> None:
        """The allocator shall not hand these pages out. Only memory counts."""
        for start, length in self.layout.ram:
            first, last = max(address, start), min(address + size, start + length)
            if first < last:
                self.reserved.update(range(first >> _SHIFT, (last - 1 >> _SHIFT) + 1))

    def _bad_free(self, pfn: int, pages: int, block: Block | None, who: str) -> None:
        if block is None:
            text = f"{who} frees page {pfn:#x}, which nobody was given"
        elif block.freed:
            text = f"{who} frees page {pfn:#x} again, which {block.freed} has freed"
        else:
            text = (
                f"{who} frees {pages} pages at {pfn:#x}; {block.owner} was given "
                f"{block.pages} at {block.pfn:#x}"
            )
        report(self.kernel, "corruption", text, suppressed=_NOT_CHECKED, pfn=pfn)

    # mappings outside of the linear map

    def map(self, address: int, size: int, what: str) -> int:
        """A new virtual address for a physical range."""
        first = address >> _SHIFT
        count = ((address + size - 1) >> _SHIFT) - first + 1
        virt = self._next_mapping
        self._next_mapping += (count + 1) * PAGE
        mem = self.kernel.m.mem
        for i in range(count):
            page = self.page(first + i)
            if page is not None:
                mem.map(virt + i * PAGE, page)
        start = virt + address % PAGE
        mem.add_object(Object(start, size, f"{what} of {address:#x}", "mapping"))
        self.mappings[virt] = first, count
        return start

    def unmap(self, virt: int) -> bool:
        """Whether there was one."""
        found = self.mappings.pop(virt & -PAGE, None)
        if found is None:
            return False
        for i in range(found[1]):
            self.kernel.m.mem.unmap((virt & -PAGE) + i * PAGE)
        return True


__all__ = ["DATA", "Block", "Layout", "Physical", "layouts"]
