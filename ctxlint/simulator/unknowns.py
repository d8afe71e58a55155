# SPDX-License-Identifier: GPL-2.0-or-later
"""Values that are not known: integers with a name and a history.

Compiled code computes on Python integers, always in the range of their C type. A
:class:`Sym` takes part in the same arithmetic (its operators build a term), so code
is compiled once for both. Where a decision needs its value (``bool``, an index, an
address), it asks its *home*, which forks the execution (``model/explore``).

Terms are mathematical integers; the solver sees them as bit vectors of
:data:`WIDTH` bits, which is exact because every C operation is reduced to at most
64 bits before it is compared, divided or shifted right.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, Union

WIDTH = 72

_WIDE = 1 << 70
_COMPARE = frozenset(("==", "!=", "<", "<="))


class Decisions(Protocol):
    """Decides what unknown values are; one for each execution."""

    def decide(self, value: Sym) -> bool:
        """Whether the value is other than 0 in this execution."""

    def pick(self, value: Sym) -> int:
        """The number that the value is in this execution."""

    def locate(self, value: Sym) -> int:
        """The same for an address that is about to be accessed."""


class Sym:
    """A term. ``op`` is ``"leaf"`` or an operator; ``lo`` and ``hi`` bound it."""

    __slots__ = ("a", "b", "decisions", "hi", "lo", "name", "op")

    def __init__(
        self,
        decisions: Decisions,
        op: str,
        a: Value = 0,
        b: Value = 0,
        lo: int = -_WIDE,
        hi: int = _WIDE,
        name: str = "",
    ) -> None:
        self.decisions = decisions
        self.op = op
        self.a = a
        self.b = b
        self.lo = lo
        self.hi = hi
        self.name = name

    def __bool__(self) -> bool:
        return self.decisions.decide(self)

    def __index__(self) -> int:
        return self.decisions.pick(self)

    __int__ = __index__
    __hash__ = object.__hash__

    def __add__(self, other: Value) -> Value:
        if other.__class__ is int:
            if other == 0:
                return self
            if self.op == "+" and self.b.__class__ is int:
                return add(self.a, self.b + other)
        lo, hi = bounds(other)
        return Sym(self.decisions, "+", self, other, self.lo + lo, self.hi + hi)

    def __radd__(self, other: Value) -> Value:
        return self + other

    def __sub__(self, other: Value) -> Value:
        if other.__class__ is int:
            return self + -other
        if other is self:
            return 0
        lo, hi = bounds(other)
        return Sym(self.decisions, "-", self, other, self.lo - hi, self.hi - lo)

    def __rsub__(self, other: int) -> Value:
        return Sym(self.decisions, "-", other, self, other - self.hi, other - self.lo)

    def __pos__(self) -> Sym:
        return self

    def __neg__(self) -> Value:
        return self.__rsub__(0)

    def __invert__(self) -> Value:
        return self.__rsub__(-1)

    def __mul__(self, other: Value) -> Value:
        if other.__class__ is int:
            if other == 0:
                return 0
            if other == 1:
                return self
        lo, hi = bounds(other)
        ends = (self.lo * lo, self.lo * hi, self.hi * lo, self.hi * hi)
        return Sym(self.decisions, "*", self, other, min(ends), max(ends))

    __rmul__ = __mul__

    def __and__(self, other: Value) -> Value:
        if other.__class__ is int:
            if other == 0:
                return 0
            if other > 0 and other & (other + 1) == 0 and self.lo >= 0 and self.hi <= other:
                return self
            if self.op == "&" and self.b.__class__ is int:
                return self.a & (self.b & other)
            if other > 0:
                return Sym(self.decisions, "&", self, other, 0, other)
        if self.lo >= 0:
            return Sym(self.decisions, "&", self, other, 0, self.hi)
        return Sym(self.decisions, "&", self, other)

    __rand__ = __and__

    def __or__(self, other: Value) -> Value:
        if other.__class__ is int and other == 0:
            return self
        return self._bits("|", other)

    __ror__ = __or__

    def __xor__(self, other: Value) -> Value:
        if other.__class__ is int and other == 0:
            return self
        return self._bits("^", other)

    __rxor__ = __xor__

    def _bits(self, op: str, other: Value) -> Sym:
        lo, hi = bounds(other)
        if self.lo >= 0 and lo >= 0:
            top = (1 << max(self.hi.bit_length(), hi.bit_length())) - 1
            return Sym(self.decisions, op, self, other, 0, top)
        return Sym(self.decisions, op, self, other)

    def __lshift__(self, other: Value) -> Value:
        if other.__class__ is int:
            return self * (1 << other)
        return Sym(
            self.decisions, "<<", self, other, *_shifted(self.lo, self.hi, bounds(other)[1])
        )

    def __rlshift__(self, other: int) -> Value:
        return Sym(self.decisions, "<<", other, self, *_shifted(other, other, self.hi))

    def __rshift__(self, other: Value) -> Value:
        if other.__class__ is int:
            if other == 0:
                return self
            return Sym(self.decisions, ">>", self, other, self.lo >> other, self.hi >> other)
        return Sym(self.decisions, ">>", self, other, min(self.lo, 0), max(self.hi, 0))

    def __rrshift__(self, other: int) -> Value:
        return Sym(self.decisions, ">>", other, self, min(other, 0), max(other, 0))

    def __eq__(self, other: object) -> Value:  # type: ignore[override]
        if other is self:
            return 1
        lo, hi = bounds(other)  # type: ignore[arg-type]
        if self.hi < lo or hi < self.lo:
            return 0
        return Sym(self.decisions, "==", self, other, 0, 1)  # type: ignore[arg-type]

    def __ne__(self, other: object) -> Value:  # type: ignore[override]
        if other is self:
            return 0
        lo, hi = bounds(other)  # type: ignore[arg-type]
        if self.hi < lo or hi < self.lo:
            return 1
        return Sym(self.decisions, "!=", self, other, 0, 1)  # type: ignore[arg-type]

    def __lt__(self, other: Value) -> Value:
        return _less(self.decisions, "<", self, other)

    def __le__(self, other: Value) -> Value:
        return _less(self.decisions, "<=", self, other)

    def __gt__(self, other: Value) -> Value:
        return _less(self.decisions, "<", other, self)

    def __ge__(self, other: Value) -> Value:
        return _less(self.decisions, "<=", other, self)

    def __repr__(self) -> str:
        return text(self)

    def __format__(self, spec: str) -> str:
        return text(self)


Value = Union[int, Sym]  # noqa: UP007 - the name is used before it exists


def bounds(value: Value) -> tuple[int, int]:
    """The least and the greatest number that a value can be."""
    if isinstance(value, Sym):
        return value.lo, value.hi
    return value, value


def _shifted(lo: int, hi: int, most: int) -> tuple[int, int]:
    """Bounds after a shift by up to ``most``."""
    most = min(most, WIDTH)
    return min(lo, lo << most), max(hi, hi << most)


def add(a: Value, b: Value) -> Value:
    return a + b


def _less(decisions: Decisions, op: str, a: Value, b: Value) -> Value:
    (alo, ahi), (blo, bhi) = bounds(a), bounds(b)
    if ahi < blo or (op == "<=" and ahi == blo):
        return 1
    if alo > bhi or (op == "<" and alo == bhi):
        return 0
    return Sym(decisions, op, a, b, 0, 1)


def divide(a: Value, b: Value) -> Value:
    """C's division (towards zero); ``b`` is not 0."""
    if isinstance(a, Sym) or isinstance(b, Sym):
        decisions = a.decisions if isinstance(a, Sym) else b.decisions  # type: ignore[union-attr]
        lo, hi = bounds(a)
        return Sym(decisions, "/", a, b, min(lo, -hi, 0), max(hi, -lo, 0))
    quotient = abs(a) // abs(b)
    return -quotient if (a < 0) != (b < 0) else quotient


