# SPDX-License-Identifier: GPL-2.0-or-later
"""Closed and full streams, and files that are none."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from warm_cache import warmed

from ctxlint.base.errors import UsageError
from ctxlint.cli import githooks
from ctxlint.cli.output import emit

ROOT = Path(__file__).parents[2]
FULL = Path("/dev/full")
COMMANDS = (
    "--help",
    "explain",
    "report {saved}",
    "splat {log}",
)


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("streams")
    shutil.copy(ROOT / "tests/report/golden/full.json", folder / "saved")
    (folder / "log").write_text("nothing\n")
    return {"saved": str(folder / "saved"), "log": str(folder / "log")}


def run(line: str, redirection: str) -> subprocess.CompletedProcess[str]:
    """The command in a shell that redirects; what it says comes on standard error."""
    program = f"exec {sys.executable} -m ctxlint {line} {redirection}"
    return subprocess.run(["sh", "-c", program], capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("redirection", [">&-", "> /dev/full"])
@pytest.mark.parametrize("line", COMMANDS)
def test_output_that_nobody_gets(line: str, redirection: str, names: dict[str, str]) -> None:
    done = run(line.format(**names), redirection)
    assert done.returncode == 2
    assert done.stderr.startswith("ctxlint: error: ") and done.stderr.count("\n") == 1


@pytest.mark.parametrize("redirection", ["2>&-", "2> /dev/full", "<&-", "<&- 2>&-"])
def test_streams_that_are_not_needed(redirection: str, names: dict[str, str]) -> None:
    done = run("report {saved}".format(**names), redirection)
    assert done.returncode == 3 and "Incomplete" in done.stdout and not done.stderr


@pytest.mark.parametrize("redirection", ["2>&-", "2> /dev/full", ">&- 2>&-", "<&- >&- 2>&-"])
def test_an_error_that_nobody_gets(redirection: str) -> None:
    done = run("report /nowhere", redirection)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "")


@pytest.mark.parametrize("line", ["report -", "splat -", "patch - --tree {tree}"])
def test_input_that_is_closed(line: str) -> None:
    done = run(line.format(tree=ROOT / "fixtures/tree"), "<&-")
    assert done.returncode == 2
    assert "standard input is closed" in done.stderr and done.stderr.count("\n") == 1


def test_a_reader_that_has_seen_enough(names: dict[str, str]) -> None:
    """The exit code is that of the analysis, not that of the pipe."""
    program = f"{sys.executable} -m ctxlint report {names['saved']}; echo $? >&2"
    shell = subprocess.Popen(
        ["sh", "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert shell.stdout is not None and shell.stderr is not None
    shell.stdout.close()
    assert shell.stderr.read() == b"3\n"
    shell.stderr.close()
    shell.wait()


@pytest.mark.slow
def test_the_next_file_is_no_stream(tmp_path: Path) -> None:
    """With closed streams the store must not become standard output."""
    shutil.copytree(ROOT / "fixtures/tree", tmp_path / "tree")
    line = f"audit --tree {tmp_path / 'tree'} --cache {warmed(tmp_path / 'cache')}"
    assert run(line, "<&- >&- 2>&-").returncode == 2
    assert run(line, "<&- 2>&-").returncode == 1
    again = run(line, "")
    assert again.returncode == 1
    assert [line.split()[:2] for line in again.stderr.splitlines()] == [
        ["ctxlint:", "auditing"]
    ]


# -- files -------------------------------------------------------------------------------


def test_a_file_keeps_its_permissions(tmp_path: Path) -> None:
    file = tmp_path / "out"
    file.write_text("old")
    file.chmod(0o640)
    emit("new", file)
    assert file.read_text() == "new\n" and stat.S_IMODE(file.stat().st_mode) == 0o640
    emit("first", tmp_path / "fresh")
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE((tmp_path / "fresh").stat().st_mode) == 0o666 & ~umask
    assert sorted(p.name for p in tmp_path.iterdir()) == ["fresh", "out"]


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    link, target = tmp_path / "link", tmp_path / "below/target"
    link.symlink_to("below/target")
    for text in ("one\n", "two\n"):  # the first time it leads nowhere
        emit(text, link)
        assert link.is_symlink() and target.read_text() == text
    link.unlink()
    link.symlink_to("link")
    with pytest.raises(UsageError):
        emit("x", link)
    assert link.is_symlink()


def test_what_is_no_file_is_not_replaced(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    got: list[str] = []
    reader = threading.Thread(target=lambda: got.append(fifo.read_text()))
    reader.start()
    emit("text", fifo)
    reader.join()
    assert got == ["text\n"] and stat.S_ISFIFO(fifo.stat().st_mode)
    emit("text", Path("/dev/null"))
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
    with pytest.raises(UsageError, match="No space"):
        emit("text", FULL)
    assert stat.S_ISCHR(FULL.stat().st_mode)
    with pytest.raises(UsageError, match="Is a directory"):
        emit("text", tmp_path)
    with pytest.raises(UsageError):
        emit("text", tmp_path / "no/such/folder")
    with pytest.raises(UsageError):
        emit("text", tmp_path / ("x" * 300))
    emit("text", tmp_path / ("x" * 255))  # the temporary name must not be longer
    link = tmp_path / "null"
    link.symlink_to("/dev/null")
    emit("text", link)
    assert link.is_symlink() and stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_standard_output_by_name(tmp_path: Path, names: dict[str, str]) -> None:
    """Appended to what the shell has there."""
    saved, out = names["saved"], tmp_path / "out"
    done = run(f"report {saved} -o /dev/stdout", "")
    assert "finding" in done.stdout
    assert run(f"report {saved} -o /dev/stdout", f"> {out}").returncode == 3
    assert out.read_text() == done.stdout


def test_a_hook_file_that_nobody_writes_to(tmp_path: Path) -> None:
    where = githooks.Place("pre-commit", tmp_path / "pre-commit", "")
    os.mkfifo(where.path)
    with pytest.raises(UsageError, match="another hook"):
        githooks.install(where, (), "refuse")
    assert stat.S_ISFIFO(where.path.stat().st_mode)


def test_a_hook_does_not_follow_what_lies_beside_it(tmp_path: Path) -> None:
    """A directory of hooks can be part of the tree (core.hooksPath)."""
    (tmp_path / "hooks").mkdir()
    for name in ("pre-commit.ctxlint-new", ".pre-commit.new"):
        (tmp_path / "hooks" / name).symlink_to("../outside")
    where = githooks.Place("pre-commit", tmp_path / "hooks/pre-commit", "")
    githooks.install(where, (), "refuse")
    assert not (tmp_path / "outside").exists()
    assert stat.S_IMODE(where.path.stat().st_mode) == 0o755 and where.is_ours()
