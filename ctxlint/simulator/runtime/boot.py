# SPDX-License-Identifier: GPL-2.0-or-later
"""Starting a kernel of the model, and going from one to the next on the same machine.

``rules/models/boot.c`` says in which order things happen; what a scenario adds has the
name of a step (``"init irq"``, ``"smp"``, ``"user"``, ...) or of an initcall level.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ctxlint.simulator.machine import Machine, primitive
from ctxlint.simulator.memory import SymPage
from ctxlint.simulator.outcome import Stop
from ctxlint.simulator.runtime import ipi, kthreads, notifiers, smccc, timers, work  # noqa: F401 - primitives
from ctxlint.simulator.runtime.cpuhp import Hotplug
from ctxlint.simulator.runtime.physical import Physical
from ctxlint.simulator.runtime.policy import Policy
from ctxlint.simulator.runtime.scheduler import Simulation
from ctxlint.simulator.runtime.state import Kernel, kernel_of
from ctxlint.simulator.runtime.tasks import Thread
from ctxlint.simulator.runtime.threads import literal
from ctxlint.simulator.trace import Trace

_ENTRY = "model_entry_boot"
_UP = "model_entry_cpu_up"
_DOWN = "model_entry_cpu_down"
INIT = "init"

Hook = Callable[[], object]


class NextKernel(Stop):
    """Control goes to another kernel. ``how`` is ``"kexec"``, ``"crash"``, ``"restart"``,
    ``"halt"`` or ``"power off"``."""

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how


@dataclass
class Hardware:
    """What outlives a kernel beside memory and its devices: ``parts`` by name (firmware,
    redistributors), and ``generation``, the number of kernels so far."""

    parts: dict[str, Any] = field(default_factory=dict)
    generation: int = 0


class Boot:
    """What a scenario adds to the start of a kernel.

    ``hooks`` are called in a step, ``initcalls`` are symbols of functions that are called
    as initcalls of their level. ``present`` limits the CPUs that are brought up.
    """

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.hooks: dict[str, list[Hook]] = {}
        self.initcalls: dict[str, list[str]] = {}
        self.steps: list[str] = []
        """The steps that were come to."""
        self.hardware = Hardware()

    def at(self, step: str, hook: Hook) -> None:
        self.hooks.setdefault(step, []).append(hook)

    def initcall(self, level: str, symbol: str) -> None:
        self.initcalls.setdefault(level, []).append(symbol)

    def absent(self, cpu: int) -> None:
        """The CPU is possible, but not there."""
        self.kernel.part(Hotplug).cpus[cpu].present = 0


@primitive
def model_boot_step(m: Machine, name: int) -> None:
    """``void model_boot_step(const char *name)``: what a scenario hooked in here."""
    kernel = kernel_of(m)
    boot = kernel.part(Boot)
    step = literal(m, name)
    boot.steps.append(step)
    if isinstance(kernel.sched, Simulation):
        kernel.sched.note(f"step {step}")
    if step == "user":
        kernel.task.comm = INIT
    for hook in boot.hooks.get(step, ()):
        hook()


@primitive
def model_boot_next(m: Machine, level: int) -> int:
    """``void *model_boot_next(const char *level)``: the next initcall, or NULL."""
    calls = kernel_of(m).part(Boot).initcalls.get(literal(m, level))
    return m.image.text_of(calls.pop(0)) if calls else 0


@primitive
def model_next_kernel(m: Machine, how: int) -> None:
    """``_Noreturn void model_next_kernel(const char *how)``: this kernel ends."""
    raise NextKernel(literal(m, how))


def succeed(old: Kernel, new: Kernel, *, first_page: int | None = None) -> None:
    """Put a new kernel, which has not booted yet, on the machine of an old one that has
    ended: contents of memory, devices, hardware, the clock. The new kernel knows nothing
    of what the old one's pages were for. ``first_page`` is the page frame from which it
    allocates (a crash kernel stays in a region of its own)."""
    memory, before = new.part(Physical), old.part(Physical)
    for number, page in sorted(old.m.mem.pages.items()):
        # Pages with unknown bytes in them were exchanged behind the linear map.
        if isinstance(page, SymPage):
            frame = before.frame_of(number)
            if frame is not None:
                before.pages[frame] = page
    memory.pages, memory.devices = before.pages, before.devices
    if first_page is not None:
        memory.begin_at(first_page)
    new.part(Boot).hardware = old.part(Boot).hardware
    new.now = old.now
    if isinstance(old.sched, Simulation):
        old.sched.close()


def boot(
    kernel: Kernel,
    *,
    policy: Policy | None = None,
    trace: Trace | None = None,
) -> Simulation:
    """Boot a kernel up to user space: its first task has then run the hooks of
    ``"user"`` and ended. Endings of any task are raised."""
    sim = Simulation(kernel, policy, trace)
    start = kernel.part(Boot)
    start.hardware.generation += 1
    sim.start_cpu(0, lambda: kernel.m.call(_ENTRY))
    sim.run_until(lambda: "user" in start.steps and not _first(sim))
    return sim


def _first(sim: Simulation) -> bool:
    return any(thread.task.pid == 1 for thread in sim.threads)


def user(sim: Simulation, symbol: str, *args: Any, cpu: int = 0) -> Thread:
    """A task of user space, in a system call that runs a function of the image."""
    m = sim.kernel.m
    return sim.spawn(INIT, cpu, lambda: m.call(symbol, *args))


def cpu_up(sim: Simulation, number: int, *, on: int = 0) -> int:
    """Bring a CPU up as by a write to its ``online`` file; the errno."""
    return int(sim.run(user(sim, _UP, number, cpu=on)))


def cpu_down(sim: Simulation, number: int, *, on: int = 0) -> int:
    """Take a CPU down as by a write to its ``online`` file; the errno."""
    return int(sim.run(user(sim, _DOWN, number, cpu=on)))


__all__ = ["Boot", "Hardware", "NextKernel", "boot", "cpu_down", "cpu_up", "succeed", "user"]
