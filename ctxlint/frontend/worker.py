# SPDX-License-Identifier: GPL-2.0-or-later
"""Lowering many units in worker processes.

A crash or hang of libclang costs its unit only: the process is replaced, the
unit is tried once more on its own, then given up with a reproducer.
"""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import multiprocessing.connection
import platform
import shlex
import shutil
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import msgspec

from ctxlint.base.errors import FrontendError
from ctxlint.frontend.clang import library
from ctxlint.frontend.lower import lower_unit
from ctxlint.frontend.refs import inline_refs
from ctxlint.ir.codec import encode
from ctxlint.ir.unit import Unit

KnownInlines = Mapping[str, Sequence[str]]


class Request(msgspec.Struct, frozen=True):
    """One unit to lower; the members are those of ``lower_unit``.

    Header functions are shared between requests of the same ``profile``, which
    must see the headers alike.
    """

    profile: str
    tree: str
    file: str
    arguments: tuple[str, ...]
    directory: str


class Failure(msgspec.Struct, frozen=True):
    """A unit that was given up. ``reproducer`` is a folder, or ``""``."""

    request: Request
    reason: str
    reproducer: str = ""


OnResult = Callable[[Request, bytes, bytes], None]


def lower_many(
    requests: Iterable[Request],
    *,
    on_result: OnResult,
    processes: int = 1,
    timeout: float = 120.0,
    known: Mapping[str, KnownInlines] | None = None,
    transform: str | None = None,
    transform_arguments: tuple[Any, ...] = (),
    libclang: str | None = None,
    reproducers: Path | None = None,
) -> list[Failure]:
    """Lower ``requests`` with ``processes`` workers.

    ``on_result(request, unit, extra)`` gets each encoded Unit in the order of
    completion. ``extra`` is what a transformation made of it in the worker:
    ``transform`` (``"module:name"``) is called there once, with
    ``transform_arguments``, and gives the function ``(Unit, Request) -> bytes``.
    ``known`` has per profile the header functions that are stored already, with
    those they refer to. Workers do not tell each other: two may lower the same
    header function, with the same result. ``timeout`` is in seconds for each
    unit.
    """
    pool = _Pool(
        processes,
        timeout,
        _Settings(dict(known or {}), transform, transform_arguments, libclang),
        on_result,
    )
    try:
        suspects = pool.run(deque(requests))
        pool.resize(1)
        failures = pool.failures
        again = pool.run(deque(request for request, _ in suspects))
        failures += [Failure(request, reason) for request, reason in again]
    finally:
        pool.close()
    if reproducers is not None:
        failures = [
            msgspec.structs.replace(
                f, reproducer=str(write_reproducer(f, reproducers, libclang))
            )
            for f in failures
        ]
    return sorted(failures, key=lambda f: (f.request.profile, f.request.file))


class _Settings(msgspec.Struct):
    known: dict[str, KnownInlines]
    transform: str | None
    transform_arguments: tuple[Any, ...]
    libclang: str | None


class _Worker:
    def __init__(self, settings: _Settings) -> None:
        context = multiprocessing.get_context("forkserver")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, settings), daemon=True)
        self.process.start()
        theirs.close()
        self.request: Request | None = None
        self.deadline = 0.0

    def give(self, request: Request, timeout: float) -> None:
        self.request = request
        self.deadline = time.monotonic() + timeout
        self.pipe.send(request)

    def stop(self) -> None:
        self.process.kill()
        self.process.join()
        self.pipe.close()


class _Pool:
    def __init__(
        self, size: int, timeout: float, settings: _Settings, on_result: OnResult
    ) -> None:
        self.size = max(size, 1)
        self.timeout = timeout
        self.settings = settings
        self.on_result = on_result
        self.workers: list[_Worker] = []
        self.failures: list[Failure] = []

    def resize(self, size: int) -> None:
        while len(self.workers) > size:
            self.workers.pop().stop()
        self.size = size

    def close(self) -> None:
        self.resize(0)

    def run(self, queue: deque[Request]) -> list[tuple[Request, str]]:
        """Work off the queue; the units that broke their worker come back."""
        broken: list[tuple[Request, str]] = []
        while queue or any(w.request for w in self.workers):
            while queue and len(self.workers) < min(self.size, len(queue) + self._busy()):
                self.workers.append(_Worker(self.settings))
            for worker in self.workers:
                if worker.request is None and queue:
                    worker.give(queue.popleft(), self.timeout)
            for worker in self._ready():
                reason = self._receive(worker)
                if reason is not None:
                    assert worker.request is not None
                    broken.append((worker.request, reason))
                    self.workers.remove(worker)
                    worker.stop()
        return broken

    def _busy(self) -> int:
        return sum(w.request is not None for w in self.workers)

    def _ready(self) -> list[_Worker]:
        busy = [w for w in self.workers if w.request is not None]
        wait = min(w.deadline for w in busy) - time.monotonic()
        pipes = multiprocessing.connection.wait([w.pipe for w in busy], max(wait, 0))
        now = time.monotonic()
        return [w for w in busy if w.pipe in pipes or now >= w.deadline]

    def _receive(self, worker: _Worker) -> str | None:
        """Take a worker's answer; text when the worker is no more use."""
        request = worker.request
        assert request is not None
        if not worker.pipe.poll():
            return f"timed out after {self.timeout:g} s"
        try:
            error, unit, extra = worker.pipe.recv()
        except (EOFError, OSError):
            worker.process.join(1)
            return f"the worker ended with code {worker.process.exitcode}"
        worker.request = None
        if error:
            self.failures.append(Failure(request, error))
        else:
            self.on_result(request, unit, extra)
        return None


