# SPDX-License-Identifier: GPL-2.0-or-later
"""Standard streams that may be closed, full, or no longer have a reader.

A program that is started with a closed descriptor gets its next file under that number,
and what a child writes to its standard output would land in it. So closed ones are opened
on ``/dev/null`` first, and what stands for them in Python fails when it is used.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import TextIO

_NAMES = ("stdin", "stdout", "stderr")


class _Closed(io.RawIOBase):
    """A stream that nobody opened."""

    def __init__(self, name: str) -> None:
        self.name = name

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def _fail(self, *_ignored: object) -> int:
        kind = {"stdin": "input", "stdout": "output"}.get(self.name, "error")
        raise OSError(errno.EBADF, f"standard {kind} is closed")

    readinto = write = _fail


def guard() -> None:
    """Make closed streams harmless; called once, before anything is opened."""
    for number, name in enumerate(_NAMES):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free: this one
        if getattr(sys, name) is None:
            setattr(sys, name, _stand_in(name))


def _stand_in(name: str) -> TextIO:
    raw = _Closed(name)
    if name == "stdin":
        return io.TextIOWrapper(io.BufferedReader(raw), encoding="utf-8")
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding="utf-8", errors="replace")


def silence(name: str) -> None:
    """What is still in the buffer of a stream that failed goes nowhere: the interpreter
    would try again at its end, complain, and change the exit code."""
    stream = getattr(sys, name)
    number = _NAMES.index(name)
    try:
        real = stream.fileno() == number
    except (OSError, ValueError, AttributeError):
        real = False
    if real:
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, number)
        os.close(nothing)
    elif stream is not None and isinstance(getattr(stream, "buffer", None), io.BufferedWriter):
        setattr(sys, name, None)


def tell(line: str) -> None:
    """A line on standard error, when that can take it. The exit code says the rest."""
    import click

    try:
        click.echo(line, err=True)
    except (OSError, ValueError):
        silence("stderr")


def write_out(data: bytes) -> None:
    """Write to standard output. A reader that has gone (``| head``) is no error; raises
    OSError for others."""
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        silence("stdout")
