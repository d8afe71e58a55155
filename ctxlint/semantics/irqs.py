# SPDX-License-Identifier: GPL-2.0-or-later
"""Local interrupts at a point of a function."""

from __future__ import annotations

from enum import IntEnum


class Irqs(IntEnum):
    """Local interrupts at a point of a function, relative to its entry."""

    CALLERS = -2
    """As they were before the caller's last save."""
    ENTRY = -1
    """As at entry."""
    ON = 0
    OFF = 1
