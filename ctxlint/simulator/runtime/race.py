# SPDX-License-Identifier: GPL-2.0-or-later
"""Data races: conflicting accesses that nothing puts in an order.

Each task has a vector clock. What orders tasks - a lock that is released and taken,
work that is queued and run, an interrupt that is sent and handled, a task that is made
- goes through :meth:`Races.publish` and :meth:`Races.observe` with a key; that one of two
accesses came first by chance does not. Handlers count as the task they interrupt.

At least one of the two must be plain. Accesses of model functions are single steps, and
those of the macros in ``rules/models/races.yaml`` are marked as concurrent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from ctxlint.base import yamldata
from ctxlint.base.errors import RuleError
from ctxlint.base.places import rules_directory
from ctxlint.simulator.image import RODATA
from ctxlint.simulator.machine import STACK, Machine
from ctxlint.simulator.memory import DevicePage
from ctxlint.simulator.runtime.state import Report
from ctxlint.simulator.runtime.tasks import Thread
from ctxlint.simulator.runtime.trace import call_trace

_STACKS = (STACK, STACK + (1 << 32))
_LITERALS = (RODATA, RODATA + (1 << 28))
_ALL = (1 << 8) - 1


@cache
def marked_macros() -> frozenset[str]:
    """Names of the macros whose accesses are meant to be concurrent."""
    path = rules_directory() / "models" / "races.yaml"
    rows = yamldata.load(path.read_text(encoding="utf-8"))
    if not isinstance(rows, dict) or set(rows) != {"marked"}:
        raise RuleError(f"{path.name}: one list, called marked, is expected")
    return frozenset(rows["marked"])


@dataclass(frozen=True)
class Access:
    """``mask`` are bytes of the word of 8; ``time`` is the task's own clock."""

    mask: int
    thread: int
    time: int
    marked: bool
    write: bool
    place: str
    who: str


@dataclass
class _Word:
    """Latest accesses, those that a later one of the same task covers left out."""

    accesses: list[Access] = field(default_factory=list)


