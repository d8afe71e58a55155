# SPDX-License-Identifier: GPL-2.0-or-later
"""A parser as a forked child of this process, with everything loaded."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from multiprocessing.connection import Connection

from ctxlint.base.processes import forked


class Fork:
    """A child that does ``life()`` and ends; it is waited for and killed as a
    :class:`subprocess.Popen` is. There must be one thread."""

    def __init__(self, pipe: Connection, life: Callable[[], None]) -> None:
        self.returncode: int | None = None
        parent = os.getpid()
        self._pid = os.fork()
        if self._pid == 0:
            _live(parent, pipe, life)

    def kill(self) -> None:
        if self.returncode is None:
            os.kill(self._pid, signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, as Popen has it. Raises TimeoutExpired after ``timeout`` seconds."""
        end = None if timeout is None else time.monotonic() + timeout
        while self.returncode is None:
            pid, status = os.waitpid(self._pid, 0 if end is None else os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
            elif end is not None and time.monotonic() >= end:
                raise subprocess.TimeoutExpired("a forked parser", timeout or 0)
            else:
                time.sleep(0.01)
        return self.returncode


def _live(parent: int, pipe: Connection, life: Callable[[], None]) -> None:
    """The child's whole life. Nothing of the parent's may run at its end, and what the parent
    has open (the store, a lock) is not for the parser of a stranger's text."""
    code = 1
    try:
        forked(parent)
        kept = pipe.fileno()
        os.closerange(3, kept)
        os.closerange(kept + 1, max(int(n) for n in os.listdir("/proc/self/fd")) + 1)  # noqa: PTH208
        life()
        code = 0
    finally:
        os._exit(code)
