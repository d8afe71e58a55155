# SPDX-License-Identifier: GPL-2.0-or-later
"""A request with its defaults filled in: profiles, store, and the units of a profile."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

from ctxlint import kbuild
from ctxlint.base.errors import UsageError
from ctxlint.base.places import STORE, default_cache
from ctxlint.base.request import Progress, Request
from ctxlint.pipeline.defaults import default_paths, processors, target_of
from ctxlint.search import mentions, reach
from ctxlint.store import LostError, Store
from ctxlint.units.index import Changed, Index, index_profile, rules_of

SINGLE_FILE_REACH = 2
_DAMAGES = 3
"""Times that a store is begun anew in a run; other runs may be damaging it."""


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


T = TypeVar("T")


def steady(store: Store, work: Callable[[], T]) -> T:
    """Do what takes from the store; again, when the store turned out to be damaged on the
    way and was begun anew. Raises LostError when that goes on and on."""
    for _ in range(_DAMAGES):
        with contextlib.suppress(LostError):
            return work()
        store.refresh()
    return work()
