# SPDX-License-Identifier: GPL-2.0-or-later
"""Calls on other CPUs, stopping them, work, timers, softirqs: contexts and traces."""

from __future__ import annotations

import pytest

from ctxlint.simulator.outcome import Hang
from ctxlint.simulator.runtime.ipi import post_device
from ctxlint.simulator.runtime.policy import Script
from ctxlint.simulator.runtime.state import Report
from tests.simulator.runtime.hotplug import Seen, World, text, world

TEXT = text("crosscpu")

IRQ = (
    "handle_irq_desc < generic_handle_domain_irq < gic_handle_irq < call_on_irq_stack"
    " < do_interrupt_handler < el1_interrupt < el1h_64_irq_handler < el1h_64_irq"
)
IDLE = (
    "default_idle_call < do_idle < cpu_startup_entry < secondary_start_kernel"
    " < __secondary_switched"
)
IPI = (
    "__flush_smp_call_function_queue < generic_smp_call_function_single_interrupt"
    f" < ipi_handler < handle_percpu_devid_irq < {IRQ} < {IDLE}"
)
TICK = f"arch_timer_handler_virt < handle_percpu_devid_irq < {IRQ}"
EXIT = (
    "__do_softirq < ____do_softirq < call_on_irq_stack < do_softirq_own_stack < irq_exit_rcu"
    " < el1_interrupt < el1h_64_irq_handler < el1h_64_irq"
)
KSOFTIRQD = "handle_softirqs < run_ksoftirqd < smpboot_thread_fn < kthread < ret_from_fork"
WORKER = "process_one_work < worker_thread < kthread < ret_from_fork"
STOPPER = "cpu_stopper_thread < smpboot_thread_fn < kthread < ret_from_fork"

both = pytest.mark.parametrize("rt", [True, False])


def booted(made: World) -> World:
    made.boot()
    return made


def only(made: World, name: str) -> Seen:
    found = made.named(name)
    assert len(found) == 1
    return found[0]


def reports(made: World, kind: str) -> list[Report]:
    return [report for report in made.kernel.reports if report.kind == kind]


@both
def test_a_call_on_another_cpu(rt: bool) -> None:
    with world(TEXT, rt=rt) as w:
        assert booted(w).call("one", 1) == 0
        seen = only(w, "called")
        assert (seen.on, seen.word()) == (1, ("swapper/1", 0x10001, True))
        assert seen.outer("called") == IPI


@both
def test_a_call_on_the_cpu_itself(rt: bool) -> None:
    with world(TEXT, rt=rt) as w:
        booted(w).call("one", 0)
        seen = only(w, "called")
        assert seen.word() == ("init", 1, True)
        assert seen.outer("called") == "generic_exec_single < smp_call_function_single < one"


def test_on_each_cpu_waits_for_all() -> None:
    with world(TEXT) as w:
        booted(w).call("all")
        assert sorted(seen.on for seen in w.seen) == [0, 1, 2, 3]
        assert [s.count for s in w.seen if s.on == 0] == [1]
        assert w.kernel.task.preempt_count in (0, 1)


def test_a_call_of_an_offline_cpu_fails() -> None:
    with world(TEXT) as w:
        booted(w)
        w.call("remove_cpu", 1)
        assert w.call("one", 1) == -6


@both
def test_a_call_with_interrupts_off_warns(rt: bool) -> None:
    with world(TEXT, rt=rt) as w:
        booted(w).call("one_irqs_off", 1)
        assert [r.facts["place"] for r in reports(w, "warn")] == ["kernel/smp.c:652"]


def test_two_cpus_that_call_each_other_with_interrupts_off() -> None:
    with world(TEXT) as w:
        sim = booted(w).sim
        m = w.kernel.m
        sim.policy = Script(steps=["a until off", "b until off"])
        sim.spawn("a", 0, lambda: m.call("all_irqs_off"))
        sim.spawn("b", 1, lambda: m.call("all_irqs_off"))
        with pytest.raises(Hang, match="function calls on other CPUs") as caught:
            sim.run()
        assert "CPU0 a" in str(caught.value)
        assert "CPU1 b" in str(caught.value)


@both
def test_stopping_all_cpus(rt: bool) -> None:
    with world(TEXT, rt=rt) as w:
        w.probes.answers["stopped", 0] = [-3]
        assert booted(w).call("stop_all") == -3
        seen = only(w, "stopped")
        assert seen.word() == ("migration/0", 1, True)
        assert seen.outer("stopped") == f"multi_cpu_stop < {STOPPER}"
        assert not any(cpu.irqs_off for cpu in w.kernel.cpus)


@both
def test_stopping_one_cpu(rt: bool) -> None:
    with world(TEXT, rt=rt) as w:
        booted(w).call("stop_one", 1)
        seen = only(w, "stopped")
        assert seen.word() == ("migration/1", 1, False)
        assert seen.outer("stopped") == STOPPER


