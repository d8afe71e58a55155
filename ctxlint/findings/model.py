# SPDX-License-Identifier: GPL-2.0-or-later
"""A finding, its witness and a whole result, as they are reported and saved.

These classes are the JSON output (``report/json_report.py`` writes them
unchanged), so a report can be rendered from a saved file. Paths are relative to the tree.
"""

from __future__ import annotations

from typing import Literal

import msgspec


class State(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An execution context in fields: what forbids to sleep, and the locks held, the
    outermost first."""

    irqs: Literal["on", "off", "unknown"] = "on"
    preempt: bool = True
    nmi: bool = False
    hardirq: bool = False
    softirq: bool = False
    bh_disabled: bool = False
    rcu: bool = False
    locks: tuple[str, ...] = ()


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """What makes the execution context one in which the operation is forbidden.

    ``kind`` is ``"callback"`` (``name``: the structure or the kind of callback,
    ``function``: what registers it), ``"lock"`` (``name``: type and lock) or
    ``"section"`` (``name``: what goes off; ``function``: where). ``text`` says it in
    words, ``file``/``line`` where. :attr:`key` is the same for findings that stand
    together.
    """

    kind: Literal["callback", "lock", "section"]
    name: str
    function: str
    file: str
    line: int
    text: str

    @property
    def key(self) -> tuple[str, ...]:
        own = () if self.kind == "lock" else (self.function,)
        return (self.kind, self.name, self.file, *own)


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the witness.

    ``kind`` is ``"registration"``, ``"entry"``, ``"call"``, ``"indirect-call"``,
    ``"state"`` (the execution context changes here) or ``"operation"``.
    ``function`` is the function that the line is in; ``context`` is the
    execution context *after* the step, in words, ``state`` the same in fields (None:
    not known, or another time). ``text`` is the source line.
    """

    kind: str
    function: str
    file: str
    line: int
    column: int
    note: str
    context: str
    text: str = ""
    state: State | None = None


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """The entry point; ``file``/``line`` are those of the registration."""

    kind: str
    function: str
    file: str
    line: int
    state: str | None = None


class ContextInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The execution context at the operation, in fields and in words."""

    text: str
    irqs: str
    preempt: str
    nmi: bool
    hardirq: bool
    softirq: bool
    bh_disabled: bool
    rcu: bool
    locks: tuple[str, ...]
    section: str | None = None


class Suppressed(msgspec.Struct, frozen=True, kw_only=True):
    """Why a finding is hidden: ``kind`` is ``"inSource"`` (a comment, at
    ``file``/``line``) or ``"external"`` (an entry of the baseline)."""

    kind: str
    reason: str = ""
    file: str | None = None
    line: int | None = None


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What running the finding's path in the executable model gave, under a profile.

    ``verdict`` is ``"confirmed"``, ``"reached"`` (the operation is, and that it waits is
    known from a rule alone), ``"refuted"``, ``"not reproduced within bounds"`` or
    ``"unmodelled"``; ``why`` says what was found, or what guards the path. ``values``
    are the conditions that lead there, ``assumed`` the functions about which nothing is
    known, ``splat`` what the kernel would print (``""``: nothing, or not known),
    ``executions`` how many were tried.
    """

    profile: str
    verdict: str
    why: str
    values: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()
    splat: str = ""
    executions: int = 0


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """A function that brings about the execution context of a finding, and its call that
    leads to the operation at ``file:line``. ``entry`` is the kind of callback that it is,
    ``""`` for one that opens the section itself. ``path`` is the witness from there; empty
    for the cause that the finding's own path shows."""

    function: str
    file: str
    line: int
    entry: str = ""
    path: tuple[Step, ...] = ()


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """``why`` says why the operation sleeps; ``certainty`` is ``"certain"`` or
    ``"may"`` (outcome depends on data, such as the allocator's state).

    ``causes`` are the functions from which the operation is reached in such a context,
    that of ``path`` first; a new one is a new bug at an old place.
    ``among``: the path has a call through a pointer whose object is not known, and which
    could go to that many functions. ``possible``: it is shown only when it is asked for.
    ``origin`` is what forbids the operation (None: it speaks of a comment).
    ``evidence`` is that of each profile, ``verdict`` the strongest of its verdicts
    (None: the finding was not run). ``baseline_state`` is ``"new"`` or
    ``"unchanged"``, None without a baseline.
    A finding about a comment instead of an operation has an empty
    ``operation``, ``why``, ``function`` and ``path``.
    """

    check: str
    severity: str
    profiles: tuple[str, ...]
    rt_only: bool
    message: str
    file: str
    line: int
    column: int
    function: str
    callee: str
    operation: str
    why: str
    certainty: str
    entry: Entry
    context: ContextInfo
    path: tuple[Step, ...]
    assumptions: tuple[str, ...]
    fingerprint: str
    text: str = ""
    verdict: str | None = None
    evidence: tuple[Evidence, ...] = ()
    baseline_state: str | None = None
    suppressed: tuple[Suppressed, ...] = ()
    among: int = 0
    possible: bool = False
    causes: tuple[Cause, ...] = ()
    origin: Origin | None = None


class Suppression(msgspec.Struct, frozen=True, kw_only=True):
    """A comment ``ctxlint: allow(CHECKS) REASON`` at ``file:line:column``.

    ``scope`` is ``"call"``, ``"function"``, ``"file"``, or ``"nothing"`` when
    it stands at none of them; it concerns the lines ``first`` to ``last``.
    ``text`` is the source line. ``problem`` says what is wrong with its form,
    in which case it suppresses nothing.
    """

    file: str
    line: int
    column: int
    checks: tuple[str, ...]
    reason: str
    scope: str
    first: int
    last: int
    text: str = ""
    problem: str = ""


class BaselineEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A known finding, as a baseline keeps it."""

    check: str
    file: str
    function: str
    callee: str
    operation: str
    fingerprint: str
    reason: str = ""


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    arch: str
    rt: bool
    config: str


class TreeInfo(msgspec.Struct, frozen=True, kw_only=True):
    version: str
    commit: str | None = None


class ToolInfo(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    version: str


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """When a result was made (``"2026-01-02 03:04 UTC"``), and by which command line, with
    paths as from the tree."""

    date: str
    command: str


class Incomplete(msgspec.Struct, frozen=True, kw_only=True):
    """What was not analysed, and why; ``detail`` may be several lines.

    ``kind`` is ``"unit"`` (a unit that was to be analysed and could not be),
    ``"limit"`` (a limit of the analysis dropped something in ``function``, which begins
    at ``line``) or ``"path"`` (a named path with nothing analysed in it; ``profile``
    is ``""`` then, as it is true of each).
    """

    file: str
    profile: str
    reason: str
    detail: str = ""
    kind: str = "unit"
    function: str = ""
    line: int = 0


class UnknownCallee(msgspec.Struct, frozen=True, kw_only=True):
    """A function with neither a body nor a rule, or an unresolved indirect
    call (``reason``), called in a restricted execution context."""

    callee: str
    reason: str
    count: int
    example: str


class UntoldMember(msgspec.Struct, frozen=True, kw_only=True):
    """A member in which audited files store functions, and of which no rule tells the
    execution context: ``count`` functions under the profile that has most of them."""

    member: str
    count: int
    example: str


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """``paths`` are the audited files and directories; ``suppressions`` the
    comments of the audited files.

    The analysis fills ``findings``; :mod:`ctxlint.findings.selection` then moves
    what is suppressed or known to ``hidden`` and tells in ``stale`` which
    entries of the baseline have no finding any more. A finding whose verdict is
    ``"refuted"`` is one like any other. ``notes`` are sentences that a summary must
    not leave out, such as what a settings file of the tree hides. ``gaps`` are sentences on
    what was not analysed and is not a unit (parts of a patch series); they make a result
    incomplete. ``run`` is None for a result that no command made.
    """

    tool: ToolInfo
    tree: TreeInfo
    profiles: tuple[Profile, ...]
    findings: tuple[Finding, ...]
    incomplete: tuple[Incomplete, ...]
    uncovered: tuple[str, ...]
    unknown_callees: tuple[UnknownCallee, ...]
    statistics: dict[str, int | float | str]
    paths: tuple[str, ...] = ()
    suppressions: tuple[Suppression, ...] = ()
    hidden: tuple[Finding, ...] = ()
    stale: tuple[BaselineEntry, ...] = ()
    notes: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()
    untold: tuple[UntoldMember, ...] = ()
    run: Run | None = None
