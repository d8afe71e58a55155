# SPDX-License-Identifier: GPL-2.0-or-later
"""What a patch series does to the findings, as it is reported and saved."""

from __future__ import annotations

import msgspec

from ctxlint.findings.compare import Pair
from ctxlint.findings.model import (
    Finding,
    Incomplete,
    Profile,
    Result,
    ToolInfo,
    TreeInfo,
)


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a patch that a finding is about: a hunk of ``file``, cut to a few
    lines. ``line`` is the index in ``lines`` to answer under."""

    file: str
    header: str
    lines: tuple[str, ...]
    line: int


class PatchReport(msgspec.Struct, frozen=True, kw_only=True):
    """One patch. ``subject``, ``author`` and the mail headers are the sender's own
    words: reports clean them.

    ``introduced``, ``fixed``, ``partly_fixed``, ``moved`` and ``kept`` (fingerprints) compare
    with the tree before this patch. ``fixed_later`` maps the fingerprint of an
    introduced finding to the number of the patch that fixes it, ``halved_later`` to the
    one that partly fixes it. ``quotes`` are by fingerprint. ``hides`` are those of the
    ``notes`` that tell of findings which a comment or the baseline hides from here on.
    """

    number: int
    total: int
    subject: str
    author: str
    commit: str | None
    mail_subject: str
    message_id: str
    references: str
    to: str
    cc: str
    date: str
    files: tuple[str, ...]
    introduced: tuple[Finding, ...]
    fixed: tuple[Finding, ...]
    partly_fixed: tuple[Pair, ...]
    moved: tuple[Pair, ...]
    kept: tuple[str, ...]
    fixed_later: dict[str, int]
    partly_fixed_later: dict[str, int]
    quotes: dict[str, Quote]
    incomplete: tuple[Incomplete, ...]
    unbuilt: tuple[str, ...]
    flags_from: dict[str, str]
    notes: tuple[str, ...]
    hides: tuple[str, ...] = ()


class SeriesResult(msgspec.Struct, frozen=True, kw_only=True):
    """A whole series over its base.

    ``introduced``, ``fixed`` and ``partly_fixed`` compare the tree after the last patch with
    the base. ``base`` is a commit, ``base_from`` says in words how it was chosen.
    ``prepared``: the profiles were configured by ctxlint, not taken from a build.
    ``kept`` are there before and after it. ``result`` holds what the series leaves
    behind, as a result of its own for reports that know no series. ``gaps`` are sentences
    on patches that somebody may apply and that were not analysed, or not as they would be;
    with one the series is incomplete.
    """

    tool: ToolInfo
    tree: TreeInfo
    base: str | None
    base_from: str
    profiles: tuple[Profile, ...]
    prepared: bool
    paths: tuple[str, ...]
    patches: tuple[PatchReport, ...]
    introduced: tuple[Finding, ...]
    fixed: tuple[Finding, ...]
    partly_fixed: tuple[Pair, ...]
    kept: tuple[Finding, ...]
    incomplete: tuple[Incomplete, ...]
    notes: tuple[str, ...]
    result: Result
    gaps: tuple[str, ...] = ()

    @property
    def introduces(self) -> bool:
        """Whether any patch introduces a finding, fixed later or not."""
        return any(patch.introduced for patch in self.patches)
