# SPDX-License-Identifier: GPL-2.0-or-later
"""What the commands open, write and start with a hostile tree, as strace sees it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
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
        self.home = folder / "home"
        self.listed = {str(ROOT), *sys.path}
        self.temporary = folder / "tmp"
        for place in self.home, self.temporary:
            place.mkdir()
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
            ["strace", "-f", "-qq", "-y", "-s", "400", "-e", f"trace={CALLS}", "-o", str(log),
             sys.executable, "-m", "ctxlint", *words],
            cwd=self.tree, input=stdin, capture_output=True, timeout=300,
            env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "CTXLINT_CACHE": str(self.cache),
                              "CTXLINT_FAIL": "1", "PYTHONPATH": str(ROOT),
                              "HOME": str(self.home), "XDG_CONFIG_HOME": str(self.home),
                              "TMPDIR": str(self.temporary)},
        )  # fmt: skip
        lines = log.read_text(errors="replace").splitlines()
        said = (done.stdout + done.stderr).decode()
        return done.returncode, said, [line for line in lines if " = -1 " not in line]

    def strays(self, calls: list[str]) -> list[str]:
        """Calls that write elsewhere, and loads or starts of what lies in the tree."""
        allowed = (str(self.cache), "/dev/", "/proc/", str(self.temporary))
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
                at = re.search(r"at2?\([^\"<]*<([^>]*)>, \"", call)
                place = Path(at[1]) if at else self.tree
                full = [os.path.normpath(place / n) for n in names]
                stray = any(not n.startswith(allowed) for n in full)
            if stray:
                found.append(call)
        return found

    def read_elsewhere(self, calls: list[str]) -> list[str]:
        """Files and directories that were opened for reading and are nobody's business."""
        allowed = (
            (str(self.tree), "what is looked at, with its build directories"),
            (str(self.cache), "what was read before"),
            (f"{self.home}/ctxlint", "the user's own settings"),
            (f"{self.home}/.gitconfig", "git: whether the tree is a safe directory"),
            (f"{self.home}/git/config", "the same"),
            (str(self.temporary), "temporary files of this run"),
            (str(ROOT / "ctxlint"), "the program"),
            (str(ROOT / "rules"), "its rules"),
            (sys.prefix, "the interpreter and its packages"),
            (sys.base_prefix, "the same"),
            (os.environ["PYTHONPYCACHEPREFIX"], "compiled modules"),
            *((place, "libraries, programs, locales, headers")
              for place in ("/usr", "/lib", "/lib64", "/bin", "/sbin")),
            ("/etc/ld.so.cache", "the loader"),
            ("/etc/ld.so.preload", "the loader"),
            ("/etc/nsswitch.conf", "names of users, for the home directory"),
            ("/etc/passwd", "the same"),
            ("/etc/localtime", "times in messages"),
            ("/etc/gitconfig", "git"),
            ("/etc/locale.alias", "the C library"),
            ("/etc/ssl/openssl.cnf", "Python's check sums"),
            ("/etc/terminfo", "colours"),
            ("/dev/null", "no input"),
            ("/dev/urandom", "random numbers of Python"),
            ("/dev/pts", "the terminal"),
            ("/proc/", "about this machine and this process"),
            ("/sys/devices/system/cpu", "how many processors there are"),
            ("/sys/devices/system/node", "the same"),
            ("/sys/fs/cgroup", "the limits that this process runs under"),
            ("/sys/kernel/mm/", "the allocator of the C library"),
        )  # fmt: skip
        places = tuple(place for place, _ in allowed)
        found = []
        for call in calls:
            opened = re.search(r"\bopen(?:at)?\(.* = \d+<(.*)>$", call)
            if (
                opened is None
                or re.search("O_PATH|O_WRONLY|O_RDWR", call)
                or opened[1].startswith(places)
            ):
                continue
            # Python lists the directories in which it looks for modules.
            if "O_DIRECTORY" not in call or opened[1] not in self.listed:
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


@pytest.mark.slow
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
    assert traced.read_elsewhere(calls) == []
    assert not list(traced.folder.glob("*OUT*")) and not (traced.folder / "CACHE").exists()
    assert "must not be set by a file of the tree" in said
    assert code == (0 if name == "lsp" else 2)


def secrets(traced: Traced) -> None:
    """What a tree can try to have read: links, includes, include paths."""
    outside = traced.folder / "secret"
    outside.mkdir()
    for name in "secret.c", "secret.h", "Makefile", "Kconfig", "x.mod":
        (outside / name).write_text("int secret;\n")
    for link in "drivers/irqchip/secret.c", "drivers/irqchip/secret.h":
        (traced.tree / link).symlink_to(outside / Path(link).name)
    (traced.tree / "drivers/irqchip/Makefile").symlink_to(outside / "Makefile")
    (traced.tree / "drivers/irqchip/Kconfig").symlink_to(outside / "Kconfig")
    (traced.tree / "drivers/secrets").symlink_to(outside)
    text = f'#include "../../../secret/secret.h"\n#include "{outside}/secret.h"\n'
    text += '#include "secret.h"\n#if __has_include("../../../secret/secret.h")\n#endif\n'
    with (traced.tree / ROSE).open("a") as file:
        file.write(text)
    for build in "rt", "nort":
        path = traced.tree / "builds" / build / "compile_commands.json"
        entries = json.loads(path.read_text())
        for entry in entries:
            entry["arguments"][1:1] = ["-include", str(outside / "secret.h")]
        extra = dict(entries[0], file=str(outside / "secret.c"))
        linked = dict(entries[0], file=str(traced.tree / "drivers/irqchip/secret.c"))
        path.write_text(json.dumps([*entries, extra, linked]))
    traced.git("add", "-A")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["audit", "patch", "hook", "kbuild", "lsp"])
def test_what_lies_outside_is_not_read(traced: Traced, name: str) -> None:
    secrets(traced)
    if name == "kbuild":
        shutil.copy(traced.tree / "builds/rt/.config", traced.tree / ".config")
    words, stdin = commands(traced)[name]
    if name == "audit":  # of the one no Makefile builds, of the other nobody includes it
        for lone in "irq-lone.c", "irq-lone.h":
            (traced.tree / "drivers/irqchip" / lone).write_text("int lone;\n")
            words.append(f"drivers/irqchip/{lone}")
    _, said, calls = traced.run(*words, stdin=stdin)
    assert traced.read_elsewhere(calls) == [], said
    assert traced.strays(calls) == []


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
