# SPDX-License-Identifier: GPL-2.0-or-later
"""Results as the small answers that an assistant gets (:mod:`ctxlint.findings.answers`)."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Iterable, Sequence
from itertools import islice
from typing import TypeVar

from ctxlint.assistant.annotations import suggestions
from ctxlint.base.errors import UsageError
from ctxlint.base.request import Progress, Request
from ctxlint.checks import base as checks
from ctxlint.findings.answers import (
    AuditAnswer,
    ExplainAnswer,
    FindingBrief,
    LogAnswer,
    NotKnown,
    PatchAnswer,
    SeriesAnswer,
    SplatBrief,
    StepAnswer,
    VerdictAnswer,
)
from ctxlint.findings.model import Finding, Incomplete, Result, TreeInfo, UnknownCallee
from ctxlint.findings.selection import Selection
from ctxlint.findings.series import PatchReport, SeriesResult
from ctxlint.kernel_log.paths import TreePath
from ctxlint.patches import Series
from ctxlint.pipeline import audit
from ctxlint.pipeline import series as steps
from ctxlint.pipeline import splat as splats
from ctxlint.pipeline.collect import source_reader, text_reader
from ctxlint.pipeline.profile import place_of
from ctxlint.pipeline.select import select
from ctxlint.pipeline.single import scope_of
from ctxlint.report.unseen import sentence
from ctxlint.report.witness import context_changes, note_of, words_of_origin

AROUND = 2
"""Source lines before and after that of a step."""
SHORT = 8
"""What is listed of things that are only mentioned."""
PATCHES = 40
FRAMES = 16

T = TypeVar("T")


def about(request: Request, *files: str) -> Request:
    """``request`` for these files. Callers are not searched for outside of a build of the
    user's own, so there what is analysed together with them is read: the configured paths
    (``request.paths``), else their directories."""
    if not request.builds:
        return dataclasses.replace(request, paths=files)
    scope = {path for file in files for path in scope_of(file, request.paths)}
    return dataclasses.replace(request, paths=tuple(sorted(scope)))


def look(request: Request, selection: Selection, progress: Progress) -> Result:
    """An audit, after comments, baseline and settings. Raises CtxlintError."""
    return select(audit(request, progress), selection)


def audit_file(
    request: Request, file: str, selection: Selection, progress: Progress, *, limit: int
) -> AuditAnswer:
    """The findings of one file, errors first."""
    request = about(request, file)
    result = look(request, selection, progress)
    shown, more = few(_ranked(f for f in result.findings if f.file == file), limit)
    return AuditAnswer(
        tree=words_of_tree(result.tree),
        file=file,
        looked_in=request.paths,
        kernels=tuple(profile.name for profile in result.profiles),
        complete=not (result.incomplete or result.gaps),
        findings=tuple(brief(f) for f in shown),
        more=more,
        hidden=sum(f.file == file for f in result.hidden),
        not_known=not_known(result.incomplete, result.unknown_callees, result.notes),
    )


def explain(
    request: Request,
    file: str,
    selection: Selection,
    fingerprint: str,
    progress: Progress,
    *,
    verify: bool,
    limit: int,
) -> ExplainAnswer:
    """The finding of that fingerprint (its beginning will do), with its whole way. Raises
    UsageError when there is not exactly one; hidden ones count, too."""
    request = about(request, file)
    result = look(request, selection, progress)
    finding = _named(result, file, fingerprint)
    if verify:
        request = dataclasses.replace(request, verify=True, only=place_of(finding))
        result = look(request, selection, progress)
        finding = _named(result, file, finding.fingerprint)
    return _explained(finding, request, result, limit)


def _named(result: Result, file: str, fingerprint: str) -> Finding:
    found = [f for f in (*result.findings, *result.hidden) if f.operation and f.file == file]
    found = [f for f in found if f.fingerprint.startswith(fingerprint)]
    if len(found) != 1:
        what = "several findings have" if found else "no finding has"
        raise UsageError(
            f"{what} the fingerprint {fingerprint} in {file}",
            hint="audit_file lists the findings of a file with their fingerprints",
        )
    return found[0]


def _explained(finding: Finding, request: Request, result: Result, limit: int) -> ExplainAnswer:
    changes = context_changes(finding.path)
    line_of = source_reader(request.tree)
    ways = [
        StepAnswer(
            place=f"{step.file}:{step.line}",
            function=step.function,
            kind=step.kind,
            note=note_of(finding, index),
            context=changes[index],
            source=tuple(
                f"{number}: {line_of(step.file, number).expandtabs(8)}"
                for number in range(max(step.line - AROUND, 1), step.line + AROUND + 1)
                if line_of(step.file, number).strip()
            ),
        )
        for index, step in enumerate(finding.path)
    ]
    # The end of a way is the operation, its beginning the entry point: both stay.
    cut = max(len(ways) - limit, 0)
    first = (limit + 1) // 2
    ways = ways[:first] + ways[first + cut :]
    callers, more = few([f"{c.function}() at {c.file}:{c.line}" for c in finding.causes], SHORT)
    hidden = [
        f"hidden by {'a comment' if s.kind == 'inSource' else 'the baseline'}: {s.reason}"
        for s in finding.suppressed
    ]
    return ExplainAnswer(
        finding=brief(finding),
        path=tuple(ways),
        more_steps=cut,
        conditions=finding.assumptions,
        callers=tuple(callers),
        more=more,
        verdicts=tuple(
            VerdictAnswer(
                kernel=e.profile,
                verdict=e.verdict,
                why=e.why,
                values=tuple(e.values[:SHORT]),
                assumed=tuple(e.assumed[:SHORT]),
                splat=e.splat,
            )
            for e in finding.evidence
        ),
        suggestions=suggestions(finding, text_reader(request.tree, None)),
        fix=_fix(finding.check),
        not_known=not_known(
            result.incomplete, result.unknown_callees, (*result.notes, *hidden)
        ),
    )


def _fix(check: str) -> str:
    """What the check's own documentation says of fixing."""
    text = checks.explain(check)
    found = re.search(r"^## Fix\n+(.*?)(?=^## |\Z)", text, re.M | re.S)
    return " ".join(found[1].split()) if found is not None else ""


