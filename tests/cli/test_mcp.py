# SPDX-License-Identifier: GPL-2.0-or-later
"""``ctxlint mcp`` as an assistant meets it: the SDK's own client talks to the real program.
What needs no server is asked in this process."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from mcp import Client, MCPError, StdioServerParameters, stdio_client
from warm_cache import warmed

from ctxlint.cli import mcptools
from ctxlint.cli.main import main
from ctxlint.cli.mcptools import MAX_STRING, TOOLS, Outcome
from ctxlint.pipeline import Quiet, Request, audit

ROOT = Path(__file__).parents[2]
SNAIL = "drivers/irqchip/irq-snail.c"
ITS = "drivers/irqchip/irq-lily-its.c"
PATIENCE = 120

_BLANK = " "
PATCH = f"""\
From: A Stranger <a@example.org>
Date: Mon, 1 Jan 2024 00:00:00 +0000
Subject: [PATCH] irqchip/snail: unmask under the lock

Signed-off-by: A Stranger <a@example.org>
---
 drivers/irqchip/irq-snail.c | 2 ++
 1 file changed, 2 insertions(+)

diff --git a/drivers/irqchip/irq-snail.c b/drivers/irqchip/irq-snail.c
--- a/drivers/irqchip/irq-snail.c
+++ b/drivers/irqchip/irq-snail.c
@@ -28,6 +28,8 @@
 {{
 \tstruct snail *snail = irq_data_get_irq_chip_data(d);
{_BLANK}
+\tmutex_lock(&snail->lock);
 \tsnail->wanted |= BIT(d->hwirq);
+\tmutex_unlock(&snail->lock);
 }}
{_BLANK}
 static void snail_bus_lock(struct irq_data *d)
"""

SPLAT = """\
[    1.000001] BUG: sleeping function called from invalid context at kernel/locking/mutex.c:283
[    1.000002] in_atomic(): 1, irqs_disabled(): 128, non_block: 0, pid: 57, name: snaild
[    1.000003] preempt_count: 1, expected: 0
[    1.000004] CPU: 1 UID: 0 PID: 57 Comm: snaild Not tainted 6.12.0 #1
[    1.000005] Call trace:
[    1.000006]  dump_stack+0x18/0x28
[    1.000007]  __might_resched+0x160/0x1b8
[    1.000008]  mutex_lock+0x2c/0x90
[    1.000009]  snail_irq_mask+0x24/0x60
[    1.000010]  mask_irq+0x38/0x50
"""

HOSTILE = {
    "up": ("audit_file", {"path": "../../etc/passwd"}, "not below the tree"),
    "absolute": ("audit_file", {"path": "/etc/passwd"}, "not below the tree"),
    "dots": ("audit_file", {"path": "drivers/../../x.c"}, "not below the tree"),
    "NUL": ("audit_file", {"path": "drivers\0/x.c"}, "not below the tree"),
    "link": ("audit_file", {"path": "drivers/irqchip/out.c"}, "not below the tree"),
    "loop": ("audit_file", {"path": "drivers/irqchip/loop.c"}, "not below the tree"),
    "device": ("audit_file", {"path": "drivers/irqchip"}, "not a C file"),
    "gone": ("audit_file", {"path": "drivers/gone.c"}, "no such file"),
    "long": ("audit_file", {"path": "x" * (1 << 20)}, "length <= 4096"),
    "type": ("audit_file", {"path": ["a"]}, "Expected `str`"),
    "limit": ("audit_file", {"path": SNAIL, "limit": 1 << 40}, "<= 100"),
    "cache": ("audit_file", {"path": SNAIL, "cache": "/tmp"}, "unknown field `cache`"),
    "tree": ("audit_file", {"path": SNAIL, "tree": "/"}, "unknown field `tree`"),
    "rules": ("why", {"function": "f", "rules": "/tmp"}, "unknown field `rules`"),
    "output": ("read_splat", {"text": "", "output": "x"}, "unknown field `output`"),
    "name": ("why", {"function": "$(id)"}, "not a function name"),
    "long name": ("contexts_of", {"function": "f" * (1 << 20)}, "length <= 400"),
    "no such": ("contexts_of", {"function": "nobody"}, "no C file of the tree defines"),
    "sleep name": ("may_sleep", {"function": "a b"}, "not a function name"),
    "pattern": ("explain_finding", {"path": SNAIL, "finding": "zzzzzzzz"}, "matching regex"),
    "finding": ("explain_finding", {"path": SNAIL, "finding": "0" * 32}, "no finding has"),
    "nothing": ("audit_series", {}, "one of 'text', 'path' and 'range'"),
    "two": ("audit_series", {"text": "x", "path": "y"}, "one of 'text'"),
    "mail": ("audit_series", {"path": "/etc/passwd"}, "not below the tree, or a directory"),
    "option": ("audit_series", {"range": "--output=x..y"}, "names no commits"),
    "shell": ("audit_series", {"range": "a..$(id)"}, "names no commits"),
    "file": ("audit_series", {"text": PATCH.replace("a/drivers/irqchip/irq-snail.c", "a/../x")},
             "ctxlint"),
    "no mail": ("audit_series", {"text": "hello"}, ""),
}  # fmt: skip


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the miniature tree with a warm cache beside it, and links that lead out."""
    tree = tmp_path_factory.mktemp("assistant") / "tree"
    shutil.copytree(ROOT / "fixtures/tree", tree)
    warmed(tree.parent / "cache")
    (tree.parent / "secret.c").write_text("int secret;\n")
    (tree / "drivers/irqchip/out.c").symlink_to("../../../secret.c")
    (tree / "drivers/irqchip/loop.c").symlink_to("loop.c")
    return tree


