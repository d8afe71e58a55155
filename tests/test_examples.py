# SPDX-License-Identifier: GPL-2.0-or-later
"""The properties of the fast tier, with many more examples."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from examples import FILES

HERE = Path(__file__).parent


def test_the_list_is_whole() -> None:
    using = {
        path.relative_to(HERE).as_posix()
        for path in HERE.rglob("*/test_*.py")
        if "max_examples=examples(" in path.read_text(encoding="utf-8")
    }
    assert using == set(FILES)


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES)
def test_many_examples(file: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-m", "not slow", "-x", str(HERE / file)],
        env=os.environ | {"CTXLINT_EXAMPLES": "4"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
