# SPDX-License-Identifier: GPL-2.0-or-later
"""The steps in order, for each entry point of the library."""

from __future__ import annotations

import contextlib
import dataclasses
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from ctxlint import __version__, kbuild
from ctxlint.analysis import entry_points, unruled_callbacks, witness
from ctxlint.analysis.callers import Callers
from ctxlint.analysis.neighbours import GraphMaker
from ctxlint.analysis.program import Program
from ctxlint.analysis.propagate import Propagation, Violation
from ctxlint.base.errors import CtxlintError, UsageError
from ctxlint.base.faults import HINT, reason_of
from ctxlint.base.places import STORE, default_cache
from ctxlint.base.request import PreparedProfile, Progress, Request
from ctxlint.facts import limits
from ctxlint.findings import suppressions
from ctxlint.findings.graph import CallGraph, FunctionGraphs
from ctxlint.findings.model import (
    Finding,
    Incomplete,
    Profile,
    Result,
    ToolInfo,
    TreeInfo,
    UnknownCallee,
    UntoldMember,
)
from ctxlint.frontend.clang import library
from ctxlint.ir.unit import Fault
from ctxlint.pipeline import rule_fit, unchanged
from ctxlint.pipeline.collect import (
    cut_sites,
    findings_of,
    limited,
    merge,
    merge_unknown,
    merge_untold,
    source_reader,
    text_reader,
    with_others,
)
from ctxlint.pipeline.defaults import default_paths, processors, target_of
from ctxlint.pipeline.not_analysed import check_paths, unseen_paths
from ctxlint.rulebook.book import Rulebook
from ctxlint.search import mentions, reach
from ctxlint.store import LostError, Store, now_ns
from ctxlint.units.index import (
    Changed,
    Index,
    index_profile,
    keep_models_in,
    rules_digest,
    rules_of,
)

if TYPE_CHECKING:
    from ctxlint.simulator.image import Image

SINGLE_FILE_REACH = 2
_DAMAGES = 3
"""Times that a store is begun anew in a run; other runs may be damaging it."""
_FINGERPRINT = re.compile(r"[0-9a-f]{8,32}")


class ProfileResult(msgspec.Struct, frozen=True, kw_only=True):
    """What one profile contributes; kept in the store."""

    findings: list[Finding]
    unknown: tuple[UnknownCallee, ...]
    statistics: dict[str, int | float | str]
    untold: tuple[UntoldMember, ...] = ()
    limited: tuple[Incomplete, ...] = ()
    """Functions in which a limit of the analysis dropped something."""
    faults: tuple[Incomplete, ...] = ()
    """What defects of this program cost."""


