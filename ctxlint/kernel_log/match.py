# SPDX-License-Identifier: GPL-2.0-or-later
"""Which finding a splat proves.

The compiler inlines static functions, so of a finding's path only some functions are
on the stack, in the same order; and the operation is there under the name that the
allocator or lock has inside. Line numbers move between versions, functions less so.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from ctxlint.findings.model import Finding
from ctxlint.kernel_log import types as t
from ctxlint.kernel_log.context import SplatContext, names
from ctxlint.kernel_log.inlined_calls import same_file
from ctxlint.kernel_log.rules import SplatRules
from ctxlint.kernel_log.types import Record

LINES = 10
"""A statement may have moved by so many lines, and is still taken for the same."""
_CALLEE, _OPERATION = 3, 2
_CALLS = frozenset({"entry", "call", "indirect-call", "operation"})


class FindingMatch(msgspec.Struct, frozen=True, kw_only=True):
    """``on_stack`` are the functions of the finding's path that are on the stack,
    ``inlined`` those that are not, ``others`` frames between them that the path does
    not have. ``sure``: the operation and every step agree."""

    finding: Finding
    score: int
    on_stack: tuple[str, ...]
    inlined: tuple[str, ...]
    others: tuple[str, ...]
    sure: bool


def chain(finding: Finding) -> tuple[str, ...]:
    """Functions of a finding's path, innermost first; the call of the operation is in
    the first one."""
    out: list[str] = []
    for step in reversed(finding.path):
        if step.kind in _CALLS and step.function and (not out or out[-1] != step.function):
            out.append(step.function)
    return tuple(out) or (finding.function,)


def best(
    splat: Record,
    findings: Iterable[Finding],
    context: SplatContext | None,
    rules: SplatRules,
    at: tuple[str, int] | None = None,
) -> FindingMatch | None:
    """The finding that fits best, or None. Of equals, the first by place.

    ``at`` is where the tree has the statement of a warning, when it is not where the
    splat says.
    """
    found = [
        match
        for finding in findings
        if (match := _match(splat, finding, context, rules, at)) is not None
    ]
    found.sort(key=lambda m: (-m.score, m.finding.file, m.finding.line, m.finding.column))
    return found[0] if found else None


def _match(
    splat: Record,
    finding: Finding,
    context: SplatContext | None,
    rules: SplatRules,
    statement: tuple[str, int] | None,
) -> FindingMatch | None:
    stack = names(splat, rules)
    path = chain(finding)
    places: dict[str, int] = {}
    at = 0
    for function in path:
        position = next((i for i in range(at, len(stack)) if stack[i] == function), None)
        if position is not None:
            places[function] = position
            at = position + 1
    if path[-1] not in places:
        return None  # a callback is called through a pointer, so it is never inlined
    first, last = min(places.values()), max(places.values())
    if isinstance(splat, t.Warn | t.Bug):
        points = _same_statement(statement or (splat.file, splat.line), finding)
        inside: tuple[str, ...] = ()
        exact = points == LINES
    else:
        points, operation = _operation(stack[:first], splat, finding, rules)
        inside = stack[operation + 1 : first]
        exact = points >= _OPERATION
    if points <= 0:
        return None
    others = inside + tuple(stack[i] for i in range(first, last) if i not in places.values())
    agrees = _agreement(finding, context)
    score = 10 * points + 3 * len(places) - 2 * len(others) + 2 * agrees
    return FindingMatch(
        finding=finding,
        score=score,
        on_stack=tuple(f for f in path if f in places),
        inlined=tuple(f for f in path if f not in places),
        others=others,
        sure=exact and not others and agrees >= 0,
    )


def _same_statement(at: tuple[str, int], finding: Finding) -> int:
    """``LINES`` for the very line, less for a neighbour, 0 for another statement."""
    file, line = at
    distances = [
        abs(step.line - line)
        for step in finding.path
        if step.kind in ("call", "indirect-call", "operation") and same_file(file, step.file)
    ]
    return max(0, LINES - min(distances)) if distances else 0


def _operation(
    inner: tuple[str, ...], splat: Record, finding: Finding, rules: SplatRules
) -> tuple[int, int]:
    """How well what is inside of the path is the finding's operation, and its frame."""
    best_points, best_at = 0, len(inner) - 1
    for at, name in enumerate(inner):
        rule = rules.api(name)
        shown = {name} if rule is None else {name, rule.symbol, rule.show}
        if finding.callee in shown:
            points = _CALLEE
        else:
            points = _OPERATION * (rule is not None and rule.api.operation == finding.operation)
        if points and points >= best_points:
            best_points, best_at = points, at
    if not best_points and isinstance(splat, t.Sleeping):
        same = rules.operation_of(splat.file) == finding.operation
        own = splat.file == finding.file and abs(splat.line - finding.line) <= LINES
        return (1 if same or own else 0), len(inner) - 1
    return best_points, best_at


def _agreement(finding: Finding, context: SplatContext | None) -> int:
    """1 or -1 when both tell the hotplug section, by whether it is the same."""
    mine = context.section if context is not None else ""
    theirs = finding.context.section or ""
    if not mine or not theirs:
        return 0
    return 1 if theirs in mine.split(" or ") else -1
