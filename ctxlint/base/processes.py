# SPDX-License-Identifier: GPL-2.0-or-later
"""Child processes and temporary directories that do not outlive this process.

Whatever ends it: an exception, a signal, or SIGKILL, of which a process never learns. For
that there is a small watcher process (:mod:`ctxlint.base.lifeline`), started with the first
thing that it has to look after.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from ctxlint.base import lifeline
from ctxlint.base.lifeline import die_with

_SCRIPT = [sys.executable, "-I", "-S", lifeline.__file__]
_UNNAMED = "."
"""Before the name of a directory that has no owner's lock yet."""
_UNNAMED_SECONDS = 3600
_AGAIN_SECONDS = 3.0
_TERM_SECONDS = 5.0


class StoppedError(KeyboardInterrupt):
    """A signal asked this process to end; what handles an interrupt handles it too."""


class Signals:
    """``number`` is the signal that came, 0 for none."""

    number = 0


_signals: Signals | None = None
"""While :func:`orderly` is at work."""


class _Watcher:
    def __init__(self) -> None:
        self.owner = os.getpid()
        orders, self.orders = os.pipe()
        signals, self.signals = os.pipe()
        os.set_blocking(self.signals, False)
        try:
            self._process = subprocess.Popen(
                [*_SCRIPT, "watch", str(orders), str(signals), str(self.owner)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                pass_fds=(orders, signals),
                cwd="/",
            )
        except BaseException:
            os.close(self.orders)
            os.close(self.signals)
            raise
        finally:
            os.close(orders)
            os.close(signals)

    def tell(self, order: str) -> None:
        with contextlib.suppress(OSError):  # somebody killed it: then there is none
            os.write(self.orders, os.fsencode(order) + b"\0")

    def close(self) -> None:
        """It ends with the pipes; in a forked child they are only let go."""
        os.close(self.orders)
        os.close(self.signals)
        if self.owner == os.getpid():
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(lifeline.GRACE)


_watcher: _Watcher | None = None


def _watched() -> _Watcher | None:
    """The watcher; None when none can be started."""
    global _watcher
    if _watcher is None:
        try:
            _watcher = _Watcher()
        except OSError:
            return None
        if _signals is not None:
            signal.set_wakeup_fd(_watcher.signals, warn_on_full_buffer=False)
    return _watcher


def close() -> None:
    """Let the watcher end. It does what was not done, so nothing is left afterwards."""
    global _watcher
    if _watcher is not None:
        watcher, _watcher = _watcher, None
        if _signals is not None:
            signal.set_wakeup_fd(-1)
        watcher.close()


def _at_exit() -> None:
    # The results are out, and the watcher ends by itself: nothing is left to interrupt.
    with contextlib.suppress(KeyboardInterrupt):
        close()


atexit.register(_at_exit)


def forked(parent: int) -> None:
    """To be called first in a child that was forked and goes on in Python: it is killed
    when ``parent`` ends, has a process group of its own, and no say in what is the
    parent's."""
    global _watcher, _signals
    die_with(parent)
    os.setpgid(0, 0)
    if threading.current_thread() is threading.main_thread():
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGALRM):
            signal.signal(number, signal.SIG_DFL)
    _signals = None
    if _watcher is not None:
        _watcher.close()
        _watcher = None


@contextlib.contextmanager
def program(command: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[str]]:
    """Run a program in a process group that ends with the block, and with this process.

    ``options`` are those of :class:`subprocess.Popen`. What the program started and left
    behind in its group is killed.
    """
    watcher = _watched()
    orders = -1 if watcher is None else watcher.orders
    passed = tuple(options.pop("pass_fds", ())) + ((orders,) if orders >= 0 else ())
    process: subprocess.Popen[str] = subprocess.Popen(
        [*_SCRIPT, "run", str(os.getpid()), str(orders), *command],
        start_new_session=True,
        pass_fds=passed,
        **options,
    )
    try:
        yield process
    except BaseException:
        _signal_group(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_TERM_SECONDS)
        raise
    finally:
        _signal_group(process.pid, signal.SIGKILL)
        process.wait()
        if watcher is not None:
            watcher.tell(f"-g{process.pid}")


