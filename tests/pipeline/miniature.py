# SPDX-License-Identifier: GPL-2.0-or-later
"""The miniature tree and its build directories."""

from __future__ import annotations

from pathlib import Path

TREE = Path(__file__).resolve().parents[2] / "fixtures/tree"
BUILDS = (TREE / "builds/rt", TREE / "builds/nort")
