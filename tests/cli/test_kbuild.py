# SPDX-License-Identifier: GPL-2.0-or-later
"""The checker of ``make C=1``, called as kbuild calls it, on the miniature tree."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from program import ctxlint

from ctxlint.findings.model import Result
from ctxlint.pipeline import Request, audit

ROOT = Path(__file__).parents[2]
LILY = "drivers/irqchip/irq-lily.c"
ITS = "drivers/irqchip/irq-lily-its.c"
SNAIL = "drivers/irqchip/irq-snail.c"
# As the kernel's Makefile has them; read as the compiler's they would change the unit.
CHECKFLAGS = ("-D__linux__", "-Dlinux", "-Wbitwise", "-D__aarch64__", "--arch=arm64", "-m64")
_LINE = re.compile(r"(\S+?):(\d+):(\d+): (?:error|warning): (.*) \[([a-z-]+)\]")

Told = tuple[str, int, int, str, str]


class Kernel:
    """A copy of the miniature tree whose build directory kbuild has been in."""

    def __init__(self, folder: Path) -> None:
        self.tree = folder / "tree"
        self.cache = folder / "cache"
        shutil.copytree(ROOT / "fixtures/tree", self.tree)
        self.build = self.tree / "builds/rt"
        self.flags: dict[str, tuple[str, ...]] = {}
        for entry in json.loads((self.build / "compile_commands.json").read_text()):
            *flags, _c, _o, _output, source = entry["arguments"][1:]
            self.compiled(source.removeprefix("../../"), tuple(flags))

    def compiled(self, file: str, flags: tuple[str, ...]) -> None:
        """Leave what kbuild leaves when it has compiled a file."""
        self.flags[file] = flags
        output, source = file.removesuffix(".c") + ".o", f"../../{file}"
        words = ["clang", *self.compiler_flags(output), *flags, "-c", "-o", output, source]
        place = self.build / output
        place.parent.mkdir(parents=True, exist_ok=True)
        (place.parent / f".{place.name}.cmd").write_text(
            f"savedcmd_{output} := {shlex.join(words)}\n\nsource_{output} := {source}\n"
        )

    @staticmethod
    def compiler_flags(output: str) -> list[str]:
        folder, _, name = output.rpartition("/")
        return [f"-Wp,-MMD,{folder}/.{name}.d", "-Wall", "-fno-allow-store-data-races"]

    def words(self, file: str) -> list[str]:
        """The checker's, as ``cmd_checksrc`` has them."""
        output = file.removesuffix(".c") + ".o"
        flags = [*CHECKFLAGS, *self.compiler_flags(output), *self.flags.get(file, ())]
        return ["kbuild", *flags, f"../../{file}"]

    def environment(self) -> dict[str, str]:
        return os.environ | {"srctree": "../..", "CTXLINT_CACHE": str(self.cache)}

    def start(self, file: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "ctxlint", *self.words(file)],
            cwd=self.build,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def check(self, file: str, **environment: str) -> tuple[int, str]:
        given = self.environment() | environment
        done = ctxlint(*self.words(file), at=self.build, environment=given)
        assert done.stdout == ""
        return done.returncode, done.stderr

    def audit(self, *paths: str) -> tuple[Result, list[str]]:
        """What an audit of the build directory says, and the units that it parsed."""
        parsed: list[str] = []

        class Watcher:
            def start(self, stage: str, total: int) -> None: ...
            def finish(self, stage: str) -> None: ...
            def log(self, level: Any, message: str) -> None: ...

            def advance(self, stage: str, text: str = "") -> None:
                if stage.startswith("reading"):
                    parsed.append(text)

        request = Request(
            tree=self.tree, paths=paths, builds=(self.build,), cache=self.cache, jobs=1
        )
        return audit(request, Watcher()), parsed


@pytest.fixture
def kernel(tmp_path: Path) -> Kernel:
    return Kernel(tmp_path)


def told(text: str) -> set[Told]:
    """Findings in a checker's output, without the remark on how they were seen."""
    found = set()
    for line in text.splitlines():
        match = _LINE.fullmatch(line)
        if match:
            file, row, column, message, check = match.groups()
            message = re.sub(r", seen with \S+$", "", message)
            found.add((file.removeprefix("../../"), int(row), int(column), message, check))
    return found


def expected(result: Result, files: Iterable[str] = ()) -> set[Told]:
    return {
        (f.file, f.line, f.column, f.message, f.check)
        for f in result.findings
        if not files or f.file in files
    }


@pytest.mark.parametrize("order", [(ITS, LILY), (LILY, ITS)], ids=["callee", "caller"])
def test_one_pass_tells_what_the_audit_tells(kernel: Kernel, order: tuple[str, str]) -> None:
    first = kernel.start(order[0])
    # The registration, or what it leads to, is not known yet.
    assert first.communicate(timeout=120) == ("", "")
    assert first.returncode == 0
    second = kernel.check(order[1])
    assert second[0] == 0
    result, parsed = kernel.audit(*order)
    assert parsed == []
    assert len(told(second[1])) == 2
    assert told(second[1]) == expected(result)
    assert ("seen with" in second[1]) == (order[1] == LILY)


