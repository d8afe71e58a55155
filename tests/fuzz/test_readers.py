# SPDX-License-Identifier: GPL-2.0-or-later
"""Every reader takes every input, or says what is wrong with it, in linear time."""

from __future__ import annotations

import time

import pytest
from examples import examples
from fuzzing import reader as readers
from fuzzing.inputs import changed
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

NAMES = readers.names()
GROWING = [(name, kind) for name in NAMES for kind in readers.load(name).growing]
TRIES = 4
FACTOR = 4
ALLOWED = 9.0
"""Most that four times the input may cost: 4 is linear, 16 quadratic."""
NOTHING = 0.02
"""Seconds of processor time below which there is nothing to compare."""


@pytest.mark.parametrize("name", NAMES)
def test_samples(name: str) -> None:
    reader = readers.load(name)
    assert readers.samples(name), f"{readers.corpus(name)} is empty"
    for data in readers.samples(name).values():
        reader.try_on(data)


@pytest.mark.parametrize("name", NAMES)
def test_changed_samples(name: str) -> None:
    reader = readers.load(name)

    @settings(max_examples=examples(60), suppress_health_check=HealthCheck)
    @given(changed(list(readers.samples(name).values()), reader.words) | st.binary())
    def check(data: bytes) -> None:
        reader.try_on(data)

    check()


@pytest.mark.parametrize(("name", "kind"), GROWING)
def test_work_grows_with_the_input_and_not_faster(name: str, kind: str) -> None:
    """Processor time and the least of some tries: other work on the machine does not
    count, and a single slow try does not either."""
    reader = readers.load(name)
    small, large = (reader.growing[kind](reader.size * k) for k in (1, FACTOR))
    ratios = []
    for _ in range(TRIES):
        few = min(_seconds(reader, small) for _ in range(2))
        many = _seconds(reader, large)
        if many < NOTHING or many < ALLOWED * few:
            return
        ratios.append(many / few)
    pytest.fail(f"{FACTOR} times the input costs {min(ratios):.1f} times the work")


def _seconds(reader: readers.Reader, data: bytes) -> float:
    start = time.process_time()
    reader.try_on(data)
    return time.process_time() - start
