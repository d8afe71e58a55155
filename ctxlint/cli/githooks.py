# SPDX-License-Identifier: GPL-2.0-or-later
"""Git's own hooks: where they are, and installing ours without losing another one.

Our hook is a short shell script that git's documentation would suggest. Another hook of
that name is never overwritten: we refuse, or move it next to ours and run it first
(``chain``), or move it there and do not run it (``force``). Uninstalling moves it back.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ctxlint.base import git
from ctxlint.base.errors import UsageError
from ctxlint.base.reading import read_limited
from ctxlint.cli.output import write_file

Event = Literal["pre-commit", "pre-push"]
Other = Literal["refuse", "chain", "force"]

EVENTS: tuple[Event, ...] = ("pre-commit", "pre-push")
MARK = "# Made by: ctxlint hook install"
_CHAINED = ".chained"
_REPLACED = ".replaced"

_SCRIPT = """\
#!/bin/sh
{mark}
# `ctxlint hook uninstall` removes it.
{chain}if ! [ -x {python} ]; then
    echo "ctxlint: {python} is gone, nothing was checked" >&2
    exit 0
fi
{run}
"""
_CHAIN = """\
before={before}
if [ -x "$before" ]; then
    {run} || exit $?
fi
"""
# What the push is about comes on standard input, and both hooks want it.
_WITH_INPUT = "printf '%s\\n' \"$pushed\" | {command}"


@dataclass(frozen=True)
class Place:
    """A hook of one repository. ``shared`` names the scope of a ``core.hooksPath`` that
    holds for other repositories too, ``""`` otherwise."""

    event: Event
    path: Path
    shared: str

    @property
    def chained(self) -> Path:
        return self.path.with_name(self.path.name + _CHAINED)

    @property
    def replaced(self) -> Path:
        return self.path.with_name(self.path.name + _REPLACED)

    def exists(self) -> bool:
        """Whether there is any hook, also a link that leads nowhere."""
        return self.path.is_symlink() or self.path.exists()

    def is_ours(self) -> bool:
        try:
            return MARK.encode() in read_limited(self.path, 1 << 20)
        except UsageError:
            return False


def place(directory: Path, event: Event) -> Place:
    """Where git looks for a hook: ``core.hooksPath``, else the directory that all work
    trees of the repository share.

    Raises :class:`UsageError` outside of a work tree.
    """
    top = Path(_git(directory, "rev-parse", "--show-toplevel"))
    hooks = top / _git(top, "rev-parse", "--git-path", "hooks")
    scope = _git(top, "config", "--show-scope", "--get", "core.hooksPath", ok_codes=(0, 1))
    shared = scope.partition("\t")[0] if scope else ""
    own = shared in ("", "local", "worktree", "command")
    return Place(event=event, path=hooks / event, shared="" if own else shared)


def install(where: Place, arguments: Sequence[str], other: Other) -> str:
    """Write the hook; a sentence on what became of another hook, or ``""``.

    ``arguments`` go to ``ctxlint hook run``. Raises :class:`UsageError` when there is a
    foreign hook and ``other`` says to refuse.
    """
    if where.shared and other == "refuse":
        raise UsageError(
            f"core.hooksPath is set for more than this repository ({where.shared})",
            hint="a hook there runs everywhere; use --chain or --force if you want that",
        )
    said = ""
    if where.exists() and not where.is_ours():
        if other == "refuse":
            raise UsageError(
                f"{where.path}: there is already another hook",
                hint="--chain keeps it and runs it first, --force replaces it",
            )
        aside = where.chained if other == "chain" else where.replaced
        if aside.exists() or aside.is_symlink():
            raise UsageError(
                f"{aside} is in the way", hint="move it elsewhere, or restore it first"
            )
        where.path.rename(aside)
        what = "runs first" if other == "chain" else "no longer runs"
        said = f"the previous hook {what}; it is now {aside}"
    where.path.parent.mkdir(parents=True, exist_ok=True)
    write_file(where.path, _script(where, arguments), mode=0o755)
    return said


def uninstall(where: Place) -> str:
    """Remove the hook; a sentence on what is there now, or ``""`` for nothing.

    Raises :class:`UsageError` when it is not ours.
    """
    if not where.exists():
        return ""
    if not where.is_ours():
        raise UsageError(f"{where.path} is not a hook of ctxlint", hint="it is left as it is")
    where.path.unlink()
    for aside in where.chained, where.replaced:
        if aside.exists() or aside.is_symlink():
            aside.rename(where.path)
            return f"restored the previous hook: {where.path}"
    return f"removed {where.path}"


def _script(where: Place, arguments: Sequence[str]) -> str:
    push = where.event == "pre-push"
    command = shlex.join([sys.executable, "-m", "ctxlint", "hook", "run", *arguments])
    chain = "pushed=$(cat)\n" if push else ""
    if where.chained.exists():
        other = '"$before" "$@"'
        chain += _CHAIN.format(
            before=shlex.quote(str(where.chained)),
            run=_WITH_INPUT.format(command=other) if push else other,
        )
    pushed = _WITH_INPUT.format(command=f'{command} --push -- "$@"')
    run = pushed if push else f"exec {command}"
    return _SCRIPT.format(mark=MARK, chain=chain, python=shlex.quote(sys.executable), run=run)


def _git(directory: Path, *arguments: str, ok_codes: Sequence[int] = (0,)) -> str:
    """What git says. It is the user's own repository: their configuration counts."""
    done = git.users(arguments, cwd=directory)
    if done.returncode not in ok_codes:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise UsageError(
            lines[0] if lines else f"git {arguments[0]} failed",
            hint="run it inside the work tree of a git repository",
        )
    return os.fsdecode(done.stdout).strip() if done.returncode == 0 else ""
