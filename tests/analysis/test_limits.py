# SPDX-License-Identifier: GPL-2.0-or-later
"""Many locks, many ways: nothing strict is lost, or it is said that something was."""

from __future__ import annotations

import pytest

from analysis.snippet import edges, program, rules, summary
from ctxlint.analysis import entry_points
from ctxlint.analysis.possible import is_possible
from ctxlint.analysis.propagate import Propagation
from ctxlint.facts import limits
from ctxlint.facts.summary import Summary
from ctxlint.semantics.terms import Const


def locks(n: int) -> str:
    return "".join(f"static raw_spinlock_t k{i};" for i in range(n))


def switch(n: int, what: str = "_raw_spin_lock(&k#);", on: str = "p") -> str:
    arms = "".join(f"case {i}: {what.replace('#', str(i))} break;" for i in range(n))
    return f"switch ({on}) {{ {arms} }}"


def counts(fn: Summary) -> list[set[int]]:
    """For each ``mark()``, by how much preemption can be off there."""
    return [{point.delta.counts.preempt for point in edge.points} for edge in edges(fn)]


def whats(fn: Summary) -> set[str]:
    return {loss.what for loss in fn.losses}


def judged(text: str) -> Propagation:
    linked = program(text)
    run = Propagation(linked, rules(), False, entry_points.find(linked, rules(), False))
    run.run()
    return run


@pytest.mark.parametrize("n", [12, 13, 47, 48, 49, 100])
def test_a_switch_that_takes_one_of_many_locks(n: int) -> None:
    text = f"{locks(n)} void f(int p) {{ {switch(n)} mark(0); }}"
    fn = summary(text, "f")
    assert counts(fn) == [{0, 1}]
    assert whats(fn) == set()
    assert [v.edge.shown for v in judged(text.replace("mark(0)", "mutex_lock(&m)")).violations]


def test_locks_keep_their_names_while_there_are_few() -> None:
    fn = summary(f"{locks(20)} void f(int p) {{ {switch(20)} mark(0); }}", "f")
    [edge] = edges(fn)
    names = {lock.path for point in edge.points for lock in point.delta.locks}
    assert names == {f"&k{i}" for i in range(20)}


@pytest.mark.parametrize("n", [6, 9])
def test_switches_one_after_the_other(n: int) -> None:
    nested = switch(n, f"_raw_spin_lock(&k#); {switch(n, on='q')}")
    row = f"{switch(n)} {switch(n, on='q')}"
    for body in (nested, row):
        text = f"{locks(n)} void f(int p, int q) {{ {body} mark(0); }}"
        fn = summary(text, "f")
        assert counts(fn) == [{0, 1, 2}]
        assert whats(fn) == set()


@pytest.mark.parametrize("n", [7, 12, 20])
def test_each_of_many_locks_may_be_held(n: int) -> None:
    """2^n ways, and no more than n + 1 that are as strict."""
    taken = " ".join(f"if (unknown()) _raw_spin_lock(&k{i});" for i in range(n))
    fn = summary(f"{locks(n)} void f(void) {{ {taken} mark(0); }}", "f")
    assert counts(fn) == [set(range(n + 1))]
    assert whats(fn) == set()


@pytest.mark.parametrize("n", [9, 20, 40])
def test_locks_that_are_held_at_once(n: int) -> None:
    taken = "".join(f"_raw_spin_lock(&k{i}); " for i in range(n))
    given = "".join(f"_raw_spin_unlock(&k{i}); " for i in reversed(range(n - 1)))
    fn = summary(f"{locks(n)} void f(void) {{ {taken} mark(0); {given} mark(1); }}", "f")
    assert counts(fn) == [{n}, {1}]
    assert whats(fn) == set()


def test_nested_saves() -> None:
    n = 12
    taken = "".join(
        f"unsigned long f{i} = _raw_spin_lock_irqsave(&k{i}); mark({i}); " for i in range(n)
    )
    given = "".join(
        f"_raw_spin_unlock_irqrestore(&k{i}, f{i}); " for i in reversed(range(1, n))
    )
    text = f"{locks(n)} void f(void) {{ {taken} {given} mark({n}); }}"
    fn = summary(text, "f")
    assert edges(fn)[-1].points[0].delta.irqs == 1
    assert counts(fn)[-1] == {1}
    assert whats(fn) == set()


def test_a_loop_that_goes_on_locking_is_followed_some_rounds() -> None:
    text = """void f(raw_spinlock_t *l, int n)
    {
        for (int i = 0; i < n; i++) { _raw_spin_lock(&l[i]); mark(0); }
        mark(1);
        for (int i = 0; i < n; i++) _raw_spin_unlock(&l[i]);
        mark(2);
    }"""
    fn = summary(text, "f")
    first, between, after = counts(fn)
    rounds = set(range(limits.LOOP_ROUNDS + 1))
    assert first == {n + 1 for n in rounds}
    assert between == rounds
    assert 0 in after
    assert whats(fn) == set()


