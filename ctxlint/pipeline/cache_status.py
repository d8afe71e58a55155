# SPDX-License-Identifier: GPL-2.0-or-later
"""How much has to be read before a change can be analysed.

A commit hook must not block a commit for minutes because nobody has audited that part of
the tree yet, or because a header changed that everything includes. So this is checked
first, without running kbuild and without parsing anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ctxlint import kbuild
from ctxlint.base.request import Progress, Request
from ctxlint.pipeline.changed import Contents, audited_paths
from ctxlint.pipeline.session import Session
from ctxlint.units.index import stored_index


@dataclass(frozen=True, kw_only=True)
class CacheStatus:
    """What is known of the tree before a change.

    ``paths`` would be analysed. ``prepared`` is False when kbuild has to run first; then
    the counts are 0. Otherwise ``missing`` of the ``units`` (of all profiles) are not in
    the store as they are before the change.
    """

    paths: tuple[str, ...]
    prepared: bool
    missing: int = 0
    units: int = 0


def cache_status(
    request: Request, base: Contents, touched: Iterable[str], progress: Progress
) -> CacheStatus:
    """Look at what :func:`~ctxlint.pipeline.series.compare` would have to read for
    ``base``; ``touched`` are all files that differ between the disk and the states."""
    session = Session.of(request)
    paths = audited_paths(request, session.tree, touched)
    session = replace(session, paths=paths)
    if not ready(session):
        return CacheStatus(paths=paths, prepared=False)
    missing = units = 0
    with session.open_store(progress) as store:
        view = store.seen_with(base) if base else store
        for profile in session.profiles(progress):
            known = stored_index(profile, request, view).facts
            units += len(profile.commands)
            missing += sum(command.file not in known for command in profile.commands)
    return CacheStatus(paths=paths, prepared=True, missing=missing, units=units)


def ready(session: Session) -> bool:
    """Whether the session's profiles are there at once, without running kbuild."""
    if session.request.builds:
        return True
    arch, config = session.target()
    return all(
        kbuild.ready(
            session.tree,
            arch=arch,
            config=config,
            rt=rt,
            paths=session.paths,
            cache=session.cache,
        )
        for rt in session.kinds()
    )
