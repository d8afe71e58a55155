# SPDX-License-Identifier: GPL-2.0-or-later
"""``make C=1`` and ``C=2`` with ctxlint as the checker, by the kernel's own Makefile."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from ctxlint.base.request import Quiet
from ctxlint.kbuild.toolchain import find_toolchain
from ctxlint.pipeline import Request, audit

from .scratch import Bench

BELOW = "drivers/irqchip"
_LINE = re.compile(r"(\S+?):(\d+):(\d+): (?:error|warning): (.*) \[([a-z-]+)\]")
_SEEN = re.compile(r", seen with \S+$")


class Listening(Quiet):
    """Notes which units were parsed."""

    def __init__(self) -> None:
        self.parsed: list[str] = []

    def advance(self, stage: str, text: str = "") -> None:
        if stage.startswith("reading"):
            self.parsed.append(text)


def test_both_passes_tell_what_the_audit_tells(bench: Bench) -> None:
    build, cache, tree = bench.fresh("build"), bench.fresh("cache"), bench.tree.path
    build.mkdir()
    checker = f"{sys.executable} -m ctxlint kbuild"
    environment = os.environ | {"CTXLINT_CACHE": str(cache)}

    def make(*words: str) -> str:
        command = ["make", "-s", f"-j{max(bench.jobs, 2)}", f"O={build}", "ARCH=arm64"]
        done = subprocess.run(
            [*command, f"LLVM={find_toolchain().llvm}", *words],
            cwd=tree,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stderr

    make("defconfig")
    options = ["-e", "EXPERT", "-e", "PREEMPT_RT", "-d", "PREEMPT"]
    script = [str(tree / "scripts/config"), "--file", str(build / ".config"), *options]
    subprocess.run(script, check=True)
    make("olddefconfig")
    make("prepare")
    first = make("C=1", f"CHECK={checker}", f"{BELOW}/")
    second = make("C=2", f"CHECK={checker}", f"{BELOW}/")

    listening = Listening()
    result = audit(
        Request(tree=tree, paths=(BELOW,), builds=(build,), cache=cache, jobs=1), listening
    )
    assert listening.parsed == []
    assert result.profiles[0].rt
    assert result.incomplete == ()
    expected = {(f.file, f.line, f.column, f.message, f.check) for f in result.findings}
    assert expected
    assert found(first, tree) == expected
    assert found(second, tree) == expected


def found(text: str, tree: Path) -> set[tuple[Any, ...]]:
    """Findings below ``BELOW`` in what make's recipes said."""
    matches = [m for line in text.splitlines() if (m := _LINE.fullmatch(line))]
    return {
        (file, int(row), int(column), _SEEN.sub("", message), check)
        for file, row, column, message, check in (
            (m[1].removeprefix(f"{tree}/"), *m.groups()[1:]) for m in matches
        )
        if file.startswith(BELOW)
    }
