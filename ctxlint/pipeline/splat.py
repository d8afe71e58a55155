# SPDX-License-Identifier: GPL-2.0-or-later
"""A kernel log to answers: each splat, its execution context, and what the analysis
knows about it."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from ctxlint.base.places import default_cache
from ctxlint.base.request import Progress, Request
from ctxlint.findings.model import Finding, Incomplete, Result
from ctxlint.kernel_log import match, paths, wording
from ctxlint.kernel_log import types as t
from ctxlint.kernel_log.context import SplatContext, context_of, error_hint, names
from ctxlint.kernel_log.match import FindingMatch
from ctxlint.kernel_log.parse import parse
from ctxlint.kernel_log.paths import Finder, TreePath
from ctxlint.kernel_log.rules import SplatRules, plain
from ctxlint.kernel_log.rules import load as load_rules
from ctxlint.kernel_log.trace import places_of
from ctxlint.kernel_log.types import Located, Record, Unread
from ctxlint.rulebook import Rulebook, load

_SEARCHED = (
    t.Sleeping, t.Scheduling, t.NonBlocking, t.IdleScheduling, t.WaitContext, t.Warn, t.Bug,
)  # fmt: skip
"""Kinds that a finding can explain."""


class SplatAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One splat, explained. ``error`` is what a register hints at, as (register,
    value); ``frames`` are the functions on the stack without those that print;
    ``nothing`` says why neither a finding nor a path is there. ``said`` are the kernel's
    own words, ``locks`` those of the splat, each with what of it (``"takes"``,
    ``"holds"``, ``"chain"``, ``"held"``). ``same``: how many more splats of the log say the
    same; ``record`` has all its fields."""

    kind: str
    headline: str
    line: int
    time: str
    what: str
    place: str
    task: str
    frames: tuple[str, ...]
    said: tuple[str, ...] = ()
    locks: tuple[tuple[str, str], ...] = ()
    error: tuple[str, str] | None = None
    context: SplatContext | None = None
    finding: FindingMatch | None = None
    path: TreePath | None = None
    profile: str = ""
    nothing: str = ""
    same: int = 0
    record: Record


class SplatReport(msgspec.Struct, frozen=True, kw_only=True):
    """``lines`` is the number of lines that are in no splat, ``unread`` are those of
    them that look like a splat and were not understood; ``looked_in`` are the files of
    the tree that were read; ``incomplete`` those that could not be."""

    splats: tuple[SplatAnswer, ...]
    lines: int
    unread: tuple[Unread, ...] = ()
    looked_in: tuple[str, ...] = ()
    incomplete: tuple[Incomplete, ...] = ()


def explain(
    text: str, request: Request | None, result: Result | None, progress: Progress
) -> SplatReport:
    """Read a log. ``request`` names the tree, and the files to look in (none: those
    that define what is on the stacks); ``result`` is a saved audit."""
    book = load() if request is None else _rules_of(request)
    rules = load_rules(book)
    log = parse(text)
    answers = [_answer(located, rules) for located in log.splats]
    ends = [*(located.line for located in log.splats[1:]), sys.maxsize]
    lost = [
        next((u.line for u in log.unread if located.line < u.line < end), 0)
        for located, end in zip(log.splats, ends, strict=False)
    ]
    looked_in: tuple[str, ...] = ()
    incomplete: tuple[Incomplete, ...] = ()
    known = result.findings if result is not None else None
    if request is not None:
        files = request.paths or _files(answers, rules, request, progress)
        looked_in = tuple(sorted(files))
        if files:
            request = dataclasses.replace(request, paths=looked_in)
            if known is None:
                from ctxlint.pipeline.run import audit

                fresh = audit(request, progress)
                known, incomplete = fresh.findings, fresh.incomplete
            answers = _with_paths(answers, rules, request, progress)
    answers = [
        _with_finding(a, known, request is not None, rules, line)
        for a, line in zip(answers, lost, strict=True)
    ]
    return SplatReport(
        splats=_without_repeats(answers),
        lines=len(log.rest),
        unread=log.unread,
        looked_in=looked_in,
        incomplete=incomplete,
    )


