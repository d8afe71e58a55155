# SPDX-License-Identifier: GPL-2.0-or-later
"""What was not looked at is said, in each format, and is not exit code 0."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from warm_cache import warmed

from ctxlint.cli.audit import FORMATS
from ctxlint.cli.main import main

FIXTURE = Path(__file__).parents[2] / "fixtures" / "tree"
NEW = "drivers/irqchip/irq-new.c"
ALONE = "fs/x/alone.c"
PATCH = """\
From: A <a@example.org>
Subject: [PATCH] x: add a file

---
diff --git a/{file} b/{file}
new file mode 100644
--- /dev/null
+++ b/{file}
@@ -0,0 +1 @@
+{line}
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tree = tmp_path_factory.mktemp("unseen") / "tree"
    shutil.copytree(FIXTURE, tree)
    (tree / NEW).write_text("int x;\n")
    (tree / "empty").mkdir()
    warmed(tree.parent / "cache")
    return tree


@pytest.fixture
def run(tree: Path, capfd: pytest.CaptureFixture[str]):  # type: ignore[no-untyped-def]
    def go(*words: str) -> tuple[int, str, str]:
        where = ("--tree", str(tree), "--cache", str(tree.parent / "cache"), "-j", "1", "-q")
        code = main([*words, *where])
        out, err = capfd.readouterr()
        return code, out, err

    return go


@pytest.mark.parametrize("style", FORMATS)
def test_a_named_file_that_nothing_compiles(run, style: str) -> None:  # type: ignore[no-untyped-def]
    code, out, _ = run("audit", NEW, "--format", style)
    assert code == 3
    assert NEW in out.replace("\\/", "/")
    assert "no Makefile names it" in " ".join(out.split())
    if style == "json":
        [item] = json.loads(out)["incomplete"]
        assert (item["kind"], item["file"], item["profile"]) == ("path", NEW, "")
    if style == "sarif":
        invocation = json.loads(out)["runs"][0]["invocations"][0]
        assert invocation["executionSuccessful"] is False


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("drivers/irqchip/irq-lily.h", "for example drivers/irqchip/irq-lily"),
        ("include/linux/spinlock.h", "name one of them, for example drivers/"),
        ("include", "headers are analysed with the .c files that include"),
        ("Makefile", "no C file; name C files"),
    ],
)
def test_what_is_no_unit(run, path: str, words: str) -> None:  # type: ignore[no-untyped-def]
    code, out, _ = run("audit", path)
    assert code == 3
    assert words in " ".join(out.split())


@pytest.mark.parametrize("path", ["empty", "nosuch.c", "drivers/nosuch"])
def test_a_mistake(run, path: str) -> None:  # type: ignore[no-untyped-def]
    code, out, err = run("audit", path)
    assert (code, out) == (2, "")
    assert path in err and len(err.splitlines()) <= 2


def test_a_file_beside_others(run) -> None:  # type: ignore[no-untyped-def]
    code, out, _ = run("audit", NEW, "drivers/irqchip/irq-rose.c")
    assert code == 3
    assert "2 units of Linux" in out


def test_a_header_with_a_unit_that_includes_it(run) -> None:  # type: ignore[no-untyped-def]
    code, out, _ = run("audit", "drivers/irqchip/irq-lily.h", "drivers/irqchip/irq-lily.c")
    assert code == 0
    assert "was not analysed" not in out


def test_a_directory_with_a_file_that_is_not_built(run) -> None:  # type: ignore[no-untyped-def]
    """What is in it was looked at; the rest is listed."""
    code, out, _ = run("audit", "drivers/irqchip")
    assert code == 1
    assert f"1 file that no profile compiles:\n  {NEW}\n" in out


@pytest.mark.parametrize(
    ("file", "line", "code"),
    [
        (ALONE, "int x;", 3),
        ("include/linux/nobody.h", "int nobody(void);", 3),
        ("tools/x/main.c", "int x;", 0),
        ("drivers/irqchip/irq-more.c", "int more;", 0),
        ("kernel/entry.S", "nop", 3),
        ("drivers/x/table.inc", "int x;", 3),
        ("drivers/x/font.c_shipped", "int x;", 3),
        ("rust/kernel/lock.rs", "fn x() {}", 3),
        ("drivers/x/x.rs", "fn x() {}", 3),
        ("rust/helpers/x.c", "int x;", 3),
        ("arch/arm64/kernel/vmlinux.lds.S", "SECTIONS {}", 0),
        ("Documentation/x.rst", "text", 0),
        ("Documentation/devicetree/bindings/x.yaml", "text: x", 0),
        ("MAINTAINERS", "text", 0),
        ("tools/x/x.S", "nop", 0),
        ("arch/arm64/boot/dts/x.dts", "/ { };", 0),
        ("include/dt-bindings/clock/x.h", "#define X 1", 0),
    ],
)
def test_a_patch(run, tmp_path: Path, file: str, line: str, code: int) -> None:  # type: ignore[no-untyped-def]
    mail = tmp_path / "1.patch"
    mail.write_text(PATCH.format(file=file, line=line))
    found, out, _ = run("patch", str(mail))
    assert (found, "Incomplete: 1 path was not analysed" in out) == (code, code == 3)


