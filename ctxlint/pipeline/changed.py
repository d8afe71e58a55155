# SPDX-License-Identifier: GPL-2.0-or-later
"""Analysing a tree with changed files, without writing to it.

The changed files exist in memory and, numbered, in a temporary directory in the cache.
Flags come from the tree on disk; nothing in the changed text is ever run.
"""

from __future__ import annotations

import contextlib
import dataclasses
import re
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ctxlint import kbuild
from ctxlint.base.processes import scratch
from ctxlint.base.reading import read_regular
from ctxlint.base.request import Progress, Request
from ctxlint.findings.model import Incomplete, Result
from ctxlint.frontend import write_overlay
from ctxlint.kbuild.filekinds import is_build_file
from ctxlint.kbuild.tree import below
from ctxlint.pipeline.assemble import assemble
from ctxlint.pipeline.defaults import default_paths
from ctxlint.pipeline.not_analysed import (
    asks_for_files,
    unread_by_makefiles,
    unread_symbols,
    unseen_file,
    unseen_paths,
)
from ctxlint.pipeline.profile import ProfileResult, ProfileRun
from ctxlint.pipeline.session import Session, steady
from ctxlint.search.reach import SearchEnd, notes
from ctxlint.store import Store
from ctxlint.units.index import Changed, Index
from ctxlint.units.prefetch import prefetch

Contents = Mapping[str, bytes | None]
"""Files by name relative to the tree; None is a file that is not there."""

MAX_UNITS = 64
"""Units of a profile that are read again for one change."""

_EXPLAINED = 16
"""Changed files for which the reason why they were not analysed is given."""

_FOLDER_FILES = 200


@dataclass(frozen=True, kw_only=True)
class TreeResult:
    """The result of one state of the tree, and what has to be said about it.

    ``flags_from`` are new files with the file whose flags they were read with,
    ``unbuilt`` changed C files that no profile compiles; why, and which changed headers
    no unit includes, is in ``result.incomplete``. ``parsed`` counts units that were read
    just now. ``search`` are those notes of the result that say where the search for
    further files ended.
    """

    result: Result
    flags_from: Mapping[str, str]
    unbuilt: tuple[str, ...]
    parsed: int
    search: tuple[str, ...] = ()


def _new(file: str) -> str:
    if file.endswith(".c"):
        return "a new file, and no compiled file beside it to take flags from"
    return "a new header that none of the units read includes"


