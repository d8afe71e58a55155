# SPDX-License-Identifier: GPL-2.0-or-later
"""Symbolic values: nested tuples, hashable, and the same in memory and in the store.

======================  =========================================================
``("k", n)``            integer constant
``("p", i)``            parameter i, as it was at entry
``("f", symbol)``       a function
``("g", symbol)``       value of a global variable
``("&", lvalue)``       address of an lvalue (a ``g``, ``l`` or ``.`` value)
``("l", slot)``         a local variable, as a place
``("*", pointer)``      what a pointer points to
``(".", base, r, f)``   member f of record r of the object ``base``
``("[]", base, i)``     element
``("v", id)``           result of one operation, otherwise unknown
``("b", op, x, y)``     binary operation        ``("u", op, x)``  unary
``("pc", pre, bh)``     the context word, with the counts added since entry
``("fl", irq)``         saved interrupt state (as Delta.irq)
``("io",)``             "interrupts were off at entry"
``("?", c, x, y)``      selection
``("bits", ones, zeros)`` a word of which some bits are known
``("once", place)``     what one volatile read of a place gave
``("agg", r, members)`` structure by value, the known members of record r
======================  =========================================================

An operation whose result may leave the range of its type names the type behind the
operator: ``"+u32"``, ``"-s64"`` (see :func:`typed`). Two terms may share a subterm, but
all walks, comparisons and hashes take them for trees; so what builds a term from others
goes through :func:`bounded`, and no term has more than :data:`NODES_MAX` nodes.
"""

from __future__ import annotations

import operator
import zlib
from collections.abc import Callable
from functools import lru_cache
from typing import Any

Value = Any
Lookup = Callable[[Value], "int | None"]

NODES_MAX = 128
"""Nodes of a term, counted as a tree. ``x ^= x << 1`` doubles the tree of x; a condition
that somebody wrote has less than fifty."""

_INT_MIN, _INT_MAX = -(1 << 63), (1 << 64) - 1
"""What the store can hold, and more than any comparison of a driver needs."""

_ARITH: dict[str, Callable[[int, int], int]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "&": operator.and_,
    "|": operator.or_, "^": operator.xor,
    "<<": operator.lshift, ">>": operator.rshift,
    "==": lambda a, b: int(a == b), "!=": lambda a, b: int(a != b),
    "<": lambda a, b: int(a < b), "<=": lambda a, b: int(a <= b),
    ">": lambda a, b: int(a > b), ">=": lambda a, b: int(a >= b),
    "&&": lambda a, b: int(bool(a) and bool(b)), "||": lambda a, b: int(bool(a) or bool(b)),
}  # fmt: skip

ENTRY_LEAVES = frozenset({"p", "pc", "fl", "io"})


_TYPED = frozenset({"+", "-", "*", "/", "<<", "~"})


def bounded(value: Value) -> Value:
    """The value, or None (not known) when it is too large to be worked with.

    Parts of it that were built before are themselves bounded, so this takes a bounded
    time too.
    """
    left = NODES_MAX
    stack = [value]
    while stack:
        for part in stack.pop():
            if type(part) is tuple:
                left -= 1
                stack.append(part)
        if left <= 0:
            return None
    return value


def typed(op: str, bits: int, signed: bool) -> str:
    """An operator with the type of its result, where that may matter."""
    return f"{op}{'s' if signed else 'u'}{bits}" if op in _TYPED else op


def wrapped(number: int, bits: int, signed: bool) -> int | None:
    """A number in the range of an integer type, as the machine wraps it (the kernel is
    compiled with -fno-strict-overflow); None when it does not fit into 64 bits."""
    number &= (1 << bits) - 1
    if signed and number >> (bits - 1):
        number -= 1 << bits
    return number if _INT_MIN <= number <= _INT_MAX else None


def freeze(value: Value) -> Value:
    """Turn the lists of a decoded value back into tuples."""
    if isinstance(value, list | tuple):
        return tuple(freeze(v) for v in value)
    return value


def evaluate(value: Value, lookup: Lookup) -> int | None:
    """Three-valued evaluation: an integer, or None when it is not known.

    ``lookup`` answers for leaves and for whole subterms (facts about them).
    """
    if value is None:
        return None
    kind = value[0]
    if kind == "k":
        return int(value[1])
    known = lookup(value)
    if known is not None:
        return known
    if kind == "b":
        a, b = value[2], value[3]
        if value[1] == "&" and a is not None and a[0] == "bits":
            mask = evaluate(b, lookup)
            if mask is not None and not mask & _INT_MAX & ~(a[1] | a[2]):
                return int(a[1] & mask)
        if a != b and (_somewhere(a) or _somewhere(b)) and ("k", 0) not in (a, b):
            return None
        return _binary(value[1], evaluate(a, lookup), evaluate(b, lookup))
    if kind == "u":
        inner = evaluate(value[2], lookup)
        if inner is None:
            return None
        if value[1] == "!":
            return int(not inner)
        op, bits, signed = _operator(value[1])
        return _fitting(-inner if op == "-" else ~inner, bits, signed)
    if kind == "?":
        cond = evaluate(value[1], lookup)
        if cond is None:
            a, b = evaluate(value[2], lookup), evaluate(value[3], lookup)
            return a if a == b else None
        return evaluate(value[2] if cond else value[3], lookup)
    if kind == "f" or (kind == "&" and value[1][0] == "g"):
        return address(value[1] if kind == "f" else value[1][1])
    if kind == "&":
        return 1  # not null, and no more than that
    return None


