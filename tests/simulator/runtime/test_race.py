# SPDX-License-Identifier: GPL-2.0-or-later
"""Data races: found when nothing orders two accesses, and only then."""

from __future__ import annotations

import pytest

from ctxlint.simulator.runtime.boot import cpu_down, cpu_up
from ctxlint.simulator.runtime.policy import Exhaustive, Policy, Seeded
from ctxlint.simulator.runtime.race import Races
from tests.simulator.runtime.hotplug import World, text, world

TEXT = text("race")


def races(made: World) -> list[str]:
    return [str(r.facts["variable"]) for r in made.kernel.reports if r.kind == "race"]


def run_two(first: str, second: str, policy: Policy | None = None) -> list[str]:
    """Two functions on two CPUs."""
    with world(TEXT, cpus=2) as w:
        sim = w.boot()
        Races(w.kernel.m).attach(sim)
        if policy is not None:
            sim.policy = policy
        m = w.kernel.m
        sim.spawn("a", 0, lambda: m.call(first))
        sim.spawn("b", 1, lambda: m.call(second))
        sim.run()
        return races(w)


@pytest.mark.parametrize(
    ("first", "second", "found"),
    [
        ("write_plain", "read_plain", True),
        ("write_plain", "write_plain", True),
        ("read_plain", "read_plain", False),
        ("write_plain", "read_other", False),
        ("write_locked", "read_locked", False),
        ("write_mutex", "read_mutex", False),
        ("write_locked", "read_plain", True),
        ("write_marked", "read_marked", False),
        ("write_marked", "read_plain", True),
        ("write_plain", "read_marked", True),
        ("write_left", "write_right", False),
        ("write_a", "write_b", True),
        ("waker", "waiter", False),
    ],
)
def test_two_tasks(first: str, second: str, found: bool) -> None:
    for seed in range(6):
        policy = Seeded(seed=seed, every=2)
        variable = "bits" if first == "write_a" else "plain"
        assert run_two(first, second, policy) == ([variable] if found else [])


def run_one(symbol: str, seed: int = 1) -> list[str]:
    with world(TEXT) as w:
        sim = w.boot()
        Races(w.kernel.m).attach(sim)
        sim.policy = Seeded(seed=seed, every=2)
        w.call(symbol)
        sim.settle()
        return races(w)


@pytest.mark.parametrize("symbol", ["ipi", "queued", "stopped", "thread"])
def test_what_orders_accesses(symbol: str) -> None:
    for seed in range(4):
        assert run_one(symbol, seed) == []


def test_work_that_nobody_waits_for() -> None:
    assert run_one("unflushed") == ["plain"]


def test_hotplug_orders_the_task_in_control_and_callbacks() -> None:
    with world(TEXT) as w:
        sim = w.boot()
        Races(w.kernel.m).attach(sim)
        w.call("reg")
        w.call("freeze")
        # A later task is ordered behind the first by the locks of hotplug alone.
        cpu_down(sim, 1)
        cpu_up(sim, 1)
        assert "frozen" in " ".join(races(w))


def test_a_flag_that_is_set_while_a_cpu_goes_down() -> None:
    with world(TEXT) as w:
        sim = w.boot()
        w.call("reg")
        Races(w.kernel.m).attach(sim)
        m = w.kernel.m
        sim.spawn("reboot", 0, lambda: m.call("freeze"))
        sim.spawn("sysfs", 2, lambda: m.call("remove_cpu", 1))
        sim.run()
        found = next(r for r in w.kernel.reports if r.kind == "race")
        assert found.facts["variable"] == "u0.c::frozen"
        assert "by reboot/" in found.headline
        assert "by migration/1" in found.headline


def test_every_point_is_explored_when_accesses_are_points() -> None:
    results = set()
    search = Exhaustive(preemptions=2, limit=200)
    for policy in search:
        with world(TEXT, cpus=2) as w:
            sim = w.boot()
            m = w.kernel.m
            place = m.address_of("plain")
            Races(m, ((place, place + 4),), points=True).attach(sim)
            sim.policy = policy
            sim.spawn("a", 0, lambda m=m: m.call("body", 0))
            sim.spawn("b", 1, lambda m=m: m.call("body", 0))
            sim.run()
            results.add(m.mem.load(place, 4))
            assert races(w) == ["plain"]
    assert search.complete
    assert results == {1, 2}  # one of the increments may be lost
