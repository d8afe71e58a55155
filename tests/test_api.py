# SPDX-License-Identifier: GPL-2.0-or-later
"""The Python API as docs/api.md shows it: the example runs, is typed, prints what it says."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import ctxlint

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs/api.md"


def block(language: str) -> str:
    (text,) = re.findall(
        rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL
    )
    return str(text)


@pytest.fixture
def example(tmp_path: Path) -> Path:
    path = tmp_path / "example.py"
    path.write_text(block("python"), encoding="utf-8")
    return path


def test_the_example_prints_what_the_page_says(example: Path) -> None:
    tree = example.parent / "tree"
    shutil.copytree(ROOT / "fixtures/tree", tree)
    done = subprocess.run(
        [sys.executable, str(example), str(tree)], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == block("text")


@pytest.mark.skipif(find_spec("mypy") is None, reason="mypy is not installed")
def test_the_example_is_typed(example: Path) -> None:
    """A program outside of the package sees its types: py.typed is there."""
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file", "", str(example)],
        capture_output=True,
        text=True,
        cwd=example.parent,
    )
    assert done.returncode == 0, done.stdout


def test_the_package_says_that_it_is_typed() -> None:
    assert (Path(ctxlint.__file__).parent / "py.typed").is_file()


def test_what_the_page_names_exists() -> None:
    import importlib

    for name in re.findall(r"`((?:pipeline|report)\.[\w.]+)\(", PAGE.read_text()):
        module, _, function = f"ctxlint.{name}".rpartition(".")
        assert callable(getattr(importlib.import_module(module), function)), name
