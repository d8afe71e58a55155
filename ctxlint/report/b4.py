# SPDX-License-Identifier: GPL-2.0-or-later
"""Answers for b4's check commands.

b4 hands a message to a check on its standard input and reads a JSON list of
``{tool, status, summary, url, details}`` with the status ``pass``, ``warn`` or ``fail``
(``review-perpatch-check-cmd`` and ``review-series-check-cmd``). Its older checks
(``prep-perpatch-check-cmd``, ``am-perpatch-check-cmd``) read lines instead, as
checkpatch writes them: one with ``ERROR:`` is a failure, any other a warning, none at
all is success (source: b4/review/checks.py, ``run_local_check`` in b4/__init__.py).
"""

from __future__ import annotations

import json

from ctxlint.findings.model import Finding
from ctxlint.findings.series import PatchReport, SeriesResult
from ctxlint.report.clean import clean
from ctxlint.report.series_text import (
    base_words,
    bisect_text,
    half_text,
    profile_words,
)
from ctxlint.report.unseen import counted, sentence
from ctxlint.report.witness import in_function, only_if

TOOL = "ctxlint"
_LISTED = 50


def render(series: SeriesResult) -> str:
    """One entry for each introduced or half-fixed finding, one for what could not be
    analysed, or a single ``pass``. What a patch does to the build is a ``pass`` that says
    so."""
    entries = _entries(series)
    if not entries:
        fixed = len(series.fixed)
        text = "no new sleep in atomic context" + (f", {fixed} fixed" if fixed else "")
        kernels = "; ".join(profile_words(p, series.prepared) for p in series.profiles)
        details = f"on {base_words(series)}, analysed as {kernels}"
        entries.append(_entry("pass", text, details))
    entries += [
        _entry("pass", note, "") for note in series.result.notes if note in _shown(series)
    ]
    return _json(entries)


def render_lines(series: SeriesResult) -> str:
    """The same for b4's older checks; nothing when there is nothing to say."""
    words = {"fail": "ERROR", "warn": "WARNING"}
    return "".join(f"{words[e['status']]}: {e['summary']}\n" for e in _entries(series))


def failure(message: str, hint: str = "") -> str:
    """The answer when the series could not be applied or read."""
    return _json([_entry("warn", message, hint)])


def failure_lines(message: str) -> str:
    """The same for b4's older checks."""
    return clean(f"WARNING: not analysed: {message}") + "\n"


def _entries(series: SeriesResult) -> list[dict[str, str]]:
    entries: list[dict[str, str]] = []
    for patch in series.patches:
        many = len(series.patches) > 1
        where = f"patch {patch.number}/{patch.total}: " if many else ""
        for finding in patch.introduced:
            entries.append(
                _entry("fail", where + _head(finding), _details(series, patch, finding))
            )
        for pair in patch.partly_fixed:
            details = half_text() + ".\n" + _way(series, pair.after)
            entries.append(_entry("warn", f"{where}partly fixed: {_head(pair.after)}", details))
    shown = _shown(series)
    entries += [_entry("warn", note, "") for note in series.result.notes if note not in shown]
    if series.incomplete:
        rows = [sentence(item) for item in series.incomplete]
        more = f"\nand {len(rows) - _LISTED} more" if len(rows) > _LISTED else ""
        entries.append(
            _entry(
                "warn",
                f"incomplete: {counted(series.incomplete)}",
                "\n".join(rows[:_LISTED]) + more,
            )
        )
    entries += [
        _entry("warn", f"not all of the series was analysed: {gap}", "")
        for gap in series.gaps[:_LISTED]
    ]
    return entries


def _shown(series: SeriesResult) -> set[str]:
    """Notes on what the analysis rests on, which are no warnings; that a finding is hidden
    is one."""
    notes = {note for p in series.patches for note in p.notes if note not in p.hides}
    return notes | set(series.notes)


def _json(entries: list[dict[str, str]]) -> str:
    return json.dumps(entries, indent=2, ensure_ascii=True) + "\n"


def _entry(status: str, summary: str, details: str) -> dict[str, str]:
    return {
        "tool": TOOL,
        "status": status,
        "summary": clean(summary),
        "url": "",
        "details": "\n".join(clean(line) for line in details.split("\n")),
    }


def _head(finding: Finding) -> str:
    kernels = "PREEMPT_RT kernels only" if finding.rt_only else "every kernel"
    return f"{finding.file}:{finding.line}: {finding.message} [{finding.check}], {kernels}"


def _details(series: SeriesResult, patch: PatchReport, finding: Finding) -> str:
    text = _way(series, finding)
    later = patch.fixed_later.get(finding.fingerprint)
    if later is not None:
        text += "\n" + bisect_text(patch, later)
    return text


def _way(series: SeriesResult, finding: Finding) -> str:
    rows = [f"{s.file}:{s.line}:{in_function(s)} {s.note}" for s in finding.path]
    if finding.assumptions:
        rows.append(only_if(finding))
        rows += [f"- {assumption}" for assumption in finding.assumptions]
    seen = [p for p in series.profiles if p.name in finding.profiles]
    rows.append(f"found on {'; '.join(profile_words(p, series.prepared) for p in seen)}")
    return "\n".join(rows)
