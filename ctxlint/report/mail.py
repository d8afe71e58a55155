# SPDX-License-Identifier: GPL-2.0-or-later
"""A reply to a patch, as a mail that a person reads, edits and sends.

Plain text, the hunk quoted, a question instead of a verdict, every step with its place,
and what somebody else needs to reproduce it. Headers and quotations hold a stranger's
words, so they are taken apart and cleaned; nothing is sent.
"""

from __future__ import annotations

import re
import shlex
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from email.header import Header
from email.utils import getaddresses

from ctxlint.findings.compare import Pair
from ctxlint.findings.model import Finding, Profile
from ctxlint.findings.series import PatchReport, Quote, SeriesResult
from ctxlint.report.clean import clean
from ctxlint.report.series_text import profile_words
from ctxlint.report.witness import call_of, context_changes, in_function, note_of, only_if

WIDTH = 78
_ADDRESS = re.compile(r"[\w!#$%&'*+/=?^`{|}~.-]+@[A-Za-z0-9.-]+", re.A)
_MANY = 3
"""Findings that one mail shows in full; more would be noise to its reader."""


@dataclass(frozen=True, kw_only=True)
class Again:
    """What the command that shows the same needs and the result does not have: what the
    series was read from (``"-"``: standard input), build directories or ``.config`` files
    by profile, and further options with their values; paths as from the root of the tree."""

    source: str = "-"
    places: Mapping[str, str] = field(default_factory=dict)
    options: tuple[tuple[str, str], ...] = ()


def render(series: SeriesResult, again: Again | None = None) -> str:
    """One message, an mbox of several, or nothing when there is nothing to say."""
    mails = [_mail(series, p, again or Again()) for p in series.patches if _shown(p)]
    if series.gaps and not mails:
        return _nothing_else(series)
    if len(mails) < 2:
        return "".join(mails)
    envelope = "From ctxlint Mon Sep 17 00:00:00 2001\n"
    return "\n".join(
        envelope + re.sub(r"^(>*From )", r">\1", mail, flags=re.M) for mail in mails
    )


def _nothing_else(series: SeriesResult) -> str:
    """A message to nobody: there is no finding, but not everything was analysed."""
    head = [
        "Subject: ctxlint: not all of the series was analysed",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
    ]
    return "\n".join((*head, "", *_not_analysed(series))) + "\n"


def _not_analysed(series: SeriesResult) -> list[str]:
    lines = _wrap("Not all of the series was analysed:")
    for gap in series.gaps:
        lines += _wrap(gap, "  - ", "    ")
    return lines


def _shown(patch: PatchReport) -> list[tuple[Finding, Pair | None]]:
    """What is asked about: operations, not comments that suppress nothing."""
    shown: list[tuple[Finding, Pair | None]] = [(f, None) for f in patch.introduced if f.path]
    return shown + [(pair.after, pair) for pair in patch.partly_fixed]


def _mail(series: SeriesResult, patch: PatchReport, again: Again) -> str:
    return "\n".join((*_headers(patch), "", *_body(series, patch, again))) + "\n"


def _headers(patch: PatchReport) -> list[str]:
    lines = _addresses("To", [_last_address(patch.author)]) + _addresses(
        "Cc", [patch.to, patch.cc]
    )
    subject = clean(patch.mail_subject or patch.subject) or "patch"
    if not re.match(r"re:", subject, re.I):
        subject = f"Re: {subject}"
    lines.append("Subject: " + _encoded(subject, len("Subject: ")))
    own = _ids(patch.message_id)[:1]
    if own:
        lines.append(f"In-Reply-To: {own[0]}")
        lines.append("References: " + "\n ".join((*_ids(patch.references)[-20:], *own)))
    return [
        *lines,
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
    ]


def _ids(text: str) -> list[str]:
    return re.findall(r"<[!-;=?-~]+@[!-;=?-~]+>", text)


def _last_address(author: str) -> str:
    """One person, whatever else the name looks like; ``""`` without an address."""
    found = re.search(r"^(.*)<([^<>\s]+)>\s*$", author, re.S)
    if found is None:
        return author if _ADDRESS.fullmatch(author) else ""
    name = re.sub(r'["\\]', "", clean(found[1])).strip()
    return f'"{name}" <{found[2]}>'


