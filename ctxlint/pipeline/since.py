# SPDX-License-Identifier: GPL-2.0-or-later
"""Findings that the tree has now and did not have at a git revision.

Both states are analysed: the tree as it is, and the tree with the C files and
headers of the revision in place of those that differ. So a finding also counts as
new if a change elsewhere caused it, and a line that merely moved does not.
Both states use the compile commands of the tree as it is; the effect of a change
to a Makefile or the configuration is not seen.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import msgspec

from ctxlint import kbuild
from ctxlint.base.errors import UsageError
from ctxlint.base.request import Progress, Request
from ctxlint.findings.compare import compare
from ctxlint.findings.model import Result
from ctxlint.findings.selection import NOT_NEW, Selection
from ctxlint.patches.git import Repository
from ctxlint.pipeline.changed import patched_tree
from ctxlint.pipeline.defaults import default_paths
from ctxlint.pipeline.not_analysed import check_paths
from ctxlint.pipeline.select import select, validate

MAX_FILES = 2000
"""Files that may differ; beyond that it is another tree, and a baseline fits better."""

_SOURCES = (".c", ".h", ".inc")
_REGULAR = frozenset({"100644", "100755"})


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
    paths = request.paths or default_paths(tree)
    check_paths(found_tree, paths)
    base = contents_at(tree, revision)
    with patched_tree(dataclasses.replace(request, paths=paths), {}, (), progress) as patched:
        before = select(patched.analyse(base).result, selection)
        now = select(patched.analyse({}, recent=base).result, selection)
        unseen = patched.unseen_paths()
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
    repository = Repository(tree)
    commit = repository.commit(revision)
    if commit is None:
        raise UsageError(
            f"git knows no commit {revision!r} in {tree}",
            hint="a shallow clone has to fetch it first",
        )
    names = [f for f in repository.against_disk(commit) if f.endswith(_SOURCES)]
    new = [f for f in repository.untracked() if f.endswith(_SOURCES)]
    if len(names) + len(new) > MAX_FILES:
        raise UsageError(
            f"{len(names) + len(new)} files differ from {revision}, more than {MAX_FILES}",
            hint="compare with a baseline instead: ctxlint baseline create",
        )
    before = repository.modes(commit, names)
    wanted = {f: sha for f, (mode, sha) in before.items() if mode in _REGULAR}
    blobs = repository.blobs(wanted.values())
    found: dict[str, bytes | None] = {f: None for f in (*names, *new) if f not in before}
    found |= {f: blobs[sha] for f, sha in wanted.items()}
    return dict(sorted(found.items()))
