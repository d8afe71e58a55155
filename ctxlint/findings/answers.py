# SPDX-License-Identifier: GPL-2.0-or-later
"""Answers for a program that asks one question after the other (``ctxlint mcp``).

Small: a list has a limit, and ``more`` beside it says how many were left out. Each
statement has its place (``FILE:LINE`` below the tree), and :class:`NotKnown` is what the
absence of a statement does not mean. Words of the tree, of a mail or of a log are quoted
as they are.
"""

from __future__ import annotations

import msgspec


class NotKnown(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was not seen. ``incomplete``: files and functions that could not be analysed
    as they should; with one, findings may be missing. ``unknown_callees``: calls in a
    restricted execution context about which nothing is known. ``more`` counts what both
    lists leave out. ``notes``: other sentences, such as what settings of the tree hide.
    """

    incomplete: tuple[str, ...] = ()
    unknown_callees: tuple[str, ...] = ()
    more: int = 0
    notes: tuple[str, ...] = ()


class FindingBrief(msgspec.Struct, frozen=True, kw_only=True):
    """A finding in a few words. ``fingerprint`` names it for ``explain_finding``;
    ``certainty`` is ``certain`` or ``may`` (it depends on data); ``kernels`` are the
    profiles that it holds under; ``context`` is the execution context of the call,
    ``origin`` what makes it one in which sleeping is forbidden."""

    fingerprint: str
    check: str
    severity: str
    certainty: str
    rt_only: bool
    kernels: tuple[str, ...]
    place: str
    function: str
    callee: str
    message: str
    why: str
    context: str
    origin: str


class AuditAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """``complete`` is False when ``not_known.incomplete`` has something. ``hidden``
    counts findings that comments, a baseline or settings of the tree hide. ``looked_in``:
    what was analysed together with the file."""

    tree: str
    file: str
    looked_in: tuple[str, ...]
    kernels: tuple[str, ...]
    complete: bool
    findings: tuple[FindingBrief, ...]
    more: int
    hidden: int
    not_known: NotKnown


class PatchAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What one patch does. ``partly_fixed``: fixed for some kernels, callers or paths only.
    ``later``: findings of ``introduced``, by fingerprint, with the number of the patch
    that fixes them."""

    number: int
    subject: str
    introduced: tuple[FindingBrief, ...]
    fixed: tuple[FindingBrief, ...]
    partly_fixed: tuple[FindingBrief, ...]
    more: int
    later: dict[str, int]
    notes: tuple[str, ...]


class SeriesAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """``base``: what the series was applied to. ``left`` counts the findings that the
    whole series leaves behind and the base did not have."""

    tree: str
    base: str
    kernels: tuple[str, ...]
    complete: bool
    patches: tuple[PatchAnswer, ...]
    more: int
    left: int
    not_known: NotKnown


class StepAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One step of the path to an operation; ``context`` is the execution context after
    it (empty: as before). ``source`` are lines of the file around it, with numbers."""

    place: str
    function: str
    kind: str
    note: str
    context: str
    source: tuple[str, ...]


class VerdictAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What running the path in the executable model gave, for one kind of kernel."""

    kernel: str
    verdict: str
    why: str
    values: tuple[str, ...]
    assumed: tuple[str, ...]
    splat: str


class Suggestion(msgspec.Struct, frozen=True, kw_only=True):
    """An annotation of the kernel that would show the defect at run time, or make
    whoever calls keep a promise. ``place`` and ``function`` say where it goes
    (``where``: in words); ``needs`` is the configuration that checks it, ``shows`` what
    it says then. ``kernel_file``: where the tree has it from."""

    annotation: str
    place: str
    function: str
    where: str
    shows: str
    needs: str
    kernel_file: str


class ExplainAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A finding with its whole way. ``conditions`` must hold on the way there;
    ``callers`` are all functions from which the operation is reached so."""

    finding: FindingBrief
    path: tuple[StepAnswer, ...]
    more_steps: int
    conditions: tuple[str, ...]
    callers: tuple[str, ...]
    more: int
    verdicts: tuple[VerdictAnswer, ...]
    suggestions: tuple[Suggestion, ...]
    fix: str
    not_known: NotKnown


class CallAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A call at ``place``. ``kind``: ``call``, ``indirect-call``, ``registration`` (the
    caller is why the kernel calls it) or ``operation`` (what is called may sleep;
    ``note`` says on which kernels). ``context``: the strictest execution context that was
    followed along it. ``finding``: on the path to a finding."""

    caller: str
    callee: str
    kind: str
    place: str
    note: str
    context: str
    finding: bool


class ContextAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The execution contexts that a function is entered in under one profile; none: no
    entry point reaches it in a restricted one, in the files that were read."""

    kernel: str
    contexts: tuple[str, ...]
    more: int


class FunctionAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One function of the name that was asked for. ``more``: calls left out of
    ``calls``."""

    function: str
    place: str
    contexts: tuple[ContextAnswer, ...]
    calls: tuple[CallAnswer, ...]
    more: int


class FunctionsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """``looked_in``: what was analysed; calls of other files are seen as far as the
    search for callers went."""

    tree: str
    looked_in: tuple[str, ...]
    functions: tuple[FunctionAnswer, ...]
    more: int
    not_known: NotKnown


class SleepAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """``answer``: ``sleeps``, ``may sleep`` (with some data or arguments), ``does not
    sleep`` or ``not known``."""

    kernel: str
    answer: str
    why: str


class MaySleepAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """``arguments`` are those that decide, as they were understood. ``evidence``: where
    the rule has its fact from, or the calls in the tree below the function that may wait.
    """

    function: str
    prototype: str
    known_from: str
    kernels: tuple[SleepAnswer, ...]
    arguments: tuple[str, ...]
    evidence: tuple[str, ...]
    more: int
    not_known: NotKnown


class SplatBrief(msgspec.Struct, frozen=True, kw_only=True):
    """One splat of a log. ``stack`` is without the frames that print. ``explained_by`` is
    the finding that shows how it comes about, ``path`` the way in the tree; ``nothing``
    says why there is neither."""

    line: int
    kind: str
    headline: str
    what: str
    task: str
    context: str
    context_from: tuple[str, ...]
    hints: tuple[str, ...]
    said: tuple[str, ...]
    locks: tuple[str, ...]
    stack: tuple[str, ...]
    more_frames: int
    explained_by: FindingBrief | None
    path: tuple[str, ...]
    nothing: str
    repeated: int


class LogAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """``unread``: lines that look like a splat and were not understood."""

    splats: tuple[SplatBrief, ...]
    more: int
    other_lines: int
    unread: tuple[str, ...]
    looked_in: tuple[str, ...]
    not_known: NotKnown
