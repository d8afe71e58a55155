# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs on the runtime, and the execution contexts of the recorded cells."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ctxlint.frontend import lower_unit
from ctxlint.simulator.code import Code
from ctxlint.simulator.image import Image
from ctxlint.simulator.outcome import Stop
from ctxlint.simulator.runtime.choice import Choices
from ctxlint.simulator.runtime.library import add_models, kernel
from ctxlint.simulator.runtime.state import RUNNING, Config, Kernel, Report

ROOT = Path(__file__).parents[3]
CELLS = "tests/simulator/runtime/texts/cells.c"
ARGUMENTS = (
    "--target=aarch64-linux-gnu", "-nostdinc", "-ffreestanding", "-std=gnu11",
    "-Iarch/arm64/include", "-Iinclude", "-D__KERNEL__", "-DCONFIG_ARM64=1", "-DCONFIG_SMP=1",
    "-DCONFIG_HOTPLUG_CPU=1",
)  # fmt: skip


@dataclass(frozen=True)
class Preset:
    """A context that is made from outside: the task (``1`` is its CPU) and what the
    recorded kernels show in it when the operation begins."""

    comm: str
    count: int = 0
    irqs_off: bool = False
    rcu: int = 0
    softirq: int = 0


_SOFTIRQ_RT = Preset("ksoftirqd/1", rcu=3, softirq=0x100)
_CPUHP = Preset("cpuhp/1")
_HARDIRQ = Preset("swapper/1", 0x10001, True)
BOTH = {
    "hp": Preset("swapper/1", 1, True),
    "boot": Preset("swapper/1", 1, True),
    "setup": Preset("cpuhp/1", 0, True),
    "dying": Preset("migration/1", 1, True),
    "rmdying": Preset("cpuhp/1", 0, True),
    "online": _CPUHP,
    "hponline": _CPUHP,
    "offline": _CPUHP,
    "prep": Preset("init"),
    "dead": Preset("kworker/1:0"),
    "hardirq": _HARDIRQ,
    "ipi": _HARDIRQ,
    "ipiself": Preset("init", 1, True),
    "stop": Preset("migration/1", 1, True),
    "stopone": Preset("migration/1", 1),
    "hrhard": _HARDIRQ,
    "wq": Preset("kworker/1:0"),
}
RT = {
    **BOTH,
    "timer": _SOFTIRQ_RT,
    "timerirqsafe": Preset("ksoftirqd/1", irqs_off=True, rcu=3, softirq=0x100),
    "hrdef": _SOFTIRQ_RT,
    "hrsoft": _SOFTIRQ_RT,
    "tasklet": Preset("ksoftirqd/1", rcu=2, softirq=0x100),
    "rcucb": Preset("rcuc/1", rcu=2, softirq=0x200),
    "irqworknorm": Preset("irq_work/1", rcu=1),
}
NO_RT = {
    **BOTH,
    "timer": Preset("swapper/1", 0x101),
    "timerirqsafe": Preset("swapper/1", 0x101, True),
    "hrdef": _HARDIRQ,
    "hrsoft": Preset("swapper/1", 0x101),
    "tasklet": Preset("ksoftirqd/1", 0x100),
    "rcucb": Preset("swapper/1", 0x101),
    "irqworknorm": _HARDIRQ,
}


def machine(texts: tuple[str, ...], rt: bool) -> Image:
    """An image of C texts that stand in the miniature tree."""
    image = Image()
    config = Config(rt=rt)
    arguments = (*ARGUMENTS, *(("-DCONFIG_PREEMPT_RT=1",) if rt else ()))
    tree = ROOT / "fixtures" / "tree"
    for text in texts:
        unit = lower_unit(
            tree=ROOT, file=text, arguments=arguments, directory=tree,
        )  # fmt: skip
        assert unit.errors == (), unit.errors
        image.add_unit(unit)
    add_models(image, config)
    return image


@cache
def cells(rt: bool) -> Image:
    return machine((CELLS,), rt)


@cache
def compiled(rt: bool) -> Code:
    return Code(cells(rt))


def boot(image: Image, rt: bool, *, code: Code | None = None, **more: object) -> Kernel:
    """A kernel that runs, a task on CPU 0."""
    config = Config(rt=rt, **more)  # type: ignore[arg-type]
    made = kernel(image, config, code=code)
    made.system_state = RUNNING
    for cpu in made.cpus:
        cpu.online = True
        cpu.irqs_off = False
    enter(made, Preset("init"))
    return made


def enter(k: Kernel, preset: Preset) -> None:
    """Let another task run as the preset says, on CPU 1 where it is a CPU's own."""
    k.remove(k.task)
    k.cpu = k.cpus[0 if preset.comm == "init" else 1]
    if preset.comm.startswith("swapper"):
        task = k.cpu.idle
    else:
        task = k.new_task(preset.comm, k.cpu.number)
    task.preempt_count = preset.count
    task.rcu_depth = task.migration_disabled = preset.rcu
    task.softirq_disabled = preset.softirq
    k.cpu.current = task
    k.cpu.irqs_off = preset.irqs_off
    k.install(task)


def run_cell(
    context: str,
    operation: str,
    rt: bool,
    forced: dict[str, bool] | None = None,
    **more: object,
) -> tuple[Kernel, list[Report], str]:
    """Run an operation of cells.c in a context: the kernel, what it reported, and how it
    ended (``""`` when the operation returned)."""
    k = boot(cells(rt), rt, code=compiled(rt), **more)
    k.m.call("prepare")
    assert not k.reports, k.reports[0].headline
    choices = k.part(Choices)
    choices.asked.clear()
    choices.forced.update(forced or {})
    end = ""
    preset = (RT if rt else NO_RT).get(context)
    try:
        if preset is not None:
            enter(k, preset)
            k.m.call(f"op_{operation}")
        else:
            name = {"raw": "rawspin"}.get(context, context)
            k.m.call(f"within_{name}", k.m.image.text_of(f"op_{operation}"))
    except Stop as stop:
        end = f"{type(stop).__name__}: {stop}"
    return k, list(k.reports), end


__all__ = ["NO_RT", "RT", "Preset", "boot", "cells", "enter", "machine", "run_cell"]
