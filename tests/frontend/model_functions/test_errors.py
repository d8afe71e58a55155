# SPDX-License-Identifier: GPL-2.0-or-later
"""What is wrong with a model file is said with its place."""

from __future__ import annotations

import pytest

from ctxlint.base.errors import RuleError
from ctxlint.frontend.model_functions import lower_models
from tests.frontend.model_functions.test_snippets import PRELUDE, lower

IN_FUNCTION = [
    ("missing = 1;", ":10:2: missing is not declared"),
    ("return q(1);", ":10:9: q is not declared"),
    ("return call(1, 2);", ":10:9: 2 arguments for 1 parameters"),
    ("return call();", ":10:9: 0 arguments for 1 parameters"),
    ("return call(p);", "argument: struct a* is no i32"),
    ("p = 4;", "=: i32 is no struct a*"),
    ("p = n ? p : &n;", "?: of struct a* and i32*"),
    ("return p == 3;", "== of struct a* and i32"),
    ("return p->z;", "struct a has no member z"),
    ("return p.x;", "member x of struct a*"),
    ("return n->x;", "-> on something that is no pointer: i32"),
    ("return o->x;", "struct opaque is not defined here, so x is not known"),
    ("return sizeof(*o);", "struct opaque is not defined here"),
    ("return o - o;", "struct opaque is not defined here"),
    ("struct opaque local;", "local: struct opaque is not defined here"),
    ("return *v;", "* on a pointer to void"),
    ("v += 1;", "arithmetic on a pointer to void"),
    ("return *n;", "* on something that is no pointer: i32"),
    ("n();", "a call of i32"),
    ("return *p + 1;", "an integer is needed, not struct a"),
    ("if (*p) return 1;", "a condition of type struct a"),
    ("return ~p;", "an integer is needed, not struct a*"),
    ("return p * 2;", "* on a pointer"),
    ("return 2 - p;", "- on a pointer"),
    ("return p + p;", "+ on a pointer"),
    ("n = (struct a)n;", "a cast of i32 to struct a"),
    ("call(1) = 2;", "= needs an object"),
    ("(n = 1) = 2;", "= needs an object"),
    ("n++++;", "++ needs an object"),
    ("&call(1);", "& needs an object"),
    ("give().x = 1;", "= needs an object"),
    ("n = nothing();", "an expression without a value where one is needed"),
    ("return;", "return without a value"),
    ("break;", "break outside of a loop or switch"),
    ("continue;", "continue outside of a loop"),
    ("case 1: ;", "case outside of a switch"),
    ("switch (n) { case 1: case 1: ; }", "case 1 is there twice"),
    ("switch (n) { case 1 + n: ; }", "a case must be an integer constant"),
    ("goto nowhere;", "the label nowhere is not there"),
    ("l: l: ;", "the label l is there twice"),
    ("int n2, n2;", "n2 is declared twice"),
    ("int list[n];", "the length of an array must be an integer constant"),
    ("int list[0];", "an array of 0 elements"),
    ("int list[];", "an array of unknown length has no size"),
    ("int list[2] = { 1, 2, 3 };", "more values than i32[2] has parts"),
    ("int list[2] = { [2] = 3 };", "element 2 of i32[2]"),
    ("struct a s = { .z = 1 };", "struct a has no member z"),
    ("static int s = call(1);", "the value of a static variable must be constant"),
    ("static int s = n;", "the value of a static variable must be constant"),
    ("char s[2] = \"abc\";", "3 characters for an array of 2"),
    ("float f;", "the kernel has no floating point, and no model has"),
    ("n = 1.5;", "1.5 is not an integer constant"),
    ("n = 'ab';", "'ab' is not one character"),
    ("n = '\\q';", "the escape \\q is not a character"),
    ("v = L\"a\";", "wide strings are not known here"),
    ("n = 0x1ffffffffffffffff;", "does not fit any integer type"),
    ("register int r;", "register is not known here"),
    ("return *(unknown_t *)v;", ":10"),
    ("_Static_assert(sizeof(n) == 8, \"size\");", "the assertion does not hold \"size\""),
    ("goto *v;", ":10"),
    ("n = ({ 1; });", ":10"),
    ("int TWO;", "TWO is a macro"),
    ("enum { A = 3000000000 };", "A does not fit an int"),
]  # fmt: skip

HEAD = """#define TWO 2
struct opaque;
struct a { int x; };
int call(int);
void nothing(void);
struct a give(void);

int f(int n, struct a *p, struct opaque *o, void *v)
{
"""


