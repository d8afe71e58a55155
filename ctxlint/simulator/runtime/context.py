# SPDX-License-Identifier: GPL-2.0-or-later
"""Primitives of the execution context: counts, interrupts, the running task and CPU.

The preemption count, the RCU depth and the rest are kept in
:class:`~ctxlint.simulator.runtime.state.Task`, the interrupt flag in the CPU. Model
functions in ``rules/models/context.c`` put the kernel's API on top of these.
"""

from __future__ import annotations

from typing import Any

from ctxlint.simulator.image import find_member
from ctxlint.simulator.machine import Machine, primitive
from ctxlint.simulator.memory import PAGE, Object
from ctxlint.simulator.runtime.state import Kernel, Task, kernel_of

TASKS = 0xFFFF_8003_0000_0000
TASK_ROOM = 1 << 16
_RECORD = "struct task_struct"


class TaskObjects:
    """The memory objects of the tasks, each on pages of its own; what the layout names
    (pid, comm, CPU) is filled in."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.image = kernel.m.image
        self.record = self.image.records.get(_RECORD)
        self._addresses: dict[int, int] = {}
        self._tasks: dict[int, Task] = {}
        kernel.m.mem.back(TASKS, TASKS + (1 << 32), lambda number: bytearray(PAGE))

    def address(self, task: Task) -> int:
        """Where the task's record is."""
        address = self._addresses.get(id(task))
        if address is None:
            address = TASKS + TASK_ROOM * len(self._addresses)
            self._addresses[id(task)] = address
            self._tasks[address] = task
            size = min(self.record.size, TASK_ROOM) if self.record else PAGE
            name = f"task {task.comm}/{task.pid}"
            self.kernel.m.mem.add_object(Object(address, size, name, "heap", _RECORD))
            self._fill(address, task)
        self._member(address, ("thread_info", "cpu"), self.kernel.shown_cpu())
        return address

    def task(self, address: int) -> Task | None:
        """The task whose record it is."""
        return self._tasks.get(address)

    def _fill(self, address: int, task: Task) -> None:
        self._member(address, ("pid",), task.pid)
        found = self._find(("comm",))
        if found is not None and task.comm:
            self.kernel.m.write(address + found[0], task.comm.encode()[:15] + b"\0")

    def _member(self, address: int, path: tuple[str, ...], value: int) -> None:
        found = self._find(path)
        if found is not None:
            self.kernel.m.store(address + found[0], found[1], value)

    def _find(self, path: tuple[str, ...]) -> tuple[int, int] | None:
        """Offset and size in bytes."""
        record, offset = self.record, 0
        for name in path:
            found = None if record is None else find_member(self.image, record, name)
            if found is None:
                return None
            offset += found[0] // 8
            size = self.image.size_of(found[2], found[3])
            record = self.image.records.get(getattr(found[2], "key", ""))
        return offset, size


# counts


@primitive
def model_preempt_count(m: Machine) -> int:
    """``int model_preempt_count(void)``: the task's count."""
    return kernel_of(m).task.preempt_count


@primitive
def model_preempt_add(m: Machine, value: int) -> None:
    """``void model_preempt_add(int value)``: add to the count; negative to subtract."""
    kernel_of(m).task.preempt_count += int(value)


@primitive
def model_preempt_set(m: Machine, value: int) -> None:
    """``void model_preempt_set(int value)``."""
    kernel_of(m).task.preempt_count = int(value)


@primitive
def model_irqs_off(m: Machine) -> int:
    """``int model_irqs_off(void)``: whether interrupts are off on this CPU."""
    return int(kernel_of(m).cpu.irqs_off)


@primitive
def model_set_irqs_off(m: Machine, off: int) -> int:
    """``int model_set_irqs_off(int off)``: switch them; whether they were off before.
    Switching them on is a point where what is pending may come in."""
    kernel = kernel_of(m)
    was = kernel.cpu.irqs_off
    kernel.cpu.irqs_off = bool(off)
    if was and not off:
        kernel.sched.point("irqs-on")
    return int(was)


