# SPDX-License-Identifier: GPL-2.0-or-later
"""The state inside a function: joins only lose knowledge, conditions and their answers."""

from __future__ import annotations

from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from ctxlint.facts.state import State, merge
from ctxlint.semantics.terms import Bin, Const, Deref, Field, Param, Result, Term, Un, mentions

SLOTS = (0, 1, 2)
PLACE = Field(Deref(Param(0)), "struct s", "f")
_leaves: st.SearchStrategy[Term] = st.one_of(
    st.sampled_from((0, 1, 7)).map(Const),
    st.sampled_from([Param(0), Param(1), Result("1.0"), Result("b9.0"), Result("b9.1")]),
)
VALUES: st.SearchStrategy[Term] = st.one_of(
    _leaves,
    st.builds(Bin, st.sampled_from(("==", "!=", "&", "&&", "||")), _leaves, _leaves),
    st.builds(Un, st.just("!"), _leaves),
)
CONDITIONS = VALUES.filter(lambda value: not isinstance(value, Const))


@st.composite
def states(draw: st.DrawFn) -> State:
    """Of one context, with some values and conditions that do not contradict."""
    state = State()
    state.vals = draw(st.dictionaries(st.sampled_from(SLOTS), _leaves))
    for value, truth in draw(st.lists(st.tuples(CONDITIONS, st.booleans()), max_size=3)):
        state.assume(value, truth)
    state.mem = draw(st.dictionaries(st.just(PLACE), _leaves))
    return state


def joined(a: State, b: State) -> State:
    new = a.copy()
    merge(new, b, "b9")
    return new


def content(state: State) -> tuple[object, ...]:
    """What a state says, the type of a fact included (True and 1 are equal)."""
    facts = {key: (type(fact).__name__, fact) for key, fact in state.facts.items()}
    return state.context_key(), state.vals, facts, state.mem


@settings(max_examples=examples(40))
@given(states())
def test_join_with_itself_changes_nothing(a: State) -> None:
    new = a.copy()
    assert not merge(new, a.copy(), "b9")
    assert content(new) == content(a)


@settings(max_examples=examples(40))
@given(states(), states())
def test_join_knows_only_what_both_know(a: State, b: State) -> None:
    new = joined(a, b)
    fresh = {Result(f"b9.{slot}"): slot for slot in new.vals}
    for value, fact in new.facts.items():
        slot = fresh.get(value)
        if slot is not None and fact is True:  # neither of two values is zero
            assert a.truth(a.vals[slot]) is True is b.truth(b.vals[slot])
        else:
            assert a.facts[value] == fact == b.facts[value]
    for place, value in new.mem.items():
        assert a.mem[place] == value == b.mem[place]
    for slot, value in new.vals.items():
        if value == Result(f"b9.{slot}") and not (a.vals[slot] == value == b.vals.get(slot)):
            told = [v for v in new.facts if mentions(v, value) and v != value]
            assert not told, "a name given just now"
            others = [v for s, v in new.vals.items() if s != slot]
            assert not [v for v in others if mentions(v, value)]
        else:
            assert a.vals[slot] == value == b.vals[slot]


@settings(max_examples=examples(40))
@given(states(), states())
def test_join_a_second_time_changes_nothing(a: State, b: State) -> None:
    """So a loop comes to an end."""
    new = joined(a, b)
    before = content(new.copy())
    merge(new, b, "b9")
    after = content(new)
    changed = merge(new, b, "b9")
    assert not changed
    assert content(new) == after
    assert set(after[2]) <= set(before[2])  # type: ignore[call-overload]


@settings(max_examples=examples(40))
@given(states(), states())
def test_join_keeps_the_same_from_either_side(a: State, b: State) -> None:
    """But for slots that one side knows nothing of: they are not in the other's."""
    one, two = joined(a, b), joined(b, a)
    assert {k: v for k, v in one.facts.items() if not _fresh(k)} == {
        k: v for k, v in two.facts.items() if not _fresh(k)
    }
    for slot in set(one.vals) & set(two.vals):
        assert one.vals[slot] == two.vals[slot]


def _fresh(value: Term) -> bool:
    return any(mentions(value, Result(f"b9.{slot}")) for slot in SLOTS)


@settings(max_examples=examples(40))
@given(states(), CONDITIONS, st.booleans())
def test_what_is_assumed_is_known(state: State, value: Term, truth: bool) -> None:
    before = state.truth(value)
    if state.assume(value, truth):
        assert before in (None, truth)
        assert state.truth(value) is truth
        assert state.assume(value, truth)
        assert not state.copy().assume(value, not truth)
    else:
        assert before is not None


@settings(max_examples=examples(40))
@given(states(), CONDITIONS)
def test_either_a_condition_or_its_opposite_is_possible(state: State, value: Term) -> None:
    ways = [state.copy().assume(value, truth) for truth in (True, False)]
    assert any(ways)
    if state.truth(value) is not None:
        assert not all(ways)


def test_a_copy_is_independent() -> None:
    state = State()
    other = state.copy()
    other.vals[0] = Const(1)
    other.assume(Param(0), True)
    other.lock("raw", "&a", 0)
    assert content(state) == content(State())


def test_saves_and_restores_nest() -> None:
    state = State()
    outer = state.save_irq()
    state.set_irq(True, 3)
    inner = state.save_irq()
    state.set_irq(True, 4)
    assert (outer, inner, state.irqs, state.irq_loc) == (-1, 1, 1, 4)
    state.restore_irq(inner)
    assert state.irqs == 1
    state.restore_irq(outer)
    assert (state.irqs, state.irq_loc, state.saves, state.pops) == (-1, -1, (), 0)


def test_restoring_what_the_caller_saved() -> None:
    state = State()
    state.set_irq(True, 1)
    state.restore_irq(None)
    assert (state.irqs, state.pops) == (-2, 1)
    state.restore_irq(0)
    assert state.irqs == 0


def test_unlock_takes_the_same_lock_then_one_of_its_kind_then_the_callers() -> None:
    state = State()
    for path in ("&a", "&b", "&c"):
        state.lock("raw", path, 0)
    state.unlock("raw", "&b")
    assert [lock.path for lock in state.locks] == ["&a", "&c"]
    state.unlock("raw", "&other")
    assert [lock.path for lock in state.locks] == ["&a"]
    state.unlock("mutex", "&a")
    assert (state.released, len(state.locks)) == (("mutex",), 1)


def test_counts_are_bounded() -> None:
    state = State()
    for _ in range(50):
        state.count("preempt", 1, 5)
    assert (state.counts.preempt, state.pre_loc, state.over) == (50, 5, False)
    for _ in range(100):
        state.count("preempt", 1, 5)
    assert 50 < state.counts.preempt < 150
    assert state.over, "what cannot be counted is told"
    for _ in range(200):
        state.count("preempt", -1, 6)
    assert -50 < state.counts.preempt < 0
    assert state.pre_loc == -1


def test_a_value_computed_anew_is_not_the_one_that_was_kept() -> None:
    state = State()
    state.vals = {0: Result("1.0"), 1: Result("1.0"), 2: Param(0)}
    state.mem[PLACE] = Result("1.0")
    state.assume(Result("1.0"), True)
    assert state.forget(Result("1.0"))
    assert (state.vals, state.mem, state.facts) == ({2: Param(0)}, {}, {})
    assert not state.forget(Result("1.0"))
