# SPDX-License-Identifier: GPL-2.0-or-later
from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from ctxlint.base.errors import ToolMissingError, TreeError, UsageError
from ctxlint.kbuild import (
    NoRealTimeError,
    Prepared,
    commands_for,
    find_tree,
    prepare,
    standin,
    use_build,
    write_database,
)
from ctxlint.kbuild.toolchain import find_toolchain

pytestmark = pytest.mark.usefixtures("toy_tools")

SLEEP = shutil.which("sleep")


class Work:
    """The toy tree, a cache, and what make was asked to do in it."""

    def __init__(self, tree: Path, cache: Path) -> None:
        self.tree, self.cache = find_tree(tree), cache
        self.said: list[str] = []

    def prepare(
        self, *paths: str, rt: bool = True, arch: str = "arm64", config: str = "defconfig"
    ) -> Prepared:
        return prepare(
            self.tree,
            arch=arch,
            config=config,
            rt=rt,
            paths=paths,
            cache=self.cache,
            jobs=2,
            log=lambda level, message: self.said.append(f"{level}: {message}"),
        )

    def makes(self) -> list[str]:
        """Targets that make was run for since the last call."""
        path = self.cache / "builds/makes"
        text = path.read_text() if path.exists() else ""
        path.write_text("")
        return [line.removeprefix("make ") for line in text.splitlines()]


@pytest.fixture
def work(toy_tree: Path, tmp_path: Path) -> Work:
    (tmp_path / "cache/builds").mkdir(parents=True)
    return Work(toy_tree, tmp_path / "cache")


def files(prepared: Prepared) -> list[str]:
    return [command.file for command in prepared.commands]


def test_commands_and_what_is_not_covered(work: Work) -> None:
    got = work.prepare("drivers/a")
    assert (got.spec_name, got.arch, got.rt, got.own) == (
        "arm64-defconfig-rt",
        "arm64",
        True,
        True,
    )
    assert files(got) == ["drivers/a/one.c", "drivers/a/sub/two.c"]
    assert got.uncovered == ("drivers/a/three.c",)  # part.c is included by one.c
    one, two = got.commands
    assert one.directory == got.build and one.build_class == two.build_class
    assert one.arguments == (
        "--target=aarch64-linux-gnu",
        "-nostdinc",
        f"-I{work.tree.path}/include",
        "-I./include",
        "-std=gnu11",
        '-DKBUILD_MODNAME="one"',
    )
    assert "CONFIG_PREEMPT_RT=y" in (got.build / ".config").read_text()


def test_database_for_other_tools(work: Work) -> None:
    got = work.prepare("drivers/a")
    path = write_database(work.tree, got)
    entries = json.loads(path.read_text())
    assert [Path(entry["file"]).name for entry in entries] == ["one.c", "two.c"]
    assert (
        entries[0]["arguments"][0].endswith("clang-99") and "-Wall" in entries[0]["arguments"]
    )
    again = use_build(work.tree, got.build, ["drivers/a"])
    assert again.commands == got.commands and again.uncovered == got.uncovered
    assert write_database(work.tree, again) == path


def test_nothing_is_compiled(work: Work, tmp_path: Path) -> None:
    work.prepare("drivers/a")
    calls = (tmp_path / "clang.log").read_text().splitlines()
    assert not [call for call in calls if "drivers/a" in call]
    assert [call for call in calls if "-S -o kernel/bounds.s" in call]


def test_the_tree_is_not_written_to(work: Work, toy_tree: Path) -> None:
    before = {p: p.stat().st_mtime_ns for p in toy_tree.rglob("*")}
    work.prepare("drivers/a")
    assert {p: p.stat().st_mtime_ns for p in toy_tree.rglob("*")} == before


def test_second_time_runs_no_make(work: Work) -> None:
    first = work.prepare("drivers/a")
    assert work.makes() == ["defconfig", "prepare", "drivers/a/"]
    assert work.prepare("drivers/a") == first
    assert files(work.prepare("drivers/a/one.c")) == ["drivers/a/one.c"]
    assert work.makes() == []


def test_the_other_profile_begins_as_a_copy(work: Work) -> None:
    first = work.prepare("drivers/a")
    (first.build / "include/generated/kept.h").write_text("#define KEPT 1\n")
    work.makes()
    other = work.prepare("drivers/a", rt=False)
    assert work.makes() == ["prepare", "drivers/a/"]  # no defconfig
    assert (other.build / "include/generated/kept.h").is_file()
    assert files(other) == files(first)
    assert all(command.directory == other.build for command in other.commands)
    assert "CONFIG_PREEMPT_RT=y" not in (other.build / ".config").read_text()
    # It is an ordinary build directory from there on.
    assert work.prepare("drivers/a", rt=False) == other
    assert work.makes() == []


