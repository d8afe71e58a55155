# SPDX-License-Identifier: GPL-2.0-or-later
"""What the HTML page shows, put in order for its template."""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ctxlint.findings.checkdoc import CheckDoc
from ctxlint.findings.model import Finding, Result, Step
from ctxlint.findings.selection import NOT_SELECTED
from ctxlint.report.lane import STATES, Lane, Picture, Row, lane_of, level, picture_of
from ctxlint.report.ranking import by_origin
from ctxlint.report.source_link import SourceLink
from ctxlint.report.text import finding_text, split_at_callee
from ctxlint.report.witness import context_changes, note_of, state_of, words_of_origin

_AROUND = 3
"""Lines of source shown before and after the line of a finding."""

_AROUND_STEP = 2
_SEVERITIES = ("error", "warning", "note")
_OPEN = 3
"""A report of so few findings shows them opened."""

NO_VERDICT = "not run"


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the result itself does not know.

    ``source``: text of a line of a file of the tree (``""``: cannot be read),
    for the lines around a finding; they are shown only where the line itself is
    the one that the finding has. ``source_url``: see :class:`SourceLink`.
    """

    source: Callable[[str, int], str] | None = None
    source_url: str | None = None


@dataclass(frozen=True)
class Line:
    """A line of an excerpt; ``mark`` is the part to point at, ``here`` the line
    that is spoken of."""

    number: int
    before: str
    mark: str
    after: str
    here: bool


@dataclass(frozen=True, kw_only=True)
class StepView:
    """``picture`` is the number of what is drawn beside it, from 1."""

    number: int
    anchor: str
    step: Step
    note: str
    title: str
    words: str
    level: str
    row: Row
    picture: int
    excerpt: tuple[Line, ...]
    url: str


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What the executable model says of a finding."""

    verdict: str
    css: str
    summary: str = ""
    values: tuple[str, ...] = ()
    splat: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Card:
    """One finding. ``order`` is its number on the page, from 1. Its message is ``title``
    and ``rest``, the entry point; ``shown``: the heading of its origin names that."""

    order: int
    anchor: str
    finding: Finding
    severity: str
    check_name: str
    help_uri: str
    url: str
    excerpt: tuple[Line, ...]
    lane: Lane
    steps: tuple[StepView, ...]
    level: str
    evidence: Evidence
    text: tuple[str, ...]
    open: bool
    title: str
    rest: str
    shown: bool = False


@dataclass(frozen=True)
class Group:
    """Cards of one origin, or of one file; ``note`` says more about it."""

    title: str
    note: str
    cards: tuple[Card, ...]


@dataclass(frozen=True)
class Hidden:
    """A finding that is not among the reported ones; ``why`` says by what."""

    finding: Finding
    why: str


@dataclass(frozen=True, kw_only=True)
class Page:
    """``pictures`` are those that the steps name, each once."""

    pictures: tuple[Picture, ...]
    groups: tuple[Group, ...]
    files: tuple[Group, ...]
    counts: tuple[tuple[str, int, str], ...]
    severities: tuple[str, ...]
    checks: tuple[str, ...]
    profiles: tuple[str, ...]
    verdicts: tuple[str, ...]
    legend: tuple[tuple[str, str], ...]
    unknown_calls: int
    states: tuple[str, ...]
    hidden: tuple[Hidden, ...]
    not_selected: int


