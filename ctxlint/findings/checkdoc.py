# SPDX-License-Identifier: GPL-2.0-or-later
"""What a report knows of a check: its documentation, not its code."""

from __future__ import annotations

import msgspec


class CheckDoc(msgspec.Struct, frozen=True, kw_only=True):
    """``id`` is ``"sleep-in-atomic"``, ``name`` a short title without a full stop.

    ``summary`` is one sentence; ``help`` is Markdown with the headings that
    ``ctxlint explain`` prints; ``level`` is ``"error"`` or ``"warning"``;
    ``help_uri`` is a page to read on about the subject; ``tags`` are words to
    filter by. ``rt_only``: it finds something under PREEMPT_RT profiles alone.
    """

    id: str
    name: str
    summary: str
    help: str
    level: str
    help_uri: str
    tags: tuple[str, ...] = ()
    rt_only: bool = False
