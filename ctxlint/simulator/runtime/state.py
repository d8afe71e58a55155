# SPDX-License-Identifier: GPL-2.0-or-later
"""What the runtime knows: CPUs, tasks, the log, and what was found wrong.

Two answers are kept apart. A :class:`Report` stands for a rule that was broken; whether
the kernel would also have *printed* something is said by ``printed`` and
``suppressed`` (while booting, after RUNNING, with oops_in_progress, within a second of
another splat, without CONFIG_DEBUG_ATOMIC_SLEEP it stays silent).

Times are microseconds of the model's clock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from ctxlint.ir.unit import Function, Loc
from ctxlint.simulator.machine import STACK, STACK_SIZE, Machine
from ctxlint.simulator.outcome import Hang

# Fields of preempt_count (source: include/linux/preempt.h).
PREEMPT, SOFTIRQ, SOFTIRQ_DISABLE, HARDIRQ, NMI = 0x1, 0x100, 0x200, 0x10000, 0x100000
HARDIRQ_MASK, NMI_MASK, SOFTIRQ_MASK = 0xF0000, 0xF00000, 0xFF00

# enum system_states (source: include/linux/kernel.h).
BOOTING, SCHEDULING, FREEING_INITMEM, RUNNING, HALT, POWER_OFF, RESTART, SUSPEND = range(8)

MODEL_RELEASE = "6.12"
"""The kernel that the model functions were written for: what they print has its lines."""

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Config:
    """What was configured. ``smt`` etc. belong to scenarios, not here."""

    rt: bool
    arch: str = "arm64"
    cpus: int = 4
    page_size: int = 4096
    hz: int = 250
    debug_atomic_sleep: bool = True
    debug_preempt: bool = True
    preempt_rcu: bool = True
    rate_limit: bool = True
    numa: bool = False
    release: str = MODEL_RELEASE


@dataclass(eq=False)
class Task:
    """A thread of execution. ``stack``, ``sp`` and ``varargs`` are the machine's while
    the task runs. ``lr`` is opaque to all but the scheduler (its coroutine)."""

    pid: int
    comm: str
    cpu: int
    idle: bool = False
    preempt_count: int = 0
    rcu_depth: int = 0
    migration_disabled: int = 0
    softirq_disabled: int = 0
    """PREEMPT_RT keeps the depth of disabled bottom halves in the task."""
    non_block: int = 0
    irqs_off: bool = False
    """Saved while another task runs on the CPU; :attr:`Cpu.irqs_off` is in force."""
    pinned: bool = False
    state: str = "running"
    stack: list[Any] = field(default_factory=list)
    sp: int = 0
    varargs: list[Any] = field(default_factory=list)
    held: list[Any] = field(default_factory=list)
    """Locks that the task holds, innermost last (``runtime/locks``)."""
    lr: Any = None


@dataclass(eq=False)
class Cpu:
    number: int
    current: Task
    idle: Task
    irqs_off: bool = True
    online: bool = False
    hotplug_state: int = 0
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Place:
    """A stack frame when something happened: ``loc`` is where it was."""

    fn: Function
    loc: Loc
    model: bool


@dataclass(eq=False, kw_only=True)
class Report:
    """A rule that was broken, or a message of the kernel.

    ``kind``: ``"sleeping"``, ``"scheduling-while-atomic"``, ``"warn"``, ``"bug"``,
    ``"cant-sleep"``, ``"race"``, ``"corruption"``, ``"irq-state"``, ``"hang"``, ... .
    ``certain`` is False when it depends on the allocator's state. ``splat`` is a record
    of ``model/splat`` for what the kernel prints. ``frames`` are innermost first;
    ``trace`` are the functions of them that the compiler leaves frames of their own
    (``runtime/trace``), which is what the kernel's call trace has.
    """

    kind: str
    headline: str
    cpu: int
    task: str
    pid: int
    context: dict[str, int]
    frames: tuple[Place, ...]
    trace: tuple[str, ...] = ()
    printed: bool
    suppressed: str = ""
    certain: bool = True
    time: int = 0
    splat: Any = None
    facts: dict[str, Any] = field(default_factory=dict)


class Scheduler(Protocol):
    """How the running task gives way. A kernel without one has a single task."""

    def point(self, kind: str, what: object = None) -> None:
        """Others may run here (memory of a device, a lock, an atomic operation)."""

    def block(self, ready: Callable[[], bool], why: str, timeout: int | None = None) -> bool:
        """The task sleeps until ``ready()``; False when ``timeout`` microseconds have
        passed first. Raises Hang(why) when nothing can make it ready."""

    def spin(self, ready: Callable[[], bool], why: str) -> None:
        """The CPU waits busily until ``ready()``; raises Hang(why) as above."""

    def advance(self, microseconds: int) -> None:
        """Time passes (a delay loop)."""


class SingleTask:
    """A scheduler for one task: waiting for what is not there already is a hang."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel

    def point(self, kind: str, what: object = None) -> None:
        pass

    def block(self, ready: Callable[[], bool], why: str, timeout: int | None = None) -> bool:
        if ready():
            return True
        if timeout is None:
            raise Hang(why)
        self.kernel.now += timeout
        return False

    def spin(self, ready: Callable[[], bool], why: str) -> None:
        if not ready():
            raise Hang(why)

    def advance(self, microseconds: int) -> None:
        self.kernel.now += microseconds