def remainder(a: Value, b: Value) -> Value:
    """C's remainder: it has the sign of ``a``; ``b`` is not 0."""
    if isinstance(a, Sym) or isinstance(b, Sym):
        decisions = a.decisions if isinstance(a, Sym) else b.decisions  # type: ignore[union-attr]
        lo, hi = bounds(a)
        most = max(abs(end) for end in bounds(b)) - 1
        return Sym(decisions, "%", a, b, -most if lo < 0 else 0, most if hi > 0 else 0)
    rest = abs(a) % abs(b)
    return -rest if a < 0 else rest


def is_comparison(value: Sym) -> bool:
    return value.op in _COMPARE


def leaves(value: Value) -> Iterator[Sym]:
    """The named unknowns of a term; one may come several times."""
    stack = [value]
    while stack:
        at = stack.pop()
        if isinstance(at, Sym):
            if at.op == "leaf":
                yield at
            else:
                stack += (at.a, at.b)


def _converted(value: Sym) -> Value | None:
    """What a conversion between types of C converts; None for other terms."""
    a, b = value.a, value.b
    if not isinstance(a, Sym) or not isinstance(b, int):
        return None
    if value.op == "&" and b in (0xFFFF_FFFF, (1 << 64) - 1):
        return a
    if value.op == "+" and b < 0 and a.op in "^+&":
        # To a signed type, by the sign bit.
        inner: Sym | None = a
        if a.op == "&" and a.b == -2 * b - 1 and isinstance(a.a, Sym):
            inner = a.a if a.a.op == "+" else None
        if inner is not None and inner.b == -b:
            return inner.a
    return None


def text(value: Value, depth: int = 6) -> str:
    """For people, as C would write it; deep terms are cut."""
    if not isinstance(value, Sym):
        return str(value) if -4096 < value < 4096 else hex(value)
    if value.op == "leaf":
        return value.name
    if depth == 0:
        return "..."
    plain = _converted(value)
    if plain is not None:
        return text(plain, depth)
    return f"({text(value.a, depth - 1)} {value.op} {text(value.b, depth - 1)})"
