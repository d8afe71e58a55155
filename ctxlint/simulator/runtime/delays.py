# SPDX-License-Identifier: GPL-2.0-or-later
"""Loops that only read and wait a microsecond, a million times over.

While nobody else can run, such a delay is time that passes and nothing more. To see that
nobody can, every waiting task has to be asked; but for a loop that stores nothing but its
own variables the answer stays the same from one turn to the next, until a time comes that
somebody waits for. So it is asked once, and the results are those of asking each time.

If no such time will ever come, and the loop's variables do not change either, it is endless.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import msgspec

from ctxlint.ir import ops
from ctxlint.ir.unit import Block, Function
from ctxlint.simulator.code import Frame
from ctxlint.simulator.image import Image

FOREVER = 1 << 62
_WAITS = "model_advance"
_POINT = "model_point"
_TURNS = 1000
"""How often a loop may go round before it is looked at; what devices count by their reads
has come to its end by then."""


class Delays:
    """The loop in which the running task waits, and until when nobody else can run."""

    def __init__(self, image: Image) -> None:
        self.image = image
        self._frame: Frame | None = None
        self._loc = -1
        self._until = 0
        self._still: dict[tuple[str, int], bool] = {}
        self._turns = 0
        self._seen: dict[str, Any] = {}

    def quiet(self, stack: list[Frame], until: int) -> bool:
        """Whether it is known that nothing but this loop happens before a time."""
        if len(stack) < 2 or stack[-2] is not self._frame:
            return False
        return self._frame.loc == self._loc and until < self._until

    def forget(self) -> None:
        self._frame = None

    def remember(self, stack: list[Frame], until: int) -> None:
        """Nobody else can run before ``until``, if this is a loop that stores nothing."""
        self._frame = None
        if len(stack) < 2:
            return
        frame, fn = stack[-2], stack[-2].meta.fn
        key = fn.symbol, frame.loc
        if key not in self._still:
            self._still[key] = self._is_still(fn, frame.loc)
        if self._still[key]:
            self._frame, self._loc, self._until = frame, frame.loc, until
            self._turns = 0

    def endless(self) -> Frame | None:
        """The loop that is known to be quiet, if it is at the same point with the same
        variables as a turn ago, and nothing will ever happen."""
        self._turns += 1
        if self._turns < _TURNS or self._until < FOREVER:
            return None
        python = sys._getframe(1)
        while python.f_locals.get("F") is not self._frame:
            if python.f_back is None:
                return None
            python = python.f_back
        before, self._seen = self._seen, dict(python.f_locals)
        return self._frame if before == self._seen and self._turns > _TURNS else None

    # what a loop does

    def _is_still(self, fn: Function, loc: int) -> bool:
        blocks = fn.blocks
        start = next(
            (i for i, b in enumerate(blocks) if any(self._delay(op, loc) for op in b.ops)), None
        )
        if start is None:
            return False
        loop = [i for i in _from(blocks, start) if i == start or start in _from(blocks, i)]
        if start not in {s for i in loop for s in _next(blocks[i].term)}:
            return False
        taken = _addressed(fn)
        return all(self._harmless(op, taken) for i in loop for op in blocks[i].ops)

    def _delay(self, op: Any, loc: int) -> bool:
        return isinstance(op, ops.Call) and op.loc == loc and self._only_waits(op)

    def _harmless(self, op: Any, taken: set[int]) -> bool:
        if isinstance(op, ops.Call):
            return op.dst is None and self._only_waits(op)
        if isinstance(op, ops.Assign):
            return isinstance(op.dst, ops.Var) and op.dst.slot not in taken
        return False

    def _only_waits(self, call: ops.Call) -> bool:
        """A call of a function that does nothing else, or of one without a body (which
        is not come to, or ends the run)."""
        if not isinstance(call.fn, ops.Func):
            return False
        fn = self.image.resolve(call.fn.symbol)
        if fn is None:
            return not call.fn.symbol.startswith("model_")
        calls = [op for block in fn.blocks for op in block.ops if isinstance(op, ops.Call)]
        others = [op for block in fn.blocks for op in block.ops if isinstance(op, ops.Asm)]
        names = [c.fn.symbol for c in calls if isinstance(c.fn, ops.Func)]
        return not others and names in ([_WAITS], [_POINT, _WAITS])


def _next(term: ops.Term) -> Iterator[int]:
    if isinstance(term, ops.Jump):
        yield term.to
    elif isinstance(term, ops.Branch):
        yield from (term.then, term.els)
    elif isinstance(term, ops.Switch):
        yield from (block for _, _, block in term.cases)
        yield term.default
    elif isinstance(term, ops.AsmGoto):
        yield from (term.fall, *term.targets)
    elif isinstance(term, ops.IndirectJump):
        yield from term.targets


def _from(blocks: tuple[Block, ...], start: int) -> list[int]:
    """The blocks that control can come to from one, in order; itself on a way back."""
    found: set[int] = set()
    work = [start]
    while work:
        for other in _next(blocks[work.pop()].term):
            if other not in found:
                found.add(other)
                work.append(other)
    return sorted(found)


def _addressed(fn: Function) -> set[int]:
    """Slots of variables whose address is taken."""
    found: set[int] = set()

    def walk(node: Any) -> None:
        if isinstance(node, ops.Addr):
            inner: Any = node.lvalue
            while isinstance(inner, ops.Field | ops.Index):
                inner = inner.base
            if isinstance(inner, ops.Var):
                found.add(inner.slot)
        if isinstance(node, msgspec.Struct):
            for name in node.__struct_fields__:
                walk(getattr(node, name))
        elif isinstance(node, tuple):
            for item in node:
                walk(item)

    walk(fn.blocks)
    return found


__all__ = ["FOREVER", "Delays"]
