# SPDX-License-Identifier: GPL-2.0-or-later
"""A git repository made from the miniature tree."""

from __future__ import annotations

from pathlib import Path

import pytest
from warm_cache import warmed

from .repository import Repo


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """The miniature tree under git, with one commit."""
    return Repo.make(tmp_path / "tree")


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for all tests: the store is keyed by content."""
    return warmed(tmp_path_factory.mktemp("cache"))
