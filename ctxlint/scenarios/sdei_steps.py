# SPDX-License-Identifier: GPL-2.0-or-later
"""Steps of scenarios with firmware events."""

from __future__ import annotations

from typing import Any

from ctxlint.base.errors import UsageError
from ctxlint.scenarios.sdei import machine_of
from ctxlint.scenarios.world import World, verb
from ctxlint.simulator.runtime.boot import Boot, NextKernel, user

_EL0_64, _EL0_32 = 0x0, 0x10
_LONG = 5_000_000
"""Microseconds: stopping the other CPUs takes up to a second."""
_MODES = {"el0-64": _EL0_64, "el0-32": _EL0_32}


@verb
def event(world: World, what: dict[str, Any]) -> str:
    """``event: {number: 0, cpu: 1, from: el0-64}``: an event happens; whether it is taken.
    ``from`` is what is interrupted: without it the kernel's own code at its next point."""
    machine = machine_of(world)
    pe = int(what.get("cpu", 0))
    if "from" in what:
        machine.interrupted[pe] = _MODES[what["from"]]
    given = machine.firmware.happen(int(what["number"]), pe)
    if what.get("wait", True):
        world.sim.settle()
    return given


@verb
def refuse(world: World, answers: dict[str, int]) -> None:
    """``refuse: {pe-mask: -3}``: what the firmware answers to a call from now on."""
    machine_of(world).firmware.refuse.update(answers)


@verb
def idle(world: World, what: dict[str, Any]) -> int:
    """``idle: {cpu: 1, event: 0}``: a CPU goes idle, and comes back; the event happens
    while it is."""
    machine = machine_of(world)
    cpu = int(what["cpu"])
    number = what.get("event")
    answers: list[str] = []
    if number is not None:
        machine.while_idle.append(
            lambda pe: answers.append(machine.firmware.happen(int(number), pe))
        )
    given = int(world.sim.run(user(world.sim, "model_entry_idle", cpu=cpu)))
    machine.while_idle.clear()
    world.returns["event while idle"] = answers[-1] if answers else "none"
    return given


@verb
def event_at(world: World, what: dict[str, Any]) -> None:
    """``event-at: {step: suspended, event: 0, cpu: 0}``: the event happens in that step,
    of the kernel that runs or, before there is one or with ``next``, of the next."""
    machine = machine_of(world)
    number, pe = int(what["event"]), int(what.get("cpu", 0))

    def happens() -> None:
        world.returns[f"event in {what['step']}"] = machine.firmware.happen(number, pe)
        world.sim.point("event")

    if world.generations and not what.get("next"):
        world.kernel.part(Boot).at(what["step"], happens)
    else:
        world.hooks.append((what["step"], happens))


@verb
def holds(world: World, numbers: list[int]) -> None:
    """``holds: [2000]``: the firmware has these registered and enabled by a kernel that
    is gone: its entry point is not this kernel's."""
    firmware = machine_of(world).firmware
    for number in numbers:
        for pe in range(len(firmware.pes)):
            slot = firmware.slot(pe, int(number))
            if slot is None:
                raise UsageError(f"the firmware has no event {number}")
            slot.registered = slot.enabled = True
            slot.kernel = 0


@verb
def crash_in_handler(world: World, what: dict[str, Any]) -> None:
    """``crash-in-handler: {number: 0, cpu: 1}``: an event whose handler panics; a crash
    kernel starts on that CPU alone."""
    machine = machine_of(world)
    cpu = int(what.get("cpu", 0))
    pe = world.now.cpus[cpu]
    machine.firmware.happen(int(what["number"]), pe)
    if "nested" in what:
        machine.firmware.happen(int(what["nested"]), pe)
    try:
        world.sim.pass_time(_LONG)
    except NextKernel:
        world.sim.close()
        world.start("crash", (pe,), nr_cpus=1)
        return
    raise UsageError("no handler panics")


__all__: list[str] = []
