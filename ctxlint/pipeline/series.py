# SPDX-License-Identifier: GPL-2.0-or-later
"""Findings of one change, and of a series of them, against the tree before."""

from __future__ import annotations

import msgspec

from ctxlint.findings.compare import Comparison
from ctxlint.findings.compare import compare as compare_findings
from ctxlint.findings.model import Incomplete, Result
from ctxlint.pipeline import Progress, Request
from ctxlint.pipeline.changed import MAX_UNITS, Contents, workshop


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What a change does to the findings.

    ``result`` is that of the tree with the change. ``incomplete`` are units that could
    not be analysed with it (exit code 3 when there are any). ``unbuilt`` are changed C
    files that no profile compiles, ``borrowed`` new ones with the file whose flags they
    were read with. ``parsed`` counts the units that were read for the base and for the
    change: a large first number means that the cache was cold.
    """

    comparison: Comparison
    result: Result
    incomplete: tuple[Incomplete, ...]
    unbuilt: tuple[str, ...]
    borrowed: dict[str, str]
    parsed: tuple[int, int]


def compare(
    request: Request,
    base: Contents,
    changes: Contents,
    progress: Progress,
    *,
    max_units: int = MAX_UNITS,
) -> Change:
    """Compare the findings with and without ``changes``.

    ``base`` are the files in which the state to compare with differs from the disk
    (staged content: the HEAD version of files that the work tree has otherwise),
    ``changes`` the new contents over it; None is a file that is not there. Neither is
    written to the tree, and nothing of them is run.
    """
    base = dict(base)
    after = {**base, **changes}
    with workshop(request, after, progress, max_units) as shop:
        old = shop.judge(base)
        new = shop.judge(after, recent=changes)
    return Change(
        comparison=compare_findings(old.result.findings, new.result.findings),
        result=new.result,
        incomplete=new.result.incomplete,
        unbuilt=new.unbuilt,
        borrowed=dict(new.borrowed),
        parsed=(old.parsed, new.parsed),
    )
