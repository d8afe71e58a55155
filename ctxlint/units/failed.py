# SPDX-License-Identifier: GPL-2.0-or-later
# ruff: noqa: PTH113, PTH118, PTH120, PTH123
# (thousands of names a unit, and Path is slow)
"""Units that a parser gave up, remembered so that the next run does not try them in vain.

A unit that was parsed has its list of included files; one that crashed the parser has none.
So what it may read is found from the text: the source, and every file that an ``#include``
in it names on the include path, and so on, whatever ``#if`` says. That is more than the
parser would read, so a change is rather seen too often. A name that is nowhere counts too:
a header that appears makes the unit another one.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from ctxlint import kbuild
from ctxlint.store import Store

_KIND = "failure"
_FILES_MAX = 4000
"""Files that are looked at for one unit; the largest units of the kernel have 2,000."""
_BYTES_MAX = 64 << 20

_INCLUDE = re.compile(rb"^[ \t]*#[ \t]*include[ \t]*([<\"])([^<>\"\n]{1,250})[>\"]", re.M)
_FLAGS = ("-isystem", "-iquote", "-idirafter", "-include", "-imacros", "-I")

_NOT_ITS_FAULT = re.compile(r"ended with code (-9|-15|-1|-2)$|cannot start")
"""Ends that come from outside: the kernel was out of memory, somebody killed it."""


class Failed(msgspec.Struct, frozen=True, array_like=True):
    """Why a unit was given up; ``timeout`` (seconds) and ``memory`` (bytes) were its
    limits. ``again``: it is worth one more try."""

    reason: str
    detail: str
    timeout: float
    memory: int
    again: bool = False


_Read = tuple[bytes, list[tuple[bool, str]], int]
"""Of a file: its hash, what it includes (with quotes or not), its size."""


_just_now: set[str] = set()
"""Keys of units that failed in this process."""


class Failures:
    """What is remembered of the units of one profile.

    ``contents`` are files that count as having another text than on the disk.
    """

    def __init__(
        self,
        store: Store,
        tree: Path,
        contents: Mapping[str, bytes | None] | None,
        timeout: float,
        memory: int,
    ) -> None:
        self._store = store
        self._tree = str(tree)
        self._contents = contents or {}
        self._timeout = timeout
        self._memory = memory
        self._hashes: dict[str, _Read | None] = {}

    def known(self, key: str, command: kbuild.CompileCommand) -> Failed | None:
        """Why it failed, when it will fail again or is only worth one more try."""
        data = self._store.get_cached(_KIND, key)
        if data is None:
            return None
        try:
            digest, failed = msgspec.msgpack.decode(data, type=tuple[bytes, Failed])
        except msgspec.MsgspecError:
            return None
        if digest != self._digest(command)[0] or failed.memory < self._memory:
            return None
        if failed.reason.startswith("timed out") and failed.timeout < self._timeout:
            return None
        return failed

    def remember(
        self,
        key: str,
        command: kbuild.CompileCommand,
        reason: str,
        detail: str = "",
        *,
        tries: int = 2,
    ) -> None:
        """Keep it for the next run, unless that end was not the unit's own. A crash is worth
        a second one of ``tries``."""
        digest, whole = self._digest(command)
        if whole and _NOT_ITS_FAULT.search(reason) is None:
            again = tries < 2 and "ended with code" in reason
            entry = (digest, Failed(reason, detail, self._timeout, self._memory, again))
            self._store.put_cached(_KIND, key, msgspec.msgpack.encode(entry))
            _just_now.add(key)

    @staticmethod
    def earlier(key: str) -> bool:
        """Whether that was in an earlier run."""
        return key not in _just_now

    def _digest(self, command: kbuild.CompileCommand) -> tuple[bytes, bool]:
        """Of all that the unit may read, and whether that is everything."""
        hasher = hashlib.blake2b(digest_size=16)
        quoted, folders, forced = _paths(command)
        todo = [os.path.join(self._tree, command.file), *forced]
        seen = set(todo)
        size = 0
        while todo and len(seen) < _FILES_MAX and size < _BYTES_MAX:
            path = todo.pop()
            found = self._read(path)
            hasher.update(path.encode("utf-8", "surrogateescape") + b"\0")
            if found is None:
                continue
            hasher.update(found[0])
            size += found[2]
            for is_quoted, name in found[1]:
                first = [os.path.dirname(path), *quoted] if is_quoted else []
                for folder in (*first, *folders):
                    place = os.path.normpath(os.path.join(folder, name))
                    if place in seen:
                        break
                    if self._there(place):
                        seen.add(place)
                        todo.append(place)
                        break
                else:
                    hasher.update(b"missing " + name.encode("utf-8", "surrogateescape"))
        return hasher.digest(), not todo

    def _name(self, path: str) -> str:
        """As :attr:`_contents` has it, where the path is in the tree."""
        return path.removeprefix(self._tree.rstrip("/") + "/")

    def _there(self, path: str) -> bool:
        name = self._name(path)
        if name in self._contents:
            return self._contents[name] is not None
        return os.path.isfile(path)

    def _read(self, path: str) -> _Read | None:
        if path not in self._hashes:
            name = self._name(path)
            try:
                data = self._contents[name] if name in self._contents else _content(path)
            except OSError:
                data = None
            self._hashes[path] = (
                None
                if data is None
                else (
                    hashlib.blake2b(data, digest_size=16).digest(),
                    [(m[1] == b'"', os.fsdecode(m[2])) for m in _INCLUDE.finditer(data)],
                    len(data),
                )
            )
        return self._hashes[path]


def _content(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read(_BYTES_MAX)


def _paths(command: kbuild.CompileCommand) -> tuple[list[str], list[str], list[str]]:
    """Folders of ``#include "..."`` alone, those of both kinds, and files that are included
    by the command."""
    quoted: list[str] = []
    folders: list[str] = []
    forced: list[str] = []
    for flag, value in _values(command.arguments):
        path = os.path.normpath(os.path.join(command.directory, value))
        if flag in ("-include", "-imacros"):
            forced.append(path)
        else:
            (quoted if flag == "-iquote" else folders).append(path)
    return quoted, folders, forced


def _values(arguments: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    rest = iter(arguments)
    for argument in rest:
        flag = next((f for f in _FLAGS if argument.startswith(f)), None)
        if flag is not None:
            value = argument[len(flag) :] or next(rest, "")
            if value:
                yield flag, value
