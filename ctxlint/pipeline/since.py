# SPDX-License-Identifier: GPL-2.0-or-later
"""Findings that the tree has and did not have at a revision of git.

Both states are analysed: the tree as it is, and the tree with the C files and
headers of the revision in place of those that differ. So a finding counts as new
also where a change elsewhere made it one, and a line that merely moved does not.
Compile commands are those of the tree as it is, for both states; what a change
of a Makefile or the configuration does is not seen.

git only reads here, with hooks, external diffs and its file system monitor off.
"""

from __future__ import annotations

import dataclasses
import subprocess
from collections.abc import Sequence
from pathlib import Path

import msgspec

from ctxlint import kbuild
from ctxlint.base.errors import UsageError
from ctxlint.findings.compare import compare
from ctxlint.findings.model import Result
from ctxlint.findings.selection import NOT_NEW, Selection
from ctxlint.pipeline import Progress, Request
from ctxlint.pipeline.changed import workshop
from ctxlint.pipeline.run import DEFAULT_PATHS
from ctxlint.pipeline.select import select, validate
from ctxlint.pipeline.unseen import check_paths

MAX_FILES = 2000
"""Files that may differ; beyond that it is another tree, and a baseline fits better."""

_SOURCES = (".c", ".h", ".inc")
_REGULAR = frozenset({"100644", "100755"})
_SECONDS = 120


def new_since(
    request: Request, revision: str, selection: Selection, progress: Progress
) -> Result:
    """The selected result of the tree, with those findings only that are new.

    The statistic ``not_new`` counts the others. A unit that could not be analysed
    at the revision makes the result incomplete: what it has may not be new.
    Raises :class:`UsageError` when git does not know the revision, the tree is no
    git tree, or too much differs.
    """
    validate(selection)
    found_tree = kbuild.find_tree(request.tree)
    tree = found_tree.path
    paths = request.paths or tuple(p for p in DEFAULT_PATHS if (tree / p).exists())
    check_paths(found_tree, paths)
    base = contents_at(tree, revision)
    with workshop(dataclasses.replace(request, paths=paths), {}, (), progress) as shop:
        before = select(shop.judge(base).result, selection)
        now = select(shop.judge({}, recent=base).result, selection)
        unseen = shop.unseen_paths()
    # What was hidden then is new when it is not hidden any more.
    introduced = compare(before.findings, now.findings).introduced
    new = {finding.fingerprint for finding in introduced}
    found = tuple(f for f in now.findings if f.fingerprint in new)
    statistics = dict(now.statistics)
    if len(found) < len(now.findings):
        statistics[NOT_NEW] = len(now.findings) - len(found)
    failed = {(unit.file, unit.profile) for unit in now.incomplete}
    missed = [
        msgspec.structs.replace(unit, reason=f"at {revision}: {unit.reason}")
        for unit in before.incomplete
        if (unit.file, unit.profile) not in failed
    ]
    return msgspec.structs.replace(
        now,
        findings=found,
        statistics=statistics,
        incomplete=tuple(
            sorted((*now.incomplete, *missed, *unseen), key=lambda u: (u.file, u.profile))
        ),
    )


def contents_at(tree: Path, revision: str) -> dict[str, bytes | None]:
    """C files and headers in which the tree differs from the revision, as they were
    then; None for one that was not there.

    Raises :class:`UsageError`, see :func:`new_since`.
    """
    if not (tree / ".git").exists():
        raise UsageError(
            f"{tree} is not the top of a git work tree",
            hint="without git, make a baseline: ctxlint baseline create",
        )
    done = _git(
        tree, "rev-parse", "--quiet", "--verify", "--end-of-options", f"{revision}^{{commit}}"
    )
    if done.returncode != 0:
        raise UsageError(
            f"git knows no commit {revision!r} in {tree}",
            hint="a shallow clone has to fetch it first",
        )
    commit = done.stdout.decode().strip()
    raw = _checked(
        tree,
        "diff",
        "--raw",
        "-z",
        "--no-abbrev",
        "--no-renames",
        "--no-ext-diff",
        "--ignore-submodules=all",
        commit,
        "--",
    )
    fields = raw.decode("utf-8", "surrogateescape").split("\0")
    blobs: dict[str, str | None] = {}
    for entry, file in zip(fields[::2], fields[1::2], strict=False):
        mode, _, blob, _, status = entry.removeprefix(":").split(" ")
        if not file.endswith(_SOURCES):
            continue
        if status.startswith("A"):
            blobs[file] = None
        elif mode in _REGULAR:
            blobs[file] = blob
    others = _checked(tree, "ls-files", "-z", "--others", "--exclude-standard")
    for file in others.decode("utf-8", "surrogateescape").split("\0"):
        if file.endswith(_SOURCES):
            blobs[file] = None
    if len(blobs) > MAX_FILES:
        raise UsageError(
            f"{len(blobs)} files differ from {revision}, more than {MAX_FILES}",
            hint="compare with a baseline instead: ctxlint baseline create",
        )
    texts = _blobs(tree, sorted({blob for blob in blobs.values() if blob is not None}))
    return {file: None if blob is None else texts[blob] for file, blob in sorted(blobs.items())}


def _blobs(tree: Path, names: Sequence[str]) -> dict[str, bytes]:
    wanted = "".join(name + "\n" for name in names).encode()
    data = _checked(tree, "cat-file", "--batch", stdin=wanted) if names else b""
    found: dict[str, bytes] = {}
    at = 0
    for name in names:
        start = data.index(b"\n", at) + 1
        size = int(data[at:start].split(b" ")[2])
        found[name] = data[start : start + size]
        at = start + size + 1
    return found


def _checked(tree: Path, *words: str, stdin: bytes = b"") -> bytes:
    done = _git(tree, *words, stdin=stdin)
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise UsageError(f"git {words[0]} failed: {said[-1] if said else done.returncode}")
    return done.stdout


def _git(tree: Path, *words: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    quiet = ("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false")
    command = ("git", "--no-optional-locks", *quiet, "-C", str(tree), *words)
    try:
        return subprocess.run(
            command, input=stdin, capture_output=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"git {words[0]}: {error}") from error
