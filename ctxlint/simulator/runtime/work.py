# SPDX-License-Identifier: GPL-2.0-or-later
"""Work that is done later, by workers: the queues behind ``rules/models/workqueue.c``.

Each pool has as many workers as it needs for one to be able to run: a new one is made
when work is queued, or when a worker goes to sleep, and the others are busy.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ctxlint.simulator.machine import Machine, primitive
from ctxlint.simulator.runtime.clock import Event
from ctxlint.simulator.runtime.scheduler import simulation_of
from ctxlint.simulator.runtime.state import Kernel, kernel_of
from ctxlint.simulator.runtime.tasks import Thread
from ctxlint.simulator.runtime.threads import spawn, wait

UNBOUND = -1


@dataclass(eq=False)
class Pool:
    """``cpu`` is -1 for the pool that is bound to none; ``place`` what its workers are
    given to know it by."""

    cpu: int
    place: int = 0
    queue: list[int] = field(default_factory=list)
    workers: list[Thread] = field(default_factory=list)
    made: int = 0


class Work:
    """Works are known by their addresses."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.pools: dict[int, Pool] = {}
        self.running: dict[int, Thread] = {}
        self.delayed: dict[int, tuple[Event, int]] = {}
        self.base = 0
        self.unbound = 0
        self.worker = 0
        """The function that workers run; 0 before the kernel can make threads."""

    def pool(self, cpu: int) -> Pool:
        pool = self.pools.get(cpu)
        if pool is None:
            pool = self.pools[cpu] = Pool(cpu)
        return pool

    def pending(self, work: int) -> bool:
        return work in self.delayed or any(work in p.queue for p in self.pools.values())

    def busy(self, work: int) -> bool:
        return self.pending(work) or work in self.running

    def idle(self) -> bool:
        """Whether no work is queued or runs; delayed work does not count."""
        return not self.running and not any(p.queue for p in self.pools.values())

    def insert(self, cpu: int, work: int) -> None:
        pool = self.pool(cpu)
        simulation_of(self.kernel).publish(("work", work))
        pool.queue.append(work)
        self.staff(pool)

    def staff(self, pool: Pool) -> None:
        """Make a worker if there is work that none would begin."""
        if not self.worker or not pool.queue:
            return
        busy = {thread.number for thread in self.running.values()}
        for thread in pool.workers:
            sleeping = thread.waiting and thread.number in busy
            if not thread.done and not sleeping:
                return
        cpu = pool.cpu
        if cpu == UNBOUND or not self.kernel.cpus[cpu].online:
            cpu = next(c.number for c in self.kernel.cpus if c.online)
        name = "u8" if pool.cpu == UNBOUND else str(pool.cpu)
        place = self.base + 4 * (self.unbound if pool.cpu == UNBOUND else pool.cpu)
        thread = spawn(self.kernel.m, f"kworker/{name}:{pool.made}", cpu, self.worker, place)
        thread.task.pinned = pool.cpu != UNBOUND
        thread.moves = True
        thread.ready = lambda: bool(pool.queue)
        pool.made += 1
        pool.workers.append(thread)

    def slept(self, thread: Thread) -> None:
        """A task waits: if it is a worker its pool may need another."""
        for pool in list(self.pools.values()):
            if thread in pool.workers and pool.queue:
                self.staff(pool)


def _work(m: Machine) -> Work:
    return kernel_of(m).part(Work)


@primitive
def model_work_begin(m: Machine, pools: int, unbound: int, worker: int) -> None:
    """``void model_work_begin(int *pools, int unbound, void *worker)``: workers can be
    made; each runs ``worker(&pools[n])``, of the CPU or the index ``unbound``."""
    work = _work(m)
    work.base, work.unbound, work.worker = pools, int(unbound), worker
    simulation_of(work.kernel).on_block.append(work.slept)
    for pool in list(work.pools.values()):
        work.staff(pool)


@primitive
def model_work_queue(m: Machine, cpu: int, work: int, delay: int) -> int:
    """``int model_work_queue(int cpu, void *work, long us)``: whether it was not pending
    already. CPU -1 is any; with a delay it is queued after that time."""
    works = _work(m)
    if works.pending(work):
        return 0
    sim = simulation_of(works.kernel)
    if int(delay) > 0:

        def due() -> None:
            works.delayed.pop(work, None)
            works.insert(int(cpu), work)

        works.delayed[work] = sim.at(int(delay), due, "delayed work"), int(cpu)
    else:
        works.insert(int(cpu), work)
    return 1


@primitive
def model_work_next(m: Machine, place: int) -> int:
    """``void *model_work_next(void *pool)``: the worker waits for its next work."""
    works = _work(m)
    index = int(m.mem.l4(place))
    pool = works.pool(UNBOUND if index == 0xFFFF_FFFF else index)
    sim = simulation_of(works.kernel)
    sim.rest(lambda: bool(pool.queue))
    if pool.cpu != UNBOUND and works.kernel.cpus[pool.cpu].online:
        sim.migrate(pool.cpu)  # its CPU may have been away
        sim.rest(lambda: bool(pool.queue))
    work = pool.queue.pop(0)
    sim.observe(("work", work))
    assert sim.running is not None
    works.running[work] = sim.running
    sim.note(f"work {work:#x}")
    return work


@primitive
def model_work_finished(m: Machine, work: int) -> None:
    """``void model_work_finished(void *work)``."""
    works = _work(m)
    sim = simulation_of(works.kernel)
    sim.publish(("worked", work))
    works.running.pop(work, None)
    sim.point("work done")


@primitive
def model_work_await(m: Machine, work: int) -> None:
    """``void model_work_await(void *work)``: say that the next call of the scheduler
    waits until the work is neither pending nor running; of all work, without one."""
    works = _work(m)
    sim = simulation_of(works.kernel)
    if not work:
        wait(works.kernel, works.idle, "all work to be done")
        return

    def ready() -> bool:
        if works.busy(work):
            return False
        sim.observe(("worked", work))
        return True

    wait(works.kernel, ready, "the work to be done")


@primitive
def model_work_busy(m: Machine, work: int) -> int:
    """``int model_work_busy(const void *work)``: pending or running."""
    works = _work(m)
    if works.busy(work):
        return 1
    simulation_of(works.kernel).observe(("worked", work))
    return 0


@primitive
def model_work_hurry(m: Machine, work: int) -> None:
    """``void model_work_hurry(void *work)``: delayed work is queued now."""
    works = _work(m)
    found = works.delayed.pop(work, None)
    if found is not None:
        found[0].cancelled = True
        works.insert(found[1], work)


@primitive
def model_work_cancel(m: Machine, work: int) -> int:
    """``int model_work_cancel(void *work)``: whether it was pending."""
    works = _work(m)
    found = works.delayed.pop(work, None)
    if found is not None:
        found[0].cancelled = True
        return 1
    for pool in works.pools.values():
        if work in pool.queue:
            pool.queue.remove(work)
            return 1
    return 0


__all__ = ["UNBOUND", "Pool", "Work"]
