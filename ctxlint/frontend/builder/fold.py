# SPDX-License-Identifier: GPL-2.0-or-later
"""Constant folding on IR expressions, with C's integer semantics."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ctxlint.ir.ops import Const, Expr
from ctxlint.ir.types import TInt, TPtr, Type

if TYPE_CHECKING:
    from ctxlint.ir.types import TypeId

COMPARISONS = frozenset(("<", ">", "<=", ">=", "==", "!="))


def wrap(value: int, type_: Type, pointer_bits: int = 64) -> int:
    """``value`` as a value of an integer or pointer type."""
    if isinstance(type_, TInt):
        bits, signed = type_.bits, type_.signed
    elif isinstance(type_, TPtr):
        bits, signed = pointer_bits, False
    else:
        return value
    value &= (1 << bits) - 1
    if signed and value >> (bits - 1):
        value -= 1 << bits
    return value


def storable(value: int) -> bool:
    """Whether a Const can have that value: the stored form has integers of 64 bits, and a
    constant of 128 bits that is larger stays the expression that it was written as."""
    return -(1 << 63) <= value < 1 << 64


def _divide(a: int, b: int) -> int:
    quotient = abs(a) // abs(b)
    return quotient if (a < 0) == (b < 0) else -quotient


_ARITHMETIC: dict[str, Callable[[int, int], int]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": _divide,
    "%": lambda a, b: a - b * _divide(a, b),
    "&": lambda a, b: a & b,
    "|": lambda a, b: a | b,
    "^": lambda a, b: a ^ b,
    "<<": lambda a, b: a << b,
    ">>": lambda a, b: a >> b,
    "<": lambda a, b: int(a < b),
    ">": lambda a, b: int(a > b),
    "<=": lambda a, b: int(a <= b),
    ">=": lambda a, b: int(a >= b),
    "==": lambda a, b: int(a == b),
    "!=": lambda a, b: int(a != b),
}


def binary(op: str, a: Expr, b: Expr, type_id: TypeId, types: list[Type]) -> Const | None:
    """``a op b`` of two integer constants; None when it does not fold."""
    if type(a) is not Const or type(b) is not Const:
        return None
    result, left = types[type_id], types[a.type]
    if not isinstance(result, TInt):
        return None
    if not isinstance(left, TInt) and op not in ("==", "!="):
        return None
    x, y = a.value, b.value
    if op in ("/", "%") and y == 0:
        return None
    if op in ("<<", ">>") and not (0 <= y < (left.bits if isinstance(left, TInt) else 0)):
        return None
    value = wrap(_ARITHMETIC[op](x, y), result)
    return Const(value, type_id) if storable(value) else None


def truth(expr: Expr) -> bool | None:
    """Whether a condition is a constant, and which."""
    return expr.value != 0 if type(expr) is Const else None
