# SPDX-License-Identifier: GPL-2.0-or-later
"""``ctxlint audit``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ctxlint.cli import complete
from ctxlint.cli.main import EXIT_CLEAN, EXIT_FINDINGS, EXIT_INCOMPLETE
from ctxlint.cli.options import make_request, run_options, talk_options, tree_options
from ctxlint.cli.output import emit, pager_option, wants_color
from ctxlint.cli.page import source_url_option
from ctxlint.cli.progress import Reporter
from ctxlint.cli.selecting import FailOn, make_choice, select_options

if TYPE_CHECKING:
    from ctxlint.findings.model import Result
    from ctxlint.pipeline import Request

FORMATS = ("text", "concise", "json", "sarif", "html", "github", "gitlab")

PAGED = ("text", "concise", "statistics")

EPILOG = """\b
Examples:
  ctxlint audit
  ctxlint audit drivers/irqchip/irq-gic-v3-its.c --arch arm64 --rt
  ctxlint audit drivers/gpio --format concise
  ctxlint audit drivers/perf --format json -o out.json
  ctxlint audit --build ~/build/rt --build ~/build/nort
  ctxlint audit --verify drivers/irqchip
  ctxlint audit --select rt-sleep-in-atomic --fail-on error
  ctxlint audit drivers/irqchip --new-since origin/master

\b
Without PATHS: the current directory; at the root of the tree, 'paths' of the
settings, or drivers/irqchip drivers/firmware. These options can also be set
in ~/.config/ctxlint/config.toml; those that select findings or a profile also
in the tree's .ctxlint.toml (or [tool.ctxlint] of its pyproject.toml).
Exit code: 0 clean, 1 findings, 2 usage, 3 incomplete (there may be findings).
"""


@click.command("audit", epilog=EPILOG)
@click.argument("paths", nargs=-1, shell_complete=complete.path)
@tree_options
@click.option("--format", "-f", type=click.Choice(FORMATS), help="Output (default: text).")
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write to this file.",
)
@source_url_option
@pager_option
@click.option("--statistics", is_flag=True, help="Print counts instead of findings.")
@click.option(
    "--no-hidden",
    is_flag=True,
    help="Omit findings hidden by comments or a baseline from JSON and SARIF.",
)
@click.option(
    "--new-since",
    metavar="REV",
    help="Only findings that the tree did not have at this git revision.",
)
@click.option(
    "--verify",
    is_flag=True,
    help="Run each finding in the executable model: confirmed, reached, refuted or open.",
)
@click.option(
    "--possible",
    is_flag=True,
    help="Also show findings behind an indirect call with many targets, or many calls.",
)
@select_options
@run_options
@talk_options
def command(
    verbose: int,
    quiet: bool,
    no_color: bool,
    format: str | None,
    output: Path | None,
    source_url: str | None,
    no_pager: bool,
    statistics: bool,
    no_hidden: bool,
    new_since: str | None,
    **options: Any,
) -> int:
    """Find calls in PATHS (files or directories) that may sleep where they must not."""
    request, settings = make_request(options)
    output = output or settings.output
    style = format or settings.format or "text"
    if style not in FORMATS:
        raise click.UsageError(
            f"{settings.user_file}: 'format' must be one of {', '.join(FORMATS)}"
        )
    if statistics:
        if format not in (None, "text", "concise"):
            raise click.UsageError(
                "--statistics prints text only; --format json has the counts too"
            )
        style = "statistics"
    choice = make_choice(options, settings, request.tree)
    color = wants_color(no_color, output)
    from ctxlint import pipeline
    from ctxlint.pipeline.select import select

    with Reporter(verbose=verbose, quiet=quiet, color=color) as progress:
        progress.say(scope(request))
        if new_since is None:
            result = select(pipeline.audit(request, progress), choice.selection)
        else:
            from ctxlint.pipeline import since

            result = since.new_since(request, new_since, choice.selection, progress)
    code = exit_code(result, choice.fail_on)
    result = choice.noted(result, code, exit_code(result, choice.own_fail_on))
    if no_hidden:
        import msgspec

        result = msgspec.structs.replace(result, hidden=(), stale=())
    from ctxlint.cli.stamp import stamped

    result = stamped(result, request.tree)
    report = render(
        result, style, tree=request.tree, color=color, code=code, source_url=source_url
    )
    emit(report, output, paged=not no_pager and style in PAGED)
    return code


def scope(request: Request) -> str:
    """What is going to be audited, under which profiles."""
    from ctxlint.pipeline.defaults import DEFAULT_ARCH, DEFAULT_CONFIG, default_paths

    paths = " ".join(request.paths or default_paths(request.tree))
    if request.builds:
        profiles = " ".join(path.name for path in request.builds)
        return f"auditing {paths} as built in {profiles}"
    kinds = {
        "both": "with and without PREEMPT_RT",
        "rt": "PREEMPT_RT",
        "nort": "without PREEMPT_RT",
    }
    config = Path(request.config).name if request.config else ""
    target = f"{request.arch or DEFAULT_ARCH} {config or DEFAULT_CONFIG}"
    if request.config is None and (request.tree / ".config").is_file():
        target = "the tree's .config"
    return f"auditing {paths} for {target}, {kinds[request.rt]}"


def exit_code(result: Result, fail_on: FailOn = "warning") -> int:
    """Incomplete comes before findings: a list that is not whole must not pass
    for one that is. Hidden findings do not count."""
    if result.incomplete or result.gaps:
        return EXIT_INCOMPLETE
    from ctxlint.findings.selection import failing

    return EXIT_FINDINGS if failing(result, fail_on) else EXIT_CLEAN


def render(
    result: Result,
    style: str,
    *,
    tree: Path,
    color: bool,
    code: int,
    source_url: str | None = None,
) -> str:
    """The report as text. Only the module of the format asked for is imported."""
    if style == "json":
        from ctxlint.report import json_report

        return json_report.render(result)
    if style == "sarif":
        from ctxlint.checks.base import docs
        from ctxlint.kbuild.tree import origin
        from ctxlint.report import sarif

        options = sarif.Options(
            source_root=str(tree), repository_uri=origin(tree), exit_code=code
        )
        return sarif.render(result, docs(), options)
    if style == "html":
        from ctxlint.cli import page

        return page.render(result, tree, source_url)
    if style == "github":
        from ctxlint.report import github

        return github.render(result)
    if style == "gitlab":
        from ctxlint.report import gitlab

        return gitlab.render(result)
    if style in ("concise", "statistics"):
        from ctxlint.report import concise

        show = concise.render if style == "concise" else concise.statistics
        return show(result, colour=color)
    from ctxlint.report import text

    return text.render(result, colour=color)
