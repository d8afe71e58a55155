# SPDX-License-Identifier: GPL-2.0-or-later
"""The calls around a function, or around a finding, under each profile."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import groupby

from ctxlint.analysis import witness
from ctxlint.analysis.neighbours import GraphMaker
from ctxlint.analysis.nodes import Violation
from ctxlint.base.errors import UsageError
from ctxlint.base.request import Progress, Request
from ctxlint.findings.graph import CallGraph, FunctionGraphs
from ctxlint.findings.model import Finding, Result
from ctxlint.pipeline.profile import ProfileRun
from ctxlint.pipeline.run import audit
from ctxlint.pipeline.session import Session

_FINGERPRINT = re.compile(r"[0-9a-f]{8,32}")


def graph(
    request: Request, target: str, progress: Progress, limit: int
) -> tuple[FunctionGraphs, ...]:
    session = Session.of(request)
    chosen: Finding | None = None
    answers: dict[str, list[CallGraph]] = {}
    contexts: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
    if _FINGERPRINT.fullmatch(target):
        chosen = _one_finding(audit(request, progress), target)
    with session.open_store(progress) as store:
        for profile in session.profiles(progress):
            if chosen is not None and profile.spec_name not in chosen.profiles:
                continue
            index = session.index(profile, store, progress)
            whole = ProfileRun(session, profile, index, store, progress)
            maker = GraphMaker(
                whole.propagate(lambda _: None),
                whole.rules,
                profile.rt,
                profile.spec_name,
                _drawn(whole.reported, chosen),
            )
            symbols = maker.symbols(chosen.function if chosen is not None else target)
            for symbol in symbols:
                drawn = maker.graph(symbol, limit)
                if chosen is not None and drawn.node(symbol).file != chosen.file:
                    continue
                answers.setdefault(symbol, []).append(drawn)
                contexts.setdefault(symbol, []).append(
                    (profile.spec_name, maker.contexts(symbol))
                )
    if not answers:
        raise UsageError(
            f"no function {target}() in {' '.join(session.paths)}",
            hint="after the function, name the file or directory that defines it",
        )
    return tuple(
        FunctionGraphs(
            symbol=symbol, graphs=tuple(answers[symbol]), contexts=tuple(contexts[symbol])
        )
        for symbol in sorted(answers)
    )


def _one_finding(result: Result, digits: str) -> Finding:
    """Raises UsageError when not exactly one finding has that fingerprint."""
    found = [f for f in result.findings if f.fingerprint.startswith(digits)]
    if len(found) != 1:
        what = "several findings have" if found else "no finding has"
        raise UsageError(
            f"{what} the fingerprint {digits}",
            hint="ctxlint audit shows them; give the same paths and options here",
        )
    return found[0]


def _drawn(
    reported: Callable[[str], bool], chosen: Finding | None
) -> Callable[[Violation], bool]:
    """Which violations are drawn: those that an audit reports, or those that go
    the way of a finding."""
    way: list[str] = []
    if chosen is not None:
        steps = (step for step in chosen.path if step.kind != "registration")
        way = [function for function, _ in groupby(step.function for step in steps)]

    def wanted(violation: Violation) -> bool:
        site = witness.site_of(violation, reported)
        if site is None or chosen is None:
            return site is not None
        names = (node.fn.name for node in witness.nodes_of(violation))
        return (
            (site.loc.file, site.loc.line, site.loc.col)
            == (chosen.file, chosen.line, chosen.column)
            and witness.entry_of(violation) == chosen.entry
            and [name for name, _ in groupby(names)] == way
        )

    return wanted
