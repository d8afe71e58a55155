# SPDX-License-Identifier: GPL-2.0-or-later
"""IR expressions as symbolic values, and as short C text for people."""

from __future__ import annotations

from collections.abc import Mapping

from ctxlint.facts.state import State
from ctxlint.ir import ops
from ctxlint.ir.types import TInt, TPtr, TRecord
from ctxlint.ir.unit import Function
from ctxlint.ir.walk import type_of
from ctxlint.semantics.terms import NODES_MAX, Value, bounded, typed, wrapped

_DEPTH_MAX = 64
_PARTS_MAX = 1_000
"""Levels and parts of an expression that are evaluated. The lowering shares subexpressions,
so there may be many more parts than were written."""
_TRUTHS = frozenset(("!", "==", "!=", "&&", "||", "<", ">", "<=", ">="))
"""Operators whose result is 0 or 1."""
_NO_NUMBERS = frozenset(("pc", "fl", "io", "f", "&", "agg"))
"""Values whose conversions say nothing: words of the execution context, addresses."""


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
        kind = type(e)
        if kind is ops.Const:
            return ("k", e.value)  # type: ignore[union-attr]
        if kind is ops.Var:
            slot = e.slot  # type: ignore[union-attr]
            return self._record(slot, st) if slot in self.records else st.vals.get(slot)
        if kind is ops.Func:
            return ("f", e.symbol)  # type: ignore[union-attr]
        if kind is ops.Cast:
            return self._cast(e, st, depth)  # type: ignore[arg-type]
        if kind is ops.Bin:
            return self._binary(e, st, depth)  # type: ignore[arg-type]
        if kind is ops.Un:
            inner = self.value(e.e, st, depth + 1)  # type: ignore[union-attr]
            if inner is None:
                return None
            op = self._typed(e.op, e.type)  # type: ignore[union-attr]
            return self._fold(("u", op, inner), st)
        if kind is ops.Addr:
            place = self.place(e.lvalue, st, depth + 1)  # type: ignore[union-attr]
            if place is None:
                return None
            return place[1] if place[0] == "*" else bounded(("&", place))
        if kind is ops.Select:
            cond = self.value(e.cond, st, depth + 1)  # type: ignore[union-attr]
            truth = st.truth(cond)
            if truth is not None:
                return self.value(e.a if truth else e.b, st, depth + 1)  # type: ignore[union-attr]
            a = self.value(e.a, st, depth + 1)  # type: ignore[union-attr]
            b = self.value(e.b, st, depth + 1)  # type: ignore[union-attr]
            return (
                None if None in (cond, a, b) else (a if a == b else bounded(("?", cond, a, b)))
            )
        if kind in (ops.Global, ops.Field, ops.Deref, ops.Index):
            place = self.place(e, st, depth + 1)
            if place is None:
                return None
            if self.once and self._is_volatile(e):
                return bounded(("once", place))
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
        here = ("l", slot)
        members = tuple(
            (key[3], value)
            for key, value in sorted(st.mem.items(), key=repr)
            if key[0] == "." and key[1] == here
        )
        if not members:
            return st.vals.get(slot)
        return bounded(("agg", self.records[slot], members)) or self._fewer(slot, members)

    def _fewer(self, slot: int, members: tuple[tuple[str, Value], ...]) -> Value:
        """A structure with too much known of it: the members with the least."""
        plain = tuple(m for m in members if m[1] is not None and m[1][0] in ("k", "f", "p"))
        return ("agg", self.records[slot], plain[: NODES_MAX // 4]) if plain else None

    def place(self, e: ops.Expr, st: State, depth: int = 0) -> Value:
        """An lvalue: what names the object."""
        if self._too_much(depth):
            return None
        if isinstance(e, ops.Var):
            return ("l", e.slot)
        if isinstance(e, ops.Global):
            return ("g", e.symbol)
        if isinstance(e, ops.Field):
            base = self.place(e.base, st, depth + 1)
            if base is None:
                base = ("v", "?")
            return bounded((".", base, self.local.get(e.record, e.record), e.name))
        if isinstance(e, ops.Deref):
            pointer = self.value(e.ptr, st, depth + 1)
            if pointer is None:
                return None
            return pointer[1] if pointer[0] == "&" else bounded(("*", pointer))
        if isinstance(e, ops.Index):
            base = self.place(e.base, st, depth + 1)
            index = self.value(e.index, st, depth + 1)
            return None if base is None or index is None else bounded(("[]", base, index))
        return None

    def _cast(self, e: ops.Cast, st: State, depth: int) -> Value:
        inner = self.value(e.e, st, depth + 1)
        kind = self.fn.types[e.type]
        if inner is None or not isinstance(kind, TInt):
            return inner
        if inner[0] != "k":
            return self._narrowed(e, inner, kind, st)
        if kind.bits == 1 or kind.name == "_Bool":
            return ("k", int(bool(inner[1])))
        number = wrapped(inner[1], kind.bits, kind.signed)
        return None if number is None else ("k", number)

    def _narrowed(self, e: ops.Cast, inner: Value, kind: TInt, st: State) -> Value:
        """A conversion that cuts bits off: the result may be zero where the operand is
        not. Written as a sum, which wraps at the width of its type."""
        source = type_of(self.fn, e.e)
        if inner[0] in _NO_NUMBERS or not isinstance(source, TInt) or source.bits <= kind.bits:
            return inner
        if kind.bits == 1 or kind.name == "_Bool":
            return self._fold(("b", "!=", inner, ("k", 0)), st)
        return self._fold(("b", typed("+", kind.bits, kind.signed), inner, ("k", 0)), st)

    def _binary(self, e: ops.Bin, st: State, depth: int) -> Value:
        a = self.value(e.a, st, depth + 1)
        b = self.value(e.b, st, depth + 1)
        if a is None or b is None:
            if e.op in ("&&", "||") and (a is not None or b is not None):
                truth = st.truth(a if a is not None else b)
                if truth is (e.op == "||"):
                    return ("k", int(truth))
            return None
        return self._fold(("b", self._typed(e.op, e.type), a, b), st)

    def _typed(self, op: str, type_id: int) -> str:
        kind = self.fn.types[type_id]
        return typed(op, kind.bits, kind.signed) if isinstance(kind, TInt) else op

    def _fold(self, value: Value, st: State) -> Value:
        value = bounded(value)
        self.cut |= value is None
        number = st.number(value)
        if number is not None:
            return ("k", number)
        if value is not None and (value[1] in _TRUTHS):
            known = st.truth(value)
            return value if known is None else ("k", int(known))
        return value

    # -- effects on values -------------------------------------------------

    def assign(
        self, st: State, dst: ops.Expr, value: Value, op_id: str, src: ops.Expr | None = None
    ) -> None:
        """Store a value; an unknown one gets a name of its own."""
        if value is None:
            value = ("v", op_id)
            st.forget(value)
        if isinstance(dst, ops.Var):
            # A value that refers to the old content of this slot by place is stale.
            place = ("l", dst.slot)
            if st.mem or st.facts:
                st.forget(place)
            if value[0] == "agg":
                for name, member in value[2]:
                    if member is not None:
                        st.mem[(".", place, value[1], name)] = member
                value = ("v", op_id)
            st.vals[dst.slot] = value
            if isinstance(src, ops.Agg):
                self._aggregate(st, dst, src)
            return
        place = self.place(dst, st)
        if place is None:
            return
        if place[0] == "l":
            st.vals[place[1]] = value
            return
        if place[0] == ".":
            member = place[2:]
            self._overlaid(st, place)
            for table in (st.mem, st.facts):
                stale = [k for k in table if _reads_member(k, member)]
                for k in stale:
                    del table[k]
        st.mem[place] = value

    @staticmethod
    def _overlaid(st: State, place: Value) -> None:
        """A member of a union is stored: other members have its bytes."""
        base, record = place[1], place[2]
        for table in (st.mem, st.facts):
            for key in list(table):
                if key[0] != "." or key[1] != base or key == place:
                    continue
                if "union " in (record[:6], key[2][:6]) and (
                    key[2] != record or record[:6] == "union "
                ):
                    del table[key]

    def _aggregate(self, st: State, dst: ops.Var, src: ops.Agg) -> None:
        kind = self.fn.types[src.type]
        if isinstance(kind, TRecord):
            for name, item in src.items:
                value = self.value(item, st)
                if value is not None and isinstance(name, str):
                    record = self.local.get(kind.key, kind.key)
                    st.mem[(".", ("l", dst.slot), record, name)] = value

    @staticmethod
    def escape(st: State, arg: Value, op_id: str) -> None:
        """A callee may write through a pointer."""
        while arg is not None and arg[0] == "b" and arg[1][0] in "+-":
            arg = arg[2]
        if arg is None or arg[0] != "&":
            return
        place = arg[1]
        if place[0] == "l":
            slot = place[1]
            fresh = ("v", f"{op_id}&{slot}")
            st.forget(place)
            st.forget(fresh)
            st.vals[slot] = fresh
        elif place[0] in (".", "[]", "g"):
            if place[0] == "." and place[1][0] == "l":
                st.vals.pop(place[1][1], None)
            st.forget(place)


def _reads_member(value: Value, member: tuple[str, str]) -> bool:
    if not isinstance(value, tuple):
        return False
    if value[0] == "." and value[2:] == member:
        return True
    return any(_reads_member(part, member) for part in value if isinstance(part, tuple))


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
