# SPDX-License-Identifier: GPL-2.0-or-later
"""The verifier finds each kind of damage."""

from __future__ import annotations

import msgspec
import pytest

from ctxlint.ir.ops import (
    Addr,
    Assign,
    Bin,
    Branch,
    Call,
    Const,
    Deref,
    Expr,
    Field,
    Func,
    Index,
    Jump,
    Op,
    Opaque,
    Ret,
    Select,
    Str,
    Switch,
    Term,
    Var,
)
from ctxlint.ir.types import FieldDef, RecordDef, TArray, TInt, TPtr, TRecord, TVoid
from ctxlint.ir.unit import Block, Function, GlobalVar, Loc, Unit, VarDecl
from ctxlint.ir.verify import verify

VOID, INT, LONG, RECORD, POINTER, ARRAY = range(6)
TYPES = (
    TVoid(),
    TInt(32, True),
    TInt(64, False),
    TRecord("struct s"),
    TPtr(RECORD),
    TArray(INT, 4),
)
S = RecordDef("struct s", "s", False, "f.c", 1, 8, 4, (FieldDef("a", 0, 0),), (TInt(32, True),))
N, L, P, A = Var(0), Var(1), Var(2), Var(3)
MEMBER = Field(Deref(P, RECORD), "struct s", "a", 0, 0, INT)


def function(*blocks: Block) -> Function:
    return Function(
        "f", "f", "f.c", 1, 1, 9, (), INT, 1, False,
        (VarDecl("i", INT), VarDecl("l", LONG), VarDecl("p", POINTER), VarDecl("a", ARRAY)),
        TYPES, (Loc("f.c", 1, 1),), blocks,
    )  # fmt: skip


def with_op(op: Op) -> Function:
    return function(Block((op,), Ret(None, 0)))


def with_term(term: Term) -> Function:
    return function(Block((), term))


def complaints(item: Function) -> list[str]:
    return verify(item, {"struct s": S})


def test_a_sound_function_has_no_complaints() -> None:
    ops: tuple[Op, ...] = (
        Assign(N, MEMBER, 0),
        Assign(Index(A, N, INT), Const(-1, INT), 0),
        Assign(L, Select(N, Const(1, LONG), Bin("+", L, L, LONG), LONG), 0),
        Call(N, Func("g", VOID), (Addr(A, POINTER), Str(b"x", ARRAY)), 0),
    )
    assert complaints(function(Block(ops, Branch(N, 1, 0, 0)), Block((), Ret(N, 0)))) == []


@pytest.mark.parametrize(
    ("expr", "text"),
    [
        (Var(9), "slot 9"),
        (Const(0, 77), "type 77"),
        (Const(1 << 31, INT), "does not fit"),
        (Const(-1, LONG), "does not fit"),
        (Opaque("why", INT), "opaque: why"),
        (Deref(N, INT), "dereference of i32"),
        (Index(N, N, INT), "index into i32"),
        (Field(N, "struct s", "a", 0, 0, INT), "member a of i32"),
        (Field(Deref(P, RECORD), "struct s", "a", 48, 0, INT), "outside struct s"),
        (Field(Deref(P, RECORD), "struct s", "a", 62, 3, INT), "outside struct s"),
        (Addr(Const(1, INT), POINTER), "address of Const"),
        (Bin("+", N, L, LONG), "+ of i32 and u64"),
        (Bin("+", N, N, LONG), "+ of i32 gives u64"),
        (Bin("**", N, N, INT), "binary operator **"),
        (Select(A, N, N, INT), "?: of array"),
    ],
)
def test_expressions(expr: Expr, text: str) -> None:
    found = complaints(with_op(Assign(N, expr, 0)))
    assert any(text in line for line in found), found
    assert all(line.startswith("f: ") for line in found)


@pytest.mark.parametrize(
    ("op", "text"),
    [
        (Assign(Const(1, INT), N, 0), "store to Const"),
        (Assign(N, L, 0), "store of u64 to i32"),
        (Assign(Deref(P, RECORD), N, 0), "store of i32 to struct s"),
        (Assign(N, N, 5), "location 5"),
        (Call(None, N, (), 0), "call of i32"),
    ],
)
def test_operations(op: Op, text: str) -> None:
    assert any(text in line for line in complaints(with_op(op)))


@pytest.mark.parametrize(
    ("term", "text"),
    [
        (Jump(4), "block 4"),
        (Branch(A, 0, 0, 0), "branch of array"),
        (Switch(P, (), 0, 0), "switch on ptr"),
        (Switch(N, ((3, 1, 0),), 0, 0), "ends before it begins"),
    ],
)
def test_terminators(term: Term, text: str) -> None:
    assert any(text in line for line in complaints(with_term(term)))


def test_blocks_must_be_reachable() -> None:
    lost = function(Block((), Ret(None, 0)), Block((), Ret(None, 0)))
    assert complaints(lost) == ["f: block 1 cannot be reached"]


def test_a_unit_is_verified_with_its_own_layouts() -> None:
    bad = with_op(Assign(N, Field(Deref(P, RECORD), "struct s", "a", 48, 0, INT), 0))
    value = GlobalVar("g", "g", "f.c", 1, (), INT, Opaque("lost", INT), TYPES)
    unit = Unit("f.c", (bad,), (), (), (value,), (), (S,), (), (), ())
    assert verify(unit) == ["f: member a lies outside struct s", "g: opaque: lost"]
    assert verify(msgspec.structs.replace(unit, records=()))[0].startswith("g:")
