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


class _Part:
    """Conditions that have unknowns in common, and a solver for them alone."""

    __slots__ = ("conditions", "given", "solver")

    def __init__(self) -> None:
        self.conditions: list[Any] = []
        self.solver: Any = None
        self.given = 0
        """How many of the conditions the solver has."""

    def ready(self) -> Any:
        if self.solver is None:
            self.solver = z3.Solver()
            self.solver.set("rlimit", _EFFORT)
            self.solver.set("random_seed", 0)
        if self.given < len(self.conditions):
            self.solver.add(*self.conditions[self.given :])
            self.given = len(self.conditions)
        return self.solver


class Condition:
    """What holds on a path: a growing conjunction.

    It is kept in parts that have no unknown in common, since most questions are about few
    unknowns and a path has hundreds: what does not touch these has no say in the answer.
    Whether all parts are possible together is asked at the end (:meth:`impossible`).

    ``unsure`` is set when the solver gave up on a question; both answers are then
    taken to be possible.
    """

    def __init__(self) -> None:
        self._pending: list[tuple[Sym, bool]] = []
        self._touched: set[int] = set()
        self._names: dict[int, Any] = {}
        self._leaves: list[Sym] = []
        self._parts: dict[int, _Part] = {}
        """By the identity of an unknown."""
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
        if self._is_fresh(value):
            return True, True
        cond = self.bool_of(value)
        part = self._part_of(value)
        return self._check(part, cond), self._check(part, z3.Not(cond))

    def feasible(self, value: Value) -> bool:
        """Whether ``value`` can be other than 0."""
        if not isinstance(value, Sym):
            return bool(value)
        if self._is_fresh(value):
            return True
        cond = self.bool_of(value)
        return self._check(self._part_of(value), cond)

    def _is_fresh(self, value: Sym) -> bool:
        """Whether it is a test of an unknown that nothing is known of, which can go both
        ways."""
        return _fresh_test(value) and not any(id(x) in self._touched for x in leaves(value))

    def some(self, value: Sym) -> int | None:
        """A number that the value can be; None when the path is impossible. Raises Cut
        when the solver gives up."""
        term = self.term(value)
        solver = self._part_of(value).ready()
        self.questions += 1
        answer = solver.check()
        if answer == z3.unknown:
            self.unsure = True
            raise Cut("the solver gave up")
        if answer != z3.sat:
            return None
        number = solver.model().eval(term, model_completion=True)
        return int(number.as_signed_long())

    def impossible(self) -> bool:
        """Whether nothing meets all of the conditions."""
        self._settle()
        for part in self._all_parts():
            self.questions += 1
            if part.ready().check() == z3.unsat:
                return True
        return False

    def model(self, pointers: Container[int] = ()) -> dict[str, int]:
        """A number for each unknown that the path's condition speaks of: 0, else 1, else
        any that is possible together with those before; other than 0 for ``pointers``
        (identities), where it can."""
        self._settle()
        if any(part.ready().check() != z3.sat for part in self._all_parts()):
            return {}
        found = {}
        for leaf in self._leaves:
            variable = self._names[id(leaf)]
            solver = self._part_of(leaf).ready()
            if solver.check() != z3.sat:
                break
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
        pairs = list(pairs)
        if not pairs:
            return None
        conditions = [self.term(value) == self.term(other) for value, other in pairs]
        self._settle()
        part = self._part_for(
            leaf for pair in pairs for x in pair if isinstance(x, Sym) for leaf in leaves(x)
        )
        solver = part.ready()
        self.questions += 1
        if solver.check(*conditions) == z3.sat:
            return None
        for count in range(1, len(pairs) + 1):
            self.questions += 1
            if solver.check(*conditions[:count]) != z3.sat:
                return pairs[count - 1][0]
        return pairs[-1][0]

    # parts

    def _settle(self) -> None:
        """Put what was added since into the parts."""
        pending, self._pending = self._pending, []
        for value, truth in pending:
            cond = self.bool_of(value)
            part = self._part_for(leaves(value))
            part.conditions.append(cond if truth else z3.Not(cond))

    def _part_of(self, value: Sym) -> _Part:
        """The part that has all unknowns of a value."""
        self.term(value)
        self._settle()
        return self._part_for(leaves(value))

    def _part_for(self, unknowns: Iterable[Sym]) -> _Part:
        """The part that has all of the unknowns: those that had some become one."""
        parts: dict[int, _Part] = {}
        for leaf in unknowns:
            self.term(leaf)
            part = self._parts[id(leaf)]
            parts[id(part)] = part
        if len(parts) == 1:
            return next(iter(parts.values()))
        if not parts:
            return _Part()
        into = max(parts.values(), key=lambda p: len(p.conditions))
        for part in parts.values():
            if part is not into:
                into.conditions += part.conditions
        for key, part in self._parts.items():
            if id(part) in parts:
                self._parts[key] = into
        return into

    def _all_parts(self) -> list[_Part]:
        return list({id(part): part for part in self._parts.values()}.values())

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
        part = self._parts[id(leaf)] = _Part()
        part.conditions.append(z3.And(variable >= low, variable <= high))
        return variable

    def _check(self, part: _Part, cond: Any) -> bool:
        self.questions += 1
        answer = part.ready().check(cond)
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
