# SPDX-License-Identifier: GPL-2.0-or-later
"""What happens when a process ends that cannot see to it any more (kill -9).

This file is also a script that needs nothing but Python's own modules:

``watch ORDERS SIGNALS``
    sits in a session of its own and reads orders from a pipe. When the pipe ends, the
    process that began it is gone: the process groups that it named are killed and the
    directories that it named are removed. A signal that came in over the second pipe gives
    that process :data:`GRACE` seconds to end by itself.
``run PARENT ORDERS COMMAND...``
    becomes a program that is killed when its parent ends, and names its process group to
    the watcher before it begins.

Orders are ``+gGROUP``, ``-gGROUP``, ``+pPATH`` and ``-pPATH``, each with a NUL at its end.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import shutil
import signal
import sys
import time

GRACE = 15.0
"""Seconds from a signal to the end, if need be by force: in a call of a C library Python
does not come to the handler of a signal."""

_REMOVE_SECONDS = 5.0
_PR_SET_PDEATHSIG = 1  # include/uapi/linux/prctl.h


def die_with(parent: int) -> None:
    """Have this process killed when ``parent``, which started it, ends (the thread of it
    that did, prctl(2) says). Survives exec."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)  # it ended before it was asked for


def run(parent: int, orders: int, command: list[str]) -> None:
    """Become ``command`` (see above); does not return."""
    die_with(parent)
    if orders >= 0:
        with contextlib.suppress(OSError):
            os.write(orders, b"+g%d\0" % os.getpid())
            os.close(orders)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        os.write(2, f"{command[0]}: {error.strerror}\n".encode())
        os._exit(127)


def watch(orders: int, signals: int, parent: int) -> None:
    """Wait for the end of ``parent``, then clean up after it (see above)."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    paths: set[str] = set()
    deadline = float("inf")
    rest = b""
    sources = [orders, signals]
    while True:
        left = max(deadline - time.monotonic(), 0)
        ready = select.select(sources, [], [], None if left == float("inf") else left)[0]
        if not ready and left <= 0:
            deadline = float("inf")
            if os.getppid() == parent:
                os.kill(parent, signal.SIGKILL)
        if signals in ready:
            numbers = os.read(signals, 512)
            if not numbers:
                sources.remove(signals)
            elif {signal.SIGINT, signal.SIGTERM, signal.SIGHUP} & set(numbers):
                deadline = min(deadline, time.monotonic() + GRACE)
        if orders in ready:
            data = os.read(orders, 65536)
            if not data:
                break
            *told, rest = (rest + data).split(b"\0")
            for order in told:
                _take(order, groups, paths)
    clean(groups, paths)


def _take(order: bytes, groups: set[int], paths: set[str]) -> None:
    add = order[:1] == b"+"
    if order[1:2] == b"g":
        group = int(order[2:])
        groups.add(group) if add else groups.discard(group)
    elif order[1:2] == b"p":
        path = os.fsdecode(order[2:])
        paths.add(path) if add else paths.discard(path)


def clean(groups: set[int], paths: set[str]) -> None:
    """End process groups and remove what they may still have been writing to."""
    for group in groups:
        with contextlib.suppress(OSError):
            os.killpg(group, signal.SIGKILL)
    end = time.monotonic() + _REMOVE_SECONDS
    while paths and time.monotonic() < end:
        for path in sorted(paths):
            shutil.rmtree(path, ignore_errors=True)
            with contextlib.suppress(OSError):
                os.unlink(path)  # noqa: PTH108 - the fewest imports are the fastest
            if not os.path.lexists(path):
                paths.discard(path)
        if paths:
            time.sleep(0.05)


def _main(words: list[str]) -> None:
    if words[0] == "watch":
        watch(int(words[1]), int(words[2]), int(words[3]))
    else:
        run(int(words[1]), int(words[2]), words[3:])


if __name__ == "__main__":
    _main(sys.argv[1:])
