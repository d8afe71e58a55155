# SPDX-License-Identifier: GPL-2.0-or-later
"""Lowering one unit in a child of this process.

The pool of ``frontend/worker.py`` starts fresh interpreters, which pays when each lowers many
units. For one unit the start would cost as much as the parse; a forked child has
everything loaded, and still a crash or hang of the parser is not ours.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from multiprocessing.connection import Connection, Pipe
from typing import Any

from ctxlint.base.errors import FrontendError
from ctxlint.frontend.worker import KnownInlines, Lowerer, Request


def lower_alone(
    request: Request,
    *,
    timeout: float,
    known: Mapping[str, KnownInlines],
    transform: str,
    transform_arguments: tuple[Any, ...] = (),
    libclang: str | None = None,
) -> tuple[bytes, bytes]:
    """The encoded Unit and what ``transform`` made of it (see ``lower_many``).

    Raises :class:`FrontendError` when the unit could not be lowered, took longer than
    ``timeout`` seconds, or ended the child. Must be called while there is one thread.
    """
    lowerer = Lowerer(known, transform, transform_arguments, libclang)
    ours, theirs = Pipe(duplex=False)
    child = os.fork()
    if child == 0:
        _serve(lowerer, request, theirs)
    theirs.close()
    try:
        if not ours.poll(timeout):
            raise FrontendError(f"timed out after {timeout:g} s")
        try:
            error, unit, extra = ours.recv()
        except (EOFError, OSError):
            status = os.waitstatus_to_exitcode(_end(child))
            child = 0
            raise FrontendError(f"the parser ended with code {status}") from None
    finally:
        ours.close()
        if child:
            _end(child)
    if error:
        raise FrontendError(error)
    return unit, extra


def _end(child: int) -> int:
    """Make sure that the child is gone; its wait status."""
    pid, status = os.waitpid(child, os.WNOHANG)
    if pid:
        return status
    os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1]


def _serve(lowerer: Lowerer, request: Request, pipe: Connection) -> None:
    """The child's whole life. Nothing of the parent's may run at its end."""
    code = 1
    try:
        try:
            reply = ("", *lowerer.lower(request))
        except FrontendError as error:
            reply = (str(error), b"", b"")
        except Exception as error:  # as in the pool: it costs this unit
            reply = (f"internal error: {type(error).__name__}: {error}", b"", b"")
        pipe.send(reply)
        code = 0
    finally:
        os._exit(code)
