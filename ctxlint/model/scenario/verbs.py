# SPDX-License-Identifier: GPL-2.0-or-later
"""Steps that every platform has: starting kernels, CPU hotplug, failures."""

from __future__ import annotations

from typing import Any

from ctxlint.base.errors import UsageError
from ctxlint.model.runtime.alloc import Faults
from ctxlint.model.runtime.boot import cpu_down, cpu_up, user
from ctxlint.model.runtime.cpuhp import Hotplug
from ctxlint.model.runtime.policy import Script, Seeded
from ctxlint.model.runtime.race import Races
from ctxlint.model.scenario.world import World, verb


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
def script(world: World, steps: list[str]) -> None:
    """``script: ["cpu1 until wait", cpu0]``: whose turn it is from now on
    (:class:`.runtime.policy.Script`)."""
    world.sim.policy = Script(steps=tuple(str(step) for step in steps))


@verb
def watch_races(world: World, variables: list[str]) -> None:
    """``watch-races: [variable, ...]``: accesses to these in no order are reported, and
    are points where others may run."""
    m, ranges = world.m, []
    for name in variables:
        symbol = world.variable(name)
        start = m.address_of(symbol)
        placed = m.image.placed(symbol)
        assert placed is not None
        ranges.append((start, start + placed.size))
    Races(m, tuple(ranges), points=True).attach(world.sim)


@verb
def end(world: World, what: str | list[Any]) -> str:
    """``end: function`` or ``end: [function, 1]``: it ends the kernel, and no other
    follows; how it ended."""
    name, *args = [what] if isinstance(what, str) else what
    return world.ends(world.symbol(name), *args)


@verb
def together(world: World, tasks: list[list[Any]]) -> list[Any]:
    """``together: [[function, 1], [function]]``: in tasks side by side, until all have
    ended. The CPU is that of the task's number."""
    threads = []
    kept = world.sim.policy
    if world.explored is not None:
        world.sim.policy = world.explored
    for number, (name, *args) in enumerate(tasks):
        cpu = number % len(world.kernel.cpus)
        while not world.kernel.cpus[cpu].online:
            cpu = (cpu + 1) % len(world.kernel.cpus)
        threads.append(user(world.sim, world.symbol(name), *args, cpu=cpu))
    world.sim.run(*threads)
    world.sim.policy = kept
    return [thread.result for thread in threads]
