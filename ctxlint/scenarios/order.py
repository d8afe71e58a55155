# SPDX-License-Identifier: GPL-2.0-or-later
"""Steps with more than one task, whose turn it is, and the end of a kernel."""

from __future__ import annotations

from typing import Any

from ctxlint.scenarios.world import World, verb
from ctxlint.simulator.runtime.boot import user
from ctxlint.simulator.runtime.policy import Script
from ctxlint.simulator.runtime.race import Races


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
