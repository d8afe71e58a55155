# SPDX-License-Identifier: GPL-2.0-or-later
"""What the comments of a fixture say is found in it, held against a result, both ways.

``// expect: CHECK``, ``// ok: CHECK``, ``// fp: CHECK: reason`` and ``// fn: CHECK:
reason`` stand at the end of the line that they speak of; ``[rt]`` or ``[nort]`` after the
word limits one to the profiles with or without PREEMPT_RT. A finding without a comment is
as wrong as a comment without its finding (``fixtures/README.md``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ctxlint.findings.model import Result

BUILDS = ("rt", "nort")

_COMMENT = re.compile(r"(expect|ok|fp|fn)(?:\[(rt|nort)\])?: ([a-z-]+)(?:: (.+))?")
_LOOKS_MEANT = re.compile(r"^\s*(expect|ok|fp|fn)\b\s*[\[:]")
_MUST_BE_THERE = frozenset({"expect", "fp"})
_MISSING = {"expect": "expected and not found", "fp": "a known false one, but gone"}
_PRESENT = {
    "ok": "found where the fixture says it is right",
    "fn": "known as missed, but found: make it an expectation",
}


@dataclass(frozen=True)
class Expectation:
    """One comment. ``builds``: the profiles it speaks of, of :data:`BUILDS`."""

    file: str
    line: int
    kind: str
    check: str
    builds: tuple[str, ...]


def expectations(text: str, file: str) -> list[Expectation]:
    """The comments of one file. Raises ValueError for one that is malformed."""
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        for comment in line.split("//")[1:]:
            match = _COMMENT.fullmatch(comment.strip())
            if match is None:
                if _LOOKS_MEANT.match(comment):
                    raise ValueError(f"{file}:{number}: not understood: //{comment}")
                continue
            kind, build, check, reason = match.groups()
            if kind in ("fp", "fn") and not reason:
                raise ValueError(f"{file}:{number}: {kind} needs a reason")
            builds = (build,) if build else BUILDS
            found.append(Expectation(file, number, kind, check, builds))
    return found


Seen = frozenset[tuple[str, int, str, str]]
"""Findings as (file, line, check, build)."""


def seen(result: Result) -> Seen:
    """What a result reports, with "rt" or "nort" for each profile."""
    build = {profile.name: "rt" if profile.rt else "nort" for profile in result.profiles}
    return frozenset(
        (finding.file, finding.line, finding.check, build[name])
        for finding in result.findings
        for name in finding.profiles
    )


@dataclass(frozen=True)
class Compared:
    """One comment, or one finding without a comment, under one build. ``found``: there is
    such a finding; ``wrong`` says what does not agree, ``""`` when all does."""

    file: str
    line: int
    check: str
    build: str
    found: bool
    wrong: str = ""


def compare(
    wanted: Iterable[Expectation], found: Seen, file: str, builds: Iterable[str] = BUILDS
) -> list[Compared]:
    """Comments and findings of ``file``, in its order: the comments under each of the
    ``builds`` that were analysed, then findings that no comment speaks of."""
    analysed = set(builds)
    out = []
    explained = set()
    for item in wanted:
        for build in item.builds:
            if build not in analysed:
                continue
            key = (item.file, item.line, item.check, build)
            explained.add(key)
            if key in found:
                wrong = _PRESENT.get(item.kind, "")
            else:
                wrong = _MISSING[item.kind] if item.kind in _MUST_BE_THERE else ""
            out.append(Compared(*key, key in found, wrong))
    for key in found:
        if key[0] == file and key not in explained:
            out.append(Compared(*key, True, "found and not expected"))
    return sorted(out, key=lambda c: (c.line, c.check, c.build))


def mismatches(wanted: Iterable[Expectation], found: Seen, file: str) -> list[str]:
    """What is wrong with ``file``, one line each; empty when all agree."""
    return [
        f"{item.file}:{item.line}: [{item.build}] {item.check}: {item.wrong}"
        for item in compare(wanted, found, file)
        if item.wrong
    ]