def page_of(result: Result, docs: Sequence[CheckDoc], options: Options) -> Page:
    """Raises UsageError for a bad ``options.source_url``."""
    link = SourceLink(options.source_url, result.tree) if options.source_url else None
    known = {doc.id: doc for doc in docs}
    names = Counter[str]()
    pictures: dict[Picture, int] = {}
    cards = []
    for order, finding in enumerate(_worst_origin_first(result.findings), 1):
        digits = "".join(c for c in finding.fingerprint if c in string.hexdigits)
        anchor = f"f-{digits[:12]}"
        names[anchor] += 1
        if names[anchor] > 1:
            anchor += f"_{names[anchor]}"
        few = len(result.findings) <= _OPEN
        cards.append(
            _card(
                finding, order, anchor, known.get(finding.check), link, options, few, pictures
            )
        )
    found = result.findings
    return Page(
        pictures=tuple(pictures),
        groups=_by_origin(cards),
        files=_by_file(cards),
        counts=_counts(cards),
        severities=tuple(s for s in _SEVERITIES if any(c.severity == s for c in cards)),
        checks=tuple(sorted({f.check for f in found})),
        profiles=tuple(sorted({p for f in found for p in f.profiles})),
        verdicts=tuple(sorted({c.evidence.verdict for c in cards})),
        legend=_legend(cards),
        unknown_calls=sum(u.count for u in result.unknown_callees),
        states=tuple(sorted({f.baseline_state for f in found if f.baseline_state})),
        hidden=tuple(Hidden(finding, _hidden_by(finding)) for finding in result.hidden),
        not_selected=_number(result.statistics.get(NOT_SELECTED, 0)),
    )


def _worst_origin_first(findings: Sequence[Finding]) -> list[Finding]:
    """Origins that have an error before those that have none; else the order they had."""
    groups = by_origin(findings, lambda finding: finding)
    groups.sort(key=lambda group: all(finding.severity != "error" for finding in group))
    return [finding for group in groups for finding in group]


def _hidden_by(finding: Finding) -> str:
    reasons = []
    for item in finding.suppressed:
        by = "a comment" if item.kind == "inSource" else "the baseline"
        place = f" at {item.file}:{item.line}" if item.file and item.line else ""
        reasons.append(f"by {by}{place}" + (f": {item.reason}" if item.reason else ""))
    return "; ".join(reasons)


def _number(value: int | float | str) -> int:
    return value if isinstance(value, int) else 0


def evidence_of(finding: Finding) -> Evidence:
    """The one place that knows where a verdict comes from."""
    verdict = finding.verdict or NO_VERDICT
    css = {"confirmed": "bad", "reached": "bad", "refuted": "good", NO_VERDICT: "none"}.get(
        verdict, "open"
    )
    shown = next((e for e in finding.evidence if e.verdict == verdict), None)
    if shown is None:
        return Evidence(verdict=verdict, css=css)
    summary = shown.why
    if shown.assumed:
        summary += f" (assumed to return: {', '.join(shown.assumed)})"
    return Evidence(
        verdict=verdict,
        css=css,
        summary=summary,
        values=shown.values,
        splat=tuple(shown.splat.splitlines()),
    )


def _card(
    finding: Finding,
    order: int,
    anchor: str,
    doc: CheckDoc | None,
    link: SourceLink | None,
    options: Options,
    few: bool,
    pictures: dict[Picture, int],
) -> Card:
    lane = lane_of(finding)
    message, by, rest = finding.message.partition(f" ({finding.entry.function}()")
    changes = context_changes(finding.path)
    steps = []
    for index, step in enumerate(finding.path):
        title = step.context.partition(": ")[0] if ": " in step.context else ""
        # Parts that begin or end here are shown as such; words are for the rest.
        row = lane.rows[index]
        shown = row.begins or row.ends
        steps.append(
            StepView(
                number=index + 1,
                anchor=f"{anchor}-{index + 1}",
                step=step,
                note=note_of(finding, index),
                title=title if changes[index] else "",
                words="" if shown or not changes[index] else state_of(step.context),
                level=level(step.state),
                row=row,
                picture=pictures.setdefault(picture_of(row, step.kind), len(pictures) + 1),
                excerpt=_excerpt(step.file, step.line, step.text, _AROUND_STEP, options),
                url=link.to(step.file, step.line) if link else "",
            )
        )
    return Card(
        order=order,
        anchor=anchor,
        finding=finding,
        severity=finding.severity if finding.severity in _SEVERITIES else "note",
        check_name=doc.name if doc else "",
        help_uri=doc.help_uri if doc and doc.help_uri.startswith("https://") else "",
        url=link.to(finding.file, finding.line) if link else "",
        excerpt=_marked(finding, options),
        lane=lane,
        steps=tuple(steps),
        level=level(finding.path[-1].state if finding.path else None),
        evidence=evidence_of(finding),
        text=tuple(finding_text(finding).split("\n")),
        open=few,
        title=message,
        rest=by + rest,
    )