def options(tree: Path, **more: Any) -> dict[str, Any]:
    """As the command line gives them."""
    return {"tree": tree, "cache": tree.parent / "cache", "make": False, "mail": (), **more}


def ask(tree: Path, tool: str, given: dict[str, Any], **more: Any) -> Outcome:
    return mcptools.run(options(tree, **more), tool, given)


def answer(tree: Path, tool: str, **given: Any) -> dict[str, Any]:
    outcome = ask(tree, tool, given)
    assert outcome.kind == "answer", outcome.value
    jsonschema.validate(outcome.value, mcptools.schema(TOOLS[tool].answer))
    value: dict[str, Any] = outcome.value
    return value


# -- with a server ----------------------------------------------------------------------


@dataclass
class Talk:
    """What one client saw: an answer for each call, and what came besides."""

    answers: dict[str, Any] = field(default_factory=dict)
    tools: dict[str, Any] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)


CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "audit": ("audit_file", {"path": SNAIL}),
    "up": HOSTILE["up"][:2],
    "long": HOSTILE["long"][:2],
    "explain": ("explain_finding", {"path": ITS, "finding": "f1fe7b13"}),
    "unknown": ("rm", {"path": "/"}),
    "series": ("audit_series", {"text": PATCH}),
    "contexts": ("contexts_of", {"function": "lily_free_pending_table"}),
    "why": ("why", {"function": "lily_free_pending_table"}),
    "sleep": ("may_sleep", {"function": "kmalloc", "arguments": ["8", "GFP_ATOMIC"]}),
    "log": ("read_splat", {"text": SPLAT}),
}


@pytest.fixture(scope="session")
def talk(tree: Path) -> Talk:
    """One client that makes all the calls, one after the other."""
    seen = Talk()

    async def told(_progress: float, _total: float | None, message: str | None) -> None:
        seen.told.append(message or "")

    async def run() -> None:
        words = ["-m", "ctxlint", "mcp", "--tree", str(tree)]
        words += ["--cache", str(tree.parent / "cache")]
        env = {**os.environ, "CTXLINT_TEST": "1"}
        server = StdioServerParameters(command=sys.executable, args=words, env=env)
        async with Client(stdio_client(server)) as client:
            seen.tools = {tool.name: tool for tool in (await client.list_tools()).tools}
            for name, (tool, given) in CALLS.items():
                try:
                    seen.answers[name] = await client.call_tool(
                        tool, given, progress_callback=told
                    )
                except MCPError as error:
                    seen.answers[name] = error

    asyncio.run(asyncio.wait_for(run(), PATIENCE * 2))
    return seen


