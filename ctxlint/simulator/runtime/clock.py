# SPDX-License-Identifier: GPL-2.0-or-later
"""The clock's side of the scheduler: what happens at a certain time.

Time stands still while anything can run, but for the delays of the code itself; when
everybody waits it jumps to the next thing that is due.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush


@dataclass(order=True)
class Event:
    """Something due at ``time`` microseconds; ``run`` is called between two steps."""

    time: int
    number: int
    run: Callable[[], object] = field(compare=False)
    name: str = field(compare=False, default="")
    cancelled: bool = field(compare=False, default=False)


class EventQueue:
    """Events in the order of their times, and of their making where those are equal."""

    def __init__(self) -> None:
        self._heap: list[Event] = []
        self._made = 0

    def add(self, time: int, run: Callable[[], object], name: str = "") -> Event:
        self._made += 1
        event = Event(time, self._made, run, name)
        heappush(self._heap, event)
        return event

    def next(self) -> int | None:
        """When the next one is due."""
        while self._heap and self._heap[0].cancelled:
            heappop(self._heap)
        return self._heap[0].time if self._heap else None

    def due(self, now: int) -> Event | None:
        """Take the next one that is due."""
        time = self.next()
        if time is None or time > now:
            return None
        return heappop(self._heap)

    def names(self) -> list[str]:
        return [event.name for event in sorted(self._heap) if not event.cancelled]


__all__ = ["Event", "EventQueue"]
