# SPDX-License-Identifier: GPL-2.0-or-later
"""C's rules of which value may become which type, with explicit conversions.

What C leaves to a diagnostic is an error here: a model that compares unlike
pointers or stores an integer in one is a mistake, not a model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from ctxlint.base.errors import RuleError
from ctxlint.frontend.builder import Builder, Table
from ctxlint.frontend.model_functions.types import LayoutError, same
from ctxlint.ir.ops import Addr, Cast, Const, Expr, Func, Global, Str
from ctxlint.ir.printer import type_text
from ctxlint.ir.types import TArray, TFunc, TInt, TPtr, TRecord, TVoid, Type, TypeId

if TYPE_CHECKING:
    from ctxlint.frontend.model_functions.unit import FileLowering


class Conversions(Builder[Table]):
    def __init__(self, unit: FileLowering) -> None:
        super().__init__(Table(unit.world), short=True)
        self.unit = unit
        self.world = unit.world
        self.in_function = False  # else it is a value that exists from the start

    def error(self, node: Any, text: str, hint: str = "") -> RuleError:
        return self.unit.error(node, text, hint)

    def fail(self, node: Any, text: str, hint: str = "") -> NoReturn:
        raise self.error(node, text, hint)

    def value(self, node: Any) -> Expr:
        raise NotImplementedError

    def spelled(self, e: Expr) -> str:
        return self.type_name(self.type_of(e))

    def type_name(self, type_: TypeId) -> str:
        return "_Bool" if self.is_bool(type_) else type_text(type_, self.types)

    def same(self, a: TypeId, b: TypeId) -> bool:
        return same(a, b, self.table)

    def known_size(
        self, size: Callable[[TypeId, Sequence[Type]], int], type_: TypeId, node: Any
    ) -> int:
        try:
            return size(type_, self.types)
        except LayoutError as error:
            self.fail(node, str(error))

    # values

    def decayed(self, e: Expr) -> Expr:
        """Arrays and functions become pointers."""
        have = self.type_of(e)
        shape = self.types[have]
        if isinstance(shape, TArray):
            return Addr(e, self.pointer_to(shape.of))
        return self.convert(e, self.pointer_to(have)) if isinstance(shape, TFunc) else e

    def loadable(self, e: Expr, node: Any) -> None:
        shape = self.types[self.type_of(e)]
        if isinstance(shape, TRecord):
            self.known_size(self.world.size, self.type_of(e), node)

    def scalar(self, node: Any) -> Expr:
        """A value that can be compared with zero."""
        e = self.value(node)
        if not isinstance(self.types[self.type_of(e)], TInt | TPtr):
            self.fail(node, f"a condition of type {self.spelled(e)}")
        if isinstance(e, Func) or (isinstance(e, Addr) and isinstance(e.lvalue, Global | Str)):
            return Const(1, self.int_)  # an object's address is never 0
        return e

    def integer(self, e: Expr, node: Any) -> Expr:
        """An integer after C's promotions."""
        if not isinstance(self.types[self.type_of(e)], TInt):
            self.fail(node, f"an integer is needed, not {self.spelled(self.decayed(e))}")
        return self.promote(e)

    def promote(self, e: Expr) -> Expr:
        return self.convert(e, self.promoted(e))

    def check_step(self, place: Expr, node: Any) -> None:
        shape = self.types[self.type_of(place)]
        if isinstance(shape, TPtr):
            self.arithmetic_pointee(place, node)
        elif not isinstance(shape, TInt):
            self.fail(node, f"{node.op.strip('p')} on {self.spelled(place)}")

    # pointers

    def is_null(self, e: Expr) -> bool:
        """A null pointer constant: ``0`` or ``(void *)0``."""
        if not isinstance(e, Const) or e.value:
            return False
        shape = self.types[e.type]
        if isinstance(shape, TPtr):
            return isinstance(self.types[shape.to], TVoid)
        return isinstance(shape, TInt)

    def arithmetic_pointee(self, pointer: Expr, node: Any) -> TypeId:
        """What a pointer that is computed with points at: an object of known
        size."""
        shape = self.types[self.type_of(pointer)]
        if not isinstance(shape, TPtr):
            self.fail(node, f"a pointer is needed, not {self.spelled(pointer)}")
        if isinstance(self.types[shape.to], TVoid):
            self.fail(node, "arithmetic on a pointer to void", "cast it to u8 * before")
        self.known_size(self.world.size, shape.to, node)
        return shape.to

    def _meeting(self, a: Expr, b: Expr) -> TypeId | None:
        """The type in which two pointers meet, in a comparison or choice."""
        x, y = self.type_of(a), self.type_of(b)
        p, q = self.types[x], self.types[y]
        if isinstance(p, TPtr) and self.is_null(b):
            return x
        if isinstance(q, TPtr) and self.is_null(a):
            return y
        if not (isinstance(p, TPtr) and isinstance(q, TPtr)):
            return None
        if self.same(p.to, q.to):
            return x
        for one, other in ((x, q), (y, p)):
            void = self.types[one]
            assert isinstance(void, TPtr)
            if isinstance(self.types[void.to], TVoid):
                return None if isinstance(self.types[other.to], TFunc) else one
        return None

    def comparable(self, a: Expr, b: Expr, op: str, node: Any) -> tuple[Expr, Expr]:
        type_ = self._meeting(a, b)
        if type_ is None:
            self.fail(node, f"{op} of {self.spelled(a)} and {self.spelled(b)}")
        return self.convert(a, type_), self.convert(b, type_)

    def chosen_type(self, a: Expr, b: Expr, node: Any) -> TypeId:
        """The type of ``?:`` with these values."""
        x, y = self.type_of(a), self.type_of(b)
        p, q = self.types[x], self.types[y]
        if isinstance(p, TInt) and isinstance(q, TInt):
            return self.common(self.promoted(a), self.promoted(b))
        if isinstance(p, TVoid) and isinstance(q, TVoid):
            return self.void
        if isinstance(p, TRecord) and self.same(x, y):
            return x
        type_ = self._meeting(a, b)
        if type_ is None:
            self.fail(node, f"?: of {self.spelled(a)} and {self.spelled(b)}")
        return type_

    # conversions

    def assignable(self, e: Expr, to: TypeId, node: Any, what: str) -> Expr:
        """``e`` as by assignment to ``to``; an error where that needs a cast."""
        have = self.type_of(e)
        target, source = self.types[to], self.types[have]
        match target, source:
            case TInt(), TInt():
                return self.convert(e, to)
            case TInt(), TPtr() if self.is_bool(to):
                return self.convert(e, to)
            case TPtr(), TPtr() | TInt() if self.is_null(e):
                return Const(0, to)
            case TPtr(), TPtr():
                void = [isinstance(self.types[p.to], TVoid) for p in (target, source)]
                func = [isinstance(self.types[p.to], TFunc) for p in (target, source)]
                if self.same(target.to, source.to) or (any(void) and not any(func)):
                    return self.convert(e, to)
            case TRecord(), TRecord() if target.key == source.key:
                return e
        raise self.error(node, f"{what}: {self.type_name(have)} is no {self.type_name(to)}",
                  "a cast would say that it is meant")  # fmt: skip

    def cast(self, e: Expr, to: TypeId, node: Any) -> Expr:
        have = self.type_of(e)
        target, source = self.types[to], self.types[have]
        if not isinstance(target, TInt | TPtr) or not isinstance(source, TInt | TPtr):
            self.fail(node, f"a cast of {self.type_name(have)} to {self.type_name(to)}")
        if isinstance(target, TPtr) and isinstance(source, TInt):
            if source.bits != self.pointer_bits:  # extended by its own sign
                e = self.convert(e, self.table.local(self.world.long_))
            return self.convert(e, to)
        if isinstance(target, TPtr) and isinstance(e, Func):
            return e if self.same(have, to) else Cast(e, to)
        return self.convert(e, to)
