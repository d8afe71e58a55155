# SPDX-License-Identifier: GPL-2.0-or-later
"""Which findings of a result are reported: suppressed, known, selected.

A pure step from one result to another, so every command that has a result can
take it. The order matters and is fixed: comments in the source first (so that an
unused one is reported even if its check is not selected), then the baseline, then
the selection.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal

import msgspec

from ctxlint.findings.baseline import Baseline, stale_of
from ctxlint.findings.checkdoc import CheckDoc
from ctxlint.findings.fingerprint import order, with_fingerprints
from ctxlint.findings.model import (
    ContextInfo,
    Entry,
    Finding,
    Result,
    Suppressed,
    Suppression,
)

Severity = Literal["error", "warning"]

UNUSED = "unused-suppression"
"""Id of the check for comments; ``checks/`` documents it."""

NOT_SELECTED = "not_selected"
"""Statistic: findings that the selection left out."""

NOT_NEW = "not_new"
"""Statistic: findings that an older state of the tree has too."""


@dataclass(frozen=True, kw_only=True)
class PathRule:
    """Settings for some files.

    ``patterns`` are directories, files or glob patterns, relative to the tree;
    ``*`` matches slashes too. ``ignore``: ids of checks; empty means that the
    rule ignores none. ``severity``: as in :class:`Selection`.
    """

    patterns: tuple[str, ...]
    ignore: tuple[str, ...] = ()
    severity: Mapping[str, Severity] = field(default_factory=dict)

    def matches(self, file: str) -> bool:
        """Whether ``file`` is one of those."""
        return any(
            file == pattern
            or file.startswith(pattern.rstrip("/") + "/")
            or fnmatchcase(file, pattern)
            for pattern in self.patterns
        )


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What to report.

    ``select``: ids of checks, empty for all; ``ignore``: ids to leave out, and
    it wins. ``rt_only``: only what is a bug on PREEMPT_RT alone. ``severity``
    replaces the severity of a check's findings. ``per_path``: rules for some
    files; the last one that matches decides on a severity. ``baseline``: known
    findings. ``comments``: whether comments in the source are heeded. ``tree``: what
    of this a settings file of the tree has decided.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    rt_only: bool = False
    severity: Mapping[str, Severity] = field(default_factory=dict)
    per_path: tuple[PathRule, ...] = ()
    baseline: Baseline | None = None
    comments: bool = True
    tree: TreeSettings | None = None

    def ids(self) -> set[str]:
        """Every id that is named somewhere."""
        named = {*self.select, *self.ignore, *self.severity}
        for rule in self.per_path:
            named |= {*rule.ignore, *rule.severity}
        return named


@dataclass(frozen=True, kw_only=True)
class TreeSettings:
    """A settings file of the tree, which may come from a stranger: ``file`` is its name,
    ``keys`` are those that select, ``without`` is the selection without the file."""

    file: str
    keys: tuple[str, ...]
    without: Selection


def apply(result: Result, selection: Selection, checks: Sequence[CheckDoc]) -> Result:
    """``result`` with ``findings``, ``hidden``, ``stale`` and the number of what
    is not selected as ``selection`` wants them.

    ``checks`` are all that exist. Applying it twice is applying it once.
    """
    docs = {doc.id: doc for doc in checks}
    found = [
        msgspec.structs.replace(finding, suppressed=(), baseline_state=None)
        for finding in (*result.findings, *result.hidden)
        if finding.check != UNUSED
    ]
    covered = _Coverage(result, docs)
    if selection.comments:
        found = _suppress(result, found, docs, covered)
    if selection.baseline is not None:
        found = _compare(found, selection.baseline)
    stale = stale_of(selection.baseline, found, covered) if selection.baseline else ()
    chosen = [
        _with_severity(finding, selection) for finding in found if _selected(finding, selection)
    ]
    chosen.sort(key=order)
    statistics = dict(result.statistics)
    if len(chosen) < len(found):
        before = statistics.get(NOT_SELECTED, 0)
        more = len(found) - len(chosen)
        statistics[NOT_SELECTED] = more + (before if isinstance(before, int) else 0)
    return msgspec.structs.replace(
        result,
        findings=tuple(finding for finding in chosen if not finding.suppressed),
        hidden=tuple(finding for finding in chosen if finding.suppressed),
        stale=stale,
        statistics=statistics,
        notes=(*result.notes, *_shown(found, selection)),
    )


def _shown(found: Sequence[Finding], selection: Selection) -> list[str]:
    """What a settings file of the tree hides or makes less of."""
    tree = selection.tree
    if tree is None:
        return []
    mine = [f for f in found if not f.suppressed and _selected(f, tree.without)]
    kept = [f for f in mine if _selected(f, selection)]
    lower = [
        finding
        for finding in kept
        if _with_severity(finding, tree.without).severity == "error"
        and _with_severity(finding, selection).severity != "error"
    ]
    hiding = ", ".join(key for key in tree.keys if key not in ("severity", "fail-on"))
    shown = []
    if len(kept) < len(mine):
        shown.append(f"{_n(len(mine) - len(kept))} hidden by {tree.file} ({hiding})")
    if lower:
        words = "is a warning" if len(lower) == 1 else "are warnings"
        shown.append(f"{_n(len(lower))} {words} and no error by {tree.file}")
    return shown


def _n(count: int) -> str:
    return "1 finding" if count == 1 else f"{count} findings"


def failing(result: Result, fail_on: Literal["error", "warning", "never"]) -> bool:
    """Whether a finding is at least as severe as ``fail_on``."""
    if fail_on == "never":
        return False
    return any(fail_on == "warning" or f.severity == "error" for f in result.findings)


class _Coverage:
    """Whether a run would have found what a check finds in a file.

    Not so when the file is outside of the audited paths, no profile compiles it
    or one could not analyse it, and when no profile was of the kind that the
    check speaks of.
    """

    def __init__(self, result: Result, docs: Mapping[str, CheckDoc]) -> None:
        self.paths = result.paths
        self.left_out = {unit.file for unit in result.incomplete} | set(result.uncovered)
        self.kinds = {profile.rt for profile in result.profiles}
        self.docs = docs

    def __call__(self, check: str, file: str) -> bool:
        doc = self.docs.get(check)
        kind = doc is None or (doc.rt_only in self.kinds)
        return (
            kind
            and file not in self.left_out
            and any(file == p or file.startswith(p.rstrip("/") + "/") for p in self.paths)
        )


def _suppress(
    result: Result, found: list[Finding], docs: Mapping[str, CheckDoc], covered: _Coverage
) -> list[Finding]:
    """Marks what comments suppress, and adds findings for those that do not count."""
    by_file: dict[str, list[Suppression]] = defaultdict(list)
    for comment in result.suppressions:
        if not comment.problem:
            by_file[comment.file].append(comment)
    used: set[tuple[str, int, int, str]] = set()
    marked = []
    for finding in found:
        hits = [
            comment
            for comment in by_file[finding.file]
            if finding.check in comment.checks and comment.first <= finding.line <= comment.last
        ]
        used |= {(c.file, c.line, c.column, finding.check) for c in hits}
        if hits:
            # The nearest one is shown: that of a call before that of a file.
            nearest = min(hits, key=lambda c: (c.last - c.first, c.line, c.column))
            why = Suppressed(
                kind="inSource", reason=nearest.reason, file=nearest.file, line=nearest.line
            )
            finding = msgspec.structs.replace(finding, suppressed=(why,))
        marked.append(finding)
    profiles = tuple(sorted(profile.name for profile in result.profiles))
    idle: list[Finding] = []
    for comment in result.suppressions:
        for check, message in _complaints(comment, docs, covered, used):
            idle.append(_about(comment, check, message, profiles))
    return [*marked, *with_fingerprints(idle)]


def _complaints(
    comment: Suppression,
    docs: Mapping[str, CheckDoc],
    covered: _Coverage,
    used: set[tuple[str, int, int, str]],
) -> Iterable[tuple[str, str]]:
    """What is wrong with a comment, for each check that it names."""
    if comment.problem:
        yield ", ".join(comment.checks), comment.problem
        return
    for check in comment.checks:
        if check == UNUSED:
            yield check, f"allow({check}) is not possible: remove the unused comment instead"
        elif check not in docs:
            yield check, f"allow({check}) names no check that exists"
        elif (comment.file, comment.line, comment.column, check) in used:
            continue
        elif covered(check, comment.file):
            where = {"call": "at this call", "function": "in this function"}
            place = where.get(comment.scope, "in this file")
            yield check, f"allow({check}) suppresses nothing: there is no such finding {place}"


def _about(
    comment: Suppression, check: str, message: str, profiles: tuple[str, ...]
) -> Finding:
    return Finding(
        check=UNUSED,
        severity="warning",
        profiles=profiles,
        rt_only=False,
        message=message,
        file=comment.file,
        line=comment.line,
        column=comment.column,
        function="",
        callee=f"allow({check})",
        operation="",
        why="",
        certainty="certain",
        entry=Entry(kind="comment", function="", file=comment.file, line=comment.line),
        context=ContextInfo(
            text="",
            irqs="unknown",
            preempt="on",
            nmi=False,
            hardirq=False,
            softirq=False,
            bh_disabled=False,
            rcu=False,
            locks=(),
        ),
        path=(),
        assumptions=(),
        fingerprint="",
        text=comment.text,
    )


def _compare(found: list[Finding], baseline: Baseline) -> list[Finding]:
    known = baseline.by_fingerprint()
    out = []
    for finding in found:
        entry = known.get(finding.fingerprint)
        if entry is None:
            out.append(msgspec.structs.replace(finding, baseline_state="new"))
            continue
        why = Suppressed(kind="external", reason=entry.reason)
        out.append(
            msgspec.structs.replace(
                finding, baseline_state="unchanged", suppressed=(*finding.suppressed, why)
            )
        )
    return out


def _selected(finding: Finding, selection: Selection) -> bool:
    ignored = {*selection.ignore}
    for rule in selection.per_path:
        if rule.ignore and rule.matches(finding.file):
            ignored |= {*rule.ignore}
    if finding.check in ignored or (selection.select and finding.check not in selection.select):
        return False
    # What is said of comments belongs to the check that they name, not to a kernel.
    return finding.rt_only or not selection.rt_only or finding.check == UNUSED


def _with_severity(finding: Finding, selection: Selection) -> Finding:
    severity = selection.severity.get(finding.check, finding.severity)
    for rule in selection.per_path:
        if finding.check in rule.severity and rule.matches(finding.file):
            severity = rule.severity[finding.check]
    if severity == finding.severity:
        return finding
    return msgspec.structs.replace(finding, severity=severity)
