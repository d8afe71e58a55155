# SPDX-License-Identifier: GPL-2.0-or-later
"""A damaged, forged, read-only or full store: the result is that of a cold run."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zstandard
from examples import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from warm_cache import warmed

from ctxlint import pipeline
from ctxlint.base.request import Quiet
from ctxlint.findings.model import Result
from ctxlint.ir import codec
from ctxlint.ir.unit import Unit
from ctxlint.pipeline import run
from ctxlint.store import database
from ctxlint.store.seal import seal
from tests.pipeline.miniature import TREE


@contextlib.contextmanager
def opened(cache: Path) -> Iterator[sqlite3.Connection]:
    db = sqlite3.connect(cache / "store.sqlite", isolation_level=None)
    try:
        yield db
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        db.close()


class Listener(Quiet):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def log(self, level: str, message: str) -> None:  # type: ignore[override]
        if level == "warning":
            self.lines.append(message)


def audit(cache: Path) -> tuple[Result, list[str]]:
    said = Listener()
    request = pipeline.Request(tree=TREE, builds=(TREE / "builds/rt",), cache=cache, jobs=1)
    return run.audit(request, said), said.lines


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """A store with units, without the results of whole profiles, and the right result."""
    cache = warmed(tmp_path_factory.mktemp("warm"))
    right, said = audit(cache)
    assert said == []
    assert right.findings
    with opened(cache) as db:
        db.execute("DELETE FROM cached")
    return cache, right


def copy(warm: tuple[Path, Result], folder: Path) -> Path:
    cache = folder / "cache"
    shutil.rmtree(cache, ignore_errors=True)
    shutil.copytree(warm[0], cache)
    return cache


@pytest.mark.slow
@settings(
    max_examples=examples(6),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(where=st.floats(0, 0.999999), bit=st.integers(0, 7))
def test_a_flipped_bit(
    warm: tuple[Path, Result], tmp_path: Path, where: float, bit: int
) -> None:
    cache = copy(warm, tmp_path)
    path = cache / "store.sqlite"
    data = bytearray(path.read_bytes())
    data[int(where * len(data))] ^= 1 << bit
    path.write_bytes(data)
    found, said = audit(cache)
    assert found == warm[1]
    assert len(said) <= 2
    assert all("building a new one" in line for line in said)
    again, _ = audit(cache)
    assert again == warm[1]


@pytest.mark.parametrize("left", [0, 1, 100, 5000, 60_000])
def test_a_cut_file(warm: tuple[Path, Result], tmp_path: Path, left: int) -> None:
    cache = copy(warm, tmp_path)
    os.truncate(cache / "store.sqlite", left)
    assert audit(cache)[0] == warm[1]


BOMB = zstandard.ZstdCompressor().compress(b"\0" * (300 << 20))
NO_SIZE = zstandard.ZstdCompressor(write_content_size=False).compress(b"\0" * (1 << 20))
DEEP = zstandard.ZstdCompressor().compress(b"\x91" * 100_000)
FORGED = {
    "bomb": BOMB,
    "size not told": NO_SIZE,
    "deep": DEEP,
    "empty": b"",
    "not compressed": b"text",
    "of another type": codec.encode(("x", 1)),
}


@pytest.mark.slow
@pytest.mark.parametrize("column", ["facts", "body"])
@pytest.mark.parametrize("table", ["units", "inlines"])
@pytest.mark.parametrize("blob", FORGED.values(), ids=FORGED)
def test_a_forged_row(
    warm: tuple[Path, Result], tmp_path: Path, table: str, column: str, blob: bytes
) -> None:
    """With a check sum that is right."""
    cache = copy(warm, tmp_path)
    plain = {BOMB: b"\x91" * 100_000, NO_SIZE: b"\xdd\xff\xff\xff\xff"}.get(blob, blob)
    forged = plain if column == "facts" else blob
    with opened(cache) as db:
        if table == "units":
            for number, key, depset in db.execute(
                "SELECT id, key, depset FROM units"
            ).fetchall():
                new = seal(forged, column, key, str(depset))
                db.execute(f"UPDATE units SET {column} = ? WHERE id = ?", (new, number))
        else:
            for number, symbol in db.execute("SELECT id, symbol FROM inlines").fetchall():
                new = seal(forged, column, symbol)
                db.execute(f"UPDATE inlines SET {column} = ? WHERE id = ?", (new, number))
    found, said = audit(cache)
    assert found == warm[1]
    if table == "units" and column == "facts":
        assert any("building a new one" in line for line in said)


def test_forged_lists_of_rows(warm: tuple[Path, Result], tmp_path: Path) -> None:
    for packed in (b"abc", b"\xff" * 4, b"\0" * 4000):
        cache = copy(warm, tmp_path)
        with opened(cache) as db:
            db.execute("UPDATE depsets SET versions = ?", (seal(packed, "deps"),))
        assert audit(cache)[0] == warm[1]


def test_bombs_are_not_unpacked() -> None:
    for blob in FORGED.values():
        with pytest.raises((zstandard.ZstdError, msgspec.MsgspecError, RecursionError)):
            codec.decode(blob, Unit)


def refusing(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """As if nothing below the cache could be written (root can write everywhere)."""

    def fails(path: Path) -> None:
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(database, "_try_to_write", fails)


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.ENOSPC])
def test_a_warm_cache_that_cannot_be_written(
    warm: tuple[Path, Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    cache = copy(warm, tmp_path)
    before = (cache / "store.sqlite").read_bytes()
    refusing(monkeypatch, number)
    monkeypatch.setattr("ctxlint.frontend.worker.lower_many", None)  # nothing is parsed
    found, said = audit(cache)
    assert found == warm[1]
    assert len(said) == 1
    assert "is not kept" in said[0]
    assert (cache / "store.sqlite").read_bytes() == before


def test_a_cold_cache_that_cannot_be_written(
    warm: tuple[Path, Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusing(monkeypatch, errno.EROFS)
    found, said = audit(tmp_path)
    assert found == warm[1]
    assert len(said) == 1
    assert not (tmp_path / "store.sqlite").exists()


def test_a_disk_that_fills_up(
    warm: tuple[Path, Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From some write on; the run goes on in memory."""
    real = database.Database.writing
    writes = []

    def writing(self: database.Database) -> Any:
        writes.append(1)
        if len(writes) > 3 and self.kept:
            self.connection.execute("PRAGMA max_page_count = 1")
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error
        return real(self)

    monkeypatch.setattr(database.Database, "writing", writing)
    found, said = audit(tmp_path)
    assert found == warm[1]
    assert len(said) == 1
    assert "full" in said[0]
