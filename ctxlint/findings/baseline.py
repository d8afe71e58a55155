# SPDX-License-Identifier: GPL-2.0-or-later
"""A list of known findings, as text that people read and git merges.

One line per entry, in sorted order, so that two branches that add entries meet in
different lines, and a union of both files is a valid file again:

    CHECK FILE FUNCTION CALLEE OPERATION FINGERPRINT REASON...

Fields are separated by blanks; blanks, ``%``, ``#`` and whatever does not print
are written as ``%XX`` inside a field. The fingerprint alone decides which
finding is meant. The other fields show people what it is, also when the finding
is gone. Lines that begin with ``#`` are comments: those above an entry stay
with it, the others stay at the head or the end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

from ctxlint.base.errors import UsageError
from ctxlint.base.places import BASELINE
from ctxlint.findings.fingerprint import VERSION
from ctxlint.findings.model import BaselineEntry, Finding

DEFAULT_NAME = BASELINE
FIRST_LINE = f"# ctxlint baseline 1, fingerprints {VERSION}"

_HEAD = (
    "# Known findings: check, file, function, callee, operation, fingerprint, reason.",
    "# Write the reason at the end of a line. 'ctxlint baseline update' keeps it.",
)
_FIRST = re.compile(r"# ctxlint baseline (\S+), fingerprints (\S+)")
_FINGERPRINT = re.compile(r"[0-9a-f]{16,64}")
_SAFE = "!\"$&'()*+,-./:;?@[\\]^_`{}~"  # no marks of a merge conflict
_NOTHING = "-"


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """``entries`` in the order of the file. ``notes`` are the comment lines above
    an entry, by fingerprint; ``head`` and ``tail`` the other comment lines."""

    entries: tuple[BaselineEntry, ...] = ()
    notes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    head: tuple[str, ...] = _HEAD
    tail: tuple[str, ...] = ()

    def by_fingerprint(self) -> dict[str, BaselineEntry]:
        return {entry.fingerprint: entry for entry in self.entries}


def entry_of(finding: Finding, reason: str = "") -> BaselineEntry:
    """The entry that makes ``finding`` a known one."""
    return BaselineEntry(
        check=finding.check,
        file=finding.file,
        function=finding.function,
        callee=finding.callee,
        operation=finding.operation,
        fingerprint=finding.fingerprint,
        reason=_one_line(reason),
    )


def updated(
    old: Baseline,
    findings: Iterable[Finding],
    stale: Iterable[BaselineEntry],
    *,
    reason: str = "",
    add: bool = True,
) -> Baseline:
    """``old`` without its ``stale`` entries and with those of ``findings``.

    An entry keeps its reason and its comments; what it says of the place
    follows the finding. New entries (unless ``add`` is false) get ``reason``.
    """
    gone = {entry.fingerprint for entry in stale}
    kept = {key: e for key, e in old.by_fingerprint().items() if key not in gone}
    for finding in findings:
        known = kept.get(finding.fingerprint)
        if known is not None or add:
            text = known.reason if known is not None else reason
            kept[finding.fingerprint] = entry_of(finding, text)
    entries = tuple(sorted(kept.values(), key=_line))
    notes = {key: lines for key, lines in old.notes.items() if key in kept}
    return Baseline(entries=entries, notes=notes, head=old.head, tail=old.tail)


def render(baseline: Baseline) -> str:
    """The file's text; the same entries give the same text."""
    lines = [FIRST_LINE, *baseline.head]
    for entry in sorted(baseline.entries, key=_line):
        lines += [*baseline.notes.get(entry.fingerprint, ()), _line(entry)]
    return "".join(line + "\n" for line in [*lines, *baseline.tail])


