# SPDX-License-Identifier: GPL-2.0-or-later
"""What is left after a process ends: nothing, whatever ended it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from ctxlint.base import processes
from ctxlint.base.processes import program, scratch

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
PATIENCE = 60
"""Seconds until a test gives up; all of it takes a fraction on any machine."""


def _as_from_a_terminal() -> None:
    """These tests may themselves run with nohup, or in the background of a script."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def start(folder: Path, body: str, *, ignored: str = "") -> subprocess.Popen[str]:
    """A script with the names below, which has said ``ready``. ``ignored``: a signal that
    its starter does not listen to, as a shell without job control does not to SIGINT."""
    text = f"""
        import ctypes, os, signal, subprocess, sys, threading, time
        from pathlib import Path
        from ctxlint.base import processes
        folder = Path({str(folder)!r})
        def ready():
            print("ready", flush=True)
        """
    script = folder.parent / "script.py"
    script.write_text(textwrap.dedent(text) + textwrap.dedent(body), encoding="utf-8")
    command = [sys.executable, str(script)]
    if ignored:
        command = ["sh", "-c", f'trap "" {ignored}; exec "$@"', "sh", *command]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        preexec_fn=_as_from_a_terminal,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n", process.stderr and process.stderr.read()
    return process


def end(process: subprocess.Popen[str], number: signal.Signals) -> int:
    process.send_signal(number)
    code = process.wait(PATIENCE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    process.stderr.close()
    return code


def running(word: str) -> list[str]:
    """Command lines that hold a word and belong to no zombie."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if word in line:
                found.append(line)
    return found


def gone(word: str, folder: Path) -> bool:
    limit = time.monotonic() + PATIENCE
    while time.monotonic() < limit:
        if not running(word) and not list(folder.iterdir()):
            return True
        time.sleep(0.05)
    return False


@pytest.fixture
def place(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    folder.mkdir()
    return folder


def word_of(place: Path) -> str:
    """Stands in the command lines of what a test starts."""
    return f"mark={place}"


@pytest.mark.parametrize("number", SIGNALS)
def test_programs_and_directories_end_with_us(place: Path, number: signal.Signals) -> None:
    """The program's children too, and what they write while they are being ended."""
    shell = f": {word_of(place)}; (while :; do date >> {place}/x*/late; done) & wait"
    process = start(
        place,
        f"""
        with processes.orderly():
            with processes.scratch("x", folder) as made:
                with processes.program(["sh", "-c", {shell!r}]):
                    (made / "file").write_text("text")
                    ready()
                    time.sleep(600)
        """,
    )
    code = end(process, number)
    assert code == (-9 if number == signal.SIGKILL else 1)
    assert gone(word_of(place), place)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_forked_child_ends_with_us(place: Path, number: signal.Signals) -> None:
    process = start(
        place,
        """
        parent = os.getpid()
        if os.fork() == 0:
            processes.forked(parent)
            ready()
        time.sleep(600)
        """,
    )
    word = str(place.parent / "script.py")
    assert len(running(word)) == 2
    end(process, number)
    assert gone(word, place)


def test_a_parent_that_is_gone_already_is_noticed() -> None:
    """What is asked to die with a parent that is not its parent any more, dies."""
    command = processes.dying(["sh", "-c", "echo alive"])
    command[command.index(str(os.getpid()))] = "1"
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")


def test_a_program_that_is_missing_is_told() -> None:
    with program(["/no/such/program"], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stderr.read() == "/no/such/program: No such file or directory\n"
        assert process.wait() == 127


def test_what_a_program_leaves_in_its_group_is_ended(place: Path) -> None:
    with program(["sh", "-c", f": {word_of(place)}; sleep 600 >&- &"]) as process:
        assert process.wait() == 0
    assert gone(word_of(place), place)


def test_stale_directories_go_at_once_and_others_stay(place: Path) -> None:
    (place / "x-of-a-dead-run").mkdir()
    (place / "x-of-a-dead-run" / "file").write_text("text", encoding="utf-8")
    (place / "other").mkdir()
    (place / "x-link").symlink_to(place / "other")
    with scratch("x-", place) as mine:
        assert not (place / "x-of-a-dead-run").exists()
        with scratch("x-", place) as second:
            assert mine.is_dir()
            assert second.is_dir()
        assert not second.exists()
    assert sorted(p.name for p in place.iterdir()) == ["other", "x-link"]


SWALLOWED = {
    "callback of a C library": """
        kind = ctypes.CFUNCTYPE(None)
        def inside():
            ready()
            time.sleep(600)
        kind(inside)()
        time.sleep(600)
        """,
    "destructor": """
        class Thing:
            def __del__(self):
                ready()
                time.sleep(600)
        Thing()
        time.sleep(600)
        """,
    "what Python does around a fork": """
        def inside():
            ready()
            time.sleep(600)
        os.register_at_fork(after_in_parent=inside)
        if os.fork() == 0:
            os._exit(0)
        time.sleep(600)
        """,
    "everything caught": """
        try:
            ready()
            time.sleep(600)
        except BaseException:
            pass
        time.sleep(600)
        """,
}


@pytest.mark.parametrize("body", SWALLOWED.values(), ids=SWALLOWED)
def test_an_interrupt_that_is_swallowed_comes_again(place: Path, body: str) -> None:
    soon = "processes._AGAIN_SECONDS = 0.2\nwith processes.orderly():\n"
    process = start(place, soon + textwrap.indent(textwrap.dedent(body), "    "))
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=PATIENCE)
    assert process.returncode != 0
    assert "ignored" not in told


def test_an_interrupt_after_the_work_is_done_says_nothing(place: Path) -> None:
    """The watcher is stopped, so the script waits for it at its end."""
    process = start(
        place,
        """
        watcher = processes._watched()._process.pid
        os.kill(watcher, signal.SIGSTOP)
        later = f"sleep 0.5; kill -INT {os.getpid()}; sleep 0.5; kill -CONT {watcher}"
        subprocess.Popen(["sh", "-c", later], stderr=subprocess.DEVNULL)
        ready()
        """,
    )
    out, told = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out, told) == (0, "", "")