def test_a_loop_in_which_one_of_many_locks_is_taken() -> None:
    text = f"""{locks(60)} void f(int p)
    {{
        while (unknown()) {{ {switch(60)} mark(0); {switch(60, "_raw_spin_unlock(&k#);")} }}
        mark(1);
    }}"""
    fn = summary(text, "f")
    assert counts(fn)[0] >= {0, 1}
    assert whats(fn) == set()


def test_a_helper_with_many_ways_to_return() -> None:
    n = 40
    arms = "".join(f"case {i}: _raw_spin_lock(&k{i}); return {i};" for i in range(n))
    text = f"""{locks(n)}
    static int take(int p) {{ switch (p) {{ {arms} }} return -1; }}
    void f(int p) {{ take(p); mark(0); }}"""
    assert counts(summary(text, "f")) == [{0, 1}]
    assert whats(summary(text, "take")) == set()


def test_what_cannot_be_kept_is_told() -> None:
    taken = " ".join(
        f"if (unknown()) {{ fl = _raw_spin_lock_irqsave(&k{i}); mark({i}); }}"
        for i in range(24)
    )
    fn = summary(f"{locks(24)} void f(void) {{ unsigned long fl = 0; {taken} }}", "f")
    assert whats(fn) & {"states", "saves"}


@pytest.mark.parametrize(("most", "expected"), [(48, {False}), (2, {True})])
def test_a_context_of_a_function_with_too_many_is_only_possible(
    monkeypatch: pytest.MonkeyPatch, most: int, expected: set[bool]
) -> None:
    monkeypatch.setattr(limits, "STATES_PER_BLOCK", most)
    text = """void f(int p)
    {
        switch (p) {
        case 1: _raw_spin_lock(&a); break;
        case 2: _raw_spin_lock(&a); _raw_spin_lock(&b); break;
        case 3: _raw_spin_lock(&b); _raw_spin_lock_irqsave(&a); break;
        }
        mutex_lock(&m);
    }
    void g(void) { _raw_spin_lock(&a); f(0); }"""
    found = judged(text).violations
    assert {is_possible(v, rules()) for v in found if v.node.parent is None} == expected
    # That of its caller is not in doubt.
    assert {is_possible(v, rules()) for v in found if v.node.parent is not None} == {False}


def test_many_contexts_of_one_function(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that are covered by one that was looked at are no loss."""
    monkeypatch.setattr(limits, "NODES_PER_FUNCTION", 2)
    calls = "".join(
        f"void c{n}(void) {{ {'_raw_spin_lock(other()); ' * n} g(); }}" for n in range(1, 5)
    )
    other = "raw_spinlock_t *other(void);"
    run = judged(f"{other} static void g(void) {{ mutex_lock(&m); }} {calls}")
    [(symbol, found)] = run.losses.items()
    assert symbol.endswith("::g")
    assert set(found) == {"nodes"}


def test_a_constant_argument_is_kept_for_each_of_many_calls() -> None:
    calls = " ".join(f"case {i}: g({i}); break;" for i in range(100))
    run = judged(f"""
    static void g(int p) {{ if (p == 77) mutex_lock(&m); }}
    void f(int p) {{ _raw_spin_lock(&a); switch (p) {{ {calls} }} _raw_spin_unlock(&a); }}""")
    assert len(run.violations) == 1
    assert run.losses == {}


ALLOCATES = """typedef unsigned int gfp_t;
extern void *__kmalloc_noprof(unsigned long size, gfp_t flags);
extern gfp_t more(gfp_t);
"""


@pytest.mark.parametrize("levels", [5, 13, 40, 60])
def test_an_expression_of_some_levels_has_a_value(levels: int) -> None:
    flags = "(" * levels + "g" + " | 1)" * levels
    text = f"{ALLOCATES} void f(void) {{ gfp_t g = 0xcc0; __kmalloc_noprof(8, {flags}); }}"
    fn = summary(text, "f")
    [edge] = [edge for edge in fn.edges if "kmalloc" in edge.shown]
    assert edge.points[0].args[1] == Const(0xCC1)
    assert whats(fn) == set()


@pytest.mark.parametrize("levels", [70, 200])
def test_flags_from_too_deep_an_expression_are_a_loss(levels: int) -> None:
    flags = "(" * levels + "g" + " | 1)" * levels
    inside = f"void f(void) {{ gfp_t g = 0xcc0; __kmalloc_noprof(8, {flags}); }}"
    before = f"void f(gfp_t g) {{ gfp_t h = {flags}; __kmalloc_noprof(8, h); }}"
    for text in (inside, before):
        assert "depth" in whats(summary(ALLOCATES + text, "f"))


def test_numbers_from_too_deep_an_expression_decide_nothing() -> None:
    number = "(" * 80 + "n" + " ^ 1)" * 80
    text = f"void f(int n) {{ unsigned long h = {number}; mark(h); mark({number}); }}"
    assert whats(summary(text, "f")) == set()
