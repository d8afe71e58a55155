# SPDX-License-Identifier: GPL-2.0-or-later
"""Model functions are lowered once for all processes of the tests."""

from __future__ import annotations

import pytest

from ctxlint.base.places import default_cache
from ctxlint.units.index import keep_models_in


@pytest.fixture(autouse=True)
def models() -> None:
    """Anew for each test: an audit that runs its findings has them kept in its own cache."""
    keep_models_in(default_cache())