class PatchedTree:
    """One tree under its profiles, with an open store. Made by :func:`workshop`."""

    def __init__(
        self,
        session: Session,
        profiles: list[kbuild.Prepared],
        store: Store,
        folder: Path,
        progress: Progress,
        base: Contents,
        max_units: int,
    ) -> None:
        self.session = session
        self.profiles = profiles
        self._store = store
        self._folder = folder
        self._progress = progress
        self._base = base
        self._max_units = max_units
        self._before: dict[str, Index] = {}
        self._touched: set[str] = set()
        self._why: dict[str, Incomplete] = {}

    def analyse(self, contents: Contents, recent: Iterable[str] = ()) -> TreeResult:
        """Judge the tree with ``contents`` in place of what it has.

        ``recent`` are the files that changed since the last call. The first call is
        for the base: there everything is read that is needed, later no more than the
        limit of units, and the result says where it stopped.
        """
        recent = tuple(recent)
        return steady(self._store, lambda: self._analyse(contents, recent))

    def _analyse(self, contents: Contents, recent: Iterable[str]) -> TreeResult:
        view = self._store.seen_with(contents) if contents else self._store
        results: list[ProfileResult] = []
        incomplete: list[Incomplete] = []
        beyond: list[SearchEnd] = []
        flags_from: dict[str, str] = {}
        units = 0
        self._touched.update(recent)
        asked = [
            file
            for file, data in contents.items()
            if data is not None and file in self._touched and kbuild.may_hold_code(file)
        ]
        built: set[str] = set()
        read: set[str] = set()
        views = []
        for profile in self.profiles:
            changed_profile = self._with_commands(profile, contents, flags_from)
            views.append((changed_profile, self._changed(profile, contents, recent)))
        session = self.session
        parsed = prefetch(session.tree, views, session.request, view, session.jobs)
        changed_profiles = [changed_profile for changed_profile, _ in views]
        for changed_profile, changed in views:
            index = self.session.index(changed_profile, view, self._progress, changed)
            self._before[changed_profile.spec_name] = index
            built.update(c.file for c in changed_profile.commands)
            incomplete += index.incomplete
            beyond += index.ends
            parsed += index.parsed
            units += len(index.facts)
            run = ProfileRun(session, changed_profile, index, view, self._progress, contents)
            results.append(run.analyse())
            read |= index.read_from(asked)
        unseen = sorted(set(asked) - built - read)
        if any(unit.kind == "unit" for unit in incomplete):
            # What a unit includes that could not be read is not known.
            unseen = [f for f in unseen if f.endswith(".c") or kbuild.other_language(f)]
        incomplete += self._unseen(unseen, changed_profiles)
        incomplete += self._unread_builds(contents, {*built, *unseen})
        return TreeResult(
            result=assemble(
                self.session, changed_profiles, results, incomplete, units, contents, beyond
            ),
            flags_from=flags_from,
            unbuilt=tuple(file for file in unseen if file.endswith(".c")),
            parsed=parsed,
            search=notes(beyond),
        )

    def unseen_paths(self) -> list[Incomplete]:
        """Audited paths without a unit in any profile, in the state analysed last."""
        paths = self.session.paths
        read: set[str] = set()
        for index in self._before.values():
            read |= index.read_from(p for p in paths if not p.endswith(".c"))
        return unseen_paths(self.session.tree, paths, self.profiles, read)

    def _unseen(
        self, files: Iterable[str], profiles: list[kbuild.Prepared]
    ) -> Iterator[Incomplete]:
        """Why changed files were not analysed."""
        for file in files:
            if file not in self._why and len(self._why) >= _EXPLAINED:
                why = Incomplete(file=file, profile="", reason="not analysed", kind="path")
            elif file in self._why:
                why = self._why[file]
            elif (self.session.tree.path / file).is_file():
                why = self._why[file] = unseen_file(self.session.tree, file, profiles)
            else:
                why = self._why[file] = Incomplete(
                    file=file,
                    profile="",
                    reason=kbuild.other_language(file) or _new(file),
                    detail=""
                    if kbuild.other_language(file)
                    else "apply the series, and audit what includes or builds it",
                    kind="path",
                )
            yield why

    def _unread_builds(self, contents: Contents, read: Collection[str]) -> list[Incomplete]:
        """What changed Makefiles have built that is not read, or is read otherwise, and
        what else decides which code there is."""

        def there(file: str) -> bool:
            if file in contents:
                return contents[file] is not None
            return (self.session.tree.path / file).is_file()

        def before(file: str) -> bytes | None:
            if file in self._base:
                return self._base[file]
            return read_regular(self.session.tree.path / file)

        return [
            *unread_by_makefiles(self._touched, before, contents, read, there),
            *unread_symbols(self._touched, before, contents),
            *asks_for_files(self._touched, before, contents),
        ]

    def _changed(
        self, profile: kbuild.Prepared, contents: Contents, recent: Iterable[str]
    ) -> Changed | None:
        if not contents:
            return None
        there = (f for f, data in contents.items() if data is not None)
        return Changed(
            contents=contents,
            added=frozenset(f for f in there if not self._in_base(f)),
            overlay=self._overlay(contents),
            before=self._before.get(profile.spec_name),
            recent=frozenset(recent),
            limit=self._max_units,
        )

    def _in_base(self, file: str) -> bool:
        if file in self._base:
            return self._base[file] is not None
        return (self.session.tree.path / file).is_file()

    def _with_commands(
        self, profile: kbuild.Prepared, contents: Contents, flags_from: dict[str, str]
    ) -> kbuild.Prepared:
        known = {c.file: c for c in profile.commands if contents.get(c.file, b"") is not None}
        if not profile.own:
            # A build directory may know files of a later state of the tree.
            known = {file: c for file, c in known.items() if self._in_base(file)}
        for file, data in sorted(contents.items()):
            if data is None or not file.endswith(".c") or file in known:
                continue
            if self._in_base(file) and (self.session.tree.path / file).is_file():
                continue  # not new, and this configuration does not build it
            like = kbuild.command_like(profile.commands, file)
            if like is not None:
                known[file], flags_from[file] = like
        commands = tuple(known[file] for file in sorted(known))
        return dataclasses.replace(profile, commands=commands)

    def _overlay(self, contents: Contents) -> Callable[[Iterable[kbuild.CompileCommand]], Path]:
        def write(commands: Iterable[kbuild.CompileCommand]) -> Path:
            place = Path(tempfile.mkdtemp(dir=self._folder))
            lines = [(c.directory, c.arguments) for c in commands]
            return write_overlay(place, self.session.tree.path, contents, lines)

        return write


