# SPDX-License-Identifier: GPL-2.0-or-later
"""Options that say which findings count, and how they become a Selection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

import click

from ctxlint.base.errors import UsageError
from ctxlint.cli.config import FAIL_ON, Settings
from ctxlint.findings import baseline as baselines
from ctxlint.findings.baseline import Baseline
from ctxlint.findings.selection import Selection

F = TypeVar("F", bound=Callable[..., Any])

FailOn = Literal["error", "warning", "never"]

_SELECT = [
    click.option("--select", metavar="CHECKS", help="Only these checks (ids, by commas)."),
    click.option("--ignore", metavar="CHECKS", help="Not these checks (ids, by commas)."),
    click.option(
        "--rt-only/--no-rt-only",
        default=None,
        help="Only what is a bug on PREEMPT_RT kernels alone.",
    ),
    click.option(
        "--fail-on",
        type=click.Choice(FAIL_ON),
        help="Least severity for exit code 1 (default: warning).",
    ),
    click.option(
        "--baseline",
        type=click.Path(path_type=Path, dir_okay=False),
        help=f"Known findings (default: {baselines.DEFAULT_NAME} in the tree).",
    ),
    click.option("--no-baseline", is_flag=True, help="Report known findings too."),
]


@dataclass(frozen=True, kw_only=True)
class Choice:
    """``baseline`` is the file that ``selection.baseline`` was read from."""

    selection: Selection
    fail_on: FailOn
    baseline: Path | None


def select_options(function: F) -> F:
    """``--select --ignore --rt-only --fail-on --baseline --no-baseline``."""
    for option in reversed(_SELECT):
        function = option(function)
    return function


def make_choice(options: dict[str, Any], settings: Settings, tree: Path) -> Choice:
    """Merge the command line over the configuration file.

    A list on the command line replaces that of the file. Raises
    :class:`UsageError` for an unknown check and a baseline that cannot be read.
    """
    from ctxlint.pipeline.select import validate

    path = baseline_path(options, settings, tree)
    rt_only = options.get("rt_only")
    selection = Selection(
        select=_names(options.get("select"), settings.select),
        ignore=_names(options.get("ignore"), settings.ignore),
        rt_only=settings.rt_only if rt_only is None else rt_only,
        severity=settings.severity,
        per_path=settings.per_path,
        baseline=read_baseline(path) if path is not None else None,
    )
    validate(selection)
    fail_on = cast(FailOn, options.get("fail_on") or settings.fail_on or "warning")
    return Choice(selection=selection, fail_on=fail_on, baseline=path)


def baseline_path(options: dict[str, Any], settings: Settings, tree: Path) -> Path | None:
    """The baseline that is asked for, or the tree's own one if there is one."""
    given: Path | None = options.get("baseline")
    if options.get("no_baseline"):
        if given is not None:
            raise UsageError("--baseline and --no-baseline exclude each other")
        return None
    if given is not None or settings.baseline is not None:
        return given or settings.baseline
    own = tree / baselines.DEFAULT_NAME
    return own if own.is_file() else None


def read_baseline(path: Path) -> Baseline:
    """Raises :class:`UsageError` when the file cannot be read or is no baseline."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"baseline {path}: {getattr(error, 'strerror', None) or error}",
            hint="ctxlint baseline create makes one",
        ) from error
    return baselines.parse(text, str(path))


def _names(given: str | None, otherwise: tuple[str, ...]) -> tuple[str, ...]:
    if given is None:
        return otherwise
    return tuple(name.strip() for name in given.split(",") if name.strip())
