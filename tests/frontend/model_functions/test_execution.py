# SPDX-License-Identifier: GPL-2.0-or-later
"""Generated integer code: the lowered functions compute what gcc's do.

The evaluator below knows integers, variables and control flow, nothing of C:
a promotion or conversion that the lowering forgets gives another number.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from random import Random

import pytest

from ctxlint.frontend.model_functions import lower_models
from ctxlint.ir import ops
from ctxlint.ir.ops import Expr
from ctxlint.ir.types import TInt
from ctxlint.ir.unit import Function
from tests.frontend.model_functions.test_snippets import PRELUDE, complaints

PARAMS = {"a": "s8", "b": "u16", "c": "s32", "d": "u32", "e": "s64", "f": "u64", "g": "bool"}
LOCALS = {"x": "s8", "y": "u16", "z": "int", "u": "u32", "v": "s64", "w": "u64", "h": "bool"}
CONSTANTS = ("0", "1", "-1", "7", "255u", "0x7fffffff", "0x80000000", "3000000000", "5ul",
             "'z'", "MANY", "(u8)-2", "(s16)0x8001", "~0ull", "sizeof(int)")  # fmt: skip
FUNCTIONS = 40
STEPS = 2000


class Writer:
    """Writes functions without undefined behaviour (given -fwrapv)."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def pure(self, depth: int) -> str:
        pick = self.random.choice
        if depth <= 0 or self.random.random() < 0.1:
            return pick((*PARAMS, *LOCALS, pick(CONSTANTS)))
        one, two, three = (self.pure(depth - 1) for _ in range(3))
        return pick(
            (
                f"({one} {pick(('+', '-', '*', '&', '|', '^'))} {two})",
                f"({one} {pick(('<', '>', '<=', '>=', '==', '!=', '&&', '||'))} {two})",
                f"({one} {pick(('/', '%'))} (({two} & 15) + 1))",
                f"({one} {pick(('<<', '>>'))} ({two} & 7))",
                f"({pick(('-', '~', '!', '+'))} {one})",
                f"({one} ? {two} : {three})",
                f"(({pick((*PARAMS.values(), 'char', 'unsigned long', 'enum e'))}){one})",
            )
        )

    def effect(self) -> str:
        """Changes ``s``, which nothing else in it reads, in an order C fixes."""
        one, two, three = (self.pure(2) for _ in range(3))
        return self.random.choice(
            (
                f"{one} && (s = {two})",
                f"{one} || s++",
                f"!({one} && (s -= {two}) && {three})",
                f"{one} ? (s = {two}) : (s += {three})",
                f"(s ^= {one}, {two})",
                f"{one} ? --s : {two}",
                f"{one} && ({two} || twice({three}))",
                f"twice({one}) ? {two} : (u8)twice({three})",
            )
        )

    def statement(self, depth: int) -> str:
        pick = self.random.choice
        name, value = pick(tuple(LOCALS)), self.pure(3)
        kinds = [
            f"{name} = {value};",
            f"{name} {pick(('+=', '-=', '*=', '&=', '|=', '^='))} {value};",
            f"{name} {pick(('<<=', '>>='))} {value} & 7;",
            f"{name} {pick(('/=', '%='))} ({value} & 15) + 1;",
            f"{name}{pick(('++', '--'))};",
            f"{name} = {self.effect()};",
        ]
        if depth:
            inner, other = self.statement(depth - 1), self.statement(depth - 1)
            kinds += [
                f"if ({self.effect()}) {{ {inner} }} else {{ {other} }}",
                f"for (int i = 0; i < {self.random.randrange(5)}; i++) {{ {inner} "
                f"if ({value}) continue; {other} }}",
                f"switch ({value} & 3) {{ case 0: {inner} case 1: {other} break; "
                f"case 2: if ({self.pure(1)}) break; default: {inner} }}",
                f"do {{ {inner} if ({value}) break; }} while (count++ < 5);",
            ]
        return pick(kinds)

    def function(self, number: int) -> str:
        params = ", ".join(f"{t} {n}" for n, t in PARAMS.items())
        start = "".join(
            f"{t} {n} = {self.random.choice(tuple(PARAMS))};\n" for n, t in LOCALS.items()
        )
        body = "\n".join(self.statement(2) for _ in range(6))
        total = " ^ ".join(f"((u64){n} << {at})" for at, n in enumerate((*LOCALS, "s")))
        return (
            f"u64 f{number}({params})\n{{\nint count = 0;\ns = 0;\n{start}{body}\n"
            f"return {total};\n}}\n"
        )


class Machine:
    """Runs lowered functions on integers."""

    def __init__(self, functions: dict[str, Function]) -> None:
        self.functions = functions
        self.globals: dict[str, int] = {}

    def call(self, symbol: str, args: list[int]) -> int:
        function = self.functions[symbol]
        self_vars = [*args, *([0] * (len(function.vars) - len(args)))]
        frame = Frame(self, function, self_vars)
        return frame.run()


