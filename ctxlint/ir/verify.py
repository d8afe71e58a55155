# SPDX-License-Identifier: GPL-2.0-or-later
"""Consistency of lowered functions and variables.

``verify`` says in words what is wrong; an empty list means that everything
downstream may rely on what :mod:`ctxlint.ir.ops` promises.
"""

from __future__ import annotations

from collections.abc import Mapping

from ctxlint.ir.ops import (
    Addr,
    Agg,
    Asm,
    AsmGoto,
    Assign,
    Bin,
    Branch,
    Call,
    Cast,
    Const,
    Deref,
    Expr,
    Field,
    Func,
    Global,
    Index,
    IndirectJump,
    Jump,
    LabelAddr,
    Op,
    Opaque,
    Ret,
    Select,
    Stated,
    Str,
    Switch,
    Term,
    Un,
    Var,
)
from ctxlint.ir.types import (
    RecordDef,
    TArray,
    TFloat,
    TFunc,
    TInt,
    TPtr,
    TRecord,
    TVoid,
    Type,
    TypeId,
)
from ctxlint.ir.unit import Function, GlobalVar, Unit, VarDecl
from ctxlint.ir.walk import children

LVALUES = (Var, Global, Field, Deref, Index)
_UNARY = frozenset("-~!")
_COMPARE = frozenset(("<", ">", "<=", ">=", "==", "!=", "&&", "||"))
_BINARY = _COMPARE | frozenset(("*", "/", "%", "+", "-", "<<", ">>", "&", "^", "|"))


def targets(term: Term) -> tuple[int, ...]:
    """The blocks that a terminator may go to."""
    match term:
        case Jump(to):
            return (to,)
        case Branch(_, then, els):
            return (then, els)
        case Switch(_, cases, default):
            return (*(block for _, _, block in cases), default)
        case AsmGoto(_, fall, labels):
            return (fall, *labels)
        case IndirectJump(_, labels):
            return labels
    return ()


