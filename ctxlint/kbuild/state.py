# SPDX-License-Identifier: GPL-2.0-or-later
"""What a prepared build directory was made from, and a lock on it."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ctxlint.kbuild.model import Log, Tree

#: Size and modification time (ns) of an input file; None while it does not exist.
Stamp = tuple[int, int] | None

_SCHEMA = 1


@dataclass
class State:
    """Kept as ``state.json``; a directory without a valid one is made again.

    ``key`` is what never changes in the life of a build directory. ``config_inputs``
    decide the configuration, ``header_inputs`` what the generated headers hold, and
    ``makefile_inputs`` the commands. ``recorded`` are directories with their commands known,
    ``stale`` those whose records must go before anything is recorded again.
    """

    key: str
    config_inputs: dict[str, Stamp] = field(default_factory=dict)
    header_inputs: dict[str, Stamp] = field(default_factory=dict)
    makefile_inputs: dict[str, Stamp] = field(default_factory=dict)
    recorded: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    schema: int = _SCHEMA


def load(path: Path, key: str) -> State | None:
    """The state of a finished build directory, None when there is none for ``key``."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        for name in "config_inputs", "header_inputs", "makefile_inputs":
            inputs = data[name]
            inputs.update({k: tuple(v) if v is not None else None for k, v in inputs.items()})
        state = State(**data)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
    return state if state.schema == _SCHEMA and state.key == key else None


def inputs_in(path: Path) -> list[str]:
    """All files that what ``path`` tells of was made from, also when it is out of date."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    kinds = ("config_inputs", "header_inputs", "makefile_inputs")
    return sorted({file for kind in kinds for file in data[kind]})


def save(path: Path, state: State) -> None:
    """Write ``state`` in one step, so that a killed run leaves the old one or the new one."""
    new = path.with_name(path.name + ".new")
    new.write_text(json.dumps(asdict(state)), encoding="utf-8")
    new.replace(path)


@contextlib.contextmanager
def locked(path: Path, log: Log) -> Iterator[int]:
    """Hold an exclusive lock on ``path``; waits for another run that has it.

    Gives the lock's file descriptor: programs that inherit it keep the lock when this
    process is killed, so nobody clears the directory under a make that is still running.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log("info", f"waiting for another run that uses {path.with_suffix('').name}")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()


def first_time(folder: Path, tree: Tree) -> bool:
    """Whether this is the first call for ``tree``; ``folder`` remembers it."""
    mark = folder / hashlib.blake2b(os.fsencode(tree.path), digest_size=12).hexdigest()
    if mark.exists():
        return False
    folder.mkdir(parents=True, exist_ok=True)
    mark.write_bytes(os.fsencode(tree.path) + b"\n")
    return True


def is_free(path: Path) -> bool:
    """Whether nobody holds the lock on ``path`` at this moment."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # nobody has ever taken it
    return True


def stamp(path: str) -> Stamp:
    """Size and time of a file."""
    try:
        status = Path(path).stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def stamps(paths: Iterable[str]) -> dict[str, Stamp]:
    """:func:`stamp` of each, sorted by path."""
    return {path: stamp(path) for path in sorted(set(paths))}


def changed(inputs: dict[str, Stamp]) -> str | None:
    """The first input that is not what it was, None when all are."""
    return next((path for path, known in inputs.items() if stamp(path) != known), None)


def config_inputs(tree: Tree, build: Path, srcarch: str) -> dict[str, Stamp]:
    """Files that the configuration was made from, as the configuration program listed them."""
    names = {"Makefile", "Kbuild", f"arch/{srcarch}/Makefile", "scripts/Kbuild.include"}
    names |= {
        path.relative_to(tree.path).as_posix() for path in tree.path.glob("scripts/Makefile*")
    }
    listing = build / "include/config/auto.conf.cmd"
    if listing.exists():
        names |= set(re.findall(r"(?<=[\s])[\w./+-]*Kconfig[\w./+-]*", listing.read_text()))
    files = [str(tree.path / name) for name in names]
    return stamps([*files, str(build / ".config")])


def makefile_inputs(tree: Tree, directories: Iterable[str]) -> dict[str, Stamp]:
    """The Makefiles of ``directories``, of all below them and of all above them."""
    files: set[str] = set()
    for directory in directories:
        for root, _directories, names in os.walk(tree.path / directory):
            files.update(
                f"{root}/{n}" for n in names if n == "Kbuild" or n.startswith("Makefile")
            )
        for above in Path(directory).parents:
            files.update(str(tree.path / above / name) for name in ("Kbuild", "Makefile"))
    return stamps(files)


_DEPENDENCY = re.compile(r"(?<=\s)(/[^\s$();]+)")


def header_inputs(source: Path, build: Path) -> dict[str, Stamp]:
    """Files of the tree that the generated headers were made from, by the ``.cmd`` files."""
    files: set[str] = set()
    prefix = f"{source}/"
    for top in "arch", "include", "kernel", "scripts/mod", ".":
        for root, directories, names in os.walk(build / top):
            if top == ".":
                directories.clear()
            for name in names:
                if name.startswith(".") and name.endswith((".s.cmd", ".h.cmd", ".lds.cmd")):
                    text = Path(root, name).read_text(encoding="utf-8", errors="replace")
                    found = _DEPENDENCY.findall(text)
                    files.update(f for f in found if f.startswith(prefix) and "." in f)
    return stamps(f for f in files if Path(f).is_file())
