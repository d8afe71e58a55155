# SPDX-License-Identifier: GPL-2.0-or-later
"""Findings in the words of the language server protocol."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from lsprotocol import types as lsp

from ctxlint.base.errors import UsageError
from ctxlint.findings.model import Finding, Incomplete
from ctxlint.report.clean import clean

SOURCE = "ctxlint"
EXPLAIN = "ctxlint.explain"
SUPPRESS = "ctxlint.suppress"

_SEVERITY = {
    "error": lsp.DiagnosticSeverity.Error,
    "warning": lsp.DiagnosticSeverity.Warning,
}
_TOKEN = re.compile(r"\w+|\S")


def diagnostic(
    finding: Finding, lines: Sequence[str], tree: Path, pages: Mapping[str, str]
) -> lsp.Diagnostic:
    """``lines`` are those of the finding's file, ``pages`` the page about each check."""
    said = [clean(finding.message)]
    said += [f"only if {clean(item)}" for item in finding.assumptions]
    if finding.verdict is not None:
        said.append(f"run in the model: {finding.verdict}")
    return lsp.Diagnostic(
        range=_range(lines, finding.line, finding.column),
        message="\n".join(said),
        severity=_SEVERITY[finding.severity],
        code=finding.check,
        code_description=lsp.CodeDescription(href=pages[finding.check])
        if pages.get(finding.check)
        else None,
        source=SOURCE,
        related_information=[
            lsp.DiagnosticRelatedInformation(
                location=lsp.Location(
                    uri=(tree / step.file).as_uri(),
                    range=_point(step.line, step.column),
                ),
                message=clean(
                    f"{number}. in {step.function}(): {step.note}"
                    if step.function
                    else f"{number}. {step.note}"
                ),
            )
            for number, step in enumerate(finding.path, 1)
        ],
        data=finding.fingerprint,
    )


def not_analysed(item: Incomplete) -> lsp.Diagnostic:
    """What could not be analysed, on its line or the first: silence would look clean."""
    detail = item.detail.partition("\n")[0]
    what = "not all analysed" if item.kind == "limit" else "not analysed"
    text = f"{what} ({item.profile}): {item.reason}" + (f": {detail}" if detail else "")
    return lsp.Diagnostic(
        range=_point(item.line or 1, 1),
        message=clean(text),
        severity=lsp.DiagnosticSeverity.Information,
        source=SOURCE,
    )


def actions(
    uri: str, version: int | None, shown: Sequence[lsp.Diagnostic], lines: Sequence[str],
    *, snippets: bool,
) -> list[lsp.CodeAction]:  # fmt: skip
    """For each finding among the diagnostics: explain its check, and suppress it.

    The comment has no reason yet and so does not count before one is written;
    with ``snippets`` the cursor is put where it goes.
    """
    found = []
    for item in shown:
        if item.source != SOURCE or not isinstance(item.code, str):
            continue
        found.append(
            lsp.CodeAction(
                title=f"Explain {item.code}",
                kind=lsp.CodeActionKind.QuickFix,
                diagnostics=[item],
                command=lsp.Command(
                    title=f"Explain {item.code}", command=EXPLAIN, arguments=[item.code]
                ),
            )
        )
        if item.data is None or item.code == "unused-suppression":
            continue
        edit = comment_edit(lines, item.range.start.line, item.code, "", snippets=snippets)
        found.append(
            lsp.CodeAction(
                title=f"Suppress {item.code} here (write the reason)",
                kind=lsp.CodeActionKind.QuickFix,
                diagnostics=[item],
                edit=workspace_edit(uri, version, edit),
            )
        )
    return found


def workspace_edit(
    uri: str, version: int | None, edit: lsp.TextEdit | lsp.SnippetTextEdit
) -> lsp.WorkspaceEdit:
    """``version`` is None for a client that takes no versioned edits."""
    if version is None and isinstance(edit, lsp.TextEdit):
        return lsp.WorkspaceEdit(changes={uri: [edit]})
    document = lsp.OptionalVersionedTextDocumentIdentifier(uri=uri, version=version)
    return lsp.WorkspaceEdit(
        document_changes=[lsp.TextDocumentEdit(text_document=document, edits=[edit])]
    )


def comment_edit(
    lines: Sequence[str], line: int, check: str, reason: str, *, snippets: bool = False
) -> lsp.TextEdit | lsp.SnippetTextEdit:
    """The edit that puts ``allow(check) reason`` above ``line`` (from 0), indented like it.

    Raises :class:`UsageError` for a line that is not there, and for a reason that would
    end the comment or the line.
    """
    if not 0 <= line < len(lines):
        raise UsageError(f"there is no line {line + 1}")
    if "*/" in reason or len(reason.splitlines()) > 1:
        raise UsageError("a reason is one line without the end of a comment")
    indent = lines[line][: len(lines[line]) - len(lines[line].lstrip())]
    # In the middle of a macro every line goes on.
    more = " \\" if line > 0 and lines[line - 1].rstrip().endswith("\\") else ""
    start = f"{indent}/* ctxlint: allow({check}) "
    end = f"*/{more}\n"
    place = lsp.Range(start=lsp.Position(line, 0), end=lsp.Position(line, 0))
    if snippets and not reason:
        value = f"{start}${{1}} {end}".replace("\\", "\\\\")
        return lsp.SnippetTextEdit(range=place, snippet=lsp.StringValue(value=value))
    return lsp.TextEdit(range=place, new_text=start + (f"{reason} " if reason else "") + end)


def _point(line: int, column: int) -> lsp.Range:
    at = lsp.Position(max(line - 1, 0), max(column - 1, 0))
    return lsp.Range(start=at, end=at)


def _range(lines: Sequence[str], line: int, column: int) -> lsp.Range:
    """The word at ``line``/``column`` (from 1; columns count bytes), in UTF-16 units."""
    if not 0 < line <= len(lines):
        return _point(line, 1)
    text = lines[line - 1].rstrip("\r\n")
    before = text.encode("utf-8", "replace")[: max(column - 1, 0)].decode("utf-8", "ignore")
    token = _TOKEN.match(text, len(before))
    after = text[: token.end()] if token else text
    return lsp.Range(
        start=lsp.Position(line - 1, _units(before)), end=lsp.Position(line - 1, _units(after))
    )


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "replace")) // 2
