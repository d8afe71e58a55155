# SPDX-License-Identifier: GPL-2.0-or-later
from __future__ import annotations

import shlex

from ctxlint.kbuild.flags import build_class, parser_flags

KEPT = """
-nostdinc -I/t/include -include linux/kconfig.h -D__KERNEL__ -Uarm -std=gnu11 -fshort-wchar
-funsigned-char -fms-extensions -fno-builtin -fno-builtin-wcslen -march=armv8.5-a
-mgeneral-regs-only -O2 -isystem /t/x -iquote y --target=aarch64-linux-gnu
"""
DROPPED = """
-c -o x.o -Wall -Wno-error=foo -Wp,-MMD,.x.o.d -Wa,-mx -g -pipe -mllvm -hot -fplugin=a.so
-fconserve-stack -fno-allow-store-data-races --param=x=1 --sysroot=/s -meabi gnu
-mindirect-branch=thunk -mrecord-mcount -fpatchable-function-entry=4,2
-mstack-protector-guard=sysreg -fsanitize=kernel-address
"""


def test_what_parsing_needs_is_kept_in_order() -> None:
    flags = shlex.split(KEPT)
    assert parser_flags(flags) == (tuple(flags), ())


def test_what_only_code_generation_needs_is_dropped() -> None:
    flags = shlex.split(DROPPED)
    assert parser_flags(flags) == ((), tuple(flags))


def test_a_target_is_added_only_where_none_is_given() -> None:
    assert parser_flags(["-DX"], target="t")[0] == ("--target=t", "-DX")
    assert parser_flags(["--target=u"], target="t")[0] == ("--target=u",)
    assert parser_flags(["-target", "u"], target="t")[0] == ("-target", "u")


def test_value_missing_at_the_end() -> None:
    assert parser_flags(["-I"]) == ((), ("-I",))


def test_class_leaves_out_the_unit_alone() -> None:
    one = ["-I.", '-DKBUILD_MODNAME="a"', '-DKBUILD_BASENAME="a"', "-D__KBUILD_MODNAME=kmod_a"]
    two = ["-I.", '-DKBUILD_MODFILE="b"', "-D__KBUILD_MODNAME=kmod_b"]
    assert build_class(one) == build_class(two) != build_class([*two, "-DMODULE"])


def test_class_leaves_out_the_directory_of_the_unit() -> None:
    def flags(directory: str, *more: str) -> list[str]:
        return ["-I/t/include", "-I./include", *more, f"-I/t/{directory}", f"-I{directory}"]

    a, b = "drivers/a", "drivers/b/sub"
    assert build_class(flags(a), a) == build_class(flags(b), b)
    assert build_class(flags("drivers/b"), b) == build_class(flags(a), a)
    assert build_class(flags(a, "-I/t/drivers/c"), a) != build_class(flags(a), a)
    assert build_class(["-I./include"], "include/x") == build_class(["-I./include"], a)
    assert build_class(["-I./include"], "include") != build_class([], "include")
