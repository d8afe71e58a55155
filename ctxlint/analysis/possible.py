# SPDX-License-Identifier: GPL-2.0-or-later
"""Which violations are shown only when they are asked for: too much would have to be so, of
what is not known, for them to happen."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import get_args

from ctxlint.analysis.nodes import Node, Violation
from ctxlint.analysis.witness import deltas, nodes_of
from ctxlint.facts import limits
from ctxlint.facts.believed import exclude_each_other
from ctxlint.facts.summary import Outcome, Point, Summary
from ctxlint.rulebook import effects
from ctxlint.rulebook.book import Rulebook
from ctxlint.semantics.context import Delta
from ctxlint.semantics.irqs import Irqs
from ctxlint.semantics.terms import params

_COUNTERS = get_args(effects.Counter)
_IRQ = "irq"


def is_possible(violation: Violation, rules: Rulebook) -> bool:
    """Whether a violation is only shown when it is asked for: one of many drivers behind a
    call, or one of the objects behind a registration, would have to be the one that waits;
    or a call through a pointer whose object is not known would have to go to one of many
    functions or into another driver's directory; or the way there is too long to be believed;
    or arguments would have to matter that a limit has dropped; or the context is of a function
    with more of them than are followed, or of one that lost track of it."""
    entry = violation.node.entry
    nodes = nodes_of(violation)
    return (
        violation.need.possible
        or (entry is not None and entry.possible)
        or _is_long(nodes)
        or not all(node.likely for node in nodes)
        or _is_cut(violation)
        or _is_dropped(violation)
        or _is_unbalanced(violation, rules)
    )


def _is_long(nodes: list[Node]) -> bool:
    """A way that comes back to a function is no longer for that."""
    own = {node.fn.symbol: node.fn.file for node in nodes if not node.fn.file.endswith(".h")}
    files = len(set(own.values()))
    return len(own) - 1 > (limits.CALLS_MAX if files > 2 else 2 * limits.CALLS_MAX)


def _is_dropped(violation: Violation) -> bool:
    """Whether the context that forbids the operation is one of so many of a function that a
    limit has dropped others."""
    level, rt = violation.need.level, violation.rt
    return any(
        node.context.allows(rt) >= level > node.context.then(delta).allows(rt)
        and any(loss.what in limits.OF_CONTEXTS for loss in node.fn.losses)
        for node, delta in deltas(violation)
    )


def _is_unbalanced(violation: Violation, rules: Rulebook) -> bool:
    """Whether each section that forbids the operation is one that a function on the way has
    lost track of: of its ways to return some end it, or leave it behind, and others do not.
    What is correlated there was not followed, and the section may be over long before. Where a
    function begins a section itself, by a call that a rule tells, it is believed."""
    level, rt = violation.need.level, violation.rt
    sections: frozenset[str] = frozenset()
    for node, delta in deltas(violation):
        before, fn = node.context, node.fn
        own: frozenset[str] = frozenset()
        if not sections and before.allows(rt) >= level > before.then(delta).allows(rt):
            sections = _raised(delta)
            own = frozenset(part for part in sections if _begins(fn, delta, part, rules, rt))
        if sections and not (sections := sections - (_unbalanced(fn) - own)):
            return True
    return False


def _raised(delta: Delta) -> frozenset[str]:
    """The parts of the context that a change of it restricts."""
    names = [n for n in _COUNTERS if getattr(delta.counts, n) > 0]
    return frozenset([*names, _IRQ] if delta.irqs == Irqs.OFF else names)


def _unbalanced(fn: Summary) -> frozenset[str]:
    """The parts of the context that a function changes in several ways, and not by conditions
    that exclude each other."""
    return frozenset(
        part
        for mine, other in combinations(fn.outcomes, 2)
        if not exclude_each_other(mine, other)
        for part in _differences(mine, other)
    )


def _differences(mine: Outcome, other: Outcome) -> Iterator[str]:
    for name in _COUNTERS:
        if getattr(mine.delta.counts, name) != getattr(other.delta.counts, name):
            yield name
    if (mine.delta.irqs, mine.pops) != (other.delta.irqs, other.pops):
        yield _IRQ


def _begins(fn: Summary, delta: Delta, part: str, rules: Rulebook, rt: bool) -> bool:
    """Whether a function begins a section by a call of its own that a rule tells."""
    locks = {lock.loc for lock in delta.locks if part in _restricts(lock.kind, rules, rt)}
    at = {_IRQ: {delta.irq_loc}, "preempt": {delta.pre_loc} | locks}.get(part, locks)
    at = {loc for loc in at if loc >= 0}
    return any(
        part in _restricts_by(edge.symbol, rules, rt)
        for edge in fn.edges
        if edge.symbol and (not at or edge.loc in at)
    )


def _restricts_by(symbol: str, rules: Rulebook, rt: bool) -> set[str]:
    """The parts of the context that a call restricts by its rule."""
    rule = rules.api(symbol)
    found: set[str] = set()
    for phrase in rule.effects(rt) if rule is not None else ():
        if isinstance(phrase, effects.Lock):
            found |= _restricts(phrase.kind, rules, rt)
        else:
            found |= _part(phrase)
    return found


def _restricts(kind: str, rules: Rulebook, rt: bool) -> set[str]:
    """The parts of the context that holding a lock restricts."""
    phrases = rules.phrases(kind, rt) if kind in rules.locks else ()
    return {part for phrase in phrases for part in _part(phrase)}


def _part(phrase: effects.Effect) -> set[str]:
    if isinstance(phrase, effects.Count):
        return {phrase.counter} if phrase.delta > 0 else set()
    off = isinstance(phrase, effects.IrqSave) or phrase == effects.Irq(off=True)
    return {_IRQ} if off else set()


def _is_cut(violation: Violation) -> bool:
    """Whether a step of the way, or the operation, depends on arguments of a function whose
    arguments a limit has dropped."""
    cut = False
    for node in nodes_of(violation):
        if cut and node.point is not None and _asks_arguments(node.point):
            return True
        cut |= node.cut
    return cut and (
        _asks_arguments(violation.point)
        or any(case.when for case in violation.need.rule.api.requires)
    )


def _asks_arguments(point: Point) -> bool:
    return any(params(guard.value) for guard in point.guards)
