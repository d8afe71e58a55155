# SPDX-License-Identifier: GPL-2.0-or-later
"""Loops that wait: as exact as if every turn were looked at, and no loop is mistaken."""

from __future__ import annotations

import pytest

from ctxlint.simulator.outcome import Hang
from ctxlint.simulator.runtime.delays import Delays
from tests.simulator.runtime.hotplug import World, world

TEXT = """
void udelay(unsigned long), cpu_relax(void);
unsigned int flag;
int turns;
int poll(int most)
{
    int left = most;
    while (!*(volatile unsigned int *)&flag && --left)
        udelay(1);
    return most - left;
}
int count(int most)
{
    turns = 0;
    while (!*(volatile unsigned int *)&flag && turns < most) {
        turns++;
        udelay(1);
    }
    return turns;
}
int other(void) { udelay(300); flag = 1; return 0; }
int forever(void) { while (!*(volatile unsigned int *)&flag) cpu_relax(); return 0; }
"""


def booted(made: World) -> World:
    made.boot()
    return made


def raise_flag(w: World) -> None:
    m = w.kernel.m
    m.s4(m.address_of("flag"), 1)


@pytest.mark.parametrize("function", ["poll", "count"])
@pytest.mark.parametrize("known", [True, False])
def test_an_event_is_seen_on_time(
    function: str, known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not known:
        monkeypatch.setattr(Delays, "quiet", lambda *_: False)
    with world(TEXT) as w:
        booted(w).sim.at(500, lambda: raise_flag(w))
        assert w.call(function, 2000) == 500


@pytest.mark.parametrize("function", ["poll", "count"])
def test_another_cpu_is_seen_on_time(function: str) -> None:
    with world(TEXT) as w:
        m = booted(w).kernel.m
        first = w.sim.spawn("first", 0, lambda: m.call(function, 2000))
        second = w.sim.spawn("second", 1, lambda: m.call("other"))
        w.sim.run(first, second)
        assert first.result in (300, 301)


def test_only_a_loop_that_stores_nothing_is_remembered() -> None:
    with world(TEXT) as w:
        booted(w).call("poll", 50)
        w.call("count", 50)
        known = {symbol: still for (symbol, _), still in w.sim.delays._still.items()}
        assert (known["poll"], known["count"]) == (True, False)


def test_a_poll_that_nothing_ends_is_a_hang() -> None:
    with world(TEXT) as w, pytest.raises(Hang, match=r"forever\(\) polls for"):
        booted(w).call("forever")


def test_a_poll_that_an_event_ends_is_none() -> None:
    with world(TEXT) as w:
        booted(w).sim.at(5000, lambda: raise_flag(w))
        assert w.call("forever") == 0


def test_a_poll_that_counts_is_none() -> None:
    with world(TEXT) as w:
        assert booted(w).call("poll", 20000) == 20000
