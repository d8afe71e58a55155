# SPDX-License-Identifier: GPL-2.0-or-later
"""Calls on other CPUs, stopping them, work, timers, softirqs: contexts and traces."""

from __future__ import annotations

import pytest

from ctxlint.model.outcome import Hang
from ctxlint.model.runtime.ipi import post_device
from ctxlint.model.runtime.policy import Script
from ctxlint.model.runtime.state import Report
from tests.model.runtime.hotplug import Seen, World, world

TEXT = """
typedef unsigned long ulong;
struct work { ulong data; void *next, *prev; void (*func)(struct work *); };
struct timer { void *next, *prev; ulong expires; void (*function)(struct timer *); unsigned flags; };
struct hr { ulong node[3]; long expires, soft; int (*function)(struct hr *); void *base; char s[8]; };
struct tasklet { void *next; ulong state; int count; _Bool use; void *fn; ulong data; };
struct irq_work { void *next; unsigned flags; short src, dst; void (*func)(struct irq_work *); };
int smp_call_function_single(int, void (*)(void *), void *, int);
void on_each_cpu_cond_mask(void *, void (*)(void *), void *, _Bool, void *);
int stop_machine(int (*)(void *), void *, void *);
int stop_one_cpu(unsigned, int (*)(void *), void *);
_Bool queue_work_on(int, void *, struct work *);
_Bool queue_delayed_work_on(int, void *, struct work *, ulong);
_Bool flush_work(struct work *);
_Bool cancel_work_sync(struct work *);
long work_on_cpu_key(int, long (*)(void *), void *, void *);
void init_timer_key(struct timer *, void (*)(struct timer *), unsigned, char *, void *);
int mod_timer(struct timer *, ulong);
int timer_delete_sync(struct timer *);
void hrtimer_init(struct hr *, int, int);
void hrtimer_start_range_ns(struct hr *, long, ulong, int);
void tasklet_setup(struct tasklet *, void (*)(struct tasklet *));
void __tasklet_schedule(struct tasklet *);
_Bool irq_work_queue_on(struct irq_work *, int);
void msleep(unsigned);
ulong model_jiffies(void);
int model_set_irqs_off(int);
void model_preempt_add(int);
int model_cpu(void);
void model_point(const char *, void *);
extern void *system_wq, *system_unbound_wq;

void called(void *info) { probe("called", model_cpu()); }
int one(int cpu) { return smp_call_function_single(cpu, called, 0, 1); }
void all(void) { on_each_cpu_cond_mask(0, called, 0, 1, 0); }
void all_irqs_off(void) { model_set_irqs_off(1); model_point("off", 0); all(); }
void one_irqs_off(int cpu) { model_set_irqs_off(1); one(cpu); model_set_irqs_off(0); }
int stopped(void *data) { probe("stopped", model_cpu()); return answer("stopped", 0); }
int stop_all(void) { return stop_machine(stopped, 0, 0); }
int stop_one(int cpu) { return stop_one_cpu(cpu, stopped, 0); }
static struct work w1 = { .func = 0 }, w2 = { .func = 0 };
void quick(struct work *w) { probe("work", model_cpu()); }
void slow(struct work *w) { msleep(20); probe("slow", model_cpu()); }
int queue(int cpu) { w1.func = quick; return queue_work_on(cpu, system_wq, &w1); }
int queue_twice(void) { w1.func = quick; return queue(2) * 10 + queue(2); }
int queue_and_flush(void) { queue(2); probe("before", 0); flush_work(&w1); probe("after", 0); return 0; }
int both(void)
{
    w1.func = slow;
    w2.func = quick;
    queue_work_on(1, system_wq, &w1);
    msleep(10);
    queue_work_on(1, system_wq, &w2);
    flush_work(&w1);
    return 0;
}
int unbound(void) { w1.func = quick; queue_work_on(0, system_unbound_wq, &w1); flush_work(&w1); return 0; }
int delayed(int cancel)
{
    w1.func = quick;
    queue_delayed_work_on(1, system_wq, &w1, 25);
    if (cancel) return cancel_work_sync(&w1);
    msleep(300);
    return 0;
}
long on_cpu(void *arg) { probe("on cpu", model_cpu()); return 7; }
long work_on(int cpu) { return work_on_cpu_key(cpu, on_cpu, 0, 0); }
static struct timer t;
void expired(struct timer *timer) { probe("timer", model_cpu()); }
int timer(int flags)
{
    init_timer_key(&t, expired, flags, 0, 0);
    mod_timer(&t, model_jiffies() + 5);
    msleep(100);
    return 0;
}
int timer_gone(void)
{
    init_timer_key(&t, expired, 0, 0, 0);
    mod_timer(&t, model_jiffies() + 5);
    int pending = timer_delete_sync(&t);
    msleep(100);
    return pending;
}
static struct hr h;
int rings(struct hr *timer) { probe("hrtimer", model_cpu()); return 0; }
int hrtimer(int mode)
{
    hrtimer_init(&h, 1, mode);
    h.function = rings;
    hrtimer_start_range_ns(&h, 5000000, 0, mode);
    msleep(100);
    return 0;
}
static struct tasklet k;
void soft(struct tasklet *t) { probe("tasklet", model_cpu()); }
int tasklet(void) { tasklet_setup(&k, soft); __tasklet_schedule(&k); msleep(10); return 0; }
static struct irq_work i;
void irqwork(struct irq_work *w) { probe("irq work", model_cpu()); }
int irq_work(int flags, int cpu)
{
    i.func = irqwork;
    i.flags = flags;
    irq_work_queue_on(&i, cpu);
    msleep(10);
    return 0;
}
int handler(int irq, void *data) { probe("handler", irq); return 1; }
int loop(void) { for (int n = 0; n < 5; n++) { probe("loop", 0); model_point("step", 0); } return 0; }
"""

IRQ = (
    "handle_irq_desc < generic_handle_domain_irq < gic_handle_irq < call_on_irq_stack"
    " < do_interrupt_handler < el1_interrupt < el1h_64_irq_handler < el1h_64_irq"
)
IDLE = "default_idle_call < do_idle < cpu_startup_entry < secondary_start_kernel < __secondary_switched"
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
            "call_timer_fn < __run_timers < run_timer_base < run_timer_softirq"
            f" < {KSOFTIRQD}"
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
        assert seen.outer("rings") == f"__hrtimer_run_queues < hrtimer_interrupt < {TICK} < {IDLE}"


@pytest.mark.parametrize("mode", [SOFT, DEFAULT])
def test_soft_hrtimers_with_preempt_rt(mode: int) -> None:
    with world(TEXT) as w:
        booted(w).call("hrtimer", mode, cpu=2)
        seen = only(w, "hrtimer")
        assert seen.word() == ("ksoftirqd/2", 0, False)
        assert (seen.rcu, seen.migration) == (3, 3)
        assert seen.outer("rings") == f"__hrtimer_run_queues < hrtimer_run_softirq < {KSOFTIRQD}"


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
