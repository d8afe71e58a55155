# SPDX-License-Identifier: GPL-2.0-or-later
"""What a run did, step by step: who, where, in which context, with which effect."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple


class Step(NamedTuple):
    """``word`` is preempt_count, with :data:`IRQS_OFF` for interrupts off. ``place`` is
    ``file:line``, ``effect`` what happened: ``"lock ..."``, ``"switch"``, ..."""

    time: int
    cpu: int
    pid: int
    comm: str
    word: int
    place: str
    effect: str


IRQS_OFF = 1 << 32


class Trace:
    """The steps of a run. With ``limit``, the last so many."""

    def __init__(self, limit: int = 100_000) -> None:
        self.limit = limit
        self.steps: list[Step] = []
        self.dropped = 0

    def add(self, step: Step) -> None:
        self.steps.append(step)
        if len(self.steps) >= 2 * self.limit:
            self.dropped += self.limit
            del self.steps[: self.limit]

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def lines(self) -> list[str]:
        """One line each, for tests and for people."""
        return [
            f"{s.time:>8} CPU{s.cpu} {s.comm}/{s.pid} {s.word & 0xFFFF_FFFF:x}"
            f"{'-' if s.word & IRQS_OFF else '+'} {s.place} {s.effect}"
            for s in self.steps
        ]


__all__ = ["IRQS_OFF", "Step", "Trace"]