def audit_series(
    request: Request, series: Series, selection: Selection, progress: Progress, *, limit: int
) -> SeriesAnswer:
    """What each patch does. Nothing of the series is run."""
    result = steps.run(request, series, progress, selection=selection)
    shown, more = few(result.patches, PATCHES)
    return SeriesAnswer(
        tree=words_of_tree(result.tree),
        base=f"{result.base} ({result.base_from})" if result.base else result.base_from,
        kernels=tuple(profile.name for profile in result.profiles),
        complete=not (result.incomplete or result.gaps),
        patches=tuple(_patch(patch, limit) for patch in shown),
        more=more,
        left=len(result.introduced),
        not_known=_series_unknown(result),
    )


def _patch(patch: PatchReport, limit: int) -> PatchAnswer:
    introduced, more = few(_ranked(patch.introduced), limit)
    fixed, more_fixed = few(_ranked(patch.fixed), limit)
    partly_fixed, more_partly_fixed = few([pair.after for pair in patch.partly_fixed], limit)
    unbuilt = tuple(f"{file} is compiled under no profile" for file in patch.unbuilt)
    flags_from = tuple(
        f"{f} was read with the flags of {by}" for f, by in patch.flags_from.items()
    )
    return PatchAnswer(
        number=patch.number,
        subject=patch.subject,
        introduced=tuple(brief(f) for f in introduced),
        fixed=tuple(brief(f) for f in fixed),
        partly_fixed=tuple(brief(f) for f in partly_fixed),
        more=more + more_fixed + more_partly_fixed,
        later={f.fingerprint: patch.fixed_later[f.fingerprint] for f in introduced
               if f.fingerprint in patch.fixed_later},
        notes=tuple((*patch.notes, *unbuilt, *flags_from)[:SHORT]),
    )  # fmt: skip


def _series_unknown(result: SeriesResult) -> NotKnown:
    last = result.result
    notes = dict.fromkeys((*result.gaps, *result.notes, *last.notes))
    return not_known(result.incomplete, last.unknown_callees, tuple(notes))


