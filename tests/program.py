# SPDX-License-Identifier: GPL-2.0-or-later
"""The program in this process: a start, with all that is imported and read again, costs more
than most of what tests ask of it."""

from __future__ import annotations

import contextlib
import gc
import io
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from unittest import mock

from ctxlint.cli.main import main


def ctxlint(
    *words: str, at: Path, environment: Mapping[str, str] | None = None, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """What ``ctxlint WORDS`` says in the directory ``at``."""
    given = io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8")
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    with (
        contextlib.chdir(at),
        mock.patch.dict(os.environ, environment or {}, clear=environment is not None),
        mock.patch.multiple(sys, stdin=given, stdout=out, stderr=err),
    ):
        try:
            code = main(words)
        finally:
            gc.enable()  # short commands turn it off
    texts = []
    for stream in out, err:
        stream.flush()
        texts.append(stream.buffer.getvalue().decode())  # type: ignore[attr-defined]
    return subprocess.CompletedProcess(words, code, *texts)
