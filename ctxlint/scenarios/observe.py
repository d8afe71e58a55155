# SPDX-License-Identifier: GPL-2.0-or-later
"""What was seen, in the words of a scenario: verdicts, and whether it was as expected."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ctxlint.scenarios.schema import Expect, Line, Match
from ctxlint.simulator.memory import Fault
from ctxlint.simulator.outcome import Crashed, Hang, OutOfFuel, Unmodelled
from ctxlint.simulator.runtime.state import Report

Seen = tuple[int, Report]
_ENDINGS = ("HANG", "BUG", "UNMODELLED", "LINT")
"""Verdicts that say how a run ended."""
_RACES = ("race", "lost-state")
_SPLATS = ("sleeping", "scheduling-while-atomic", "warn", "cant-sleep", "bug", "irq-state")


def matches(match: Match, seen: Seen) -> bool:
    """Whether a report is one of those meant."""
    generation, report = seen
    return (
        (not match.kind or report.kind == match.kind)
        and match.headline in report.headline
        and (not match.task or report.task == match.task)
        and (match.cpu < 0 or report.cpu == match.cpu)
        and subsequence(match.frames, report.trace)
        and all(report.context.get(key) == value for key, value in match.context.items())
        and (match.printed is None or report.printed == match.printed)
        and (match.certain is None or report.certain == match.certain)
        and match.suppressed in report.suppressed
        and (not match.generation or generation == match.generation)
        and all(report.facts.get(key) == value for key, value in match.facts.items())
    )


def subsequence(part: Sequence[str], whole: Iterable[str]) -> bool:
    rest = iter(whole)
    return all(any(name == other for other in rest) for name in part)


def verdict(reports: Sequence[Seen], ending: BaseException | None) -> str:
    """The word for a run (those of the reports that matter, how it ended)."""
    if isinstance(ending, Unmodelled):
        return "UNMODELLED"
    kinds = {report.kind for _, report in reports}
    if "corruption" in kinds:
        return "CORRUPTION"
    if isinstance(ending, Hang | OutOfFuel):
        return "HANG"
    if isinstance(ending, Crashed | Fault):
        return "BUG"
    if not kinds.isdisjoint(_RACES):
        return "RACE"
    splats = [report for _, report in reports if report.kind in _SPLATS]
    if any(report.printed and report.certain for report in splats):
        return "CONFIRMED_SPLAT"
    if any(report.certain for report in splats):
        return "CONFIRMED_SILENT"
    return "CONFIRMED_COND" if splats else "REFUTED"


NOTHING_RUN = frozenset(("UNMODELLED", "LINT"))
"""Verdicts that say nothing of what the driver does."""


def selected(expect: Expect, reports: Sequence[Seen]) -> list[Seen]:
    """The reports that the verdict is about."""
    about = expect.about
    return [seen for seen in reports if about is None or matches(about, seen)]


def differences(
    expect: Expect,
    found: str,
    reports: Sequence[Seen],
    log: Sequence[tuple[int, str]],
    facts: dict[str, Any],
    returns: dict[str, Any],
    ending: str,
) -> list[str]:
    """What is not as expected, one line each."""
    out = []
    if found != expect.verdict:
        out.append(f"verdict {found}, expected {expect.verdict}")
        if found in NOTHING_RUN:
            # The rest would be told of the driver, and it was not run to an end.
            return [*out, f"ended early: {ending}"]
    for wanted in expect.reports:
        number = sum(matches(wanted, seen) for seen in reports)
        if number != wanted.count if wanted.count >= 0 else not number:
            like = f"{number} reports like {_text(wanted)}"
            out.append(f"{like}, expected {_count(wanted.count)}")
    for line in expect.log:
        number = _lines(line, log)
        if number != line.count if line.count >= 0 else not number:
            where = f" of kernel {line.generation}" if line.generation else ""
            out.append(
                f"{number} lines {line.text!r} in the log{where}, expected {_count(line.count)}"
            )
    for what, given, asked in (("fact", facts, expect.facts), ("", returns, expect.returns)):
        for key, value in asked.items():
            if key not in given:
                out.append(f"{what} {key}: not known, expected {value}".lstrip())
            elif given[key] != value:
                out.append(f"{what} {key}: {given[key]}, expected {value}".lstrip())
    if expect.ending not in ending:
        out.append(f"ended with {ending or 'nothing special'!r}, expected {expect.ending!r}")
    elif ending and not expect.ending and expect.verdict not in _ENDINGS:
        out.append(f"ended early: {ending}")
    return out


def _lines(line: Line, log: Sequence[tuple[int, str]]) -> int:
    return sum(
        line.text in text and (not line.generation or line.generation == number)
        for number, text in log
    )


def _count(count: int) -> str:
    return str(count) if count >= 0 else "some"


def _text(match: Match) -> str:
    parts = [
        f"{name}={value}"
        for name in match.__struct_fields__
        if (value := getattr(match, name)) not in ("", -1, (), {}, None, 0) and name != "count"
    ]
    return "{" + ", ".join(parts) + "}"


__all__ = ["Seen", "differences", "matches", "selected", "subsequence", "verdict"]
