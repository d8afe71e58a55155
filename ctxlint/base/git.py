# SPDX-License-Identifier: GPL-2.0-or-later
"""git, started in one way only: nothing that it reads may start another program.

Neither a repository's configuration nor its content runs anything: no hooks, no filters,
no external diff, no file system monitor, no pager, no credential helper, no submodules,
no network, no lazy fetch. Nothing is written either: optional locks are off, so not even
the index is refreshed (sources: git(1), git-config(1), gitattributes(5)). No other module
starts git.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import resource
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ctxlint.base.errors import ToolMissingError, UsageError

SECONDS = 120
_SECONDS_TO_ASK = 20
MEMORY = 2 << 30
"""Bytes of data that git may have; contents that are read have 16 MB at most."""
_MOST_DRIVERS = 500
"""Filters and diff drivers that a configuration may have; each needs words of a command."""

_HOOKS = "core.hooksPath"
_SETTINGS = {
    _HOOKS: "/dev/null",
    "core.fsmonitor": "false",
    "core.untrackedCache": "false",
    "core.attributesFile": "/dev/null",
    "core.excludesFile": "/dev/null",
    "core.pager": "cat",
    "core.editor": "false",
    "core.askPass": "false",
    "core.sshCommand": "false",
    "core.protectHFS": "true",
    "core.protectNTFS": "true",
    "core.quotePath": "true",
    "core.alternateRefsCommand": "true",
    "credential.helper": "",
    "diff.external": "",
    "diff.noprefix": "false",
    "diff.mnemonicPrefix": "false",
    "diff.orderFile": "/dev/null",
    "diff.renames": "false",
    "diff.ignoreSubmodules": "all",
    "diff.submodule": "short",
    "submodule.recurse": "false",
    "fetch.recurseSubmodules": "false",
    "log.showSignature": "false",
    "gpg.program": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "protocol.allow": "never",
    "mailinfo.scissors": "false",
    "apply.whitespace": "nowarn",
    "apply.ignoreWhitespace": "false",
}
_OWN = ("PATH", "TMPDIR", "LD_LIBRARY_PATH", "SYSTEMROOT")


def environment() -> dict[str, str]:
    """The variables that git gets: none of git's own from outside, no user files."""
    own = {name: os.environ[name] for name in _OWN if name in os.environ}
    return {
        **own,
        "HOME": "/nonexistent",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_SYSTEM": "/dev/null",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_ATTR_NOSYSTEM": "1",
        **_QUIET,
    }


_QUIET = {
    "LC_ALL": "C",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ALLOW_PROTOCOL": "",
    "GIT_ADVICE": "0",
    "GIT_PAGER": "cat",
    "GIT_EDITOR": "false",
    "GIT_ASKPASS": "false",
    "SSH_ASKPASS": "false",
}


def run(
    arguments: Sequence[str],
    *,
    cwd: Path,
    stdin: bytes = b"",
    settings: Iterable[tuple[str, str]] = (),
    extra: Mapping[str, str] | None = None,
    seconds: int = SECONDS,
) -> subprocess.CompletedProcess[bytes]:
    """Run git in ``cwd``; ``settings`` are more of its settings, ``extra`` more
    variables. Raises :class:`ToolMissingError` without git and :class:`UsageError` when
    it takes longer than ``seconds`` or cannot be started."""
    words = ["--no-pager", "--literal-pathspecs"]
    for name, value in (*_SETTINGS.items(), *settings):
        words += ["-c", f"{name}={value}"]
    env = {**environment(), **(extra or {})}
    return _start([*words, *arguments], cwd, stdin, env, seconds)


def users(arguments: Sequence[str], *, cwd: Path) -> subprocess.CompletedProcess[bytes]:
    """Run git with the user's own configuration files.

    For questions about these files alone, where hooks are for one. The command must be one
    that starts nothing (``config``, ``rev-parse``)."""
    own = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "LC_", "LANG"))}
    words = ["--no-pager", "--literal-pathspecs"]
    for name, value in _SETTINGS.items():
        if name != _HOOKS:
            words += ["-c", f"{name}={value}"]
    return _start([*words, *arguments], cwd, b"", {**own, **_QUIET}, _SECONDS_TO_ASK)


