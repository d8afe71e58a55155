# SPDX-License-Identifier: GPL-2.0-or-later
"""The report as workflow commands of GitHub Actions: annotations in the diff.

GitHub shows ten annotations per kind and step and drops the others silently. So the
ten worst of a kind become annotations, the rest goes into the log, and a notice says
how many there are.
"""

from __future__ import annotations

from ctxlint.findings.model import Finding, Result
from ctxlint.report.clean import clean
from ctxlint.report.ranking import worst_first
from ctxlint.report.unseen import counted, sentence
from ctxlint.report.witness import note_of, only_if, verdict_of

LIMIT = 10
"""Annotations of a kind that GitHub shows for one step."""

_TITLE = "ctxlint"


def render(result: Result) -> str:
    """The commands, one a line, ending in a line break."""
    room = {"error": LIMIT, "warning": LIMIT}
    lines = []
    if result.incomplete:
        room["error"] -= 1
        lines.append(_incomplete(result))
    if result.gaps:
        room["error"] -= 1
        lines.append(_gaps(result))
    rest = []
    for finding in worst_first(result.findings):
        if room[finding.severity] > 0:
            room[finding.severity] -= 1
            lines.append(_annotation(finding))
        else:
            rest.append(finding)
    if rest:
        lines.append(f"::group::{_n(len(rest), 'finding')} without an annotation")
        lines += [_plain(finding) for finding in rest]
        lines.append("::endgroup::")
    lines.append(_command("notice", {"title": _TITLE}, _summary(result, len(rest))))
    return "".join(line + "\n" for line in lines)


def escape_data(text: str) -> str:
    """Text of a command: what would end it is encoded."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def escape_property(text: str) -> str:
    """Value of a property: also what would end the value."""
    return escape_data(text).replace(":", "%3A").replace(",", "%2C")


def _command(kind: str, properties: dict[str, str], text: str) -> str:
    written = ",".join(f"{key}={escape_property(value)}" for key, value in properties.items())
    return f"::{kind} {written}::{escape_data(text)}"


def _annotation(finding: Finding) -> str:
    properties = {
        "file": clean(finding.file),
        "line": str(finding.line),
        "col": str(max(finding.column, 1)),
        "title": f"{_TITLE}: {clean(finding.check)}",
    }
    return _command(finding.severity, properties, "\n".join(_text(finding)))


def _text(finding: Finding) -> list[str]:
    lines = [clean(finding.message)]
    if finding.path:
        lines += ["", "How the kernel gets here:"]
    for index, step in enumerate(finding.path):
        where = f" in {clean(step.function)}()" if step.function else ""
        note = clean(note_of(finding, index))
        lines.append(f"{index + 1}. {clean(step.file)}:{step.line}{where}: {note}")
    if finding.why:
        lines += ["", f"Why it sleeps: {clean(finding.why)}"]
    if finding.operation:
        kernels = "PREEMPT_RT kernels only" if finding.rt_only else "every kernel"
        lines.append(f"Bug on {kernels}; seen in {clean(', '.join(finding.profiles))}")
    if finding.verdict is not None:
        lines.append(f"Verdict of the model: {clean(verdict_of(finding))}")
    if finding.assumptions:
        lines += ["", only_if(finding)]
        lines += [f"- {clean(assumption)}" for assumption in finding.assumptions]
    return lines


def _plain(finding: Finding) -> str:
    """A line of the log. It begins with a word of ours, so no text of the source
    makes it a command; the runner finds those of the old form anywhere."""
    place = f"{finding.file}:{finding.line}:{finding.column}"
    text = clean(f"{finding.severity}: {place}: {finding.message} [{finding.check}]")
    return text.replace("##[", "## [")


def _incomplete(result: Result) -> str:
    shown = [clean(sentence(item)) for item in result.incomplete[:LIMIT]]
    more = len(result.incomplete) - len(shown)
    if more:
        shown.append(f"and {more} more")
    text = "\n".join([f"{counted(result.incomplete)}:", *shown])
    return _command("error", {"title": f"{_TITLE}: incomplete"}, text)


def _gaps(result: Result) -> str:
    shown = [clean(gap) for gap in result.gaps[:LIMIT]]
    if len(result.gaps) > LIMIT:
        shown.append(f"and {len(result.gaps) - LIMIT} more")
    text = "\n".join(["Not all of the series was analysed:", *shown])
    return _command("error", {"title": f"{_TITLE}: incomplete"}, text)


def _summary(result: Result, rest: int) -> str:
    errors = sum(finding.severity == "error" for finding in result.findings)
    warnings = len(result.findings) - errors
    text = "No findings"
    if result.findings:
        text = f"{_n(len(result.findings), 'finding')}: {_n(errors, 'error')}, "
        text += _n(warnings, "warning")
    if result.incomplete or result.gaps:
        text += " (in what was analysed)"
    if rest:
        text += f"; {rest} of them without an annotation, see the log of this step"
    if result.hidden:
        text += f"; {len(result.hidden)} hidden by comments or the baseline"
    if result.stale:
        text += f"; stale entries in the baseline: {len(result.stale)}"
    for note in result.notes:
        text += f"; {clean(note)}"
    return text


def _n(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
