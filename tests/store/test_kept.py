# SPDX-License-Identifier: GPL-2.0-or-later
"""Files of a cache that hold one result each."""

from __future__ import annotations

import os
from pathlib import Path

from ctxlint.store import kept


def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    folder = tmp_path / "a/b"
    assert kept.read(folder, "x") is None
    kept.keep(folder, "x", b"data")
    assert kept.read(folder, "x") == b"data"
    assert [path.name for path in folder.iterdir()] == ["x"]


def test_damage_is_as_nothing(tmp_path: Path) -> None:
    kept.keep(tmp_path, "x", b"data")
    (tmp_path / "y").write_bytes((tmp_path / "x").read_bytes())
    assert kept.read(tmp_path, "y") is None
    for data in (b"", b"abc", (tmp_path / "x").read_bytes()[:-1] + b"b"):
        (tmp_path / "x").write_bytes(data)
        assert kept.read(tmp_path, "x") is None


def test_a_place_that_cannot_be_written_keeps_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    kept.keep(tmp_path / "file", "x", b"data")
    assert kept.read(tmp_path / "file", "x") is None
    os.mkfifo(tmp_path / "x")
    assert kept.read(tmp_path, "x") is None


def test_the_oldest_go(tmp_path: Path) -> None:
    for number in range(kept.FILES_MAX + 3):
        kept.keep(tmp_path, f"{number}", b"")
        os.utime(tmp_path / f"{number}", (number, number))
    left = {path.name for path in tmp_path.iterdir()}
    assert len(left) == kept.FILES_MAX
    assert {"0", "1", "2"}.isdisjoint(left)
