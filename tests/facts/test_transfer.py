# SPDX-License-Identifier: GPL-2.0-or-later
"""What a function's summary says, on small texts."""

from __future__ import annotations

import pytest
from analysis.snippet import at_marks, edges, held, summary

from ctxlint.semantics.terms import Param

ENTRY = (-1, 0, ())


def test_lock_and_unlock() -> None:
    text = (
        "void f(void) { mark(0); _raw_spin_lock(&a); mark(1); _raw_spin_unlock(&a); mark(2); }"
    )
    assert at_marks(text) == [{ENTRY}, {(-1, 1, ("&a",))}, {ENTRY}]
    assert summary(text, "f").outcomes == ()


def test_interrupts_saved_and_restored() -> None:
    text = """void f(void)
    {
        unsigned long flags = _raw_spin_lock_irqsave(&a);
        mark(0);
        _raw_spin_unlock_irqrestore(&a, flags);
        mark(1);
    }"""
    inside, after = at_marks(text)
    assert inside == {(1, 1, ("&a",))}
    assert after == {ENTRY}


def test_nested_saves_are_undone_one_by_one() -> None:
    text = """void f(void)
    {
        unsigned long one = _raw_spin_lock_irqsave(&a), two = _raw_spin_lock_irqsave(&b);
        _raw_spin_unlock_irqrestore(&b, two);
        mark(0);
        _raw_spin_unlock_irqrestore(&a, one);
        mark(1);
    }"""
    assert at_marks(text) == [{(1, 1, ("&a",))}, {ENTRY}]


@pytest.mark.parametrize("rt", [False, True])
def test_a_lock_taken_as_what_it_is_inside_is_released_as_what_it_is(*, rt: bool) -> None:
    """Without PREEMPT_RT spin_lock_irqsave() is a macro that takes the lock inside of the
    spinlock_t, and spin_unlock_irqrestore() a function that is given the spinlock_t."""
    text = """static spinlock_t s;
    extern void spin_unlock_irqrestore(spinlock_t *lock, unsigned long flags);
    static raw_spinlock_t *inside(spinlock_t *lock) { return (raw_spinlock_t *)lock; }
    void f(void)
    {
        unsigned long flags = _raw_spin_lock_irqsave(inside(&s));
        spin_unlock_irqrestore(&s, flags);
        mark(0);
    }"""
    (after,) = at_marks(text, rt=rt)
    assert (after == {ENTRY}) is not rt
    assert (summary(text, "f", rt=rt).outcomes == ()) is not rt


TRYLOCK = "_raw_spin_trylock(&a)"


@pytest.mark.parametrize(
    "how",
    [
        f"if ({TRYLOCK})",
        f"if ({TRYLOCK} != 0)",
        f"int ok = {TRYLOCK}; if (ok)",
        f"int busy = !{TRYLOCK}; if (!busy)",
    ],
)
def test_trylock_splits(how: str) -> None:
    text = (
        f"void f(void) {{ {how} {{ mark(0); _raw_spin_unlock(&a); }} else mark(1); mark(2); }}"
    )
    assert at_marks(text) == [{(-1, 1, ("&a",))}, {ENTRY}, {ENTRY}]


def test_trylock_of_a_wrapper_splits_its_caller() -> None:
    text = """static int try_it(void) { if (!_raw_spin_trylock(&a)) return -16; return 0; }
    void f(void)
    {
        if (try_it()) { mark(0); return; }
        mark(1);
        _raw_spin_unlock(&a);
    }"""
    assert at_marks(text) == [{ENTRY}, {(-1, 1, ("&a",))}]


def test_wrappers_give_and_take() -> None:
    text = """static void take(void) { _raw_spin_lock(&a); }
    static void drop(void) { _raw_spin_unlock(&a); }
    void f(void) { take(); mark(0); drop(); mark(1); }"""
    inside, after = at_marks(text)
    assert {(irq, pre) for irq, pre, _ in inside} == {(-1, 1)}
    assert after == {ENTRY}