def _answer(located: Located, rules: SplatRules) -> SplatAnswer:
    splat = located.splat
    return SplatAnswer(
        kind=str(msgspec.to_builtins(splat)["kind"]),
        headline=wording.headline(splat),
        line=located.line,
        time=located.time,
        what=wording.what(splat, rules),
        place=wording.place(splat),
        task=wording.task(splat),
        # A sanitizer prints several traces, of different times.
        frames=() if isinstance(splat, t.Sanitizer) else names(splat, rules),
        said=wording.said(splat),
        locks=wording.locks(splat, rules),
        error=error_hint(splat) if isinstance(splat, t.Warn) else None,
        context=context_of(splat, rules),
        record=splat,
    )


def _rules_of(request: Request) -> Rulebook:
    # What works on a tree is imported where one is given: a log alone is read at once.
    from ctxlint.units.index import rules_of

    return rules_of(request)


def _files(
    answers: Iterable[SplatAnswer], rules: SplatRules, request: Request, progress: Progress
) -> tuple[str, ...]:
    """Files of the tree that define functions of the stacks, or those that the splats
    name besides, that a decoded trace names, or that hold the statement that printed."""
    from ctxlint import kbuild
    from ctxlint.search import definitions, reach

    tree = kbuild.find_tree(request.tree)
    wanted: dict[str, None] = {}
    printed: dict[str, None] = {}
    for answer in answers:
        splat = answer.record
        own = paths.own_frames(splat, answer.context, rules)
        wanted.update(dict.fromkeys(own))
        if isinstance(splat, _SEARCHED):
            wanted.update(dict.fromkeys(paths.named_functions(splat, rules)))
        named = [splat.file] if isinstance(splat, t.Warn | t.Bug) else []
        named += [f for frame in splat.frames if plain(frame.symbol) in own
                  for f, _ in places_of(frame)]  # fmt: skip
        printed.update(dict.fromkeys(f for name in named for f in _in_tree(tree.path, name)))
    folder = kbuild.arch_folder(request.arch or "arm64")
    cache = request.cache or default_cache()
    defined = definitions.find(tree.path, wanted, cache, progress)
    others = _cover(defined, list(printed), folder)
    return tuple(dict.fromkeys((*printed, *others)))[: reach.FILES_PER_ROUND]


def _in_tree(tree: Path, file: str) -> Iterator[str]:
    """The C file of the tree that a splat names; an absolute path ends in it."""
    parts = [part for part in file.split("/") if part not in ("", ".")]
    if file.endswith(".c") and ".." not in parts:
        for at in range(len(parts) - 1):
            tail = "/".join(parts[at:])
            if (tree / tail).is_file():
                yield tail
                return


def _cover(defined: dict[str, tuple[str, ...]], known: list[str], folder: str) -> list[str]:
    """Few files that define all the functions: a name of several files is that of a
    file which defines other frames too, or lies next to one that does."""
    own = {
        name: [f for f in files if not f.startswith("arch/") or f.startswith(f"arch/{folder}/")]
        for name, files in defined.items()
    }
    chosen = list(known)
    left = {name: files for name, files in own.items() if files and not set(files) & set(known)}
    while left:
        votes: dict[str, int] = {}
        for files in left.values():
            for file in files:
                votes[file] = votes.get(file, 0) + 1
        sure = {files[0] for files in left.values() if len(files) == 1}
        best = min(
            votes,
            key=lambda f: (f not in sure, -votes[f], -_nearness(f, chosen), f),
        )
        if best not in sure and votes[best] == 1 and not _nearness(best, chosen):
            break  # a common name of files that have nothing to do with the others
        chosen.append(best)
        left = {name: files for name, files in left.items() if best not in files}
    return chosen[len(known) :]


