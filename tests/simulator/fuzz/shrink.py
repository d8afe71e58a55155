# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes a failing program small: fewer and simpler decisions, many candidates a round."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import monotonic

from tests.simulator.fuzz.choices import Choices
from tests.simulator.fuzz.writer import Writer

ROUND = 48


@dataclass(frozen=True)
class Written:
    """A program, and the decisions that it took."""

    text: str
    taken: list[int]
    spans: list[tuple[int, int]]

    @property
    def key(self) -> tuple[int, int, list[int]]:
        return len(self.text), len(self.taken), self.taken


def written(choices: Choices) -> Written:
    return Written(Writer(choices).program(), choices.taken, choices.spans)


def shrunk(
    program: Written, failing: Callable[[list[str]], set[str]], seconds: float = 60
) -> str:
    """``failing`` tells which of some programs still fail."""
    best = program
    seen = {best.text}
    end = monotonic() + seconds
    while monotonic() < end:
        batch: dict[str, Written] = {}
        for candidate in _candidates(best):
            found = written(Choices(prefix=candidate))
            if found.text not in seen and found.key < best.key:
                batch[found.text] = found
                seen.add(found.text)
                if len(batch) == ROUND:
                    break
        if not batch:
            break
        left = failing(list(batch))
        if left:
            best = min((batch[text] for text in left), key=lambda w: w.key)
    return best.text


def _candidates(program: Written) -> Iterator[list[int]]:
    best = program.taken
    for start, end in sorted(set(program.spans), key=lambda s: s[0] - s[1]):
        for zeros in range(min(4, end - start)):
            yield best[:start] + [0] * zeros + best[end:]
    n = len(best)
    for size in (8, 4, 2, 1):
        for start in range(0, n, max(size // 2, 1)):
            yield best[:start] + best[start + size :]
    for i, number in enumerate(best):
        for lower in sorted({0, number // 2, number - 1}):
            if 0 <= lower < number:
                yield [*best[:i], lower, *best[i + 1 :]]