def read_splat(
    text: str, request: Request | None, progress: Progress, *, limit: int, note: str = ""
) -> LogAnswer:
    """The splats of a log. With ``request`` the files that define what is on the stacks
    are audited; ``note`` says why there is none."""
    report = splats.explain(text, request, None, progress)
    shown, more = few(report.splats, limit)
    unread, more_unread = few([f"line {u.line}: {u.text}" for u in report.unread], SHORT)
    notes = [note] if note else []
    if more_unread:
        notes.append(f"{more_unread} more lines look like a splat and were not understood")
    return LogAnswer(
        splats=tuple(_splat(answer) for answer in shown),
        more=more,
        other_lines=report.lines,
        unread=tuple(unread),
        looked_in=report.looked_in,
        not_known=not_known(report.incomplete, (), notes),
    )


def _splat(answer: splats.SplatAnswer) -> SplatBrief:
    context = answer.context
    found = answer.finding
    stack, more = few(answer.frames, FRAMES)
    return SplatBrief(
        line=answer.line,
        kind=answer.kind,
        headline=answer.headline,
        what=answer.what,
        task=answer.task,
        context=f"{context.title}: {context.text}".rstrip(": ") if context is not None else "",
        context_from=(*context.state, *context.evidence) if context is not None else (),
        hints=context.hints if context is not None else (),
        said=answer.said[:SHORT],
        locks=tuple(f"{what} {lock}" for lock, what in answer.locks[:SHORT]),
        stack=tuple(stack),
        more_frames=more,
        explained_by=brief(found.finding) if found is not None else None,
        path=_way(answer.path) if answer.path is not None else (),
        nothing=answer.nothing,
        repeated=answer.same,
    )


def _way(path: TreePath) -> tuple[str, ...]:
    lines = [path.entry] if path.entry else []
    lines += [f"{c.function}() calls {c.shown}() at {c.file}:{c.line}" for c in path.calls]
    if path.file:
        lines.append(
            f"{path.file}:{path.line}: in {path.function}() {path.text.strip()}".rstrip()
        )
    lines += [f"how {outer}() reaches {inner}() is not known" for inner, outer in path.broken]
    return tuple(lines)


# -- parts ------------------------------------------------------------------------------


def brief(finding: Finding) -> FindingBrief:
    """A finding in a few words."""
    origin = ""
    if finding.origin is not None:
        text, place = words_of_origin([finding])
        origin = f"{text} ({place})"
    return FindingBrief(
        fingerprint=finding.fingerprint,
        check=finding.check,
        severity=finding.severity,
        certainty=finding.certainty,
        rt_only=finding.rt_only,
        kernels=finding.profiles,
        place=f"{finding.file}:{finding.line}:{finding.column}",
        function=finding.function,
        callee=finding.callee,
        message=finding.message,
        why=finding.why,
        context=finding.context.text,
        origin=origin,
    )


def not_known(
    incomplete: Collection[Incomplete],
    unknown: Collection[UnknownCallee],
    notes: Iterable[str],
) -> NotKnown:
    """The three, cut to a few lines each."""
    parts, more = few([sentence(item) for item in incomplete], SHORT)
    callees, more_callees = few(sorted(unknown, key=lambda u: -u.count), SHORT)
    return NotKnown(
        incomplete=tuple(parts),
        unknown_callees=tuple(
            f"{u.callee}: {u.reason}, {u.count} times, as at {u.example}" for u in callees
        ),
        more=more + more_callees,
        notes=tuple(islice(notes, SHORT)),
    )


def few(items: Iterable[T], limit: int) -> tuple[Sequence[T], int]:
    """The first ``limit`` of them, and how many more there are."""
    whole = list(items)
    return whole[:limit], max(len(whole) - limit, 0)


def words_of_tree(tree: TreeInfo) -> str:
    """Its version, and the commit as far as that is known."""
    return f"Linux {tree.version}" + (f" ({tree.commit[:12]})" if tree.commit else "")


def _ranked(findings: Iterable[Finding]) -> list[Finding]:
    """Those that are certain first; the order of a report otherwise."""
    return sorted(findings, key=lambda f: (f.severity != "error", f.certainty == "may"))
