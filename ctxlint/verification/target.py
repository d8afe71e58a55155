# SPDX-License-Identifier: GPL-2.0-or-later
"""The way that is to be run, and which branches lead along it.

A :class:`CallPath` is the static witness in terms of the IR: functions from the entry point
to the operation, each with the call that leads on. While an execution follows it, the
distance to the next call in the control-flow graph tells which side of a branch to try
first; where an execution leaves it for good, that branch is the guard.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from ctxlint.ir import ops
from ctxlint.ir.unit import Function, Loc
from ctxlint.ir.verify import targets
from ctxlint.simulator.code import Frame

FAR = 1 << 30


def distances(fn: Function, goals: Sequence[int]) -> dict[int, int]:
    """How many blocks lie between each block and the nearest of ``goals``; blocks from
    which none can be reached are missing."""
    before: dict[int, list[int]] = {}
    for number, block in enumerate(fn.blocks):
        for target in targets(block.term):
            before.setdefault(target, []).append(number)
    found = dict.fromkeys(goals, 0)
    queue = deque(goals)
    while queue:
        at = queue.popleft()
        for source in before.get(at, ()):
            if source not in found:
                found[source] = found[at] + 1
                queue.append(source)
    return found


@dataclass(frozen=True)
class PathStep:
    """A function of the way and the call that leads on (or is the operation)."""

    fn: Function
    call: Loc
    callee: str
    """Symbol of the next function; of the operation at the end."""

    @cached_property
    def places(self) -> frozenset[int]:
        """Indices of the call's location in the function."""
        return frozenset(i for i, loc in enumerate(self.fn.locs) if loc == self.call)

    @cached_property
    def blocks(self) -> frozenset[int]:
        """Blocks with the call."""
        found = set()
        for number, block in enumerate(self.fn.blocks):
            for op in block.ops:
                if isinstance(op, ops.Call) and op.loc in self.places:
                    symbol = op.fn.symbol if isinstance(op.fn, ops.Func) else self.callee
                    if symbol == self.callee or not self._named:
                        found.add(number)
        return frozenset(found)

    @cached_property
    def again(self) -> bool:
        """Whether the call can be made more than once in one call of the function."""
        for start in self.blocks:
            todo, seen = list(targets(self.fn.blocks[start].term)), set()
            while todo:
                block = todo.pop()
                if block in self.blocks:
                    return True
                if block not in seen:
                    seen.add(block)
                    todo += targets(self.fn.blocks[block].term)
        return len(self.blocks) > 1

    @cached_property
    def _named(self) -> bool:
        """Whether a direct call of the callee stands at the place."""
        return any(
            isinstance(op, ops.Call)
            and op.loc in self.places
            and isinstance(op.fn, ops.Func)
            and op.fn.symbol == self.callee
            for block in self.fn.blocks
            for op in block.ops
        )

    @cached_property
    def distance(self) -> dict[int, int]:
        """Branches to pass from a block to the call; :data:`FAR` if it cannot come."""
        return distances(self.fn, sorted(self.blocks))

    def far(self, block: int) -> int:
        return self.distance.get(block, FAR)


@dataclass(frozen=True)
class CallPath:
    steps: tuple[PathStep, ...]

    @property
    def symbols(self) -> frozenset[str]:
        return frozenset(step.fn.symbol for step in self.steps)

    def leads(self, stack: list[Frame], number: int) -> bool:
        """Whether the stack is that of the way up to a leg: each function called where
        the way calls it."""
        at = -1
        for frame in stack:
            if frame.meta.model:
                continue
            at += 1
            if at > number:
                return False
            step = self.steps[at]
            if frame.meta.fn.symbol != step.fn.symbol:
                return False
            if at < number and frame.loc not in step.places:
                return False
        return at == number

    def depth(self, stack: list[Frame]) -> int:
        """How many legs the call stack follows, from its bottom."""
        follows = 0
        for frame in stack:
            if (
                follows < len(self.steps)
                and frame.meta.fn.symbol == self.steps[follows].fn.symbol
            ):
                follows += 1
            elif frame.meta.model or follows == 0:
                continue
            else:
                break
        return follows


@dataclass
class Left:
    """Where an execution left the way: the branch that decided it."""

    step: int
    function: str
    loc: Loc
    taken: int
    """The block that was gone to."""


class Follower:
    """Watches one execution; see :class:`CallPath`."""

    def __init__(self, call_path: CallPath) -> None:
        self.call_path = call_path
        self.reached = 0
        """The furthest leg that was entered, counted from 1."""
        self.arrived = False
        """The operation's call was made."""
        self.left: Left | None = None
        self._exits: dict[str, dict[int, int]] = {}

    def step_of(self, frame: Frame, stack: list[Frame]) -> int | None:
        """The leg that a frame is, if the stack below follows the way."""
        for number, step in enumerate(self.call_path.steps):
            if (
                step.fn.symbol == frame.meta.fn.symbol
                and self.call_path.depth(stack) == number + 1
            ):
                return number
        return None

    def prefer(self, frame: Frame | None, stack: list[Frame]) -> bool | None:
        """Which outcome of a frame's branch leads on; None when it does not matter."""
        if frame is None or frame.meta.fn.symbol not in self.call_path.symbols:
            return None
        number = self.step_of(frame, stack)
        if number is None:
            return None
        self.reached = max(self.reached, number + 1)
        term = frame.meta.fn.blocks[frame.block].term
        if not isinstance(term, ops.Branch):
            return None
        step = self.call_path.steps[number]
        then, els = step.far(term.then), step.far(term.els)
        if then == els:
            return None
        nearer = then < els
        return not nearer if _negated(term.cond) else nearer

    def prefer_exit(self, frame: Frame) -> bool:
        """Outside of the way: the side from which the function returns soonest."""
        fn = frame.meta.fn
        term = fn.blocks[frame.block].term
        if not isinstance(term, ops.Branch):
            return True
        exits = self._exits.get(fn.symbol)
        if exits is None:
            ends = [n for n, b in enumerate(fn.blocks) if isinstance(b.term, ops.Ret)]
            exits = self._exits[fn.symbol] = distances(fn, ends)
        nearer = exits.get(term.then, FAR) <= exits.get(term.els, FAR)
        return not nearer if _negated(term.cond) else nearer

    def took(self, frame: Frame, block: int, stack: list[Frame]) -> None:
        """A branch of a function of the way was decided."""
        number = self.step_of(frame, stack)
        if number is None:
            return
        self.reached = max(self.reached, number + 1)
        step = self.call_path.steps[number]
        if step.far(frame.block) < FAR and step.far(block) == FAR:
            term = frame.meta.fn.blocks[frame.block].term
            assert isinstance(term, ops.Branch)
            if self.left is None or number >= self.left.step:
                self.left = Left(number, frame.meta.name, frame.meta.fn.locs[term.loc], block)


def _negated(cond: ops.Expr) -> bool:
    """Whether what is decided first in a condition is the opposite of the whole."""
    negated = False
    while isinstance(cond, ops.Un) and cond.op == "!":
        cond = cond.e
        negated = not negated
    return negated
