# SPDX-License-Identifier: GPL-2.0-or-later
"""The identity of a finding across runs, edits and machines.

A fingerprint is made of names and never of numbers: moving a function, editing
code around it or analysing the tree in another folder keeps it. It changes if
the finding does: another check, file, function, callee, operation class, entry
point or hotplug section.

The profile and the severity are not part of it, so the same finding seen by one
more configuration stays the same finding. What distinguishes two equal ones (the
same function called twice by the same function) is their order in the file.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from pathlib import PurePosixPath

import msgspec

from ctxlint.findings.model import Finding

VERSION = "ctxlint/v1"
"""Name of the recipe. A change of the recipe needs a new name, because saved
baselines and review tools keep the old values."""

_HEX_DIGITS = 32
_LINE_HEX_DIGITS = 16


def fingerprint(
    *,
    check: str,
    file: str,
    function: str,
    callee: str,
    operation: str,
    entry_function: str,
    entry_kind: str,
    section: str | None,
    occurrence: int,
) -> str:
    """32 hexadecimal digits: SHA-256 of the fields, in this order, cut to 128 bits.

    ``file`` is relative to the tree; of a file outside of it only the name is
    used. ``section`` is the hotplug section or None. ``occurrence`` counts from
    0 among findings that agree in everything else, in the order of the source.
    Raises ValueError when ``occurrence`` is negative.
    """
    if occurrence < 0:
        raise ValueError("occurrence counts from 0")
    fields = (
        VERSION,
        check,
        _stable_path(file),
        function,
        callee,
        operation,
        entry_function,
        entry_kind,
        section or "",
        str(occurrence),
    )
    # A length before each field: no two lists of fields give the same bytes.
    blob = "".join(f"{len(field)}:{field}" for field in fields)
    return hashlib.sha256(_bytes(blob)).hexdigest()[:_HEX_DIGITS]


def with_fingerprints(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings in the order of every report, each with its fingerprint.

    The order is file, line, column, check, then the other fields, so it does not
    depend on the order of the input.
    """
    seen: dict[tuple[str, ...], int] = defaultdict(int)
    result = []
    for finding in sorted(findings, key=order):
        key = (
            finding.check,
            finding.file,
            finding.function,
            finding.callee,
            finding.operation,
            finding.entry.function,
            finding.entry.kind,
            finding.context.section or "",
        )
        value = fingerprint(
            check=finding.check,
            file=finding.file,
            function=finding.function,
            callee=finding.callee,
            operation=finding.operation,
            entry_function=finding.entry.function,
            entry_kind=finding.entry.kind,
            section=finding.context.section,
            occurrence=seen[key],
        )
        seen[key] += 1
        result.append(msgspec.structs.replace(finding, fingerprint=value))
    return tuple(result)


def primary_location_line_hash(line_text: str, occurrence: int) -> str:
    """What code-scanning services follow an alert by: ``"HASH:N"``.

    The hash is of the line without its white space (a new indentation is no new
    alert); N counts equal lines of the file from 1. Same idea as GitHub's value
    of that name, not the same digits: GitHub accepts any value that is stable.
    Raises ValueError when ``occurrence`` is below 1.
    """
    if occurrence < 1:
        raise ValueError("occurrence counts from 1")
    digest = hashlib.sha256(_bytes("".join(line_text.split()))).hexdigest()
    return f"{digest[:_LINE_HEX_DIGITS]}:{occurrence}"


def line_hashes(findings: Iterable[Finding]) -> dict[tuple[str, int], str]:
    """:func:`primary_location_line_hash` of every (file, line) with a finding.

    A report has no access to the sources, so equal lines are counted among the
    lines that have findings. A finding without its source line is known by its
    function and callee instead.
    """
    texts: dict[tuple[str, int], str] = {}
    for finding in sorted(findings, key=order):
        text = finding.text or f"{finding.function} {finding.callee}"
        texts.setdefault((finding.file, finding.line), text)
    seen: dict[tuple[str, str], int] = defaultdict(int)
    hashes = {}
    for place in sorted(texts):
        same = (place[0], "".join(texts[place].split()))
        seen[same] += 1
        hashes[place] = primary_location_line_hash(texts[place], seen[same])
    return hashes


def order(finding: Finding) -> tuple[object, ...]:
    """Sorting key of findings in every report."""
    return (
        finding.file,
        finding.line,
        finding.column,
        finding.check,
        finding.function,
        finding.callee,
        finding.operation,
        finding.entry.file,
        finding.entry.line,
        finding.entry.function,
        finding.entry.kind,
        finding.entry.state or "",
        finding.context.text,
        finding.profiles,
        finding.message,
    )


def _stable_path(file: str) -> str:
    path = PurePosixPath(file)
    return path.name if path.is_absolute() else path.as_posix()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
