# SPDX-License-Identifier: GPL-2.0-or-later
"""What Makefiles are taken to build."""

from __future__ import annotations

import time

import pytest

from ctxlint.kbuild import is_makefile, may_hold_code, other_language, what_it_builds


def test_objects_with_what_they_are_assigned_to() -> None:
    text = b"obj-$(CONFIG_A) += a.o b.o \\\n  c.o # d.o\nbig-y:=e.o\nobj-y += sub/ # f.o\n"
    built = what_it_builds(text)
    assert built.objects == {
        ("obj-$(CONFIG_A)", "a.o"),
        ("obj-$(CONFIG_A)", "b.o"),
        ("obj-$(CONFIG_A)", "c.o"),
        ("big-y", "e.o"),
    }
    assert built.flags == frozenset()


@pytest.mark.parametrize(
    ("line", "counts"),
    [
        ("ccflags-y += -DX", True),
        ("CFLAGS_a.o := -I$(src)", True),
        ("subdir-ccflags-$(CONFIG_A) := -include x.h", True),
        ("KBUILD_CPPFLAGS += -UX", True),
        ("CFLAGS_REMOVE_a.o := $(CC_FLAGS_FTRACE)", True),
        ("ccflags-y := -Wno-x -O2 -fno-builtin -g", False),
        ("CFLAGS_a.o += $(call cc-disable-warning, x)", True),
        ("asflags-y += -DX", False),
        ("ldflags-y += -T x", False),
        ("a-y += a.o", False),
    ],
)
def test_flags_that_can_change_what_c_means(line: str, counts: bool) -> None:
    assert bool(what_it_builds(line.encode()).flags) == counts


def test_names() -> None:
    assert is_makefile("Makefile") and is_makefile("a/Kbuild") and is_makefile("a/Makefile.x")
    assert not is_makefile("tools/Makefile") and not is_makefile("a/Makefiles/x.c")
    assert may_hold_code("a/b.c") and may_hold_code("a/b.c_shipped") and may_hold_code("b.S")
    assert not may_hold_code("a/.c.swp") and not may_hold_code("a/c") and not may_hold_code("S")
    assert other_language("a/b.S_shipped") and not other_language("a/b.inc")


@pytest.mark.parametrize(
    "line", ["a", "ccflags-y += " + "-W" * 9, "(" * 20, "x:" * 10, "=" * 20]
)
def test_time_is_linear(line: str) -> None:
    def seconds(count: int) -> float:
        begin = time.process_time()
        what_it_builds((line * count).encode())
        return time.process_time() - begin

    seconds(1000)
    short = min(seconds(1000) for _ in range(3))
    assert min(seconds(8000) for _ in range(3)) < 16 * short + 0.05
