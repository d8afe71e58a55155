# SPDX-License-Identifier: GPL-2.0-or-later
"""Which findings matter most, for formats whose readers see only some of them."""

from __future__ import annotations

from collections.abc import Iterable

from ctxlint.findings.model import Finding


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Errors before warnings, operations before comments, certain ones before those
    that depend on data, bugs on every kernel before those on PREEMPT_RT; else the
    order they had."""
    return sorted(findings, key=_rank)


def _rank(finding: Finding) -> tuple[bool, ...]:
    return (
        finding.severity != "error",
        not finding.operation,
        finding.certainty == "may",
        finding.rt_only,
    )
