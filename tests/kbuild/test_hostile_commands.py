# SPDX-License-Identifier: GPL-2.0-or-later
"""Compile commands that somebody wrote to make a parser or a compiler do more."""

from __future__ import annotations

import json
import os
import resource
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ctxlint.base.errors import TreeError
from ctxlint.frontend.reproduce import folder_of, preprocess
from ctxlint.kbuild import commands as reading
from ctxlint.kbuild.flags import parser_flags
from ctxlint.kbuild.model import Tree, quiet

ROOT = Path(__file__).parents[2]
ROSE = "drivers/irqchip/irq-rose.c"

HOSTILE = (
    ["@x.rsp"],
    ["-D", "@x.rsp"],
    ["-D@x.rsp"],
    ["-I", "@x.rsp"],
    ["-I@x.rsp"],
    ["-include", "@x"],
    ["-U", "@x"],
    ["-x", "@x"],
    ["-target", "@x"],
    ["--target=@x"],
    ["-std=@x"],
    ["-fplugin=evil.so"],
    ["-fpass-plugin=evil.so"],
    ["-fplugin-arg-x-y=z"],
    ["-Xclang", "-load"],
    ["-Xclang", "-DX"],
    ["-load", "evil.so"],
    ["-mllvm", "-load=evil.so"],
    ["-mllvm=-load=evil.so"],
    ["-mmlir", "x"],
    ["-B", "evil"],
    ["-Bevil"],
    ["--config", "evil.cfg"],
    ["--config=evil.cfg"],
    ["--config-user-dir=evil"],
    ["-specs", "evil"],
    ["-specs=evil"],
    ["--specs=evil"],
    ["-wrapper", "evil"],
    ["-include-pch", "evil.pch"],
    ["-include-pch=evil"],
    ["-x", "ast"],
    ["-x", "ir"],
    ["-xcuda"],
    ["-o", "evil"],
    ["-oevil"],
    ["-MF", "evil"],
    ["-MFevil"],
    ["-MJ", "evil"],
    ["-MD"],
    ["-save-temps"],
    ["-save-temps=obj"],
    ["-ftime-trace=evil"],
    ["-fcrash-diagnostics-dir=evil"],
    ["-fmodules", "-fmodules-cache-path=evil"],
    ["-fmodule-map-file=evil"],
    ["-fmodule-file", "evil"],
    ["-serialize-diagnostics", "evil"],
    ["--serialize-diagnostics", "evil"],
    ["-fprofile-use=evil"],
    ["-fsanitize-ignorelist=evil"],
    ["-fdebug-compilation-dir=evil"],
    ["-ivfsoverlay", "evil"],
    ["-isystem-after", "evil"],
    ["-iframework", "evil"],
    ["-isysroot", "evil"],
    ["--sysroot=evil"],
    ["-gcc-toolchain", "evil"],
    ["--gcc-toolchain=evil"],
    ["-working-directory", "evil"],
    ["-working-directory=evil"],
    ["-resource-dir", "evil"],
    ["-resource-dir=evil"],
    ["-E"],
    ["-###"],
    ["-cc1"],
    ["-emit-ast"],
    ["-S"],
    ["--analyze"],
    ["-gsplit-dwarf"],
    ["-Wp,-MD,evil"],
    ["-Wp,-include,/etc/passwd"],
    ["-Wl,-plugin,evil.so"],
    ["-Wa,@x"],
    ["--include=/etc/passwd"],
    ["--include", "/etc/passwd"],
    ["-I/etc"],
    ["-I", "/etc"],
    ["-I../../../../../etc"],
    ["-include", "/etc/passwd"],
    ["-include/etc/passwd"],
    ["-imacros", "/etc/passwd"],
    ["-imacros", "/dev/zero"],
    ["-isystem/etc"],
    ["-iquote/etc"],
    ["-idirafter", "/etc"],
    ["-isystem", "/tmp/lib/clang/19/include/../../../../etc"],
    ["-D", "X=1\n#include </etc/passwd>"],
    ["-DX\0"],
    ["-D", "-fplugin=evil.so"],
    ["-mcpu=@x"],
    ["-march=../evil"],
    ["-mabi"],
    ["-funknown"],
    ["-munknown"],
    ["-fstrict-flex-arrays=../x"],
    ["evil.c"],
    ["-"],
    [""],
)