@pytest.mark.slow
def test_what_sits_in_a_c_library_is_ended_by_force(place: Path) -> None:
    """Python's handler is not reached there: the C one tells the watcher."""
    process = start(
        place,
        """
        from ctxlint.base import lifeline
        with processes.orderly(), processes.scratch("x", folder):
            library = ctypes.PyDLL(None)
            ready()
            while True:
                library.sleep(600)
        """,
    )
    assert end(process, signal.SIGTERM) in (-9, 1)
    assert gone(word_of(place), place)


def test_an_interrupt_counts_where_a_shell_has_it_ignored(place: Path) -> None:
    process = start(
        place, "with processes.orderly():\n    ready()\n    time.sleep(600)\n", ignored="INT"
    )
    assert end(process, signal.SIGINT) != 0


def test_a_hangup_does_not_count_under_nohup(place: Path) -> None:
    process = start(
        place,
        "with processes.orderly():\n    ready()\n    time.sleep(600)\n",
        ignored="HUP",
    )
    process.send_signal(signal.SIGHUP)
    time.sleep(0.2)
    assert process.poll() is None
    assert end(process, signal.SIGTERM) != 0


def test_handlers_are_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    before = [signal.getsignal(n) for n in (*SIGNALS[1:], signal.SIGALRM)]
    hook = sys.unraisablehook
    with processes.orderly() as found:
        assert signal.getsignal(signal.SIGTERM) != before[0]
        with processes.orderly():
            pass
    assert found.number == 0
    assert sys.unraisablehook is hook
    assert [signal.getsignal(n) for n in (*SIGNALS[1:], signal.SIGALRM)] == before
