# SPDX-License-Identifier: GPL-2.0-or-later
"""When a result was made, and by which command line."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path

import click
import msgspec

from ctxlint.base.clock import now
from ctxlint.findings.model import Result, Run


def stamped(result: Result, tree: Path) -> Result:
    """``result`` with the date, and the command line of this process."""
    words = click.get_current_context().find_root().obj or ()
    run = Run(date=now(), command=command_line(words, tree))
    return msgspec.structs.replace(result, run=run)


def command_line(words: Iterable[str], tree: Path) -> str:
    """A command as somebody else may read it: paths of this machine are relative to the
    tree, or their last part where they lie outside."""
    shown = []
    for word in words:
        option, equals, value = word.rpartition("=") if word.startswith("-") else ("", "", word)
        if value.startswith("/"):
            path = Path(value)
            inside = path.is_relative_to(tree)
            value = path.relative_to(tree).as_posix() if inside else f".../{path.name}"
        shown.append(f"{option}{equals}{value}")
    return f"ctxlint {shlex.join(shown)}".rstrip()
