# SPDX-License-Identifier: GPL-2.0-or-later
"""Terms to z3, and the condition of a path.

Most branches test an unknown for the first time; for those no solver is needed. It is
asked when a condition shares an unknown with what holds already.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Any

import z3

from ctxlint.simulator.outcome import Cut
from ctxlint.simulator.unknowns import WIDTH, Sym, Value, bounds, leaves

_EFFORT = 4_000_000
"""What one question may cost, in the solver's own unit (not time)."""


class Condition:
    """What holds on a path: a growing conjunction.

    ``unsure`` is set when the solver gave up on a question; both answers are then
    taken to be possible.
    """

    def __init__(self) -> None:
        self._solver: Any = None
        self._pending: list[Any] = []
        self._touched: set[int] = set()
        self._names: dict[int, Any] = {}
        self._leaves: list[Sym] = []
        self._memo: dict[int, Any] = {}
        self._keep: list[Value] = []
        self.unsure = False
        self.questions = 0

    def add(self, value: Value, truth: bool) -> None:
        """From now on ``value`` is other than 0 (or is 0)."""
        if not isinstance(value, Sym):
            return
        for leaf in leaves(value):
            self._touched.add(id(leaf))
        self._pending.append((value, truth))

    def possible(self, value: Sym) -> tuple[bool, bool]:
        """Whether the value can be other than 0, and whether it can be 0."""
        if value.lo > 0 or value.hi < 0:
            return True, False
        if value.lo == value.hi == 0:
            return False, True
        if _fresh_test(value) and not any(id(x) in self._touched for x in leaves(value)):
            return True, True
        cond = self.bool_of(value)
        return self._check(cond), self._check(z3.Not(cond))

    def feasible(self, value: Value) -> bool:
        """Whether ``value`` can be other than 0."""
        if not isinstance(value, Sym):
            return bool(value)
        return self._check(self.bool_of(value))

    def some(self, value: Sym) -> int | None:
        """A number that the value can be; None when the path is impossible. Raises Cut
        when the solver gives up."""
        term = self.term(value)
        solver = self._ready()
        self.questions += 1
        answer = solver.check()
        if answer == z3.unknown:
            self.unsure = True
            raise Cut("the solver gave up")
        if answer != z3.sat:
            return None
        number = solver.model().eval(term, model_completion=True)
        return int(number.as_signed_long())

    def model(self, pointers: Container[int] = ()) -> dict[str, int]:
        """A number for each unknown that the path's condition speaks of: 0, else 1, else
        any that is possible together with those before; other than 0 for ``pointers``
        (identities), where it can."""
        solver = self._ready()
        if solver.check() != z3.sat:
            return {}
        found = {}
        for leaf in self._leaves:
            variable = self._names[id(leaf)]
            number = solver.model().eval(variable, model_completion=True).as_signed_long()
            if id(leaf) in pointers:
                # An aligned one, as objects have it, if there is nothing against that.
                tries: tuple[Any, ...] = (variable & 0xFFF == 0, variable & 7 == 0, True)
                if any(solver.check(variable != 0, each) == z3.sat for each in tries):
                    number = solver.model().eval(variable).as_signed_long()
            elif number not in (0, 1):
                for small in (0, 1):
                    if solver.check(variable == small) == z3.sat:
                        number = small
                        break
            solver.add(variable == number)
            if solver.check() != z3.sat:
                break
            found[leaf.name] = int(number)
        return found

    def without(self, pairs: Iterable[tuple[Sym, Value]]) -> Sym | None:
        """The first of unknowns that cannot have its other value together with those
        before it; None when the path is possible with all of them."""
        solver = self._ready()
        pairs = list(pairs)
        conditions = [self.term(value) == self.term(other) for value, other in pairs]
        solver = self._ready()
        self.questions += 1
        if not pairs or solver.check(*conditions) == z3.sat:
            return None
        for count in range(1, len(pairs) + 1):
            self.questions += 1
            if solver.check(*conditions[:count]) != z3.sat:
                return pairs[count - 1][0]
        return pairs[-1][0]

    # terms

    def term(self, value: Value) -> Any:
        """The bit vector of a term. Deep terms are built without recursion."""
        if not isinstance(value, Sym):
            return z3.BitVecVal(value, WIDTH)
        stack = [value]
        memo = self._memo
        while stack:
            at = stack[-1]
            if id(at) in memo:
                stack.pop()
                continue
            todo = [
                part for part in (at.a, at.b) if isinstance(part, Sym) and id(part) not in memo
            ]
            if at.op != "leaf" and todo:
                stack += todo
                continue
            memo[id(at)] = self._node(at)
            self._keep.append(at)  # an id must not be used again
            stack.pop()
        return memo[id(value)]

    def bool_of(self, value: Sym) -> Any:
        """The value being other than 0, as a formula."""
        compare = {"==", "!=", "<", "<="}
        if value.op in compare:
            a, b = self.term(value.a), self.term(value.b)
            if value.op == "==":
                return a == b
            if value.op == "!=":
                return a != b
            return a < b if value.op == "<" else a <= b
        return self.term(value) != 0

    def _node(self, at: Sym) -> Any:
        if at.op == "leaf":
            return self._leaf(at)
        a = self._part(at.a)
        b = self._part(at.b)
        match at.op:
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
                return a >> b  # arithmetic; terms are in range of their type
            case "/":
                return a / b
            case "%":
                return z3.SRem(a, b)
        return z3.If(self.bool_of(at), z3.BitVecVal(1, WIDTH), z3.BitVecVal(0, WIDTH))

    def _part(self, value: Value) -> Any:
        if isinstance(value, Sym):
            return self._memo[id(value)]
        return z3.BitVecVal(value, WIDTH)

    def _leaf(self, leaf: Sym) -> Any:
        variable = z3.BitVec(f"{len(self._names)}:{leaf.name}", WIDTH)
        self._names[id(leaf)] = variable
        self._leaves.append(leaf)
        low, high = bounds(leaf)
        self._pending.append(z3.And(variable >= low, variable <= high))
        return variable

    def _ready(self) -> Any:
        if self._solver is None:
            self._solver = z3.Solver()
            self._solver.set("rlimit", _EFFORT)
            self._solver.set("random_seed", 0)
        while self._pending:
            pending, self._pending = self._pending, []
            for item in pending:
                if isinstance(item, tuple):
                    value, truth = item
                    cond = self.bool_of(value)
                    item = cond if truth else z3.Not(cond)
                self._solver.add(item)
        return self._solver

    def _check(self, cond: Any) -> bool:
        solver = self._ready()
        self.questions += 1
        answer = solver.check(cond)
        if answer == z3.unknown:
            self.unsure = True
            return True
        return bool(answer == z3.sat)


def _fresh_test(value: Sym) -> bool:
    """A test that an unconstrained unknown can pass and fail."""
    if value.op == "leaf":
        return value.lo <= 0 < value.hi
    if value.op == "&" and isinstance(value.b, int) and isinstance(value.a, Sym):
        return value.a.op == "leaf" and value.a.lo <= 0 and bool(value.b & value.a.hi)
    if value.op in ("==", "!=") and isinstance(value.a, Sym):
        a, b = value.a, value.b
        if isinstance(b, int):
            if a.op == "leaf":
                return a.lo <= b <= a.hi and a.lo < a.hi
            if b == 0:
                return _fresh_test(a)
    return False
