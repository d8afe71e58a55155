# SPDX-License-Identifier: GPL-2.0-or-later
"""Which C files of a tree define a function: an index that outlives a run.

The text of a tree is searched once, for lines that begin a definition. The answer stands
in the cache, sorted by name, and is looked up by bisection. It is made anew when a
directory of the tree has changed: editors and git replace files, which changes the time
of their directory. A line that only looks like a definition costs a reader one file.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from ctxlint.base.errors import ToolMissingError
from ctxlint.base.request import Progress

_SKIPPED = frozenset(
    ("Documentation", "LICENSES", "certs", "rust", "samples", "scripts", "tools", "usr")
)
_NAME = re.compile(rb"([A-Za-z_]\w*)\s*\(")
_NAMES_OF_A_LINE = 2
"""An attribute with arguments may stand before the name."""
_FORMAT = "1"


def find(
    tree: Path, names: Iterable[str], cache: Path, progress: Progress
) -> dict[str, tuple[str, ...]]:
    """For each name the files that define it, relative to the tree and sorted. Raises
    ToolMissingError without grep; without a place to write, the index is not kept."""
    wanted = sorted(set(names))
    if not wanted:
        return {}
    path = _path(tree, cache)
    data = _read(path)
    if data is None:
        progress.log("info", f"indexing the functions of {tree} (once for each state of it)")
        data = _index(tree)
        _write(path, data)
    files_end = data.find(b"\n\n")
    files = data[:files_end].decode("utf-8", "surrogateescape").split("\n")
    return {name: _look_up(data, files_end + 2, name, files) for name in wanted}


def _path(tree: Path, cache: Path) -> Path:
    """The index of this state of the tree."""
    state = hashlib.sha256(f"{_FORMAT}\0{tree.resolve()}".encode("utf-8", "surrogateescape"))
    for root in _roots(tree):
        for folder, folders, _ in os.walk(tree / root):
            folders.sort()
            state.update(f"{folder}\0{Path(folder).stat().st_mtime_ns}\0".encode(
                "utf-8", "surrogateescape"
            ))  # fmt: skip
    return cache / "definitions" / f"{state.hexdigest()[:32]}.txt"


def _roots(tree: Path) -> list[str]:
    return sorted(
        entry.name
        for entry in tree.iterdir()
        if entry.is_dir()
        and not entry.is_symlink()
        and entry.name not in _SKIPPED
        and entry.name[0] not in ".-"
    )


def _read(path: Path) -> bytes | mmap.mmap | None:
    try:
        with path.open("rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError):
        return None
    if data[-6:] == b"\n~end\n" and data.find(b"\n\n") >= 0:
        return data
    data.close()  # another run was killed while it wrote
    return None


def _write(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent)
    except OSError:
        return
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        return
    for old in path.parent.glob("*.txt"):
        if old != path and old.stat().st_mtime < path.stat().st_mtime - 30 * 86400:
            old.unlink(missing_ok=True)


def _index(tree: Path) -> bytes:
    """The files, an empty line, and ``name number number...`` of each function."""
    files: dict[bytes, int] = {}
    found: dict[bytes, set[int]] = {}
    for file, line in _lines(tree):
        number = files.setdefault(file, len(files))
        for name in _NAME.findall(line)[:_NAMES_OF_A_LINE]:
            found.setdefault(name, set()).add(number)
    head = b"\n".join(files)
    rows = (
        name + b" " + b" ".join(b"%d" % n for n in sorted(found[name]))
        for name in sorted(found)
    )
    return head + b"\n\n" + b"\n".join(rows) + b"\n~end\n"


def _lines(tree: Path) -> Iterator[tuple[bytes, bytes]]:
    roots = _roots(tree)
    if not roots:
        return
    command = ["grep", "-rHE", "--include=*.c", "-e", r"^[A-Za-z_][^;=]*\(", "--", *roots]
    try:
        with subprocess.Popen(
            command, cwd=tree, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL, env={**os.environ, "LC_ALL": "C"},
        ) as process:  # fmt: skip
            assert process.stdout is not None
            for row in process.stdout:
                file, _, line = row.partition(b":")
                if b";" not in line:
                    yield file, line
    except FileNotFoundError as error:
        raise ToolMissingError(
            "grep is not installed", hint="Install it (Debian and Fedora: grep)."
        ) from error


def _look_up(
    data: bytes | mmap.mmap, start: int, name: str, files: list[str]
) -> tuple[str, ...]:
    key = name.encode("utf-8", "surrogateescape")
    low, high = start, len(data)
    while low < high:
        middle = (low + high) // 2
        line = data.rfind(b"\n", start, middle) + 1 or start
        end = data.find(b"\n", line)
        word, _, rest = bytes(data[line:end]).partition(b" ")
        if word == key:
            return tuple(sorted(files[int(n)] for n in rest.split()))
        if word < key:
            low = end + 1
        else:
            high = line
    return ()
