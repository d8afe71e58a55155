# SPDX-License-Identifier: GPL-2.0-or-later
"""Findings to verdicts: the image of a profile, the path of a violation, the model."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

import msgspec

import ctxlint
from ctxlint import kbuild
from ctxlint.analysis.nodes import Node, Violation
from ctxlint.analysis.program import Program
from ctxlint.base.errors import RuleError
from ctxlint.base.faults import reason_of
from ctxlint.base.request import Progress
from ctxlint.facts.summary import Edge, Point
from ctxlint.findings.model import Evidence, Finding
from ctxlint.ir import codec
from ctxlint.ir.unit import Fault, HeaderFunction, Unit
from ctxlint.rulebook import models_directory
from ctxlint.rulebook.book import Rulebook
from ctxlint.rulebook.schema import ContextState
from ctxlint.simulator.image import Image, link
from ctxlint.simulator.runtime.library import add_models
from ctxlint.simulator.runtime.state import Config
from ctxlint.store import Store
from ctxlint.units.index import Index
from ctxlint.verification.rule_bodies import Known
from ctxlint.verification.target import CallPath, PathStep
from ctxlint.verification.verdicts import (
    BOUNDS,
    CONFIRMED,
    DOUBT,
    REACHED,
    REFUTED,
    UNMODELLED,
    Start,
    Verdict,
    Verifier,
)

_MORE_WAYS = "more paths lead there than were tried"
_WAYS_MAX = 24
"""So many paths to one operation are run."""

_CALLERS_MAX = 8
"""So many chains of callers are tried as the beginning of a way."""

_OTHER_PROGRAM = "-D__DISABLE_EXPORTS"
"""A flag of units that are linked into programs of their own (the EFI stub, early boot
code): they have functions with the names of the kernel's."""


def image_of(index: Index, store: Store, others: Collection[str] = ()) -> Image:
    """Everything that was lowered for a profile, linked; without the files ``others``."""
    units = [
        codec.decode(stored.unit_blob, Unit)
        for _, stored in sorted(store.lookup(index.keys.values()).items())
        if stored.file not in others
    ]
    reached = {symbol for unit in units for symbol in unit.inlines}
    headers: list[HeaderFunction] = []
    for build_class in sorted(index.classes):
        known = reached & set(store.known_inlines(build_class))
        reached -= known
        blobs = store.inline_blobs(build_class, sorted(known))
        headers += [codec.decode(blobs[symbol], HeaderFunction) for symbol in sorted(blobs)]
    index.same_store()
    return link(units, headers)


def verifier_of(
    index: Index,
    store: Store,
    program: Program,
    rules: Rulebook,
    profile: kbuild.Prepared,
    release: str,
) -> Verifier:
    """For the findings of one profile; ``release`` is the kernel's version."""
    others = {c.file for c in profile.commands if _OTHER_PROGRAM in c.arguments}
    image = image_of(index, store, others)
    config = Config(rt=profile.rt, arch=profile.arch, release=release)
    add_models(image, config)
    return Verifier(
        image,
        rules,
        profile.rt,
        known_of(program, rules),
        config=config,
    )


def known_of(program: Program, rules: Rulebook) -> Known:
    """What rules ask of a linked program."""
    return Known(
        program.decls,
        lambda name: rules.constant(name, program.enumerators),
        program.inits,
        program.calls_in_file,
    )


Steps = tuple[tuple[Node, Edge, str], ...]
"""Calls from an entry point to an operation: the caller, its call, who is called."""
Calls = Mapping[Node, Sequence[tuple[Node, Edge, Point]]]
"""Further calls of a function in a context (``Propagation.also``)."""


def evidence_of(
    found: Iterable[tuple[Finding, tuple[Violation, ...]]],
    also: Calls,
    index: Index,
    store: Store,
    program: Program,
    rules: Rulebook,
    profile: kbuild.Prepared,
    release: str,
    progress: Progress,
    lost: Callable[[Fault], None],
) -> list[Finding]:
    """Run each finding; the findings with what that gave. ``lost`` is told which verdict a
    defect of ours costs."""
    found = list(found)
    stage = f"running {profile.spec_name}"
    progress.start(stage, len(found))
    verifier = verifier_of(index, store, program, rules, profile, release)
    out = []
    for finding, violations in found:
        try:
            verdict = verdict_of(violations, also, verifier, program, rules, profile.rt)
        except Exception as error:
            reason = reason_of(error)
            verdict = Verdict(verdict=UNMODELLED, why=reason)
            lost(Fault(finding.file, finding.line, finding.function, reason))
        evidence = Evidence(
            profile=profile.spec_name,
            verdict=verdict.verdict,
            why=verdict.why,
            values=verdict.values,
            assumed=verdict.assumed,
            splat=verdict.splat,
            executions=verdict.executions,
        )
        out.append(
            msgspec.structs.replace(finding, evidence=(evidence,), verdict=verdict.verdict)
        )
        progress.advance(stage, f"{finding.file}:{finding.line}")
    progress.finish(stage)
    return out