@pytest.mark.parametrize(
    "style", ["json", "sarif", "html", "github", "gitlab", "b4", "b4-lines"]
)
def test_a_patch_in_each_format(run, tmp_path: Path, style: str) -> None:  # type: ignore[no-untyped-def]
    mail = tmp_path / "1.patch"
    mail.write_text(PATCH.format(file=ALONE, line="int x;"))
    code, out, _ = run("patch", str(mail), "--format", style)
    assert code == 3
    assert (ALONE if style != "b4-lines" else "1 path was not analysed") in out


@pytest.mark.parametrize(
    "style", ["text", "json", "sarif", "html", "github", "gitlab", "b4", "b4-lines", "mail"]
)
def test_assembly_in_each_format(  # type: ignore[no-untyped-def]
    run, tmp_path: Path, style: str
) -> None:
    """What is never read is said like what is not built."""
    mail = tmp_path / "1.patch"
    mail.write_text(PATCH.format(file="kernel/entry.S", line="nop"))
    code, out, err = run("patch", str(mail), "--format", style)
    assert code == 3
    if style == "b4-lines":
        assert "1 path was not analysed" in out
    else:
        told = " ".join((err if style == "mail" else out).replace("\\/", "/").split())
        assert "kernel/entry.S" in told
        assert "assembly, which is not analysed" in told


MAKEFILE = "drivers/irqchip/Makefile"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("obj-y += irq-new.o", f"{NEW}: {MAKEFILE} now builds it and did not before"),
        ("ccflags-y += -DQUIET", "it changes compiler flags"),
        ("CFLAGS_irq-rose.o := $(call cc-option,-DX)", "it changes compiler flags"),
        ("ccflags-y += -Wall -O2", ""),
        ("obj-y += irq-rose.o", ""),
        ("# obj-y += irq-new.o", ""),
    ],
)
def test_a_makefile_that_builds_more_or_otherwise(  # type: ignore[no-untyped-def]
    run, tmp_path: Path, line: str, words: str
) -> None:
    mail = tmp_path / "1.patch"
    mail.write_text(PATCH.format(file=MAKEFILE, line=line))
    code, out, _ = run("patch", str(mail))
    said = " ".join(out.split())
    assert (code, words in said) == (3 if words else 0, True), out
    assert "flags and configuration stay those of the base" in said


@pytest.mark.parametrize(
    "style", ["text", "json", "sarif", "html", "github", "gitlab", "b4", "mail"]
)
def test_a_configuration_in_each_format(  # type: ignore[no-untyped-def]
    run, tmp_path: Path, style: str
) -> None:
    """A note: the profile is a configuration of the base."""
    mail = tmp_path / "1.patch"
    mail.write_text(PATCH.format(file="drivers/x/Kconfig", line="config X"))
    code, out, err = run("patch", str(mail), "--format", style)
    assert code == 0
    said = " ".join((out + err).replace("\\/", "/").split())
    assert "changes drivers/x/Kconfig: flags and configuration stay those of the base" in said
    if style == "b4":
        assert {entry["status"] for entry in json.loads(out)} == {"pass"}


def test_a_mail_is_for_its_author_and_the_rest_for_who_runs_this(  # type: ignore[no-untyped-def]
    run, tree: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    mail = tmp_path / "1.patch"
    mail.write_text(PATCH.format(file=ALONE, line="int x;"))
    code, out, err = run("patch", str(mail), "--format", "mail")
    assert (code, out) == (3, "")
    assert ALONE in err


def test_a_unit_that_fails_is_not_called_unbuilt(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    mail = tmp_path / "1.patch"
    mail.write_text(PATCH.format(file="drivers/irqchip/irq-bad.c", line="#error no"))
    code, out, _ = run("patch", str(mail))
    assert code == 3
    assert "2 units could not be analysed" in out
    assert "was not analysed" not in out
