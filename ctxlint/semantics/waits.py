# SPDX-License-Identifier: GPL-2.0-or-later
"""Wait types, in lockdep's order (include/linux/lockdep_types.h)."""

from __future__ import annotations

import enum


class Wait(enum.IntEnum):
    """Wait type of an operation, and the strictest that a context allows."""

    NONE = -1
    SPIN = 0
    CONFIG = 1
    SLEEP = 2


LEVELS = {"spin": Wait.SPIN, "config": Wait.CONFIG, "sleep": Wait.SLEEP}
"""The words of the rules."""

__all__ = ["LEVELS", "Wait"]