class Races:
    """A race detector for one run: :meth:`attach` before tasks run.

    ``ranges`` are ``(start, end)`` addresses to watch; without them all memory but
    stacks, literals and devices. With ``points`` each plain access to what is watched is
    a point where others may run.
    """

    def __init__(
        self, m: Machine, ranges: tuple[tuple[int, int], ...] = (), *, points: bool = False
    ) -> None:
        self.m = m
        self.ranges = ranges
        self.points = points
        self.keys: dict[object, dict[int, int]] = {}
        self.words: dict[int, _Word] = {}
        self.found: set[tuple[str, str]] = set()
        self._busy = False

    def attach(self, sim: Any) -> None:
        """Watch the accesses of the machine and the order of a scheduler's tasks."""
        self.sim = sim
        sim.race = self
        m = self.m
        for name, size in (("l1", 1), ("l4", 4), ("l8", 8)):
            setattr(m, name, self._load(getattr(m, name), size))
        for name, size in (("s4", 4), ("s8", 8)):
            setattr(m, name, self._store(getattr(m, name), size))
        load, store, read, write = m.load, m.store, m.read, m.write
        set_bits = m.set_bits

        def sized_load(address: Any, size: int) -> Any:
            self.access(address, size, False)
            return load(address, size)

        def sized_store(address: Any, size: int, value: Any) -> None:
            self.access(address, size, True)
            store(address, size, value)

        def block_read(address: Any, size: int) -> Any:
            self.access(address, size, False)
            return read(address, size)

        def block_write(address: Any, blob: Any) -> None:
            data = blob if isinstance(blob, bytes) else blob.data
            self.access(address, len(data), True)
            write(address, blob)

        def bits(address: Any, length: int, shift: int, width: int, value: Any) -> None:
            self.access(address, length, True)
            set_bits(address, length, shift, width, value)

        vars(m).update(
            load=sized_load,
            store=sized_store,
            read=block_read,
            write=block_write,
            set_bits=bits,
        )

    def _load(self, inner: Callable[[Any], Any], size: int) -> Callable[[Any], Any]:
        def load(address: Any) -> Any:
            self.access(address, size, False)
            return inner(address)

        return load

    def _store(self, inner: Callable[..., None], size: int) -> Callable[[Any, Any], None]:
        def store(address: Any, value: Any) -> None:
            self.access(address, size, True)
            inner(address, value)

        return store

    # order

    def forked(self, parent: Thread | None, child: Thread) -> None:
        """A task is made by another, or from outside."""
        if parent is not None:
            child.clock = dict(parent.clock)
            self._tick(parent)
        child.clock[child.number] = 1

    def _tick(self, thread: Thread) -> None:
        thread.clock[thread.number] = thread.clock.get(thread.number, 0) + 1

    def publish(self, thread: Thread | None, key: object) -> None:
        if thread is None:
            return
        thread.clock.setdefault(thread.number, 1)
        _join(self.keys.setdefault(key, {}), thread.clock)
        self._tick(thread)

    def observe(self, thread: Thread | None, key: object) -> None:
        seen = self.keys.get(key)
        if thread is not None and seen is not None:
            _join(thread.clock, seen)

    def before(self, thread: Thread, kind: str, what: object) -> None:
        """A point, before others may run."""
        if kind in ("release", "wake", "store-release"):
            self.publish(thread, ("memory", what))

    def after(self, thread: Thread, kind: str, what: object) -> None:
        """A point, when the task goes on."""
        if kind in ("acquire", "atomic", "load-acquire"):
            self.observe(thread, ("memory", what))
        if kind == "atomic":
            self.publish(thread, ("memory", what))

    # accesses

    def _watched(self, address: int, size: int) -> bool:
        if self.ranges:
            return any(s < address + size and address < e for s, e in self.ranges)
        if _STACKS[0] <= address < _STACKS[1] or _LITERALS[0] <= address < _LITERALS[1]:
            return False
        return not isinstance(self.m.mem.pages.get(address >> 12), DevicePage)

    def access(self, address: Any, size: int, write: bool) -> None:
        """The running task is about to access memory."""
        thread: Thread | None = self.sim.running
        if self._busy or thread is None or address.__class__ is not int:
            return
        if not self._watched(address, size):
            return
        stack = self.m.stack
        if not stack:
            return
        self._busy = True
        try:
            frame = stack[-1]
            loc = self.m.loc(frame)
            marked = frame.meta.model or loc.macro in marked_macros()
            place = f"{loc.file}:{loc.line}"
        finally:
            self._busy = False
        if self.points and not marked:
            self.sim.point("memory", self._name(address))
        who = f"{thread} on CPU{thread.task.cpu}"
        time = thread.clock.setdefault(thread.number, 1)
        at, end = address, address + size
        while at < end:
            base = at & ~7
            upto = min(end, base + 8)
            mask = (_ALL >> (base + 8 - upto)) & (_ALL << (at - base)) & _ALL
            one = Access(mask, thread.number, time, marked, write, place, who)
            self._check(base, one, thread)
            at = upto

    def _check(self, base: int, new: Access, thread: Thread) -> None:
        word = self.words.setdefault(base, _Word())
        kept = []
        for old in word.accesses:
            ordered = old.thread == new.thread or old.time <= thread.clock.get(old.thread, 0)
            conflict = old.mask & new.mask and (old.write or new.write)
            if conflict and not ordered and not (old.marked and new.marked):
                self._report(base, old, new)
            covers = old.mask & ~new.mask == 0 and ordered
            if not (covers and (new.write or not old.write) and new.marked <= old.marked):
                kept.append(old)
        kept.append(new)
        word.accesses = kept

    def _report(self, base: int, old: Access, new: Access) -> None:
        pair = (min(old.place, new.place), max(old.place, new.place))
        if pair in self.found:
            return
        self.found.add(pair)
        kernel = self.sim.kernel
        offset = (old.mask & new.mask & -(old.mask & new.mask)).bit_length() - 1
        name = self._name(base + offset)
        first, second = _described(old), _described(new)
        frames = kernel.frames()
        kernel.reports.append(
            Report(
                kind="race",
                headline=f"race on {name}: {first}, {second}, in no order",
                cpu=kernel.cpu.number,
                task=kernel.task.comm,
                pid=kernel.task.pid,
                context=kernel.context(),
                frames=frames,
                trace=call_trace(self.m.image, frames),
                printed=False,
                suppressed="the kernel does not check",
                time=kernel.now,
                facts={"variable": name, "accesses": (first, second)},
            )
        )

    def _name(self, address: int) -> str:
        return self.m.named(address)


def _described(access: Access) -> str:
    what = "write" if access.write else "read"
    how = "marked " if access.marked else ""
    return f"{how}{what} at {access.place} by {access.who}"


def _join(clock: dict[int, int], other: dict[int, int]) -> None:
    for thread, time in other.items():
        if time > clock.get(thread, 0):
            clock[thread] = time


__all__ = ["Access", "Races", "marked_macros"]
