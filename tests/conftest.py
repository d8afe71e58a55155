# SPDX-License-Identifier: GPL-2.0-or-later
"""Settings for all tests."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings
from once import share_in

# Whoever runs the tests may have settings of their own.
os.environ["XDG_CONFIG_HOME"] = "/nonexistent"

# Nothing is kept in the user's cache; what tests keep there serves the next one.
_KEPT = Path(__file__).parents[1] / ".pytest_cache"
os.environ["XDG_CACHE_HOME"] = str(_KEPT / "xdg")

# A busy machine is no failure; how fast things are is measured in bench/. The same inputs
# are drawn in every run, so that a change is blamed for its own faults alone.
DRAWN = os.environ.get("CTXLINT_FUZZ_SEED") == "0"
settings.register_profile("ctxlint", deadline=None, derandomize=not DRAWN)
settings.load_profile("ctxlint")

# Tests start the program hundreds of times, and parsers besides. Where the environment
# forbids compiled modules beside the source, as containers like to, each of them would
# compile the whole program again, which takes half of its time.
if "PYTHONPYCACHEPREFIX" not in os.environ:
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    sys.pycache_prefix = str(_KEPT / "bytecode")
    os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix


def pytest_collection_finish() -> None:
    """What there is now stays: thousands of tests, and what they import. The collector looks
    at it no more, and less often at the rest; it took a sixth of the time of all tests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(scope="session", autouse=True)
def shared(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Processes of one run have something in common."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    (folder / "once").mkdir(exist_ok=True)
    share_in(folder / "once")
