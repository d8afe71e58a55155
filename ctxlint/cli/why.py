# SPDX-License-Identifier: GPL-2.0-or-later
"""``ctxlint why``."""

from __future__ import annotations

from typing import Any

import click

from ctxlint.base.errors import UsageError
from ctxlint.cli.main import EXIT_CLEAN
from ctxlint.cli.options import make_request, run_options, talk_options, tree_options
from ctxlint.cli.output import emit
from ctxlint.cli.progress import Reporter
from ctxlint.pipeline import WhyFunction

EPILOG = """\b
Examples:
  ctxlint why its_cpu_init
  ctxlint why gic_starting_cpu drivers/irqchip --arch arm64 --rt
"""


@click.command("why", epilog=EPILOG)
@click.argument("function")
@click.argument("paths", nargs=-1)
@tree_options
@run_options
@talk_options
def command(function: str, verbose: int, quiet: bool, no_color: bool, **options: Any) -> int:
    """Show the execution contexts that FUNCTION can run in.

    For each: the way there, and what the function may reach that waits. PATHS
    are the files or directories to look at, as for audit.
    """
    request, _ = make_request(options)
    from ctxlint import pipeline

    with Reporter(verbose=verbose, quiet=quiet, color=not no_color) as progress:
        answers = pipeline.why(request, function, progress)
    if not answers:
        raise UsageError(
            f"no function named '{function}' in the files that were analysed",
            hint="name the directory that defines it: ctxlint why FUNCTION PATHS",
        )
    emit("\n\n".join(_describe(answer) for answer in answers), None)
    return EXIT_CLEAN


def _describe(answer: WhyFunction) -> str:
    lines = [f"{answer.function} ({answer.file}:{answer.line})"]
    if not answer.contexts:
        lines.append("  no entry point reaches it")
    for context in answer.contexts:
        lines.append(f"  [{context.profile}] {context.context}")
        lines += [f"      {step}" for step in context.path]
    if answer.reaches:
        lines.append("  may reach:")
        lines += [
            f"      {what}: {callee} at {place}" for what, callee, place in answer.reaches
        ]
    return "\n".join(lines)
