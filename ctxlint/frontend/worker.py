# SPDX-License-Identifier: GPL-2.0-or-later
"""Lowering many units in worker processes.

A crash or hang of libclang costs its unit only: the process is replaced. A unit that
crashed is tried once more on its own, then given up with a reproducer; one that took too
long is given up at once. What a worker may do is in :mod:`ctxlint.frontend.sandbox`; its
answers are taken for what they are, bytes from a process that has read a stranger's text.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import multiprocessing.connection
import os
import pickle
import platform
import select
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import msgspec

from ctxlint.base.errors import CtxlintError, FrontendError
from ctxlint.base.faults import reason_of
from ctxlint.frontend import sandbox
from ctxlint.frontend.clang import keep_unraised, library, unraised
from ctxlint.frontend.fork import Fork
from ctxlint.frontend.lower import lower_unit
from ctxlint.frontend.refs import inline_refs
from ctxlint.ir.codec import encode
from ctxlint.ir.unit import Unit

KnownInlines = Mapping[str, Sequence[str]]

START_SECONDS = 120.0
"""A worker that has not said that it is ready by then will not."""

_BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[2]); "
    "from ctxlint.base.lifeline import die_with; die_with(int(sys.argv[3])); "
    "from ctxlint.frontend.worker import serve; serve(int(sys.argv[1]))"
)

_SEND_SECONDS = 5.0
"""More than the time limit for an answer that is on its way."""

_ANSWER_BYTES = 1 << 30
"""More than any unit gives; what a worker sends is kept in memory."""


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
    memory: int = sandbox.MEMORY,
    crashed: Container[str] = (),
    fork: bool = False,
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
    limit). Files that ``crashed`` before are tried once more, others twice. Workers are
    fresh interpreters, which pays for many units; with ``fork``, children of this process,
    which must have one thread then. Raises FrontendError when a worker process cannot
    begin at all.
    """
    requests = list(requests)
    pool = _Pool(
        processes,
        timeout,
        _Settings(
            known=dict(known or {}),
            transform=transform,
            transform_arguments=transform_arguments,
            libclang=libclang,
            memory=memory,
            timeout=timeout,
            readable=sandbox.readable(requests),
        ),
        on_result,
        fork,
    )
    try:
        suspects = pool.run(deque(requests))
        pool.resize(1)
        failures = pool.failures
        failures += [Failure(r, reason) for r, reason in suspects if r.file in crashed]
        again = pool.run(deque(r for r, _ in suspects if r.file not in crashed))
        failures += [Failure(request, reason) for request, reason in again]
    finally:
        pool.close()
    if reproducers is not None:
        for number, failure in enumerate(failures):
            with contextlib.suppress(OSError):  # a cache that cannot be written
                place = str(write_reproducer(failure, reproducers, libclang))
                failures[number] = msgspec.structs.replace(failure, reproducer=place)
    return sorted(failures, key=lambda f: (f.request.profile, f.request.file))


class _Settings(msgspec.Struct):
    known: dict[str, KnownInlines]
    transform: str | None
    transform_arguments: tuple[Any, ...]
    libclang: str | None
    memory: int
    timeout: float
    readable: tuple[str, ...]


class _Worker:
    """A process that does what :func:`serve` does.

    Not a child of ``multiprocessing``: that one would import the caller's main
    module again, and a script without a main guard would start over in it. Its
    process group is its own, so that an interrupt at the terminal is the
    parent's alone; it ends when the pipe does, and is killed when the parent ends.
    """

    def __init__(self, settings: bytes | _Settings) -> None:
        self.process: subprocess.Popen[bytes] | Fork
        self._settings = settings if isinstance(settings, bytes) else b""
        self.ready = False
        self.request: Request | None = None
        self.deadline = 0.0
        self.pipe, theirs = multiprocessing.connection.Pipe()
        with theirs:
            if not isinstance(settings, bytes):
                self.process = Fork(theirs, lambda: _work(theirs, settings))
                return
            end = theirs.fileno()
            words = [str(end), json.dumps(sys.path), str(os.getpid())]
            command = [sys.executable, "-c", _BOOT, *words]
            try:
                self.process = subprocess.Popen(
                    command, pass_fds=(end,), stdin=subprocess.DEVNULL, process_group=0
                )
            except OSError as error:
                raise _cannot_start(str(error)) from error

    def give(self, request: Request, timeout: float) -> None:
        self.request = request
        self.deadline = time.monotonic() + (timeout if self.ready else START_SECONDS)
        with contextlib.suppress(OSError):  # its end of the pipe will tell
            if self._settings and not self.ready:
                self.pipe.send_bytes(self._settings)
            self.pipe.send(request)

    def begin(self, timeout: float) -> None:
        """Take the word that it is ready. Raises FrontendError."""
        error, hint = "it does not answer", b""
        try:
            if self.pipe.poll():
                error, hint, _ = read_answer(self.pipe, self.deadline)
        except (EOFError, OSError, msgspec.MsgspecError):
            error = f"it ended with code {self.exit_code()}"
        if error:
            raise _cannot_start(error, hint.decode())
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
        self,
        size: int,
        timeout: float,
        settings: _Settings,
        on_result: OnResult,
        fork: bool,
    ) -> None:
        self.size = max(size, 1)
        self.timeout = timeout
        self.settings = settings if fork else pickle.dumps(settings)
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
        """Work off the queue; the units that crashed their worker come back."""
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
                    if reason == _too_long(self.timeout):
                        self.failures.append(Failure(worker.request, reason))
                    else:
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
            return _too_long(self.timeout)
        try:
            error, unit, extra = read_answer(worker.pipe, worker.deadline + _SEND_SECONDS)
        except TimeoutError:
            return _too_long(self.timeout)
        except (EOFError, OSError):
            code = worker.exit_code()
            if code == -signal.SIGXCPU:
                return _too_long(self.timeout)
            return f"the worker ended with code {code}"
        except msgspec.MsgspecError:
            return "the worker's answer cannot be read"
        worker.request = None
        if error:
            self.failures.append(Failure(request, error))
        else:
            self.on_result(request, unit, extra)
        return None


