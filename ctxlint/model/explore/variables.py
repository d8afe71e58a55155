# SPDX-License-Identifier: GPL-2.0-or-later
"""Variables at the start of an execution: what of them is known.

An execution begins at an entry point, long after the kernel booted. A variable that no
function writes has its value of start-up; of others, only what is sure to last is taken
to be known. All that is not known becomes a named symbol when it is read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import yaml

from ctxlint.ir import ops
from ctxlint.ir.types import TArray, TPtr, TRecord, Type
from ctxlint.ir.unit import GlobalVar
from ctxlint.ir.walk import children, expressions
from ctxlint.model.explore.path import Path
from ctxlint.model.image import (
    DATA,
    MODEL_FILES,
    PERCPU,
    PERCPU_STRIDE,
    TEXT,
    Image,
    ImageError,
)
from ctxlint.model.machine import Machine
from ctxlint.model.memory import PAGE, Object, Page, sym_page
from ctxlint.model.runtime.library import BOOT
from ctxlint.model.values import Value
from ctxlint.rulebook import models_directory


@dataclass(frozen=True)
class Writes:
    """What functions do to variables: ``stored`` byte ranges, and ``escaped`` ones, whose
    address goes somewhere."""

    stored: Mapping[str, tuple[tuple[int, int], ...]]
    escaped: frozenset[str]


@cache
def lasting_variables() -> frozenset[str]:
    """``rules/models/lasting.yaml``."""
    path = models_directory() / "lasting.yaml"
    return frozenset(yaml.safe_load(path.read_text(encoding="utf-8")))


def _of_model(variable: GlobalVar) -> bool:
    """Whether a model file stands in for a variable of the kernel."""
    return variable.file.startswith(MODEL_FILES) and "::" not in variable.symbol


def _private(variable: GlobalVar) -> bool:
    """Whether it belongs to a model file alone."""
    return variable.file.startswith(MODEL_FILES) and "::" in variable.symbol


def _local(number: int) -> int:
    """The page number of a variable itself, for a page of a CPU's copy."""
    first = PERCPU // PAGE
    if first <= number < first + (1 << 40) // PAGE:
        return first + (number - first) % (PERCPU_STRIDE // PAGE)
    return number


class Variables:
    """Pages of variables, for one execution. ``values``: numbers that a variable can
    have in the entry's execution context."""

    def __init__(
        self, path: Path, writes: Writes, values: Mapping[str, tuple[int, ...]]
    ) -> None:
        self.path = path
        self.writes = writes
        self.values = values
        self.booting = False

    def boot(self, m: Machine) -> None:
        """Let the model fill its variables, and forget those that may differ."""
        self.booting = True
        m.call(BOOT)
        self.booting = False
        lasting = lasting_variables()
        for number in list(m.mem.pages):
            placed = m.image.placed_at(_local(number))
            variable = None if placed is None else placed.variable
            if variable is not None and _of_model(variable) and variable.name not in lasting:
                m.mem.unmap(number * PAGE)

    def page(self, m: Machine, symbol: str, number: int) -> Page:
        """A page of a variable: known where its value at start-up is sure to last."""
        name = symbol.rpartition("::")[2]
        placed = m.image.placed(symbol)
        assert placed is not None
        page_address = number * PAGE
        start = placed.address
        if placed.percpu:
            start = page_address - (page_address - placed.address) % PERCPU_STRIDE
        key = placed.type.key if isinstance(placed.type, TRecord) else ""
        obj = Object(start, placed.size, name, "global", key)
        if name in self.values:
            numbers = self.values[name]
            value = self.path.fresh(name, placed.size, low=min(numbers), high=max(numbers))
            for wrong in range(min(numbers), max(numbers)):
                if wrong not in numbers:
                    self.path.condition.add(value == wrong, False)
            page = sym_page(namer=self.path.namer(obj, page_address))
            m.mem.map(page_address, page)
            m.mem.store(placed.address, placed.size, value)
            return page
        init = m.image.initial(placed)
        if self.booting or (placed.variable is not None and _private(placed.variable)):
            assert init is not None
            return bytearray(init[page_address - start :][:PAGE].ljust(PAGE, b"\0"))
        page = sym_page(namer=self._namer(m, placed.type, placed.types, obj, page_address))
        if init is not None:
            first = page_address - start
            content = init[first : first + PAGE]
            page[: len(content)] = content
            assert page.known is not None
            self._known(symbol, first, content, page.known)
        return page

    def _known(self, symbol: str, first: int, content: bytes, known: bytearray) -> None:
        """Mark the bytes of a variable that are what they were at start-up: all of one
        that nobody writes. Of one that is handed around: pointers to functions and
        literals (a list head, say, points to itself only at first)."""
        if symbol not in self.writes.escaped and symbol not in self.writes.stored:
            known[:] = b"\1" * PAGE
            return
        if symbol in self.writes.escaped:
            for low in range(0, len(content) - 7, 8):
                word = int.from_bytes(content[low : low + 8], "little")
                if TEXT <= word < DATA:
                    known[low : low + 8] = b"\1" * 8
        else:
            known[:] = b"\1" * PAGE
        for start, end in self.writes.stored.get(symbol, ()):
            low, high = max(start - first, 0), min(end - first, PAGE)
            if low < high:
                known[low:high] = bytes(high - low)

    def _namer(
        self, m: Machine, type_: Type, types: tuple[Type, ...], obj: Object, page_address: int
    ) -> Callable[[int, int], Value]:
        plain = self.path.namer(obj, page_address)
        if isinstance(type_, TRecord | TArray):
            return plain
        target = types[type_.to] if isinstance(type_, TPtr) else None
        key = target.key if isinstance(target, TRecord) else ""

        def name(offset: int, size: int) -> Value:
            if page_address + offset != obj.base:
                return plain(offset, size)
            sym = self.path.fresh(obj.name, size)
            self.path.points_to[id(sym)] = key
            return sym

        return name


def writes_of(image: Image) -> Writes:
    """Which variables can hold something else than at start-up."""
    stored: dict[str, set[tuple[int, int]]] = {}
    escaped: set[str] = set()
    for fn in image.functions.values():
        for e in expressions(fn):
            if isinstance(e, ops.Addr):
                symbol, _, _ = _rooted(e.lvalue)
                if symbol:
                    escaped.add(symbol)
        for block in fn.blocks:
            for op in block.ops:
                dst = op.dst if isinstance(op, ops.Assign | ops.Call) else None
                if dst is None:
                    continue
                symbol, offset, exact = _rooted(dst)
                if not symbol:
                    continue
                end = 1 << 30
                if exact and not isinstance(dst, ops.Var):
                    try:
                        size = image.size_of(fn.types[dst.type], fn.types)
                        end = offset + max(size, 1)
                    except ImageError:
                        pass
                stored.setdefault(symbol, set()).add((offset if exact else 0, end))
    for variable in image.variables.values():
        stack: list[ops.Expr] = [variable.init] if variable.init is not None else []
        while stack:
            at = stack.pop()
            if isinstance(at, ops.Global):
                escaped.add(at.symbol)
            stack += children(at)
    return Writes({k: tuple(sorted(v)) for k, v in sorted(stored.items())}, frozenset(escaped))


def _rooted(e: ops.Expr) -> tuple[str, int, bool]:
    """``(variable, offset in bytes, whether that is exact)`` of a part of a variable."""
    offset, exact = 0, True
    while isinstance(e, ops.Field | ops.Index):
        if isinstance(e, ops.Field):
            offset += e.offset // 8
        else:
            exact = False
        e = e.base
    return (e.symbol, offset, exact) if isinstance(e, ops.Global) else ("", 0, False)


__all__ = ["Variables", "Writes", "writes_of"]
