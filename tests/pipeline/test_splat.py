# SPDX-License-Identifier: GPL-2.0-or-later
"""Logs against trees: the finding or the path that explains a splat."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import fixture_harness
import pytest
from warm_cache import warmed

from ctxlint.base.request import Quiet
from ctxlint.findings.model import Result
from ctxlint.pipeline import Request, audit
from ctxlint.pipeline.splat import SplatAnswer, explain

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
XEN = (ROOT / "tests/kernel_log/logs/warn-5.15-xen.txt").read_text()
OUTER = """\
 cpuhp_invoke_callback+0x16c/0x350
 __cpuhp_invoke_callback_range+0xe8/0x140
 notify_cpu_starting+0x80/0xac
 secondary_start_kernel+0xf8/0x134
 __secondary_switched+0x6c/0x70
"""


def splat(*frames: str, file: str = "kernel/locking/spinlock_rt.c", line: int = 48) -> str:
    """A splat of a CPU that comes up, with these innermost frames."""
    return (
        f"BUG: sleeping function called from invalid context at {file}:{line}\n"
        "in_atomic(): 1, irqs_disabled(): 1, non_block: 0, pid: 0, name: swapper/1\n"
        "preempt_count: 1, expected: 0\n"
        "RCU nest depth: 0, expected: 0\n"
        "CPU: 1 UID: 0 PID: 0 Comm: swapper/1 Not tainted 6.12.1 #1 \n"
        "Call trace:\n dump_stack+0x14/0x1c\n __might_resched+0x130/0x1ac\n"
        + "".join(f" {name}+0x10/0x100\n" for name in frames)
        + OUTER
    )


FREE = ("rt_spin_lock", "free_one_page", "__free_pages_ok", "free_pages")
RESERVE = ("rt_read_lock", "region_intersects", "memremap", "efi_mem_reserve_persistent")
LILY = ("lily_its_cpu_init", "lily_starting_cpu")


@pytest.fixture(scope="module")
def lily(tmp_path_factory: pytest.TempPathFactory) -> Request:
    folder = tmp_path_factory.mktemp("lily")
    shutil.copytree(ROOT / "fixtures/tree", folder / "tree")
    return Request(
        tree=folder / "tree",
        paths=("drivers/irqchip",),
        builds=tuple(folder / "tree/builds" / name for name in ("rt", "nort")),
        cache=warmed(folder / "cache"),
        jobs=1,
    )


@pytest.fixture(scope="module")
def saved(lily: Request) -> Result:
    return audit(lily, Quiet())


def one(text: str, request: Request | None = None, result: Result | None = None) -> SplatAnswer:
    (answer,) = explain(text, request, result, Quiet()).splats
    return answer


def test_a_saved_result_tells_the_finding(saved: Result) -> None:
    for frames, callee in ((FREE, "free_pages"), (RESERVE, "efi_mem_reserve_persistent")):
        found = one(splat(*frames, *LILY), result=saved).finding
        assert found is not None and found.sure
        assert found.finding.callee == callee
        assert found.on_stack == ("lily_its_cpu_init", "lily_starting_cpu")
        assert "lily_cpu_init" in found.inlined and found.others == ()


def test_suffixes_of_compilers_do_not_matter(saved: Result) -> None:
    frames = (*FREE, "lily_its_cpu_init.constprop.0", "lily_starting_cpu.llvm.123.cold")
    found = one(splat(*frames), result=saved).finding
    assert found is not None and found.finding.callee == "free_pages"


def test_a_function_that_is_not_inlined_is_on_the_stack(saved: Result) -> None:
    frames = (*FREE, "lily_free_pending_table", *LILY[:1], "lily_cpu_init", *LILY[1:])
    found = one(splat(*frames), result=saved).finding
    assert found is not None and found.inlined == () and found.sure


def test_another_way_to_the_operation_is_not_sure(saved: Result) -> None:
    found = one(splat(*FREE, "lily_other", *LILY), result=saved).finding
    assert found is not None and not found.sure
    assert found.others == ("lily_other",)


@pytest.mark.parametrize(
    "frames",
    [
        ("mutex_lock", *LILY),  # another operation
        (*FREE, "lily_its_cpu_init"),  # not entered by the callback
        ("rt_spin_lock", *FREE[:3]),  # nothing of the driver
    ],
)
def test_no_finding(saved: Result, frames: tuple[str, ...]) -> None:
    answer = one(splat(*frames), result=saved)
    assert answer.finding is None and answer.nothing


def test_the_way_in_the_tree(lily: Request) -> None:
    answer = one(splat(*FREE, *LILY), request=lily)
    path = answer.path
    assert answer.finding is not None and path is not None
    assert path.entry == (
        "lily_starting_cpu() is cpuhp startup for CPUHP_AP_IRQ_GIC_STARTING"
        " (drivers/irqchip/irq-lily.c:23)"
    )
    assert path.entry_context == "cpuhp-starting"
    assert [(c.function, c.callee, c.inlined) for c in path.calls] == [
        ("lily_starting_cpu", "lily_cpu_init", False),
        ("lily_cpu_init", "lily_its_cpu_init", True),
        ("lily_its_cpu_init", "lily_free_pending_table", False),
        ("lily_free_pending_table", "free_pages", True),
    ]
    assert (path.operation, path.broken) == ("page-free", ())
    text = (lily.tree / path.file).read_text().splitlines()
    assert "free_pages(" in text[path.line - 1]


def test_a_stack_that_the_tree_does_not_have(lily: Request) -> None:
    path = one(splat(*FREE, "lily_its_probe", "lily_starting_cpu"), request=lily).path
    assert path is not None
    assert ("lily_its_probe", "lily_starting_cpu") in path.broken


def test_files_are_found_by_what_is_on_the_stacks(lily: Request) -> None:
    report = explain(splat(*FREE, *LILY), dataclasses.replace(lily, paths=()), None, Quiet())
    assert report.looked_in == (
        "drivers/irqchip/irq-lily-its.c", "drivers/irqchip/irq-lily.c",
    )  # fmt: skip
    (answer,) = report.splats
    assert answer.finding is not None and answer.path is not None


def test_without_anything_it_still_reads(lily: Request) -> None:
    answer = one(XEN)
    assert (answer.kind, answer.error) == ("warning", ("x0", "-19 (ENODEV)"))
    assert answer.context is not None and answer.context.section == "STARTING"
    assert "--tree" in answer.nothing
    nowhere = one(XEN, request=lily)
    assert nowhere.path is None and "none of its functions" in nowhere.nothing


def test_repeats_are_counted() -> None:
    (answer,) = explain(splat("a") * 4, None, None, Quiet()).splats
    assert answer.same == 3


# -- the warning that a Xen guest printed for each CPU, in 2022 ------------------------


@pytest.fixture
def gic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Request:
    monkeypatch.setattr(fixture_harness, "BELOW", "drivers/irqchip")
    sources = {path.name: path.read_text() for path in (HERE / "splat_tree").glob("*.c")}
    builds = fixture_harness.make_tree(tmp_path / "tree", sources)
    return Request(
        tree=tmp_path / "tree",
        paths=("drivers/irqchip",),
        builds=builds,
        cache=tmp_path / "cache",
        jobs=1,
    )


def test_the_reservation_call(gic: Request) -> None:
    answer = one(XEN, request=gic)
    assert answer.task == "CPU 30, swapper/30 (pid 0)"
    assert answer.error == ("x0", "-19 (ENODEV)")
    assert answer.context is not None and answer.context.name == "cpuhp-starting"
    path = answer.path
    assert path is not None and path.broken == ()
    # The condition that cannot be -ENODEV is nearer to the line of the log.
    assert path.tested == "gic_reserve_range"
    assert path.text == "WARN_ON(gic_reserve_range(table));"
    assert (path.function, path.elsewhere) == ("its_cpu_init_lpis", False)
    assert path.entry.startswith("gic_starting_cpu() is cpuhp startup")
    assert path.operation == "firmware"
    found = answer.finding
    assert found is not None
    assert found.finding.callee == "efi_mem_reserve_persistent"
    assert found.on_stack == ("its_cpu_init", "gic_starting_cpu")
    assert found.inlined == ("gic_reserve_range", "its_cpu_init_lpis")


def test_the_line_decides_when_it_has_a_warning(gic: Request) -> None:
    lines = (gic.tree / "drivers/irqchip/irq-gic-v3-its.c").read_text().splitlines()
    check = next(i for i, line in enumerate(lines, 1) if "!gic_check" in line)
    path = one(XEN.replace("3074", str(check)), request=gic).path
    assert path is not None and path.line == check and path.moved == ""
    assert path.text.startswith("WARN_ON(!gic_check_reserved_range")


def test_the_statement_may_have_moved_to_another_function(gic: Request) -> None:
    file = gic.tree / "drivers/irqchip/irq-gic-v3-its.c"
    text = file.read_text().replace("\tWARN_ON(gic_reserve_range(table));\n", "")
    text += "\nvoid its_later(void)\n{\n\tWARN_ON(gic_reserve_range(table));\n}\n"
    file.write_text(text)
    path = one(XEN, request=gic).path
    assert path is not None and path.elsewhere
    assert (path.function, path.tested) == ("its_later", "gic_reserve_range")
    assert "no warning in its_cpu_init() tests what can be -ENODEV" in path.moved
