# SPDX-License-Identifier: GPL-2.0-or-later
"""The SDEI driver of a kernel tree: as it is, edited, and with a leaf less."""

from __future__ import annotations

import copy
from functools import partial
from pathlib import Path

import msgspec
import pytest
import yaml

from ctxlint.base.errors import UsageError
from ctxlint.pipeline.scenario import code_of
from ctxlint.scenarios import runner, schema
from ctxlint.simulator.code import Code

from .scratch import Bench

CATALOGUE = schema.load()
RUNS = [
    (scenario, run)
    for scenario in CATALOGUE.scenarios.values()
    for run in scenario.runs
    if CATALOGUE.variants[run.variant or scenario.variant].tree
    and CATALOGUE.variants[run.variant or scenario.variant].platform == "sdei"
]
RECORDED = yaml.safe_load((Path(__file__).parent / "groundtruth" / "sdei.yaml").read_text())
SCENARIO_OF = {
    "stock firmware": ("S4-32", 0),
    "an event": ("S4-31", 0),
    "rate limit": ("S4-32", 1),
}
LEAF = "__platform_driver_register"


def execute(bench: Bench, scenario: schema.Scenario, run: schema.Run) -> runner.RunResult:
    name = run.variant or scenario.variant
    variant = CATALOGUE.variants[name]
    of = partial(code_of, name, variant, tree=bench.tree.path, cache=bench.cache)
    return runner.run_one(scenario, run, name, variant, of)


@pytest.mark.parametrize(
    ("scenario", "run"), RUNS, ids=[f"{s.id} {r.name}".strip() for s, r in RUNS]
)
def test_as_expected(bench: Bench, scenario: schema.Scenario, run: schema.Run) -> None:
    assert execute(bench, scenario, run).differences == []


def test_the_state_alone_makes_the_difference(bench: Bench) -> None:
    scenario = CATALOGUE.scenarios["S4-31"]
    run = scenario.runs[0]
    clean = msgspec.structs.replace(run, variant="sdei-users")
    assert execute(bench, scenario, run).verdict == "CONFIRMED_SPLAT"
    assert execute(bench, scenario, clean).verdict == "REFUTED"


def test_an_edit_must_find_its_text(bench: Bench) -> None:
    edit = schema.Edit(file="drivers/firmware/arm_sdei.c", find="no such text", put="")
    variant = msgspec.structs.replace(CATALOGUE.variants["sdei-6.12"], edits=(edit,))
    with pytest.raises(UsageError, match="no such text"):
        code_of("x", variant, schema.Setup(), bench.tree.path, bench.cache)


def test_with_a_leaf_less_it_is_unmodelled(bench: Bench) -> None:
    scenario = CATALOGUE.scenarios["S4-30"]
    run = msgspec.structs.replace(scenario.runs[0], variant="sdei-6.12", steps=("boot",))
    variant = CATALOGUE.variants["sdei-6.12"]
    setup = scenario.setup_of(run)
    image = code_of("sdei-6.12", variant, setup, bench.tree.path, bench.cache).image
    poorer = copy.copy(image)  # shared by other runs
    poorer.overrides = {k: v for k, v in image.overrides.items() if k != LEAF}
    poorer.functions = {k: v for k, v in image.functions.items() if k != LEAF}
    poorer.code = {}
    found = runner.run_one(scenario, run, "sdei-6.12", variant, lambda _: Code(poorer))
    assert found.verdict == "UNMODELLED"
    assert LEAF in found.ending


@pytest.mark.parametrize("case", sorted(RECORDED["cases"]))
def test_splats_are_those_of_a_real_kernel(bench: Bench, case: str) -> None:
    ident, number = SCENARIO_OF[case]
    scenario = CATALOGUE.scenarios[ident]
    found = execute(bench, scenario, scenario.runs[number])
    printed = [report for _, report in found.reports if report.printed]
    assert {report.headline.rpartition(" ")[2] for report in printed} == {
        "kernel/locking/spinlock_rt.c:48"
    }
    seen = [
        (
            report.task,
            int(report.context["count"] != 0),
            report.context["irqs_disabled"],
            f"{report.context['count']:x}",
            report.trace,
        )
        for report in printed
    ]
    traces = {name: ("__might_resched", *rest) for name, rest in RECORDED["traces"].items()}
    assert seen == [(*row[:4], traces[row[4]]) for row in RECORDED["cases"][case]]
