# SPDX-License-Identifier: GPL-2.0-or-later
"""Bits and alternatives of values that are no numbers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ctxlint.rulebook.conditions import parse
from ctxlint.semantics.known_bits import Bits, alternatives, bits, one_of, refined, shown_bits
from ctxlint.semantics.terms import (
    Bin,
    Const,
    Param,
    Result,
    Select,
    Term,
    Value,
    evaluate,
    nothing,
)

WORD = st.integers(0, (1 << 64) - 1)
P = Param(0)


def terms() -> st.SearchStrategy[Term]:
    """Terms over one parameter and one condition that are not known."""
    leaf = WORD.map(Const) | st.just(P)
    return st.recursive(
        leaf,
        lambda inner: (
            st.builds(Bin, st.sampled_from("&|"), inner, inner)
            | st.builds(Select, st.just(Result("c")), inner, inner)
        ),
        max_leaves=6,
    )


def value_of(term: Value, p: int, c: int) -> int:
    found = evaluate(term, {P: p, Result("c"): c}.get)
    assert found is not None
    return found


@given(terms(), WORD, st.booleans())
def test_known_bits_are_those_of_every_value(term: Term, p: int, c: bool) -> None:
    ones, zeros = bits(term, nothing)
    number = value_of(term, p, c)
    assert number & ones == ones
    assert number & zeros == 0


@given(terms(), WORD, st.booleans())
def test_alternatives_hold_every_value(term: Term, p: int, c: bool) -> None:
    numbers = alternatives(term, nothing)
    assert not numbers or value_of(term, p, c) in numbers


@given(WORD, WORD, WORD)
def test_a_condition_on_known_bits_is_right_or_open(number: int, known: int, mask: int) -> None:
    operand = Bits(number & known, ~number & known)
    for text in (f"x & {mask}", f"x == {mask}", f"x != {mask}", "x != 0", f"(x & {mask}) != 0"):
        condition = parse(text)
        found = condition.evaluate(lambda _name: operand)  # type: ignore[arg-type, return-value]
        real = condition.evaluate(lambda _name: number)
        assert found is None or bool(found) == bool(real)


@given(WORD, st.integers(0, 63), WORD)
def test_what_tests_have_shown(number: int, bit: int, mask: int) -> None:
    one = 1 << bit
    facts: dict[Term, int | bool] = {
        Bin("&", P, Const(one)): True if number & one else 0,
        Bin("&", P, Const(mask)): number & mask,
    }
    value = refined(P, shown_bits(facts))
    ones, zeros = bits(value, nothing)
    assert (number & ones, number & zeros) == (ones, 0)
    assert (ones | zeros) & (one | mask) == one | mask
    assert value_of(value, number, 0) == number


def test_one_of_a_few_constants() -> None:
    fresh = Result("b1.2")
    two = one_of(Const(1), Const(2), fresh)
    assert alternatives(two, nothing) == (1, 2)
    assert one_of(two, Const(1), fresh) == two
    assert one_of(Const(2), Const(1), fresh) == two
    four = one_of(one_of(two, Const(3), fresh), Const(4), fresh)
    assert alternatives(four, nothing) == (1, 2, 3, 4)
    assert one_of(four, Const(5), fresh) == fresh
    assert one_of(two, Result("b1.3"), fresh) == fresh
    assert one_of(two, None, fresh) == fresh


def test_one_of_a_few_words_of_a_parameter() -> None:
    fresh = Result("b1.2")
    more = one_of(P, Bin("|", P, Const(2)), fresh)
    given = {P: 4}.get
    assert alternatives(more, given) == (4, 6)
    assert alternatives(one_of(more, Const(1), fresh), given) == (1, 4, 6)
    assert one_of(Bin("|", P, Const(2)), P, fresh) == more
    assert one_of(more, more, fresh) == more
    deep: Term = P
    for n in range(4):
        deep = Bin("|", deep, Const(1 << n))
    assert one_of(P, deep, fresh) == fresh
