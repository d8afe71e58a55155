# SPDX-License-Identifier: GPL-2.0-or-later
from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxlint.base.errors import TreeError
from ctxlint.kbuild import arch_of_config, find_tree, use_build
from ctxlint.kbuild.commands import _raw, read_cmd_files, read_database, read_records, split

WORD = st.text(alphabet="abc-=/.\"'\\ $,()", min_size=1, max_size=12)


@given(st.lists(WORD, max_size=8))
def test_split_is_what_a_shell_does(words: list[str]) -> None:
    assert split(shlex.join(words)) == words


@pytest.mark.parametrize(
    "command",
    [
        """cc -DKBUILD_MODNAME='"x"' -DA=\\"b\\" -D"C D"=1 -o x.o x.c""",
        "gcc -DX='a b' -Dy=`z` x.c",
        "  a\tb  ",
        "",
    ],
)
def test_split_agrees_with_shlex(command: str) -> None:
    assert split(command) == shlex.split(command)


def write_build(folder: Path, entries: list[dict[str, object]], config: str) -> None:
    folder.mkdir(parents=True)
    (folder / "compile_commands.json").write_text(json.dumps(entries))
    (folder / ".config").write_text(config)


def test_relative_database_of_a_bundled_tree(toy_tree: Path) -> None:
    build = toy_tree / "builds/rt"
    entry = {
        "directory": "../..",
        "file": "drivers/a/one.c",
        "arguments": ["cc", "-Iinclude", "-Wall", "-c", "drivers/a/one.c"],
    }
    write_build(build, [entry], "CONFIG_ARM64=y\nCONFIG_PREEMPT_RT=y\n")
    got = use_build(find_tree(toy_tree), build, ["drivers/a"])
    assert (got.arch, got.rt, got.own, got.spec_name) == ("arm64", True, False, "arm64-rt")
    (command,) = got.commands
    assert command.file == "drivers/a/one.c"
    assert command.directory == toy_tree.resolve()
    assert command.arguments == ("--target=aarch64-linux-gnu", "-Iinclude")
    assert got.uncovered == ("drivers/a/sub/two.c", "drivers/a/three.c")


def test_command_strings_and_launchers(tmp_path: Path) -> None:
    path = tmp_path / "compile_commands.json"
    entries = [
        {
            "directory": "/b",
            "file": "/t/x.c",
            "command": "ccache gcc -DA='\"q\"' -o x.o -c /t/x.c",
        }
    ]
    path.write_text(json.dumps(entries))
    (raw,) = read_database(path)
    assert raw.arguments == ('-DA="q"', "-o", "x.o", "-c")
    assert (raw.directory, raw.source, raw.output) == (Path("/b"), "/t/x.c", "x.o")


@pytest.mark.parametrize("text", ["{", "[1]", '[{"file": "x.c"}]', '{"a": 1}'])
def test_wrong_database(tmp_path: Path, text: str) -> None:
    path = tmp_path / "compile_commands.json"
    path.write_text(text)
    with pytest.raises(TreeError, match="not a compile command database"):
        list(read_database(path))


def test_cmd_files(toy_tree: Path, tmp_path: Path) -> None:
    build = tmp_path / "build"
    (build / "drivers/a").mkdir(parents=True)
    (build / ".config").write_text(
        "# Linux/arm64 6.12.3 Kernel Configuration\nCONFIG_ARM64=y\n"
    )
    source = toy_tree / "drivers/a/one.c"
    (build / "drivers/a/.one.o.cmd").write_text(
        "savedcmd_drivers/a/one.o := gcc -Wp,-MMD,drivers/a/.one.o.d -I./include -Ipre$(pound)x"
        " -DPRICE='\"$$5\"' -DKBUILD_MODNAME='\"one\"' -c -o drivers/a/one.o"
        f" {source}  ; ./tools/objtool/objtool --hacks drivers/a/one.o\n\n"
        f"source_drivers/a/one.o := {source}\n\ndeps_drivers/a/one.o := \\\n  x.h \\\n"
    )
    (build / "drivers/a/.part.o.cmd").write_text(
        "savedcmd_drivers/a/part.o := ld -r -o part.o\n"
    )
    (raw,) = read_cmd_files(build, ["drivers/a"])
    assert raw.arguments[1:5] == (
        "-I./include",
        "-Ipre#x",
        '-DPRICE="$5"',
        '-DKBUILD_MODNAME="one"',
    )
    assert raw.output == "drivers/a/one.o" and "objtool" not in " ".join(raw.arguments)
    got = use_build(find_tree(toy_tree), build, ["drivers/a/one.c"])
    assert [c.file for c in got.commands] == ["drivers/a/one.c"]
    assert (got.arch, got.rt, got.uncovered) == ("arm64", False, ())


def test_a_record_cut_short_is_left_out(tmp_path: Path) -> None:
    lines = ["/b", "d/x.o", "/t/d/x.c", "-DX", "/t/d/x.c", ".end"]
    (tmp_path / ".x.o.args").write_text("\n".join(lines) + "\n")
    (tmp_path / ".y.o.args").write_text("\n".join(lines[:-1]) + "\n")
    (raw,) = read_records(tmp_path, ["."])
    assert (raw.output, raw.arguments) == ("d/x.o", ("-DX",))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (None, "no .config"),
        ("CONFIG_X=y\n", "architecture"),
        ("CONFIG_ARM64=y\n", "no compile command"),
    ],
)
def test_builds_that_do_not_fit(toy_tree: Path, config: str | None, message: str) -> None:
    build = toy_tree / "builds/x"
    build.mkdir(parents=True)
    if config is not None:
        (build / ".config").write_text(config)
    with pytest.raises(TreeError, match=message) as caught:
        use_build(find_tree(toy_tree), build, ["drivers/a"])
    assert caught.value.hint


def test_entries_of_another_tree_are_left_out(toy_tree: Path) -> None:
    build = toy_tree / "builds/x"
    entries: list[dict[str, object]] = [
        {"directory": ".", "file": f, "arguments": ["cc", f]}
        for f in ("/else/x.c", "gen.c", "../../drivers/a/one.c")
    ]
    write_build(build, entries, "CONFIG_ARM64=y\n")
    got = use_build(find_tree(toy_tree), build, ["."])
    # gen.c lies below the tree only because this build directory does
    assert [c.file for c in got.commands] == ["builds/x/gen.c", "drivers/a/one.c"]


@pytest.mark.parametrize(
    ("text", "arch"),
    [
        ("CONFIG_ARM64=y\n", "arm64"),
        ("CONFIG_ARM=y\n", "arm"),
        ("CONFIG_X86=y\nCONFIG_X86_64=y\n", "x86_64"),
        ("#\n# Linux/riscv 6.12.3 Kernel Configuration\n#\n", "riscv"),
        ("CONFIG_A=y\n", None),
    ],
)
def test_architecture_of_a_config(toy_tree: Path, text: str, arch: str | None) -> None:
    config = toy_tree / "some.config"
    config.write_text(text)
    assert arch_of_config(config, find_tree(toy_tree)) == arch


@pytest.mark.parametrize("words", [[";"], ["&&", "x"], ["clang;"]])
def test_a_command_that_a_shell_ends_at_once(words: list[str]) -> None:
    found = _raw(Path("/b"), "a.c", words)
    assert not found.arguments
