// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Completions, wake-ups of wait queues, grace periods. Facts from
 * kernel/sched/completion.c, swait.c, wait.c and kernel/rcu/tree.c.
 *
 * Who waits is known to the scheduler of the model by its condition; waking is making
 * the condition true. The locks are those of the kernel.
 */

#define FOREVER 0x7fffffffffffffff
#define ALL 0x7fffffffu

void _raw_spin_lock_irq(void *lock);
void _raw_spin_unlock_irq(void *lock);

/* wait: struct swait_queue_head, a raw lock first */
struct completion {
	unsigned int done;
	unsigned int wait;
};

void complete(struct completion *x)
{
	unsigned long flags = _raw_spin_lock_irqsave(&x->wait);

	if (x->done != ALL)
		x->done++;
	model_point("wake", x);
	_raw_spin_unlock_irqrestore(&x->wait, flags);
}

void complete_all(struct completion *x)
{
	unsigned long flags = _raw_spin_lock_irqsave(&x->wait);

	x->done = ALL;
	model_point("wake", x);
	_raw_spin_unlock_irqrestore(&x->wait, flags);
}

/* The lock is released with the plain _irq variant: interrupts are on afterwards. */
static long __wait_for_common(struct completion *x, long timeout)
{
	__might_sleep("kernel/sched/completion.c", 111);
	_raw_spin_lock_irq(&x->wait);
	while (!x->done && timeout) {
		_raw_spin_unlock_irq(&x->wait);
		model_wait_word(&x->done, "the completion");
		timeout = schedule_timeout(timeout);
		_raw_spin_lock_irq(&x->wait);
	}
	if (x->done) {
		if (x->done != ALL)
			x->done--;
		if (!timeout)
			timeout = 1;
	}
	_raw_spin_unlock_irq(&x->wait);
	return timeout;
}

void wait_for_completion(struct completion *x) { __wait_for_common(x, FOREVER); }
unsigned long wait_for_completion_timeout(struct completion *x, unsigned long timeout) { return __wait_for_common(x, (long)timeout); }
void wait_for_completion_io(struct completion *x) { __wait_for_common(x, FOREVER); }
int wait_for_completion_state(struct completion *x, unsigned int state) { __wait_for_common(x, FOREVER); return 0; }
int wait_for_completion_interruptible(struct completion *x) { __wait_for_common(x, FOREVER); return 0; }
int wait_for_completion_killable(struct completion *x) { __wait_for_common(x, FOREVER); return 0; }
long wait_for_completion_interruptible_timeout(struct completion *x, unsigned long timeout) { return __wait_for_common(x, (long)timeout); }

bool try_wait_for_completion(struct completion *x)
{
	unsigned long flags;
	bool done;

	if (!x->done)
		return false;
	flags = _raw_spin_lock_irqsave(&x->wait);
	done = x->done != 0;
	if (done && x->done != ALL)
		x->done--;
	_raw_spin_unlock_irqrestore(&x->wait, flags);
	return done;
}

bool completion_done(struct completion *x) { return x->done != 0; }
inline void init_completion(struct completion *x) { x->done = 0; }
inline void reinit_completion(struct completion *x) { x->done = 0; }
void __init_swait_queue_head(void *q, const char *name, void *key) { model_lock_init(q); }

/* wait queues: the lock is first */

int __wake_up(void *wq_head, unsigned int mode, int nr, void *key)
{
	unsigned long flags = lock_irqsave(wq_head);

	model_point("wake", wq_head);
	unlock_irqrestore(wq_head, flags);
	return 0;
}

void swake_up_one(void *q)
{
	unsigned long flags = _raw_spin_lock_irqsave(q);

	model_point("wake", q);
	_raw_spin_unlock_irqrestore(q, flags);
}

void swake_up_all(void *q)
{
	_raw_spin_lock_irq(q);
	model_point("wake", q);
	_raw_spin_unlock_irq(q);
}

void __init_waitqueue_head(void *wq_head, const char *name, void *key) { model_lock_init(wq_head); }

/* a grace period: two ticks when nobody else is in a reader; in a reader it never ends */

static void __wait_rcu_gp(void)
{
	struct completion over = { 0, 0 };

	if (model_rcu_depth() > 0)
		wait_for_completion_state(&over, 2);
	model_set_later(&over.done, 2 * (1000000 / (unsigned long)model_hz()));
	wait_for_completion_state(&over, 2);
}

static void synchronize_rcu_normal(void) { __wait_rcu_gp(); }

void synchronize_rcu(void)
{
	__might_sleep("kernel/rcu/tree.c", 4027);
	synchronize_rcu_normal();
}
