# SPDX-License-Identifier: GPL-2.0-or-later
"""Functions of the unmodified ITS and EFI code on the runtime, as recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from simulator.runtime.bench import NO_RT, RT, boot, enter

from ctxlint.frontend import lower_unit
from ctxlint.simulator.code import Code
from ctxlint.simulator.image import Image, find_member, link
from ctxlint.simulator.runtime import boot as _boot  # noqa: F401 - its primitives
from ctxlint.simulator.runtime.library import add_models
from ctxlint.simulator.runtime.physical import Physical
from ctxlint.simulator.runtime.state import Config, Kernel

from .scratch import Bench

ITS = "drivers/irqchip/irq-gic-v3-its.c"
EFI = "drivers/firmware/efi/efi.c"
GIC = 0x0800_0000
SHORT = "kernel/locking/spinlock_rt.c"


class Registers:
    """Keeps what is written; reads of the rest are 0."""

    def __init__(self) -> None:
        self.values: dict[int, Any] = {}

    def read(self, offset: int, size: int) -> Any:
        return self.values.get(offset, 0)

    def write(self, offset: int, size: int, value: Any) -> None:
        self.values[offset] = value


@pytest.fixture(scope="module")
def images(bench: Bench) -> dict[bool, tuple[Image, Code]]:
    found = {}
    for rt in (True, False):
        done = bench.commands("arm64", "defconfig", rt, [ITS, EFI])
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
        add_models(image, Config(rt=rt, numa=True))
        found[rt] = image, Code(image)
    return found


def member(image: Image, record: str, name: str) -> int:
    found = find_member(image, image.records[record], name)
    assert found is not None, name
    return found[0] // 8


def starting(image: Image, code: Code, rt: bool, rvpeid: bool) -> tuple[Kernel, Registers]:
    """A kernel whose second CPU is coming up, with redistributors."""
    k = boot(image, rt, code=code, numa=True, rate_limit=False)
    m = k.m
    device = Registers()
    k.part(Physical).devices.append((GIC, GIC + 0xFF_FFFF, device))
    regs = m.call("__ioremap_prot", GIC + 0x10_0000, 0x8_0000, 0)
    rdists = m.call("__kmalloc_noprof", image.records["struct rdists"].size, 0xCC0)
    m.store(m.address_of(f"{ITS}::gic_rdists"), 8, rdists)
    cells = m.call("pcpu_alloc_noprof", 256, 8, 0, 0xCC0)
    m.store(rdists + member(image, "struct rdists", "rdist"), 8, cells)
    m.store(rdists + member(image, "struct rdists", "has_rvpeid"), 1, int(rvpeid))
    inner = next(
        key
        for key, record in sorted(image.records.items())
        if any(f.name == "rd_base" for f in record.fields)
    )
    for cpu in range(4):
        here = cells + m.percpu_offset(cpu)
        m.store(here + member(image, inner, "rd_base"), 8, regs)
    k.reports.clear()
    enter(k, (RT if rt else NO_RT)["hp"])
    return k, device


def places(k: Kernel) -> list[tuple[str, str]]:
    return [(r.facts["place"], " < ".join(r.trace[2:])) for r in k.reports]


def test_gicv41_tables(images: dict[bool, tuple[Image, Code]]) -> None:
    """The table of a CPU is allocated in a STARTING callback: two sleeping locks, when
    the redistributors have RVPEID and the kernel is PREEMPT_RT."""
    for rt in (True, False):
        image, code = images[rt]
        k, device = starting(image, code, rt, rvpeid=True)
        assert k.m.call(f"{ITS}::allocate_vpe_l1_table") == 0
        assert device.values[0x10_0000 + 0x2_0070] >> 63  # GICR_VPROPBASER.Valid
        if rt:
            assert places(k) == [
                (f"{SHORT}:48", "___slab_alloc < __kmalloc_cache_noprof"),
                (
                    f"{SHORT}:48",
                    "get_page_from_freelist < __alloc_pages_noprof"
                    " < alloc_pages_mpol_noprof < alloc_pages_noprof",
                ),
            ]
        else:
            assert not k.reports
        k, _ = starting(image, code, rt, rvpeid=False)
        assert k.m.call(f"{ITS}::allocate_vpe_l1_table") == 0
        assert not k.reports


def test_freeing_a_pending_table(images: dict[bool, tuple[Image, Code]]) -> None:
    image, code = images[True]
    k, _ = starting(image, code, True, rvpeid=False)
    k.m.store(k.m.address_of(f"{ITS}::lpi_id_bits"), 4, 16)
    table = k.m.call("alloc_pages_noprof", 0x820, 4)
    k.reports.clear()
    k.m.call(f"{ITS}::its_free_pending_table", table)
    assert places(k) == [
        (
            f"{SHORT}:48",
            "free_one_page < __free_pages_ok < free_unref_page < __free_pages < free_pages"
            " < its_free_pending_table",
        )
    ]


def test_reserving_memory_for_the_next_kernel(images: dict[bool, tuple[Image, Code]]) -> None:
    image, code = images[True]
    k, _ = starting(image, code, True, rvpeid=False)
    m = k.m
    assert m.call("efi_mem_reserve_persistent", 0x9000_0000, 0x10000) == -19  # no EFI
    assert not k.reports
    roots = [m.call("get_free_pages_noprof", 0x820, 0) for _ in range(2)]
    record = "struct linux_efi_memreserve"
    m.store(roots[1] + member(image, record, "size"), 4, 255)
    m.store(roots[0] + member(image, record, "next"), 8, k.part(Physical).phys(roots[1]))
    m.store(m.address_of(f"{EFI}::efi_memreserve_root"), 8, roots[0])
    k.reports.clear()
    assert m.call("efi_mem_reserve_persistent", 0x9000_0000, 0x10000) == 0
    efi = "efi_mem_reserve_persistent"
    assert places(k) == [
        (f"{SHORT}:248", f"region_intersects < memremap < {efi}"),
        (
            f"{SHORT}:48",
            f"___slab_alloc < __kmalloc_cache_noprof < efi_mem_reserve_iomem < {efi}",
        ),
        (f"{SHORT}:258", f"request_resource_conflict < efi_mem_reserve_iomem < {efi}"),
        (f"{SHORT}:258", f"request_resource < efi_mem_reserve_iomem < {efi}"),
    ]
    entries = roots[1] + member(image, record, "entry")
    assert (m.load(entries, 8), m.load(entries + 8, 8)) == (0x9000_0000, 0x10000)
    assert m.load(roots[1] + member(image, record, "count"), 4) == 1
