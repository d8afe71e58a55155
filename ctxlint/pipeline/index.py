# SPDX-License-Identifier: GPL-2.0-or-later
"""Units of a profile to facts: from the store where they are valid, else parsed."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import msgspec

import ctxlint
from ctxlint import __version__, kbuild
from ctxlint.callgraph.facts import Summary, UnitFacts, is_neutral
from ctxlint.callgraph.program import Program, link
from ctxlint.contexts.unitfacts import summarise, unit_facts
from ctxlint.findings.model import Incomplete
from ctxlint.frontend import worker
from ctxlint.frontend.clang import library
from ctxlint.ir import codec
from ctxlint.ir.unit import Function, Unit
from ctxlint.pipeline import Progress, Request
from ctxlint.pipeline.work import (
    UnitResult,
    decode_facts,
    decode_summary,
)
from ctxlint.rulebook import Rulebook, load, rules_directory
from ctxlint.store import Inline, Store, now_ns, unit_key

_HEADER_LEVELS = 3

_FACT_MAKERS = (
    "base", "callgraph", "contexts", "frontend", "ir", "rulebook", "pipeline/work.py",
)  # fmt: skip
_JUDGES = ("checks", "findings", "kbuild", "pipeline")
"""Packages and modules that decide what is stored of a unit, and of a whole profile: a
change of one makes that stale, a new report format does not parse a kernel again."""

CLOCK_SETTLES = 0.025
"""Seconds. Times of files may run ahead of the clock that dates a parse, by a tick
(fine-grained timestamps, Linux 6.13); a file written just before would look as if
it had changed during the parse, and its units would not be stored."""


@dataclass
class Index:
    """Facts of all units of one profile, still encoded.

    ``facts`` by file; ``inlines`` by symbol (those not parsed just now are read
    from the store, from any of ``classes``); ``parsed`` counts the units that
    were not in the store; ``stamps`` identify the facts, ``keys`` the units in
    the store.
    """

    tool: str
    facts: dict[str, bytes] = field(default_factory=dict)
    stamps: dict[str, str] = field(default_factory=dict)
    inlines: dict[str, bytes] = field(default_factory=dict)
    classes: set[str] = field(default_factory=set)
    keys: dict[str, str] = field(default_factory=dict)
    rt: bool = False
    rules: Callable[[], Rulebook] = load
    incomplete: list[Incomplete] = field(default_factory=list)
    parsed: int = 0
    store: Store | None = None

    def add(self, command: kbuild.CompileCommand, result: UnitResult) -> None:
        """Take in a unit that was parsed just now."""
        self.parsed += 1
        self.facts[command.file] = result.facts
        self.stamps[command.file] = _stamp(result.facts)
        for inline in result.inlines:
            self.inlines.setdefault(inline.symbol, inline.summary)

    def take(
        self, profile: str, command: kbuild.CompileCommand, unit: bytes, extra: bytes, at: int
    ) -> None:
        """Take in what a parse that began ``at`` gave, and store it unless it has errors."""
        result = msgspec.msgpack.decode(extra, type=UnitResult)
        self.add(command, result)
        if result.errors:
            self.incomplete.append(
                Incomplete(
                    file=command.file,
                    profile=profile,
                    reason="does not parse without errors",
                    detail="\n".join(result.errors[:5]),
                )
            )
            return
        assert self.store is not None
        self.store.put(
            self.keys[command.file],
            command.file,
            unit,
            result.facts,
            result.deps,
            [Inline(i.symbol, i.body, i.refs, i.summary) for i in result.inlines],
            build_class=class_of(profile, command),
            started_ns=at,
            known=result.reached,
        )

    def absorb(self, other: Index) -> None:
        """Add the units of another index of the same profile."""
        self.parsed += other.parsed
        self.facts.update(other.facts)
        self.stamps.update(other.stamps)
        self.inlines.update(other.inlines)
        self.classes |= other.classes
        self.keys.update(other.keys)
        self.incomplete += other.incomplete

    def key(self, profile: str, paths: tuple[str, ...]) -> str:
        """Names all inputs of the whole-program stages by content."""
        stamps = (f"{file} {stamp}" for file, stamp in sorted(self.stamps.items()))
        text = "\n".join((self.tool, _code_digest(_JUDGES), profile, *paths, *stamps))
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

    def program(self) -> Program:
        """Decode and link."""
        units = [decode_facts(blob) for _, blob in sorted(self.facts.items())]
        reached = {symbol for unit in units for symbol in unit.inlines}
        missing = reached - set(self.inlines)
        if self.store is not None:
            for build_class in sorted(self.classes):
                known = missing & set(self.store.known_inlines(build_class))
                self.inlines.update(self.store.inline_facts(build_class, sorted(known)))
                missing -= known
        summaries: list[Summary] = [
            decode_summary(self.inlines[s]) for s in sorted(reached) if s in self.inlines
        ]
        program = link(units, summaries)
        changes = {
            symbol: fn
            for symbol, fn in program.functions.items()
            if symbol == fn.name and "weak" not in fn.attrs and not is_neutral(fn)
        }
        if not changes or self.store is None:
            return program
        headers = self._headers_with_foreign_effects(program, changes)
        program.functions.update(headers)
        again = self._with_foreign_effects(program, units, changes | headers)
        return link(again, [headers.get(s.symbol, s) for s in summaries])

    def _headers_with_foreign_effects(
        self, program: Program, changes: dict[str, Summary]
    ) -> dict[str, Summary]:
        """Header functions that call a lock helper of a .c file, summarised again
        (and those that call them, a few levels up)."""
        assert self.store is not None
        found: dict[str, Summary] = {}
        new = set(changes)
        for _ in range(_HEADER_LEVELS):
            callers = {
                caller.symbol
                for symbol in new
                for caller, _ in program.callers.get(symbol, ())
                if caller.file.endswith(".h") and caller.symbol not in found
            }
            new = set()
            for build_class in sorted(self.classes):
                mine = sorted(callers & set(self.store.known_inlines(build_class)))
                callers -= set(mine)
                for symbol, blob in self.store.inline_blobs(build_class, mine).items():
                    summary = summarise(
                        codec.decode(blob, Function),
                        self.rules(),
                        self.rt,
                        program.decls,
                        lambda s: found.get(s) or program.functions.get(s),
                        {},
                    )
                    if not is_neutral(summary):
                        found[symbol] = summary
                        new.add(symbol)
        return found

    def _with_foreign_effects(
        self, program: Program, units: list[UnitFacts], changes: dict[str, Summary]
    ) -> list[UnitFacts]:
        """Units that call a function of another file which changes their execution
        context (a lock helper) are summarised again, now that it is known."""
        assert self.store is not None
        concerned = {
            caller.file
            for symbol, fn in changes.items()
            for caller, _ in program.callers.get(symbol, ())
            if caller.file != fn.file and caller.file in self.keys
        }
        stored = self.store.lookup(self.keys[file] for file in sorted(concerned))
        fresh = {}
        for unit in stored.values():
            body = codec.decode(unit.unit_blob, Unit)
            body = msgspec.structs.replace(body, new_inlines=())
            fresh[unit.file] = unit_facts(body, self.rules(), self.rt, program.functions)[0]
        return [fresh.get(unit.file, unit) for unit in units]


def stored_index(profile: kbuild.Prepared, request: Request, store: Store) -> Index:
    """Facts of those units of a profile that the store has; nothing is parsed."""
    tool = f"{__version__} {rules_digest(request)} {library(request.libclang).version()}"
    index = Index(tool, store=store)
    commands = {
        unit_key(profile.spec_name, c.file, c.arguments, tool): c for c in profile.commands
    }
    index.rt, index.rules = profile.rt, lambda: rules_of(request)
    index.keys = {c.file: key for key, c in commands.items()}
    index.classes = {class_of(profile.spec_name, c) for c in profile.commands}
    stored = store.lookup(commands)
    for key, unit in stored.items():
        command = commands[key]
        index.facts[command.file] = unit.facts_blob
        index.stamps[command.file] = _stamp(unit.facts_blob)
    return index


def index_profile(
    tree: kbuild.Tree,
    profile: kbuild.Prepared,
    request: Request,
    store: Store,
    progress: Progress,
    jobs: int,
    cache: Path,
) -> Index:
    """Bring the facts of every unit of a profile up to date."""
    index = stored_index(profile, request, store)
    todo = [c for c in profile.commands if c.file not in index.facts]
    if todo:
        _parse(tree, profile, request, store, progress, jobs, todo, index, cache)
    return index


def _parse(
    tree: kbuild.Tree,
    profile: kbuild.Prepared,
    request: Request,
    store: Store,
    progress: Progress,
    jobs: int,
    todo: list[kbuild.CompileCommand],
    index: Index,
    cache: Path,
) -> None:
    stage = f"reading {profile.spec_name}"
    progress.start(stage, len(todo))
    time.sleep(CLOCK_SETTLES)
    started = now_ns()
    by_file = {command.file: command for command in todo}
    classes = {class_of(profile.spec_name, command) for command in todo}

    def done(request_done: worker.Request, unit: bytes, extra: bytes) -> None:
        progress.advance(stage, request_done.file)
        command = by_file[request_done.file]
        index.take(profile.spec_name, command, unit, extra, started)

    known = {c: store.known_inlines(c) for c in classes}
    summaries = {c: store.inline_facts(c, symbols) for c, symbols in known.items()}
    failures = worker.lower_many(
        [
            worker.Request(
                profile=class_of(profile.spec_name, c),
                tree=str(tree.path),
                file=c.file,
                arguments=c.arguments,
                directory=str(c.directory),
            )
            for c in todo
        ],
        on_result=done,
        processes=jobs,
        timeout=request.timeout,
        known=known,
        transform="ctxlint.pipeline.work:Digest",
        transform_arguments=(profile.rt, request.rules, summaries),
        libclang=request.libclang,
        reproducers=cache / "reproducers",
    )
    for failure in failures:
        index.incomplete.append(
            Incomplete(
                file=failure.request.file,
                profile=profile.spec_name,
                reason=failure.reason,
                detail=f"reproducer: {failure.reproducer}" if failure.reproducer else "",
            )
        )
    progress.finish(stage)


def class_of(profile: str, command: kbuild.CompileCommand) -> str:
    """Units of one class see every header alike."""
    return f"{profile} {command.build_class}"


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
    hasher.update(_code_digest(_FACT_MAKERS).encode())
    return hasher.hexdigest()


@lru_cache(maxsize=4)
def _code_digest(names: tuple[str, ...]) -> str:
    """Of ctxlint's own modules: a version number does not change while it is worked on."""
    hasher = hashlib.blake2b(digest_size=12)
    package = Path(ctxlint.__file__).parent
    for name in names:
        where = package / name
        for path in sorted(where.rglob("*.py")) if where.is_dir() else [where]:
            hasher.update(path.read_bytes())
    return hasher.hexdigest()


def rules_digest(request: Request) -> str:
    """Identity of the rules and of the analysis: stored facts depend on both."""
    return _digest(request.rules)


__all__ = ["Index", "index_profile", "rules_of"]
