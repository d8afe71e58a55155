# SPDX-License-Identifier: GPL-2.0-or-later
"""Long runs, all readers together in CTXLINT_FUZZ_SECONDS (two minutes) of a quiet machine.

0 leaves them out; a night's run takes 28800.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from fuzzing import reader as readers

NAMES = readers.names()
SECONDS = int(os.environ.get("CTXLINT_FUZZ_SECONDS", "120"))
SLOWER = 8
"""A busy machine may take so many times the time of a quiet one."""
START = 60
"""Seconds that a process may take beside its run: imports under instrumentation."""


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_long_run(name: str, tmp_path: Path) -> None:
    if SECONDS <= 0:
        pytest.skip("CTXLINT_FUZZ_SECONDS is 0")
    share = max(1, SECONDS // len(NAMES))
    done = subprocess.run(
        [sys.executable, "-m", "fuzzing.run", name, str(share), str(tmp_path)],
        cwd=Path(__file__).parent,
        env=os.environ | {"PYTHONPATH": _path()},
        capture_output=True,
        text=True,
        errors="replace",
        timeout=SLOWER * share + START,
        check=False,
    )
    broken = [p for p in tmp_path.glob("broken-*") if done.returncode]
    where = ", ".join(f"{p} ({p.read_bytes()[:200]!r})" for p in broken)
    assert done.returncode == 0, f"{where}\n{done.stdout[-4000:]}{done.stderr[-4000:]}"


def _path() -> str:
    root = Path(__file__).parents[2]
    return os.pathsep.join(
        [str(root), str(root / "tests/fuzz"), os.environ.get("PYTHONPATH", "")]
    )