def test_no_copy_of_what_is_out_of_date(work: Work, toy_tree: Path) -> None:
    work.prepare("drivers/a")
    kconfig = toy_tree / "Kconfig"
    kconfig.write_text(kconfig.read_text() + "\n")
    work.makes()
    work.prepare("drivers/a", rt=False)
    assert "defconfig" in work.makes()


def test_single_file_and_directory_without_makefile(work: Work) -> None:
    assert files(work.prepare("drivers/a/sub")) == ["drivers/a/sub/two.c"]
    got = work.prepare("drivers/a/three.c")
    assert (files(got), got.uncovered) == ([], ("drivers/a/three.c",))


def test_more_paths_of_the_same_build(work: Work) -> None:
    got = work.prepare("drivers/a/one.c")
    work.makes()
    more = commands_for(work.tree, got, ["drivers/b", "drivers/a/sub"])
    assert work.makes() == ["drivers/b/"]
    assert files(more) == ["drivers/a/one.c", "drivers/a/sub/two.c"]
    assert more.uncovered == ("drivers/b/four.c",)
    assert more.paths == ("drivers/a/one.c", "drivers/a/sub", "drivers/b")


def test_a_changed_makefile_is_followed(work: Work, toy_tree: Path) -> None:
    work.prepare("drivers/a")
    (toy_tree / "drivers/a/Makefile").write_text("obj-y := three.o\nccflags-y := -DNEW\n")
    work.makes()
    got = work.prepare("drivers/a")
    assert files(got) == ["drivers/a/three.c"] and "-DNEW" in got.commands[0].arguments
    assert work.makes() == ["drivers/a/"]


def test_changed_kconfig_means_all_anew(work: Work, toy_tree: Path) -> None:
    work.prepare("drivers/a")
    work.makes()
    (toy_tree / "arch/arm64/Kconfig").write_text("# new\nconfig A\n\tselect ARCH_SUPPORTS_RT\n")
    work.prepare("drivers/a")
    assert work.makes() == ["defconfig", "prepare", "drivers/a/"]


def test_changed_header_input_means_headers_anew(work: Work, toy_tree: Path) -> None:
    work.prepare("drivers/a")
    work.makes()
    (toy_tree / "kernel/bounds.c").write_text("int other_bounds;\n")
    work.prepare("drivers/a")
    assert work.makes() == ["prepare"]


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["", "{}", None])
def test_half_made_directory_is_made_anew(work: Work, damage: str | None) -> None:
    got = work.prepare("drivers/a")
    state = got.build / ".ctxlint/state.json"
    state.unlink() if damage is None else state.write_text(damage)
    (got.build / "drivers/a/.one.o.args").write_text("cut sh")
    assert work.prepare("drivers/a") == got


