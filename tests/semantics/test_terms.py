# SPDX-License-Identifier: GPL-2.0-or-later
"""Terms: what they are made of, what they become, and three-valued evaluation, held against
every completion of what is not known and against C's arithmetic."""

from __future__ import annotations

import ctypes
from functools import cache
from itertools import product
from typing import get_args

import msgspec
import pytest
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from ctxlint.semantics.irqs import Irqs
from ctxlint.semantics.objects import AnyOf, Made, Obj, OnStack, Variable
from ctxlint.semantics.terms import (
    ZERO,
    Addr,
    Agg,
    At,
    Bin,
    Const,
    Deref,
    Field,
    Func,
    Global,
    Index,
    IrqsOff,
    KnownBits,
    Local,
    Node,
    Once,
    Param,
    PreemptWord,
    Result,
    SavedFlags,
    Select,
    Term,
    Un,
    Value,
    address,
    depends_on_entry,
    evaluate,
    globals_of,
    leaves,
    mentions,
    nothing,
    params,
    rebuilt,
    substitute,
    truth,
    walk,
)

NUMBERS = (0, 1, 2, 5)
X = Result("x")
UNKNOWN: tuple[Term, ...] = (Param(0), Param(1), X)
OPERATORS = ("+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>", "==", "!=", "<", "<=", ">",
             ">=", "&&", "||")  # fmt: skip
COMPARED = frozenset(("==", "!=", "<", "<=", ">", ">=", "&&", "||"))

_LEAVES: st.SearchStrategy[Value] = st.one_of(
    st.sampled_from(NUMBERS).map(Const), st.sampled_from([*UNKNOWN, None])
)


def _grow(inner: st.SearchStrategy[Value]) -> st.SearchStrategy[Value]:
    return st.one_of(
        st.builds(Bin, st.sampled_from(OPERATORS), inner, inner),
        st.builds(Un, st.sampled_from(("!", "-", "~")), inner),
        st.builds(Select, inner, inner, inner),
    )


VALUES = st.recursive(_LEAVES, _grow, max_leaves=7)


def concrete(value: Value, numbers: dict[Term, int]) -> int | None:
    """What C computes; None for a division by zero (then nothing is claimed) and
    for a leaf of which nothing is known."""
    if isinstance(value, Const):
        return value.number
    if isinstance(value, Param | Result):
        return numbers.get(value)
    if isinstance(value, Un):
        inner = concrete(value.e, numbers)
        return (
            None if inner is None else {"!": int(not inner), "-": -inner, "~": ~inner}[value.op]
        )
    if isinstance(value, Select):
        cond = concrete(value.cond, numbers)
        return None if cond is None else concrete(value.a if cond else value.b, numbers)
    if not isinstance(value, Bin):
        return None
    a, b = concrete(value.a, numbers), concrete(value.b, numbers)
    if a is None or b is None or (value.op in ("/", "%") and b == 0):
        return None
    return evaluate(Bin(value.op, Const(a), Const(b)), nothing)


def completions(known: dict[Term, int]) -> list[dict[Term, int]]:
    open_ = [leaf for leaf in UNKNOWN if leaf not in known]
    return [
        known | dict(zip(open_, n, strict=True)) for n in product(NUMBERS, repeat=len(open_))
    ]


@settings(max_examples=examples(160), deadline=None)
@given(VALUES, st.dictionaries(st.sampled_from(UNKNOWN), st.sampled_from(NUMBERS)))
def test_an_answer_holds_however_the_unknown_turns_out(
    value: Value, known: dict[Term, int]
) -> None:
    number = evaluate(value, known.get)
    verdict = truth(value, known.get)
    for numbers in completions(known):
        real = concrete(value, numbers)
        if real is not None:
            assert number in (None, real)
            assert verdict in (None, bool(real))


@settings(max_examples=examples(80), deadline=None)
@given(VALUES)
def test_all_known_is_answered(value: Value) -> None:
    for numbers in completions({}):
        real = concrete(value, numbers)
        if real is not None:
            assert evaluate(value, numbers.get) == real
            assert truth(value, numbers.get) == bool(real)


