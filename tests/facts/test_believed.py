# SPDX-License-Identifier: GPL-2.0-or-later
"""Which ways to return callers are told of."""

from __future__ import annotations

from analysis.snippet import facts
from hypothesis import given
from hypothesis import strategies as st

from ctxlint.facts.believed import believed, followed, least_often, with_untold
from ctxlint.facts.reduce import RETURNS_NONZERO, is_nonzero
from ctxlint.facts.summary import Guard, Outcome
from ctxlint.semantics.context import Counts, Delta
from ctxlint.semantics.irqs import Irqs
from ctxlint.semantics.terms import Const, Param

OUTCOMES = st.builds(
    Outcome,
    st.builds(
        Delta,
        st.sampled_from([Irqs.ENTRY, Irqs.OFF, Irqs.ON]),
        st.builds(Counts, st.integers(-1, 2), st.integers(-1, 1)),
    ),
    st.sampled_from([None, Const(0), Const(-22), RETURNS_NONZERO]),
    st.lists(st.sampled_from([Guard(Param(0), True), Guard(Param(0), False)]), max_size=1).map(
        tuple
    ),
    st.just(0),
    st.just(()),
    st.sampled_from([(), ("raw",)]),
)


def effects(text: str) -> list[tuple[int, bool | None]]:
    """Preemption counts that the function ``g`` leaves, and whether its result is zero."""
    [summary] = (s for s in facts(text).summaries if s.name == "g")
    return [(o.delta.counts.preempt, is_nonzero(o.value)) for o in summary.outcomes]


@given(st.lists(OUTCOMES, max_size=6).map(tuple))
def test_a_way_to_return_is_left_and_each_that_is_dropped_leaves_more(
    outcomes: tuple[Outcome, ...],
) -> None:
    outcomes = tuple(with_untold(outcomes))
    kept = believed(outcomes, lambda mine, other: False)
    assert bool(kept) == bool(outcomes)
    assert all(outcome in outcomes for outcome in kept)
    for gone in outcomes:
        if gone not in kept:
            a = gone.delta
            assert any(
                a.counts.preempt >= b.counts.preempt and a.counts.bh >= b.counts.bh
                for b in (other.delta for other in kept)
            )
    assert bool(least_often(outcomes)) == bool(outcomes)
    assert believed(outcomes, lambda mine, other: True) == outcomes


CALLS = """
static int lock_sometimes(void)
{
    if (unknown())
        _raw_spin_lock(&a);
    return unknown();
}

static void unlock_sometimes(void)
{
    if (unknown())
        _raw_spin_unlock(&a);
}
"""


def preemption(text: str) -> list[int]:
    """Preemption counts at the one ``mark()`` of the function ``g``."""
    [summary] = (s for s in facts(CALLS + text).summaries if s.name == "g")
    [points] = (edge.points for edge in summary.edges if edge.symbol == "mark")
    return sorted(point.delta.counts.preempt for point in points)


def test_a_lock_that_no_caller_can_know_of_is_not_held() -> None:
    assert preemption("void g(void) { lock_sometimes(); mark(1); }") == [0]


def test_a_lock_is_held_until_the_helper_that_releases_it() -> None:
    text = "void g(void) { lock_sometimes(); mark(1); unlock_sometimes(); }"
    assert preemption(text) == [0, 1]


def test_what_the_caller_takes_itself_it_releases_for_itself() -> None:
    text = """
    void g(void)
    {
        lock_sometimes();
        _raw_spin_lock(&b);
        _raw_spin_unlock(&b);
        mark(1);
    }
    """
    assert preemption(text) == [0]


def test_a_lock_is_held_as_the_result_says() -> None:
    text = """
    int g(int p)
    {
        int error = unknown();

        if (p == 1)
            return -1;
        if (p == 2)
            return -2;
        if (p == 3)
            return -3;
        if (error)
            return error;
        if (unknown())
            return -4;
        _raw_spin_lock(&a);
        return 0;
    }
    """
    assert effects(text) == [(0, True), (1, False)]


def test_a_lock_is_held_as_the_parameter_says() -> None:
    text = """
    void g(int p)
    {
        if (unknown())
            return;
        if (p)
            _raw_spin_lock(&a);
    }
    """
    assert sorted(effects(text)) == [(0, None), (1, None)]


def test_a_loop_that_takes_a_lock_again_and_again_takes_it_once() -> None:
    text = "void g(void) { _raw_spin_lock(&a); while (unknown()) _raw_spin_lock(&a); }"
    assert effects(text) == [(1, None)]


def test_a_loop_that_releases_again_and_again_releases_once() -> None:
    text = "void g(void) { do _raw_spin_unlock(&a); while (unknown()); }"
    assert effects(text) == [(-1, None)]


@given(st.lists(OUTCOMES, max_size=6).map(tuple))
def test_a_function_is_followed_as_a_whole_or_changes_nothing(
    outcomes: tuple[Outcome, ...],
) -> None:
    taken = followed(outcomes)
    assert taken in (outcomes, ())
    counts = [o.delta.counts.preempt for o in taken if not o.guards]
    assert len(set(counts)) < 3 and (not counts or min(counts) * max(counts) >= 0)


def test_one_that_ends_a_section_or_begins_one_is_not_followed() -> None:
    def ways(*counts: int, guards: bool = False) -> tuple[Outcome, ...]:
        when = [(Guard(Param(0), bool(n % 2)),) if guards else () for n, _ in enumerate(counts)]
        return tuple(
            Outcome(Delta(counts=Counts(preempt=n)), None, g, 0, (), ())
            for n, g in zip(counts, when, strict=True)
        )

    assert followed(ways(1, 1)) and followed(ways(0, 1)) and followed(ways(0, -1))
    assert not followed(ways(1, -1)) and not followed(ways(0, 1, 2))
    assert followed(ways(1, -1, guards=True))
