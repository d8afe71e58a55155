# SPDX-License-Identifier: GPL-2.0-or-later
"""Units: what is found again, and when."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import ctxlint.store.files as files_module
from ctxlint.store import Inline, LostError, Store, now_ns, unit_key

from .conftest import LATER, Bench

Reopen = Callable[[Store], Store]


def test_a_stored_unit_is_found_by_the_next_run(bench: Bench, reopen: Reopen) -> None:
    deps = bench.write(a_c="int a;", a_h="x")
    store = bench.open()
    assert bench.put(store, "k", deps)
    assert set(store.lookup(["k", "other"])) == {"k"}
    with reopen(store) as store:
        unit = store.lookup(["k"])["k"]
        assert (unit.key, unit.file) == ("k", "a.c")
        assert (unit.unit_blob, unit.facts_blob) == (b"unit k", b"facts k")
        assert (store.stats().hits, store.stats().misses) == (1, 0)
    assert not bench.warnings


def test_the_answer_keeps_the_order_of_the_question(bench: Bench) -> None:
    deps = bench.write(a_c="int a;")
    with bench.open() as store:
        for key in "abc":
            bench.put(store, key, deps)
        assert list(store.lookup(["c", "a", "c", "b"])) == ["c", "a", "b"]


@pytest.mark.parametrize("change", ["text", "removed", "directory", "size"])
def test_a_changed_dependency_invalidates(bench: Bench, reopen: Reopen, change: str) -> None:
    deps = bench.write(a_c="int a;", a_h="x")
    other = bench.write(b_c="int b;")
    store = bench.open()
    bench.put(store, "k", deps)
    bench.put(store, "untouched", other)
    header = bench.tree / "a.h"
    match change:
        case "text":
            header.write_text("y")
        case "size":
            header.write_text("xx")
        case "removed":
            header.unlink()
        case "directory":
            header.unlink()
            header.mkdir()
    with reopen(store) as store:
        assert set(store.lookup(["k", "untouched"])) == {"untouched"}


def test_old_text_makes_the_old_unit_valid_again(bench: Bench, reopen: Reopen) -> None:
    store = bench.open()
    for text in "1213":
        deps = bench.write(a_c=text)
        store = reopen(store)
        if not store.lookup(["k"]):
            bench.put(store, "k", deps, body=text.encode())
        assert store.lookup(["k"])["k"].unit_blob == text.encode()
    store.close()


def test_a_new_dependency_counts_from_then_on(bench: Bench, reopen: Reopen) -> None:
    store = bench.open()
    bench.put(store, "k", bench.write(a_c="1"))
    store = reopen(store)
    deps = bench.write(a_c="2", new_h="n")
    bench.put(store, "k", deps)
    bench.write(new_h="m")
    with reopen(store) as store:
        assert not store.lookup(["k"])


def test_a_missing_dependency_is_not_stored(bench: Bench) -> None:
    deps = bench.write(a_c="1")
    with bench.open() as store:
        assert not bench.put(store, "k", [*deps, "gone.h"])
        assert not store.lookup(["k"])
        assert store.stats().units == 0


def test_a_file_that_changed_during_the_parse_is_not_stored(bench: Bench) -> None:
    started = now_ns()
    deps = bench.write(a_c="1")
    with bench.open() as store:
        assert not bench.put(store, "k", deps, started_ns=started)
        assert bench.put(store, "k", deps, started_ns=now_ns() + LATER)


def test_a_file_that_changed_during_the_run_is_not_stored(bench: Bench) -> None:
    # The second unit could use header functions that came from the older text.
    first = bench.write(a_c="1", a_h="x")
    with bench.open() as store:
        assert bench.put(store, "a", first)
        bench.write(a_h="y", b_c="2")
        assert not bench.put(store, "b", ["b.c", "a.h"])
        store.refresh()
        assert bench.put(store, "b", ["b.c", "a.h"])
        assert set(store.lookup(["a", "b"])) == {"b"}


def test_a_copy_of_the_tree_is_warm(bench: Bench) -> None:
    deps = bench.write(a_c="1", a_h="x")
    with bench.open() as store:
        bench.put(store, "k", deps)
    shutil.copytree(bench.tree, bench.tree.with_name("copy"))
    bench.tree = bench.tree.with_name("copy")
    with bench.open() as store:
        assert store.lookup(["k"])


def test_absolute_dependencies(bench: Bench, reopen: Reopen, tmp_path: Path) -> None:
    outside = tmp_path / "generated.h"
    outside.write_text("1")
    store = bench.open()
    bench.put(store, "k", [*bench.write(a_c="1"), str(outside)])
    store = reopen(store)
    assert store.lookup(["k"])
    outside.write_text("2")
    with reopen(store) as store:
        assert not store.lookup(["k"])


def test_a_tree_whose_name_is_not_utf8(bench: Bench, reopen: Reopen) -> None:
    bench.tree = bench.tree.with_name(os.fsdecode(b"tr\xe9e"))
    try:
        bench.tree.mkdir()
    except OSError:
        pytest.skip("this file system takes UTF-8 alone")
    store = bench.open()
    bench.put(store, "k", bench.write(a_c="1"))
    with reopen(store) as store:
        assert store.lookup(["k"])


def test_unchanged_files_are_not_read_again(bench: Bench, reopen: Reopen) -> None:
    deps = bench.write(a_c="1", a_h="x")
    old = now_ns() - 10 * 10**9
    for name in deps:
        os.utime(bench.tree / name, ns=(old, old))
    store = bench.open()
    for key in "abc":
        bench.put(store, key, deps)
    # Written just now, so the hashes of this run are not trusted yet.
    wait_for_a_tick(bench)
    store = reopen(store)
    store.lookup("abc")
    store = reopen(store)
    assert set(store.lookup("abc")) == set("abc")
    assert (store.stats().stats, store.stats().hashes) == (2, 0)
    store.close()


def wait_for_a_tick(bench: Bench) -> None:
    """Until new files are younger than all there are."""
    probe = bench.tree / "probe"
    newest = max(p.stat().st_ctime_ns for p in bench.tree.iterdir())
    while now_ns() <= newest:
        probe.write_text("x")


@pytest.mark.parametrize("racy", [True, False])
def test_equal_times_are_trusted_only_outside_of_the_racy_window(
    bench: Bench, reopen: Reopen, monkeypatch: pytest.MonkeyPatch, racy: bool
) -> None:
    # As on a file system without ctime: two writes that stat cannot tell apart.
    real = files_module._stat

    def without_ctime(path: str) -> files_module.Signature | None:
        found = real(path)
        return found and found._replace(ctime_ns=0)

    monkeypatch.setattr(files_module, "_stat", without_ctime)
    moment = now_ns() + (LATER if racy else -LATER)

    def write(text: str) -> list[str]:
        deps = bench.write(a_c=text)
        os.utime(bench.tree / "a.c", ns=(moment, moment))
        return deps

    store = bench.open()
    assert bench.put(store, "k", write("one"))
    write("two")
    with reopen(store) as store:
        # The other case shows that nothing but the rule noticed the change.
        assert bool(store.lookup(["k"])) == (not racy)


def test_inlines_are_stored_once_and_shared(bench: Bench, reopen: Reopen) -> None:
    a = bench.write(a_c="1", s_h="h")
    b = bench.write(b_c="1", s_h="h")
    inline = Inline("s.h::f", b"body f", ("g", "s.h::h"), b"facts f")
    store = bench.open()
    assert bench.put(store, "a", a, inlines=[inline])
    assert store.known_inlines("arm64") == {"s.h::f": ("g", "s.h::h")}
    assert store.known_inlines("x86") == {}
    assert bench.put(store, "b", b, known=["s.h::f"])
    # Two parses at the same time may both bring it; the first one stays.
    assert bench.put(store, "c", b, inlines=[inline._replace(blob=b"late")])
    with reopen(store) as store:
        assert store.known_inlines("arm64") == {"s.h::f": ("g", "s.h::h")}
        assert store.inline_blob("arm64", "s.h::f") == b"body f"
        assert store.inline_facts("arm64", ["s.h::f"]) == {"s.h::f": b"facts f"}
        assert store.stats().inlines == 1


def test_a_unit_keeps_its_inlines_alive(bench: Bench, reopen: Reopen) -> None:
    # Unit a brought the function and changes; unit b still needs its body.
    a = bench.write(a_c="1", private_h="p", s_h="h")
    b = bench.write(b_c="1", s_h="h")
    store = bench.open()
    bench.put(store, "a", a, inlines=[Inline("f", b"f"), Inline("only_a", b"x")])
    bench.put(store, "b", b, known=["f"])
    bench.write(private_h="q")
    store = reopen(store)
    assert list(store.known_inlines("arm64")) == ["f"]
    bench.write(s_h="i")
    with reopen(store) as store:
        assert store.known_inlines("arm64") == {}


def test_a_unit_without_its_inlines_is_not_stored(bench: Bench) -> None:
    deps = bench.write(a_c="1")
    with bench.open() as store:
        assert not bench.put(store, "a", deps, known=["f"], inlines=[Inline("g", b"g")])
        assert store.known_inlines("arm64") == {}
        assert (store.stats().units, store.stats().inlines) == (0, 0)
        with pytest.raises(LostError):
            store.inline_blob("arm64", "g")


def test_changed_header_brings_a_new_body(bench: Bench, reopen: Reopen) -> None:
    store = bench.open()
    for text in "ab":
        deps = bench.write(a_c="1", s_h=text)
        store = reopen(store)
        bench.put(store, "a", deps, inlines=[Inline("f", text.encode())])
        assert store.inline_blob("arm64", "f") == text.encode()
    bench.write(s_h="a")
    with reopen(store) as store:
        assert store.inline_blob("arm64", "f") == b"a"


def test_blobs_come_with_the_unit(bench: Bench, reopen: Reopen) -> None:
    store = bench.open()
    bench.put(store, "a", bench.write(a_c="1"), blobs=[("record", "struct x", b"layout")])
    with reopen(store) as store:
        assert store.blob("record", "struct x") == b"layout"
        with pytest.raises(LostError):
            store.blob("enum", "struct x")


def test_unit_keys_tell_everything_apart() -> None:
    parts = [
        ("c", "f", ["-DA", "-DB"], "1"),
        ("c", "f", ["-DA-DB"], "1"),
        ("c", "f", ["-DB", "-DA"], "1"),
        ("c", "f", ["-DA", "-DB"], "2"),
        ("c", "g", ["-DA", "-DB"], "1"),
        ("cf", "", ["-DA", "-DB"], "1"),
    ]
    assert len({unit_key(*p) for p in parts}) == len(parts)
    assert unit_key(*parts[0]) == unit_key("c", "f", ("-DA", "-DB"), "1")


def test_the_cost_of_a_warm_lookup_is_one_stat_a_file(bench: Bench, reopen: Reopen) -> None:
    shared = [f"h{i}.h" for i in range(60)]
    for name in [*shared, *(f"u{i}.c" for i in range(20))]:
        (bench.tree / name).write_text(name)
    wait_for_a_tick(bench)
    store = bench.open()
    for i in range(20):
        bench.put(store, f"k{i}", [f"u{i}.c", *shared])
    with reopen(store) as store:
        assert len(store.lookup(f"k{i}" for i in range(20))) == 20
        assert (store.stats().stats, store.stats().hashes) == (80, 0)


def test_a_warm_lookup_costs_little_more_than_its_stats(bench: Bench, reopen: Reopen) -> None:
    shared = [f"h{i}.h" for i in range(500)]
    for name in [*shared, *(f"u{i}.c" for i in range(30))]:
        (bench.tree / name).write_text(name)
    wait_for_a_tick(bench)
    store = bench.open()
    for i in range(30):
        bench.put(store, f"k{i}", [f"u{i}.c", *shared])
    ratios = []
    for _ in range(5):
        store = reopen(store)
        start = time.process_time()
        for path in bench.tree.iterdir():
            path.stat()
        middle = time.process_time()
        assert len(store.lookup(f"k{i}" for i in range(30))) == 30
        ratios.append((time.process_time() - middle) / (middle - start))
    store.close()
    # Usually 2 or 3; asking for every unit's files separately would be 30 more.
    assert min(ratios) < 12


def test_the_main_file_is_a_dependency_even_if_not_named(bench: Bench, reopen: Reopen) -> None:
    bench.write(a_c="1", a_h="x")
    store = bench.open()
    store.put("k", "a.c", b"", b"", ["a.h"], build_class="c", started_ns=now_ns() + LATER)
    bench.write(a_c="2")
    with reopen(store) as store:
        assert not store.lookup(["k"])


def test_a_name_that_is_not_text_is_refused(bench: Bench) -> None:
    name = os.fsdecode(b"\xe9.h")
    deps = bench.write(a_c="1")
    try:
        (bench.tree / name).write_text("x")
    except OSError:
        pytest.skip("this file system takes UTF-8 alone")
    with bench.open() as store:
        assert not bench.put(store, "k", [*deps, name])
        assert bench.put(store, "k", deps)
    assert [level for level, _ in bench.logged] == ["info"]


def test_not_usable_after_a_fork(bench: Bench) -> None:
    with bench.open() as store:
        child = os.fork()
        if child == 0:
            try:
                store.lookup(["k"])
            except RuntimeError:
                os._exit(7)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_named_units_and_the_newest_vouch(bench: Bench) -> None:
    deps = bench.write(a_c="int a;")
    with bench.open() as store:
        for number in range(40):
            bench.put(store, f"k{number}", deps, inlines=[Inline(f"f{number}", b"body")])
        assert len(store.known_inlines("arm64")) == 40
        store.limit_validity(["k3", "nobody"])
        known = store.known_inlines("arm64")
        assert "f3" in known
        assert "f39" in known
        assert "f2" not in known
        # What nobody vouches for may be stored once more, and is the same then.
        before = store.stats().inlines
        assert bench.put(store, "again", deps, inlines=[Inline("f2", b"body")])
        assert store.stats().inlines == before
        assert store.inline_blob("arm64", "f2") == b"body"


def test_a_tree_seen_with_other_contents(bench: Bench) -> None:
    """The changed text has units of its own, and the tree's stay what they were."""
    deps = bench.write(a_c="int a;", a_h="x")
    other = bench.write(b_c="int b;")
    with bench.open() as store:
        bench.put(store, "k", deps)
        bench.put(store, "untouched", other)
        changed = store.seen_with({"a.h": b"y"})
        assert set(changed.lookup(["k", "untouched"])) == {"untouched"}
        assert bench.put(changed, "k", deps, body=b"with y")
        assert changed.lookup(["k"])["k"].unit_blob == b"with y"
        assert store.lookup(["k"])["k"].unit_blob == b"unit k"
        again = store.seen_with({"a.h": b"y", "c.h": b""})
        assert again.lookup(["k"])["k"].unit_blob == b"with y"
        same = store.seen_with({"a.h": b"x"})
        assert same.lookup(["k"])["k"].unit_blob == b"unit k"
    with bench.open() as store:
        assert store.lookup(["k"])["k"].unit_blob == b"unit k"
        assert store.seen_with({"a.h": b"y"}).lookup(["k"])["k"].unit_blob == b"with y"


def test_files_that_are_not_there_and_new_ones(bench: Bench) -> None:
    deps = bench.write(a_c="int a;", a_h="x")
    with bench.open() as store:
        bench.put(store, "k", deps)
        gone = store.seen_with({"a.h": None})
        assert not gone.lookup(["k"])
        assert not bench.put(gone, "k", deps)
        new = store.seen_with({"new.c": b"int n;"})
        assert bench.put(new, "n", ["new.c"])
        assert set(new.lookup(["k", "n"])) == {"k", "n"}
        assert not store.lookup(["n"])


def test_who_reads_a_file(bench: Bench) -> None:
    deps = bench.write(a_c="int a;", a_h="x")
    other = bench.write(b_c="int b;")
    with bench.open() as store:
        bench.put(store, "k", deps)
        bench.put(store, "other", other)
        units = store.lookup(["k", "other"]).values()
        assert store.readers(units, lambda path: path.endswith(".h")) == {"k": ["a.h"]}
        assert store.readers([], lambda path: True) == {}
