# SPDX-License-Identifier: GPL-2.0-or-later
"""``ctxlint report``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ctxlint.base.errors import UsageError
from ctxlint.cli.audit import FORMATS, PAGED, exit_code
from ctxlint.cli.audit import render as render_in_tree
from ctxlint.cli.output import emit, pager_option, wants_color
from ctxlint.cli.page import source_url_option
from ctxlint.findings.model import Result

EPILOG = """\b
Examples:
  ctxlint audit --format json -o result.json
  ctxlint report result.json
  ctxlint report result.json --format html --tree ~/linux -o result.html

\b
Exit code as for audit: 0 clean, 1 findings, 2 usage, 3 incomplete.
"""

MAX_BYTES = 512 * 1024 * 1024
"""More than any audit writes; a device or a wrong file is not read to its end."""


@click.command("report", epilog=EPILOG)
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--format", "-f", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write to this file.",
)
@click.option(
    "--tree",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Kernel tree of the result, for source lines (html) and locations (sarif).",
)
@source_url_option
@pager_option
@click.option("--no-color", is_flag=True, help="Plain text (also: NO_COLOR set).")
def command(
    file: Path,
    format: str,
    output: Path | None,
    tree: Path | None,
    source_url: str | None,
    no_pager: bool,
    no_color: bool,
) -> int:
    """Render FILE, a saved JSON result ("-": standard input), in any format."""
    from ctxlint.report import json_report

    result = json_report.load(_read(file))
    code = exit_code(result)
    color = wants_color(no_color, output)
    report = _render(result, format, tree, color, code, source_url)
    emit(report, output, paged=not no_pager and format in PAGED)
    return code


def _render(
    result: Result,
    style: str,
    tree: Path | None,
    color: bool,
    code: int,
    source_url: str | None,
) -> str:
    if style == "html":
        from ctxlint.cli import page

        return page.render(result, tree, source_url)
    if style == "sarif" and tree is None:
        # Where the tree was, the file does not say.
        from ctxlint.checks.base import docs
        from ctxlint.report import sarif

        return sarif.render(result, docs(), sarif.Options(exit_code=code))
    return render_in_tree(
        result, style, tree=(tree or Path()).absolute(), color=color, code=code
    )


def _read(file: Path) -> bytes:
    try:
        if str(file) == "-":
            data = sys.stdin.buffer.read(MAX_BYTES + 1)
        elif file.is_dir():
            raise UsageError(f"{file}: is a directory", hint="name the file in it")
        else:
            with file.open("rb") as stream:
                data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise UsageError(f"{file}: larger than {MAX_BYTES >> 20} MiB")
    return data
