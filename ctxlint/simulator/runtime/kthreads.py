# SPDX-License-Identifier: GPL-2.0-or-later
"""Threads that drivers make: behind ``rules/models/kthread.c``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ctxlint.simulator.machine import Machine, primitive
from ctxlint.simulator.runtime.context import TaskObjects
from ctxlint.simulator.runtime.printk import formatted
from ctxlint.simulator.runtime.scheduler import simulation_of
from ctxlint.simulator.runtime.state import Kernel, kernel_of
from ctxlint.simulator.runtime.tasks import Thread
from ctxlint.simulator.runtime.threads import literal, spawn, wait

_EINTR = 4


@dataclass(eq=False)
class KThread:
    """Flags are 0 or 1; ``result`` is what a thread that ended itself gave."""

    thread: Thread
    wake: int = 0
    stop: int = 0
    park: int = 0
    parked: int = 0
    result: int = 0
    exited: bool = False


class KThreads:
    """Threads by the address of their task's record."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.by_task: dict[int, KThread] = {}


def _threads(m: Machine) -> KThreads:
    return kernel_of(m).part(KThreads)


@primitive
def model_kthread(m: Machine, fn: int, data: Any, name: int, cpu: int) -> int:
    """``struct task_struct *model_kthread(int (*fn)(void *), void *data, const char
    *name, int cpu)``: a thread that waits to be woken; its name is a format with the
    caller's variable arguments. CPU -1: the caller's, and not bound to it."""
    kernel = kernel_of(m)
    rest = list(m.varargs[-1]) if m.varargs and int(cpu) < 0 else [int(cpu)]
    comm = formatted(m, m.mem.text(name), rest)[:15]
    where = kernel.cpu.number if int(cpu) < 0 else int(cpu)
    thread = spawn(m, comm, where, fn, data)
    thread.task.pinned = int(cpu) >= 0
    made = KThread(thread)
    body = thread.body
    # One that is stopped before it was ever woken does not run at all.
    address = kernel.part(TaskObjects).address(thread.task)
    sim = simulation_of(kernel)

    def run() -> Any:
        sim.observe(("kthread", address))
        result = body() if made.wake else -_EINTR
        sim.publish(("kthread", address))
        return result

    thread.body = run
    thread.ready = lambda: bool(made.wake or made.stop)
    kernel.part(KThreads).by_task[address] = made
    return address


@primitive
def model_kthread_get(m: Machine, task: int, what: int) -> int:
    """``int model_kthread_get(const struct task_struct *task, const char *what)``: of
    :class:`KThread`; 0 for a task that is none."""
    found = _threads(m).by_task.get(task)
    if found is None:
        return 0
    name = literal(m, what)
    if name == "result" and found.thread.done and not found.exited:
        return int(found.thread.result or 0)
    return int(getattr(found, name))


@primitive
def model_kthread_set(m: Machine, task: int, what: int, value: int) -> int:
    """``int model_kthread_set(struct task_struct *task, const char *what, int value)``:
    also ``"cpu"``, which binds it. Whether that changed anything."""
    found = _threads(m).by_task.get(task)
    if found is None:
        return 0
    sim = simulation_of(kernel_of(m))
    name = literal(m, what)
    sim.publish(("kthread", task))
    if name == "cpu":
        found.thread.task.pinned = True
        sim.move(found.thread, int(value))
        return 1
    if name == "result":
        found.exited = True
    changed = getattr(found, name) != int(value)
    setattr(found, name, int(value))
    if name != "result":
        sim.point(f"kthread {name}", found.thread.task.comm)
    return int(changed)


@primitive
def model_kthread_await(m: Machine, task: int, what: int) -> None:
    """``void model_kthread_await(struct task_struct *task, const char *what)``: say that
    the next call of the scheduler waits until it is ``"done"``, ``"parked"`` or
    ``"unparked"``."""
    kernel = kernel_of(m)
    found = kernel.part(KThreads).by_task[task]
    name = literal(m, what)
    sim = simulation_of(kernel)

    def ready() -> bool:
        if name == "done":
            there = found.thread.done
        elif name == "parked":
            there = bool(found.parked) or found.thread.done
        else:
            there = not found.park or bool(found.stop)
        if there:
            sim.observe(("kthread", task))
        return there

    wait(kernel, ready, f"{found.thread.task.comm} to be {name}")


__all__ = ["KThread", "KThreads"]
