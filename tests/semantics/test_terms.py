# SPDX-License-Identifier: GPL-2.0-or-later
"""Three-valued evaluation, held against every completion of what is not known."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctxlint.semantics.terms import (
    Value,
    address,
    depends_on_entry,
    evaluate,
    freeze,
    globals_of,
    leaves,
    mentions,
    params,
    substitute,
    truth,
)

NUMBERS = (0, 1, 2, 5)
UNKNOWN = (("p", 0), ("p", 1), ("v", "x"))
OPERATORS = ("+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>", "==", "!=", "<", "<=", ">",
             ">=", "&&", "||")  # fmt: skip

_LEAVES = st.one_of(
    st.sampled_from(NUMBERS).map(lambda n: ("k", n)), st.sampled_from([*UNKNOWN, None])
)


def _grow(inner: st.SearchStrategy[Value]) -> st.SearchStrategy[Value]:
    return st.one_of(
        st.tuples(st.just("b"), st.sampled_from(OPERATORS), inner, inner),
        st.tuples(st.just("u"), st.sampled_from(("!", "-", "~")), inner),
        st.tuples(st.just("?"), inner, inner, inner),
    )


VALUES = st.recursive(_LEAVES, _grow, max_leaves=7)


def concrete(value: Value, numbers: dict[Value, int]) -> int | None:
    """What C computes; None for a division by zero (then nothing is claimed) and
    for a leaf of which nothing is known."""
    if value is None:
        return None
    if value[0] == "k":
        return int(value[1])
    if value[0] in ("p", "v"):
        return numbers.get(value)
    if value[0] == "u":
        inner = concrete(value[2], numbers)
        return (
            None if inner is None else {"!": int(not inner), "-": -inner, "~": ~inner}[value[1]]
        )
    if value[0] == "?":
        cond = concrete(value[1], numbers)
        return None if cond is None else concrete(value[2] if cond else value[3], numbers)
    op, a, b = value[1], concrete(value[2], numbers), concrete(value[3], numbers)
    if a is None or b is None or (op in ("/", "%") and b == 0):
        return None
    return evaluate(("b", op, ("k", a), ("k", b)), lambda _: None)


def completions(known: dict[Value, int]) -> list[dict[Value, int]]:
    open_ = [leaf for leaf in UNKNOWN if leaf not in known]
    return [
        known | dict(zip(open_, n, strict=True)) for n in product(NUMBERS, repeat=len(open_))
    ]


@settings(max_examples=400, deadline=None)
@given(VALUES, st.dictionaries(st.sampled_from(UNKNOWN), st.sampled_from(NUMBERS)))
def test_an_answer_holds_however_the_unknown_turns_out(
    value: Value, known: dict[Value, int]
) -> None:
    number = evaluate(value, known.get)
    verdict = truth(value, known.get)
    for numbers in completions(known):
        real = concrete(value, numbers)
        if real is not None:
            assert number in (None, real)
            assert verdict in (None, bool(real))


@settings(max_examples=200, deadline=None)
@given(VALUES)
def test_all_known_is_answered(value: Value) -> None:
    for numbers in completions({}):
        real = concrete(value, numbers)
        if real is not None:
            assert evaluate(value, numbers.get) == real
            assert truth(value, numbers.get) == bool(real)


@settings(max_examples=300, deadline=None)
@given(VALUES, st.tuples(VALUES, VALUES))
def test_substitution_is_evaluation_in_the_caller(
    value: Value, args: tuple[Value, Value]
) -> None:
    """Where the substituted value has an answer, it is the callee's own for the
    arguments' numbers."""
    result = substitute(value, args)
    for numbers in completions({})[::7]:
        inside = {("v", "x"): numbers["v", "x"]}
        for i, arg in enumerate(args):
            if (number := concrete(arg, numbers)) is not None:
                inside["p", i] = number
        there, here = concrete(value, inside), concrete(result, numbers)
        if there is not None and here is not None:
            assert there == here


@settings(max_examples=200, deadline=None)
@given(VALUES)
def test_questions_about_shape(value: Value) -> None:
    assert freeze(_thawed(value)) == value
    assert params(value) == {leaf[1] for leaf in UNKNOWN[:2] if mentions(value, leaf)}
    assert ("v" in leaves(value)) == mentions(value, UNKNOWN[2])
    if depends_on_entry(value):
        assert params(value)
        assert not mentions(value, UNKNOWN[2])
    assert globals_of(value) == set()


def _thawed(value: Value) -> Any:
    return [_thawed(v) for v in value] if isinstance(value, tuple) else value


def nothing(_: Value) -> None:
    return None


def test_selection_between_equals_needs_no_condition() -> None:
    same = ("?", ("p", 0), ("k", 3), ("b", "+", ("k", 1), ("k", 2)))
    assert evaluate(same, nothing) == 3


def test_what_is_or_ed_with_a_bit_is_not_zero() -> None:
    flags = ("b", "|", ("p", 0), ("k", 4))
    assert truth(flags, nothing) is True
    assert truth(("b", "==", flags, ("k", 0)), nothing) is False
    assert evaluate(flags, nothing) is None


def test_addresses_differ_and_are_not_null() -> None:
    one, other = ("f", "one"), ("f", "other")
    here, there = ("&", ("g", "here")), ("&", ("g", "there"))
    for a, b in ((one, other), (here, there), (one, here)):
        assert truth(a, nothing) is True
        assert evaluate(("b", "==", a, a), nothing) == 1
        assert evaluate(("b", "==", a, b), nothing) == 0
    assert evaluate(here, nothing) == address("here")


def test_the_address_in_an_unknown_object_is_not_null() -> None:
    member = ("&", (".", ("*", ("p", 0)), "struct s", "lock"))
    other = ("&", (".", ("*", ("p", 1)), "struct s", "lock"))
    assert truth(member, nothing) is True
    assert truth(("b", "==", member, ("k", 0)), nothing) is False
    assert evaluate(("b", "==", member, other), nothing) is None


def test_context_variables_count_as_the_entry() -> None:
    state = ("b", "==", ("g", "system_state"), ("k", 0))
    assert not depends_on_entry(state)
    assert depends_on_entry(state, frozenset({"system_state"}))
    both = ("b", "&&", state, ("b", "==", ("g", "other"), ("k", 0)))
    assert not depends_on_entry(both, frozenset({"system_state"}))


@pytest.mark.parametrize("op", ["<<s128", "<<u128", "<<u64", ">>"])
def test_a_shift_by_more_than_a_word_is_not_known(op: str) -> None:
    """Of 128 bits it is no zero; of fewer it is not defined."""
    shifted = ("b", op, ("k", 1), ("k", 64))
    assert truth(shifted, nothing) is None
    assert truth(("b", "!=", shifted, ("k", 0)), nothing) is None
    assert evaluate(("b", op, ("k", 1), ("k", 63)), nothing) in (1 << 63, 0)
