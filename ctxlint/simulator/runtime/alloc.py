# SPDX-License-Identifier: GPL-2.0-or-later
"""Primitives of the allocators: pages, objects, per-CPU memory, mappings, failures.

Which locks a call takes and what it may sleep on is said in ``rules/models/pages.c``,
``slab.c`` and ``vmalloc.c``. An object of the slab allocator lies at the start of
pages of its own, so that a use after free is noticed; that nothing lies beside it is
the price.
"""

from __future__ import annotations

from dataclasses import dataclass

from ctxlint.ir import ops
from ctxlint.simulator.machine import Machine, primitive
from ctxlint.simulator.memory import PAGE
from ctxlint.simulator.runtime.checks import report
from ctxlint.simulator.runtime.physical import Block, Physical
from ctxlint.simulator.runtime.state import Kernel, kernel_of

_NOT_CHECKED = "the kernel does not check"


class Faults:
    """Allocations that shall fail: ``plan[name]`` are the numbers (from 0) of the calls
    of that kind, ``"*"`` any kind. ``count`` is how many there were."""

    def __init__(self, kernel: Kernel) -> None:
        self.plan: dict[str, set[int]] = {}
        self.count: dict[str, int] = {}

    def fails(self, name: str) -> bool:
        hit = False
        for key in (name, "*"):
            number = self.count.get(key, 0)
            self.count[key] = number + 1
            hit = hit or number in self.plan.get(key, ())
        return hit


@dataclass(eq=False)
class Chunk:
    """An object of the slab allocator; ``cpu`` is where it was allocated."""

    address: int
    size: int
    block: Block
    cpu: int
    freed: str = ""