def test_flags_through_wrappers() -> None:
    text = """static unsigned long take(void) { return _raw_spin_lock_irqsave(&a); }
    static void drop(unsigned long flags) { _raw_spin_unlock_irqrestore(&a, flags); }
    void f(void) { unsigned long x = take(); mark(0); drop(x); mark(1); }"""
    inside, after = at_marks(text)
    assert {(irq, pre) for irq, pre, _ in inside} == {(1, 1)}
    assert after == {ENTRY}


def test_same_condition_twice_is_followed_exactly() -> None:
    text = """void f(int c)
    {
        if (c) _raw_spin_lock(&a);
        mark(0);
        if (c) { mark(1); _raw_spin_unlock(&a); }
        mark(2);
    }"""
    locked = (-1, 1, ("&a",))
    assert at_marks(text) == [{ENTRY, locked}, {locked}, {ENTRY}]


def test_conditional_wrapper_keeps_its_guard() -> None:
    text = """static void maybe(int c) { if (c) _raw_spin_lock(&a); }
    void f(void) { maybe(0); mark(0); maybe(1); mark(1); _raw_spin_unlock(&a); }
    void g(int c) { maybe(c); mark(0); if (c) mark(1); else mark(2); }"""
    assert [{(i, p) for i, p, _ in s} for s in at_marks(text)] == [{(-1, 0)}, {(-1, 1)}]
    both, locked, free = at_marks(text, "g")
    assert len(both) == 2
    assert {pre for _, pre, _ in locked} == {1}
    assert free == {ENTRY}


@pytest.mark.parametrize("error", ["ret ? ret : 1", "ret ?: 1", "q ? -11 : ret ?: -5"])
def test_an_error_that_is_never_zero(error: str) -> None:
    """It tells the caller which way was taken: the lock is still held where it is zero."""
    text = f"""static int g(int p, int q)
    {{
        int ret;
        _raw_spin_unlock(&a);
        ret = unknown();
        if (p)
            return {error};
        _raw_spin_lock(&a);
        return 0;
    }}
    void f(int p, int q)
    {{
        _raw_spin_lock(&a);
        if (g(p, q)) {{
            mark(0);
            return;
        }}
        mark(1);
        _raw_spin_unlock(&a);
    }}"""
    dropped, held_again = at_marks(text)
    assert dropped == {ENTRY}
    assert {state[:2] for state in held_again} == {(-1, 1)}


def test_values_that_are_not_zero_meet() -> None:
    """One is a constant, of the other a test has shown it."""
    text = """void f(int p)
    {
        int ret = unknown();
        if (p)
            ret = -11;
        else if (!ret)
            return;
        if (!ret)
            _raw_spin_lock(&a);
        mark(0);
    }"""
    assert at_marks(text) == [{ENTRY}]


def test_goto_out_of_a_section() -> None:
    text = """int f(void)
    {
        int err = -1;
        _raw_spin_lock(&a);
        if (unknown()) goto out;
        mark(0);
        err = 0;
    out:
        _raw_spin_unlock(&a);
        mark(1);
        return err;
    }"""
    assert at_marks(text) == [{(-1, 1, ("&a",))}, {ENTRY}]
    assert {held(o.delta) for o in summary(text, "f").outcomes} <= {ENTRY}


def test_a_forgotten_unlock_is_an_outcome() -> None:
    text = """int f(void)
    {
        _raw_spin_lock(&a);
        if (unknown()) return -1;
        _raw_spin_unlock(&a);
        return 0;
    }
    void g(void) { if (f()) mark(0); else mark(1); }"""
    assert {held(o.delta)[:2] for o in summary(text, "f").outcomes} == {(-1, 0), (-1, 1)}
    bad, good = at_marks(text, "g")
    assert {pre for _, pre, _ in bad} == {1}
    assert good == {ENTRY}


