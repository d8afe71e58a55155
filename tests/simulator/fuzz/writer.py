# SPDX-License-Identifier: GPL-2.0-or-later
"""Generated C programs. ``@`` stands for the number of a program in its file."""

from __future__ import annotations

from functools import partial

from tests.simulator.fuzz.expressions import Place, Scope
from tests.simulator.fuzz.records import initialiser, record
from tests.simulator.fuzz.statements import Statements

PRELUDE = """\
typedef unsigned char u8; typedef signed char s8; typedef unsigned short u16;
typedef short s16; typedef unsigned long u64; typedef long s64; typedef _Bool bool;
typedef __builtin_va_list va_list;
enum e { LOW = -5, NONE, HIGH = 1000 };
static u64 h;
static void mix(u64 v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15ull;
	h ^= h >> 29;
}
#define HELD __attribute__((cleanup(leaving)))
static void leaving(int *p)
{
	mix(*p + 1);
}
static s64 various(int kind, ...)
{
	va_list ap, again;
	s64 sum = 0;
	__builtin_va_start(ap, kind);
	while (kind) {
		switch (kind) {
		case 1: sum = sum * 3 + __builtin_va_arg(ap, int); break;
		case 2: sum ^= __builtin_va_arg(ap, u64); break;
		case 3: sum -= __builtin_va_arg(ap, s64); break;
		default: sum += __builtin_va_arg(ap, unsigned); break;
		}
		kind = __builtin_va_arg(ap, int);
		if (kind == 3) {
			__builtin_va_copy(again, ap);
			sum += __builtin_va_arg(again, s64);
			__builtin_va_end(again);
		}
	}
	__builtin_va_end(ap);
	return sum;
}
"""


class Writer(Statements):
    """Writes one program: types, variables, helpers, and ``u64 f@(int, u8, s64)``."""

    def program(self) -> str:
        c = self.c
        parts: list[str] = []
        for i in range(c.number(0, 2)):
            self.records.append(record(c, f"struct s{i}@", self.records))
            parts.append(self.records[-1].definition())
        scope = Scope()
        parts += self.variables(scope)
        parts += self.helpers(scope)
        parts.append(self.main(scope))
        return "\n".join(parts) + "\n"

    # file scope

    def variables(self, scope: Scope) -> list[str]:
        c = self.c
        out = []
        constant = c.constant
        for i in range(c.number(1, 2)):
            type_ = c.type()
            scope.lvalues.append(Place(f"g{i}@", type_))
            out.append(f"static {type_} g{i}@ = {constant()};")
        if c.chance(50):
            type_ = c.type()
            scope.arrays.append(("ga@", type_))
            items = ", ".join(constant() for _ in range(c.number(1, 8)))
            if c.chance(30):
                items = f"[2 ... 4] = {constant()}, {constant()}, [1] = {constant()}"
            out.append(f"static {type_} ga@[8] = {{{items}}};")
            out.append(f"static {type_} *gp@ = {c.one(('ga@', '&ga@[3]', 'ga@ + 7'))};")
            scope.pointers.append(("gp@", "ga@"))
        for i, of in enumerate(self.records):
            if c.chance(60):
                scope.records.append((f"gs{i}@", of))
                out.append(f"static {of.name} gs{i}@ = {initialiser(c, of, constant)};")
            if c.chance(30):
                rows = ", ".join(initialiser(c, of, constant) for _ in range(c.number(1, 3)))
                out.append(f"static {of.name} gt{i}@[4] = {{{rows}}};")
                out.append(f"static {of.name} *gq{i}@ = &gt{i}@[{c.number(0, 3)}];")
                scope.records.append((f"gt{i}@[{c.number(0, 3)}]", of))
                scope.record_pointers.append((f"gq{i}@", of))
        if c.chance(30):
            out.append(
                'static const char gc@[8] = "' + c.one(("ab", "hello", "\\377z\\1")) + '";'
            )
            out.append('static const char *const gn@[] = {"one\\n", "three"};')
            scope.strings += ["gc@", "gn@[0]", "gn@[1]"]
        if self.records and c.chance(30):
            of = self.records[-1]
            body = initialiser(c, of, constant)
            out.append(
                f"static const struct row@ {{ const char *name; {of.name} *to; int n : 5;"
                f' {of.name} in[2]; }} rows@[] = {{ {{"row", &({of.name}){body}, 3}},'
                f' {{ .n = -4, .in[1] = {body}, .to = ({of.name} *)0, .name = "x" "yz" }} }};'
            )
            scope.strings.append("rows@[1].name")
            scope.stable += ["rows@[0].n", "rows@[1].n"]
            plain = [leaf.path for leaf in of.leaves() if not leaf.bits][:2]
            scope.stable += [f"rows@[1].in[1]{path}" for path in plain]
            scope.stable += [f"rows@[0].to->{path[1:]}" for path in plain]
        return out

    def helpers(self, scope: Scope) -> list[str]:
        c = self.c
        out = []
        scope.variadics.append("various")
        for i in range(c.number(0, 2)):
            inner = scope.copy()
            inner.stable += ["a", "b"]
            inner.tables = []
            body = self.body(inner, 1, "s64")
            out.append(f"static s64 fn{i}@(int a, u64 b)\n{{\n{body}}}")
            scope.calls.append(f"fn{i}@")
        if scope.calls and c.chance(50):
            one, two = scope.calls[0], scope.calls[-1]
            out.append(
                f"static s64 (*const ft@[4])(int, u64) = {{{one}, &{two}, {two}, {one}}};"
            )
            scope.tables.append("ft@")
        if c.chance(25):
            out.append(
                "static s64 deep@(int a, u64 b)\n{\n"
                f"\tstatic int count = {c.number(0, 9)};\n\tint n = a & 7, *p = &n;\n"
                f"\tif (n > {c.number(0, 3)}) return deep@(*p - 1, b * 3 + count++) + *p;\n"
                f"\treturn b ^ count;\n}}"
            )
            scope.calls.append("deep@")
        for i, of in enumerate(self.records):
            inner = scope.copy()
            inner.stable += ["a", "b"]
            start = initialiser(c, of, partial(self.e.pure, inner.copy(), 1))
            inner.records.append(("q", of))
            if c.chance(40):
                self.leave = f"return ({of.name}){{}};"
                out.append(
                    f"static {of.name} mk{i}@(s64 a, u8 b)\n{{\n"
                    f"\t{of.name} q = {start};\n"
                    f"{self.statements(inner, 1, 1)}\treturn q;\n}}"
                )
                self.leave = "return 5;"
                scope.makers.append((f"mk{i}@", of))
            if c.chance(40):
                inner = scope.copy()
                inner.stable.append("a")
                inner.records.append(("q", of))
                out.append(
                    f"static s64 tk{i}@({of.name} q, int a)\n{{\n{self.body(inner, 1, 's64')}}}"
                )
                scope.takers.append((f"tk{i}@", of))
        return out

    def main(self, scope: Scope) -> str:
        inner = scope.copy()
        inner.stable += ["a", "b", "c"]
        text = self.locals(inner)
        text += self.statements(inner, 2, 3)
        seen = self.observations(inner, Scope())
        return f"u64 f@(int a, u8 b, s64 c)\n{{\n\th = 1;\n{text}{seen}\treturn h;\n}}"
