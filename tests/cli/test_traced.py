# SPDX-License-Identifier: GPL-2.0-or-later
"""What the commands open, write and start with a hostile tree, as strace sees it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROSE = "drivers/irqchip/irq-rose.c"
CALLS = (
    "openat,open,creat,execve,rename,renameat,renameat2,mkdir,mkdirat,symlink,symlinkat,link"
)
CALLS += ",linkat,unlink,unlinkat,truncate,connect,chmod,fchmodat"

pytestmark = pytest.mark.skipif(
    shutil.which("strace") is None, reason="strace is not installed"
)


class Traced:
    """The miniature tree with files of a stranger, a cache, and nothing else to write to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tree = folder / "linux"
        self.cache = folder / "cache"
        shutil.copytree(ROOT / "fixtures/tree", self.tree)
        self.git("init", "-q")
        self.git("add", "-A")
        self.git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "base")
        (self.tree / "evil.so").write_bytes(b"\x7fELF")

    def git(self, *words: str) -> None:
        subprocess.run(["git", *words], cwd=self.tree, check=True, capture_output=True)

    def run(self, *words: str, stdin: bytes = b"") -> tuple[int, str, list[str]]:
        """Exit code, what was said, and the system calls that succeeded."""
        log = self.folder / "trace"
        done = subprocess.run(
            ["strace", "-f", "-qq", "-s", "400", "-e", f"trace={CALLS}", "-o", str(log),
             sys.executable, "-m", "ctxlint", *words],
            cwd=self.tree, input=stdin, capture_output=True, timeout=300,
            env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "CTXLINT_CACHE": str(self.cache),
                              "CTXLINT_FAIL": "1", "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        lines = log.read_text(errors="replace").splitlines()
        said = (done.stdout + done.stderr).decode()
        return done.returncode, said, [line for line in lines if " = -1 " not in line]

    def strays(self, calls: list[str]) -> list[str]:
        """Calls that write elsewhere, and loads or starts of what lies in the tree."""
        allowed = (str(self.cache), "/dev/", "/proc/", f"{tempfile.gettempdir()}/ctxlint-")
        found = []
        for call in calls:
            names = re.findall(r'"((?:[^"\\]|\\.)*)"', call)
            writes = "O_WRONLY" in call or "O_RDWR" in call or "O_CREAT" in call
            opens = re.search(r"\bopen(at)?\(", call)
            if "execve(" in call:
                stray = names[0].startswith((str(self.tree), str(self.cache)))
            elif opens and not writes:
                stray = names[0].endswith(".so") and names[0].startswith(str(self.tree))
            elif "connect(" in call:
                stray = "AF_UNIX" not in call
            else:
                full = [os.path.normpath(self.tree / n) for n in names]
                stray = any(not n.startswith(allowed) for n in full)
            if stray:
                found.append(call)
        return found


@pytest.fixture
def traced(tmp_path: Path) -> Traced:
    return Traced(tmp_path)


def frame(number: int | None, method: str, params: object) -> bytes:
    message = {"jsonrpc": "2.0", "method": method, "params": params}
    body = json.dumps(message | ({"id": number} if number is not None else {})).encode()
    return b"Content-Length: %d\r\n\r\n" % len(body) + body


def commands(traced: Traced) -> dict[str, tuple[list[str], bytes]]:
    item = {"uri": (traced.tree / ROSE).as_uri(), "languageId": "c", "version": 1, "text": ""}
    talk = frame(1, "initialize", {"processId": None, "rootUri": None, "capabilities": {}})
    talk += frame(None, "textDocument/didOpen", {"textDocument": item})
    talk += frame(2, "shutdown", None) + frame(None, "exit", None)
    mail = b"diff --git a/n.c b/n.c\nnew file mode 100644\n--- /dev/null\n+++ b/n.c\n"
    mail += b"@@ -0,0 +1 @@\n+int n;\n"
    cache = ["--cache", str(traced.cache)]
    return {
        "audit": (["audit", ROSE, *cache], b""),
        "patch": (["patch", "-", *cache], mail),
        "hook": (["hook", "run", "--cold", "build", *cache], b""),
        "kbuild": (["kbuild", "-Wp,-MMD,x.d", "-Iinclude", ROSE], b""),
        "lsp": (["lsp", *cache], talk),
    }


@pytest.mark.parametrize("name", ["audit", "patch", "hook", "kbuild", "lsp"])
def test_settings_that_name_what_to_load_and_write(traced: Traced, name: str) -> None:
    (traced.tree / ".ctxlint.toml").write_text(
        'libclang = "evil.so"\noutput = "../OUT"\ncache = "../CACHE"\nrules = ["../RULES"]\n'
    )
    shutil.copy(traced.tree / "builds/rt/.config", traced.tree / ".config")
    with (traced.tree / ROSE).open("a") as file:
        file.write("int changed;\n")
    traced.git("add", ROSE)
    words, stdin = commands(traced)[name]
    code, said, calls = traced.run(*words, stdin=stdin)
    assert traced.strays(calls) == []
    assert not list(traced.folder.glob("*OUT*")) and not (traced.folder / "CACHE").exists()
    assert "must not be set by a file of the tree" in said
    assert code == (0 if name == "lsp" else 2)


@pytest.mark.slow
def test_compile_commands_of_a_stranger(traced: Traced) -> None:
    """The parser gives up, and the reproducer is made by a real clang if there is one."""
    for build in "rt", "nort":
        path = traced.tree / "builds" / build / "compile_commands.json"
        entries = json.loads(path.read_text())
        for entry in entries:
            entry["arguments"][0] = str(traced.tree / "evil")
            entry["arguments"][1:1] = [
                "-D", "@../../x.rsp", "-fplugin=../../evil.so", "-Xclang", "-load", "-Xclang",
                "../../evil.so", "-MD", "-MF", "../../../OUT", "-o", "../../../OUT.o",
                "-save-temps", "-B../..",
            ]  # fmt: skip
        path.write_text(json.dumps(entries))
    (traced.tree / "x.rsp").write_text("X=1 -fplugin=../../evil.so")
    (traced.tree / "evil").write_text("#!/bin/sh\n")
    (traced.tree / "evil").chmod(0o755)
    with (traced.tree / ROSE).open("a") as file:
        file.write("#pragma clang __debug llvm_fatal_error\n")
    code, said, calls = traced.run("audit", ROSE, "--cache", str(traced.cache))
    assert code == 3, said
    assert traced.strays(calls) == []
    assert not list(traced.folder.glob("OUT*"))
