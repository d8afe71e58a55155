# SPDX-License-Identifier: GPL-2.0-or-later
"""Every scenario of the driver fixtures is as expected, and a wrong expectation is not."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import msgspec
import pytest

from ctxlint.base.errors import RuleError, UsageError
from ctxlint.pipeline.scenario import code_of, run_many
from ctxlint.scenarios import runner, schema
from ctxlint.scenarios.plain import plain
from ctxlint.scenarios.world import verbs
from ctxlint.simulator.outcome import Hang

CATALOGUE = schema.load()
FIXTURES = [
    (scenario, run)
    for scenario in CATALOGUE.scenarios.values()
    for run in scenario.runs
    if CATALOGUE.variants[run.variant or scenario.variant].platform == "gic"
    and not CATALOGUE.variants[run.variant or scenario.variant].tree
]


def execute(scenario: schema.Scenario, run: schema.Run, seed: int = 0) -> runner.RunResult:
    name = run.variant or scenario.variant
    variant = CATALOGUE.variants[name]
    return runner.run_one(scenario, run, name, variant, partial(code_of, name, variant), seed)


DEAR = {"46 CPUs, one block", "300 tables, two blocks, the newest first"}
"""Runs of large machines: the slow tier's, since smaller ones go the same paths."""


@pytest.mark.parametrize(
    ("scenario", "run"),
    [
        pytest.param(
            s,
            r,
            id=f"{s.id} {r.name}".strip(),
            marks=[pytest.mark.slow] if r.name in DEAR else [],
        )
        for s, r in FIXTURES
    ],
)
def test_as_expected(scenario: schema.Scenario, run: schema.Run) -> None:
    assert execute(scenario, run).differences == []


def scenario_of(ident: str, index: int = 0) -> tuple[schema.Scenario, schema.Run]:
    scenario = CATALOGUE.scenarios[ident]
    return scenario, scenario.runs[index]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"verdict": "REFUTED"}, "verdict CONFIRMED_SPLAT, expected REFUTED"),
        ({"facts": {"chain": [4]}}, "fact chain: [5], expected [4]"),
        ({"facts": {"moon": 1}}, "fact moon: not known, expected 1"),
        ({"log": (schema.Line(text="is online from Mars"),)}, "0 lines 'is online from Mars'"),
        ({"returns": {"online 1": 0}}, "online 1: not known, expected 0"),
        ({"ending": "BUG"}, "ended with 'nothing special', expected 'BUG'"),
        ({"reports": (schema.Reports(kind="warn", count=7),)}, "0 reports like {kind=warn}"),
        (
            {"reports": (schema.Reports(frames=("gic_starting_cpu", "its_cpu_init")),)},
            "0 reports like",
        ),
    ],
)
def test_an_edited_expectation_fails(change: dict[str, object], complaint: str) -> None:
    scenario, run = scenario_of("M0-01")
    expect = msgspec.structs.replace(run.expect, **change)
    found = execute(scenario, msgspec.structs.replace(run, expect=expect))
    assert [d for d in found.differences if complaint in d]


def test_the_same_seed_gives_the_same_bytes() -> None:
    texts = set()
    for seed in (5, 5):
        scenario, run = scenario_of("M0-11", 1)
        result = runner.ScenarioResult(scenario=scenario, runs=[execute(scenario, run, seed)])
        texts.add(json.dumps(plain(result, CATALOGUE.variants)))
    assert len(texts) == 1


def test_without_a_tree_its_runs_are_left_out() -> None:
    some, none = run_many(CATALOGUE, ["M0-17", "M0-16"])
    assert (len(some["runs"]), some["left_out"]) == (1, ["6.12"])
    assert none["skipped"] == runner.NEEDS_TREE


def test_a_step_that_is_none() -> None:
    scenario, run = scenario_of("M0-01")
    with pytest.raises(UsageError, match="no verb is called 'fly'"):
        execute(scenario, msgspec.structs.replace(run, steps=("fly",)))


A = "- {id: A-1, seed: '000', title: x, "


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (A + "moon: 1}", "unknown field `moon`"),
        (A + "variant: v, runs: [{expect: {verdict: MAYBE}}]}", "verdict 'MAYBE'"),
        (A + "variant: w, runs: [{expect: {verdict: BUG}}]}", "variant 'w'"),
        (
            A + "variant: v, runs: [{setup: {moon: 1}, expect: {verdict: BUG}}]}",
            "unknown field `moon`",
        ),
        (A + "variant: v}", "runs: there is none"),
    ],
)
def test_a_wrong_file(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "variants.yaml").write_text("v: {about: x, platform: gic, files: [x.c]}\n")
    (tmp_path / "a.yaml").write_text(text + "\n")
    with pytest.raises(RuleError, match=r"a\.yaml") as error:
        schema.load(tmp_path)
    assert complaint in str(error.value)


def test_a_wait_in_another_version_is_not_the_drivers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The model functions describe one version; what they lack of another may hang."""
    scenario, run = scenario_of("M0-01", 1)
    name = run.variant or scenario.variant
    variant = msgspec.structs.replace(CATALOGUE.variants[name], tree=True)
    steps = ("boot", {"wait-for-ever": None})

    def forever(world: object, argument: object) -> None:
        raise Hang("waits for the moon")

    known = {**verbs(), "wait-for-ever": forever}
    monkeypatch.setattr(runner, "verbs", lambda: known)
    run = msgspec.structs.replace(run, steps=steps)
    of = partial(code_of, name, CATALOGUE.variants[name])
    result = runner.run_one(scenario, run, name, variant, of, release="7.3.4")
    same = runner.run_one(scenario, run, name, variant, of, release="6.12.90")
    assert (result.verdict, same.verdict) == ("UNMODELLED", "HANG")
    assert "the model is of 6.12" in result.ending
    assert len(result.differences) == 2


def test_what_does_not_fit_a_tree_is_not_the_trees_fault() -> None:
    scenario, run = scenario_of("M0-08")
    name = run.variant or scenario.variant
    posted = CATALOGUE.variants[name]
    beside = msgspec.structs.replace(posted, tree=True)
    of = partial(code_of, name, posted)
    assert runner.run_one(scenario, run, name, posted, of).verdict == "LINT"
    assert runner.run_one(scenario, run, name, beside, of).verdict == "UNMODELLED"
