# SPDX-License-Identifier: GPL-2.0-or-later
"""Findings of a change that is nowhere on the disk."""

from __future__ import annotations

import dataclasses
import os
import time
from pathlib import Path

import pytest
from warm_cache import warmed

from ctxlint import pipeline
from ctxlint.base.request import Quiet
from ctxlint.pipeline.changed import patched_tree, run_by_build
from ctxlint.pipeline.series import Change, compare
from ctxlint.report import json_report
from tests.pipeline.miniature import BUILDS, TREE

ROSE = "drivers/irqchip/irq-rose.c"
SNAIL = "drivers/irqchip/irq-snail.c"
LILY = "drivers/irqchip/irq-lily.c"
SLAB = "include/linux/slab.h"
READL = "	if (readl(rdist->base + ROSE_PENDBASER) & 1)"


def text(file: str) -> str:
    return (TREE / file).read_text()


def allocating(flags: str) -> bytes:
    """The rose driver with an allocation in its STARTING callback."""
    source = text(ROSE).replace(
        "#include <linux/io.h>", "#include <linux/io.h>\n#include <linux/slab.h>"
    )
    call = f"	rdist->pending = (unsigned long)kzalloc(64, {flags});\n"
    assert READL in source
    return source.replace(READL, call + READL).encode()


@pytest.fixture(scope="module")
def request_(tmp_path_factory: pytest.TempPathFactory) -> pipeline.Request:
    cache = warmed(tmp_path_factory.mktemp("cache"))
    return pipeline.Request(tree=TREE, builds=BUILDS, cache=cache, jobs=1)


def places(change: Change) -> list[tuple[str, str, bool]]:
    return [(f.function, f.callee, f.rt_only) for f in change.comparison.introduced]


def test_introduced(request_: pipeline.Request) -> None:
    change = compare(request_, {}, {ROSE: allocating("GFP_KERNEL")}, Quiet())
    assert places(change) == [("rose_starting_cpu", "kzalloc", False)]
    (finding,) = change.comparison.introduced
    assert "kzalloc(64, GFP_KERNEL)" in finding.text
    assert not change.comparison.fixed and not change.comparison.partly_fixed
    assert not change.incomplete


def test_only_what_changed_is_parsed(request_: pipeline.Request) -> None:
    compare(request_, {}, {ROSE: allocating("GFP_NOIO")}, Quiet())
    again = compare(request_, {}, {ROSE: allocating("GFP_NOWAIT")}, Quiet())
    assert again.parsed == (0, 2)  # one unit, two profiles
    assert compare(request_, {}, {ROSE: allocating("GFP_NOWAIT")}, Quiet()).parsed == (0, 0)


def test_the_base_is_as_it_was(request_: pipeline.Request) -> None:
    """What was read for a change is not taken for the tree's own."""
    before = json_report.render(pipeline.audit(request_, Quiet()))
    compare(request_, {}, {ROSE: allocating("GFP_KERNEL"), SLAB: b""}, Quiet())
    assert json_report.render(pipeline.audit(request_, Quiet())) == before


def test_half_a_fix(request_: pipeline.Request) -> None:
    change = compare(
        request_, {ROSE: allocating("GFP_KERNEL")}, {ROSE: allocating("GFP_ATOMIC")}, Quiet()
    )
    (pair,) = change.comparison.partly_fixed
    assert (pair.before.rt_only, pair.after.rt_only) == (False, True)
    assert not change.comparison.introduced and not change.comparison.fixed


def test_moved_and_fixed(request_: pipeline.Request) -> None:
    base = {ROSE: allocating("GFP_KERNEL")}
    later = b"/* a line */\n" + allocating("GFP_KERNEL")
    change = compare(request_, base, {ROSE: later}, Quiet())
    (pair,) = change.comparison.moved
    assert pair.after.line == pair.before.line + 1
    change = compare(request_, base, {ROSE: text(ROSE).encode()}, Quiet())
    assert [f.callee for f in change.comparison.fixed] == ["kzalloc"]


def test_a_new_caller_in_another_file(request_: pipeline.Request) -> None:
    """A function of an unchanged file becomes atomic."""
    helper = "drivers/irqchip/irq-helper.c"
    code = (
        b"#include <linux/slab.h>\nvoid *helper(void)\n{\n\treturn kzalloc(8, GFP_KERNEL);\n}\n"
    )
    source = text(LILY).replace(
        "static void lily_cpu_init(void)\n{",
        "void *helper(void);\nstatic void lily_cpu_init(void)\n{\n\thelper();",
    )
    change = compare(request_, {helper: code}, {LILY: source.encode()}, Quiet())
    assert places(change) == [("helper", "kzalloc", False)]
    assert change.comparison.introduced[0].file == helper
    assert change.flags_from == {helper: "drivers/irqchip/irq-lily-its.c"}
    assert change.parsed[1] == 2


