# SPDX-License-Identifier: GPL-2.0-or-later
"""One result of what each profile gave."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from ctxlint import __version__, kbuild
from ctxlint.facts import limits
from ctxlint.findings import suppressions
from ctxlint.findings.model import Incomplete, Profile, Result, ToolInfo, TreeInfo
from ctxlint.pipeline.collect import merge, merge_unknown, merge_untold, text_reader
from ctxlint.pipeline.profile import ProfileResult
from ctxlint.pipeline.session import Session
from ctxlint.search import reach


def assemble(
    session: Session,
    prepared: list[kbuild.Prepared],
    results: list[ProfileResult],
    incomplete: list[Incomplete],
    units: int,
    contents: Mapping[str, bytes | None] | None = None,
    beyond: Iterable[reach.SearchEnd] = (),
) -> Result:
    """One result of what each profile gave; ``contents`` are files that were changed,
    ``beyond`` says where searches for further files ended."""
    covered: set[str] = set(prepared[0].uncovered) if prepared else set()
    for profile in prepared[1:]:
        covered &= set(profile.uncovered)
    findings = merge(r.findings for r in results)
    possible = 0
    if not session.request.possible:
        shown = tuple(f for f in findings if not f.possible)
        possible, findings = len(findings) - len(shown), shown
    incomplete = [*incomplete, *(i for r in results for i in (*r.limited, *r.faults))]
    return Result(
        tool=ToolInfo(name="ctxlint", version=__version__),
        tree=TreeInfo(version=session.tree.version, commit=session.tree.commit),
        profiles=tuple(
            Profile(name=p.spec_name, arch=p.arch, rt=p.rt, config=Path(p.config).name)
            for p in prepared
        ),
        findings=findings,
        incomplete=tuple(
            sorted(incomplete, key=lambda i: (i.file, i.line, i.profile, i.reason))
        ),
        uncovered=tuple(sorted(covered - {i.file for i in incomplete})),
        unknown_callees=merge_unknown(r.unknown for r in results),
        untold=merge_untold(r.untold for r in results),
        statistics=_statistics(results, units),
        paths=tuple(sorted(session.paths)),
        notes=(*([possible_note(possible)] if possible else ()), *reach.notes(beyond)),
        suppressions=suppressions.read(
            {c.file for p in prepared for c in p.commands} | {f.file for f in findings},
            text_reader(session.tree.path, contents),
        ),
    )


def possible_note(count: int) -> str:
    """The note on findings that are not shown."""
    many = "1 finding is" if count == 1 else f"{count} findings are"
    return (
        f"{many} possible and not shown: each needs a call through a pointer whose object is "
        f"not known and that could go to more than {limits.AMONG_MAX} functions, or from one "
        f"driver's directory into another's, or more than {limits.CALLS_MAX} calls through "
        "several files, or a driver that sleeps where most do not; --possible shows them"
    )


def _statistics(results: list[ProfileResult], units: int) -> dict[str, int | float | str]:
    """Counts only: times would make two equal runs differ."""
    total: dict[str, int | float | str] = {"units": units}
    for result in results:
        for name, value in result.statistics.items():
            if isinstance(value, int):
                before = total.get(name, 0)
                total[name] = value + (before if isinstance(before, int) else 0)
    return total