def test_tools_have_typed_arguments_and_answers(talk: Talk) -> None:
    assert sorted(talk.tools) == sorted(TOOLS)
    for tool in talk.tools.values():
        assert tool.input_schema["additionalProperties"] is False
        assert tool.output_schema["type"] == "object" and tool.output_schema["properties"]
        assert tool.annotations.read_only_hint
        named = set(tool.input_schema["properties"])
        assert not named & {"tree", "cache", "rules", "libclang", "output", "config", "build"}


def test_answers_are_structured(talk: Talk) -> None:
    """And valid, as the schemas say."""
    for name, (tool, _) in CALLS.items():
        got = talk.answers[name]
        if name in ("up", "long", "unknown"):
            continue
        assert not got.is_error, got.content[0].text
        jsonschema.validate(got.structured_content, talk.tools[tool].output_schema)
        assert json.loads(got.content[0].text) == got.structured_content


def test_what_the_tools_say(talk: Talk) -> None:
    said = {name: getattr(a, "structured_content", None) for name, a in talk.answers.items()}
    [finding] = said["audit"]["findings"]
    assert finding["place"] == f"{SNAIL}:22:2" and said["audit"]["complete"]
    assert said["log"]["splats"][0]["explained_by"] == finding
    assert said["log"]["looked_in"] == [SNAIL]
    [patch] = said["series"]["patches"]
    assert [f["function"] for f in patch["introduced"]] == ["snail_irq_unmask"]
    assert said["series"]["left"] == 1
    [function] = said["contexts"]["functions"]
    assert function["place"] == f"{ITS}:27"
    assert all("STARTING" in c["contexts"][0] for c in function["contexts"])
    calls = {(c["caller"], c["callee"]): c for c in said["why"]["functions"][0]["calls"]}
    assert calls["lily_free_pending_table", "free_pages"]["kind"] == "operation"
    assert (
        calls["lily_starting_cpu", "lily_cpu_init"]["place"] == "drivers/irqchip/irq-lily.c:17"
    )
    assert {k["kernel"]: k["answer"] for k in said["sleep"]["kernels"]} == {
        "PREEMPT_RT": "sleeps", "not PREEMPT_RT": "does not sleep",
    }  # fmt: skip


def test_an_explanation_has_the_way_its_lines_and_the_verdict(talk: Talk) -> None:
    said = talk.answers["explain"].structured_content
    assert [step["kind"] for step in said["path"]][0::5] == ["registration", "operation"]
    assert "29:         free_pages(table, LILY_TABLE_ORDER);" in said["path"][-1]["source"]
    assert said["conditions"] == [f"`old & 1` is true in lily_its_cpu_init() ({ITS}:42)"]
    assert [(v["kernel"], v["verdict"]) for v in said["verdicts"]] == [("arm64-rt", "reached")]
    assert said["fix"]
    [advice] = said["suggestions"]
    assert advice["annotation"] == "if (IS_ENABLED(CONFIG_PREEMPT_RT)) might_sleep()"
    assert advice["place"] == f"{ITS}:28"


def test_one_failure_does_not_end_the_server(talk: Talk) -> None:
    """Errors are answers: a sentence and what to do, without a traceback."""
    up = talk.answers["up"]
    assert up.is_error
    assert up.content[0].text == (
        "'../../etc/passwd': not below the tree\nhint: name a file relative to the tree's root"
    )
    assert talk.answers["long"].is_error and len(talk.answers["long"].content[0].text) < 200
    assert isinstance(talk.answers["unknown"], MCPError)
    assert "no tool 'rm': audit_file" in str(talk.answers["unknown"])


