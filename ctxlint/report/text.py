# SPDX-License-Identifier: GPL-2.0-or-later
"""The report for people: one finding after the other, then a summary.

Findings of one origin (the same lock, callbacks of one registration) are grouped: the
first with its whole path, the others with what differs.

A finding is a headline that editors understand, the source line, the whole path
from the registration of the entry point to the operation, and what the claim
rests on. The text is built of spans, ``(role, text)``; colour is added at the
very end, to spans whose text was cleaned, so nothing of the analysed source can
reach the terminal as an escape sequence.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Sequence

from ctxlint.findings.model import Finding, Incomplete, Result, Step
from ctxlint.findings.selection import NOT_NEW, NOT_SELECTED
from ctxlint.report.clean import clean
from ctxlint.report.ranking import by_origin
from ctxlint.report.unseen import counted, sentence
from ctxlint.report.witness import (
    after_origin,
    call_of,
    context_changes,
    note_of,
    state_of,
    what_sleeps,
    words_of_origin,
)

Span = tuple[str, str]
"""A role (a key of the styles below, or ``""``) and the text that plays it."""

Line = Sequence[Span]

SOURCE_WIDTH = 120
"""Columns of a source line that is shown; kernel lines have fewer."""

WIDTH = 78
"""Columns; what mail and review of kernel patches are read in."""

_LISTED = 20
_VALUES = 6
_SHOWN_MEMBERS = 3
_STYLES = {
    "error": "1;31",
    "warning": "1;33",
    "place": "1",
    "check": "36",
    "gutter": "34",
    "context": "35",
    "label": "1",
}
# A step is shown with its source line where the words of the note leave out
# something the reader wants to recognise.
_WITH_SOURCE = frozenset({"registration", "indirect-call", "state"})


def render(result: Result, *, colour: bool = False, width: int = WIDTH) -> str:
    """The whole report, ending in a line break.

    ``colour`` adds ANSI colours; nothing else in the output depends on it.
    ``width`` is the column to wrap at, 0 for no wrapping.
    """
    lines: list[Line] = []
    for group in by_origin(result.findings, _itself):
        first, *others = group
        lines += finding_lines(first, width)
        lines.append(())
        if others:
            lines += _others(first, others, width)
    lines += _summary(result, width)
    return "".join(_paint(line, colour) + "\n" for line in lines)


def finding_text(finding: Finding, width: int = WIDTH) -> str:
    """One finding as plain text, for a mail; no line break at its end."""
    return "\n".join(_paint(line, colour=False) for line in finding_lines(finding, width))


def finding_lines(finding: Finding, width: int = WIDTH) -> list[Line]:
    """One finding as lines of spans."""
    lines: list[Line] = _headline(finding, width)
    lines += _source(finding)
    lines += _way(finding, width)
    lines += _grounds(finding, width)
    return lines


def _itself(finding: Finding) -> Finding:
    return finding


def _others(first: Finding, others: Sequence[Finding], width: int) -> list[Line]:
    """Findings of the same origin: each with its calls from there on, as what comes before
    was shown, and with the conditions that the first lacks."""
    text, place = words_of_origin([first, *others])
    head = f"{_n(len(others), 'more finding')} of the same origin: {text} ({place})"
    lines = _paragraph("label", head, width, "", "  ")
    lines.append(())
    for finding in others:
        lines += _headline(finding, width)
        lines += _source(finding)
        calls = " -> ".join(dict.fromkeys(f"{s.function}()" for s in after_origin(finding)))
        lines += _fact("calls", f"{calls} -> {call_of(finding.callee)}", width)
        lines += _verdict_lines(finding, width)
        known = set(first.assumptions)
        lines += _conditions([a for a in finding.assumptions if a not in known], width)
        lines += _fact("fingerprint", finding.fingerprint, width)
        lines.append(())
    return lines


def _headline(finding: Finding, width: int) -> list[Line]:
    """A line that editors and grep take apart, with what happens; below it, in which
    execution context."""
    what, _, rest = finding.message.partition(what_sleeps(finding))
    first: list[Span] = [
        ("place", clean(f"{finding.file}:{finding.line}:{finding.column}:")),
        ("", " "),
        (finding.severity, clean(f"{finding.severity}:")),
    ]
    check: list[Span] = [("", " "), ("check", clean(f"[{finding.check}]"))]
    if what or not rest:  # of a comment, or a finding saved by another version
        return [[*first, ("", f" {clean(finding.message)}"), *check]]
    first.append(("", f" {clean(what_sleeps(finding))}"))
    if not width:
        return [[*first, ("", clean(rest)), *check]]
    if sum(len(text) for _, text in (*first, *check)) <= width:
        first += check
    else:
        rest = f"{rest} [{finding.check}]"
    return [first, *_paragraph("", rest.strip(" ,"), width, "  ", "  ")]


def one_line(finding: Finding) -> Line:
    """Place, message and check of a finding that has gone or moved."""
    return _headline(finding, 0)[0]


def _source(finding: Finding) -> list[Line]:
    """The source line with the callee underlined, if the line is known. It is not made to
    fit: what would be cut off is the argument that matters."""
    if not finding.text.strip():
        return []
    before, mark, after = split_at_callee(finding)
    if len(before) + len(mark) > SOURCE_WIDTH:
        keep = max(SOURCE_WIDTH - len(mark) - 3, 0)
        before = "..." + before[len(before) - keep :] if keep else "..."
        mark = mark[: max(SOURCE_WIDTH - len(before), 1)]
    if len(before + mark + after) > SOURCE_WIDTH:
        after = after[: max(SOURCE_WIDTH - len(before + mark) - 3, 0)] + "..."
        after = after[: SOURCE_WIDTH - len(before + mark)]
    gutter = f"{finding.line:>5} | "
    empty = " " * (len(gutter) - 3) + " | "
    return [
        (("gutter", gutter), ("", (before + mark + after).rstrip())),
        (
            ("gutter", empty),
            ("", " " * len(before)),
            (finding.severity, "^" + "~" * (len(mark) - 1)),
        ),
    ]


def split_at_callee(finding: Finding) -> tuple[str, str, str]:
    """The source line: before the callee, the callee, after."""
    raw = finding.text.rstrip()
    # Columns count bytes, as the compiler counts them.
    prefix = raw.encode("utf-8", "replace")[: max(finding.column - 1, 0)]
    start = len(prefix.decode("utf-8", "ignore"))
    if not raw.startswith(finding.callee, start):
        found = raw.find(finding.callee)
        start = found if found >= 0 and finding.callee else min(start, len(raw) - 1)
    end = start + (len(finding.callee) if raw.startswith(finding.callee, start) else 1)
    indent = len(raw) - len(raw.lstrip())
    start, end = max(start, indent), max(end, start + 1, indent + 1)
    before, mark, after = raw[:start], raw[start:end], raw[end:]
    return clean(before.expandtabs(8)), clean(mark), clean(after.expandtabs(8))


def _way(finding: Finding, width: int) -> list[Line]:
    """The witness as a numbered list; the execution context where it changes."""
    if not finding.path:
        return []
    lines: list[Line] = [(), (("label", "  How the kernel gets here:"),)]
    contexts = context_changes(finding.path)
    for index, step in enumerate(finding.path):
        lines.append(
            (
                ("", f"  {index + 1:>3}. "),
                ("place", clean(f"{step.file}:{step.line}")),
                ("", f" in {clean(step.function)}()" if step.function else ""),
            )
        )
        lines += _paragraph("", note_of(finding, index), width, "         ")
        lines += _step_source(step)
        if contexts[index]:
            lines += _paragraph(
                "context", contexts[index], width, "         => ", "            "
            )
    lines.append(())
    return lines


def _verdict(finding: Finding) -> list[tuple[str, str]]:
    """What running it in the model gave: one line where all profiles agree."""
    if not finding.evidence:
        return [("verdict of the model", finding.verdict)] if finding.verdict else []
    facts = []
    distinct = {(e.verdict, e.why) for e in finding.evidence}
    for evidence in finding.evidence[: 1 if len(distinct) == 1 else None]:
        where = "" if len(distinct) == 1 else f" ({evidence.profile})"
        facts.append((f"verdict of the model{where}", f"{evidence.verdict}: {evidence.why}"))
        if evidence.verdict in ("confirmed", "reached") and evidence.values:
            shown = "; ".join(evidence.values[:_VALUES])
            more = len(evidence.values) - _VALUES
            facts.append(("with these values", shown + (f"; {more} more" if more > 0 else "")))
        if evidence.assumed:
            facts.append(("assumed to return", ", ".join(evidence.assumed)))
    return facts


def _splat(finding: Finding) -> list[Line]:
    """What such a kernel prints there, as the model has it."""
    splat = next((e.splat for e in finding.evidence if e.splat), "")
    if not splat:
        return []
    lines: list[Line] = [(("", "  = "), ("label", "the kernel would print:"))]
    # As it is: a log line that is wrapped cannot be searched for.
    lines += [(("gutter", "    | "), ("", clean(text))) for text in splat.splitlines()]
    return lines


def _step_source(step: Step) -> list[Line]:
    text = clean(step.text.strip())
    if step.kind not in _WITH_SOURCE or not text:
        return []
    if len(text) > SOURCE_WIDTH:
        text = text[: SOURCE_WIDTH - 3] + "..."
    return [(("gutter", "         | "), ("", text))]


def _grounds(finding: Finding, width: int) -> list[Line]:
    """What the claim rests on, and what would make it false."""
    why = finding.why
    if finding.certainty == "may":
        why = f"{_sentence(why)} Not on every call: it depends on the state at run time."
    if not finding.operation:  # it speaks of a comment
        return _fact("fingerprint", finding.fingerprint, width)
    kernels = "PREEMPT_RT kernels only" if finding.rt_only else "every kernel"
    facts = [("why it sleeps", why)]
    context = finding.path[-1].context if finding.path else ""
    if state_of(context) != state_of(finding.context.text):
        facts.append(("execution context", finding.context.text))
    facts.append(("bug on", f"{kernels}; seen in {', '.join(finding.profiles)}"))
    others = [f"{c.function}() ({c.file}:{c.line})" for c in finding.causes if c.path]
    facts.append(("reached from", ", ".join(others) + " too" if others else ""))
    lines: list[Line] = []
    for label, value in facts:
        if value:
            lines += _fact(label, value, width)
    lines += _verdict_lines(finding, width)
    lines += _splat(finding)
    lines += _conditions(finding.assumptions, width)
    return lines + _fact("fingerprint", finding.fingerprint, width)


def _verdict_lines(finding: Finding, width: int) -> list[Line]:
    return [
        line for label, value in _verdict(finding) if value
        for line in _fact(label, value, width)
    ]  # fmt: skip


def _conditions(assumptions: Sequence[str], width: int) -> list[Line]:
    if not assumptions:
        return []
    many = " all of these hold:" if len(assumptions) > 1 else ""
    label = "a bug only if"
    head: Line = (("", "  = "), ("label", label + ("" if many else ":")), ("", many))
    lines: list[Line] = [head]
    for assumption in assumptions:
        lines += _paragraph("", assumption, width, "      - ", "        ")
    return lines


def _summary(result: Result, width: int) -> list[Line]:
    lines = _counts(result)
    lines += _hidden(result, width)
    lines += _paragraph("", _scope(result), width, "")
    lines += _incomplete(result.incomplete, width)
    lines += gap_lines(result.gaps, width)
    if result.unknown_callees:
        calls = sum(callee.count for callee in result.unknown_callees)
        lines += _paragraph(
            "",
            f"{_n(len(result.unknown_callees), 'unknown callee')} "
            f"({_n(calls, 'call')} in a restricted execution context): what they do is not "
            "known. List them with --format json, key unknown_callees.",
            width,
            "",
        )
    lines += _untold(result, width)
    if result.uncovered:
        many = _n(len(result.uncovered), "file")
        lines += _paragraph("warning", f"{many} that no profile compiles:", width, "")
        lines += _listed(result.uncovered, "uncovered", width)
    return lines


def _untold(result: Result, width: int) -> list[Line]:
    """How many callbacks run in a context that is not known, and the fullest members."""
    if not result.untold:
        return []
    most = sorted(result.untold, key=lambda u: (-u.count, u.member))[:_SHOWN_MEMBERS]
    names = ", ".join(f"{u.member} ({u.count})" for u in most)
    more = ", ..." if len(result.untold) > len(most) else ""
    count = sum(u.count for u in result.untold)
    many = "1 function is" if count == 1 else f"{count} functions are"
    text = f"{many} stored in members whose execution context no rule gives: {names}{more}"
    return _paragraph("", text, width, "")


def _counts(result: Result) -> list[Line]:
    found = result.findings
    if not found:
        return [
            (
                (
                    "label",
                    "No findings"
                    + (" in what was analysed" if result.incomplete or result.gaps else ""),
                ),
            )
        ]
    functions = len({(f.file, f.function) for f in found if f.function})
    severities = Counter(finding.severity for finding in found)
    parts = ", ".join(_n(severities[name], name) for name in sorted(severities))
    where = f" in {_n(functions, 'function')}" if functions else ""
    origins = len(by_origin(found, _itself))
    of = f" of {_n(origins, 'origin')}" if origins < len(found) else ""
    head = f"{_n(len(found), 'finding')}{of}{where}: {parts}"
    lines: list[Line] = [(("label", head),)]
    checks = Counter(finding.check for finding in found)
    column = max(len(clean(check)) for check in checks)
    digits = max(len(str(count)) for count in checks.values())
    for check in sorted(checks):
        name = clean(check)
        lines.append(
            (
                ("", f"  {checks[check]:>{digits}}  "),
                ("check", name),
                ("", f"{'':{column - len(name)}}  (ctxlint explain {name})"),
            )
        )
    return lines


def _hidden(result: Result, width: int) -> list[Line]:
    """What is not shown, and why: nothing disappears without a word."""
    lines: list[Line] = []
    if result.hidden:
        kinds = Counter(finding.suppressed[0].kind for finding in result.hidden)
        names = {"inSource": "comments in the source", "external": "the baseline"}
        parts = ", ".join(f"{kinds[kind]} by {names[kind]}" for kind in names if kinds[kind])
        lines += _paragraph("", f"Hidden: {parts}", width, "")
    left_out = result.statistics.get(NOT_SELECTED)
    if left_out:
        text = f"Not selected: {left_out} (--select, --ignore, --rt-only, per-path settings)"
        lines += _paragraph("", text, width, "")
    for note in result.notes:
        lines += _paragraph("warning", f"Note: {note}", width, "")
    older = result.statistics.get(NOT_NEW)
    if older:
        lines += _paragraph("", f"Not new: {older} (--new-since)", width, "")
    refuted = sum(finding.verdict == "refuted" for finding in result.findings)
    if refuted:
        text = f"Refuted by the model: {refuted} of these findings; they still count"
        lines += _paragraph("", text, width, "")
    if result.stale:
        many = "1 entry" if len(result.stale) == 1 else f"{len(result.stale)} entries"
        text = f"Stale in the baseline: {many} without a finding (ctxlint baseline update):"
        lines += _paragraph("warning", text, width, "")
        lines += _listed(
            tuple(
                f"{entry.file}: {entry.function}: {entry.callee} [{entry.check}]"
                for entry in result.stale
            ),
            "stale",
            width,
        )
    return lines


def _scope(result: Result) -> str:
    units = result.statistics.get("units")
    kernel = f"Linux {result.tree.version}"
    if isinstance(units, int):
        kernel = f"{_n(units, 'unit')} of {kernel}"
    names = ", ".join(
        profile.name + (" (PREEMPT_RT)" if profile.rt else "") for profile in result.profiles
    )
    return f"{kernel} analysed under {names or 'no profile'}"


def _incomplete(incomplete: tuple[Incomplete, ...], width: int) -> list[Line]:
    if not incomplete:
        return []
    lines = _paragraph("warning", f"Incomplete: {counted(incomplete)}:", width, "")
    for item in incomplete[:_LISTED]:
        lines += _paragraph("", sentence(item), width, "  ", "      ")
        for row in item.detail.splitlines()[:5] if item.kind != "path" else ():
            lines += _paragraph("gutter", row, width, "      ")
    return lines + _more(len(incomplete), "incomplete")


def gap_lines(gaps: tuple[str, ...], width: int) -> list[Line]:
    """What was not analysed of a patch series."""
    if not gaps:
        return []
    lines = _paragraph("warning", "Incomplete: not all of the series was analysed:", width, "")
    for gap in gaps[:_LISTED]:
        lines += _paragraph("", gap, width, "  ", "      ")
    return lines + _more(len(gaps), "gaps")


def _listed(items: tuple[str, ...], key: str, width: int) -> list[Line]:
    lines: list[Line] = []
    for item in items[:_LISTED]:
        lines += _paragraph("", item, width, "  ")
    return lines + _more(len(items), key)


def _more(count: int, key: str) -> list[Line]:
    if count <= _LISTED:
        return []
    return [(("", f"  and {count - _LISTED} more (--format json, key {key})"),)]


def _fact(label: str, value: str, width: int) -> list[Line]:
    rows = _wrap(f"{label}: {clean(value)}", width, "  = ", "      ")
    head = f"  = {label}:"
    first: Line = (("", "  = "), ("label", f"{label}:"), ("", rows[0][len(head) :]))
    return [first, *((("", row),) for row in rows[1:])]


def _paragraph(
    role: str, text: str, width: int, indent: str, hanging: str | None = None
) -> list[Line]:
    rest = indent if hanging is None else hanging
    return [((role, row),) for row in _wrap(clean(text), width, indent, rest)]


def _wrap(text: str, width: int, first: str, rest: str) -> list[str]:
    if not width:
        return [first + text]
    return textwrap.wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [first]


def _paint(line: Iterable[Span], colour: bool) -> str:
    parts = []
    for role, text in line:
        shown = clean(text)
        code = _STYLES.get(role) if colour and shown.strip() else None
        parts.append(f"\x1b[{code}m{shown}\x1b[0m" if code else shown)
    return "".join(parts) if colour else "".join(parts).rstrip()


def _sentence(text: str) -> str:
    return text if not text or text.endswith((".", "!", "?")) else text + "."


def _n(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


# The other text reports are made of the same parts.
incomplete_lines = _incomplete
summary = _summary
paragraph = _paragraph
paint = _paint
