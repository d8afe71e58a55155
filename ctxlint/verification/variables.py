# SPDX-License-Identifier: GPL-2.0-or-later
"""Variables at the start of an execution: what of them is known.

An execution begins at an entry point, long after the kernel booted. A variable that no
function writes has its value of start-up; of others, only what is sure to last is taken
to be known. All that is not known becomes a named symbol when it is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from ctxlint.base import yamldata
from ctxlint.ir import ops
from ctxlint.ir.types import TArray, TPtr, TRecord, Type
from ctxlint.ir.unit import Block, Function, GlobalVar
from ctxlint.ir.walk import children, operands
from ctxlint.rulebook import models_directory
from ctxlint.simulator.image import (
    MODEL_FILES,
    PERCPU,
    PERCPU_STRIDE,
    Image,
    ImageError,
    Placed,
)
from ctxlint.simulator.machine import Machine
from ctxlint.simulator.memory import PAGE, Object, Page, sym_page
from ctxlint.simulator.runtime.library import BOOT
from ctxlint.simulator.unknowns import Value
from ctxlint.verification.execution import Path


@dataclass(frozen=True)
class Writes:
    """What functions do to variables: ``stored`` byte ranges, and ``escaped`` ones, whose
    address goes somewhere; ``unread`` are files of which something was not understood."""

    stored: Mapping[str, tuple[tuple[int, int], ...]]
    escaped: frozenset[str]
    unread: frozenset[str] = frozenset()


@cache
def lasting_variables(is_open: bool) -> frozenset[str]:
    """``rules/models/lasting.yaml``: those of any machine, unless ``is_open`` with those
    of the machine that the model has."""
    path = models_directory() / "lasting.yaml"
    found = yamldata.load(path.read_text(encoding="utf-8"))
    return frozenset(found["any"] + ([] if is_open else found["machine"]))


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
        self,
        path: Path,
        writes: Writes,
        values: Mapping[str, tuple[int, ...]],
        *,
        is_open: bool = False,
    ) -> None:
        self.path = path
        self.writes = writes
        self.values = values
        self.last = lasting_variables(is_open)
        self.booting = False
        self.lasting: dict[int, bytes] = {}
        """By page: which bytes nobody changes."""

    def boot(self, m: Machine) -> None:
        """Let the model fill its variables, and forget those that may differ."""
        self.booting = True
        m.call(BOOT)
        self.booting = False
        for number in list(m.mem.pages):
            placed = m.image.placed_at(_local(number))
            variable = None if placed is None else placed.variable
            if variable is not None and _of_model(variable) and variable.name not in self.last:
                m.mem.unmap(number * PAGE)

    def is_open(self, variable: GlobalVar) -> bool:
        """Whether code that was not read may write it, or write it by address."""
        if "weak" in variable.attrs or variable.file in self.writes.unread:
            return True
        if "const" in variable.attrs:
            return False
        return "static" not in variable.attrs or variable.symbol in self.writes.escaped

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
            page.syms[placed.address - page_address] = (placed.size, value)
            assert page.known is not None
            page.known[:] = b"\1" * PAGE
            self.lasting[number] = bytes(page.known)
            m.mem.map(page_address, page)
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
            self._known(placed.variable, symbol, first, content, page.known)
            self.lasting[number] = bytes(page.known)
        return page

    def _known(
        self,
        variable: GlobalVar | None,
        symbol: str,
        first: int,
        content: bytes,
        known: bytearray,
    ) -> None:
        """Mark the bytes of a variable that are what they were at start-up: all of a
        constant, and those of a static one that no function of its file writes. What
        other files can reach, by its name or by its address, is open."""
        if variable is not None and self.is_open(variable) and not self._fixed(variable):
            return
        known[:] = b"\1" * PAGE
        if variable is not None and "const" in variable.attrs:
            return
        for start, end in self.writes.stored.get(symbol, ()):
            low, high = max(start - first, 0), min(end - first, PAGE)
            if low < high:
                known[low:high] = bytes(high - low)

    def _fixed(self, variable: GlobalVar) -> bool:
        """A variable of the model whose value lasts."""
        return _of_model(variable) and variable.name in self.last

    def likely(self, m: Machine, placed: Placed, address: int) -> int | None:
        """The function that a member of a variable points to at start-up, where code
        that was not read may have put another one there."""
        init = m.image.initial(placed)
        offset = (
            (address - placed.address) % PERCPU_STRIDE
            if placed.percpu
            else (address - placed.address)
        )
        if init is None or placed.variable is None or not 0 <= offset <= len(init) - 8:
            return None
        if any(
            start < offset + 8 and offset < end
            for start, end in self.writes.stored.get(placed.symbol, ())
        ):
            return None
        word = int.from_bytes(init[offset : offset + 8], "little")
        return word if m.image.function_at(word) is not None else None

    def _namer(
        self, m: Machine, type_: Type, types: tuple[Type, ...], obj: Object, page_address: int
    ) -> Callable[[int, int], Value]:
        plain = self._pointers(m, self.path.namer(obj, page_address), page_address)
        if isinstance(type_, TRecord | TArray):
            return plain
        target = types[type_.to] if isinstance(type_, TPtr) else None
        key = target.key if isinstance(target, TRecord) else ""

        def name(offset: int, size: int) -> Value:
            if page_address + offset != obj.base:
                return plain(offset, size)
            sym = self.path.fresh(obj.name, size)
            self.path.points_to[id(sym)] = key
            if isinstance(type_, TPtr):
                self.path.pointers.add(id(sym))
            self.path.made(page_address // PAGE, offset, size, sym)
            return sym

        return name

    def _pointers(
        self, m: Machine, plain: Callable[[int, int], Value], page_address: int
    ) -> Callable[[int, int], Value]:
        """Unknowns of a variable, with the function that a pointer likely points to."""

        def name(offset: int, size: int) -> Value:
            value = plain(offset, size)
            placed = m.image.placed_at(_local(page_address // PAGE))
            if size == m.image.pointer_bytes and placed is not None:
                word = self.likely(m, placed, page_address + offset)
                if word is not None:
                    self.path.likely[id(value)] = word
            return value

        return name


def writes_of(image: Image) -> Writes:
    """Which variables can hold something else than at start-up."""
    stored: dict[str, set[tuple[int, int]]] = {}
    escaped: set[str] = set()
    unread: set[str] = set(image.with_errors)
    for fn in image.functions.values():
        for e in _addresses(fn):
            symbol, _, _ = _rooted(e.lvalue)
            if symbol:
                escaped.add(symbol)
        for block in fn.blocks:
            for dst in _written(block):
                if isinstance(dst, ops.Opaque):
                    unread.add(fn.file)
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
    return Writes(
        {k: tuple(sorted(v)) for k, v in sorted(stored.items())},
        frozenset(escaped),
        frozenset(unread),
    )


def addresses_taken(image: Image) -> frozenset[str]:
    """Functions that are named other than to call them."""
    found: set[str] = set()
    for fn in image.functions.values():
        for block in fn.blocks:
            for op in (*block.ops, block.term):
                stack = list(operands(op))
                if isinstance(op, ops.Call) and isinstance(op.fn, ops.Func):
                    stack.remove(op.fn)
                while stack:
                    e = stack.pop()
                    if isinstance(e, ops.Func):
                        found.add(e.symbol)
                    stack += children(e)
    for variable in image.variables.values():
        stack = [variable.init] if variable.init is not None else []
        while stack:
            e = stack.pop()
            if isinstance(e, ops.Func):
                found.add(e.symbol)
            stack += children(e)
    return frozenset(found)


def _written(block: Block) -> Iterator[ops.Expr]:
    """What a block's operations store into, outputs of assembly included."""
    for op in (*block.ops, block.term):
        if isinstance(op, ops.Assign | ops.Call) and op.dst is not None:
            yield op.dst
        elif isinstance(op, ops.Asm):
            yield from (e for _, e in op.outs)
        elif isinstance(op, ops.AsmGoto):
            yield from (e for _, e in op.asm.outs)


