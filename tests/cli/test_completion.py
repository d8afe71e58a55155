# SPDX-License-Identifier: GPL-2.0-or-later
"""Shell completion as docs/installing.md says it, in the real shells."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ctxlint.cli.main import COMMANDS

ROOT = Path(__file__).parents[2]

# What each shell does when the key is pressed: call the function that the script defined.
BASH = """
{setup}
COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
declare -F _ctxlint_completion >/dev/null || exit 9
_ctxlint_completion ctxlint
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
ZSH = """
compdef() {{ :; }}
arrays() {{
    for word in "$@"; do [[ $word == completions* ]] && print -l -- "${{(@P)word}}"; done
    true
}}
compadd() {{ arrays "$@" }}
_describe() {{ arrays "$@" }}
{setup}
words=({words}); CURRENT=$#words
_ctxlint_completion
"""
FISH = """
{setup}
complete --do-complete '{line}'
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The program is on the PATH under its name."""
    program = tmp_path / "bin/ctxlint"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ctxlint "$@"\n')
    program.chmod(0o755)
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    return os.environ | {"PATH": path, "HOME": str(tmp_path)}


def setup(shell: str) -> str:
    """The line of the document."""
    text = (ROOT / "docs/installing.md").read_text(encoding="utf-8")
    lines = re.findall(rf"^(.*_CTXLINT_COMPLETE={shell}_source.*)$", text, re.MULTILINE)
    assert len(lines) == 1
    return str(lines[0])


def run(shell: str, script: str, environment: dict[str, str]) -> list[str]:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    flags = {"bash": ["--norc"], "zsh": ["-f"], "fish": ["--no-config"]}[shell]
    done = subprocess.run(
        [program, *flags, "-c", script], env=environment, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    # A description may follow, after a colon or a tab.
    return [re.split(r"[:\t]", line)[0] for line in done.stdout.splitlines() if line.strip()]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["ctxlint", "''"], set(COMMANDS)),
        (["ctxlint", "base"], {"baseline"}),
        (["ctxlint", "baseline", "up"], {"update"}),
        (["ctxlint", "audit", "--new"], {"--new-since"}),
        (["ctxlint", "audit", "--fail-on", "w"], {"warning"}),
        (["ctxlint", "explain", "s"], {"sleep-in-atomic"}),
        (["ctxlint", "model", "run", "M0-02"], {"M0-02"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_completion(
    shell: str, words: list[str], expected: set[str], environment: dict[str, str]
) -> None:
    script = {"bash": BASH, "zsh": ZSH, "fish": FISH}[shell].format(
        setup=setup(shell), words=" ".join(words), line=" ".join(words).replace("''", "")
    )
    assert set(run(shell, script, environment)) == expected