def verdict_of(
    violations: Sequence[Violation],
    also: Calls,
    verifier: Verifier,
    program: Program,
    rules: Rulebook,
    rt: bool,
) -> Verdict:
    """The verdict on a finding: the first way that arrives decides; refuted is one only
    when every path to the operation is."""
    weakest: Verdict | None = None
    executions = 0
    verifier.begin()
    call_paths = all_ways(violations, also, verifier.image)
    for root, call_path in itertools.islice(call_paths, _WAYS_MAX):
        if call_path is None:
            verdict = Verdict(verdict=UNMODELLED, why="a function on the path was not read")
        else:
            start = start_from(root, program, rules, rt)
            callers = () if start.context else callers_of(call_path, program, verifier)
            verdict = verifier.verify(call_path, start, callers)
        executions += verdict.executions
        if verdict.verdict in (CONFIRMED, REACHED):
            if weakest is not None:
                verdict = dataclasses.replace(
                    verdict, why=f"{verdict.why} (from {root.fn.name}())"
                )
            return dataclasses.replace(verdict, executions=executions)
        if weakest is None or DOUBT[verdict.verdict] > DOUBT[weakest.verdict]:
            weakest = verdict
        if verifier.spent():
            break
    assert weakest is not None
    if weakest.verdict == REFUTED and next(call_paths, None) is not None:
        weakest = Verdict(verdict=BOUNDS, why=_MORE_WAYS)
    return dataclasses.replace(weakest, executions=executions)


def all_ways(
    violations: Sequence[Violation], also: Calls, image: Image
) -> Iterator[tuple[Node, CallPath | None]]:
    """Every path to the operation that the analysis knows, the one that the finding shows
    first, with the node that it begins at; None for one with a body that is not available."""
    seen: set[tuple[object, ...]] = set()
    for violation in violations:
        operation = violation.edge.symbol or violation.need.rule.symbol
        last: Steps = ((violation.node, violation.edge, operation),)
        work = [(violation.node, last)]
        while work:
            node, path = work.pop()
            calls = list(also.get(node, ()))
            if node.parent is not None and node.edge is not None and node.point is not None:
                calls.append((node.parent, node.edge, node.point))
            if node.parent is None:
                key = (node.context, *((n.fn.symbol, e.loc, callee) for n, e, callee in path))
                if key not in seen:
                    seen.add(key)
                    yield node, _way(path, image)
            for parent, edge, _ in calls:
                if all(parent is not other for other, _, _ in path):
                    work.append((parent, ((parent, edge, node.fn.symbol), *path)))


def _way(path: Steps, image: Image) -> CallPath | None:
    steps = []
    for node, edge, callee in path:
        fn = image.functions.get(node.fn.symbol)
        if fn is None:
            return None
        steps.append(PathStep(fn, node.fn.locs[edge.loc], callee))
    return CallPath(tuple(steps))


@cache
def model_digest() -> str:
    """Names the model by its content: verdicts depend on it."""
    hasher = hashlib.blake2b(digest_size=12)
    root = Path(ctxlint.__file__).parent
    packages = ("kernel_log", "semantics", "simulator", "verification")
    files = [path for name in packages for path in (root / name).rglob("*.py")]
    files += models_directory().glob("*")
    for path in sorted(files):
        hasher.update(path.read_bytes())
    return hasher.hexdigest()


def callers_of(
    call_path: CallPath, program: Program, verifier: Verifier
) -> tuple[CallPath, ...]:
    """The same way, begun in the functions from which alone it can be come to: the first
    one is static and its address is not taken. Empty when that does not hold, or when
    there are too many."""
    found: list[CallPath] = []
    work = [call_path]
    while work:
        at = work.pop()
        first = at.steps[0].fn
        calls = program.callers.get(first.symbol, ())
        known = "static" in first.attrs and first.file.endswith(".c")
        if not known or not calls or first.symbol in verifier.taken:
            if at is not call_path:
                found.append(at)
            continue
        for caller, edge in calls:
            fn = verifier.image.functions.get(caller.symbol)
            if fn is None or any(step.fn is fn for step in at.steps):
                return ()
            work.append(
                CallPath((PathStep(fn, caller.locs[edge.loc], first.symbol), *at.steps))
            )
        if len(work) + len(found) > _CALLERS_MAX:
            return ()
    return tuple(sorted(found, key=lambda w: [step.fn.symbol for step in w.steps]))


def start_from(root: Node, program: Program, rules: Rulebook, rt: bool) -> Start:
    """The execution context that the entry point is called in."""
    name = root.context.name
    if not name:
        return Start(state=ContextState())
    values: dict[str, tuple[int, ...]] = {}
    for variable, words in sorted(rules.contexts[name].values.items()):
        numbers = _numbers(program, rules, words)
        if numbers:
            values[variable] = numbers
    who = entry_tasks().get(name, EntryTask())
    return Start(
        state=rules.state(name, rt),
        context=name,
        task=who.task,
        cpus=who.cpus,
        outer=who.outer,
        values=values,
    )


class EntryTask(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A row of ``rules/models/entries.yaml``."""

    task: str = "init"
    cpus: tuple[int, ...] = (0, 1)
    outer: tuple[str, ...] = ()


@cache
def entry_tasks() -> dict[str, EntryTask]:
    """Which task each execution context is; raises RuleError for a bad file."""
    path = models_directory() / "entries.yaml"
    try:
        return msgspec.yaml.decode(path.read_bytes(), type=dict[str, EntryTask])
    except msgspec.ValidationError as error:
        raise RuleError(f"rules/models/entries.yaml: {error}") from error


def _numbers(program: Program, rules: Rulebook, words: Iterable[str]) -> tuple[int, ...]:
    found = [rules.constant(word, program.enumerators) for word in words]
    return tuple(n for n in found if n is not None) if None not in found else ()
