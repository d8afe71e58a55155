# SPDX-License-Identifier: GPL-2.0-or-later
"""Damaged, foreign and unusable databases, kill -9, runs at the same time."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ctxlint.base.errors import StoreError
from ctxlint.store import Inline, LostError, Store
from ctxlint.store.database import Database, _UnfitError

from .conftest import Bench

UNITS = 12


def body_of(key: str) -> bytes:
    return random.Random(key).randbytes(20_000)


def fill(bench: Bench) -> list[str]:
    deps = bench.write(a_c="1", a_h="x")
    keys = [f"k{i}" for i in range(UNITS)]
    with bench.open() as store:
        for key in keys:
            inline = Inline(f"f_{key}", body_of(f"f_{key}"), ("g",))
            assert bench.put(store, key, deps, body=body_of(key), inlines=[inline])
        store.put_cached("summary", "s", body_of("s"))
    return keys


def check(store: Store, keys: list[str]) -> int:
    """Everything that is found must be right; returns how many units were."""
    good = 0
    for key, unit in store.lookup(keys).items():
        try:
            assert unit.unit_blob == body_of(key)
            assert unit.facts_blob == b"facts " + key.encode()
            assert store.inline_blob("arm64", f"f_{key}") == body_of(f"f_{key}")
            assert store.known_inlines("arm64")[f"f_{key}"] == ("g",)
        except LostError:
            continue
        except KeyError:
            assert not store.lookup([key])
            continue
        good += 1
    assert store.get_cached("summary", "s") in (None, body_of("s"))
    return good


def put_again(bench: Bench, keys: list[str]) -> None:
    with bench.open() as store:
        bench.put(store, keys[0], ["a.c", "a.h"], body=body_of(keys[0]))
    with bench.open() as store:
        assert store.lookup(keys[:1])[keys[0]].unit_blob == body_of(keys[0])


@pytest.mark.parametrize("left", [1, 100, 4096, 10_000, 200_000])
def test_truncated(bench: Bench, left: int) -> None:
    keys = fill(bench)
    os.truncate(bench.path, left)
    with bench.open() as store:
        check(store, keys)
    assert len(bench.warnings) == 1
    assert "building a new one" in bench.warnings[0]
    assert bench.path.with_name("units.db.aside").exists()
    put_again(bench, keys)
    assert len(bench.warnings) == 1


def test_all_random(bench: Bench) -> None:
    keys = fill(bench)
    bench.path.write_bytes(random.Random(1).randbytes(50_000))
    with bench.open() as store:
        assert check(store, keys) == 0
    assert len(bench.warnings) == 1
    put_again(bench, keys)


@pytest.mark.parametrize("seed", range(25))
def test_some_random_bytes(bench: Bench, seed: int) -> None:
    keys = fill(bench)
    dice = random.Random(seed)
    data = bytearray(bench.path.read_bytes())
    for _ in range(dice.choice([1, 8, 200])):
        at = dice.randrange(len(data))
        data[at : at + 16] = dice.randbytes(len(data[at : at + 16]))
    bench.path.write_bytes(data)
    with bench.open() as store:
        check(store, keys)
    put_again(bench, keys)


def test_random_bytes_in_the_write_ahead_log(bench: Bench) -> None:
    keys = fill(bench)
    first = bench.open()
    bench.put(first, "late", ["a.c"], body=body_of("late"))
    for end in ("-wal", "-shm"):
        path = bench.path.with_name(bench.path.name + end)
        copy = bytearray(path.read_bytes())
        for at in range(100, len(copy), 1000):
            copy[at] ^= 0xFF
        path.with_name("saved" + end).write_bytes(copy)
    first.close()
    for end in ("-wal", "-shm"):
        saved = bench.path.with_name("saved" + end)
        saved.replace(bench.path.with_name(bench.path.name + end))
    with bench.open() as store:
        assert check(store, keys) == UNITS


def test_another_schema_version(bench: Bench) -> None:
    keys = fill(bench)
    raw = sqlite3.connect(bench.path)
    raw.execute("PRAGMA user_version = 0")
    raw.close()
    with bench.open() as store:
        assert check(store, keys) == 0
    assert "another version of ctxlint" in bench.warnings[0]
    put_again(bench, keys)


@pytest.mark.parametrize("what", ["table", "column", "foreign"])
def test_another_schema(bench: Bench, what: str) -> None:
    keys = fill(bench)
    raw = sqlite3.connect(bench.path)
    match what:
        case "table":
            raw.execute("DROP TABLE depsets")
        case "column":
            raw.execute("ALTER TABLE units RENAME COLUMN body TO corpse")
        case "foreign":
            raw.execute("PRAGMA application_id = 7")
    raw.close()
    with bench.open() as store:
        assert check(store, keys) == 0
    assert len(bench.warnings) == 1
    put_again(bench, keys)


def test_an_empty_file_is_a_new_database(bench: Bench) -> None:
    bench.path.parent.mkdir()
    bench.path.touch()
    with bench.open() as store:
        assert bench.put(store, "k", bench.write(a_c="1"))
    assert not bench.warnings


def test_damage_while_another_run_has_it_open(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ctxlint.store.database._REPLACE_SECONDS", 0.1)
    keys = fill(bench)
    with bench.open() as other:
        assert check(other, keys) == UNITS
        data = bytearray(bench.path.read_bytes())
        at = data.index(body_of(keys[0])[:100])
        data[at] ^= 0xFF
        with bench.path.open("r+b") as file:
            file.write(data)
        with bench.open() as store:
            assert check(store, keys) == 0
            # This run works, but nothing of it lasts.
            assert bench.put(store, keys[0], ["a.c"], body=body_of(keys[0]))
            assert store.lookup(keys[:1])[keys[0]].unit_blob == body_of(keys[0])
    assert "another run uses it" in bench.warnings[0]
    with bench.open() as store:
        check(store, keys)
    assert "building a new one" in bench.warnings[1]
    put_again(bench, keys)


@pytest.mark.parametrize("reason", ["", "is damaged"])
def test_another_run_was_faster_with_a_new_database(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    deps = bench.write(a_c="1")
    real = Database._existing
    answers = [_UnfitError(reason)]

    def late(self: Database, *arguments: int) -> sqlite3.Connection:
        if answers:
            raise answers.pop()
        return real(self, *arguments)  # type: ignore[arg-type]

    with bench.open() as first:
        monkeypatch.setattr(Database, "_existing", late)
        with bench.open() as second:
            assert bench.put(second, "k", deps)
        assert first.lookup(["k"])
    assert not bench.warnings


def test_runs_that_find_the_damage_at_the_same_time(bench: Bench) -> None:
    fill(bench)
    os.truncate(bench.path, 10_000)
    with writer(bench, "a", 30) as a, writer(bench, "b", 30) as b, writer(bench, "c", 30) as c:
        said = [child.communicate(timeout=60)[0].split("\n") for child in (a, b, c)]
    warnings = [line for lines in said for line in lines if line.startswith("warning")]
    assert len(warnings) == 1, warnings
    keys = [f"{name}{i}" for name in "abc" for i in range(30)]
    with bench.open() as store:
        assert check(store, keys) == 90


@pytest.mark.parametrize("where", ["file/units.db", "folder", "/proc/ctxlint/units.db"])
def test_an_unusable_folder(tmp_path: Path, where: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(StoreError) as caught:
        Store.open(tmp_path / where, log=lambda *_: None, tree=tmp_path)
    assert "--cache" in caught.value.hint


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    said = []
    with Store.open(
        tmp_path / "units.db", log=lambda _, text: said.append(text), tree=tmp_path
    ) as store:
        assert store.put_cached("kind", "key", b"data")
        assert store.get_cached("kind", "key") == b"data"
    assert len(said) == 1
    assert "is not kept" in said[0]


WRITER = """
import resource, signal, sys, time
from pathlib import Path
from ctxlint.store import Inline, Store, now_ns
import random
root, name, count, limit = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
if limit:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
body = lambda key: random.Random(key).randbytes(20_000)
log = lambda level, text: print(level, text, flush=True)
with Store.open(root / "cache" / "units.db", log=log, tree=root / "tree") as store:
    print("ready", flush=True)
    for i in range(count):
        key = f"{name}{i}"
        inlines = [Inline(f"f_{key}", body(f"f_{key}"), ("g",))]
        stored = store.put(key, "a.c", body(key), b"facts " + key.encode(), ["a.c", "a.h"],
            inlines, build_class="arm64", started_ns=now_ns() + 10**10)
        print("put" if stored else "refused", key, flush=True)