def test_headers(request_: pipeline.Request) -> None:
    """A macro that changes in a header is seen by the units that include it."""
    header = "drivers/irqchip/irq-lily.h"
    changed = text(header).replace(
        "int lily_its_cpu_init(void);",
        "int lily_its_cpu_init(void);\n#include <linux/slab.h>\n"
        "static inline int lily_more(void)\n{\n\treturn !kzalloc(8, GFP_KERNEL);\n}\n"
        "#define lily_its_cpu_init() (lily_more() + lily_its_cpu_init())",
    )
    its = text("drivers/irqchip/irq-lily-its.c").replace(
        "int lily_its_cpu_init(void)\n{", "int (lily_its_cpu_init)(void)\n{"
    )
    change = compare(
        request_,
        {"drivers/irqchip/irq-lily-its.c": its.encode()},
        {header: changed.encode()},
        Quiet(),
    )
    assert places(change) == [("lily_cpu_init", "lily_its_cpu_init", False)]
    assert change.parsed[1] == 4


def test_a_widely_included_header_is_bounded_and_told(request_: pipeline.Request) -> None:
    header = "include/linux/types.h"
    changes = {header: text(header).encode() + b"\n"}
    change = compare(request_, {}, changes, Quiet(), max_units=1)
    assert change.parsed[1] == 2
    assert {i.file for i in change.incomplete} == {header}
    assert "1 of them" in change.incomplete[0].reason


def test_a_header_that_comes_before_another(request_: pipeline.Request) -> None:
    """A new file that is found first on the include path counts."""
    shadow = "arch/arm64/include/linux/slab.h"
    warm = compare(request_, {}, {ROSE: allocating("GFP_KERNEL")}, Quiet())
    assert places(warm)
    base = {ROSE: allocating("GFP_KERNEL")}
    change = compare(request_, base, {shadow: b"#define kzalloc(a, b) 0\n"}, Quiet())
    assert [f.callee for f in change.comparison.fixed] == ["kzalloc"]


def test_deleted_files(request_: pipeline.Request) -> None:
    change = compare(request_, {}, {"drivers/irqchip/irq-snail.c": None}, Quiet())
    assert [f.file for f in change.comparison.fixed] == ["drivers/irqchip/irq-snail.c"]
    change = compare(request_, {}, {"drivers/irqchip/irq-lily.h": None}, Quiet())
    assert {i.file for i in change.incomplete} == {
        "drivers/irqchip/irq-lily.c",
        "drivers/irqchip/irq-lily-its.c",
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../../../../../../../../../../../etc/passwd", "/dev/zero"]
)
def test_nothing_outside_is_included(request_: pipeline.Request, name: str) -> None:
    source = f'#if __has_include("{name}")\n#error seen\n#endif\n#include "{name}"\n'
    change = compare(request_, {}, {ROSE: source.encode()}, Quiet())
    assert {i.file for i in change.incomplete} == {ROSE}
    units = [i for i in change.incomplete if i.kind == "unit"]
    assert units and all("file not found" in i.detail for i in units)
    assert all("seen" not in i.detail and "root" not in i.detail for i in change.incomplete)


def test_nothing_is_left(request_: pipeline.Request, tmp_path: Path) -> None:
    before = sorted(p for p in TREE.rglob("*"))
    compare(request_, {}, {ROSE: allocating("GFP_KERNEL"), "new/dir/a.h": b""}, Quiet())
    assert sorted(p for p in TREE.rglob("*")) == before
    assert request_.cache is not None
    left = {p.name for p in request_.cache.iterdir()}
    assert left <= {"store.sqlite", "store.sqlite.lock", "models"}


def test_reach_sees_the_change(request_: pipeline.Request) -> None:
    """A caller in a file that is not audited, and that the change takes away."""
    its = "drivers/irqchip/irq-lily-its.c"
    single = dataclasses.replace(request_, paths=(its,), reach=2)
    source = text(LILY).replace("lily_starting_cpu, NULL);", "NULL, NULL);")
    with_its = {its: text(its).encode() + b"\n", LILY: source.encode()}
    before = {its: text(its).encode() + b"\n"}
    with patched_tree(single, {}, [its], Quiet()) as patched:
        assert len(patched.analyse(before).result.findings) == 2
        assert not patched.analyse(with_its, recent=[LILY]).result.findings


