# SPDX-License-Identifier: GPL-2.0-or-later
"""A command loads what it works with, and no more: loading is what start-up costs.

Figures stand in ``bench/``; here is what they come from.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from warm_cache import TREE, warmed

from ctxlint.cli.main import COMMANDS

#: What analyses, draws or solves. None of it is needed to say what options there are.
HEAVY = {
    "clang", "z3", "greenlet", "rich", "jinja2", "sqlite3", "zstandard", "pygls",
    "ctxlint.analysis", "ctxlint.facts", "ctxlint.frontend", "ctxlint.kbuild.prepare",
    "ctxlint.pipeline.run",
}  # fmt: skip


def loaded(*words: str) -> set[str]:
    script = (
        "import sys\nfrom ctxlint.cli.start import main\ncode = main()\n"
        "print(code, *sys.modules, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *words], capture_output=True, text=True, check=True
    )
    code, *modules = done.stderr.splitlines()[-1].split()
    assert code in ("0", "1")
    return set(modules)


@pytest.fixture
def miniature() -> Path:
    return TREE


@pytest.mark.parametrize("command", COMMANDS)
def test_help(command: str) -> None:
    assert loaded(command, "--help") & HEAVY == set()


def test_version() -> None:
    assert not loaded("--version") & {*HEAVY, "msgspec", "json", "difflib"}


def test_a_check_explained() -> None:
    assert loaded("explain", "sleep-in-atomic") & HEAVY <= {"ctxlint.analysis"}


def test_settings(miniature: Path) -> None:
    used = loaded("config", "show", "--tree", str(miniature))
    assert used & {*HEAVY, "ctxlint.rulebook"} == {"ctxlint.kbuild.prepare"}


def test_an_unchanged_audit(miniature: Path, tmp_path: Path) -> None:
    """It reads neither rules nor units; the store is asked for the kept result."""
    words = ["audit", "drivers/irqchip", "--tree", str(miniature), "--cache", str(tmp_path)]
    words += ["--build", str(miniature / "builds/rt")]
    warmed(tmp_path)
    assert "ctxlint.analysis" in loaded(*words)
    used = loaded(*words) & {*HEAVY, "ctxlint.rulebook", "yaml"}
    assert used == {"ctxlint.kbuild.prepare", "sqlite3", "zstandard"}


def test_a_log_without_a_tree(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("BUG: scheduling while atomic: swapper/0/0/0x00000002\n")
    assert loaded("splat", str(log)) & HEAVY == set()


def test_the_solver_is_for_those_who_ask_for_it() -> None:
    """An audit without --verify needs neither z3 nor the model's coroutines."""
    script = "import sys, ctxlint.pipeline.run; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert not {"z3", "greenlet"} & set(done.stdout.split())
