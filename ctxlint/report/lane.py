# SPDX-License-Identifier: GPL-2.0-or-later
"""The path of a finding as a picture: a lane, and tracks beside it.

The lane runs from the registration to the operation and has the colour of the
strictest part of the execution context. Each track is one part of it
(interrupts off, a lock) and is drawn from the step where it begins to the step
where it ends. This module says what is drawn; a template draws it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ctxlint.findings.model import Finding, State
from ctxlint.report.witness import state_of

# Parts of an execution context, strictest first: the name of the colour, the words, and
# whether a state has it.
_PARTS: tuple[tuple[str, str, Callable[[State], bool]], ...] = (
    ("nmi", "in NMI", lambda state: state.nmi),
    ("hard", "in hard interrupt", lambda state: state.hardirq and not state.nmi),
    ("irq", "interrupts off", lambda state: state.irqs == "off"),
    ("soft", "in softirq", lambda state: state.softirq and not state.hardirq),
    ("preempt", "preemption off", lambda state: not state.preempt),
    ("bh", "bottom halves off", lambda state: state.bh_disabled and not state.softirq),
    ("rcu", "RCU read side", lambda state: state.rcu),
)

STATES = {**{css: words for css, words, _ in _PARTS}, "lock": "lock held"}
"""Colour -> the part of an execution context that has it."""

TRACK_WIDTH = 12
_FIRST_TRACK_X = 32


@dataclass(frozen=True)
class Track:
    """One part of the execution context. ``on`` has an item for each step:
    whether it holds after the step."""

    name: str
    css: str
    x: int
    on: tuple[bool, ...]


@dataclass(frozen=True)
class Segment:
    """A vertical piece of a row: above its mark, below it, or both."""

    css: str
    x: int
    above: bool
    below: bool


@dataclass(frozen=True)
class Row:
    """What is drawn beside one step.

    ``above`` and ``below`` are the colours of the lane (``""``: no lane there,
    ``"later"``: other time, drawn dashed). ``begins`` and ``ends`` are
    the tracks that change here.
    """

    above: str
    below: str
    segments: tuple[Segment, ...]
    begins: tuple[Track, ...]
    ends: tuple[Track, ...]


@dataclass(frozen=True)
class Picture:
    """What is drawn of a row for a step of that ``kind``; many steps have the same one.
    ``starts`` and ``stops`` are colours and places of the tracks that change."""

    kind: str
    above: str
    below: str
    segments: tuple[Segment, ...]
    starts: tuple[tuple[str, int], ...]
    stops: tuple[tuple[str, int], ...]


def picture_of(row: Row, kind: str) -> Picture:
    return Picture(
        kind,
        row.above,
        row.below,
        row.segments,
        tuple((track.css, track.x) for track in row.begins),
        tuple((track.css, track.x) for track in row.ends),
    )


@dataclass(frozen=True)
class Lane:
    width: int
    tracks: tuple[Track, ...]
    rows: tuple[Row, ...]


def level(state: State | None) -> str:
    """The colour of an execution context: a key of :data:`STATES`, ``"task"`` when
    nothing restricts it, ``"unknown"`` when that is not known."""
    if state is None:
        return "unknown"
    return next((css for css, _, holds in _PARTS if holds(state)), "task")


def level_of_words(context: str) -> str:
    """The same for a context in words; graphs have no more."""
    parts = state_of(context).split(", ")
    named = (css for css, words, _ in _PARTS if words in parts)
    return next(named, "unknown" if "not known" in context or not context else "task")


def lane_of(finding: Finding) -> Lane:
    """The picture of the path; empty rows for an empty path."""
    states = [step.state for step in finding.path]
    tracks: list[Track] = []
    for css, words, holds in _PARTS:
        on = tuple(state is not None and holds(state) for state in states)
        if any(on):
            tracks.append(Track(words, css, _x(len(tracks)), on))
    for lock in dict.fromkeys(lock for state in states if state for lock in state.locks):
        on = tuple(state is not None and lock in state.locks for state in states)
        tracks.append(Track(lock, "lock", _x(len(tracks)), on))
    colours = [
        "later" if step.kind == "registration" else level(step.state) for step in finding.path
    ]
    rows = tuple(_row(index, colours, tracks) for index in range(len(states)))
    return Lane(_x(len(tracks)), tuple(tracks), rows)


def _row(index: int, colours: list[str], tracks: list[Track]) -> Row:
    last = index + 1 == len(colours)
    segments, begins, ends = [], [], []
    for track in tracks:
        before = index > 0 and track.on[index - 1]
        after = track.on[index]
        if before or after:
            segments.append(Segment(track.css, track.x, before, after and not last))
        if after and not before:
            begins.append(track)
        if before and not after:
            ends.append(track)
    return Row(
        above=colours[index - 1] if index else "",
        below="" if last else colours[index],
        segments=tuple(segments),
        begins=tuple(begins),
        ends=tuple(ends),
    )


def _x(index: int) -> int:
    return _FIRST_TRACK_X + index * TRACK_WIDTH
