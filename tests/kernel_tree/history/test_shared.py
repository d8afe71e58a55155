# SPDX-License-Identifier: GPL-2.0-or-later
"""The same comparison on a list of edits outside of this repository.

``CTXLINT_HISTORY`` names a folder with a ``history.py`` (see shared.py).
"""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest

from ctxlint.kbuild import Prepared

from ..scratch import Bench, Overlay, brief
from . import run, shared
from .model import Bug, Case

FOLDER = os.environ.get("CTXLINT_HISTORY")
pytestmark = pytest.mark.skipif(not FOLDER, reason="CTXLINT_HISTORY names no folder")
AT_MOST_MISSED = 2

#: Findings in code that a list calls right for another reason, and why they are true:
#: restart handlers run with interrupts off, and the mailbox takes a spinlock_t.
ALSO_TRUE = {("ti_sci_do_xfer", "mbox_send_message"), ("ti_sci_do_xfer", "mbox_client_txdone")}


def _placed(bench: Bench, cases: list[Case]) -> list[Case]:
    """Each case with the configuration that builds its files: defconfig if that does."""
    result = []
    for case in cases:
        done = run.prepared(bench, case.arch, "defconfig", [case])
        config = "allmodconfig" if run.not_built(done, case) else "defconfig"
        result.append(dataclasses.replace(case, config=config))
    return result


def test_shared_edits(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    assert FOLDER
    cases, _ = shared.load(Path(FOLDER))
    outcomes: list[run.Outcome] = []
    for (arch, config), members in sorted(run.groups(_placed(bench, cases)).items()):
        profiles = run.prepared(bench, arch, config, members)
        for together in run.rounds(members):
            outcomes += run.run_round(bench, profiles, together)
    bugs = [o for o in outcomes if isinstance(o.case, Bug)]
    missed = [f"{o.case.name}: {o.problem}" for o in bugs if o.problem]
    false = [f"{o.case.name}: {o.problem}" for o in outcomes if o.problem and o not in bugs]
    with capsys.disabled():
        print(f"\nshared history: {len(bugs) - len(missed)} of {len(bugs)} bugs found")
        for line in missed + false:
            print("   ", line)
    assert len(missed) <= AT_MOST_MISSED
    assert not false


def test_shared_right_code(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    assert FOLDER
    _, right = shared.load(Path(FOLDER))
    wrong = []
    overlay = Overlay(bench.tree.path, bench.fresh("tree"))
    left = {file for file, _, _ in right}
    for arch, config in (
        ("arm64", "defconfig"),
        ("x86_64", "defconfig"),
        ("arm64", "allmodconfig"),
    ):
        profiles: list[Prepared] = [
            bench.commands(arch, config, rt, left) for rt in (True, False)
        ]
        files = left - {file for done in profiles for file in done.uncovered}
        if not files:
            continue
        left -= files
        units = {file: file for file in files}
        builds = [bench.build(overlay, done, units) for done in profiles]
        result = bench.audit(overlay.root, files, builds)
        for file, function, why in right:
            through = [
                f
                for f in result.findings
                if file in files
                and (f.function, f.callee) not in ALSO_TRUE
                and (f.function == function or any(s.function == function for s in f.path))
            ]
            wrong += [f"{function} ({why}): {brief(f)}" for f in through]
    with capsys.disabled():
        print(f"\nright code: {len(right)} places, {len(wrong)} findings; not built: {left}")
        for line in wrong:
            print("   ", line)
    assert not wrong
