# SPDX-License-Identifier: GPL-2.0-or-later
"""Why a file is not compiled, told from Makefiles and Kconfig files as text."""

from __future__ import annotations

import time

import pytest

from ctxlint.kbuild.model import Prepared, Tree
from ctxlint.kbuild.unbuilt import Why, includers, why_unbuilt

FILES = {
    "arch/arm64/Kconfig": "config ARM64\n\tdef_bool y\n",
    "arch/riscv/Kconfig": "config RISCV\n\tdef_bool y\nconfig SOC_LILY\n\tbool\n",
    "arch/riscv/configs/defconfig": "CONFIG_SELECTED=y\n",
    "arch/riscv/kernel/smp.c": "",
    "drivers/Makefile": "obj-y += a/\nobj-$(CONFIG_B) += b/\n",
    "drivers/a/Kconfig": (
        "config PLAIN\n\ttristate \"Plain\"\n\tdepends on ON\n"
        "config ONLY\n\tbool \"Only\"\n\tdepends on RISCV && ON\n"
        "config ANY\n\tbool \"Any\"\n\tdepends on RISCV || COMPILE_TEST\n"
        "config LILY\n\tbool \"Lily\"\n\tdepends on SOC_LILY\n"
        "config SELECTED\n\tbool\n\tselect PLAIN\n"
    ),
    "drivers/a/Makefile": (
        "obj-$(CONFIG_ON) += on.o\n"
        "obj-$(CONFIG_PLAIN) += plain.o \\\n\tsecond.o\n"
        "obj-$(CONFIG_ONLY) += only.o\nobj-$(CONFIG_ANY) += any.o\n"
        "obj-$(CONFIG_LILY) += lily.o\nobj-$(CONFIG_SELECTED) += selected.o\n"
        "obj-$(CONFIG_KCSAN) += kcsan.o\n"
        "obj-$(CONFIG_PLAIN) += big.o\nbig-y := big-core.o\n"
        "big-$(CONFIG_ON) += big-part.o sub/deep.o\n"
        "ifdef CONFIG_PLAIN\nobj-y += inside.o\nendif\n"
    ),
    "drivers/b/Makefile": "obj-y += below.o\n",
    "drivers/b/below.c": "",
    "drivers/b/user.c": '#include "part.c"\n',
    "drivers/b/part.c": "",
    "drivers/a/a.h": "",
    "drivers/a/plain.c": '#include "a.h"\n',
    "include/linux/a.h": "",
    "tools/x.c": "",
}  # fmt: skip


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    top = tmp_path_factory.mktemp("tree")
    for name, text in FILES.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(text)
    return Tree(path=top, version="6.12.0", commit=None)


def profile(tree: Tree, config: str = "defconfig", own: bool = True) -> Prepared:
    build = tree.path / "build"
    build.mkdir(exist_ok=True)
    (build / ".config").write_text("CONFIG_ON=y\nCONFIG_ARM64=y\n")
    return Prepared(
        spec_name="x", arch="arm64", rt=False, config=config, build=build, commands=(),
        uncovered=(), own=own,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("file", "reason", "hint"),
    [
        ("drivers/a/plain.c", "CONFIG_PLAIN is off", "--config allmodconfig"),
        ("drivers/a/second.c", "CONFIG_PLAIN is off", "--config allmodconfig"),
        ("drivers/a/only.c", "CONFIG_ONLY is off", "--arch riscv"),
        ("drivers/a/any.c", "CONFIG_ANY is off", "--config allmodconfig"),
        ("drivers/a/lily.c", "CONFIG_LILY is off", "--arch riscv"),
        ("drivers/a/selected.c", "CONFIG_SELECTED is off", "--arch riscv"),
        ("drivers/a/kcsan.c", "CONFIG_KCSAN is off", "--build"),
        ("drivers/a/big-core.c", "CONFIG_PLAIN is off", "--config allmodconfig"),
        ("drivers/a/big-part.c", "CONFIG_PLAIN is off", "--config allmodconfig"),
        ("drivers/a/sub/deep.c", "CONFIG_PLAIN is off", "--config allmodconfig"),
        ("drivers/a/inside.c", "CONFIG_PLAIN is off", "--config allmodconfig"),
        ("drivers/a/on.c", "no compile command was recorded", "-v"),
        ("drivers/a/nobody.c", "no Makefile names it", ""),
        ("drivers/b/below.c", "CONFIG_B is off", "--config allmodconfig"),
        ("drivers/b/part.c", "drivers/b/user.c includes it", "drivers/b/user.c"),
        ("arch/riscv/kernel/smp.c", "built for riscv, not for arm64", "--arch riscv"),
        ("tools/x.c", "tools/ holds no kernel code", ""),
    ],
)
def test_why(tree: Tree, file: str, reason: str, hint: str) -> None:
    why = why_unbuilt(tree, file, [profile(tree)])
    assert reason in why.reason
    assert hint in why.hint


def test_what_is_known_of_the_profile_counts(tree: Tree) -> None:
    file = "drivers/a/plain.c"
    assert "--config" in why_unbuilt(tree, file, [profile(tree, "allmodconfig")]).hint
    assert "--build" in why_unbuilt(tree, file, [profile(tree, own=False)]).hint
    assert why_unbuilt(tree, file, []) == Why("no profile compiles it", "")


def test_includers(tree: Tree) -> None:
    assert includers(tree, "drivers/a/a.h") == ["drivers/a/plain.c"]
    assert includers(tree, "include/linux/a.h") == ["drivers/a/plain.c"]
    assert includers(tree, "include/linux/none.h") == []


def test_a_makefile_that_leads_in_circles(tree: Tree) -> None:
    folder = tree.path / "drivers/circle"
    folder.mkdir()
    (folder / "Makefile").write_text("a-y += b.o\nb-y += a.o\n" + "c-y += c.o d.o\n" * 50)
    assert why_unbuilt(tree, "drivers/circle/a.c", [profile(tree)]).reason
    assert why_unbuilt(tree, "drivers/circle/d.c", [profile(tree)]).reason


def test_objects_that_are_all_parts_of_each_other(tree: Tree) -> None:
    """As many ways as there are orders of them; each is looked at once."""
    folder = tree.path / "drivers/mesh"
    folder.mkdir()
    names = [f"n{number}" for number in range(60)]
    every = " ".join(f"{name}.o" for name in names)
    text = "".join(f"{name}-y := {every} x.o\n" for name in names)
    (folder / "Makefile").write_text(text + "obj-$(CONFIG_PLAIN) += n59.o\n")
    begin = time.process_time()
    assert why_unbuilt(tree, "drivers/mesh/x.c", [profile(tree)]).reason.startswith(
        "CONFIG_PLAIN"
    )
    (folder / "Makefile").write_text("ifdef CONFIG_A\n" * 20000 + "x-y := x.o\n" * 20000)
    assert why_unbuilt(tree, "drivers/mesh/x.c", [profile(tree)]).reason
    assert time.process_time() - begin < 5
