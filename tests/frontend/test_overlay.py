# SPDX-License-Identifier: GPL-2.0-or-later
"""A unit of a tree with some files changed."""

from __future__ import annotations

from pathlib import Path

from ctxlint.frontend import lower_unit, write_overlay
from ctxlint.ir.unit import Unit


def lower(tmp_path: Path, file: str, contents: dict[str, bytes | None]) -> Unit:
    tree, build, place = tmp_path / "tree", tmp_path / "build", tmp_path / "place"
    for folder in (tree / "include", tree / "a", build, place):
        folder.mkdir(parents=True, exist_ok=True)
    (tree / "include/here.h").write_text("#define HERE 1\n")
    (tree / "a/u.c").write_text("int old(void) { return 0; }\n")
    (build / "made.h").write_text("#define MADE 4\n")
    (tmp_path / "secret.h").write_text("#define SECRET 8\n")
    arguments = ("--target=aarch64-linux-gnu", "-nostdinc", f"-I{tree}/include", "-I.")
    overlay = write_overlay(place, tree, contents, [(build, arguments)])
    return lower_unit(
        tree=tree, file=file, arguments=arguments, directory=build, overlay=str(overlay)
    )


def test_changed_new_and_deleted_files(tmp_path: Path) -> None:
    source = b"""#include <here.h>
#include "../b/new.h"
#include <made.h>
#if __has_include("gone.h")
#error there
#endif
int new(void) { return HERE + NEW + MADE; }
"""
    (tmp_path / "tree/a").mkdir(parents=True)
    (tmp_path / "tree/a/gone.h").write_text("")
    unit = lower(
        tmp_path,
        "a/u.c",
        {"a/u.c": source, "b/new.h": b"#define NEW 2\n", "a/gone.h": None},
    )
    assert not unit.errors
    assert [fn.name for fn in unit.functions] == ["new"]
    assert set(unit.deps) == {
        "a/u.c", "b/new.h", "include/here.h", str(tmp_path / "build/made.h"),
    }  # fmt: skip
    assert (tmp_path / "tree/a/u.c").read_text().startswith("int old")
    assert not (tmp_path / "tree/b").exists()


def test_a_file_that_is_new(tmp_path: Path) -> None:
    unit = lower(
        tmp_path, "n/e/w.c", {"n/e/w.c": b"#include <here.h>\nint f(void) { return HERE; }"}
    )
    assert not unit.errors and unit.functions[0].file == "n/e/w.c"


def test_what_is_outside_cannot_be_seen(tmp_path: Path) -> None:
    for name in (str(tmp_path / "secret.h"), "../../secret.h", "../place/0", "/etc/passwd"):
        source = f'#if __has_include("{name}")\nint seen;\n#endif\n#include "{name}"\n'
        unit = lower(tmp_path, "a/u.c", {"a/u.c": source.encode()})
        assert len(unit.errors) == 1 and "file not found" in unit.errors[0]
        assert not unit.globals
