# SPDX-License-Identifier: GPL-2.0-or-later
"""The report on a patch series for people: patch by patch, then the whole."""

from __future__ import annotations

from ctxlint.findings.compare import Pair
from ctxlint.findings.model import Finding, Profile
from ctxlint.findings.series import PatchReport, SeriesResult
from ctxlint.report.clean import clean
from ctxlint.report.text import (
    WIDTH,
    Line,
    finding_lines,
    gap_lines,
    incomplete_lines,
    one_line,
    paint,
    paragraph,
)


def render(series: SeriesResult, *, colour: bool = False, width: int = WIDTH) -> str:
    """The whole report, ending in a line break; see :func:`ctxlint.report.text.render`."""
    lines: list[Line] = []
    for patch in series.patches:
        lines += _patch(patch, width)
        lines.append(())
    lines += _summary(series, width)
    return "".join(paint(line, colour) + "\n" for line in lines)


def _patch(patch: PatchReport, width: int) -> list[Line]:
    title = f"{place_of(patch)} {patch.subject}".rstrip()
    lines: list[Line] = paragraph("label", title, width, "", "    ")
    lines += [(("", f"  {_verdict(patch)}"),)]
    for note in notes_of(patch):
        lines += paragraph("", note, width, "  note: ", "        ")
    lines += incomplete_lines(patch.incomplete, width)
    for finding in patch.introduced:
        lines.append(())
        lines += finding_lines(finding, width)
        lines += _fate(patch, finding, width)
    for pair in patch.partly_fixed:
        lines.append(())
        lines += _half(pair, width)
    for finding in patch.fixed:
        lines.append((("label", "  fixed: "), *one_line(finding)))
    for pair in patch.moved:
        if (pair.before.file, pair.before.function) != (pair.after.file, pair.after.function):
            lines.append((("label", "  moved: "), *one_line(pair.after)))
            was = f"was in {pair.before.function}() of {pair.before.file}"
            lines += paragraph("", was, width, "         ")
    return lines


def _verdict(patch: PatchReport) -> str:
    still = len(patch.kept) + len(patch.moved)
    parts = [
        f"{len(found)} {word}"
        for word, found in (
            ("introduced", patch.introduced),
            ("fixed", patch.fixed),
            ("partly fixed", patch.partly_fixed),
        )
        if found
    ]
    return f"{', '.join(parts) or 'no change'}; {still} still there from before"


def _fate(patch: PatchReport, finding: Finding, width: int) -> list[Line]:
    later = patch.fixed_later.get(finding.fingerprint)
    half = patch.partly_fixed_later.get(finding.fingerprint)
    text = ""
    if later is not None:
        text = bisect_text(patch, later)
    elif half is not None:
        text = (
            f"patch {half}/{patch.total} turns it into a bug on PREEMPT_RT kernels only; "
            f"until then every kernel has it (this matters for git bisect)"
        )
    return paragraph("warning", text, width, "  = ", "    ") if text else []


def bisect_text(patch: PatchReport, later: int) -> str:
    """What to say of a finding that a later patch of the series fixes."""
    last = later - 1
    span = f"patch {last}" if last == patch.number else f"patches {patch.number} to {last}"
    return (
        f"fixed by {later}/{patch.total}: kernels with only {span} have this bug, and "
        "git bisect may stop there; consider squashing the fix"
    )


def half_text() -> str:
    """What to say of a finding that is partly fixed."""
    return (
        "partly fixed: this was a bug on every kernel; it is still a bug on PREEMPT_RT, "
        "where the operation sleeps"
    )


def _half(pair: Pair, width: int) -> list[Line]:
    return [
        *finding_lines(pair.after, width),
        *paragraph("warning", half_text(), width, "  = ", "    "),
    ]


def place_of(patch: PatchReport) -> str:
    """``patch 2/3:``, with the commit where there is one."""
    commit = f" ({patch.commit[:12]})" if patch.commit else ""
    return f"patch {patch.number}/{patch.total}{commit}:"


def notes_of(patch: PatchReport) -> list[str]:
    """Sentences on what the analysis of a patch rests on."""
    notes = list(patch.notes)
    for file, like in sorted(patch.flags_from.items()):
        notes.append(f"{file} is new: read with the compile flags of {like}")
    return notes


def _summary(series: SeriesResult, width: int) -> list[Line]:
    count = len(series.patches)
    many = "1 patch" if count == 1 else f"{count} patches"
    lines: list[Line] = [(("label", f"{many} on {base_words(series)}"),)]
    for word, found in (
        ("introduced", series.introduced),
        ("fixed", series.fixed),
        ("partly fixed (still a bug on PREEMPT_RT)", series.partly_fixed),
    ):
        if found:
            lines.append((("", f"  {len(found)} {word} by the whole series"),))
    passing = [
        (patch, finding, patch.fixed_later[finding.fingerprint])
        for patch in series.patches
        for finding in patch.introduced
        if finding.fingerprint in patch.fixed_later
    ]
    for patch, finding, later in passing:
        text = (
            f"introduced by {patch.number}/{patch.total}, fixed by {later}/{patch.total}: "
            f"{finding.callee}() in {finding.function}()"
        )
        lines += paragraph("warning", text, width, "  ", "    ")
    if not (series.introduces or series.fixed or series.partly_fixed):
        end = " in what was analysed" if series.incomplete or series.gaps else ""
        lines.append((("", f"  no finding introduced or fixed{end}"),))
    lines.append((("", f"  {len(series.kept)} were there before and still are"),))
    shown = {*series.notes, *(note for patch in series.patches for note in patch.notes)}
    for note in (*series.notes, *(n for n in series.result.notes if n not in shown)):
        lines += paragraph("", note, width, "  note: ", "        ")
    names = "; ".join(profile_words(p, series.prepared) for p in series.profiles)
    lines += paragraph("", f"kernels: {names}", width, "", "  ")
    lines += paragraph("", f"analysed: {' '.join(series.paths)}", width, "", "  ")
    return lines + incomplete_lines(series.incomplete, width) + gap_lines(series.gaps, width)


def profile_words(profile: Profile, prepared: bool) -> str:
    """A profile in words; ``prepared``: it was configured by ctxlint, so that its
    ``config`` is a target or a .config and not the name of a build directory."""
    where = f" {profile.config}" if prepared else f" as built in {profile.config}"
    kind = "PREEMPT_RT" if profile.rt else "not PREEMPT_RT"
    return clean(f"{profile.arch}{where}, {kind}")


def base_words(series: SeriesResult) -> str:
    """The base in words: version, commit, and how it was chosen."""
    commit = f" {series.base[:12]}" if series.base else ""
    return clean(f"Linux {series.tree.version}{commit} ({series.base_from})")
