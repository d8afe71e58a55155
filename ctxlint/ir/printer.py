# SPDX-License-Identifier: GPL-2.0-or-later
"""A readable form of the IR, for people and for expectations in tests."""

from __future__ import annotations

from collections.abc import Sequence

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
    FConst,
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
from ctxlint.ir.types import TArray, TFloat, TFunc, TInt, TPtr, TRecord, Type, TypeId
from ctxlint.ir.unit import Function, GlobalVar, VarDecl


def type_text(type_id: TypeId, types: Sequence[Type]) -> str:
    """A type in one line: ``u32``, ``i8``, typedef names, ``T*``, ``T[4]``."""
    match types[type_id]:
        case TInt(bits, signed, name, volatile):
            return "volatile " * volatile + (name or f"{'i' if signed else 'u'}{bits}")
        case TFloat(bits):
            return f"f{bits}"
        case TPtr(to, name, volatile):
            return (name or f"{type_text(to, types)}*") + " volatile" * volatile
        case TArray(of, count):
            dimensions = f"[{count if count >= 0 else ''}]"
            while isinstance(inner := types[of], TArray):
                dimensions += f"[{inner.count if inner.count >= 0 else ''}]"
                of = inner.of
            return type_text(of, types) + dimensions
        case TRecord(key, name):
            return name or key
        case TFunc(ret, params, variadic):
            parts = [type_text(p, types) for p in params] + ["..."] * variadic
            return f"fn({', '.join(parts)}) {type_text(ret, types)}"
    return "void"


class Printer:
    """Writes IR as text for people and for tests. Variables that share a name, and
    temporaries, carry their slot."""

    def __init__(self, types: Sequence[Type], vars_: Sequence[VarDecl] = ()) -> None:
        self.types = types
        seen: dict[str, int] = {}
        self.names = []
        for slot, var in enumerate(vars_):
            name = var.name or "%"
            seen[name] = seen.get(name, 0) + 1
            first = seen[name] == 1 and var.name
            self.names.append(name if first else f"{name}{slot}")

    def type(self, type_id: TypeId) -> str:
        """A type as C spells it."""
        return type_text(type_id, self.types)

    def expr(self, e: Expr) -> str:
        """One expression, fully parenthesised."""
        match e:
            case Const(value, _, name):
                return name or str(value)
            case FConst(value):
                return str(value)
            case Str(data):
                return '"' + data.decode("latin-1").encode("unicode_escape").decode() + '"'
            case Var(slot):
                return self.names[slot] if slot < len(self.names) else f"%{slot}"
            case Global(symbol):
                return f"@{symbol.rpartition('::')[2]}"
            case Func(symbol):
                return symbol.rpartition("::")[2]
            case Field(base, _, name):
                if isinstance(base, Deref):
                    return f"{self.atom(base.ptr)}->{name}"
                return f"{self.atom(base)}.{name}"
            case Deref(ptr, _):
                return f"*{self.atom(ptr)}"
            case Index(base, index, _):
                return f"{self.atom(base)}[{self.expr(index)}]"
            case Addr(lvalue, _):
                return f"&{self.atom(lvalue)}"
            case Un(op, inner, _):
                return f"{op}{self.atom(inner)}"
            case Bin(op, a, b, _):
                return f"{self.atom(a)} {op} {self.atom(b)}"
            case Cast(inner, to):
                return f"({self.type(to)}){self.atom(inner)}"
            case Select(cond, a, b, _):
                return f"{self.atom(cond)} ? {self.atom(a)} : {self.atom(b)}"
            case Agg(items, _):
                parts = [
                    (f".{k}" if isinstance(k, str) else f"[{k}]") + f" = {self.expr(v)}"
                    for k, v in items
                ]
                return "{" + ", ".join(parts) + "}"
            case LabelAddr(block, _):
                return f"&&b{block}"
            case Opaque(text, _):
                return f"<opaque: {text}>"
        raise TypeError(type(e).__name__)

    def atom(self, e: Expr) -> str:
        """An expression in parentheses unless it is one word."""
        text = self.expr(e)
        return f"({text})" if isinstance(e, Bin | Select | Cast | Un | Deref | Addr) else text

    def op(self, op: Op) -> str:
        """One operation, on one line."""
        match op:
            case Assign(dst, src):
                return f"{self.expr(dst)} = {self.expr(src)}"
            case Call(dst, fn, args, _, implicit):
                target = f"{self.expr(dst)} = " if dst is not None else ""
                note = f" [{implicit}]" if implicit else ""
                name = self.expr(fn) if isinstance(fn, Func) else f"({self.expr(fn)})"
                return f"{target}call {name}({', '.join(map(self.expr, args))}){note}"
            case Stated((name, _), args):
                return f"states {name}({', '.join(map(self.expr, args))})"
        return self.asm(op)

    def asm(self, op: Asm) -> str:
        """Assembly with the constraints of its operands."""

        def operands(items: tuple[tuple[str, Expr], ...]) -> str:
            return ", ".join(f"{c} {self.expr(e)}" for c, e in items)

        return f"asm {op.template} : {operands(op.outs)} : {operands(op.ins)}"

    def term(self, term: Term) -> str:
        """How a block ends, on one line."""
        match term:
            case Jump(to):
                return f"jump b{to}"
            case Branch(cond, then, els):
                return f"if {self.expr(cond)} then b{then} else b{els}"
            case Switch(e, cases, default):
                parts = [
                    f"{low if low == high else f'{low}..{high}'}: b{block}"
                    for low, high, block in cases
                ]
                return f"switch {self.expr(e)} {{{', '.join(parts)}}} default b{default}"
            case Ret(value):
                return "return" if value is None else f"return {self.expr(value)}"
            case AsmGoto(asm, fall, targets):
                labels = ", ".join(f"b{t}" for t in targets)
                return f"{self.asm(asm)} goto {labels} else b{fall}"
            case IndirectJump(e, targets):
                return f"jump *{self.expr(e)} of {', '.join(f'b{t}' for t in targets)}"
        return "unreachable"


def function_text(function: Function, *, locations: bool = False) -> str:
    """The whole function; ``locations`` adds ``; file:line`` to operations."""
    p = Printer(function.types, function.vars)
    params = ", ".join(
        f"{p.type(v.type)} {p.names[n]}"
        for n, v in enumerate(function.vars[: function.nparams])
    )
    variadic = ", ..." if function.variadic else ""
    lines = [f"{p.type(function.ret)} {function.symbol}({params}{variadic})"]
    if function.attrs:
        lines[0] += f" [{', '.join(function.attrs)}]"
    for number, block in enumerate(function.blocks):
        lines.append(f"b{number}:")
        for item in (*block.ops, block.term):
            text = p.term(item) if item is block.term else p.op(item)  # type: ignore[arg-type]
            loc = getattr(item, "loc", None)
            if locations and loc is not None:
                where = function.locs[loc]
                macro = f" in {where.macro}" if where.macro else ""
                text += f"  ; {where.file}:{where.line}:{where.col}{macro}"
            lines.append(f"  {text}")
    return "\n".join(lines) + "\n"


def global_text(variable: GlobalVar) -> str:
    """A variable with its initialiser in one line."""
    p = Printer(variable.types)
    attrs = f" [{', '.join(variable.attrs)}]" if variable.attrs else ""
    value = "" if variable.init is None else f" = {p.expr(variable.init)}"
    return f"{p.type(variable.type)} @{variable.symbol}{attrs}{value}\n"
