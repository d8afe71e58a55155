# SPDX-License-Identifier: GPL-2.0-or-later
"""What the compiler itself answers: builtins, traits, ``_Generic``."""

from __future__ import annotations

import re

from ctxlint.frontend.clang import CType, Cursor
from ctxlint.frontend.fold import truth
from ctxlint.frontend.kinds import CursorKind, is_expression
from ctxlint.frontend.state import State
from ctxlint.ir.ops import Addr, Bin, Call, Const, Expr, Func
from ctxlint.ir.types import TArray, TPtr, TRecord, TVoid, TypeId

_WORD = re.compile(rb"\s*(\w+)")
_TRAITS = ("__builtin_types_compatible_p", "__builtin_offsetof", "offsetof")
_EXPECT = frozenset(("__builtin_expect", "__builtin_expect_with_probability"))
_SIZES = frozenset(("__builtin_object_size", "__builtin_dynamic_object_size"))


class Builtins(State):
    def expr(self, cursor: Cursor) -> Expr:
        raise NotImplementedError

    def effect(self, cursor: Cursor) -> None:
        raise NotImplementedError

    def decayed(self, e: Expr) -> Expr:
        array = self.types[self.type_of(e)]
        return Addr(e, self.pointer_to(array.of)) if isinstance(array, TArray) else e

    def builtin(self, name: str, cursor: Cursor, args: list[Cursor]) -> Expr | None:
        """A builtin that is not an ordinary call; None when it is one."""
        if name in _EXPECT:
            return self.convert(self.expr(args[0]), self.type(cursor))
        if name == "__builtin_constant_p":
            return self.const(self.lib.evaluate(cursor) or 0, self.type(cursor))
        if name == "__builtin_unreachable":
            self.end(("unreachable",))
            return Const(0, self.void)
        if name == "__builtin_assume_aligned":
            return self.convert(self.expr(args[0]), self.type(cursor))
        if name in ("__builtin_assume", "__builtin_prefetch", "__builtin_va_end"):
            return Const(0, self.void)
        if name in ("__builtin_va_start", "__builtin_va_copy"):
            return self._va_start(name, cursor, args)
        value = self.lib.evaluate(cursor)
        type_ = self.type(cursor)
        if value is not None and not isinstance(self.types[type_], TVoid):
            return self.const(value, type_)
        if name in _SIZES:
            mode = self.lib.evaluate(args[1]) or 0
            return self.const(-1 if mode < 2 else 0, type_)
        return None

    def trait(self, cursor: Cursor) -> Expr:
        """``sizeof`` and ``_Alignof``; the operand is not evaluated."""
        value = self.lib.evaluate(cursor)
        type_ = self.type(cursor)
        if value is None:
            return self.opaque("size that is not constant", type_)
        return self.const(value, type_)

    def generic(self, cursor: Cursor) -> Expr:
        """The association that clang chose. Its type is the type of the whole;
        where several have that type, constants decide by their value."""
        lib = self.lib
        kids = [k for k in lib.children(cursor) if is_expression(k.kind)]
        whole = lib.getCursorType(cursor)
        type_ = self.table.of(whole)
        choices = [k for k in kids[1:] if lib.getCursorType(k).d0 == whole.d0]
        if not choices:
            canonical = lib.getCanonicalType(whole).d0
            choices = [
                k
                for k in kids[1:]
                if lib.getCanonicalType(lib.getCursorType(k)).d0 == canonical
            ]
        if len(choices) == 1:
            return self.convert(self.expr(choices[0]), type_)
        value = lib.evaluate(cursor)
        if value is not None:
            return self.const(value, type_)
        return self.opaque("_Generic", type_)

    def word(self, cursor: Cursor) -> str:
        match = _WORD.match(self.parsed.source(cursor))
        return match[1].decode() if match else ""

    def unexposed(self, cursor: Cursor, kids: list[Cursor]) -> Expr:
        """Expressions that libclang has no kind for: told apart by their
        children and their first word."""
        type_ = self.type(cursor)
        expressions = [k for k in kids if is_expression(k.kind)]
        if not expressions or any(k.kind == CursorKind.MEMBER_REF for k in kids):
            value = self.lib.evaluate(cursor)
            if value is not None:
                return self.const(value, type_)
            if expressions:
                return self._offset_of(kids, type_)
            return self.opaque(f"unexposed {self.word(cursor)}", type_)
        word = self.word(cursor)
        if word.endswith("va_arg"):
            return self.va_arg(self.expr(expressions[0]), type_, cursor)
        if word.startswith(_TRAITS):
            value = self.lib.evaluate(cursor)
            return self.opaque(word, type_) if value is None else self.const(value, type_)
        if len(expressions) == 1:
            if word.startswith(("__atomic", "__c11_atomic")):
                return self._atomic(word, cursor, expressions)
            return self.convert(self.expr(expressions[0]), type_)
        if word.startswith(("__atomic", "__c11_atomic", "__scoped_atomic")):
            return self._atomic(word, cursor, expressions)
        if len(expressions) == 3:
            known = self.lib.evaluate(expressions[0])
            if known is not None:
                return self.convert(self.expr(expressions[1 if known else 2]), type_)
        if len(expressions) == 4:
            return self._elvis(cursor, expressions[0], expressions[3])
        return self.opaque(f"unexposed {word}", type_)

    def _offset_of(self, kids: list[Cursor], type_: TypeId) -> Expr:
        """``offsetof`` with an index that is not constant."""
        lib = self.lib
        total: Expr = self.const(0, type_)
        fixed = 0
        at: CType | None = None
        for kid in kids:
            if kid.kind == CursorKind.MEMBER_REF:
                field = lib.getCursorReferenced(kid)
                fixed += lib.Cursor_getOffsetOfField(field) // 8
                at = lib.getCanonicalType(lib.getCursorType(field))
            elif at is not None and is_expression(kid.kind):
                at = lib.getCanonicalType(lib.getArrayElementType(at))
                size = self.const(lib.Type_getSizeOf(at), type_)
                index = self.convert(self.expr(kid), type_)
                total = Bin("+", total, Bin("*", index, size, type_), type_)
        return Bin("+", total, self.const(fixed, type_), type_)

    def _elvis(self, cursor: Cursor, first: Cursor, second: Cursor) -> Expr:
        """``a ?: b``."""
        type_ = self.type(cursor)
        value = self.expr(first)
        known = truth(value)
        if known is not None:
            return self.convert(value if known else self.expr(second), type_)
        holder = self.temp(self.type_of(value))
        loc = self.loc(cursor)
        self.assign(holder, value, loc)
        return self.choose(
            type_,
            holder,
            self.loc(first),
            lambda: self.convert(holder, type_),
            lambda: self.expr(second),
        )

    def _atomic(self, word: str, cursor: Cursor, kids: list[Cursor]) -> Expr:
        type_ = self.type(cursor)
        args = tuple([self.expr(k) for k in kids])
        dst = None if isinstance(self.types[type_], TVoid) else self.temp(type_)
        self.emit(Call(dst, Func(word, self.void), args, self.loc(cursor)))
        return Const(0, self.void) if dst is None else dst

    def _va_start(self, name: str, cursor: Cursor, args: list[Cursor]) -> Expr:
        """Lists are handed over by address, whatever the ABI makes of them."""
        values = [self.expr(a) for a in args]
        if name == "__builtin_va_start":
            del values[1:]
        passed = tuple([self._list_address(v) for v in values])
        self.emit(Call(None, Func(name, self.void), passed, self.loc(cursor)))
        return Const(0, self.void)

    def _list_address(self, e: Expr) -> Expr:
        """The address of a va_list, which may be a record, a pointer, or an
        array of one record that has decayed already."""
        have = self.type_of(e)
        shape = self.types[have]
        if isinstance(shape, TPtr):
            inner = self.types[shape.to]
            if isinstance(inner, TRecord) and "va_list" in inner.key:
                return e
        return self.decayed(e) if isinstance(shape, TArray) else Addr(e, self.pointer_to(have))

    def va_arg(self, e: Expr, type_: TypeId, cursor: Cursor) -> Expr:
        """``va_arg(ap, type)``: a call that gives the next argument."""
        dst = self.temp(type_)
        args = (self._list_address(e),)
        self.emit(Call(dst, Func("__builtin_va_arg", self.void), args, self.loc(cursor)))
        return dst
