# SPDX-License-Identifier: GPL-2.0-or-later
"""Units of a profile to facts: from the store where they are valid, else parsed."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import msgspec
from zstandard import ZstdError

import ctxlint
from ctxlint import __version__, kbuild
from ctxlint.analysis.program import Program, link
from ctxlint.base.faults import reason_of
from ctxlint.base.reading import read_regular
from ctxlint.base.request import Progress, Request
from ctxlint.facts.summary import Summary
from ctxlint.findings.model import Incomplete
from ctxlint.frontend import sandbox, worker
from ctxlint.frontend.clang import library
from ctxlint.ir.unit import Fault
from ctxlint.rulebook import Rulebook, fitting, load, rules_directory
from ctxlint.search.reach import SearchEnd
from ctxlint.store import Inline, LostError, Store, StoredUnit, now_ns, unit_key
from ctxlint.units import foreign
from ctxlint.units.digest import (
    UnitResult,
    decode_facts,
    decode_summary,
    rules_with,
)
from ctxlint.units.failed import Failures

T = TypeVar("T")

_FACT_MAKERS = (
    "base", "facts", "frontend", "ir", "rulebook", "semantics", "units/digest.py",
)  # fmt: skip
_RESULT_MAKERS = ("analysis", "checks", "findings", "kbuild", "pipeline", "search", "units")
"""Packages and modules that decide what is stored of a unit, and of a whole profile: a
change of one makes that stale, a new report format does not parse a kernel again."""

_NOT_FOR_FACTS = ("annotations.yaml", "splats.yaml", "models", "scenarios")
"""Rules that the analysis does not read, by their first name below ``rules/``."""

NOT_TRIED = "as in an earlier run: nothing that it reads has changed"
"""Said of a unit that is known to fail."""

FEW = 6
"""Units that are read in forks of this process. From here on workers that are fresh
interpreters are worth their start."""

CLOCK_SETTLES = 0.025
"""Seconds. Times of files may run ahead of the clock that dates a parse, by a tick
(fine-grained timestamps, Linux 6.13); a file written just before would look as if
it had changed during the parse, and its units would not be stored."""


@dataclass(frozen=True, kw_only=True)
class Changed:
    """How units are read when the tree has some files changed.

    ``contents`` are those files (None: not there), ``overlay`` gives the parser's view
    of them for some commands. ``before`` is the index of the tree before the last
    change: what could not be parsed then is not tried again unless it changed itself,
    and no more than ``limit`` further units are parsed.
    """

    contents: Mapping[str, bytes | None]
    added: frozenset[str]
    overlay: Callable[[Iterable[kbuild.CompileCommand]], Path]
    before: Index | None = None
    recent: frozenset[str] = frozenset()
    limit: int = 0


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
    jobs: int = 1
    rules: Callable[[], Rulebook] = load
    incomplete: list[Incomplete] = field(default_factory=list)
    parsed: int = 0
    store: Store | None = None
    unsettled: dict[str, Summary] = field(default_factory=dict)
    """Functions whose effect on their callers in other files was followed no further,
    by symbol, once :meth:`program` was asked."""
    asked: set[str] = field(default_factory=set)
    """Files beyond the audited ones that have been looked for in the build."""
    beyond: SearchEnd | None = None
    """Where the search for files beyond the audited ones ended, if there was one."""
    generation: int = 0
    faults: list[Fault] = field(default_factory=list)
    """What :meth:`program` found lost to defects of ours."""

    def add(self, command: kbuild.CompileCommand, result: UnitResult) -> None:
        """Take in a unit that was parsed just now."""
        self.parsed += 1
        self.facts[command.file] = result.facts
        self.stamps[command.file] = _stamp(result.facts)
        for inline in result.inlines:
            self.inlines.setdefault(inline.symbol, inline.summary)

    def take(
        self, profile: str, command: kbuild.CompileCommand, at: int, unit: bytes, extra: bytes
    ) -> None:
        """Take in what a parse that began ``at`` gave, and store it unless it has errors."""
        try:
            result = msgspec.msgpack.decode(extra, type=UnitResult)
            decode_facts(result.facts)
        except Exception as error:
            # What a parser that was taken over sent, or a defect of ours.
            self.incomplete.append(
                Incomplete(file=command.file, profile=profile, reason=reason_of(error))
            )
            return
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
            build_class=class_of(profile, command, self.tool),
            started_ns=at,
            known=result.reached,
        )

    def take_over(self, other: Index, file: str) -> None:
        """Let a unit's facts be those that another index of the profile has."""
        if file in other.facts:
            self.facts[file], self.stamps[file] = other.facts[file], other.stamps[file]

    def absorb(self, other: Index) -> None:
        """Add the units of another index of the same profile."""
        self.parsed += other.parsed
        self.facts.update(other.facts)
        self.stamps.update(other.stamps)
        self.inlines.update(other.inlines)
        self.classes |= other.classes
        self.keys.update(other.keys)
        self.incomplete += other.incomplete

    @property
    def ends(self) -> tuple[SearchEnd, ...]:
        """:attr:`beyond`, if there is one."""
        return () if self.beyond is None else (self.beyond,)

    def read_from(self, files: Iterable[str]) -> set[str]:
        """Those of ``files`` that some unit of this index was read from. Units that the
        store could not keep are not asked."""
        wanted = set(files)
        if not wanted or self.store is None:
            return set()
        units = self.store.lookup(
            self.keys[file] for file in sorted(self.facts) if file in self.keys
        )
        readers = self.store.readers(units.values(), wanted.__contains__)
        return {file for read in readers.values() for file in read}

    def is_stored(self) -> bool:
        """Whether the store has every unit as it was taken here."""
        keys = [self.keys[file] for file in self.facts if file in self.keys]
        return (
            self.store is not None
            and len(keys) == len(self.facts)
            and len(self.store.lookup(keys)) == len(set(keys))
        )

    def cut(self, profile: str) -> tuple[Incomplete, ...]:
        """What :meth:`program` left out at a limit."""
        return tuple(
            Incomplete(
                file=fn.file,
                profile=profile,
                reason=f"{fn.name}(): locks that it takes for its callers were followed "
                f"through {foreign.ROUNDS} files only",
                kind="limit",
                function=fn.name,
                line=fn.line,
            )
            for _, fn in sorted(self.unsettled.items())
        )

    def key(self, profile: str, paths: tuple[str, ...]) -> str:
        """Names all inputs of the whole-program stages by content."""
        stamps = (f"{file} {stamp}" for file, stamp in sorted(self.stamps.items()))
        text = "\n".join((self.tool, _code_digest(_RESULT_MAKERS), profile, *paths, *stamps))
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

    def program(self) -> Program:
        """Decode and link."""
        units = []
        self.faults = []
        for file, blob in sorted(self.facts.items()):
            units.append(self.decoded(file, decode_facts, blob))
        self.faults += [fault for unit in units for fault in unit.faults]
        reached = {symbol for unit in units for symbol in unit.inlines}
        missing = reached - set(self.inlines)
        if self.store is not None:
            for build_class in sorted(self.classes):
                known = missing & set(self.store.known_inlines(build_class))
                self.inlines.update(self.store.inline_facts(build_class, sorted(known)))
                missing -= known
        self.same_store()
        summaries: list[Summary] = [
            self.decoded(s, decode_summary, self.inlines[s])
            for s in sorted(reached)
            if s in self.inlines
        ]
        program = link(units, summaries)
        if self.store is None:
            return program
        effects = foreign.Effects(self, self.store, self.rules(), units, summaries)
        program = effects.settled(program)
        self.unsettled = effects.unsettled
        self.same_store()
        return program

    def same_store(self) -> None:
        """Raises LostError when the store began anew since this index was made: what it
        does not have any more would be missing without a word."""
        if self.store is not None and self.store.generation != self.generation:
            raise LostError("what was read before")

    def decoded(self, name: str, decode: Callable[[bytes], T], blob: bytes) -> T:
        """Something that the store keeps. A check sum is no proof that it can be read."""
        try:
            return decode(blob)
        except (msgspec.MsgspecError, ZstdError, RecursionError, ValueError, TypeError) as e:
            if self.store is None:
                raise
            raise self.store.damaged(f"{name}: {e}") from e


