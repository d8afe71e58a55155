# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenarios of firmware events on the bundled driver."""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec
import pytest

from ctxlint.base.errors import UsageError
from ctxlint.pipeline.copies import fixtures_directory
from ctxlint.pipeline.scenario import code_of
from ctxlint.scenarios import runner, schema

CATALOGUE = schema.load()
RUNS = [
    (scenario, run)
    for scenario in CATALOGUE.scenarios.values()
    for run in scenario.runs
    if CATALOGUE.variants[run.variant or scenario.variant].platform == "sdei"
    and not CATALOGUE.variants[run.variant or scenario.variant].tree
]


def execute(scenario: schema.Scenario, run: schema.Run) -> runner.RunResult:
    name = run.variant or scenario.variant
    variant = CATALOGUE.variants[name]
    return runner.run_one(scenario, run, name, variant, partial(code_of, name, variant))


@pytest.mark.parametrize(
    ("scenario", "run"), RUNS, ids=[f"{s.id} {r.name}".strip() for s, r in RUNS]
)
def test_as_expected(scenario: schema.Scenario, run: schema.Run) -> None:
    assert execute(scenario, run).differences == []


def made(*steps: Any, variant: str = "sdei-v4", **options: Any) -> runner.RunResult:
    setup = options.pop("setup", {"rt": False})
    run = schema.Run(expect=schema.Expect(verdict="REFUTED"), steps=steps, **options)
    scenario = schema.Scenario(id="X-1", seed="004", title="x", variant=variant)
    return execute(scenario, msgspec.structs.replace(run, setup=setup))


def test_an_idle_cpu_takes_an_event() -> None:
    found = made("boot", {"call": ["test_register", 8, 0]}, {"event": {"number": 8, "cpu": 2}})
    steps = [step for step in found.trace if step.effect == "return from event 8"]
    assert [step.cpu for step in steps] == [2]
    assert found.facts["taken"] == [[2, 8]]


def test_a_cpu_without_its_event_is_lost_state() -> None:
    found = made("boot", {"call": ["test_register", 8, 0]}, {"refuse": {"event-register": -3}},
                 {"offline": 1}, {"online": 1})  # fmt: skip
    assert found.verdict == "RACE"
    kinds = [(report.kind, report.headline) for _, report in found.reports]
    assert kinds == [("lost-state", "event 8 is not registered: on PE 1, unlike PE 0, 2, 3")]


def test_what_holds_of_one_interleaving_need_not_hold_of_all() -> None:
    steps = (
        "boot", {"call": ["test_register", 8, 0]}, {"offline": 1},
        {"call": ["sdei_device_freeze", 0]},
        {"together": [["sdei_device_thaw", 0], ["model_entry_cpu_up", 1]]},
    )  # fmt: skip
    one = schema.Explore(preemptions=1, limit=60, every=False)
    every = schema.Explore(preemptions=1, limit=60)
    good = made(*steps, variant="sdei-v4-locked", explore=one)
    assert good.differences == []
    bad = made(*steps, variant="sdei-v4-locked", explore=every)
    assert bad.differences == ["verdict RACE, expected REFUTED"]
    assert 1 < bad.facts["interleavings"] <= 60


def test_a_stale_entry_point_ends_the_run() -> None:
    found = made("boot", {"holds": [2000]}, {"event": {"number": 2000, "cpu": 0}})
    assert found.verdict == "CORRUPTION"
    assert "the address of another kernel" in found.ending


@pytest.mark.parametrize(
    ("steps", "error"),
    [
        (("boot", {"holds": [5]}), "no event 5"),
        (("boot", {"crash-in-handler": {"number": 8}}), "no handler panics"),
    ],
)
def test_steps_that_cannot_be(steps: tuple[Any, ...], error: str) -> None:
    with pytest.raises(UsageError, match=error):
        made(*steps)


def test_hardware_is_checked() -> None:
    with pytest.raises(UsageError, match="hardware"):
        made("boot", setup={"hardware": {"wings": 2}})


def test_the_file_that_is_put_beside_a_driver_is_there() -> None:
    for variant in CATALOGUE.variants.values():
        for name in variant.beside:
            assert (fixtures_directory() / "model" / name).is_file()


def test_what_ran_before_does_not_show() -> None:
    """Places are told by name: addresses are given out when they are first asked for."""
    scenario = CATALOGUE.scenarios["S4-24"]
    execute(scenario, scenario.runs[0])
    found = execute(scenario, scenario.runs[0])
    effects = {step.effect for step in found.trace if step.effect.startswith("memory")}
    assert effects == {"memory model/sdei-v4.c::frozen"}
