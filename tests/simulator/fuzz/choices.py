# SPDX-License-Identifier: GPL-2.0-or-later
"""Where generated programs get their decisions from: a list of numbers, so they shrink."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from random import Random
from typing import TypeVar

T = TypeVar("T")

INTS = {
    "int": (32, True), "unsigned": (32, False), "u8": (8, False), "s8": (8, True),
    "u16": (16, False), "s16": (16, True), "s64": (64, True), "u64": (64, False),
    "char": (8, False), "bool": (1, False), "long": (64, True), "enum e": (32, True),
    "unsigned long long": (64, False),
}  # fmt: skip
"""Bits and signedness of the integer types (``char`` with ``-funsigned-char``)."""
TYPES = tuple(INTS)
CONSTANTS = (
    "0", "1", "2", "-1", "7", "'z'", "255u", "0x7fff", "-128", "0x7fffffff", "0x80000000",
    "3000000000", "(-2147483647 - 1)", "5ul", "~0ull", "0x123456789abcdefull", "LOW", "HIGH",
    "(s16)0x8001", "(u8)-2", "(bool)4", "0x8000000000000000ull", "-77ll", "sizeof(long)",
)  # fmt: skip


class Choices:
    """Decisions, as a list of numbers. ``prefix`` is taken first, then random ones (of
    ``random``) or the simplest. The first option and the lowest number are the simplest.
    """

    def __init__(self, random: Random | None = None, prefix: Sequence[int] = ()) -> None:
        self._random = random
        self._prefix = prefix
        self.taken: list[int] = []
        self.spans: list[tuple[int, int]] = []
        """Decisions that belong together: a statement's, an expression's."""

    @contextmanager
    def span(self) -> Iterator[None]:
        start = len(self.taken)
        yield
        self.spans.append((start, len(self.taken)))

    def many(self, least: int, most: int, make: Callable[[], T], more: int = 60) -> list[T]:
        """So many of something; another one with a probability of ``more`` percent."""
        found: list[T] = []
        while len(found) < most:
            with self.span():
                if not self.chance(more) and len(found) >= least:
                    break
                found.append(make())
        return found

    def number(self, low: int, high: int) -> int:
        at = len(self.taken)
        if at < len(self._prefix):
            step = min(self._prefix[at], high - low)
        else:
            step = self._random.randint(0, high - low) if self._random is not None else 0
        self.taken.append(step)
        return low + step

    def one(self, options: Sequence[T]) -> T:
        return options[self.number(0, len(options) - 1)]

    def chance(self, percent: int) -> bool:
        return self.number(0, 99) >= 100 - percent

    def type(self) -> str:
        return self.one(TYPES)

    def constant(self) -> str:
        return self.one(CONSTANTS)