def tool_of(request: Request) -> str:
    """Everything of the tool that a stored unit depends on."""
    root = kbuild.find_tree(request.tree, with_commit=False).path
    holds = "".join(str(int(value)) for value in _holds(request.rules, root).values())
    clang = library(request.libclang).version()
    return f"{__version__} {rules_digest(request)} {holds} {clang}"


def unit_keys(profile: kbuild.Prepared, request: Request) -> dict[str, kbuild.CompileCommand]:
    """The commands of a profile by their units' names in the store."""
    tool = tool_of(request)
    return {unit_key(profile.spec_name, c.file, c.arguments, tool): c for c in profile.commands}


def stored_index(
    profile: kbuild.Prepared, request: Request, store: Store, changed: Changed | None = None
) -> Index:
    """Facts of those units of a profile that the store has; nothing is parsed."""
    commands = unit_keys(profile, request)
    index = Index(tool_of(request), store=store, generation=store.generation)
    index.rt, index.rules = profile.rt, lambda: rules_of(request)
    index.keys = {c.file: key for key, c in commands.items()}
    index.classes = {class_of(profile.spec_name, c, index.tool) for c in profile.commands}
    stored = store.lookup(commands)
    if changed is not None:
        for key in _shadowed(store, stored, changed):
            del stored[key]
    for key, unit in stored.items():
        command = commands[key]
        index.facts[command.file] = unit.facts_blob
        index.stamps[command.file] = _stamp(unit.facts_blob)
    return index


