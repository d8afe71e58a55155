# SPDX-License-Identifier: GPL-2.0-or-later
"""Interrupts between CPUs and from devices, on top of ``rules/models/smp.c``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ctxlint.simulator.machine import Machine, primitive
from ctxlint.simulator.runtime.scheduler import simulation_of
from ctxlint.simulator.runtime.state import HARDIRQ, NMI, Kernel, kernel_of
from ctxlint.simulator.runtime.tasks import Interrupt

_ENTRY = "model_entry_interrupt"
CALLS, DEVICE, TIMER, IRQ_WORK, STOP = range(5)
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
def model_device_irq(m: Machine, cpu: int, fn: int) -> None:
    """``void model_device_irq(int cpu, void *fn)``: a device interrupts a CPU, whose
    handler is ``fn(irq, NULL)``."""
    post_device(kernel_of(m), int(cpu), 33, fn, 0)


@primitive
def model_stop_ipi(m: Machine, cpu: int, fn: int) -> None:
    """``void model_stop_ipi(int cpu, void *fn)``: ``fn(NULL)`` on another CPU, which does
    not come back from it."""
    post(kernel_of(m), int(cpu), STOP, name="stop", fn=fn)


@primitive
def model_nmi(m: Machine, cpu: int, fn: int) -> None:
    """``void model_nmi(int cpu, void *fn)``: ``fn(NULL)`` on another CPU, in an NMI."""
    kernel = kernel_of(m)
    irq = simulation_of(kernel).irq
    symbol = m.image.function_at(fn)
    assert symbol is not None
    name = symbol
    run = irq.plain(lambda: m.call(name, 0), NMI + HARDIRQ)
    irq.post(int(cpu), Interrupt("nmi", run, level=1))


@primitive
def model_irq_work(m: Machine, cpu: int, work: int) -> None:
    """``void model_irq_work(int cpu, void *work)``: that CPU runs it in an interrupt."""
    kernel = kernel_of(m)
    sim = simulation_of(kernel)
    key = sim.fresh_key("irq work")
    sim.publish(key)
    post(
        kernel, int(cpu), IRQ_WORK, name="irq work", data=work,
        irq=int(cpu == kernel.cpu.number),
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


__all__ = ["CALLS", "DEVICE", "IRQ_WORK", "STOP", "TIMER", "Softirqs", "post", "post_device"]
