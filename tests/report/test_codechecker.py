# SPDX-License-Identifier: GPL-2.0-or-later
"""The SARIF output in CodeChecker, when that is installed (CTXLINT_CODECHECKER names it)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from warm_cache import TREE, warmed

from ctxlint.checks.base import docs
from ctxlint.pipeline import Quiet, Request, audit
from ctxlint.report import sarif

pytestmark = pytest.mark.slow


def test_reports_and_their_steps(tmp_path: Path) -> None:
    program = os.environ.get("CTXLINT_CODECHECKER") or shutil.which("CodeChecker")
    if program is None:
        pytest.skip("CodeChecker is not installed")
    request = Request(
        tree=TREE,
        builds=(TREE / "builds/rt", TREE / "builds/nort"),
        paths=("drivers/firmware", "drivers/irqchip"),
        cache=warmed(tmp_path / "cache"),
        jobs=1,
    )
    result = audit(request, Quiet())
    (tmp_path / "in").mkdir()
    text = sarif.render(result, docs(), sarif.Options(source_root=str(TREE)))
    (tmp_path / "in/ctxlint.sarif").write_text(text)
    words = [program, "parse", str(tmp_path / "in"), "-e", "json"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    reports = json.loads(done.stdout)["reports"]
    seen = {
        (
            r["checker_name"],
            r["line"],
            r["column"],
            tuple(e["line"] for e in r["bug_path_events"]),
        )
        for r in reports
    }
    assert seen == {
        (f.check, f.line, f.column, tuple(step.line for step in f.path))
        for f in result.findings
    }
    assert len(reports) == len(result.findings) > 0
