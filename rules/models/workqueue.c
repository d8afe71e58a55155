// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Workqueues. Facts from kernel/workqueue.c and include/linux/workqueue.h.
 *
 * A pool for each CPU and one that is bound to none; the runtime (work.py) keeps the
 * queues and makes a worker when all others of a pool sleep. Before the kernel can make
 * threads work is accepted and waits.
 */

#define MOST_CPUS 512
#define UNBOUND (-1)
#define WQ_UNBOUND 2



struct model_work { /* struct work_struct */
	unsigned long data;
	void *next, *prev;
	void (*func)(void *work);
};

struct model_wq {
	unsigned int flags;
	int used;
};

static struct model_wq system_queue = { 0, 1 };
static struct model_wq unbound_queue = { WQ_UNBOUND, 1 };
static struct model_wq queues[64];

void *system_wq = &system_queue;
void *system_percpu_wq = &system_queue;
void *system_highpri_wq = &system_queue;
void *system_long_wq = &system_queue;
void *system_unbound_wq = &unbound_queue;
void *system_dfl_wq = &unbound_queue;
void *system_freezable_wq = &system_queue;
void *system_power_efficient_wq = &system_queue;
void *system_freezable_power_efficient_wq = &system_queue;

static int pools[MOST_CPUS + 1]; /* what a worker is told: where its pool's number is */

/* workers */

static void process_one_work(struct model_work *work)
{
	work->func(work);
	model_work_finished(work);
}

static int worker_thread(void *pool)
{
	void *work;

	while ((work = model_work_next(pool)) != NULL)
		process_one_work(work);
	return 0;
}

void model_workqueue_init(void)
{
	for (int cpu = 0; cpu < MOST_CPUS; cpu++)
		pools[cpu] = cpu;
	pools[MOST_CPUS] = UNBOUND;
	model_work_begin(pools, MOST_CPUS, (void *)worker_thread);
}

/* queueing: a raw lock with interrupts off, as the lock of the pool is */

static unsigned long pool_lock[16];
unsigned long _raw_spin_lock_irqsave(void *lock);
void _raw_spin_unlock_irqrestore(void *lock, unsigned long flags);

static inline int pool_of(int cpu, struct model_wq *wq)
{
	if (wq && wq->flags & WQ_UNBOUND)
		return UNBOUND;
	return cpu >= 0 && cpu < model_cpus() ? cpu : model_cpu();
}

bool queue_work_on(int cpu, void *wq, void *work)
{
	unsigned long flags = _raw_spin_lock_irqsave(pool_lock);
	bool queued = model_work_queue(pool_of(cpu, wq), work, 0);

	_raw_spin_unlock_irqrestore(pool_lock, flags);
	return queued;
}

bool queue_work_node(int node, void *wq, void *work) { return queue_work_on(-1, wq, work); }

/* The work is the first member of struct delayed_work. */
static inline bool queue_later(int cpu, void *wq, void *dwork, unsigned long delay)
{
	unsigned long flags = _raw_spin_lock_irqsave(pool_lock);
	bool queued = model_work_queue(pool_of(cpu, wq), dwork, (long)(delay * (1000000ul / model_hz())));

	_raw_spin_unlock_irqrestore(pool_lock, flags);
	return queued;
}

bool queue_delayed_work_on(int cpu, void *wq, void *dwork, unsigned long delay)
{
	return queue_later(cpu, wq, dwork, delay);
}

bool mod_delayed_work_on(int cpu, void *wq, void *dwork, unsigned long delay)
{
	bool pending = model_work_cancel(dwork);

	queue_later(cpu, wq, dwork, delay);
	return pending;
}

void delayed_work_timer_fn(void *timer) { }

/* waiting */

static inline void wait_for_work(struct model_work *work)
{
	model_work_await(work);
	schedule_timeout(0x7fffffffffffffff);
}

static long __wait_for_common(struct model_work *work) /* of the work, not of a struct completion */
{
	__might_sleep("kernel/sched/completion.c", 111);
	wait_for_work(work);
	return 0;
}

static void wait_for_completion(struct model_work *work) { __wait_for_common(work); }

static bool __flush_work(void *work)
{
	__might_sleep("kernel/workqueue.c", 4300);
	if (!model_work_busy(work))
		return false;
	wait_for_completion(work);
	return true;
}

bool flush_work(void *work) { return __flush_work(work); }

bool flush_delayed_work(void *dwork)
{
	model_work_hurry(dwork);
	return __flush_work(dwork);
}

bool cancel_work(void *work) { return model_work_cancel(work); }
bool cancel_delayed_work(void *dwork) { return model_work_cancel(dwork); }

static bool __cancel_work_sync(void *work, int line)
{
	bool pending = model_work_cancel(work);

	__might_sleep("kernel/workqueue.c", line);
	if (model_work_busy(work))
		wait_for_completion(work);
	return pending;
}

bool cancel_work_sync(void *work) { return __cancel_work_sync(work, 4393); }
bool cancel_delayed_work_sync(void *dwork) { return __cancel_work_sync(dwork, 4393); }

void __flush_workqueue(void *wq)
{
	__might_sleep("kernel/sched/completion.c", 111);
	model_work_await(NULL);
	schedule();
}

void drain_workqueue(void *wq) { __flush_workqueue(wq); }

/* queues of drivers */

void *alloc_workqueue(const char *fmt, unsigned int flags, int max_active, ...)
{
	for (int i = 0; i < 64; i++) {
		if (queues[i].used)
			continue;
		queues[i].used = 1;
		queues[i].flags = flags;
		return &queues[i];
	}
	return NULL;
}

void destroy_workqueue(void *wq)
{
	__flush_workqueue(wq);
	((struct model_wq *)wq)->used = 0;
}

/* a function on a certain CPU, in a worker of its */

struct work_for_cpu {
	struct model_work work;
	long (*fn)(void *);
	void *arg;
	long ret;
};

static void work_for_cpu_fn(void *work)
{
	struct work_for_cpu *wfc = work;

	wfc->ret = wfc->fn(wfc->arg);
}

long work_on_cpu_key(int cpu, long (*fn)(void *), void *arg, void *key)
{
	struct work_for_cpu wfc = { { 0, NULL, NULL, work_for_cpu_fn }, fn, arg, 0 };

	queue_work_on(cpu, system_wq, &wfc);
	__flush_work(&wfc);
	return wfc.ret;
}

long work_on_cpu_safe_key(int cpu, long (*fn)(void *), void *arg, void *key)
{
	long ret = -19;

	cpus_read_lock();
	if (model_online(cpu))
		ret = work_on_cpu_key(cpu, fn, arg, key);
	cpus_read_unlock();
	return ret;
}

/* for programs without the kernel's headers */
inline bool queue_work(void *wq, void *work) { return queue_work_on(-1, wq, work); }
inline bool schedule_work(void *work) { return queue_work_on(-1, system_wq, work); }
inline bool schedule_work_on(int cpu, void *work) { return queue_work_on(cpu, system_wq, work); }
inline bool schedule_delayed_work(void *dwork, unsigned long delay) { return queue_later(-1, system_wq, dwork, delay); }
