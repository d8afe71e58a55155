# SPDX-License-Identifier: GPL-2.0-or-later
"""Unknown values of which the test knows the number."""

from __future__ import annotations

from ctxlint.simulator.unknowns import Sym, Value, divide, remainder


class Pinned:
    """A home where each leaf has a number; every decision follows from them. A term that
    leaves its bounds is an error of the arithmetic."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def leaf(self, number: int, size: int, signed: bool = False) -> Sym:
        name = f"u{len(self.numbers)}"
        self.numbers[name] = number
        top = 1 << 8 * size
        low, high = (-top // 2, top // 2 - 1) if signed else (0, top - 1)
        return Sym(self, "leaf", lo=low, hi=high, name=name)

    def decide(self, value: Sym) -> bool:
        return number_of(value) != 0

    def pick(self, value: Sym) -> int:
        return number_of(value)

    locate = pick


def number_of(value: Value) -> int:
    """What a term of pinned leaves is, by the meaning that terms have; checks bounds."""
    memo: dict[int, int] = {}
    stack: list[Value] = [value]
    while stack:
        at = stack[-1]
        if not isinstance(at, Sym) or id(at) in memo:
            stack.pop()
            continue
        if at.op == "leaf":
            assert isinstance(at.decisions, Pinned)
            found = at.decisions.numbers[at.name]
        else:
            parts = [p for p in (at.a, at.b) if isinstance(p, Sym) and id(p) not in memo]
            if parts:
                stack += parts
                continue
            a = memo[id(at.a)] if isinstance(at.a, Sym) else at.a
            b = memo[id(at.b)] if isinstance(at.b, Sym) else at.b
            found = _operate(at.op, a, b)
        assert at.lo <= found <= at.hi, f"{found} is outside {at.lo}..{at.hi} of {at.op}"
        memo[id(at)] = found
        stack.pop()
    return memo[id(value)] if isinstance(value, Sym) else value


def _operate(op: str, a: int, b: int) -> int:
    match op:
        case "+":
            return a + b
        case "-":
            return a - b
        case "*":
            return a * b
        case "&":
            return a & b
        case "|":
            return a | b
        case "^":
            return a ^ b
        case "<<":
            return a << b
        case ">>":
            return a >> b
        case "/":
            quotient = divide(a, b)
            assert isinstance(quotient, int)
            return quotient
        case "%":
            rest = remainder(a, b)
            assert isinstance(rest, int)
            return rest
        case "==":
            return int(a == b)
        case "!=":
            return int(a != b)
        case "<":
            return int(a < b)
        case "<=":
            return int(a <= b)
    raise AssertionError(op)
