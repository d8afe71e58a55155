# SPDX-License-Identifier: GPL-2.0-or-later
"""One file for an editor: what the store knows about it, without waiting.

An editor cannot wait for kbuild or for a directory to be parsed. So the other units of the
file's scope come from the store, as an audit left them; only the unit of the file itself is
read again if it changed on disk. The answer says what was missing.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

from ctxlint.base.levels import Level
from ctxlint.base.request import Quiet, Request
from ctxlint.findings.model import Finding, Incomplete
from ctxlint.findings.selection import Selection
from ctxlint.pipeline.assemble import assemble
from ctxlint.pipeline.cache_status import ready
from ctxlint.pipeline.profile import ProfileResult, ProfileRun
from ctxlint.pipeline.select import select
from ctxlint.pipeline.session import Session
from ctxlint.pipeline.single import scope_of
from ctxlint.store import LostError
from ctxlint.units.forked import lower_forked
from ctxlint.units.index import CLOCK_SETTLES, Index, stored_index
from ctxlint.units.prefetch import unit_job


@dataclass(frozen=True, kw_only=True)
class FileReport:
    """``scope`` was analysed together. ``prepared`` is False when no build directory is
    at hand; then nothing else is known. ``compiled`` names the profiles that compile the
    file. ``missing`` of the ``units`` of the scope (over all profiles) are not in the
    store, so a chain through them is not seen."""

    file: str
    scope: tuple[str, ...]
    prepared: bool
    compiled: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    incomplete: tuple[Incomplete, ...] = ()
    missing: int = 0
    units: int = 0
    notes: tuple[str, ...] = ()


@dataclass
class _Notes(Quiet):
    """A progress that keeps warnings."""

    lines: list[str] = field(default_factory=list)

    def log(self, level: Level, message: str) -> None:
        if level == "warning":
            self.lines.append(message)


def look_at(request: Request, file: str, selection: Selection) -> FileReport:
    """What is known of ``file`` (relative to the tree) as it is on disk.

    Forks, so it must be called while there is one thread. Raises
    :class:`~ctxlint.base.errors.CtxlintError` when the cache or a build directory cannot
    be used.
    """
    try:
        return _looked_at(request, file, selection)
    except LostError:  # the store was damaged; it is a new one now
        return _looked_at(request, file, selection)


def _looked_at(request: Request, file: str, selection: Selection) -> FileReport:
    scope = scope_of(file, request.paths)
    request = replace(request, paths=scope)
    session = Session.of(request)
    if not ready(session):
        return FileReport(file=file, scope=scope, prepared=False)
    notes = _Notes()
    results: list[ProfileResult] = []
    incomplete: list[Incomplete] = []
    compiled = []
    missing = units = 0
    profiles = session.profiles(notes)
    with session.open_store(notes) as store:
        reads: list[Index] = []
        jobs = []
        for profile in profiles:
            own = tuple(c for c in profile.commands if c.file == file)
            compiled += [profile.spec_name] * bool(own)
            read = stored_index(replace(profile, commands=own), request, store)
            reads.append(read)
            if own and file not in read.facts:
                jobs.append((profile, read, own[0]))
        if jobs:
            time.sleep(CLOCK_SETTLES)
            reasons = lower_forked(
                [unit_job(session.tree, p, c, request, store, r) for p, r, c in jobs],
                processes=session.jobs,
                timeout=request.timeout,
            )
            for (profile, read, _), reason in zip(jobs, reasons, strict=True):
                if reason:
                    read.incomplete.append(
                        Incomplete(file=file, profile=profile.spec_name, reason=reason)
                    )
            store.refresh()
        for profile, read in zip(profiles, reads, strict=True):
            index = stored_index(profile, request, store)
            if file not in index.facts:  # not compiled here, or it has errors
                index.absorb(read)
            incomplete += read.incomplete
            absent = sum(c.file not in index.facts for c in profile.commands)
            missing += absent
            units += len(profile.commands)
            run = ProfileRun(session, profile, index, store, notes)
            results.append(run.analyse(keep=not absent))
    whole = assemble(session, profiles, results, incomplete, units)
    whole = select(whole, selection)
    mine = (f for f in whole.findings if f.file == file)
    return FileReport(
        file=file,
        scope=scope,
        prepared=True,
        compiled=tuple(compiled),
        # A comment may be for a finding that needs a unit which is missing.
        findings=tuple(f for f in mine if f.operation or not missing),
        incomplete=tuple(i for i in whole.incomplete if i.file == file),
        missing=missing,
        units=units,
        notes=(*notes.lines, *whole.notes),
    )
