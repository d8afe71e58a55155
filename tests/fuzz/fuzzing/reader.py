# SPDX-License-Identifier: GPL-2.0-or-later
"""What a reader is for the harness, and where they are."""

from __future__ import annotations

import contextlib
import importlib
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ctxlint.base.errors import CtxlintError

HERE = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class Reader:
    """One reader of input.

    ``read`` takes any bytes at all; it may raise ``allowed`` and nothing else. ``words``
    are put into inputs, as the format has them. ``growing`` makes inputs of a size, by
    name: work on one of 2n may be about twice that on one of n; ``size`` is the n to
    begin with (the smaller input should take some milliseconds). ``rate`` is how many
    inputs a second a long run reads, about, on a quiet machine: long runs are counted in
    inputs, so that they are the same on a slow one.
    """

    read: Callable[[bytes], object]
    allowed: tuple[type[Exception], ...] = (CtxlintError,)
    words: tuple[bytes, ...] = ()
    growing: Mapping[str, Callable[[int], bytes]] = field(default_factory=dict)
    size: int = 2000
    rate: int = 1000

    def try_on(self, data: bytes) -> None:
        """Read; errors that a reader may have are no failure."""
        with contextlib.suppress(*self.allowed):
            self.read(data)


def names() -> list[str]:
    """The readers there are."""
    return sorted(p.stem for p in (HERE / "targets").glob("*.py") if p.stem != "__init__")


def load(name: str) -> Reader:
    """The reader of that name."""
    reader = importlib.import_module(f"fuzzing.targets.{name}").READER
    assert isinstance(reader, Reader)
    return reader


def folder() -> Path:
    """A folder for what a reader wants to find in files. In a long run its name is always
    the same, because libFuzzer learns from strings that are compared."""
    given = os.environ.get("CTXLINT_FUZZ_FOLDER")
    made = Path(given) if given else Path(tempfile.mkdtemp(prefix="ctxlint-fuzz-"))
    made.mkdir(exist_ok=True)
    return made


def corpus(name: str) -> Path:
    """The folder of a reader's samples."""
    return HERE.parent / "corpus" / name


def samples(name: str) -> dict[str, bytes]:
    """The samples of a reader by file name."""
    return {p.name: p.read_bytes() for p in sorted(corpus(name).iterdir()) if p.is_file()}
