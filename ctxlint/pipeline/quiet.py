# SPDX-License-Identifier: GPL-2.0-or-later
"""A progress that says nothing."""

from __future__ import annotations

from ctxlint.base.levels import Level


class Silent:
    """See :class:`ctxlint.pipeline.Progress`."""

    def start(self, stage: str, total: int) -> None:
        pass

    def advance(self, stage: str, text: str = "") -> None:
        pass

    def finish(self, stage: str) -> None:
        pass

    def log(self, level: Level, message: str) -> None:
        pass
