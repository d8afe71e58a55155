# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs on the runtime, and the execution contexts of the recorded cells."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from ctxlint.frontend import lower_unit
from ctxlint.model.image import Image
from ctxlint.model.outcome import Stop
from ctxlint.model.runtime.choice import Choices
from ctxlint.model.runtime.library import add_models, kernel
from ctxlint.model.runtime.state import BOOTING, RUNNING, Config, Kernel, Report

FIXTURES = Path(__file__).parents[3] / "fixtures"
ARGUMENTS = (
    "--target=aarch64-linux-gnu", "-nostdinc", "-ffreestanding", "-std=gnu11",
    "-Iarch/arm64/include", "-Iinclude", "-D__KERNEL__", "-DCONFIG_ARM64=1", "-DCONFIG_SMP=1",
    "-DCONFIG_HOTPLUG_CPU=1",
)  # fmt: skip

# Contexts that are made from outside: task, what the counts are, interrupts off. The
# tasks are those of the recorded kernels.
PRESETS: dict[str, tuple[str, bool, int, bool]] = {
    "hp": ("swapper/1", True, 1, True),
    "boot": ("swapper/1", True, 1, True),
    "setup": ("cpuhp/1", False, 0, True),
    "dying": ("migration/1", False, 1, True),
    "rmdying": ("cpuhp/1", False, 0, True),
    "online": ("cpuhp/1", False, 0, False),
    "hponline": ("cpuhp/1", False, 0, False),
    "offline": ("cpuhp/1", False, 0, False),
    "prep": ("kworker/0:0", False, 0, False),
    "dead": ("kworker/0:0", False, 0, False),
    "hardirq": ("swapper/1", True, 0x10001, True),
    "ipi": ("swapper/1", True, 0x10001, True),
    "ipiself": ("init", False, 0x1, True),
    "stop": ("migration/1", False, 1, True),
    "stopone": ("migration/1", False, 1, False),
    "hrhard": ("swapper/1", True, 0x10001, True),
    "wq": ("kworker/1:0", False, 0, False),
}
STARTING = {"hp", "boot", "setup", "dying", "rmdying"}


def machine(texts: tuple[str, ...], rt: bool) -> Image:
    """An image of C texts that stand in the miniature tree."""
    image = Image()
    config = Config(rt=rt)
    arguments = (*ARGUMENTS, *(("-DCONFIG_PREEMPT_RT=1",) if rt else ()))
    tree = FIXTURES / "tree"
    for text in texts:
        unit = lower_unit(
            tree=FIXTURES, file=text, arguments=arguments, directory=tree,
        )  # fmt: skip
        assert unit.errors == (), unit.errors
        image.add_unit(unit)
    add_models(image, config)
    return image


@cache
def cells(rt: bool) -> Image:
    return machine(("model/cells.c",), rt)


def boot(image: Image, rt: bool, **more: object) -> Kernel:
    """A kernel that runs, a task on CPU 0."""
    config = Config(rt=rt, **more)  # type: ignore[arg-type]
    made = kernel(image, config)
    made.system_state = RUNNING
    for cpu in made.cpus:
        cpu.online = True
        cpu.irqs_off = False
    enter(made, "init", False, 0, False)
    return made


def enter(k: Kernel, comm: str, idle: bool, count: int, irqs_off: bool) -> None:
    """Let another task run on this CPU, with these counts."""
    k.remove(k.task)
    if idle:
        task = k.cpu.idle
        task.comm = comm
    else:
        task = k.new_task(comm, k.cpu.number)
    task.preempt_count = count
    k.cpu.current = task
    k.cpu.irqs_off = irqs_off
    k.install(task)


def run_cell(
    context: str, operation: str, rt: bool, forced: dict[str, bool] | None = None, **more: object
) -> tuple[Kernel, list[Report], str]:
    """Run an operation of cells.c in a context: the kernel, what it reported, and how it
    ended (``""`` when the operation returned)."""
    k = boot(cells(rt), rt, **more)
    k.m.call("prepare")
    assert not k.reports, k.reports[0].headline
    k.part(Choices).forced.update(forced or {})
    if operation == "kfreelast":
        k.part(Choices)
    end = ""
    try:
        if context in PRESETS:
            enter(k, *PRESETS[context])
            k.m.call(f"op_{operation}")
        else:
            name = {"raw": "rawspin"}.get(context, context)
            k.m.call(f"within_{name}", k.m.image.text_of(f"op_{operation}"))
    except Stop as stop:
        end = f"{type(stop).__name__}: {stop}"
    return k, list(k.reports), end


__all__ = ["BOOTING", "PRESETS", "boot", "cells", "enter", "machine", "run_cell"]