@pytest.mark.slow
def test_memory_and_time_of_a_unit_are_limited(request_: pipeline.Request) -> None:
    """Headers that explode cost their unit, and the run says so."""
    limited = dataclasses.replace(request_, timeout=2.0, rt="rt")
    bomb = {
        f"include/linux/bomb{n}.h": f"#include <linux/bomb{n + 1}.h>\n".encode() * 20
        for n in range(60)
    }
    bomb["include/linux/bomb60.h"] = b"int x;\n" * 1000
    rose = b"#include <linux/bomb0.h>\n" + text(ROSE).encode()
    itself = f'#include "{ROSE.rpartition("/")[2]}"\n'.encode()
    macros = b"#define A0 int x\n" + b"".join(
        f"#define A{n} A{n - 1}; A{n - 1}; A{n - 1}; A{n - 1}\n".encode() for n in range(1, 40)
    )
    deep = b"int x = " + b"(" * 200_000 + b"1" + b")" * 200_000 + b";\n"
    attacks: list[dict[str, bytes | None]] = [
        {**bomb, ROSE: rose},
        {ROSE: itself},
        {ROSE: macros + b"void f(void) { A39; }\n"},
        {ROSE: deep},
    ]
    for attack in attacks:
        started = time.monotonic()
        change = compare(limited, {}, attack, Quiet())
        assert {i.file for i in change.incomplete} == {ROSE}
        assert time.monotonic() - started < 60


def test_flags_in_changed_makefiles_count_for_nothing(
    request_: pipeline.Request, tmp_path: Path
) -> None:
    evil = tmp_path / "evil"
    changes: dict[str, bytes | None] = {
        "drivers/irqchip/Makefile": b"ccflags-y += -fplugin=./evil.so @evil -load x\n"
        + f"$(shell touch {evil})\n".encode(),
        "Makefile": b"VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 0\n$(error run)\n",
        "Kconfig": f"config X\n\tdef_bool $(shell,touch {evil})\n".encode(),
        "drivers/irqchip/irq-new.c": text(ROSE).replace("rose", "new").encode(),
    }
    change = compare(request_, {}, changes, Quiet())
    for told in change.incomplete:
        assert (told.file, told.kind) == ("drivers/irqchip/Makefile", "path")
    reasons = " ".join(sorted(told.reason for told in change.incomplete))
    assert "compiler flags" in reasons and "what it builds now is not known" in reasons
    assert change.flags_from == {"drivers/irqchip/irq-new.c": "drivers/irqchip/irq-lily-its.c"}
    assert not evil.exists()


def test_what_the_build_runs_is_shown_as_in_the_base(tmp_path: Path) -> None:
    """Makefiles, scripts, and sources where host programs are built; no others."""
    (tmp_path / "drivers/tty").mkdir(parents=True)
    (tmp_path / "drivers/tty/Makefile").write_text("hostprogs := conmakehash\n")
    build = [
        "Makefile",
        "arch/arm64/Kconfig.platforms",
        "drivers/net/Kbuild",
        "drivers/tty/con.c",
        "scripts/x.c",
        "tools/b.c",
    ]
    base = dict.fromkeys([*build, "drivers/net/a.c", "include/linux/a.h"], b"")
    assert sorted(run_by_build(tmp_path, base)) == build
    (tmp_path / "drivers/net").mkdir()
    (tmp_path / "drivers/net/Makefile").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "drivers/net/Kbuild")
    assert sorted(run_by_build(tmp_path, base)) == build


def test_code_that_asks_which_files_there_are(request_: pipeline.Request) -> None:
    asks = b'#if __has_include("hook.data")\n#endif\n'
    changes: dict[str, bytes | None] = {ROSE: text(ROSE).encode() + asks}
    [told] = compare(request_, {}, changes, Quiet()).incomplete
    assert (told.file, told.kind) == (ROSE, "path")
    assert "__has_include" in told.reason
    more: dict[str, bytes | None] = {ROSE: text(ROSE).encode() + asks + b"\n"}
    assert compare(request_, changes, more, Quiet()).incomplete == ()


def test_code_that_a_new_symbol_switches_on(request_: pipeline.Request) -> None:
    """The configuration is that of the base, which has no such symbol."""
    changes: dict[str, bytes | None] = {
        "drivers/irqchip/Kconfig": b"config ROSE_FAST\n\tbool\n\tdefault y\n",
        ROSE: text(ROSE).encode() + b"#ifdef CONFIG_ROSE_FAST\n#endif\n",
        SNAIL: text(SNAIL).encode() + b"#ifdef CONFIG_ROSE_FASTER\n#endif\n",
    }
    [told] = compare(request_, {}, changes, Quiet()).incomplete
    assert (told.file, told.kind) == (ROSE, "path")
    assert told.reason.startswith("CONFIG_ROSE_FAST is new")
    name = "drivers/irqchip/Kconfig"
    assert compare(request_, {name: changes[name]}, changes, Quiet()).incomplete == ()
