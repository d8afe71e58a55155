# SPDX-License-Identifier: GPL-2.0-or-later
"""No scenario is as expected when the driver's functions do nothing: then its set-up alone
would decide it."""

from __future__ import annotations

import copy
from functools import partial

import msgspec
import pytest

from ctxlint.base.errors import UsageError
from ctxlint.ir import ops
from ctxlint.ir.types import TVoid
from ctxlint.ir.unit import Block, Function
from ctxlint.pipeline.scenario import code_of
from ctxlint.scenarios import runner, schema
from ctxlint.simulator.code import Code
from ctxlint.simulator.image import MODEL_FILES

CATALOGUE = schema.load()
RUNS = [
    (scenario, run)
    for scenario in CATALOGUE.scenarios.values()
    if not scenario.unsupported
    for run in scenario.runs
    if not CATALOGUE.variants[run.variant or scenario.variant].tree
    # One that does not compile has no functions.
    and run.expect.verdict != "LINT"
]


def emptied(code: Code) -> Code:
    """The same program with ``return 0`` for each function that is not the model's."""

    def empty(fn: Function) -> Function:
        if fn.file.startswith(MODEL_FILES):
            return fn
        nothing = isinstance(fn.types[fn.ret], TVoid)
        end = ops.Ret(None if nothing else ops.Const(0, fn.ret), 0)
        return msgspec.structs.replace(fn, blocks=(Block((), end),))

    image = copy.copy(code.image)
    for name, value in list(vars(image).items()):
        if isinstance(value, dict):
            setattr(image, name, dict(value))
    image.functions = {symbol: empty(fn) for symbol, fn in image.functions.items()}
    image.overrides = {name: empty(fn) for name, fn in image.overrides.items()}
    return Code(image)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scenario", "run"), RUNS, ids=[f"{s.id} {r.name}".strip() for s, r in RUNS]
)
def test_an_empty_driver_is_noticed(scenario: schema.Scenario, run: schema.Run) -> None:
    name = run.variant or scenario.variant
    variant = CATALOGUE.variants[name]
    made = partial(code_of, name, variant)
    try:
        result = runner.run_one(
            scenario, run, name, variant, lambda setup: emptied(made(setup)), 0
        )
    except UsageError:
        return  # a step asks for what only the driver could have brought about
    assert result.differences
