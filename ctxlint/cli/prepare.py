# SPDX-License-Identifier: GPL-2.0-or-later
"""``ctxlint prepare``."""

from __future__ import annotations

from typing import Any

import click

from ctxlint.cli import complete
from ctxlint.cli.main import EXIT_CLEAN
from ctxlint.cli.options import make_request, talk_options, tree_options
from ctxlint.cli.output import emit
from ctxlint.cli.progress import Reporter

EPILOG = """\b
Examples:
  ctxlint prepare
  ctxlint prepare --arch x86_64 --config defconfig --rt
  ctxlint prepare drivers/perf --config allmodconfig
"""


@click.command("prepare", epilog=EPILOG)
@click.argument("paths", nargs=-1, shell_complete=complete.path)
@tree_options
@click.option("--jobs", "-j", type=click.IntRange(0), help="Parallel make jobs (0: all CPUs).")
@talk_options
def command(verbose: int, quiet: bool, no_color: bool, **options: Any) -> int:
    """Make the build directory and compile commands of PATHS without compiling.

    The tree itself is never written to.
    """
    request, _ = make_request(options)
    from ctxlint import pipeline

    with Reporter(verbose=verbose, quiet=quiet, color=not no_color) as progress:
        profiles = pipeline.prepare(request, progress)
    lines = []
    for profile in profiles:
        kind = "RT" if profile.rt else "not RT"
        lines += [
            f"{profile.name}: {profile.arch}, {profile.config}, {kind}",
            f"  build directory   {profile.build}",
            f"  compile commands  {profile.commands} ({profile.units} units)",
        ]
        if profile.uncovered:
            lines.append(f"  not built here    {len(profile.uncovered)} C files of these paths")
            if verbose:
                lines += [f"    {name}" for name in profile.uncovered]
    emit("\n".join(lines), None)
    return EXIT_CLEAN
