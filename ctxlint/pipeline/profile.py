# SPDX-License-Identifier: GPL-2.0-or-later
"""One profile: from the facts of its units to findings, and to verdicts on them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import msgspec

from ctxlint import kbuild
from ctxlint.analysis import entry_points, unruled_callbacks
from ctxlint.analysis.callers import Callers
from ctxlint.analysis.nodes import Violation
from ctxlint.analysis.program import Program
from ctxlint.analysis.propagate import Propagation
from ctxlint.base.errors import CtxlintError
from ctxlint.base.faults import HINT, reason_of
from ctxlint.base.request import Progress
from ctxlint.findings.model import Finding, Incomplete, UnknownCallee, UntoldMember
from ctxlint.ir.unit import Fault
from ctxlint.pipeline.collect import cut_sites, findings_of, limited, source_reader, with_others
from ctxlint.pipeline.session import Session
from ctxlint.rulebook.book import Rulebook
from ctxlint.store import Store
from ctxlint.units.index import Index, keep_models_in, rules_of


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
class ProfileRun:
    """The whole program of one profile: ``index`` has the facts of its units, ``contents``
    are files that were changed (None: not there)."""

    session: Session
    profile: kbuild.Prepared
    index: Index
    store: Store
    progress: Progress
    contents: Mapping[str, bytes | None] | None = None

    @cached_property
    def rules(self) -> Rulebook:
        """The rules that fit the tree, and those of the request."""
        return rules_of(self.session.request)

    @cached_property
    def program(self) -> Program:
        """The facts, linked."""
        return self.index.program()

    def analyse(self, *, keep: bool = True) -> ProfileResult:
        """The findings; ``keep``: the result is one to find again."""
        name = self.profile.spec_name
        key = self.index.key(name, self.session.paths)
        known = self._kept("result", key)
        if known is not None:
            return known
        stage = f"analysing {name}"
        self.progress.start(stage, 0)
        try:
            result = self._analysed()
        except CtxlintError:
            raise
        except Exception as error:
            # No part of it can be told from the others.
            faults = self._described([Fault(".", 0, "", reason_of(error))])
            result = ProfileResult(findings=[], unknown=(), statistics={}, faults=faults)
            keep = False
        for lost in result.faults:
            self.progress.log("info", f"{lost.file}: {lost.reason}: {HINT}")
        if keep:
            self.store.put_cached("result", key, msgspec.msgpack.encode(result))
        self.progress.finish(stage)
        return result

    def verify(self, result: ProfileResult) -> ProfileResult:
        """``result`` with what running each finding gave."""
        from ctxlint.pipeline.verify import model_digest

        session = self.session
        key = f"{self.index.key(self.profile.spec_name, session.paths)} {model_digest()} "
        key += session.tree.version
        if session.request.only is not None:
            key += f" {session.request.only}"
        known = self._kept("verdicts", key)
        if known is not None:
            return known
        try:
            found, faults = self._verdicts()
        except CtxlintError:
            raise
        except Exception as error:
            fault = Fault(".", 0, "", f"no verdicts: {reason_of(error)}")
            lost = (*result.faults, *self._described([fault]))
            return msgspec.structs.replace(result, faults=lost)
        lost = tuple(dict.fromkeys((*result.faults, *self._described(faults))))
        result = msgspec.structs.replace(result, findings=found, faults=lost)
        self.store.put_cached("verdicts", key, msgspec.msgpack.encode(result))
        return result

    def propagate(self, lost: Callable[[Fault], None]) -> Propagation:
        """The execution contexts of the program; ``lost`` hears of defects of ours."""
        rt = self.profile.rt
        entries = entry_points.find(self.program, self.rules, rt, lost)
        run = Propagation(self.program, self.rules, rt, entries)
        run.run()
        return run

    def reported(self, file: str) -> bool:
        """Audited files, and .c files below the audited paths that they include."""
        return file in self._files or any(
            file == p or file.startswith(p.rstrip("/") + "/") for p in self.session.paths
        )

    @cached_property
    def _files(self) -> frozenset[str]:
        return frozenset(command.file for command in self.profile.commands)

    def _analysed(self) -> ProfileResult:
        name, program = self.profile.spec_name, self.program
        faults = list(self.index.faults)
        run = self.propagate(faults.append)
        callers = Callers(run.nodes, run.also, self.reported)
        found = findings_of(
            _at_each_caller(run, callers),
            self.rules,
            self.profile.rt,
            name,
            source_reader(self.session.tree.path, self.contents),
            self.reported,
            faults.append,
            callers,
        )
        faults += run.faults.values()
        return ProfileResult(
            findings=found,
            unknown=tuple(
                UnknownCallee(callee=callee, reason=u.reason, count=u.count, example=u.example)
                for callee, u in sorted(run.unknown.items())
            ),
            statistics={
                "functions": len(program.functions),
                "call_sites": sum(len(f.edges) for f in program.functions.values()),
                "entry_points": len(run.entries),
                "contexts": sum(len(n) for n in run.nodes.values()),
            },
            limited=(*limited(run, name), *self.index.cut(name), *cut_sites(callers, name)),
            untold=tuple(
                UntoldMember(member=u.member, count=u.count, example=u.example)
                for u in unruled_callbacks.find(program, self.rules, self.reported)
            ),
            faults=self._described(faults),
        )

    def _verdicts(self) -> tuple[list[Finding], list[Fault]]:
        from ctxlint.pipeline.verify import evidence_of

        keep_models_in(self.session.cache)
        profile, version = self.profile, self.session.tree.version
        faults: list[Fault] = []
        run = self.propagate(faults.append)
        callers = Callers(run.nodes, run.also, self.reported)
        everything = with_others(
            _at_each_caller(run, callers),
            self.rules,
            profile.rt,
            profile.spec_name,
            source_reader(self.session.tree.path),
            self.reported,
            faults.append,
            callers,
        )
        only = self.session.request.only
        chosen = [item for item in everything if only in (None, place_of(item[0]))]
        found = evidence_of(
            chosen, run.also, self.index, self.store, self.program, self.rules, profile,
            version, self.progress, faults.append,
        )  # fmt: skip
        if only is not None:
            found += [finding for finding, _ in everything if place_of(finding) != only]
        return found, faults

    def _kept(self, kind: str, key: str) -> ProfileResult | None:
        """What an earlier run found, if it can be read."""
        known = self.store.get_cached(kind, key)
        with contextlib.suppress(msgspec.MsgspecError, RecursionError):
            return None if known is None else msgspec.msgpack.decode(known, type=ProfileResult)
        return None

    def _described(self, faults: Iterable[Fault]) -> tuple[Incomplete, ...]:
        """What the report says of defects of ours, each once."""
        return tuple(
            Incomplete(
                file=fault.file,
                profile=self.profile.spec_name,
                reason=f"{fault.name}(): {fault.reason}" if fault.name else fault.reason,
            )
            for fault in dict.fromkeys(faults)
        )


def place_of(finding: Finding) -> tuple[str, int, int]:
    """File, line and column of the operation."""
    return finding.file, finding.line, finding.column


def _at_each_caller(run: Propagation, callers: Callers) -> Iterator[Violation]:
    """An operation of a file that is not audited, for each audited call that leads to it."""
    for violation in run.violations:
        yield from callers.sites(violation)