def test_loops() -> None:
    text = """void f(int n)
    {
        for (int i = 0; i < n; i++) {
            mark(0);
            _raw_spin_lock(&a);
            if (unknown()) { mark(1); _raw_spin_unlock(&a); continue; }
            if (unknown()) break;
            _raw_spin_unlock(&a);
        }
        mark(2);
    }"""
    locked = (-1, 1, ("&a",))
    assert at_marks(text) == [{ENTRY}, {locked}, {ENTRY, locked}]


def test_a_lock_taken_again_and_again_ends() -> None:
    text = "void f(void) { while (unknown()) { _raw_spin_lock(&a); mark(0); } mark(1); }"
    inside, after = at_marks(text)
    assert (-1, 1, ("&a",)) in inside & after
    assert all(pre > 0 for _, pre, _ in inside)


GUARD = """
static inline void drop(raw_spinlock_t **l) { if (*l) _raw_spin_unlock(*l); }
static inline raw_spinlock_t *take(raw_spinlock_t *l) { _raw_spin_lock(l); return l; }
#define guard(l) raw_spinlock_t *scope __attribute__((cleanup(drop))) = take(l)
"""


def test_guard_ends_with_its_scope() -> None:
    text = GUARD + "void f(void) { { guard(&a); mark(0); } mark(1); }"
    inside, after = at_marks(text)
    assert {pre for _, pre, _ in inside} == {1}
    assert after == {ENTRY}


def test_guard_ends_on_every_way_out() -> None:
    text = (
        GUARD
        + """
    static int g(int n)
    {
        guard(&a);
        while (n--) { if (unknown()) return 1; if (unknown()) break; }
        mark(0);
        return 0;
    }
    void f(void) { if (g(3)) mark(0); else mark(1); }"""
    )
    assert at_marks(text) == [{ENTRY}, {ENTRY}]
    (inside,) = at_marks(text, "g")
    assert {pre for _, pre, _ in inside} == {1}


def test_what_never_returns_ends_the_way() -> None:
    text = """extern void die(void) __attribute__((noreturn));
    static void stop(void) { mark(9); die(); }
    void f(int c) { if (c) { _raw_spin_lock(&a); stop(); } mark(0); }"""
    assert summary(text, "stop").noreturn
    assert at_marks(text) == [{ENTRY}]


def test_guards_of_a_point_are_conditions_on_parameters() -> None:
    text = "void f(int c, int d) { if (c && unknown()) if (!d) mark(0); }"
    (edge,) = edges(summary(text, "f"))
    (point,) = edge.points
    assert {(g.value, g.truth) for g in point.guards} == {(Param(0), True), (Param(1), False)}


def test_switch_binds_the_value() -> None:
    text = """void f(int c)
    {
        switch (c) {
        case 1: _raw_spin_lock(&a); break;
        case 2 ... 4: break;
        default: return;
        }
        mark(0);
        if (c == 1) { mark(1); _raw_spin_unlock(&a); }
    }"""
    both, locked = at_marks(text)
    assert both == {ENTRY, (-1, 1, ("&a",))}
    assert locked == {(-1, 1, ("&a",))}


def test_the_last_rounds_value_is_not_this_rounds() -> None:
    """``old`` is what ``now`` was in the round before, under the same name."""
    text = """void f(void)
    {
        int old, now = unknown();
        _raw_spin_lock(&a);
        while (unknown()) {
            old = now;
            now = unknown();
            if (old && !now) mark(0);
        }
        _raw_spin_unlock(&a);
    }
    void g(void)
    {
        int old = 0, now = 0, taken = 0;
        for (;;) {
            old = now;
            now = unknown();
            if (now && !old) mark(0);
            if (!taken) { _raw_spin_lock(&a); taken = 1; }
            else if (now && !old) mark(1);
        }
    }"""
    locked = (-1, 1, ("&a",))
    assert at_marks(text) == [{locked}]
    assert at_marks(text, "g") == [{ENTRY, locked}, {locked}]


