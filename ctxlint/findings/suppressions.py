# SPDX-License-Identifier: GPL-2.0-or-later
"""Comments that suppress findings: ``/* ctxlint: allow(CHECK) REASON */``.

The words are at the beginning of the comment or of one of its lines, so that
text that merely mentions them is not a suppression. An error in one is kept
with it and reported later; nothing is ignored silently.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from ctxlint.findings.comments import Comment, comments
from ctxlint.findings.model import Suppression

MARKER = "ctxlint:"
FORM = "ctxlint: allow(CHECK) REASON"

#: Characters of a source line that are kept: one may hold thousands of comments.
_SHOWN = 1000
_ALLOW = re.compile(r"allow\s*\(([^()]*)\)(.*)", re.DOTALL)


def read(files: Iterable[str], content: Callable[[str], str | None]) -> tuple[Suppression, ...]:
    """The suppressions of ``files``, in order of file and line.

    ``content`` gives the text of a file, or None when there is none to read.
    Files without the marker cost a search and no more.
    """
    found: list[Suppression] = []
    for file in sorted(set(files)):
        text = content(file)
        if text is not None and MARKER in text:
            found += of_text(file, text)
    return tuple(found)


def of_text(file: str, text: str) -> tuple[Suppression, ...]:
    """The suppressions of one file's text."""
    lines = text.split("\n")
    return tuple(
        suppression
        for comment in comments(text)
        if MARKER in comment.text
        for suppression in _of_comment(file, comment, lines)
    )


def _of_comment(file: str, comment: Comment, lines: list[str]) -> Iterator[Suppression]:
    for offset, words in _statements(comment.text):
        line = min(comment.line + offset, comment.end)
        source = lines[line - 1][:_SHOWN].rstrip("\r")
        at = source.find(MARKER)
        column = len(source[:at].encode("utf-8", "replace")) + 1 if at >= 0 else 1
        match = _ALLOW.match(words)
        names = [name.strip() for name in match.group(1).split(",")] if match else []
        reason = " ".join(match.group(2).split()).strip(" :-\u2013\u2014") if match else ""
        problem = ""
        shown = f"allow({', '.join(names)})"
        if match is None or not all(names):
            problem = f"this comment is not understood; its form is: {FORM}"
        elif not re.search(r"\w", reason):
            problem = f"{shown} has no reason, so it does not count"
        elif comment.scope == "nothing":
            problem = f"{shown} stands at no call, above no function and not before the first"
            problem += " declaration"
        yield Suppression(
            file=file,
            line=line,
            column=column,
            checks=tuple(dict.fromkeys(name for name in names if name)),
            reason=reason,
            scope=comment.scope,
            first=comment.first,
            last=comment.last,
            text=source,
            problem=problem,
        )


def _statements(comment: str) -> Iterator[tuple[int, str]]:
    """What follows each marker, up to an empty line or the next one, with the
    number of lines of the comment before it."""
    body = comment[2:-2] if comment.startswith("/*") and comment.endswith("*/") else comment[2:]
    current: list[str] | None = None
    start = 0
    for number, raw in enumerate(body.split("\n")):
        row = raw.strip().lstrip("*/!").strip()
        if row.startswith(MARKER) or not row:
            if current is not None:
                yield start, " ".join(current)
            current, start = ([row[len(MARKER) :].strip()], number) if row else (None, 0)
        elif current is not None:
            current.append(row)
    if current is not None:
        yield start, " ".join(current)
