# SPDX-License-Identifier: GPL-2.0-or-later
"""What an execution context allows, and how one becomes another."""

from __future__ import annotations

from dataclasses import replace

import pytest
from analysis.snippet import rules
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import astuple

from ctxlint.semantics.context import _MOST, Context, Counts, Delta
from ctxlint.semantics.irqs import Irqs
from ctxlint.semantics.terms import Bin, Const, PreemptWord
from ctxlint.semantics.waits import Wait

_count = st.integers(0, 3)
CONTEXTS = st.builds(
    Context,
    irqs_off=st.sampled_from((None, False, True)),
    counts=st.builds(Counts, _count, _count, _count, _count),
    soft=st.booleans(),
    hard=st.booleans(),
    nmi=st.booleans(),
    exact=st.booleans(),
)
_change = st.integers(-1, 2)
DELTAS = st.builds(
    Delta,
    irqs=st.sampled_from((Irqs.ENTRY, Irqs.ON, Irqs.OFF)),
    counts=st.builds(Counts, _change, _change, _change, _change),
)
RT = st.booleans()


def stricter(a: Context, b: Context) -> Context:
    """All that restricts one or the other."""
    pairs = zip(astuple(a.counts), astuple(b.counts), strict=True)
    return Context(
        irqs_off=a.irqs_off or b.irqs_off, counts=Counts(*map(max, pairs)),
        soft=a.soft or b.soft, hard=a.hard or b.hard, nmi=a.nmi or b.nmi, exact=a.exact,
    )  # fmt: skip


@given(CONTEXTS, CONTEXTS, RT)
def test_more_restrictions_never_allow_more(a: Context, b: Context, rt: bool) -> None:
    assert stricter(a, b).allows(rt) <= min(a.allows(rt), b.allows(rt))


@given(CONTEXTS, DELTAS, RT)
def test_a_section_opened_never_allows_more(context: Context, delta: Delta, rt: bool) -> None:
    irqs = Irqs.OFF if delta.irqs == Irqs.OFF else Irqs.ENTRY
    opened = Delta(irqs, Counts(*map(abs, astuple(delta.counts))))
    assert context.then(opened).allows(rt) <= context.allows(rt)


@given(CONTEXTS, DELTAS, DELTAS)
def test_one_step_after_the_other(context: Context, one: Delta, two: Delta) -> None:
    """Both at once, where no count leaves its bounds on the way."""
    irqs = one.irqs if two.irqs == Irqs.ENTRY else two.irqs
    both = Delta(irqs, one.counts.plus(two.counts))
    numbers = (astuple(of.counts) for of in (context, one, two))
    counts = list(zip(*numbers, strict=True))
    if all(
        0 <= n + a <= most and 0 <= n + a + b <= most
        for (n, a, b), most in zip(counts, _MOST, strict=True)
    ):
        assert context.then(one).then(two) == context.then(both)


@given(CONTEXTS, RT)
def test_nothing_happened(context: Context, rt: bool) -> None:
    entered = replace(context, counts=context.counts.nested())
    assert entered.then(Delta()) == entered
    assert entered.allows(rt) == context.allows(rt)


@given(CONTEXTS)
def test_a_caller_s_saved_state_is_not_known(context: Context) -> None:
    assert context.then(Delta(Irqs.CALLERS)).irqs_off is None


@given(CONTEXTS, RT)
def test_tests_of_an_inexact_context_agree_with_the_exact_one(
    context: Context, rt: bool
) -> None:
    """Whatever a lower bound answers holds for every context that is stricter."""
    loose = replace(context, exact=False)
    for counts in (Counts(), Counts(preempt=1), Counts(bh=1), Counts(preempt=1, bh=1)):
        more = Delta(counts=counts)
        exact = replace(context.then(more), exact=True)
        for question in (
            PreemptWord(0, 0),
            Bin("!=", PreemptWord(0, 0), Const(0)),
            Bin("==", PreemptWord(0, 0), Const(0)),
        ):
            answer = loose.lookup(question, rt)
            word = exact.word(0, 0, rt)
            op = question.op if isinstance(question, Bin) else ""
            real = {"!=": int(word != 0), "==": int(word == 0)}.get(op, word)
            assert answer in (None, real)


@pytest.mark.parametrize("rt", [False, True])
def test_every_context_of_the_rules(rt: bool) -> None:
    book = rules()
    for name in book.contexts:
        context = Context.of(book.state(name, rt), name)
        assert context.exact
        assert context.allows(rt) in tuple(Wait)
        assert context.words()
        if context.allows(False) == Wait.SLEEP and book.state(name, False) == book.state(
            name, True
        ):
            assert context.allows(True) == Wait.SLEEP
