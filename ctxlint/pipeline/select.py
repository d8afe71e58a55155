# SPDX-License-Identifier: GPL-2.0-or-later
"""Suppressions, baseline and selection, as the step after an analysis."""

from __future__ import annotations

import difflib

from ctxlint.base.errors import UsageError
from ctxlint.checks import base as checks
from ctxlint.findings import selection as chosen
from ctxlint.findings.model import Result
from ctxlint.findings.selection import Selection


def validate(selection: Selection) -> None:
    """Raises UsageError when the selection names a check that does not exist."""
    known = [check.id for check in checks.checks()]
    for name in sorted(selection.ids() - set(known)):
        near = difflib.get_close_matches(name, known, n=2) or known
        raise UsageError(f"no check is called {name!r}", hint=f"Try: {', '.join(near)}")


def select(result: Result, selection: Selection) -> Result:
    """What ``selection`` leaves of ``result``; see :func:`ctxlint.findings.selection.apply`.

    Raises UsageError for a check that does not exist.
    """
    validate(selection)
    return chosen.apply(result, selection, checks.docs())