def todo_of(
    profile: kbuild.Prepared, request: Request, store: Store, changed: Changed | None
) -> tuple[Index, list[kbuild.CompileCommand]]:
    """What the store has of a profile, and the units that have to be parsed."""
    index = stored_index(profile, request, store, changed)
    todo = [
        (index.keys[c.file], c)
        for c in sorted(profile.commands, key=lambda c: c.file)
        if c.file not in index.facts
    ]
    if changed is not None:
        todo = _bounded(todo, profile, index, changed)
    return index, [command for _, command in todo]


def index_profile(
    tree: kbuild.Tree,
    profile: kbuild.Prepared,
    request: Request,
    store: Store,
    progress: Progress,
    jobs: int,
    cache: Path,
    changed: Changed | None = None,
) -> Index:
    """Bring the facts of every unit of a profile up to date.

    With ``changed``, ``store`` is one that sees the tree so changed.
    """
    index, todo = todo_of(profile, request, store, changed)
    index.jobs = jobs
    if todo:
        _parse(tree, profile, request, store, progress, jobs, todo, index, cache, changed)
    return index


def _shadowed(store: Store, stored: dict[str, StoredUnit], changed: Changed) -> list[str]:
    """Units that include a header of the name of one that was added, which may now be
    found before it."""
    names = {Path(file).name for file in changed.added if file.endswith(".h")}
    if not names:
        return []
    found = store.readers(stored.values(), lambda path: Path(path).name in names)
    return [key for key, read in found.items() if not changed.added.intersection(read)]


def _bounded(
    todo: list[tuple[str, kbuild.CompileCommand]],
    profile: kbuild.Prepared,
    index: Index,
    changed: Changed,
) -> list[tuple[str, kbuild.CompileCommand]]:
    """``todo`` without what failed before the change, and cut at the limit: changed
    files first, then those nearest to them. What is cut keeps its earlier facts."""
    before = changed.before
    if before is None:
        return todo
    failed = {unit.file: unit for unit in before.incomplete}
    if any(f.endswith(".h") for f in changed.recent & changed.added):
        failed = {}  # it may be the header that was missing
    rest = []
    for key, command in todo:
        file = command.file
        if file in failed and file not in changed.recent:
            index.incomplete.append(failed[file])
            index.take_over(before, file)
        else:
            rest.append((key, command))
    homes = sorted({Path(file).parent.parts for file in changed.recent})

    def distance(file: str) -> int:
        parts = Path(file).parent.parts
        return min((len(parts) + len(h) - 2 * _common(parts, h) for h in homes), default=0)

    rest.sort(key=lambda i: (i[1].file not in changed.recent, distance(i[1].file), i[1].file))
    kept, cut = rest[: changed.limit], rest[changed.limit :]
    for _, command in cut:
        index.take_over(before, command.file)
    if cut:
        headers = sorted(f for f in changed.recent if not f.endswith(".c"))
        index.incomplete.append(
            Incomplete(
                file=headers[0] if headers else cut[0][1].file,
                profile=profile.spec_name,
                reason=f"{len(rest)} units depend on what changed, {len(kept)} of them were"
                " read again",
                detail="as they were before: "
                + ", ".join(sorted(c.file for _, c in cut)[:8])
                + (", ..." if len(cut) > 8 else ""),
            )
        )
    return sorted(kept, key=lambda item: item[1].file)


