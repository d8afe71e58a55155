# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs that are ended at any moment: they are over soon, leave nothing behind, and the
next run gives what a first one gives."""

from __future__ import annotations

import difflib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

from tests.pipeline.miniature import TREE

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
COMMANDS = ("audit", "patch")
SNAIL = "drivers/irqchip/irq-snail.c"
KEPT = {"store.sqlite", "store.sqlite.lock"} | {
    f"store.sqlite-{kind}" for kind in ("journal", "shm", "wal")
}
"""The last three belong to a database whose user was killed (a journal: while it was made);
SQLite takes them up when the next run opens it."""

PATIENCE = 60.0
MARK = "CTXLINT_TEST_MARK"


def _as_from_a_terminal() -> None:
    """With nohup, SIGHUP does not count; nor does SIGINT in the background of a script."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Bench:
    """A tree, and runs over caches of their own. ``slowest`` is the longest time, in
    seconds, from a signal until nothing was left of a run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tree = folder / "tree"
        shutil.copytree(TREE, self.tree)
        self.series = folder / "series.mbox"
        old = (self.tree / SNAIL).read_text(encoding="utf-8")
        new = old.replace("{\n", "{\n\t/* A comment. */\n", 1)
        names = (f"a/{SNAIL}", f"b/{SNAIL}")
        diff = "".join(difflib.unified_diff(old.splitlines(True), new.splitlines(True), *names))
        self.series.write_text(
            "From 1111111111111111111111111111111111111111 Mon Sep 17 00:00:00 2001\n"
            "From: A Person <a@example.org>\nDate: Mon, 1 Jan 2024 00:00:00 +0000\n"
            f"Subject: [PATCH] irqchip: a comment\n\nWhy.\n---\n\n"
            f"diff --git {names[0]} {names[1]}\n{diff}--\n2.43.0\n\n",
            encoding="utf-8",
        )
        self.slowest = 0.0
        self.temporary = folder / "tmp"
        self.temporary.mkdir()

    def start(self, command: str, cache: Path, mark: str) -> subprocess.Popen[bytes]:
        words = ["audit"] if command == "audit" else ["patch", str(self.series)]
        environment = {
            **os.environ,
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "TMPDIR": str(self.temporary),
            MARK: mark,
            "SOURCE_DATE_EPOCH": "0",  # of results that are compared
        }
        options = ["--tree", str(self.tree), "--cache", str(cache), "-f", "json", "-j", "2"]
        return subprocess.Popen(
            [sys.executable, "-m", "ctxlint", *words, *options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, cwd=self.folder,
            preexec_fn=_as_from_a_terminal,
        )  # fmt: skip

    def whole(self, command: str, cache: Path) -> tuple[int, bytes]:
        with self.start(command, cache, "") as process:
            out, err = process.communicate(timeout=10 * PATIENCE)
        assert process.returncode in (0, 1), err.decode()
        # The command line names the cache, which is another one.
        return process.returncode, re.sub(rb'"command": "ctxlint .*', b"", out)

    def killed(self, command: str, number: signal.Signals, after: float, cache: Path) -> int:
        """The exit code of a run that gets a signal; fails when something is left."""
        mark = uuid.uuid4().hex
        with self.start(command, cache, mark) as process:
            time.sleep(after)
            begun = time.monotonic()
            process.send_signal(number)
            _, err = process.communicate(timeout=PATIENCE)
        while left := self.left(mark, cache):
            assert time.monotonic() - begun < PATIENCE, (number, after, left, err)
            time.sleep(0.02)
        self.slowest = max(self.slowest, time.monotonic() - begun)
        # Before it reads a line of ours, Python prints a traceback of its own start.
        assert b"Traceback" not in err or b"ctxlint" not in err, err.decode()
        return process.returncode

    def left(self, mark: str, cache: Path) -> list[str]:
        """Processes with the mark, and files that are none of a cache."""
        found = [str(path) for path in self.temporary.iterdir()]
        if cache.exists():
            found += [str(path) for path in cache.iterdir() if path.name not in KEPT]
        wanted = f"{MARK}={mark}".encode()
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    if wanted in (entry / "environ").read_bytes().split(b"\0"):
                        found.append((entry / "cmdline").read_bytes().decode()[:200])
                except OSError:
                    continue
        return found


def campaign(
    bench: Bench, rounds: int, seed: int, checked: int, commands: tuple[str, ...] = COMMANDS
) -> dict[str, object]:
    """Kill each command by each signal ``rounds`` times; figures of how it went. The first
    and then every ``checked``-th time the command is run again, to its end."""
    rng = random.Random(seed)
    codes: dict[str, dict[int, int]] = {}
    for command in commands:
        turn = 0
        begun = time.monotonic()
        right = bench.whole(command, bench.folder / f"right-{command}")
        length = time.monotonic() - begun
        for number in SIGNALS:
            seen = codes.setdefault(f"{command} {number.name}", {})
            for _ in range(rounds):
                cache = bench.folder / "cache"
                shutil.rmtree(cache, ignore_errors=True)
                code = bench.killed(command, number, rng.uniform(0, length), cache)
                allowed = {0, 1, -number, 128 + number}
                assert code in allowed, (command, number, code)
                seen[code] = seen.get(code, 0) + 1
                if turn % checked == 0:
                    assert bench.whole(command, cache) == right
                turn += 1
    return {"codes": codes, "slowest": round(bench.slowest, 2)}


@pytest.mark.slow
def test_a_few(tmp_path: Path) -> None:
    campaign(Bench(tmp_path), 1, 1, 4, COMMANDS[:1])


@pytest.mark.slow
def test_many(tmp_path: Path) -> None:
    """CTXLINT_KILLS of each signal and command (5; 50 take about an hour)."""
    rounds = int(os.environ.get("CTXLINT_KILLS", "5"))
    campaign(Bench(tmp_path), rounds, 2, checked=5)


if __name__ == "__main__":
    print(campaign(Bench(Path(sys.argv[1])), int(sys.argv[2]), int(sys.argv[3]), 5))
