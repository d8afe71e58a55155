# SPDX-License-Identifier: GPL-2.0-or-later
"""Conditions: three outcomes, and never a definite one that depends on an unknown name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxlint.base.errors import RuleError
from ctxlint.rulebook.conditions import choose, parse

NAMES = ("flags", "state", "ON", "OFF")
VALUES = st.integers(min_value=-8, max_value=8)


def atoms() -> st.SearchStrategy[str]:
    return st.sampled_from(NAMES) | st.integers(min_value=0, max_value=9).map(str)


def grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operators = ("+", "-", "*", "&", "|", "^", "==", "!=", "<", "<=", ">", ">=", "&&", "||")
    return (
        st.tuples(inner, st.sampled_from(operators), inner).map(lambda t: f"({' '.join(t)})")
        | inner.map(lambda x: f"!({x})")
        | inner.map(lambda x: f"~({x})")
        | st.tuples(inner, inner, inner).map(lambda t: f"({t[0]} ? {t[1]} : {t[2]})")
    )


expressions = st.recursive(atoms(), grow, max_leaves=8)


@given(expressions, st.fixed_dictionaries(dict.fromkeys(NAMES, VALUES)))
def test_known_names_give_a_value(text: str, values: dict[str, int]) -> None:
    assert parse(text).evaluate(values.get) is not None


@given(
    expressions,
    st.fixed_dictionaries(dict.fromkeys(NAMES, VALUES)),
    st.sets(st.sampled_from(NAMES)),
)
def test_an_unknown_name_changes_nothing_that_was_said(
    text: str, values: dict[str, int], hidden: set[str]
) -> None:
    """What is definite without a name is the same whatever the name's value is."""
    known = {name: value for name, value in values.items() if name not in hidden}
    partial = parse(text).evaluate(known.get)
    assert partial is None or partial == parse(text).evaluate(values.get)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", 1),
        ("x & 0", 0),
        ("x || 1", 1),
        ("0 && x", 0),
        ("x && 0", 0),
        ("x", None),
        ("x || 0", None),
        ("1 ? 2 : x", 2),
        ("x ? 3 : 3", 3),
        ("0x400u & 1024", 1024),
        ("!7", 0),
        ("node.flags & 1", None),
    ],
)
def test_values(text: str, value: int | None) -> None:
    assert parse(text).evaluate(lambda _: None) == value


def test_names() -> None:
    condition = parse("state >= CPUHP_AP_IDLE_DEAD && node.flags & 4")
    assert condition.names == {"state", "CPUHP_AP_IDLE_DEAD", "node.flags"}


@pytest.mark.parametrize(
    "text", ["f(x)", "x = 1", "x +", "1); int y = (2", "p->x", "a[1]", '"s"']
)
def test_not_a_condition(text: str) -> None:
    with pytest.raises(RuleError, match="not a condition"):
        parse(text)


def test_choose() -> None:
    cases = ("a", "b", "")

    def chosen(**values: int) -> tuple[tuple[str, str], ...]:
        return choose(cases, lambda case: case, values.get)

    assert chosen(a=1) == (("a", "certain"),)
    assert chosen(a=0, b=1) == (("b", "certain"),)
    assert chosen(a=0, b=0) == (("", "certain"),)
    assert chosen(b=1) == (("a", "possible"), ("b", "possible"))
    assert chosen(a=0) == (("b", "possible"), ("", "possible"))
    assert choose(("a",), lambda case: case, {"a": 0}.get) == ()