class Chunks:
    """The objects of the slab allocator by address, and of per-CPU memory."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.table: dict[int, Chunk] = {}
        self.last: dict[int, int] = {}
        """The object that each CPU allocated last: it lies in the slab of that CPU."""
        self.percpu: dict[int, int] = {}


def _who(m: Machine) -> str:
    """The innermost function of the kernel on the stack, for people."""
    for frame in reversed(m.stack):
        if not frame.meta.model:
            return f"{frame.meta.name}() {m.place(frame)}"
    return "the model"


@primitive
def model_fail(m: Machine, name: int) -> int:
    """``int model_fail(const char *name)``: whether this allocation shall fail."""
    return int(kernel_of(m).part(Faults).fails(m.mem.text(name)))


@primitive
def model_alloc_pages(m: Machine, order: int) -> int:
    """``void *model_alloc_pages(unsigned int order)``: a struct page; contents are 0."""
    physical = kernel_of(m).part(Physical)
    block = physical.allocate(int(order), _who(m))
    return physical.page_of(block.pfn)


@primitive
def model_free_pages(m: Machine, page: int, order: int) -> None:
    """``void model_free_pages(void *page, unsigned int order)``."""
    physical = kernel_of(m).part(Physical)
    physical.free(physical.pfn_of(int(page)), 1 << int(order) + physical.scale, _who(m))


@primitive
def model_reserve(m: Machine, address: int, size: int) -> None:
    """``void model_reserve(unsigned long address, unsigned long size)``: the page
    allocator does not get this memory any more."""
    kernel_of(m).part(Physical).reserve(int(address), int(size))


@primitive
def model_page_address(m: Machine, page: int) -> int:
    """``void *model_page_address(const void *page)``: in the linear map, computed as the
    kernel does, so NULL gives what it gives there."""
    physical = kernel_of(m).part(Physical)
    return physical.virt(physical.pfn_of(int(page)) * PAGE) & (1 << 64) - 1


@primitive
def model_virt_to_page(m: Machine, address: int) -> int:
    """``void *model_virt_to_page(const void *address)``."""
    physical = kernel_of(m).part(Physical)
    return physical.page_of(physical.phys(int(address)) // PAGE)


@primitive
def model_virt_to_phys(m: Machine, address: int) -> int:
    """``unsigned long model_virt_to_phys(const void *address)``."""
    return kernel_of(m).part(Physical).phys(int(address))


@primitive
def model_phys_to_virt(m: Machine, address: int) -> int:
    """``void *model_phys_to_virt(unsigned long address)``: in the linear map."""
    return kernel_of(m).part(Physical).virt(int(address))


@primitive
def model_is_ram(m: Machine, address: int, size: int) -> int:
    """``int model_is_ram(unsigned long address, unsigned long size)``."""
    return int(kernel_of(m).part(Physical).is_ram(int(address), int(size)))


@primitive
def model_ram_start(m: Machine, index: int) -> int:
    """``unsigned long model_ram_start(int index)``: of the range of memory of that index."""
    ram = kernel_of(m).part(Physical).ram
    return ram[int(index)][0] if int(index) < len(ram) else 0


@primitive
def model_ram_size(m: Machine, index: int) -> int:
    """``unsigned long model_ram_size(int index)``: its bytes; 0 when there is none."""
    ram = kernel_of(m).part(Physical).ram
    return ram[int(index)][1] if int(index) < len(ram) else 0


@primitive
def model_map(m: Machine, address: int, size: int, what: int) -> int:
    """``void *model_map(unsigned long address, unsigned long size, const char *what)``: a
    mapping of physical addresses outside of the linear map."""
    return kernel_of(m).part(Physical).map(int(address), int(size), m.mem.text(what))


@primitive
def model_unmap(m: Machine, address: int) -> None:
    """``void model_unmap(void *address)``."""
    kernel = kernel_of(m)
    if not kernel.part(Physical).unmap(int(address)):
        text = f"{_who(m)} unmaps {int(address):#x}, which is no mapping"
        report(kernel, "corruption", text, suppressed=_NOT_CHECKED)


@primitive
def model_variable(m: Machine, name: int, fallback: int) -> int:
    """``unsigned long model_variable(const char *name, unsigned long fallback)``: what
    layout.yaml says about a variable of the kernel."""
    variables = kernel_of(m).part(Physical).layout.variables
    return variables.get(m.mem.text(name), int(fallback))


# objects


@primitive
def model_alloc(m: Machine, size: int) -> int:
    """``void *model_alloc(unsigned long size)``: an object of the slab allocator, 0."""
    kernel = kernel_of(m)
    physical, chunks = kernel.part(Physical), kernel.part(Chunks)
    pages = max((int(size) + PAGE - 1) // PAGE, 1)
    pages = -(-pages // (1 << physical.scale))
    block = physical.allocate((pages - 1).bit_length(), _who(m))
    address = physical.virt(block.pfn * PAGE)
    obj = m.mem.object_at(address)
    if obj is not None:
        obj.size = int(size)
    chunks.table[address] = Chunk(address, int(size), block, kernel.cpu.number)
    chunks.last[kernel.cpu.number] = address
    return address


@primitive
def model_free(m: Machine, address: int) -> None:
    """``void model_free(const void *object)``."""
    kernel = kernel_of(m)
    who = _who(m)
    chunk = kernel.part(Chunks).table.get(int(address))
    if chunk is None or chunk.freed:
        text = f"{who} frees {int(address):#x}, which is no object"
        if chunk is not None:
            text = f"{who} frees an object of {chunk.block.owner} again, after {chunk.freed}"
        report(kernel, "corruption", text, suppressed=_NOT_CHECKED)
        return
    chunk.freed = who
    kernel.part(Physical).free(chunk.block.pfn, chunk.block.pages, who)


@primitive
def model_size(m: Machine, address: int) -> int:
    """``unsigned long model_size(const void *object)``: of an object, 0 for none."""
    chunk = kernel_of(m).part(Chunks).table.get(int(address))
    return 0 if chunk is None else chunk.size


@primitive
def model_last_here(m: Machine, address: int) -> int:
    """``int model_last_here(const void *object)``: whether this CPU allocated it last."""
    kernel = kernel_of(m)
    return int(kernel.part(Chunks).last.get(kernel.cpu.number) == int(address))


@primitive
def model_alloc_percpu(m: Machine, size: int) -> int:
    """``void *model_alloc_percpu(unsigned long size)``: the address that a CPU's offset
    is added to; contents are 0."""
    address = m.image.place_percpu(max(int(size), 1))
    kernel_of(m).part(Chunks).percpu[address] = int(size)
    return address


@primitive
def model_free_percpu(m: Machine, address: int) -> None:
    """``void model_free_percpu(void *address)``."""
    kernel = kernel_of(m)
    if kernel.part(Chunks).percpu.pop(int(address), None) is None:
        text = f"{_who(m)} frees per-CPU {int(address):#x}, which nobody was given"
        report(kernel, "corruption", text, suppressed=_NOT_CHECKED)


@primitive
def model_constant(m: Machine, index: int) -> int:
    """``int model_constant(int index)``: whether the compiler knows the argument of that
    index of the calling model function, seen through inline functions."""
    depth = len(m.stack) - 1
    while depth > 0:
        callee, caller = m.stack[depth].meta, m.stack[depth - 1]
        found = None
        for site in caller.meta.sites:
            named = isinstance(site.fn, ops.Func) and site.fn.symbol.rpartition("::")[2]
            if named == callee.name and site.loc == caller.loc and index < len(site.args):
                found = site.args[index]
        while isinstance(found, ops.Cast):
            found = found.e
        if isinstance(found, ops.Const):
            return 1
        fn = caller.meta.fn
        if "inline" not in fn.attrs or not isinstance(found, ops.Var):
            return 0
        if found.slot >= fn.nparams:
            return 0
        index = found.slot
        depth -= 1
    return 0


@primitive
def model_enum(m: Machine, name: int, usual: int) -> int:
    """``int model_enum(const char *name, int usual)``: an enumerator of the image."""
    return m.image.enums.get(m.mem.text(name), int(usual))


__all__ = ["Chunk", "Chunks", "Faults"]
