# SPDX-License-Identifier: GPL-2.0-or-later
"""Lowering many units in worker processes.

A crash or hang of libclang costs its unit only: the process is replaced, the
unit is tried once more on its own, then given up with a reproducer.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import multiprocessing.connection
import pickle
import platform
import resource
import shlex
import shutil
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import msgspec

from ctxlint.base.errors import CtxlintError, FrontendError
from ctxlint.frontend.clang import library
from ctxlint.frontend.lower import lower_unit
from ctxlint.frontend.refs import inline_refs
from ctxlint.ir.codec import encode
from ctxlint.ir.unit import Unit

KnownInlines = Mapping[str, Sequence[str]]

START_SECONDS = 120.0
"""A worker that has not said that it is ready by then will not."""

_BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[2]); "
    "from ctxlint.frontend.worker import serve; serve(int(sys.argv[1]))"
)


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
    overlay: str = ""


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
    memory: int = 0,
) -> list[Failure]:
    """Lower ``requests`` with ``processes`` workers.

    ``on_result(request, unit, extra)`` gets each encoded Unit in the order of
    completion. ``extra`` is what a transformation made of it in the worker:
    ``transform`` (``"module:name"``) is called there once, with
    ``transform_arguments``, and gives the function ``(Unit, Request) -> bytes``.
    ``known`` has per profile the header functions that are stored already, with
    those they refer to. Workers do not tell each other: two may lower the same
    header function, with the same result. ``timeout`` is in seconds for each
    unit, ``memory`` the bytes of address space that a worker may have (0: no
    limit). Raises FrontendError when a worker process cannot begin at all.
    """
    pool = _Pool(
        processes,
        timeout,
        _Settings(dict(known or {}), transform, transform_arguments, libclang, memory),
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
    memory: int


class _Worker:
    """A Python process that runs :func:`serve`.

    Not a child of ``multiprocessing``: that one would import the caller's main
    module again, and a script without a main guard would start over in it. Its
    process group is its own, so that an interrupt at the terminal is the
    parent's alone; it ends when the pipe does.
    """

    def __init__(self, settings: bytes) -> None:
        self.pipe, theirs = multiprocessing.connection.Pipe()
        with theirs:
            end = theirs.fileno()
            command = [sys.executable, "-c", _BOOT, str(end), json.dumps(sys.path)]
            try:
                self.process = subprocess.Popen(
                    command, pass_fds=(end,), stdin=subprocess.DEVNULL, process_group=0
                )
            except OSError as error:
                raise _cannot_start(str(error)) from error
        self._settings = settings
        self.ready = False
        self.request: Request | None = None
        self.deadline = 0.0

    def give(self, request: Request, timeout: float) -> None:
        self.request = request
        self.deadline = time.monotonic() + (timeout if self.ready else START_SECONDS)
        with contextlib.suppress(OSError):  # its end of the pipe will tell
            if not self.ready:
                self.pipe.send_bytes(self._settings)
            self.pipe.send(request)

    def begin(self, timeout: float) -> None:
        """Take the word that it is ready. Raises FrontendError."""
        try:
            error, hint = self.pipe.recv() if self.pipe.poll() else ("it does not answer", "")
        except (EOFError, OSError):
            error, hint = f"it ended with code {self.exit_code()}", ""
        if error:
            raise _cannot_start(error, hint)
        self.ready = True
        self.deadline = time.monotonic() + timeout

    def exit_code(self) -> int | None:
        """Of a process that has closed its pipe."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        return self.process.returncode

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        self.pipe.close()


def _cannot_start(why: str, hint: str = "") -> FrontendError:
    return FrontendError(
        f"a worker process cannot start: {why}",
        hint=hint or "what it wrote above, if anything, says more; is the installation whole?",
    )


class _Pool:
    def __init__(
        self, size: int, timeout: float, settings: _Settings, on_result: OnResult
    ) -> None:
        self.size = max(size, 1)
        self.timeout = timeout
        self.settings = pickle.dumps(settings)
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
                if not worker.ready:
                    worker.begin(self.timeout)
                    continue
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
            return f"the worker ended with code {worker.exit_code()}"
        worker.request = None
        if error:
            self.failures.append(Failure(request, error))
        else:
            self.on_result(request, unit, extra)
        return None


def serve(descriptor: int) -> None:
    """A worker's life: settings in, "ready" out, then a request in and
    ``(error, unit, extra)`` out until the pipe ends."""
    with contextlib.suppress(EOFError, ConnectionError), Connection(descriptor) as pipe:
        settings: _Settings = pickle.loads(pipe.recv_bytes())
        if settings.memory:
            resource.setrlimit(resource.RLIMIT_AS, (settings.memory, settings.memory))
        try:
            lowerer = Lowerer(
                settings.known,
                settings.transform,
                settings.transform_arguments,
                settings.libclang,
            )
        except CtxlintError as error:
            pipe.send((str(error), error.hint))
            return
        except Exception as error:  # whatever it is, no unit is to blame
            pipe.send((f"{type(error).__name__}: {error}", ""))
            return
        pipe.send(("", ""))
        while True:
            pipe.send(_answer(lowerer, pipe.recv()))


def _answer(lowerer: Lowerer, request: Request) -> tuple[str, bytes, bytes]:
    try:
        return ("", *lowerer.lower(request))
    except FrontendError as error:
        return (str(error), b"", b"")
    except (RecursionError, MemoryError, ArithmeticError, LookupError, TypeError,
            ValueError, AssertionError, AttributeError) as error:  # fmt: skip
        return (f"internal error: {type(error).__name__}: {error}", b"", b"")


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
            overlay=request.overlay,
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
