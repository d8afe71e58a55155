# SPDX-License-Identifier: GPL-2.0-or-later
"""Generated programs with unknown arguments compute what they do with numbers.

First with a home that knows the numbers: the arithmetic of terms, and the bounds that
they keep, are checked on their own. Then as the explorer runs them: numbers that the
solver finds for a path lead down that path, to the result that the term stands for.
"""

from __future__ import annotations

from pathlib import Path as File
from random import Random

import pytest
import z3

from ctxlint.simulator.code import Code
from ctxlint.simulator.machine import Machine
from ctxlint.simulator.outcome import Cut, Infeasible
from ctxlint.simulator.unknowns import Sym
from ctxlint.verification.execution import Bounds, Path
from tests.simulator.fuzz.choices import Choices
from tests.simulator.fuzz.host import ARGUMENTS, FUEL, image_of
from tests.simulator.fuzz.shrink import written
from tests.simulator.fuzz.terms import Pinned, number_of

SIZES = ((4, True), (1, False), (8, True))
"""Bytes and signedness of the arguments of a program."""


def programs(seed: int, count: int, longest: int = 100_000) -> list[str]:
    found: list[str] = []
    i = 0
    while len(found) < count:
        text = written(Choices(Random(seed * 100_000 + i))).text
        if len(text) <= longest:
            found.append(text)
        i += 1
    return found


def compare_terms(batch: list[str], folder: File) -> int:
    """Runs with terms; gives how many results were terms."""
    code = Code(image_of(batch, folder))
    terms = 0
    for i, text in enumerate(batch):
        for args in ARGUMENTS[1:]:
            want = Machine(code, fuel=FUEL).call(f"f_{i}", *args)
            home = Pinned()
            hidden = [home.leaf(a, *size) for a, size in zip(args, SIZES, strict=True)]
            have = Machine(code, fuel=FUEL).call(f"f_{i}", *hidden)
            assert number_of(have) == want, f"f{args}:\n{text.replace('@', '')}"
            terms += isinstance(have, Sym)
    return terms


def test_terms(tmp_path: File) -> None:
    batch = programs(11, 25)
    assert compare_terms(batch, tmp_path) > 20


@pytest.mark.slow
def test_many_terms(tmp_path: File) -> None:
    for seed in range(20, 24):
        assert compare_terms(programs(seed, 100), tmp_path) > 100


def explore(code: Code, symbol: str, limit: int) -> int:
    """Some paths of a function; gives how many were compared."""
    pending: list[tuple] = [()]  # type: ignore[type-arg]
    compared = 0
    for _ in range(limit):
        if not pending:
            break
        path = Path(
            pending.pop(0), Bounds(decisions=40), lambda other, site, way: pending.append(other)
        )
        m = Machine(code, fuel=FUEL)
        path.attach(m)
        args = []
        for name, (size, signed) in zip("abc", SIZES, strict=True):
            top = 1 << 8 * size
            low, high = (-top // 2, top // 2 - 1) if signed else (0, top - 1)
            args.append(path.fresh(name, size, low=low, high=high))
        try:
            result = m.call(symbol, *args)
        except (Cut, Infeasible):
            continue
        condition = path.condition
        term = condition.term(result)
        for arg in args:
            condition.term(arg)  # so that the solver has numbers for it
        numbers = condition.model()
        if not numbers:
            continue  # the solver gave up
        exact = z3.substitute(
            term,
            *(
                (condition._names[id(a)], z3.BitVecVal(numbers[a.name], term.size()))
                for a in args
            ),
        )
        want = Machine(code, fuel=FUEL).call(symbol, *(numbers[a.name] for a in args))
        assert z3.simplify(exact).as_signed_long() == want, numbers
        pinned = Pinned()
        pinned.numbers = numbers
        for taken in path.taken:
            assert bool(truth(taken.value, pinned)) == taken.truth, (taken, numbers)
        compared += 1
    return compared


def truth(value: object, home: Pinned) -> int:
    """What a condition of a path is for the numbers of the home."""
    if not isinstance(value, Sym):
        return int(value)  # type: ignore[call-overload,no-any-return]
    seen: dict[int, Sym] = {}

    def moved(at: object) -> object:
        if not isinstance(at, Sym):
            return at
        if id(at) not in seen:
            seen[id(at)] = Sym(home, at.op, moved(at.a), moved(at.b), at.lo, at.hi, at.name)  # type: ignore[arg-type]
        return seen[id(at)]

    found = moved(value)
    assert isinstance(found, Sym)
    return number_of(found)


@pytest.mark.slow
def test_paths(tmp_path: File) -> None:
    batch = programs(12, 8, longest=1500)
    code = Code(image_of(batch, tmp_path))
    assert sum(explore(code, f"f_{i}", 3) for i in range(len(batch))) > 8


@pytest.mark.slow
def test_many_paths(tmp_path: File) -> None:
    batch = programs(13, 24, longest=2000)
    code = Code(image_of(batch, tmp_path))
    assert sum(explore(code, f"f_{i}", 4) for i in range(len(batch))) > 30
