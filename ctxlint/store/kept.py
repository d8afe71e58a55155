# SPDX-License-Identifier: GPL-2.0-or-later
"""Single results that are worth a file: what is dear to make and small to keep.

They go by a digest of all that they depend on, so none of them is ever stale. A file that
cannot be written or is damaged costs making it again and nothing else.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from ctxlint.base.reading import read_regular
from ctxlint.store.seal import DamagedError, seal, unseal

FILES_MAX = 64
"""Files in a folder; of more, the oldest go."""


def read(folder: Path, name: str) -> bytes | None:
    """What was kept under a name; None when there is nothing, or nothing whole."""
    data = read_regular(folder / name)
    try:
        return None if data is None else unseal(data, name)
    except DamagedError:
        return None


def keep(folder: Path, name: str, data: bytes) -> None:
    """Keep something; it appears whole or not at all."""
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        handle, place = tempfile.mkstemp(prefix=".new-", dir=folder)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(seal(data, name))
            Path(place).replace(folder / name)
        except OSError:
            Path(place).unlink(missing_ok=True)
            raise
        files = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime)
        for path in files[:-FILES_MAX]:
            path.unlink(missing_ok=True)
