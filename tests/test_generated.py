# SPDX-License-Identifier: GPL-2.0-or-later
"""What ``make documents`` writes: it is up to date, and it is what it should be."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from ctxlint.checks import base as checks
from ctxlint.cli.main import COMMANDS
from ctxlint.cli.rulespages import says
from ctxlint.rulebook.rows import all_rows

ROOT = Path(__file__).parent.parent
# States that rules refer to by a word; where a callback is called in one is read in the
# source of the rule that says so.
PLAIN_STATES = {"preempt-off", "raw-locked", "spin-locked", "task"}


def tool(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / f"tools/{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


documents = tool("documents")


def test_nothing_is_stale() -> None:
    assert documents.stale(ROOT) == [], "run: make documents"


def test_a_stale_page_is_noticed(tmp_path: Path) -> None:
    """Changed, missing, and left over; so that the test above can fail."""
    for name, text in documents.documents().items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert documents.stale(tmp_path) == []
    (tmp_path / "docs/rules/locks.md").write_text("other\n")
    (tmp_path / "docs/checks/sleep-in-atomic.md").unlink()
    (tmp_path / "docs/checks/gone.md").touch()
    assert documents.stale(tmp_path) == [
        "docs/checks/gone.md",
        "docs/checks/sleep-in-atomic.md",
        "docs/rules/locks.md",
    ]


def test_every_check_has_its_page() -> None:
    made = documents.documents()
    for check in checks.checks():
        page = made[f"docs/checks/{check.id}.md"]
        for heading in checks.HEADINGS:
            assert f"\n## {heading}\n" in page
        assert f"]({check.id}.md)" in made["docs/checks/index.md"]


def test_every_rule_has_its_row_with_provenance() -> None:
    made = documents.documents()
    rows = all_rows()
    written = [
        line for text in made.values() for line in text.splitlines() if line[:3] == "| `"
    ]
    assert len(written) == len(rows) > 3000
    for row in rows:
        assert says(row.rule)
        # Words for reports are ours; everything else was read somewhere.
        assert row.source or row.kind == "operation" or row.name in PLAIN_STATES
    bars = re.compile(r"(?<!\\)\|")
    assert {len(bars.findall(line)) for line in written} == {5}


def test_manual_page_has_every_command() -> None:
    text = documents.documents()["man/ctxlint.1"]
    for name in COMMANDS:
        assert f'.SS "ctxlint {name}"' in text
    assert "\\-\\-new\\-since" in text
    assert "\\b" not in text.replace("\\fB", "")


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
def test_manual_page_is_understood() -> None:
    """No warning of any kind, and what is to be copied to a shell comes out in ASCII."""
    done = subprocess.run(
        ["groff", "-man", "-ww", "-Tutf8", str(ROOT / "man/ctxlint.1")],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    plain = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)
    assert 'make C=1 CHECK="ctxlint kbuild"' in plain
    assert "ctxlint audit --build ~/build/rt --build ~/build/nort" in plain


def test_the_command_writes_nothing_when_asked() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools/documents.py"), "--check"],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (0, "")