@dataclass(frozen=True)
class Session:
    """A request with its defaults filled in."""

    request: Request
    tree: kbuild.Tree
    paths: tuple[str, ...]
    cache: Path
    jobs: int
    searches: dict[str, mentions.WordIndex] = field(default_factory=dict, compare=False)
    """The tree as it is searched, by the folder of the architecture. One look at all of
    its files serves for the run."""

    @classmethod
    def of(cls, request: Request) -> Session:
        tree = kbuild.find_tree(request.tree)
        return cls(
            request,
            tree,
            request.paths or default_paths(tree.path),
            request.cache or default_cache(),
            request.jobs or processors(),
        )

    def kinds(self) -> tuple[bool, ...]:
        """The asked profiles: with PREEMPT_RT or not."""
        return {"both": (True, False), "rt": (True,), "nort": (False,)}[self.request.rt]

    def profiles(
        self, progress: Progress, overrides: Mapping[str, bytes | None] | None = None
    ) -> list[kbuild.Prepared]:
        """The profiles asked for, prepared; ``overrides`` as for :func:`kbuild.prepare`."""
        request = self.request
        if request.builds:
            found = [
                kbuild.use_build(self.tree, build, self.paths, log=progress.log)
                for build in request.builds
            ]
            found = [p for p in found if p.rt in self.kinds()]
            if not found:
                raise UsageError(
                    "no build directory has the requested kind of kernel",
                    hint="CONFIG_PREEMPT_RT in its .config decides; see --rt and --no-rt",
                )
            return found
        arch, config = self.target()
        out = []
        for rt in self.kinds():
            name = f"{arch} {Path(config).name}{' RT' if rt else ''}"
            stage = f"preparing {name}"
            progress.start(stage, 0)
            try:
                out.append(
                    kbuild.prepare(
                        self.tree,
                        arch=arch,
                        config=config,
                        rt=rt,
                        paths=self.paths,
                        cache=self.cache,
                        jobs=self.jobs,
                        log=progress.log,
                        progress=partial(progress.advance, stage),
                        overrides=overrides,
                        make=request.make,
                    )
                )
            except kbuild.NoRealTimeError as error:
                if request.rt == "rt":
                    raise
                progress.log("warning", f"{name}: {error}; this profile is skipped")
            finally:
                progress.finish(stage)
        return out

    def open_store(self, progress: Progress) -> Store:
        """The store of facts, in the cache."""
        return Store.open(self.cache / STORE, log=progress.log, tree=self.tree.path)

    def index(
        self,
        profile: kbuild.Prepared,
        store: Store,
        progress: Progress,
        changed: Changed | None = None,
    ) -> Index:
        """Facts of the audited units, and of those that they reach.

        With ``changed``, ``store`` is one that sees the tree so changed.
        """
        request = self.request
        index = index_profile(
            self.tree, profile, request, store, progress, self.jobs, self.cache, changed
        )
        rounds = request.reach
        if rounds is None:
            files = all((self.tree.path / p).is_file() for p in self.paths)
            rounds = SINGLE_FILE_REACH if files and profile.own else 0
        rules = rules_of(request)
        audited = [c.file for c in profile.commands]
        new = audited
        unread: set[str] = set()
        for number in range(rounds + 1 if rounds else 0):
            names = reach.wanted(index.program(), rules, profile.rt, audited, new)
            index.beyond = reach.SearchEnd(
                number, len(unread - set(index.facts)), len(names.callers), len(names.bodies)
            )
            if number == rounds:
                break
            found = reach.find_files(
                self.search(profile, store),
                names,
                new,
                changed.contents if changed is not None else None,
            )
            index.asked.update(found)
            progress.log("debug", f"reach: {sorted(names.callers)}, {sorted(names.bodies)}")
            fresh = [f for f in found if f not in index.facts]
            if len(fresh) > reach.FILES_PER_ROUND:
                progress.log(
                    "info",
                    f"reach: {len(fresh)} files may call or define what is audited; the "
                    f"{reach.FILES_PER_ROUND} nearest are read",
                )
                unread.update(fresh[reach.FILES_PER_ROUND :])
                del fresh[reach.FILES_PER_ROUND :]
            if not fresh:
                index.beyond = reach.SearchEnd(number, len(unread - set(index.facts)), 0, 0)
                break
            more = kbuild.commands_for(
                self.tree, profile, fresh, jobs=self.jobs, log=progress.log
            )
            chosen = tuple(c for c in more.commands if c.file in set(fresh))
            extra = index_profile(
                self.tree,
                dataclasses.replace(profile, commands=chosen),
                request,
                store,
                progress,
                self.jobs,
                self.cache,
                changed,
            )
            index.absorb(extra)
            new = [c.file for c in chosen]
        return index

    def search(self, profile: kbuild.Prepared, store: Store) -> mentions.WordIndex:
        folder = kbuild.arch_folder(profile.arch)
        if folder not in self.searches:
            self.searches[folder] = mentions.WordIndex(self.tree.path, folder, store)
        return self.searches[folder]

    def target(self) -> tuple[str, str]:
        """Architecture and configuration: asked for, else the tree's own."""
        return target_of(self.request, self.tree)


