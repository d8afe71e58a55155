# SPDX-License-Identifier: GPL-2.0-or-later
"""Generated expressions without undefined behaviour (given ``-fwrapv``).

Three kinds, by what they do to each other's order: *stable* ones read only parameters
and variables that no expression changes; *pure* ones read anything; an *effect* changes
something, and stands only where C fixes the order of what else is read and changed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from tests.simulator.fuzz.choices import INTS, Choices
from tests.simulator.fuzz.records import Record, initialiser


class Place(NamedTuple):
    """An integer that can be assigned; ``bits`` is 0 when it has an address."""

    text: str
    type: str
    bits: int = 0


@dataclass
class Scope:
    """Names that can be used at a place. ``stable`` and ``lvalues`` are integers;
    ``arrays`` have 8 elements; ``pointers`` come with the array that they point into;
    ``records`` are objects."""

    stable: list[str] = field(default_factory=list)
    lvalues: list[Place] = field(default_factory=list)
    arrays: list[tuple[str, str]] = field(default_factory=list)
    pointers: list[tuple[str, str]] = field(default_factory=list)
    records: list[tuple[str, Record]] = field(default_factory=list)
    record_pointers: list[tuple[str, Record]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    """Functions ``s64 f(int, u64)``; none may call itself."""
    tables: list[str] = field(default_factory=list)
    """Arrays of 4 pointers to such functions."""
    makers: list[tuple[str, Record]] = field(default_factory=list)
    """Functions ``struct f(s64, u8)``."""
    takers: list[tuple[str, Record]] = field(default_factory=list)
    """Functions ``s64 f(struct, int)``."""
    variadics: list[str] = field(default_factory=list)
    strings: list[str] = field(default_factory=list)

    def copy(self) -> Scope:
        return Scope(**{name: list(value) for name, value in vars(self).items()})


ARITHMETIC = ("+", "-", "*", "&", "|", "^")
TESTS = ("<", ">", "<=", ">=", "==", "!=", "&&", "||")


class Expressions:
    def __init__(self, c: Choices) -> None:
        self.c = c

    # leaves

    def leaf(self, scope: Scope, stable: bool) -> str:
        c = self.c
        kinds = ["constant", "stable", "stable"]
        if not stable:
            kinds += ["lvalue", "lvalue", "lvalue"]
            kinds += [
                kind
                for kind in ("arrays", "pointers", "records", "record_pointers", "strings")
                if getattr(scope, kind)
            ]
        kind = c.one(kinds)
        if kind == "constant":
            return c.constant()
        if kind == "stable":
            return c.one(scope.stable)
        if kind == "strings":
            return f"{c.one(scope.strings)}[{c.one(scope.stable)} & 3]"
        return self.widened(self.lvalue(scope))

    @staticmethod
    def widened(place: Place, text: str = "") -> str:
        """As a value. GCC computes with bit-fields of a type beyond int in their own width,
        clang in that of the type: a cast makes it the same."""
        text = text or place.text
        wide = place.bits and INTS[place.type][0] > 32
        return f"(({place.type}){text})" if wide else text

    def lvalue(self, scope: Scope) -> Place:
        c = self.c
        kinds = [
            k
            for k in ("lvalues", "arrays", "pointers", "records", "record_pointers")
            if getattr(scope, k)
        ]
        kind = c.one(kinds)
        if kind == "lvalues":
            return c.one(scope.lvalues)
        if kind == "arrays":
            name, type_ = c.one(scope.arrays)
            index = c.one((str(c.number(0, 7)), f"{c.one(scope.stable)} & 7"))
            return Place(c.one((f"{name}[{index}]", f"(*({name} + ({index})))")), type_)
        if kind == "pointers":
            name, array = c.one(scope.pointers)
            return Place(f"(*{name})", dict(scope.arrays)[array])
        if kind == "records":
            name, of = c.one(scope.records)
            leaf = c.one(of.leaves())
            return Place(name + leaf.path, leaf.type, leaf.bits)
        name, of = c.one(scope.record_pointers)
        leaf = c.one(of.leaves())
        return Place(f"{name}->{leaf.path[1:]}", leaf.type, leaf.bits)

    # without effects

    def stable(self, scope: Scope, depth: int = 1) -> str:
        return self.value(scope, depth, stable=True)

    def pure(self, scope: Scope, depth: int = 3) -> str:
        return self.value(scope, depth, stable=False)

    def value(self, scope: Scope, depth: int, stable: bool) -> str:
        with self.c.span():
            return self._value(scope, depth, stable)

    def _value(self, scope: Scope, depth: int, stable: bool) -> str:
        c = self.c
        if depth <= 0 or not c.chance(85):
            return self.leaf(scope, stable)
        one = self.value(scope, depth - 1, stable)
        kind = c.one(
            ("cast", "unary", "arithmetic", "arithmetic", "test", "shift", "divide", "select",
             "pointer", "special")
        )  # fmt: skip
        if kind == "cast":
            return f"(({c.type()}){one})"
        if kind == "unary":
            return f"({c.one(('-', '~', '!', '+', '!!'))}({one}))"
        if kind == "pointer" and not stable and scope.pointers:
            name, array = c.one(scope.pointers)
            other = f"({array} + ({one} & 7))"
            at = c.one(scope.pointers)
            return c.one(
                (
                    f"({name} - {other})",
                    f"({name} {c.one(TESTS[:6])} {other})",
                    f"((long)({name} - {array}) {c.one(TESTS[:6])} {one})",
                    f"((char *){name} - (char *){other})",
                    f"(({name} && {one}) ? *{name} : {at[0]}[0])",
                    f"(((u64){name} - (u64){array}) / sizeof(*{array}))",
                )
            )
        two = self.value(scope, depth - 1, stable)
        if kind == "test":
            return f"({one} {c.one(TESTS)} {two})"
        if kind == "shift":
            return c.one(
                (
                    f"({one} {c.one(('<<', '>>'))} ({two} & {c.one((7, 15, 31))}))",
                    f"((u64){one} {c.one(('<<', '>>'))} ({two} & 63))",
                    f"((s64){one} >> ({two} & 63))",
                    f"({one} {c.one(('<<', '>>'))} {c.number(0, 31)})",
                    f"((s64){one} << {c.number(0, 63)})",
                )
            )
        if kind == "divide":
            return c.one(
                (
                    f"({one} {c.one(('/', '%'))} (({two} & 15) + 1))",
                    f"({one} {c.one(('/', '%'))} {c.one(('7', '-3', '10u', '1000000007l'))})",
                    f"({one} {c.one(('/', '%'))} (({two} & 255) - 300))",
                )
            )
        if kind == "select":
            three = self.value(scope, depth - 1, stable)
            return f"({one} ? {two} : {three})"
        if kind == "special":
            return self.special(one, two)
        return f"({one} {c.one(ARITHMETIC)} {two})"

    def special(self, one: str, two: str) -> str:
        c = self.c
        name = c.one(
            ("clz", "ctz", "clzl", "ctzll", "ffs", "ffsl", "ffsll", "popcount", "popcountl",
             "parity", "parityll", "bswap16", "bswap32", "bswap64", "clrsb", "clrsbl", "expect",
             "choose", "abs", "labs", "sizeof", "elvis", "constant_p")
        )  # fmt: skip
        if name in ("clz", "ctz"):
            return f"__builtin_{name}((unsigned){one} | {c.one((1, 0x40000000, 256))})"
        if name in ("clzl", "ctzll"):
            return f"__builtin_{name}((u64){one} | {c.one(('1', '(1ull << 63)', '256'))})"
        if name == "expect":
            return f"__builtin_expect(!!{one}, {c.one((0, 1))})"
        if name == "choose":
            return f"__builtin_choose_expr(sizeof(+({one})) == 4, {one}, {two})"
        if name in ("abs", "labs"):
            narrow = "s16" if name == "abs" else "int"
            return f"__builtin_{name}(({narrow}){one})"
        if name == "sizeof":
            return f"(sizeof(+({one})) * {two})"
        if name == "elvis":
            return f"({one} ?: {two})"
        if name == "constant_p":
            return f"({one} + __builtin_constant_p(7))"
        return f"__builtin_{name}({one})"

    # with effects

    def effect(self, scope: Scope, depth: int = 2) -> str:
        with self.c.span():
            return self._effect(scope, depth)

    def _effect(self, scope: Scope, depth: int) -> str:
        c = self.c
        kinds = ["step", "assign", "compound"]
        if depth > 0:
            kinds += ["and", "or", "select", "comma", "cast", "mixed", "not", "block"]
        kinds += [k for k in ("calls", "tables", "takers", "variadics") if getattr(scope, k)]
        kind = c.one(kinds)
        if kind in ("step", "assign", "compound"):
            place = self.lvalue(scope)
            name = place.text
            if kind == "step" and place.type != "bool":
                text = c.one((f"({name}++)", f"(++{name})", f"({name}--)", f"(--{name})"))
            elif kind == "compound":
                text = self.compound(name, self.pure(scope, 1))
            else:
                text = f"({name} = {self.pure(scope, 2)})"
            return self.widened(place, text)
        if kind in ("calls", "tables"):
            args = self.pure(scope, 1), self.pure(scope, 1)
            if kind == "calls":
                return f"{c.one(scope.calls)}({args[0]}, {args[1]})"
            table = c.one(scope.tables)
            return c.one(
                (
                    f"{table}[{self.stable(scope, 1)} & 3]({args[0]}, {args[1]})",
                    f"(*{table}[{c.number(0, 3)}])({args[0]}, {args[1]})",
                )
            )
        if kind == "takers":
            name, of = c.one(scope.takers)
            return f"{name}({self.record(scope, of)}, {self.stable(scope, 1)})"
        if kind == "variadics":
            return self.variadic(scope)
        one = self.effect(scope, depth - 1)
        if kind == "cast":
            return f"(({c.type()}){one})"
        if kind == "not":
            return f"({c.one(('!', '~', '-'))}{one})"
        if kind == "mixed":
            left, right = c.one(((one, self.stable(scope)), (self.stable(scope), one)))
            return f"({left} {c.one((*ARITHMETIC, *TESTS[:6]))} {right})"
        two = self.effect(scope, depth - 1) if c.chance(50) else self.pure(scope, 1)
        if kind == "comma":
            return f"({one}, {two})"
        if kind in ("and", "or"):
            return f"({one} {'&&' if kind == 'and' else '||'} {two})"
        if kind == "block":
            type_ = c.type()
            return (
                f"({{ {type_} k = {self.pure(scope, 1)}; if ({one}) k += {self.stable(scope)};"
                f" else k ^= {two}; k; }})"
            )
        three = self.effect(scope, depth - 1) if c.chance(50) else self.pure(scope, 1)
        return f"({one} ? {two} : {three})"

    def compound(self, lvalue: str, value: str) -> str:
        c = self.c
        op = c.one((*ARITHMETIC, "<<", ">>", "/", "%"))
        if op in ("<<", ">>"):
            value = f"({value} & 31)"
        if op in ("/", "%"):
            value = f"(({value} & 15) + 1)"
        return f"({lvalue} {op}= {value})"

    def variadic(self, scope: Scope) -> str:
        """The variadic functions take pairs: how to read an argument, and it."""
        c = self.c

        def argument() -> str:
            kind, type_ = c.one(((1, "int"), (2, "u64"), (3, "s64"), (4, "unsigned")))
            return f"{kind}, ({type_}){self.pure(scope, 1)}"

        args = c.many(0, 3, argument)
        return f"{c.one(scope.variadics)}({', '.join((*args, '0'))})"

    def record(self, scope: Scope, of: Record) -> str:
        """A struct as a value."""
        c = self.c
        options = [f"({of.name}){initialiser(c, of, lambda: self.pure(scope, 1))}"]
        for name, have in scope.records:
            if have is of:
                options.append(name)
        for name, have in scope.record_pointers:
            if have is of:
                options.append(f"*{name}")
        for name, have in scope.makers:
            if have is of:
                options.append(f"{name}({self.stable(scope)}, {self.stable(scope)})")
        one = c.one(options)
        if c.chance(20):
            return f"({self.stable(scope)} ? {one} : {c.one(options)})"
        if c.chance(10):
            return f"({{ {of.name} k = {one}; k; }})"
        return one

    def leaves_of(self, name: str, of: Record) -> list[str]:
        return [name + leaf.path for leaf in of.leaves()]