def _excerpt(
    file: str, line: int, text: str, around: int, options: Options
) -> tuple[Line, ...]:
    """The line with its neighbours, as far as they are known, without the
    indentation that all of them have."""
    lines = {line: text}
    source = options.source
    if source is not None and text.strip() and source(file, line).rstrip() == text.rstrip():
        for number in range(max(line - around, 1), line + around + 1):
            lines[number] = source(file, number)
        for order in (sorted(lines), sorted(lines, reverse=True)):
            for number in order:  # no empty lines at either end
                if lines[number].strip() or number == line:
                    break
                del lines[number]
    if not text.strip():
        return ()
    wide = {number: row.expandtabs(8).rstrip() for number, row in lines.items()}
    indents = [len(row) - len(row.lstrip()) for row in wide.values() if row.strip()]
    cut = min(indents, default=0)
    return tuple(
        Line(number, wide[number][cut:], "", "", number == line) for number in sorted(wide)
    )


def _marked(finding: Finding, options: Options) -> tuple[Line, ...]:
    """The excerpt of the finding itself, with its callee marked."""
    rows = _excerpt(finding.file, finding.line, finding.text, _AROUND, options)
    out = []
    for row in rows:
        if row.here:
            before, mark, after = split_at_callee(finding)
            indent = " " * (len(row.before) - len(row.before.lstrip()))
            row = Line(row.number, indent + before.lstrip(), mark, after, True)
        out.append(row)
    return tuple(out)


def _by_origin(all_cards: list[Card]) -> tuple[Group, ...]:
    known = [card for card in all_cards if card.finding.origin is not None]
    out = []
    for group in by_origin(known, lambda card: card.finding):
        title, place = words_of_origin([card.finding for card in group])
        cards = [replace(c, shown=f"{c.finding.entry.function}()" in title) for c in group]
        out.append(Group(title, place, tuple(cards)))
    rest = tuple(card for card in all_cards if card.finding.origin is None)
    if rest:
        out.append(Group("No entry point", "about the source, not about a path", rest))
    return tuple(out)


def _by_file(cards: list[Card]) -> tuple[Group, ...]:
    groups: dict[str, list[Card]] = {}
    for card in cards:
        groups.setdefault(card.finding.file, []).append(card)
    return tuple(Group(file, "", tuple(members)) for file, members in sorted(groups.items()))


def _counts(cards: list[Card]) -> tuple[tuple[str, int, str], ...]:
    """Label, number and colour of the figures at the top."""
    found = [("findings" if len(cards) != 1 else "finding", len(cards), "")]
    for severity in _SEVERITIES:
        many = sum(card.severity == severity for card in cards)
        if many:
            found.append((severity + ("s" if many != 1 else ""), many, severity))
    # A finding about a comment claims nothing of kernels.
    kernels = [card.finding.rt_only for card in cards if card.finding.operation]
    if kernels:
        found.append(("on every kernel", kernels.count(False), ""))
        found.append(("on PREEMPT_RT only", kernels.count(True), ""))
    verdicts = Counter(card.evidence.verdict for card in cards)
    css = {card.evidence.verdict: card.evidence.css for card in cards}
    for verdict in sorted(verdicts):
        if verdict != NO_VERDICT:
            found.append((verdict, verdicts[verdict], css[verdict]))
    return tuple(found)


def _legend(cards: list[Card]) -> tuple[tuple[str, str], ...]:
    """The colours that occur, with what they stand for."""
    used = {track.css for card in cards for track in card.lane.tracks}
    used |= {step.level for card in cards for step in card.steps}
    words = {**STATES, "task": "preemptible", "unknown": "not known"}
    return tuple((css, words[css]) for css in words if css in used)
