// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Timers, high-resolution timers, tasklets, irq_work, and the softirqs that run them.
 * Facts from kernel/time/timer.c, kernel/time/hrtimer.c, kernel/softirq.c and
 * kernel/irq_work.c.
 *
 * With PREEMPT_RT all softirqs run in ksoftirqd, as recorded; without it on the way out
 * of the interrupt that raised them.
 */

#define MOST_CPUS 512
#define TIMER_SOFTIRQ 1
#define TASKLET_SOFTIRQ 6
#define HRTIMER_SOFTIRQ 8
#define RCU_SOFTIRQ 9
#define RCU 3
#define TIMER_IRQSAFE 0x00200000
#define MODE_REL 0x01
#define MODE_SOFT 0x04
#define MODE_HARD 0x08
#define SOFT 0
#define HARD 1
#define WHEEL 2
#define IRQ_WORK_PENDING 0x01
#define IRQ_WORK_HARD_IRQ 0x08

struct model_timer { /* struct timer_list */
	void *next, *prev;
	unsigned long expires;
	void (*function)(void *timer);
	unsigned int flags;
};

struct model_hrtimer { /* struct hrtimer */
	unsigned long node[3];
	s64 expires;
	s64 softexpires;
	int (*function)(void *timer);
	void *base;
	u8 state;
	u8 is_rel;
	u8 is_soft;
	u8 is_hard;
};

struct model_tasklet { /* struct tasklet_struct */
	void *next;
	unsigned long state;
	int count;
	bool use_callback;
	void *fn;
	unsigned long data;
};

struct model_irq_work { /* struct irq_work */
	void *next;
	unsigned int flags;
	u16 src, dst;
	void (*func)(void *work);
};

struct model_rcu_head { /* struct callback_head */
	void *next;
	void (*func)(void *head);
};

void model_rcu_tick(void);
static struct model_thread rcu_threads[MOST_CPUS];
static struct model_thread softirq_threads[MOST_CPUS];
static unsigned long expiry_locks[MOST_CPUS][4];
static struct model_tasklet *tasklets[MOST_CPUS];

void rt_spin_lock(void *lock);
void rt_spin_unlock(void *lock);

/* the kinds of softirqs */

static inline void lock_expiry(void)
{
#ifdef MODEL_RT
	rt_spin_lock(expiry_locks[model_cpu()]);
#endif
}

static inline void unlock_expiry(void)
{
#ifdef MODEL_RT
	rt_spin_unlock(expiry_locks[model_cpu()]);
#endif
}

static void call_timer_fn(struct model_timer *timer) { timer->function(timer); }

static void __run_timers(void)
{
	struct model_timer *timer;

	lock_expiry();
	while ((timer = model_timer_due(WHEEL)) != NULL) {
		bool irqsafe = timer->flags & TIMER_IRQSAFE;

		if (irqsafe)
			model_set_irqs_off(1);
		call_timer_fn(timer);
		if (irqsafe)
			model_set_irqs_off(0);
		model_timer_done(timer);
	}
	unlock_expiry();
}

static void run_timer_base(void) { __run_timers(); }
static void run_timer_softirq(void) { run_timer_base(); }

static inline bool again(struct model_hrtimer *timer, int how)
{
	if (!timer->function(timer))
		return false;
	model_timer_add(timer, model_cpu(), -1, how);
	return true;
}

static void __hrtimer_run_queues(int how)
{
	struct model_hrtimer *timer;

	while ((timer = model_timer_due(how)) != NULL) {
		again(timer, how);
		model_timer_done(timer);
	}
}

static void hrtimer_run_softirq(void)
{
	lock_expiry();
	__hrtimer_run_queues(SOFT);
	unlock_expiry();
}

static void tasklet_action_common(void)
{
	int cpu = model_cpu();
	struct model_tasklet *list = tasklets[cpu];

	tasklets[cpu] = NULL;
	while (list) {
		struct model_tasklet *t = list;

		list = t->next;
		if (t->count) { /* disabled: it stays where it was */
			t->next = tasklets[cpu];
			tasklets[cpu] = t;
			continue;
		}
		t->state = 2;
		if (t->use_callback)
			((void (*)(void *))t->fn)(t);
		else
			((void (*)(unsigned long))t->fn)(t->data);
		t->state &= ~2ul;
	}
}

static void tasklet_action(void) { tasklet_action_common(); }

/* With PREEMPT_RT the thread has bottom halves off around it, else it counts itself. */
/* Callbacks whose grace period is over. */
static void rcu_core(void)
{
	struct model_rcu_head *head;

	while ((head = model_timer_due(RCU)) != NULL) {
		void (*func)(void *) = head->func;

		model_timer_done(head);
		func(head);
	}
}

static void rcu_core_si(void) { rcu_core(); }

static void rcu_cpu_kthread(unsigned int cpu)
{
	rcu_threads[cpu].kick = 0;
	__local_bh_disable_ip(0, 0x200);
	rcu_core();
	__local_bh_enable_ip(0, 0x200);
}

static void handle_softirqs(void)
{
	int number;

#ifndef MODEL_RT
	model_preempt_add(0x100);
#endif
	model_set_irqs_off(0);
	while ((number = model_next_softirq()) >= 0) {
		if (number == TIMER_SOFTIRQ)
			run_timer_softirq();
		else if (number == TASKLET_SOFTIRQ)
			tasklet_action();
		else if (number == HRTIMER_SOFTIRQ)
			hrtimer_run_softirq();
		else if (number == RCU_SOFTIRQ)
			rcu_core_si();
	}
	model_set_irqs_off(1);
#ifndef MODEL_RT
	model_preempt_add(-0x100);
#endif
}

static void run_ksoftirqd(unsigned int cpu)
{
	softirq_threads[cpu].kick = 0;
#ifdef MODEL_RT
	__local_bh_disable_ip(0, 0x100);
#endif
	model_set_irqs_off(1);
	if (model_softirqs())
		handle_softirqs();
	model_set_irqs_off(0);
#ifdef MODEL_RT
	__local_bh_enable_ip(0, 0x100);
#endif
}

static void __do_softirq(void) { handle_softirqs(); }
static void ____do_softirq(void) { __do_softirq(); }
static void call_on_irq_stack(void) { ____do_softirq(); }
static void do_softirq_own_stack(void) { call_on_irq_stack(); }

static inline void wake_thread(void)
{
	int cpu = model_cpu();

	if (!softirq_threads[cpu].task)
		model_start_thread(&softirq_threads[cpu], "ksoftirqd/%u", cpu, run_ksoftirqd, PER_CPU);
	model_kick(&softirq_threads[cpu].kick, 1);
}

/* What irq_exit() does about softirqs that are pending. */
inline void model_softirqs_at_exit(void)
{
#ifdef MODEL_RT
	wake_thread();
#else
	do_softirq_own_stack();
#endif
}

static inline void raise(int number)
{
	model_raise_softirq(model_cpu(), number);
	if (!(model_preempt_count() & 0xffff00))
		wake_thread();
}

/* the timer's interrupt */

void hrtimer_interrupt(void)
{
	__hrtimer_run_queues(HARD);
	if (model_timers_due(RCU))
		model_rcu_tick();
}

/* struct timer_list */

static inline void add(struct model_timer *timer, int cpu)
{
	long left = (long)(timer->expires - model_jiffies());

	model_timer_add(timer, cpu, (left > 0 ? left : 0) * (1000000 / model_hz()), WHEEL);
}

void init_timer_key(struct model_timer *timer, void (*func)(void *), unsigned int flags, const char *name, void *key)
{
	timer->next = NULL;
	timer->prev = NULL;
	timer->function = func;
	timer->flags = flags;
}

void add_timer(struct model_timer *timer) { add(timer, model_cpu()); }
void add_timer_local(struct model_timer *timer) { add(timer, model_cpu()); }
void add_timer_global(struct model_timer *timer) { add(timer, model_cpu()); }
void add_timer_on(struct model_timer *timer, int cpu) { add(timer, cpu); }

int mod_timer(struct model_timer *timer, unsigned long expires)
{
	int pending = model_timer_del(timer);

	timer->expires = expires;
	add(timer, model_cpu());
	return pending;
}

int mod_timer_pending(struct model_timer *timer, unsigned long expires)
{
	return model_timer_pending(timer) ? mod_timer(timer, expires) : 0;
}

int timer_delete(struct model_timer *timer) { return model_timer_del(timer); }
int timer_shutdown(struct model_timer *timer) { return model_timer_del(timer); }

int try_to_del_timer_sync(struct model_timer *timer)
{
	return model_timer_running(timer) ? -1 : model_timer_del(timer);
}

static int __timer_delete_sync(struct model_timer *timer)
{
	int pending = model_timer_del(timer);

	while (model_timer_running(timer)) {
#ifdef MODEL_RT
		int cpu = model_timer_running(timer) - 1;

		rt_spin_lock(expiry_locks[cpu]);
		rt_spin_unlock(expiry_locks[cpu]);
#else
		model_point("relax", NULL);
		model_advance(1);
#endif
	}
	return pending;
}

int timer_delete_sync(struct model_timer *timer) { return __timer_delete_sync(timer); }
int timer_shutdown_sync(struct model_timer *timer) { return __timer_delete_sync(timer); }

/* struct hrtimer: the function says by its value whether it wants to run again */

static inline int kind(struct model_hrtimer *timer) { return timer->is_hard ? HARD : SOFT; }

void hrtimer_init(struct model_hrtimer *timer, int clock, int mode)
{
#ifdef MODEL_RT
	bool soft = !(mode & MODE_HARD);
#else
	bool soft = mode & MODE_SOFT;
#endif
	timer->is_soft = soft;
	timer->is_hard = !soft;
	timer->state = 0;
}

void hrtimer_setup(struct model_hrtimer *timer, int (*function)(void *), int clock, int mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = function;
}

void hrtimer_start_range_ns(struct model_hrtimer *timer, s64 tim, u64 delta_ns, int mode)
{
	s64 now = (s64)model_now() * 1000;
	s64 left = mode & MODE_REL ? tim : tim - now;

	timer->expires = now + left;
	timer->softexpires = timer->expires;
	model_timer_del(timer);
	model_timer_add(timer, model_cpu(), left > 0 ? (long)(left / 1000) : 0, kind(timer));
}

u64 hrtimer_forward(struct model_hrtimer *timer, s64 now, s64 interval)
{
	u64 overruns = 0;

	while (timer->expires <= now) {
		timer->expires += interval;
		overruns++;
	}
	timer->softexpires = timer->expires;
	return overruns;
}

bool hrtimer_active(const struct model_hrtimer *timer)
{
	return model_timer_pending(timer) || model_timer_running(timer);
}

int hrtimer_try_to_cancel(struct model_hrtimer *timer)
{
	return model_timer_running(timer) ? -1 : model_timer_del(timer);
}

int hrtimer_cancel(struct model_hrtimer *timer)
{
	int ret;

	while ((ret = hrtimer_try_to_cancel(timer)) < 0) {
		model_point("relax", NULL);
		model_advance(1);
	}
	return ret;
}

/* tasklets */

void tasklet_setup(struct model_tasklet *t, void (*callback)(void *))
{
	t->next = NULL;
	t->state = 0;
	t->count = 0;
	t->use_callback = true;
	t->fn = (void *)callback;
	t->data = 0;
}

void tasklet_init(struct model_tasklet *t, void (*func)(unsigned long), unsigned long data)
{
	tasklet_setup(t, NULL);
	t->use_callback = false;
	t->fn = (void *)func;
	t->data = data;
}

void __tasklet_schedule(struct model_tasklet *t)
{
	int were_off = model_set_irqs_off(1);

	t->next = tasklets[model_cpu()];
	tasklets[model_cpu()] = t;
	raise(TASKLET_SOFTIRQ);
	model_set_irqs_off(were_off);
}

void __tasklet_hi_schedule(struct model_tasklet *t) { __tasklet_schedule(t); }

void tasklet_kill(struct model_tasklet *t)
{
	while (t->state)
		schedule_timeout(1);
}

/* RCU callbacks: with PREEMPT_RT in a thread of the CPU, else in its softirq */

void call_rcu(struct model_rcu_head *head, void (*func)(void *))
{
	int cpu = model_cpu();

	head->func = func;
#ifdef MODEL_RT
	if (!rcu_threads[cpu].task)
		model_start_thread(&rcu_threads[cpu], "rcuc/%u", cpu, rcu_cpu_kthread, PER_CPU);
#endif
	model_timer_add(head, cpu, 2 * (1000000 / model_hz()), RCU);
}

void call_rcu_hurry(struct model_rcu_head *head, void (*func)(void *)) { call_rcu(head, func); }

/* What the tick does about callbacks that are due. */
inline void model_rcu_tick(void)
{
#ifdef MODEL_RT
	model_kick(&rcu_threads[model_cpu()].kick, 1);
#else
	model_raise_softirq(model_cpu(), RCU_SOFTIRQ);
#endif
}

/* irq_work: in hard interrupt context, or with PREEMPT_RT in a thread */

static struct model_thread irq_work_threads[MOST_CPUS];
static struct model_irq_work *lazy[MOST_CPUS];

static void irq_work_single(struct model_irq_work *work)
{
	work->flags &= ~IRQ_WORK_PENDING;
	work->func(work);
}

static void irq_work_run_list(int cpu)
{
	struct model_irq_work *work = lazy[cpu];

	lazy[cpu] = NULL;
	while (work) {
		struct model_irq_work *next = work->next;

		irq_work_single(work);
		work = next;
	}
}

static void run_irq_workd(unsigned int cpu)
{
	irq_work_threads[cpu].kick = 0;
	__rcu_read_lock();
	irq_work_run_list((int)cpu);
	__rcu_read_unlock();
}

inline void model_irq_work_ipi(void *work) { irq_work_single(work); }

bool irq_work_queue_on(struct model_irq_work *work, int cpu)
{
	if (work->flags & IRQ_WORK_PENDING)
		return false;
	work->flags |= IRQ_WORK_PENDING;
#ifdef MODEL_RT
	if (!(work->flags & IRQ_WORK_HARD_IRQ)) {
		work->next = lazy[cpu];
		lazy[cpu] = work;
		if (!irq_work_threads[cpu].task)
			model_start_thread(&irq_work_threads[cpu], "irq_work/%u", cpu, run_irq_workd, PER_CPU);
		model_kick(&irq_work_threads[cpu].kick, 1);
		return true;
	}
#endif
	model_irq_work(cpu, work);
	return true;
}

bool irq_work_queue(struct model_irq_work *work) { return irq_work_queue_on(work, model_cpu()); }

void irq_work_sync(struct model_irq_work *work)
{
	__might_sleep("kernel/irq_work.c", 289);
	while (work->flags & IRQ_WORK_PENDING) {
		model_point("relax", NULL);
		model_advance(1);
	}
}