def test_two_runs_at_once(work: Work) -> None:
    got: list[Prepared] = []
    threads = [
        threading.Thread(target=lambda: got.append(work.prepare("drivers/a"))) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 3 and got[0] == got[1] == got[2]
    assert work.makes() == ["defconfig", "prepare", "drivers/a/"]


def test_profiles_have_their_own_directories(work: Work, tmp_path: Path) -> None:
    config = tmp_path / "my.config"
    config.write_text("CONFIG_MINE=y\n")
    builds = {
        work.prepare("drivers/a", rt=True).build,
        work.prepare("drivers/a", rt=False).build,
        work.prepare("drivers/a", config="allmodconfig").build,
    }
    mine = work.prepare("drivers/a", config=str(config), rt=False)
    assert len(builds | {mine.build}) == 4 and mine.spec_name == "arm64-my.config-nort"
    text = (mine.build / ".config").read_text()
    assert "CONFIG_MINE=y" in text and "CONFIG_PREEMPT=y" in text


def test_no_rt_to_be_had(work: Work) -> None:
    with pytest.raises(NoRealTimeError, match=r"6\.12\.3 on arm ") as caught:
        work.prepare("drivers/a", arch="arm")
    assert caught.value.hint and work.makes() == []


def test_a_tree_that_does_not_configure(work: Work, toy_tree: Path) -> None:
    (toy_tree / "Kconfig").write_text("broken\n")
    with pytest.raises(TreeError, match="make olddefconfig failed") as caught:
        work.prepare("drivers/a")
    assert "make.log" in caught.value.hint


def test_a_directory_that_fails_altogether(work: Work, toy_tree: Path) -> None:
    (toy_tree / "drivers/a/Makefile").write_text("obj-y := absent.o\n")
    with pytest.raises(TreeError, match="absent"):
        work.prepare("drivers/a")


def test_a_unit_that_fails_is_told(work: Work, toy_tree: Path) -> None:
    (toy_tree / "drivers/a/Makefile").write_text("obj-y := absent.o one.o\n")
    assert files(work.prepare("drivers/a")) == ["drivers/a/one.c"]
    assert [line for line in work.said if "warning: drivers/a/absent: no compile" in line]


@pytest.mark.parametrize(
    ("arch", "config"), [("vax", "defconfig"), ("arm64", "nonsense"), ("arm64", "/no/.config")]
)
def test_wrong_names(work: Work, arch: str, config: str) -> None:
    with pytest.raises(UsageError) as caught:
        work.prepare("drivers/a", arch=arch, config=config)
    assert caught.value.hint


def test_a_missing_program_is_named(work: Work, toy_tools: Path) -> None:
    (toy_tools / "flex").unlink()
    with pytest.raises(ToolMissingError, match="flex"):
        work.prepare("drivers/a")


def test_a_cache_with_blanks(work: Work, tmp_path: Path) -> None:
    work.cache = tmp_path / "a cache"
    with pytest.raises(UsageError, match="blank"):
        work.prepare("drivers/a")


def run_standin(folder: Path, *arguments: str, record: bool) -> None:
    cc = standin.write(folder, find_toolchain(), None)
    env = {"PATH": "/usr/bin:/bin", "TOY_CLANG_LOG": str(folder / "real")}
    env |= {standin.RECORD_VARIABLE: "1"} if record else {}
    (folder / "real").unlink(missing_ok=True)
    subprocess.run([cc, *arguments], env=env, check=True, cwd=folder)


UNIT = ("-Wp,-MMD,.x.o.d", "-DA=a b", "-c", "-o", "x.o", "x.c")


@pytest.mark.parametrize(
    ("arguments", "record"),
    [
        (UNIT, False),
        (("-S", "-o", "x.s", "x.c"), True),
        (("-c", "-o", "x.o", "x.c"), True),
        (("-E", "-Wp,-MMD,.x.d", "x.c", "-o", "x.i"), True),
        (("--version",), True),
    ],
)
def test_the_standin_is_the_real_compiler(
    tmp_path: Path, arguments: tuple[str, ...], record: bool
) -> None:
    run_standin(tmp_path, *arguments, record=record)
    assert (tmp_path / "real").read_text().split("\n")[-2] == " ".join(arguments)
    assert not list(tmp_path.glob(".*.args"))


@pytest.mark.parametrize(("source", "recorded"), [("x.c", True), ("x.S", False)])
def test_the_standin_records(tmp_path: Path, source: str, recorded: bool) -> None:
    run_standin(tmp_path, *UNIT[:-1], source, record=True)
    assert (tmp_path / "x.o").read_text() == (tmp_path / "empty.o").read_text()
    assert (tmp_path / ".x.o.d").read_text() == f"x.o: {source}\n"
    assert (tmp_path / ".x.o.args").exists() == recorded
    if recorded:
        lines = (tmp_path / ".x.o.args").read_text().splitlines()
        assert lines == [str(tmp_path), "x.o", "x.c", *UNIT, ".end"]


def test_a_tree_that_was_built_in_place(work: Work, toy_tree: Path) -> None:
    (toy_tree / ".config").write_text("CONFIG_ARM64=y\n")
    (toy_tree / "include/generated").mkdir(parents=True)
    got = work.prepare("drivers/a", config=str(toy_tree / ".config"))
    assert files(got) == ["drivers/a/one.c", "drivers/a/sub/two.c"]
    arguments = got.commands[0].arguments
    assert arguments[2:5] == ("-I./include", f"-I{work.tree.path}/include", "-I./include")
    assert ".src" not in " ".join(arguments)
    work.makes()
    assert work.prepare("drivers/a", config=str(toy_tree / ".config")) == got
    assert work.makes() == []
    (toy_tree / "kernel/bounds.c").write_text("int other_bounds;\n")
    work.prepare("drivers/a", config=str(toy_tree / ".config"))
    assert work.makes() == ["prepare"]


CHILD = """\
import sys
from pathlib import Path
from ctxlint.kbuild import find_tree, prepare
prepare(find_tree(Path(sys.argv[1])), arch="arm64", config="defconfig", rt=True,
        paths=["drivers/a"], cache=Path(sys.argv[2]), jobs=1)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("tool", "at"), [("clang-99", "*-S*"), ("cp", "*one.o"), ("cp", "*two.o")]
)
def test_killed_in_the_middle(
    work: Work, toy_tools: Path, tmp_path: Path, tool: str, at: str
) -> None:
    """kill -9 while headers are generated, or while commands are recorded."""
    marker, real = tmp_path / "reached", toy_tools / "kept"
    (toy_tools / tool).rename(real)
    (toy_tools / tool).write_text(
        f'#!/bin/sh\ncase "$*" in {at}) echo >{marker}; {SLEEP} 1 ;; esac\nexec {real} "$@"\n'
    )
    (toy_tools / tool).chmod(0o755)
    child = subprocess.Popen([sys.executable, "-c", CHILD, work.tree.path, work.cache])
    deadline = time.monotonic() + 60
    while not marker.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    child.kill()
    child.wait()
    assert marker.exists()
    (toy_tools / tool).unlink()
    real.rename(toy_tools / tool)
    assert files(work.prepare("drivers/a")) == ["drivers/a/one.c", "drivers/a/sub/two.c"]
