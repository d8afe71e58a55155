# SPDX-License-Identifier: GPL-2.0-or-later
"""Findings of one change, and of a series of them, against the tree before."""

from __future__ import annotations

import dataclasses
import re

import msgspec

from ctxlint.base.request import Progress, Request
from ctxlint.findings.compare import Comparison
from ctxlint.findings.compare import compare as compare_findings
from ctxlint.findings.model import Finding, Incomplete, Result
from ctxlint.findings.selection import Selection
from ctxlint.findings.series import PatchReport, SeriesResult
from ctxlint.kbuild.filekinds import is_build_file
from ctxlint.patches import Patch, Series
from ctxlint.pipeline.changed import MAX_UNITS, Contents, TreeResult, patched_tree
from ctxlint.pipeline.quote import quote
from ctxlint.pipeline.select import select

_NOT_BUILD = re.compile(r"^(?:tools|usr|Documentation)/|\.dts[io]?$")
"""Of what the build system reads, what decides nothing of how the kernel is compiled."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What a change does to the findings.

    ``result`` is that of the tree with the change. ``incomplete`` are units that could
    not be analysed with it (exit code 3 when there are any). ``unbuilt`` are changed C
    files that no profile compiles, ``flags_from`` new ones with the file whose flags they
    were read with. ``parsed`` counts the units that were read for the base and for the
    change: a large first number means that the cache was cold.
    """

    comparison: Comparison
    result: Result
    incomplete: tuple[Incomplete, ...]
    unbuilt: tuple[str, ...]
    flags_from: dict[str, str]
    parsed: tuple[int, int]


def compare(
    request: Request,
    base: Contents,
    changes: Contents,
    progress: Progress,
    *,
    max_units: int = MAX_UNITS,
    trusted: bool = False,
) -> Change:
    """Compare the findings with and without ``changes``.

    ``base`` are the files in which the state to compare with differs from the disk
    (staged content: the HEAD version of files that the work tree has otherwise),
    ``changes`` the new contents over it; None is a file that is not there. Neither is
    written to the tree, and nothing of them is run. ``trusted``: the kernel's build
    system may run on what is on the disk, the change is the user's own.
    """
    base = dict(base)
    after = {**base, **changes}
    with patched_tree(request, base, after, progress, max_units, trusted=trusted) as patched:
        old = patched.analyse(base)
        new = patched.analyse(after, recent=changes)
    return Change(
        comparison=compare_findings(old.result.findings, new.result.findings),
        result=new.result,
        incomplete=tuple(
            item
            for item in new.result.incomplete
            if item.file in changes or item not in old.result.incomplete
        ),
        unbuilt=new.unbuilt,
        flags_from=dict(new.flags_from),
        parsed=(old.parsed, new.parsed),
    )


def run(
    request: Request,
    series: Series,
    progress: Progress,
    *,
    max_units: int = MAX_UNITS,
    selection: Selection | None = None,
) -> SeriesResult:
    """What each patch of a series does to the findings, and the series as a whole.

    What ``selection`` hides (comments in the source, a baseline) is compared like the
    rest, so that hiding a finding does not pass for fixing it, and then left out.
    """
    chosen = selection or Selection()
    now = dict(series.difference)
    touched = {file for patch in series.patches for file in patch.contents}
    reports: list[PatchReport] = []
    comparisons: list[Comparison] = []
    with patched_tree(request, series.difference, touched, progress, max_units) as patched:
        first = last = _selected(patched.analyse(now), chosen)
        if first.parsed:
            progress.log(
                "info", f"{first.parsed} units of the base were read; the next run has them"
            )
        stage = "patches"
        progress.start(stage, len(series.patches))
        for patch in series.patches:
            now.update(patch.contents)
            state = _selected(patched.analyse(now, recent=patch.contents), chosen)
            comparison = compare_findings(_all(last), _all(state))
            comparisons.append(comparison)
            reports.append(_report(patch, comparison, last, state))
            last = state
            progress.advance(stage, patch.subject)
        progress.finish(stage)
        paths = patched.session.paths
        prepared = all(profile.own for profile in patched.profiles)
    reports = [
        _with_later(report, number, comparisons, series.patches)
        for number, report in enumerate(reports)
    ]
    net = _visible(compare_findings(_all(first), _all(last)))
    left = (*net.introduced, *(pair.after for pair in net.partly_fixed))
    incomplete = {(i.file, i.profile, i.reason): i for i in first.result.incomplete}
    incomplete |= {(i.file, i.profile, i.reason): i for r in reports for i in r.incomplete}
    return SeriesResult(
        tool=last.result.tool,
        tree=msgspec.structs.replace(last.result.tree, commit=series.base),
        base=series.base,
        base_from=series.base_from,
        profiles=last.result.profiles,
        prepared=prepared,
        paths=paths,
        patches=tuple(reports),
        introduced=net.introduced,
        fixed=net.fixed,
        partly_fixed=net.partly_fixed,
        kept=tuple(
            sorted(
                (*net.kept, *(p.after for p in net.moved)),
                key=lambda f: (f.file, f.line, f.column, f.check),
            )
        ),
        incomplete=tuple(incomplete[key] for key in sorted(incomplete)),
        notes=(*series.notes, *last.search),
        gaps=series.gaps,
        result=msgspec.structs.replace(
            last.result,
            hidden=(),
            stale=(),
            findings=tuple(sorted(left, key=lambda f: (f.file, f.line, f.column, f.check))),
            incomplete=tuple(incomplete[key] for key in sorted(incomplete)),
            uncovered=tuple(sorted({f for r in reports for f in r.unbuilt})),
            gaps=series.gaps,
            # For reports that know no series.
            notes=tuple(
                dict.fromkeys(
                    (
                        *last.result.notes,
                        *series.notes,
                        *(note for report in reports for note in report.notes),
                    )
                )
            ),
        ),
    )