@pytest.mark.parametrize("words", HOSTILE, ids=repr)
def test_it_does_not_reach_a_parser(words: list[str], tmp_path: Path) -> None:
    within = reading._Within(tmp_path / "tree", tmp_path / "build")
    kept, dropped = parser_flags(
        ["-DA", *words, "-DB"], allowed=within.from_there(tmp_path / "build")
    )
    harmless = {"-mabi", "-fmodules"} & set(kept)
    assert [word for word in kept if word not in harmless] in (["-DA", "-DB"], ["-DA"])
    assert set(words) <= {*dropped, *harmless}


def test_a_value_that_is_missing() -> None:
    for flag in "-I", "-D", "-include", "-o", "-Xclang":
        assert parser_flags([flag]) == ((), (flag,))


def test_places_of_the_kernel_are_kept(tmp_path: Path) -> None:
    tree, build = tmp_path / "tree", tmp_path / "build"
    tree.mkdir()
    (tmp_path / "alias").symlink_to("tree")
    words = [
        "-nostdinc", f"-I{tree}/include", "-I./include", "-I", f"{tree}/a/../b",
        "-include", f"{tree}/include/linux/kconfig.h", f"-I{tmp_path}/alias/include",
        "-isystem", "/usr/lib/llvm-19/lib/clang/19/include",
        "-isystem", "/usr/lib64/clang/20.1.0/include",
        "-isystem", "/usr/lib/gcc/aarch64-linux-gnu/13/include",
        "-isystem", "/usr/lib/gcc-cross/aarch64-linux-gnu/12/include",
    ]  # fmt: skip
    allowed = reading._Within(tree, build).from_there(build)
    assert parser_flags(words, allowed=allowed) == (tuple(words), ())


def test_entries_that_run_elsewhere_are_said(tmp_path: Path) -> None:
    (tmp_path / "tree/drivers").mkdir(parents=True)
    (tmp_path / "tree/drivers/a.c").touch()
    tree = Tree(path=tmp_path / "tree", version="6")
    said: list[str] = []

    def one(directory: str, *words: str) -> reading.RawCommand:
        source = str(tree.path / "drivers/a.c")
        return reading.RawCommand(
            directory=Path(directory), source=source, output="", arguments=words
        )

    def commands(*raw: reading.RawCommand) -> list[str]:
        said.clear()
        found = reading.compile_commands(
            tree, tmp_path / "build", raw, target=None, log=lambda _l, text: said.append(text)
        )
        return list(found)

    assert commands(one("/")) == []
    assert any("places outside " in text and ": /" in text for text in said)
    assert commands(one(str(tmp_path / "build"), "-include", "/etc/passwd", "-funknown"))
    assert any("-include /etc/passwd" in text for text in said)
    assert "1 kinds of flags are not passed to the parser" not in said
    assert commands(one(str(tree.path), "-DX", "-c")) and len(said) == 2


GOOD = {"directory": ".", "file": "a.c", "arguments": ["cc", "-DX", "a.c"]}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[1]",
        "[{}]",
        "[" * 100_000,
        '[{"a":' * 50_000,
        '{"a":' * 100_000,
        json.dumps([GOOD | {"directory": 1}]),
        json.dumps([GOOD | {"file": None}]),
        json.dumps([GOOD | {"arguments": "cc"}]),
        json.dumps([GOOD | {"arguments": [1]}]),
        json.dumps([GOOD | {"arguments": []}]),
        json.dumps([GOOD | {"arguments": None}]),
        json.dumps([GOOD | {"arguments": None, "command": "cc '-DX"}]),
        json.dumps([GOOD | {"arguments": None, "command": "cc " + "x" * (2 << 20)}]),
        json.dumps([GOOD | {"directory": "\0"}]),
        json.dumps([GOOD | {"file": "a\0.c"}]),
        json.dumps([GOOD])[:-1],
        '[{"directory": "\\ud800", "file": "a.c", "command": "cc"}]',
        "\ufeff[]",
        "[NaN]",
    ],
)
def test_a_database_that_is_none(text: str, tmp_path: Path) -> None:
    path = tmp_path / "compile_commands.json"
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    with pytest.raises(TreeError, match="not a compile command database"):
        list(reading.read_database(path))


def test_a_database_that_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "compile_commands.json"
    os.mkfifo(path)
    with pytest.raises(TreeError, match="FIFO"):
        list(reading.read_database(path))
    path.unlink()
    with path.open("wb") as file:
        file.truncate((1 << 20) + 2)
    monkeypatch.setattr(reading, "MAX_DATABASE", 1 << 20)
    with pytest.raises(TreeError, match="larger than 1 MiB"):
        list(reading.read_database(path))
    os.mkfifo(tmp_path / ".a.o.cmd")
    os.mkfifo(tmp_path / ".a.o.args")
    assert list(reading.read_cmd_files(tmp_path, ["."])) == []
    assert list(reading.read_records(tmp_path, ["."])) == []


