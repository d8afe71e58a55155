# SPDX-License-Identifier: GPL-2.0-or-later
"""Transformations for the worker tests; some of them misbehave."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from ctxlint.frontend import Request
from ctxlint.ir.unit import Unit


def describer(prefix: str) -> Callable[[Unit, Request], bytes]:
    """Names what was lowered; hangs, crashes or raises where the file says so."""
    return partial(_describe, prefix)


def _describe(prefix: str, unit: Unit, request: Request) -> bytes:
    if "hang" in unit.file:
        time.sleep(60)
    if "crash" in unit.file:
        os.kill(os.getpid(), signal.SIGSEGV)
    if "raise" in unit.file:
        raise ValueError("this unit is not liked")
    return ",".join([prefix, *(f.name for f in unit.functions)]).encode()


def broken(reason: str) -> Callable[[Unit, Request], bytes]:
    """Cannot be made: with an error, or with the end of the process."""
    if reason == "exit":
        os._exit(7)
    raise ImportError(reason)


def toucher(place: str) -> Callable[[Unit, Request], bytes]:
    """Tries what a parser has no business with."""

    def attempt(what: Callable[[], object]) -> bool:
        try:
            what()
        except OSError:
            return False
        return True

    def touch(unit: Unit, request: Request) -> bytes:
        folder = Path(place)
        read = attempt((folder / "secret").read_text)
        write = attempt(lambda: (folder / "made").write_text("x", encoding="utf-8"))
        start = attempt(lambda: subprocess.run(["true"], check=True))
        return f"read {read} write {write} start {start}".encode()

    return touch
