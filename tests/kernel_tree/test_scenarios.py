# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenarios on the unmodified files of a kernel tree; on edited copies; with a leaf less."""

from __future__ import annotations

import copy
import shutil
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
    and CATALOGUE.variants[run.variant or scenario.variant].platform == "gic"
]
LEAF = "__kmalloc_cache_noprof"
ITS = "drivers/irqchip/irq-gic-v3-its.c"


def code(bench: Bench, tree: Path, variant: schema.Variant, setup: schema.Setup) -> Code:
    return programs.tree_code(
        variant.files, setup.arch, setup.rt, setup.page_size, tree, bench.cache
    )


def execute(
    bench: Bench, scenario: schema.Scenario, run: schema.Run, tree: Path | None = None
) -> runner.RunResult:
    name = run.variant or scenario.variant
    variant = CATALOGUE.variants[name]
    of = partial(code, bench, tree or bench.tree.path, variant)
    return runner.run_one(scenario, run, name, variant, of)


@pytest.mark.parametrize(
    ("scenario", "run"), RUNS, ids=[f"{s.id} {r.name}".strip() for s, r in RUNS]
)
def test_as_expected(bench: Bench, scenario: schema.Scenario, run: schema.Run) -> None:
    assert execute(bench, scenario, run).differences == []


def test_an_edited_guard_changes_the_verdict(bench: Bench, tmp_path: Path) -> None:
    tree = bench.tree.path
    other = tmp_path / "tree"
    other.mkdir()
    for entry in tree.iterdir():
        if entry.name != "drivers":
            (other / entry.name).symlink_to(entry)
    (other / "drivers").mkdir()
    for entry in (tree / "drivers").iterdir():
        if entry.name != "irqchip":
            (other / "drivers" / entry.name).symlink_to(entry)
    shutil.copytree(tree / "drivers/irqchip", other / "drivers/irqchip")
    text = (other / ITS).read_text()
    guard = "\tif (!gic_rdists->has_rvpeid)\n\t\treturn 0;\n"
    assert text.count(guard) == 1
    (other / ITS).write_text(text.replace(guard, ""))
    scenario = CATALOGUE.scenarios["M0-16"]
    run = next(r for r in scenario.runs if r.name == "GICv4.0, PREEMPT_RT")
    assert execute(bench, scenario, run).verdict == "REFUTED"
    assert execute(bench, scenario, run, other).verdict == "CONFIRMED_SPLAT"


def test_with_a_leaf_less_it_is_unmodelled(bench: Bench) -> None:
    scenario = CATALOGUE.scenarios["M0-16"]
    run = scenario.runs[0]
    variant = CATALOGUE.variants["gic-6.12"]
    made = code(bench, bench.tree.path, variant, scenario.setup_of(run))
    image = made.image
    poorer = copy.copy(image)  # shared by other runs
    poorer.overrides = {k: v for k, v in image.overrides.items() if k != LEAF}
    poorer.functions = {k: v for k, v in image.functions.items() if k != LEAF}
    poorer.code = {}
    found = runner.run_one(scenario, run, "gic-6.12", variant, lambda _: Code(poorer))
    assert found.verdict == "UNMODELLED"
    assert LEAF in found.ending
