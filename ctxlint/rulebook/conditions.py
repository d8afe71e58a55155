# SPDX-License-Identifier: GPL-2.0-or-later
"""Conditions of rules: C expressions with three outcomes.

A name whose value is not known makes the result unknown (``None``) unless the
result does not depend on it: ``x & 0`` is 0 and ``x || 1`` is 1 for any ``x``.
Integers are unbounded; conditions only test flags and compare enumerators.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal, TypeVar

from ctxlint.base.errors import RuleError

Lookup = Callable[[str], int | None]
Eval = Callable[[Lookup], int | None]
T = TypeVar("T")


def _outcome(compared: Any) -> Any:
    """Of a comparison; None when an operand that is known in part leaves it open."""
    return None if compared is None else int(compared)


_ARITHMETIC: dict[str, Callable[[int, int], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "&": lambda a, b: a & b,
    "|": lambda a, b: a | b,
    "^": lambda a, b: a ^ b,
    "==": lambda a, b: _outcome(a == b),
    "!=": lambda a, b: _outcome(a != b),
    "<": lambda a, b: _outcome(a < b),
    "<=": lambda a, b: _outcome(a <= b),
    ">": lambda a, b: _outcome(a > b),
    ">=": lambda a, b: _outcome(a >= b),
    "<<": lambda a, b: a << b if 0 <= b < 64 else 0,
    ">>": lambda a, b: a >> b if 0 <= b < 64 else 0,
}


@dataclass(frozen=True)
class Cond:
    """A parsed condition. ``names`` are the identifiers that it reads."""

    text: str
    names: frozenset[str]
    _eval: Eval = field(repr=False, compare=False)

    def evaluate(self, lookup: Lookup) -> int | None:
        """Its value, ``None`` when that depends on a name ``lookup`` does not know."""
        return self._eval(lookup)


@cache
def parse(text: str) -> Cond:
    """Parse a C expression; the empty text is always true.

    Raises :class:`RuleError` for anything but integers, names and operators.
    """
    if not text.strip():
        return Cond(text, frozenset(), lambda _: 1)
    from pycparser import c_parser  # costs 30 ms, and many runs need no condition

    names: set[str] = set()
    try:
        unit = c_parser.CParser().parse(f"int value = ({text});")
        # One declaration and nothing behind it: the text cannot close the parenthesis.
        (declaration,) = unit.ext
        evaluate = _compile(declaration.init, names)
    except (c_parser.ParseError, ValueError) as error:
        raise RuleError(
            f"`{text}` is not a condition",
            hint="use integers, parameter names, enumerators and the operators of C",
        ) from error
    return Cond(text, frozenset(names), evaluate)


def _compile(node: Any, names: set[str]) -> Eval:
    """Turn an expression of pycparser's AST into a function; ValueError if it is
    of another kind."""
    match type(node).__name__:
        case "Constant" if "int" in node.type:
            value = int(node.value.rstrip("uUlL"), 0)
            return lambda _: value
        case "ID" | "StructRef":
            name = _name(node)
            names.add(name)
            return lambda lookup: lookup(name)
        case "UnaryOp" if node.op == "&":
            address = "&" + _name(node.expr)  # of a global variable; not a parameter
            return lambda lookup: lookup(address)
        case "UnaryOp" if node.op in ("!", "~", "-", "+"):
            return _unary(node.op, _compile(node.expr, names))
        case "BinaryOp" if node.op in ("&&", "||"):
            return _logical(
                node.op == "||", _compile(node.left, names), _compile(node.right, names)
            )
        case "BinaryOp" if node.op in _ARITHMETIC:
            return _binary(node.op, _compile(node.left, names), _compile(node.right, names))
        case "TernaryOp":
            return _ternary(
                _compile(node.cond, names),
                _compile(node.iftrue, names),
                _compile(node.iffalse, names),
            )
    raise ValueError(type(node).__name__)


def _name(node: Any) -> str:
    """A name, or a member path (``node.flags``) of the structure at hand."""
    match type(node).__name__:
        case "ID":
            return str(node.name)
        case "StructRef" if node.type == ".":
            return f"{_name(node.name)}.{node.field.name}"
    raise ValueError(type(node).__name__)


def _unary(op: str, operand: Eval) -> Eval:
    def run(lookup: Lookup) -> int | None:
        value = operand(lookup)
        if value is None:
            return None
        return {"!": int(not value), "~": ~value, "-": -value, "+": value}[op]

    return run


def _logical(either: bool, left: Eval, right: Eval) -> Eval:
    """``||`` when ``either``, else ``&&``: one deciding side is enough."""

    def run(lookup: Lookup) -> int | None:
        values = (left(lookup), right(lookup))
        if any(value is not None and bool(value) == either for value in values):
            return int(either)
        return None if None in values else int(not either)

    return run


def _binary(op: str, left: Eval, right: Eval) -> Eval:
    compute = _ARITHMETIC[op]

    def run(lookup: Lookup) -> int | None:
        a, b = left(lookup), right(lookup)
        if a is None or b is None:
            return 0 if op in "&*" and 0 in (a, b) else None
        result: int | None = compute(a, b)
        return result

    return run


def _ternary(cond: Eval, yes: Eval, no: Eval) -> Eval:
    def run(lookup: Lookup) -> int | None:
        value = cond(lookup)
        if value is not None:
            return yes(lookup) if value else no(lookup)
        a, b = yes(lookup), no(lookup)
        return a if a == b else None

    return run


def choose(
    cases: Iterable[T], when: Callable[[T], str], lookup: Lookup
) -> tuple[tuple[T, Literal["certain", "possible"]], ...]:
    """The cases that can apply: the first whose condition is true, and every one
    before it whose condition is unknown.

    ``when`` gives the condition's text. The one case is ``certain`` when no other
    can apply; when nothing is certain to apply, all are ``possible``.
    """
    possible: list[T] = []
    for case in cases:
        value = parse(when(case)).evaluate(lookup)
        if value is None:
            possible.append(case)
        elif value:
            if not possible:
                return ((case, "certain"),)
            possible.append(case)
            break
    return tuple((case, "possible") for case in possible)
