# SPDX-License-Identifier: GPL-2.0-or-later
"""What is said when nothing can go on: every waiter, and what it waits for."""

from __future__ import annotations

from collections.abc import Sequence

from ctxlint.simulator.runtime.state import Kernel, Report
from ctxlint.simulator.runtime.tasks import Thread
from ctxlint.simulator.runtime.trace import call_trace

NOBODY = "nothing runs that could print"


def waits(threads: Sequence[Thread]) -> list[str]:
    """Who waits for what, but for daemons without work."""
    return [
        f"CPU{t.task.cpu} {t.task.comm}/{t.task.pid} waits for {t.why}"
        + (" (it left the idle task and cannot come back)" if t.lost else "")
        for t in threads
        if t.why
    ]


def report_hang(kernel: Kernel, threads: Sequence[Thread]) -> Report:
    """Record it, with the stack and the context of a waiter (no daemon's, if it can)."""
    lines = waits(threads)
    waiting = [t for t in threads if t.why]
    shown = next((t for t in waiting if not t.daemon), waiting[0] if waiting else None)
    task = shown.task if shown is not None else kernel.task
    m = kernel.m
    held, m.stack = m.stack, task.stack
    frames = kernel.frames()
    m.stack = held
    cpu = kernel.cpus[task.cpu]
    report = Report(
        kind="hang",
        headline="; ".join(lines) or "nothing can run",
        cpu=task.cpu,
        task=task.comm,
        pid=task.pid,
        context={
            "count": task.preempt_count,
            "irqs_disabled": int(cpu.irqs_off if cpu.current is task else task.irqs_off),
            "rcu_depth": task.rcu_depth,
            "non_block": task.non_block,
            "idle": int(task.idle),
        },
        frames=frames,
        trace=call_trace(m.image, frames),
        printed=False,
        suppressed=NOBODY,
        time=kernel.now,
        facts={"waits": lines},
    )
    kernel.reports.append(report)
    return report


__all__ = ["report_hang", "waits"]
