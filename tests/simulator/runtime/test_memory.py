# SPDX-License-Identifier: GPL-2.0-or-later
"""Allocators, physical memory, reservations and resources."""

from __future__ import annotations

import pytest

from ctxlint.simulator.memory import Fault
from ctxlint.simulator.runtime.alloc import Faults
from ctxlint.simulator.runtime.physical import Physical
from ctxlint.simulator.runtime.state import Kernel

from .bench import boot, cells, compiled

KERNEL, ATOMIC = 0xCC0, 0x820


def kernel(rt: bool = False) -> Kernel:
    return boot(cells(rt), rt, code=compiled(rt))


def test_addresses_are_those_of_the_kernel() -> None:
    k = kernel()
    page = k.m.call("alloc_pages_noprof", KERNEL, 4)
    physical = k.part(Physical)
    address = physical.pfn_of(page) << 12
    assert (page - 0xFFFF_C1FF_C000_0000) // 64 == (address - 0x4000_0000) >> 12
    virt = k.m.call("page_to_virt", page)
    assert virt == 0xFFF0_0000_0000_0000 + address - 0x4000_0000
    assert address % (16 * 4096) == 0
    k.m.store(virt + 65535, 1, 7)
    assert k.part(Physical).page((address + 65535) >> 12)[4095] == 7


def test_a_null_page_has_an_address_and_no_memory() -> None:
    k = kernel()
    virt = k.m.call("page_to_virt", 0)
    assert virt != 0
    with pytest.raises(Fault):
        k.m.load(virt, 8)


def test_use_after_free_and_double_free() -> None:
    k = kernel()
    thing = k.m.call("__kmalloc_noprof", 100, KERNEL)
    k.m.store(thing, 8, 1)
    k.m.call("kfree", thing)
    assert not k.reports
    k.m.load(thing + 96, 4)
    assert [r.kind for r in k.reports] == ["corruption"]
    assert "use after free" in k.reports[0].headline
    k.m.call("kfree", thing)
    assert "again" in k.reports[1].headline
    page = k.m.call("alloc_pages_noprof", KERNEL, 1)
    k.m.call("__free_pages", page, 0)
    assert "was given 2" in k.reports[2].headline
    k.m.call("__free_pages", page, 1)
    k.m.call("__free_pages", page, 1)
    assert "again" in k.reports[3].headline


def test_allocations_fail_on_demand() -> None:
    k = kernel()
    k.part(Faults).plan["slab"] = {1}
    assert k.m.call("__kmalloc_noprof", 8, KERNEL)
    assert k.m.call("__kmalloc_noprof", 8, KERNEL) == 0
    assert k.m.call("__kmalloc_noprof", 8, KERNEL)
    k.part(Faults).plan["pages"] = {0}
    assert k.m.call("alloc_pages_noprof", KERNEL, 0) == 0
    assert k.m.call("get_free_pages_noprof", KERNEL, 0)


def test_memory_of_cpus() -> None:
    k = kernel()
    place = k.m.call("pcpu_alloc_noprof", 24, 8, 0, KERNEL)
    for cpu in range(4):
        k.m.store(place + k.m.percpu_offset(cpu), 4, cpu + 1)
    assert [k.m.load(place + k.m.percpu_offset(c), 4) for c in range(4)] == [1, 2, 3, 4]
    k.m.call("free_percpu", place)
    k.m.call("free_percpu", place)
    assert [r.kind for r in k.reports] == ["corruption"]


class _Registers:
    def __init__(self) -> None:
        self.seen: list[tuple[int, int]] = []

    def read(self, offset: int, size: int) -> int:
        return offset + 1

    def write(self, offset: int, size: int, value: int) -> None:
        self.seen.append((offset, value))


def test_registers_are_mapped_and_memory_is_there() -> None:
    k = kernel()
    device = _Registers()
    k.part(Physical).devices.append((0x0800_0000, 0x0801_FFFF, device))
    regs = k.m.call("__ioremap_prot", 0x0801_0000, 0x10000, 0)
    assert k.m.call("__raw_readl", regs + 8) == 0x10009
    k.m.call("__raw_writel", 5, regs + 0x1004)
    assert device.seen == [(0x11004, 5)]
    k.m.call("iounmap", regs)
    with pytest.raises(Fault):
        k.m.load(regs, 4)
    assert k.m.call("memremap", 0x5000_0000, 64, 1) == 0xFFF0_0000_1000_0000
    assert k.m.call("memremap", 0x0800_0000, 64, 1) not in (0, 0xFFF0_0000_0800_0000)


def test_reservations_merge_and_are_walked() -> None:
    k = kernel()
    m = k.m
    for base, size in ((0x5000, 0x1000), (0x1000, 0x1000), (0x2000, 0x1000), (0x9000, 0x800)):
        assert m.call("memblock_reserve", base, size) == 0
    reserved = m.address_of("memblock") + 56
    sp = m.enter(32)
    m.store(sp, 8, 0)
    found = []
    while m.load(sp, 8) != (1 << 64) - 1:
        m.call("__next_mem_range", sp, -1, 0, reserved, 0, sp + 8, sp + 16, 0)
        if m.load(sp, 8) != (1 << 64) - 1:
            found.append((m.load(sp + 8, 8), m.load(sp + 16, 8)))
    assert found == [(0x1000, 0x3000), (0x5000, 0x6000), (0x9000, 0x9800)]
    assert m.call("memblock_is_region_reserved", 0x2FFF, 1) == 1
    assert m.call("memblock_is_region_reserved", 0x3000, 0x2000) == 0


def test_a_full_array_of_reservations_sleeps() -> None:
    k = kernel()
    k.m.store(k.m.address_of("memblock") + 56 + 8, 8, 1)
    k.m.call("memblock_reserve", 0x1000, 0x1000)
    k.task.preempt_count = 1
    k.m.call("memblock_reserve", 0x1800, 0x1000)
    assert not k.reports
    k.m.call("memblock_reserve", 0x8000, 0x1000)
    assert [r.kind for r in k.reports] == ["sleeping"]


def test_resources_conflict() -> None:
    k = kernel(True)
    m = k.m
    root = m.address_of("iomem_resource")
    first, second, third = (m.call("__kmalloc_noprof", 64, KERNEL) for _ in range(3))
    for res, start, end in ((first, 0x1000, 0x1FFF), (second, 0x1800, 0x2FFF)):
        m.store(res, 8, start)
        m.store(res + 8, 8, end)
    assert m.call("request_resource_conflict", root, first) == 0
    assert m.call("request_resource_conflict", root, second) == first
    assert m.call("request_resource", root, second) == -16
    assert m.call("release_resource", first) == 0
    assert m.call("request_resource", root, second) == 0
    k.cpu.irqs_off = True
    m.store(third, 8, 0x9000)
    m.store(third + 8, 8, 0x9FFF)
    m.call("request_resource", root, third)
    assert [r.facts["place"] for r in k.reports] == ["kernel/locking/spinlock_rt.c:258"]
