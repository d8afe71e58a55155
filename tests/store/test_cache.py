# SPDX-License-Identifier: GPL-2.0-or-later
"""Results of later stages, and pruning."""

from __future__ import annotations

import random
import sqlite3

import pytest

from ctxlint.store import Inline, LostError

from .conftest import Bench

BIG = 50_000


def test_results_are_kept_by_kind_and_key(bench: Bench) -> None:
    with bench.open() as store:
        assert store.get_cached("summary", "k") is None
        assert store.put_cached("summary", "k", b"1")
        assert store.put_cached("result", "k", b"2")
        assert store.put_cached("summary", "k", b"3")
    with bench.open() as store:
        assert store.get_cached("summary", "k") == b"3"
        assert store.get_cached("result", "k") == b"2"
        assert store.stats().cached == 2


def age(bench: Bench, table: str, key: str, seconds: int) -> None:
    raw = sqlite3.connect(bench.path)
    with raw:
        raw.execute(f"UPDATE {table} SET used = used - ? WHERE key = ?", (seconds, key))
    raw.close()


def filled(bench: Bench) -> None:
    deps = bench.write(a_c="1")
    blob = random.Random(0).randbytes(BIG)
    with bench.open() as store:
        for key in "abcd":
            inline = Inline(f"f_{key}", blob)
            extra = [("record", key, b"r")]
            bench.put(store, key, deps, body=blob, inlines=[inline], blobs=extra)
            store.put_cached("result", key, blob)
    for number, key in enumerate("abcd"):
        age(bench, "units", key, 100_000 - 10 * number)
        age(bench, "cached", key, 100_000 - 10 * number)


def test_pruning_takes_the_oldest_and_what_only_they_needed(bench: Bench) -> None:
    filled(bench)
    with bench.open() as store:
        before = store.stats().bytes
        freed = store.prune(before - 7 * BIG // 2)
        assert freed >= 4 * BIG
        assert store.stats().bytes == before - freed
        assert set(store.lookup("abcd")) == set("cd")
        assert list(store.known_inlines("arm64")) == ["f_c", "f_d"]
        assert [k for k in "abcd" if store.get_cached("result", k)] == ["c", "d"]
        assert store.blob("record", "c") == b"r"
        with pytest.raises(LostError):
            store.blob("record", "a")
        assert bench.put(store, "a", ["a.c"], known=["f_c"])
    size = bench.path.stat().st_size
    assert size < before


def test_nothing_to_prune(bench: Bench) -> None:
    filled(bench)
    with bench.open() as store:
        assert store.prune(10**9) == 0
        assert store.stats().units == 4


def test_what_a_run_uses_is_spared(bench: Bench) -> None:
    filled(bench)
    with bench.open() as other:
        assert set(other.lookup("ab")) == set("ab")
        assert other.get_cached("result", "a")
        with bench.open() as store:
            store.prune(0)
            assert (store.stats().units, store.stats().inlines) == (2, 2)
            assert store.stats().cached == 1
            store.prune(0, spare_seconds=0)
            assert store.stats().units == store.stats().inlines == store.stats().cached == 0
        # Gone under our feet: said so, and a unit that needs it is not stored.
        unit = other.lookup("ab")
        assert not unit
        with pytest.raises(LostError):
            other.inline_blob("arm64", "f_a")
        assert not bench.put(other, "e", ["a.c"], known=["f_a"])
    assert not bench.warnings


def test_a_unit_read_after_it_was_pruned(bench: Bench) -> None:
    filled(bench)
    with bench.open() as other, bench.open() as store:
        unit = other.lookup("a")["a"]
        other.known_inlines("arm64")
        store.prune(0, spare_seconds=0)
        with pytest.raises(LostError):
            _ = unit.unit_blob
        assert not bench.put(other, "e", ["a.c"], known=["f_a"])
