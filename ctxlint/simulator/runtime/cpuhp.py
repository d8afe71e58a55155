# SPDX-License-Identifier: GPL-2.0-or-later
"""The state machine of CPU hotplug: the table of states, and where each CPU is in it.

Source: kernel/cpu.c. What the callbacks are called from, and on which CPU, is in
``rules/models/cpuhp.c``; the numbers and names of the states are those of the kernel's
enum. A state is entered before its callback runs: ``state`` counts ahead.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ctxlint.simulator.machine import Machine, primitive
from ctxlint.simulator.runtime.scheduler import simulation_of
from ctxlint.simulator.runtime.state import Kernel, kernel_of
from ctxlint.simulator.runtime.threads import literal, wait

_ENTRY = "model_entry_secondary"
INVALID = -1


@dataclass
class Step:
    """A slot of the table. ``startup`` and ``teardown`` are addresses of functions."""

    name: str
    startup: int
    teardown: int
    multi: bool
    instances: list[int] = field(default_factory=list)


@dataclass
class CpuState:
    """Where a CPU is. ``fail`` is the state whose callback shall fail once, ``refuse``
    what the architecture answers when it shall give the CPU up."""

    state: int = 0
    target: int = 0
    fail: int = INVALID
    refuse: int = 0
    result: int = 0
    present: int = 1
    rollback: int = 0
    single: int = 0
    bringup: int = 1
    partial: int = 0
    cb_state: int = 0
    running: int = 0
    up: bool = False
    down: bool = False


class Hotplug:
    """The states of a kernel, and its CPUs' places among them."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.steps: dict[int, Step] = {}
        self.cpus = [CpuState() for _ in kernel.cpus]
        self.history: list[tuple[int, int, bool]] = []
        """Every callback: CPU, state, bring-up."""

    def named(self, state: int) -> str:
        step = self.steps.get(state)
        return step.name if step is not None else "<NULL>"

    def number(self, name: str) -> int:
        """The state registered under a name; raises KeyError."""
        for state, step in self.steps.items():
            if step.name == name:
                return state
        raise KeyError(name)

    def fail(self, cpu: int, state: int) -> None:
        """The callback of a state fails once on a CPU, with -EAGAIN, and does not run."""
        self.cpus[cpu].fail = state

    # the machine

    def begin(self, cpu: int, target: int) -> int:
        """A new target; the state before."""
        at = self.cpus[cpu]
        at.rollback = at.single = 0
        at.bringup = int(at.state < target)
        at.target = target
        return at.state

    def turn(self, cpu: int, previous: int) -> None:
        """Something failed: back to where it began. What failed has not happened, so
        its own other half is left out - unless some of its instances have."""
        at = self.cpus[cpu]
        at.target = previous
        if at.rollback:
            return
        at.rollback = 1
        if not at.partial:
            at.state += -1 if at.bringup else 1
        at.bringup = int(not at.bringup)

    def next(self, cpu: int, bringup: bool, target: int) -> int:
        """The next state with a callback in that direction, or -1."""
        at = self.cpus[cpu]
        while at.state < target if bringup else at.state > target:
            if bringup:
                at.state += 1
                state = at.state
            else:
                state = at.state
                at.state -= 1
            if self.callback(state, bringup):
                return state
        return INVALID

    def callback(self, state: int, bringup: bool) -> int:
        step = self.steps.get(state)
        if step is None:
            return 0
        return step.startup if bringup else step.teardown


def hotplug_of(m: Machine) -> Hotplug:
    return kernel_of(m).part(Hotplug)


@primitive
def model_hp_get(m: Machine, cpu: int, name: int) -> int:
    """``int model_hp_get(int cpu, const char *field)``: of :class:`CpuState`."""
    return int(getattr(hotplug_of(m).cpus[int(cpu)], literal(m, name)))


@primitive
def model_hp_set(m: Machine, cpu: int, name: int, value: int) -> None:
    """``void model_hp_set(int cpu, const char *field, int value)``."""
    kernel = kernel_of(m)
    what = literal(m, name)
    at = kernel.part(Hotplug).cpus[int(cpu)]
    getattr(at, what)
    setattr(at, what, int(value))
    kernel.cpus[int(cpu)].hotplug_state = at.state


@primitive
def model_hp_begin(m: Machine, cpu: int, target: int) -> int:
    """``int model_hp_begin(int cpu, int target)``: see :meth:`Hotplug.begin`."""
    return hotplug_of(m).begin(int(cpu), int(target))


@primitive
def model_hp_turn(m: Machine, cpu: int, previous: int) -> None:
    """``void model_hp_turn(int cpu, int previous)``: see :meth:`Hotplug.turn`."""
    hotplug_of(m).turn(int(cpu), int(previous))


@primitive
def model_hp_next(m: Machine, cpu: int, bringup: int, target: int) -> int:
    """``int model_hp_next(int cpu, int bringup, int target)``: see :meth:`Hotplug.next`."""
    kernel = kernel_of(m)
    hotplug = kernel.part(Hotplug)
    state = hotplug.next(int(cpu), bool(bringup), int(target))
    kernel.cpus[int(cpu)].hotplug_state = hotplug.cpus[int(cpu)].state
    if state != INVALID:
        way = "up" if bringup else "down"
        simulation_of(kernel).point(f"hp {way} CPU{int(cpu)}", hotplug.named(state))
    return state


