# SPDX-License-Identifier: GPL-2.0-or-later
"""The compiler stand-in gives kept answers only to questions of flags."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ctxlint.kbuild import standin
from ctxlint.kbuild.toolchain import Toolchain

COMPILER = """#!/bin/sh
echo "$*" >>"{log}"
echo "said $*"
echo "complained" >&2
out= previous=
for a do
    case $a in -) cat ;; esac
    [ "$previous" = -o ] && out=$a
    previous=$a
done
[ -n "$out" ] && [ "$out" != /dev/null ] && echo "object of $#" >"$out"
case $* in *-fbad*) exit 3 ;; esac
exit 0
"""


class Standin:
    """One whose compiler writes down each call."""

    def __init__(self, folder: Path) -> None:
        self.log, self.folder = folder / "log", folder
        real = folder / "real cc"
        real.write_text(COMPILER.format(log=self.log))
        real.chmod(0o755)
        self.chain = Toolchain(clang=real, llvm="1", identity="one")
        self.answers = [self._run_of(folder / "builds/a/.ctxlint")]

    def _run_of(self, own: Path) -> Path:
        own.mkdir(parents=True)
        path = own / "cc"
        path.write_text(standin.script(own, self.chain))
        path.chmod(0o755)
        return path

    def again(self, name: str) -> Path:
        """The stand-in of another build directory of the cache."""
        return self._run_of(self.folder / "builds" / name / ".ctxlint")

    def run(self, *words: str, stdin: str = "", cc: Path | None = None) -> tuple[int, str, str]:
        done = subprocess.run(
            [cc or self.answers[0], *words], input=stdin, capture_output=True, text=True,
            check=False, cwd=self.folder,
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr

    @property
    def calls(self) -> int:
        return len(self.log.read_text().splitlines()) if self.log.exists() else 0


@pytest.fixture
def cc(tmp_path: Path) -> Standin:
    return Standin(tmp_path)


KEPT = [
    ("--version",),
    ("-print-file-name=include",),
    ("-Werror", "-Wfoo", "-c", "-x", "c", "/dev/null", "-o", "/dev/null"),
    ("-fbad", "-c", "-x", "c", "/dev/null", "-o", "/dev/null"),
    ("-fmacro-prefix-map=/t/=", "-I", "of", "-S", "-x", "c", "/dev/null", "-o", "/dev/null"),
    ("-E", "-P", "-x", "c", "-"),
    ("-D", "A=a b*'\"$x", "-x", "c", "-", "-c", "-o", "/dev/null"),
]  # fmt: skip


@pytest.mark.parametrize("words", KEPT)
def test_a_question_is_asked_once(cc: Standin, words: tuple[str, ...]) -> None:
    text = "int x;\n\n" if "-" in words else ""
    first = cc.run(*words, stdin=text)
    assert cc.run(*words, stdin=text) == first
    assert cc.run(*words, stdin=text, cc=cc.again("b")) == first
    assert cc.calls == 1
    assert first[0] == (3 if "-fbad" in words else 0)
    assert first[1].startswith("said ") and first[2] == "complained\n"
    assert text in first[1]


def test_the_file_is_made_under_each_name(cc: Standin) -> None:
    for name in ("one.o", "two.o"):
        (cc.folder / ".tmp").mkdir(exist_ok=True)
        cc.run("-c", "-x", "c", "/dev/null", "-o", f".tmp/{name}")
        assert (cc.folder / ".tmp" / name).read_text() == "object of 6\n"
    assert cc.calls == 1


def test_another_question(cc: Standin) -> None:
    for words, text in (
        (("-E", "-x", "c", "-"), "a"),
        (("-E", "-x", "c", "-"), "a\n"),
        (("-E", "-x", "c", "-"), "b"),
        (("-E", "-x", "assembler", "-"), "b"),
        (("-E", "-D", "-x", "c", "-"), "b"),
    ):
        cc.run(*words, stdin=text)
    assert cc.calls == 5


@pytest.mark.parametrize(
    ("words", "stdin"),
    [
        (("-x", "c", "-", "-o", "/dev/null"), "int main(void) { return 0; }"),
        (("-c", "-x", "c", "-", "-o", "/dev/null"), "#include <stdio.h>\n"),
        (("-c", "-x", "c", "-", "-o", "/dev/null"), "  #\tinclude_next <stdio.h>\n"),
        (("-c", "file.c", "-o", "file.o"), ""),
        (("-c", "-include", "x.h", "-x", "c", "/dev/null", "-o", "/dev/null"), ""),
        (("-c", "-fplugin=./x.so", "-x", "c", "/dev/null", "-o", "/dev/null"), ""),
        (("-c", "-Wp,-MMD,.x.d", "-x", "c", "/dev/null", "-o", "x.o"), ""),
        (("-c", "@flags", "-o", "/dev/null"), ""),
    ],
)
def test_what_files_decide_is_asked_again(
    cc: Standin, words: tuple[str, ...], stdin: str
) -> None:
    first = cc.run(*words, stdin=stdin)
    assert cc.run(*words, stdin=stdin) == first
    assert cc.calls == 2


def test_another_compiler_in_its_place(cc: Standin) -> None:
    cc.run("--version")
    cc.chain = Toolchain(clang=cc.chain.clang, llvm="1", identity="two")
    cc.run("--version", cc=cc.again("b"))
    assert cc.calls == 2


def test_half_an_answer_is_none(cc: Standin) -> None:
    first = cc.run("--version")
    [code] = cc.folder.glob("builds/.answers-*/*.code")
    code.unlink()
    assert cc.run("--version") == first
    assert cc.calls == 2
