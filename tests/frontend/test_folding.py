# SPDX-License-Identifier: GPL-2.0-or-later
"""Constant expressions: our folding against clang's own evaluation.

Each random expression is an enumerator (clang computes it) and the value of a
function (lowering computes it, conversions included).
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from ctxlint.frontend import lower_unit
from ctxlint.ir.codec import decode, encode
from ctxlint.ir.ops import Const, Ret
from ctxlint.ir.unit import Unit

TYPES = ("char", "signed char", "short", "unsigned short", "int", "unsigned", "long",
         "unsigned long", "_Bool")  # fmt: skip
LITERALS = (
    "0",
    "1",
    "2",
    "7u",
    "255",
    "0x80000000",
    "-1",
    "4096ul",
    "'a'",
    "3ll",
    "sizeof(int)",
)
OPERATORS = (
    "+",
    "-",
    "*",
    "/",
    "%",
    "&",
    "|",
    "^",
    "<",
    ">",
    "<=",
    ">=",
    "==",
    "!=",
    "&&",
    "||",
)


def expression(rng: random.Random, depth: int) -> str:
    if depth == 0:
        return rng.choice(LITERALS)
    inner = [expression(rng, depth - 1) for _ in range(3)]
    match rng.randrange(6):
        case 0:
            return f"({rng.choice(TYPES)})({inner[0]})"
        case 1:
            return f"{rng.choice('-~!')}({inner[0]})"
        case 2:
            return f"(({inner[0]}) ? ({inner[1]}) : ({inner[2]}))"
        case 3:
            shift = rng.choice(("<<", ">>"))
            return f"(({inner[0]}) {shift} {rng.randrange(8)})"
    return f"(({inner[0]}) {rng.choice(OPERATORS)} ({inner[1]}))"


@pytest.mark.parametrize("target", ["aarch64", "arm", "x86_64"])
@pytest.mark.parametrize("seed", range(4))
def test_folding_agrees_with_clang(tmp_path: Path, seed: int, target: str) -> None:
    rng = random.Random(seed)
    lines = []
    for n in range(60):
        text = expression(rng, 3)
        lines.append(f"enum {{ E{n} = (long)({text}) }};")
        lines.append(f"long clang{n}(void) {{ return E{n}; }}")
        lines.append(f"long own{n}(void) {{ return (long)({text}); }}")
    (tmp_path / "u.c").write_text("\n".join(lines), encoding="utf-8")
    unit = lower_unit(
        tree=tmp_path,
        file="u.c",
        arguments=(f"--target={target}-linux-gnu", "-std=gnu11"),
        directory=tmp_path,
    )
    wrong = {int(e.split(":")[1]) for e in unit.errors}  # overflow, division by zero
    values: dict[str, int] = {}
    for function in unit.functions:
        term = function.blocks[0].term
        if isinstance(term, Ret) and isinstance(term.value, Const):
            values[function.name] = term.value.value
    compared = 0
    for n in range(60):
        if 3 * n + 1 in wrong or f"own{n}" not in values:
            continue
        assert values[f"own{n}"] == values[f"clang{n}"], lines[3 * n]
        compared += 1
    assert compared > 30


@pytest.mark.parametrize(
    "expression",
    [
        "~(unsigned __int128)0 >> 100",
        "(unsigned __int128)-1",
        "(unsigned __int128)1 << 100",
        "-((__int128)1 << 100)",
        "-(__int128)18446744073709551615ull",
        "(__int128)(unsigned __int128)-1",
    ],
)
def test_constants_of_128_bits_can_be_stored(expression: str, tmp_path: Path) -> None:
    """As expressions, where they do not fit into the 64 bits that a Const has."""
    (tmp_path / "u.c").write_text(
        f"unsigned __int128 g = {expression};\nint f(void) {{ return ({expression}) > 3; }}\n",
        encoding="utf-8",
    )
    unit = lower_unit(
        tree=tmp_path, file="u.c", arguments=("--target=aarch64-linux-gnu",), directory=tmp_path
    )
    assert unit.errors == ()
    assert decode(encode(unit), Unit) == unit
