# SPDX-License-Identifier: GPL-2.0-or-later
"""What a reproducer needs: a folder with a sane name, and clang on a hostile source.

The source made a parser crash or run out of time, and a stranger may have written it and
its flags. So clang gets limits, writes one file and nothing else, and does not start for
flags that make it read further ones.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

SECONDS = 20
MEMORY = 2 << 30
"""Bytes of address space."""
OUTPUT = 256 << 20
"""Bytes of preprocessed source."""

#: Sets the limits in the process that clang then takes over: after a fork of a program
#: with threads only little may run.
_LIMITED = (
    "import os, resource as r, sys; s, m, o = map(int, sys.argv[1:4]); "
    "[r.setrlimit(k, (v, v)) for k, v in ((r.RLIMIT_CPU, s), (r.RLIMIT_AS, m), "
    "(r.RLIMIT_FSIZE, o), (r.RLIMIT_CORE, 0))]; os.execv(sys.argv[4], sys.argv[4:])"
)


def folder_of(base: Path, profile: str, file: str) -> Path:
    """Where the reproducer of a unit goes: readable, and of characters that no shell minds.

    Of ``profile`` the first word is the name, the others tell its headers apart.
    """
    short = (profile.split() or ["unit"])[0]
    name = re.sub(r"[^\w.+-]", "_", f"{short}-{file}", flags=re.ASCII)
    if len(name) > 150 or name.startswith("."):
        digest = hashlib.blake2b(f"{profile}/{file}".encode(errors="replace"), digest_size=6)
        name = f"unit-{name[:120]}-{digest.hexdigest()}"
    return base.absolute() / name


def preprocess(
    clang: str, arguments: Sequence[str], source: str, directory: str, output: Path
) -> None:
    """Write the preprocessed ``source`` to ``output``, or nothing when that fails."""
    if any(word.startswith("@") for word in arguments) or not Path(source).is_file():
        return  # clang would read more words from there, or wait for somebody to write
    command = [
        *(sys.executable, "-I", "-c", _LIMITED, str(SECONDS), str(MEMORY), str(OUTPUT)),
        *(clang, *arguments, "-fno-crash-diagnostics", "-E", "-o", str(output.absolute())),
        source,
    ]
    try:
        process = subprocess.Popen(
            command,
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=os.environ | {"LLVM_DISABLE_SYMBOLIZATION": "1", "TMPDIR": str(output.parent)},
        )
    except OSError:
        return
    try:
        process.wait(SECONDS)
    except subprocess.TimeoutExpired:
        pass
    finally:
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