def _nearness(file: str, others: list[str]) -> int:
    """Folders that a file shares with the nearest of others."""
    parts = file.split("/")[:-1]
    best = 0
    for other in others:
        common = 0
        for mine, theirs in zip(parts, other.split("/")[:-1], strict=False):
            if mine != theirs:
                break
            common += 1
        best = max(best, common)
    return best


def _with_paths(
    answers: list[SplatAnswer], rules: SplatRules, request: Request, progress: Progress
) -> list[SplatAnswer]:
    """The way in the tree for each stack, under the profile that shows most of it."""
    from ctxlint import kbuild
    from ctxlint.analysis import entry_points
    from ctxlint.pipeline.collect import source_reader
    from ctxlint.pipeline.run import linked

    best: dict[int, tuple[tuple[int, int, int], TreePath, str]] = {}
    tree = kbuild.find_tree(request.tree)
    for profile, program in linked(request, progress):
        entries = entry_points.find(program, rules.book, profile.rt)
        finder = Finder(program, entries, rules, source_reader(tree.path))
        for index, answer in enumerate(answers):
            path = finder.find(answer.record, answer.context)
            if path is None:
                continue
            quality = (path.found, -len(path.broken), len(path.calls))
            if index not in best or quality > best[index][0]:
                best[index] = (quality, path, profile.spec_name)
    return [
        msgspec.structs.replace(answer, path=best[i][1], profile=best[i][2])
        if i in best
        else answer
        for i, answer in enumerate(answers)
    ]


def _with_finding(
    answer: SplatAnswer,
    known: Iterable[Finding] | None,
    has_tree: bool,
    rules: SplatRules,
    lost: int,
) -> SplatAnswer:
    splat = answer.record
    searched = isinstance(splat, _SEARCHED) and bool(answer.frames)
    path = answer.path
    at = (path.file, path.line) if path is not None and path.file else None
    if path is not None and path.elsewhere:
        at = None
    found = (
        match.best(splat, known, answer.context, rules, at)
        if known is not None and searched
        else None
    )
    nothing = ""
    if found is None:
        nothing = _nothing(answer, known is not None, has_tree, searched, lost)
    elif path is not None and path.broken and path.broken[0][1] == path.function:
        # The finding shows how the innermost function reaches the operation.
        path = msgspec.structs.replace(path, broken=path.broken[1:])
        answer = msgspec.structs.replace(answer, path=path)
    return msgspec.structs.replace(answer, finding=found, nothing=nothing)


def _nothing(
    answer: SplatAnswer, has_findings: bool, has_tree: bool, searched: bool, lost: int
) -> str:
    """Why there is no finding. ``lost``: a line below that was not understood, or 0."""
    if not isinstance(answer.record, _SEARCHED):
        return "the checks do not look for this"
    if not answer.frames:
        if lost:
            return f"its call trace was not understood (line {lost})"
        return "the log has no call trace of it"
    if not has_findings:
        return "no findings to compare with; --tree or --result gives some"
    if has_tree and answer.path is None:
        return "none of its functions is in the files that were read"
    if answer.path is not None and answer.path.broken:
        return "the stack goes through calls that the analysis does not see"
    return "no finding of the audit has this operation on this path"


def _without_repeats(answers: Iterable[SplatAnswer]) -> tuple[SplatAnswer, ...]:
    """A kernel that is stuck prints the same splat thousands of times."""
    out: dict[tuple[object, ...], SplatAnswer] = {}
    for answer in answers:
        splat = answer.record
        key = (answer.kind, answer.headline, answer.frames, splat.cpu, splat.name, splat.pid)
        if key in out:
            out[key] = msgspec.structs.replace(out[key], same=out[key].same + 1)
        else:
            out[key] = answer
    return tuple(out.values())
