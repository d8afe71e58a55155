# SPDX-License-Identifier: GPL-2.0-or-later
"""Reading a file that somebody else may have put there."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from ctxlint.base.errors import UsageError

_KINDS = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISBLK, "a block device"),
)


def read_limited(path: Path, limit: int) -> bytes:
    """The content of a regular file or a character device, of at most ``limit`` bytes.

    Raises :class:`UsageError`, which begins with ``path``, for a file that is larger,
    cannot be read, or would have to be waited for (a FIFO without a writer).
    """
    try:
        # Without O_NONBLOCK opening a FIFO waits for somebody to write into it.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            mode = os.fstat(handle).st_mode
            for test, kind in _KINDS:
                if test(mode):
                    raise UsageError(f"{path}: is {kind}, not a file")
            data = file.read(limit + 1)
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: {getattr(error, 'strerror', None) or error}") from error
    if data is None:
        raise UsageError(f"{path}: nothing to read there yet")
    if len(data) > limit:
        raise UsageError(f"{path}: larger than {size(limit)}, not read")
    return data


def size(number: int) -> str:
    """A number of bytes in words: ``16 MiB``, ``256 KiB``."""
    return f"{number >> 20} MiB" if number >= 1 << 20 else f"{number >> 10} KiB"
