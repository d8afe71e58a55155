# SPDX-License-Identifier: GPL-2.0-or-later
"""Generated statements; each ends, whatever its expressions give."""

from __future__ import annotations

from tests.simulator.fuzz.choices import Choices
from tests.simulator.fuzz.expressions import Expressions, Place, Scope
from tests.simulator.fuzz.records import Record, initialiser


class Statements:
    def __init__(self, c: Choices) -> None:
        self.c = c
        self.e = Expressions(c)
        self.labels = 0
        self.records: list[Record] = []
        self.cleanup = c.chance(70)  # clang has no computed goto in functions with them
        self.leave = "return 5;"

    def fresh(self, prefix: str) -> str:
        self.labels += 1
        return f"{prefix}{self.labels}"

    # functions

    def locals(self, scope: Scope) -> str:
        """Declarations of variables; they are added to the scope."""
        c, e = self.c, self.e
        out = []

        def kept() -> None:
            name, type_ = self.fresh("r"), c.type()
            out.append(f"{type_} {name} = {e.pure(scope, 2)};")
            scope.stable.append(name)

        def changed() -> None:
            name, type_ = self.fresh("x"), c.type()
            out.append(f"{type_} {name} = {e.stable(scope, 2)};")
            scope.lvalues.append(Place(name, type_))

        c.many(0, 3, kept, 50)
        c.many(0, 3, changed, 50)
        if c.chance(40):
            name, type_ = self.fresh("a"), c.type()
            items = ", ".join(e.pure(scope, 1) for _ in range(c.number(1, 8)))
            out.append(f"{type_} {name}[8] = {{{items}}};")
            scope.arrays.append((name, type_))
            if c.chance(70):
                pointer = self.fresh("p")
                out.append(f"{type_} *{pointer} = {name} + ({e.pure(scope, 1)} & 7);")
                scope.pointers.append((pointer, name))
        for of in self.records:
            if c.chance(50):
                name = self.fresh("v")
                value = e.record(scope, of) if c.chance(50) else None
                text = value or initialiser(c, of, lambda: e.pure(scope, 1))
                out.append(f"{of.name} {name} = {text};")
                scope.records.append((name, of))
                if c.chance(50):
                    pointer = self.fresh("q")
                    out.append(f"{of.name} *{pointer} = &{name};")
                    scope.record_pointers.append((pointer, of))
        return "".join(f"\t{line}\n" for line in out)

    def body(self, scope: Scope, depth: int, returns: str) -> str:
        before = scope.copy()
        text = self.locals(scope)
        text += self.statements(scope, depth, 1)
        seen = self.observations(scope, before)
        return f"{text}{seen}\treturn ({returns}){self.e.pure(scope, 2)};\n"

    def observations(self, scope: Scope, before: Scope) -> str:
        """Everything that the scope has more than ``before`` goes into the sum."""
        out = [f"mix({s});" for s in scope.stable if s not in before.stable]
        out += [f"mix({v[0]});" for v in scope.lvalues if v not in before.lvalues]
        for name, type_ in scope.arrays:
            if (name, type_) not in before.arrays:
                out.append(f"for (int i = 0; i < 8; i++) mix({name}[i]);")
        for name, array in scope.pointers:
            if (name, array) not in before.pointers:
                out.append(f"mix({name} - {array});")
        for name, of in scope.records:
            if (name, of) not in before.records:
                out += [f"mix({text});" for text in self.e.leaves_of(name, of)]
        return "".join(f"\t{line}\n" for line in out)

    # statements

    def statements(self, scope: Scope, depth: int, least: int) -> str:
        c = self.c
        lines = c.many(least, least + 4, lambda: self.statement(scope, depth))
        return "".join(f"\t{line}\n" for line in lines)

    def statement(self, scope: Scope, depth: int) -> str:
        c, e = self.c, self.e
        kinds = ["assign", "assign", "effect", "kept", "mix", "overflow"]
        if scope.records:
            kinds += ["record", "record", "copy", "container"]
        if scope.pointers:
            kinds += ["move", "move"]
        if depth:
            kinds += ["if", "for", "while", "do", "switch", "goto", "into", "block", "goto"]
            kinds.append("cleanup" if self.cleanup else "computed")
        kind = c.one(kinds)
        simple = getattr(self, f"_{kind}", None)
        if simple is not None:
            return simple(scope, depth)  # type: ignore[no-any-return]
        if kind == "effect":
            return f"{e.effect(scope)};"
        if kind == "kept":
            own = [s for s in scope.stable if s[0] == "r" and s[1].isdigit()]
            return f"{c.one(own or ['h'])} = {e.effect(scope)};"
        return f"mix({e.pure(scope)});"

    def _assign(self, scope: Scope, depth: int) -> str:
        lvalue, type_, bits = self.e.lvalue(scope)
        value = self.e.pure(scope)
        if not bits and self.c.chance(20):
            return f"*&{lvalue} = {value};"
        if not bits and self.c.chance(10):
            return f"{{ {type_} *z = &{lvalue}; *z = {value}; mix(*z); }}"
        if self.c.chance(20):
            return f"{self.e.compound(lvalue, value)};"
        return f"{lvalue} = {value};"

    def _overflow(self, scope: Scope, depth: int) -> str:
        c, e = self.c, self.e
        places = [v for v in scope.lvalues if not v.bits and v.type not in ("bool", "enum e")]
        one, two = e.pure(scope, 1), e.pure(scope, 1)
        if not places or c.chance(25):
            return (
                f"{{ {c.one(('int', 'u8', 's64', 'u64', 's16'))} z; mix(__builtin_"
                f"{c.one(('add', 'sub', 'mul'))}_overflow({one}, {two}, &z)); mix(z); }}"
            )
        name = c.one(places)[0]
        builtin = f"__builtin_{c.one(('add', 'sub', 'mul'))}_overflow"
        return f"if ({builtin}({one}, {two}, &{name})) mix(2);"

    def _record(self, scope: Scope, depth: int) -> str:
        c = self.c
        name, of = c.one(scope.records)
        if c.chance(30):
            targets = [p for p, have in scope.record_pointers if have is of]
            if targets:
                return f"*{c.one(targets)} = {self.e.record(scope, of)};"
        if c.chance(20):
            leaf = c.one(of.leaves())
            made = [m for m, have in scope.makers if have is of]
            value = f"{made[0]}({self.e.stable(scope)}, 3)" if made else None
            value = value or f"({of.name}){initialiser(c, of, lambda: self.e.pure(scope, 1))}"
            return f"mix({value}{leaf.path});"
        if c.chance(20):
            leaf = c.one(of.leaves())
            value = f"({of.name}){initialiser(c, of, lambda: self.e.pure(scope, 1))}"
            at = f"z->{leaf.path[1:]}"
            return f"{{ {of.name} *z = &{value}; mix({at}++); mix({at}); }}"
        return f"{name} = {self.e.record(scope, of)};"

    def _copy(self, scope: Scope, depth: int) -> str:
        """Bytes moved by the compiler's own functions."""
        c = self.c
        name, of = c.one(scope.records)
        others = [n for n, have in scope.records if have is of]
        other = c.one(others)
        if other == name:
            return f"__builtin_memset(&{name}, {c.number(0, 1)}, sizeof({name}));"
        return c.one(
            (
                f"__builtin_memcpy(&{name}, &{other}, sizeof({name}));",
                f"mix(__builtin_memcmp(&{name}, &{name}, sizeof({name})));",
                f"__builtin_memmove(&{name}, &{other}, sizeof({of.name}));",
            )
        )

    def _container(self, scope: Scope, depth: int) -> str:
        c = self.c
        name, of = c.one(scope.records)
        leaves = [leaf for leaf in of.leaves() if leaf.addressable]
        if not leaves:
            return f"mix(sizeof({name}));"
        leaf, other = c.one(leaves), c.one(of.leaves())
        return (
            f"{{ {leaf.type} *z = &{name}{leaf.path}; {of.name} *y = ({of.name} *)((char *)z - "
            f"__builtin_offsetof({of.name}, {leaf.path[1:]})); y->{other.path[1:]} = "
            f"{self.e.pure(scope, 1)}; mix(*z + (y == &{name})); }}"
        )

    def _move(self, scope: Scope, depth: int) -> str:
        c, e = self.c, self.e
        name, array = c.one(scope.pointers)
        value = e.pure(scope, 1)
        return c.one(
            (
                f"{name} = {array} + ({value} & 7);",
                f"{name} = &{array}[({name} - {array} + {value}) & 7];",
                f"if ({name} < {array} + 7) mix(*++{name}); else mix(*--{name});",
                f"if ({name} > {array}) mix(*{name}--); else {name} += {c.number(0, 7)};",
                f"if ({name} != {array} + 7) *{name}++ = {e.stable(scope)};",
                f"{{ typeof({name}) *z = &{name}; **z = {value}; *z = {array}; "
                f"(*z) += {value} & 3; }}",
                f"for (typeof({name}) z = {array}; z < {array} + 7; z += 1 + ({value} & 1)) "
                "mix(*z);",
            )
        )

    def _if(self, scope: Scope, depth: int) -> str:
        c = self.c
        test = self.e.effect(scope) if c.chance(50) else self.e.pure(scope)
        text = f"if ({test}) {{\n{self.statements(scope, depth - 1, 1)}\t}}"
        if c.chance(50):
            text += f" else {{\n{self.statements(scope, depth - 1, 1)}\t}}"
        return text

    def _for(self, scope: Scope, depth: int) -> str:
        c, e = self.c, self.e
        i = self.fresh("i")
        inner = scope.copy()
        inner.stable.append(i)
        body = self.statements(inner, depth - 1, 1)
        way = c.one(
            (f"if ({e.pure(inner, 1)}) continue;", f"if ({e.pure(inner, 1)}) break;", "")
        )
        step = c.one((f"{i}++", f"++{i}, mix({i})", f"{i} += 2"))
        more = self.statements(inner, depth - 1, 0)
        return f"for (int {i} = 0; {i} < {c.number(1, 4)}; {step}) {{\n{body}{way}\n{more}\t}}"

    def _while(self, scope: Scope, depth: int) -> str:
        c, i = self.c, self.fresh("n")
        body = self.statements(scope, depth - 1, 1)
        way = c.one(("", f"if ({self.e.pure(scope, 1)}) break;", f"if ({i}) continue;"))
        return (
            f"{{ {self.c.one(('int', 'u8', 's64'))} {i} = {c.number(1, 3)}; "
            f"while ({i}-- > 0 && {self.e.pure(scope, 1)}) {{\n{body}{way}\n\t}} mix({i}); }}"
        )

    def _do(self, scope: Scope, depth: int) -> str:
        c, i = self.c, self.fresh("n")
        body = self.statements(scope, depth - 1, 1)
        way = c.one(("", "continue;", f"if ({self.e.pure(scope, 1)}) continue;"))
        return (
            f"{{ int {i} = 0; do {{\n{body}{way}\n\t}} "
            f"while (++{i} < {c.number(1, 3)} && {self.e.effect(scope, 1)}); }}"
        )

    def _switch(self, scope: Scope, depth: int) -> str:
        c, e = self.c, self.e
        value = f"{e.pure(scope, 2)} & 7" if c.chance(60) else e.pure(scope, 2)
        cases = ["case 0:", "case 1:", "case 2 ... 3:", "case 5:", "default:",
                 "case -3 ... -1:",
                 "case 0x80000000:", "case 6: case 7:"]  # fmt: skip
        text = ""
        for _ in range(c.number(1, 4)):
            label = c.one(cases)
            cases.remove(label)
            end = c.one(("break;", "", f"if ({e.pure(scope, 1)}) break;"))
            text += f"\t{label} {{\n{self.statements(scope, depth - 1, 1)}\t}} {end or ';'}\n"
        cast = c.one(("", "(u8)", "(s64)", "(unsigned)"))
        return f"switch ({cast}({value})) {{\n{text}\t}}"

    def _goto(self, scope: Scope, depth: int) -> str:
        """Out of blocks forwards, and back."""
        c, e = self.c, self.e
        label, i = self.fresh("l"), self.fresh("n")
        body = self.statements(scope, depth - 1, 1)
        if c.chance(50):
            held = ("", "")
            if self.cleanup:
                held = tuple(f"HELD int {x} = {e.pure(scope, 1)};" for x in ("z", "y"))
            return (
                f"{{ {held[0]} for (int {i} = 0; {i} < 3; {i}++) {{ {held[1]}\n{body}"
                f"\tif ({e.pure(scope, 1)}) goto {label};\n\t}} mix(7); }}\n{label}: mix(9);"
            )
        return (
            f"{{ int {i} = 0;\n{label}: {i}++;\n{body}"
            f"\tif ({i} < {c.number(1, 3)} && {e.pure(scope, 1)}) goto {label}; }}"
        )

    def _into(self, scope: Scope, depth: int) -> str:
        """A jump into the middle of a loop."""
        c, e = self.c, self.e
        label, i = self.fresh("l"), self.fresh("n")
        body = self.statements(scope, depth - 1, 1)
        return (
            f"int {i} = {c.number(0, 1)}; if ({e.pure(scope, 1)}) goto {label};\n"
            f"\tfor ({i} = 0; {i} < 3; {i}++) {{ mix({i}); if ({e.pure(scope, 1)}) {{ mix(3);\n"
            f"{label}: ;\n{body}\t}} }} mix({i});"
        )

    def _computed(self, scope: Scope, depth: int) -> str:
        e = self.e
        one, two = self.fresh("l"), self.fresh("l")
        kind = self.c.one(("", "static "))
        return (
            f"{{ {kind}void *const z[] = {{&&{one}, &&{two}}};\n"
            f"\tgoto *z[{e.pure(scope, 1)} & 1];\n"
            f"{one}: mix(1);\n{self.statements(scope, depth - 1, 1)}{two}: mix(2); }}"
        )

    def _cleanup(self, scope: Scope, depth: int) -> str:
        """A scope whose end calls something, however it is left."""
        text = f"HELD int z = {self.e.pure(scope, 1)};\n{self.statements(scope, depth - 1, 1)}"
        if self.c.chance(50):
            text += f"\tif ({self.e.pure(scope, 1)}) {{ HELD int y = 3; {self.leave} }}\n"
        return f"{{ {text}\tmix(z); }}"

    def _block(self, scope: Scope, depth: int) -> str:
        """A scope of its own."""
        c = self.c
        inner = scope.copy()
        text = self.locals(inner)
        text += self.statements(inner, depth - 1, 1)
        seen = self.observations(inner, scope)
        held = ""
        if c.chance(30):
            held += f"\tstatic {c.type()} kept = {c.constant()}; mix(kept++ + 1);\n"
        return f"{{ {held}{text}{seen}\t}}"
