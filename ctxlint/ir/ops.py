# SPDX-License-Identifier: GPL-2.0-or-later
"""Expressions, operations and terminators.

Expressions are pure: they never call, assign or jump. Calls, assignments and
inline assembly are operations in a basic block; ``&&``, ``||`` and ``?:``
whose operands are pure stay expressions (evaluated lazily), all others become
branches. An lvalue expression (:class:`Var`, :class:`Global`, :class:`Field`,
:class:`Deref`, :class:`Index`) in a value position is a load.

Every operation names a location by its index in ``Function.locs``.
"""

from __future__ import annotations

from typing import Union

import msgspec

from ctxlint.ir.types import TypeId

LocId = int
BlockId = int
Slot = int


class Const(msgspec.Struct, frozen=True, array_like=True, tag_field="node", tag="k"):
    """An integer constant; ``name`` is the enumerator it was written as."""

    value: int
    type: TypeId
    name: str = ""


class FConst(msgspec.Struct, frozen=True, array_like=True, tag_field="node", tag="kf"):
    """A floating-point constant."""

    value: float
    type: TypeId


class Str(msgspec.Struct, frozen=True, array_like=True, tag_field="node", tag="s"):
    """A string literal (array lvalue), without its terminating NUL."""

    data: bytes
    type: TypeId


class Var(msgspec.Struct, frozen=True, array_like=True, tag_field="node", tag="l"):
    """A parameter, local variable or temporary: index in ``Function.vars``."""

    slot: Slot


class Global(msgspec.Struct, frozen=True, array_like=True, tag_field="node", tag="g"):
    """A variable of the file or another one, as an lvalue; ``symbol`` as
    :attr:`GlobalVar.symbol`."""

    symbol: str
    type: TypeId


class Func(msgspec.Struct, frozen=True, array_like=True, tag_field="node", tag="fn"):
    """A function designator: its symbol (see Function.symbol)."""

    symbol: str
    type: TypeId


class Field(msgspec.Struct, frozen=True, array_like=True, tag_field="node", tag="."):
    """Member ``name`` of the record lvalue ``base``.

    ``record`` is the key of the record that declares the member; ``offset``
    (bits) is relative to ``base``, across anonymous members; ``width`` is 0 or
    the width of a bit-field.
    """

    base: Expr
    record: str
    name: str
    offset: int
    width: int
    type: TypeId


class Deref(msgspec.Struct, frozen=True, array_like=True, tag_field="node", tag="*"):
    """What a pointer points to, as an lvalue of ``type``."""

    ptr: Expr
    type: TypeId


class Index(msgspec.Struct, frozen=True, array_like=True, tag_field="node", tag="[]"):
    """Element of an array lvalue. ``p[i]`` of a pointer is a Deref of Bin."""

    base: Expr
    index: Expr
    type: TypeId


class Addr(msgspec.Struct, frozen=True, array_like=True, tag_field="node", tag="&"):
    """Address of an lvalue; also array-to-pointer decay."""

    lvalue: Expr
    type: TypeId


class Un(msgspec.Struct, frozen=True, array_like=True, tag_field="node", tag="u"):
    """``op`` is one of ``- ~ !``."""

    op: str
    e: Expr
    type: TypeId


class Bin(msgspec.Struct, frozen=True, array_like=True, tag_field="node", tag="b"):
    """``op`` is a C binary operator, never an assignment or comma.

    ``+`` and ``-`` with a pointer operand scale by the pointee's size.
    """

    op: str
    a: Expr
    b: Expr
    type: TypeId


class Cast(msgspec.Struct, frozen=True, array_like=True, tag_field="node", tag="c"):
    """Conversion of a value to ``type`` (implicit ones that change width or
    signedness included)."""

    e: Expr
    type: TypeId


class Select(msgspec.Struct, frozen=True, array_like=True, tag_field="node", tag="?"):
    """``cond ? a : b``; only the chosen operand is evaluated."""

    cond: Expr
    a: Expr
    b: Expr
    type: TypeId


