# SPDX-License-Identifier: GPL-2.0-or-later
"""What the scheduler knows of a task: its coroutine, and what it waits for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from greenlet import greenlet

from ctxlint.simulator.runtime.state import Task

Ready = Callable[[], bool]
NORMAL, URGENT, STOPPER = 0, 1, 2
"""Ranks: a task of a higher one takes the CPU as soon as that can be preempted."""


@dataclass(eq=False)
class Thread:
    """The other half of a :class:`Task` (``task.lr``).

    It can run unless it waits: until ``ready()``, or until ``deadline`` (microseconds of
    the model's clock). ``busy`` waits keep the CPU. ``why`` is for people; a daemon that
    waits for something to do has none, and is no part of a hang.
    """

    task: Task
    number: int
    body: Callable[[], Any]
    daemon: bool = False
    rank: int = NORMAL
    coroutine: greenlet | None = None
    ready: Ready | None = None
    deadline: int | None = None
    busy: bool = False
    why: str = ""
    done: bool = False
    lost: bool = False
    """It gave up its CPU where no task may, and nothing brings it back."""
    moves: bool = False
    """It leaves a CPU that goes offline although it is bound to it (workers do)."""
    result: Any = None
    clock: dict[int, int] = field(default_factory=dict)
    """Vector clock (``runtime/race``)."""

    @property
    def waiting(self) -> bool:
        return self.ready is not None or self.deadline is not None

    def can_run(self, now: int) -> bool:
        if self.done or self.lost:
            return False
        if self.ready is None and self.deadline is None:
            return True
        if self.deadline is not None and self.deadline <= now:
            return True
        return self.ready is not None and self.ready()

    def __str__(self) -> str:
        return f"{self.task.comm}/{self.task.pid}"


@dataclass(eq=False)
class Interrupt:
    """Something that a CPU will take. ``level`` 0 is an interrupt, masked while those
    are off; the others are not: 1 an NMI or a normal SDEI event, 2 a critical one. Each
    is handled on top of what has a lower level. ``run()`` begins with interrupts off.
    While ``open()`` is False it waits."""

    name: str
    run: Callable[[], object]
    level: int = 0
    open: Callable[[], bool] | None = None


def thread_of(task: Task) -> Thread:
    """The scheduler's half of a task; it must have one."""
    thread = task.lr
    assert isinstance(thread, Thread), task.comm
    return thread


__all__ = ["NORMAL", "STOPPER", "URGENT", "Interrupt", "Ready", "Thread", "thread_of"]
