# SPDX-License-Identifier: GPL-2.0-or-later
"""Units of a profile to facts: from the store where they are valid, else parsed."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import msgspec

from ctxlint import __version__, kbuild
from ctxlint.callgraph.facts import Summary
from ctxlint.callgraph.program import Program, link
from ctxlint.findings.model import Incomplete
from ctxlint.frontend import worker
from ctxlint.pipeline import Progress, Request
from ctxlint.pipeline.work import (
    UnitResult,
    decode_facts,
    decode_summary,
)
from ctxlint.rulebook import Rulebook, load, rules_directory
from ctxlint.store import Inline, Store, now_ns, unit_key


@dataclass
class Index:
    """Facts of all units of one profile, still encoded.

    ``facts`` by file; ``inlines`` by symbol; ``parsed`` counts the units that
    were not in the store.
    """

    tool: str
    facts: dict[str, bytes] = field(default_factory=dict)
    stamps: dict[str, str] = field(default_factory=dict)
    inlines: dict[str, bytes] = field(default_factory=dict)
    wanted: dict[str, set[str]] = field(default_factory=dict)
    incomplete: list[Incomplete] = field(default_factory=list)
    parsed: int = 0
    store: Store | None = None

    def key(self, profile: str, paths: tuple[str, ...]) -> str:
        """Names all inputs of the whole-program stages by content."""
        text = "\n".join(
            (self.tool, profile, *paths, *(f"{f} {s}" for f, s in sorted(self.stamps.items())))
        )
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

    def program(self) -> Program:
        """Decode and link."""
        units = [decode_facts(blob) for _, blob in sorted(self.facts.items())]
        reached = {symbol for unit in units for symbol in unit.inlines}
        missing = reached - set(self.inlines)
        if self.store is not None:
            for build_class, symbols in sorted(self.wanted.items()):
                have = sorted(missing & symbols)
                self.inlines.update(self.store.inline_facts(build_class, have))
                missing -= set(have)
        summaries: list[Summary] = [
            decode_summary(self.inlines[s]) for s in sorted(reached) if s in self.inlines
        ]
        return link(units, summaries)


def index_profile(
    tree: kbuild.Tree,
    profile: kbuild.Prepared,
    request: Request,
    store: Store,
    progress: Progress,
    jobs: int,
) -> Index:
    """Bring the facts of every unit of a profile up to date."""
    tool = f"{__version__} {rules_digest(request)} {worker.version(request.libclang)}"
    index = Index(tool, store=store)
    commands = {
        unit_key(profile.spec_name, c.file, c.arguments, tool): c for c in profile.commands
    }
    stored = store.lookup(commands)
    for key, unit in stored.items():
        command = commands[key]
        index.facts[command.file] = unit.facts_blob
        index.stamps[command.file] = _stamp(unit.facts_blob)
    todo = [(key, c) for key, c in sorted(commands.items(), key=lambda kv: kv[1].file) if key not in stored]
    for key, command in commands.items():
        if key in stored:
            index.wanted.setdefault(command.build_class, set()).update(
                decode_inlines(index.facts[command.file])
            )
    if todo:
        _parse(tree, profile, request, store, progress, jobs, todo, index)
    return index


def _parse(
    tree: kbuild.Tree,
    profile: kbuild.Prepared,
    request: Request,
    store: Store,
    progress: Progress,
    jobs: int,
    todo: list[tuple[str, kbuild.CompileCommand]],
    index: Index,
) -> None:
    stage = f"reading {profile.spec_name}"
    progress.start(stage, len(todo))
    started = now_ns()
    by_file = {command.file: (key, command) for key, command in todo}

    def done(file: str, result: bytes | None, failure: worker.Failure | None) -> None:
        progress.advance(stage, file)
        key, command = by_file[file]
        if result is None:
            assert failure is not None
            index.incomplete.append(
                Incomplete(
                    file=file, profile=profile.spec_name, reason=failure.reason,
                    detail=failure.detail,
                )  # fmt: skip
            )
            return
        unit = msgspec.msgpack.decode(result, type=UnitResult)
        index.parsed += 1
        index.facts[file] = unit.facts
        index.stamps[file] = _stamp(unit.facts)
        for inline in unit.inlines:
            index.inlines.setdefault(inline.symbol, inline.summary)
        index.wanted.setdefault(command.build_class, set()).update(unit.reached)
        if unit.errors:
            index.incomplete.append(
                Incomplete(
                    file=file, profile=profile.spec_name, reason="does not parse without errors",
                    detail="\n".join(unit.errors[:5]),
                )  # fmt: skip
            )
            return
        store.put(
            key, file, unit.unit, unit.facts, unit.deps,
            [Inline(i.symbol, i.body, i.refs, i.summary) for i in unit.inlines],
            build_class=command.build_class, started_ns=started, known=unit.reached,
        )  # fmt: skip

    worker.run(
        [
            worker.Job(
                tree=tree.path, file=c.file, directory=c.directory, arguments=c.arguments,
                build_class=c.build_class, rt=profile.rt, libclang=request.libclang,
                rules=request.rules,
            )  # fmt: skip
            for _, c in todo
        ],
        processes=jobs,
        timeout=request.timeout,
        on_result=done,
        log=progress.log,
    )
    progress.finish(stage)


def decode_inlines(facts: bytes) -> tuple[str, ...]:
    return decode_facts(facts).inlines


def _stamp(blob: bytes) -> str:
    return hashlib.blake2b(blob, digest_size=12).hexdigest()


@lru_cache(maxsize=4)
def _load(extra: tuple[Path, ...]) -> Rulebook:
    return load(extra)


def rules_of(request: Request) -> Rulebook:
    return _load(request.rules)


@lru_cache(maxsize=4)
def _digest(extra: tuple[Path, ...]) -> str:
    hasher = hashlib.blake2b(digest_size=12)
    for root in (rules_directory(), *extra):
        for path in sorted(root.rglob("*.yaml")) if root.is_dir() else [root]:
            hasher.update(path.read_bytes())
    return hasher.hexdigest()


def rules_digest(request: Request) -> str:
    """Identity of the rules: facts of functions depend on them."""
    return _digest(request.rules)


__all__ = ["Index", "index_profile", "os", "rules_of"]