class Frame:
    def __init__(self, machine: Machine, function: Function, values: list[int]) -> None:
        self.machine = machine
        self.function = function
        self.values = values

    def bits(self, type_: int) -> TInt:
        shape = self.function.types[type_]
        assert isinstance(shape, TInt)
        return shape

    def run(self) -> int:
        number = 0
        for _ in range(STEPS):
            block = self.function.blocks[number]
            for op in block.ops:
                self.op(op)
            match block.term:
                case ops.Jump(to):
                    number = to
                case ops.Branch(cond, then, els):
                    number = then if self.value(cond) else els
                case ops.Switch(e, cases, default):
                    value = self.value(e)
                    hits = [b for low, high, b in cases if low <= value <= high]
                    number = hits[0] if hits else default
                case ops.Ret(result) if result is not None:
                    return self.value(result)
                case other:
                    raise AssertionError(other)
        raise AssertionError("does not end")

    def op(self, op: ops.Op) -> None:
        match op:
            case ops.Assign(dst, src):
                self.store(dst, self.value(src))
            case ops.Call(dst, ops.Func(symbol), args):
                result = self.machine.call(symbol, [self.value(a) for a in args])
                if dst is not None:
                    self.store(dst, result)
            case _:
                raise AssertionError(op)

    def store(self, dst: Expr, value: int) -> None:
        if isinstance(dst, ops.Var):
            shape = self.bits(self.function.vars[dst.slot].type)
            self.values[dst.slot] = wrapped(value, shape)
        else:
            assert isinstance(dst, ops.Global)
            self.machine.globals[dst.symbol] = wrapped(value, self.bits(dst.type))

    def value(self, e: Expr) -> int:
        match e:
            case ops.Const(value):
                return value
            case ops.Var(slot):
                return self.values[slot]
            case ops.Global(symbol):
                return self.machine.globals.get(symbol, 0)
            case ops.Cast(inner, type_):
                return wrapped(self.value(inner), self.bits(type_))
            case ops.Un(op, inner, type_):
                value = self.value(inner)
                result = {"-": -value, "~": ~value, "!": int(not value)}[op]
                return wrapped(result, self.bits(type_))
            case ops.Select(cond, a, b):
                return self.value(a if self.value(cond) else b)
            case ops.Bin("&&", a, b):
                return int(bool(self.value(a) and self.value(b)))
            case ops.Bin("||", a, b):
                return int(bool(self.value(a) or self.value(b)))
            case ops.Bin(op, a, b, type_):
                return wrapped(arithmetic(op, self.value(a), self.value(b)), self.bits(type_))
        raise AssertionError(e)


def wrapped(value: int, shape: TInt) -> int:
    value &= (1 << shape.bits) - 1
    return value - (1 << shape.bits) if shape.signed and value >> (shape.bits - 1) else value


def arithmetic(op: str, a: int, b: int) -> int:
    if op in ("/", "%"):
        quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
        return quotient if op == "/" else a - b * quotient
    table = {
        "+": a + b, "-": a - b, "*": a * b, "&": a & b, "|": a | b, "^": a ^ b,
        "<": a < b, ">": a > b, "<=": a <= b, ">=": a >= b, "==": a == b, "!=": a != b,
    }  # fmt: skip
    if op in table:
        return int(table[op])
    return a << b if op == "<<" else a >> b


ARGUMENTS = (
    (0, 0, 0, 0, 0, 0, 0),
    (-128, 65535, -(1 << 31), (1 << 32) - 1, -(1 << 63), (1 << 64) - 1, 1),
    (127, 1, 5, 1 << 31, 1 << 40, 1 << 63, 1),
    (-3, 300, -70000, 12345, -5, 99, 0),
)
C_ARGUMENTS = (
    "0, 0, 0, 0, 0, 0, 0",
    "-128, 65535, -2147483647 - 1, ~0u, -9223372036854775807ll - 1, ~0ull, 1",
    "127, 1, 5, 1u << 31, 1ll << 40, 1ull << 63, 1",
    "-3, 300, -70000, 12345, -5, 99, 0",
)
HEAD = (
    "enum e { MANY = 1000, FEW = 2 };\nstatic s64 s;\n"
    "static int twice(int n) { s += n; return 2 * n; }\n"
)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")
@pytest.mark.parametrize("seed", range(3))
def test_generated_functions(seed: int, tmp_path: Path) -> None:
    writer = Writer(Random(seed))
    text = HEAD + "\n".join(writer.function(n) for n in range(FUNCTIONS))
    calls = [
        f'printf("%llu\\n", f{n}({args}));' for n in range(FUNCTIONS) for args in C_ARGUMENTS
    ]
    main = "int printf(const char *, ...);\nint main(void)\n{\n" + "\n".join(calls)
    source = tmp_path / "a.c"
    source.write_text(f"{PRELUDE}{text}{main}\nreturn 0;\n}}\n", encoding="utf-8")
    command = ["gcc", "-std=gnu11", "-w", "-O0", "-fwrapv", "-funsigned-char", "-fno-builtin"]
    subprocess.run([*command, "-o", "a", "a.c"], cwd=tmp_path, check=True)
    output = subprocess.run(
        [tmp_path / "a"], capture_output=True, text=True, check=True, timeout=60
    ).stdout
    models = lower_models({"prelude.h": PRELUDE, "a.c": text})
    assert complaints(models) == []
    functions = {f.symbol: f for f in models.functions}
    for number, line in enumerate(output.split()):
        name, args = f"f{number // len(ARGUMENTS)}", list(ARGUMENTS[number % len(ARGUMENTS)])
        assert Machine(functions).call(name, args) == int(line), (name, args)
