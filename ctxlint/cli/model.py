# SPDX-License-Identifier: GPL-2.0-or-later
"""``ctxlint model``: scenarios of whole systems, run on the executable model."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ctxlint.base.errors import UsageError
from ctxlint.cli import complete, streams
from ctxlint.cli.main import CONTEXT, EXIT_CLEAN, EXIT_FINDINGS, EXIT_INCOMPLETE
from ctxlint.cli.output import emit

if TYPE_CHECKING:
    from ctxlint.pipeline.call_model import Called
    from ctxlint.scenarios.schema import Catalogue

EPILOG = """\b
Examples:
  ctxlint model list
  ctxlint model run M0-01
  ctxlint model run --all --format table --tree ~/linux
  ctxlint model trace M0-01 --html out.html
  ctxlint model call mutex_lock --in hardirq

\b
Exit code of run: 0 as expected, 1 differences. Of call: 0 it returned and
nothing was wrong, 1 the kernel has something to say, 3 not modelled.
"""

_TREE = click.option(
    "--tree",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="A kernel tree, for the scenarios that run its files.",
)
_SEED = click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True,
    help="Seed for the order in which CPUs and tasks run; 0: in order.",
)  # fmt: skip


@click.group("model", epilog=EPILOG, context_settings=CONTEXT, no_args_is_help=True)
def command() -> None:
    """Run scenarios: a machine, a driver, steps, and what the kernel then does. Or call
    one model function."""


@command.command("list", epilog=EPILOG)
def list_scenarios() -> int:
    """List the scenarios: id, seed, one line."""
    from ctxlint.scenarios import schema

    lines = []
    for one in schema.load().scenarios.values():
        mark = " (unsupported)" if one.unsupported else ""
        lines.append(f"{one.id:<7} {one.seed}  {one.title}{mark}")
    lines.append(f"{len(lines)} scenarios")
    emit("\n".join(lines), None)
    return EXIT_CLEAN


@command.command("run", epilog=EPILOG)
@click.argument("ids", nargs=-1, shell_complete=complete.scenario)
@click.option("--all", "every", is_flag=True, help="All scenarios.")
@click.option(
    "--format", "-f", "style", type=click.Choice(["text", "table", "json"]),
    help="Default: text for one scenario, table for more.",
)  # fmt: skip
@click.option("--only", multiple=True, metavar="RUN", help="Only these runs of the scenario.")
@click.option("--brief", is_flag=True, help="Text without steps and unprinted violations.")
@click.option("--jobs", "-j", type=click.IntRange(min=1), default=1, show_default=True)
@_SEED
@_TREE
def run(
    ids: tuple[str, ...],
    every: bool,
    style: str | None,
    only: tuple[str, ...],
    brief: bool,
    jobs: int,
    seed: int,
    tree: Path | None,
) -> int:
    """Run scenarios and compare the observed with the expected outcome."""
    from ctxlint.pipeline.scenario import run_many
    from ctxlint.report import scenario_text

    catalogue, wanted = _wanted(ids, every)
    results: list[dict[str, Any]] = []

    def shown() -> Iterator[dict[str, Any]]:
        for one in run_many(catalogue, wanted, tree=tree, seed=seed, jobs=jobs, only=only):
            results.append(one)
            yield one

    style = style or ("text" if len(wanted) == 1 else "table")
    if style == "json":
        emit(json.dumps(list(shown()), indent=1, sort_keys=True), None)
    elif style == "table":
        for rows in scenario_text.table(shown()):
            emit(rows, None)
    else:
        for result in shown():
            emit(scenario_text.full(result, brief), None)
    skipped = [r["id"] for r in results if r["skipped"]]
    left_out = sum(len(r["left_out"]) for r in results)
    if skipped:
        streams.tell(f"ctxlint: not run: {', '.join(skipped)}")
    if left_out:
        streams.tell(f"ctxlint: {left_out} runs of kernel files left out: use --tree DIR")
    return EXIT_FINDINGS if any(not r["as_expected"] for r in results) else EXIT_CLEAN


@command.command("trace", epilog=EPILOG)
@click.argument("ident", metavar="ID", shell_complete=complete.scenario)
@click.option(
    "--html", "output", type=click.Path(path_type=Path, dir_okay=False), required=True,
    help="Write the page to this file.",
)  # fmt: skip
@_SEED
@_TREE
def trace(ident: str, output: Path, seed: int, tree: Path | None) -> int:
    """Draw what ran when in a scenario: a lane per CPU, locks, violations."""
    from ctxlint.pipeline.scenario import run_many
    from ctxlint.report import scenario_html

    catalogue, wanted = _wanted((ident,), False)
    (result,) = run_many(catalogue, wanted, tree=tree, seed=seed)
    emit(scenario_html.render(result), output)
    return EXIT_CLEAN


@command.command("call", epilog=EPILOG)
@click.argument("function")
@click.argument("arguments", nargs=-1, metavar="[PARAMETER=VALUE]...")
@click.option(
    "--in", "contexts", multiple=True, metavar="CONTEXT", default=("task",),
    show_default=True,
    help="Call it in this context of rules/contexts.yaml (repeatable).",
)  # fmt: skip
@click.option("--rt/--no-rt", default=None, help="Only this kind of kernel (default: both).")
@click.option(
    "--file", "files", multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="A model file (.c) that is not in rules/models yet, or in place of the one of its "
    "name there (repeatable).",
)  # fmt: skip
def call(
    function: str,
    arguments: tuple[str, ...],
    contexts: tuple[str, ...],
    rt: bool | None,
    files: tuple[Path, ...],
) -> int:
    """Call one model function, and show what the kernel says.

    A value is a number or a constant that the rules know (GFP_KERNEL). A pointer that is
    not given is a page of zeros, a number is 0.
    """
    from ctxlint.pipeline.call_model import call_model

    given = dict(text.partition("=")[::2] for text in arguments)
    if not all(given.values()):
        raise UsageError("arguments are written PARAMETER=VALUE")
    kinds = (True, False) if rt is None else (rt,)
    found = call_model(function, given, contexts, kinds, files)
    emit("\n".join(line for one in found for line in _called_lines(function, one)), None)
    if any(one.unmodelled for one in found):
        return EXIT_INCOMPLETE
    wrong = any(one.printed or one.silent or one.ending for one in found)
    return EXIT_FINDINGS if wrong else EXIT_CLEAN


def _called_lines(function: str, one: Called) -> Iterator[str]:
    kernel = "PREEMPT_RT" if one.rt else "no PREEMPT_RT"
    if one.unmodelled:
        end = f"not modelled: {one.ending}"
    else:
        value = "" if one.returned is None else f" {one.returned}"
        end = one.ending or f"returns{value}"
    yield f"{function}() in {one.context}, {kernel}: {end}"
    for text in (*one.log, *one.printed):
        yield from (f"    {line}" for line in text.splitlines())
    yield from (f"    broken, and not printed: {headline}" for headline in one.silent)


def _wanted(ids: Sequence[str], every: bool) -> tuple[Catalogue, list[str]]:
    from ctxlint.scenarios import schema

    catalogue = schema.load()
    if every == bool(ids):
        raise UsageError(
            "name scenarios, or use --all", hint="'ctxlint model list' has the ids"
        )
    unknown = [ident for ident in ids if ident not in catalogue.scenarios]
    if unknown:
        raise UsageError(
            f"no scenario is called {unknown[0]}", hint="'ctxlint model list' has the ids"
        )
    return catalogue, list(catalogue.scenarios if every else ids)
