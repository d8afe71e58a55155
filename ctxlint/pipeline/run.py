# SPDX-License-Identifier: GPL-2.0-or-later
"""The steps in order, for each entry point of the library."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from ctxlint import kbuild
from ctxlint.analysis.program import Program
from ctxlint.base.request import PreparedProfile, Progress, Request
from ctxlint.findings.model import Incomplete, Result
from ctxlint.frontend.clang import library
from ctxlint.pipeline import rule_fit, unchanged
from ctxlint.pipeline.assemble import assemble
from ctxlint.pipeline.not_analysed import check_paths, unseen_paths
from ctxlint.pipeline.profile import ProfileResult, ProfileRun
from ctxlint.pipeline.session import Session, steady
from ctxlint.search import reach
from ctxlint.store import Store, now_ns
from ctxlint.units.index import Index, rules_digest

if TYPE_CHECKING:
    from ctxlint.simulator.image import Image


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
                run = ProfileRun(session, profile, index, store, heard)
                found = run.analyse()
                return index, run.verify(found) if request.verify else found

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


def program_image(request: Request, progress: Progress) -> Image:
    """The files of a request, for one profile, linked for the executable model."""
    from ctxlint.pipeline.verify import image_of

    session = Session.of(request)
    profile = session.profiles(progress)[0]
    with session.open_store(progress) as store:
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
