# SPDX-License-Identifier: GPL-2.0-or-later
"""``ctxlint explain``."""

from __future__ import annotations

import click

from ctxlint.cli import complete
from ctxlint.cli.main import EXIT_CLEAN
from ctxlint.cli.output import emit

EPILOG = """\b
Examples:
  ctxlint explain
  ctxlint explain sleep-in-atomic
"""


@click.command("explain", epilog=EPILOG)
@click.argument("check", required=False, shell_complete=complete.check)
def command(check: str | None) -> int:
    """Explain what CHECK means, why it matters and how to fix it.

    Without CHECK: the list of all checks.
    """
    from ctxlint.checks import base

    if check is not None:
        emit(base.explain(check), None)
    else:
        emit("\n".join(f"{doc.id}\n    {doc.name}" for doc in base.docs()), None)
    return EXIT_CLEAN