@primitive
def model_hp_fails(m: Machine, cpu: int, state: int) -> int:
    """``int model_hp_fails(int cpu, int state)``: whether it shall fail now; once. If not
    the callback runs."""
    kernel = kernel_of(m)
    hotplug = kernel.part(Hotplug)
    at = hotplug.cpus[int(cpu)]
    if at.fail == int(state):
        at.fail = INVALID
        return 1
    hotplug.history.append((int(cpu), int(state), bool(at.bringup)))
    return 0


@primitive
def model_hp_callback(m: Machine, state: int, bringup: int) -> int:
    """``void *model_hp_callback(int state, int bringup)``."""
    return hotplug_of(m).callback(int(state), bool(bringup))


@primitive
def model_hp_multi(m: Machine, state: int) -> int:
    """``int model_hp_multi(int state)``: whether the state has instances."""
    step = hotplug_of(m).steps.get(int(state))
    return int(step is not None and step.multi)


@primitive
def model_hp_instance(m: Machine, state: int, number: int) -> int:
    """``void *model_hp_instance(int state, int number)``: NULL behind the last."""
    step = hotplug_of(m).steps.get(int(state))
    if step is None or int(number) >= len(step.instances):
        return 0
    return step.instances[int(number)]


@primitive
def model_hp_busy(m: Machine, state: int) -> int:
    """``int model_hp_busy(int state)``: whether somebody has the slot."""
    return int(int(state) in hotplug_of(m).steps)


@primitive
def model_hp_store(
    m: Machine, state: int, name: Any, startup: int, teardown: int, multi: int
) -> None:
    """``void model_hp_store(int state, const char *name, void *startup, void *teardown,
    int multi)``: fill a slot, or empty it (no name)."""
    steps = hotplug_of(m).steps
    if not name:
        steps.pop(int(state), None)
        return
    steps[int(state)] = Step(m.mem.text(name), startup, teardown, bool(multi))


@primitive
def model_hp_add(m: Machine, state: int, node: int) -> None:
    """``void model_hp_add(int state, void *node)``: the newest instance is the first."""
    hotplug_of(m).steps[int(state)].instances.insert(0, node)


@primitive
def model_hp_drop(m: Machine, state: int, node: int) -> None:
    """``void model_hp_drop(int state, void *node)``."""
    instances = hotplug_of(m).steps[int(state)].instances
    if node in instances:
        instances.remove(node)


@primitive
def model_hp_complain(m: Machine, cpu: int, bringup: int, err: int) -> None:
    """``void model_hp_complain(int cpu, int bringup, int err)``: the line about a callback
    that failed where it may not. It names the state that the CPU counts as being in,
    which on the way down is the next lower one."""
    kernel = kernel_of(m)
    hotplug = kernel.part(Hotplug)
    state = hotplug.cpus[int(cpu)].state
    way = "UP" if bringup else "DOWN"
    kernel.log.append(
        f"CPU {int(cpu)} {way} state {hotplug.named(state)} ({state}) failed ({int(err)})"
    )


@primitive
def model_hp_await(m: Machine, cpu: int, up: int) -> None:
    """``void model_hp_await(int cpu, int up)``: say that the next call of the scheduler
    waits until that CPU has done its part, on the way up or down."""
    kernel = kernel_of(m)
    at = kernel.part(Hotplug).cpus[int(cpu)]
    name = "up" if up else "down"

    def done() -> bool:
        return bool(getattr(at, name))

    def ready() -> bool:
        if not done():
            return False
        setattr(at, name, False)
        simulation_of(kernel).observe(("hp", int(cpu), name))
        return True

    wait(kernel, _Once(ready), f"CPU{int(cpu)} to come {name} ({_where(kernel, int(cpu))})")


class _Once:
    """A condition that takes what it waits for, when it is true for the first time."""

    def __init__(self, take: Any) -> None:
        self.take = take
        self.taken = False

    def __call__(self) -> bool:
        if not self.taken:
            self.taken = self.take()
        return self.taken


def _where(kernel: Kernel, cpu: int) -> str:
    hotplug = kernel.part(Hotplug)
    at = hotplug.cpus[cpu]
    return f"state {at.state}, target {at.target}"


@primitive
def model_hp_done(m: Machine, cpu: int, up: int) -> None:
    """``void model_hp_done(int cpu, int up)``: see :func:`model_hp_await`."""
    kernel = kernel_of(m)
    sim = simulation_of(kernel)
    name = "up" if up else "down"
    sim.publish(("hp", int(cpu), name))
    setattr(kernel.part(Hotplug).cpus[int(cpu)], name, True)
    sim.point("hp done", f"CPU{int(cpu)} {name}")


@primitive
def model_hp_wait_running(m: Machine, cpu: int, microseconds: int) -> None:
    """``void model_hp_wait_running(int cpu, unsigned long us)``: as model_hp_await(), for
    a CPU that was started to show itself, and not for ever."""
    kernel = kernel_of(m)
    at = kernel.part(Hotplug).cpus[int(cpu)]
    why = f"CPU{int(cpu)} to start"
    wait(kernel, lambda: bool(at.running), why, int(microseconds))


@primitive
def model_hp_start(m: Machine, cpu: int) -> None:
    """``void model_hp_start(int cpu)``: the CPU comes out of reset."""
    bring_up(kernel_of(m), int(cpu))


def bring_up(kernel: Kernel, cpu: int) -> None:
    """A CPU comes out of reset, or out of the firmware, into the kernel."""
    kernel.part(Hotplug).cpus[cpu].up = False
    simulation_of(kernel).start_cpu(cpu, lambda: kernel.m.call(_ENTRY))


__all__ = ["CpuState", "Hotplug", "Step", "bring_up", "hotplug_of"]
