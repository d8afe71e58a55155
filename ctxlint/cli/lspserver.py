# SPDX-License-Identifier: GPL-2.0-or-later
"""The language server. Imports pygls, an optional dependency; see ``lsp.py``.

A file is analysed when it is opened and when it is saved, by a separate process: the
analysis takes a second or so, may fork, and must not be able to end the server.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, BinaryIO, cast

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams, JsonRpcInvalidRequest
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol
from pygls.uris import to_fs_path

from ctxlint import __version__
from ctxlint.base.errors import CtxlintError, TreeError, UsageError
from ctxlint.base.places import default_cache
from ctxlint.base.reading import read_regular
from ctxlint.checks import base as checks
from ctxlint.cli import lspitems as items
from ctxlint.cli.lspframes import Frames
from ctxlint.cli.options import make_request, tree_of
from ctxlint.cli.output import write_file
from ctxlint.cli.selecting import make_choice
from ctxlint.pipeline.editor import FileReport, look_at
from ctxlint.report.clean import clean


class _Protocol(LanguageServerProtocol):
    """Answers each request, also one that makes no sense or comes too late."""

    def structure_message(self, data: dict[str, Any]) -> Any:
        try:
            return super().structure_message(data)
        except JsonRpcException as error:
            if "method" in data and isinstance(data.get("id"), (int, str)):
                self._send_response(data["id"], None, error.to_response_error())
            raise

    def handle_message(self, message: Any) -> None:
        method = getattr(message, "method", "")
        if self._shutdown and method and method != lsp.EXIT and hasattr(message, "id"):
            error = JsonRpcInvalidRequest("the server has been shut down")
            self._send_response(message.id, None, error.to_response_error())
            return
        super().handle_message(message)


class Server(LanguageServer):
    """``options`` are those of the command line, for every tree."""

    def __init__(self, options: dict[str, Any]) -> None:
        super().__init__(
            "ctxlint",
            __version__,
            text_document_sync_kind=lsp.TextDocumentSyncKind.Incremental,
            protocol_cls=_Protocol,
        )
        self.options = options
        self.shown: set[str] = set()
        self.latest: dict[str, int] = {}
        self._pool: ProcessPoolExecutor | None = None

    # -- judging ---------------------------------------------------------------------

    async def analyse(self, uri: str) -> None:
        """Look at the file as it is on disk and publish what was found."""
        ticket = self.latest[uri] = self.latest.get(uri, 0) + 1
        try:
            tree, report = await self._look(uri)
        except CtxlintError as error:
            said = f"{error}" + (f" ({error.hint})" if error.hint else "")
            self._say_once(said, lsp.MessageType.Error)
            tree, report = None, None
        if self.latest.get(uri) != ticket:
            return  # closed, or saved again meanwhile
        found: list[lsp.Diagnostic] = []
        if report is not None and tree is not None:
            lines = self._lines(uri)
            pages = {doc.id: doc.help_uri for doc in checks.docs()}
            found = [items.diagnostic(f, lines, tree, pages) for f in report.findings]
            found += [items.not_analysed(item) for item in report.incomplete]
            self._remarks(report)
        self.text_document_publish_diagnostics(
            lsp.PublishDiagnosticsParams(uri=uri, diagnostics=found)
        )

    async def _look(self, uri: str) -> tuple[Path | None, FileReport | None]:
        """Nothing for a file outside of any kernel tree. Raises CtxlintError."""
        name = to_fs_path(uri)
        path = Path(name) if name else None
        if path is None or path.suffix not in (".c", ".h"):
            return None, None
        try:
            tree = tree_of(self.options.get("tree") or path.parent)
        except TreeError:
            return None, None
        if not path.is_relative_to(tree):
            return None, None
        request, settings = make_request(self.options | {"tree": tree, "paths": ()})
        choice = make_choice({}, settings, tree)
        file = path.relative_to(tree).as_posix()
        loop = asyncio.get_running_loop()
        try:
            job = loop.run_in_executor(self._worker(), look_at, request, file, choice.selection)
            return tree, await job
        except BrokenProcessPool:
            self._pool = None
            raise UsageError(f"{file}: the analysis ended unexpectedly") from None

    def _worker(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                1, multiprocessing.get_context("spawn"), initializer=_leave_stdout_alone
            )
        return self._pool

    def _remarks(self, report: FileReport) -> None:
        """What the absence of diagnostics does not mean."""
        where = " ".join(report.scope)
        if not report.prepared:
            self._say_once(f"nothing is known about {where} yet; run: ctxlint audit {where}")
        elif report.missing:
            self._say_once(
                f"{report.missing} of {report.units} units of {where} are not in the store, "
                f"so paths through them are missing; run: ctxlint audit {where}"
            )
        elif not report.compiled and report.file.endswith(".c"):
            self._say_once(f"{report.file} is not compiled under any profile")
        for note in report.notes:
            self._say_once(note)

    def _say_once(self, text: str, kind: lsp.MessageType = lsp.MessageType.Info) -> None:
        if text not in self.shown:
            self.shown.add(text)
            message = f"ctxlint: {clean(text)}"
            self.window_show_message(lsp.ShowMessageParams(type=kind, message=message))

    @property
    def was_shut_down(self) -> bool:
        """Whether the client said that it would leave."""
        return bool(self.protocol._shutdown)

    def stop(self) -> None:
        """End without waiting for a file that is being analysed."""
        if self._pool is not None:
            workers = list((getattr(self._pool, "_processes", None) or {}).values())
            self._pool.shutdown(wait=False, cancel_futures=True)
            for worker in workers:
                worker.kill()

    # -- actions ---------------------------------------------------------------------

    def _lines(self, uri: str) -> list[str]:
        """The lines of a document that the client has open, else of a regular file of
        bounded size: a client can name any path, devices too."""
        document = self.workspace.text_documents.get(uri)
        if document is not None:
            return list(document.lines)
        path = to_fs_path(uri)
        data = read_regular(Path(path)) if path else None
        return [] if data is None else data.decode("utf-8", "replace").splitlines(True)

    def code_actions(self, params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        uri = params.text_document.uri
        document = self.workspace.text_documents.get(uri)
        edits = _edits(self.client_capabilities)
        return items.actions(
            uri,
            document.version
            if document is not None and edits is not None and edits.document_changes
            else None,
            params.context.diagnostics,
            self._lines(uri),
            snippets=bool(edits is not None and edits.snippet_edit_support),
        )

    async def explain(self, check: str) -> str:
        """Show the documentation of a check; the text is the command's answer too."""
        try:
            text = checks.explain(check)
        except UsageError as error:
            raise JsonRpcInvalidParams(str(error)) from error
        window = self.client_capabilities.window
        if window is not None and window.show_document and window.show_document.support:
            folder = (self.options.get("cache") or default_cache()) / "explain"
            folder.mkdir(parents=True, exist_ok=True)
            page = folder / f"{check}.md"
            write_file(page, text)
            await self.window_show_document_async(
                lsp.ShowDocumentParams(uri=page.absolute().as_uri(), take_focus=True)
            )
        else:
            self.window_show_message(
                lsp.ShowMessageParams(type=lsp.MessageType.Info, message=text)
            )
        return text

    async def suppress(self, uri: str, line: int, check: str, reason: str) -> bool:
        """Insert the comment with a reason above ``line`` (from 0); whether the client did."""
        try:
            checks.find(check)
            if not any(letter.isalnum() for letter in reason):
                raise UsageError("a suppression without a reason does not count")
            edit = items.comment_edit(self._lines(uri), line, check, reason)
        except UsageError as error:
            raise JsonRpcInvalidParams(str(error)) from error
        answer = await self.workspace_apply_edit_async(
            lsp.ApplyWorkspaceEditParams(edit=items.workspace_edit(uri, None, edit))
        )
        return answer.applied


