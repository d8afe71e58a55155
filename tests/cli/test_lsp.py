# SPDX-License-Identifier: GPL-2.0-or-later
"""``ctxlint lsp`` as an editor meets it: a client of pygls talks to the real program."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types as lsp
from program import ctxlint
from pygls.exceptions import JsonRpcException
from pygls.lsp.client import LanguageClient
from warm_cache import warmed

from ctxlint.cli import lspitems
from ctxlint.findings import suppressions

ROOT = Path(__file__).parents[2]
SNAIL = "drivers/irqchip/irq-snail.c"
PATIENCE = 120

CAN_SHOW = lsp.ClientCapabilities(
    window=lsp.WindowClientCapabilities(
        show_document=lsp.ShowDocumentClientCapabilities(support=True)
    ),
    workspace=lsp.WorkspaceClientCapabilities(
        workspace_edit=lsp.WorkspaceEditClientCapabilities(
            document_changes=True, snippet_edit_support=True
        )
    ),
)


class Editor:
    """As much of an editor as the tests need; ``said`` are the messages shown."""

    def __init__(self, tree: Path, cache: Path) -> None:
        self.tree = tree
        self.cache = cache
        self.said: list[str] = []
        self.shown: list[str] = []
        self.applied: list[lsp.WorkspaceEdit] = []
        self.published: dict[str, list[lsp.PublishDiagnosticsParams]] = {}
        self.news = asyncio.Event()
        self.client = LanguageClient("a-test", "1")
        client = self.client

        @client.feature(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        def published(params: lsp.PublishDiagnosticsParams) -> None:
            self.published.setdefault(params.uri, []).append(params)
            self.news.set()

        @client.feature(lsp.WINDOW_SHOW_MESSAGE)
        def message(params: lsp.ShowMessageParams) -> None:
            self.said.append(params.message)

        @client.feature(lsp.WINDOW_SHOW_DOCUMENT)
        def document(params: lsp.ShowDocumentParams) -> lsp.ShowDocumentResult:
            self.shown.append(params.uri)
            return lsp.ShowDocumentResult(success=True)

        @client.feature(lsp.WORKSPACE_APPLY_EDIT)
        def edit(params: lsp.ApplyWorkspaceEditParams) -> lsp.ApplyWorkspaceEditResult:
            self.applied.append(params.edit)
            return lsp.ApplyWorkspaceEditResult(applied=True)

    def uri(self, file: str) -> str:
        return (self.tree / file).as_uri()

    async def start(self, capabilities: lsp.ClientCapabilities) -> lsp.InitializeResult:
        await self.client.start_io(
            sys.executable, "-m", "ctxlint", "lsp", "--stdio", "--cache", str(self.cache)
        )
        answer = await self.client.initialize_async(
            lsp.InitializeParams(capabilities=capabilities, root_uri=self.tree.as_uri())
        )
        self.client.initialized(lsp.InitializedParams())
        return answer

    async def open(self, file: str) -> list[lsp.Diagnostic]:
        text = (self.tree / file).read_text(encoding="utf-8")
        item = lsp.TextDocumentItem(uri=self.uri(file), language_id="c", version=1, text=text)
        self.client.text_document_did_open(lsp.DidOpenTextDocumentParams(text_document=item))
        return await self.answer(file)

    async def save(self, file: str, text: str, version: int) -> list[lsp.Diagnostic]:
        """Replace the text, in the editor and on disk."""
        (self.tree / file).write_text(text, encoding="utf-8")
        uri = self.uri(file)
        self.client.text_document_did_change(
            lsp.DidChangeTextDocumentParams(
                text_document=lsp.VersionedTextDocumentIdentifier(uri=uri, version=version),
                content_changes=[lsp.TextDocumentContentChangeWholeDocument(text=text)],
            )
        )
        self.client.text_document_did_save(
            lsp.DidSaveTextDocumentParams(text_document=lsp.TextDocumentIdentifier(uri=uri))
        )
        return await self.answer(file)

    async def answer(self, file: str) -> list[lsp.Diagnostic]:
        """The next diagnostics of the file."""
        uri = self.uri(file)
        while not self.published.get(uri):
            self.news.clear()
            await asyncio.wait_for(self.news.wait(), PATIENCE)
        return list(self.published[uri].pop(0).diagnostics)

    async def actions(self, file: str, item: lsp.Diagnostic) -> lsp.WorkspaceEdit:
        """The edit of the action that suppresses; the other one explains."""
        found = await self.client.text_document_code_action_async(
            lsp.CodeActionParams(
                text_document=lsp.TextDocumentIdentifier(uri=self.uri(file)),
                range=item.range,
                context=lsp.CodeActionContext(diagnostics=[item]),
            )
        )
        # lsprotocol reads an action that has a command as a bare command and makes a
        # string of it, so its shape is tested with test_actions().
        explain, suppress = found or ()
        assert explain.title == f"Explain {item.code}"
        assert isinstance(suppress, lsp.CodeAction)
        assert suppress.edit is not None
        return suppress.edit

    async def run(self, command: str, *arguments: Any) -> Any:
        return await self.client.workspace_execute_command_async(
            lsp.ExecuteCommandParams(command=command, arguments=list(arguments))
        )


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The miniature tree after an audit, and the audit's report."""
    tree = tmp_path_factory.mktemp("audited") / "tree"
    shutil.copytree(ROOT / "fixtures/tree", tree)
    cache = warmed(tree.parent / "cache")
    done = ctxlint("audit", "--cache", str(cache), at=tree)
    assert done.returncode == 1, done.stderr
    return tree, done.stdout


