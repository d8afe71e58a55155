# SPDX-License-Identifier: GPL-2.0-or-later
"""How loud something is said while a run goes on."""

from __future__ import annotations

from typing import Literal

Level = Literal["debug", "info", "notice", "warning"]
"""``notice``: shown as warnings are, but nothing is wrong."""