def _serve(pipe: Connection, settings: _Settings) -> None:
    """The worker's loop: a request in, ``(error, unit, extra)`` out. It ends
    with the pipe, so that an interrupt is the parent's to handle."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    lowerer = Lowerer(
        settings.known, settings.transform, settings.transform_arguments, settings.libclang
    )
    while True:
        try:
            request = pipe.recv()
        except EOFError:
            return
        try:
            unit, extra = lowerer.lower(request)
            pipe.send(("", unit, extra))
        except FrontendError as error:
            pipe.send((str(error), b"", b""))
        except (RecursionError, MemoryError, ArithmeticError, LookupError, TypeError,
                ValueError, AssertionError, AttributeError) as error:  # fmt: skip
            pipe.send((f"internal error: {type(error).__name__}: {error}", b"", b""))


class Lowerer:
    """Lowers units one after the other in this process, each header function
    once per profile."""

    def __init__(
        self,
        known: Mapping[str, KnownInlines] | None = None,
        transform: str | None = None,
        transform_arguments: tuple[Any, ...] = (),
        libclang: str | None = None,
    ) -> None:
        self._known: dict[str, dict[str, Sequence[str]]] = {
            profile: dict(inlines) for profile, inlines in (known or {}).items()
        }
        self._transform: Callable[[Unit, Request], bytes] | None = None
        if transform:
            module, _, name = transform.partition(":")
            factory = getattr(importlib.import_module(module), name)
            self._transform = factory(*transform_arguments)
        self._libclang = libclang

    def lower(self, request: Request) -> tuple[bytes, bytes]:
        """The encoded unit, and what the transformation made of it."""
        inlines = self._known.setdefault(request.profile, {})
        unit = lower_unit(
            tree=Path(request.tree),
            file=request.file,
            arguments=request.arguments,
            directory=Path(request.directory),
            known=inlines.get,
            libclang=self._libclang,
        )
        for function in unit.new_inlines:
            inlines[function.symbol] = inline_refs(function)
        extra = self._transform(unit, request) if self._transform else b""
        return encode(unit), extra


def version(libclang: str | None = None) -> str:
    """The version of the library that :func:`lower_many` would use."""
    return library(libclang).version()


def write_reproducer(failure: Failure, folder: Path, libclang: str | None = None) -> Path:
    """A folder with the command, versions and, when a clang is installed, the
    preprocessed source of a unit that could not be lowered."""
    request = failure.request
    place = folder / f"{request.profile}-{request.file.replace('/', '_')}"
    place.mkdir(parents=True, exist_ok=True)
    command = ["clang", *request.arguments, "-fsyntax-only", f"{request.tree}/{request.file}"]
    (place / "command").write_text(
        f"cd {shlex.quote(request.directory)}\n{shlex.join(command)}\n", encoding="utf-8"
    )
    try:
        lib = library(libclang)
        used = f"{lib.version()}\n{lib.path}"
    except FrontendError as error:
        used = str(error)
    (place / "versions").write_text(
        f"{failure.reason}\n{used}\npython {platform.python_version()}\n"
        f"{platform.platform()}\n",
        encoding="utf-8",
    )
    clang = shutil.which("clang") or next(
        filter(None, (shutil.which(f"clang-{n}") for n in range(30, 13, -1))), None
    )
    if clang:
        words: list[Any] = [clang, *request.arguments, "-E", "-o", place / "preprocessed.i"]
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run(
                [*words, f"{request.tree}/{request.file}"],
                cwd=request.directory,
                timeout=60,
                check=False,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
    return place
