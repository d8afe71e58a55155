# SPDX-License-Identifier: GPL-2.0-or-later
"""The report in the format of GitLab's code quality widget.

An array of entries; GitLab compares those of two branches by their fingerprint.
What could not be analysed, in a unit or in a patch series, is an entry too, and so is a
note of the result, because the format has no other place to say so.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from ctxlint.findings.model import Finding, Incomplete, Result
from ctxlint.report.clean import clean
from ctxlint.report.witness import verdict_of

_SEVERITIES = {"error": "major", "warning": "minor"}


def render(result: Result) -> str:
    """The entries as indented ASCII JSON, ending in a line break."""
    entries = [_finding(finding) for finding in result.findings]
    entries += [_incomplete(unit) for unit in result.incomplete]
    entries += [_note(note) for note in result.notes]
    where = result.paths[0] if result.paths else "."
    entries += [_gap(gap, where) for gap in result.gaps]
    return json.dumps(entries, indent=2, ensure_ascii=True) + "\n"


def _finding(finding: Finding) -> dict[str, Any]:
    verdict = f" (verdict of the model: {verdict_of(finding)})" if finding.verdict else ""
    return _entry(
        finding.message + verdict,
        finding.check,
        finding.fingerprint,
        _SEVERITIES[finding.severity],
        finding.file,
        finding.line,
    )


def _incomplete(unit: Incomplete) -> dict[str, Any]:
    name = f"incomplete:{len(unit.file)}:{unit.file}:{unit.profile}"
    if unit.kind != "unit":
        name += f":{unit.kind}:{unit.function}:{unit.reason}"
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    under = f" under {unit.profile}" if unit.profile else ""
    what = "Not all was analysed" if unit.kind == "limit" else "Not analysed"
    hint = f"; {unit.detail}" if unit.kind == "path" and unit.detail else ""
    text = f"{what}{under}: {unit.reason}{hint}"
    return _entry(text, "incomplete", digest, "info", unit.file, unit.line or 1)


def _note(note: str) -> dict[str, Any]:
    digest = hashlib.sha256(f"note:{note}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return _entry(note, "note", digest, "info", ".", 1)


def _gap(gap: str, file: str) -> dict[str, Any]:
    """What was not analysed of a series; the format wants a place for it."""
    digest = hashlib.sha256(f"gap:{gap}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return _entry(f"Not all of the series was analysed: {gap}", "incomplete", digest, "info",
                  file, 1)  # fmt: skip


def _entry(
    text: str, check: str, fingerprint: str, severity: str, file: str, line: int
) -> dict[str, Any]:
    return {
        "description": clean(text),
        "check_name": clean(check),
        "fingerprint": fingerprint,
        "severity": severity,
        "location": {"path": clean(file), "lines": {"begin": line}},
    }