def dying(command: Sequence[str]) -> list[str]:
    """A command, for :mod:`subprocess`, that is killed when this process ends."""
    return [*_SCRIPT, "run", str(os.getpid()), "-1", *command]


def _signal_group(group: int, number: int) -> None:
    with contextlib.suppress(OSError):
        os.killpg(group, number)


@contextlib.contextmanager
def scratch(prefix: str, folder: Path | None = None) -> Iterator[Path]:
    """A new directory that is removed with the block, and with this process.

    Where ``folder`` cannot be written it is in the system's for temporary files.
    Those of the same ``prefix`` in ``folder`` (the system's for temporary files) whose
    process is gone are removed first.
    """
    parent = (folder or Path(tempfile.gettempdir())).resolve()
    if not os.access(parent, os.W_OK | os.X_OK):
        parent = Path(tempfile.gettempdir()).resolve()
    _remove_stale(parent, prefix)
    place = parent / f"{prefix}{os.urandom(6).hex()}"
    early = parent / f"{_UNNAMED}{place.name}"
    watcher = _watched()
    if watcher is not None:
        watcher.tell(f"+p{early}")
        watcher.tell(f"+p{place}")
    handle = -1
    try:
        early.mkdir(0o700)
        handle = os.open(early, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        with contextlib.suppress(OSError):  # no such thing on some network file systems
            fcntl.flock(handle, fcntl.LOCK_SH)
        early.rename(place)
        yield place
    finally:
        for path in (place, early):
            shutil.rmtree(path, ignore_errors=True)
            if watcher is not None and not os.path.lexists(path):
                watcher.tell(f"-p{path}")
        if handle >= 0:
            os.close(handle)


def _remove_stale(folder: Path, prefix: str) -> None:
    for path in folder.glob(f"{prefix}*"):
        with contextlib.suppress(OSError):
            handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                if os.fstat(handle).st_uid == os.geteuid():
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(path)
            finally:
                os.close(handle)
    for path in folder.glob(f"{_UNNAMED}{prefix}*"):
        with contextlib.suppress(OSError):
            status = path.lstat()
            if (
                stat.S_ISDIR(status.st_mode)
                and status.st_uid == os.geteuid()
                and status.st_mtime < time.time() - _UNNAMED_SECONDS
            ):
                shutil.rmtree(path)


@contextlib.contextmanager
def orderly() -> Iterator[Signals]:
    """SIGTERM, SIGHUP and SIGINT end the block with :class:`StoppedError`.

    Python raises where the program happens to be, and there are places where an exception
    is only printed (callbacks of C libraries, ``__del__``, what Python itself does around a
    fork). There nothing is printed of this one, and it is raised again until the block has
    ended; in the end the watcher kills this process.

    A shell without job control starts background jobs with SIGINT ignored, which would
    leave no way to interrupt one, so SIGINT counts anyway; SIGHUP does not when it is
    ignored (nohup). Does nothing outside of the main thread.
    """
    global _signals
    found = Signals()
    if threading.current_thread() is not threading.main_thread() or _signals is not None:
        yield found
        return

    def stop(number: int, frame: FrameType | None) -> None:
        if number != signal.SIGALRM:
            found.number = found.number or number
            signal.setitimer(signal.ITIMER_REAL, _AGAIN_SECONDS, _AGAIN_SECONDS)
        raise StoppedError(signal.Signals(found.number or number).name)

    numbers = [signal.SIGTERM, signal.SIGINT, signal.SIGALRM]
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        numbers.append(signal.SIGHUP)

    def unraised(lost: sys.UnraisableHookArgs) -> None:
        if not isinstance(lost.exc_value, StoppedError):
            told(lost)

    told = sys.unraisablehook
    sys.unraisablehook = unraised
    before = {number: signal.signal(number, stop) for number in numbers}
    _signals = found
    if _watcher is not None:
        signal.set_wakeup_fd(_watcher.signals, warn_on_full_buffer=False)
    try:
        yield found
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        sys.unraisablehook = told
        _signals = None
        for number, handler in before.items():
            signal.signal(number, handler)
        if _watcher is not None:
            signal.set_wakeup_fd(-1)
        if found.number:
            close()  # it would kill who lives on after the signal
