# SPDX-License-Identifier: GPL-2.0-or-later
"""What takes long and is the same for all tests is made once, by whichever process of the
run needs it first; the others wait for it and have it then."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Callable
from pathlib import Path

_shared: list[Path] = []


def share_in(folder: Path) -> None:
    """The folder of this run of the tests."""
    _shared[:] = [folder]


def once(name: str, make: Callable[[Path], object]) -> Path:
    """A folder that ``make`` has filled, not to be written to."""
    [shared] = _shared
    folder, done = shared / name, shared / f"{name}.done"
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            done.touch()
    return folder
