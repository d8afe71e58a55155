# SPDX-License-Identifier: GPL-2.0-or-later
"""Who runs next, where more than one could: seeded, exhaustive, scripted, replayed.

A policy sees the options of one decision in a fixed order and gives the number of one.
Where the running task could go on, that is option 0, and any other is a *preemption*.
The decisions are recorded, and a list of them is a run: :class:`Replay`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

_M64 = (1 << 64) - 1


@dataclass(frozen=True)
class Option:
    """``agent`` is who: ``"cpu2"``, ``"cpu2 init"`` for a task that would take over its
    CPU, ``"inject NAME"`` for an event. ``event`` marks the last kind."""

    agent: str
    event: bool = False


@dataclass(frozen=True)
class Decision:
    """``chosen`` of ``count`` options; ``goes_on`` when option 0 was to go on."""

    chosen: int
    count: int
    goes_on: bool


@dataclass
class Policy:
    """Goes on as long as possible, then takes the next CPU round. Others derive."""

    decisions: list[Decision] = field(default_factory=list, init=False)
    listens: ClassVar[bool] = False
    """Whether it wants to hear of points (:meth:`happened`)."""

    def choose(self, options: Sequence[Option], goes_on: bool) -> int:
        """The number of the option. It is a decision when there are two or more."""
        if len(options) == 1:
            self.alone(options[0])
            return 0
        chosen = self.pick(options, goes_on)
        self.decisions.append(Decision(chosen, len(options), goes_on))
        return chosen

    def pick(self, options: Sequence[Option], goes_on: bool) -> int:
        """Events of a scenario are last: they happen when nothing else can."""
        return 0

    def alone(self, option: Option) -> None:
        """The only one that can run does."""

    def happened(self, agent: str, event: str) -> None:
        """The running agent came to a point."""

    @property
    def schedule(self) -> list[int]:
        """What to give to :class:`Replay` for the same run."""
        return [decision.chosen for decision in self.decisions]


@dataclass
class Seeded(Policy):
    """Random, the same for a seed on every version of Python (splitmix64). Where the
    task could go on it does so, but one time in ``every``."""

    seed: int = 0
    every: int = 4
    _state: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._state = self.seed & _M64

    def below(self, limit: int) -> int:
        self._state = (self._state + 0x9E3779B97F4A7C15) & _M64
        z = self._state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _M64
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _M64
        return (z ^ (z >> 31)) % limit

    def pick(self, options: Sequence[Option], goes_on: bool) -> int:
        if goes_on:
            if self.below(self.every):
                return 0
            return 1 + self.below(len(options) - 1)
        return self.below(len(options))


@dataclass
class Replay(Policy):
    """The recorded decisions again; after the last one, as :class:`Policy`."""

    prefix: Sequence[int] = ()

    def pick(self, options: Sequence[Option], goes_on: bool) -> int:
        at = len(self.decisions)
        if at < len(self.prefix):
            return min(self.prefix[at], len(options) - 1)
        return super().pick(options, goes_on)


class Exhaustive:
    """Every schedule with at most ``preemptions`` preemptions, ``limit`` of them.

    Iterate, and give each policy to one fresh run::

        for policy in Exhaustive(preemptions=2):
            run(policy)

    ``complete`` says afterwards whether none was left out for ``limit``.
    """

    def __init__(self, preemptions: int = 2, limit: int = 10_000) -> None:
        self.preemptions = preemptions
        self.limit = limit
        self.runs = 0
        self.complete = False

    def __iter__(self) -> Iterator[Replay]:
        prefix: list[int] | None = []
        while prefix is not None:
            if self.runs >= self.limit:
                return
            policy = Replay(prefix=tuple(prefix))
            self.runs += 1
            yield policy
            prefix = self._next(policy.decisions)
        self.complete = True

    def _next(self, made: list[Decision]) -> list[int] | None:
        """The next schedule in the order of the last decision first."""
        spent = [0]
        for decision in made:
            spent.append(spent[-1] + (decision.goes_on and decision.chosen > 0))
        for at in range(len(made) - 1, -1, -1):
            decision = made[at]
            if decision.chosen + 1 >= decision.count:
                continue
            cost = spent[at] + (1 if decision.goes_on else 0)
            if cost <= self.preemptions:
                return [d.chosen for d in made[:at]] + [decision.chosen + 1]
        return None


@dataclass
class Script(Policy):
    """Steps ``"AGENT"`` or ``"AGENT until EVENT"``, one after the other.

    The agent of a step runs alone: until it comes to a point whose text contains
    EVENT, or until it cannot run. ``"inject NAME"`` is a step of its own. Where the
    agent of a step cannot run at all the others do, until it can. After the last step:
    as :class:`Policy`. ``left`` are the steps that were not reached.
    """

    steps: Sequence[str] = ()
    listens: ClassVar[bool] = True
    _at: int = field(default=0, init=False)
    _began: bool = field(default=False, init=False)

    @property
    def left(self) -> tuple[str, ...]:
        return tuple(self.steps[self._at + (1 if self._began else 0) :])

    def _step(self) -> tuple[str, str]:
        agent, _, event = self.steps[self._at].partition(" until ")
        return agent.strip(), event.strip()

    def happened(self, agent: str, event: str) -> None:
        if self._at >= len(self.steps):
            return
        who, until = self._step()
        if _is(agent, who):
            self._began = True
            if until and until in event:
                self._at, self._began = self._at + 1, False

    def alone(self, option: Option) -> None:
        self.pick((option,), False)

    def pick(self, options: Sequence[Option], goes_on: bool) -> int:
        while self._at < len(self.steps):
            who, _ = self._step()
            found = next((i for i, o in enumerate(options) if _is(o.agent, who)), None)
            if found is not None:
                self._began = True
                if options[found].event:
                    self._at, self._began = self._at + 1, False
                return found
            if not self._began:
                break
            self._at, self._began = self._at + 1, False
        return super().pick(options, goes_on)


def _is(agent: str, who: str) -> bool:
    """``"cpu1"`` names whatever runs there, ``"init"`` a task wherever it runs."""
    return agent == who or who in agent.split(" ")


__all__ = [
    "Decision", "Exhaustive", "Option", "Policy", "Replay", "Script", "Seeded",
]  # fmt: skip
