# SPDX-License-Identifier: GPL-2.0-or-later
"""``&&``, ``||`` and ``?:``: expressions while their operands are pure, branches
otherwise."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ctxlint.frontend.cfg import Node, branch, jump
from ctxlint.frontend.fold import truth
from ctxlint.frontend.table import Table
from ctxlint.frontend.values import Values
from ctxlint.ir.ops import Assign, Bin, Const, Expr, LocId, Select
from ctxlint.ir.types import TVoid, TypeId

T = TypeVar("T", bound=Table)
Lower = Callable[[], Expr]


class Choices(Values[T]):
    def pure(self, lower: Lower) -> tuple[Expr, Node | None]:
        """Lower into a block of its own. When that emitted nothing, the block
        is given up and None comes back in its place; otherwise the block to
        enter first (the current block is then where the value is known)."""
        outer, node = self.cur, Node()
        was_dead = self.dead
        self.start(node, live=not was_dead)
        e = lower()
        if self.cur is node and not node.ops and node.term is None:
            outer.refs.extend(node.refs)
            self.start(outer, live=not was_dead)
            return e, None
        return e, node

    def logical(
        self, type_: TypeId, both: bool, first: Lower, second: Lower, loc: LocId, loc2: LocId
    ) -> Expr:
        """``first && second`` (``both``) or ``first || second``, of type ``type_``."""
        a = first()
        known = truth(a)
        if known is not None:
            if known != both:
                return Const(int(known), type_)
            return self.truth_value(second(), type_)
        outer = self.cur
        was_dead = self.dead
        b, node = self.pure(second)
        if node is None:
            value = truth(b)
            if value is not None:
                return Const(int(value), type_) if value != both else self.truth_value(a, type_)
            a, b = self.condition(a), self.condition(b)
            return Bin("&&" if both else "||", a, b, type_)
        result, after, short = self.temp(type_), Node(), Node()
        self.emit(Assign(result, self.truth_value(b, type_), loc2))
        self.end(jump(after))
        ends = (node, short) if both else (short, node)
        self.start(outer, live=not was_dead)
        self.end(branch(self.condition(a), *ends, loc))
        self.start(short, live=not was_dead)
        self.emit(Assign(result, Const(int(not both), type_), loc))
        self.join(after)
        return result

    def choose(
        self,
        type_: TypeId,
        cond: Expr,
        loc: LocId,
        yes: Lower,
        no: Lower,
        *,
        wanted: bool = True,
    ) -> Expr:
        """``cond ? yes : no``; without a value when nobody wants it."""
        outer, was_dead = self.cur, self.dead
        a, a_node = self.pure(yes)
        a_cur, a_dead = self.cur, self.dead
        self.start(outer, live=not was_dead)
        b, b_node = self.pure(no)
        nothing = not wanted or isinstance(self.types[type_], TVoid)
        if a_node is None and b_node is None:
            if nothing:
                return a
            return Select(cond, self.convert(a, type_), self.convert(b, type_), type_)
        result = None if nothing else self.temp(type_)
        after = Node()
        b_cur, b_dead = self.cur, self.dead
        starts: list[Node] = []
        for e, node, cur, dead in ((a, a_node, a_cur, a_dead), (b, b_node, b_cur, b_dead)):
            if node is None:
                node = cur = Node()
                dead = was_dead
            starts.append(node)
            self.start(cur, live=not dead)
            if result is not None:
                self.assign(result, self.convert(e, type_), loc)
            self.end(jump(after))
        self.start(outer, live=not was_dead)
        self.end(branch(self.condition(cond), starts[0], starts[1], loc))
        self.start(after, live=after.used)
        return result if result is not None else Const(0, self.int_)
