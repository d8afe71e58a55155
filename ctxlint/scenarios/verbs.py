# SPDX-License-Identifier: GPL-2.0-or-later
"""Steps that every platform has: starting kernels, CPU hotplug, failures."""

from __future__ import annotations

from typing import Any

from ctxlint.base.errors import UsageError
from ctxlint.scenarios.world import World, verb, verbs
from ctxlint.simulator.image import find_member
from ctxlint.simulator.runtime.alloc import Faults
from ctxlint.simulator.runtime.boot import cpu_down, cpu_up
from ctxlint.simulator.runtime.cpuhp import Hotplug
from ctxlint.simulator.runtime.policy import Seeded


@verb
def boot(world: World, options: dict[str, Any] | None) -> None:
    """``boot`` or ``boot: {maxcpus: 2, nr_cpus: 2, ...}``: the machine is switched on."""
    world.start("power", **(options or {}))


@verb
def online(world: World, cpu: int) -> int:
    """``online: 1``: as a write to the CPU's file; the errno."""
    return cpu_up(world.sim, int(cpu))


@verb
def offline(world: World, cpu: int) -> int:
    """``offline: 1``."""
    return cpu_down(world.sim, int(cpu))


@verb
def settle(world: World, _: object) -> None:
    """``settle``: until nothing is left to do (work items, threads)."""
    world.sim.settle()


@verb
def wait(world: World, milliseconds: int) -> None:
    """``wait: 1000``: time passes."""
    world.sim.pass_time(1000 * int(milliseconds))


@verb
def call(world: World, what: str | list[Any]) -> Any:
    """``call: function`` or ``call: [function, 1, 2]``: in a task of user space."""
    name, *args = [what] if isinstance(what, str) else what
    return world.call(world.symbol(name), *args)


@verb
def fail_allocation(world: World, plan: dict[str, list[int]]) -> None:
    """``fail-allocation: {pages: [0]}``: calls by number, counted from now (before a
    kernel boots: from its start; then for every kernel)."""
    for kind, numbers in plan.items():
        if not world.generations:
            world.faults[kind] = set(numbers)
            continue
        faults = world.kernel.part(Faults)
        base = faults.count.get(kind, 0)
        faults.plan[kind] = {base + number for number in numbers}


@verb
def fail_callback(world: World, what: dict[str, Any]) -> None:
    """``fail-callback: {cpu: 3, state: NAME}``: the callback of a state (name of the
    enumerator) fails once with -EAGAIN."""
    image = world.code.image
    if what["state"] not in image.enums:
        raise UsageError(f"no state is called {what['state']}")
    state = image.enums[what["state"]] + int(what.get("plus", 0))
    world.kernel.part(Hotplug).fail(int(what["cpu"]), state)


@verb
def force(world: World, answers: dict[str, bool]) -> None:
    """``force: {"pages: the list of this CPU is empty": true}``."""
    world.forced.update(answers)


@verb
def schedule(world: World, seed: int) -> None:
    """``schedule: 7``: kernels from now on are scheduled at random, from this seed."""
    world.policy = lambda: Seeded(int(seed))
    if world.generations:
        world.sim.policy = world.policy()


@verb
def at_step(world: World, what: dict[str, Any]) -> None:
    """``at-step: {step: init time, do: {raise-lpi: {cpu: 0}}}``: while the next kernel
    boots, when it comes to that step."""
    name, argument = next(iter(what["do"].items()))
    function = verbs()[name]

    def happens() -> None:
        given = function(world, argument)
        if given is not None:
            world.returns[f"{what['step']}: {name}"] = given

    world.hooks.append((what["step"], happens))


@verb
def call_now(world: World, what: list[Any]) -> Any:
    """``call-now: [function, 1]``: inside an ``at-step``, by the task that runs there."""
    name, *args = what
    return world.m.call(world.symbol(name), *args)


@verb
def register(world: World, what: dict[str, Any]) -> int:
    """``register: {state: CPUHP_AP_..., name: "other:online"}``: a state whose callbacks do
    nothing; what the registration gave."""
    image = world.code.image
    if what["state"] not in image.enums:
        raise UsageError(f"no state is called {what['state']}")
    name = image.string_at(str(what["name"]).encode())
    return int(world.call("model_entry_register", image.enums[what["state"]], name))


@verb
def fill_reservations(world: World, _: object) -> None:
    """``fill-reservations``: memblock's array has no room for one more."""
    world.call("model_entry_fill_reserved")


@verb
def read_percpu(world: World, what: dict[str, str]) -> list[int]:
    """``read-percpu: {variable: x, record: struct x, member: flags}``: of each CPU."""
    image, m = world.code.image, world.m
    record = image.records.get(what["record"])
    found = None if record is None else find_member(image, record, what["member"])
    if found is None:
        raise UsageError(f"{what['record']} has no member {what['member']}")
    symbol = world.variable(what["variable"])
    size = image.size_of(found[2], found[3])
    return [
        int(m.load(m.percpu(symbol, cpu.number) + found[0] // 8, size))
        for cpu in world.kernel.cpus
    ]