# -- the program's streams --------------------------------------------------------------


INITIALIZE = {
    "jsonrpc": "2.0", "id": 1, "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {},
               "clientInfo": {"name": "a test", "version": "1"}},
}  # fmt: skip


@contextmanager
def program(tree: Path, *more: str) -> Iterator[subprocess.Popen[bytes]]:
    words = [sys.executable, "-m", "ctxlint", "mcp", "--tree", str(tree), *more]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        try:
            yield process
        finally:
            process.kill()


def test_only_the_protocol_on_stdout_and_exit_code_0(tree: Path) -> None:
    """Also when a client speaks nonsense in between."""
    lines = [
        json.dumps(INITIALIZE).encode(),
        b"this is no JSON",
        b'{"jsonrpc": "2.0"}',
        b"\xff\xfe\x00",
        b'{"jsonrpc": "2.0", "method": "notifications/initialized"}',
        b'{"jsonrpc": "2.0", "id": 2, "method": "tools/list"}',
    ]
    with program(tree) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(b"\n".join(lines) + b"\n")
        process.stdin.flush()
        got = []
        while not any(message.get("id") == 2 for message in got):
            got.append(json.loads(process.stdout.readline()))
        out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    assert out == b"" and b"Traceback" not in err
    assert all(message["jsonrpc"] == "2.0" for message in got)
    assert got[0]["result"]["serverInfo"]["name"] == "ctxlint"


