# SPDX-License-Identifier: GPL-2.0-or-later
"""Values that double with every line, chains that never end, numbers beyond their type.

The bound on terms is what keeps all of this in the time of any other unit; each text here
would take longer than the universe without it, so no test looks at a clock.
"""

from __future__ import annotations

import msgspec
import pytest
from analysis import snippet

from ctxlint.analysis.entry_points import find
from ctxlint.analysis.propagate import Propagation
from ctxlint.facts.callee import at_caller
from ctxlint.facts.state import State
from ctxlint.facts.summary import UnitFacts
from ctxlint.semantics.terms import (
    NODES_MAX,
    Agg,
    Bin,
    Const,
    Param,
    Un,
    Value,
    bounded,
    evaluate,
    mentions,
    result_type,
    substitute,
    wrapped,
)
from ctxlint.units.digest import decode_facts

TWICE = " ".join(["x ^= x << 1; x += x >> 3;"] * 40)
ROUNDS = " ".join(f"l ^= r * {n}; r += l & (l >> {n % 7});" for n in range(1, 60))
ELVIS = "(" * 60 + "x" + "".join(f" ?: {n})" for n in range(1, 61))

DOUBLING = {
    "arithmetic": f"unsigned f(unsigned x) {{ {TWICE} mark(x); return x; }}",
    "two variables": f"unsigned f(unsigned l, unsigned r) {{ {ROUNDS} mark(l); return r; }}",
    "selection": "int f(int x, int c) {"
    + " ".join(f"x = x > {n} ? x + 1 : x - c;" for n in range(60))
    + " mark(x); return x; }",
    "selection without a middle": f"int f(int x) {{ x = {ELVIS}; mark(x); return x; }}",
    "condition": "void f(int x, int y) {"
    + " ".join("x = (x && y) || (y && x); y = x == y;" for _ in range(50))
    + " if (x) mark(y); }",
    "negation": "int f(int x) {" + " ".join("x = -x * ~x;" for _ in range(80))
    + " mark(x); return !x; }",
    "memory": "struct s { unsigned v; }; void f(struct s *p) {"
    + " ".join("p->v += p->v << 2;" for _ in range(80))
    + " if (p->v) mark(p->v); }",
    "array": "void f(int *p, int i) {" + " ".join("i = p[i] + p[i + 1];" for _ in range(50))
    + " p[i] = i; mark(p[i]); }",
    "chain": "struct n { struct n *next; int v; }; void f(struct n *p) {"
    + " ".join("p = p->next;" for _ in range(3000))
    + " if (p->v) mark(p->v); }",
    "structures by value": "struct s { int a, b; }; void f(struct s x) {"
    + " ".join("x = (struct s){ x.a + x.b, x.a - x.b };" for _ in range(60))
    + " if (x.a) mark(x.b); }",
    "helpers": "static int h0(int a) { return a + a; }\n"
    + "\n".join(f"static int h{n}(int a) {{ return h{n - 1}(a) ^ h{n - 1}(a + 1); }}"
                for n in range(1, 40))
    + "\nvoid f(int a) { if (h39(a)) mark(h39(a)); }",
    "loop": "unsigned f(unsigned x, int n) { while (n--) { x ^= x << 1; x += x >> 3; }"
    " mark(x); return x; }",
    "long expression": "int f(int x) { x = " + " + ".join(["x * x"] * 150)
    + "; if (x) mark(x); return x; }",
}  # fmt: skip


@pytest.mark.parametrize("text", DOUBLING.values(), ids=DOUBLING)
def test_a_value_that_grows_becomes_unknown(text: str) -> None:
    unit = snippet.facts(text)
    (fn,) = [s for s in unit.summaries if s.name == "f"]
    assert snippet.edges(fn)
    for value in _terms(unit):
        assert bounded(value) == value
    data = msgspec.msgpack.encode(unit)
    assert len(data) < 200_000
    assert decode_facts(data) == unit


def _terms(unit: UnitFacts) -> list[Value]:
    points = [p for s in unit.summaries for e in s.edges for p in e.points]
    outcomes = [o for s in unit.summaries for o in s.outcomes]
    guards = [g for thing in (*points, *outcomes) for g in thing.guards]
    found = [a for p in points for a in (*p.args, p.target)]
    found += [o.value for o in outcomes] + [g.value for g in guards]
    return [value for value in found if value is not None]


def test_what_is_unknown_by_its_size_does_not_hide_a_way() -> None:
    """A condition that is too large may hold, and may not."""
    (found,) = snippet.at_marks(
        f"void f(unsigned x) {{ {TWICE} if (x) _raw_spin_lock(&a); mark(1); }}"
    )
    assert found == {(-1, 0, ()), (-1, 1, ("&a",))}


def test_what_was_known_before_is_not_what_is_there_now() -> None:
    """The variable is unknown after it has grown: its first value is not kept."""
    (edge,) = snippet.edges(
        snippet.summary(f"void f(unsigned y) {{ unsigned x = y; {TWICE} mark(x); }}", "f")
    )
    (point,) = edge.points
    assert not mentions(point.args[0], Param(0))


