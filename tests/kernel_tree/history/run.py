# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs history cases: many at once, as long as their files differ.

A round is a set of cases without a file in common. Its files are analysed twice with the
same commands, as they are and edited, and each case is analysed by the difference.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ctxlint.findings.model import Finding, Result
from ctxlint.kbuild import Prepared

from ..scratch import Bench, Overlay, brief
from .model import Bug, Case

RT_CHECK, ALWAYS_CHECK = "rt-sleep-in-atomic", "sleep-in-atomic"


@dataclass(frozen=True)
class Outcome:
    """What became of a case; ``problem`` is empty when it is as expected."""

    case: Case
    problem: str
    fresh: tuple[Finding, ...] = ()


def rounds(cases: Iterable[Case]) -> list[list[Case]]:
    """Cases put together so that no round edits or audits a file twice.

    An edited header concerns every unit that includes it, so such a case only joins
    cases of other directories.
    """
    result: list[tuple[set[str], list[Case]]] = []
    for case in sorted(cases, key=lambda case: case.name):
        needs = set(case.files) | set(case.edits)
        for used, members in result:
            if not used & needs:
                used |= needs
                members.append(case)
                break
        else:
            result.append((needs, [case]))
    return [members for _, members in result]


def groups(cases: Iterable[Case]) -> dict[tuple[str, str], list[Case]]:
    """Cases by architecture and configuration."""
    found: dict[tuple[str, str], list[Case]] = {}
    for case in cases:
        found.setdefault((case.arch, case.config), []).append(case)
    return found


def prepared(bench: Bench, arch: str, config: str, cases: Sequence[Case]) -> list[Prepared]:
    """Compile commands of the cases' files; RT and !RT where the architecture has RT."""
    files = {file for case in cases for file in (*case.files, case.like) if file}
    modes = (False,) if arch == "arm" else (True, False)
    return [bench.commands(arch, config, rt, files) for rt in modes]


def not_built(profiles: Sequence[Prepared], case: Case) -> list[str]:
    """Files of the case that some profile does not build."""
    missing = {file for done in profiles for file in done.uncovered} & set(case.files)
    return sorted(missing - ({case.file} if case.like else set()))


def edited(overlay: Overlay, cases: Iterable[Case]) -> set[str]:
    """Apply the cases' edits to the overlay; the edited files."""
    files: set[str] = set()
    for case in cases:
        for file, edit in case.edits.items():
            overlay.write(file, edit((overlay.tree / file).read_text()))
            files.add(file)
    return files


def run_round(
    bench: Bench, profiles: Sequence[Prepared], cases: Sequence[Case]
) -> list[Outcome]:
    """Analyse the round's files before and after, and judge each case."""
    files = {file for case in cases for file in case.files}
    overlay = Overlay(bench.tree.path, bench.fresh("tree"))
    # The directories of edited files are real in both runs, so that paths are alike.
    edited(overlay, cases)
    overlay.reset()
    units = {file: file for file in files} | {c.file: c.like for c in cases if c.like}
    builds = [bench.build(overlay, done, units) for done in profiles]
    before = bench.audit(overlay.root, files, builds)
    edited(overlay, cases)
    after = bench.audit(overlay.root, files, builds)
    return [judge(case, before, after) for case in cases]


def key(finding: Finding) -> tuple[str, ...]:
    """What makes a finding the same one before and after an edit (lines move)."""
    return (
        finding.check,
        finding.file,
        finding.function,
        finding.callee,
        finding.entry.function,
        finding.entry.kind,
        *finding.context.locks,
    )


def judge(case: Case, before: Result, after: Result) -> Outcome:
    """Compare the findings of the case's files before and after the edit."""
    broken = sorted({i.file for i in after.incomplete} & set(case.files))
    if broken:
        why = sorted(
            {
                f"{i.file}: {i.reason} {i.detail[:200]}"
                for i in after.incomplete
                if i.file in broken
            }
        )
        return Outcome(case, f"not analysed: {'; '.join(why)}")
    known = {key(finding) for finding in before.findings}
    fresh = tuple(
        finding
        for finding in after.findings
        if key(finding) not in known
        and (finding.file in case.edits or finding.file in case.files)
    )
    if not isinstance(case, Bug):
        told = "; ".join(map(brief, fresh))
        return Outcome(case, f"false: {told}" if told else "", fresh)
    check = RT_CHECK if case.rt_only else ALWAYS_CHECK
    near = [f for f in fresh if passes(f, case.function, case.callee)]
    right = [
        f
        for f in near
        if f.check == check
        and f.rt_only == case.rt_only
        and (not case.entries or _entered(f, case.entries))
    ]
    if right:
        return Outcome(case, "", fresh)
    if near:
        return Outcome(case, "differs: " + "; ".join(map(brief, near)), fresh)
    other = "; ".join(map(brief, fresh[:6]))
    return Outcome(case, "missed" + (f", but new: {other}" if other else ""), fresh)


def _entered(finding: Finding, names: Sequence[str]) -> bool:
    """By the function (macros put underscores before it), or by the member that it is
    registered in."""
    entry = finding.entry
    called = {entry.function, entry.function.lstrip("_"), entry.kind.rpartition(".")[2]}
    return not called.isdisjoint(names)


def passes(finding: Finding, functions: Sequence[str], callees: Sequence[str]) -> bool:
    """Is one of the calls where the finding is told, or on its way there?"""
    if finding.function in functions and _called(finding.callee, callees):
        return True
    return any(
        step.function in functions and any(_word(name, step.text) for name in callees)
        for step in finding.path
        if step.kind in ("call", "indirect-call", "operation")
    )


def _called(callee: str, names: Sequence[str]) -> bool:
    return callee in names or callee.partition("(")[0] in names


def _word(name: str, text: str) -> bool:
    return re.search(rf"\b{re.escape(name.partition('(')[0])}\b", text) is not None
