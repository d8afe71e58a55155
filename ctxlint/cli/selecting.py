# SPDX-License-Identifier: GPL-2.0-or-later
"""Options that say which findings count, and how they become a Selection."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

import click

from ctxlint.base.errors import UsageError
from ctxlint.base.places import BASELINE
from ctxlint.base.reading import read_limited
from ctxlint.cli import complete
from ctxlint.cli.settings import FAIL_ON, SELECTING, Settings, inside

if TYPE_CHECKING:
    from ctxlint.findings.baseline import Baseline
    from ctxlint.findings.model import Result
    from ctxlint.findings.selection import Selection

F = TypeVar("F", bound=Callable[..., Any])

FailOn = Literal["error", "warning", "never"]

_SELECT = [
    click.option(
        "--select",
        metavar="CHECKS",
        shell_complete=complete.checks,
        help="Only these checks (comma-separated ids).",
    ),
    click.option(
        "--ignore",
        metavar="CHECKS",
        shell_complete=complete.checks,
        help="All but these checks (comma-separated ids).",
    ),
    click.option(
        "--rt-only/--no-rt-only",
        default=None,
        help="Only findings that are bugs on PREEMPT_RT kernels alone.",
    ),
    click.option(
        "--fail-on",
        type=click.Choice(FAIL_ON),
        help="Lowest severity that gives exit code 1 (default: warning).",
    ),
    click.option(
        "--baseline",
        type=click.Path(path_type=Path, dir_okay=False),
        help=f"Known findings (default: {BASELINE} in the tree).",
    ),
    click.option("--no-baseline", is_flag=True, help="Report known findings as well."),
]


MAX_BASELINE = 64 << 20
"""Bytes of a baseline."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """``baseline`` is the file that ``selection.baseline`` was read from. ``fail_on_from``
    is the settings file of the tree when that says ``fail_on``, and ``own_fail_on`` what
    would hold without it."""

    selection: Selection
    fail_on: FailOn
    baseline: Path | None
    fail_on_from: str = ""
    own_fail_on: FailOn = "warning"

    def noted(self, result: Result, code: int, without: int) -> Result:
        """``result`` with a note when the tree's ``fail-on`` made the exit code ``code``
        of one that would have been ``without``."""
        import msgspec

        if not self.fail_on_from or code == without:
            return result
        note = (
            f'the exit code is {code}, not {without}: fail-on = "{self.fail_on}" in '
            f"{self.fail_on_from}"
        )
        return msgspec.structs.replace(result, notes=(*result.notes, note))


def select_options(function: F) -> F:
    """``--select --ignore --rt-only --fail-on --baseline --no-baseline``."""
    for option in reversed(_SELECT):
        function = option(function)
    return function


def make_choice(options: dict[str, Any], settings: Settings, tree: Path) -> Choice:
    """Merge the command line over the settings files.

    A list on the command line replaces that of a file. Raises
    :class:`UsageError` for an unknown check and a baseline that cannot be read.
    """
    from ctxlint.findings.selection import TreeSettings
    from ctxlint.pipeline.select import validate

    path = baseline_path(options, settings, tree)
    selection = _selection(options, settings)
    selection = replace(selection, baseline=read_baseline(path) if path is not None else None)
    validate(selection)
    asked: str | None = options.get("fail_on")
    choice = Choice(
        selection=selection,
        fail_on=cast(FailOn, asked or settings.fail_on or "warning"),
        baseline=path,
    )
    chosen = tuple(key for key in SELECTING if key in settings.tree_keys)
    if settings.user is None or settings.tree_file is None or not chosen:
        return choice
    name = settings.tree_file.relative_to(tree.resolve()).as_posix()
    without = _selection(options, settings.user)
    return replace(
        choice,
        selection=replace(
            selection, tree=TreeSettings(file=name, keys=chosen, without=without)
        ),
        fail_on_from=name if settings.fail_on != settings.user.fail_on and not asked else "",
        own_fail_on=cast(FailOn, asked or settings.user.fail_on or "warning"),
    )


def _selection(options: dict[str, Any], settings: Settings) -> Selection:
    from ctxlint.findings.selection import Selection

    rt_only = options.get("rt_only")
    return Selection(
        select=_names(options.get("select"), settings.select),
        ignore=_names(options.get("ignore"), settings.ignore),
        rt_only=bool(settings.rt_only) if rt_only is None else rt_only,
        severity=settings.severity,
        per_path=settings.per_path,
    )


def baseline_path(options: dict[str, Any], settings: Settings, tree: Path) -> Path | None:
    """The baseline that is asked for, or the tree's own one if there is one."""
    given: Path | None = options.get("baseline")
    if options.get("no_baseline"):
        if given is not None:
            raise UsageError("--baseline and --no-baseline are mutually exclusive")
        return None
    if given is not None or settings.baseline is not None:
        return given or settings.baseline
    own = tree / BASELINE
    if not os.path.lexists(own):
        return None
    hint = "--baseline reads a file, --no-baseline ignores any"
    inside(own, tree.resolve(), f"{own}: is a link that leads out of the tree", hint)
    return own


def read_baseline(path: Path) -> Baseline:
    """Raises :class:`UsageError` when the file cannot be read or is no baseline."""
    try:
        text = read_limited(path, MAX_BASELINE).decode("utf-8")
    except (UsageError, UnicodeDecodeError) as error:
        where = "" if isinstance(error, UsageError) else f"{path}: "
        raise UsageError(
            f"baseline {where}{error}", hint="ctxlint baseline create makes one"
        ) from error
    from ctxlint.findings.baseline import parse

    return parse(text, str(path))


def _names(given: str | None, otherwise: tuple[str, ...]) -> tuple[str, ...]:
    if given is None:
        return otherwise
    return tuple(name.strip() for name in given.split(",") if name.strip())
