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
``("agg", r, members)`` structure by value, the known members of record r
======================  =========================================================
"""

from __future__ import annotations

import operator
import zlib
from collections.abc import Callable
from typing import Any

Value = Any
Lookup = Callable[[Value], "int | None"]

_MASK64 = (1 << 64) - 1

_ARITH: dict[str, Callable[[int, int], int]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "&": operator.and_,
    "|": operator.or_, "^": operator.xor,
    "<<": lambda a, b: (a << b) & _MASK64 if 0 <= b < 64 else 0,
    ">>": lambda a, b: a >> b if 0 <= b < 64 else 0,
    "==": lambda a, b: int(a == b), "!=": lambda a, b: int(a != b),
    "<": lambda a, b: int(a < b), "<=": lambda a, b: int(a <= b),
    ">": lambda a, b: int(a > b), ">=": lambda a, b: int(a >= b),
    "&&": lambda a, b: int(bool(a) and bool(b)), "||": lambda a, b: int(bool(a) or bool(b)),
}  # fmt: skip

ENTRY_LEAVES = frozenset({"p", "pc", "fl", "io"})


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
        if a != b and (_somewhere(a) or _somewhere(b)) and ("k", 0) not in (a, b):
            return None
        return _binary(value[1], evaluate(a, lookup), evaluate(b, lookup))
    if kind == "u":
        inner = evaluate(value[2], lookup)
        if inner is None:
            return None
        if value[1] == "!":
            return int(not inner)
        return -inner if value[1] == "-" else ~inner
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


def _binary(op: str, a: int | None, b: int | None) -> int | None:
    if a is not None and b is not None:
        if op in ("/", "%"):
            if b == 0:
                return None
            quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
            return quotient if op == "/" else a - quotient * b
        fn = _ARITH.get(op)
        return fn(a, b) if fn else None
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
    """Replace parameters by the caller's values."""
    if not isinstance(value, tuple) or not value:
        return value
    if value[0] == "p":
        return args[value[1]] if value[1] < len(args) else None
    if value[0] in ("k", "f", "g", "v", "l", "pc", "fl", "io"):
        return value
    parts = tuple(substitute(v, args) if isinstance(v, tuple) else v for v in value)
    head = value[0]
    if head in ("b", "u", "?", "&", "[]", ".") and None in parts:
        return None
    return parts


def leaves(value: Value) -> set[str]:
    """The kinds of leaves that occur in a value."""
    if not isinstance(value, tuple) or not value:
        return set()
    kind = value[0]
    if kind in ("k", "p", "f", "g", "v", "l", "pc", "fl", "io"):
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