def _somewhere(value: Value) -> bool:
    """An address that is known not to be null, but not to differ from others."""
    return value is not None and value[0] == "&" and value[1][0] != "g"


def truth(value: Value, lookup: Lookup) -> bool | None:
    """Whether a value is non-zero, as far as that is known: ``x | 1`` is, for
    any x."""
    if value is None:
        return None
    kind = value[0]
    if kind == "u" and value[1] == "!":
        inner = truth(value[2], lookup)
        return None if inner is None else not inner
    if kind == "b":
        op, a, b = value[1], value[2], value[3]
        if op in ("==", "!=") and b == ("k", 0):
            inner = truth(a, lookup)
            if inner is not None:
                return inner if op == "!=" else not inner
        if op in ("|", "||"):
            left, right = truth(a, lookup), truth(b, lookup)
            if left or right:
                return True
            return False if left is False and right is False else None
        if op == "&&":
            left, right = truth(a, lookup), truth(b, lookup)
            if left is False or right is False:
                return False
            return True if left and right else None
    number = evaluate(value, lookup)
    return None if number is None else bool(number)


def address(symbol: str) -> int:
    """A number that stands for the address of a variable or function in
    comparisons."""
    return (1 << 63) | zlib.crc32(symbol.encode())


@lru_cache(maxsize=256)
def _operator(op: str) -> tuple[str, int, bool]:
    """Operator, bits (0: no type is named) and signedness; see :func:`typed`."""
    for i, letter in enumerate(op):
        if letter in "su":
            return op[:i], int(op[i + 1 :]), letter == "s"
    return op, 0, False


def _fitting(number: int, bits: int, signed: bool) -> int | None:
    if bits:
        return wrapped(number, bits, signed)
    return number if _INT_MIN <= number <= _INT_MAX else None


def _binary(name: str, a: int | None, b: int | None) -> int | None:
    op, bits, signed = _operator(name)
    if a is not None and b is not None:
        if op in ("/", "%"):
            if b == 0:
                return None
            quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
            return _fitting(quotient if op == "/" else a - quotient * b, bits, signed)
        if op in ("<<", ">>") and not 0 <= b < 64:
            return None  # of 128 bits, or not defined
        fn = _ARITH.get(op)
        return _fitting(fn(a, b), bits, signed) if fn else None
    if op in ("&", "*", "&&") and 0 in (a, b):
        return 0
    if op == "||" and (a or b):
        return 1
    return None


def on_entry_memory(value: Value) -> bool:
    """True when the value is read from memory that a parameter leads to."""
    found = leaves(value)
    return "p" in found and found <= {"p", "k", ".", "*"}


def substitute(value: Value, args: tuple[Value, ...]) -> Value:
    """Replace parameters by the caller's values; None when that is not known, or grows
    beyond all bounds."""
    if not isinstance(value, tuple) or not value:
        return value
    if value[0] == "p":
        return args[value[1]] if value[1] < len(args) else None
    if value[0] in ("k", "f", "g", "v", "l", "pc", "fl", "io", "bits"):
        return value
    parts = tuple(substitute(v, args) if isinstance(v, tuple) else v for v in value)
    head = value[0]
    if head in ("b", "u", "?", "&", "[]", ".") and None in parts:
        return None
    return bounded(parts)


def leaves(value: Value) -> set[str]:
    """The kinds of leaves that occur in a value."""
    if not isinstance(value, tuple) or not value:
        return set()
    kind = value[0]
    if kind in ("k", "p", "f", "g", "v", "l", "pc", "fl", "io", "bits"):
        return {kind}
    out: set[str] = {kind} if kind in (".", "[]", "&", "*") else set()
    for part in value[1:]:
        if isinstance(part, tuple):
            out |= leaves(part)
    return out


def params(value: Value) -> set[int]:
    """Indices of the parameters that a value depends on."""
    if not isinstance(value, tuple) or not value:
        return set()
    if value[0] == "p":
        return {value[1]}
    out: set[int] = set()
    for part in value[1:]:
        if isinstance(part, tuple):
            out |= params(part)
    return out


def mentions(value: Value, needle: Value) -> bool:
    """Whether a term is, or has among its parts, another one."""
    if value == needle:
        return True
    if not isinstance(value, tuple):
        return False
    return any(mentions(part, needle) for part in value if isinstance(part, tuple))


def depends_on_entry(value: Value, variables: frozenset[str] = frozenset()) -> bool:
    """True when the value is a function of parameters and execution context;
    ``variables`` are global variables that count as context (system_state)."""
    found = leaves(value)
    if "g" in found and variables and globals_of(value) <= variables:
        found = (found - {"g"}) | {"io"}
    if found & {"pc", "io"}:
        return True  # what else is in it may not be known, and need not be
    return bool(found & ENTRY_LEAVES) and found <= (ENTRY_LEAVES | {"k", "f"})


def globals_of(value: Value) -> set[str]:
    """Symbols of the global variables in a value."""
    if not isinstance(value, tuple) or not value:
        return set()
    if value[0] == "g":
        return {value[1]}
    out: set[str] = set()
    for part in value[1:]:
        if isinstance(part, tuple):
            out |= globals_of(part)
    return out


def place_of(value: Value) -> Value:
    """The member that a condition is about: itself, or compared with a number."""
    if value is not None and value[0] == "b" and is_number(value[3]):
        value = value[2]
    return value if value is not None and value[0] == "." and value[1] != ("k", 0) else None


def is_number(value: Value) -> bool:
    """Whether a value is a constant."""
    return value is not None and value[0] == "k"
