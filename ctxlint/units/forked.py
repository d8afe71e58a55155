# SPDX-License-Identifier: GPL-2.0-or-later
"""Lowering a few units in children of this process.

The pool of ``frontend/worker.py`` starts fresh interpreters, which pays when each lowers
many units. For one or two the start would cost as much as the parse; a forked child has
everything loaded, and still a crash or hang of the parser is not ours.
"""

from __future__ import annotations

import multiprocessing.connection
import signal
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, Pipe
from typing import Any

import msgspec

from ctxlint.base.errors import FrontendError
from ctxlint.frontend import sandbox
from ctxlint.frontend.clang import keep_unraised, library
from ctxlint.frontend.fork import Fork
from ctxlint.frontend.worker import (
    KnownInlines,
    Lowerer,
    Request,
    answer,
    read_answer,
    send_answer,
)


@dataclass(frozen=True, kw_only=True)
class Job:
    """One unit, with what ``lower_many`` is told for all of its units; ``memory`` are
    bytes of address space (0: no limit), ``done`` gets the unit and what ``transform``
    made of it."""

    request: Request
    known: Mapping[str, KnownInlines]
    transform: str
    transform_arguments: tuple[Any, ...]
    libclang: str | None = None
    memory: int = sandbox.MEMORY
    done: Callable[[bytes, bytes], None] = field(repr=False)


def lower_forked(jobs: Iterable[Job], *, processes: int, timeout: float) -> list[str]:
    """Lower each unit in a child of its own, up to ``processes`` at a time.

    The answer are the reasons of failures, ``""`` for none, in the order of the jobs:
    the unit could not be lowered, took longer than ``timeout`` seconds, or ended its
    child. Must be called while there is one thread.
    """
    todo = deque(enumerate(jobs))
    reasons = [""] * len(todo)
    running: dict[Connection, _Child] = {}
    try:
        while todo or running:
            while todo and len(running) < max(processes, 1):
                child = _Child(*todo.popleft(), timeout)
                running[child.pipe] = child
            end = min(child.deadline for child in running.values())
            ready = multiprocessing.connection.wait(
                list(running), max(end - time.monotonic(), 0)
            )
            late = [c.pipe for c in running.values() if time.monotonic() >= c.deadline]
            for pipe in [p for p in running if p in ready] or late:
                child = running.pop(pipe)
                try:
                    if pipe in ready:
                        child.job.done(*child.receive())
                    else:
                        reasons[child.number] = f"timed out after {timeout:g} s"
                except FrontendError as error:
                    reasons[child.number] = str(error)
                finally:
                    child.end()
    finally:
        for child in running.values():
            child.end()
    return reasons


class _Child:
    """A process that lowers one unit."""

    def __init__(self, number: int, job: Job, timeout: float) -> None:
        self.number = number
        self.job = job
        self.timeout = timeout
        self.deadline = time.monotonic() + timeout
        self.pipe, theirs = Pipe(duplex=False)
        with theirs:
            self._process = Fork(theirs, lambda: _serve(job, theirs, timeout))

    def receive(self) -> tuple[bytes, bytes]:
        """Its answer; raises FrontendError."""
        try:
            error, unit, extra = read_answer(self.pipe, self.deadline + 5)
        except TimeoutError:
            raise FrontendError(f"timed out after {self.timeout:g} s") from None
        except (EOFError, OSError):
            code = self._process.wait()  # it ends by itself: its end of the pipe is closed
            if code == -signal.SIGXCPU:
                raise FrontendError(f"timed out after {self.timeout:g} s") from None
            raise FrontendError(f"the parser ended with code {code}") from None
        except msgspec.MsgspecError:
            raise FrontendError("the parser's answer cannot be read") from None
        if error:
            raise FrontendError(error)
        return unit, extra

    def end(self) -> None:
        """Make sure that it is gone."""
        self.pipe.close()
        self._process.kill()
        self._process.wait()


def _serve(job: Job, pipe: Connection, timeout: float) -> None:
    sandbox.say_nothing()
    keep_unraised()
    sandbox.limit_memory(job.memory)
    sandbox.limit_time(timeout)
    try:
        library(job.libclang)
        lowerer = Lowerer(job.known, job.transform, job.transform_arguments, job.libclang)
        sandbox.confine(sandbox.readable([job.request]))
        reply = answer(lowerer, job.request)
    except Exception as error:  # as in the pool: it costs this unit
        reply = (str(error) or type(error).__name__, b"", b"")
    send_answer(pipe, reply)