def _addresses(name: str, values: list[str]) -> list[str]:
    found: dict[str, str] = {}
    try:
        people = getaddresses([value for value in values if value])
    except RecursionError:
        return []
    for who, address in people:
        if _ADDRESS.fullmatch(address):
            found.setdefault(address, _person(clean(who), address))
    return [f"{name}: " + ",\n ".join(found.values())] if found else []


def _person(who: str, address: str) -> str:
    if not who:
        return address
    if not who.isascii():
        return f"{_encoded(who, 4)} <{address}>"
    if re.fullmatch(r"[\w !#$%&'*+/=?^`{|}~-]+", who):
        return f"{who} <{address}>"
    quoted = re.sub(r'(["\\])', r"\\\1", who)
    return f'"{quoted}" <{address}>'


def _encoded(text: str, used: int) -> str:
    if not text.isascii():
        return Header(text, "utf-8", maxlinelen=74 - used).encode()
    return "\n ".join(textwrap.wrap(text, WIDTH - used, break_long_words=False) or [""])


def _body(series: SeriesResult, patch: PatchReport, again: Again) -> list[str]:
    lines: list[str] = []
    when = f"On {clean(patch.date)}, " if patch.date else ""
    author = clean(patch.author).partition("<")[0].strip(' "') or "the author"
    lines += _wrap(f"{when}{author} wrote:")
    quoted: Quote | None = None
    shown = _shown(patch)
    for finding, pair in shown[:_MANY]:
        quote = patch.quotes.get(finding.fingerprint)
        if quote != quoted or not lines[1:]:
            # Between what was said of one hunk and the next hunk stands an empty line.
            lines += [*([""] if quoted is not None else []), *_quotation(quote)]
            quoted = quote
        lines += ["", *_question(patch, finding, pair)]
    if len(shown) > _MANY:
        lines += ["", *_wrap("The same question for:")]
        for finding, _ in shown[_MANY:]:
            where = f"{finding.file}:{finding.line}: {call_of(finding.callee)} in "
            lines += _wrap(f"{where}{finding.function}()", "  ", "      ")
    return [*lines, "", *_grounds(series, patch, [finding for finding, _ in shown], again)]


def _quotation(quote: Quote | None) -> list[str]:
    if quote is None:
        return ["> [...]"]
    name = clean(quote.file)
    lines = [f"> +++ b/{name}", f"> {clean(quote.header)}"]
    return [*lines, *(f"> {_source(line)}".rstrip() for line in quote.lines[: quote.line + 1])]


def _source(line: str) -> str:
    """A line of source, with its tabs and without anything that a terminal obeys."""
    return "\t".join(clean(part) for part in line.split("\t"))


def _question(patch: PatchReport, finding: Finding, pair: Pair | None) -> list[str]:
    callee = call_of(finding.callee)
    held = finding.context.text.partition(": ")[2] or finding.context.text
    entry = finding.entry
    if entry.kind == "function":
        how = f"{entry.function}() enters that section itself."
    else:
        state = f" for {entry.state}" if entry.state else ""
        how = f"{entry.function}() runs as {entry.kind}{state}."
    may = "sleeps" if finding.certainty == "certain" else "may sleep"
    rt = " on PREEMPT_RT" if finding.rt_only else ""
    lines: list[str] = []
    if pair is not None:
        lines += _wrap(
            f"Is this meant to be the whole fix? {callee} no longer sleeps here without "
            f"PREEMPT_RT, but as far as I can see it still {may}{rt}, with {held}. {how}"
        )
    else:
        lines += _wrap(
            f"Can this happen? {callee} {may}{rt}, and the call in "
            f"{finding.function}() seems to run with {held}. {how}"
        )
    if finding.why:
        lines += ["", *_wrap(f"Why it {may}: {finding.why}.".replace("..", "."))]
    lines += ["", "The call path, with the patch applied:", "", *_way(finding)]
    if finding.assumptions:
        lines += ["", only_if(finding), ""]
        for assumption in finding.assumptions:
            lines += _wrap(assumption, "  - ", "    ")
    kernels = (
        "This matters on PREEMPT_RT kernels only."
        if finding.rt_only
        else "This matters on every kernel, with or without PREEMPT_RT."
    )
    later = patch.fixed_later.get(finding.fingerprint)
    half = patch.partly_fixed_later.get(finding.fingerprint)
    if later is not None:
        kernels += (
            f" Patch {later}/{patch.total} fixes it, so the end of the series is fine, but "
            "a bisection can stop in between. Could the two be squashed?"
        )
    elif half is not None:
        kernels += (
            f" As far as I can see, patch {half}/{patch.total} only helps kernels without "
            "PREEMPT_RT."
        )
    return [*lines, "", *_wrap(kernels)]