def _too_long(timeout: float) -> str:
    return f"timed out after {timeout:g} s"


_answers = msgspec.msgpack.Decoder(tuple[str, bytes, bytes])


def read_answer(pipe: Connection, deadline: float) -> tuple[str, bytes, bytes]:
    """An error (``""``: none), the unit and what a transformation made of it.

    No pickle: that would let a parser that was taken over run what it likes here. Raises
    EOFError, msgspec.MsgspecError, and TimeoutError when not all of it is there by the
    ``deadline`` (of :func:`time.monotonic`).
    """
    size = int.from_bytes(_exactly(pipe.fileno(), 8, deadline), "little")
    if size > _ANSWER_BYTES:
        raise EOFError
    return _answers.decode(_exactly(pipe.fileno(), size, deadline))


def _exactly(handle: int, size: int, deadline: float) -> bytes:
    found = bytearray()
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    while len(found) < size:
        if not poll.poll(max(deadline - time.monotonic(), 0) * 1000):
            raise TimeoutError
        data = os.read(handle, min(size - len(found), 1 << 20))
        if not data:
            raise EOFError
        found += data
    return bytes(found)


def send_answer(pipe: Connection, answer: tuple[str, bytes, bytes]) -> None:
    """The other half of :func:`read_answer`."""
    data = msgspec.msgpack.encode(answer)
    left = memoryview(len(data).to_bytes(8, "little") + data)
    while left:
        left = left[os.write(pipe.fileno(), left) :]


def serve(descriptor: int) -> None:
    """The life of a worker that is a fresh interpreter: settings in, then :func:`_work`."""
    with contextlib.suppress(EOFError, ConnectionError), Connection(descriptor) as pipe:
        _work(pipe, pickle.loads(pipe.recv_bytes()))


def _work(pipe: Connection, settings: _Settings) -> None:
    """ "ready" out, then a request in and ``(error, unit, extra)`` out until the pipe ends."""
    with contextlib.suppress(EOFError, ConnectionError):
        sandbox.limit_memory(settings.memory)
        keep_unraised()
        try:
            library(settings.libclang)
            lowerer = Lowerer(
                settings.known,
                settings.transform,
                settings.transform_arguments,
                settings.libclang,
            )
        except CtxlintError as error:
            send_answer(pipe, (str(error), error.hint.encode(), b""))
            return
        except Exception as error:  # whatever it is, no unit is to blame
            send_answer(pipe, (reason_of(error), b"", b""))
            return
        sandbox.say_nothing()
        sandbox.confine(settings.readable)
        send_answer(pipe, ("", b"", b""))
        while True:
            request = pipe.recv()
            sandbox.limit_time(settings.timeout)
            send_answer(pipe, answer(lowerer, request))


def answer(lowerer: Lowerer, request: Request) -> tuple[str, bytes, bytes]:
    """Lower a unit; whatever goes wrong costs that unit, and is told with it."""
    unraised.clear()
    try:
        reply = ("", *lowerer.lower(request))
    except CtxlintError as error:
        return (str(error), b"", b"")
    except Exception as error:
        return (reason_of(error), b"", b"")
    return (reason_of(unraised[0]), b"", b"") if unraised else reply


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
    from ctxlint.frontend.reproduce import folder_of, preprocess

    request = failure.request
    place = folder_of(folder, request.profile, request.file)
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
        source = f"{request.tree}/{request.file}"
        output = place / "preprocessed.i"
        preprocess(clang, request.arguments, source, request.directory, output)
    return place
