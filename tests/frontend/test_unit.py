# SPDX-License-Identifier: GPL-2.0-or-later
"""What a unit tells besides its bodies."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctxlint.base.errors import FrontendError
from ctxlint.frontend import lower_unit
from ctxlint.frontend.clang import Library
from ctxlint.frontend.literals import string_bytes
from ctxlint.frontend.lowering import asm
from ctxlint.frontend.lowering.statements import _clauses
from ctxlint.ir.printer import function_text, global_text
from ctxlint.ir.unit import Unit
from ctxlint.ir.verify import verify


def lower(folder: Path, text: str, *arguments: str) -> Unit:
    (folder / "u.c").write_text(text, encoding="utf-8")
    return lower_unit(
        tree=folder,
        file="u.c",
        arguments=("--target=aarch64-linux-gnu", "-std=gnu11", *arguments),
        directory=folder,
    )


def test_declarations_keep_typedefs_and_names(tmp_path: Path) -> None:
    unit = lower(
        tmp_path,
        """typedef unsigned int gfp_t;
        enum state { ONLINE = -1, DYING = 5 };
        extern void *make(unsigned long size, gfp_t flags);
        extern int arm(enum state s, ...);
        int f(gfp_t g) { return make(1, g) && arm(DYING); }""",
    )
    by_name = {d.name: d for d in unit.decls}
    assert by_name["make"].params == (("size", "unsigned long"), ("flags", "gfp_t"))
    assert by_name["make"].ret == "void *"
    assert by_name["arm"].variadic
    assert by_name["f"].line == 5
    (enum,) = unit.enums
    assert (enum.tag, enum.values) == ("enum state", (("ONLINE", -1), ("DYING", 5)))


def test_layouts(tmp_path: Path) -> None:
    unit = lower(
        tmp_path,
        """struct inner { char c; short s; };
        struct outer {
            struct inner i; unsigned a : 3, b : 7; union { long l; int n; }; int x[];
        };
        typedef struct { int counter; } atomic_t;
        struct forward;
        int f(struct outer *o, atomic_t *a, struct forward *w) { return o->n + a->counter; }""",
    )
    records = {r.key: r for r in unit.records}
    outer = records["struct outer"]
    shape = [(f.name, f.offset, f.width) for f in outer.fields]
    assert shape == [("i", 0, 0), ("a", 32, 3), ("b", 35, 7), ("", 64, 0), ("x", 128, 0)]
    assert (outer.size, outer.align, outer.union) == (16, 8, False)
    assert records["struct inner"].size == 4
    assert any(r.union and r.size == 8 for r in unit.records)
    assert "struct forward" not in records


def test_same_named_static_functions_differ(tmp_path: Path) -> None:
    (tmp_path / "part.c").write_text(
        "static int helper(void) { return 2; }\n", encoding="utf-8"
    )
    (tmp_path / "h.h").write_text(
        "static inline int same(void) { return 1; }\n", encoding="utf-8"
    )
    unit = lower(
        tmp_path,
        """#include "h.h"
        #include "part.c"
        static int local(void) { static int n; static int m; return helper() + same() + n + m; }
        int use(void) { return local(); }""",
    )
    assert [f.symbol for f in unit.functions] == ["part.c::helper", "u.c::local", "use"]
    assert unit.inlines == ("h.h::same",)
    assert [g.symbol for g in unit.globals] == ["u.c::local.m", "u.c::local.n"]
    assert unit.deps == ("h.h", "part.c", "u.c")


@pytest.mark.parametrize("target", ["aarch64", "arm", "x86_64", "riscv64"])
def test_variable_arguments(tmp_path: Path, target: str) -> None:
    unit = lower(
        tmp_path,
        """typedef __builtin_va_list va_list;
        static unsigned long next(va_list *ap) { return __builtin_va_arg(*ap, unsigned long); }
        static long in(va_list ap) { return __builtin_va_arg(ap, long); }
        long f(int n, ...) {
            va_list ap, copy; long sum;
            __builtin_va_start(ap, n);
            __builtin_va_copy(copy, ap);
            __builtin_va_arg(ap, int);
            (void)__builtin_va_arg(ap, int);
            sum = __builtin_va_arg(ap, int) + next(&copy) + in(ap);
            __builtin_va_end(ap);
            return sum;
        }""",
        f"--target={target}-linux-gnu",
    )
    assert verify(unit) == []
    text = "".join(map(function_text, unit.functions))
    assert text.count("call __builtin_va_arg(") == 5
    assert "call __builtin_va_copy(&copy, &ap)" in text


def test_functions_used_only_by_tables_are_reached(tmp_path: Path) -> None:
    (tmp_path / "h.h").write_text(
        """static inline int a(void) { return 1; }
        static inline int b(void) { return a(); }
        static inline int never(void) { return b(); }
        static int (*const table[])(void) = { b };""",
        encoding="utf-8",
    )
    unit = lower(tmp_path, '#include "h.h"\nint f(void) { if (0) never(); return table[0](); }')
    assert unit.inlines == ("h.h::a", "h.h::b")
    assert [g.symbol for g in unit.globals] == ["h.h::table"]


def test_names_with_a_counter_do_not_depend_on_the_unit(tmp_path: Path) -> None:
    text = """int c = FIRST;
    #define CAT_(a, b) a##b
    #define CAT(a, b) CAT_(a, b)
    static inline int f(int x) { int CAT(__UNIQUE_ID_x, __COUNTER__) = x; return 1; }
    int g(void) { return f(1); }"""
    first = lower(tmp_path, text, "-DFIRST=1").functions
    assert "__UNIQUE_ID_x" in {v.name for v in first[0].vars}
    assert lower(tmp_path, text, "-DFIRST=__COUNTER__").functions == first


def test_the_last_member_of_a_union_counts(tmp_path: Path) -> None:
    unit = lower(
        tmp_path,
        """union u { int a; long b; } x = { .a = 1, .b = 2 };
        struct s { union { int c; int d; }; int e; } y = { .c = 1, .d = 2, .e = 3 };""",
    )
    texts = [global_text(variable).strip() for variable in unit.globals]
    assert texts == ["union u @x = {.b = 2}", "struct s @y = {.d = 2, .e = 3}"]


def test_errors_and_unknown_flags(tmp_path: Path) -> None:
    unit = lower(
        tmp_path, "int f(void) { return nothing; }\nint g(void) { return 1; }", "-fnew"
    )
    assert unit.errors == ("u.c:1: use of undeclared identifier 'nothing'",)
    assert "g" in [f.name for f in unit.functions]
    with pytest.raises(FrontendError):
        lower_unit(
            tree=tmp_path, file="u.c", arguments=("--target=", "-mabi=x"), directory=tmp_path
        )


def test_deep_expressions(tmp_path: Path) -> None:
    deep = "(" * 200 + "x" + " + 1)" * 200
    unit = lower(tmp_path, f"int f(int x) {{ return {deep}; }}", "-fbracket-depth=1000")
    assert unit.errors == ()
    assert verify(unit) == []


def test_a_library_that_is_not_there() -> None:
    with pytest.raises(FrontendError) as caught:
        Library("/nonexistent/libclang.so")
    assert caught.value.hint


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        (b"for (;;) x", [False, False, False]),
        (b'for (i = f(a, ";"[0]); ; i++)', [True, False, True]),
        (b"for( ; a /* ; */ && b; \\\n )", [False, True, False]),
        (b"list_for_each(x)", []),
    ],
)
def test_for_clauses(text: bytes, clauses: list[bool]) -> None:
    assert _clauses(text) == clauses


def test_asm_text() -> None:
    parts = asm.split(
        'asm volatile("a %[x]\\n"  ALT("b", "c")\n : [x] "=&r" (v), "+Q" (*f(a, b)) : "r" (i) '
        ': "memory", "cc"); rest'
    )
    assert parts is not None
    assert parts.outs == ("[x]=&r", "+Q")
    assert parts.ins == ("r",)
    assert not parts.goto
    assert parts.template == '"a %[x]\\n"  ALT("b", "c")'
    jump = asm.split('asm goto("1: nop" : : "i" (&k->e[b]) :  : l_yes, l_no)')
    assert jump is not None
    assert (jump.goto, jump.labels) == (True, ("l_yes", "l_no"))
    assert asm.split("MACRO(x)") is None


def test_string_literals() -> None:
    assert string_bytes('"a\\tb\\\\\\"\\001x\\x41"', 1) == b'a\tb\\"\x01xA'
    assert string_bytes('L"hi\\n"', 2) == "hi\n".encode("utf-16-le")
    assert string_bytes('""', 1) == b""
    assert string_bytes('"é"', 1) == "é".encode()


def test_callee_whose_argument_opens_a_block_is_reached(tmp_path: Path) -> None:
    (tmp_path / "h.h").write_text(
        "static inline void inc(int *v) { ++*v; }\n", encoding="utf-8"
    )
    unit = lower(
        tmp_path,
        """#include "h.h"
        #define checked(p) ({ do { const int *x = (p); (void)x; } while (0); (p); })
        int g;
        void f(int a, int b) { if (a) { if (b) inc(checked(&g)); } }""",
    )
    assert unit.inlines == ("h.h::inc",)


def test_global_first_named_in_dead_code_is_kept(tmp_path: Path) -> None:
    unit = lower(
        tmp_path,
        "static int g = 3; int f(void) { if (0) return g; return g; }",
    )
    assert [v.name for v in unit.globals] == ["g"]


def test_a_chained_assignment_of_a_call_stores_twice(tmp_path: Path) -> None:
    unit = lower(
        tmp_path,
        """struct e { int m; }; struct e rd(int);
        int f(int a) { struct e x, y; x = y = rd(a); y.m = 1; return x.m; }""",
    )
    text = function_text(unit.functions[0])
    assert "y = call rd(a)" in text
    assert "x = y" in text
    assert verify(unit) == []
