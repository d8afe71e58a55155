# SPDX-License-Identifier: GPL-2.0-or-later
"""Small parts of a SARIF file: rules, places, and text that is safe in messages."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import sarif_om as om

from ctxlint.findings.checkdoc import CheckDoc
from ctxlint.report.clean import clean

BASE = "SRCROOT"
MAX_TAGS = 20
"""A rule with more tags is refused by GitHub, which shows ten."""


def rule_of(doc: CheckDoc) -> Any:
    return om.ReportingDescriptor(
        id=doc.id,
        name="".join(word.capitalize() for word in doc.id.split("-")),
        short_description=om.MultiformatMessageString(text=doc.name + "."),
        full_description=om.MultiformatMessageString(text=doc.summary),
        help=om.MultiformatMessageString(text=plain(doc.help), markdown=doc.help),
        help_uri=doc.help_uri,
        default_configuration=om.ReportingConfiguration(level=doc.level),
        properties={
            "tags": list(doc.tags[:MAX_TAGS]),
            "precision": "high",
            "problem.severity": doc.level,
        },
    )


def descriptor_of(kind: str, short: str, full: str) -> Any:
    return om.ReportingDescriptor(
        id=kind,
        name="".join(word.capitalize() for word in kind.split("-")),
        short_description=om.MultiformatMessageString(text=short),
        full_description=om.MultiformatMessageString(text=full),
        help=om.MultiformatMessageString(text=full, markdown=full),
    )


def columns_of(text: str, column: int, callee: str) -> tuple[int, int]:
    """First column and the one after the last, in UTF-16 units, from 1.

    The compiler counts bytes; the two agree up to the first non-ASCII character.
    """
    prefix = text.encode("utf-8", "replace")[: max(column - 1, 0)].decode("utf-8", "ignore")
    start = len(prefix.encode("utf-16-le", "replace")) // 2 + 1 if text else max(column, 1)
    if callee and text.startswith(callee, len(prefix)):
        return start, start + len(callee)
    rest = text[len(prefix) :].rstrip()
    return start, start + len(rest.encode("utf-16-le", "replace")) // 2


def logical_of(function: str) -> list[Any] | None:
    if not function:
        return None
    return [om.LogicalLocation(name=clean(function), kind="function")]


def snippet_of(text: str) -> Any:
    # Tabs stay, because columns count them.
    return om.ArtifactContent(text="\t".join(clean(part) for part in text.split("\t")))


def source_root(path: str | None) -> Any:
    text = "Root of the kernel tree."
    description = om.Message(text=text)
    if path is None:
        return om.ArtifactLocation(description=description)
    return om.ArtifactLocation(
        uri="file://" + quoted(path.rstrip("/")) + "/", description=description
    )


def quoted(path: str) -> str:
    return quote(path, safe="/+-._~", errors="surrogatepass")


def safe(text: str) -> str:
    """Text of the analysed source for a message: no control characters, and
    brackets escaped, because ``[text](target)`` is a link in SARIF."""
    return clean(text).replace("[", "\\[").replace("]", "\\]")


def plain(markdown: str) -> str:
    """Markdown without its marks for headings and code."""
    return re.sub(r"^#+ +", "", markdown, flags=re.MULTILINE).replace("`", "")


def sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else text + "."