@contextlib.contextmanager
def patched_tree(
    request: Request,
    base: Contents,
    touched: Iterable[str],
    progress: Progress,
    max_units: int = MAX_UNITS,
    *,
    trusted: bool = False,
) -> Iterator[PatchedTree]:
    """Prepare the profiles for a change of the files ``touched`` over ``base`` (the
    files in which the state before differs from the disk).

    The kernel's build system sees what it could run as it is in the base: the checkout
    may have the patches in it already. Unless what is on the disk is ``trusted``: it is
    the user's own, and they build it.
    """
    session = Session.of(request)
    paths = audited_paths(request, session.tree, touched)
    session = dataclasses.replace(session, paths=paths)
    known = trusted or request.builds
    overrides = {} if known else run_by_build(session.tree.path, base)
    profiles = session.profiles(progress, overrides)
    with session.open_store(progress) as store, scratch("changed-", session.cache) as folder:
        yield PatchedTree(session, profiles, store, folder, progress, base, max_units)


def run_by_build(tree: Path, contents: Contents) -> dict[str, bytes | None]:
    """Those files that the kernel's build system reads rules from or runs: makefiles,
    configuration, scripts, and sources of directories that build host programs."""
    host: dict[str, bool] = {}

    def builds_host_programs(folder: str) -> bool:
        if folder not in host:
            texts = [contents.get(f"{folder}/{name}") for name in ("Makefile", "Kbuild")]
            texts += [read_regular(tree / folder / name) for name in ("Makefile", "Kbuild")]
            host[folder] = any(re.search(rb"hostprogs|userprogs", t or b"") for t in texts)
        return host[folder]

    return {
        file: data
        for file, data in contents.items()
        if is_build_file(file) or builds_host_programs(file.rpartition("/")[0])
    }


def audited_paths(
    request: Request, tree: kbuild.Tree, touched: Iterable[str]
) -> tuple[str, ...]:
    """What to look at: the request's paths and the directories of the C files that
    change (of a very large directory the files alone). A change of headers only is
    seen in the default directories."""
    paths = set(request.paths)
    for file in sorted(touched):
        if not file.endswith(".c") or below(file, paths):
            continue
        directory = file.rpartition("/")[0]
        here = tree.path / directory
        if not directory or not here.is_dir():
            continue
        if sum(entry.suffix == ".c" for entry in here.iterdir()) <= _FOLDER_FILES:
            paths.add(directory)
        elif (tree.path / file).is_file():
            paths.add(file)
    if not paths:
        paths.update(default_paths(tree.path))
    return tuple(sorted(paths))
