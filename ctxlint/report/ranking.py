# SPDX-License-Identifier: GPL-2.0-or-later
"""Which findings matter most, for formats whose readers see only some of them, and which
are grouped."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from ctxlint.findings.model import Finding

T = TypeVar("T")


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Errors before warnings, operations before comments, certain ones before those
    that depend on data, bugs on every kernel before those on PREEMPT_RT; else the
    order they had."""
    return sorted(findings, key=_rank)


def by_origin(items: Iterable[T], finding: Callable[[T], Finding]) -> list[list[T]]:
    """What has findings of one origin together, at the place of the first of them; within,
    the one that convinces most first. A finding without an origin stands alone."""
    groups: dict[tuple[object, ...], list[T]] = {}
    for number, item in enumerate(items):
        origin = finding(item).origin
        groups.setdefault((number,) if origin is None else origin.key, []).append(item)

    def rank(item: T) -> tuple[object, ...]:
        one = finding(item)
        return (*_rank(one), len(one.assumptions), len(one.path))

    return [sorted(group, key=rank) for group in groups.values()]


def _rank(finding: Finding) -> tuple[bool, ...]:
    return (
        finding.severity != "error",
        not finding.operation,
        finding.certainty == "may",
        finding.rt_only,
    )