def test_terms_stay_bounded_where_they_are_put_together() -> None:
    half: Value = Param(0)
    while bounded(Bin("+", half, half)) is not None:
        half = Bin("+", half, half)
    assert substitute(Bin("+", Param(0), Param(0)), (half,)) is None
    assert at_caller(Bin("^", Param(0), Param(0)), (half,), State()) is None
    wide = Agg("struct s", tuple((f"m{n}", Param(0)) for n in range(NODES_MAX)))
    assert bounded(wide) is None
    assert at_caller(wide, (half,), State()) is None


OVERFLOWS = {
    "u64 difference": ("unsigned long long a = ~0ULL, b = 0; mark(b - a);", 1),
    "u64 sum": ("unsigned long long a = ~0ULL; mark(a + 2);", 1),
    "u64 product": ("unsigned long long a = ~0ULL; mark(a * a);", 1),
    "u64 negation": ("unsigned long long a = 1; mark(-a == ~0ULL);", 1),
    "u64 complement": ("unsigned long long a = 0; mark(~a == ~0ULL);", 1),
    "u32 difference": ("unsigned a = 0; unsigned b = 1; mark(a - b == 0xffffffff);", 1),
    "u32 complement": ("unsigned a = 0; mark(~a == 0xffffffff);", 1),
    "u32 shift": ("unsigned a = 3; mark(a << 31 == 0x80000000);", 1),
    "s32 wraps": ("int a = 0x7fffffff; mark(a + 1 == -0x7fffffff - 1);", 1),
    "s64 wraps": ("long long a = 0x7fffffffffffffffLL; mark(a + 1 < 0);", 1),
    "s64 quotient": ("long long a = -0x7fffffffffffffffLL - 1; mark(a / -1 < 0);", 1),
}


@pytest.mark.parametrize(("body", "number"), OVERFLOWS.values(), ids=OVERFLOWS)
def test_constants_wrap_as_their_type_does(body: str, number: int) -> None:
    unit = snippet.facts(f"void f(void) {{ {body} }}")
    (edge,) = snippet.edges(unit.summaries[0])
    (point,) = edge.points
    assert point.args == (Const(number),)
    assert decode_facts(msgspec.msgpack.encode(unit)) == unit


def test_a_parameters_type_is_remembered_until_its_value_is_known() -> None:
    fn = snippet.summary(
        "static unsigned less(unsigned a, unsigned b) { return a - b; }\n"
        "void f(void) { if (less(0, 1) == 0xffffffff) mark(1); else mark(2); }",
        "f",
    )
    assert [p.args for e in snippet.edges(fn) for p in e.points] == [(Const(1),)]


@pytest.mark.parametrize(
    "body",
    [
        "unsigned __int128 x = ~(unsigned __int128)0; mark(x >> 100);",
        "unsigned __int128 x = 1; x <<= 100; x -= 1; mark(x != 0);",
        "__int128 x = (__int128)1 << 126; mark((int)x);",
        "unsigned long long x = ~0ULL; mark((unsigned __int128)x * x > x);",
    ],
)
def test_a_number_of_128_bits_loses_no_unit(body: str) -> None:
    unit = snippet.facts(f"void f(void) {{ {body} }}")
    assert snippet.edges(unit.summaries[0])
    assert decode_facts(msgspec.msgpack.encode(unit)) == unit


def test_numbers_wrap_or_are_not_known() -> None:
    assert wrapped(-1, 32, False) == 0xFFFFFFFF
    assert wrapped(1 << 31, 32, True) == -(1 << 31)
    assert wrapped(1 << 100, 128, False) is None
    assert result_type("+", 32, False) == (32, False)
    assert result_type("&", 32, False) == (0, False)
    huge = Bin("*", Const((1 << 64) - 1), Const((1 << 64) - 1))
    assert evaluate(huge, lambda _: None) is None
    assert evaluate(Un("-", Const(-(1 << 31)), 32, True), lambda _: None) == -(1 << 31)
    assert evaluate(Bin("<<", Const(1), Const(31), 32), lambda _: None) == 1 << 31


RECURSIVE = {
    "two places": "void r(int x, int y, int n) { if (n) r(y, x, n - 1); if (x) g(x); }",
    "three places": "void r(int x, int y, int z) { r(y, z, x); if (x) g(x); }",
    "through another": "void s(int x, int y);\n"
    "void r(int x, int y) { s(y, x); if (x) g(x); }\nvoid s(int x, int y) { r(x, y); }",
    "a sum": "void r(int x, int y) { r(x + y, x); if (x) g(x); }",
}


@pytest.mark.parametrize("text", RECURSIVE.values(), ids=RECURSIVE)
def test_a_recursive_call_that_changes_places(text: str) -> None:
    program = snippet.program(f"extern void g(int);\n{text}")
    run = Propagation(program, snippet.rules(), False, find(program, snippet.rules(), False))
    run.run()
    assert 0 in run._relevant["r"]
    assert 1 in run._relevant["r"]
