// SPDX-License-Identifier: GPL-2.0-or-later
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
static struct { void *next, *func; } head;
void call_rcu(void *, void (*)(void *));
void freed(void *h) { probe("rcu", model_cpu()); }
int rcu(void) { call_rcu(&head, freed); msleep(50); return 0; }
int handler(int irq, void *data) { probe("handler", irq); return 1; }
int loop(void) { for (int n = 0; n < 5; n++) { probe("loop", 0); model_point("step", 0); } return 0; }