def _selected(state: TreeResult, selection: Selection) -> TreeResult:
    return dataclasses.replace(state, result=select(state.result, selection))


def _all(state: TreeResult) -> tuple[Finding, ...]:
    return (*state.result.findings, *state.result.hidden)


def _visible(comparison: Comparison) -> Comparison:
    """Without what is hidden after the change (a fixed finding: before it)."""
    return msgspec.structs.replace(
        comparison,
        introduced=tuple(f for f in comparison.introduced if not f.suppressed),
        fixed=tuple(f for f in comparison.fixed if not f.suppressed),
        partly_fixed=tuple(p for p in comparison.partly_fixed if not p.after.suppressed),
        moved=tuple(p for p in comparison.moved if not p.after.suppressed),
        kept=tuple(f for f in comparison.kept if not f.suppressed),
    )


def _hidden(before: TreeResult, comparison: Comparison) -> list[str]:
    """Notes on findings that are hidden from this patch on."""
    shown = {f.fingerprint for f in before.result.findings}
    hidden = [f for f in comparison.introduced if f.suppressed]
    hidden += [p.after for p in comparison.partly_fixed if p.after.suppressed]
    hidden += [f for f in comparison.kept if f.suppressed and f.fingerprint in shown]
    hidden += [
        p.after
        for p in comparison.moved
        if p.after.suppressed and p.before.fingerprint in shown
    ]
    return [
        f"hidden from here on: {f.file}:{f.line}: {f.callee}() in {f.function}(), by "
        + ("a comment" if f.suppressed[0].kind == "inSource" else "the baseline")
        + (f" ({f.suppressed[0].reason})" if f.suppressed[0].reason else "")
        for f in hidden
    ]


def _report(
    patch: Patch, everything: Comparison, before: TreeResult, after: TreeResult
) -> PatchReport:
    known = set(before.result.incomplete)
    hides = tuple(_hidden(before, everything))
    comparison = _visible(everything)
    quotes = {}
    for finding in (*comparison.introduced, *(p.after for p in comparison.partly_fixed)):
        found = quote(finding, patch.files)
        if found is not None:
            quotes[finding.fingerprint] = found
    return PatchReport(
        number=patch.number,
        total=patch.total,
        subject=patch.subject,
        author=patch.author,
        commit=patch.commit,
        mail_subject=patch.mail.subject,
        message_id=patch.mail.message_id,
        references=patch.mail.references,
        to=patch.mail.to,
        cc=patch.mail.cc,
        date=patch.mail.date,
        files=tuple(sorted(patch.contents)),
        introduced=comparison.introduced,
        fixed=comparison.fixed,
        partly_fixed=comparison.partly_fixed,
        moved=comparison.moved,
        kept=tuple(f.fingerprint for f in comparison.kept),
        fixed_later={},
        partly_fixed_later={},
        quotes=quotes,
        incomplete=tuple(i for i in after.result.incomplete if i not in known),
        unbuilt=tuple(f for f in after.unbuilt if f in patch.contents),
        flags_from={f: like for f, like in after.flags_from.items() if f in patch.contents},
        notes=(*hides, *_of_the_build(patch)),
        hides=hides,
    )


def _of_the_build(patch: Patch) -> list[str]:
    """What is said of changed files that the build system reads; what they build or
    compile otherwise is reported as not analysed."""
    build = sorted(
        f for f in patch.contents if is_build_file(f) and _NOT_BUILD.search(f) is None
    )
    if not build:
        return []
    return [f"changes {_some(build)}: flags and configuration stay those of the base"]


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _with_later(
    report: PatchReport, at: int, comparisons: list[Comparison], patches: tuple[Patch, ...]
) -> PatchReport:
    """Which later patch fixes what this one introduces, wholly or in part."""
    fixed: dict[str, int] = {}
    partly_fixed: dict[str, int] = {}
    for finding in report.introduced:
        name = finding.fingerprint
        for number in range(at + 1, len(comparisons)):
            comparison = comparisons[number]
            if any(f.fingerprint == name for f in comparison.fixed):
                fixed[finding.fingerprint] = patches[number].number
                break
            pair = next(
                (p for p in comparison.partly_fixed if p.before.fingerprint == name), None
            )
            if pair is not None:
                partly_fixed[finding.fingerprint] = patches[number].number
                name = pair.after.fingerprint
            name = comparison.renamed.get(name, name)
    return msgspec.structs.replace(report, fixed_later=fixed, partly_fixed_later=partly_fixed)
