# SPDX-License-Identifier: GPL-2.0-or-later
"""``ctxlint lsp`` and input that no editor sends, over real pipes."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ctxlint.cli import lspframes
from ctxlint.cli.lspframes import Frames

ROOT = Path(__file__).parents[2]
SNAIL = "drivers/irqchip/irq-snail.c"


def frame(message: Any, length: int | None = None) -> bytes:
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    return b"Content-Length: %d\r\n\r\n" % (len(body) if length is None else length) + body


def request(number: int, method: str, params: Any = None) -> bytes:
    return frame({"jsonrpc": "2.0", "id": number, "method": method, "params": params})


def tell(method: str, params: Any = None) -> bytes:
    return frame({"jsonrpc": "2.0", "method": method, "params": params})


HELLO = request(1, "initialize", {"processId": None, "rootUri": None, "capabilities": {}})
BYE = request(9, "shutdown") + tell("exit")


def talk(*words: bytes, cache: Path | None = None) -> tuple[int, list[Any], str]:
    """Exit code, messages, and what stood on standard error."""
    more = ["--cache", str(cache)] if cache is not None else []
    done = subprocess.run(
        [sys.executable, "-m", "ctxlint", "lsp", *more],
        input=b"".join(words),
        capture_output=True,
        timeout=120,
    )
    frames, messages = Frames(io.BytesIO(done.stdout)), []
    while frames.readline():
        frames.readline()
        messages.append(json.loads(frames.read()))
    return done.returncode, messages, done.stderr.decode()


def test_an_orderly_end() -> None:
    code, messages, said = talk(HELLO, tell("initialized", {}), BYE)
    assert (code, said) == (0, "")
    assert [m["id"] for m in messages] == [1, 9]


@pytest.mark.slow
@pytest.mark.parametrize("words", [HELLO + tell("exit"), HELLO, b""])
def test_a_client_that_just_leaves(words: bytes) -> None:
    code, _, said = talk(words)
    assert (code, said) == (1, "")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (b"Content-Length: 1000000000000\r\n\r\n{}", "a message of 1000000000000 bytes"),
        (b"Content-Length: -5\r\n\r\n{}", "invalid Content-Length"),
        (b"Content-Length: x\r\n\r\n{}", "invalid Content-Length"),
        (b"Content-Length: 5000000000000000000000\r\n\r\n{}", "invalid Content-Length"),
        (b"Content-Type: x\r\n\r\n{}", "without a Content-Length"),
        (b"Content-Length: 50\r\n\r\n{}", "in the middle of a message"),
        (b"Content-Length: 2\r\n", "ends inside a header"),
        (b"A: " + b"b" * 100_000, "too long"),
        (b"A: b\r\n" * 1000, "too many header lines"),
        (b"\0" * 500 + b"\n", "malformed header"),
        (b"GET / HTTP/1.1\r\n\r\n", "malformed header"),
    ],
)
def test_a_header_that_makes_no_sense(words: bytes, why: str) -> None:
    frames = Frames(io.BytesIO(HELLO + words))
    assert frames.readline() and frames.readline() == b"\r\n"
    assert HELLO.endswith(frames.read())
    assert frames.readline() == frames.readline() == b""
    assert why in frames.fault


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "why"),
    [
        (b"Content-Length: 1000000000000\r\n\r\n{}", "a message of 1000000000000 bytes"),
        (b"Content-Length: 50\r\n\r\n{}", "in the middle of a message"),
        (b"\0" * 500 + b"\n", "malformed header"),
    ],
)
def test_the_server_ends_with_a_sentence(words: bytes, why: str) -> None:
    """Before, it was deaf or ran out of memory."""
    code, messages, said = talk(HELLO, words)
    assert code == 2 and said.count("\n") == 1
    assert said.startswith("ctxlint: error: not the language server protocol: ") and why in said
    assert [m.get("id") for m in messages] == [1]


def test_messages_that_make_no_sense() -> None:
    """The next ones are answered all the same."""
    bad = (
        frame(b"{"), frame(b"null"), frame(b"[]"), frame(b"1"), frame(b"\xff\xfe"),
        frame(b"[" * 200_000), frame(b'{"a":' * 100_000), frame(b"9" * 5000),
        frame({"jsonrpc": "1.0", "id": 2, "method": "x"}),
        frame({"jsonrpc": "2.0", "id": [], "method": "no/such"}),
        frame({"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": 1}),
        frame({"jsonrpc": "2.0", "method": "textDocument/didSave", "params": {
            "textDocument": {"uri": "file:///\0" + "x" * 5000 + ".c"}}}),
        frame({"jsonrpc": "2.0", "id": 77, "result": 1}),
        frame({"jsonrpc": "2.0", "id": 78, "error": {"code": 1, "message": "x"}}),
    )  # fmt: skip
    wrong = (
        request(3, "textDocument/codeAction", {}),
        request(4, "no/such/method", {}),
        request(
            5, "workspace/executeCommand", {"command": "ctxlint.explain", "arguments": ["x"]}
        ),
        request(6, "workspace/executeCommand", {"command": "no", "arguments": []}),
    )
    late = request(8, "textDocument/codeAction", {})
    code, messages, said = talk(HELLO, *bad, *wrong, request(9, "shutdown"), late, tell("exit"))
    assert (code, said) == (0, "")
    answers = {m["id"]: m for m in messages if isinstance(m.get("id"), int)}
    assert {1, 3, 4, 5, 6, 8, 9} <= answers.keys()
    assert all("error" in answers[number] for number in (3, 4, 5, 6, 8))
    assert "error" not in answers[9]


def test_a_refused_setting_is_shown(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(ROOT / "fixtures/tree", tree)
    (tree / ".ctxlint.toml").write_text('libclang = "evil.so"\n')
    item = {"uri": (tree / SNAIL).as_uri(), "languageId": "c", "version": 1, "text": ""}
    opened = tell("textDocument/didOpen", {"textDocument": item})
    # A request behind it, so that the answer is there before the end.
    code, messages, said = talk(
        HELLO, opened, request(2, "no/such", {}), BYE, cache=tmp_path / "c"
    )
    assert (code, said) == (0, "")
    shown = [m["params"] for m in messages if m.get("method") == "window/showMessage"]
    assert [s["type"] for s in shown] == [1]
    assert "'libclang' must not be set by a file of the tree" in shown[0]["message"]
    assert not (tmp_path / "c").exists()


def test_limits_are_in_the_page() -> None:
    text = (ROOT / "docs/security.md").read_text(encoding="utf-8")
    assert f"{lspframes.MAX_MESSAGE >> 20} MiB" in text
