# SPDX-License-Identifier: GPL-2.0-or-later
"""The scenarios of the MADT mailbox that are made of fixtures, and what each rests on."""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec
import pytest

from ctxlint.pipeline.scenario import code_of
from ctxlint.scenarios import runner, schema

CATALOGUE = schema.load()
POLLS = {"W3-02", "W3-03", "W3-07", "W3-10", "W3-15"}
"""These wait a second, a microsecond at a time; one of them stays in the fast tier."""
QUICK = {("W3-07", 0)}


def runs() -> list[Any]:
    found = []
    for scenario in CATALOGUE.scenarios.values():
        for number, run in enumerate(scenario.runs):
            variant = CATALOGUE.variants[run.variant or scenario.variant]
            if variant.platform != "mailbox" or variant.tree:
                continue
            slow = scenario.id in POLLS and (scenario.id, number) not in QUICK
            marks = [pytest.mark.slow] if slow else []
            name = f"{scenario.id} {run.name}".strip()
            found.append(pytest.param(scenario, run, id=name, marks=marks))
    return found


def execute(scenario: schema.Scenario, run: schema.Run) -> runner.RunResult:
    name = run.variant or scenario.variant
    variant = CATALOGUE.variants[name]
    return runner.run_one(scenario, run, name, variant, partial(code_of, name, variant))


@pytest.mark.parametrize(("scenario", "run"), runs())
def test_as_expected(scenario: schema.Scenario, run: schema.Run) -> None:
    assert execute(scenario, run).differences == []


def changed(ident: str, number: int = 0, **hardware: Any) -> runner.RunResult:
    """A run on other hardware."""
    scenario = CATALOGUE.scenarios[ident]
    run = scenario.runs[number]
    setup = {**run.setup, "hardware": {**run.setup.get("hardware", {}), **hardware}}
    return execute(scenario, msgspec.structs.replace(run, setup=setup))


def test_the_firmware_needs_time() -> None:
    assert changed("W3-01", delay=700, park=900).facts["milliseconds"] == 3
    assert changed("W3-01").facts["milliseconds"] == 0


def test_a_cpu_that_came_late_is_acknowledged_when_it_comes() -> None:
    found = changed("W3-01", delay=2, park=2500)
    assert found.differences == []
    assert found.facts["milliseconds"] == 2


def test_version_0_has_no_offlining() -> None:
    found = changed("W3-01", version=0)
    assert found.returns["offline 2"] == -95
    assert found.facts["commands"] == ["wakeup"] * 3


def test_every_scenario_of_the_thread_is_there() -> None:
    wanted = {f"W3-{number:02}" for number in range(1, 19)}
    assert wanted <= set(CATALOGUE.scenarios)
