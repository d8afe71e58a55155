# SPDX-License-Identifier: GPL-2.0-or-later
"""A build directory that begins as a copy of the one of the other profile.

The two profiles of a tree differ in the preemption model. Host programs and most generated
headers are the same in both, and kbuild makes anew what the configuration changes: it is
what happens when a developer changes an option in a build directory.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from ctxlint.kbuild.commands import RECORD_SUFFIX

_SPECIAL = ("source", "Makefile", ".ctxlint")
"""Made by each build directory itself: they name it, or the tree."""

BASE_CONFIG = "base.config"
"""In a build directory's ``.ctxlint``: what the configuration target gave, before the
profile's own options."""


def copy(made: Path, new: Path) -> None:
    """Copy a prepared build directory to ``new``, which is not there yet, without what was
    recorded in it: the commands are those of its own configuration."""
    shutil.copytree(made, new, symlinks=True, ignore=_left_out(made))


def _left_out(made: Path) -> Callable[[str, list[str]], set[str]]:
    top = os.fspath(made)

    def ignore(directory: str, names: list[str]) -> set[str]:
        out = {name for name in names if directory == top and name in _SPECIAL}
        for name in names:
            if name.startswith(".") and name.endswith(".o" + RECORD_SUFFIX):
                stem = name[1 : -len(RECORD_SUFFIX)]
                out |= {name, stem, f".{stem}.cmd"}
            elif name in ("built-in.a", "modules.order", ".built-in.a.cmd"):
                out.add(name)
        return out

    return ignore
