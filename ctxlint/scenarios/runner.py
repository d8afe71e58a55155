# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenarios run: each step in turn, then observed against expected.

Where a run says that nothing was wrong, it is made again with every answer turned that
nobody can know (whether a list of free pages was empty): what turns up then is conditional.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import msgspec

from ctxlint.base.errors import CtxlintError, FrontendError, UsageError
from ctxlint.scenarios import (
    library,  # noqa: F401 - verbs and platforms
    observe,
)
from ctxlint.scenarios.schema import Explore, Run, Scenario, Setup, Variant
from ctxlint.scenarios.world import World, verbs
from ctxlint.simulator.code import Code
from ctxlint.simulator.memory import Fault
from ctxlint.simulator.outcome import Stop
from ctxlint.simulator.runtime.boot import NextKernel
from ctxlint.simulator.runtime.choice import Choices
from ctxlint.simulator.runtime.policy import Exhaustive, Policy
from ctxlint.simulator.runtime.state import MODEL_RELEASE
from ctxlint.simulator.trace import Step

NEEDS_TREE = "needs a kernel tree (--tree)"

CodeOf = Callable[[str, Variant, Setup], Code]
"""Makes the program of a variant (by name) for a machine."""


@dataclass(kw_only=True)
class RunResult:
    """What one run of a scenario gave. ``differences`` is empty when it was as expected."""

    name: str
    variant: str
    setup: Setup
    machine: list[str]
    steps: list[str]
    verdict: str
    expected: str
    differences: list[str]
    reports: list[observe.Seen]
    log: list[tuple[int, str]]
    facts: dict[str, Any]
    returns: dict[str, Any]
    ending: str
    trace: list[Step]


@dataclass(kw_only=True)
class ScenarioResult:
    """``skipped`` says why it did not run."""

    scenario: Scenario
    runs: list[RunResult] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    """Names of runs that need a kernel tree, when there is none."""
    skipped: str = ""

    @property
    def as_expected(self) -> bool:
        return not any(run.differences for run in self.runs)


def run(
    scenario: Scenario,
    variants: dict[str, Variant],
    code_of: CodeOf,
    *,
    seed: int = 0,
    tree: bool = False,
    release: str = MODEL_RELEASE,
) -> ScenarioResult:
    """All runs of a scenario, those of a kernel tree's files if there is one (of version
    ``release``); raises :class:`UsageError` for a step that is none."""
    result = ScenarioResult(scenario=scenario)
    if scenario.unsupported:
        result.skipped = f"unsupported: {scenario.unsupported}"
        return result
    for one in scenario.runs:
        name = one.variant or scenario.variant
        if variants[name].tree and not tree:
            result.left_out.append(one.name or name)
            continue
        of = partial(code_of, name, variants[name])
        result.runs.append(run_one(scenario, one, name, variants[name], of, seed, release))
    if not result.runs:
        result.skipped = NEEDS_TREE
    return result


def run_one(
    scenario: Scenario,
    one: Run,
    name: str,
    variant: Variant,
    code_of: Callable[[Setup], Code],
    seed: int = 0,
    release: str = MODEL_RELEASE,
) -> RunResult:
    """One run, and again with the unknown answers turned if need be. A wait without an end
    on files of a version that the model functions do not know says nothing of them."""
    foreign = variant.tree and not release.startswith(MODEL_RELEASE)
    steps = one.steps or scenario.steps
    setup = scenario.setup_of(one)
    if one.expect.about is None and scenario.about is not None:
        expect = msgspec.structs.replace(one.expect, about=scenario.about)
        one = msgspec.structs.replace(one, expect=expect)
    try:
        code_of(setup)
    except FrontendError as error:
        return _does_not_compile(one, name, setup, str(error), tree=variant.tree)

    def execute(forced: dict[str, bool], explored: Policy | None = None) -> RunResult:
        found = _execute(
            scenario.id, steps, one, name, variant, setup, code_of, seed, forced, explored
        )
        if foreign and found.verdict == "HANG" and one.expect.verdict != "HANG":
            found.verdict = "UNMODELLED"
            found.ending = f"{found.ending}: the model is of {MODEL_RELEASE}"
            found.differences = observe.differences(
                one.expect, found.verdict, [], [], {}, {}, found.ending
            )
        return found

    if one.explore is not None:
        return _interleavings(one.explore, execute)
    found = execute({})
    if found.verdict == "REFUTED":
        for answer, value in _unknown(found):
            other = execute({answer: not value})
            if other.verdict != "REFUTED":
                return other
    return found


