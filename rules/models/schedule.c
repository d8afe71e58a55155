// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Entering the scheduler. Facts from kernel/sched/core.c, kernel/sched/idle.c,
 * kernel/rcu/tree_plugin.h and kernel/time/sleep_timeout.c.
 *
 * What the task waits for is said before, by model_wait_*(); nothing said is a task
 * that only gives way.
 */

#define PREEMPTED 0
#define VOLUNTARY 1

static void __schedule_bug(void) { model_schedule_bug(); }
static void dequeue_task_idle(void) { model_idle_bug(); }

static void rcu_note_context_switch(bool preempt)
{
	if (!preempt && model_rcu_depth() > 0)
		model_warn_at("kernel/rcu/tree_plugin.h", 331, 1);
}

/*
 * Interrupts are on afterwards, whatever they were before: the lock of the run queue
 * is released with the plain _irq variant.
 */
static void __schedule(bool preempt)
{
	int irqs_were_off = model_irqs_off();

	model_preempt_add(1);
	if (model_preempt_count() != 1) {
		__schedule_bug();
		model_preempt_set(1);
	}
	model_set_irqs_off(1);
	rcu_note_context_switch(preempt);
	if (model_is_idle() && model_sleeps())
		dequeue_task_idle();
	model_preempt_add(-1);
	model_set_irqs_off(0);
	if (irqs_were_off)
		model_rule("irq-state", "interrupts were off before a call of the scheduler and are on after it");
	model_switch();
}

void schedule(void) { __schedule(false); }

/* Counts as a preemption for RCU and for the debugging checks. */
void schedule_rtlock(void) { __schedule(true); }

void rt_mutex_schedule(void) { __schedule(false); }

void preempt_schedule_irq(void) { __schedule(true); }

int __cond_resched(void)
{
	model_point("resched", NULL);
	return 0;
}

long schedule_timeout(long timeout)
{
	unsigned long end = model_now() + timeout * (1000000 / model_hz());

	if (timeout == 0x7fffffffffffffff) {
		schedule();
		return timeout;
	}
	model_wait_time(timeout * (1000000 / model_hz()));
	schedule();
	return model_now() >= end ? 0 : (long)(end - model_now()) / (1000000 / model_hz());
}

long schedule_timeout_uninterruptible(long timeout) { return schedule_timeout(timeout); }
long schedule_timeout_interruptible(long timeout) { return schedule_timeout(timeout); }

void msleep(unsigned int msecs)
{
	schedule_timeout((long)msecs * model_hz() / 1000 + 1);
}

void usleep_range_state(unsigned long min, unsigned long max, unsigned int state)
{
	model_wait_time(max);
	schedule();
}

inline void usleep_range(unsigned long min, unsigned long max) { usleep_range_state(min, max, 2); }