@pytest.fixture
def tree(audited: tuple[Path, str]) -> Iterator[Path]:
    """The audited tree, whose snail a test may change."""
    text = (audited[0] / SNAIL).read_text()
    yield audited[0]
    (audited[0] / SNAIL).write_text(text)


def session(
    tree: Path,
    body: Callable[[Editor], Awaitable[None]],
    capabilities: lsp.ClientCapabilities | None = None,
    cache: str = "cache",
) -> Editor:
    """Start the program, do ``body``, leave it as editors do."""

    async def run() -> Editor:
        editor = Editor(tree, tree.parent / cache)
        answer = await editor.start(capabilities or lsp.ClientCapabilities())
        provider = answer.capabilities.execute_command_provider
        assert provider is not None
        assert sorted(provider.commands) == ["ctxlint.explain", "ctxlint.suppress"]
        await body(editor)
        await editor.client.shutdown_async(None)
        editor.client.exit(None)
        await asyncio.wait_for(editor.client.stop(), PATIENCE)
        return editor

    return asyncio.run(run())


def applied(text: str, edit: lsp.WorkspaceEdit) -> str:
    """The text after an edit of one place at the beginning of a line."""
    (item,) = next(iter((edit.changes or {}).values()))
    lines = text.splitlines(keepends=True)
    assert item.range.start == item.range.end
    assert item.range.start.character == 0
    lines.insert(item.range.start.line, item.new_text)
    return "".join(lines)


def test_diagnostics_are_those_of_the_audit(audited: tuple[Path, str]) -> None:
    """With the way there as related information, in other files too."""
    tree, report = audited
    expected = set(re.findall(r"^(\S+?):(\d+):(\d+): (error|warning): ", report, re.MULTILINE))
    seen = set()
    elsewhere = 0

    async def body(editor: Editor) -> None:
        nonlocal elsewhere
        for file in sorted({place[0] for place in expected}):
            for item in await editor.open(file):
                start = item.range.start
                level = "error" if item.severity == lsp.DiagnosticSeverity.Error else "warning"
                seen.add((file, str(start.line + 1), str(start.character + 1), level))
                line = (tree / file).read_text().splitlines()[start.line]
                assert re.fullmatch(r"\w+", line[start.character : item.range.end.character])
                steps = item.related_information or []
                assert len(steps) > 1
                for step in steps:
                    place = Path(step.location.uri.removeprefix("file://"))
                    assert place.is_file()
                    elsewhere += place != tree / file
                assert item.source == "ctxlint"
                assert item.code_description is not None

    editor = session(tree, body)
    assert seen == expected
    assert elsewhere
    assert editor.said == []


