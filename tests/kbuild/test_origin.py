# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a tree came from."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ctxlint.kbuild.tree import origin


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://example.org/linux.git", "https://example.org/linux.git"),
        ("https://me:secret@example.org/linux.git", "https://example.org/linux.git"),
        ("/srv/linux", None),
        ("git@example.org:linux.git", None),
    ],
)
def test_origin(tmp_path: Path, url: str, told: str | None) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    subprocess.run(["git", "-C", tmp_path, "remote", "add", "origin", url], check=True)
    assert origin(tmp_path) == told


def test_no_repository(tmp_path: Path) -> None:
    assert origin(tmp_path / "none") is None
