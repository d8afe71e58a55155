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

from greenlet import getcurrent, greenlet

from ctxlint.model.outcome import Halted, Hang, OutOfFuel, Stop
from ctxlint.model.runtime.clock import Agenda, Event
from ctxlint.model.runtime.interrupts import Interrupts
from ctxlint.model.runtime.policy import Option, Policy
from ctxlint.model.runtime.state import Cpu, Kernel, Report, Task
from ctxlint.model.runtime.tasks import NORMAL, Ready, Thread, thread_of
from ctxlint.model.trace import IRQS_OFF, Step, Trace

_Pick = tuple[Cpu, Thread]


class Exited(Stop):
    """A task ends itself, in the middle of its functions."""


def _never() -> bool:
    return False


class Simulation:
    """A scheduler for all CPUs of a kernel (implements ``state.Scheduler``).

    Make tasks with :meth:`spawn`, then :meth:`run`. Call :meth:`close` at the end: the
    coroutines that are left hold on to everything they can see.
    """

    def __init__(
        self, kernel: Kernel, policy: Policy | None = None, trace: Trace | None = None
    ) -> None:
        self.kernel = kernel
        self.policy = policy or Policy()
        self.trace = trace
        self.threads: list[Thread] = []
        self.running: Thread | None = None
        self.agenda = Agenda()
        self.irq = Interrupts(self)
        self.offers: dict[str, Callable[[], object]] = {}
        """Events that may happen at any point, once; by name."""
        self.halted: set[int] = set()
        self.on_block: list[Callable[[Thread], object]] = []
        """Called when a task leaves its CPU to wait (worker pools make another)."""
        self.race: Any = None
        """The race detector, if one is at work (``runtime/race``)."""
        self._made = 0
        self._keys = 0
        self._hub = getcurrent()
        self._over: Callable[[], bool] = _never
        kernel.sched = self
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
        cpu = self.kernel.cpu
        self._ended(thread)
        if cpu.number not in self.halted:
            self._leave(cpu)

    def exit(self) -> None:
        """End the running task, from inside it."""
        raise Exited

    def fresh_key(self, kind: str) -> tuple[str, int]:
        """A key for :meth:`publish` that nobody else has."""
        self._keys += 1
        return kind, self._keys

    def _ended(self, thread: Thread) -> None:
        thread.done = True
        thread.task.stack.clear()
        if thread in self.threads:
            self.threads.remove(thread)

    def start_cpu(self, number: int, body: Callable[[], Any]) -> Thread:
        """A CPU comes out of reset: its idle task begins, interrupts off."""
        cpu = self.kernel.cpus[number]
        task = cpu.idle
        if task.lr is not None:
            self._forget(thread_of(task))
        self.halted.discard(number)
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

    # whose turn it is

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
                    self._hang()
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
            thread.ready = _never
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

    # time

    def at(self, microseconds: int, run: Callable[[], object], name: str = "") -> Event:
        """Call ``run()`` when so much time has passed; the event can be cancelled."""
        return self.agenda.add(self.kernel.now + microseconds, run, name)

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

    def _hang(self) -> None:
        waits = self.waits()
        text = "; ".join(waits) or "nothing can run"
        kernel = self.kernel
        place = next((t for t in self.threads if t.why and not t.daemon), None)
        place = place or next((t for t in self.threads if t.why), None)
        frames = kernel.frames()
        task = kernel.task
        if place is not None:
            task = place.task
            held, kernel.m.stack = kernel.m.stack, task.stack
            frames = kernel.frames()
            kernel.m.stack = held
        kernel.reports.append(
            Report(
                kind="hang", headline=text, cpu=task.cpu, task=task.comm, pid=task.pid,
                context=kernel.context(), frames=frames, printed=False,
                suppressed="nothing runs that could print", time=kernel.now,
                facts={"waits": waits},
            )
        )  # fmt: skip
        raise Hang(text)

    def waits(self) -> list[str]:
        """Who waits for what, but for daemons without work."""
        return [
            f"CPU{t.task.cpu} {t.task.comm}/{t.task.pid} waits for {t.why}"
            + (" (it left the idle task and cannot come back)" if t.lost else "")
            for t in self.threads
            if t.why
        ]

    # the protocol

    def _here(self) -> Thread:
        assert self.running is not None, "no task runs"
        return self.running

    def point(self, kind: str, what: object = None) -> None:
        thread = self.running
        if thread is None:
            return
        task = thread.task
        if self.race is not None:
            self.race.before(thread, kind, what)
        event = kind if what is None else f"{kind} {what}"
        self.policy.happened(f"cpu{task.cpu} {task.comm}", event)
        if self.trace is not None:
            self.note(event)
        self.irq.take()
        self._yield(thread)
        self.irq.take()
        if self.race is not None:
            self.race.after(thread, kind, what)

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

    def block(self, ready: Ready, why: str, timeout: int | None = None) -> bool:
        """See ``state.Scheduler``. schedule() comes back with interrupts on, whatever
        they were before (kernel/sched/core.c, finish_lock_switch())."""
        if ready():
            self.point("wait", why)
            if ready():
                return True
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

    def rest(self, ready: Ready) -> None:
        """A daemon waits for something to do."""
        thread = self._here()
        while not ready():
            self._wait(thread, ready, "", None, busy=False)

    def spin(self, ready: Ready, why: str) -> None:
        self.point("spin", why)
        while not ready():
            self._wait(self._here(), ready, why, None, busy=True)

    def advance(self, microseconds: int) -> None:
        thread = self.running
        until = self.kernel.now + microseconds
        if thread is None:
            self._elapse(until)
            return
        self.irq.take()
        while self.kernel.now < until:
            self._wait(thread, None, "time to pass", until, busy=True)

    def publish(self, key: object) -> None:
        """What this task did is seen by whoever observes ``key`` from now on."""
        if self.race is not None:
            self.race.publish(self.running, key)

    def observe(self, key: object) -> None:
        """See :meth:`publish`."""
        if self.race is not None:
            self.race.observe(self.running, key)


def simulation_of(kernel: Kernel) -> Simulation:
    """The scheduler of a kernel that has one for more than one task."""
    sched = kernel.sched
    assert isinstance(sched, Simulation), "the kernel has a single task"
    return sched


__all__ = ["Simulation", "simulation_of"]
