# SPDX-License-Identifier: GPL-2.0-or-later
"""The rules are read once for all of these tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ctxlint.pipeline import splat as pipeline
from ctxlint.rulebook import load


@pytest.fixture(scope="session", autouse=True)
def one_rulebook() -> Iterator[None]:
    book = load()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, "load", lambda: book)
        yield
