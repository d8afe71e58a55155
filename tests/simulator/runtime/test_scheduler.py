# SPDX-License-Identifier: GPL-2.0-or-later
"""Tasks and CPUs side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxlint.ir.types import Type
from ctxlint.simulator.code import Code
from ctxlint.simulator.machine import Machine, StrictExternals
from ctxlint.simulator.outcome import Hang
from ctxlint.simulator.runtime.policy import Exhaustive, Policy, Replay, Script, Seeded
from ctxlint.simulator.runtime.scheduler import Simulation
from ctxlint.simulator.runtime.state import HARDIRQ, NMI, Config, Kernel
from ctxlint.simulator.runtime.tasks import STOPPER, Interrupt
from ctxlint.simulator.trace import Trace
from tests.simulator.program import image_of


@cache
def code_of(text: str) -> Code:
    return Code(image_of(text))


class World:
    """A kernel with all CPUs online, and a log of who did what."""

    def __init__(
        self, policy: Policy | None = None, cpus: int = 2, text: str = "int unused;"
    ) -> None:
        self.kernel = Kernel(Machine(code_of(text)), Config(rt=True, cpus=cpus))
        for cpu in self.kernel.cpus:
            cpu.online = True
        self.trace = Trace()
        self.sim = Simulation(self.kernel, policy, self.trace)
        self.log: list[str] = []

    def steps(self, name: str, count: int = 2) -> Callable[[], None]:
        def body() -> None:
            for i in range(count):
                self.log.append(f"{name}{i}")
                self.sim.point("step", f"{name}{i}")

        return body


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    yield world
    world.sim.close()


def two_writers(policy: Policy) -> list[str]:
    world = World(policy)
    world.sim.spawn("a", 0, world.steps("a"))
    world.sim.spawn("b", 1, world.steps("b"))
    world.sim.run()
    world.sim.close()
    return world.log


def test_without_a_policy_each_goes_on_until_it_ends() -> None:
    assert two_writers(Policy()) == ["a0", "a1", "b0", "b1"]


def test_a_script_names_the_turns() -> None:
    script = Script(steps=["a until a0", "b until b1", "a"])
    assert two_writers(script) == ["a0", "b0", "b1", "a1"]
    assert script.left == ()


def test_exhaustion_finds_every_interleaving() -> None:
    search = Exhaustive(preemptions=4)
    logs = [tuple(two_writers(policy)) for policy in search]
    assert search.complete
    orders = {log for log in logs if sorted(log) == ["a0", "a1", "b0", "b1"]}
    assert len(orders) == 6  # two of each kept in order: 4! / (2! * 2!)


def test_the_bound_on_preemptions_holds() -> None:
    none = {tuple(two_writers(policy)) for policy in Exhaustive(preemptions=0)}
    assert none == {("a0", "a1", "b0", "b1"), ("b0", "b1", "a0", "a1")}


def test_a_limit_is_not_complete() -> None:
    search = Exhaustive(preemptions=4, limit=3)
    assert len([two_writers(policy) for policy in search]) == 3
    assert not search.complete


def busy_run(policy: Policy) -> tuple[list[str], list[str]]:
    """Everything at once: blocking, time, interrupts, three CPUs."""
    world = World(policy, cpus=3)
    sim = world.sim
    open_: list[int] = []

    def waiter() -> None:
        sim.block(lambda: bool(open_), "the gate")
        world.log.append("through")
        sim.advance(5)

    def opener() -> None:
        sim.advance(10)
        sim.point("lock")
        open_.append(1)
        sim.irq.post(2, Interrupt("ipi", sim.irq.plain(world.steps("i", 1))))

    sim.spawn("w", 0, waiter)
    sim.spawn("x", 0, world.steps("x"))
    sim.spawn("o", 1, opener)
    sim.spawn("s", 2, world.steps("s", 4))
    sim.offers["later"] = lambda: world.log.append("later")
    sim.run()
    sim.settle()
    sim.close()
    return world.log, world.trace.lines()


@given(st.integers(0, 2**64 - 1), st.integers(1, 6))
def test_a_seed_is_a_run_and_its_decisions_replay_it(seed: int, every: int) -> None:
    first = Seeded(seed=seed, every=every)
    log = busy_run(first)
    assert busy_run(Seeded(seed=seed, every=every)) == log
    assert busy_run(Replay(prefix=first.schedule)) == log


def test_seeds_differ_and_one_is_fixed_for_good() -> None:
    assert len({tuple(two_writers(Seeded(seed=s))) for s in range(20)}) > 3
    # The same on every version of Python.
    policy = Seeded(seed=7)
    assert [policy.below(1000) for _ in range(3)] == [487, 804, 346]


def test_a_task_that_blocks_leaves_its_cpu(world: World) -> None:
    gate: list[int] = []
    world.sim.spawn("a", 0, lambda: world.sim.block(lambda: bool(gate), "the gate"))
    world.sim.spawn("b", 0, lambda: gate.append(world.kernel.task.pid))
    world.sim.run()
    assert gate == [world.kernel.tasks[-1].pid]


def test_atomic_context_keeps_others_away(world: World) -> None:
    sim, kernel = world.sim, world.kernel

    def atomic() -> None:
        kernel.task.preempt_count += 1
        world.steps("a", 3)()
        kernel.task.preempt_count -= 1

    sim.policy = Script(steps=["a until a0", "b until b1"])
    sim.spawn("a", 0, atomic)
    sim.spawn("b", 0, world.steps("b"))
    sim.run()
    assert world.log == ["a0", "a1", "a2", "b0", "b1"]


def test_preemption_where_it_is_allowed(world: World) -> None:
    world.sim.policy = Script(steps=["a until a0", "b until b1"])
    world.sim.spawn("a", 0, world.steps("a", 3))
    world.sim.spawn("b", 0, world.steps("b"))
    world.sim.run()
    assert world.log == ["a0", "b0", "b1", "a1", "a2"]


def test_a_stopper_takes_the_cpu(world: World) -> None:
    go: list[int] = []

    def stopper() -> None:
        world.sim.rest(lambda: bool(go))
        world.log.append("stop")

    def task() -> None:
        world.log.append("before")
        go.append(1)
        world.sim.point("step")
        world.log.append("after")

    world.sim.spawn("migration/0", 0, stopper, daemon=True, rank=STOPPER)
    world.sim.spawn("t", 0, task)
    world.sim.run()
    assert world.log == ["before", "stop", "after"]


def test_blocking_comes_back_with_interrupts_on(world: World) -> None:
    def body() -> tuple[bool, bool]:
        cpu = world.kernel.cpu
        cpu.irqs_off = True
        world.sim.block(lambda: world.kernel.now > 3, "time", timeout=10)
        return cpu.irqs_off, world.kernel.now == 10

    assert world.sim.run(world.sim.spawn("a", 0, body)) == (False, True)


def test_time_jumps_when_all_wait(world: World) -> None:
    sim, kernel = world.sim, world.kernel
    times: list[tuple[str, int]] = []

    def body(name: str, delay: int) -> Callable[[], None]:
        def run() -> None:
            assert not sim.block(lambda: False, "nothing", timeout=delay)
            times.append((name, kernel.now))

        return run

    sim.spawn("late", 0, body("late", 5_000_000))
    sim.spawn("early", 1, body("early", 20))
    sim.at(100, lambda: times.append(("event", kernel.now)))
    sim.run()
    assert times == [("early", 20), ("event", 100), ("late", 5_000_000)]


def test_a_hang_names_every_waiter(world: World) -> None:
    sim = world.sim
    sim.spawn("a", 0, lambda: sim.block(lambda: False, "b's answer"))
    sim.spawn("b", 1, lambda: sim.spin(lambda: False, "a raw lock"))
    with pytest.raises(Hang) as caught:
        sim.run()
    assert "CPU0 a/20 waits for b's answer" in str(caught.value)
    assert "CPU1 b/21 waits for a raw lock" in str(caught.value)
    assert [report.kind for report in world.kernel.reports] == ["hang"]


def test_the_idle_task_may_not_block() -> None:
    world = World()
    kernel, sim = world.kernel, world.sim
    kernel.cpus[1].online = False
    held = [1]
    sim.start_cpu(1, lambda: sim.block(lambda: not held, "a lock"))
    sim.spawn("owner", 0, lambda: (sim.advance(10), held.clear()))
    sim.run()
    sim.settle()
    assert sim.waits() == [
        "CPU1 swapper/1/0 waits for a lock (it left the idle task and cannot come back)"
    ]
    sim.close()


def words(world: World, log: list[tuple[int, bool, str]]) -> Callable[[], None]:
    def handler() -> None:
        kernel = world.kernel
        log.append((kernel.task.preempt_count, kernel.cpu.irqs_off, kernel.task.comm))

    return handler


def test_interrupts_wait_until_they_are_on(world: World) -> None:
    sim, kernel = world.sim, world.kernel
    seen: list[tuple[int, bool, str]] = []

    def body() -> None:
        kernel.cpu.irqs_off = True
        sim.irq.post(0, Interrupt("irq", sim.irq.plain(words(world, seen))))
        sim.point("step")
        assert seen == []
        sim.irq.post(
            0, Interrupt("nmi", sim.irq.plain(words(world, seen), NMI + HARDIRQ), level=1)
        )
        sim.point("step")
        assert len(seen) == 1
        kernel.cpu.irqs_off = False
        sim.point("step")
        assert not kernel.cpu.irqs_off
        assert kernel.task.preempt_count == 0

    sim.run(sim.spawn("t", 0, body))
    assert seen == [(0x110000, True, "t"), (0x10000, True, "t")]


def test_an_idle_cpu_takes_interrupts(world: World) -> None:
    seen: list[tuple[int, bool, str]] = []
    sim = world.sim

    def body() -> None:
        sim.irq.post(1, Interrupt("irq", sim.irq.plain(words(world, seen))))
        sim.spin(lambda: bool(seen), "the handler")

    sim.run(sim.spawn("t", 0, body))
    assert seen == [(0x10001, True, "swapper/1")]


def test_a_critical_event_nests_in_a_normal_one(world: World) -> None:
    sim = world.sim
    order: list[str] = []

    def event(name: str, inner: Interrupt | None = None) -> Callable[[], object]:
        def run() -> None:
            order.append(f"{name} begins")
            if inner is not None:
                sim.irq.post(0, inner)
            sim.point("step")
            order.append(f"{name} ends")

        return sim.irq.plain(run, NMI + HARDIRQ)

    same = Interrupt("same", event("same"), level=1)
    critical = Interrupt("critical", event("critical", same), level=2)
    sim.irq.post(0, Interrupt("normal", event("normal", critical), level=1))
    sim.run(sim.spawn("t", 0, lambda: sim.point("step")))
    assert order == [
        "normal begins", "critical begins", "critical ends", "normal ends",
        "same begins", "same ends",
    ]  # fmt: skip


TEXT = """
void model_test_point(int);
static int deep(int *p, int n)
{
    int x = n;
    model_test_point(n);
    *p += x;
    return n ? deep(&x, n - 1) + x : *p;
}
int f(int n) { int z = 100; return deep(&z, n) + z; }
"""


class Points(StrictExternals):
    """Knows the one function that the text above does not define."""

    def function(
        self, m: Machine, symbol: str, returns: Type | None, args: tuple[int, ...]
    ) -> int:
        assert symbol == "model_test_point"
        m.runtime.sched.point(f"level {args[0]}")
        return 0


def test_stacks_are_the_tasks_own() -> None:
    script = Script(steps=["a until level 1", "b until level 1", "a", "b"])
    world = World(script, text=TEXT)
    sim, m = world.sim, world.kernel.m
    m.outside = Points()
    a = sim.spawn("a", 0, lambda: m.call("f", 3))
    b = sim.spawn("b", 1, lambda: m.call("f", 5))
    sim.run()
    assert script.left == ()
    alone = [sim.run(sim.spawn("c", 0, lambda n=n: m.call("f", n))) for n in (3, 5)]
    assert [a.result, b.result] == alone == [113, 131]
    sim.close()