def test_a_cpu_that_never_comes_hangs_the_stop() -> None:
    with world(TEXT) as w:
        sim = booted(w).sim

        def stuck() -> None:
            w.kernel.cpu.irqs_off = True
            sim.spin(lambda: False, "the end of the world")

        sim.spawn("stuck", 2, stuck)
        sim.settle()
        with pytest.raises(Hang, match="all CPUs to come to a stop") as caught:
            w.call("stop_all")
        assert "CPU2 stuck" in str(caught.value)


@both
def test_work(rt: bool) -> None:
    with world(TEXT, rt=rt) as w:
        booted(w).call("queue_and_flush")
        assert [seen.name for seen in w.seen] == ["before", "work", "after"]
        seen = only(w, "work")
        assert (seen.on, seen.word()) == (2, ("kworker/2:0", 0, False))
        assert seen.outer("quick") == WORKER


def test_work_is_queued_once() -> None:
    with world(TEXT) as w:
        assert booted(w).call("queue_twice") == 10
        w.sim.settle()
        assert len(w.named("work")) == 1


def test_a_pool_makes_another_worker_when_one_sleeps() -> None:
    with world(TEXT) as w:
        booted(w).call("both")
        assert [(s.name, s.comm) for s in w.seen] == [
            ("work", "kworker/1:1"),
            ("slow", "kworker/1:0"),
        ]


def test_work_of_a_cpu_that_goes_offline_runs_elsewhere() -> None:
    with world(TEXT) as w:
        booted(w)
        w.call("queue", 1)
        w.sim.settle()
        w.call("remove_cpu", 1)
        w.call("queue", 1)
        w.sim.settle()
        w.call("add_cpu", 1)
        w.call("queue", 1)
        w.sim.settle()
        assert [(s.comm, s.on) for s in w.named("work")] == [
            ("kworker/1:0", 1), ("kworker/1:0", 0), ("kworker/1:0", 1),
        ]  # fmt: skip


def test_unbound_work() -> None:
    with world(TEXT) as w:
        booted(w).call("unbound")
        assert only(w, "work").comm == "kworker/u8:0"


def test_work_waits_until_threads_can_be_made() -> None:
    with world(TEXT) as w:
        m = w.kernel.m
        w.at("init irq", lambda: m.call("queue", 0))
        w.at("init time", lambda: w.seen.extend(w.named("work")))
        w.boot()
        w.sim.settle()
        assert only(w, "work").comm == "kworker/0:0"


def test_delayed_work() -> None:
    with world(TEXT) as w:
        booted(w).call("delayed", 0)
        assert only(w, "work").comm == "kworker/1:0"
        assert w.kernel.now >= 100_000


def test_delayed_work_is_cancelled() -> None:
    with world(TEXT) as w:
        assert booted(w).call("delayed", 1) == 1
        w.sim.pass_time(1_000_000)
        assert w.seen == []


@both
def test_a_function_in_a_worker_of_a_cpu(rt: bool) -> None:
    with world(TEXT, rt=rt) as w:
        assert booted(w).call("work_on", 3) == 7
        seen = only(w, "on cpu")
        assert seen.word() == ("kworker/3:0", 0, False)
        assert seen.outer("on_cpu") == f"work_for_cpu_fn < {WORKER}"


@pytest.mark.parametrize("irqsafe", [False, True])
def test_timers(irqsafe: bool) -> None:
    flags = 0x200000 if irqsafe else 0
    with world(TEXT, rt=False) as w:
        booted(w).call("timer", flags, cpu=1)
        seen = only(w, "timer")
        assert seen.word() == ("swapper/1", 0x101, irqsafe)
        assert seen.outer("expired") == (
            "call_timer_fn < __run_timers < run_timer_base < run_timer_softirq"
            f" < handle_softirqs < {EXIT} < {IDLE}"
        )
    with world(TEXT, rt=True) as w:
        booted(w).call("timer", flags, cpu=1)
        seen = only(w, "timer")
        assert seen.word() == ("ksoftirqd/1", 0, irqsafe)
        assert (seen.rcu, seen.migration) == (3, 3)
        assert seen.outer("expired") == (
            f"call_timer_fn < __run_timers < run_timer_base < run_timer_softirq < {KSOFTIRQD}"
        )


def test_a_deleted_timer_is_silent() -> None:
    with world(TEXT) as w:
        assert booted(w).call("timer_gone") == 1
        assert w.seen == []


HARD, SOFT, DEFAULT = 0x09, 0x05, 0x01


@pytest.mark.parametrize(("mode", "rt"), [(HARD, True), (HARD, False), (DEFAULT, False)])
def test_hard_hrtimers(mode: int, rt: bool) -> None:
    with world(TEXT, rt=rt) as w:
        booted(w).call("hrtimer", mode, cpu=2)
        seen = only(w, "hrtimer")
        assert seen.word() == ("swapper/2", 0x10001, True)
        assert (
            seen.outer("rings") == f"__hrtimer_run_queues < hrtimer_interrupt < {TICK} < {IDLE}"
        )


