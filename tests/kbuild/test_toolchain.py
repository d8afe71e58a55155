# SPDX-License-Identifier: GPL-2.0-or-later
from __future__ import annotations

from pathlib import Path

import pytest

from ctxlint.base.errors import ToolMissingError
from ctxlint.kbuild.toolchain import check_programs, find_toolchain, missing_header


def test_found(toy_tools: Path) -> None:
    found = find_toolchain()
    assert (found.clang, found.llvm) == (toy_tools / "clang-99", "-99")
    check_programs()


def test_the_newest_complete_one_wins(toy_tools: Path) -> None:
    (toy_tools / "clang-100").symlink_to(toy_tools / "clang-99")
    assert find_toolchain().llvm == "-99"


def test_unversioned(toy_tools: Path) -> None:
    for path in list(toy_tools.glob("*-99")):
        path.rename(path.with_name(path.name.removesuffix("-99")))
    assert find_toolchain().llvm == "1"


@pytest.mark.parametrize(
    ("absent", "debian", "fedora"),
    [
        ("clang-99", "apt install clang", "dnf install clang"),
        ("ld.lld-99", "apt install lld-99", "dnf install lld"),
        ("llvm-objcopy-99", "apt install llvm-99", "dnf install llvm"),
    ],
)
def test_missing_llvm(toy_tools: Path, absent: str, debian: str, fedora: str) -> None:
    (toy_tools / absent).unlink()
    with pytest.raises(ToolMissingError) as caught:
        find_toolchain()
    assert absent.split("-99")[0] in str(caught.value)
    assert debian in caught.value.hint and fedora in caught.value.hint


@pytest.mark.parametrize("program", ["make", "flex", "bison", "bc"])
def test_missing_program(toy_tools: Path, program: str) -> None:
    (toy_tools / program).unlink()
    with pytest.raises(ToolMissingError, match=f"{program} is not installed") as caught:
        check_programs()
    assert f"apt install {program}" in caught.value.hint


@pytest.mark.parametrize(
    ("output", "package"),
    [
        ("x.c:1:10: fatal error: 'gelf.h' file not found", "libelf-dev"),
        ("x.c:1:10: fatal error: openssl/opensslv.h: No such file or directory", "libssl-dev"),
    ],
)
def test_missing_header(output: str, package: str) -> None:
    error = missing_header(output)
    assert error is not None and package in error.hint
    assert missing_header("all is well") is None