@pytest.mark.slow
def test_the_second_pass_tells_each_finding_at_its_unit(kernel: Kernel) -> None:
    kernel.check(ITS)
    kernel.check(LILY)
    result, _ = kernel.audit("drivers/irqchip")
    for file in ITS, LILY:
        code, text = kernel.check(file)
        assert (code, told(text)) == (0, expected(result, [file]))
        assert "seen with" not in text


@pytest.mark.slow
def test_checkers_that_run_at_once(kernel: Kernel) -> None:
    running = [kernel.start(file) for file in sorted(kernel.flags)]
    text = "".join(process.communicate(timeout=120)[1] for process in running)
    assert [process.returncode for process in running] == [0] * len(running)
    result, parsed = kernel.audit("drivers/irqchip", "drivers/firmware")
    assert parsed == []
    assert told(text) == expected(result)
    assert len(result.findings) == 4


def test_a_finding_comes_with_the_way_to_it(kernel: Kernel) -> None:
    _, text = kernel.check(SNAIL)
    first, *rest = text.splitlines()
    assert first.startswith(f"../../{SNAIL}:22:2: error: mutex_lock() sleeps")
    assert len(rest) > 2
    assert all(re.match(rf"\.\./\.\./{SNAIL}:\d+:\d+: note: ", line) for line in rest)
    _, text = kernel.check(SNAIL, CTXLINT_BRIEF="1")
    assert text.splitlines() == [first]


def test_findings_stop_make_only_when_asked(kernel: Kernel) -> None:
    assert kernel.check(SNAIL, CTXLINT_FAIL="0")[0] == 0
    assert kernel.check(SNAIL, CTXLINT_FAIL="1")[0] == 1
    assert kernel.check("drivers/irqchip/irq-rose.c", CTXLINT_FAIL="1") == (0, "")


def test_suppressed_and_known_findings_are_not_told(kernel: Kernel) -> None:
    source = kernel.tree / SNAIL
    before = source.read_text()
    line = before.splitlines()[21]
    allowed = "\t/* ctxlint: allow(sleep-in-atomic) a test */\n"
    source.write_text(before.replace(line, allowed + line, 1))
    assert kernel.check(SNAIL, CTXLINT_FAIL="1") == (0, "")
    source.write_text(before)
    (kernel.tree / ".ctxlint.toml").write_text('ignore = ["sleep-in-atomic"]\n')
    assert kernel.check(SNAIL, CTXLINT_FAIL="1") == (0, "")


def test_a_unit_that_does_not_parse_is_told(kernel: Kernel) -> None:
    with (kernel.tree / SNAIL).open("a") as file:
        file.write("int wrong(void) { return missing_name; }\n")
    code, text = kernel.check(SNAIL)
    assert code == 0
    assert f"../../{SNAIL}:1:1: warning: not analysed: " in text
    assert "missing_name" in text
    assert kernel.check(SNAIL, CTXLINT_FAIL="1")[0] == 3


@pytest.mark.slow
def test_scope_reaches_over_directories(kernel: Kernel) -> None:
    """What is analysed together is the unit's directory, or what was asked for."""
    moved = "drivers/firmware/irq-lily.c"
    text = (kernel.tree / LILY).read_text().replace('"irq-', '"../irqchip/irq-')
    (kernel.tree / moved).write_text(text)
    kernel.compiled(moved, kernel.flags[LILY])
    (kernel.tree / ".ctxlint.toml").unlink()
    kernel.check(ITS)
    assert kernel.check(moved) == (0, "")
    assert kernel.check(ITS) == (0, "")
    _, text = kernel.check(ITS, CTXLINT_SCOPE="drivers/irqchip drivers/firmware/")
    assert [line[:2] for line in sorted(told(text))] == [(ITS, 29), (ITS, 34)]
    (kernel.tree / ".ctxlint.toml").write_text('paths = ["drivers"]')
    assert told(kernel.check(ITS)[1]) == told(text)


def test_what_is_not_of_the_tree_is_passed_over(kernel: Kernel) -> None:
    generated = kernel.build / "generated.c"
    generated.write_text("int x;\n")
    done = subprocess.run(
        [sys.executable, "-m", "ctxlint", "kbuild", "-D__KERNEL__", "generated.c"],
        cwd=kernel.build,
        env=os.environ | {"srctree": "../..", "CTXLINT_CACHE": str(kernel.cache)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not kernel.cache.exists()


def test_called_by_hand_it_says_how_to(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ctxlint", "kbuild", "-h"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert 'make C=1 CHECK="ctxlint kbuild"' in done.stderr
