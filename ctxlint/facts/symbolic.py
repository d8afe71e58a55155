# SPDX-License-Identifier: GPL-2.0-or-later
"""IR expressions as symbolic values, and as short C text for people."""

from __future__ import annotations

from collections.abc import Mapping

from ctxlint.facts.state import State
from ctxlint.ir import ops
from ctxlint.ir.types import TInt, TPtr, TRecord
from ctxlint.ir.unit import Function
from ctxlint.ir.walk import type_of
from ctxlint.semantics.terms import (
    NODES_MAX,
    SOMETHING,
    ZERO,
    Addr,
    Agg,
    Bin,
    Const,
    Deref,
    Field,
    Func,
    Global,
    Index,
    IrqsOff,
    Local,
    Node,
    Once,
    Param,
    PreemptWord,
    Result,
    SavedFlags,
    Select,
    Term,
    Un,
    Value,
    as_read,
    bounded,
    names_of,
    result_type,
    walk,
    wrapped,
)

_DEPTH_MAX = 64
_PARTS_MAX = 1_000
"""Levels and parts of an expression that are evaluated. The lowering shares subexpressions,
so there may be many more parts than were written."""
_TRUTHS = frozenset(("!", "==", "!=", "&&", "||", "<", ">", "<=", ">="))
"""Operators whose result is 0 or 1."""
_NO_NUMBERS: frozenset[type[Node]] = frozenset(
    (PreemptWord, SavedFlags, IrqsOff, Func, Addr, Agg)
)
"""Values whose conversions say nothing: words of the execution context, addresses."""


_PLACES: frozenset[type] = frozenset((ops.Global, ops.Field, ops.Deref, ops.Index))