def make(options: dict[str, Any]) -> Server:
    """The server with its handlers."""
    server = Server(options)

    @server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    async def opened(params: lsp.DidOpenTextDocumentParams) -> None:
        await server.analyse(params.text_document.uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_SAVE)
    async def saved(params: lsp.DidSaveTextDocumentParams) -> None:
        await server.analyse(params.text_document.uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: lsp.DidCloseTextDocumentParams) -> None:
        uri = params.text_document.uri
        server.latest.pop(uri, None)
        server.text_document_publish_diagnostics(
            lsp.PublishDiagnosticsParams(uri=uri, diagnostics=[])
        )

    @server.feature(
        lsp.TEXT_DOCUMENT_CODE_ACTION,
        lsp.CodeActionOptions(code_action_kinds=[lsp.CodeActionKind.QuickFix]),
    )
    def code_action(params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        return server.code_actions(params)

    @server.command(items.EXPLAIN)
    async def explain(check: str) -> str:
        return await server.explain(check)

    @server.command(items.SUPPRESS)
    async def suppress(uri: str, line: int, check: str, reason: str) -> bool:
        return await server.suppress(uri, line, check, reason)

    return server


def serve(options: dict[str, Any]) -> bool:
    """Talk on standard input and output until the client leaves; whether it did so in
    order. Raises UsageError for input that is no protocol."""
    # What pygls says of bad messages are tracebacks; the client gets an answer instead.
    log = logging.getLogger("pygls")
    log.addHandler(logging.NullHandler())
    log.propagate = False
    server = make(options)
    frames = Frames(sys.stdin.buffer)
    try:
        server.start_io(stdin=cast(BinaryIO, frames))
    except OSError as error:  # also a client that does not read any more
        raise UsageError(f"cannot write to the client: {error.strerror}") from error
    finally:
        server.stop()
    if frames.fault:
        raise UsageError(f"not the language server protocol: {frames.fault}")
    return server.was_shut_down


def _leave_stdout_alone() -> None:
    """Standard output is the protocol's; whatever a child writes goes elsewhere."""
    os.dup2(2, 1)


def _edits(client: lsp.ClientCapabilities) -> lsp.WorkspaceEditClientCapabilities | None:
    return client.workspace.workspace_edit if client.workspace is not None else None
