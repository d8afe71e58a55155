# SPDX-License-Identifier: GPL-2.0-or-later
"""The rules of firmware with events."""

from __future__ import annotations

import pytest

from ctxlint.scenarios.devices.sdei import (
    BASE,
    DENIED,
    INVALID,
    NOT_SUPPORTED,
    PENDING,
    SUCCESS,
    Event,
    Firmware,
    Slot,
)

REGISTER, ENABLE, DISABLE, COMPLETE, RESUME, UNREGISTER, STATUS = 1, 2, 3, 5, 6, 7, 8
MASK, UNMASK, PRIVATE_RESET, SHARED_RESET = 0xB, 0xC, 0x11, 0x12
PRIVATE, CRITICAL, SHARED, SIGNAL = 8, 9, 2000, 0
EVENTS = (
    Event(number=SIGNAL, signal=True),
    Event(number=PRIVATE),
    Event(number=CRITICAL, critical=True),
    Event(number=SHARED, shared=True),
)


class Machine:
    """Handlers are noted, and end when a test says so."""

    def __init__(self) -> None:
        self.firmware = Firmware(2, EVENTS)
        self.delivered: list[tuple[int, int]] = []
        self.firmware.deliver = self._deliver

    def _deliver(self, pe: int, event: Event, slot: Slot) -> None:
        assert self.firmware.take(pe, event, slot)
        self.delivered.append((pe, event.number))

    def __call__(self, number: int, *args: int, pe: int = 0) -> int:
        return self.firmware.call(pe, BASE + number, (*args, 0, 0, 0, 0, 0)[:5])

    def ready(self, *numbers: int, pe: int = 0) -> None:
        for number in numbers:
            assert self(REGISTER, number, 0x1000, pe=pe) == SUCCESS
            assert self(ENABLE, number, pe=pe) == SUCCESS
        self(UNMASK, pe=pe)


@pytest.fixture
def machine() -> Machine:
    return Machine()


def test_calls_need_their_state(machine: Machine) -> None:
    assert machine(0) == 1 << 48
    assert machine(0x1F) == NOT_SUPPORTED
    assert machine(REGISTER, 77) == INVALID
    assert machine(ENABLE, PRIVATE) == DENIED
    assert machine(UNREGISTER, PRIVATE) == DENIED
    assert machine(REGISTER, PRIVATE) == SUCCESS
    assert machine(REGISTER, PRIVATE) == DENIED
    assert machine(REGISTER, PRIVATE, pe=1) == SUCCESS  # a PE of its own
    assert machine(REGISTER, SHARED) == SUCCESS
    assert machine(REGISTER, SHARED, pe=1) == DENIED
    assert machine(ENABLE, PRIVATE) == SUCCESS
    assert machine(STATUS, PRIVATE) == 0b011
    assert machine(DISABLE, PRIVATE) == SUCCESS
    assert machine(STATUS, PRIVATE) == 0b001
    assert machine(UNREGISTER, PRIVATE) == SUCCESS
    assert machine(STATUS, PRIVATE) == 0
    assert machine(COMPLETE) == DENIED


def test_a_masked_pe_takes_it_later(machine: Machine) -> None:
    machine.ready(PRIVATE)
    machine(MASK)
    assert machine.firmware.happen(PRIVATE, 0) == "pending"
    assert machine.delivered == []
    machine(UNMASK)
    assert machine.delivered == [(0, PRIVATE)]


def test_a_signal_is_not_kept(machine: Machine) -> None:
    machine.ready(SIGNAL)
    machine(MASK)
    assert machine.firmware.happen(SIGNAL, 0) == "refused"
    machine(UNMASK)
    assert machine.delivered == []
    assert machine.firmware.happen(SIGNAL, 0) == "taken"


def test_what_nobody_registered_is_lost(machine: Machine) -> None:
    machine(UNMASK)
    assert machine.firmware.happen(SHARED, 0) == "lost"
    assert machine.firmware.lost == [(0, SHARED)]


def test_priorities(machine: Machine) -> None:
    machine.ready(PRIVATE, CRITICAL)
    machine.firmware.happen(PRIVATE, 0)
    assert machine.firmware.happen(CRITICAL, 0) == "taken"
    assert machine.firmware.happen(PRIVATE, 0) == "pending"
    assert machine(COMPLETE, 1) == SUCCESS
    assert machine.delivered == [(0, PRIVATE), (0, CRITICAL)]
    assert machine(RESUME, 0x280) == SUCCESS
    assert machine.delivered[2:] == [(0, PRIVATE)]
    ends = [(done.event, done.failed, done.resume) for done in machine.firmware.done]
    assert ends == [(CRITICAL, True, 0), (PRIVATE, False, 0x280)]


def test_unregistering_waits_for_the_handler(machine: Machine) -> None:
    machine.ready(SHARED)
    machine.firmware.happen(SHARED, 0)
    assert machine(UNREGISTER, SHARED, pe=1) == PENDING
    assert machine(UNREGISTER, SHARED, pe=1) == PENDING
    assert machine(ENABLE, SHARED, pe=1) == DENIED
    machine(COMPLETE)
    assert machine(STATUS, SHARED) == 0
    assert machine(REGISTER, SHARED) == SUCCESS


def test_resets_and_power(machine: Machine) -> None:
    machine.ready(PRIVATE, SHARED)
    machine.ready(PRIVATE, pe=1)
    machine(PRIVATE_RESET)
    assert machine.firmware.registered()[PRIVATE] == [False, True]
    assert machine.firmware.registered()[SHARED] == [True]
    machine(SHARED_RESET)
    assert machine.firmware.registered()[SHARED] == [False]
    machine.firmware.power(1, False)
    assert machine.firmware.happen(PRIVATE, 1) == "pending"
    machine.firmware.power(1, True)
    assert machine.firmware.registered()[PRIVATE] == [False, False]
    assert machine.firmware.pes[1].masked


def test_answers_can_be_replaced(machine: Machine) -> None:
    machine.firmware.refuse["event-register@1"] = -10
    assert machine(REGISTER, PRIVATE) == SUCCESS
    assert machine(REGISTER, PRIVATE, pe=1) == -10
    assert machine.firmware.registered()[PRIVATE] == [True, False]