def test_a_signal_ends_it(tree: Path) -> None:
    with program(tree) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(json.dumps(INITIALIZE).encode() + b"\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["id"] == 1
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 128 + signal.SIGTERM
        assert process.stderr is not None
        assert b"Traceback" not in process.stderr.read()


def test_without_the_extra(
    tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [n for n in sys.modules if n.partition(".")[0] in ("mcp", "mcp_types")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "ctxlint.cli.mcpserver", raising=False)
    monkeypatch.setitem(sys.modules, "mcp", None)
    assert main(["mcp", "--tree", str(tree)]) == 2
    assert capsys.readouterr().err == (
        "ctxlint: error: ctxlint mcp needs the Python package mcp\n"
        f"hint: install it: {sys.executable} -m pip install 'mcp<3,>=2'\n"
    )


# -- in this process --------------------------------------------------------------------


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_arguments(name: str, tree: Path) -> None:
    tool, given, expected = HOSTILE[name]
    outcome = ask(tree, tool, given)
    if name in ("file", "no mail"):
        # What is wrong with a mail is the patch reader's business; here: an error, or a
        # series without a patch.
        assert outcome.kind == "error" or outcome.value["patches"] == []
        return
    assert outcome.kind == "error"
    assert expected in outcome.value and "Traceback" not in outcome.value
    assert len(outcome.value) < 400 and "secret" not in outcome.value


def test_patches_of_a_named_directory(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "one.patch").write_text(PATCH)
    given = {"path": str(tmp_path / "one.patch")}
    assert ask(tree, "audit_series", given).kind == "error"
    allowed = ask(tree, "audit_series", given, mail=(tmp_path,))
    assert allowed.kind == "answer" and allowed.value["left"] == 1


def test_only_the_finding_that_is_explained_is_run(tree: Path) -> None:
    """Others of the file may take minutes."""
    request = Request(
        tree=tree,
        builds=(tree / "builds/rt", tree / "builds/nort"),
        paths=("drivers/firmware", "drivers/irqchip"),
        cache=tree.parent / "cache",
        verify=True,
        only=(ITS, 29, 2),
    )
    found = [f for f in audit(request, Quiet()).findings if f.file == ITS]
    assert {f.line: f.verdict for f in found} == {29: "reached", 34: None}


@pytest.mark.parametrize(
    ("call", "rt", "other"),
    [
        ("kmalloc 8 GFP_KERNEL", "sleeps", "sleeps"),
        ("kmalloc 8 GFP_NOWAIT|__GFP_ZERO", "sleeps", "does not sleep"),
        ("kmalloc 8", "may sleep", "may sleep"),
        ("kmalloc 8 flags", "may sleep", "may sleep"),
        ("spin_lock &l", "sleeps", "does not sleep"),
        ("raw_spin_lock &l", "does not sleep", "does not sleep"),
        ("msleep 1", "sleeps", "sleeps"),
        ("nobody", "not known", "not known"),
    ],
)
def test_may_sleep_by_rule(call: str, rt: str, other: str, tree: Path) -> None:
    function, *arguments = call.split()
    said = answer(tree, "may_sleep", function=function, arguments=arguments)
    assert {k["kernel"]: k["answer"] for k in said["kernels"]} == {
        "PREEMPT_RT": rt, "not PREEMPT_RT": other,
    }  # fmt: skip
    assert bool(said["evidence"]) == (function != "nobody")


def test_may_sleep_by_the_tree(tree: Path) -> None:
    said = answer(tree, "may_sleep", function="lily_its_cpu_init")
    assert said["known_from"] == "tree"
    answers = {k["kernel"]: k["answer"] for k in said["kernels"]}
    assert answers["arm64-rt"] == "may sleep"
    assert any(f"{ITS}:29: lily_free_pending_table() calls free_pages()" in e
               for e in said["evidence"])  # fmt: skip


def test_lists_have_a_limit(tree: Path) -> None:
    whole = answer(tree, "why", function="lily_free_pending_table")["functions"][0]
    short = answer(tree, "why", function="lily_free_pending_table", limit=2)["functions"][0]
    assert len(short["calls"]) == 2 and short["more"] >= len(whole["calls"]) - 2
    two = answer(tree, "read_splat", text=SPLAT + SPLAT.replace("57", "58"), limit=1)
    assert (len(two["splats"]), two["more"]) == (1, 1)


def test_words_of_strangers_are_shown_and_cut() -> None:
    said = mcptools.plain({"a\x1b": ["x\u202e\ny", {"b": "z" * 5000}], "n": 1})
    assert said["a\\x1b"][0] == "x\\u202e\ny" and said["n"] == 1
    assert len(said["a\\x1b"][1]["b"]) == MAX_STRING


def examples() -> list[tuple[str, dict[str, Any], Any]]:
    """Answers that the documentation shows: tool, arguments, what is shown of the answer."""
    text = (ROOT / "docs/assistants.md").read_text(encoding="utf-8")
    found = re.findall(r"^```json (\w+) ([^\n]*)\n(.*?)^```", text, re.M | re.S)
    return [(tool, json.loads(given), json.loads(shown)) for tool, given, shown in found]


def test_the_documentation_shows_what_is_answered(tree: Path) -> None:
    """Members may be left out there; those that are shown are as they are."""

    def shown(whole: Any, part: Any) -> Any:
        if isinstance(part, dict):
            return {key: shown(whole[key], item) for key, item in part.items()}
        if isinstance(part, list):
            assert len(part) == len(whole)
            return [shown(a, b) for a, b in zip(whole, part, strict=True)]
        return whole

    assert len(examples()) == 3
    for tool, given, part in examples():
        assert shown(answer(tree, tool, **given), part) == part


def test_every_tool_is_in_the_documentation() -> None:
    text = (ROOT / "docs/assistants.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+)` \|", text, re.M)) == set(TOOLS)


def test_progress_is_told(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[bytes] = []

    class Wire:
        send_bytes: Callable[[bytes], None] = staticmethod(told.append)

    monkeypatch.setattr(mcptools, "_wire", Wire())
    relay = mcptools.Relay()
    relay.start("reading", 3)
    relay.advance("reading")  # too soon to be told
    assert told == [b"reading: 0 of 3"]
