# SPDX-License-Identifier: GPL-2.0-or-later
"""Writing results: standard output, or a file that appears whole or not at all."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from ctxlint.base.errors import UsageError


def wants_color(no_color: bool, output: Path | None) -> bool:
    """Colour only for a terminal, and never against ``--no-color`` or NO_COLOR
    (https://no-color.org: set and not empty)."""
    if no_color or output is not None or os.environ.get("NO_COLOR"):
        return False
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def emit(text: str, output: Path | None) -> None:
    """Write ``text`` (with one newline at its end) to ``output`` or stdout.

    Raises :class:`UsageError` when the file cannot be written.
    """
    if not text.endswith("\n"):
        text += "\n"
    if output is None or str(output) == "-":
        sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
        sys.stdout.buffer.flush()
        return
    try:
        write_atomically(output, text)
    except OSError as error:
        raise UsageError(
            f"{output}: {error.strerror}", hint="choose another -o FILE"
        ) from error


def write_atomically(path: Path, text: str) -> None:
    """Write through a temporary file in the same directory, then rename."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(text.encode("utf-8", "surrogateescape"))
            stream.flush()
            os.fsync(stream.fileno())
        umask = os.umask(0)
        os.umask(umask)
        Path(name).chmod(0o666 & ~umask)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