@pytest.mark.slow
def test_a_cold_store_says_what_to_do(tree: Path) -> None:
    """The file itself is read; of what the rest would add nothing is claimed."""

    async def body(editor: Editor) -> None:
        assert [item.code for item in await editor.open(SNAIL)] == ["sleep-in-atomic"]

    (tree / ".ctxlint.toml").write_text('builds = ["builds/nort"]\n')
    try:
        (said,) = session(tree, body, cache="another").said
    finally:
        shutil.copy(ROOT / "fixtures/tree/.ctxlint.toml", tree)
    assert said.startswith("ctxlint: 3 of 4 units of drivers/irqchip are not in the store")
    assert said.endswith("ctxlint audit drivers/irqchip")


def test_nothing_is_prepared_for_an_editor(tmp_path: Path) -> None:
    """Neither for a tree without a build directory nor for what is no kernel."""
    tree = tmp_path / "tree"
    shutil.copytree(ROOT / "fixtures/tree", tree)
    (tree / ".ctxlint.toml").unlink()
    (tree / "arch/arm64/Makefile").touch()
    (tmp_path / "other").mkdir()
    (tmp_path / "other/a.c").write_text("int a;\n")

    async def body(editor: Editor) -> None:
        assert await editor.open("../other/a.c") == []
        assert editor.said == []
        assert await editor.open(SNAIL) == []

    (said,) = session(tree, body).said
    assert "nothing is known about drivers/irqchip yet" in said
    assert not (tmp_path / "cache").exists()


def test_a_plain_editor(tree: Path) -> None:
    """Saved text is analysed; comments count when they have a reason."""
    text = (tree / SNAIL).read_text()

    async def body(editor: Editor) -> None:
        before = await editor.open(SNAIL)
        item, *others = before
        line = item.range.start.line
        uri = editor.uri(SNAIL)

        # Explained: without a window for documents the text is a message.
        edit = await editor.actions(SNAIL, item)
        answer = await editor.run("ctxlint.explain", item.code)
        assert answer.startswith(f"# {item.code}\n")
        assert editor.said == [answer]

        # The action's comment has its place but no reason, and that is told.
        changed = applied(text, edit)
        (comment,) = suppressions.of_text(SNAIL, changed)
        assert (comment.scope, comment.first) == ("call", line + 2)
        assert "has no reason" in comment.problem
        after = await editor.save(SNAIL, changed, 2)
        assert {i.code for i in after} >= {item.code, "unused-suppression"}

        # The command's comment has one, and the finding is gone.
        await editor.save(SNAIL, text, 3)
        assert await editor.run("ctxlint.suppress", uri, line, item.code, "the bus is fast")
        changed = applied(text, editor.applied[0])
        (comment,) = suppressions.of_text(SNAIL, changed)
        assert (comment.problem, comment.reason) == ("", "the bus is fast")
        left = await editor.save(SNAIL, changed, 4)
        assert [i.data for i in left] == [i.data for i in others]

        broken = await editor.save(SNAIL, text + "int broken(\n", 5)
        assert "not analysed" in " ".join(i.message for i in broken)
        again = await editor.save(SNAIL, text, 6)
        assert [i.data for i in again] == [i.data for i in before]

        for wrong in (
            (line, item.code, ""),
            (line, item.code, "*/ panic();"),
            (line, item.code, "two\nlines"),
            (line, "no-such-check", "reason"),
            (100_000, item.code, "reason"),
        ):
            with pytest.raises(JsonRpcException):
                await editor.run("ctxlint.suppress", uri, *wrong)
        with pytest.raises(JsonRpcException):
            await editor.run("ctxlint.explain", "no-such-check")
        assert len(editor.applied) == 1

    session(tree, body)


