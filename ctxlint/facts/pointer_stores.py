# SPDX-License-Identifier: GPL-2.0-or-later
"""Pointers that a function puts into memory, and those that it returns.

They are noted while the function is interpreted, so that places and values are in
terms of its parameters, of global variables and of what it got from its callees.
A store that the interpretation never reached (it bounds its work) is noted with
what its text says: the members, and nothing about the object.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from ctxlint.facts.shape import successors
from ctxlint.facts.state import State
from ctxlint.facts.summary import Move
from ctxlint.facts.symbolic import Reader
from ctxlint.ir import ops
from ctxlint.ir.types import TFunc, TInt, TPtr, TRecord, TVoid
from ctxlint.ir.unit import Function
from ctxlint.ir.walk import type_of
from ctxlint.semantics.terms import SOMETHING, ZERO, Const, Field, Local, Param, Term, Value

RETURNS_MAX = 6
"""A function that returns more pointers than this returns something not known."""

_DEPTH_MAX = 10

Site = tuple[int, int]


class Moves:
    """Of one function; :meth:`note` is told of every state at every operation."""

    def __init__(
        self, fn: Function, reader: Reader, modes: Collection[tuple[str, str]] = ()
    ) -> None:
        self.fn = fn
        self.reader = reader
        self.modes = modes
        self.sites: dict[Site, ops.Assign | ops.Asm] = {
            (b, i): op
            for b, block in enumerate(fn.blocks)
            for i, op in enumerate(block.ops)
            if isinstance(op, ops.Assign | ops.Asm) and self._counts(op)
        }
        self.found: dict[Site, dict[object, tuple[Move, ...]]] = {}

    def note(self, site: Site, where: object, st: State) -> None:
        """A state in which an operation is reached (before it)."""
        op = self.sites.get(site)
        if op is not None:
            self.found.setdefault(site, {})[where] = tuple(self._moves(op, st))

    def all(self) -> tuple[Move, ...]:
        """Each once, in a stable order."""
        out: dict[Move, None] = {}
        for site in sorted(self.sites):
            states = self.found.get(site)
            if states is None:
                out.update(dict.fromkeys(self._moves(self.sites[site], State())))
                continue
            for moves in states.values():
                out.update(dict.fromkeys(moves))
        return tuple(sorted(out, key=repr))

    # -- which operations --------------------------------------------------

    def _counts(self, op: ops.Assign | ops.Asm) -> bool:
        if isinstance(op, ops.Asm):
            return any(self._is_pointer(out) for _, out in op.outs)
        if isinstance(_strip(op.src), ops.Agg):
            return True
        if isinstance(op.dst, ops.Var):
            return False
        if self._is_mode(op.dst):
            return True
        return self._is_pointer(op.dst) or self._is_record(op.dst)

    def _is_mode(self, e: ops.Expr) -> bool:
        return isinstance(e, ops.Field) and (e.record, e.name) in self.modes

    def _type(self, e: ops.Expr) -> object:
        number = getattr(e, "type", None)
        return None if number is None else self.fn.types[number]

    def _is_record(self, e: ops.Expr) -> bool:
        return isinstance(self._type(e), TRecord)

    def _is_pointer(self, e: ops.Expr) -> bool:
        kind = self._type(e)
        if not isinstance(kind, TPtr):
            return False
        to = self.fn.types[kind.to]
        if isinstance(to, TRecord):
            # What links structures of one kind (lists, trees) holds no function.
            return not (isinstance(e, ops.Field) and e.record == to.key)
        return isinstance(to, TFunc | TVoid)

    # -- what they store ---------------------------------------------------

    def _moves(self, op: ops.Assign | ops.Asm, st: State) -> Iterator[Move]:
        if isinstance(op, ops.Assign):
            place = self.reader.place(op.dst, st)
            if self._is_mode(op.dst) and place is not None:
                value = self.reader.value(op.src, st)
                known = isinstance(value, Const) and self._always(op)
                yield Move(_small(place) or _typed(place), value if known else None)
                return
            yield from self._stored(place, op.dst, op.src, st)
            return
        # A store that assembly does (a release): one of its inputs is the value.
        inputs = (self._input(e, st) for _, e in op.ins)
        values: list[Value] = [v for v in inputs if v is not None]
        for _, out in op.outs:
            if not isinstance(out, ops.Var) and self._is_pointer(out):
                place = self.reader.place(out, st)
                for value in values or [None]:
                    yield from _move(place, value)

    def _always(self, op: ops.Assign) -> bool:
        """Whether no object leaves the function to others without this store: it comes
        before every later call that is given such an object."""
        assert isinstance(op.dst, ops.Field)
        block = next(b for b, at in enumerate(self.fn.blocks) if op in at.ops)
        without = _reachable(self.fn, 0, block)
        after = _reachable(self.fn, block, -1)
        return not any(
            b in without and b in after and self._given(call, op.dst.record)
            for b, at in enumerate(self.fn.blocks)
            for call in at.ops
            if isinstance(call, ops.Call)
        )

    def _given(self, call: ops.Call, record: str) -> bool:
        for arg in call.args:
            kind = type_of(self.fn, arg)
            if isinstance(kind, TPtr):
                to = self.fn.types[kind.to]
                if isinstance(to, TRecord) and to.key == record:
                    return True
        return False

    def _input(self, e: ops.Expr, st: State) -> Value:
        """An input of assembly; one that is read through a union is what was put
        into any of its members."""
        value = self.reader.value(e, st)
        if isinstance(value, Field) and value.record.startswith("union "):
            held = [
                v
                for k, v in st.mem.items()
                if isinstance(k, Field) and k.base == value.base and k.record == value.record
            ]
            return held[0] if len(held) == 1 else None
        return value

    def _stored(self, place: Value, dst: ops.Expr, src: ops.Expr, st: State) -> Iterator[Move]:
        if place is None:
            return
        src = _strip(src)
        if isinstance(src, ops.Agg):
            kind = self.fn.types[src.type]
            for name, item in src.items:
                if isinstance(kind, TRecord):
                    record = self.reader.local.get(kind.key, kind.key)
                    member = Field(place, record, str(name))
                    yield from self._stored(member, item, item, st)
                elif isinstance(item, ops.Agg):
                    yield from self._stored(place, item, item, st)
        elif self._is_record(dst):
            copied = self._type(dst)
            assert isinstance(copied, TRecord)
            record = self.reader.local.get(copied.key, copied.key)
            yield Move(place, _small(self.reader.place(src, st)), record)
        elif self._is_pointer(dst) or isinstance(src, ops.Func):
            yield from _move(place, self.reader.value(src, st))


def _reachable(fn: Function, start: int, avoid: int) -> set[int]:
    """Blocks that control can get to; ``start`` itself only when it comes back."""
    found: set[int] = set()
    todo = [start] if start != avoid else []
    while todo:
        for block in successors(fn, todo.pop()):
            if block not in found and block != avoid:
                found.add(block)
                todo.append(block)
    return found


def _move(place: Value, value: Value) -> Iterator[Move]:
    if place is not None and value != ZERO and not isinstance(place, Local):
        yield Move(_small(place) or _typed(place), _small(value))


def returned(fn: Function, values: Iterable[Value]) -> tuple[Value, ...]:
    """The pointers that a function may return, () when it returns something else."""
    if not isinstance(fn.types[fn.ret], TPtr):
        return ()
    found = dict.fromkeys(ZERO if _is_error(fn, v) else _small(v) for v in values)
    found.pop(ZERO, None)
    if len(found) > RETURNS_MAX or None in found:
        return (None,)
    return tuple(sorted(found, key=repr)) or (ZERO,)


def _is_error(fn: Function, value: Value) -> bool:
    """Whether a signed number was made a pointer: an error code, no object."""
    if not isinstance(value, Param):
        return False
    kind = fn.types[fn.vars[value.index].type]
    return isinstance(kind, TInt) and kind.signed


def _small(value: Value) -> Value:
    """None instead of a term that is too deep to tell anything."""
    return value if _is_small(value, 0) else None


def _is_small(value: Value, depth: int) -> bool:
    return (
        value is not None
        and depth <= _DEPTH_MAX
        and all(_is_small(part, depth + 1) for part in value.parts())
    )


def _typed(place: Term) -> Term:
    """A place of which only the member is told."""
    return Field(SOMETHING, place.record, place.name) if isinstance(place, Field) else SOMETHING


def _strip(e: ops.Expr) -> ops.Expr:
    while isinstance(e, ops.Cast):
        e = e.e
    return e
