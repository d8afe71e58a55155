# SPDX-License-Identifier: GPL-2.0-or-later
"""What this package hands on: the tree, the profile, and the compile commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ctxlint.base.errors import TreeError
from ctxlint.base.levels import Level

#: Told about things worth saying: the level, then one sentence.
Log = Callable[[Level, str], None]

#: Told about each step of the kernel's build system, as one short text.
Step = Callable[[str], None]


def quiet(_level: Level, _message: str) -> None:
    """A :data:`Log` that says nothing."""


class NoRealTimeError(TreeError):
    """PREEMPT_RT cannot be selected: the tree is fine, but has no such profile."""


@dataclass(frozen=True, kw_only=True)
class Tree:
    """A kernel source tree. ``version`` is ``6.12.90`` or ``6.13.0-rc2``."""

    path: Path
    version: str
    commit: str | None = None


@dataclass(frozen=True, kw_only=True)
class ProfileSpec:
    """Which kernel to look at: architecture, configuration, and PREEMPT_RT or not.

    ``config`` is a configuration target (``defconfig``) or the path of a ``.config``.
    """

    arch: str
    config: str
    rt: bool

    @property
    def name(self) -> str:
        """``arm64-defconfig-rt``: how findings and build directories call it."""
        model = "rt" if self.rt else "nort"
        config = Path(self.config).name.lstrip(".") or "config"
        return f"{self.arch}-{model}" if config == model else f"{self.arch}-{config}-{model}"


@dataclass(frozen=True, kw_only=True)
class CompileCommand:
    """How the kernel compiles one C file.

    ``file`` is relative to the tree, ``directory`` is where the compiler runs (relative
    ``-I`` start there). ``arguments`` are for libclang: neither compiler, source nor
    output in them. Units of the same ``build_class`` see the headers alike.
    """

    file: str
    directory: Path
    arguments: tuple[str, ...]
    build_class: str


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A profile's build directory with the commands of the files that were asked for.

    ``paths`` are those files and directories, ``commands`` are sorted by file,
    ``uncovered`` are C files below ``paths`` that this configuration does not build.
    ``own`` is true for a build directory that ctxlint made; ``overrides`` are files that it
    was made with in place of the tree's. ``make``: whether the tree's Makefiles may be run
    for further paths. ``warned``: something was warned of that holds for every run.
    """

    spec_name: str
    arch: str
    rt: bool
    config: str
    build: Path
    commands: tuple[CompileCommand, ...]
    uncovered: tuple[str, ...]
    paths: tuple[str, ...] = ()
    own: bool = True
    overrides: Mapping[str, bytes | None] = field(default_factory=dict)
    make: bool = True
    warned: bool = False
