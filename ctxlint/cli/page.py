# SPDX-License-Identifier: GPL-2.0-or-later
"""The HTML report on behalf of a command: its option, and the sources it quotes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from ctxlint.findings.model import Result

F = TypeVar("F", bound=Callable[..., Any])


def source_url_option(function: F) -> F:
    """``--source-url``, checked before any work is done."""
    return click.option(
        "--source-url",
        metavar="URL",
        callback=_checked,
        help="HTML: link source lines to URL with {file}, {line}, {commit} or {version}.",
    )(function)


def _checked(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    if value is not None:
        from ctxlint.findings.model import TreeInfo
        from ctxlint.report.source_link import SourceLink

        # Whether the commit is known is seen later.
        SourceLink(value, TreeInfo(version="0", commit="0"))
    return value


def render(result: Result, tree: Path | None, source_url: str | None = None) -> str:
    """The page. ``tree``: where the lines around a finding are read; without it
    each place is shown with its own line alone. Raises UsageError."""
    from ctxlint.checks.base import docs
    from ctxlint.report import html

    source = None if tree is None else tree_reader(tree)
    return html.render(result, docs(), html.Options(source=source, source_url=source_url))


def tree_reader(tree: Path) -> Callable[[str, int], str]:
    """Reads lines of files of the tree and of nothing else.

    A saved result may come from a stranger: its paths must not make the page
    quote another file of this machine, by ``..`` or through a link.
    """
    from ctxlint.pipeline.collect import source_reader

    root = tree.resolve()
    read = source_reader(root)
    inside: dict[str, bool] = {}

    def line(file: str, number: int) -> str:
        if file not in inside:
            try:
                path = (root / file).resolve()
                inside[file] = path.is_relative_to(root) and path.is_file()
            except (OSError, ValueError):
                inside[file] = False
        try:
            return read(file, number) if inside[file] else ""
        except Exception:  # an excerpt is not worth the page
            return ""

    return line