def _interleavings(explore: Explore, execute: Callable[..., RunResult]) -> RunResult:
    """All interleavings within the bounds: the first that is not as expected, where all
    shall be; the first that is, where one is enough; else the last."""
    ways = Exhaustive(explore.preemptions, explore.limit)
    found: RunResult | None = None
    for policy in ways:
        found = execute({}, policy)
        if bool(found.differences) == explore.every:
            break
    assert found is not None
    found.facts["interleavings"] = ways.runs
    found.facts["all-interleavings"] = ways.complete
    return found


def _does_not_compile(one: Run, name: str, setup: Setup, text: str, *, tree: bool) -> RunResult:
    """The compiler has the last word about a driver as it was posted. What lies beside the
    files of a ``tree`` is the model's, and what it does not fit is not theirs."""
    word = "UNMODELLED" if tree else "LINT"
    differences = observe.differences(one.expect, word, [], [], {}, {}, text)
    return RunResult(
        name=one.name, variant=name, setup=setup, machine=[], steps=[], verdict=word,
        expected=one.expect.verdict, differences=differences, reports=[], log=[], facts={},
        returns={}, ending=text, trace=[],
    )  # fmt: skip


_ASKED = "asked"


def _unknown(result: RunResult) -> list[tuple[str, bool]]:
    return list(dict(result.facts.pop(_ASKED, ())).items())


def _execute(
    ident: str,
    steps: tuple[str | dict[str, Any], ...],
    one: Run,
    name: str,
    variant: Variant,
    setup: Setup,
    code_of: Callable[[Setup], Code],
    seed: int,
    forced: dict[str, bool],
    explored: Policy | None = None,
) -> RunResult:
    world = World(
        code_of(setup), setup, variant, seed=seed, forced=forced, code_of=code_of
    )  # fmt: skip
    world.explored = explored
    ending: BaseException | None = None
    try:
        for step in steps:
            perform(world, step, ident)
    except (Stop, Fault) as stop:
        ending = stop
    if world.generations:
        world.platform.finish()
    facts = world.platform.facts() if world.generations else {}
    reports = world.reports()
    chosen = observe.selected(one.expect, reports)
    word = observe.verdict(chosen, ending)
    text = f"{type(ending).__name__}: {ending}" if ending is not None else ""
    log = world.log()
    differences = observe.differences(
        one.expect, word, reports, log, facts, world.returns, text
    )
    if word == "REFUTED":
        facts[_ASKED] = [
            (asked, answer)
            for generation in world.generations
            for asked, answer in generation.kernel.part(Choices).maybe
        ]
    world.close()
    return RunResult(
        name=one.name, variant=name, setup=setup, machine=world.platform.text(),
        steps=world.done, verdict=word, expected=one.expect.verdict, differences=differences,
        reports=reports, log=log, facts=facts, returns=world.returns, ending=text,
        trace=_named(world),
    )  # fmt: skip


def _named(world: World) -> list[Step]:
    """The steps, with names for the addresses of locks and variables."""
    if not world.generations:
        return list(world.trace)
    names: dict[str, str] = {}
    steps = []
    for step in world.trace:
        first, _, last = step.effect.rpartition(" ")
        if last.isdigit() and int(last) >> 63:
            if last not in names:
                names[last] = world.name_of(int(last))
            step = step._replace(effect=f"{first} {names[last]}")
        steps.append(step)
    return steps


def perform(world: World, step: str | dict[str, Any], ident: str) -> None:
    """Do one step. What a verb returns is kept under the step's text."""
    name, argument = (step, None) if isinstance(step, str) else next(iter(step.items()))
    if not isinstance(step, str) and len(step) != 1:
        raise UsageError(f"{ident}: a step is one verb: {step}")
    function = verbs().get(name)
    if function is None:
        raise UsageError(
            f"{ident}: no verb is called {name!r}", hint=", ".join(sorted(verbs()))
        )
    text = name if argument is None else f"{name} {_argument(argument)}"
    world.done.append(text)
    try:
        given = function(world, argument)
    except NextKernel as stop:
        raise UsageError(f"{ident}: {text}: the kernel ended ({stop.how})") from stop
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, CtxlintError):
            raise
        raise UsageError(f"{ident}: {text}: {type(error).__name__}: {error}") from error
    if given is not None:
        key, count = text, 1
        while key in world.returns:
            count += 1
            key = f"{text} #{count}"
        world.returns[key] = given


def _argument(argument: Any) -> str:
    if isinstance(argument, dict):
        return ", ".join(f"{key}={_argument(value)}" for key, value in argument.items())
    if isinstance(argument, list):
        return " ".join(_argument(item) for item in argument)
    return str(argument)


__all__ = ["CodeOf", "RunResult", "ScenarioResult", "perform", "run", "run_one"]