class Kernel:
    """The state of one booted kernel on one machine (``m.runtime``)."""

    def __init__(self, m: Machine, config: Config) -> None:
        self.m = m
        self.config = config
        self.now = 0
        self.system_state = BOOTING
        self.oops_in_progress = 0
        self.taint: set[str] = set()
        self.log: list[str] = []
        self.reports: list[Report] = []
        self.last_splat: int | None = None
        self.tasks: list[Task] = []
        self.cpus: list[Cpu] = []
        self._parts: dict[type, Any] = {}
        self._next_pid = 20
        for number in range(config.cpus):
            idle = self.new_task(f"swapper/{number}", number, pid=0, idle=True)
            idle.preempt_count = 1
            idle.pinned = True
            self.cpus.append(Cpu(number, idle, idle))
        self.cpus[0].online = True
        self.cpu = self.cpus[0]
        """The CPU that executes now; the scheduler changes it."""
        self.shown_cpu: Callable[[], Any] = lambda: self.cpu.number
        """The number that the running CPU is told to have; an unknown in an exploration
        that holds for every CPU."""
        self.sched: Scheduler = SingleTask(self)
        m.runtime = self
        self.install(self.cpu.current)

    def part(self, kind: Callable[[Kernel], T]) -> T:
        """The one object of a class that belongs to this kernel (its locks, its
        memory); made when first asked for."""
        found = self._parts.get(kind)  # type: ignore[call-overload]
        if found is None:
            found = self._parts[kind] = kind(self)  # type: ignore[index]
        return found  # type: ignore[no-any-return]

    @property
    def task(self) -> Task:
        return self.cpu.current

    def new_task(
        self, comm: str, cpu: int, *, pid: int | None = None, idle: bool = False
    ) -> Task:
        if pid is None:
            pid = self._next_pid
            self._next_pid += 1
        task = Task(pid, comm, cpu, idle=idle)
        task.sp = STACK + STACK_SIZE * (len(self.tasks) + 1)
        self.tasks.append(task)
        return task

    def install(self, task: Task) -> None:
        """Make the machine run on a task's stack. The caller has put the old one's
        ``sp`` away with :meth:`remove`."""
        self.m.stack, self.m.sp, self.m.varargs = task.stack, task.sp, task.varargs

    def remove(self, task: Task) -> None:
        task.sp = self.m.sp

    def frames(self) -> tuple[Place, ...]:
        """The running task's call stack, innermost first."""
        m = self.m
        return tuple(
            Place(frame.meta.fn, m.loc(frame), frame.meta.model) for frame in reversed(m.stack)
        )

    def context(self) -> dict[str, int]:
        """The context word as a splat has it; ``count`` is that of preemption."""
        task, cpu = self.cpu.current, self.cpu
        return {
            "count": task.preempt_count,
            "irqs_disabled": int(cpu.irqs_off),
            "rcu_depth": task.rcu_depth,
            "non_block": task.non_block,
            "idle": int(task.idle),
        }


def kernel_of(m: Machine) -> Kernel:
    """The kernel that a primitive acts on."""
    kernel: Kernel = m.runtime
    return kernel