@pytest.mark.parametrize("mode", [SOFT, DEFAULT])
def test_soft_hrtimers_with_preempt_rt(mode: int) -> None:
    with world(TEXT) as w:
        booted(w).call("hrtimer", mode, cpu=2)
        seen = only(w, "hrtimer")
        assert seen.word() == ("ksoftirqd/2", 0, False)
        assert (seen.rcu, seen.migration) == (3, 3)
        assert (
            seen.outer("rings") == f"__hrtimer_run_queues < hrtimer_run_softirq < {KSOFTIRQD}"
        )


def test_soft_hrtimers_without_preempt_rt() -> None:
    with world(TEXT, rt=False) as w:
        booted(w).call("hrtimer", SOFT, cpu=1)
        seen = only(w, "hrtimer")
        assert seen.word() == ("swapper/1", 0x101, False)
        assert seen.outer("rings") == (
            f"__hrtimer_run_queues < hrtimer_run_softirq < handle_softirqs < {EXIT} < {IDLE}"
        )


@both
def test_tasklets(rt: bool) -> None:
    with world(TEXT, rt=rt) as w:
        booted(w).call("tasklet", cpu=1)
        seen = only(w, "tasklet")
        assert seen.word() == ("ksoftirqd/1", 0 if rt else 0x100, False)
        assert (seen.rcu, seen.migration) == ((2, 2) if rt else (0, 0))
        assert seen.outer("soft") == f"tasklet_action_common < tasklet_action < {KSOFTIRQD}"


def test_rcu_callbacks() -> None:
    with world(TEXT, rt=True) as w:
        booted(w).call("rcu", cpu=1)
        seen = only(w, "rcu")
        assert (seen.word(), seen.rcu, seen.migration) == (("rcuc/1", 0, False), 2, 2)
        assert seen.outer("freed") == (
            "rcu_core < rcu_cpu_kthread < smpboot_thread_fn < kthread < ret_from_fork"
        )
    with world(TEXT, rt=False) as w:
        booted(w).call("rcu", cpu=1)
        seen = only(w, "rcu")
        assert seen.word() == ("swapper/1", 0x101, False)
        assert seen.outer("freed") == (
            f"rcu_core < rcu_core_si < handle_softirqs < {EXIT} < {IDLE}"
        )


@both
def test_irq_work(rt: bool) -> None:
    with world(TEXT, rt=rt) as w:
        booted(w).call("irq_work", 0, 1)
        seen = only(w, "irq work")
        if rt:
            assert seen.word() == ("irq_work/1", 0, False)
            assert seen.rcu == 1
            assert seen.outer("irqwork") == (
                "irq_work_single < irq_work_run_list < run_irq_workd < smpboot_thread_fn"
                " < kthread < ret_from_fork"
            )
        else:
            assert seen.word() == ("swapper/1", 0x10001, True)
            assert seen.outer("irqwork") == f"irq_work_single < {IPI}"


def test_hard_irq_work_with_preempt_rt() -> None:
    with world(TEXT) as w:
        booted(w).call("irq_work", 0x08, 1)
        seen = only(w, "irq work")
        assert seen.word() == ("swapper/1", 0x10001, True)
        assert seen.outer("irqwork") == f"irq_work_single < {IPI}"


def test_a_device_interrupts_a_task() -> None:
    with world(TEXT) as w:
        booted(w)
        m = w.kernel.m
        handler = m.image.text_of("handler")
        w.sim.offers["device"] = lambda: post_device(w.kernel, 0, 33, handler, 0)
        w.sim.policy = Script(steps=["init until step", "inject device", "init"])
        w.call("loop")
        seen = only(w, "handler")
        assert (seen.cpu, seen.word()) == (33, ("init", 0x10000, True))
        assert seen.trace[0] == "handler"
        assert seen.trace[-1] == "loop"
        assert [s.name for s in w.seen].index("handler") == 1


def test_a_kernel_that_never_booted_does_work_all_the_same() -> None:
    w = World(TEXT)
    kernel = w.kernel
    task = kernel.new_task("test", 0)
    kernel.remove(kernel.task)
    kernel.cpus[0].current = task
    kernel.cpus[0].irqs_off = False
    kernel.install(task)
    kernel.m.call("model_workqueue_init")
    assert kernel.m.call("queue_and_flush") == 0
    assert [seen.name for seen in w.seen] == ["before", "work", "after"]
    assert w.seen[0].comm == w.seen[2].comm == "test"
    assert kernel.m.stack == []


def test_the_boot_cpu_s_idle_loop_in_a_trace() -> None:
    with world(TEXT) as w:
        booted(w).call("hrtimer", HARD, cpu=0)
        assert only(w, "hrtimer").trace[-6:] == (
            "default_idle_call", "do_idle", "cpu_startup_entry", "kernel_init",
            "start_kernel", "__primary_switched",
        )  # fmt: skip
