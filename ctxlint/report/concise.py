# SPDX-License-Identifier: GPL-2.0-or-later
"""One line per finding, for a terminal, grep and editors; counts instead of findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ctxlint.findings.model import Finding, Result, State
from ctxlint.report import text
from ctxlint.report.clean import clean
from ctxlint.report.ranking import by_origin
from ctxlint.report.witness import call_of, state_of, what_sleeps, words_of_origin

WIDTH = 100
"""Columns of a line; a long path may need more."""

_MOST = 20
_SEVERITIES = ("error", "warning")


def render(result: Result, *, colour: bool = False) -> str:
    """``file:line:column: severity: what, in which context [check]``, then the summary."""
    lines = [_line(finding) for finding in result.findings]
    return "".join(
        text.paint(line, colour) + "\n" for line in [*lines, *text.summary(result, text.WIDTH)]
    )


def statistics(result: Result, *, colour: bool = False) -> str:
    """How many findings there are of each check, operation and origin, the most first."""
    found = result.findings
    rows: list[text.Line] = []
    rows += _table("Checks", Counter(f.check for f in found))
    rows += _table("Operations", Counter(call_of(f.callee) for f in found if f.operation))
    origins = Counter[str]()
    for group in by_origin([f for f in found if f.origin is not None], lambda f: f):
        words, place = words_of_origin(group)
        origins[f"{words} ({place})"] += len(group)
    rows += _table("Origins", origins)
    rows += text.summary(result, text.WIDTH)
    return "".join(text.paint(row, colour) + "\n" for row in rows)


def _table(title: str, counts: Counter[str]) -> list[text.Line]:
    if not counts:
        return []
    rows: list[text.Line] = [(("label", title),)]
    most = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    rows += [(("", f"{count:>6}  {clean(name)}"),) for name, count in most[:_MOST]]
    if len(most) > _MOST:
        rows.append((("", f"        and {len(most) - _MOST} more"),))
    return [*rows, ()]


def _line(finding: Finding) -> text.Line:
    place = clean(f"{finding.file}:{finding.line}:{finding.column}:")
    check = clean(f"[{finding.check}]")
    room = WIDTH - len(place) - len(finding.severity) - len(check) - 4
    words = clean(_words(finding, room))
    if len(words) > room and not finding.operation:
        words = words[: max(room - 3, 20)] + "..."
    return [
        ("place", place),
        ("", " "),
        (finding.severity, f"{clean(finding.severity)}:"),
        ("", f" {words} "),
        ("check", check),
    ]


def _words(finding: Finding, room: int) -> str:
    """What happens and in which context; a place that leaves no room for that loses it."""
    if not finding.operation:
        return finding.message
    state = finding.path[-1].state if finding.path else None
    where = _strictest(state) if state is not None else state_of(finding.context.text)
    words = f"{what_sleeps(finding)}, {where}"
    return words if len(words) <= room else what_sleeps(finding)


def _strictest(state: State) -> str:
    """The part of a context that says most, in one or two words."""
    parts: Sequence[tuple[bool, str]] = (
        (state.nmi, "in NMI"),
        (state.hardirq, "in hardirq"),
        (bool(state.locks), f"{state.locks[-1].split()[-1]} held" if state.locks else ""),
        (state.irqs == "off", "IRQs off"),
        (state.softirq, "in softirq"),
        (not state.preempt, "preemption off"),
        (state.bh_disabled, "BH off"),
        (state.rcu, "RCU read side"),
    )
    return next((words for holds, words in parts if holds), "atomic")