def parse(text: str, name: str) -> Baseline:
    """Reads what :func:`render` wrote, or people and git made of it.

    Two entries of one fingerprint are one; a reason wins over none. ``name`` is
    the file's, for messages. Raises :class:`UsageError` for lines that are no
    entries and for a file of another version.
    """
    entries: dict[str, BaselineEntry] = {}
    notes: dict[str, list[str]] = {}
    known: dict[str, set[str]] = {}
    head: list[str] | None = None
    pending: list[str] = []
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        match = _FIRST.match(line)
        if match:
            _same_version(match, name)
        elif line.startswith("#"):
            pending.append(line)
        elif not line:
            # An empty line ends the head; elsewhere it means nothing.
            if head is None and pending:
                head, pending = pending, []
        else:
            entry = _entry(line, f"{name}:{number}")
            if head is None:
                head, pending = _split_head(pending)
            old = entries.get(entry.fingerprint)
            if old is None or (entry.reason and not old.reason):
                entries[entry.fingerprint] = entry
            if pending:
                before = known.setdefault(entry.fingerprint, set())
                new = [note for note in pending if note not in before]
                notes.setdefault(entry.fingerprint, []).extend(new)
                before.update(new)
                pending = []
    if head is None:
        head, pending = pending, []
    return Baseline(
        entries=tuple(entries.values()),
        notes={key: tuple(lines) for key, lines in notes.items()},
        head=tuple(head),
        tail=tuple(pending),
    )


def stale_of(
    baseline: Baseline, findings: Iterable[Finding], covered: Callable[[str, str], bool]
) -> tuple[BaselineEntry, ...]:
    """Entries whose finding is gone: it is none of ``findings``, although
    ``judged(check, file)`` says that it would have been found."""
    present = {finding.fingerprint for finding in findings}
    return tuple(
        entry
        for entry in sorted(baseline.entries, key=_line)
        if entry.fingerprint not in present and covered(entry.check, entry.file)
    )


def _split_head(lines: list[str]) -> tuple[list[str], list[str]]:
    """Comments before the first entry: the usual head, and what follows it."""
    if tuple(lines[: len(_HEAD)]) == _HEAD:
        return lines[: len(_HEAD)], lines[len(_HEAD) :]
    return lines, []


def _same_version(match: re.Match[str], name: str) -> None:
    if match.group(1) != "1" or match.group(2) != VERSION:
        raise UsageError(
            f"{name}: a baseline of another version ({match.group(1)}, {match.group(2)})",
            hint="recreate it: ctxlint baseline create",
        )


def _entry(line: str, place: str) -> BaselineEntry:
    fields = line.split(None, 6)
    if line.startswith(("<<<<<<<", "=======", ">>>>>>>", "|||||||")):
        raise UsageError(
            f"{place}: an unresolved merge conflict",
            hint="keep the lines of both sides and remove the markers",
        )
    if len(fields) < 6 or not _FINGERPRINT.fullmatch(fields[5]):
        raise UsageError(
            f"{place}: not a baseline entry",
            hint="a line is: check file function callee operation fingerprint reason",
        )
    try:
        check, file, function, callee, operation = (_unquoted(part) for part in fields[:5])
    except UnicodeDecodeError as error:
        raise UsageError(f"{place}: %XX stands for no character") from error
    return BaselineEntry(
        check=check,
        file=file,
        function=function,
        callee=callee,
        operation=operation,
        fingerprint=fields[5],
        reason=fields[6] if len(fields) > 6 else "",
    )


def _line(entry: BaselineEntry) -> str:
    fields = (entry.check, entry.file, entry.function, entry.callee, entry.operation)
    quoted = " ".join(_quoted(part) for part in fields)
    return f"{quoted} {entry.fingerprint} {_one_line(entry.reason)}".rstrip()


def _quoted(text: str) -> str:
    if text == _NOTHING:
        return "%2D"
    return quote(text, safe=_SAFE, errors="surrogatepass") or _NOTHING


def _unquoted(text: str) -> str:
    return "" if text == _NOTHING else unquote(text, errors="surrogatepass")


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