class Agg(msgspec.Struct, frozen=True, array_like=True, tag_field="node", tag="{}"):
    """An initialiser of an aggregate. Members that are not named are zero.

    Each item is ``(designator, value)``; a designator is a field name or an
    element index (a range of indices is repeated).
    """

    items: tuple[tuple[str | int, Expr], ...]
    type: TypeId


class LabelAddr(msgspec.Struct, frozen=True, array_like=True, tag_field="node", tag="&&"):
    """``&&label``: the address of a block, for an indirect jump."""

    block: BlockId
    type: TypeId


class Opaque(msgspec.Struct, frozen=True, array_like=True, tag_field="node", tag="!"):
    """Something that could not be lowered; the verifier counts it."""

    text: str
    type: TypeId


Expr = Union[  # noqa: UP007 - the names are used before they exist
    Const, FConst, Str, Var, Global, Func, Field, Deref, Index, Addr, Un, Bin, Cast,
    Select, Agg, LabelAddr, Opaque,
]  # fmt: skip


class Assign(msgspec.Struct, frozen=True, array_like=True, tag_field="node", tag="="):
    """Store ``src``, converted already, into the lvalue ``dst``; ``loc`` is where, in the
    function's table."""

    dst: Expr
    src: Expr
    loc: LocId


class Call(msgspec.Struct, frozen=True, array_like=True, tag_field="node", tag="call"):
    """A call. ``fn`` is :class:`Func` for a direct call, else a value.

    ``implicit`` is ``"cleanup"`` for a call that the compiler inserts at the
    end of a scope for ``__attribute__((cleanup))``.
    """

    dst: Expr | None
    fn: Expr
    args: tuple[Expr, ...]
    loc: LocId
    implicit: str = ""


class Asm(msgspec.Struct, frozen=True, array_like=True, tag_field="node", tag="asm"):
    """Inline assembly: opaque. Operands are ``(constraint, expression)``; ``memory``
    says that it clobbers memory."""

    template: str
    outs: tuple[tuple[str, Expr], ...]
    ins: tuple[tuple[str, Expr], ...]
    loc: LocId
    memory: bool = False


class Stated(msgspec.Struct, frozen=True, array_like=True, tag_field="node", tag="says"):
    """A macro that stands for no code in this configuration, as assertions of lockdep do:
    it does nothing, and says something to who knows its name.

    ``names`` are those of the macro as the source uses it and of the macro that it comes
    down to (the same name twice when there is one), ``args`` the values that it throws
    away.
    """

    names: tuple[str, str]
    args: tuple[Expr, ...]
    loc: LocId


Op = Assign | Call | Asm | Stated


class Jump(msgspec.Struct, frozen=True, array_like=True, tag_field="node", tag="j"):
    """Go on at a block."""

    to: BlockId


class Branch(msgspec.Struct, frozen=True, array_like=True, tag_field="node", tag="br"):
    """Go on at ``then`` when ``cond`` is not zero, else at ``els``."""

    cond: Expr
    then: BlockId
    els: BlockId
    loc: LocId


class Switch(msgspec.Struct, frozen=True, array_like=True, tag_field="node", tag="sw"):
    """Cases are ``(lowest, highest, block)``; ``default`` always exists."""

    e: Expr
    cases: tuple[tuple[int, int, BlockId], ...]
    default: BlockId
    loc: LocId


class Ret(msgspec.Struct, frozen=True, array_like=True, tag_field="node", tag="ret"):
    """Return; ``value`` is None of a function of type void."""

    value: Expr | None
    loc: LocId


class AsmGoto(msgspec.Struct, frozen=True, array_like=True, tag_field="node", tag="ag"):
    """Assembly that falls through to ``fall`` or jumps to one of ``targets``."""

    asm: Asm
    fall: BlockId
    targets: tuple[BlockId, ...]


class IndirectJump(msgspec.Struct, frozen=True, array_like=True, tag_field="node", tag="ij"):
    """``goto *e``; ``targets`` are the blocks whose address the function takes."""

    e: Expr
    targets: tuple[BlockId, ...]


class Unreachable(msgspec.Struct, frozen=True, array_like=True, tag_field="node", tag="x"):
    """Control never gets here (after a noreturn call)."""


Term = Jump | Branch | Switch | Ret | AsmGoto | IndirectJump | Unreachable
