# SPDX-License-Identifier: GPL-2.0-or-later
"""Expressions of model files.

``expr`` gives a pure IR expression for a node and emits what its side effects
need; arrays and functions come back as they are. ``value`` gives what C calls
the value: decayed, never void. ``effect`` is for when nobody wants it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ctxlint.frontend.builder import Node
from ctxlint.frontend.model_functions import literals
from ctxlint.frontend.model_functions.operators import STEPS, Operators
from ctxlint.frontend.model_functions.scope import (
    Enumerator,
    Function,
    Local,
    MacroName,
    TypedefName,
    Variable,
)
from ctxlint.ir.ops import (
    Bin,
    Call,
    Const,
    Deref,
    Expr,
    Field,
    Func,
    Global,
    Index,
    LocId,
    Str,
    Var,
)
from ctxlint.ir.types import TArray, TFunc, TInt, TPtr, TRecord, TVoid
from ctxlint.ir.unit import Loc

if TYPE_CHECKING:
    from ctxlint.frontend.model_functions.unit import FileLowering


class Expressions(Operators):
    def __init__(self, unit: FileLowering) -> None:
        super().__init__(unit)
        self._macro: tuple[Loc, Any] | None = None  # the use that is being lowered

    # places

    def loc(self, node: Any) -> LocId:
        if self._macro is not None:
            return self.loc_id(self._macro[0])
        coord = node.coord or self.unit.place
        return self.loc_id(Loc(coord.file, coord.line, coord.column or 0))

    # entry points

    def expr(self, node: Any) -> Expr:
        kind = type(node).__name__
        handler = EXPRESSIONS.get(kind)
        if handler is None:
            self.fail(node, f"{kind} is not an expression that model files can have")
        return handler(self, node)

    def value(self, node: Any) -> Expr:
        e = self.decayed(self.expr(node))
        if isinstance(self.types[self.type_of(e)], TVoid):
            self.fail(node, "an expression without a value where one is needed")
        self.loadable(e, node)
        return e

    def effect(self, node: Any) -> None:
        kind = type(node).__name__
        if kind == "FuncCall":
            self._call(node, wanted=False)
        elif kind == "UnaryOp" and node.op in STEPS:
            self._step(node, wanted=False)
        elif kind == "TernaryOp":
            self._ternary(node, wanted=False)
        elif kind == "ExprList":
            for item in node.exprs:
                self.effect(item)
        elif kind == "Cast" and self._is_void(node.to_type):
            self.effect(node.expr)
        else:
            self.expr(node)

    def _is_void(self, typename: Any) -> bool:
        return isinstance(self.world.types[self.unit.resolve(typename)], TVoid)

    def discarded(self, node: Any) -> Expr:
        """What an expression would be, without its side effects."""
        outer, dead, count = self.cur, self.dead, len(self.vars)
        self.cur, self.dead = Node(), False
        e = self.expr(node)
        e_type = self.type_of(e)
        self.cur, self.dead = outer, dead
        del self.vars[count:]
        if isinstance(e, Const | Str | Func | Global):
            return e
        return Deref(Const(0, self.pointer_to(e_type)), e_type)  # the type is what counts

    def constant(self, node: Any, what: str) -> int:
        """The value of an integer constant expression."""
        outer, count = self.cur, len(self.vars)
        self.cur = block = Node()
        e = self.expr(node)
        pure = self.cur is block and not block.ops
        self.cur = outer
        del self.vars[count:]
        if not pure or type(e) is not Const or not isinstance(self.types[e.type], TInt):
            self.fail(node, f"{what} must be an integer constant")
        return e.value

    # names and literals

    def _identifier(self, node: Any) -> Expr:
        found = self.unit.scope.find(node.name)
        match found:
            case Local(type_, slot, owner):
                if owner is self:
                    return Var(slot)
                return self.temp(self.table.local(type_))  # its type is known, no more
            case Variable(symbol, type=type_):
                return Global(symbol, self.table.local(type_))
            case Function(symbol, type=type_):
                self.cur.refs.append(found)
                return Func(symbol, self.table.local(type_))
            case Enumerator(value):
                return Const(value, self.int_, node.name)
            case MacroName():
                return self._expanded(found, node)
            case TypedefName():
                self.fail(node, f"{node.name} is a type")
        if node.name == "__func__" and self.unit.function:
            return self.string(self.unit.function.encode())
        raise self.error(node, f"{node.name} is not declared")

    def _expanded(self, found: MacroName, node: Any) -> Expr:
        if found.busy:
            self.fail(node, f"{node.name} is part of its own value")
        outer = self._macro
        if outer is None:
            coord, macro = node.coord, found.macro
            spelled = f"{macro.file}:{macro.line}"
            loc = Loc(coord.file, coord.line, coord.column or 0, macro.name, spelled)
            self._macro = (loc, node)
        found.busy = True
        try:
            return self.expr(found.value)
        finally:
            found.busy = False
            self._macro = outer

    def string(self, data: bytes) -> Str:
        type_ = self.table.local(self.world.intern(TArray(self.world.char, len(data) + 1)))
        return Str(data, type_)

    def _constant(self, node: Any) -> Expr:
        try:
            if node.type == "string":
                return self.string(literals.string(node.value))
            if "'" in node.value:
                return self.const(literals.character(node.value), self.int_)
            value, bits, signed = literals.integer(node.value, self.pointer_bits)
        except ValueError as error:
            self.fail(node, str(error))
        return Const(value, self.table.local(self.world.intern(TInt(bits, signed))))

    # parts of objects

    def _member_of(self, node: Any) -> Expr:
        base = self.value(node.name) if node.type == "->" else self.expr(node.name)
        have = self.types[self.type_of(base)]
        if node.type == "->":
            if not isinstance(have, TPtr):
                self.fail(node, f"-> on something that is no pointer: {self.spelled(base)}")
            base = self.deref(base, have.to)
            have = self.types[have.to]
        return self.member(base, node.field.name, node)

    def member(self, base: Expr, name: str, node: Any) -> Expr:
        have = self.types[self.type_of(base)]
        if not isinstance(have, TRecord):
            self.fail(node, f"member {name} of {self.spelled(base)}")
        if self.world.layout(have.key) is None:
            self.fail(node, f"{have.key} is not defined here, so {name} is not known")
        found = self.world.find(have.key, name)
        if found is None:
            self.fail(node, f"{have.key} has no member {name}")
        owner, member = found
        type_ = self.table.local(member.type)
        return Field(base, owner, name, member.offset, member.width, type_)

    def _element(self, node: Any) -> Expr:
        base, index = self.expr(node.name), self.expr(node.subscript)
        if isinstance(self.types[self.type_of(index)], TPtr | TArray):
            base, index = index, base
        index = self.integer(index, node.subscript)
        array = self.types[self.type_of(base)]
        if isinstance(array, TArray):
            return Index(base, index, array.of)
        pointer = self.decayed(base)
        of = self.arithmetic_pointee(pointer, node)
        if type(index) is Const and index.value == 0:
            return self.deref(pointer, of)
        return self.deref(Bin("+", pointer, index, self.type_of(pointer)), of)

    # casts, calls

    def _cast(self, node: Any) -> Expr:
        type_ = self.table.local(self.unit.resolve(node.to_type))
        if isinstance(self.types[type_], TVoid):
            self.effect(node.expr)
            return Const(0, self.void)
        return self.cast(self.value(node.expr), type_, node)

    def _compound_literal(self, node: Any) -> Expr:
        return self.literal_object(node)

    def literal_object(self, node: Any) -> Expr:
        raise NotImplementedError

    def _call_value(self, node: Any) -> Expr:
        return self._call(node, wanted=True)

    def _call(self, node: Any, *, wanted: bool) -> Expr:
        if type(node.name).__name__ == "ID" and node.name.name == "offsetof":
            return self._offset(node)
        fn = self.expr(node.name)
        shape = self.types[self.type_of(fn)]
        if isinstance(shape, TPtr):
            if isinstance(fn, Func):
                fn = Func(fn.symbol, shape.to)
            shape = self.types[shape.to]
        if not isinstance(shape, TFunc):
            self.fail(node, f"a call of {self.spelled(fn)}")
        given = node.args.exprs if node.args is not None else []
        few = len(given) < len(shape.params)
        if few or (len(given) > len(shape.params) and not shape.variadic):
            self.fail(node, f"{len(given)} arguments for {len(shape.params)} parameters")
        args = []
        for number, item in enumerate(given):
            e = self.value(item)
            if number < len(shape.params):
                args.append(self.assignable(e, shape.params[number], item, "argument"))
            else:
                args.append(self.promote(e))
        nothing = isinstance(self.types[shape.ret], TVoid)
        dst = None if nothing or not wanted else self.temp(shape.ret)
        self.emit(Call(dst, fn, tuple(args), self.loc(node)))
        if isinstance(fn, Func) and self.unit.is_noreturn(fn.symbol):
            self.end(("unreachable",))
        return Const(0, self.void) if dst is None else dst

    def _offset(self, node: Any) -> Expr:
        """``offsetof(type, member)``, also of a member's member or element."""
        record, path = node.args.exprs
        base: Expr = Deref(Const(0, self.void), self.table.local(self.unit.resolve(record)))
        e = self._designated(base, path)
        total = 0
        while not isinstance(e, Deref):
            if isinstance(e, Field):
                if e.width:
                    self.fail(node, "the offset of a bit-field")
                total += e.offset // 8
            else:
                assert isinstance(e, Index) and isinstance(e.index, Const)
                total += e.index.value * self.known_size(self.world.size, e.type, node)
            e = e.base
        return Const(total, self.table.local(self.world.ulong))

    def _designated(self, base: Expr, path: Any) -> Expr:
        kind = type(path).__name__
        if kind == "ID":
            return self.member(base, path.name, path)
        if kind == "StructRef" and path.type == ".":
            return self.member(self._designated(base, path.name), path.field.name, path)
        if kind == "ArrayRef":
            array = self._designated(base, path.name)
            shape = self.types[self.type_of(array)]
            if isinstance(shape, TArray):
                index = Const(self.constant(path.subscript, "an index"), self.int_)
                return Index(array, index, shape.of)
        raise self.error(path, "offsetof takes a member")


EXPRESSIONS: dict[str, Callable[[Any, Any], Expr]] = {
    "ID": Expressions._identifier,
    "Constant": Expressions._constant,
    "StructRef": Expressions._member_of,
    "ArrayRef": Expressions._element,
    "UnaryOp": Expressions._unary,
    "BinaryOp": Expressions._binary,
    "Assignment": Expressions._assignment,
    "ExprList": Expressions._comma,
    "TernaryOp": Expressions._conditional,
    "Cast": Expressions._cast,
    "CompoundLiteral": Expressions._compound_literal,
    "FuncCall": Expressions._call_value,
}
