# SPDX-License-Identifier: GPL-2.0-or-later
"""Firmware with the Software Delegated Exception Interface, as a driver sees it.

An event is *private* (each PE has its own registration) or *shared* (one for all),
of *normal* or *critical* priority. A PE is masked after reset. An event that happens is
pending until its PE can take it: the event is registered and enabled, the PE is not
masked, and no event of the same or a higher priority is being handled there. Whether the
kernel has interrupts off does not matter.

Sources: the numbers are those of include/uapi/linux/arm_sdei.h; which state a call
needs, what a PE looks like after power-up and that a signal to a masked PE is refused
were seen on Trusted Firmware-A. :attr:`Firmware.deliver` takes an event to a kernel.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

BASE, CALLS = 0xC400_0020, 0x20
SUCCESS, NOT_SUPPORTED, INVALID, DENIED, PENDING = 0, -1, -2, -3, -5
_TYPE, _SIGNALED, _PRIORITY, _ROUTING, _AFFINITY = range(5)
_ANY_PE = 0


@dataclass(frozen=True, kw_only=True)
class Event:
    """What the firmware has. ``signal``: raised by software, lost when it cannot be
    taken."""

    number: int
    shared: bool = False
    critical: bool = False
    signal: bool = False

    @property
    def level(self) -> int:
        return 2 if self.critical else 1


@dataclass
class Slot:
    """The state of an event on one PE, or of a shared event. ``kernel`` is the number
    of the kernel that registered, ``running`` the PE that handles it."""

    registered: bool = False
    enabled: bool = False
    leaving: bool = False
    """It was unregistered while it was handled, and will be gone after that."""
    entry: int = 0
    argument: int = 0
    flags: int = 0
    affinity: int = 0
    kernel: int = 0
    running: int = -1
    pending: bool = False


@dataclass
class Pe:
    """``active`` are the events being handled, innermost last."""

    masked: bool = True
    powered: bool = True
    active: list[tuple[Event, Slot]] = field(default_factory=list)


@dataclass(frozen=True)
class Done:
    """The end of a handler. ``resume`` is the address to go on at, 0 for where it was
    interrupted; ``failed`` is its own word for how it went."""

    pe: int
    event: int
    failed: bool
    resume: int


class Firmware:
    """See the module. ``deliver(pe, event, slot)`` is to have the handler called there;
    ``refuse`` are answers to calls by name (``"pe-mask"``, or ``"pe-mask@2"`` of one PE)
    instead of what would happen."""

    def __init__(self, pes: int, events: tuple[Event, ...], version: int = 1 << 48) -> None:
        self.events = {event.number: event for event in events}
        self.version = version
        self.pes = [Pe() for _ in range(pes)]
        self.private = [{e.number: Slot() for e in events if not e.shared} for _ in self.pes]
        self.shared = {e.number: Slot() for e in events if e.shared}
        self.refuse: dict[str, int] = {}
        self.deliver: Callable[[int, Event, Slot], object] = lambda pe, event, slot: None
        self.kernel = 0
        """The number of the kernel that runs."""
        self.calls: list[tuple[int, str, int, int]] = []
        """PE, call, event number, answer."""
        self.taken: list[tuple[int, int, int]] = []
        """PE, event, number of the kernel that had registered it."""
        self.done: list[Done] = []
        self.lost: list[tuple[int, int]] = []

    # calls

    def call(self, pe: int, number: int, args: tuple[int, ...]) -> int:
        """A call from a PE; the answer as the driver sees it."""
        name, method = _CALLS.get(number - BASE, ("", None))
        if method is None:
            return NOT_SUPPORTED
        answer = self.refuse.get(f"{name}@{pe}", self.refuse.get(name))
        if answer is None:
            answer = method(self, pe, args)
        which = args[0] if name.startswith("event-") and "complete" not in name else -1
        self.calls.append((pe, name, which, answer))
        return answer

    def slot(self, pe: int, number: int) -> Slot | None:
        event = self.events.get(number)
        if event is None:
            return None
        return self.shared[number] if event.shared else self.private[pe][number]

    def _version(self, pe: int, args: tuple[int, ...]) -> int:
        return self.version

    def _register(self, pe: int, args: tuple[int, ...]) -> int:
        slot = self.slot(pe, args[0])
        if slot is None:
            return INVALID
        if slot.registered:
            return DENIED
        slot.registered, slot.enabled, slot.leaving = True, False, False
        slot.entry, slot.argument, slot.flags, slot.affinity = args[1:5]
        slot.kernel = self.kernel
        return SUCCESS

    def _enable(self, pe: int, args: tuple[int, ...]) -> int:
        return self._switch(pe, args[0], True)

    def _disable(self, pe: int, args: tuple[int, ...]) -> int:
        return self._switch(pe, args[0], False)

    def _switch(self, pe: int, number: int, on: bool) -> int:
        slot = self.slot(pe, number)
        if slot is None:
            return INVALID
        if not slot.registered or slot.leaving:
            return DENIED
        slot.enabled = on
        self.kick(self._target(pe, self.events[number], slot))
        return SUCCESS

    def _context(self, pe: int, args: tuple[int, ...]) -> int:
        return SUCCESS if self.pes[pe].active else DENIED

    def _complete(self, pe: int, args: tuple[int, ...]) -> int:
        return self._finish(pe, failed=args[0] != 0, resume=0)

    def _complete_and_resume(self, pe: int, args: tuple[int, ...]) -> int:
        return self._finish(pe, failed=False, resume=args[0])

    def _finish(self, pe: int, failed: bool, resume: int) -> int:
        active = self.pes[pe].active
        if not active:
            return DENIED
        event, slot = active.pop()
        self.done.append(Done(pe, event.number, failed, resume))
        slot.running = -1
        if slot.leaving:
            _reset(slot)
        self.kick(pe)
        return SUCCESS

    def _unregister(self, pe: int, args: tuple[int, ...]) -> int:
        slot = self.slot(pe, args[0])
        if slot is None:
            return INVALID
        if not slot.registered:
            return DENIED
        if slot.running >= 0:
            slot.leaving, slot.enabled = True, False
            return PENDING
        _reset(slot)
        return SUCCESS

    def _status(self, pe: int, args: tuple[int, ...]) -> int:
        slot = self.slot(pe, args[0])
        if slot is None:
            return INVALID
        registered = slot.registered and not slot.leaving
        return registered | slot.enabled << 1 | (slot.running >= 0) << 2

    def _info(self, pe: int, args: tuple[int, ...]) -> int:
        event, slot = self.events.get(args[0]), self.slot(pe, args[0])
        if event is None or slot is None:
            return INVALID
        facts = {
            _TYPE: int(event.shared), _SIGNALED: int(event.signal),
            _PRIORITY: int(event.critical), _ROUTING: slot.flags, _AFFINITY: slot.affinity,
        }  # fmt: skip
        return facts.get(args[1], INVALID)

    def _mask(self, pe: int, args: tuple[int, ...]) -> int:
        self.pes[pe].masked = True
        return SUCCESS

    def _unmask(self, pe: int, args: tuple[int, ...]) -> int:
        self.pes[pe].masked = False
        self.kick(pe)
        return SUCCESS

    def _private_reset(self, pe: int, args: tuple[int, ...]) -> int:
        return self._drop(list(self.private[pe].values()))

    def _shared_reset(self, pe: int, args: tuple[int, ...]) -> int:
        return self._drop(list(self.shared.values()))

    def _drop(self, slots: list[Slot]) -> int:
        for slot in slots:
            if slot.running >= 0:
                slot.leaving, slot.enabled = True, False
            else:
                _reset(slot)
        return SUCCESS

    # events

    def happen(self, number: int, pe: int) -> str:
        """An event happens, for a private one on a PE. ``"taken"`` (the handler is to be
        called), ``"pending"``, ``"refused"`` (a signal that cannot be taken), ``"lost"``
        (nobody registered it)."""
        event = self.events[number]
        slot = self.shared[number] if event.shared else self.private[pe][number]
        where = self._target(pe, event, slot)
        if event.signal and (self.pes[where].masked or not slot.enabled):
            return "refused"
        if not slot.registered:
            self.lost.append((where, number))
            return "lost"
        slot.pending = True
        if not self.can_take(where, event, slot):
            return "pending"
        self.deliver(where, event, slot)
        return "taken"

    def _target(self, pe: int, event: Event, slot: Slot) -> int:
        """A shared event goes to the PE it is routed to, or to any: this one."""
        return slot.affinity if event.shared and slot.flags != _ANY_PE else pe

    def can_take(self, pe: int, event: Event, slot: Slot) -> bool:
        at = self.pes[pe]
        return (
            at.powered
            and not at.masked
            and slot.registered
            and slot.enabled
            and not slot.leaving
            and slot.running < 0
            and all(other.level < event.level for other, _ in at.active)
        )

    def take(self, pe: int, event: Event, slot: Slot) -> bool:
        """The PE is about to run the handler; False when it no longer can."""
        if not slot.pending or not self.can_take(pe, event, slot):
            return False
        slot.pending, slot.running = False, pe
        self.pes[pe].active.append((event, slot))
        self.taken.append((pe, event.number, slot.kernel))
        return True

    def kick(self, pe: int) -> None:
        """Deliver what is pending and can be taken now."""
        for number, event in sorted(self.events.items()):
            slot = self.slot(pe, number)
            assert slot is not None
            waits = slot.pending and self._target(pe, event, slot) == pe
            if waits and self.can_take(pe, event, slot):
                self.deliver(pe, event, slot)

    # power

    def power(self, pe: int, on: bool) -> None:
        """A PE is switched on or off; its private events do not survive that."""
        at = self.pes[pe]
        if at.powered == on:
            return
        at.powered = on
        if on:
            at.masked, at.active = True, []
            for slot in self.private[pe].values():
                _reset(slot)

    # what is known

    def registered(self) -> dict[int, list[bool]]:
        """By event: on which PEs (one entry for a shared one)."""
        return self._each(lambda slot: slot.registered)

    def enabled(self) -> dict[int, list[bool]]:
        return self._each(lambda slot: slot.enabled)

    def _each(self, what: Callable[[Slot], bool]) -> dict[int, list[bool]]:
        return {
            number: [what(self.shared[number])]
            if event.shared
            else [what(slots[number]) for slots in self.private]
            for number, event in sorted(self.events.items())
        }


def _reset(slot: Slot) -> None:
    slot.registered = slot.enabled = slot.leaving = slot.pending = False
    slot.entry = slot.argument = slot.flags = slot.affinity = 0


_Method = Callable[[Firmware, int, tuple[int, ...]], int]
_CALLS: dict[int, tuple[str, _Method]] = {
    0x00: ("version", Firmware._version),
    0x01: ("event-register", Firmware._register),
    0x02: ("event-enable", Firmware._enable),
    0x03: ("event-disable", Firmware._disable),
    0x04: ("event-context", Firmware._context),
    0x05: ("event-complete", Firmware._complete),
    0x06: ("event-complete-and-resume", Firmware._complete_and_resume),
    0x07: ("event-unregister", Firmware._unregister),
    0x08: ("event-status", Firmware._status),
    0x09: ("event-get-info", Firmware._info),
    0x0B: ("pe-mask", Firmware._mask),
    0x0C: ("pe-unmask", Firmware._unmask),
    0x11: ("private-reset", Firmware._private_reset),
    0x12: ("shared-reset", Firmware._shared_reset),
}

__all__ = [
    "BASE", "CALLS", "DENIED", "INVALID", "NOT_SUPPORTED", "PENDING", "SUCCESS", "Done",
    "Event", "Firmware", "Pe", "Slot",
]  # fmt: skip
