# SPDX-License-Identifier: GPL-2.0-or-later
"""Whatever the IR can say survives the store."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from ctxlint.ir import ops
from ctxlint.ir.codec import decode, encode
from ctxlint.ir.ops import Expr
from ctxlint.ir.types import (
    FieldDef,
    RecordDef,
    TArray,
    TFloat,
    TFunc,
    TInt,
    TPtr,
    TRecord,
    TVoid,
)
from ctxlint.ir.unit import (
    Block,
    Decl,
    EnumDef,
    Function,
    GlobalVar,
    Loc,
    Unit,
    VarDecl,
)

numbers = st.integers(0, 40)
values = st.integers(-(2**63), 2**64 - 1)
names = st.text("abcxyz_:./@", max_size=12)


def many(strategy: st.SearchStrategy[Any], most: int = 3) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(strategy, max_size=most).map(tuple)


leaves = st.one_of(
    st.builds(ops.Const, values, numbers, names),
    st.builds(ops.FConst, st.floats(allow_nan=False), numbers),
    st.builds(ops.Str, st.binary(max_size=9), numbers),
    st.builds(ops.Var, numbers),
    st.builds(ops.Global, names, numbers),
    st.builds(ops.Func, names, numbers),
    st.builds(ops.LabelAddr, numbers, numbers),
    st.builds(ops.Opaque, names, numbers),
)
binary = st.sampled_from(("+", "<<", "&&", "=="))


def compound(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    designators = st.one_of(names, numbers)
    return st.one_of(
        st.builds(ops.Field, inner, names, names, numbers, numbers, numbers),
        st.builds(ops.Deref, inner, numbers),
        st.builds(ops.Index, inner, inner, numbers),
        st.builds(ops.Addr, inner, numbers),
        st.builds(ops.Un, st.sampled_from("-~!"), inner, numbers),
        st.builds(ops.Bin, binary, inner, inner, numbers),
        st.builds(ops.Cast, inner, numbers),
        st.builds(ops.Select, inner, inner, inner, numbers),
        st.builds(ops.Agg, many(st.tuples(designators, inner)), numbers),
    )


exprs = st.recursive(leaves, compound, max_leaves=8)
operands = many(st.tuples(names, exprs), 2)
asms = st.builds(ops.Asm, names, operands, operands, numbers)
operations = st.one_of(
    st.builds(ops.Assign, exprs, exprs, numbers),
    st.builds(ops.Call, st.none() | exprs, exprs, many(exprs), numbers, names),
    asms,
)
terms = st.one_of(
    st.builds(ops.Jump, numbers),
    st.builds(ops.Branch, exprs, numbers, numbers, numbers),
    st.builds(ops.Switch, exprs, many(st.tuples(values, values, numbers)), numbers, numbers),
    st.builds(ops.Ret, st.none() | exprs, numbers),
    st.builds(ops.AsmGoto, asms, numbers, many(numbers)),
    st.builds(ops.IndirectJump, exprs, many(numbers)),
    st.builds(ops.Unreachable),
)
types = st.one_of(
    st.builds(TVoid),
    st.builds(TInt, numbers, st.booleans(), names),
    st.builds(TFloat, numbers),
    st.builds(TPtr, numbers, names),
    st.builds(TArray, numbers, st.integers(-1, 99)),
    st.builds(TRecord, names, names),
    st.builds(TFunc, numbers, many(numbers), st.booleans()),
)
blocks = st.builds(Block, many(operations), terms)
variables = st.builds(VarDecl, names, numbers)
locs = st.builds(Loc, names, numbers, numbers, names, names)
functions = st.builds(
    Function, names, names, names, numbers, numbers, numbers, many(names), numbers, numbers,
    st.booleans(), many(variables), many(types), many(locs), many(blocks),
)  # fmt: skip
globals_ = st.builds(
    GlobalVar,
    names,
    names,
    names,
    numbers,
    many(names),
    numbers,
    st.none() | exprs,
    many(types),
)
decls = st.builds(
    Decl, names, names, names, numbers, many(names), names, many(st.tuples(names, names)),
    st.booleans(),
)  # fmt: skip
fields = st.builds(FieldDef, names, numbers, numbers, numbers)
records = st.builds(
    RecordDef, names, names, st.booleans(), names, numbers, numbers, numbers, many(fields),
    many(types),
)  # fmt: skip
enums = st.builds(EnumDef, names, names, numbers, many(st.tuples(names, values)))
units = st.builds(
    Unit, names, many(functions, 2), many(names), many(functions, 1), many(globals_, 2),
    many(decls, 2), many(records, 2), many(enums, 2), many(names), many(names),
)  # fmt: skip


@settings(max_examples=examples(15), deadline=None)
@given(units)
def test_a_unit_comes_back_as_it_was(unit: Unit) -> None:
    data = encode(unit)
    again = decode(data, Unit)
    assert again == unit
    assert encode(again) == data


@settings(max_examples=examples(30), deadline=None)
@given(functions)
def test_a_function_comes_back_as_it_was(function: Function) -> None:
    assert decode(encode(function), Function) == function


@given(exprs)
def test_expressions_keep_their_kind(e: Expr) -> None:
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(e), type=Expr)
    assert again == e
    assert type(again) is type(e)


def test_other_data_is_refused() -> None:
    with pytest.raises(msgspec.DecodeError):
        decode(encode({"file": 1}), Unit)
