# SPDX-License-Identifier: GPL-2.0-or-later
"""What the running task waits for when it enters the scheduler.

A model function says the condition first (``model_wait_word()``, ``model_wait_time()``,
``model_wait_lock()``) and then calls the scheduler, where ``model_switch()`` gives the
CPU away until it holds. Without a condition the task only gives way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ctxlint.simulator.machine import Machine, primitive
from ctxlint.simulator.runtime.state import Kernel, Task, kernel_of


@dataclass
class Wait:
    """``timeout`` is in microseconds, None for none."""

    ready: Callable[[], bool]
    why: str
    timeout: int | None = None


class Waits:
    """The condition that each task has announced; ``due`` are words that become 1 at a
    time."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self._announced: dict[int, Wait] = {}
        self.due: dict[int, int] = {}

    def settle(self) -> None:
        """Write the words whose time has come."""
        for address, time in sorted(self.due.items()):
            if time <= self.kernel.now:
                del self.due[address]
                self.kernel.m.store(address, 4, 1)

    def announce(self, task: Task, wait: Wait) -> None:
        """A later condition of the same task adds its timeout to the earlier one."""
        before = self._announced.get(id(task))
        if before is not None and wait.timeout is not None and before.timeout is None:
            before.timeout = wait.timeout
        else:
            self._announced[id(task)] = wait

    def announced(self, task: Task) -> Wait | None:
        return self._announced.get(id(task))

    def take(self, task: Task) -> Wait | None:
        return self._announced.pop(id(task), None)


def _waits(m: Machine) -> tuple[Waits, Task]:
    kernel = kernel_of(m)
    return kernel.part(Waits), kernel.task


@primitive
def model_wait_word(m: Machine, address: int, why: int) -> None:
    """``void model_wait_word(const unsigned int *address, const char *why)``: until it is
    other than 0."""
    waits, task = _waits(m)
    place = int(address)
    text = m.mem.text(why)
    due = waits.due.get(place)
    timeout = None if due is None else max(due - waits.kernel.now, 0)
    waits.announce(task, Wait(lambda: bool(m.mem.load(place, 4)), text, timeout))


@primitive
def model_set_later(m: Machine, address: int, microseconds: int) -> None:
    """``void model_set_later(unsigned int *address, unsigned long us)``: it becomes 1
    after that time, for whoever waits for it."""
    waits, _ = _waits(m)
    waits.due[int(address)] = waits.kernel.now + int(microseconds)


@primitive
def model_wait_time(m: Machine, microseconds: Any) -> None:
    """``void model_wait_time(long us)``: at most that long; alone, exactly that long."""
    waits, task = _waits(m)
    waits.announce(task, Wait(lambda: False, "the time", max(int(microseconds), 0)))


@primitive
def model_sleeps(m: Machine) -> int:
    """``int model_sleeps(void)``: whether the task has said what it waits for."""
    waits, task = _waits(m)
    return int(waits.announced(task) is not None)


@primitive
def model_switch(m: Machine) -> None:
    """``void model_switch(void)``: the CPU goes to others until the condition holds."""
    waits, task = _waits(m)
    kernel = kernel_of(m)
    wait = waits.take(task)
    if wait is None:
        kernel.sched.point("schedule")
    else:
        kernel.sched.block(wait.ready, wait.why, wait.timeout)
        waits.settle()


__all__ = ["Wait", "Waits"]