"""


def writer(bench: Bench, name: str, count: int, limit: int = 0) -> subprocess.Popen[str]:
    arguments = [str(bench.tree.parent), name, str(count), str(limit)]
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # a file of the tests' would count for the limit
        text=True,
        cwd=Path(__file__).parents[2],
    )


@pytest.mark.parametrize("after", [0, 1, 7, 30])
def test_kill_9_while_writing(bench: Bench, after: int) -> None:
    bench.write(a_c="1", a_h="x")
    with writer(bench, "k", 10_000) as child:
        assert child.stdout is not None
        said = [child.stdout.readline() for _ in range(1 + after)]
        time.sleep(0.003 * after)
        child.send_signal(signal.SIGKILL)
        said += child.stdout.read().splitlines()
    promised = sum(line.startswith("put") for line in said)
    keys = [f"k{i}" for i in range(promised + 5)]
    with bench.open() as store:
        good = check(store, keys)
        # One more may have been committed and not yet said.
        assert good in (promised, promised + 1)
        assert store.stats().units == store.stats().inlines == good
        assert bench.put(store, "more", ["a.c"])
    raw = sqlite3.connect(bench.path)
    assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    raw.close()
    assert not bench.warnings


def test_kill_9_while_opening(bench: Bench) -> None:
    keys = fill(bench)
    for delay in (0.05, 0.1, 0.15):
        with writer(bench, "x", 3) as child:
            time.sleep(delay)
            child.kill()
    with bench.open() as store:
        assert check(store, keys) == UNITS


def test_two_writers_at_once(bench: Bench) -> None:
    bench.write(a_c="1", a_h="x")
    with writer(bench, "a", 60) as a, writer(bench, "b", 60) as b, writer(bench, "a", 60) as c:
        said = [child.communicate(timeout=60)[0].split("\n") for child in (a, b, c)]
    for lines in said:
        assert len([line for line in lines if line.startswith("put")]) == 60
    keys = [f"{name}{i}" for name in "ab" for i in range(60)]
    with bench.open() as store:
        assert check(store, keys) == 120
        assert (store.stats().units, store.stats().inlines) == (120, 120)
    assert not bench.warnings


def test_a_full_disk_costs_the_store_alone(bench: Bench) -> None:
    bench.write(a_c="1", a_h="x")
    with writer(bench, "k", 60, limit=500_000) as child:
        lines = child.communicate(timeout=60)[0].split("\n")
        assert child.returncode == 0
    stored = [line.split()[1] for line in lines if line.startswith("put")]
    assert len(stored) == 60  # in memory, from some unit on
    [warning] = [line for line in lines if line.startswith("warning")]
    assert "is not kept" in warning
    with bench.open() as store:
        assert 0 < check(store, stored) < 60
    assert not bench.warnings


def test_no_space_from_the_beginning(bench: Bench) -> None:
    with writer(bench, "k", 1, limit=1) as child:
        child.communicate(timeout=60)
        assert child.returncode == 1
