# SPDX-License-Identifier: GPL-2.0-or-later
"""What became of the findings between two states of a tree.

Two findings are the same if their fingerprints are, wherever they are. In addition,
code that moved to another function or file takes its finding along, and an
operation that slept on every kernel and now sleeps on PREEMPT_RT alone is one bug
that was partly fixed, not one fixed and another introduced.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable

import msgspec

from ctxlint.findings.model import Finding


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """One finding before and after."""

    before: Finding
    after: Finding


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Findings of two states, in the order of a report.

    ``introduced`` and ``fixed`` are in one state only. ``partly_fixed`` were a bug on every
    kernel and are one on PREEMPT_RT kernels now. ``moved`` are the same at another
    place, ``kept`` the same at the same; ``renamed`` maps the fingerprint before to the
    one after where they differ.
    """

    introduced: tuple[Finding, ...] = ()
    fixed: tuple[Finding, ...] = ()
    partly_fixed: tuple[Pair, ...] = ()
    moved: tuple[Pair, ...] = ()
    kept: tuple[Finding, ...] = ()
    renamed: dict[str, str] = {}


def compare(before: Iterable[Finding], after: Iterable[Finding]) -> Comparison:
    """Sort the findings of two states of one tree, made under the same profiles."""
    old, new = list(before), list(after)
    pairs: list[Pair] = []
    partly_fixed: list[Pair] = []
    _match(old, new, pairs, lambda f: (_identity(f), _line(f)))
    _match(old, new, pairs, _identity)
    _match(old, new, pairs, lambda f: (*_what(f), _line(f) or _place(f)))
    _match_by_cause(old, new, pairs)
    always = [f for f in old if not f.rt_only]
    only_rt = [f for f in new if f.rt_only]
    _match(always, only_rt, partly_fixed, lambda f: (f.file, f.function, f.callee, _entry(f)))
    _match(always, only_rt, partly_fixed, lambda f: (f.file, f.function, _entry(f)))
    return Comparison(
        introduced=(
            *(new_one for new_one in new if _not_in(new_one, partly_fixed)),
            *(spread for pair in _ordered(pairs) for spread in _new_causes(pair)),
        ),
        fixed=tuple(old_one for old_one in old if _not_in(old_one, partly_fixed)),
        partly_fixed=_ordered(partly_fixed),
        moved=_ordered(p for p in pairs if _place(p.before) != _place(p.after)),
        kept=tuple(p.after for p in _ordered(pairs) if _place(p.before) == _place(p.after)),
        renamed={
            p.before.fingerprint: p.after.fingerprint
            for p in _ordered(pairs)
            if p.before.fingerprint != p.after.fingerprint
        },
    )


def _match_by_cause(old: list[Finding], new: list[Finding], pairs: list[Pair]) -> None:
    """A finding whose shortest path is another one now is the same when a cause is."""

    def same_place(f: Finding) -> tuple[object, ...]:
        return (f.check, f.file, f.function, f.callee, f.operation)

    for finding in list(new):
        for before in old:
            if same_place(before) == same_place(finding) and _causes(before) & _causes(finding):
                pairs.append(Pair(before=before, after=finding))
                _remove(old, before)
                _remove(new, finding)
                break


def _causes(f: Finding) -> set[tuple[str, str]]:
    return {(cause.function, cause.entry) for cause in f.causes}


def _new_causes(pair: Pair) -> Iterable[Finding]:
    """An operation that was one bug and is reached from one more place now: fixing the old
    bug leaves the new one. It is reported with the path from there."""
    known = _causes(pair.before)
    for cause in pair.after.causes if known else ():
        if (cause.function, cause.entry) in known:
            continue
        name = f"{pair.after.fingerprint} {cause.function} {cause.entry}"
        yield msgspec.structs.replace(
            pair.after,
            message=f"{pair.after.message}; now from {cause.function}() too",
            path=cause.path or pair.after.path,
            fingerprint=hashlib.sha256(name.encode()).hexdigest()[:32],
            causes=(cause,),
        )


def _not_in(finding: Finding, pairs: Iterable[Pair]) -> bool:
    return all(finding is not p.before and finding is not p.after for p in pairs)


def _match(
    old: list[Finding],
    new: list[Finding],
    pairs: list[Pair],
    key: Callable[[Finding], tuple[object, ...]],
) -> None:
    """Take out of both lists what agrees in ``key``, in the order of the source."""
    waiting: dict[tuple[object, ...], list[Finding]] = defaultdict(list)
    for finding in old:
        waiting[key(finding)].append(finding)
    for finding in list(new):
        candidates = waiting.get(key(finding))
        if candidates:
            before = candidates.pop(0)
            pairs.append(Pair(before=before, after=finding))
            _remove(old, before)
            _remove(new, finding)


def _remove(findings: list[Finding], finding: Finding) -> None:
    findings[:] = [f for f in findings if f is not finding]


def _identity(f: Finding) -> tuple[object, ...]:
    """What the fingerprint is made of, without the count of equal ones: with a second
    call before the first, the line says which of the two is new."""
    return (f.file, f.function, *_what(f))


def _what(f: Finding) -> tuple[object, ...]:
    return (f.check, f.callee, f.operation, _entry(f))


def _entry(f: Finding) -> tuple[object, ...]:
    return (f.entry.function, f.entry.kind, f.context.section)


def _line(f: Finding) -> str:
    return "".join(f.text.split())


def _place(f: Finding) -> tuple[str, str, int]:
    return (f.file, f.function, f.line)


def _ordered(pairs: Iterable[Pair]) -> tuple[Pair, ...]:
    return tuple(
        sorted(pairs, key=lambda p: (p.after.file, p.after.line, p.after.column, p.after.check))
    )
