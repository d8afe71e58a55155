# SPDX-License-Identifier: GPL-2.0-or-later
"""The miniature tree, and a progress that says nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

TREE = Path(__file__).resolve().parents[2] / "fixtures/tree"
BUILDS = (TREE / "builds/rt", TREE / "builds/nort")


class Silent:
    def start(self, stage: str, total: int) -> None: ...

    def advance(self, stage: str, text: str = "") -> None: ...

    def finish(self, stage: str) -> None: ...

    def log(self, level: Any, message: str) -> None: ...
