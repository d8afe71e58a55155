# SPDX-License-Identifier: GPL-2.0-or-later
"""Findings of a kernel that nobody tuned to, judged by reading: the true ones stay, and no
more of the false ones are reported than were left when this was written. Under PREEMPT_RT
alone, where each of them is found."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ctxlint.base.request import Quiet
from ctxlint.pipeline import Request, audit

from .scratch import Bench

TRIAGE = Path(__file__).parent / "triage" / "linux-7.3.yaml"
SETS = (
    ("drivers/gpio",),
    ("drivers/irqchip", "drivers/firmware"),
    ("drivers/perf", "drivers/clocksource"),
    ("drivers/cpuidle", "drivers/mailbox", "drivers/spmi"),
    ("drivers/iommu",),
    ("drivers/soc/xilinx", "drivers/soc/tegra", "drivers/soc/qcom"),
)
"""Each is audited on its own: other files in the same audit give calls more targets."""

FALSE_LEFT = 6


@pytest.fixture(scope="module")
def judged(new_bench: Bench) -> tuple[dict[str, str], set[str]]:
    """The verdict on each place, and the places that are reported now."""
    if not str(new_bench.tree.version).startswith("7.3"):
        pytest.skip("the lines are those of 7.3")
    verdicts = {
        place: group["verdict"]
        for group in yaml.safe_load(TRIAGE.read_text(encoding="utf-8"))
        for place in group["places"]
    }
    found = set()
    for paths in SETS:
        request = Request(
            tree=new_bench.tree.path,
            paths=paths,
            cache=new_bench.cache,
            jobs=new_bench.jobs,
            rt="rt",
        )
        found |= {f"{f.file}:{f.line}" for f in audit(request, Quiet()).findings}
    return verdicts, found


def test_true_ones_stay(judged: tuple[dict[str, str], set[str]]) -> None:
    verdicts, found = judged
    true = {place.partition(" ")[0] for place, verdict in verdicts.items() if verdict == "true"}
    assert not sorted(true - found)


def test_false_ones_are_gone(judged: tuple[dict[str, str], set[str]]) -> None:
    verdicts, found = judged
    false = {place for place, verdict in verdicts.items() if verdict == "false"}
    left = sorted(place for place in false if place.partition(" ")[0] in found)
    assert len(left) <= FALSE_LEFT, left
