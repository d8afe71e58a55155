# SPDX-License-Identifier: GPL-2.0-or-later
"""``ctxlint why``."""

from __future__ import annotations

from typing import Any

import click

from ctxlint.cli import complete
from ctxlint.cli.graph import limit_option
from ctxlint.cli.main import EXIT_CLEAN
from ctxlint.cli.options import make_request, run_options, talk_options, tree_options
from ctxlint.cli.output import emit, wants_color
from ctxlint.cli.progress import Reporter

EPILOG = """\b
Examples:
  ctxlint why its_cpu_init
  ctxlint why gic_starting_cpu drivers/irqchip --arch arm64 --rt

\b
"=>" is the execution context, "!" what an audit reports. ctxlint graph draws
the same as a picture.
"""


@click.command("why", epilog=EPILOG)
@click.argument("function", shell_complete=complete.function)
@click.argument("paths", nargs=-1, shell_complete=complete.path)
@limit_option
@tree_options
@run_options
@talk_options
def command(
    function: str, limit: int, verbose: int, quiet: bool, no_color: bool, **options: Any
) -> int:
    """Show how the kernel gets to FUNCTION, and in which execution contexts.

    As a tree: its callers up to the entry points, and its callees down to what
    may sleep. FUNCTION may be the fingerprint of a finding. PATHS are the files
    or directories to look at, as for audit.
    """
    request, _ = make_request(options)
    color = wants_color(no_color, None)
    from ctxlint import pipeline
    from ctxlint.report import graph_tree

    with Reporter(verbose=verbose, quiet=quiet, color=color) as progress:
        answers = pipeline.graph(request, function, progress, limit)
    # The profiles share their calls but for PREEMPT_RT's; one tree is enough.
    trees = [graph_tree.render(a.graphs[0], a.contexts, colour=color) for a in answers]
    emit("\n".join(trees), None)
    return EXIT_CLEAN
