# SPDX-License-Identifier: GPL-2.0-or-later
"""What compilers define themselves, and initialisers that need the layout."""

from __future__ import annotations

import pytest

from ctxlint.simulator.unknowns import Sym
from tests.simulator.fuzz.terms import Pinned, number_of
from tests.simulator.program import machine_of

CASES = [
    ("int f(int a) { unsigned char r; int o = __builtin_add_overflow(a, 1, &r);"
     " return o * 1000 + r; }", (255,), 1000),
    ("int f(int a) { short r; int o = __builtin_sub_overflow(a, 1u, &r);"
     " return o * 100000 + r; }", (-32768,), 100000 + 32767),
    ("long f(long a) { long r; return __builtin_mul_overflow(a, a, &r) * 10 + (r == 0); }",
     (1 << 32,), 11),
    ("unsigned long f(int a) { unsigned long r;"
     " return __builtin_add_overflow(a, 5, &r) ? r : 7; }", (-6,), (1 << 64) - 1),
    ("int f(int a) { return __builtin_abs(a) * 100 + __builtin_clrsb(a); }", (-5,), 528),
    ("int f(int a) { char s[8] = \"abc\", t[8]; __builtin_memset(t, a, 8);"
     " __builtin_memcpy(t, s, 2); __builtin_memmove(t + 1, t, 3);"
     " return __builtin_strlen(s) * 1000 + (__builtin_memcmp(t, \"aab\", 3) == 0) * 100"
     " + (__builtin_strcmp(s, t) > 0) * 10 + t[4]; }", (7,), 3117),
    ("int f(int a) { static void *const to[] = {&&one, &&two}; goto *to[a];"
     " one: return 1; two: return 2; }", (1,), 2),
    ("static int f0(int a) { static void *const to[] = {&&one, &&two}; goto *to[a];"
     " one: return 1; two: return 2; } int f(int a) { return f0(a); }", (1,), 2),
    ("static struct __attribute__((packed)) { int a : 6; unsigned char b : 3; int c : 30; }"
     " v = {-3, 5, -70000}; int f(int a) { return v.a * 10 + v.b + v.c; }", (0,),
     -30 + 5 - 70000),
]  # fmt: skip


@pytest.mark.parametrize(("text", "args", "expected"), CASES)
def test_value(text: str, args: tuple[int, ...], expected: int) -> None:
    m = machine_of(text)
    assert m.call("f", *args) == expected
    assert m.stack == []


def test_the_image_can_say_what_a_library_function_does() -> None:
    m = machine_of(
        "unsigned long strlen(const char *s) { return 42; }"
        'int f(void) { char s[] = "ab"; return __builtin_strlen(s); }'
    )
    assert m.call("f") == 42


def test_overflow_of_an_unknown() -> None:
    text = (
        "long f(int a, long b) { int r; long s; return __builtin_add_overflow(a, 1, &r) * 10"
        " + (r < 0) + __builtin_mul_overflow(b, 3, &s) * 100; }"
    )
    for a, b, expected in ((0x7FFFFFFF, 1, 11), (3, 1 << 62, 100), (-4, -7, 1)):
        home = Pinned()
        value = machine_of(text).call("f", home.leaf(a, 4, True), home.leaf(b, 8, True))
        assert number_of(value) == expected


def test_bounds_of_a_shift() -> None:
    home = Pinned()
    one, count = home.leaf(0x80, 1), home.leaf(63, 1)
    for value in (one << (count & 63), 5 << (count & 63)):
        assert isinstance(value, Sym)
        number_of(value)  # checks that it is within its bounds
