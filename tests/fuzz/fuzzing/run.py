# SPDX-License-Identifier: GPL-2.0-or-later
"""A long run on one reader, in a process of its own:

    python -m fuzzing.run NAME SECONDS SCRATCH

With atheris, libFuzzer looks for inputs that reach new code, as many as a quiet machine
reads in that time; without, hypothesis changes samples until the time is over. An input
that breaks the reader ends the process with a traceback and is left in SCRATCH.

With atheris the inputs are the same in every run of the same code, CTXLINT_FUZZ_SEED=0
excepted: neither the speed of the machine nor where things lie in memory changes them.
One run of a reader at a time: its files have a fixed place.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import random
import sys
import tempfile
import time
from pathlib import Path

from fuzzing import reader as readers
from fuzzing.inputs import changed

SECONDS_FOR_ONE = 30
"""Time that one input may take before it counts as a hang."""
MEGABYTES = 2048
SEED = int(os.environ.get("CTXLINT_FUZZ_SEED", "1"))
"""0 draws other inputs than those of every run."""
NO_RANDOM_ADDRESSES = 0x0040000
"""ADDR_NO_RANDOMIZE of personality(2)."""


def guided(name: str, seconds: int, scratch: Path) -> None:
    """Does not return: libFuzzer ends the process, 0 when nothing was found."""
    import atheris

    with atheris.instrument_imports(include=["ctxlint"]):
        target = readers.load(name)
    found = scratch / "found"
    found.mkdir()
    words = scratch / "words"
    words.write_text("".join(f'"{_escaped(word)}"\n' for word in target.words))
    options = [
        f"-runs={seconds * target.rate}",
        f"-seed={SEED}",
        f"-timeout={SECONDS_FOR_ONE}",
        f"-rss_limit_mb={MEGABYTES}",
        f"-artifact_prefix={scratch}/broken-",
        f"-dict={words}",
        "-max_len=20000",
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], *options, str(found), str(readers.corpus(name))],
                  target.try_on)  # fmt: skip
    atheris.Fuzz()


def _escaped(word: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word)


def unguided(name: str, seconds: int, scratch: Path) -> None:
    """Changed samples, in rounds of which each has its own seed."""
    from hypothesis import HealthCheck, given, seed, settings

    target = readers.load(name)
    inputs = changed(list(readers.samples(name).values()), target.words)
    end = time.monotonic() + seconds
    draw = random.Random(SEED or None)

    def check(data: bytes) -> None:
        (scratch / "broken-last").write_bytes(data)
        target.try_on(data)

    while time.monotonic() < end:
        test = settings(
            max_examples=500, database=None, deadline=None, suppress_health_check=HealthCheck
        )(seed(draw.randrange(1 << 32))(given(inputs)(check)))
        test()


def same_addresses() -> None:
    """Start over without randomised addresses and hashes, where the system allows that:
    libFuzzer keeps its tables by address."""
    libc = ctypes.CDLL(None)
    now = libc.personality(0xFFFFFFFF) if sys.platform == "linux" else -1
    fixed = now == -1 or bool(now & NO_RANDOM_ADDRESSES)
    if fixed and os.environ.get("PYTHONHASHSEED") == "0":
        return
    if not fixed:
        libc.personality(now | NO_RANDOM_ADDRESSES)
    os.environ["PYTHONHASHSEED"] = "0"
    os.execv(sys.executable, [sys.executable, "-m", "fuzzing.run", *sys.argv[1:]])


def main() -> None:
    name, seconds, scratch = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    if SEED:
        same_addresses()
        os.environ["CTXLINT_FUZZ_FOLDER"] = f"{tempfile.gettempdir()}/ctxlint-fuzz-{name}"
    if importlib.util.find_spec("atheris") is not None:
        guided(name, seconds, scratch)
    else:
        unguided(name, seconds, scratch)


if __name__ == "__main__":
    main()
