# SPDX-License-Identifier: GPL-2.0-or-later
"""Locks: who holds which, who waits, what ends in a deadlock.

A lock is known by its address; what its memory holds does not matter. One that was
never seen is free, as the static initialisers have it. What taking a lock does to the
context (counts, interrupts, checks) is said in ``rules/models/locks.c`` and
``rtlocks.c``; here is only ownership.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ctxlint.simulator.machine import Machine, primitive
from ctxlint.simulator.outcome import Hang
from ctxlint.simulator.runtime.checks import report
from ctxlint.simulator.runtime.state import Kernel, Place, Task, kernel_of
from ctxlint.simulator.runtime.waits import Wait, Waits

_NOT_CHECKED = "the kernel does not check"


@dataclass(eq=False)
class Lock:
    """``owner`` holds it alone, ``readers`` together (one may be there twice)."""

    address: int
    owner: Task | None = None
    readers: list[Task] = field(default_factory=list)

    def free_for(self, shared: bool) -> bool:
        return self.owner is None and (shared or not self.readers)


@dataclass(eq=False)
class Held:
    """An entry of :attr:`Task.held`. ``irqs_were_off``: interrupts were off before the
    lock operation itself switched them off; ``place`` is where it was taken."""

    lock: Lock
    shared: bool
    irqs_were_off: bool
    place: Place | None
    cpu: int


class Locks:
    """The locks of a kernel that were ever used, by address."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.table: dict[int, Lock] = {}
        self._orders: dict[tuple[int, int], str] = {}
        """Pairs of locks that were held together, the outer first: where."""

    def at(self, address: int) -> Lock:
        lock = self.table.get(address)
        if lock is None:
            lock = self.table[address] = Lock(address)
        return lock

    def name(self, lock: Lock) -> str:
        """For people: the variable it lies in, or its address."""
        name = self.kernel.m.named(lock.address)
        return f"lock at {name}" if name.startswith("0x") else f"lock {name}"

    def state(self, lock: Lock) -> str:
        """Who holds it, for the text of a hang."""
        holders = [lock.owner] if lock.owner else lock.readers
        who = ", ".join(f"{t.comm}/{t.pid} on CPU{t.cpu}" for t in holders)
        return f"{self.name(lock)} is held by {who}" if who else f"{self.name(lock)} is free"

    def deadlock(self, lock: Lock, task: Task) -> None:
        """Ends the run when the task waits for itself."""
        if lock.owner is task or (task in lock.readers and not lock.owner):
            text = f"{self.state(lock)}, which waits for it itself"
            report(self.kernel, "hang", text, suppressed="nothing is printed")
            raise Hang(text)

    def order(self, lock: Lock) -> None:
        """Remembers what is held while a task waits for a lock; the other order of the
        same two locks can end in a deadlock, whether it does this time or not."""
        kernel = self.kernel
        place = next((p for p in kernel.frames() if not p.model), None)
        here = f"{place.loc.file}:{place.loc.line}" if place else "somewhere"
        for held in kernel.task.held:
            pair = held.lock.address, lock.address
            if pair[0] == pair[1] or pair in self._orders:
                continue
            self._orders[pair] = here
            other = self._orders.get((pair[1], pair[0]))
            if other is not None:
                text = (
                    f"{self.name(lock)} is taken inside {self.name(held.lock)} at {here} and "
                    f"outside of it at {other}"
                )
                report(kernel, "lock-order", text, suppressed=_NOT_CHECKED)

    def take(self, lock: Lock, shared: bool, irqs_were_off: bool) -> None:
        kernel = self.kernel
        task = kernel.task
        if shared:
            lock.readers.append(task)
        else:
            lock.owner = task
        place = next((p for p in kernel.frames() if not p.model), None)
        task.held.append(Held(lock, shared, irqs_were_off, place, kernel.cpu.number))
        kernel.sched.point("acquire", lock.address)

    def drop(self, lock: Lock, shared: bool) -> bool:
        """Gives it back; whether interrupts were off before it was taken."""
        kernel = self.kernel
        task = kernel.task
        kernel.sched.point("release", lock.address)
        for at in range(len(task.held) - 1, -1, -1):
            held: Held = task.held[at]
            if held.lock is lock and held.shared == shared:
                del task.held[at]
                if shared:
                    lock.readers.remove(task)
                else:
                    lock.owner = None
                return held.irqs_were_off
        text = (
            f"{self.name(lock)} is released by {task.comm}/{task.pid}, which does not hold it"
        )
        report(kernel, "lock-balance", text, suppressed=_NOT_CHECKED)
        if shared and lock.readers:
            lock.readers.pop()
        elif not shared:
            # Another task took it (a semaphore, a lock that is handed over).
            if lock.owner is not None:
                lock.owner.held[:] = [h for h in lock.owner.held if h.lock is not lock]
            lock.owner = None
        return False


