# SPDX-License-Identifier: GPL-2.0-or-later
"""Functions to Python: blocks to nested statements, calls to calls.

Each function becomes one Python function ``f(m, v0, v1, ...)`` of a machine and its
arguments. Blocks with one predecessor stand where they are jumped to; the others are
cases of a dispatch loop, in which fuel is spent. A call goes through a *cell*, a list
of one callable, which at first finds out what it calls (``Code.callee``).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ctxlint.ir import ops
from ctxlint.ir.types import TFunc, TInt, TPtr, TRecord, TVoid, Type
from ctxlint.ir.unit import Function
from ctxlint.ir.verify import targets
from ctxlint.simulator.builtins import OVERFLOW
from ctxlint.simulator.emit import Emitter, UnsupportedError, in_memory
from ctxlint.simulator.image import MODEL_FILES, Image, ImageError
from ctxlint.simulator.memory import Blob
from ctxlint.simulator.unknowns import Value, divide, remainder

if TYPE_CHECKING:
    from ctxlint.simulator.machine import Machine

Callee = Callable[..., Any]
_ACCESSES = {
    "L1": "l1", "L4": "l4", "L8": "l8", "LD": "load", "RD": "read",
    "S4": "s4", "S8": "s8", "ST": "store", "WR": "write", "LV": "load_volatile",
}  # fmt: skip
_ACCESS = re.compile(rf"\b({'|'.join(_ACCESSES)})\(")
_DEEPEST = 30  # nesting of blocks; Python's own limit is 100 levels of indentation


@dataclass(slots=True)
class Meta:
    """What a stack frame knows of its function. ``asms`` and ``sites`` are numbered
    in order of appearance; ``(asm, True)`` is one after which control ends."""

    fn: Function
    image: Image
    asms: list[tuple[ops.Asm, bool]] = field(default_factory=list)
    sites: list[ops.Call] = field(default_factory=list)
    model: bool = False
    frame: dict[int, int] = field(default_factory=dict)
    """Offsets of the variables that live in memory, by slot."""

    @property
    def name(self) -> str:
        return self.fn.name


class _TooDeepError(Exception):
    def __init__(self, target: int) -> None:
        super().__init__(target)
        self.target = target


class Frame:
    """One active call. ``loc`` indexes ``meta.fn.locs``; ``block`` is the block whose
    branch is being decided."""

    __slots__ = ("block", "loc", "meta")

    def __init__(self, meta: Meta) -> None:
        self.meta = meta
        self.loc = -1
        self.block = 0


class Code:
    """Compiles the functions of an image, when they are first called.

    With ``base``, only the functions in ``traced`` are compiled anew, so that they tell
    the machine of each branch (``m.took``); all others are those of ``base``.
    """

    def __init__(
        self, image: Image, base: Code | None = None, traced: frozenset[str] = frozenset()
    ) -> None:
        self.image = image
        self.base = base
        self.traced = traced
        self._functions: dict[str, Callee] = {}

    def function(self, fn: Function) -> Callee:
        """The compiled form of a lowered function."""
        if self.base is not None and fn.symbol not in self.traced:
            return self.base.function(fn)
        found = self._functions.get(fn.symbol)
        if found is None:
            found = self._functions[fn.symbol] = _Compiler(self, fn).compile()
        return found

    def callee(self, symbol: str, returns: Type | None) -> Callee | None:
        """What a call of ``symbol`` runs; None when the image has no body."""
        fn = self.image.resolve(symbol)
        return None if fn is None else self.function(fn)


class _Compiler:
    def __init__(self, code: Code, fn: Function) -> None:
        self.code = code
        self.fn = fn
        self.emit = Emitter(code.image, fn)
        self.meta = Meta(
            fn, code.image, model=fn.file.startswith(MODEL_FILES), frame=self.emit.frame
        )
        self.lines: list[str] = []
        self.cells: dict[str, list[Callee]] = {}  # Python name -> cell
        self.names: dict[str, str] = {}
        self.loc = -1
        self.ends = False
        self.labels: dict[int, int] = {}

    def compile(self) -> Callee:
        fn = self.fn
        forced: set[int] = set()
        while True:
            self.meta.asms.clear()
            self.meta.sites.clear()
            try:
                source = self.source(forced)
                break
            except _TooDeepError as deep:
                forced.add(deep.target)
            except (UnsupportedError, ImageError) as error:
                return _unsupported(fn, str(error))
        space: dict[str, Any] = {
            "META": self.meta,
            "FRAME": Frame,
            "DIV": divide_checked,
            "REM": remainder_checked,
            "BLOB": make_blob,
            **self.cells,
        }
        exec(compile(source, f"<{fn.symbol}>", "exec"), space)
        return space["f"]  # type: ignore[no-any-return]

    # the function

    def source(self, forced: set[int]) -> str:
        """Python text; blocks in ``forced`` are cases of the loop whatever they are."""
        fn, emit = self.fn, self.emit
        preds: dict[int, int] = {0: 0}
        for block in fn.blocks:
            for target in set(targets(block.term)):
                preds[target] = preds.get(target, 0) + 1
            if isinstance(block.term, ops.Switch | ops.AsmGoto | ops.IndirectJump):
                for target in targets(block.term):
                    preds[target] = preds.get(target, 0) + 1  # never inline: keeps text small
        heads = [0] + [b for b, n in sorted(preds.items()) if b and (n > 1 or b in forced)]
        self.labels = {block: i for i, block in enumerate(heads)}
        looped = len(heads) > 1 or preds[0] > 0
        params = "".join(f", v{i}=0" for i in range(fn.nparams))
        out = [f"def f(m{params}, *va):"]
        out += ["  F = FRAME(META)", "  K = m.stack", "  K.append(F)"]
        out.append("")
        binding = len(out) - 1
        plain = [
            f"v{slot}" for slot in range(fn.nparams, len(fn.vars)) if slot not in emit.frame
        ]
        if plain:
            out.append("  " + " = ".join(plain) + " = 0")
        if emit.frame_size:
            out.append(f"  sp = m.enter({emit.frame_size})")
        for slot in range(fn.nparams):
            if slot in emit.frame:
                out.append("  " + emit.store(ops.Var(slot), f"v{slot}"))
        if fn.variadic:
            out.append("  m.varargs.append(va)")
        self.lines = out
        if not looped:
            self.block(0, 1, 0)
            out[binding] = _bindings(out)
            return "\n".join(out)
        out.append("  b = 0")
        out.append("  while True:")
        out.append("    m.fuel -= 1")
        out.append("    if m.fuel < 0: m.out_of_fuel(F)")
        self.dispatch(heads, 0, len(heads), 2)
        out[binding] = _bindings(out)
        return "\n".join(out)

    def dispatch(self, heads: list[int], low: int, high: int, depth: int) -> None:
        pad = "  " * depth
        if high - low == 1:
            self.loc = -1
            self.block(heads[low], depth, 0)
            return
        middle = (low + high) // 2
        self.lines.append(f"{pad}if b < {middle}:")
        self.dispatch(heads, low, middle, depth + 1)
        self.lines.append(f"{pad}else:")
        self.dispatch(heads, middle, high, depth + 1)

    def go(self, target: int, depth: int, nested: int) -> None:
        """Continue at a block: in place where nobody else goes there."""
        label = self.labels.get(target)
        if label is None and nested >= _DEEPEST:
            raise _TooDeepError(target)
        if label is None:
            self.block(target, depth, nested + 1)
        else:
            self.lines.append("  " * depth + f"b = {label}; continue")

    def block(self, number: int, depth: int, nested: int) -> None:
        block = self.fn.blocks[number]
        pad = "  " * depth
        for op in block.ops:
            self.ends = op is block.ops[-1] and isinstance(block.term, ops.Unreachable)
            self.op(op, pad)
        self.term(number, block.term, depth, nested)

    def at(self, loc: int, pad: str) -> None:
        if loc != self.loc:
            self.lines.append(f"{pad}F.loc = {loc}")
            self.loc = loc

    def op(self, op: ops.Op, pad: str) -> None:
        emit = self.emit
        if isinstance(op, ops.Stated):
            return
        self.at(op.loc, pad)
        if isinstance(op, ops.Assign):
            type_ = emit.type_of(op.dst)
            if isinstance(op.src, ops.Str) and not isinstance(emit.type_of(op.src), TVoid):
                size = emit.size_of(type_)
                data = (op.src.data + b"\0" * size)[:size]
                self.lines.append(f"{pad}WR({emit.address(op.dst)}, {data!r})")
                return
            self.lines.append(pad + emit.store(op.dst, emit.value(op.src)))
        elif isinstance(op, ops.Call):
            self.call(op, pad)
        else:
            self.asm(op, pad)

    def call(self, op: ops.Call, pad: str) -> None:
        emit = self.emit
        number = len(self.meta.sites)
        self.meta.sites.append(op)
        args = "".join(f", {emit.value(a)}" for a in op.args)
        if isinstance(op.fn, ops.Func):
            if op.fn.symbol in OVERFLOW:
                args += self._result_of(op)
            call = f"{self.cell(op)}[0](m{args})"
        else:
            call = f"m.call_through({emit.value(op.fn)}, META, {number}{args})"
        if op.dst is None:
            self.lines.append(pad + call)
        else:
            self.lines.append(pad + emit.store(op.dst, call))

    def _result_of(self, op: ops.Call) -> str:
        """Bits and signedness of what the last argument points to."""
        pointer = self.emit.type_of(op.args[-1])
        type_ = self.fn.types[pointer.to] if isinstance(pointer, TPtr) else pointer
        if not isinstance(type_, TInt):
            raise UnsupportedError(f"a result of {type(type_).__name__}")
        return f", {type_.bits}, {type_.signed}"

    def cell(self, op: ops.Call) -> str:
        assert isinstance(op.fn, ops.Func)
        symbol = op.fn.symbol
        name = self.names.get(symbol)
        if name is None:
            name = self.names[symbol] = f"C{len(self.names)}"
            shape = self.fn.types[op.fn.type]
            returns: Type | None = None
            if isinstance(shape, TFunc):
                returns = self.fn.types[shape.ret]
            elif op.dst is not None:
                returns = self.emit.type_of(op.dst)
            cell: list[Callee] = []
            cell.append(_finder(self.code, symbol, returns, cell))
            self.cells[name] = cell
        return name

    def asm(self, op: ops.Asm, pad: str, goto: bool = False) -> str:
        """The text of the result for ``asm goto``: which target, or -1."""
        emit = self.emit
        number = len(self.meta.asms)
        self.meta.asms.append((op, self.ends))
        ins = "".join(f"{self._operand(c, e)}, " for c, e in op.ins)
        old = "".join(
            f"{self._operand(c, e) if '+' in c or in_memory(c) else '0'}, " for c, e in op.outs
        )
        call = f"m.assembly(F, {number}, ({old}), ({ins}))"
        if goto:
            return call
        written = [(i, e) for i, (c, e) in enumerate(op.outs) if not in_memory(c)]
        if not written:
            self.lines.append(pad + call)
            return ""
        self.lines.append(f"{pad}r = {call}")
        for i, e in written:
            value = emit.reduce(f"r[{i}]", emit.type_of(e))
            self.lines.append(pad + emit.store(e, value))
        return ""

    def _operand(self, constraint: str, e: ops.Expr) -> str:
        """Memory operands are handed over by address."""
        return self.emit.address(e) if in_memory(constraint) else self.emit.value(e)

    def term(self, number: int, term: ops.Term, depth: int, nested: int) -> None:
        emit, pad = self.emit, "  " * depth
        out = self.lines
        match term:
            case ops.Jump(to):
                self.go(to, depth, nested)
            case ops.Branch(cond, then, els, loc):
                self.at(loc, pad)
                out.append(f"{pad}F.block = {number}")
                out.append(f"{pad}if {emit.truth(cond)}:")
                held = self.loc
                if self.fn.symbol in self.code.traced:
                    out.append(f"{pad}  m.took(F, {then})")
                self.go(then, depth + 1, nested)
                self.loc = held
                out.append(f"{pad}else:")
                if self.fn.symbol in self.code.traced:
                    out.append(f"{pad}  m.took(F, {els})")
                self.go(els, depth + 1, nested)
                self.loc = -1
            case ops.Switch(e, cases, default, loc):
                self.at(loc, pad)
                out.append(f"{pad}F.block = {number}")
                out.append(f"{pad}t = {emit.value(e)}")
                word = "if"
                for low, high, to in cases:
                    test = f"t == {low}" if low == high else f"t >= {low} and t <= {high}"
                    out.append(f"{pad}{word} {test}:")
                    self.go(to, depth + 1, nested)
                    word = "elif"
                if cases:
                    out.append(f"{pad}else:")
                    self.go(default, depth + 1, nested)
                else:
                    self.go(default, depth, nested)
            case ops.Ret(value, loc):
                if value is not None:
                    if not isinstance(value, ops.Const | ops.Var):
                        self.at(loc, pad)
                    out.append(f"{pad}r = {emit.value(value)}")
                if emit.frame_size:
                    out.append(f"{pad}m.leave({emit.frame_size})")
                if self.fn.variadic:
                    out.append(f"{pad}m.varargs.pop()")
                out.append(f"{pad}K.pop()")
                out.append(f"{pad}return{'' if value is None else ' r'}")
            case ops.AsmGoto(asm, fall, labels):
                self.at(asm.loc, pad)
                out.append(f"{pad}F.block = {number}")
                out.append(f"{pad}t = {self.asm(asm, pad, goto=True)}")
                word = "if"
                for i, to in enumerate(labels):
                    out.append(f"{pad}{word} t == {i}:")
                    self.go(to, depth + 1, nested)
                    word = "elif"
                if labels:
                    out.append(f"{pad}else:")
                self.go(fall, depth + (1 if labels else 0), nested)
            case ops.IndirectJump(_, labels) if len(set(labels)) == 1:
                self.go(labels[0], depth, nested)
            case ops.IndirectJump(e, labels):
                base = self.code.image.text_of(self.fn.symbol) + 1
                out.append(f"{pad}t = {emit.value(e)} - {base}")
                for to in labels:
                    out.append(f"{pad}if t == {to}:")
                    self.go(to, depth + 1, nested)
                out.append(f"{pad}m.unreachable(F)")
            case ops.Unreachable():
                out.append(f"{pad}m.unreachable(F)")
                if depth > 1:
                    out.append(f"{pad}return 0")


def _bindings(lines: list[str]) -> str:
    """Local names for the accesses to memory that a function has."""
    used = set(_ACCESS.findall("\n".join(lines)))
    return "  " + "; ".join(f"{n} = m.{_ACCESSES[n]}" for n in sorted(used) or ["LD"])


def _finder(code: Code, symbol: str, returns: Type | None, cell: list[Callee]) -> Callee:
    """Called in place of a function until it is known what that is."""

    def first(m: Machine, *args: Any) -> Any:
        found = code.callee(symbol, returns)
        if found is None:
            found = m.leaf(symbol, returns)
        cell[0] = found
        return found(m, *args)

    return first


def _unsupported(fn: Function, why: str) -> Callee:
    def call(m: Machine, *args: Any) -> Any:
        return m.cannot(fn, why)

    return call


def divide_checked(a: Value, b: Value) -> Value:
    """Division by 0 gives 0, as the arm64 instruction has it."""
    if b == 0:
        return 0
    return divide(a, b)


def remainder_checked(a: Value, b: Value) -> Value:
    if b == 0:
        return a
    return remainder(a, b)


def make_blob(size: int, items: tuple[tuple[int, int, Any, int, int], ...]) -> Blob:
    """A struct value from ``(offset, bytes, value, shift, width)``; width 0 for a whole
    member, whose value may be a Blob or bytes."""
    data = bytearray(size)
    parts: list[tuple[int, int, Value]] = []
    for at, length, value, shift, width in items:
        if width:
            mask = ((1 << width) - 1) << shift
            word = int.from_bytes(data[at : at + length], "little") & ~mask
            if not isinstance(value, int):
                value = int(value)
            data[at : at + length] = (word | ((value << shift) & mask)).to_bytes(
                length, "little"
            )
        elif isinstance(value, Blob):
            data[at : at + len(value.data)] = value.data
            parts += [(at + o, n, v) for o, n, v in value.parts]
        elif isinstance(value, bytes):
            data[at : at + len(value)] = value
        elif isinstance(value, int):
            data[at : at + length] = (value & ((1 << 8 * length) - 1)).to_bytes(
                length, "little"
            )
        else:
            parts.append((at, length, value & ((1 << 8 * length) - 1)))
    return Blob(bytes(data), tuple(parts))


__all__ = ["Code", "Frame", "Meta", "TRecord"]
