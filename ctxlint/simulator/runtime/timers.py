# SPDX-License-Identifier: GPL-2.0-or-later
"""When timers are due: the queue behind ``rules/models/timer.c``.

A timer is known by its address. When its time comes its CPU gets the timer's interrupt,
and the softirq that runs timers of its kind is raised there.
"""

from __future__ import annotations

from dataclasses import dataclass

from ctxlint.simulator.machine import Machine, primitive
from ctxlint.simulator.runtime.clock import Event
from ctxlint.simulator.runtime.ipi import TIMER, Softirqs, post
from ctxlint.simulator.runtime.scheduler import simulation_of
from ctxlint.simulator.runtime.state import Kernel, kernel_of

SOFT, HARD, WHEEL, RCU = range(4)
_SOFTIRQ = {SOFT: 8, WHEEL: 1}
_EXPIRES = 24
"""Where struct hrtimer keeps its time, in nanoseconds."""


@dataclass(eq=False)
class Armed:
    event: Event
    cpu: int
    kind: int


class Timers:
    """``due`` are the timers of a CPU whose time has come, by kind."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.armed: dict[int, Armed] = {}
        self.due: dict[tuple[int, int], list[int]] = {}
        self.running: dict[int, int] = {}

    def arm(self, timer: int, cpu: int, microseconds: int, kind: int) -> None:
        sim = simulation_of(self.kernel)
        sim.publish(("timer", timer))

        def comes() -> None:
            self.armed.pop(timer, None)
            self.due.setdefault((cpu, kind), []).append(timer)
            if kind in _SOFTIRQ:
                self.kernel.part(Softirqs).of(cpu).add(_SOFTIRQ[kind])
            post(self.kernel, cpu, TIMER, name="timer")

        self.armed[timer] = Armed(sim.at(microseconds, comes, "timer"), cpu, kind)

    def disarm(self, timer: int) -> bool:
        armed = self.armed.pop(timer, None)
        if armed is not None:
            armed.event.cancelled = True
            return True
        for queue in self.due.values():
            if timer in queue:
                queue.remove(timer)
                return True
        return False

    def pending(self, timer: int) -> bool:
        return timer in self.armed or any(timer in queue for queue in self.due.values())


def _timers(m: Machine) -> Timers:
    return kernel_of(m).part(Timers)


@primitive
def model_timer_add(m: Machine, timer: int, cpu: int, microseconds: int, kind: int) -> None:
    """``void model_timer_add(void *timer, int cpu, long us, int kind)``: it is due after
    that time; -1 is the time that struct hrtimer has."""
    delay = int(microseconds)
    if delay < 0:
        delay = max(0, int(m.l8(timer + _EXPIRES)) // 1000 - kernel_of(m).now)
    _timers(m).arm(timer, int(cpu), delay, int(kind))


@primitive
def model_timer_del(m: Machine, timer: int) -> int:
    """``int model_timer_del(void *timer)``: whether it was pending."""
    return int(_timers(m).disarm(timer))


@primitive
def model_timer_pending(m: Machine, timer: int) -> int:
    """``int model_timer_pending(const void *timer)``."""
    return int(_timers(m).pending(timer))


@primitive
def model_timer_running(m: Machine, timer: int) -> int:
    """``int model_timer_running(const void *timer)``: 1 more than the CPU that runs its
    function, or 0."""
    cpu = _timers(m).running.get(timer)
    return 0 if cpu is None else cpu + 1


@primitive
def model_timer_due(m: Machine, kind: int) -> int:
    """``void *model_timer_due(int kind)``: take the next one of this CPU, or NULL."""
    timers = _timers(m)
    cpu = timers.kernel.cpu.number
    queue = timers.due.get((cpu, int(kind)))
    if not queue:
        return 0
    timer = queue.pop(0)
    timers.running[timer] = cpu
    simulation_of(timers.kernel).observe(("timer", timer))
    return timer


@primitive
def model_timers_due(m: Machine, kind: int) -> int:
    """``int model_timers_due(int kind)``: how many of this CPU are due."""
    timers = _timers(m)
    return len(timers.due.get((timers.kernel.cpu.number, int(kind)), ()))


@primitive
def model_timer_done(m: Machine, timer: int) -> None:
    """``void model_timer_done(void *timer)``: its function has returned."""
    _timers(m).running.pop(timer, None)


__all__ = ["HARD", "RCU", "SOFT", "WHEEL", "Timers"]
