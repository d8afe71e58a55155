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


MAX_SOURCE = 64 << 20
"""Bytes of a file of a kernel tree; the largest header of 6.12 has a third of that."""


def read_regular(path: Path, limit: int = MAX_SOURCE) -> bytes | None:
    """The content of a regular file, None for what is none, is larger or cannot be read.

    For files of a tree, where a name may be a link to a device without an end.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        return None
    try:
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                return None
            data = file.read(limit + 1)
    except OSError:
        return None
    return data if len(data) <= limit else None


def size(number: int) -> str:
    """A number of bytes in words: ``16 MiB``, ``256 KiB``."""
    return f"{number >> 20} MiB" if number >= 1 << 20 else f"{number >> 10} KiB"