def audit(request: Request, progress: Progress) -> Result:
    begun = now_ns()
    session = Session.of(request)
    check_paths(session.tree, session.paths)
    prepared = session.profiles(progress)
    heard = unchanged.Listening(progress)
    results: list[ProfileResult] = []
    incomplete: list[Incomplete] = []
    read: set[str] = set()
    beyond: list[reach.SearchEnd] = []
    asked: set[str] = set()
    sure = True
    units = 0
    with session.open_store(heard) as store:
        for profile in prepared:

            def whole(profile: kbuild.Prepared = profile) -> tuple[Index, ProfileResult]:
                index = session.index(profile, store, heard)
                found = analyse_profile(index, session, profile, store, heard)
                if request.verify:
                    found = verified(found, index, session, profile, store, heard)
                return index, found

            index, found = steady(store, whole)
            incomplete += index.incomplete
            read |= index.read_from(p for p in session.paths if not p.endswith(".c"))
            units += len(index.facts)
            beyond += index.ends
            asked |= index.asked
            # A unit that could not be stored has told nobody what it was read from.
            sure = sure and index.is_stored()
            results.append(found)
        stale = rule_fit.stale(session.tree.path, request.rules, rules_digest(request), store)
        incomplete += unseen_paths(session.tree, session.paths, prepared, read)
        result = assemble(session, prepared, results, incomplete, units, beyond=beyond)
        if stale:
            note = (
                f"{stale} rules cite a source that this tree does not have and may be stale; "
                "ctxlint rules check --tree lists them"
            )
            result = msgspec.structs.replace(result, notes=(*result.notes, note))
        sure = sure and (bool(request.builds) or len(prepared) == len(session.kinds()))
        sure = sure and not (heard.warned or any(profile.warned for profile in prepared))
        if sure and not incomplete and not any(r.faults for r in results):
            _keep(session, prepared, asked, result, store, begun)
    for item in result.untold:
        count = f"{item.count} function" + ("s" if item.count != 1 else "")
        progress.log("info", f"no rule for {item.member}: {count}, as at {item.example}")
    return result


def _keep(
    session: Session,
    prepared: list[kbuild.Prepared],
    asked: set[str],
    result: Result,
    store: Store,
    begun: int,
) -> None:
    """Remember a result with all that it comes from (``asked``: files beyond the audited
    ones that were looked for in the builds)."""
    request, tree = session.request, session.tree
    files = [*unchanged.folders_below(tree.path, session.paths), f"{tree.path}/Makefile"]
    files += (f"{tree.path}/{name}" for name in rule_fit.places(request.rules))
    made: list[str] = []
    for profile in prepared:
        others, own = kbuild.inputs(tree, profile, {*session.paths, *asked})
        files += others
        made += own
    if any(index.changed_since(begun - unchanged.TICK) for index in session.searches.values()):
        return
    searched = b"".join(index.digest() for _, index in sorted(session.searches.items()))
    libclang = library(request.libclang).path
    unchanged.keep(request, result, store, files, made, libclang, searched, begun)


T = TypeVar("T")


def steady(store: Store, work: Callable[[], T]) -> T:
    """Do what takes from the store; again, when the store turned out to be damaged on the
    way and was begun anew. Raises LostError when that goes on and on."""
    for _ in range(_DAMAGES):
        with contextlib.suppress(LostError):
            return work()
        store.refresh()
    return work()


def assemble(
    session: Session,
    prepared: list[kbuild.Prepared],
    results: list[ProfileResult],
    incomplete: list[Incomplete],
    units: int,
    contents: Mapping[str, bytes | None] | None = None,
    beyond: Iterable[reach.SearchEnd] = (),
) -> Result:
    """One result of what each profile gave; ``contents`` are files that were changed,
    ``beyond`` says where searches for further files ended."""
    covered: set[str] = set(prepared[0].uncovered) if prepared else set()
    for profile in prepared[1:]:
        covered &= set(profile.uncovered)
    findings = merge(r.findings for r in results)
    possible = 0
    if not session.request.possible:
        shown = tuple(f for f in findings if f.among <= limits.AMONG_MAX)
        possible, findings = len(findings) - len(shown), shown
    incomplete = [*incomplete, *(i for r in results for i in (*r.limited, *r.faults))]
    return Result(
        tool=ToolInfo(name="ctxlint", version=__version__),
        tree=TreeInfo(version=session.tree.version, commit=session.tree.commit),
        profiles=tuple(
            Profile(name=p.spec_name, arch=p.arch, rt=p.rt, config=Path(p.config).name)
            for p in prepared
        ),
        findings=findings,
        incomplete=tuple(
            sorted(incomplete, key=lambda i: (i.file, i.line, i.profile, i.reason))
        ),
        uncovered=tuple(sorted(covered - {i.file for i in incomplete})),
        unknown_callees=merge_unknown(r.unknown for r in results),
        untold=merge_untold(r.untold for r in results),
        statistics=_statistics(results, units),
        paths=tuple(sorted(session.paths)),
        notes=(*([possible_note(possible)] if possible else ()), *reach.notes(beyond)),
        suppressions=suppressions.read(
            {c.file for p in prepared for c in p.commands} | {f.file for f in findings},
            text_reader(session.tree.path, contents),
        ),
    )