class _Check:
    """One function or variable; complaints collect in ``found``."""

    def __init__(
        self,
        types: tuple[Type, ...],
        vars_: tuple[VarDecl, ...] = (),
        nlocs: int = 0,
        nblocks: int = 0,
        records: Mapping[str, RecordDef] | None = None,
    ) -> None:
        self.types = types
        self.vars = vars_
        self.nlocs = nlocs
        self.nblocks = nblocks
        self.records = records or {}
        self.found: list[str] = []

    def say(self, text: str) -> None:
        self.found.append(text)

    def shape(self, type_id: TypeId) -> Type:
        if 0 <= type_id < len(self.types):
            return self.types[type_id]
        self.say(f"type {type_id} is not in the table")
        return TVoid()

    def type_table(self) -> None:
        for type_ in self.types:
            match type_:
                case TPtr(to):
                    self.shape(to)
                case TArray(of):
                    self.shape(of)
                case TFunc(ret, params):
                    for part in (ret, *params):
                        self.shape(part)
                case TInt(bits):
                    if not 1 <= bits <= 256:
                        self.say(f"an integer of {bits} bits")

    def type_of(self, e: Expr) -> Type:
        if isinstance(e, Var):
            if 0 <= e.slot < len(self.vars):
                return self.shape(self.vars[e.slot].type)
            return TVoid()
        return self.shape(e.type)

    def expr(self, e: Expr) -> None:
        if isinstance(e, Var):
            if not 0 <= e.slot < len(self.vars):
                self.say(f"slot {e.slot} does not exist")
            return
        shape = self.shape(e.type)
        match e:
            case Const(value):
                self.constant(value, shape)
            case Field():
                self.field(e)
            case Deref(ptr):
                if not isinstance(self.type_of(ptr), TPtr):
                    self.say(f"dereference of {_name(self.type_of(ptr))}")
            case Index(base):
                if not isinstance(self.type_of(base), TArray):
                    self.say(f"index into {_name(self.type_of(base))}")
            case Addr(lvalue):
                if not isinstance(lvalue, (*LVALUES, Str, Func, Agg)):
                    self.say(f"address of {type(lvalue).__name__}")
                if not isinstance(shape, TPtr):
                    self.say(f"an address of type {_name(shape)}")
            case Un(op, inner):
                if op not in _UNARY:
                    self.say(f"unary operator {op}")
                self.scalar(inner, op)
            case Bin():
                self.binary(e, shape)
            case Cast(inner):
                self.scalar(inner, "cast")
                if not isinstance(shape, TInt | TPtr | TFloat):
                    self.say(f"cast to {_name(shape)}")
            case Select(cond):
                self.scalar(cond, "?:")
            case Str():
                if not isinstance(shape, TArray):
                    self.say(f"a string of type {_name(shape)}")
            case Agg(items):
                self.aggregate(items, shape)
            case LabelAddr(block):
                self.block(block)
            case Opaque(text):
                self.say(f"opaque: {text}")
        for part in children(e):
            self.expr(part)

    def constant(self, value: int, shape: Type) -> None:
        if isinstance(shape, TInt):
            low = -(1 << (shape.bits - 1)) if shape.signed else 0
            high = 1 << (shape.bits - shape.signed)
            if not low <= value < high:
                self.say(f"constant {value} does not fit {_name(shape)}")
        elif not isinstance(shape, TPtr | TVoid):
            self.say(f"a constant of type {_name(shape)}")

    def field(self, e: Field) -> None:
        base = self.type_of(e.base)
        if not isinstance(base, TRecord):
            self.say(f"member {e.name} of {_name(base)}")
            return
        record = self.records.get(base.key)
        if record is not None:
            end = e.offset + (e.width or self.bits(self.shape(e.type)))
            if not 0 <= e.offset <= end <= record.size * 8:
                self.say(f"member {e.name} lies outside {base.key}")

    def bits(self, shape: Type) -> int:
        """Size in bits where it is known here, else 0."""
        match shape:
            case TInt(bits) | TFloat(bits):
                return bits
            case TArray(of, count):
                return max(count, 0) * self.bits(self.shape(of))
            case TRecord(key):
                record = self.records.get(key)
                return record.size * 8 if record is not None else 0
        return 0

    def scalar(self, e: Expr, where: str) -> None:
        shape = self.type_of(e)
        if not isinstance(shape, TInt | TFloat | TPtr) and not isinstance(e, Opaque | Func):
            self.say(f"{where} of {_name(shape)}")

    def binary(self, e: Bin, shape: Type) -> None:
        if e.op not in _BINARY:
            self.say(f"binary operator {e.op}")
        self.scalar(e.a, e.op)
        self.scalar(e.b, e.op)
        a, b = self.type_of(e.a), self.type_of(e.b)
        if not isinstance(shape, TInt | TFloat | TPtr):
            self.say(f"{e.op} of type {_name(shape)}")
        if e.op in ("&&", "||", "<<", ">>"):
            return
        if isinstance(a, TInt) and isinstance(b, TInt) and (a.bits != b.bits):
            self.say(f"{e.op} of {_name(a)} and {_name(b)}")
        numbers = isinstance(a, TInt) and isinstance(b, TInt) and isinstance(shape, TInt)
        if numbers and e.op not in _COMPARE and a.bits != shape.bits:  # type: ignore[union-attr]
            self.say(f"{e.op} of {_name(a)} gives {_name(shape)}")

    def aggregate(self, items: tuple[tuple[str | int, Expr], ...], shape: Type) -> None:
        if isinstance(shape, TArray):
            for name, _ in items:
                if not isinstance(name, int):
                    self.say(f"member {name} in an array initialiser")
                elif 0 <= shape.count <= name:
                    self.say(f"element {name} of {shape.count}")
        elif isinstance(shape, TRecord):
            for name, _ in items:
                if not isinstance(name, str):
                    self.say(f"element {name} in an initialiser of {shape.key}")
        else:
            self.say(f"an aggregate of type {_name(shape)}")

    def block(self, number: int) -> None:
        if self.nblocks >= 0 and not 0 <= number < self.nblocks:
            self.say(f"block {number} does not exist")

    def loc(self, number: int) -> None:
        if not 0 <= number < self.nlocs:
            self.say(f"location {number} does not exist")

    def op(self, op: Op) -> None:
        self.loc(op.loc)
        match op:
            case Assign(dst, src):
                self.lvalue(dst)
                self.expr(src)
                self.stored(self.type_of(dst), self.type_of(src), src)
            case Call(dst, fn, args):
                if dst is not None:
                    self.lvalue(dst)
                self.expr(fn)
                if not isinstance(fn, Func) and not isinstance(self.type_of(fn), TPtr | TFunc):
                    self.say(f"call of {_name(self.type_of(fn))}")
                for arg in args:
                    self.expr(arg)
                    if isinstance(self.type_of(arg), TVoid) and not isinstance(arg, Func):
                        self.say("an argument without a value")
            case Asm(_, outs, ins):
                for _, e in (*outs, *ins):
                    self.expr(e)
            case Stated(_, args):
                for arg in args:
                    self.expr(arg)

    def lvalue(self, e: Expr) -> None:
        if not isinstance(e, LVALUES):
            self.say(f"store to {type(e).__name__}")
        self.expr(e)

    def stored(self, dst: Type, src: Type, e: Expr) -> None:
        if isinstance(dst, TVoid) or (isinstance(src, TVoid) and not isinstance(e, Func)):
            self.say(f"store of {_name(src)} to {_name(dst)}")
        elif isinstance(dst, TInt) and isinstance(src, TInt):
            if (dst.bits, dst.signed) != (src.bits, src.signed):
                self.say(f"store of {_name(src)} to {_name(dst)}")
        elif any(isinstance(dst, kind) != isinstance(src, kind) for kind in (TRecord, TInt)):
            self.say(f"store of {_name(src)} to {_name(dst)}")

    def term(self, term: Term) -> None:
        for target in targets(term):
            self.block(target)
        match term:
            case Branch(cond, loc=loc):
                self.loc(loc)
                self.expr(cond)
                self.scalar(cond, "branch")
            case Switch(e, cases, loc=loc):
                self.loc(loc)
                self.expr(e)
                if not isinstance(self.type_of(e), TInt):
                    self.say(f"switch on {_name(self.type_of(e))}")
                if any(low > high for low, high, _ in cases):
                    self.say("a case range that ends before it begins")
            case Ret(value, loc):
                self.loc(loc)
                if value is not None:
                    self.expr(value)
            case AsmGoto(asm):
                self.op(asm)
            case IndirectJump(e):
                self.expr(e)