def test_recursion_is_summarised() -> None:
    text = """static void even(int n);
    static void odd(int n) { if (n) even(n - 1); mark(0); }
    static void even(int n) { _raw_spin_lock(&a); if (n) odd(n - 1); _raw_spin_unlock(&a); }
    void f(int n) { even(n); mark(0); }"""
    assert at_marks(text) == [{ENTRY}]


def test_an_unlock_helper_with_a_condition_of_the_callers() -> None:
    text = """static void done(int locked) { if (locked) _raw_spin_unlock(&a); }
    void f(void) { _raw_spin_lock(&a); done(0); mark(0); done(1); mark(1); }
    void g(int c) { if (c) _raw_spin_lock(&a); done(c); mark(0); }"""
    assert at_marks(text) == [{(-1, 1, ("&a",))}, {ENTRY}]
    assert at_marks(text, "g") == [{ENTRY}]


def test_an_unlock_helper_with_a_condition_of_its_own() -> None:
    text = """static void done(void) { if (unknown()) _raw_spin_unlock(&a); }
    void f(void) { _raw_spin_lock(&a); done(); mark(0); }"""
    assert at_marks(text) == [{ENTRY}]


def test_a_range_of_cases_is_none_of_the_single_ones() -> None:
    text = """void f(int c)
    {
        switch (c) {
        case 1: return;
        case 2 ... 4: if (c == 1) mark(0); mark(1); break;
        default: if (c == 1) mark(2);
        }
    }"""
    assert at_marks(text) == [{ENTRY}]


def test_a_lock_that_a_callee_is_given_has_the_name_that_it_has_here() -> None:
    """As guard() has it: the constructor stores its argument before it takes it."""
    text = """
        struct dev { raw_spinlock_t lock; };
        typedef struct { raw_spinlock_t *lock; } guard_t;
        static inline guard_t take(raw_spinlock_t *l)
        {
            guard_t t = { .lock = l }, *T = &t;
            _raw_spin_lock(T->lock);
            return t;
        }
        void f(struct dev *dev)
        {
            guard_t g = take(&dev->lock);
            mark(1);
        }
    """
    assert at_marks(text) == [{(-1, 1, ("&dev->lock",))}]


def test_a_mutex_that_a_loop_takes_is_one_way_to_return() -> None:
    """Holding a mutex restricts nothing, however many of them it is."""
    text = """struct list { struct list *next; struct mutex lock; };
    int take_all(struct list *at)
    {
        for (; at; at = at->next) {
            mutex_lock(&at->lock);
            if (at->next == at)
                goto undo;
        }
        return 0;
    undo:
        for (; at; at = at->next)
            mutex_unlock(&at->lock);
        return 1;
    }
    void f(struct list *at) { while (take_all(at)) mark(0); mark(1); }"""
    for name in ("take_all", "f"):
        found = summary(text, name)
        assert not found.losses
        assert len(found.outcomes) <= 4


@pytest.mark.parametrize("kind", ["unsigned", "u32"])
def test_a_volatile_place_may_read_as_another_value(kind: str) -> None:
    text = f"""typedef unsigned u32;
    void f(volatile {kind} *status)
    {{
        if (!(*status & 1) && (*status & 1))
            mark(0);
    }}"""
    assert at_marks(text) == [{ENTRY}]


def test_the_structure_around_a_list_node_is_there() -> None:
    """A walk that returns what it stands at with the lock held, and none without it."""
    text = """struct node { struct node *next; };
    struct item { int match; struct node node; };
    struct item *first(struct node *at)
    {
        _raw_spin_lock(&a);
        for (; !((unsigned long)at & 1); at = at->next) {
            struct item *item = (void *)((char *)at - 8);
            if (item->match)
                return item;
        }
        _raw_spin_unlock(&a);
        return (void *)0;
    }
    void f(struct node *at)
    {
        if (first(at))
            _raw_spin_unlock(&a);
        mark(0);
    }"""
    assert at_marks(text) == [{ENTRY}]