def possible_note(count: int) -> str:
    """The note on findings that are not shown."""
    many = "1 finding is" if count == 1 else f"{count} findings are"
    return (
        f"{many} possible and not shown: each needs a call through a pointer whose object is "
        f"not known and that could go to more than {limits.AMONG_MAX} functions; "
        "--possible shows them"
    )


def _statistics(results: list[ProfileResult], units: int) -> dict[str, int | float | str]:
    """Counts only: times would make two equal runs differ."""
    total: dict[str, int | float | str] = {"units": units}
    for result in results:
        for name, value in result.statistics.items():
            if isinstance(value, int):
                before = total.get(name, 0)
                total[name] = value + (before if isinstance(before, int) else 0)
    return total


def analyse_profile(
    index: Index,
    session: Session,
    profile: kbuild.Prepared,
    store: Store,
    progress: Progress,
    contents: Mapping[str, bytes | None] | None = None,
    *,
    keep: bool = True,
) -> ProfileResult:
    """The findings of one profile; ``contents`` are files that were changed. ``keep``:
    the result is one to find again."""
    key = index.key(profile.spec_name, session.paths)
    known = _kept(store, "result", key)
    if known is not None:
        return known
    stage = f"analysing {profile.spec_name}"
    progress.start(stage, 0)
    try:
        result = _analysed(index, session, profile, contents)
    except CtxlintError:
        raise
    except Exception as error:
        # No part of it can be told from the others.
        whole = Fault(".", 0, "", reason_of(error))
        result, keep = _lost_profile(whole, profile), False
    for lost in result.faults:
        progress.log("info", f"{lost.file}: {lost.reason}: {HINT}")
    if keep:
        store.put_cached("result", key, msgspec.msgpack.encode(result))
    progress.finish(stage)
    return result


def _lost_profile(fault: Fault, profile: kbuild.Prepared) -> ProfileResult:
    return ProfileResult(
        findings=[], unknown=(), statistics={}, faults=_reported_faults([fault], profile)
    )


def _reported_faults(
    faults: Iterable[Fault], profile: kbuild.Prepared
) -> tuple[Incomplete, ...]:
    """What the report says of defects of ours, each once."""
    return tuple(
        Incomplete(
            file=fault.file,
            profile=profile.spec_name,
            reason=f"{fault.name}(): {fault.reason}" if fault.name else fault.reason,
        )
        for fault in dict.fromkeys(faults)
    )


def _analysed(
    index: Index,
    session: Session,
    profile: kbuild.Prepared,
    contents: Mapping[str, bytes | None] | None,
) -> ProfileResult:
    rules = rules_of(session.request)
    program = index.program()
    faults = list(index.faults)
    run = _propagate(program, rules, profile.rt, faults.append)
    files = {command.file for command in profile.commands}
    reported = _reported(files, session.paths)
    callers = Callers(run.nodes, run.also, reported)
    found = findings_of(
        _at_each_caller(run, callers),
        rules,
        profile.rt,
        profile.spec_name,
        source_reader(session.tree.path, contents),
        reported,
        faults.append,
        callers,
    )
    faults += run.faults.values()
    return ProfileResult(
        findings=found,
        unknown=tuple(
            UnknownCallee(callee=name, reason=u.reason, count=u.count, example=u.example)
            for name, u in sorted(run.unknown.items())
        ),
        statistics={
            "functions": len(program.functions),
            "call_sites": sum(len(f.edges) for f in program.functions.values()),
            "entry_points": len(run.entries),
            "contexts": sum(len(n) for n in run.nodes.values()),
        },
        limited=(
            *limited(run, profile.spec_name),
            *index.cut(profile.spec_name),
            *cut_sites(callers, profile.spec_name),
        ),
        untold=tuple(
            UntoldMember(member=u.member, count=u.count, example=u.example)
            for u in unruled_callbacks.find(program, rules, _reported(files, session.paths))
        ),
        faults=_reported_faults(faults, profile),
    )