def _name(shape: Type) -> str:
    match shape:
        case TInt(bits, signed, name):
            return name or f"{'i' if signed else 'u'}{bits}"
        case TRecord(key):
            return key
    return type(shape).__name__.removeprefix("T").lower()


def verify(
    item: Function | GlobalVar | Unit, records: Mapping[str, RecordDef] | None = None
) -> list[str]:
    """Complaints, each beginning with the symbol it is about; [] when none.

    ``records`` gives layouts to check member offsets against; of a unit its
    own are taken.
    """
    if isinstance(item, Unit):
        own = {record.key: record for record in item.records}
        everything: tuple[Function | GlobalVar, ...] = (
            *item.functions,
            *item.new_inlines,
            *item.globals,
        )
        return [text for part in everything for text in verify(part, own)]
    if isinstance(item, GlobalVar):
        check = _Check(item.types, nblocks=-1, records=records)  # labels: of its function
        check.type_table()
        check.shape(item.type)
        if item.init is not None:
            check.expr(item.init)
        return [f"{item.symbol}: {text}" for text in check.found]
    check = _Check(item.types, item.vars, len(item.locs), len(item.blocks), records)
    check.type_table()
    for var in item.vars:
        check.shape(var.type)
    if not 0 <= item.nparams <= len(item.vars):
        check.say("more parameters than variables")
    if not item.blocks:
        check.say("no blocks")
    for block in item.blocks:
        for op in block.ops:
            check.op(op)
        check.term(block.term)
    if not check.found:
        _reachable(item, check)
    return [f"{item.symbol}: {text}" for text in check.found]


def _reachable(function: Function, check: _Check) -> None:
    seen = {0}
    stack = [0]
    while stack:
        for target in targets(function.blocks[stack.pop()].term):
            if target not in seen:
                seen.add(target)
                stack.append(target)
    for number in range(len(function.blocks)):
        if number not in seen:
            check.say(f"block {number} cannot be reached")
