# SPDX-License-Identifier: GPL-2.0-or-later
"""The order of the steps: tree -> commands -> IR -> call graph -> contexts -> findings.

This is the library's entry point: ``cli/`` only turns options into a
:class:`Request` and a result into text.
"""

from __future__ import annotations

from ctxlint.base.request import PreparedProfile as PreparedProfile
from ctxlint.base.request import Progress as Progress
from ctxlint.base.request import Quiet as Quiet
from ctxlint.base.request import Request as Request
from ctxlint.findings.graph import FunctionGraphs as FunctionGraphs
from ctxlint.findings.model import Result


def audit(request: Request, progress: Progress) -> Result:
    """Analyse ``request.paths`` under each profile and merge the findings."""
    from ctxlint.pipeline import unchanged

    known = unchanged.recall(request, progress)
    if known is not None:
        return known
    from ctxlint.pipeline.run import audit as run

    return run(request, progress)


def prepare(request: Request, progress: Progress) -> tuple[PreparedProfile, ...]:
    """Make (or find) the build directories and compile commands; compile nothing."""
    from ctxlint.pipeline.run import prepare as run

    return run(request, progress)


def graph(
    request: Request, target: str, progress: Progress, limit: int = 40
) -> tuple[FunctionGraphs, ...]:
    """The calls around every function named ``target``, or around the finding
    with that fingerprint (at least 8 hexadecimal digits).

    At most ``limit`` functions in each direction. Raises UsageError when there
    is no such function or finding.
    """
    from ctxlint.pipeline.graphs import graph as run

    return run(request, target, progress, limit)
