# SPDX-License-Identifier: GPL-2.0-or-later
"""Kernels with CPU hotplug, booted on small C texts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from ctxlint.ir.types import Type
from ctxlint.simulator.code import Code
from ctxlint.simulator.machine import Machine
from ctxlint.simulator.runtime import library
from ctxlint.simulator.runtime.assembly import AssemblyByRule
from ctxlint.simulator.runtime.boot import Boot, boot
from ctxlint.simulator.runtime.policy import Policy
from ctxlint.simulator.runtime.scheduler import Simulation
from ctxlint.simulator.runtime.state import Config, Kernel
from ctxlint.simulator.runtime.trace import call_trace
from ctxlint.simulator.trace import Trace
from tests.simulator.program import image_of

ENUM = """
enum cpuhp_state {
    CPUHP_INVALID = -1, CPUHP_OFFLINE, CPUHP_CREATE_THREADS, CPUHP_T_PREPARE,
    CPUHP_BP_PREPARE_DYN, CPUHP_BP_PREPARE_DYN_END = CPUHP_BP_PREPARE_DYN + 3,
    CPUHP_BP_KICK_AP, CPUHP_BRINGUP_CPU, CPUHP_AP_IDLE_DEAD, CPUHP_AP_OFFLINE,
    CPUHP_T_STARTING, CPUHP_T_STARTING2, CPUHP_AP_ONLINE, CPUHP_TEARDOWN_CPU,
    CPUHP_AP_ONLINE_IDLE, CPUHP_T_ONLINE, CPUHP_AP_ONLINE_DYN,
    CPUHP_AP_ONLINE_DYN_END = CPUHP_AP_ONLINE_DYN + 2, CPUHP_T_LAST, CPUHP_AP_ACTIVE,
    CPUHP_ONLINE,
};
enum cpuhp_state used_by_the_tests;
typedef int (*cb)(unsigned int);
int __cpuhp_setup_state(int, const char *, _Bool, cb, cb, _Bool);
int __cpuhp_setup_state_cpuslocked(int, const char *, _Bool, cb, cb, _Bool);
void __cpuhp_remove_state(int, _Bool);
int __cpuhp_state_add_instance(int, void *, _Bool);
int __cpuhp_state_remove_instance(int, void *, _Bool);
void probe(const char *, int cpu);
int answer(const char *, int cpu);
"""


def text(name: str) -> str:
    """A C text of this directory."""
    return (Path(__file__).parent / "texts" / f"{name}.c").read_text(encoding="utf-8")


class Seen:
    """One call of ``probe(name, cpu)``: who ran, and in which context."""

    def __init__(self, kernel: Kernel, name: str, cpu: int) -> None:
        task = kernel.task
        self.name = name
        self.cpu = cpu
        self.on = kernel.cpu.number
        self.comm = task.comm
        self.pid = task.pid
        self.count = task.preempt_count
        self.irqs_off = kernel.cpu.irqs_off
        self.rcu = task.rcu_depth
        self.migration = task.migration_disabled
        self.trace = call_trace(kernel.m.image, kernel.frames())

    def word(self) -> tuple[str, int, bool]:
        return self.comm, self.count, self.irqs_off

    def outer(self, below: str) -> str:
        """The frames around a function, as the ground truth writes them."""
        return " < ".join(self.trace[self.trace.index(below) + 1 :])


class Probes(AssemblyByRule):
    """Answers ``probe()`` and ``answer()`` of the texts."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Seen] = []
        self.answers: dict[tuple[str, int], list[int]] = {}

    def function(
        self, m: Machine, symbol: str, returns: Type | None, args: tuple[Any, ...]
    ) -> Any:
        if symbol == "probe":
            kernel: Kernel = m.runtime
            self.seen.append(Seen(kernel, m.mem.text(args[0]), int(args[1])))
            return None
        if symbol == "answer":
            left = self.answers.get((m.mem.text(args[0]), int(args[1])))
            return left.pop(0) if left else 0
        return super().function(m, symbol, returns, args)


@cache
def code_of(text: str, rt: bool, arch: str) -> Code:
    image = image_of(ENUM + text)
    library.add_models(image, Config(rt=rt, arch=arch))
    return Code(image)


class World:
    """A kernel that has not booted yet. ``boot()`` does; then ``sim`` is there."""

    sim: Simulation

    def __init__(
        self, text: str, *, rt: bool = True, cpus: int = 4, arch: str = "arm64"
    ) -> None:
        self.probes = Probes()
        config = Config(rt=rt, cpus=cpus, arch=arch)
        m = Machine(code_of(text, rt, arch), self.probes)
        self.kernel = Kernel(m, config)
        m.call(library.BOOT)
        self.trace = Trace()

    @property
    def seen(self) -> list[Seen]:
        return self.probes.seen

    def at(self, step: str, hook: Callable[[], object]) -> None:
        self.kernel.part(Boot).at(step, hook)

    def initcall(self, level: str, symbol: str) -> None:
        self.kernel.part(Boot).initcall(level, symbol)

    def boot(self, policy: Policy | None = None) -> Simulation:
        self.sim = boot(self.kernel, policy=policy, trace=self.trace)
        return self.sim

    def call(self, symbol: str, *args: Any, cpu: int = 0) -> Any:
        """In a task of user space."""
        m = self.kernel.m
        return self.sim.run(self.sim.spawn("init", cpu, lambda: m.call(symbol, *args)))

    def named(self, name: str) -> list[Seen]:
        return [seen for seen in self.seen if seen.name == name]


@contextmanager
def world(text: str, **options: Any) -> Iterator[World]:
    made = World(text, **options)
    try:
        yield made
    finally:
        if hasattr(made, "sim"):
            made.sim.close()
