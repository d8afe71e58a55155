# SPDX-License-Identifier: GPL-2.0-or-later
"""``ctxlint baseline``: create, update and show the list of known findings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from ctxlint.base.errors import UsageError
from ctxlint.cli import complete
from ctxlint.cli.main import CONTEXT, EXIT_CLEAN, EXIT_FINDINGS, EXIT_INCOMPLETE
from ctxlint.cli.options import make_request, run_options, talk_options, tree_options
from ctxlint.cli.output import emit
from ctxlint.cli.progress import Reporter
from ctxlint.cli.selecting import Choice, make_choice, read_baseline, select_options
from ctxlint.cli.settings import inside
from ctxlint.findings import baseline as baselines
from ctxlint.findings.baseline import Baseline
from ctxlint.findings.model import BaselineEntry, Finding, Result
from ctxlint.pipeline import Request
from ctxlint.report.clean import clean

F = TypeVar("F", bound=Callable[..., Any])

EPILOG = """\b
Examples:
  ctxlint baseline create drivers/irqchip --reason "to be reviewed"
  ctxlint baseline update drivers/irqchip
  ctxlint baseline show drivers/irqchip

\b
The file is .ctxlint-baseline in the tree, or --baseline FILE. It is sorted
text, one finding per line; write the reason at the end of the line.
"""

_REASON = click.option("--reason", default="", help="Reason to give new entries.")


def _common(function: F) -> F:
    for option in (talk_options, run_options, select_options, tree_options):
        function = option(function)
    return click.argument("paths", nargs=-1, shell_complete=complete.path)(function)


@click.group("baseline", epilog=EPILOG, context_settings=CONTEXT, no_args_is_help=True)
def command() -> None:
    """Keep a list of known findings, so that only new ones count.

    Each command audits PATHS first, with the options of audit.
    """


@command.command("create", epilog=EPILOG)
@_common
@_REASON
def create(reason: str, **options: Any) -> int:
    """Write the findings of PATHS into a new baseline."""
    request, choice, path = _begin(options)
    if path.exists():
        raise UsageError(
            f"{path}: the baseline already exists", hint="ctxlint baseline update changes it"
        )
    result = _audited(request, choice, options)
    made = baselines.updated(Baseline(), result.findings, (), reason=reason)
    emit(baselines.render(made), path)
    emit(f"{path.name}: {_count(len(made.entries))}", None)
    return _code(result)


@command.command("update", epilog=EPILOG)
@_common
@_REASON
@click.option("--no-new", is_flag=True, help="Only remove stale entries, add none.")
def update(reason: str, no_new: bool, **options: Any) -> int:
    """Add new findings in PATHS, remove those that are gone.

    Reasons and comments are kept. Entries of files that are not audited, or
    could not be, stay as they are.
    """
    request, choice, path = _begin(options)
    old = read_baseline(path)
    result = _audited(request, choice, options)
    found = (*result.findings, *_known(result))
    new = baselines.updated(old, found, result.stale, reason=reason, add=not no_new)
    emit(baselines.render(new), path)
    before, after = old.by_fingerprint(), new.by_fingerprint()
    lines = [f"{path.name}: {_count(len(after))}"]
    lines += [f"  added: {_shown(after[key])}" for key in after if key not in before]
    lines += [f"  removed: {_shown(entry)}" for entry in result.stale]
    emit("\n".join(lines), None)
    return _code(result)


@command.command("show", epilog=EPILOG)
@_common
def show(**options: Any) -> int:
    """List the entries of the baseline and mark the stale ones.

    "known": PATHS have the finding; "stale": it is gone; "not analysed": the
    file was not audited, or could not be. Exit code 1 if an entry is stale.
    """
    request, choice, path = _begin(options)
    baseline = read_baseline(path)
    result = _audited(request, choice, options)
    known = {finding.fingerprint for finding in _known(result)}
    stale = {entry.fingerprint for entry in result.stale}
    lines = []
    for entry in baseline.entries:
        state = "known" if entry.fingerprint in known else "not analysed"
        state = "stale" if entry.fingerprint in stale else state
        lines.append(f"{state}: {_shown(entry)}")
        if entry.reason:
            lines.append(f"    {clean(entry.reason)}")
    lines.append(f"{_count(len(baseline.entries))}, {len(stale)} stale")
    emit("\n".join(lines), None)
    return _code(result) or (EXIT_FINDINGS if stale else EXIT_CLEAN)


def _begin(options: dict[str, Any]) -> tuple[Request, Choice, Path]:
    request, settings = make_request(options)
    if options["no_baseline"]:
        raise UsageError("--no-baseline makes no sense here")
    given: Path | None = options["baseline"] or settings.baseline
    path = given or request.tree / baselines.DEFAULT_NAME
    if given is None:
        hint = "name the file with --baseline"
        inside(path, request.tree, f"{path}: is a link that leads out of the tree", hint)
    # A baseline that does not exist yet is no error here, unlike in an audit.
    options = options | {"baseline": path if path.exists() else None}
    if given is not None and not path.exists():
        settings = msgspec.structs.replace(settings, baseline=None)
    return request, make_choice(options, settings, request.tree), path


def _audited(request: Request, choice: Choice, options: dict[str, Any]) -> Result:
    from ctxlint import pipeline
    from ctxlint.pipeline.select import select

    with Reporter(
        verbose=options["verbose"], quiet=options["quiet"], color=not options["no_color"]
    ) as progress:
        return select(pipeline.audit(request, progress), choice.selection)


def _known(result: Result) -> tuple[Finding, ...]:
    return tuple(finding for finding in result.hidden if finding.baseline_state == "unchanged")


def _code(result: Result) -> int:
    return EXIT_INCOMPLETE if result.incomplete else EXIT_CLEAN


def _count(number: int) -> str:
    return f"{number} entry" if number == 1 else f"{number} entries"


def _shown(entry: BaselineEntry) -> str:
    call = entry.callee if entry.callee.endswith(")") else f"{entry.callee}()"
    where = f"{entry.file}: {entry.function}()" if entry.function else entry.file
    return clean(f"{where}: {call} [{entry.check}] {entry.fingerprint[:12]}")
