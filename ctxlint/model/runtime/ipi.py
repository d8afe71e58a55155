# SPDX-License-Identifier: GPL-2.0-or-later
"""Interrupts between CPUs and from devices, on top of ``rules/models/smp.c``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ctxlint.model.machine import Machine, primitive
from ctxlint.model.runtime.scheduler import Simulation, simulation_of
from ctxlint.model.runtime.state import HARDIRQ, Kernel, kernel_of
from ctxlint.model.runtime.tasks import Interrupt

_ENTRY = "model_entry_interrupt"
CALLS, DEVICE, TIMER, IRQ_WORK = range(4)
"""What an interrupt is (rules/models/smp.c)."""


def post(
    kernel: Kernel,
    cpu: int,
    what: int,
    *,
    name: str,
    fn: int = 0,
    data: Any = 0,
    irq: int = 0,
    done: int = 0,
    before: Callable[[], object] | None = None,
) -> None:
    """An interrupt for a CPU whose handler is a function of the image (by address):
    ``fn(data)``, or ``fn(irq, data)`` for a device's."""
    m = kernel.m

    def run() -> None:
        if before is not None:
            before()
        m.call(_ENTRY, what, irq, fn, data, done)

    simulation_of(kernel).irq.post(cpu, Interrupt(name, run))


def post_device(kernel: Kernel, cpu: int, irq: int, fn: int, data: Any) -> None:
    """A device interrupts a CPU."""
    post(kernel, cpu, DEVICE, name=f"irq {irq}", fn=fn, data=data, irq=irq)


@primitive
def model_ipi(m: Machine, cpu: int, fn: int, info: Any, done: int) -> None:
    """``void model_ipi(int cpu, void *fn, void *info, int *done)``: ``fn(info)`` on
    another CPU, in an interrupt; then ``*done`` is counted down."""
    kernel = kernel_of(m)
    sim = simulation_of(kernel)
    key = sim.fresh_key("ipi")
    sim.publish(key)
    post(
        kernel, int(cpu), CALLS, name="call", fn=fn, data=info, done=done,
        before=lambda: sim.observe(key),
    )  # fmt: skip


@primitive
def model_irq_enter(m: Machine) -> None:
    """``void model_irq_enter(void)``: the count of a hard interrupt."""
    kernel_of(m).task.preempt_count += HARDIRQ


@primitive
def model_irq_exit(m: Machine) -> None:
    """``void model_irq_exit(void)``."""
    kernel_of(m).task.preempt_count -= HARDIRQ


class Softirqs:
    """Pending softirqs of each CPU by number, lowest first."""

    def __init__(self, kernel: Kernel) -> None:
        self.pending: dict[int, set[int]] = {}

    def of(self, cpu: int) -> set[int]:
        return self.pending.setdefault(cpu, set())


@primitive
def model_raise_softirq(m: Machine, cpu: int, number: int) -> None:
    """``void model_raise_softirq(int cpu, int number)``."""
    kernel_of(m).part(Softirqs).of(int(cpu)).add(int(number))


@primitive
def model_softirqs(m: Machine) -> int:
    """``int model_softirqs(void)``: how many are pending on this CPU."""
    kernel = kernel_of(m)
    return len(kernel.part(Softirqs).of(kernel.cpu.number))


@primitive
def model_next_softirq(m: Machine) -> int:
    """``int model_next_softirq(void)``: take the next one of this CPU; -1 for none."""
    kernel = kernel_of(m)
    pending = kernel.part(Softirqs).of(kernel.cpu.number)
    if not pending:
        return -1
    number = min(pending)
    pending.discard(number)
    return number


__all__ = ["CALLS", "DEVICE", "IRQ_WORK", "TIMER", "Simulation", "Softirqs", "post", "post_device"]
