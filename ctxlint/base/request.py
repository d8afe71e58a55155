# SPDX-License-Identifier: GPL-2.0-or-later
"""What is asked for, and who is told how far the work is."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from ctxlint.base.levels import Level


class Progress(Protocol):
    """Told about long work; ``cli/`` draws bars from it."""

    def start(self, stage: str, total: int) -> None:
        """A stage begins; ``total`` is 0 when it is not known."""

    def advance(self, stage: str, text: str = "") -> None:
        """One item of the stage is done."""

    def finish(self, stage: str) -> None:
        """The stage is over."""

    def log(self, level: Level, message: str) -> None:
        """Something worth saying, once."""


class Quiet:
    """A :class:`Progress` that says nothing, for programs that call the pipeline."""

    def start(self, stage: str, total: int) -> None: ...

    def advance(self, stage: str, text: str = "") -> None: ...

    def finish(self, stage: str) -> None: ...

    def log(self, level: Level, message: str) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Request:
    """What to analyse.

    ``paths`` are files or directories, relative to the tree; empty means the
    default directories. ``config`` is ``"defconfig"``, ``"allmodconfig"``, another
    config target, or a path to a ``.config`` file; ``None`` uses the tree's own
    ``.config`` when there is one, else defconfig. ``rt``: which profiles.
    ``builds``: existing build directories to take commands from, instead of
    preparing one (their ``.config`` says which profile they are).
    ``timeout``: seconds a unit may take. ``jobs``: worker processes.
    ``possible``: findings below a call through a pointer that could go to many functions,
    as its object is not known.
    ``verify``: run each finding in the executable model; with ``only`` those alone
    at this place (file, line, column).
    ``reach``: how many rounds of looking for callers and callees in other files
    (None: two when single files are audited, none for directories).
    ``make``: whether the tree's own Makefiles may be run to prepare a profile.
    """

    tree: Path
    paths: tuple[str, ...] = ()
    arch: str | None = None
    config: str | None = None
    rt: Literal["both", "rt", "nort"] = "both"
    builds: tuple[Path, ...] = ()
    cache: Path | None = None
    jobs: int = 0
    timeout: float = 60.0
    libclang: str | None = None
    reach: int | None = None
    rules: tuple[Path, ...] = field(default=())
    verify: bool = False
    only: tuple[str, int, int] | None = None
    possible: bool = False
    make: bool = True


@dataclass(frozen=True, kw_only=True)
class PreparedProfile:
    """A build directory for those who go on with it: where it is, and its commands."""

    name: str
    arch: str
    rt: bool
    config: str
    build: Path
    commands: Path
    units: int
    uncovered: tuple[str, ...]