class Reader:
    """Evaluates expressions of one function in a state.

    ``cut``: of the last one asked for, something was too deep or too large to be known.
    ``local`` renames the records that a .c file defines for itself: equal tags
    in two such files are two records.
    """

    def __init__(self, function: Function, local: Mapping[str, str]) -> None:
        self.fn = function
        self.local = local
        self.cut = False
        self._left = _PARTS_MAX
        self.once = function.file.endswith(".c")
        """Whether volatile reads give a value each. What a header function reads so
        (test_bit()) is taken to last, since locks are taken under such conditions."""
        self.records = {
            slot: local.get(kind.key, kind.key)
            for slot, var in enumerate(function.vars)
            if isinstance(kind := function.types[var.type], TRecord)
        }

    def value(self, e: ops.Expr, st: State, depth: int = 0) -> Value:
        """The value of an expression; None when nothing can be said."""
        if self._too_much(depth):
            return None
        if type(e) is ops.Const:
            return Const(e.value)
        if type(e) is ops.Var:
            slot = e.slot
            return self._record(slot, st) if slot in self.records else st.vals.get(slot)
        if type(e) is ops.Func:
            return Func(e.symbol)
        if type(e) is ops.Cast:
            return self._cast(e, st, depth)
        if type(e) is ops.Bin:
            return self._binary(e, st, depth)
        if type(e) is ops.Un:
            inner = self.value(e.e, st, depth + 1)
            if inner is None:
                return None
            return self._fold(Un(e.op, inner, *self._result_type(e.op, e.type)), st)
        if type(e) is ops.Addr:
            place = self.place(e.lvalue, st, depth + 1)
            if place is None:
                return None
            return place.pointer if type(place) is Deref else bounded(Addr(place))
        if type(e) is ops.Select:
            cond = self.value(e.cond, st, depth + 1)
            truth = st.truth(cond)
            if truth is not None:
                return self.value(e.a if truth else e.b, st, depth + 1)
            a = self.value(e.a, st, depth + 1)
            b = self.value(e.b, st, depth + 1)
            if cond is None or a is None or b is None:
                return None
            return a if a == b else bounded(Select(cond, a, b))
        if type(e) in _PLACES:
            place = self.place(e, st, depth + 1)
            if place is None:
                return None
            if self.once and self._is_volatile(e):
                return bounded(Once(place))
            return st.mem.get(place, place)
        return None

    def _too_much(self, depth: int) -> bool:
        if depth == 0:
            self.cut, self._left = False, _PARTS_MAX
        self._left -= 1
        if depth <= _DEPTH_MAX and self._left >= 0:
            return False
        self.cut = True
        return True

    def _is_volatile(self, e: ops.Expr) -> bool:
        """READ_ONCE(), a member or an element of a volatile type."""
        kind = type_of(self.fn, e)
        return isinstance(kind, TInt | TPtr) and kind.volatile

    def _record(self, slot: int, st: State) -> Value:
        """A structure by value: the members that are known."""
        here = Local(slot)
        members = tuple(
            sorted(
                (
                    (key.name, value)
                    for key, value in st.mem.items()
                    if type(key) is Field and key.base == here
                ),
                key=lambda item: item[0],
            )
        )
        if not members:
            return st.vals.get(slot)
        return bounded(Agg(self.records[slot], members)) or self._fewer(slot, members)

    def _fewer(self, slot: int, members: tuple[tuple[str, Term], ...]) -> Value:
        """A structure with too much known of it: the members with the least."""
        plain = tuple(m for m in members if isinstance(m[1], Const | Func | Param))
        return Agg(self.records[slot], plain[: NODES_MAX // 4]) if plain else None

    def place(self, e: ops.Expr, st: State, depth: int = 0) -> Value:
        """An lvalue: what names the object."""
        if self._too_much(depth):
            return None
        if type(e) is ops.Var:
            return Local(e.slot)
        if type(e) is ops.Global:
            return Global(e.symbol)
        if type(e) is ops.Field:
            base = self.place(e.base, st, depth + 1)
            if base is None:
                base = SOMETHING
            return bounded(Field(base, self.local.get(e.record, e.record), e.name))
        if type(e) is ops.Deref:
            pointer = self.value(e.ptr, st, depth + 1)
            if pointer is None:
                return None
            return pointer.place if type(pointer) is Addr else bounded(Deref(pointer))
        if type(e) is ops.Index:
            base = self.place(e.base, st, depth + 1)
            index = self.value(e.index, st, depth + 1)
            return None if base is None or index is None else bounded(Index(base, index))
        return None

    def _cast(self, e: ops.Cast, st: State, depth: int) -> Value:
        inner = self.value(e.e, st, depth + 1)
        kind = self.fn.types[e.type]
        if inner is None or not isinstance(kind, TInt):
            return inner
        if type(inner) is not Const:
            return self._narrowed(e, inner, kind, st)
        if kind.bits == 1 or kind.name == "_Bool":
            return Const(int(bool(inner.number)))
        number = wrapped(inner.number, kind.bits, kind.signed)
        return None if number is None else Const(number)

    def _narrowed(self, e: ops.Cast, inner: Term, kind: TInt, st: State) -> Value:
        """A conversion that cuts bits off: the result may be zero where the operand is
        not. Written as a sum, which wraps at the width of its type."""
        source = type_of(self.fn, e.e)
        if (
            type(inner) in _NO_NUMBERS
            or not isinstance(source, TInt)
            or source.bits <= kind.bits
        ):
            return inner
        if kind.bits == 1 or kind.name == "_Bool":
            return self._fold(Bin("!=", inner, ZERO), st)
        return self._fold(Bin("+", inner, ZERO, kind.bits, kind.signed), st)

    def _binary(self, e: ops.Bin, st: State, depth: int) -> Value:
        a = self.value(e.a, st, depth + 1)
        b = self.value(e.b, st, depth + 1)
        if a is None or b is None:
            if e.op in ("&&", "||") and (a is not None or b is not None):
                truth = st.truth(a if a is not None else b)
                if truth is (e.op == "||"):
                    return Const(int(truth))
            return None
        return self._fold(Bin(e.op, a, b, *self._result_type(e.op, e.type)), st)

    def result(self, op: str, a: Value, b: Value, dst: ops.Expr, st: State) -> Value:
        """What is left of the result of an operator where it is stored."""
        if a is None or b is None:
            return None
        kind = type_of(self.fn, dst)
        width = result_type(op, kind.bits, kind.signed) if type(kind) is TInt else (0, False)
        return self._fold(Bin(op, a, b, *width), st)

    def _result_type(self, op: str, type_id: int) -> tuple[int, bool]:
        kind = self.fn.types[type_id]
        return result_type(op, kind.bits, kind.signed) if type(kind) is TInt else (0, False)

    def _fold(self, term: Bin | Un, st: State) -> Value:
        value = bounded(term)
        self.cut |= value is None
        number = st.number(value)
        if number is not None:
            return Const(number)
        if value is not None and term.op in _TRUTHS:
            known = st.truth(value)
            return value if known is None else Const(int(known))
        return value

    # -- effects on values -------------------------------------------------

    def assign(
        self, st: State, dst: ops.Expr, value: Value, op_id: str, src: ops.Expr | None = None
    ) -> None:
        """Store a value; an unknown one gets a name of its own."""
        if value is None:
            value = Result(op_id)
            st.forget(value)
        if isinstance(dst, ops.Var):
            kept = as_read(value, op_id)
            if kept is not value and kept is not None:
                for read in names_of(kept):
                    if type(read) is Once and read.read == op_id:
                        st.forget(read)
                value = kept
            # A value that refers to the old content of this slot by place is stale.
            here = Local(dst.slot)
            if st.mem or st.facts:
                st.forget(here)
            if type(value) is Agg:
                for name, member in value.members:
                    if member is not None:
                        st.mem[Field(here, value.record, name)] = member
                value = Result(op_id)
            st.vals[dst.slot] = value
            if isinstance(src, ops.Agg):
                self._aggregate(st, dst, src)
            return
        place = self.place(dst, st)
        if place is None:
            return
        if type(place) is Local:
            st.vals[place.slot] = value
            return
        if type(place) is Field:
            self._overlaid(st, place)
            for table in (st.mem, st.facts):
                for key in [k for k in table if _reads_member(k, place)]:
                    del table[key]
        st.mem[place] = value

    @staticmethod
    def _overlaid(st: State, place: Field) -> None:
        """A member of a union is stored: other members have its bytes."""
        record = place.record
        for table in (st.mem, st.facts):
            for key in list(table):
                if type(key) is not Field or key.base != place.base or key == place:
                    continue
                if "union " in (record[:6], key.record[:6]) and (
                    key.record != record or record[:6] == "union "
                ):
                    del table[key]

    def _aggregate(self, st: State, dst: ops.Var, src: ops.Agg) -> None:
        kind = self.fn.types[src.type]
        if isinstance(kind, TRecord):
            for name, item in src.items:
                value = self.value(item, st)
                if value is not None and isinstance(name, str):
                    record = self.local.get(kind.key, kind.key)
                    st.mem[Field(Local(dst.slot), record, name)] = value

    @staticmethod
    def escape(st: State, arg: Value, op_id: str) -> None:
        """A callee may write through a pointer."""
        while type(arg) is Bin and arg.op in ("+", "-"):
            arg = arg.a
        if type(arg) is not Addr:
            return
        place = arg.place
        if type(place) is Local:
            fresh = Result(f"{op_id}&{place.slot}")
            st.forget(place)
            st.forget(fresh)
            st.vals[place.slot] = fresh
        elif isinstance(place, Field | Index | Global):
            if type(place) is Field and type(place.base) is Local:
                st.vals.pop(place.base.slot, None)
            st.forget(place)


def _reads_member(value: Term, member: Field) -> bool:
    """Whether a value is read from a member, of whichever object."""
    return any(
        type(term) is Field and term.name == member.name and term.record == member.record
        for term in walk(value)
    )


_PRECEDENCE = {
    "*": 10, "/": 10, "%": 10, "+": 9, "-": 9, "<<": 8, ">>": 8, "<": 7, ">": 7, "<=": 7,
    ">=": 7, "==": 6, "!=": 6, "&": 5, "^": 4, "|": 3, "&&": 2, "||": 1,
}  # fmt: skip


def expr_text(fn: Function, e: ops.Expr, limit: int = 60) -> str:
    """C text of an expression, ``""`` when it would not tell the reader anything."""
    if not _short(e, 3 * limit):
        return ""
    text = _text(fn, e)
    return "" if "\0" in text or len(text) > limit else text


def _short(e: ops.Expr, nodes: int) -> bool:
    """Whether an expression has at most that many nodes: a longer one is not worth its
    text, and may be too deep to walk."""
    stack: list[object] = [e]
    while stack:
        nodes -= 1
        if nodes < 0:
            return False
        here = stack.pop()
        if isinstance(here, ops.Agg):
            return False
        for name in ("e", "a", "b", "cond", "base", "ptr", "index", "lvalue"):
            part = getattr(here, name, None)
            if part is not None:
                stack.append(part)
    return True


def _text(fn: Function, e: ops.Expr, above: int = 0) -> str:
    if isinstance(e, ops.Const):
        return e.name or (str(e.value) if abs(e.value) < 4096 else hex(e.value))
    if isinstance(e, ops.Var):
        return fn.vars[e.slot].name or "\0"
    if isinstance(e, ops.Global | ops.Func):
        return e.symbol.rpartition("::")[2].rpartition(".")[2]
    if isinstance(e, ops.Field):
        if isinstance(e.base, ops.Deref):
            return f"{_text(fn, e.base.ptr, 12)}->{e.name}"
        return f"{_text(fn, e.base, 12)}.{e.name}"
    if isinstance(e, ops.Deref):
        pointer = e.ptr
        while isinstance(pointer, ops.Cast):
            pointer = pointer.e
        if isinstance(pointer, ops.Addr):  # READ_ONCE(), for one
            return _text(fn, pointer.lvalue, above)
        return f"*{_text(fn, e.ptr, 11)}"
    if isinstance(e, ops.Index):
        return f"{_text(fn, e.base, 12)}[{_text(fn, e.index)}]"
    if isinstance(e, ops.Addr):
        inner = _text(fn, e.lvalue, 11)
        return inner[1:] if inner.startswith("*") else f"&{inner}"
    if isinstance(e, ops.Un):
        return f"{e.op}{_text(fn, e.e, 11)}"
    if isinstance(e, ops.Cast):
        return _text(fn, e.e, above)
    if isinstance(e, ops.Bin):
        rank = _PRECEDENCE.get(e.op, 0)
        text = f"{_text(fn, e.a, rank)} {e.op} {_text(fn, e.b, rank + 1)}"
        return f"({text})" if rank < above else text
    if isinstance(e, ops.Select):
        return f"({_text(fn, e.cond)} ? {_text(fn, e.a)} : {_text(fn, e.b)})"
    return "\0"
