# SPDX-License-Identifier: GPL-2.0-or-later
"""The states at one place of a function, no more of them than may be.

As long as there is room, states stay apart that differ in context or in the constants
of some variables. Without room, those are merged that are equally strict and differ in
the names of locks only, then those that differ in constants, which is told; what fits
nowhere is dropped, and told too.
"""

from __future__ import annotations

from collections.abc import Callable

from ctxlint.facts import limits
from ctxlint.facts.state import State, merge
from ctxlint.semantics.terms import Result

Key = tuple[object, ...]
Lose = Callable[[str, object], None]
"""Takes note of a loss: its kind (:data:`ctxlint.facts.limits.LIMITS`) and what was
lost, which counts once however often the fixpoint comes by."""


class Disjuncts:
    """``place`` names values that are merged here; ``tracked`` are the slots whose
    constants keep states apart, ``deciding`` those whose constants decide what a callee may
    do."""

    def __init__(
        self, place: str, tracked: tuple[int, ...], deciding: frozenset[int], lose: Lose
    ) -> None:
        self.place = place
        self.tracked = tracked
        self.deciding = deciding
        self.lose = lose
        self.states: dict[Key, State] = {}
        self._homes: dict[Key, Key] = {}
        """Where states go whose class was merged once, by class."""

    def join(self, state: State) -> list[Key]:
        """Add a state; the keys of the states that are new or know less than before."""
        key = state.key(self.tracked)
        changed: list[Key] = []
        if key not in self.states:
            kept = self._home(state)
            if kept is None and len(self.states) >= limits.STATES_PER_BLOCK:
                changed = self._make_room(state)
                kept = self._home(state)
                if kept is None and len(self.states) >= limits.STATES_PER_BLOCK:
                    self.lose("states", (self.place, key))
                    return changed
            if kept is None:
                self.states[key] = state
                return [*changed, key]
            key = kept
        if self._merge(key, state):
            changed.append(key)
        return changed

    def _merge(self, key: Key, state: State) -> bool:
        there = self.states[key]
        deciding = tuple(sorted(self.deciding))
        differ = there.constants(deciding) != state.constants(deciding)
        changed = merge(there, state, self.place, (*self.tracked, *deciding))
        # Which of several constants an argument is decides what a callee may do.
        if differ and any(type(there.vals.get(slot)) is Result for slot in deciding):
            self.lose("values", self.place)
        return changed

    def _home(self, state: State) -> Key | None:
        """The state that another one is merged with although it differs."""
        if self._homes:
            for group in self._groups(state):
                if group in self._homes:
                    return self._homes[group]
        if state.rounds() <= limits.LOOP_ROUNDS:
            return None
        before = [
            (len(there.locks), key)
            for key, there in self.states.items()
            if there.irqs == state.irqs
            and there.rounds() == limits.LOOP_ROUNDS
            and there.constants(self.tracked) == state.constants(self.tracked)
        ]
        return max(before, key=lambda item: item[0])[1] if before else None

    def _groups(self, state: State) -> tuple[Key, Key]:
        """The classes that a state is in, the smaller one first."""
        strength = state.strength()
        return (strength, state.constants(self.tracked)), (strength,)

    def _make_room(self, state: State) -> list[Key]:
        """Merge the largest class of states, counting one that arrives."""
        for level in (0, 1):
            classes: dict[Key, list[Key | None]] = {}
            for key, there in self.states.items():
                classes.setdefault(self._groups(there)[level], []).append(key)
            mine = self._groups(state)[level]
            if mine in classes:
                classes[mine].append(None)
            group, members = max(classes.items(), key=lambda item: len(item[1]))
            if len(members) > 1:
                return self._collapse(group, [key for key in members if key is not None])
        return []

    def _collapse(self, group: Key, members: list[Key]) -> list[Key]:
        kept, *others = members
        changed = False
        for key in others:
            changed |= self._merge(kept, self.states[key])
            del self.states[key]
        for known, key in self._homes.items():
            if key in others:
                self._homes[known] = kept
        self._homes[group] = kept
        return [kept] if changed else []
