# SPDX-License-Identifier: GPL-2.0-or-later
"""Running something in one of the contexts of ``rules/contexts.yaml``.

The kernel of the model comes to the context by its own way (``rules/models/entries.c``),
so the task, the counts, the locks around it and the functions outside it in a call trace
are what they are in the kernel.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ctxlint.simulator.machine import Machine, primitive
from ctxlint.simulator.outcome import Unmodelled
from ctxlint.simulator.runtime.scheduler import Simulation
from ctxlint.simulator.runtime.state import Kernel, kernel_of

_PREFIX = "model_enter_"
_TARGET = "model_target"
_TASK = "init"


class _Entry:
    """What is to run, once; later calls of the same entry do nothing."""

    def __init__(self, kernel: Kernel) -> None:
        self.call: Callable[[], Any] | None = None
        self.result: Any = None
        self.ran = False


@primitive
def model_target(m: Machine, *arguments: Any) -> Any:
    """``long model_target(...)``: what :func:`enter` was asked to run."""
    entry = kernel_of(m).part(_Entry)
    call, entry.call = entry.call, None
    if call is None:
        return 0
    entry.ran = True
    entry.result = call()
    return entry.result or 0


def known(m: Machine, context: str) -> bool:
    """Whether the model knows how the kernel comes to a context (by its id)."""
    return m.image.resolve(_symbol(context)) is not None


def _symbol(context: str) -> str:
    return _PREFIX + context.replace("-", "_")


def enter(sim: Simulation, context: str, call: Callable[[], Any]) -> Any:
    """Run ``call()`` in a context of a kernel that has booted; what it returned, which
    the kernel takes as the callback's result. What waits for nothing but time is waited
    for. Raises Unmodelled for a context without a way, and the endings of a run."""
    kernel = sim.kernel
    m = kernel.m
    symbol = _symbol(context)
    if m.image.resolve(symbol) is None:
        raise Unmodelled(f"the way to context {context}")
    entry = kernel.part(_Entry)
    entry.call, entry.ran, entry.result = call, False, None
    address = m.image.text_of(_TARGET)
    sim.run(sim.spawn(_TASK, 0, lambda: m.call(symbol, address)))
    if not entry.ran:
        raise Unmodelled(f"context {context}", "the kernel did not come there")
    return entry.result


__all__ = ["enter", "known"]
