# SPDX-License-Identifier: GPL-2.0-or-later
"""Steps of machines with a GIC: from one kernel to the next, and what devices do."""

from __future__ import annotations

from typing import Any

from ctxlint.base.errors import UsageError
from ctxlint.scenarios.devices.gic import FIRST_LPI
from ctxlint.scenarios.gic import CRASH, IMAGE_SIZE, RAM, GicMachine
from ctxlint.scenarios.world import World, verb
from ctxlint.simulator.memory import PAGE
from ctxlint.simulator.runtime.boot import user
from ctxlint.simulator.runtime.physical import Physical


def _machine(world: World) -> GicMachine:
    if not isinstance(world.platform, GicMachine):
        raise UsageError("this step needs a machine with a GIC")
    return world.platform


@verb
def kexec(world: World, options: dict[str, Any] | None) -> None:
    """``kexec`` or ``kexec: {loader: file, maxcpus: 2, ...}``: into another kernel.

    The loader ``file`` (kexec_file_load(), the default) puts the new image into the lowest
    memory that memblock has not reserved; ``tools`` (kexec_load()) to ``at``.
    ``meanwhile: [function, 3]`` is a task that runs at the same time."""
    options = dict(options or {})
    loader, at = options.pop("loader", "file"), int(options.pop("at", 0x6000_0000))
    if loader not in ("file", "tools"):
        raise UsageError(f"no loader is called {loader!r}")
    reserved = world.kernel.part(Physical).reserved
    image = at if loader == "tools" else _lowest_hole(reserved)
    cpus = world.now.cpus
    other = options.pop("meanwhile", None)
    if other is not None:
        name, *args = other
        user(world.sim, world.symbol(name), *args, cpu=1 if len(cpus) > 1 else 0)
    world.ends("kernel_kexec")
    nr = int(options.get("nr_cpus", world.setup.cpus))
    order = (*cpus, *(n for n in range(world.setup.cpus) if n not in cpus))
    world.start("kexec", order[:nr], (image, IMAGE_SIZE), **options)


def _lowest_hole(reserved: set[int]) -> int:
    """Images lie on 2 MiB boundaries."""
    at = RAM
    while not reserved.isdisjoint(range(at // PAGE, (at + IMAGE_SIZE) // PAGE)):
        at += 0x20_0000
    return at


@verb
def crash_kexec(world: World, options: dict[str, Any] | None) -> None:
    """``crash-kexec: {cpu: 2, ...}``: that CPU panics; its number is 0 in the kernel
    that comes."""
    options = dict(options or {})
    cpu = int(options.pop("cpu", 0))
    before = world.now.cpus
    world.ends("model_entry_crash", 1, cpu=cpu)
    every = (*before, *(n for n in range(world.setup.cpus) if n not in before))
    order = (before[cpu], *(n for n in every if n != before[cpu]))
    nr = int(options.get("nr_cpus", world.setup.cpus))
    world.start("crash", order[:nr], (CRASH, IMAGE_SIZE), **options)


@verb
def raise_lpi(world: World, what: dict[str, Any]) -> int:
    """``raise-lpi: {cpu: 1, lpi: 8200, count: 3}``: a device's interrupts, numbers one
    after the other, for the redistributor of a place in the machine; how many got
    through."""
    one = _machine(world).gic.redistributors[int(what["cpu"])]
    first, count = int(what.get("lpi", 8192)), int(what.get("count", 1))
    return sum(one.arrives(first + i) for i in range(count))


@verb
def enable_lpi(world: World, numbers: list[int]) -> None:
    """``enable-lpi: [8192, 8193]``: the driver of a device switches its interrupts on."""
    entry, table = world.entry("lpi"), world.member("properties")
    for number in numbers:
        if entry is not None:
            world.call(entry, int(number))
        elif table is not None:
            at = int(world.m.l8(table)) + int(number) - FIRST_LPI
            world.m.store(at, 1, int(world.m.load(at, 1)) | 1)
        else:
            raise UsageError("the variant does not say how LPIs are switched on")


@verb
def use_memory(world: World, megabytes: int) -> None:
    """``use-memory: 16``: programs get so much of the free memory, from its start."""
    physical = world.kernel.part(Physical)
    for _ in range(16 * int(megabytes)):
        physical.allocate(4 - physical.scale, "a program")


@verb
def set_table(world: World, what: dict[str, Any]) -> None:
    """``set-table: {cpu: 2, add: 0x100000}``: the property table of a redistributor lies
    elsewhere from now on, as if another kernel had chosen it."""
    one = _machine(world).gic.redistributors[int(what["cpu"])]
    one.move_properties(int(what["add"]))


@verb
def reserve_many(world: World, what: dict[str, int]) -> None:
    """``reserve-many: {from: 0x60000000, count: 300}``: so many more tables of 64 KiB,
    every other one, are reserved for later kernels."""
    entry = world.entry("reserve")
    if entry is None:
        raise UsageError("the variant has no function for reserve")
    for i in range(int(what["count"])):
        world.call(entry, int(what["from"]) + 2 * i * 0x1_0000, 0x1_0000)
