# SPDX-License-Identifier: GPL-2.0-or-later
"""Compiled code against what C says."""

from __future__ import annotations

import pytest

from ctxlint.simulator.memory import Fault
from ctxlint.simulator.outcome import OutOfFuel, Unmodelled
from tests.simulator.program import machine_of

CASES = [
    ("int f(int a, int b) { return a / b + a % b; }", (-7, 2), -3 - 1),
    ("unsigned f(unsigned a) { return a - 1; }", (0,), 0xFFFFFFFF),
    ("int f(int a) { return a + 1; }", (0x7FFFFFFF,), -0x80000000),
    ("long f(int a) { return (unsigned)a; }", (-1,), 0xFFFFFFFF),
    ("int f(unsigned char a) { return (signed char)a; }", (200,), -56),
    ("int f(int a) { return a >> 1; }", (-3,), -2),
    ("unsigned long f(int a) { return 1UL << a; }", (63,), 1 << 63),
    ("int f(int n) { int s = 0; for (int i = 0; i < n; i++) s += i; return s; }", (10,), 45),
    (
        "int f(int n) { int a[4] = {1, 2}; int *p = &a[1]; *p += n; p++; *p = 7;"
        " return a[0] * 1000 + a[1] * 100 + a[2] * 10 + a[3]; }",
        (3,),
        1000 + 500 + 70,
    ),
    (
        "struct s { char c; int b : 5; unsigned d : 11; long l; };"
        "long f(int x) { struct s s = { .l = 5 }, t; s.b = x; s.d = 1025; t = s;"
        " return t.b * 10000 + t.d + t.l; }",
        (-3,),
        -30000 + 1025 + 5,
    ),
    (
        "static int g[3] = {4, 5, 6}; static int *q = &g[2];"
        "int f(int i) { g[0]++; return g[i] * 100 + *q; }",
        (0,),
        506,
    ),
    (
        "static int add(int a, int b) { return a + b; } static int sub(int a, int b)"
        " { return a - b; } static int (*ops[])(int, int) = {add, sub};"
        "int f(int i) { return ops[i](9, 4); }",
        (1,),
        5,
    ),
    (
        "struct p { int x, y; }; static struct p mk(int a) { return (struct p){a, a * 2}; }"
        "int f(int a) { struct p v = mk(a); return v.x * 100 + v.y; }",
        (3,),
        306,
    ),
    (
        'int f(int n) { const char *s = "hello"; int k = 0; while (*s) k = k * 7 + *s++;'
        " return n + k; }",
        (0,),
        ((((104 * 7 + 101) * 7 + 108) * 7 + 108) * 7 + 111),
    ),
    (
        "int f(int n) { switch (n) { case 1: return 10; case 2 ... 5: n++; default: break;"
        " case 9: goto out; } return n; out: return -1; }",
        (4,),
        5,
    ),
    ("int f(int n) { return __builtin_clz(n) * 100 + __builtin_ctzl(n); }", (8,), 2803),
    (
        "static int sum(int n, ...) { __builtin_va_list ap; int s = 0;"
        " __builtin_va_start(ap, n); while (n--) s += __builtin_va_arg(ap, int);"
        " __builtin_va_end(ap); return s; }"
        "int f(int n) { return sum(3, n, 5, 7); }",
        (1,),
        13,
    ),
]


@pytest.mark.parametrize(("text", "args", "expected"), CASES)
def test_value(text: str, args: tuple[int, ...], expected: int) -> None:
    m = machine_of(text)
    assert m.call("f", *args) == expected
    assert m.stack == []


def test_recursion_uses_frames_of_its_own() -> None:
    m = machine_of(
        "static int g(int *p, int n) { int x = n; if (!n) return *p;"
        " return g(&x, n - 1) + *p; }"
        "int f(int n) { int z = 100; return g(&z, n); }"
    )
    assert m.call("f", 3) == 1 + 2 + 3 + 100


def test_null_pointer_is_a_fault() -> None:
    m = machine_of("int f(int *p) { return p[2]; }")
    with pytest.raises(Fault, match="NULL pointer"):
        m.call("f", 0)
    assert m.place(m.stack[-1]) == "u0.c:1"


def test_endless_loop_ends() -> None:
    m = machine_of("int f(void) { for (;;) ; }")
    with pytest.raises(OutOfFuel, match=r"f\(\)"):
        m.call("f")


def test_missing_function_is_not_modelled() -> None:
    m = machine_of("int gone(int); int f(void) { return gone(1); }")
    with pytest.raises(Unmodelled, match="gone"):
        m.call("f")


def test_units_are_linked() -> None:
    m = machine_of(
        "int g(int); extern int v; int f(int a) { return g(a) + v; }",
        "int v = 7; int g(int a) { return a * 2; }",
    )
    assert m.call("f", 4) == 15