def _way(finding: Finding) -> list[str]:
    lines = []
    contexts = context_changes(finding.path)
    for index, step in enumerate(finding.path):
        lines += _wrap(
            f"{step.file}:{step.line}{in_function(step).rstrip(':')}", "  ", "      "
        )
        lines += _wrap(note_of(finding, index), "      ")
        if contexts[index]:
            lines += _wrap(contexts[index], "      => ", "         ")
    return lines


def _grounds(
    series: SeriesResult, patch: PatchReport, findings: Iterable[Finding], again: Again
) -> list[str]:
    """What it rests on and how to reproduce it."""
    names = {name for finding in findings for name in finding.profiles}
    gaps = [*_not_analysed(series), ""] if series.gaps else []
    before = (
        "It is new with this patch."
        if patch.introduced
        else "Before this patch it was a bug on every kernel."
    )
    base = f"commit {series.base[:12]}" if series.base else "the files as they are"
    lines = _wrap(
        "This was found by static analysis of the source, not observed at run time. "
        f"{before} "
        f"Tool: {series.tool.name} {series.tool.version}. Base: Linux "
        f"{clean(series.tree.version)}, {base} ({clean(series.base_from)})."
    )
    lines = [*gaps, *lines, "", "Configuration:", ""]
    for profile in series.profiles:
        if profile.name in names:
            lines += _wrap(profile_words(profile, series.prepared), "  ", "      ")
    how = (
        "To reproduce this in the tree (ctxlint prepare prints where the .config is):"
        if series.prepared
        else "To reproduce this in the tree, with kernels built in this way:"
    )
    lines += ["", how, ""]
    lines += _command(series, patch, names, again)
    if patch.commit:
        subject = re.sub(
            r"^(?:re:\s*)?(?:\[[^\]]*\]\s*)*", "", clean(patch.subject), flags=re.I
        )
        lines += ["", *_wrap("A fix in a separate commit would carry:"), ""]
        lines.append(f'  Fixes: {patch.commit[:12]} ("{subject}")')
    elif _ids(patch.message_id):
        lines += ["", *_wrap("A new version of the patch needs no tag for this.")]
    return lines


def _command(
    series: SeriesResult, patch: PatchReport, names: set[str], again: Again
) -> list[str]:
    used = [p for p in series.profiles if p.name in names] or list(series.profiles)
    kinds = {p.rt for p in used}

    def place(profile: Profile) -> str:
        return shlex.quote(clean(again.places.get(profile.name, profile.config)))

    if series.prepared and used:
        words = [f"--arch {used[0].arch}", f"--config {place(used[0])}"]
        if len(kinds) == 1:
            words.append("--rt" if True in kinds else "--no-rt")
    else:
        words = [f"--build {place(profile)}" for profile in used]
    words += [f"{name} {shlex.quote(clean(value))}" for name, value in again.options]
    if series.base and not patch.commit:
        words.append(f"--base {series.base[:12]}")
    message = _ids(patch.message_id)[:1]
    if patch.commit:
        head = [f"ctxlint patch {patch.commit[:12]}~..{patch.commit[:12]}"]
    elif message and re.fullmatch(r"[\w.@+=~%-]+", message[0][1:-1]):
        head = ["b4 am -o -", message[0][1:-1], "| ctxlint patch -"]
    elif again.source != "-":
        head = ["ctxlint patch", shlex.quote(clean(again.source))]
    else:
        head = ["ctxlint patch SERIES.mbox"]
    lines: list[str] = []
    line = "  "
    for word in (*head, *words):
        if line.strip() and len(line) + len(word) > WIDTH - 2:
            lines.append(line + "\\")
            line = "    "
        line += word + " "
    return [*lines, line.rstrip()]


def _wrap(text: str, first: str = "", rest: str | None = None) -> list[str]:
    return textwrap.wrap(
        clean(text),
        WIDTH,
        initial_indent=first,
        subsequent_indent=first if rest is None else rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
