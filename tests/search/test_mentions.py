# SPDX-License-Identifier: GPL-2.0-or-later
"""Where words are in a tree: what is remembered is what a search would find."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ctxlint.search import mentions
from ctxlint.search.mentions import Hits, WordIndex
from ctxlint.search.reach import Wanted, find_files
from ctxlint.store import Store

NAMES = ("teal", "teal_on", "swan")
CALL = "void f_{n}(void)\n{{\n\tteal();\n}}\n"
BODY = "int teal(int a)\n{\n\treturn swan (a);\n}\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    for folder in ("drivers/a", "kernel", "arch/arm64", "arch/x86", "tools", ".git"):
        (root / folder).mkdir(parents=True)
    (root / "Makefile").write_text("")
    (root / "drivers/a/one.c").write_text(CALL.format(n=1))
    (root / "kernel/teal.c").write_text(BODY)
    (root / "arch/arm64/two.c").write_text(CALL.format(n=2))
    for hidden in ("arch/x86/x.c", "tools/t.c", ".git/g.c", "kernel/teal.h"):
        (root / hidden).write_text(CALL.format(n=3))
    return root


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(
        tmp_path / "store.sqlite", log=lambda *_: None, tree=tmp_path / "tree"
    ) as opened:
        yield opened


def plain(found: dict[str, Hits]) -> dict[str, tuple[list[str], list[str]]]:
    return {word: (sorted(hits.named), sorted(hits.defined)) for word, hits in found.items()}


def old(path: Path, seconds: int = 100) -> None:
    """The file was changed a while ago."""
    then = path.stat().st_mtime_ns - seconds * 1_000_000_000
    os.utime(path, ns=(then, then))


def test_names_and_definitions(tree: Path, store: Store) -> None:
    found = plain(WordIndex(tree, "arm64", store).find(NAMES))
    assert found["teal"] == (
        ["arch/arm64/two.c", "drivers/a/one.c", "kernel/teal.c"],
        ["kernel/teal.c"],
    )
    assert found["teal_on"] == ([], [])
    assert found["swan"] == (["kernel/teal.c"], [])


def test_only_what_changed_is_read_again(
    tree: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in tree.rglob("*.c"):
        old(path)
    WordIndex(tree, "arm64", store).find(NAMES)
    read: list[str] = []
    real = mentions.read_regular

    def counted(path: Path, *more: Any) -> bytes | None:
        read.append(path.name)
        return real(path, *more)

    monkeypatch.setattr(mentions, "read_regular", counted)
    monkeypatch.setattr(WordIndex, "_grep", lambda *_: pytest.fail("searched again"))
    WordIndex(tree, "arm64", store).find(NAMES)
    assert read == []
    (tree / "drivers/a/one.c").write_text("int teal_on(void)\n{\n}\n")
    (tree / "arch/arm64/two.c").unlink()
    found = plain(WordIndex(tree, "arm64", store).find(NAMES))
    assert read == ["one.c"]
    assert found["teal"] == (["kernel/teal.c"], ["kernel/teal.c"])
    assert found["teal_on"] == (["drivers/a/one.c"], ["drivers/a/one.c"])


def test_texts_that_are_not_on_the_disk_win(tree: Path, store: Store) -> None:
    contents = {"drivers/a/one.c": None, "kernel/new.c": CALL.format(n=9).encode()}
    wanted = Wanted(frozenset({"teal"}), frozenset({"f_9"}))
    found = find_files(WordIndex(tree, "arm64", store), wanted, ["drivers/a/x.c"], contents)
    assert sorted(found) == ["arch/arm64/two.c", "kernel/new.c", "kernel/teal.c"]
    assert "drivers/a/one.c" in find_files(
        WordIndex(tree, "arm64", store), wanted, ["drivers/a/x.c"]
    )


def test_a_damaged_entry_is_searched_again(tree: Path, store: Store) -> None:
    index = WordIndex(tree, "arm64", store)
    first = plain(index.find(NAMES))
    store.put_cached("words", index._key, b"damaged")
    assert plain(WordIndex(tree, "arm64", store).find(NAMES)) == first


EDITS = st.lists(
    st.tuples(
        st.sampled_from(("drivers/a/one.c", "kernel/teal.c", "kernel/k.c", "arch/arm64/two.c")),
        st.sampled_from(("", CALL.format(n=1), BODY, "int teal_on (void)\n", "/* swan */\n")),
        st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True),
    ),
    min_size=1,
    max_size=6,
)


@pytest.mark.slow
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(EDITS)
def test_the_same_as_a_search(tree: Path, store: Store, edits: list[Any]) -> None:
    for path, text, asked in edits:
        if text:
            (tree / path).write_text(text)
        else:
            (tree / path).unlink(missing_ok=True)
        kept = plain(WordIndex(tree, "arm64", store).find(asked))
        assert kept == plain(WordIndex(tree, "arm64", None).find(asked))


def test_a_file_that_changes_again_at_once(tree: Path, store: Store) -> None:
    """Its time of change, size and inode may be the same; a moment later they tell."""
    file = tree / "drivers/a/one.c"
    before = file.stat()
    first = plain(WordIndex(tree, "arm64", store).find(NAMES))
    assert "drivers/a/one.c" in first["teal"][0]
    file.write_text(file.read_text().replace("teal", "swan"))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    again = plain(WordIndex(tree, "arm64", store).find(NAMES))
    assert "drivers/a/one.c" not in again["teal"][0]
    assert "drivers/a/one.c" in again["swan"][0]
