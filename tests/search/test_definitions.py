# SPDX-License-Identifier: GPL-2.0-or-later
"""The index of which files define a function."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ctxlint.pipeline import Quiet
from ctxlint.search import definitions


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    files = {
        "drivers/frob/core.c": "static int frob_probe(int a)\n{\n\tfrob_other(a);\n}\n",
        "drivers/frob/other.c": "int __printf(1, 2)\nfrob_other(int a,\n\t   int b)\n{\n}\n",
        "lib/frob.c": "int frob_probe(void)\n{\n}\nint only_declared(void);\n"
        "int end(int a)\n{\n}\n",
        "tools/frob.c": "int frob_tool(void)\n{\n}\n",
    }
    for name, text in files.items():
        path = tmp_path / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "tree"


NAMES = ("frob_probe", "frob_other", "only_declared", "end", "frob_tool", "a", "zzz", "~")
FOUND = {
    "frob_probe": ("drivers/frob/core.c", "lib/frob.c"),
    "frob_other": ("drivers/frob/other.c",),
    "end": ("lib/frob.c",),
    "only_declared": (), "frob_tool": (), "a": (), "zzz": (), "~": (),
}  # fmt: skip


def test_definitions_are_found_and_kept(tree: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    assert definitions.find(tree, NAMES, cache, Quiet()) == FOUND
    (kept,) = (cache / "definitions").iterdir()
    before = kept.stat().st_mtime_ns
    assert definitions.find(tree, NAMES, cache, Quiet()) == FOUND
    assert kept.stat().st_mtime_ns == before


def test_a_changed_folder_is_indexed_again(tree: Path, tmp_path: Path) -> None:
    definitions.find(tree, NAMES, tmp_path / "cache", Quiet())
    (tree / "lib/new.c").write_text("void zzz(void)\n{\n}\n")
    os.utime(tree / "lib", ns=(1, 1))
    found = definitions.find(tree, NAMES, tmp_path / "cache", Quiet())
    assert found["zzz"] == ("lib/new.c",)


def test_a_damaged_index_is_made_anew(tree: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    definitions.find(tree, NAMES, cache, Quiet())
    (kept,) = (cache / "definitions").iterdir()
    for damage in (b"", b"x", kept.read_bytes()[:-9]):
        kept.write_bytes(damage)
        assert definitions.find(tree, NAMES, cache, Quiet()) == FOUND


def test_without_a_place_to_keep_it(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert definitions.find(tree, NAMES, tmp_path / "file", Quiet()) == FOUND
    assert definitions.find(tree, (), tmp_path / "file", Quiet()) == {}
