# SPDX-License-Identifier: GPL-2.0-or-later
"""The path of a finding as a picture: a lane, and tracks beside it.

The lane runs from the registration to the operation and has the colour of the
strictest part of the execution context. Each track is one part of it
(interrupts off, a lock) and is drawn from the step where it begins to the step
where it ends. This module says what is drawn; a template draws it.
"""

from __future__ import annotations

from dataclasses import dataclass

from ctxlint.findings.model import Finding
from ctxlint.report.witness import state_of

# What the analysis says of an execution context, strictest first, with the
# name of its colour.
_WORDS = {
    "in NMI": "nmi",
    "in hard interrupt": "hard",
    "interrupts off": "irq",
    "in softirq": "soft",
    "preemption off": "preempt",
    "bottom halves off": "bh",
    "RCU read side": "rcu",
}

STATES = {**{css: words for words, css in _WORDS.items()}, "lock": "lock held"}
"""Colour -> the part of an execution context that has it."""

TRACK_WIDTH = 12
LANE_X = 13
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
class Lane:
    width: int
    tracks: tuple[Track, ...]
    rows: tuple[Row, ...]


def level(context: str) -> str:
    """The colour of an execution context in words: a key of :data:`STATES`,
    ``"task"`` when nothing restricts it, ``"unknown"`` when that is not known."""
    parts = _parts(context)
    for words, css in _WORDS.items():
        if words in parts:
            return css
    return "unknown" if "not known" in context or not context else "task"


def lane_of(finding: Finding) -> Lane:
    """The picture of the path; empty rows for an empty path."""
    path = finding.path
    tracks: list[Track] = []
    for words, css in _WORDS.items():
        on = tuple(words in _parts(step.context) for step in path)
        if any(on):
            tracks.append(Track(words, css, _x(len(tracks)), on))
    for lock in finding.context.locks if path else ():
        start = _taken_at(finding, lock)
        on = tuple(index >= start for index in range(len(path)))
        tracks.append(Track(lock, "lock", _x(len(tracks)), on))
    colours = ["later" if s.kind == "registration" else level(s.context) for s in path]
    rows = tuple(_row(index, colours, tracks) for index in range(len(path)))
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


def _taken_at(finding: Finding, lock: str) -> int:
    """The step that takes a lock (``"raw_spinlock_t a->lock (in f)"``); a lock
    that no step takes is held from the entry point on."""
    name, _, place = lock.partition(" (in ")
    entry = 0
    for index, step in enumerate(finding.path):
        if step.kind == "entry":
            entry = index
        if (
            step.kind == "state"
            and (not place or step.function == place.removesuffix(")"))
            and all(word in step.note for word in name.split())
        ):
            return index
    return entry


def _parts(context: str) -> list[str]:
    return state_of(context).split(", ")


def _x(index: int) -> int:
    return _FIRST_TRACK_X + index * TRACK_WIDTH
