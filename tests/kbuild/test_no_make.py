# SPDX-License-Identifier: GPL-2.0-or-later
"""Whose Makefiles run, and that it is said."""

from __future__ import annotations

import difflib
import os
import shutil
from pathlib import Path

import pytest

from ctxlint.base.errors import UsageError
from ctxlint.cli import mcptools
from ctxlint.cli.main import main
from ctxlint.kbuild import commands_for, find_tree, prepare

pytestmark = pytest.mark.usefixtures("toy_tools")

MAIL = """\
From 0000000000000000000000000000000000000001 Mon Sep 17 00:00:00 2001
From: A. Author <author@example.org>
Date: Mon, 1 Jan 2024 00:00:00 +0000
Subject: [PATCH] run this

---
"""
ONE = """\
diff --git a/drivers/a/one.c b/drivers/a/one.c
--- a/drivers/a/one.c
+++ b/drivers/a/one.c
@@ -3,2 +3,3 @@
 \treturn 1;
 }
+int two;
"""


def makes(cache: Path) -> list[str]:
    """Targets that make was run for since the last call."""
    path = cache / "builds/makes"
    text = path.read_text() if path.exists() else ""
    path.unlink(missing_ok=True)
    return text.splitlines()


def test_without_make(toy_tree: Path, tmp_path: Path) -> None:
    tree, cache = find_tree(toy_tree), tmp_path / "cache"
    said: list[tuple[str, str]] = []

    def one(*paths: str, make: bool = True) -> object:
        said.clear()
        return prepare(
            tree, arch="arm64", config="defconfig", rt=False, paths=paths, cache=cache,
            log=lambda level, text: said.append((level, text)), make=make,
        )  # fmt: skip

    with pytest.raises(UsageError, match="not prepared"):
        one("drivers/a", make=False)
    assert makes(cache) == [] and said == [] and not (cache / "builds").exists()
    made = one("drivers/a")
    warnings = [text for level, text in said if level == "warning"]
    assert len(warnings) == 1 and f"the Makefiles of {tree.path} are run" in warnings[0]
    assert makes(cache)
    assert one("drivers/a", make=False) != made  # it may not run make later either
    without = prepare(
        tree, arch="arm64", config="defconfig", rt=False, paths=("drivers/a",), cache=cache,
        make=False,
    )  # fmt: skip
    assert without.commands == made.commands  # type: ignore[attr-defined]
    more = commands_for(tree, without, ["drivers/b"])
    assert more.commands == without.commands
    assert makes(cache) == []
    with (toy_tree / "Kconfig").open("a") as file:
        file.write("# changed\n")
    with pytest.raises(UsageError, match="up to date"):
        one("drivers/a", make=False)
    one("drivers/a")
    assert not [text for level, text in said if level == "warning"]  # told once for a tree


@pytest.mark.parametrize(
    "line", ["audit", "prepare", "why one", "graph one", "baseline create", "splat /dev/null"]
)
def test_every_command_has_the_option(
    line: str, toy_tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [*line.split(), "drivers/a", "--tree", str(toy_tree), "--no-rt", "--no-make"]
    code = main([*words, "--cache", str(tmp_path / "cache")])
    said = capsys.readouterr().err
    assert code == 2
    assert "must not be run" in said and "--build" in said and "ctxlint prepare" in said
    assert makes(tmp_path / "cache") == []


def test_a_request_of_an_assistant_runs_nothing(
    toy_tree: Path, toy_tools: Path, tmp_path: Path
) -> None:
    """Unless that was allowed on the command line."""
    git = shutil.which("git", path=os.defpath)
    if git is None:
        pytest.skip("git is not installed")
    (toy_tools / "git").symlink_to(git)
    (toy_tree / "drivers/a/one.c").write_text("int one(void)\n{\n\treturn 1;\n}\n")
    cache = tmp_path / "cache"
    options = {"tree": toy_tree, "cache": cache, "rt": False, "mail": (), "make": False}
    patch = MAIL.replace("run this", "nothing")
    log = "BUG: scheduling while atomic: a/1/0x2\nCall trace:\n one+0x1/0x2\n two+0x1/0x2\n"
    asked: tuple[tuple[str, dict[str, object]], ...] = (
        ("audit_file", {"path": "drivers/a/one.c"}),
        ("explain_finding", {"path": "drivers/a/one.c", "finding": "0" * 8}),
        ("why", {"function": "one"}),
        ("contexts_of", {"function": "one", "path": "drivers/a"}),
        ("audit_series", {"text": patch + ONE}),
        ("may_sleep", {"function": "one"}),
        ("read_splat", {"text": log}),
    )
    for tool, given in asked:
        outcome = mcptools.run(options, tool, given)
        if tool in ("may_sleep", "read_splat"):
            [note] = outcome.value["not_known"]["notes"]
            assert "is prepared" in note or "must not be run" in note, tool
            continue
        assert outcome.kind == "error" and "must not be run" in outcome.value, tool
        assert "ctxlint prepare" in outcome.value
    assert makes(cache) == []
    allowed = mcptools.run(options | {"make": True}, "audit_file", {"path": "drivers/a/one.c"})
    assert allowed.kind == "answer" and makes(cache) != []


def test_nothing_of_a_series_is_run(
    toy_tree: Path, toy_tools: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Makefiles, Kconfig and scripts that it changes or adds do not reach make."""
    git = shutil.which("git", path=os.defpath)
    if git is None:
        pytest.skip("git is not installed")
    (toy_tools / "git").symlink_to(git)
    (toy_tools / "touch").symlink_to(shutil.which("touch", path=os.defpath) or "")
    marker = tmp_path / "MARKER"
    bad = f"$(shell touch {marker})\n"
    names = ("Makefile", "drivers/a/Makefile", "Kconfig", "scripts/Makefile.build")
    new = {name: bad + (toy_tree / name).read_text() for name in names}
    new["drivers/a/one.c"] = "int added;\n" + (toy_tree / "drivers/a/one.c").read_text()
    parts = []
    for name, text in new.items():
        old = (toy_tree / name).read_text().splitlines(True)
        lines = difflib.unified_diff(old, text.splitlines(True), f"a/{name}", f"b/{name}")
        parts.append(f"diff --git a/{name} b/{name}\n" + "".join(lines))
    parts.append(
        "diff --git a/drivers/a/Kbuild b/drivers/a/Kbuild\nnew file mode 100644\n"
        f"--- /dev/null\n+++ b/drivers/a/Kbuild\n@@ -0,0 +1 @@\n+{bad}"
    )
    (tmp_path / "one.mbox").write_text(MAIL + "".join(parts) + "--\n2.0\n")
    words = ["patch", str(tmp_path / "one.mbox"), "--tree", str(toy_tree), "--no-rt"]
    code = main([*words, "--cache", str(tmp_path / "cache")])
    out = capsys.readouterr()
    assert code in (0, 3), out.err
    assert "flags and configuration stay those of the base" in " ".join(out.out.split())
    assert makes(tmp_path / "cache")
    assert not marker.exists()
