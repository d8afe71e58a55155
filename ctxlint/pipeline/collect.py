# SPDX-License-Identifier: GPL-2.0-or-later
"""From violations to findings: one per place, with the most convincing path."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from pathlib import Path

import msgspec

from ctxlint.analysis import callers as callers_of
from ctxlint.analysis import witness
from ctxlint.analysis.callers import SITES_MAX, Callers
from ctxlint.analysis.nodes import Violation
from ctxlint.analysis.possible import is_possible
from ctxlint.analysis.propagate import Propagation
from ctxlint.base.faults import reason_of
from ctxlint.base.reading import read_regular
from ctxlint.checks import base as checks
from ctxlint.facts.limits import in_words
from ctxlint.findings.fingerprint import with_fingerprints
from ctxlint.findings.model import (
    Cause,
    Evidence,
    Finding,
    Incomplete,
    Step,
    UnknownCallee,
    UntoldMember,
)
from ctxlint.ir.unit import Fault
from ctxlint.rulebook.book import Rulebook
from ctxlint.semantics.waits import Wait

_UNREGISTERED_COST = 2
"""A way from a registered entry point is worth this many more calls than a
section that the function opens itself."""


Lost = Callable[[Fault], None]


def findings_of(
    violations: Iterable[Violation],
    rules: Rulebook,
    rt: bool,
    profile: str,
    source: witness.SourceLine,
    reported: Callable[[str], bool],
    lost: Lost | None = None,
    callers: Callers | None = None,
) -> list[Finding]:
    """Findings of one profile, without fingerprints.

    ``reported`` says whether a file is among the audited ones; ``lost`` is told which
    violation a defect of ours costs (without it, that is raised). ``callers`` tell from
    where else an operation is reached.
    """
    found = with_others(violations, rules, rt, profile, source, reported, lost, callers)
    return [finding for finding, _ in found]


def with_others(
    violations: Iterable[Violation],
    rules: Rulebook,
    rt: bool,
    profile: str,
    source: witness.SourceLine,
    reported: Callable[[str], bool],
    lost: Lost | None = None,
    callers: Callers | None = None,
) -> list[tuple[Finding, tuple[Violation, ...]]]:
    """The same, each with all violations that it stands for; the first is the one that
    it tells of."""
    checks.checks()  # one that is wrong is no defect of each finding
    same: dict[tuple[object, ...], list[Violation]] = {}
    best: dict[tuple[object, ...], tuple[tuple[object, ...], Violation, witness.Site, str]] = {}
    for violation in violations:
        try:
            site = witness.site_of(violation, reported)
            if site is None:
                continue
            shown = witness.callee_name(site, violation.need.rule.show, source)
        except Exception as error:
            _lose(violation, error, lost)
            continue
        level = violation.need.level
        key = (site.fn.symbol, site.loc.file, site.loc.line, site.loc.col, shown, level)
        same.setdefault(key, []).append(violation)
        root = violation.node
        while root.parent is not None:
            root = root.parent
        cost = (
            _doubt(violation, rules),
            violation.node.depth + (0 if root.entry is not None else _UNREGISTERED_COST),
            not violation.need.certain,
            root.entry is None,
            root.fn.symbol,
            repr(root.entry),
        )
        if key not in best or cost < best[key][0]:
            best[key] = (cost, violation, site, shown)
    out = []
    for place, (_, violation, site, shown) in sorted(best.items(), key=lambda kv: repr(kv[0])):
        try:
            finding = _finding(violation, site, shown, rules, rt, profile, source, callers)
        except Exception as error:
            _lose(violation, error, lost)
            continue
        if finding is not None:
            others = (other for other in same[place] if other is not violation)
            out.append((finding, (violation, *others)))
    kept = {id(f) for f in _without_doubles([f for f, _ in out])}
    return [pair for pair in out if id(pair[0]) in kept]


def _doubt(violation: Violation, rules: Rulebook) -> int:
    """The path that is shown is one that is certain, if there is one."""
    if is_possible(violation, rules):
        return 2
    return 0 if violation.node.sure else 1


def _lose(violation: Violation, error: Exception, lost: Lost | None) -> None:
    if lost is None:
        raise error
    fn = violation.node.fn
    lost(Fault(fn.file, fn.line, fn.name, reason_of(error)))


def _finding(
    violation: Violation,
    site: witness.Site,
    shown: str,
    rules: Rulebook,
    rt: bool,
    profile: str,
    source: witness.SourceLine,
    callers: Callers | None,
) -> Finding | None:
    need = violation.need
    on_rt = need.level == Wait.CONFIG
    info = witness.context_info(violation, rules)
    judged = checks.Violation(
        level="config" if on_rt else "sleep",
        rt=rt,
        operation=need.rule.api.operation,
        certainty="certain" if need.certain else "may",
        callee=shown,
        function=site.fn.name,
        context=info,
        held=_held(info.text, witness.rcu_locks(violation, rules, rt)),
        entry=witness.entry_of(violation),
        facts=violation,
    )
    check = checks.reporting(judged)
    if check is None:
        return None
    happens = check.happens(judged)
    finding = Finding(
        check=check.id,
        severity=check.severity(judged),
        profiles=(profile,),
        rt_only=on_rt,
        message=check.message(judged),
        file=site.loc.file,
        line=site.loc.line,
        column=site.loc.col,
        function=judged.function,
        callee=shown,
        operation=judged.operation,
        why=_why(violation, rules, on_rt),
        certainty=judged.certainty,
        entry=judged.entry,
        context=info,
        path=witness.steps(
            violation, rules, rt, need.rule.show if site.inner else shown, happens, source
        ),
        assumptions=witness.assumptions(violation),
        among=witness.among(violation),
        possible=is_possible(violation, rules),
        origin=witness.origin(violation, rules, rt),
        fingerprint="",
        text=source(site.loc.file, site.loc.line),
    )
    if callers is None:
        return finding
    causes = _causes(callers.causes(violation, rt), finding, happens, rules, rt, source)
    return msgspec.structs.replace(finding, causes=causes)


def _causes(
    found: list[callers_of.Cause],
    finding: Finding,
    happens: str,
    rules: Rulebook,
    rt: bool,
    source: witness.SourceLine,
) -> tuple[Cause, ...]:
    """The causes of a finding, that of its own path first."""
    shown = [(step.function, step.file, step.line) for step in finding.path]
    out = []
    for cause in found:
        loc = cause.fn.locs[cause.edge.loc]
        own = (cause.fn.name, loc.file, loc.line) in shown
        path: tuple[Step, ...] = ()
        if not own:
            path = witness.steps(cause.violation, rules, rt, finding.callee, happens, source)
        out.append(
            Cause(
                function=cause.fn.name,
                file=loc.file,
                line=loc.line,
                entry=cause.kind,
                path=path,
            )
        )
    return tuple(sorted(out, key=lambda c: bool(c.path)))


_RCU = "RCU read side"


def _held(text: str, locks: list[str]) -> str:
    """The execution context for a headline. On PREEMPT_RT a spinlock_t is an RCU read-side
    section, but the lock is what its reader looks for; ``locks`` are such locks."""
    words = text.partition(": ")[2] or text
    if _RCU in words and locks:
        words = words.replace(_RCU, f"{locks[-1]} held")
    return words if words.startswith("in ") else f"with {words}"


def _why(violation: Violation, rules: Rulebook, on_rt: bool) -> str:
    if violation.need.why:
        return violation.need.why
    operation = rules.operations.get(violation.need.rule.api.operation)
    if operation is None:
        return ""
    return (operation.why_rt if on_rt else operation.why_sleep) or operation.why_sleep


def _without_doubles(findings: list[Finding]) -> list[Finding]:
    """At one call, an operation that always sleeps covers its PREEMPT_RT half."""
    always = {(f.file, f.line, f.column, f.callee) for f in findings if not f.rt_only}
    return [
        f
        for f in findings
        if not f.rt_only or (f.file, f.line, f.column, f.callee) not in always
    ]


def merge(per_profile: Iterable[list[Finding]]) -> tuple[Finding, ...]:
    """One finding for what several profiles say, with all their names."""
    found: dict[tuple[object, ...], Finding] = {}
    for findings in per_profile:
        for f in with_fingerprints(findings):
            key = (f.fingerprint, f.line, f.column)
            if key in found:
                old = found[key]
                evidence = (*old.evidence, *f.evidence)
                found[key] = msgspec.structs.replace(
                    old,
                    profiles=tuple(sorted({*old.profiles, *f.profiles})),
                    evidence=evidence,
                    verdict=strongest(evidence),
                    causes=_together(old.causes, f.causes),
                    among=min(old.among, f.among),
                    possible=old.possible and f.possible,
                )
            else:
                found[key] = f
    return with_fingerprints(found.values())


def _together(mine: tuple[Cause, ...], theirs: tuple[Cause, ...]) -> tuple[Cause, ...]:
    known = {(c.function, c.entry) for c in mine}
    return (*mine, *(c for c in theirs if c.path and (c.function, c.entry) not in known))


_STRENGTH = (
    "confirmed", "reached", "unmodelled", "not reproduced within bounds", "refuted",
)  # fmt: skip


def strongest(evidence: Iterable[Evidence]) -> str | None:
    """One verdict for several profiles: refuted only if it is under each of them."""
    verdicts = {e.verdict for e in evidence}
    return next((word for word in _STRENGTH if word in verdicts), None)


def merge_unknown(
    groups: Iterable[tuple[UnknownCallee, ...]],
) -> tuple[UnknownCallee, ...]:
    found: dict[tuple[str, str], UnknownCallee] = {}
    for group in groups:
        for item in group:
            key = (item.callee, item.reason)
            old = found.get(key)
            found[key] = (
                item
                if old is None
                else UnknownCallee(
                    callee=item.callee,
                    reason=item.reason,
                    count=old.count + item.count,
                    example=min(old.example, item.example),
                )
            )
    return tuple(found[key] for key in sorted(found))


def limited(run: Propagation, profile: str) -> tuple[Incomplete, ...]:
    """Functions in which a limit of the analysis dropped something."""
    return tuple(
        Incomplete(
            file=fn.file,
            profile=profile,
            reason=f"{fn.name}(): {in_words(what, count)}",
            kind="limit",
            function=fn.name,
            line=fn.line,
        )
        for symbol, found in sorted(run.losses.items())
        if (fn := run.program.functions.get(symbol)) is not None
        for what, count in sorted(found.items())
    )


def cut_sites(callers: Callers, profile: str) -> tuple[Incomplete, ...]:
    """Functions with an operation that is not reported at every call that leads to it."""
    return tuple(
        Incomplete(
            file=fn.file,
            profile=profile,
            reason=f"{fn.name}(): more than {SITES_MAX} calls in audited files lead to an "
            "operation in it; only the nearest are reported",
            kind="limit",
            function=fn.name,
            line=fn.line,
        )
        for _, fn in sorted(callers.cut.items())
    )


def merge_untold(groups: Iterable[tuple[UntoldMember, ...]]) -> tuple[UntoldMember, ...]:
    """Of each member what the profile says that has most functions in it."""
    found: dict[str, UntoldMember] = {}
    for item in (item for group in groups for item in group):
        old = found.setdefault(item.member, item)
        if item.count > old.count:
            found[item.member] = item
    return tuple(found[member] for member in sorted(found))


def text_reader(
    tree: Path, contents: Mapping[str, bytes | None] | None = None
) -> Callable[[str], str | None]:
    """Reads files of the tree; None for what cannot be read.

    ``contents`` are files that have another text than on the disk (None: no file).
    """
    given = contents or {}

    def text(file: str) -> str | None:
        try:
            data = given[file] if file in given else read_regular(tree / file)
        except (OSError, ValueError):  # a name with a NUL in it
            return None
        return None if data is None else data.decode("utf-8", "replace")

    return text


def source_reader(
    tree: Path, contents: Mapping[str, bytes | None] | None = None
) -> witness.SourceLine:
    """Reads lines of the tree's files; ``""`` for what cannot be read.

    ``contents`` as in :func:`text_reader`.
    """
    read = text_reader(tree, contents)

    @lru_cache(maxsize=512)
    def lines(file: str) -> list[str]:
        # As the compiler counts: a form feed or another separator ends no line.
        return [line.removesuffix("\r") for line in (read(file) or "").split("\n")]

    def line(file: str, number: int) -> str:
        text = lines(file)
        return text[number - 1] if 0 < number <= len(text) else ""

    return line