def test_an_editor_that_can_more(tree: Path) -> None:
    """The cursor is put where the reason goes; documentation is opened."""

    async def body(editor: Editor) -> None:
        item = (await editor.open(SNAIL))[0]
        suppress = await editor.actions(SNAIL, item)
        (document,) = suppress.document_changes or ()
        assert isinstance(document, lsp.TextDocumentEdit)
        assert document.text_document.version == 1
        (edit,) = document.edits
        assert isinstance(edit, lsp.SnippetTextEdit)
        assert edit.snippet.value.strip() == f"/* ctxlint: allow({item.code}) ${{1}} */"
        await editor.run("ctxlint.explain", item.code)
        (page,) = editor.shown
        text = Path(page.removeprefix("file://")).read_text()
        assert text.startswith(f"# {item.code}\n")

    session(tree, body, CAN_SHOW)


def test_without_pygls(tmp_path: Path) -> None:
    """One sentence and a hint, not a traceback."""
    code = "import sys; sys.modules['pygls'] = None; sys.modules['lsprotocol'] = None\n"
    code += "from ctxlint.cli.main import main; sys.exit(main(['lsp']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "ctxlint: error: the language server needs the Python package pygls",
        f"hint: install it: {sys.executable} -m pip install 'lsprotocol>=2025' 'pygls>=2'",
    ]
    (tmp_path / "pipx_metadata.json").write_text("{}")
    code = code.replace("import sys;", f"import sys; sys.prefix = {str(tmp_path)!r};")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "pipx inject ctxlint 'lsprotocol>=2025' 'pygls>=2'" in done.stderr


def test_actions() -> None:
    """Two for a finding; none for another tool's diagnostics, or for a remark of ours."""
    place = lsp.Range(lsp.Position(1, 0), lsp.Position(1, 1))
    own = lsp.Diagnostic(place, "m", code="sleep-in-atomic", source="ctxlint", data="f")
    other = lsp.Diagnostic(place, "m", code="sleep-in-atomic", source="clangd", data="f")
    remark = lsp.Diagnostic(place, "m", source="ctxlint")
    comment = lsp.Diagnostic(place, "m", code="unused-suppression", source="ctxlint", data="f")
    lines = ["a\n", "  b\n"]

    def made(*items: lsp.Diagnostic) -> list[lsp.CodeAction]:
        return lspitems.actions("file:///a.c", None, items, lines, snippets=False)

    explain, suppress = made(other, own, remark)
    assert explain.command is not None
    assert explain.command.command == "ctxlint.explain"
    assert explain.command.arguments == ["sleep-in-atomic"]
    assert suppress.edit is not None
    assert applied("".join(lines), suppress.edit) == (
        "a\n  /* ctxlint: allow(sleep-in-atomic) */\n  b\n"
    )
    assert [action.title for action in made(comment)] == ["Explain unused-suppression"]


def test_columns_count_utf16() -> None:
    """Clang counts bytes, the protocol UTF-16 units."""
    line = '\tf("\N{GRINNING FACE}\N{LATIN SMALL LETTER E WITH ACUTE}"); snail();'
    column = len(line[: line.index("snail")].encode()) + 1
    item = lspitems._range([line], 1, column)
    assert item.start.character == line.index("snail") + 1
    assert item.end.character == item.start.character + len("snail")


def test_inside_a_macro() -> None:
    """A line of a macro goes on, so the comment's line must."""
    lines = ["#define F() \\\n", "\tg(); \\\n", "\th()\n"]
    edit = lspitems.comment_edit(lines, 2, "sleep-in-atomic", "why not")
    assert isinstance(edit, lsp.TextEdit)
    assert edit.new_text == "\t/* ctxlint: allow(sleep-in-atomic) why not */ \\\n"
