# SPDX-License-Identifier: GPL-2.0-or-later
"""What a process that parses the text of strangers may do.

It has limits for memory and processor time, writes no core file, and where the kernel has
Landlock (Linux 5.13) it can read what a parse needs and nothing else: it cannot write or
make files, start programs, open TCP connections (6.7), or signal other processes (6.12).
What was open before, such as the pipe for the answer, stays as it is.

Source of numbers and layouts: include/uapi/linux/landlock.h; the system calls have the same
numbers on every architecture.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import resource
import struct
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

import ctxlint

MEMORY = 6 << 30
"""Bytes of address space for a parser: ten times what a large unit of the kernel takes."""

_CPU_MARGIN = 5
"""Seconds of processor time more than the time limit: that one is to be what is told."""

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION_FLAG = 1
_PATH_BENEATH = 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
"""How many rights for files a version of the interface knows."""
_BIND_TCP, _CONNECT_TCP = 1, 2
_SCOPES = 3  # abstract sockets, signals
_NO_NEW_PRIVS = 38  # include/uapi/linux/prctl.h

_SYSTEM = ("/usr", "/lib", "/lib64", "/lib32", "/etc/ld.so.cache", "/dev/null",
           "/dev/urandom")  # fmt: skip
_PATH_FLAGS = ("-isystem", "-iquote", "-idirafter", "-include", "-imacros", "-I",
               "-resource-dir=", "-resource-dir", "--sysroot=", "-isysroot")  # fmt: skip


def available() -> int:
    """The version of the kernel's Landlock interface; 0: there is none."""
    libc = ctypes.CDLL(None, use_errno=True)
    return max(int(libc.syscall(_CREATE_RULESET, None, 0, _VERSION_FLAG)), 0)


class Read(Protocol):
    """What is to be parsed, as :class:`ctxlint.frontend.worker.Request` has it."""

    @property
    def tree(self) -> str: ...
    @property
    def file(self) -> str: ...
    @property
    def directory(self) -> str: ...
    @property
    def arguments(self) -> Sequence[str]: ...
    @property
    def overlay(self) -> str: ...


def readable(requests: Iterable[Read]) -> tuple[str, ...]:
    """What parsing has to read: tree, working directory, overlay and include paths, and
    Python and the system's own files. Empty when the sources are links to elsewhere: what
    else they lead to is not known."""
    requests = list(requests)
    found = set(_SYSTEM)
    found.update(p for p in sys.path if p)
    found.update((sys.prefix, sys.base_prefix, str(Path(ctxlint.__file__).parent.parent)))
    seen: set[tuple[str, str]] = set()
    for request in requests:
        found.update((request.tree, request.directory))
        found.update(_linked(request.tree, request.directory))
        if request.overlay:
            found.add(str(Path(request.overlay).parent))
        rest = iter(request.arguments)
        for argument in rest:
            flag = next((f for f in _PATH_FLAGS if argument.startswith(f)), None)
            if flag is None:
                continue
            value = argument[len(flag) :] or next(rest, "")
            if value and (request.directory, value) not in seen:
                seen.add((request.directory, value))
                place = os.path.normpath(Path(request.directory) / value)
                if not _everything(place):
                    found.add(place)
    files = {str(Path(r.tree) / r.file) for r in requests}
    return tuple(sorted(found)) if _cover(found, files) else ()


@functools.lru_cache(maxsize=256)
def _linked(tree: str, directory: str) -> tuple[str, ...]:
    """Where a tree and a build directory that are made of links lead to: another kernel
    tree, and another build directory, and nothing else."""
    found = []
    real = Path(os.path.realpath(Path(tree) / "Makefile")).parent
    if (real / "Kbuild").is_file() and (real / "include/linux").is_dir():
        found.append(str(real))
    real = Path(os.path.realpath(Path(directory) / "include")).parent
    if (real / ".config").is_file():
        found.append(str(real))
    return tuple(place for place in found if not _everything(place))


def _everything(path: str) -> bool:
    """The root, or a directory that the user's home lies in: no command has a need of it."""
    real = os.path.realpath(path)
    home = os.path.realpath(os.path.expanduser("~"))  # noqa: PTH111 - never raises
    return real == "/" or home == real or home.startswith(real + "/")


def why_not(requests: Iterable[Read]) -> str:
    """Why parsers of these units are not confined; ``""`` when they are."""
    if not available():
        return "this kernel has no Landlock, so parsers can read and write what you can"
    if not readable(requests):
        return "the tree is made of links, so parsers can read and write what you can"
    return ""


def say_nothing() -> None:
    """Close the way to the terminal: what libclang prints when it gives up quotes names and
    text of strangers."""
    with contextlib.suppress(OSError):
        handle = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
        for number in (1, 2):
            os.dup2(handle, number)
        os.close(handle)


def limit_memory(size: int) -> None:
    """Bound the address space (bytes), and never leave a core file."""
    _limit(resource.RLIMIT_CORE, 0)
    if size:
        _limit(resource.RLIMIT_AS, size)


def limit_time(seconds: float) -> None:
    """End this process when it has used that much more processor time, and some."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used = usage.ru_utime + usage.ru_stime
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    soft = int(used + seconds) + _CPU_MARGIN
    if hard == resource.RLIM_INFINITY or soft <= hard:
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def _limit(what: int, size: int) -> None:
    hard = resource.getrlimit(what)[1]
    size = size if hard == resource.RLIM_INFINITY else min(size, hard)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(what, (size, size))


def confine(paths: Iterable[str]) -> bool:
    """Let this process, and what it starts, read below ``paths`` and do nothing else.

    For good. False: this kernel cannot, or there are no ``paths``.
    """
    version = available()
    paths = list(paths)
    if not version or not paths:
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    rights = (1 << _FILE_RIGHTS.get(version, 16)) - 1
    # A kernel takes a shorter or longer structure, as long as what it does not know is 0.
    ruleset = struct.pack(
        "=QQQ",
        rights,
        _BIND_TCP | _CONNECT_TCP if version >= 4 else 0,
        _SCOPES if version >= 6 else 0,
    )
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    handle = int(libc.syscall(_CREATE_RULESET, ruleset, size, 0))
    if handle < 0:
        return False
    try:
        for path in paths:
            _allow(libc, handle, path)
        if libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0):
            return False
        return int(libc.syscall(_RESTRICT_SELF, handle, 0)) == 0
    finally:
        os.close(handle)


def _allow(libc: ctypes.CDLL, ruleset: int, path: str) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # what is not there needs no leave
    try:
        allowed = _READ_FILE | (_READ_DIR if Path(path).is_dir() else 0)
        rule = struct.pack("=Qi", allowed, place)
        libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0)
    finally:
        os.close(place)


def _cover(paths: Iterable[str], files: Iterable[str]) -> bool:
    """Whether the real places of ``files`` lie below the real places of ``paths``: a tree
    may be made of links into another."""
    roots = tuple(os.path.realpath(p) for p in paths)
    return all(
        any(real == root or real.startswith(root.rstrip("/") + "/") for root in roots)
        for real in {os.path.realpath(file) for file in files}
    )
