# SPDX-License-Identifier: GPL-2.0-or-later
"""Reading the few units of a small change at once, whatever profile they are of.

Profiles are analysed one after the other. With one file changed each would start a pool of
workers for one unit, and the other processors would wait; read ahead, all are in the
store when their profile's turn comes. What fails here is simply not there then; the
reason is remembered and told when its profile's turn comes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from functools import partial

from ctxlint import kbuild
from ctxlint.base.request import Request
from ctxlint.frontend import worker
from ctxlint.store import Store, now_ns
from ctxlint.units.digest import rules_with
from ctxlint.units.forked import Job, lower_forked
from ctxlint.units.index import (
    CLOCK_SETTLES,
    FEW,
    Changed,
    Index,
    class_of,
    failures_of,
    todo_of,
)

Unread = tuple[kbuild.Prepared, Index, list[kbuild.CompileCommand]]


def prefetch(
    tree: kbuild.Tree,
    profiles: Sequence[tuple[kbuild.Prepared, Changed | None]],
    request: Request,
    store: Store,
    jobs: int,
) -> int:
    """Parse what is missing of all ``profiles`` into the store, when it is little; how
    many units that were."""
    if threading.active_count() != 1:
        return 0  # a fork would inherit locks in whatever state they are
    work = []
    for profile, changed in profiles:
        index, todo = todo_of(profile, request, store, changed)
        if index.incomplete:
            return 0  # the limit of units is reached; it must not count anew afterwards
        failed = failures_of(tree, request, store, changed)
        todo = [c for c in todo if failed.known(index.keys[c.file], c) is None]
        if todo:
            work.append((profile, changed, index, todo, failed))
    if not 0 < sum(len(todo) for *_, todo, _ in work) <= FEW:
        return 0
    time.sleep(CLOCK_SETTLES)
    units = []
    for profile, changed, index, todo, _ in work:
        overlay = str(changed.overlay(todo)) if changed is not None else ""
        units += [
            unit_job(tree, profile, command, request, store, index, overlay) for command in todo
        ]
    reasons = iter(lower_forked(units, processes=jobs, timeout=request.timeout))
    for *_, index, todo, failed in work:
        for command, reason in zip(todo, reasons, strict=False):
            if reason:
                failed.remember(index.keys[command.file], command, reason, tries=1)
    store.refresh()
    return len(units)


def unit_job(
    tree: kbuild.Tree,
    profile: kbuild.Prepared,
    command: kbuild.CompileCommand,
    request: Request,
    store: Store,
    index: Index,
    overlay: str = "",
) -> Job:
    """A unit to be parsed into ``index`` and into the store; it is dated now."""
    name = class_of(profile.spec_name, command, index.tool)
    known = store.known_inlines(name)
    return Job(
        request=worker.Request(
            profile=name,
            tree=str(tree.path),
            file=command.file,
            arguments=command.arguments,
            directory=str(command.directory),
            overlay=overlay,
        ),
        known={name: known},
        transform="ctxlint.units.digest:Digest",
        transform_arguments=(
            profile.rt,
            rules_with(request.rules),
            {name: store.inline_facts(name, known)},
        ),
        libclang=request.libclang,
        done=partial(index.take, profile.spec_name, command, now_ns()),
    )
