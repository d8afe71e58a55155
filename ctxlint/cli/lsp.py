# SPDX-License-Identifier: GPL-2.0-or-later
"""``ctxlint lsp``."""

from __future__ import annotations

from typing import Any

import click

from ctxlint.base.errors import ToolMissingError
from ctxlint.cli.extras import to_install
from ctxlint.cli.main import EXIT_CLEAN
from ctxlint.cli.options import run_options, tree_options

EXIT_UNORDERED = 1
"""The client left without "shutdown", as the protocol wants it (source: LSP 3.17, exit)."""

EPILOG = """\b
Examples:
  ctxlint lsp                       what an editor starts
  ctxlint lsp --rt --arch arm64

\b
Shows what is in the store: run `ctxlint audit DIRECTORY` first. The tree is
found from the location of the file; its .ctxlint.toml applies as for audit.
"""


@click.command("lsp", epilog=EPILOG)
@click.option(
    "--stdio", is_flag=True, help="Use standard input and output (the only transport)."
)
@tree_options
@run_options
def command(stdio: bool, **options: Any) -> int:
    """Serve an editor: a language server on standard input and output."""
    try:
        from ctxlint.cli.lspserver import serve
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("pygls", "lsprotocol"):
            raise
        raise ToolMissingError(
            "the language server needs the Python package pygls",
            hint=f"install it: {to_install('lsp', 'pygls', 'lsprotocol')}",
        ) from error
    return EXIT_CLEAN if serve(options) else EXIT_UNORDERED
