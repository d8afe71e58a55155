# SPDX-License-Identifier: GPL-2.0-or-later
"""The piece of a patch that a finding is about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ctxlint.findings.model import Finding
from ctxlint.findings.series import Quote
from ctxlint.patches.model import FilePatch, Hunk

_BEFORE = 8
_AFTER = 4


def quote(finding: Finding, files: Iterable[FilePatch]) -> Quote | None:
    """The hunk to answer under: the one that adds a line of the finding's way, the
    nearest to its end; else one that shows such a line; else the nearest in the file."""
    hunks = [(f.new, h) for f in files if f.new is not None for h in f.hunks]
    places = [(finding.file, finding.line)]
    places += [(step.file, step.line) for step in reversed(finding.path)]
    for wanted in ("+", " "):
        for file, line in places:
            for name, hunk in hunks:
                index = hunk.new_lines().get(line) if name == file else None
                if index is not None and hunk.lines[index].startswith(wanted):
                    return _cut(file, hunk, index)
    for file, line in places:
        near = [h for name, h in hunks if name == file and _changed(h)]
        if near:
            hunk = min(near, key=lambda h: abs(h.new_start - line))
            return _cut(file, hunk, next(_changed_lines(hunk)))
    return None


def _changed(hunk: Hunk) -> bool:
    return next(_changed_lines(hunk), None) is not None


def _changed_lines(hunk: Hunk) -> Iterator[int]:
    return (n for n, line in enumerate(hunk.lines) if line[:1] in ("+", "-"))


def _cut(file: str, hunk: Hunk, index: int) -> Quote:
    start = max(index - _BEFORE, 0)
    lines = hunk.lines[start : index + 1 + _AFTER]
    return Quote(file=file, header=hunk.header, lines=lines, line=index - start)