@pytest.mark.parametrize(("statement", "expected"), IN_FUNCTION)
def test_in_a_function(statement: str, expected: str) -> None:
    with pytest.raises(RuleError) as caught:
        lower(f"{HEAD}\t{statement}\n\treturn 0;\n}}\n")
    assert str(caught.value).startswith("rules/models/a.c:10")
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\n#include <x.h>\n", "a.c:2: #include is not needed"),
        ("#define F(x) (x)\n", "a.c:1: F is a macro with parameters"),
        ("#define F 1 + 2\n", "a.c:1: the value of F needs parentheses"),
        ("#define F (1) + (2)\n", "a.c:1: the value of F needs parentheses"),
        ("#define F 1\n#define F 2\n", "a.c:2: F is defined twice"),
        ("#define NULL 0\n", "a.c:1: NULL is defined twice"),
        ("#define F (F)\nint f(void) { return F; }\n", "a.c:1:12: F is part of its own value"),
        ("\n\n#define F (1 +)\n", "a.c:3"),
        ("#ifdef A\n", "a.c:1: this condition has no #endif"),
        ("#else\n", "a.c:1: #else without a condition"),
        ("#if 1\n#endif\n", "a.c:1: #if is not known here"),
        ("#define A \\\n 1\n", "a.c:1: #define must fit one line"),
        ("int a; /* x\n", "a.c:1: a comment that does not end"),
        ("\nchar *s = \"x;\n", "a.c:2: a literal that does not end"),
        ("char *s = \"\\x1\" \"f\";\n", "a.c:1: the escape before the next string"),
        ("\nint f(void) { return 0 }\n", "a.c:2:24: before: }"),
        ("int f(void) { return 1;\n", "a.c"),
        ("struct a { int b : 3; };\n", "a.c:1:16: bit-fields are not known here"),
        ("struct a { int b; int b; };\n", "member b is there twice"),
        ("struct a { struct b c; };\n", "member c: struct b is not defined here"),
        ("struct a { int x[]; int y; };\n", "only the last of several members may be x[]"),
        ("struct a { };\n", "a.c:1"),
        ("struct a { int x; };\nstruct a { int x; };\n", "a.c:2:8: struct a is defined twice"),
        ("struct a;\nunion a *p;\n", "a is a struct, not a union"),
        ("enum e *p;\n", "enum e is not defined here"),
        ("int f();\n", "a parameter list is missing"),
        ("int f(a) int a; { return a; }\n", "a.c:1"),
        ("int f(struct new *p);\n", "struct new is first named in a parameter list"),
        ("int f(int n) { if (n) return 1; }\n", "a.c:1:33: f() may end without a value"),
        ("int f(int) { return 1; }\n", "a parameter without a name"),
        ("int f(void) { return 1; }\nint f(void) { return 1; }\n", "f() has a body already"),
        ("int f(void);\nlong f(void);\n", "f has another type than before"),
        ("int f(void);\nint f;\n", "f has another type than before"),
        ("int f(void);\nstatic int f(void) { return 1; }\n", "f was not static before"),
        ("static int f(void);\nint g(void) { return f(); }\n", "static f() has no body"),
        ("int a = 1;\nint a = 2;\n", "a.c:2:5: a has a value already"),
        ("int a;\nstatic int a;\n", "a is static in one place and not in another"),
        ("int b;\nint a = b;\n", "the value of a static variable must be constant"),
        ("char a = (char)&a;\n", "the value of a static variable must be constant"),
        ("_Thread_local int a;\n", "a.c:1"),
        ("_Alignas(16) int a;\n", "a.c:1"),
        ("int a __attribute__((unused));\n", "a.c:1"),
        ("typedef int t;\nint f(void) { return t; }\n", "a.c:2"),
        ("_Static_assert(1 == 2, \"no\");\n", "the assertion does not hold"),
        ("asm(\"nop\");\n", "a.c:1"),
    ],
)  # fmt: skip
def test_in_a_file(text: str, expected: str) -> None:
    with pytest.raises(RuleError) as caught:
        lower(text)
    assert str(caught.value).startswith("rules/models/a.c:")
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ({"b.c": "int f(void) { return 1; }"}, "b.c:1: f is defined in rules/models/a.c:1 too"),
        ({"b.c": "int v = 1;"}, "b.c:1: v is defined in rules/models/a.c:1 too"),
        ({"b.c": "struct s { long x; };"}, "b.c:1: struct s is defined in rules/models/a.c:1"),
        ({"b.c": "long f(void);"}, "b.c: f is declared with another type in another file"),
        ({"x.h": "int v;"}, "x.h:1:5: a header declares variables"),
        ({"x.h": "int g(void) { return 1; }"}, "x.h:1:5: functions of a header are static"),
        ({"x.h": "int g(void) { return 1 }"}, "x.h:1:24: before: }"),
        ({"x.h": "static inline void g(void) { static int a; }"}, "x.h:1:41: a header has no"),
        ({"x.txt": ""}, "x.txt: neither a .c nor a .h file"),
    ],
)  # fmt: skip
def test_between_files(texts: dict[str, str], expected: str) -> None:
    first = "int f(void) { return 0; }  int v = 1; struct s { int x; };\n"
    with pytest.raises(RuleError) as caught:
        lower_models({"prelude.h": PRELUDE, "a.c": first, **texts})
    assert expected in str(caught.value)
