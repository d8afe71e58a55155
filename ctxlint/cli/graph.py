# SPDX-License-Identifier: GPL-2.0-or-later
"""``ctxlint graph``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ctxlint.base.errors import UsageError
from ctxlint.cli import complete, streams
from ctxlint.cli.main import EXIT_CLEAN
from ctxlint.cli.options import make_request, run_options, talk_options, tree_options
from ctxlint.cli.output import emit, wants_color
from ctxlint.cli.progress import Reporter

if TYPE_CHECKING:
    from ctxlint.findings.graph import CallGraph

F = TypeVar("F", bound=Callable[..., Any])

FORMATS = ("dot", "mermaid")

EPILOG = """\b
Examples:
  ctxlint graph its_cpu_init | dot -Tsvg -o its.svg
  ctxlint graph 810950f78e0a drivers/firmware -o finding.dot
  ctxlint graph gic_starting_cpu drivers/irqchip --no-rt --format mermaid

\b
Graphviz (dot) or what shows Mermaid draws the text. If several functions
share a name, write FILE::FUNCTION. The picture shows one profile: PREEMPT_RT
unless --no-rt is given.
"""


def limit_option(function: F) -> F:
    """``--limit``, for graphs and trees."""
    return click.option(
        "--limit",
        type=click.IntRange(1, 500),
        default=40,
        show_default=True,
        help="Draw at most this many callers and this many callees.",
    )(function)


@click.command("graph", epilog=EPILOG)
@click.argument("target", metavar="FUNCTION|FINGERPRINT", shell_complete=complete.function)
@click.argument("paths", nargs=-1, shell_complete=complete.path)
@click.option("--format", "-f", type=click.Choice(FORMATS), default="dot", show_default=True)
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write to this file.",
)
@limit_option
@tree_options
@run_options
@talk_options
def command(
    target: str,
    format: str,
    output: Path | None,
    limit: int,
    verbose: int,
    quiet: bool,
    no_color: bool,
    **options: Any,
) -> int:
    """Draw the calls around a function or a finding.

    Its callers up to the entry points and its callees down to what may sleep,
    coloured by execution context. PATHS as for audit.
    """
    request, _ = make_request(options)
    from ctxlint import pipeline

    with Reporter(
        verbose=verbose, quiet=quiet, color=wants_color(no_color, output)
    ) as progress:
        answers = pipeline.graph(request, target, progress, limit)
    if len(answers) > 1:
        raise UsageError(
            f"{len(answers)} functions are named {target}",
            hint="say which: " + ", ".join(answer.symbol for answer in answers),
        )
    emit(render(answers[0].graphs[0], format), output)
    if output is not None and not quiet:
        streams.tell(f"ctxlint: {output} written")
    return EXIT_CLEAN


def render(graph: CallGraph, style: str) -> str:
    """``style`` is one of :data:`FORMATS`."""
    from ctxlint.report import graph_text

    return graph_text.dot(graph) if style == "dot" else graph_text.mermaid(graph)
