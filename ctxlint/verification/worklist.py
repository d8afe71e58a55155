# SPDX-License-Identifier: GPL-2.0-or-later
"""Which execution is tried next.

Two orders take turns. *Depth first* changes the latest decision before the way was left:
it is often the very test that led off, or lies in a function that the test called.
*Novelty* prefers outcomes that were tried least, so that a loop of tests which have
nothing to do with the way does not use up the time.
"""

from __future__ import annotations

import heapq

from ctxlint.verification.execution import Decision, Site

_Item = tuple[tuple[int, ...], int]


class Worklist:
    """Lists of decisions that are still to be executed; each is given out once."""

    def __init__(self) -> None:
        self._open: dict[int, tuple[Decision, ...]] = {0: ()}
        self._deep: list[_Item] = [((0,), 0)]
        self._novel: list[_Item] = [((0,), 0)]
        self._tried: dict[tuple[Site, bool], int] = {}
        self._serial = 0
        self._turn = False

    def __bool__(self) -> bool:
        return bool(self._open)

    def add(
        self,
        decisions: tuple[Decision, ...],
        site: Site,
        taken: bool,
        *,
        left: bool,
        reached: int,
    ) -> None:
        """``taken`` is the outcome at ``site``, the last decision of the list; ``left``
        whether the path was lost before, ``reached`` how far along it that was."""
        self._serial += 1
        tried = self._tried.get((site, taken), 0)
        self._tried[site, taken] = tried + 1
        self._open[self._serial] = decisions
        late = -len(decisions)
        heapq.heappush(self._deep, ((int(left), -reached, late), self._serial))
        heapq.heappush(self._novel, ((int(left), tried, -reached, late), self._serial))

    def next(self) -> tuple[Decision, ...]:
        """The list to execute now; there must be one."""
        self._turn = not self._turn
        queue = self._deep if self._turn else self._novel
        while True:
            _, serial = heapq.heappop(queue)
            found = self._open.pop(serial, None)
            if found is not None:
                return found
