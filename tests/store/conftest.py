# SPDX-License-Identifier: GPL-2.0-or-later
"""A small tree and a store over it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import pytest

from ctxlint.store import Inline, Store, now_ns

LATER = 10**10  # ns; a parse that "began" later than every write of the test


class Bench:
    """Opens stores over one tree and collects what they log."""

    def __init__(self, root: Path) -> None:
        self.tree = root / "tree"
        self.tree.mkdir()
        self.path = root / "cache" / "units.db"
        self.logged: list[tuple[str, str]] = []

    def open(self) -> Store:
        return Store.open(self.path, log=self._log, tree=self.tree)

    def _log(self, level: str, message: str) -> None:
        self.logged.append((level, message))

    @property
    def warnings(self) -> list[str]:
        return [message for level, message in self.logged if level == "warning"]

    def write(self, **files: str) -> list[str]:
        names = [name.replace("_", ".") for name in files]
        for name, text in zip(names, files.values(), strict=True):
            (self.tree / name).write_text(text)
        return names

    def put(
        self,
        store: Store,
        key: str,
        deps: Sequence[str],
        *,
        inlines: Sequence[Inline] = (),
        known: Iterable[str] = (),
        body: bytes = b"",
        **more: object,
    ) -> bool:
        return store.put(
            key,
            deps[0],
            body or b"unit " + key.encode(),
            b"facts " + key.encode(),
            deps,
            inlines,
            build_class="arm64",
            started_ns=more.pop("started_ns", now_ns() + LATER),  # type: ignore[arg-type]
            known=known,
            **more,  # type: ignore[arg-type]
        )


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    yield Bench(tmp_path)


@pytest.fixture
def reopen(bench: Bench) -> Callable[[Store], Store]:
    def again(store: Store) -> Store:
        store.close()
        return bench.open()

    return again
