# SPDX-License-Identifier: GPL-2.0-or-later
"""Defects of this program, told in a line.

A fault (any exception where none was foreseen) costs the one function, unit, finding or
verdict that was being worked on. Whoever loops over these catches it, keeps what
:func:`reason_of` says of it, and goes on; the run is incomplete then.
"""

from __future__ import annotations

import traceback
from pathlib import Path

from ctxlint.base import errors

_LENGTH = 200
_PACKAGE = str(Path(errors.__file__).parent.parent)

HINT = "this is a bug in ctxlint; please report it with this line"


def reason_of(error: BaseException) -> str:
    """What went wrong and where: ``internal error: KeyError: 'x' (facts/state.py:12)``.

    The place is the innermost one in this program; the text has one line.
    """
    text = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(":")
    if len(text) > _LENGTH:
        text = text[:_LENGTH] + "..."
    place = ""
    for frame, line in traceback.walk_tb(error.__traceback__):
        file = frame.f_code.co_filename
        if file.startswith(_PACKAGE + "/"):
            place = f" ({file.removeprefix(_PACKAGE + '/')}:{line})"
    return f"internal error: {text}{place}"