def _start(
    words: Sequence[str], cwd: Path, stdin: bytes, env: Mapping[str, str], seconds: int
) -> subprocess.CompletedProcess[bytes]:
    if not cwd.is_dir():
        raise UsageError(f"{cwd}: no such directory")
    pipe = subprocess.PIPE
    try:
        with subprocess.Popen(
            ["git", *words], cwd=cwd, env=env, stdin=pipe, stdout=pipe, stderr=pipe
        ) as process:
            # A file of a repository can be a link to a device without an end. Packs are
            # mapped to be read, which does not count.
            with contextlib.suppress(OSError):
                resource.prlimit(process.pid, resource.RLIMIT_DATA, (MEMORY, MEMORY))
            try:
                out, err = process.communicate(stdin, timeout=seconds)
            except BaseException:
                process.kill()
                raise
            return subprocess.CompletedProcess(process.args, process.returncode, out, err)
    except FileNotFoundError as error:
        raise ToolMissingError(
            "git is not installed", hint="Install it (Debian and Fedora: git)."
        ) from error
    except (OSError, ValueError) as error:
        raise UsageError(f"git cannot be started: {error}") from error
    except subprocess.TimeoutExpired as error:
        raise UsageError(f"git took more than {seconds} s") from error


class WorkTree:
    """git in a directory that is the top of a work tree. Raises :class:`UsageError` for a
    repository whose configuration cannot be taken out of work."""

    def __init__(self, tree: Path) -> None:
        self.tree = tree
        # The files compared with are those of the tree, wherever core.worktree leads.
        self._extra = {"GIT_WORK_TREE": str(tree.resolve())}
        self._settings = _safe_directories()
        self._settings += tuple(self._without_drivers())

    def git(self, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Run git in the repository."""
        return run(
            arguments, cwd=self.tree, stdin=stdin, settings=self._settings, extra=self._extra
        )

    def text(self, *arguments: str) -> str | None:
        """What git prints, None when it fails."""
        done = self.git(*arguments)
        if done.returncode:
            return None
        return done.stdout.decode("utf-8", "replace").strip()

    def _without_drivers(self) -> list[tuple[str, str]]:
        """Settings that take every configured filter and diff driver out of work."""
        done = self.git("config", "--list", "--name-only", "-z")
        found = []
        for name in sorted(set(done.stdout.decode("utf-8", "surrogateescape").split("\0"))):
            match = re.fullmatch(
                r"(?:filter\..*\.(?:clean|smudge|process|(required))"
                r"|diff\..*\.(?:command|textconv))",
                name, re.S,
            )  # fmt: skip
            if match is None:
                continue
            if "=" in name or "\n" in name:
                # Such a name cannot be given to git on its command line.
                raise UsageError(
                    f"the repository's configuration has a driver of the name {name!r}",
                    hint="git would run it; take it out of the configuration.",
                )
            found.append((name, "false" if match[1] else ""))
        if len(found) > _MOST_DRIVERS:
            raise UsageError(
                f"the repository's configuration has {len(found)} filters and diff drivers",
                hint=f"At most {_MOST_DRIVERS} are taken out of work.",
            )
        return found


def ask(tree: Path, *arguments: str) -> str | None:
    """What git says of the repository of ``tree`` to a command that looks at no content
    (``config``, ``rev-parse``); None when it fails or there is no git."""
    try:
        done = run(arguments, cwd=tree, settings=_safe_directories(), seconds=_SECONDS_TO_ASK)
    except (UsageError, ToolMissingError):
        return None
    return done.stdout.decode("utf-8", "replace").strip() if done.returncode == 0 else None


def _safe_directories() -> tuple[tuple[str, str], ...]:
    """The user's own ``safe.directory`` settings: who else's repository is read is the
    user's decision, and the files that it stands in are not read otherwise."""
    return _safe_directories_of(os.environ.get("HOME"), os.environ.get("XDG_CONFIG_HOME"))


@functools.cache
def _safe_directories_of(*_files: str | None) -> tuple[tuple[str, str], ...]:
    found = []
    for scope in ("--system", "--global"):
        done = users(["config", scope, "-z", "--get-all", "safe.directory"], cwd=Path("/"))
        values = done.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1]
        found += [("safe.directory", value) for value in values]
    return tuple(found)
