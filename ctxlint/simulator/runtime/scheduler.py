# SPDX-License-Identifier: GPL-2.0-or-later
"""More than one task: CPUs that run side by side, and whose turn it is.

Each task is a coroutine (a greenlet), so it can give way inside any call of compiled
code. One runs at a time; at its *points* (device memory, locks, atomic operations) the
policy may let another CPU go on, or another task of the same CPU where the running one
can be preempted. A task that blocks leaves its CPU to a ready task or to idle.

What happens outside compiled code - interrupts, timers, a scenario's events - happens at
points too: pending interrupts are taken on top of the task that runs there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from greenlet import getcurrent

from ctxlint.simulator.runtime.clock import Event
from ctxlint.simulator.runtime.delays import FOREVER
from ctxlint.simulator.runtime.hangs import waits
from ctxlint.simulator.runtime.policy import Policy
from ctxlint.simulator.runtime.run_queue import Exited, RunQueue
from ctxlint.simulator.runtime.state import Kernel
from ctxlint.simulator.runtime.tasks import Ready, Thread, thread_of
from ctxlint.simulator.trace import Trace


class Simulation(RunQueue):
    """A scheduler for all CPUs of a kernel (implements ``state.Scheduler``).

    Make tasks with :meth:`spawn`, then :meth:`run`. Call :meth:`close` at the end: the
    coroutines that are left hold on to everything they can see.
    """

    def __init__(
        self, kernel: Kernel, policy: Policy | None = None, trace: Trace | None = None
    ) -> None:
        super().__init__(kernel, policy, trace)
        kernel.sched = self

    # tasks

    def exit(self) -> None:
        """End the running task, from inside it."""
        raise Exited

    def fresh_key(self, kind: str) -> tuple[str, int]:
        """A key for :meth:`publish` that nobody else has."""
        self._keys += 1
        return kind, self._keys

    def start_cpu(self, number: int, body: Callable[[], Any]) -> Thread:
        """A CPU comes out of reset: its idle task begins, interrupts off."""
        cpu = self.kernel.cpus[number]
        task = cpu.idle
        if task.lr is not None:
            self._forget(thread_of(task))
        self.halted.discard(number)
        for notify in self.on_start:
            notify(number)
        task.preempt_count, task.rcu_depth, task.migration_disabled = 1, 0, 0
        task.stack.clear()
        task.varargs.clear()
        task.held.clear()
        task.irqs_off = True
        cpu.current, cpu.irqs_off = task, True
        self.irq.clear(number)
        return self.spawn(task.comm, number, body, daemon=True, task=task)

    def _forget(self, thread: Thread) -> None:
        """End a coroutine for good."""
        self._ended(thread)
        if thread.coroutine is not None and thread.coroutine is not getcurrent():
            thread.coroutine.parent = getcurrent()
            thread.coroutine.throw()
            thread.coroutine = None

    def move(self, thread: Thread, cpu: int) -> None:
        """A task that does not run goes to another CPU."""
        thread.task.cpu = cpu

    def migrate(self, cpu: int) -> None:
        """The running task goes on on another CPU."""
        thread = self._here()
        if thread.task.cpu != cpu:
            thread.task.cpu = cpu
            self._wait(thread, lambda: True, "", None, busy=False)

    def close(self) -> None:
        """End all coroutines. The stacks of the tasks stay as they were."""
        for thread in list(self.threads):
            coroutine, thread.coroutine = thread.coroutine, None
            if coroutine is not None and not coroutine.dead:
                coroutine.parent = getcurrent()
                coroutine.throw()
        self.threads.clear()

    # the outer loop

    def run(self, *goals: Thread) -> Any:
        """Run until the goals have ended (without any: all tasks but daemons). Gives
        the first goal's result. Endings (``outcome.Stop``) of any task are raised."""
        wanted = goals or tuple(t for t in self.threads if not t.daemon)
        self._loop(lambda: all(goal.done for goal in wanted))
        return wanted[0].result if wanted else None

    def run_until(self, condition: Callable[[], bool]) -> None:
        """Run until a condition holds; it is asked whenever a task ends."""
        self._loop(condition)

    def settle(self) -> None:
        """Run until nothing can go on without time passing."""
        self._loop(lambda: not self._options(None)[0])

    def pass_time(self, microseconds: int) -> None:
        """Run until so much time has passed."""
        until = self.kernel.now + microseconds
        over = self.agenda.add(until, lambda: None, "the end of the run")
        self._loop(lambda: self.kernel.now >= until and not self._options(None)[0])
        over.cancelled = True

    # time

    def at(self, microseconds: int, run: Callable[[], object], name: str = "") -> Event:
        """Call ``run()`` when so much time has passed; the event can be cancelled."""
        return self.agenda.add(self.kernel.now + microseconds, run, name)

    def waits(self) -> list[str]:
        """Who waits for what, but for daemons without work."""
        return waits(self.threads)

    # the protocol

    def point(self, kind: str, what: object = None) -> None:
        thread = self.running
        if thread is None:
            return
        task = thread.task
        if self.race is not None:
            self.race.before(thread, kind, what)
        if self.trace is not None or self.policy.listens:
            event = kind if what is None else f"{kind} {self._named(what)}"
            self.policy.happened(f"cpu{task.cpu} {task.comm}", event)
            self.note(event)
        self.irq.take()
        self._yield(thread)
        self.irq.take()
        if self.race is not None:
            self.race.after(thread, kind, what)

    def _named(self, what: object) -> object:
        """An address by the variable it lies in."""
        if not isinstance(what, int) or what < 1 << 32:
            return what
        image, m = self.kernel.m.image, self.kernel.m
        placed = image.placed_at(what >> 12)
        if placed is not None:
            base, name = placed.address, placed.symbol.rpartition("::")[2]
        else:
            obj = m.mem.object_at(what)
            if obj is None:
                return f"{what:#x}"
            base, name = obj.base, obj.name
        return f"{name}+{what - base:#x}" if what != base else name

    def block(self, ready: Ready, why: str, timeout: int | None = None) -> bool:
        """See ``state.Scheduler``. schedule() comes back with interrupts on, whatever
        they were before (kernel/sched/core.c, finish_lock_switch())."""
        if ready():
            self.point("wait", why)
            if ready():
                return True
        if self.running is None:
            return self._outside(ready, timeout, leaves=True)
        thread = self._here()
        deadline = None if timeout is None else self.kernel.now + timeout
        if thread.task.idle:
            return self._idle_blocks(thread, ready, why, deadline)
        for react in self.on_block:
            react(thread)
        while True:
            cpu = self.kernel.cpu
            cpu.irqs_off = False
            self._wait(thread, ready, why, deadline, busy=False)
            if ready():
                return True
            if deadline is not None and self.kernel.now >= deadline:
                return False

    def _idle_blocks(
        self, thread: Thread, ready: Ready, why: str, deadline: int | None
    ) -> bool:
        """The idle task may not sleep: the scheduler finds nothing but it again. With a
        timeout it comes back; otherwise nobody can wake it."""
        self.kernel.cpu.irqs_off = False
        if deadline is None:
            thread.lost = True
        while not ready() and (deadline is None or self.kernel.now < deadline):
            self._wait(thread, ready, why, deadline, busy=True)
        return ready()

    def _wait(
        self, thread: Thread, ready: Ready | None, why: str, deadline: int | None, busy: bool
    ) -> None:
        """Until it is this thread's turn: because of an interrupt, too, if ``busy``."""
        thread.ready, thread.why, thread.deadline, thread.busy = ready, why, deadline, busy
        if not busy:
            self.note(f"block {why}")
            self._leave(self.kernel.cpu)
        self._yield(thread)
        thread.ready, thread.why, thread.deadline, thread.busy = None, "", None, False
        self.irq.take()

    def _outside(self, ready: Ready, timeout: int | None, leaves: bool) -> bool:
        """What no task of the scheduler runs (a call from Python) waits: the others go
        on meanwhile, on its own CPU too if it sleeps."""
        kernel = self.kernel
        cpu, m = kernel.cpu, kernel.m
        task = cpu.current
        kernel.remove(task)
        kept = m.stack, m.varargs
        until = None if timeout is None else kernel.now + timeout
        over = None if until is None else self.agenda.add(until, lambda: None)
        if leaves and not task.idle:
            cpu.irqs_off = False
            self._leave(cpu)
        self._loop(lambda: ready() or (until is not None and kernel.now >= until))
        if over is not None:
            over.cancelled = True
        cpu.current.irqs_off, cpu.current, kernel.cpu = cpu.irqs_off, task, cpu
        cpu.irqs_off = False if leaves and not task.idle else cpu.irqs_off
        kernel.install(task)
        m.stack, m.varargs = kept
        return ready()

    def rest(self, ready: Ready) -> None:
        """A daemon waits for something to do."""
        thread = self._here()
        while not ready():
            self._wait(thread, ready, "", None, busy=False)

    def spin(self, ready: Ready, why: str) -> None:
        self.point("spin", why)
        if self.running is None:
            self._outside(ready, None, leaves=False)
        while not ready():
            self._wait(self._here(), ready, why, None, busy=True)

    def advance(self, microseconds: int) -> None:
        thread = self.running
        until = self.kernel.now + microseconds
        if thread is None:
            self._elapse(until)
            return
        if self.delays.quiet(self.kernel.m.stack, until):
            loop = self.delays.endless()
            if loop is not None:
                thread.why = f"what {loop.meta.name}() polls for at {self.kernel.m.place(loop)}"
                self._stuck()
            self.kernel.now = until
            return
        self.delays.forget()
        self.irq.take()
        free = self._nobody_until(thread)
        if free > until and not self._over_while(thread, until):
            self.kernel.now = until
            self.delays.remember(self.kernel.m.stack, free)
            return
        while self.kernel.now < until:
            self._wait(thread, None, "time to pass", until, busy=True)

    def _over_while(self, here: Thread, until: int) -> bool:
        """Whether what :meth:`run` waits for has come, with the running task waiting."""
        here.deadline, here.busy = until, True
        over = self._over()
        here.deadline, here.busy = None, False
        return over

    def _nobody_until(self, here: Thread) -> int:
        """The time before which no other task can run and nothing is due; now, when
        that is not so clear. The running task's CPU is its own if it cannot be
        preempted."""
        kernel, now = self.kernel, self.kernel.now
        if self.offers:
            return now
        for cpu in kernel.cpus:
            if self.irq.deliverable(cpu) or (cpu is not kernel.cpu and self._candidates(cpu)):
                return now
        alone = here.task.idle or here.task.preempt_count or kernel.cpu.irqs_off
        due = self.agenda.next()
        free = FOREVER if due is None else due
        for thread in self.threads:
            if thread is here:
                continue
            if not alone and thread.task.cpu == here.task.cpu and thread.can_run(now):
                return now
            if thread.deadline is not None and thread.deadline > now:
                free = min(free, thread.deadline)
        return free

    def publish(self, key: object) -> None:
        """What this task did is seen by whoever observes ``key`` from now on."""
        if self.race is not None:
            self.race.publish(self.running, key)

    def observe(self, key: object) -> None:
        """See :meth:`publish`."""
        if self.race is not None:
            self.race.observe(self.running, key)


def simulation_of(kernel: Kernel) -> Simulation:
    """The scheduler of a kernel, which from now on is one for more than one task."""
    sched = kernel.sched
    if not isinstance(sched, Simulation):
        off = kernel.cpu.irqs_off
        sched = Simulation(kernel)
        kernel.cpu.irqs_off = off
    return sched


__all__ = ["Simulation", "simulation_of"]
