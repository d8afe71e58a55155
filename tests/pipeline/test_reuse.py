# SPDX-License-Identifier: GPL-2.0-or-later
"""A cache that already holds part of a tree changes nothing in the result."""

from __future__ import annotations

from pathlib import Path

import pytest
from warm_cache import warmed

from ctxlint import pipeline
from ctxlint.base.request import Quiet
from ctxlint.pipeline import run
from ctxlint.report import json_report

TREE = Path(__file__).resolve().parents[2] / "fixtures/tree"
BUILDS = (TREE / "builds/rt", TREE / "builds/nort")
ALL = ("drivers/irqchip", "drivers/firmware")


def audit(cache: Path, *paths: str) -> str:
    request = pipeline.Request(tree=TREE, builds=BUILDS, paths=paths, cache=cache, jobs=1)
    return json_report.render(run.audit(request, Quiet()))


@pytest.mark.slow
def test_parts_first_then_all(tmp_path: Path) -> None:
    cold = audit(warmed(tmp_path / "cold"), *ALL)
    audit(tmp_path / "warm", "drivers/irqchip/irq-lily-its.c")
    audit(tmp_path / "warm", "drivers/irqchip/irq-rose.c", "drivers/irqchip/irq-snail.c")
    assert audit(tmp_path / "warm", *ALL) == cold
    assert audit(tmp_path / "warm", *ALL) == cold