@primitive
def model_rcu_depth(m: Machine) -> int:
    """``int model_rcu_depth(void)``: nesting of RCU readers, 0 without PREEMPT_RCU."""
    return kernel_of(m).task.rcu_depth


@primitive
def model_rcu_add(m: Machine, value: int) -> None:
    """``void model_rcu_add(int value)``: enter (1) or leave (-1) an RCU reader. Without
    PREEMPT_RCU that is the preemption count."""
    kernel = kernel_of(m)
    if kernel.config.preempt_rcu:
        kernel.task.rcu_depth += int(value)
    else:
        kernel.task.preempt_count += int(value)


@primitive
def model_migrate_add(m: Machine, value: int) -> None:
    """``void model_migrate_add(int value)``: migrate_disable() nesting."""
    kernel_of(m).task.migration_disabled += int(value)


@primitive
def model_softirq_disabled(m: Machine) -> int:
    """``int model_softirq_disabled(void)``: the depth that PREEMPT_RT keeps in the task."""
    return kernel_of(m).task.softirq_disabled


@primitive
def model_softirq_add(m: Machine, value: int) -> None:
    """``void model_softirq_add(int value)``."""
    kernel_of(m).task.softirq_disabled += int(value)


@primitive
def model_non_block_add(m: Machine, value: int) -> None:
    """``void model_non_block_add(int value)``."""
    kernel_of(m).task.non_block += int(value)


# who and where


@primitive
def model_current(m: Machine) -> int:
    """``void *model_current(void)``: the running task's record."""
    kernel = kernel_of(m)
    return kernel.part(TaskObjects).address(kernel.task)


@primitive
def model_is_idle(m: Machine) -> int:
    """``int model_is_idle(void)``: whether the running task is an idle task."""
    return int(kernel_of(m).task.idle)


@primitive
def model_cpu(m: Machine) -> int:
    """``int model_cpu(void)``: the number of the CPU that executes."""
    return kernel_of(m).cpu.number


@primitive
def model_cpu_number(m: Machine) -> Any:
    """``int model_cpu_number(void)``: the same, as the kernel is told."""
    return kernel_of(m).shown_cpu()


@primitive
def model_cpus(m: Machine) -> int:
    """``int model_cpus(void)``: how many CPUs are possible."""
    return len(kernel_of(m).cpus)


@primitive
def model_percpu_offset(m: Machine, cpu: int) -> int:
    """``unsigned long model_percpu_offset(int cpu)``."""
    return Machine.percpu_offset(int(cpu))


@primitive
def model_system_state(m: Machine) -> int:
    """``int model_system_state(void)``: enum system_states."""
    return kernel_of(m).system_state


@primitive
def model_oops_in_progress(m: Machine) -> int:
    """``int model_oops_in_progress(void)``."""
    return kernel_of(m).oops_in_progress


@primitive
def model_point(m: Machine, kind: int, what: Any) -> None:
    """``void model_point(const char *kind, const void *what)``: others may run here."""
    kernel_of(m).sched.point(m.mem.text(kind), what)


@primitive
def model_advance(m: Machine, microseconds: int) -> None:
    """``void model_advance(unsigned long us)``: time passes in a delay loop."""
    kernel_of(m).sched.advance(int(microseconds))


@primitive
def model_jiffies(m: Machine) -> int:
    """``unsigned long model_jiffies(void)``: from 5 minutes before the wrap of 32 bits."""
    kernel = kernel_of(m)
    return (-300 * kernel.config.hz & 0xFFFF_FFFF) + kernel.now * kernel.config.hz // 1_000_000


@primitive
def model_hz(m: Machine) -> int:
    """``int model_hz(void)``: ticks of jiffies in a second."""
    return kernel_of(m).config.hz


@primitive
def model_now(m: Machine) -> int:
    """``unsigned long model_now(void)``: microseconds."""
    return kernel_of(m).now