def _locks(m: Machine) -> Locks:
    return kernel_of(m).part(Locks)


@primitive
def model_lock_init(m: Machine, lock: int) -> None:
    """``void model_lock_init(void *lock)``: it is free now, whatever it was."""
    _locks(m).table.pop(int(lock), None)


@primitive
def model_spin_lock(m: Machine, lock: int, shared: int, irqs_were_off: int) -> None:
    """``void model_spin_lock(void *lock, int shared, int irqs_were_off)``: wait busily
    until it can be taken, and take it."""
    locks = _locks(m)
    kernel = locks.kernel
    kernel.sched.point("lock", int(lock))
    it = locks.at(int(lock))
    alone = not shared
    locks.order(it)
    if not it.free_for(not alone):
        locks.deadlock(it, kernel.task)
        while not it.free_for(not alone):
            kernel.sched.spin(lambda: it.free_for(not alone), locks.state(it))
    locks.take(it, not alone, bool(irqs_were_off))


@primitive
def model_trylock(m: Machine, lock: int, shared: int) -> int:
    """``int model_trylock(void *lock, int shared)``: take it if that is possible now.
    With ``TRY`` in ``shared`` that is all; without, the caller waits for it otherwise."""
    locks = _locks(m)
    locks.kernel.sched.point("lock", int(lock))
    it = locks.at(int(lock))
    together = bool(int(shared) & 1)
    if not int(shared) & 2:
        locks.order(it)
    if not it.free_for(together):
        return 0
    locks.take(it, together, False)
    return 1


@primitive
def model_wait_lock(m: Machine, lock: int, shared: int) -> None:
    """``void model_wait_lock(void *lock, int shared)``: the task will sleep until it can
    be taken."""
    locks = _locks(m)
    it = locks.at(int(lock))
    task = locks.kernel.task
    locks.deadlock(it, task)
    alone = not shared
    locks.kernel.part(Waits).announce(
        task, Wait(lambda: it.free_for(not alone), locks.state(it))
    )


@primitive
def model_spin_on_owner(m: Machine, lock: int) -> int:
    """``int model_spin_on_owner(void *lock)``: while the owner of a sleeping lock runs on
    another CPU, wait busily; 0 when it does not run."""
    locks = _locks(m)
    kernel = locks.kernel
    it = locks.at(int(lock))
    locks.deadlock(it, kernel.task)

    def runs() -> bool:
        return any(c.current is it.owner for c in kernel.cpus if c is not kernel.cpu)

    if it.owner is None or not runs():
        return int(it.owner is None and not it.readers)
    kernel.sched.spin(lambda: it.owner is None or not runs(), locks.state(it))
    return int(it.free_for(False))


@primitive
def model_unlock(m: Machine, lock: int, shared: int) -> int:
    """``int model_unlock(void *lock, int shared)``: give it back; whether interrupts
    were off before the operation that took it."""
    locks = _locks(m)
    return int(locks.drop(locks.at(int(lock)), bool(shared)))


@primitive
def model_lock_is_held(m: Machine, lock: int) -> int:
    """``int model_lock_is_held(const void *lock)``: by the running task."""
    locks = _locks(m)
    return int(any(held.lock.address == int(lock) for held in locks.kernel.task.held))


@primitive
def model_lock_is_taken(m: Machine, lock: int) -> int:
    """``int model_lock_is_taken(const void *lock)``: by anybody."""
    it = _locks(m).table.get(int(lock))
    return int(it is not None and not it.free_for(False))


def left_held(kernel: Kernel, task: Task, before: int) -> None:
    """Reports locks that a callback still holds when it returns; ``before`` is how many
    the task held when it was called."""
    locks = kernel.part(Locks)
    for held in task.held[before:]:
        where = f" (taken at {held.place.loc.file}:{held.place.loc.line})" if held.place else ""
        report(
            kernel, "lock-balance", f"{locks.name(held.lock)} is still held at return{where}",
            suppressed=_NOT_CHECKED,
        )  # fmt: skip


__all__ = ["Held", "Lock", "Locks", "left_held"]
