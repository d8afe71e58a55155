# SPDX-License-Identifier: GPL-2.0-or-later
"""IR expressions to Python expressions.

An rvalue becomes Python text that computes an integer in the range of its type; an
lvalue of memory becomes the text of its address. Structs as values are
:class:`~ctxlint.simulator.memory.Blob` objects. Nothing here knows what a call is.
"""

from __future__ import annotations

from ctxlint.ir import ops
from ctxlint.ir.types import TArray, TFloat, TFunc, TInt, TPtr, TRecord, Type, TypeId
from ctxlint.ir.unit import Function
from ctxlint.ir.walk import children, operands
from ctxlint.simulator.image import Image, ImageError, find_member

_COMPARE = frozenset(("==", "!=", "<", ">", "<=", ">="))
_SIGN = {8: 0x80, 16: 0x8000, 32: 0x8000_0000, 64: 0x8000_0000_0000_0000}


class UnsupportedError(ImageError):
    """A construct that cannot be run; calling the function says so."""


class Emitter:
    """Text for the expressions of one function.

    ``homes`` says where each variable lives: a Python name, or ``(offset,)`` in the
    stack frame whose address is the Python variable ``sp``.
    """

    def __init__(self, image: Image, fn: Function) -> None:
        self.image = image
        self.fn = fn
        self.types = fn.types
        self.bits = image.pointer_bytes * 8
        self.in_memory = self._memory_variables()
        self.frame: dict[int, int] = {}
        self.frame_size = 0
        for slot in sorted(self.in_memory):
            size = max(self.size(fn.vars[slot].type), 1)
            align = 8 if size < 16 else 16
            self.frame_size = (self.frame_size + align - 1) // align * align
            self.frame[slot] = self.frame_size
            self.frame_size += size
        self.frame_size = (self.frame_size + 31) // 16 * 16 if self.frame else 0

    # types

    def type_of(self, e: ops.Expr) -> Type:
        if isinstance(e, ops.Var):
            return self.types[self.fn.vars[e.slot].type]
        return self.types[e.type]

    def size(self, type_id: TypeId) -> int:
        return self.size_of(self.types[type_id])

    def size_of(self, type_: Type) -> int:
        return self.image.size_of(type_, self.types)

    def _memory_variables(self) -> set[int]:
        """Variables that need an address: aggregates, and those whose is taken."""
        found = {
            slot
            for slot, var in enumerate(self.fn.vars)
            if isinstance(self.types[var.type], TArray | TRecord)
        }
        stack: list[tuple[ops.Expr, bool]] = []
        for block in self.fn.blocks:
            for op in (*block.ops, block.term):
                stack += [(e, False) for e in operands(op)]
                if isinstance(op, ops.Asm | ops.AsmGoto):
                    asm = op.asm if isinstance(op, ops.AsmGoto) else op
                    stack += [
                        (e, True) for c, e in (*asm.outs, *asm.ins) if "m" in c or "Q" in c
                    ]
        while stack:
            e, address = stack.pop()
            match e:
                case ops.Var(slot):
                    if address:
                        found.add(slot)
                case ops.Addr(inner):
                    stack.append((inner, True))
                case ops.Field(base):
                    stack.append((base, True))
                case ops.Index(base, index):
                    stack += [(base, True), (index, False)]
                case _:
                    stack += [(child, False) for child in children(e)]
        return found

    # values

    def value(self, e: ops.Expr) -> str:
        """Python text of an rvalue."""
        match e:
            case ops.Const(value):
                return str(value) if value >= 0 else f"({value})"
            case ops.Var(slot):
                if slot in self.frame:
                    return self.load(f"sp+{self.frame[slot]}", self.type_of(e))
                return f"v{slot}"
            case ops.Field(base, _, _, offset, width, type_id):
                if width:
                    return self._bit_field(base, offset, width, self.types[type_id])
                return self.load(self.address(e), self.types[type_id], True)
            case ops.Global() | ops.Deref() | ops.Index():
                declared = not (isinstance(e, ops.Deref) and isinstance(e.ptr, ops.Cast))
                return self.load(self.address(e), self.types[e.type], declared)
            case ops.Str(data):
                return str(self.image.string_at(data))
            case ops.Func(symbol):
                return str(self.image.text_of(symbol))
            case ops.Addr(lvalue):
                return self.address(lvalue)
            case ops.Un():
                return self._unary(e)
            case ops.Bin():
                return self._binary(e)
            case ops.Cast(inner, type_id):
                return self._cast(inner, self.types[type_id])
            case ops.Select(cond, a, b):
                return f"({self.value(a)} if {self.truth(cond)} else {self.value(b)})"
            case ops.LabelAddr(block):
                return str(self.image.text_of(self.fn.symbol) + 1 + block)
            case ops.FConst(value):
                return repr(value)
            case ops.Agg(_, type_id):
                return self.aggregate(e, self.types[type_id])
        raise UnsupportedError(f"{type(e).__name__}")

    def truth(self, e: ops.Expr) -> str:
        """Python text that is true when the value is other than 0."""
        if isinstance(e, ops.Bin):
            if e.op == "&&":
                return f"({self.truth(e.a)} and {self.truth(e.b)})"
            if e.op == "||":
                return f"({self.truth(e.a)} or {self.truth(e.b)})"
            if e.op in _COMPARE:
                return f"({self.value(e.a)} {e.op} {self.value(e.b)})"
        if isinstance(e, ops.Un) and e.op == "!":
            return f"(not {self.truth(e.e)})"
        return self.value(e)

    def load(self, address: str, type_: Type, declared: bool = False) -> str:
        """``declared``: where it is volatile, its declaration says so, not one access."""
        if isinstance(type_, TInt | TPtr) and type_.volatile:
            bits = type_.bits if isinstance(type_, TInt) else self.bits
            text = f"LV({address}, {bits // 8}, {declared})"
            signed = isinstance(type_, TInt) and type_.signed
            return self.signed(text, bits) if signed else text
        match type_:
            case TInt(bits, signed):
                if bits == 32:
                    text = f"L4({address})"
                elif bits == 64:
                    text = f"L8({address})"
                elif bits == 8:
                    text = f"L1({address})"
                else:
                    text = f"LD({address}, {bits // 8})"
                return self.signed(text, bits) if signed else text
            case TPtr():
                return f"L8({address})" if self.bits == 64 else f"L4({address})"
            case TRecord():
                return f"RD({address}, {self.size_of(type_)})"
            case TFunc():
                return address
            case TArray():
                return address
        raise UnsupportedError(f"a load of {type(type_).__name__}")

    def signed(self, text: str, bits: int) -> str:
        """An unsigned value as the signed one of the same bits."""
        sign = _SIGN.get(bits, 1 << (bits - 1))
        return f"(({text} ^ {sign}) - {sign})"

    def reduce(self, text: str, type_: Type) -> str:
        """Any integer as one in the range of ``type_``."""
        match type_:
            case TInt(bits, signed):
                if signed:
                    sign = _SIGN.get(bits, 1 << (bits - 1))
                    return f"((({text}) + {sign} & {(1 << bits) - 1}) - {sign})"
                return f"(({text}) & {(1 << bits) - 1})"
            case TPtr() | TFunc():
                return f"(({text}) & {(1 << self.bits) - 1})"
        raise UnsupportedError(f"arithmetic of {type(type_).__name__}")

    def _bit_field(self, base: ops.Expr, offset: int, width: int, type_: Type) -> str:
        start, length, shift = bit_place(offset, width)
        word = f"LD({self.address(base)}+{start}, {length})"
        text = f"({word} >> {shift} & {(1 << width) - 1})"
        return self.signed(text, width) if isinstance(type_, TInt) and type_.signed else text

    def _unary(self, e: ops.Un) -> str:
        if e.op == "!":
            return f"(0 if {self.truth(e.e)} else 1)"
        inner = self.value(e.e)
        type_ = self.types[e.type]
        if isinstance(type_, TFloat):
            return f"({e.op}{inner})"
        if e.op == "~" and isinstance(type_, TInt) and type_.signed:
            return f"(~{inner})"
        return self.reduce(f"{e.op}{inner}", type_)

    def _binary(self, e: ops.Bin) -> str:
        op = e.op
        if op in ("&&", "||"):
            return f"(1 if {self.truth(e)} else 0)"
        a, b = self.value(e.a), self.value(e.b)
        if op in _COMPARE:
            return f"(+({a} {op} {b}))"
        type_ = self.types[e.type]
        at, bt = self.type_of(e.a), self.type_of(e.b)
        if isinstance(at, TPtr) and isinstance(bt, TPtr) and op == "-":
            step = self._step(at)
            if step == 1:
                return self.reduce(f"{a} - {b}", type_)
            minus = self.signed(f"(({a} - {b}) & {(1 << self.bits) - 1})", self.bits)
            return self.reduce(f"DIV({minus}, {step})", type_)
        if isinstance(type_, TPtr) and op in "+-":
            if isinstance(at, TPtr):
                b = f"{b} * {self._step(at)}" if self._step(at) != 1 else b
            elif isinstance(bt, TPtr):
                a = f"{a} * {self._step(bt)}" if self._step(bt) != 1 else a
            return self.reduce(f"{a} {op} {b}", type_)
        if isinstance(type_, TFloat):
            return f"({a} {op} {b})"
        if op in ("/", "%"):
            name = "DIV" if op == "/" else "REM"
            text = f"{name}({a}, {b})"
            return (
                self.reduce(text, type_) if isinstance(type_, TInt) and type_.signed else text
            )
        if op in ("<<", ">>"):
            assert isinstance(type_, TInt)
            if not isinstance(e.b, ops.Const):
                b = f"({b} & {type_.bits - 1})"  # what the processors do beyond the width
            text = f"({a} {op} {b})"
            return self.reduce(text, type_) if op == "<<" else text
        if op in ("&", "|", "^"):
            return f"({a} {op} {b})"
        return self.reduce(f"{a} {op} {b}", type_)

    def _step(self, pointer: TPtr) -> int:
        return self.size(pointer.to) or 1

    def _cast(self, inner: ops.Expr, to: Type) -> str:
        source = self.type_of(inner)
        if isinstance(source, TArray):
            return self.address(inner)
        text = self.value(inner)
        if isinstance(to, TFloat):
            return f"float({text})"
        if isinstance(source, TFloat):
            return self.reduce(f"int({text})", to)
        if isinstance(source, TInt) and isinstance(to, TInt):
            if source.bits == to.bits and source.signed == to.signed:
                return text
            widens = source.bits < to.bits
            if widens and (not source.signed or to.signed):
                return text
        elif isinstance(source, TInt):
            if isinstance(to, TPtr) and not source.signed and source.bits <= self.bits:
                return text
        elif isinstance(to, TPtr) or (
            isinstance(to, TInt) and to.bits >= self.bits and not to.signed
        ):
            return text
        return self.reduce(text, to)

    # addresses

    def address(self, e: ops.Expr) -> str:
        """Python text of the address of an lvalue."""
        match e:
            case ops.Var(slot):
                return f"(sp+{self.frame[slot]})"
            case ops.Global(symbol, type_id):
                placed = self.image.place(symbol, self.types[type_id], self.types)
                return str(placed.address)
            case ops.Deref(ptr):
                return self.value(ptr)
            case ops.Field(base, _, _, offset):
                inner = self.address(base)
                if not offset:
                    return inner
                return f"({inner} + {offset // 8} & {(1 << self.bits) - 1})"
            case ops.Index(base, index, type_id):
                step = self.size(type_id)
                if isinstance(index, ops.Const):
                    return f"({self.address(base)} + {index.value * step})"
                return f"({self.address(base)} + {self.value(index)} * {step})"
            case ops.Str(data):
                return str(self.image.string_at(data))
            case ops.Func(symbol):
                return str(self.image.text_of(symbol))
            case ops.Agg(_, type_id):
                size = self.size(type_id)
                return f"m.literal({self.aggregate(e, self.types[type_id])}, {size})"
            case ops.Select(cond, a, b):
                return f"({self.address(a)} if {self.truth(cond)} else {self.address(b)})"
            case ops.Cast(inner):
                return self.address(inner)
        raise UnsupportedError(f"the address of {type(e).__name__}")

    # structs

    def aggregate(self, e: ops.Agg, type_: Type) -> str:
        """Text of a call that makes a Blob from the items."""
        parts: list[str] = []
        self._items(e, type_, 0, parts)
        return f"BLOB({self.size_of(type_)}, ({''.join(p + ', ' for p in parts)}))"

    def _items(self, e: ops.Agg, type_: Type, at: int, parts: list[str]) -> None:
        for name, item in e.items:
            width = 0
            if isinstance(type_, TArray):
                place = at + int(name) * self.size(type_.of) * 8
                inner: Type = self.types[type_.of]
                size = self.size(type_.of)
            else:
                assert isinstance(type_, TRecord)
                record = self.image.records.get(type_.key)
                found = None if record is None else find_member(self.image, record, str(name))
                if found is None:
                    raise UnsupportedError(f"{type_.key} has no member {name}")
                place = at + found[0]
                width = found[1]
                inner = found[2]
                size = self.image.size_of(inner, found[3])
            if isinstance(item, ops.Agg):
                self._items(item, self.types[item.type], place, parts)
            elif isinstance(item, ops.Str) and isinstance(inner, TArray):
                parts.append(f"({place // 8}, {len(item.data)}, {item.data!r}, 0, 0)")
            elif width:
                start, length, shift = bit_place(place, width)
                parts.append(f"({start}, {length}, {self.value(item)}, {shift}, {width})")
            else:
                parts.append(f"({place // 8}, {size}, {self.value(item)}, 0, 0)")

    # stores

    def store(self, dst: ops.Expr, value: str) -> str:
        """A Python statement."""
        if isinstance(dst, ops.Var) and dst.slot not in self.frame:
            return f"v{dst.slot} = {value}"
        type_ = self.type_of(dst)
        if isinstance(dst, ops.Field) and dst.width:
            start, length, shift = bit_place(dst.offset, dst.width)
            where = f"{self.address(dst.base)}+{start}, {length}, {shift}, {dst.width}"
            return f"m.set_bits({where}, {value})"
        address = self.address(dst)
        match type_:
            case TPtr() if self.bits == 32:
                return f"S4({address}, {value})"
            case TInt(64) | TPtr():
                return f"S8({address}, {value})"
            case TInt(32):
                return f"S4({address}, {value})"
            case TInt(bits):
                return f"ST({address}, {bits // 8}, {value})"
            case TRecord() | TArray():
                return f"WR({address}, {value})"
        raise UnsupportedError(f"a store of {type(type_).__name__}")


def in_memory(constraint: str) -> bool:
    """Whether an operand of assembly is a place and not a value."""
    return "m" in constraint or "Q" in constraint


def bit_place(offset: int, width: int) -> tuple[int, int, int]:
    """First byte, number of bytes and shift of a bit-field at ``offset`` bits."""
    start = offset // 8
    shift = offset - start * 8
    return start, (shift + width + 7) // 8, shift


__all__ = ["Emitter", "UnsupportedError", "bit_place", "in_memory"]