@settings(max_examples=examples(120), deadline=None)
@given(VALUES, st.tuples(VALUES, VALUES), st.booleans())
def test_substitution_is_evaluation_in_the_caller(
    value: Value, args: tuple[Value, Value], partial: bool
) -> None:
    """Where the substituted value has an answer, it is the callee's own for the
    arguments' numbers."""
    result = substitute(value, args, partial=partial)
    for numbers in completions({})[::7]:
        inside: dict[Term, int] = {X: numbers[X]}
        for i, arg in enumerate(args):
            if (number := concrete(arg, numbers)) is not None:
                inside[Param(i)] = number
        there, here = concrete(value, inside), concrete(result, numbers)
        if there is not None and here is not None:
            assert there == here
        if there is not None and partial:
            assert here == there, "what is known stays known"


@settings(max_examples=examples(80), deadline=None)
@given(VALUES)
def test_questions_about_shape(value: Value) -> None:
    assert params(value) == {
        leaf.index for leaf in UNKNOWN if isinstance(leaf, Param) and mentions(value, leaf)
    }
    assert (Result in leaves(value)) == mentions(value, X)
    if depends_on_entry(value):
        assert params(value)
        assert not mentions(value, X)
    assert globals_of(value) == set()


# -- C's arithmetic ------------------------------------------------------------

TYPES = {
    (8, False): ctypes.c_uint8, (8, True): ctypes.c_int8,
    (16, False): ctypes.c_uint16, (16, True): ctypes.c_int16,
    (32, False): ctypes.c_uint32, (32, True): ctypes.c_int32,
    (64, False): ctypes.c_uint64, (64, True): ctypes.c_int64,
}  # fmt: skip
EDGES = st.one_of(
    st.sampled_from((0, 1, 2, 7, 31, 63, 127, 128, 255, (1 << 31) - 1, 1 << 31)),
    st.integers(0, (1 << 64) - 1),
)


@cache  # a strategy is looked into and checked when it is first drawn from
def typed_terms(bits: int, signed: bool) -> st.SearchStrategy[Term]:
    """Of one type of C, with parameters of that type."""

    def grow(inner: st.SearchStrategy[Term]) -> st.SearchStrategy[Term]:
        wrapping = st.sampled_from(("+", "-", "*", "/", "%", "<<"))
        staying = st.sampled_from(("&", "|", "^", ">>", *COMPARED))
        return st.one_of(
            st.builds(Bin, wrapping, inner, inner, st.just(bits), st.just(signed)),
            st.builds(Bin, staying, inner, inner),
            st.builds(Un, st.sampled_from(("-", "~")), inner, st.just(bits), st.just(signed)),
            st.builds(Un, st.just("!"), inner),
            st.builds(Select, inner, inner, inner),
        )

    leaf: st.SearchStrategy[Term] = st.one_of(
        EDGES.map(lambda n: Const(TYPES[bits, signed](n).value)),
        st.sampled_from((Param(0), Param(1))),
    )
    return st.recursive(leaf, grow, max_leaves=8)


def in_c(term: Value, numbers: dict[Term, int], bits: int, signed: bool) -> int | None:
    """What a machine computes in one type; None where C says nothing."""
    as_type = TYPES[bits, signed]
    match term:
        case Const():
            return term.number
        case Param():
            return numbers[term]
        case Un():
            inner = in_c(term.e, numbers, bits, signed)
            if inner is None:
                return None
            found = {"-": -inner, "~": ~inner, "!": int(not inner)}[term.op]
            return int(as_type(found).value)
        case Select():
            cond = in_c(term.cond, numbers, bits, signed)
            return (
                None
                if cond is None
                else in_c(term.a if cond else term.b, numbers, bits, signed)
            )
        case Bin():
            a, b = (in_c(part, numbers, bits, signed) for part in (term.a, term.b))
            if a is None or b is None:
                return None
            if term.op in COMPARED:
                return _compared(term.op, a, b)
            if term.op in ("/", "%"):
                if b == 0:
                    return None
                quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
                return int(as_type(quotient if term.op == "/" else a - quotient * b).value)
            if term.op in ("<<", ">>"):
                if not 0 <= b < bits:
                    return None
                return int(as_type(a << b if term.op == "<<" else a >> b).value)
            numbers_of = {
                "+": a + b,
                "-": a - b,
                "*": a * b,
                "&": a & b,
                "|": a | b,
                "^": a ^ b,
            }
            return int(as_type(numbers_of[term.op]).value)
    raise AssertionError(term)


def _compared(op: str, a: int, b: int) -> int:
    return int(
        {
            "==": a == b, "!=": a != b, "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b,
            "&&": bool(a and b), "||": bool(a or b),
        }[op]
    )  # fmt: skip


