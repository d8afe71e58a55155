# SPDX-License-Identifier: GPL-2.0-or-later
"""Writing results: standard output, or a file that appears whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import sys
import tempfile
from pathlib import Path

import click

from ctxlint.base.errors import UsageError
from ctxlint.cli import streams

#: What a directory says that takes no new file although the file itself can be written
#: (a file that is mounted into a container, for one).
_IN_PLACE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.EBUSY, errno.EXDEV)


def wants_color(no_color: bool, output: Path | None) -> bool:
    """Colour only for a terminal, and never against ``--no-color`` or NO_COLOR
    (https://no-color.org: set and not empty)."""
    if no_color or output is not None or os.environ.get("NO_COLOR"):
        return False
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


pager_option = click.option("--no-pager", is_flag=True, help="Do not page long output (PAGER).")


def emit(text: str, output: Path | None, *, paged: bool = False) -> None:
    """Write ``text`` (with one newline at its end) to ``output`` or stdout.

    ``paged``: on a terminal that it does not fit, through the user's pager, with the same
    settings as git. Raises :class:`UsageError` when the file cannot be written.
    """
    if not text.endswith("\n"):
        text += "\n"
    if paged and output is None and _is_long_for_a_terminal(text):
        os.environ.setdefault("LESS", "FRX")
        click.echo_via_pager(text, color=True)
        return
    if output is None or str(output) == "-":
        streams.write_out(text.encode("utf-8", "surrogateescape"))
        return
    try:
        write_file(output, text)
    except BrokenPipeError:
        return  # a FIFO whose reader has seen enough
    except (OSError, RuntimeError) as error:  # RuntimeError: a link to itself
        raise UsageError(
            f"{output}: {getattr(error, 'strerror', None) or error}",
            hint="choose another -o FILE",
        ) from error


def _is_long_for_a_terminal(text: str) -> bool:
    seen = sys.stdin.isatty() and sys.stdout.isatty()
    return seen and text.count("\n") >= shutil.get_terminal_size().lines


def write_file(path: Path, text: str, *, mode: int | None = None) -> None:
    """Write a file so that it is there whole or not at all.

    That needs a new file in its place, which keeps the permissions of the old one (or
    gets ``mode``). What is no regular file, a device or a FIFO, is written to as it is.
    A symbolic link stays one, its target is written. Raises OSError.
    """
    data = text.encode("utf-8", "surrogateescape")
    try:
        old = path.stat()
    except FileNotFoundError:
        old = None
    special = str(path.absolute()).startswith(("/dev/", "/proc/"))
    if old is not None and (special or not stat.S_ISREG(old.st_mode)):
        _in_place(path, data)
        return
    path = path.resolve()
    try:
        _replace(path, data, old, mode)
    except OSError as error:
        if old is None or error.errno not in _IN_PLACE:
            raise
        _in_place(path, data)


def _in_place(path: Path, data: bytes) -> None:
    with path.open("wb") as stream:
        stream.write(data)


def _replace(path: Path, data: bytes, old: os.stat_result | None, mode: int | None) -> None:
    """Write through a temporary file in the same directory, then rename."""
    handle, name = tempfile.mkstemp(prefix=".ctxlint-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        if old is not None:
            with contextlib.suppress(OSError):  # only root may give files away
                os.chown(name, old.st_uid, old.st_gid)
        if mode is None:
            mode = stat.S_IMODE(old.st_mode) if old is not None else 0o666 & ~_umask()
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask
