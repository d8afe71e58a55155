// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One function for each context of rules/contexts.yaml: it makes the kernel call `fn`
 * there, by the way on which the kernel comes there. The runtime (entries.py) calls them
 * in a task, after boot, and sees to it that what it is about runs once. A context that
 * has no function here is not modelled.
 */

#define IRQ_WORK_HARD_IRQ 0x08
#define TIMER_IRQSAFE 0x00200000
#define MODE_REL_SOFT 0x05
#define MODE_REL_HARD 0x09

typedef void (*call_fn)(void *);

struct work { unsigned long data; void *next, *prev; void (*func)(void *); };
struct timer { void *next, *prev; unsigned long expires; void (*function)(void *); unsigned int flags; };
struct hrtimer_like { unsigned long node[3]; s64 expires, soft; int (*function)(void *); unsigned long rest[2]; };
struct tasklet { void *next; unsigned long state; int count; bool use_callback; void *fn; unsigned long data; };
struct irq_work_like { void *next; unsigned int flags; u16 src, dst; void (*func)(void *); };
struct block { void *fn; void *next; int priority; };
struct syscore { void *next, *prev; void *suspend, *resume, *shutdown; };
struct device_like { void **ops; void *dev; void *shutdown; };

int cpu_up(unsigned int cpu, int target);
int remove_cpu(unsigned int cpu);
int add_cpu(unsigned int cpu);
int smp_call_function_single(int cpu, call_fn fn, void *info, int wait);
void on_each_cpu_cond_mask(bool (*cond)(int cpu, void *info), call_fn fn, void *info, bool wait, const void *mask);
int stop_machine(int (*fn)(void *), void *data, const void *cpus);
int stop_one_cpu(unsigned int cpu, int (*fn)(void *), void *arg);
bool queue_work_on(int cpu, void *wq, void *work);
bool flush_work(void *work);
extern void *system_wq;
int __cpuhp_setup_state(int state, const char *name, bool invoke, void *startup, void *teardown, bool multi_instance);
void __cpuhp_remove_state(int state, bool invoke);
int blocking_notifier_chain_register(void *head, void *block);
int blocking_notifier_call_chain(void *head, unsigned long action, void *data);
int atomic_notifier_chain_register(void *head, void *block);
int atomic_notifier_call_chain(void *head, unsigned long action, void *data);
int register_reboot_notifier(void *block);
int model_reboot_chain(unsigned long action, void *data);
int cpu_pm_register_notifier(void *block);
int cpu_pm_enter(void);
int pm_suspend(int state);
void msleep(unsigned int msecs);
struct model_timer;
struct model_hrtimer;
struct model_tasklet;
struct model_irq_work;
struct model_syscore;
struct model_rcu_head;
void call_rcu(struct model_rcu_head *head, void (*func)(void *));
bool irq_work_queue_on(struct model_irq_work *work, int cpu);
void add_timer_on(struct model_timer *timer, int cpu);
void hrtimer_init(struct model_hrtimer *timer, int clock, int mode);
void hrtimer_start_range_ns(struct model_hrtimer *timer, s64 tim, u64 delta_ns, int mode);
void __tasklet_schedule(struct model_tasklet *t);
void register_syscore_ops(struct model_syscore *ops);

/* CPU hotplug: the last free STARTING state, CPU 1 */

static inline int starting_state(void)
{
	int state = model_enumerator("CPUHP_AP_ONLINE", 144) - 1;

	while (model_hp_busy(state))
		state--;
	return state;
}

static inline int online_dyn(void) { return model_enumerator("CPUHP_AP_ONLINE_DYN", 192); }
static inline int prepare_dyn(void) { return model_enumerator("CPUHP_BP_PREPARE_DYN", 64); }
static inline int at_starting(void *up, void *down) { return __cpuhp_setup_state(starting_state(), "entry", false, up, down, false); }
static inline int at(int state, void *up, void *down) { return __cpuhp_setup_state(state, "entry", false, up, down, false); }

static inline void cycle(void)
{
	remove_cpu(1);
	add_cpu(1);
}

void model_enter_cpuhp_prepare(void *fn) { at(prepare_dyn(), fn, NULL); cycle(); }
void model_enter_cpuhp_dead(void *fn) { at(prepare_dyn(), NULL, fn); remove_cpu(1); }
void model_enter_cpuhp_starting(void *fn) { at_starting(fn, NULL); cycle(); }
void model_enter_cpu_bringup(void *fn) { at_starting(fn, NULL); cycle(); }
void model_enter_cpuhp_dying(void *fn) { at_starting(NULL, fn); remove_cpu(1); }
void model_enter_cpuhp_online(void *fn) { at(online_dyn(), fn, NULL); cycle(); }
void model_enter_cpuhp_online_down(void *fn) { at(online_dyn(), NULL, fn); remove_cpu(1); }
void model_enter_cpuhp_starting_online(void *fn) { __cpuhp_setup_state(starting_state(), "entry", true, fn, NULL, false); }

void model_enter_cpuhp_dying_online(void *fn)
{
	int state = starting_state();

	at(state, NULL, fn);
	__cpuhp_remove_state(state, true);
}

/* interrupts: on CPU 1, which is idle */

static inline void device_interrupt(void *fn) { model_device_irq(1, fn); msleep(10); }
void model_enter_hardirq(void *fn) { device_interrupt(fn); }
void model_enter_irq_flow(void *fn) { device_interrupt(fn); }
void model_enter_nmi(void *fn) { model_nmi(1, fn); msleep(10); }
void model_enter_ipi(void *fn) { smp_call_function_single(1, (call_fn)fn, NULL, 1); }
void model_enter_cross_call(void *fn) { on_each_cpu_cond_mask(NULL, (call_fn)fn, NULL, true, NULL); }

static inline void queue_irq_work(void *fn, unsigned int flags)
{
	struct irq_work_like work = { NULL, flags, 0, 0, (call_fn)fn };

	irq_work_queue_on((void *)&work, 1);
	msleep(10);
}

void model_enter_irq_work(void *fn) { queue_irq_work(fn, 0); }
void model_enter_irq_work_hard(void *fn) { queue_irq_work(fn, IRQ_WORK_HARD_IRQ); }

static void irq_thread_fn(void *fn) { ((int (*)(int, void *))fn)(0, NULL); }

static void irq_forced_thread_fn(void *fn)
{
	__local_bh_disable_ip(0, 0x200);
	((int (*)(int, void *))fn)(0, NULL);
	__local_bh_enable_ip(0, 0x200);
}

static int irq_thread(void *fn) { irq_thread_fn(fn); return 0; }
static int irq_thread_of_forced(void *fn) { irq_forced_thread_fn(fn); return 0; }

void model_enter_irq_thread(void *fn) { model_spawn("irq/33-device", 1, (void *)irq_thread, fn, KTHREAD); msleep(10); }

/* Without PREEMPT_RT the handler is not forced into a thread. */
void model_enter_irq_thread_forced(void *fn)
{
#ifdef MODEL_RT
	model_spawn("irq/33-device", 1, (void *)irq_thread_of_forced, fn, KTHREAD);
	msleep(10);
#else
	device_interrupt(fn);
#endif
}

/* timers and softirqs */

static inline void with_timer(void *fn, unsigned int flags)
{
	struct timer timer = { NULL, NULL, model_jiffies() + 1, (call_fn)fn, flags };

	add_timer_on((void *)&timer, 1);
	msleep(20);
}

void model_enter_timer(void *fn) { with_timer(fn, 0); }
void model_enter_timer_irqsafe(void *fn) { with_timer(fn, TIMER_IRQSAFE); }

static inline void with_hrtimer(void *fn, int mode)
{
	struct hrtimer_like timer = { { 0 }, 0, 0, (int (*)(void *))fn, { 0 } };

	hrtimer_init((void *)&timer, 1, mode);
	hrtimer_start_range_ns((void *)&timer, 1000000, 0, mode);
	msleep(20);
}

void model_enter_hrtimer_hard(void *fn) { with_hrtimer(fn, MODE_REL_HARD); }
void model_enter_hrtimer_soft(void *fn) { with_hrtimer(fn, MODE_REL_SOFT); }

static inline void with_tasklet(void *fn)
{
	struct tasklet tasklet = { NULL, 0, 0, true, fn, 0 };

	__tasklet_schedule((void *)&tasklet);
	msleep(10);
}

void model_enter_tasklet(void *fn) { with_tasklet(fn); }
void model_enter_softirq(void *fn) { with_tasklet(fn); }

/* work and tasks */

void model_enter_task(void *fn) { ((call_fn)fn)(NULL); }

void model_enter_kworker(void *fn)
{
	struct work work = { 0, NULL, NULL, (call_fn)fn };

	queue_work_on(1, system_wq, &work);
	flush_work(&work);
}

/* stopping */

void model_enter_stop_machine(void *fn) { stop_machine((int (*)(void *))fn, NULL, NULL); }
void model_enter_stopper(void *fn) { stop_one_cpu(1, (int (*)(void *))fn, NULL); }

/* power management and notifiers */

void model_enter_syscore(void *fn)
{
	struct syscore ops = { NULL, NULL, fn, NULL, NULL };

	register_syscore_ops((void *)&ops);
	pm_suspend(3);
}

void model_enter_pm_callback(void *fn)
{
	void *ops[20] = { NULL, NULL, fn };
	struct device_like device = { ops, NULL, NULL };

	model_list_add("devices", &device);
	pm_suspend(3);
}

void model_enter_cpu_pm(void *fn)
{
	struct block block = { fn, NULL, 0 };

	cpu_pm_register_notifier(&block);
	model_set_irqs_off(1);
	cpu_pm_enter();
	model_set_irqs_off(0);
}

void model_enter_reboot_notifier(void *fn)
{
	struct block block = { fn, NULL, 0 };

	register_reboot_notifier(&block);
	model_reboot_chain(1, NULL);
}

void model_enter_blocking_notifier(void *fn)
{
	static unsigned long head[32];
	struct block block = { fn, NULL, 0 };

	blocking_notifier_chain_register(head, &block);
	blocking_notifier_call_chain(head, 0, NULL);
}

void model_enter_atomic_notifier(void *fn)
{
	static unsigned long head[32];
	struct block block = { fn, NULL, 0 };

	atomic_notifier_chain_register(head, &block);
	atomic_notifier_call_chain(head, 0, NULL);
}

/* regions of a caller: what is around the call is known by its context alone */

static inline void atomically(void *fn)
{
	model_set_irqs_off(1);
	model_preempt_add(1);
	((call_fn)fn)(NULL);
	model_preempt_add(-1);
	model_set_irqs_off(0);
}

void model_enter_clockevent(void *fn) { atomically(fn); }
void model_enter_clocksource(void *fn) { atomically(fn); }
void model_enter_pmu(void *fn) { atomically(fn); }
void model_enter_cpuidle(void *fn) { atomically(fn); }

void model_enter_raw_locked(void *fn)
{
	static unsigned long lock[4];
	unsigned long flags = _raw_spin_lock_irqsave(lock);

	((call_fn)fn)(NULL);
	_raw_spin_unlock_irqrestore(lock, flags);
}

void model_enter_irq_desc(void *fn) { model_enter_raw_locked(fn); }

void model_enter_spin_locked(void *fn)
{
	static unsigned long lock[4];
	unsigned long flags = lock_irqsave(lock);

	((call_fn)fn)(NULL);
	unlock_irqrestore(lock, flags);
}

void model_enter_preempt_off(void *fn)
{
	model_preempt_add(1);
	((call_fn)fn)(NULL);
	model_preempt_add(-1);
}

void model_enter_panic(void *fn)
{
	model_oops(1);
	atomically(fn);
	model_oops(0);
}

/* Their chains are walked with interrupts off, or by a reader of RCU. */

static inline void in_reader(void *fn, int irqs_off)
{
	int were_off = model_set_irqs_off(irqs_off);

	__rcu_read_lock();
	((call_fn)fn)(NULL);
	__rcu_read_unlock();
	model_set_irqs_off(were_off);
}

void model_enter_die_notifier(void *fn) { in_reader(fn, 1); }
void model_enter_restart(void *fn) { in_reader(fn, 1); }
void model_enter_kmsg_dump(void *fn) { in_reader(fn, 1); }
void model_enter_sysrq(void *fn) { in_reader(fn, 0); }

void model_enter_suspend_enter(void *fn)
{
	int were_off = model_set_irqs_off(1);

	((call_fn)fn)(NULL);
	model_set_irqs_off(were_off);
}

void model_enter_rcu_callback(void *fn)
{
	unsigned long head[2];

	call_rcu((void *)head, (call_fn)fn);
	msleep(50);
}

void model_enter_crash(void *fn) { model_enter_panic(fn); }

/* transmission, dispatch and work below a softirq; transfers after the last schedule */

void model_enter_rcu_locked(void *fn) { in_reader(fn, 0); }
void model_enter_bh_work(void *fn) { with_tasklet(fn); }
void model_enter_atomic_io(void *fn) { atomically(fn); }

void model_enter_bh_off(void *fn)
{
	__rcu_read_lock();
	__local_bh_disable_ip(0, 0x200);
	((call_fn)fn)(NULL);
	__local_bh_enable_ip(0, 0x200);
	__rcu_read_unlock();
}

void model_enter_spin_locked_bh(void *fn)
{
	static unsigned long lock[4];

	__local_bh_disable_ip(0, 0x200);
#ifdef MODEL_RT
	rt_spin_lock(lock);
	((call_fn)fn)(NULL);
	rt_spin_unlock(lock);
#else
	raw_lock(lock, 0);
	((call_fn)fn)(NULL);
	raw_unlock(lock, 0);
#endif
	__local_bh_enable_ip(0, 0x200);
}