@settings(max_examples=examples(240), deadline=None)
@given(st.data(), st.sampled_from(sorted(TYPES)), EDGES, EDGES)
def test_numbers_are_those_of_the_machine(
    data: st.DataObject, kind: tuple[int, bool], p: int, q: int
) -> None:
    term = data.draw(typed_terms(*kind))
    numbers: dict[Term, int] = {
        Param(i): int(TYPES[kind](n).value) for i, n in enumerate((p, q))
    }
    real = in_c(term, numbers, *kind)
    if real is not None:
        assert evaluate(term, numbers.get) == real
        assert truth(term, numbers.get) is bool(real)
        closed = substitute(term, (Const(numbers[Param(0)]), Const(numbers[Param(1)])))
        assert evaluate(closed, nothing) == real
    assert evaluate(term, nothing) in (None, real) or real is None


# -- all kinds of terms --------------------------------------------------------

TEXT = st.sampled_from(("a", "b.c::f", "struct s"))
PLACE_LEAVES: st.SearchStrategy[Term] = st.one_of(
    st.integers(-(1 << 63), (1 << 64) - 1).map(Const),
    st.builds(Param, st.integers(0, 2), TEXT | st.just("")),
    st.builds(Func, TEXT),
    st.builds(Global, TEXT),
    st.builds(Local, st.integers(0, 2), TEXT | st.just("")),
    st.builds(Result, TEXT, TEXT | st.just("")),
    st.builds(
        lambda root, chain: At(Obj(root, tuple(chain))),
        st.builds(Variable, TEXT) | st.builds(Made, TEXT, TEXT) | st.builds(AnyOf, TEXT)
        | st.builds(OnStack, TEXT, st.integers(0, 3)),
        st.lists(st.tuples(TEXT, TEXT), max_size=2),
    ),
    st.builds(PreemptWord, st.integers(0, 2), st.integers(0, 2)),
    st.builds(SavedFlags, st.sampled_from(Irqs)),
    st.just(IrqsOff()),
    st.builds(KnownBits, st.integers(0, 9), st.integers(0, 9)),
)  # fmt: skip


def _any_grow(inner: st.SearchStrategy[Term]) -> st.SearchStrategy[Term]:
    part = inner | st.none()
    typing = (st.sampled_from((0, 8, 32)), st.booleans())
    return st.one_of(
        st.builds(Addr, inner),
        st.builds(Deref, part),
        st.builds(Field, part, TEXT, TEXT),
        st.builds(Index, part, part),
        st.builds(Bin, st.sampled_from(OPERATORS), part, part, *typing),
        st.builds(Un, st.sampled_from(("!", "-", "~")), part, *typing),
        st.builds(Select, part, part, part),
        st.builds(Once, inner),
        st.builds(
            lambda record, members: Agg(record, tuple(members)),
            TEXT,
            st.lists(st.tuples(TEXT, part), max_size=3),
        ),
    )


TERMS = st.recursive(PLACE_LEAVES, _any_grow, max_leaves=12)
_CODEC = msgspec.msgpack.Decoder(Value)


def fields_of(term: object) -> list[Term]:
    """The terms that a term's fields hold, however deep in tuples."""
    found: list[Term] = []
    stack: list[object] = list(msgspec.structs.astuple(term)) if isinstance(term, Node) else []
    while stack:
        part = stack.pop(0)
        if isinstance(part, get_args(Term)):
            found.append(part)
        elif isinstance(part, tuple):
            stack = [*part, *stack]
    return found


@settings(max_examples=examples(160), deadline=None)
@given(TERMS)
def test_the_walker_visits_every_part(term: Term) -> None:
    assert [part for part in term.parts() if part is not None] == fields_of(term)
    expected = 1
    stack = fields_of(term)
    while stack:
        expected += 1
        stack += fields_of(stack.pop())
    assert len(list(walk(term))) == expected
    assert rebuilt(term, lambda part: part) == term
    seen: list[Value] = []
    rebuilt(term, lambda part: (seen.append(part), part)[1])  # type: ignore[func-returns-value]
    assert tuple(seen) == term.parts()


def test_every_kind_of_term_is_drawn_and_in_the_union() -> None:
    kinds = set(get_args(Term))
    assert kinds == set(Node.__subclasses__())
    found: set[type] = set()

    @settings(max_examples=500, deadline=None, database=None)
    @given(TERMS)
    def draw(term: Term) -> None:
        found.update(type(part) for part in walk(term))

    draw()
    assert found == kinds


