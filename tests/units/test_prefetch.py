# SPDX-License-Identifier: GPL-2.0-or-later
"""The few units of a small change are read in forks, of all profiles at once."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from warm_cache import warmed

from ctxlint.base.request import Quiet
from ctxlint.frontend import worker
from ctxlint.pipeline import Request
from ctxlint.pipeline.series import compare

TREE = Path(__file__).parents[2] / "fixtures/tree"
ROSE = "drivers/irqchip/irq-rose.c"
START = "	if (readl(rdist->base + ROSE_PENDBASER) & 1)\n"
BAD = "	free_pages(rdist->pending, ROSE_TABLE_ORDER);\n" + START


@pytest.fixture
def warm(tmp_path: Path) -> Request:
    """A request whose base is in the store."""
    request = Request(
        tree=TREE,
        builds=(TREE / "builds/rt", TREE / "builds/nort"),
        cache=warmed(tmp_path),
        jobs=2,
    )
    compare(request, {}, {}, Quiet())
    return request


def no_pool(*_: Any, **__: Any) -> Any:
    raise AssertionError("a pool was started")


def test_a_small_change_needs_no_pool(warm: Request, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "lower_many", no_pool)
    text = (TREE / ROSE).read_text().replace(START, BAD).encode()
    change = compare(warm, {}, {ROSE: text}, Quiet())
    assert change.parsed == (0, 2)
    [finding] = change.comparison.introduced
    assert (finding.file, finding.callee) == (ROSE, "free_pages")


def test_a_fork_needs_a_single_thread(warm: Request, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "lower_many", no_pool)
    end = threading.Event()
    thread = threading.Thread(target=end.wait)
    thread.start()
    try:
        text = (TREE / ROSE).read_text().encode() + b"\n"
        with pytest.raises(AssertionError, match="a pool was started"):
            compare(warm, {}, {ROSE: text}, Quiet())
    finally:
        end.set()
        thread.join()
    assert compare(warm, {}, {ROSE: text}, Quiet()).parsed == (0, 2)