def _kept(store: Store, kind: str, key: str) -> ProfileResult | None:
    """What an earlier run found, if it can be read."""
    known = store.get_cached(kind, key)
    with contextlib.suppress(msgspec.MsgspecError, RecursionError):
        return None if known is None else msgspec.msgpack.decode(known, type=ProfileResult)
    return None


def verified(
    result: ProfileResult,
    index: Index,
    session: Session,
    profile: kbuild.Prepared,
    store: Store,
    progress: Progress,
) -> ProfileResult:
    """``result`` with what running each finding gave."""
    from ctxlint.pipeline.verify import model_digest

    version = session.tree.version
    key = f"{index.key(profile.spec_name, session.paths)} {model_digest()} {version}"
    if session.request.only is not None:
        key += f" {session.request.only}"
    known = _kept(store, "verdicts", key)
    if known is not None:
        return known
    try:
        found, faults = _verdicts(index, session, profile, store, progress)
    except CtxlintError:
        raise
    except Exception as error:
        fault = Fault(".", 0, "", f"no verdicts: {reason_of(error)}")
        wanted = (*result.faults, *_reported_faults([fault], profile))
        return msgspec.structs.replace(result, faults=wanted)
    wanted = (*result.faults, *_reported_faults(faults, profile))
    result = msgspec.structs.replace(
        result, findings=found, faults=tuple(dict.fromkeys(wanted))
    )
    store.put_cached("verdicts", key, msgspec.msgpack.encode(result))
    return result


def _verdicts(
    index: Index, session: Session, profile: kbuild.Prepared, store: Store, progress: Progress
) -> tuple[list[Finding], list[Fault]]:
    from ctxlint.pipeline.verify import evidence_of

    keep_models_in(session.cache)
    rules = rules_of(session.request)
    program = index.program()
    faults: list[Fault] = []
    run = _propagate(program, rules, profile.rt, faults.append)
    reported = _reported({command.file for command in profile.commands}, session.paths)
    callers = Callers(run.nodes, run.also, reported)
    everything = with_others(
        _at_each_caller(run, callers),
        rules,
        profile.rt,
        profile.spec_name,
        source_reader(session.tree.path),
        reported,
        faults.append,
        callers,
    )
    version = session.tree.version
    only = session.request.only
    chosen = [item for item in everything if only in (None, place_of(item[0]))]
    found = evidence_of(
        chosen, run.also, index, store, program, rules, profile, version, progress,
        faults.append,
    )  # fmt: skip
    if only is not None:
        found += [finding for finding, _ in everything if place_of(finding) != only]
    return found, faults


def place_of(finding: Finding) -> tuple[str, int, int]:
    """File, line and column of the operation."""
    return finding.file, finding.line, finding.column


def _at_each_caller(run: Propagation, callers: Callers) -> Iterator[Violation]:
    """An operation of a file that is not audited, for each audited call that leads to it."""
    for violation in run.violations:
        yield from callers.sites(violation)


def _reported(files: set[str], paths: tuple[str, ...]) -> Callable[[str], bool]:
    """Audited files, and .c files below the audited paths that they include."""

    def reported(file: str) -> bool:
        return file in files or any(
            file == p or file.startswith(p.rstrip("/") + "/") for p in paths
        )

    return reported


def _propagate(
    program: Program, rules: Rulebook, rt: bool, lost: Callable[[Fault], None]
) -> Propagation:
    run = Propagation(program, rules, rt, entry_points.find(program, rules, rt, lost))
    run.run()
    return run


