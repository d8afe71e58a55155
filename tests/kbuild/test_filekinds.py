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


@pytest.mark.parametrize(
    ("line", "counts"),
    [
        ("include $(src)/more", True),
        ("-include more.mk", True),
        ("$(eval ccflags-y += -DX)", True),
        ("$(foreach n,a b,$(eval obj-y += $(n).o))", True),
        ("define more", True),
        ("obj-y += $(addsuffix .o,a)", True),
        ("obj-$(CONFIG_A) += $(X).o", True),
        ("a-objs := $(b:%=%.o)", True),
        ("X := $(shell ls)", True),
        ("$(obj)/a.c: $(src)/a.txt", True),
        ("%.c: %.y", True),
        ("$(obj)/a.o: $(obj)/b.h", True),
        ("a-y += $(b-y) $(c-objs)", False),
        ("obj-$(CONFIG_A) += a.o b/", False),
        ("obj-$(subst m,y,$(CONFIG_A)) += a.o", False),
        ("clean-files := $(patsubst %,%.s,x)", False),
        ("targets += a.dtb", False),
        ("KASAN_SANITIZE_a.o := n", False),
        ("$(obj)/a.dtb: FORCE", False),
    ],
)
def test_lines_of_which_it_is_not_known_what_they_build(line: str, counts: bool) -> None:
    assert bool(what_it_builds(line.encode()).unclear) == counts


def test_a_condition_is_a_part_of_what_is_under_it() -> None:
    free = what_it_builds(b"obj-y += a.o\nccflags-y += -DX\n")
    under = what_it_builds(
        b"ifdef CONFIG_A\nelse # no\nobj-y += a.o\nccflags-y += -DX\nendif\n"
    )
    assert under.objects == {("else: obj-y", "a.o")} and under.flags == {
        "else: ccflags-y += -DX"
    }
    assert free.objects == {("obj-y", "a.o")}
    after = what_it_builds(b"ifdef CONFIG_A\nendif\nendif\nobj-y += a.o\nccflags-y += -DX\n")
    assert after == free
    long = b"ifeq ($(A)," + b"x" * 500000
    one, other = (
        what_it_builds(long + e + b")\n" + b"obj-y += a.o\n" * 9000) for e in (b"", b"y")
    )
    assert one.objects != other.objects
    what_it_builds(b"ifdef A\n" * 100000 + b"obj-y += a.o\n" * 10000)


def test_names() -> None:
    assert is_makefile("Makefile") and is_makefile("a/Kbuild") and is_makefile("a/Makefile.x")
    assert not is_makefile("tools/Makefile") and not is_makefile("a/Makefiles/x.c")
    assert may_hold_code("a/b.c") and may_hold_code("a/b.c_shipped") and may_hold_code("b.S")
    assert not may_hold_code("a/.c.swp") and not may_hold_code("a/c") and not may_hold_code("S")
    assert other_language("a/b.S_shipped") and not other_language("a/b.inc")


@pytest.mark.parametrize(
    "line",
    [
        "a",
        "ccflags-y += " + "-W" * 9,
        "(" * 20,
        "x:" * 10,
        "=" * 20,
        "ifdef A\n",
        "$(" * 10,
        "-y" * 10,
        ".c: " * 5,
        "if\nelse ifdef B\n",
    ],
)
def test_time_is_linear(line: str) -> None:
    def seconds(count: int) -> float:
        begin = time.process_time()
        what_it_builds((line * count).encode())
        return time.process_time() - begin

    seconds(1000)
    short = min(seconds(1000) for _ in range(3))
    assert min(seconds(8000) for _ in range(3)) < 16 * short + 0.05
