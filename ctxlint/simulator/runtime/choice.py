# SPDX-License-Identifier: GPL-2.0-or-later
"""What a run depends on and nobody can know: the state of lists and caches.

``if (model_may("pcp list is empty", 0)) { ...; model_may_end(); }`` in a model function
asks for one. A scenario forces the answer by name; an explorer sets ``decide`` and
tries both; otherwise the default that the model function gives holds. Reports made
while such an answer is open are not certain.
"""

from __future__ import annotations

from collections.abc import Callable

from ctxlint.simulator.machine import Machine, primitive
from ctxlint.simulator.runtime.state import Kernel, kernel_of


class Choices:
    """``forced`` answers by name; ``asked`` are all that came up, in order, with their
    answers; ``open`` are those that what runs now depends on."""

    def __init__(self, kernel: Kernel) -> None:
        self.forced: dict[str, bool] = {}
        self.decide: Callable[[str, bool], bool] | None = None
        self.asked: list[tuple[str, bool]] = []
        self.maybe: list[tuple[str, bool]] = []
        """Those of ``asked`` that a verdict may depend on."""
        self.open: list[str] = []

    def ask(self, name: str, default: bool) -> bool:
        if name in self.forced:
            answer = self.forced[name]
        elif self.decide is not None:
            answer = bool(self.decide(name, default))
        else:
            answer = default
        self.asked.append((name, answer))
        return answer


@primitive
def model_may(m: Machine, name: int, default: int) -> int:
    """``int model_may(const char *name, int default_)``: whether it is so this time; a
    yes is open until ``model_may_end()``."""
    choices = kernel_of(m).part(Choices)
    text = m.mem.text(name)
    answer = choices.ask(text, bool(int(default)))
    choices.maybe.append((text, answer))
    if answer:
        choices.open.append(text)
    return int(answer)


@primitive
def model_may_end(m: Machine) -> None:
    """``void model_may_end(void)``: the latest open choice no longer matters."""
    kernel_of(m).part(Choices).open.pop()


@primitive
def model_state(m: Machine, name: int, default: int) -> int:
    """``int model_state(const char *name, int default_)``: like model_may(), for what
    changes the way but not the verdict: nothing stays open."""
    return int(kernel_of(m).part(Choices).ask(m.mem.text(name), bool(int(default))))


__all__ = ["Choices"]
