# SPDX-License-Identifier: GPL-2.0-or-later
"""The one date that reports tell."""

from __future__ import annotations

import os
import time


def now() -> str:
    """The date and time in UTC, to the minute. What ``SOURCE_DATE_EPOCH`` says (seconds;
    https://reproducible-builds.org/specs/source-date-epoch) comes before the clock, so that
    two runs can give the same bytes."""
    given = os.environ.get("SOURCE_DATE_EPOCH", "")
    try:
        then = time.gmtime(int(given)) if given else time.gmtime()
        return time.strftime("%Y-%m-%d %H:%M UTC", then)
    except (ValueError, OverflowError, OSError):  # no number, or no year of four digits
        return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
