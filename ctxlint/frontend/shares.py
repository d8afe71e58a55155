# SPDX-License-Identifier: GPL-2.0-or-later
"""Work on many items in forked children of this process, which have all that it has."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from multiprocessing.connection import Pipe
from typing import TypeVar

from ctxlint.frontend.fork import Fork

T = TypeVar("T")

_FEW = 8
"""Items for which children are not worth their start."""


def each(work: Callable[[T], bytes], items: Sequence[T], processes: int) -> list[bytes]:
    """``work`` of each item, in order, in up to ``processes`` processes.

    What a child did not do, because it ended or is not there, is done here, so errors of
    ``work`` are raised here. With several threads nothing is forked.
    """
    done: dict[int, bytes] = {}
    count = min(processes, len(items) // _FEW + 1)
    children = []
    if count > 1 and threading.active_count() == 1:
        children = [_Child(work, items, first, count) for first in range(1, count)]
    try:
        for number in range(0, len(items), count if children else 1):
            done[number] = work(items[number])
        for child in children:
            done |= child.results()
    finally:
        for child in children:
            child.end()
    return [done[n] if n in done else work(item) for n, item in enumerate(items)]


class _Child:
    """A process that works on every ``step``-th item from ``first`` on."""

    def __init__(
        self, work: Callable[[T], bytes], items: Sequence[T], first: int, step: int
    ) -> None:
        self.numbers = range(first, len(items), step)
        self.pipe, theirs = Pipe(duplex=False)

        def life() -> None:
            # All at the end: the parent reads when it has done its own share.
            for blob in [work(items[number]) for number in self.numbers]:
                theirs.send_bytes(blob)

        with theirs:
            self.process = Fork(theirs, life)

    def results(self) -> dict[int, bytes]:
        """What it did, by the numbers of the items."""
        found: dict[int, bytes] = {}
        for number in self.numbers:
            try:
                found[number] = self.pipe.recv_bytes()
            except (EOFError, OSError):
                break
        return found

    def end(self) -> None:
        """Make sure that it is gone."""
        self.pipe.close()
        self.process.kill()
        self.process.wait()