def test_words_of_a_shell() -> None:
    text = r"""cc -DA="a b" -DB='"x y"' -DC=\"z\" "-DD=\\n" -DE=a\ b """ + "-DF='a'\"b\"c"
    words = ["-DA=a b", '-DB="x y"', '-DC="z"', "-DD=\\n", "-DE=a b", "-DF=abc"]
    assert reading.split(text) == ["cc", *words]


# -- reproducers -------------------------------------------------------------------------


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def test_a_reproducer_is_made_of_harmless_flags(tmp_path: Path) -> None:
    """The source makes the parser give up; clang must not read words from a file."""
    tree = tmp_path / "tree"
    shutil.copytree(ROOT / "fixtures/tree", tree)
    for build in "rt", "nort":
        path = tree / "builds" / build / "compile_commands.json"
        entries = json.loads(path.read_text())
        for entry in entries:
            entry["arguments"][1:1] = ["-D", "@../../x.rsp", "-include", "/etc/passwd"]
        path.write_text(json.dumps(entries))
    (tree / "x.rsp").write_text("X=1 -fplugin=../../evil.so")
    with (tree / ROSE).open("a") as file:
        file.write("#pragma clang __debug llvm_fatal_error\n")
    marker = tmp_path / "words"
    program(tmp_path / "bin/clang", f'#!/bin/sh\necho "$PWD" "$@" >>{marker}\n')
    done = subprocess.run(
        [sys.executable, "-m", "ctxlint", "audit", ROSE, "--cache", "cache", "--no-rt",
         "--tree", "tree"],
        cwd=tmp_path, capture_output=True, text=True,
        env=os.environ | {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"},
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    words = marker.read_text().split()
    assert not [w for w in words if "@" in w or "passwd" in w or "plugin" in w]
    folder = next((tmp_path / "cache/reproducers").iterdir())
    assert f"{folder}/preprocessed.i" in words  # the cache was a relative name
    assert "-include /etc/passwd" in done.stderr


def source(folder: Path) -> Path:
    (folder / "a.c").write_text("int a;\n")
    return folder / "a.c"


def test_clang_has_limits(tmp_path: Path) -> None:
    limits = tmp_path / "limits"
    clang = program(tmp_path / "clang", f"#!/bin/sh\nulimit -a >{limits}; echo $$ >>{limits}\n")
    preprocess(str(clang), ["-DX"], str(source(tmp_path)), str(tmp_path), tmp_path / "out")
    text = limits.read_text()
    assert "2097152" in text and "524288" in text and " 20\n" in text
    limits.unlink()
    preprocess(str(clang), ["-D", "@x"], str(source(tmp_path)), str(tmp_path), tmp_path / "out")
    assert not limits.exists()
    assert resource.getrlimit(resource.RLIMIT_CPU)[0] != 20


def test_nothing_that_clang_started_stays(tmp_path: Path) -> None:
    mark = tmp_path / "child"
    clang = program(tmp_path / "clang", f"#!/bin/sh\nsleep 300 &\necho $! >{mark}\n")
    preprocess(str(clang), [], str(source(tmp_path)), str(tmp_path), tmp_path / "out")
    child = Path("/proc") / mark.read_text().strip()
    for _ in range(100):
        if not child.exists() or "Z" in (child / "stat").read_text():
            break
        time.sleep(0.05)
    else:
        raise AssertionError("the child lives")


@pytest.mark.parametrize("file", ["a b/$(id).c", "x/" * 300, "../../etc.c", ".c", "ü.c"])
def test_names_of_folders(file: str, tmp_path: Path) -> None:
    place = folder_of(tmp_path, "arm64-my config-rt", file)
    assert place.parent == tmp_path and len(place.name) < 200
    assert not set(place.name) - set(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+-"
    )
    place.mkdir()
    assert stat.S_ISDIR(place.stat().st_mode)
    assert folder_of(Path("relative"), "p", file).is_absolute()


def test_the_compiler_of_an_entry_is_not_run(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    evil = program(tmp_path / "evil", f"#!/bin/sh\ntouch {marker}\n")
    path = tmp_path / "compile_commands.json"
    path.write_text(json.dumps([GOOD | {"arguments": [str(evil), str(evil), "-DX", "a.c"]}]))
    (raw,) = reading.read_database(path)
    tree = Tree(path=tmp_path, version="6")
    found = reading.compile_commands(tree, tmp_path, [raw], target=None, log=quiet)
    assert found["a.c"].arguments == ("-DX",)
    assert not marker.exists()
