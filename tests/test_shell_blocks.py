# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands in the documents do what the text says.

A block marked ``sh`` is run, line by line, in a copy of the miniature tree. One marked
``sh checked`` needs more than that (a real kernel, a package index, a container): its lines
are held against the options that commands have (``test_documents.py``), the targets of the
Makefile and the packages of ``pyproject.toml``. ``sh walk`` is what
``test_walk_through.py`` runs.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from patches.repository import ENVIRONMENT, Repo
from program import ctxlint
from test_documents import DOCUMENTS, ROOT, relative
from warm_cache import warmed

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
SPLAT = """\
BUG: sleeping function called from invalid context at kernel/locking/mutex.c:283
in_atomic(): 1, irqs_disabled(): 128, non_block: 0, pid: 0, name: swapper/0
preempt_count: 1, expected: 0
CPU: 0 UID: 0 PID: 0 Comm: swapper/0 Not tainted 6.12.0 #1
Call trace:
 __might_resched+0x12c/0x158
 mutex_lock+0x28/0x60
 snail_irq_mask+0x30/0x80
"""


def blocks(path: Path) -> Iterator[tuple[str, str]]:
    """What is written behind the fence, and the text, of each block."""
    text = path.read_text(encoding="utf-8")
    fence = re.compile(r"^(`{3,})([^`\n]*)\n(.*?)^\1$", re.MULTILINE | re.DOTALL)
    yield from ((mark, body) for _, mark, body in fence.findall(text))


def of_kind(kind: str) -> list[object]:
    found = [(p, text) for p in DOCUMENTS for mark, text in blocks(p) if mark == kind]
    return [
        pytest.param(text, id=f"{relative(path)}-{number}")
        for number, (path, text) in enumerate(found)
    ]


@pytest.fixture
def world(tmp_path: Path) -> dict[str, str]:
    """An environment whose ``~/linux`` is a repository with what the documents name: commits,
    a branch, a tag, where its upstream was, a series, a log. Programs are on the PATH."""
    repo = Repo.make(tmp_path / "linux")
    repo.git("tag", "v6.12")
    repo.git("update-ref", "refs/remotes/origin/master", "HEAD")
    repo.series()
    repo.git("switch", "-q", "-c", "topic")
    other = "drivers/irqchip/irq-snail.c"
    repo.edit(other, ("\n#include", "\n/* A snail. */\n#include"))
    repo.commit("irqchip/snail: Say what it is")
    series = repo.git("format-patch", "-q", "--stdout", "HEAD~1")
    repo.git("switch", "-q", "main")
    (repo.path / "series.mbox").write_text(series)
    (repo.path / "dmesg.txt").write_text(SPLAT)
    warmed(tmp_path / ".cache/ctxlint")
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "ctxlint").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ctxlint "$@"\n')
    (programs / "b4").write_text(f"#!/bin/sh\nexec cat {repo.path}/series.mbox\n")
    for program in programs.iterdir():
        program.chmod(0o755)
    own = {"HOME": str(tmp_path), "PATH": f"{programs}:{os.environ['PATH']}"}
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "GIT_"))}
    return kept | ENVIRONMENT | own


@pytest.mark.parametrize("path", DOCUMENTS, ids=relative)
def test_every_block_says_what_it_is(path: Path) -> None:
    known = {
        "sh",
        "sh checked",
        "sh walk",
        "text",
        "toml",
        "yaml",
        "c",
        "python",
        "ini",
        "lua",
        "elisp",
    }
    # A block of JSON may say which call of a tool it answers.
    marks = {"json" if mark.startswith("json ") else mark for mark, _ in blocks(path)}
    assert marks <= known | {"vim", "json"}


@pytest.mark.parametrize("text", of_kind("sh"))
def test_block_runs(text: str, world: dict[str, str]) -> None:
    """Each command ends with 0, or with 1 as findings do. One that says nothing to the shell
    needs no start of the program."""
    tree = Path(world["HOME"], "linux")
    for line in text.splitlines():
        if line.startswith("ctxlint ") and not re.search(r"[|<>$&;(]|\s~", line):
            words = shlex.split(line, comments=True)[1:]
            done = ctxlint(*words, at=tree, environment=world)
        else:
            command = ["bash", "-o", "pipefail", "-c", line]
            done = subprocess.run(command, cwd=tree, env=world, capture_output=True, text=True)
        assert done.returncode in (0, 1), (line, done.stderr[-3000:])


def test_a_block_that_fails_is_noticed(world: dict[str, str]) -> None:
    for line in ("ctxlint audit nowhere", "ctxlint patch nothing.mbox", "no-such-program"):
        with pytest.raises(AssertionError):
            test_block_runs(f"true\n{line}\ntrue\n", world)


_OTHERS = (
    "export",
    "ctxlint",
    "cd",
    "make",
    "b4",
    "dot",
    "CodeChecker",
    "python3",
    ".venv/bin/python",
    ".venv/bin/pip",
)


def words_of(line: str) -> list[list[str]]:
    """The commands of a line, without assignments, redirections and comments."""
    parts = re.split(r"\|\|?|&&|;", re.sub(r"^\((.*)\)", r"\1", line.split(" #")[0]))
    found = [shlex.split(part.strip(" ()")) for part in parts]
    return [[w for w in words if not re.match(r"[A-Z_]+=", w)] for words in found if words]


@pytest.mark.parametrize("text", of_kind("sh checked"))
def test_block_names_what_there_is(text: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for line in text.splitlines():
        if line.startswith(("eval ", "_CTXLINT_COMPLETE=", "#")) or not line.strip():
            continue  # completion: cli/test_completion.py runs these lines
        for program, *words in words_of(line):
            if program == "make" and "CHECK=" not in line:
                assert re.search(rf"^{words[0]}:", makefile, re.MULTILINE), line
            elif program in ("pip", "pipx") and words[0] == "install":
                extra = re.fullmatch(r"(?:\.|dist/\S+)(?:\[(\w+)\])?", words[1])
                assert extra is not None, line
                assert extra[1] is None or extra[1] in PROJECT["optional-dependencies"], line
            elif program == "pipx":
                wanted = {
                    re.split("[>=]", r)[0] for r in PROJECT["optional-dependencies"]["lsp"]
                }
                assert words[:2] == ["inject", PROJECT["name"]] and set(words[2:]) == wanted
            elif program == "podman":
                assert (ROOT / "Containerfile").is_file()
            else:
                # Options of ctxlint: test_documents.py. The rest is the reader's own.
                assert program in _OTHERS, line