def _direct(e: ops.Deref) -> ops.Expr | None:
    """``x`` in ``*(volatile int *)&x``, which is how READ_ONCE() reads."""
    pointer = e.ptr
    while isinstance(pointer, ops.Cast):
        pointer = pointer.e
    return pointer.lvalue if isinstance(pointer, ops.Addr) else None


def _addresses(fn: Function) -> Iterator[ops.Addr]:
    """Where a function takes an address for more than one access."""
    stack: list[ops.Expr] = []
    for block in fn.blocks:
        for op in (*block.ops, block.term):
            stack += operands(op)
    while stack:
        e = stack.pop()
        if isinstance(e, ops.Deref) and (inner := _direct(e)) is not None:
            stack.append(inner)
            continue
        if isinstance(e, ops.Addr):
            yield e
        stack += children(e)


def _rooted(e: ops.Expr) -> tuple[str, int, bool]:
    """``(variable, offset in bytes, whether that is exact)`` of a part of a variable."""
    offset, exact = 0, True
    while True:
        if isinstance(e, ops.Field):
            offset += e.offset // 8
            e = e.base
        elif isinstance(e, ops.Index):
            exact = False
            e = e.base
        elif isinstance(e, ops.Deref) and (inner := _direct(e)) is not None:
            e = inner
        else:
            break
    return (e.symbol, offset, exact) if isinstance(e, ops.Global) else ("", 0, False)


__all__ = ["Variables", "Writes", "writes_of"]
