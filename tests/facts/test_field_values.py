# SPDX-License-Identifier: GPL-2.0-or-later
"""What members hold, as the summaries of functions tell it."""

from __future__ import annotations

import pytest
from analysis import snippet

from ctxlint.semantics.intervals import POINTER, join, limited, meet, point, points, span, truth
from ctxlint.semantics.terms import Bin, Const, Param, Term

K = "extern void *kzalloc(unsigned long size, unsigned flags); extern void out(void *p);"


def reached(text: str, name: str = "f") -> int:
    """How many marks of a function are reached."""
    return len(snippet.edges(snippet.summary(K + text, name)))


READ = "void f(struct s *p) { if (p->a) mark(1); }"
OPEN = {
    "address": "struct s { int a; }; extern void w(int *x);"
    "void g(struct s *p) { p->a = 0; w(&p->a); }",
    "address in a variable": "struct s { int a; }; void g(struct s *p, int **x) { p->a = 0;"
    " *x = &p->a; }",
    "variable of other files": "struct s { int a; }; struct s all = { 0 };",
    "given as bytes": "struct s { int a; }; void g(struct s *p) { p->a = 0; out(p); }",
    "cast to an array": "struct s { int a; }; void g(struct s *p) { p->a = 0;"
    " *(char *)p = 1; }",
    "number": "struct s { int a; }; void g(struct s *p) { p->a = 0;"
    " *(int *)((unsigned long)p) = 1; }",
    "integer made a pointer": "struct s { int a; }; void g(unsigned long x) {"
    " ((struct s *)x)->a = 0; }",
    "union": "struct s { int a; }; union u { struct s s; int n; };"
    "void g(union u *x) { x->s.a = 0; x->n = 1; }",
    "local that is not initialised": "struct s { int a; }; void f(struct s *p);"
    "void g(void) { struct s x; f(&x); x.a = 0; }",
    "assembly": "struct s { int a; }; void g(struct s *p) { p->a = 0;"
    ' asm volatile("" : "=m"(p->a)); }',
    "by value from others": "struct s { int a; }; struct s *g(struct s x) { static struct s y;"
    " x.a = x.a; y = x; return &y; }",
    "unknown number": "struct s { int a; }; void g(struct s *p) { p->a = unknown(); }",
    "parameter": "struct s { int a; }; void g(struct s *p, int a) { p->a = a; }",
}
CLOSED = {
    "zero": "struct s { int a; }; void g(struct s *p) { p->a = 0; }",
    "made here": "struct s { int a, b; }; struct s *g(void) {"
    " return kzalloc(sizeof(struct s), 0); }",
    "initialiser": "struct s { int a, b; };"
    " static struct s all[2] = { { .b = 1 }, { .b = 2 } };",
    "copied": "struct s { int a; }; void g(struct s *p, struct s *q) { p->a = 0; *p = *q; }",
    "container": "struct s { int a; int b; }; void g(struct s *p, int *x) { p->a = 0;"
    " ((struct s *)((char *)x - 4))->a = 0; }",
    "put together": "struct s { int a, b; };"
    " void g(struct s *p) { *p = (struct s){ .b = 1 }; }",
}  # fmt: skip


@pytest.mark.parametrize("text", OPEN.values(), ids=OPEN)
def test_a_member_that_others_can_write_holds_anything(text: str) -> None:
    assert reached(text + READ) == 1


@pytest.mark.parametrize("text", CLOSED.values(), ids=CLOSED)
def test_a_member_holds_what_is_stored(text: str) -> None:
    assert reached(text + READ) == 0


def test_sets_of_numbers() -> None:
    assert join(point(1), point(2)) == ((1, 2),)
    assert join(((0, 3),), None) is None
    assert meet(((0, 5),), ((4, 9),)) == ((4, 5),)
    assert points(((0, 1), (5, 5))) == (0, 1, 5)
    assert truth(point(0)) is False
    assert truth(((-1, 1),)) is None
    assert truth(POINTER) is True


@pytest.mark.parametrize(
    ("op", "number", "wanted"),
    [(">", 4, point(0)), (">", 3, ((0, 1),)), ("<", 5, point(1)), ("==", 9, point(0)),
     ("!=", 9, point(1)), (">=", 0, point(1)), ("&", 8, point(0))],
)  # fmt: skip
def test_conditions_on_a_set(op: str, number: int, wanted: object) -> None:
    term = Param(0)
    found = span(
        Bin(op, term, Const(number)),
        lambda _: None,
        lambda value: ((0, 4),) if value == term else None,
    )
    assert found == wanted


def test_negative_numbers_are_compared_for_equality_alone() -> None:
    """They may have been converted to an unsigned type."""
    term = Param(0)
    known = lambda value: ((-1, 1),) if value == term else None  # noqa: E731
    assert span(Bin(">", term, Const(4)), lambda _: None, known) == ((0, 1),)
    assert span(Bin("==", term, Const(7)), lambda _: None, known) == point(0)
    assert span(Bin("==", term, Const((1 << 32) - 1)), lambda _: None, known) == ((0, 1),)


def test_facts_limit_a_set() -> None:
    term = Param(0)
    facts: dict[Term, int | bool] = {Bin(">", term, Const(4)): 0}
    assert limited(term, ((0, 255),), facts) == ((0, 4),)
    assert limited(term, ((-9, 255),), facts) == ((-9, 255),)
