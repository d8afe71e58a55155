# SPDX-License-Identifier: GPL-2.0-or-later
"""Which messages are the patches of a series, and what of it is missing or left out.

``git am`` applies every message with a diff, whatever its subject says; other tools go by
the subjects. So anything not analysed here is reported: a patch that one of them takes must
not be one that nobody analysed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

from ctxlint.patches.mail import MailMessage
from ctxlint.patches.model import PatchError

_LISTED = 5


@dataclasses.dataclass(frozen=True)
class Chosen:
    """The patches in their order, and sentences on what is not analysed."""

    patches: tuple[MailMessage, ...]
    gaps: tuple[str, ...]


def choose(messages: Sequence[MailMessage], *, singly: bool = False) -> Chosen:
    """The patches of one series, by number, without answers and older versions.

    ``singly``: a lone message of a series has no gap, its caller hands over one by one.
    Raises :class:`PatchError` when there is no patch, or two claim the same number.
    """
    gaps = [f"{one.name}: {one.problem}" for one in messages if one.problem]
    patches = [one for one in messages if one.diff]
    if not patches:
        raise PatchError(
            "no patch in the input" + (f": {gaps[0]}" if gaps else ""),
            hint="Give an mbox, a .patch file, a folder of them, a maildir, or a git range.",
        )
    patches, more = _without_answers(patches)
    gaps += more
    newest = max(one.version for one in patches)
    older = [one for one in patches if one.version != newest]
    patches = [one for one in patches if one.version == newest]
    if older:
        gaps.append(
            f"left out: {_count(older)} of another version than v{newest} "
            f"({_some(one.name for one in older)})"
        )
    gaps += [f"{one.name}: {one.doubt}" for one in patches if one.doubt]
    numbered = [one for one in patches if one.total]
    if numbered:
        alone = singly and len(messages) == 1
        gaps += _out_of_place(patches, numbered)
        repeated: list[MailMessage] = []
        patches = _sorted(patches, repeated)
        gaps += map(_twice, repeated)
        if not alone:
            gaps += _missing(messages, patches, newest)
    return Chosen(tuple(patches), tuple(dict.fromkeys(gaps)))


def _without_answers(patches: list[MailMessage]) -> tuple[list[MailMessage], list[str]]:
    """Answers are no patches, unless one stands where a patch is missing."""
    plain = [one for one in patches if not one.answer]
    there = {(one.version, one.number) for one in plain if one.total}
    known = {one.diff.strip() for one in plain}
    kept: list[MailMessage] = []
    gaps = []
    for one in patches:
        if not one.answer:
            kept.append(one)
        elif one.diff.strip() in known:
            gaps.append(_twice(one))
        elif not plain or (one.total and (one.version, one.number) not in there):
            there.add((one.version, one.number))
            known.add(one.diff.strip())
            kept.append(one)
            gaps.append(f"{one.name} has the subject of an answer and is taken for a patch")
        else:
            gaps.append(f"left out: a diff in an answer ({_subject(one)})")
    return kept, gaps


def _out_of_place(patches: Sequence[MailMessage], numbered: Sequence[MailMessage]) -> list[str]:
    gaps = []
    totals = sorted({one.total for one in numbered})
    if len(totals) > 1:
        gaps.append(f"the series says both {totals[0]} and {totals[-1]} of its patches' number")
    beyond = [one for one in numbered if one.number > one.total]
    if beyond:
        gaps.append(f"out of the series' range: {_some(one.name for one in beyond)}")
    covers = [one for one in numbered if not one.number]
    if covers:
        gaps.append("the cover letter has a diff, which is taken as the first patch")
    others = len(patches) - len(numbered)
    if others:
        gaps.append(
            f"{_count([one for one in patches if not one.total])} without a number in a "
            "series with numbers"
        )
    return gaps


def _twice(message: MailMessage) -> str:
    return f"the same diff comes twice, and git am takes it twice where it fits: {message.name}"


def _sorted(patches: Sequence[MailMessage], repeated: list[MailMessage]) -> list[MailMessage]:
    """By number; those without one stay behind what they came after. ``repeated`` gets what
    comes a second time."""
    unique: dict[int, MailMessage] = {}
    placed: list[tuple[int, int, MailMessage]] = []
    last = 0
    for place, one in enumerate(patches):
        if one.total:
            known = unique.setdefault(one.number, one)
            if known is not one:
                if known.diff.strip() != one.diff.strip():
                    raise PatchError(
                        f"two different patches are number {one.number}",
                        hint="Give the messages of one series (b4 am makes such an mbox).",
                    )
                repeated.append(one)
                continue
            last = one.number
        placed.append((last, place, one))
    return [one for _, _, one in sorted(placed, key=lambda p: p[:2])]


def _missing(
    messages: Sequence[MailMessage], patches: Sequence[MailMessage], version: int
) -> list[str]:
    total = max(one.total for one in patches)
    there = {one.number for one in patches if one.total}
    gaps = []
    empty = {
        one.number
        for one in messages
        if one.total and one.version == version and not one.diff and not one.answer
    }
    names = [n for n in range(1, total + 1) if n not in there]
    lost = [n for n in names if n not in empty]
    blank = [n for n in names if n in empty]
    if lost:
        gaps.append(f"not in the input: {_some(f'patch {n}/{total}' for n in lost)}")
    if blank:
        gaps.append(f"no diff can be read in: {_some(f'patch {n}/{total}' for n in blank)}")
    return gaps


def _some(names: Iterable[str]) -> str:
    all_of_them = list(names)
    more = len(all_of_them) - _LISTED
    return ", ".join(all_of_them[:_LISTED]) + (f" and {more} more" if more > 0 else "")


def _count(messages: Sequence[MailMessage]) -> str:
    return (
        "1 message with a diff"
        if len(messages) == 1
        else f"{len(messages)} messages with diffs"
    )


def _subject(message: MailMessage) -> str:
    return f'"{message.mail.subject[:60]}"'
