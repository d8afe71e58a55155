# SPDX-License-Identifier: GPL-2.0-or-later
"""Expressions.

``expr`` returns a pure IR expression for a cursor and emits the operations
that its side effects need; ``effect`` does the same when nobody wants the
value.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ctxlint.frontend.builtins import Builtins
from ctxlint.frontend.clang import Cursor
from ctxlint.frontend.fold import wrap
from ctxlint.frontend.kinds import BinaryOperator, CursorKind, TypeKind, is_expression
from ctxlint.frontend.literals import string_bytes
from ctxlint.frontend.operators import STEPS, Operators
from ctxlint.ir.ops import (
    Addr,
    Assign,
    Bin,
    Call,
    Cast,
    Const,
    Expr,
    FConst,
    Field,
    Func,
    Global,
    Index,
    LabelAddr,
    Str,
)
from ctxlint.ir.types import TArray, TInt, TPtr, TRecord, TVoid, TypeId


class Expressions(Operators):
    """Lowering of expressions; statements are in the subclass."""

    def expr(self, cursor: Cursor) -> Expr:
        handler = _EXPR.get(cursor.kind)
        if handler is None:
            return self.opaque(f"expression kind {cursor.kind}", self.type(cursor))
        return handler(self, cursor)

    def _paren(self, cursor: Cursor) -> Expr:
        return self.expr(self.operand(cursor))

    def _integer(self, cursor: Cursor) -> Expr:
        value = self.lib.evaluate(cursor)
        type_ = self.type(cursor)
        return self.opaque("integer", type_) if value is None else self.const(value, type_)

    def _floating(self, cursor: Cursor) -> Expr:
        value = self.lib.evaluate_float(cursor)
        return FConst(value or 0.0, self.type(cursor))

    def _string(self, cursor: Cursor) -> Expr:
        type_ = self.type(cursor)
        array = self.types[type_]
        width = 1
        if isinstance(array, TArray):
            element = self.types[array.of]
            width = element.bits // 8 if isinstance(element, TInt) else 1
        return Str(string_bytes(self.names.spelling(cursor), width), type_)

    def _decl_ref(self, cursor: Cursor) -> Expr:
        decl = self.lib.getCursorReferenced(cursor)
        found = self.slots.get(decl.d0)
        if found is not None:
            if type(found) is Global:
                self.cur.refs.append(self.names.global_(decl))
            return found
        if decl.kind == CursorKind.FUNCTION_DECL:
            return self.func(self.names.function(decl))
        if decl.kind == CursorKind.ENUM_CONSTANT_DECL:
            name, value = self.names.enumerator(decl)
            type_ = self.type(cursor)
            return Const(wrap(value, self.types[type_]), type_, name)
        if decl.kind == CursorKind.VAR_DECL:
            info = self.names.global_(decl)
            self.cur.refs.append(info)
            found = self.slots[decl.d0] = Global(info.symbol, self.table.local(info.type))
            return found
        return self.opaque(f"reference to {self.names.spelling(cursor)}", self.type(cursor))

    def _member(self, cursor: Cursor) -> Expr:
        kids = self.lib.children(cursor)
        if not kids or not is_expression(kids[0].kind):
            return self.opaque("member without a base", self.type(cursor))
        base = self.expr(kids[0])
        return self.field(base, self.unit.field_name(cursor), self.type(cursor))

    def field(self, base: Expr, name: str, type_: TypeId) -> Expr:
        """Member ``name`` of a record lvalue, or of what a pointer points at."""
        have = self.types[self.type_of(base)]
        if isinstance(have, TPtr):
            base = self.deref(base, have.to)
            have = self.types[have.to]
        if "(" in name:
            return base  # an anonymous member: its members are found from here
        if isinstance(have, TRecord):
            member = self.unit.world.members(have.key).get(name)
            if member is not None:
                kind = self.table.local(member.type)
                return Field(base, member.record, name, member.offset, member.width, kind)
        return self.opaque(f"member {name}", type_)

    def _subscript(self, cursor: Cursor) -> Expr:
        first, second = self.lib.children(cursor)[-2:]
        a, b = self.expr(first), self.expr(second)
        if isinstance(self.types[self.type_of(b)], TPtr | TArray):
            a, b = b, a
        return self.element(a, b, self.type(cursor))

    def element(self, base: Expr, index: Expr, type_: TypeId) -> Expr:
        if type(base) is Addr:
            array = self.types[self.type_of(base.lvalue)]
            if isinstance(array, TArray):
                return Index(base.lvalue, index, array.of)
        have = self.type_of(base)
        if isinstance(self.types[have], TArray):
            return Index(base, index, type_)
        if type(index) is Const and index.value == 0:
            return self.deref(base, type_)
        return self.deref(Bin("+", base, index, have), type_)

    # calls and casts

    def _call(self, cursor: Cursor, *, wanted: bool = True) -> Expr:
        kids = self.lib.children(cursor)
        if not kids:
            return self.opaque("call", self.type(cursor))
        fn = self.expr(kids[0])
        if type(fn) is Func and fn.symbol.startswith("__builtin_"):
            special = self.builtin(fn.symbol, cursor, kids[1:])
            if special is not None:
                return special
        args = tuple([self.expr(k) for k in kids[1:]])
        args = tuple([self.decayed(a) for a in args])
        return self.call(fn, args, cursor, wanted=wanted)

    def call(
        self, fn: Expr, args: tuple[Expr, ...], cursor: Cursor, *, wanted: bool = True
    ) -> Expr:
        type_ = self.type(cursor)
        loc = self.loc(cursor)
        info = self.names.by_symbol.get(fn.symbol) if type(fn) is Func else None
        if info is not None and "error" in info.attrs:
            # A compile-time assertion: the optimiser proves that it is not
            # reached, with facts (constants of callers) that are not seen here.
            return Const(0, type_)
        nothing = not wanted or isinstance(self.types[type_], TVoid)
        dst = None if nothing else self.temp(type_)
        self.emit(Call(dst, fn, args, loc))
        if info is not None and info.noreturn:
            self.end(("unreachable",))
        return Const(0, self.void) if dst is None else dst

    def _cast(self, cursor: Cursor) -> Expr:
        e = self.expr(self.operand(cursor))
        type_ = self.type(cursor)
        target = self.types[type_]
        if isinstance(target, TVoid):
            return e
        if isinstance(target, TInt) and target.name and type(e) is not Const:
            have = self.types[self.type_of(e)]
            if have != target and not self.is_bool(type_) and isinstance(have, TInt):
                return Cast(e, type_)
        return self.convert(e, type_)

    def _unexposed(self, cursor: Cursor) -> Expr:
        lib = self.lib
        kids = lib.children(cursor)
        if len(kids) == 1 and is_expression(kids[0].kind):
            kid = kids[0]
            whole = lib.getCursorType(cursor)
            inner = lib.getCursorType(kid)
            have = self.table.of(inner)
            if not self._is_implicit(cursor, whole.kind, kid, have):
                return self.unexposed(cursor, kids)
            e = self.expr(kid)
            type_ = have if whole.d0 == inner.d0 else self.table.of(whole)
            return e if type_ == have and self.type_of(e) == have else self.convert(e, type_)
        return self.unexposed(cursor, kids)

    def _is_implicit(self, cursor: Cursor, kind: int, kid: Cursor, have: TypeId) -> bool:
        """Whether this is an implicit cast, which begins where its operand
        does. Only two others have one child: type traits, which are of type
        int, and va_arg."""
        if kind != TypeKind.INT:
            shape = self.types[have]
            name = shape.name if type(shape) is TPtr else ""
            if type(shape) is TPtr or type(shape) is TArray:
                shape = self.types[self.pointee(have)]
            if type(shape) is TRecord:
                name = shape.key
            if "va_list" not in name:
                return True
        lib = self.lib
        return bool(lib.getCursorExtent(cursor).begin == lib.getCursorExtent(kid).begin)

    def _stmt_expr(self, cursor: Cursor, *, wanted: bool = True) -> Expr:
        raise NotImplementedError

    def initialiser(self, cursor: Cursor, type_: TypeId) -> Expr:
        raise NotImplementedError

    def _init_list(self, cursor: Cursor) -> Expr:
        return self.initialiser(cursor, self.type(cursor))

    def _compound_literal(self, cursor: Cursor) -> Expr:
        type_ = self.type(cursor)
        value = self.initialiser(self.operand(cursor), type_)
        if self.unit.initialising:
            return self.unit.anonymous_global(self, cursor, value, type_)
        holder = self.temp(type_)
        self.emit(Assign(holder, value, self.loc(cursor)))
        return holder

    def _addr_label(self, cursor: Cursor) -> Expr:
        label = self.lib.getCursorReferenced(self.lib.children(cursor)[0])
        if self.unit.initialising:  # a static table, after its function
            return LabelAddr(self.unit.label_blocks.get(label.d1, 0), self.type(cursor))
        return LabelAddr(self.label_number(label), self.type(cursor))

    def label_number(self, label: Cursor) -> int:
        raise NotImplementedError

    # without a value

    def effect(self, cursor: Cursor) -> None:
        """Side effects only."""
        kind = cursor.kind
        if kind in (
            CursorKind.PAREN_EXPR,
            CursorKind.UNEXPOSED_EXPR,
            CursorKind.CSTYLE_CAST_EXPR,
        ):
            kids = self.lib.children(cursor)
            if (
                kids
                and (kind != CursorKind.UNEXPOSED_EXPR or len(kids) == 1)
                and is_expression(kids[-1].kind)
            ):
                self.effect(kids[-1])
                return
        elif kind == CursorKind.CALL_EXPR:
            self._call(cursor, wanted=False)
            return
        elif kind == CursorKind.STMT_EXPR:
            self._stmt_expr(cursor, wanted=False)
            return
        elif kind == CursorKind.CONDITIONAL_OPERATOR:
            self._conditional(cursor, wanted=False)
            return
        elif kind == CursorKind.UNARY_OPERATOR:
            op = self.lib.getCursorUnaryOperatorKind(cursor)
            if op in STEPS:
                self._step(cursor, self.operand(cursor), op, wanted=False)
                return
        elif (
            kind == CursorKind.BINARY_OPERATOR
            and self.lib.getCursorBinaryOperatorKind(cursor) == BinaryOperator.COMMA
        ):
            first, second = self.lib.children(cursor)[-2:]
            self.effect(first)
            self.effect(second)
            return
        self.expr(cursor)


def _call(self: Expressions, cursor: Cursor) -> Expr:
    return self._call(cursor)


_EXPR: dict[int, Callable[[Any, Cursor], Expr]] = {
    CursorKind.UNEXPOSED_EXPR: Expressions._unexposed,
    CursorKind.DECL_REF_EXPR: Expressions._decl_ref,
    CursorKind.MEMBER_REF_EXPR: Expressions._member,
    CursorKind.CALL_EXPR: _call,
    CursorKind.INTEGER_LITERAL: Expressions._integer,
    CursorKind.CHARACTER_LITERAL: Expressions._integer,
    CursorKind.FLOATING_LITERAL: Expressions._floating,
    CursorKind.STRING_LITERAL: Expressions._string,
    CursorKind.PAREN_EXPR: Expressions._paren,
    CursorKind.UNARY_OPERATOR: Expressions._unary,
    CursorKind.ARRAY_SUBSCRIPT_EXPR: Expressions._subscript,
    CursorKind.BINARY_OPERATOR: Expressions._binary,
    CursorKind.COMPOUND_ASSIGNMENT_OPERATOR: Expressions._compound_assign,
    CursorKind.CONDITIONAL_OPERATOR: Expressions._conditional,
    CursorKind.CSTYLE_CAST_EXPR: Expressions._cast,
    CursorKind.COMPOUND_LITERAL_EXPR: Expressions._compound_literal,
    CursorKind.INIT_LIST_EXPR: Expressions._init_list,
    CursorKind.ADDR_LABEL_EXPR: Expressions._addr_label,
    CursorKind.STMT_EXPR: lambda self, cursor: self._stmt_expr(cursor),
    CursorKind.GENERIC_SELECTION_EXPR: Builtins.generic,
    CursorKind.CXX_UNARY_EXPR: Builtins.trait,
}
