# SPDX-License-Identifier: GPL-2.0-or-later
"""Where things are: what comes with the tool, and what it keeps. Cheap to import."""

from __future__ import annotations

import os
from pathlib import Path

import ctxlint
from ctxlint.base.errors import RuleError, UsageError

STORE = "store.sqlite"
"""The database of facts, in the cache."""

BASELINE = ".ctxlint-baseline"
"""The list of known findings, in a tree."""


def rules_directory() -> Path:
    """Where the rules that come with the tool are: in the installed package, else
    beside it in a source checkout."""
    package = Path(ctxlint.__file__).parent
    for path in (package / "data" / "rules", package.parent / "rules"):
        if path.is_dir():
            return path
    raise RuleError("the rules are missing", hint="reinstall ctxlint; rules/ belongs to it")


def default_cache() -> Path:
    """Where build directories and facts are kept unless told otherwise. Raises
    UsageError for a user without a home."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    try:
        return (Path(base) if base else Path.home() / ".cache") / "ctxlint"
    except RuntimeError as error:
        raise UsageError(
            "this user has no home directory for the cache", hint="name one with --cache"
        ) from error
