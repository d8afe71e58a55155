# SPDX-License-Identifier: GPL-2.0-or-later
"""Memory that others reach: other CPUs, interrupts, devices, and other names for it.

An execution knows what it stored itself. What lies in objects behind unknown pointers, in
variables and in locals whose address got away may hold something else as soon as others
can run, and a store through one pointer may change what another one points to. Nothing
of that is decided here: the next read gives a new unknown. Where a value was known before,
the unknown is *dependent*: a path that needs it to differ says so, and proves neither
that the operation is reached nor that it is not.

Types keep pointers apart: a store to a member changes that member in objects of records
that hold it, and what is behind a pointer of unknown type. Casts between records that do
not contain each other are not followed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ctxlint.ir.types import RecordDef, TArray, TRecord
from ctxlint.simulator.image import DATA, PERCPU, PERCPU_STRIDE, Image, ImageError
from ctxlint.simulator.machine import STACK, Machine
from ctxlint.simulator.memory import PAGE, Blob, SymPage, clear, load_sym, put, sym_page
from ctxlint.simulator.runtime.context import TASKS
from ctxlint.simulator.unknowns import Sym, Value
from ctxlint.verification.byte_names import local_name, scalars
from ctxlint.verification.execution import Path
from ctxlint.verification.variables import Variables

Spot = tuple[str, int]
"""A record and an offset in it, bytes."""


@dataclass(eq=False)
class _Local:
    """A variable of a function in memory, while the function runs."""

    base: int
    size: int
    name: str
    key: str


class Shared:
    """For one execution."""

    def __init__(self, path: Path, variables: Variables) -> None:
        self.path = path
        self.variables = variables
        self.frames: list[tuple[int, int, Any]] = []
        """Address and size of the memory of each active function, with its ``Meta``."""
        self._escaped: dict[int, _Local] = {}
        self._before: dict[int, SymPage] = {}
        self._storing = False

    def attach(self, m: Machine) -> None:
        self.m = m
        self.image: Image = m.image
        m.mem.stored = self._stored
        m.mem.racy_read = lambda address, size: self.lose(address, size)

    # what others may have done

    def event(self) -> None:
        """Others may have run: nothing that they reach is known any more."""
        for number, page in list(self.m.mem.pages.items()):
            if self._is_shared(number, page):
                self._remember(number, page)
                self._wipe(number, page, 0, PAGE)
        for local in list(self._escaped.values()):
            if local.base >= self.m.sp:
                self._forget_local(local, dependent=True)
            else:
                del self._escaped[local.base]

    def lose(self, address: Any, size: int, *, dependent: bool = True) -> None:
        """One place may hold something else now. Without ``dependent`` it surely may,
        whatever it held: hardware, the time, assembly that wrote it."""
        if not isinstance(address, int):
            address = self.path.locate(address)
        done = 0
        while done < size:
            at = address + done
            number, offset = divmod(at, PAGE)
            step = min(size - done, PAGE - offset)
            page = self.m.mem.pages.get(number)
            local = self._local_at(at)
            if page is not None and self._is_shared(number, page):
                if dependent:
                    self._remember(number, page)
                elif number in self._before:
                    before = self._before[number]
                    clear(before, offset, step)
                    assert before.known is not None
                    before.known[offset : offset + step] = bytes(step)
                self._wipe(number, page, offset, step)
            elif local is not None and (not dependent or local.base in self._escaped):
                for start, length in _words(at, step):
                    place = at + start - local.base
                    name = local_name(self.image, local.name, local.key, place, length)
                    self._renew(at + start, length, name, dependent=dependent)
            done += step

    def racy(self, address: Any) -> None:
        """A place is used in atomic operations: each plain read of it may differ."""
        if not isinstance(address, int):
            address = self.path.locate(address)
        number, offset = divmod(address, PAGE)
        page = self.m.mem.pages.get(number)
        if page is None and not self._local_at(address):
            self.m.mem.load(address, 1)
            page = self.m.mem.pages.get(number)
        if page is not None and self._is_shared(number, page):
            # A word of it may be read in parts.
            page.racy.update(range(offset, min(offset + 8, PAGE)))

    def passed(self, value: Any, *, keeps: bool) -> None:
        """A function that is not run was given a value: what is behind a pointer to a
        local variable may be written, and all that it points to. ``keeps``: it may put
        the pointer where others find it."""
        todo, done = [value], set()
        while todo:
            at = todo.pop()
            if isinstance(at, Blob):
                words = range(0, len(at.data) - 7, 8)
                todo += [int.from_bytes(at.data[i : i + 8], "little") for i in words]
            local = self._local_at(at) if isinstance(at, int) else None
            if local is None or local.base in done:
                continue
            done.add(local.base)
            for offset in range(0, local.size - 7, 8):
                todo.append(self.m.mem.load(local.base + offset, 8))
            if keeps:
                self._escaped.setdefault(local.base, local)
            self._forget_local(local, dependent=False)

    # pages

    def _is_shared(self, number: int, page: Any) -> bool:
        if not isinstance(page, SymPage) or page.known is None:
            return False
        address = number * PAGE
        if self.path.object_at(address) is not None:
            return True
        if TASKS <= address < TASKS + (1 << 32):
            return True
        return DATA <= address < STACK and self.image.placed_at(_local_page(number)) is not None

    def _remember(self, number: int, page: SymPage) -> None:
        """Keep what is known of a page, on top of what was."""
        before = self._before.get(number)
        if before is None:
            before = self._before[number] = sym_page(namer=lambda offset, size: 0)
        known = page.known
        assert known is not None and before.known is not None
        for start, end in _runs(known):
            clear(before, start, end - start)
            before[start:end] = page[start:end]
            before.known[start:end] = known[start:end]
        for offset, (size, value) in page.syms.items():
            put(before, offset, size, value)
        before.wrote.update(page.wrote)

    def _wipe(self, number: int, page: SymPage, offset: int, size: int) -> None:
        lasting = self.variables.lasting.get(number)
        known = page.known
        assert known is not None
        if size == PAGE and lasting is None:
            page.syms.clear()
            page.wrote.clear()
            known[:] = bytes(PAGE)
            return
        end = offset + size
        low = offset
        while low < end:
            if lasting is not None and lasting[low]:
                low += 1
                continue
            high = low
            while high < end and not (lasting is not None and lasting[high]):
                high += 1
            clear(page, low, high - low)
            known[low:high] = bytes(high - low)
            low = high

    def named(self, number: int, offset: int, size: int, value: Value) -> None:
        """A new unknown was made for bytes of a shared page (``Path.made``)."""
        if not isinstance(value, Sym):
            return
        before = self._before.get(number)
        known = before.known if before is not None else None
        if before is not None and known is not None and all(known[offset : offset + size]):
            self.path.dependent[id(value)] = (value, load_sym(before, offset, size))
            return
        obj = self.path.object_at(number * PAGE)
        twin = self.path.twins.get(obj.base) if obj is not None else None
        if obj is not None and twin is not None:
            old = self.m.mem.load(twin + number * PAGE + offset - obj.base, size)
            self.path.dependent[id(value)] = (value, old)

    # locals

    def _local_at(self, address: int) -> _Local | None:
        if not STACK <= address < STACK + (1 << 32):
            return None
        for base, size, meta in reversed(self.frames):
            if base <= address < base + size:
                return self._slot(base, meta, address)
        return None

    def _slot(self, sp: int, meta: Any, address: int) -> _Local | None:
        fn = meta.fn
        for slot, offset in meta.frame.items():
            type_ = fn.types[fn.vars[slot].type]
            size = max(self.image.size_of(type_, fn.types), 1)
            if sp + offset <= address < sp + offset + size:
                of = type_
                while isinstance(of, TArray):
                    of = fn.types[of.of]
                key = type_.key if isinstance(type_, TRecord) else ""
                name = fn.vars[slot].name or "a temporary"
                return _Local(sp + offset, size, name, key)
        return None

    def _forget_local(self, local: _Local, *, dependent: bool) -> None:
        if local.key and local.key in self.image.records:
            parts = scalars(self.image, local.key)
        else:
            parts = list(_words(local.base, local.size))
        for offset, size in parts:
            name = local_name(self.image, local.name, local.key, offset, size)
            self._renew(local.base + offset, size, name, dependent=dependent)

    def _renew(self, at: int, size: int, name: str, *, dependent: bool) -> None:
        old = self.m.mem.load(at, size)
        value = self.path.fresh(name, size)
        if dependent:
            self.path.dependent[id(value)] = (value, old)
        self.m.mem.store(at, size, value)

    # stores

    def _stored(self, address: int, size: int, value: Any) -> None:
        """Before a store: what others name may be the same place, and a pointer to a
        local variable that is stored where others look escapes."""
        if self._storing:
            return
        number = address // PAGE
        page = self.m.mem.pages.get(number)
        if page is None or not self._is_shared(number, page):
            return
        if isinstance(value, int) and STACK <= value < STACK + (1 << 32):
            local = self._local_at(value)
            if local is not None:
                self._escaped.setdefault(local.base, local)
        mine = self._object_of(address)
        if mine is None or mine.private:
            return
        self._storing = True
        try:
            for other, held in list(self.m.mem.pages.items()):
                if other == number or not self._is_shared(other, held):
                    continue
                theirs = self._object_of(other * PAGE)
                if theirs is None or theirs.base == mine.base or theirs.private:
                    continue
                if mine.fixed and theirs.fixed:
                    continue  # two variables
                self._alias(mine, address - mine.base, size, value, other, held, theirs)
        finally:
            self._storing = False

    def _alias(
        self,
        mine: _Object,
        offset: int,
        size: int,
        value: Any,
        number: int,
        page: SymPage,
        theirs: _Object,
    ) -> None:
        lasting = self.variables.lasting.get(number)
        spots = self._spots(mine, offset)
        for start, length in list(_items(page)):
            if lasting is not None and lasting[start]:
                continue
            place = number * PAGE + start - theirs.base
            if value is not None and not _may_be(
                spots, self._spots(theirs, place), size, length
            ):
                continue
            old = load_sym(page, start, length)
            if value is not None and length == size:
                new = value & ((1 << 8 * size) - 1)
                if isinstance(old, int) and isinstance(new, int) and old == new:
                    continue
            clear(page, start, length)
            assert page.known is not None
            page.known[start : start + length] = bytes(length)
            fresh = load_sym(page, start, length)
            if not isinstance(fresh, Sym):
                continue
            self.path.dependent[id(fresh)] = (fresh, old)
            if value is not None and length == size:
                self.path.condition.add((fresh == old) | (fresh == new), True)

    def _object_of(self, address: int) -> _Object | None:
        obj = self.path.object_at(address)
        if obj is None and TASKS <= address < TASKS + (1 << 32):
            task = self.m.mem.object_at(address)
            return None if task is None else _Object(task.base, task.type, True, False)
        if obj is not None:
            return _Object(obj.base, obj.type, False, bool(obj.facts.get("mmio")))
        placed = self.image.placed_at(_local_page(address // PAGE))
        if placed is None:
            return None
        key = placed.type.key if isinstance(placed.type, TRecord) else "?"
        variable = placed.variable
        private = variable is not None and not self.variables.is_open(variable)
        base = (
            address - (address - placed.address) % PERCPU_STRIDE
            if placed.percpu
            else (placed.address)
        )
        return _Object(base, key, True, private)

    def _spots(self, obj: _Object, offset: int) -> frozenset[Spot]:
        """The records that a place lies in, each with the offset there; empty where that
        is not known."""
        record = self.image.records.get(obj.key)
        if record is None:
            return frozenset((("?", 0),)) if obj.key == "?" else frozenset()
        if not 0 <= offset < record.size:
            return frozenset()
        return frozenset(_within(self.image, record, offset))


@dataclass(frozen=True)
class _Object:
    """``fixed``: a variable; ``private``: nothing else can be it."""

    base: int
    key: str
    fixed: bool
    private: bool


def _may_be(a: frozenset[Spot], b: frozenset[Spot], size: int, length: int) -> bool:
    if a and b:
        return bool(a & b) and ("?", 0) not in a & b
    return True


def _within(image: Image, record: RecordDef, offset: int) -> Iterator[Spot]:
    yield record.key, offset
    for member in record.fields:
        type_ = record.types[member.type]
        start = member.offset // 8
        of, types = type_, record.types
        try:
            size = image.size_of(type_, types)
        except ImageError:
            continue
        if not start <= offset < start + max(size, 1):
            continue
        inside = offset - start
        while isinstance(of, TArray):
            of = types[of.of]
            step = image.size_of(of, types)
            inside = inside % step if step else 0
        if isinstance(of, TRecord) and of.key in image.records:
            yield from _within(image, image.records[of.key], inside)


def _items(page: SymPage) -> Iterator[tuple[int, int]]:
    """What is known in a page: offset and size of each value."""
    assert page.known is not None
    for offset, (size, _) in page.syms.items():
        yield offset, size
    for offset, size in page.wrote.items():
        if offset not in page.syms and all(page.known[offset : offset + size]):
            yield offset, size


def _runs(known: bytearray) -> Iterator[tuple[int, int]]:
    start = known.find(1)
    while start >= 0:
        end = known.find(0, start)
        if end < 0:
            end = len(known)
        yield start, end
        start = known.find(1, end)


def _words(base: int, size: int) -> Iterator[tuple[int, int]]:
    """A range in aligned words."""
    at = 0
    while at < size:
        step = next(n for n in (8, 4, 2, 1) if n <= size - at and (base + at) % n == 0)
        yield at, step
        at += step


def _local_page(number: int) -> int:
    """The page number of a variable itself, for a page of a CPU's copy."""
    first = PERCPU // PAGE
    if first <= number < first + (1 << 40) // PAGE:
        return first + (number - first) % (PERCPU_STRIDE // PAGE)
    return number


__all__ = ["Shared"]
