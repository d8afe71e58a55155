# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenarios of the MADT mailbox on the unmodified file of a kernel tree."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from ctxlint.pipeline import scenario as programs
from ctxlint.scenarios import runner, schema
from ctxlint.simulator.code import Code

from .scratch import Bench

CATALOGUE = schema.load()
RUNS = [
    (scenario, run)
    for scenario in CATALOGUE.scenarios.values()
    for run in scenario.runs
    if CATALOGUE.variants[run.variant or scenario.variant].tree
    and CATALOGUE.variants[run.variant or scenario.variant].platform == "mailbox"
]


def code(bench: Bench, tree: Path, variant: schema.Variant, setup: schema.Setup) -> Code:
    return programs.tree_code(
        variant.files, setup.arch, setup.rt, setup.page_size, tree, bench.cache
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scenario", "run"), RUNS, ids=[f"{s.id} {r.name}".strip() for s, r in RUNS]
)
def test_as_expected(bench: Bench, scenario: schema.Scenario, run: schema.Run) -> None:
    name = run.variant or scenario.variant
    variant = CATALOGUE.variants[name]
    of = partial(code, bench, bench.tree.path, variant)
    assert runner.run_one(scenario, run, name, variant, of).differences == []
