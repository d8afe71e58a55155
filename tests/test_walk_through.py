# SPDX-License-Identifier: GPL-2.0-or-later
"""The walk-through works: its files are written, its commands run, and print what it says.

All of it happens in a copy of the repository, as one of its steps adds a check.
``CTXLINT_UPDATE_GOLDEN=1`` writes the output of the commands anew.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from warm_cache import warmed

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "walk-through.md"
_FENCE = re.compile(r"^(`{3,})(\w[^\n]*)\n(.*?)^\1$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"`([\w./-]+)`:\s*\Z")


def clone(folder: Path) -> dict[str, str]:
    """Copy what the commands read; the environment to run them in."""
    for name in ("ctxlint", "rules", "fixtures"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    # As compiled and lowered already: neither is what the page is about.
    if sys.pycache_prefix is not None:
        theirs, ours = (
            Path(sys.pycache_prefix).joinpath(*root.parts[1:], "ctxlint")
            for root in (ROOT, folder)
        )
        shutil.copytree(theirs, ours, dirs_exist_ok=True)
    warmed(folder / "cache/ctxlint")
    program = folder / "bin" / "ctxlint"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ctxlint "$@"\n')
    program.chmod(0o755)
    return os.environ | {
        "PATH": f"{program.parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(folder),
        "XDG_CACHE_HOME": str(folder / "cache"),
    }


def walked(text: str, folder: Path) -> str:
    """The page with what its commands print today."""
    environment = clone(folder)
    out, at = [], 0
    for block in _FENCE.finditer(text):
        if block.start() < at:
            continue  # the output of the commands before it, which is made anew
        out.append(text[at : block.end()])
        at = block.end()
        _, kind, body = block.groups()
        named = _FILE.search(text[: block.start()])
        if named is not None and kind in ("c", "python", "yaml"):
            (folder / named[1]).write_text(body, encoding="utf-8")
        if kind != "sh walk":
            continue
        done = subprocess.run(
            ["bash", "-c", body], cwd=folder, env=environment, capture_output=True, text=True
        )
        assert not done.stderr, done.stderr
        out.append(f"\n\n```text\n{done.stdout}```")
        said = re.compile(r"\n\n```text\n.*?^```$", re.MULTILINE | re.DOTALL).match(text, at)
        at = said.end() if said is not None else at
    return "".join(out) + text[at:]


def test_walk_through(tmp_path: Path) -> None:
    text = PAGE.read_text(encoding="utf-8")
    now = walked(text, tmp_path)
    assert now.count("\n```sh walk") == now.count("\n```text") > 4
    if os.environ.get("CTXLINT_UPDATE_GOLDEN"):
        PAGE.write_text(now, encoding="utf-8")
    assert now == PAGE.read_text(encoding="utf-8")