@settings(max_examples=examples(160), deadline=None)
@given(TERMS)
def test_the_store_gives_back_what_it_was_given(term: Term) -> None:
    again = _CODEC.decode(msgspec.msgpack.encode(term))
    assert again == term
    assert hash(again) == hash(term)
    assert repr(again) == repr(term)


@settings(max_examples=examples(120), deadline=None)
@given(TERMS, st.tuples(TERMS, TERMS, TERMS))
def test_substitution_leaves_no_parameter_and_nothing_else_changed(
    term: Term, args: tuple[Term, Term, Term]
) -> None:
    constants = (Const(1), Const(2), Const(3))
    new = substitute(term, constants, partial=True)
    assert not any(isinstance(part, Param) and not part.of for part in walk(new))
    same = substitute(term, (Param(0), Param(1), Param(2)), partial=True)
    if not any(isinstance(t, Deref) and isinstance(t.pointer, Addr) for t in walk(term)):
        lost = any(isinstance(t, Index) and t.base is None for t in walk(term))
        assert same == term or lost
    assert not any(
        isinstance(part, Param) and part.of == "a" for part in walk(substitute(term, (), "a"))
    )


# -- single answers ------------------------------------------------------------


def test_selection_between_equals_needs_no_condition() -> None:
    same = Select(Param(0), Const(3), Bin("+", Const(1), Const(2)))
    assert evaluate(same, nothing) == 3


def test_what_is_or_ed_with_a_bit_is_not_zero() -> None:
    flags = Bin("|", Param(0), Const(4))
    assert truth(flags, nothing) is True
    assert truth(Bin("==", flags, ZERO), nothing) is False
    assert evaluate(flags, nothing) is None


def test_addresses_differ_and_are_not_null() -> None:
    one, other = Func("one"), Func("other")
    here, there = Addr(Global("here")), Addr(Global("there"))
    pairs: tuple[tuple[Term, Term], ...] = ((one, other), (here, there), (one, here))
    for a, b in pairs:
        assert truth(a, nothing) is True
        assert evaluate(Bin("==", a, a), nothing) == 1
        assert evaluate(Bin("==", a, b), nothing) == 0
    assert evaluate(here, nothing) == address("here")


def test_the_address_in_an_unknown_object_is_not_null() -> None:
    member = Addr(Field(Deref(Param(0)), "struct s", "lock"))
    other = Addr(Field(Deref(Param(1)), "struct s", "lock"))
    assert truth(member, nothing) is True
    assert truth(Bin("==", member, ZERO), nothing) is False
    assert evaluate(Bin("==", member, other), nothing) is None


def test_context_variables_count_as_the_entry() -> None:
    state = Bin("==", Global("system_state"), ZERO)
    assert not depends_on_entry(state)
    assert depends_on_entry(state, frozenset({"system_state"}))
    both = Bin("&&", state, Bin("==", Global("other"), ZERO))
    assert not depends_on_entry(both, frozenset({"system_state"}))


@pytest.mark.parametrize(
    ("op", "bits", "signed"),
    [("<<", 128, True), ("<<", 128, False), ("<<", 64, False), (">>", 0, False)],
)
def test_a_shift_by_more_than_a_word_is_not_known(op: str, bits: int, signed: bool) -> None:
    """Of 128 bits it is no zero; of fewer it is not defined."""
    shifted = Bin(op, Const(1), Const(64), bits, signed)
    assert truth(shifted, nothing) is None
    assert truth(Bin("!=", shifted, ZERO), nothing) is None
    assert evaluate(Bin(op, Const(1), Const(63), bits, signed), nothing) in (1 << 63, 0)


def test_members_of_a_structure_by_value_are_parts_like_others() -> None:
    """Also the first one, and one that is named like a kind of term."""
    value = Agg("struct s", (("p", Param(2)), ("k", Global("g")), ("x", None)))
    assert params(value) == {2}
    assert globals_of(value) == {"g"}
    assert substitute(value, (None, None, ZERO)) == Agg(
        "struct s", (("p", ZERO), ("k", Global("g")), ("x", None))
    )


def test_what_an_address_points_to_is_the_place() -> None:
    member = Field(Deref(Param(0)), "struct s", "f")
    assert substitute(member, (Addr(Global("g")),)) == Field(Global("g"), "struct s", "f")
    assert substitute(Addr(Deref(Param(0))), (None,)) == Addr(Deref(None))
