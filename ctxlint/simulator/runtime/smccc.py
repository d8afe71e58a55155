# SPDX-License-Identifier: GPL-2.0-or-later
"""Calls of firmware or a hypervisor by the SMC calling convention.

Who answers is what a scenario's machine has: handlers by the range of function numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ctxlint.simulator.machine import Machine, primitive
from ctxlint.simulator.runtime.scheduler import Simulation
from ctxlint.simulator.runtime.state import Kernel, kernel_of

NOT_SUPPORTED = -1
_M64 = (1 << 64) - 1

Handler = Callable[[int, int, tuple[int, ...]], int]
"""``(CPU, function number, arguments)`` gives the first result."""


class Conduits:
    """``answer["smc"]`` and ``answer["hvc"]``: ranges of numbers and who answers them."""

    def __init__(self, kernel: Kernel) -> None:
        self.answer: dict[str, list[tuple[range, Handler]]] = {"smc": [], "hvc": []}
        self.stack: Callable[[int, int], object] = lambda cpu, base: None
        """Told of each stack that a handler of firmware events goes to."""

    def call(self, conduit: str, cpu: int, number: int, args: tuple[int, ...]) -> int:
        for numbers, handler in self.answer[conduit]:
            if number in numbers:
                return handler(cpu, number, args)
        return NOT_SUPPORTED


@primitive
def model_smccc(
    m: Machine, hypervisor: int, number: Any, a0: Any, a1: Any, a2: Any, a3: Any, a4: Any
) -> int:
    """``unsigned long model_smccc(int hypervisor, unsigned long number, unsigned long a0,
    ..., unsigned long a4)``: the first result of the call."""
    kernel = kernel_of(m)
    conduit = "hvc" if hypervisor else "smc"
    cpu = kernel.cpu.number
    args = tuple(int(a) & _M64 for a in (a0, a1, a2, a3, a4))
    sched = kernel.sched
    if isinstance(sched, Simulation):
        sched.point(conduit, f"{int(number):#x}")
    answer = kernel.part(Conduits).call(conduit, cpu, int(number), args) & _M64
    if isinstance(sched, Simulation):
        sched.irq.take()
    return answer


@primitive
def model_event_stack(m: Machine, base: int) -> None:
    """``void model_event_stack(const void *base)``: the handler of a firmware event runs
    on the stack that begins there."""
    kernel = kernel_of(m)
    kernel.part(Conduits).stack(kernel.cpu.number, int(base))


__all__ = ["NOT_SUPPORTED", "Conduits", "Handler"]
