# SPDX-License-Identifier: GPL-2.0-or-later
"""How to add a part that an installation does not have."""

from __future__ import annotations

import shlex
import sys
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path


def to_install(extra: str, *packages: str) -> str:
    """The command that adds what the extra ``extra`` needs to this very installation;
    ``packages`` where it does not say (run from the source)."""
    try:
        needed = requires("ctxlint") or ()
    except PackageNotFoundError:
        needed = ()
    named = [r.partition(";")[0].strip() for r in needed if f"extra == '{extra}'" in r]
    pipx = Path(sys.prefix, "pipx_metadata.json").is_file()  # it has no pip of its own
    program = (
        ["pipx", "inject", "ctxlint"] if pipx else [sys.executable, "-m", "pip", "install"]
    )
    return shlex.join([*program, *(named or packages)])
