# SPDX-License-Identifier: GPL-2.0-or-later
"""What one execution runs on: its machine, its guide, and all that it is not alone with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ctxlint.simulator.code import Frame
from ctxlint.simulator.machine import Machine
from ctxlint.simulator.runtime.state import Kernel, Report, SingleTask
from ctxlint.simulator.unknowns import Sym
from ctxlint.verification.execution import Path
from ctxlint.verification.interference import Shared
from ctxlint.verification.target import Follower


class FollowedMachine(Machine):
    """A machine whose executions are followed along a way, in memory that others share."""

    follower: Follower
    shared: Shared

    def took(self, frame: Frame, block: int) -> None:
        self.follower.took(frame, block, self.stack)

    def enter(self, size: int) -> int:
        sp = super().enter(size)
        self.shared.frames.append((sp, size, self.stack[-1].meta))
        return sp

    def leave(self, size: int) -> None:
        super().leave(size)
        frames = self.shared.frames
        while frames and frames[-1][0] < self.sp:
            frames.pop()

    def load_volatile(self, address: Any, size: int, declared: bool) -> Any:
        self.shared.lose(address, size, dependent=not declared)
        return self.mem.load(address, size)


class PathGuide:
    def __init__(self, follower: Follower, m: Machine) -> None:
        self.follower = follower
        self.m = m
        self.turns: dict[tuple[str, int], bool] = {}

    def prefer(self, frame: Frame | None) -> bool:
        if frame is None:
            return True
        follower, stack = self.follower, self.m.stack
        follower.reached = max(follower.reached, follower.call_path.depth(stack))
        wanted = follower.prefer(frame, stack)
        if wanted is None:
            wanted = follower.prefer_exit(frame)
            # Off the way, what went one way before goes the other way now: a loop that
            # waits for the outcome of a test in a function ends.
            site = (frame.meta.fn.symbol, frame.block)
            turn = self.turns.get(site)
            if turn is not None:
                wanted = not turn
            self.turns[site] = wanted
        return wanted


class Others(SingleTask):
    """Nobody else runs, but wherever somebody could, what they reach may have changed."""

    def __init__(self, kernel: Kernel, shared: Shared, path: Path) -> None:
        super().__init__(kernel)
        self.shared = shared
        self.path = path

    def point(self, kind: str, what: object = None) -> None:
        if kind == "mmio":
            address = self.path.locate(what) if isinstance(what, Sym) else what
            assert isinstance(address, int)
            obj = self.path.object_at(address)
            if obj is not None:
                obj.facts["mmio"] = True
            self.shared.event()
            self.shared.lose(address, 8, dependent=False)
            return
        if kind == "atomic":
            self.shared.racy(what)
        self.shared.event()

    def block(self, ready: Callable[[], bool], why: str, timeout: int | None = None) -> bool:
        self.shared.event()
        return super().block(ready, why, timeout)

    def spin(self, ready: Callable[[], bool], why: str) -> None:
        self.shared.event()
        super().spin(ready, why)

    def advance(self, microseconds: int) -> None:
        super().advance(microseconds)
        self.shared.event()


class Watched(list[Report]):
    """Reports, each told to a function when it is added."""

    def __init__(self, reported: Callable[[Report], None]) -> None:
        super().__init__()
        self.reported = reported

    def append(self, report: Report) -> None:
        super().append(report)
        self.reported(report)


__all__ = ["FollowedMachine", "Others", "PathGuide", "Watched"]