def _common(a: tuple[str, ...], b: tuple[str, ...]) -> int:
    return next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y),
                min(len(a), len(b)))  # fmt: skip


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
    changed: Changed | None,
) -> None:
    overlay = str(changed.overlay(todo)) if changed is not None else ""
    stage = f"reading {profile.spec_name}"
    progress.start(stage, len(todo))
    time.sleep(CLOCK_SETTLES)
    started = now_ns()
    by_file = {command.file: command for command in todo}

    def done(request_done: worker.Request, unit: bytes, extra: bytes) -> None:
        progress.advance(stage, request_done.file)
        command = by_file[request_done.file]
        index.take(profile.spec_name, command, started, unit, extra)

    known = {
        c: store.known_inlines(c)
        for c in {class_of(profile.spec_name, c, index.tool) for c in todo}
    }
    summaries = {c: store.inline_facts(c, symbols) for c, symbols in known.items()}
    failed = failures_of(tree, request, store, changed)
    fresh = []
    crashed = set()
    for command in todo:
        old = failed.known(index.keys[command.file], command)
        if old is None or old.again:
            fresh.append(command)
            if old is not None:
                crashed.add(command.file)
            continue
        progress.advance(stage, command.file)
        why = NOT_TRIED if failed.earlier(index.keys[command.file]) else ""
        index.incomplete.append(
            Incomplete(
                file=command.file,
                profile=profile.spec_name,
                reason=old.reason,
                detail="\n".join(filter(None, (old.detail, why))),
            )
        )
    todo = fresh
    requests = [
        worker.Request(
            profile=class_of(profile.spec_name, c, index.tool),
            tree=str(tree.path),
            file=c.file,
            arguments=c.arguments,
            directory=str(c.directory),
            overlay=overlay,
        )
        for c in todo
    ]
    why = sandbox.why_not(requests) if requests else ""
    if why:
        progress.log("info", why)
    failures = worker.lower_many(
        requests,
        on_result=done,
        processes=jobs,
        timeout=request.timeout,
        known=known,
        transform="ctxlint.units.digest:Digest",
        transform_arguments=(profile.rt, rules_with(request.rules), summaries),
        libclang=request.libclang,
        reproducers=cache / "reproducers" if changed is None else None,
        crashed=crashed,
        fork=len(requests) <= FEW and threading.active_count() == 1,
    )
    for failure in failures:
        file = failure.request.file
        detail = f"reproducer: {failure.reproducer}" if failure.reproducer else ""
        index.incomplete.append(
            Incomplete(
                file=file, profile=profile.spec_name, reason=failure.reason, detail=detail
            )
        )
        failed.remember(index.keys[file], by_file[file], failure.reason, detail)
    progress.finish(stage)


def failures_of(
    tree: kbuild.Tree, request: Request, store: Store, changed: Changed | None
) -> Failures:
    """What is remembered of units that were given up."""
    contents = changed.contents if changed is not None else None
    return Failures(store, tree.path, contents, request.timeout, sandbox.MEMORY)


def class_of(profile: str, command: kbuild.CompileCommand, tool: str) -> str:
    """Units of one class see every header alike, through the same lowering."""
    return f"{profile} {command.build_class} {tool}"


def _stamp(blob: bytes) -> str:
    return hashlib.blake2b(blob, digest_size=12).hexdigest()


def rules_of(request: Request) -> Rulebook:
    """The rules as they hold for the tree of the request."""
    root = kbuild.find_tree(request.tree, with_commit=False).path
    return _fitted(request.rules, tuple(_holds(request.rules, root).items()))


@lru_cache(maxsize=4)
def _fitted(extra: tuple[Path, ...], holds: tuple[tuple[str, bool], ...]) -> Rulebook:
    return fitting.fitted(rules_with(extra), dict(holds))


def _holds(extra: tuple[Path, ...], root: Path) -> dict[str, bool]:
    """What the rules ask of the tree. A handful of files is read, each time anew: in
    an editor or a hook the tree may change while the process lives."""

    def read(file: str) -> str | None:
        data = read_regular(root / file)
        return None if data is None else data.decode("utf-8", "replace")

    return fitting.outcomes(rules_with(extra), read)


@lru_cache(maxsize=4)
def _digest(extra: tuple[Path, ...]) -> str:
    hasher = hashlib.blake2b(digest_size=12)
    for root in (rules_directory(), *extra):
        for path in sorted(root.rglob("*.yaml")) if root.is_dir() else [root]:
            below = path.relative_to(root).parts
            if not below or below[0] not in _NOT_FOR_FACTS:
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


def keep_models_in(cache: Path) -> None:
    """Let lowered model functions be kept in a cache."""
    from ctxlint.frontend.model_functions import PARSER
    from ctxlint.simulator.runtime import library

    tool = f"{__version__} {PARSER} {_code_digest(('frontend', 'ir'))}"
    library.keep_in(cache / "models", tool)


def rules_digest(request: Request) -> str:
    """Identity of the rules and of the analysis: stored facts depend on both."""
    return _digest(request.rules)


__all__ = ["Changed", "Index", "index_profile", "rules_of"]
