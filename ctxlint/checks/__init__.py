# SPDX-License-Identifier: GPL-2.0-or-later
"""The checks: each module but ``base`` holds one, named as its id."""

from __future__ import annotations

import pkgutil


def ids() -> list[str]:
    """Ids of all checks, sorted. Imports none of them."""
    names = sorted(info.name for info in pkgutil.iter_modules(__path__))
    return [name.replace("_", "-") for name in names if name != "base"]
