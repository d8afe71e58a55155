# SPDX-License-Identifier: GPL-2.0-or-later
"""The store against a dictionary: any sequence of edits, puts and runs."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from examples import examples
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from ctxlint.store import Inline

from .conftest import Bench

FILES = ["a.c", "b.h", "c.h", "d.h"]
names = st.sampled_from(FILES)
dep_lists = st.lists(names, min_size=1, max_size=4, unique=True)
VARIANTS = 4


class StoreMachine(RuleBasedStateMachine):
    """Model: per key the last few (content of the dependencies, blob)."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        self.bench = Bench(self.root)
        self.disk: dict[str, str] = {}
        # What this run has seen of the files; the store answers from that.
        self.seen: dict[str, str | None] = {}
        self.model: dict[str, list[tuple[dict[str, str], bytes, set[str]]]] = {}
        self.store = self.bench.open()
        self.count = 0

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.root)
        assert not self.bench.warnings

    @rule(name=names, text=st.sampled_from(["one", "two", "three"]))
    def edit(self, name: str, text: str) -> None:
        (self.bench.tree / name).write_text(text)
        self.disk[name] = text

    @rule(name=names)
    def remove(self, name: str) -> None:
        (self.bench.tree / name).unlink(missing_ok=True)
        self.disk.pop(name, None)

    @rule()
    def new_run(self) -> None:
        self.store.refresh()
        self.seen.clear()

    @rule()
    def new_process(self) -> None:
        self.store.close()
        self.store = self.bench.open()
        self.seen.clear()

    @rule(key=st.sampled_from("kl"), deps=dep_lists, symbols=st.sets(st.sampled_from("fgh")))
    def put(self, key: str, deps: list[str], symbols: set[str]) -> None:
        self.count += 1
        body = str(self.count).encode()
        inlines = [Inline(s, s.encode() + body) for s in sorted(symbols)]
        expected = all(self._settles(dep) for dep in deps)
        if expected:
            self._see_all_known()
        assert self.bench.put(self.store, key, deps, body=body, inlines=inlines) == expected
        if expected:
            now = {d: self.disk[d] for d in deps}
            kept = [v for v in self.model.get(key, []) if v[0] != now]
            self.model[key] = [*kept, (now, body, symbols)][-VARIANTS:]

    @rule(keys=st.sets(st.sampled_from("klm")))
    def lookup(self, keys: set[str]) -> None:
        for key in keys:
            for state, _, _ in self.model.get(key, []):
                self._see(state)
        expected = {}
        for key in keys:
            for state, body, _ in self.model.get(key, []):
                if self._valid(state):
                    expected[key] = body
        found = self.store.lookup(sorted(keys))
        assert {k: unit.unit_blob for k, unit in found.items()} == expected

    @rule()
    def known(self) -> None:
        self._see_all_known()
        expected = {
            symbol
            for variants in self.model.values()
            for state, _, symbols in variants
            if self._valid(state)
            for symbol in symbols
        }
        # Known inlines are found once a run and grow by puts; a run that pushed
        # out an old variant may know more than is vouched for by now.
        known = self.store.known_inlines("arm64")
        assert set(known) >= expected
        for symbol, body in self.store.inline_blobs("arm64", known).items():
            assert body.startswith(symbol.encode())

    @invariant()
    def units_are_whole(self) -> None:
        assert self.store.stats().units == sum(len(v) for v in self.model.values())

    def _settles(self, dep: str) -> bool:
        text = self.disk.get(dep)
        return text is not None and self.seen.setdefault(dep, text) == text

    def _see(self, state: dict[str, str]) -> None:
        for name in state:
            self.seen.setdefault(name, self.disk.get(name))

    def _see_all_known(self) -> None:
        for variants in self.model.values():
            for state, _, _ in variants:
                self._see(state)

    def _valid(self, state: dict[str, str]) -> bool:
        return all(self.seen.get(name) == text for name, text in state.items())


StoreMachine.TestCase.settings = settings(
    max_examples=examples(8), stateful_step_count=25, deadline=None
)
TestStore = StoreMachine.TestCase
