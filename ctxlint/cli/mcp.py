# SPDX-License-Identifier: GPL-2.0-or-later
"""``ctxlint mcp``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ctxlint.base.errors import ToolMissingError
from ctxlint.cli.extras import to_install
from ctxlint.cli.main import EXIT_CLEAN
from ctxlint.cli.options import run_options, server_tree_options, tree_of

EPILOG = """\b
Examples:
  ctxlint mcp --tree ~/linux
  ctxlint mcp --tree ~/linux --build ~/build/rt --mail ~/Mail/lkml

\b
Assistants start this command; see docs/assistants.md for how to configure
them. All requests concern one tree and name files below it. Prepare it first:
`ctxlint prepare DIRECTORY`, or `ctxlint audit`, which also fills the cache.
"""


@click.command("mcp", epilog=EPILOG)
@click.option(
    "--mail",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    multiple=True,
    help="audit_series may read patches below this directory too (repeatable).",
)
@server_tree_options
@run_options
def command(**options: Any) -> int:
    """Serve a reviewing assistant on standard input and output (Model Context Protocol).

    Tools: audit_file, audit_series, explain_finding, why, contexts_of, may_sleep,
    read_splat.
    """
    options["tree"] = tree_of(options["tree"])
    options["mail"] = tuple(path.resolve() for path in options["mail"])
    try:
        from ctxlint.cli.mcpserver import serve
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("mcp", "mcp_types", "anyio"):
            raise
        raise ToolMissingError(
            "ctxlint mcp needs the Python package mcp",
            hint=f"install it: {to_install('mcp', 'mcp')}",
        ) from error
    serve(options)
    return EXIT_CLEAN
