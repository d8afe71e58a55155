# SPDX-License-Identifier: GPL-2.0-or-later
"""Whose turn it is: the part of the scheduler that picks a task and switches to it.

A decision has one option for each task that could run now - on the CPU that runs, on
the others - and one for each event that a scenario offers. Nothing is lost when nobody
can run: time jumps to the next moment at which something changes, and if there is none
that is a hang.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from greenlet import getcurrent, greenlet

from ctxlint.simulator.outcome import Halted, Hang, OutOfFuel, Stop
from ctxlint.simulator.runtime.clock import EventQueue
from ctxlint.simulator.runtime.delays import Delays
from ctxlint.simulator.runtime.hangs import report_hang, waits
from ctxlint.simulator.runtime.interrupts import Interrupts
from ctxlint.simulator.runtime.policy import Option, Policy
from ctxlint.simulator.runtime.state import Cpu, Kernel, Task
from ctxlint.simulator.runtime.tasks import NORMAL, Thread
from ctxlint.simulator.trace import IRQS_OFF, Step, Trace

_Pick = tuple[Cpu, Thread]


class Exited(Stop):
    """A task ends itself, in the middle of its functions."""


def never() -> bool:
    return False


class RunQueue:
    """Tasks of a kernel and the switching between them. See
    :class:`~ctxlint.simulator.runtime.scheduler.Simulation`, which is what to use."""

    def __init__(
        self, kernel: Kernel, policy: Policy | None = None, trace: Trace | None = None
    ) -> None:
        self.kernel = kernel
        self.policy = policy or Policy()
        self.trace = trace
        self.threads: list[Thread] = []
        self.running: Thread | None = None
        self.agenda = EventQueue()
        self.irq = Interrupts(self)
        self.delays = Delays(kernel.m.image)
        self.offers: dict[str, Callable[[], object]] = {}
        """Events that may happen at any point, once; by name."""
        self.halted: set[int] = set()
        self.on_start: list[Callable[[int], object]] = []
        self.on_stop: list[Callable[[int], object]] = []
        """Told of each CPU that comes out of reset; of each that is off."""
        self.on_block: list[Callable[[Thread], object]] = []
        """Called when a task leaves its CPU to wait (worker pools make another)."""
        self.race: Any = None
        """The race detector, if one is at work (``runtime/race``)."""
        self._made = 0
        self._keys = 0
        self._hub = getcurrent()
        self._over: Callable[[], bool] = never
        for cpu in kernel.cpus:
            if cpu.online:
                self._idle_of(cpu)

    # tasks

    def spawn(
        self,
        comm: str,
        cpu: int,
        body: Callable[[], Any],
        *,
        daemon: bool = False,
        rank: int = NORMAL,
        pinned: bool = False,
        pid: int | None = None,
        task: Task | None = None,
    ) -> Thread:
        """A new task that runs ``body()`` on a CPU; with ``task``, one that exists
        already begins anew."""
        if task is None:
            task = self.kernel.new_task(comm, cpu, pid=pid)
            task.pinned = pinned
        self._made += 1
        thread = Thread(task, self._made, body, daemon=daemon, rank=rank)
        thread.coroutine = greenlet(lambda: self._body(thread))
        task.lr = thread
        if self.race is not None:
            self.race.forked(self.running, thread)
        self.threads.append(thread)
        return thread

    def _body(self, thread: Thread) -> None:
        thread.ready = None
        try:
            self.irq.take()
            thread.result = thread.body()
        except Exited:
            pass
        except Halted:
            self.halted.add(self.kernel.cpu.number)
            for notify in self.on_stop:
                notify(self.kernel.cpu.number)
        cpu = self.kernel.cpu
        self._ended(thread)
        if cpu.number not in self.halted:
            self._leave(cpu)

    def _ended(self, thread: Thread) -> None:
        thread.done = True
        thread.task.stack.clear()
        if thread in self.threads:
            self.threads.remove(thread)

    def _here(self) -> Thread:
        assert self.running is not None, "no task runs"
        return self.running

    # turns

    def _loop(self, over: Callable[[], bool]) -> None:
        hub = getcurrent()
        assert self.running is None or self.running.coroutine is not hub, "a task's own call"
        self.running = None
        for thread in self.threads:
            if thread.coroutine is not None:
                thread.coroutine.parent = hub
        self._hub, self._over = hub, over
        while not over():
            try:
                self._yield(None)
            except OutOfFuel as stop:
                self._endless(stop)
            self.running = None

    def _endless(self, stop: OutOfFuel) -> None:
        """An endless loop while nobody else can run is a hang."""
        thread = self.running
        others = [o for o, pick in zip(*self._options(thread), strict=True) if pick]
        if len(others) <= 1 and self.agenda.next() is None:
            raise Hang(f"{thread}: endless loop in {stop}") from stop
        raise stop

    def _options(self, here: Thread | None) -> tuple[list[Option], list[_Pick | None]]:
        """The options of a decision, the running CPU's first, events last."""
        kernel = self.kernel
        options: list[Option] = []
        picks: list[_Pick | None] = []
        cpus = kernel.cpus
        first = kernel.cpu.number
        for i in range(len(cpus)):
            cpu = cpus[(first + i) % len(cpus)]
            for thread in self._candidates(cpu):
                options.append(Option(f"cpu{cpu.number} {thread.task.comm}"))
                picks.append((cpu, thread))
        for name in self.offers:
            options.append(Option(f"inject {name}", True))
            picks.append(None)
        return options, picks

    def _candidates(self, cpu: Cpu) -> list[Thread]:
        """Who could run on a CPU now; the one that is there first."""
        if cpu.number in self.halted:
            return []
        task = cpu.current
        current = task.lr
        if current is None:
            return []  # never started
        now = self.kernel.now
        taken = not current.done and not current.lost and self.irq.deliverable(cpu)
        goes_on = taken or (not current.done and current.can_run(now))
        if not current.done and not current.lost:
            here = goes_on or current.busy
            if taken or (here and (task.idle or task.preempt_count or cpu.irqs_off)):
                return [current] if goes_on else []
        number = cpu.number
        ready = [
            thread
            for thread in self.threads
            if thread.task.cpu == number
            and thread is not current
            and not thread.task.idle
            and thread.can_run(now)
        ]
        if not ready:
            return [current] if goes_on else []
        top = max(thread.rank for thread in ready)
        if not goes_on or top > current.rank:
            return [thread for thread in ready if thread.rank == top]
        return [current, *(t for t in ready if t.rank == current.rank)]

    def _yield(self, here: Thread | None) -> None:
        """Decide who runs, and let it; returns when ``here`` has its turn again."""
        while True:
            options, picks = self._options(here)
            if not options:
                if self._over():
                    if here is not None:
                        self._to_hub(here)
                    return
                if not self._jump():
                    self._stuck()
                continue
            goes_on = here is not None and picks[0] is not None and picks[0][1] is here
            goes_on = goes_on and not here.waiting  # type: ignore[union-attr]
            chosen = self.policy.choose(options, goes_on)
            pick = picks[chosen]
            if pick is None:
                name = options[chosen].agent.removeprefix("inject ")
                happens = self.offers.pop(name)
                self.note(f"inject {name}")
                happens()
                continue
            self._switch(*pick)
            return

    def _to_hub(self, here: Thread) -> None:
        """What :meth:`run` waits for has come while all tasks wait."""
        self.kernel.remove(here.task)
        self.running = None
        here.coroutine.parent = self._hub  # type: ignore[union-attr]
        self._hub.switch()

    def _switch(self, cpu: Cpu, thread: Thread) -> None:
        kernel, old = self.kernel, self.running
        if thread is old and cpu.current is thread.task:
            return
        if old is not None:
            kernel.remove(old.task)
        task = thread.task
        kernel.cpu = cpu
        if cpu.current is not task:
            if self.trace is not None:
                self.note(f"switch to {task.comm}")
            cpu.current.irqs_off = cpu.irqs_off
            cpu.current, cpu.irqs_off = task, task.irqs_off
        kernel.install(task)
        self.running = thread
        if thread is not old:
            coroutine = thread.coroutine
            assert coroutine is not None
            coroutine.parent = self._hub
            coroutine.switch()
            if self.running is not old and old is not None and not old.done:
                raise AssertionError("control came back to a task that has no turn")

    def _leave(self, cpu: Cpu) -> None:
        """The CPU's task does not run any longer: idle takes over."""
        idle = self._idle_of(cpu)
        if cpu.current is not idle:
            cpu.current.irqs_off = cpu.irqs_off
            cpu.current, cpu.irqs_off = idle, False

    def _idle_of(self, cpu: Cpu) -> Task:
        """The idle task of a CPU; one that did not boot in the model has a plain loop."""
        idle = cpu.idle
        if idle.lr is None:
            thread = self.spawn(idle.comm, cpu.number, self._idle, daemon=True, task=idle)
            thread.ready = never
            cpu.irqs_off = cpu.irqs_off and cpu.current is not idle
        return idle

    def _idle(self) -> None:
        while True:
            self.idle()

    def idle(self) -> None:
        """The idle task waits for an interrupt, or for its CPU's end."""
        cpu, thread = self.kernel.cpu, self._here()
        cpu.irqs_off = False
        thread.ready = lambda: not cpu.online
        self._yield(thread)
        thread.ready = None
        self.irq.take()

    def _stuck(self) -> None:
        report_hang(self.kernel, self.threads)
        raise Hang("; ".join(waits(self.threads)) or "nothing can run")

    def _jump(self) -> bool:
        """Everybody waits: go to the next time at which something changes."""
        times = [t.deadline for t in self.threads if t.deadline is not None and not t.lost]
        due = self.agenda.next()
        if due is not None:
            times.append(due)
        if not times:
            return False
        self._elapse(min(times))
        return True

    def _elapse(self, until: int) -> None:
        kernel = self.kernel
        while True:
            event = self.agenda.due(until)
            if event is None:
                break
            kernel.now = max(kernel.now, event.time)
            if event.name:
                self.note(f"time {event.name}")
            event.run()
        kernel.now = max(kernel.now, until)

    def note(self, effect: str) -> None:
        """A step of the trace."""
        if self.trace is None:
            return
        kernel = self.kernel
        cpu, task, m = kernel.cpu, kernel.cpu.current, kernel.m
        word = task.preempt_count | (IRQS_OFF if cpu.irqs_off else 0)
        frames = task.stack
        at = next(
            (f for f in reversed(frames) if not f.meta.model), frames[-1] if frames else None
        )
        place = m.place(at) if at is not None else ""
        self.trace.add(Step(kernel.now, cpu.number, task.pid, task.comm, word, place, effect))


__all__ = ["Exited", "RunQueue", "never"]