def program_image(request: Request, progress: Progress) -> Image:
    """The files of a request, for one profile, linked for the executable model."""
    from ctxlint.pipeline.verify import image_of

    session = Session.of(request)
    profile = session.profiles(progress)[0]
    with Store.open(session.cache / STORE, log=progress.log, tree=session.tree.path) as store:
        return image_of(session.index(profile, store, progress), store)


def prepare(request: Request, progress: Progress) -> tuple[PreparedProfile, ...]:
    session = Session.of(request)
    out = []
    for p in session.profiles(progress):
        out.append(
            PreparedProfile(
                name=p.spec_name,
                arch=p.arch,
                rt=p.rt,
                config=p.config,
                build=p.build,
                commands=kbuild.write_database(session.tree, p),
                units=len(p.commands),
                uncovered=p.uncovered,
            )
        )
    return tuple(out)


def linked(request: Request, progress: Progress) -> Iterator[tuple[kbuild.Prepared, Program]]:
    """Each profile with the linked facts of the units that ``request`` reaches."""
    session = Session.of(request)
    with session.open_store(progress) as store:
        for profile in session.profiles(progress):
            yield profile, session.index(profile, store, progress).program()


def graph(
    request: Request, target: str, progress: Progress, limit: int
) -> tuple[FunctionGraphs, ...]:
    session = Session.of(request)
    chosen: Finding | None = None
    answers: dict[str, list[CallGraph]] = {}
    contexts: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
    if _FINGERPRINT.fullmatch(target):
        chosen = _one_finding(audit(request, progress), target)
    with session.open_store(progress) as store:
        for profile in session.profiles(progress):
            if chosen is not None and profile.spec_name not in chosen.profiles:
                continue
            index = session.index(profile, store, progress)
            rules = rules_of(request)
            run = _propagate(index.program(), rules, profile.rt, lambda _: None)
            reported = _reported({c.file for c in profile.commands}, session.paths)
            maker = GraphMaker(
                run, rules, profile.rt, profile.spec_name, _drawn(reported, chosen)
            )
            symbols = maker.symbols(chosen.function if chosen is not None else target)
            for symbol in symbols:
                drawn = maker.graph(symbol, limit)
                if chosen is not None and drawn.node(symbol).file != chosen.file:
                    continue
                answers.setdefault(symbol, []).append(drawn)
                contexts.setdefault(symbol, []).append(
                    (profile.spec_name, maker.contexts(symbol))
                )
    if not answers:
        raise UsageError(
            f"no function {target}() in {' '.join(session.paths)}",
            hint="after the function, name the file or directory that defines it",
        )
    return tuple(
        FunctionGraphs(
            symbol=symbol, graphs=tuple(answers[symbol]), contexts=tuple(contexts[symbol])
        )
        for symbol in sorted(answers)
    )


def _one_finding(result: Result, digits: str) -> Finding:
    """Raises UsageError when not exactly one finding has that fingerprint."""
    found = [f for f in result.findings if f.fingerprint.startswith(digits)]
    if len(found) != 1:
        what = "several findings have" if found else "no finding has"
        raise UsageError(
            f"{what} the fingerprint {digits}",
            hint="ctxlint audit shows them; give the same paths and options here",
        )
    return found[0]


def _drawn(
    reported: Callable[[str], bool], chosen: Finding | None
) -> Callable[[Violation], bool]:
    """Which violations are drawn: those that an audit reports, or those that go
    the way of a finding."""
    way: list[str] = []
    if chosen is not None:
        steps = (step for step in chosen.path if step.kind != "registration")
        way = [function for function, _ in groupby(step.function for step in steps)]

    def wanted(violation: Violation) -> bool:
        site = witness.site_of(violation, reported)
        if site is None or chosen is None:
            return site is not None
        names = (node.fn.name for node in witness.nodes_of(violation))
        return (
            (site.loc.file, site.loc.line, site.loc.col)
            == (chosen.file, chosen.line, chosen.column)
            and witness.entry_of(violation) == chosen.entry
            and [name for name, _ in groupby(names)] == way
        )

    return wanted
