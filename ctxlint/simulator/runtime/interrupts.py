# SPDX-License-Identifier: GPL-2.0-or-later
"""Interrupts that wait for their CPU to take them, and softirqs behind them.

An interrupt is taken at a point of whatever task runs on the CPU, on top of its stack.
The handler's own functions (``rules/models/smp.c``) keep the counts, so that the stack
and the context word change where the kernel changes them; what is in Python alone goes
through :meth:`Interrupts.plain`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ctxlint.simulator.runtime.state import HARDIRQ, NMI, Cpu
from ctxlint.simulator.runtime.tasks import Interrupt

if TYPE_CHECKING:
    from ctxlint.simulator.runtime.run_queue import RunQueue


class Interrupts:
    """What is pending on each CPU; ``levels`` are those of the NMIs being handled."""

    def __init__(self, sim: RunQueue) -> None:
        self.sim = sim
        self.pending: dict[int, list[Interrupt]] = {}
        self.levels: dict[int, list[int]] = {}
        self.were_off = False
        """Whether what the latest one interrupted had interrupts off."""
        self.blind: set[int] = set()
        """CPUs that take no NMI for now: something else of that kind has them."""

    def post(self, cpu: int, interrupt: Interrupt) -> None:
        """An interrupt arrives at a CPU. One that is off loses it."""
        self.pending.setdefault(cpu, []).append(interrupt)

    def clear(self, cpu: int) -> None:
        self.pending.pop(cpu, None)
        self.levels.pop(cpu, None)

    def _first(self, cpu: Cpu) -> Interrupt | None:
        waiting = self.pending.get(cpu.number)
        if not waiting:
            return None
        levels = self.levels.get(cpu.number)
        level = levels[-1] if levels else 0
        best: Interrupt | None = None
        for interrupt in waiting:
            if interrupt.level:
                open_ = interrupt.level > level and cpu.number not in self.blind
            else:
                open_ = not level and not cpu.irqs_off
            open_ = open_ and (interrupt.open is None or interrupt.open())
            if open_ and (best is None or interrupt.level > best.level):
                best = interrupt
        return best

    def deliverable(self, cpu: Cpu) -> bool:
        return bool(self.pending.get(cpu.number)) and self._first(cpu) is not None

    def take(self) -> None:
        """Handle what the running CPU can take now."""
        cpu = self.sim.kernel.cpu
        if not self.pending.get(cpu.number):
            return
        while True:
            interrupt = self._first(cpu)
            if interrupt is None:
                return
            self.pending[cpu.number].remove(interrupt)
            levels = self.levels.setdefault(cpu.number, [])
            if interrupt.level:
                levels.append(interrupt.level)
            off, cpu.irqs_off = cpu.irqs_off, True
            self.were_off = off
            self.sim.note(f"take {interrupt.name}")
            interrupt.run()
            self.sim.note(f"return from {interrupt.name}")
            cpu.irqs_off = off
            if interrupt.level:
                levels.pop()

    def plain(self, run: Callable[[], object], count: int = HARDIRQ) -> Callable[[], object]:
        """``run`` with preempt_count as in a handler (``HARDIRQ``, ``NMI + HARDIRQ``)."""

        def handle() -> None:
            task = self.sim.kernel.task
            task.preempt_count += count
            run()
            task.preempt_count -= count

        return handle


__all__ = ["HARDIRQ", "NMI", "Interrupts"]
