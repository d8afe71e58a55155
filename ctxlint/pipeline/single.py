# SPDX-License-Identifier: GPL-2.0-or-later
"""One unit at a time, while the kernel is built: ``make C=1 CHECK="ctxlint kbuild"``.

Each call is a separate process, several run in parallel, and each sees one unit and what
the store has of the others. The unit is stored under the identity that an audit of the
build directory gives it, then analysed together with the units of its *scope* that are
stored already. A call path across files is seen by the call that stores the last of its
units. So a call reports what it found in its own unit, and, when that was new to the
store, also what it completed in others.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ctxlint import kbuild
from ctxlint.base.places import default_cache
from ctxlint.base.request import Progress, Request
from ctxlint.findings.model import Finding, Incomplete
from ctxlint.findings.selection import UNUSED, Selection
from ctxlint.kbuild.tree import below, included_c_files
from ctxlint.pipeline.assemble import assemble
from ctxlint.pipeline.profile import ProfileRun
from ctxlint.pipeline.select import select
from ctxlint.pipeline.session import Session
from ctxlint.store import LostError
from ctxlint.units.forked import lower_forked
from ctxlint.units.index import CLOCK_SETTLES, stored_index, unit_keys
from ctxlint.units.prefetch import unit_job


@dataclass(frozen=True, kw_only=True)
class UnitReport:
    """What one call of the checker has to say.

    ``findings`` are in this unit, ``completed`` those in other files that the store of
    this unit brought to light. ``missing`` counts units of the scope that are compiled
    but not in the store yet.
    """

    file: str
    findings: tuple[Finding, ...]
    completed: tuple[Finding, ...]
    incomplete: tuple[Incomplete, ...]
    scope: tuple[str, ...]
    missing: int


def check_unit(
    unit: kbuild.CheckedUnit, request: Request, selection: Selection, progress: Progress
) -> UnitReport:
    """Bring one unit up to date in the store and analyse it.

    Of ``request`` count ``cache``, ``libclang``, ``rules``, ``timeout`` and ``paths``:
    when the unit lies below one of these, all of them are the scope, else the unit's
    own directory is. ``selection`` says which findings count; comments that suppress
    nothing are the audit's business, which sees all units. Raises :class:`StoreError`
    when the cache cannot be used.
    """
    try:
        return _checked(unit, request, selection, progress)
    except LostError:  # the store was damaged; it is a new one now
        return _checked(unit, request, selection, progress)


def _checked(
    unit: kbuild.CheckedUnit, request: Request, selection: Selection, progress: Progress
) -> UnitReport:
    paths = scope_of(unit.file, request.paths)
    request = replace(request, tree=unit.tree.path, builds=(unit.build,), paths=paths)
    session = Session(request, unit.tree, paths, request.cache or default_cache(), 1)
    profile = unit.prepared(paths)
    command = next(c for c in profile.commands if c.file == unit.file)
    with session.open_store(progress) as store:
        store.limit_validity(unit_keys(profile, request))
        own = stored_index(replace(profile, commands=(command,)), request, store)
        fresh = unit.file not in own.facts
        if fresh:
            time.sleep(CLOCK_SETTLES)
            job = unit_job(unit.tree, profile, command, request, store, own)
            [failed] = lower_forked([job], processes=1, timeout=request.timeout)
            if failed:
                own.incomplete.append(
                    Incomplete(file=unit.file, profile=profile.spec_name, reason=failed)
                )
            store.refresh()
        # Looked up after our own unit is stored: of two calls, the later one sees both.
        index = stored_index(profile, request, store)
        if unit.file not in index.facts:  # it has errors, or a file of it just changed
            index.absorb(own)
        missing = sum(c.file not in index.facts for c in profile.commands)
        # As long as units are missing the answer is a passing one, not to be kept.
        found = ProfileRun(session, profile, index, store, progress).analyse(keep=not missing)
    mine = {unit.file, *included_c_files(unit.tree, [unit.file])}
    result = assemble(session, [profile], [found], own.incomplete, len(index.facts))
    findings = [f for f in select(result, selection).findings if f.check != UNUSED]
    return UnitReport(
        file=unit.file,
        findings=tuple(f for f in findings if f.file in mine),
        completed=tuple(
            f for f in findings if fresh and f.file not in mine and _touches(f, mine)
        ),
        incomplete=tuple(i for i in result.incomplete if i.kind != "limit" or i.file in mine),
        scope=paths,
        missing=missing,
    )


def scope_of(file: str, paths: Sequence[str]) -> tuple[str, ...]:
    """Files and directories whose units are analysed together with ``file``."""
    if below(file, paths):
        return tuple(sorted(set(paths)))
    return (file.rpartition("/")[0] or ".",)


def _touches(finding: Finding, files: set[str]) -> bool:
    return finding.entry.file in files or any(step.file in files for step in finding.path)
