# SPDX-License-Identifier: GPL-2.0-or-later
"""What a history case says: an edit, and what the edit must change in the report."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from .edits import Edit

Arch = Literal["arm64", "x86_64", "arm"]


@dataclass(frozen=True, kw_only=True)
class Case:
    """An edit of ``file`` (and of the files in ``also``).

    ``company`` are unedited files that must be audited along, because the way from the
    entry point to the operation goes through them. ``config`` is the configuration target
    that builds the file; a file that none builds is compiled as its ``like`` is.
    ``known`` says why the analyser is known to be wrong here; the test fails when it is
    right after all.
    """

    name: str
    file: str
    edit: Edit
    also: dict[str, Edit] = field(default_factory=dict)
    company: tuple[str, ...] = ()
    arch: Arch = "arm64"
    config: str = "defconfig"
    like: str = ""
    known: str = ""
    why: str

    @property
    def files(self) -> tuple[str, ...]:
        """Every C file to audit, sorted."""
        return tuple(
            sorted({self.file, *self.company, *(f for f in self.also if f[-2:] == ".c")})
        )

    @property
    def edits(self) -> dict[str, Edit]:
        """Every edited file and its edit."""
        return {self.file: self.edit, **self.also}


@dataclass(frozen=True, kw_only=True)
class Bug(Case):
    """An edit that must give a new finding.

    ``function`` calls ``callee``; ``entries`` are the functions that the kernel may call
    first on the way there (any of them is right; none given: any function is).
    ``rt_only``: a bug on PREEMPT_RT alone.
    ``function`` and ``callee`` may hold alternatives where several places are equally right.
    """

    function: tuple[str, ...]
    callee: tuple[str, ...]
    entries: tuple[str, ...]
    rt_only: bool


@dataclass(frozen=True, kw_only=True)
class Quiet(Case):
    """An edit that stays right: it must give no new finding."""
