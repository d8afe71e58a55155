# SPDX-License-Identifier: GPL-2.0-or-later
"""Generated programs give in the model what they give compiled.

The fast sample is always the same. ``CTXLINT_FUZZ_PROGRAMS`` is the number of programs
of the slow tier (default 1000), ``CTXLINT_FUZZ_SEED`` where they begin (default 1).
"""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import pytest

from tests.simulator.fuzz.choices import Choices
from tests.simulator.fuzz.host import compilers, differences
from tests.simulator.fuzz.shrink import Written, shrunk, written

COMPILERS = compilers()
BATCH = 150

needs_compiler = pytest.mark.skipif(
    not COMPILERS, reason="no gcc or clang on an x86_64 host: the model is not compared"
)


def batch_of(seed: int, count: int) -> list[Written]:
    return [written(Choices(Random(seed * 100_000 + i))) for i in range(count)]


def check(seed: int, count: int, folder: Path, compiler: str) -> None:
    batch = batch_of(seed, count)
    by_text = {w.text: w for w in batch}
    found = differences(list(by_text), folder, compiler)
    if not found:
        return
    first = by_text[found[0].program]

    def failing(programs: list[str]) -> set[str]:
        return {d.program for d in differences(programs, folder, compiler)}

    least = shrunk(first, failing)
    shown = differences([least], folder, compiler)
    pytest.fail(f"{len(found)} of {count} (seed {seed}) differ\n{(shown or found)[0]}")


@pytest.mark.slow
@needs_compiler
def test_a_sample(tmp_path: Path) -> None:
    check(1, 50, tmp_path, COMPILERS[0])


@needs_compiler
@pytest.mark.slow
def test_many(tmp_path: Path) -> None:
    programs = int(os.environ.get("CTXLINT_FUZZ_PROGRAMS", "1000"))
    first = int(os.environ.get("CTXLINT_FUZZ_SEED", "1"))
    for i in range((programs + BATCH - 1) // BATCH):
        check(first + i, BATCH, tmp_path, COMPILERS[i % len(COMPILERS)])


def test_programs_are_made_small() -> None:
    """A failure is imitated by something in the text; nothing is compiled."""
    having = (w for w in batch_of(1, 40) if " + " in w.text.partition("u64 f@")[2])
    start = min(having, key=lambda w: len(w.text))

    def failing(programs: list[str]) -> set[str]:
        return {p for p in programs if " + " in p}

    least = shrunk(start, failing)
    assert " + " in least
    assert len(least) < min(len(start.text) / 2, 400)
