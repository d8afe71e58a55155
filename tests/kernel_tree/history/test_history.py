# SPDX-License-Identifier: GPL-2.0-or-later
"""Recall on bugs that nobody tuned to, and silence on edits that stay right."""

from __future__ import annotations

import re

import pytest

from ..scratch import Bench, Overlay, syntax_errors
from . import irqchips, kernel, quiet, run
from .model import Bug, Case

CASES: list[Case] = [*irqchips.BUGS, *kernel.BUGS, *quiet.QUIET]
GROUPS = sorted(run.groups(CASES))


def _id(group: tuple[str, str]) -> str:
    return "-".join(group)


def test_cases_are_told_apart() -> None:
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names)
    assert sum(isinstance(case, Bug) for case in CASES) >= 40
    assert len(quiet.QUIET) >= 15


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_edit_applies(bench: Bench, case: Case) -> None:
    for file, edit in case.edits.items():
        text = (bench.tree.path / file).read_text()
        assert edit(text) != text, file
    if isinstance(case, Bug):
        texts = "".join((bench.tree.path / file).read_text() for file in case.files)
        for name in (*case.function, *case.entries):
            assert re.search(rf"\b{name}\b", texts), name


@pytest.mark.parametrize("group", GROUPS, ids=_id)
def test_edited_files_parse(bench: Bench, group: tuple[str, str]) -> None:
    cases = run.groups(CASES)[group]
    profiles = run.prepared(bench, *group, cases)
    unbuilt = {case.name: run.not_built(profiles, case) for case in cases}
    assert not any(unbuilt.values()), {n: f for n, f in unbuilt.items() if f}
    wrong: dict[str, str] = {}
    for members in run.rounds(cases):
        overlay = Overlay(bench.tree.path, bench.fresh("tree"))
        files = run.edited(overlay, members)
        units = {file for case in members for file in case.files}
        for done in profiles:
            build = bench.build(overlay, done, {unit: unit for unit in units})
            for file, text in syntax_errors(build, files, overlay.root, bench.jobs).items():
                wrong[f"{done.spec_name}: {file}"] = text
    assert not wrong, "\n".join(f"{name}\n{text}" for name, text in wrong.items())


@pytest.mark.parametrize("group", GROUPS, ids=_id)
def test_findings_of_edits(
    bench: Bench, group: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    cases = run.groups(CASES)[group]
    profiles = run.prepared(bench, *group, cases)
    outcomes = [
        outcome
        for members in run.rounds(cases)
        for outcome in run.run_round(bench, profiles, members)
    ]
    bugs = [o for o in outcomes if isinstance(o.case, Bug)]
    found = sum(not o.problem for o in bugs)
    problems = [
        f"{o.case.name}: {o.problem or 'right now, no longer known to be wrong'}"
        for o in outcomes
        if bool(o.problem) != bool(o.case.known)
    ]
    known = [f"{o.case.name}: {o.case.known}" for o in outcomes if o.problem and o.case.known]
    with capsys.disabled():
        print(f"\nhistory {_id(group)}: {found} of {len(bugs)} bugs found,")
        print(f"  {len(outcomes) - len(bugs)} quiet edits; known to be wrong: {len(known)}")
        for line in (*known, *problems):
            print("   ", line)
    assert not problems, "\n".join(problems)
