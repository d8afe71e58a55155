# SPDX-License-Identifier: GPL-2.0-or-later
"""Compares with a golden file; CTXLINT_UPDATE_GOLDEN=1 rewrites it instead."""

from __future__ import annotations

import os
from pathlib import Path

GOLDEN = Path(__file__).parent / "golden"


def check_golden(name: str, text: str) -> None:
    path = GOLDEN / name
    if os.environ.get("CTXLINT_UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")
