# SPDX-License-Identifier: GPL-2.0-or-later
"""Files beyond the audited ones that decide in which contexts these run.

A single file rarely shows how it is entered: its callback may be registered, or
its function called, from another file, and what it calls may be defined in a
third. Candidates are found by name in the text of the tree (a search, no
database to build), nearest folders first; only those that the configuration
builds are read. The search is bounded, and says so when it stops early.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ctxlint.analysis.program import Program
from ctxlint.rulebook import Rulebook
from ctxlint.search import mentions

FILES_PER_ROUND = 16


@dataclass(frozen=True)
class Wanted:
    """External names to look for: ``callers`` are functions of the audited files
    that may reach an operation that waits, ``bodies`` functions that these files
    call and of which nothing is known."""

    callers: frozenset[str]
    bodies: frozenset[str]


class SearchEnd(NamedTuple):
    """Where the search ended: after ``rounds``, with ``files`` that a round found and did
    not read, and so many functions of which a further round would look for ``callers``
    or ``bodies``."""

    rounds: int
    files: int
    callers: int
    bodies: int


def notes(ends: Iterable[SearchEnd]) -> tuple[str, ...]:
    """What is said of the searches of some profiles: nothing when each came to its end.

    It is no more than a note: how far away a caller may be has no natural bound.
    """
    found = [end for end in ends if end.files or end.callers or end.bodies]
    if not found:
        return ()
    files, callers, bodies = (
        max(counts) for counts in zip(*(end[1:] for end in found), strict=True)
    )
    parts = []
    if files:
        parts.append(
            f"{_n(files, 'file')} beyond the {FILES_PER_ROUND} nearest of a round may call or "
            "define what was audited, and were not read"
        )
    if callers or bodies:
        rounds = max(end.rounds for end in found)
        names = [
            f"{word} of {_n(count, 'function')}"
            for count, word in ((callers, "callers"), (bodies, "bodies"))
            if count
        ]
        parts.append(
            f"{' and '.join(names)} were not looked for, after {_n(rounds, 'round')} "
            f"(--reach {rounds + 1} goes on)"
        )
    return ("files beyond the audited ones: " + "; ".join(parts),)


def _n(count: int, noun: str) -> str:
    return f"1 {noun}" if count == 1 else f"{count} {noun}s"


def wanted(
    program: Program, rules: Rulebook, rt: bool, audited: Iterable[str], new: Iterable[str]
) -> Wanted:
    """What the next round has to find for the files that the last one read:
    callers of what leads up to the audited files' waiting functions, bodies of
    what the audited files' functions lead down to."""
    audited_files, fresh = set(audited), set(new)
    start = {s for s, fn in program.functions.items() if fn.file in audited_files}
    callees = _callees(program)
    callers: dict[str, set[str]] = {}
    for symbol, targets in callees.items():
        for target in targets:
            callers.setdefault(target, set()).add(symbol)
    waits = _closure(
        {s for s, targets in callees.items() if any(_waits(rules, t, rt) for t in targets)},
        callers,
    )
    up = {
        s
        for s in _closure(start & waits, callers)
        if (fn := program.functions[s]).file in fresh and fn.name == s
    }
    down = {
        t
        for s in _closure(start, callees)
        if s in program.functions and program.functions[s].file in fresh
        for t in callees[s]
        if t not in program.functions
        and "::" not in t
        and not t.startswith("__builtin_")
        and (rules.api(t) is None or _looked_into(rules, t))
    }
    return Wanted(frozenset(up), frozenset(down))


def _callees(program: Program) -> dict[str, set[str]]:
    """Everything that each function may call."""
    found: dict[str, set[str]] = {}
    for symbol, fn in program.functions.items():
        targets = found.setdefault(symbol, set())
        for edge in fn.edges:
            if edge.symbol:
                targets.add(edge.symbol)
            for point in edge.points:
                targets.update(program.targets(point.target))
    return found


def _closure(start: set[str], edges: dict[str, set[str]]) -> set[str]:
    found = set(start)
    work = list(start)
    while work:
        for symbol in edges.get(work.pop(), ()):
            if symbol not in found:
                found.add(symbol)
                work.append(symbol)
    return found


def _waits(rules: Rulebook, symbol: str, rt: bool) -> bool:
    rule = rules.api(symbol)
    return rule is not None and (
        rule.api.config is not None or any(c.level != "spin" for c in rule.cases(rt))
    )


def _looked_into(rules: Rulebook, symbol: str) -> bool:
    rule = rules.api(symbol)
    return rule is not None and rule.api.inside


def find_files(
    index: mentions.WordIndex,
    names: Wanted,
    near: Iterable[str],
    contents: Mapping[str, bytes | None] | None = None,
) -> list[str]:
    """C files that name one of the ``callers`` or define one of the ``bodies``,
    nearest to ``near`` first. ``index`` is of the tree; ``contents`` are files with
    another text than on the disk (None: no file). Raises ToolMissingError without grep."""
    given = {path: text for path, text in (contents or {}).items() if path.endswith(".c")}
    names_of = names.callers | names.bodies
    if not names_of:
        return []
    texts = {path: text for path, text in given.items() if text is not None}
    on_disk = index.find(names_of)
    found = _hits(on_disk, names) - given.keys() | _hits(
        mentions.of_texts(texts, names_of), names
    )
    homes = sorted({str(Path(f).parent) for f in near})
    return sorted(found, key=lambda f: (_distance(f, homes), f))


def _hits(found: Mapping[str, mentions.Hits], names: Wanted) -> set[str]:
    named = (found[name].named for name in names.callers)
    return set().union(*named, *(found[name].defined for name in names.bodies))


def _distance(file: str, homes: list[str]) -> int:
    """Folders between a file and the nearest audited one; the architecture and
    the core are near to everything."""
    folder = Path(file).parent.parts
    best = 99
    for audited_files in homes:
        parts = Path(audited_files).parts
        common = 0
        for a, b in zip(folder, parts, strict=False):
            if a != b:
                break
            common += 1
        best = min(best, len(folder) + len(parts) - 2 * common)
    return min(best, 4) if file.startswith(("arch/", "kernel/", "drivers/base/")) else best
