# SPDX-License-Identifier: GPL-2.0-or-later
# ruff: noqa: PTH116
# (thousands of files a run, and Path is slow)
"""The result of the last run, for as long as nothing has changed that it comes from.

An audit is kept with the state of every file that had a part in it: what its units were
read from, Makefiles and Kconfig files, this program and its rules, the compiler, and, when
callers were searched for, every C file of the tree. When all of them are as they were, the
result is, too, and neither the rules nor a unit need be looked at.

A result is kept only when that is certain: each file was last changed before the run began
(or its content was compared with what was parsed), every unit could be read, no defect of
ours cost anything, and nothing was warned of. So what is told of a result that is not whole
comes from a new attempt each time, but for limits of the analysis, which are part of it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import zstandard

import ctxlint
from ctxlint import __version__, kbuild
from ctxlint.base.levels import Level
from ctxlint.base.places import STORE, default_cache, rules_directory
from ctxlint.base.request import Progress, Request
from ctxlint.findings.model import Result
from ctxlint.pipeline.defaults import default_paths, target_of
from ctxlint.search import mentions
from ctxlint.store import Signature, Store, peek

_KIND = "unchanged"
TICK = 25_000_000
"""Nanoseconds by which times of files may run ahead of the clock."""


class _Kept(msgspec.Struct, array_like=True, frozen=True):
    """``state`` is of ``files``, ``program`` of this program (with ``libclang``) and what it
    calls, ``searched`` of all C files of the tree (empty: they had no part in it)."""

    files: list[str]
    state: bytes
    libclang: str
    program: bytes
    searched: bytes
    result: Result


class Listening:
    """A :class:`~ctxlint.pipeline.Progress` that notes whether something was warned of."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.start, self.advance = progress.start, progress.advance
        self.finish = progress.finish
        self.warned = False

    def log(self, level: Level, message: str) -> None:
        self.warned |= level == "warning"
        self._progress.log(level, message)


def recall(request: Request, progress: Progress) -> Result | None:
    """The result of an earlier audit that would come out the same now."""
    tree = kbuild.find_tree(request.tree)
    path = (request.cache or default_cache()) / STORE
    kept = _decoded(peek.kept(path, _KIND, _key(request, tree)))
    if kept is None or _of_now(kept.files) != kept.state:
        return None
    if _of_now(_program_files(request, kept.libclang)) != kept.program:
        return None
    if kept.searched:
        arch, _ = target_of(request, tree)
        index = mentions.WordIndex(tree.path, kbuild.arch_folder(arch), None)
        if index.digest() != kept.searched:
            return None
    progress.log("info", "nothing has changed since the last run, which said the same")
    return kept.result


def keep(
    request: Request,
    result: Result,
    store: Store,
    files: Iterable[str],
    made: Iterable[str],
    libclang: str,
    searched: bytes,
    begun: int,
) -> None:
    """Let :func:`recall` find ``result`` again.

    ``files`` are what it comes from besides what its units were read from, and this
    program; ``made`` are those that the run itself may have written. ``searched`` is of the
    search for callers, ``begun`` when the run began, in nanoseconds.
    """
    tree = kbuild.find_tree(request.tree)
    states: dict[str, Signature | None] = {}
    program: dict[str, Signature | None] = {}
    for found, names in (states, files), (program, _program_files(request, libclang)):
        for path in names:
            state = found[path] = _signature(path)
            if state is not None and not state.older_than(begun - TICK):
                return
    units = store.verified()
    if units is None:
        return
    states |= {**units, **{path: _signature(path) for path in made}}
    kept = _Kept(
        sorted(states),
        _digest(sorted(states.items())),
        libclang,
        _digest(program.items()),
        searched,
        result,
    )
    data = zstandard.ZstdCompressor(level=1).compress(msgspec.msgpack.encode(kept))
    store.put_cached(_KIND, _key(request, tree), data)


def _program_files(request: Request, libclang: str) -> Iterator[str]:
    """What a result comes from besides the tree: this program, its rules, and the tools
    that ``PATH`` leads to."""
    for root in (Path(ctxlint.__file__).parent, rules_directory(), *request.rules):
        yield from _all_below(os.path.realpath(root))
    yield os.path.realpath(libclang)
    if request.config is not None and os.path.isfile(request.config):  # noqa: PTH113
        yield os.path.realpath(request.config)
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        yield os.path.realpath(folder or ".")
    for program in ("clang", "make"):
        found = shutil.which(program)
        if found is not None:
            yield os.path.realpath(found)


def folders_below(tree: Path, paths: Iterable[str]) -> Iterator[str]:
    """The directories that are audited: a file that appears in one changes it."""
    for path in paths:
        for root, directories, _ in os.walk(tree / path):
            directories[:] = [d for d in directories if not d.startswith(".")]
            yield root


def _signature(path: str) -> Signature | None:
    """The state of a file or directory, None when there is none."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return Signature(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)


def _of_now(files: Iterable[str]) -> bytes:
    return _digest({path: _signature(path) for path in files}.items())


def _digest(states: Iterable[tuple[str, Signature | None]]) -> bytes:
    hasher = hashlib.blake2b(digest_size=16)
    for path, found in states:
        numbers = "" if found is None else "{} {} {} {}".format(*found)
        hasher.update(f"{path}\0{numbers}\n".encode("utf-8", "surrogateescape"))
    return hasher.digest()


def _all_below(root: str) -> Iterator[str]:
    if not os.path.isdir(root):  # noqa: PTH112
        yield root
        return
    for folder, directories, names in os.walk(root):
        # Python writes there what it has compiled.
        directories[:] = [d for d in directories if d != "__pycache__"]
        directories.sort()
        yield from (f"{folder}/{name}" for name in sorted(names))


def _decoded(data: bytes | None) -> _Kept | None:
    if data is None:
        return None
    try:
        raw = zstandard.ZstdDecompressor().decompress(data)
        return msgspec.msgpack.decode(raw, type=_Kept)
    except (msgspec.MsgspecError, zstandard.ZstdError, RecursionError):
        return None  # of another version, or damaged: it is made again


def _key(request: Request, tree: kbuild.Tree) -> str:
    """What was asked for, and what has no state to look at."""
    arch, config = target_of(request, tree) if not request.builds else ("", "")
    fields = {
        name: getattr(request, name)
        for name in request.__dataclass_fields__
        if name not in ("jobs", "timeout", "cache")
    }
    environment = {
        name: value
        for name, value in os.environ.items()
        if name == "PATH" or name.startswith("CTXLINT_")
    }
    parts = [
        __version__,
        sys.version,
        str(tree),
        str(sorted(fields.items(), key=lambda item: item[0])),
        str(request.paths or default_paths(tree.path)),
        str([path.resolve() for path in (*request.builds, *request.rules)]),
        arch,
        config,
        str(bool(arch) and kbuild.unclean(tree, arch)),
        str(sorted(environment.items())),
    ]
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()
