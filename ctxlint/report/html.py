# SPDX-License-Identifier: GPL-2.0-or-later
"""The report as one self-contained HTML file.

Everything shown comes from templates with automatic escaping, and every string
is made harmless (:mod:`ctxlint.report.clean`) on its way out, so names, source
lines and messages of a stranger's tree stay text. The page forbids itself to
load anything; its style and its script are known by their hash.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ctxlint.findings.checkdoc import CheckDoc
from ctxlint.findings.model import Result
from ctxlint.report.clean import clean
from ctxlint.report.html_view import Options, page_of
from ctxlint.report.unseen import counted

__all__ = ["Options", "render"]


def render(
    result: Result, docs: Sequence[CheckDoc] = (), options: Options | None = None
) -> str:
    """The page, ending in a line break. ``docs`` explain the checks.

    Raises UsageError for a link template that is not one.
    """
    style, script = _asset("page.css"), _asset("page.js")
    page = page_of(result, docs, options or Options())
    template = environment().get_template("report.html.j2")
    text = template.render(
        page=page,
        result=result,
        style=Markup(style),
        script=Markup(script),
        style_hash=_hash(style),
        script_hash=_hash(script),
    )
    return text.rstrip("\n") + "\n"


@cache
def environment() -> Environment:
    """Templates of this package: escaping is on, unknown names are errors."""
    made = Environment(
        loader=PackageLoader("ctxlint.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["counted"] = counted
    return made


def _shown(value: Any) -> Any:
    """Called for every value that a template puts out, before it is escaped."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return clean(value)
    return value


def _asset(name: str) -> str:
    source = resources.files("ctxlint.report") / "templates" / name
    return source.read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """As a Content-Security-Policy names an inline style or script."""
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return "sha256-" + base64.b64encode(digest).decode("ascii")
