# SPDX-License-Identifier: GPL-2.0-or-later
"""A tree whose files are links (an overlay of another tree)."""

from __future__ import annotations

from pathlib import Path

from ctxlint.cli.options import relative_paths


def test_a_linked_file_is_in_the_tree(tmp_path: Path) -> None:
    real = tmp_path / "real/drivers/a.c"
    real.parent.mkdir(parents=True)
    real.write_text("int a;\n", encoding="utf-8")
    tree = tmp_path / "overlay"
    (tree / "drivers").mkdir(parents=True)
    (tree / "drivers/a.c").symlink_to(real)
    assert relative_paths(("drivers/a.c",), tree) == ("drivers/a.c",)
