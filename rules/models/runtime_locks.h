/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What taking and giving back a lock that spins does to the context, for
 * raw_spinlock_t everywhere and rwlock_t without PREEMPT_RT. Facts from
 * include/linux/spinlock_api_smp.h and rwlock_api_smp.h.
 */

static inline void raw_lock(void *lock, int shared)
{
	preempt_count_add(1);
	model_spin_lock(lock, shared, 0);
}

static inline unsigned long raw_lock_irq(void *lock, int shared)
{
	unsigned long flags = model_set_irqs_off(1);

	preempt_count_add(1);
	model_spin_lock(lock, shared, (int)flags);
	return flags;
}

static inline void raw_lock_bh(void *lock, int shared)
{
	__local_bh_disable_ip(0, 0x200);
	preempt_count_add(1);
	model_spin_lock(lock, shared, 0);
}

static inline int raw_try(void *lock, int shared)
{
	preempt_count_add(1);
	if (model_trylock(lock, shared | TRY))
		return 1;
	preempt_count_sub(1);
	return 0;
}

/* The plain _irq variant turns interrupts on, whatever they were before the lock. */
static inline void raw_unlock_irq(void *lock, int shared)
{
	int were_off = model_unlock(lock, shared);

	model_set_irqs_off(0);
	preempt_count_sub(1);
	if (were_off)
		model_rule("irq-state", "interrupts were off before the lock and are on after its release");
}

static inline void raw_unlock_flags(void *lock, int shared, unsigned long flags)
{
	model_unlock(lock, shared);
	model_set_irqs_off(flags != 0);
	preempt_count_sub(1);
}

static inline void raw_unlock(void *lock, int shared)
{
	model_unlock(lock, shared);
	preempt_count_sub(1);
}

static inline void raw_unlock_bh(void *lock, int shared)
{
	model_unlock(lock, shared);
	preempt_count_sub(1);
	__local_bh_enable_ip(0, 0x200);
}

/* spin_lock_irqsave() and back, for model functions that stand for either kernel */
void rt_spin_lock(void *lock);
void rt_spin_unlock(void *lock);
int rt_spin_trylock(void *lock);
unsigned long _raw_spin_lock_irqsave(void *lock);
void _raw_spin_unlock_irqrestore(void *lock, unsigned long flags);

static inline unsigned long lock_irqsave(void *lock)
{
#ifdef MODEL_RT
	rt_spin_lock(lock);
	return 0;
#else
	return _raw_spin_lock_irqsave(lock);
#endif
}

static inline void unlock_irqrestore(void *lock, unsigned long flags)
{
#ifdef MODEL_RT
	rt_spin_unlock(lock);
#else
	_raw_spin_unlock_irqrestore(lock, flags);
#endif
}

/* local_lock_irqsave(): without PREEMPT_RT interrupts off and no lock */
static inline unsigned long lock_local(void *lock)
{
#ifdef MODEL_RT
	migrate_disable();
	rt_spin_lock(lock);
	return 0;
#else
	return model_set_irqs_off(1);
#endif
}

static inline void unlock_local(void *lock, unsigned long flags)
{
#ifdef MODEL_RT
	rt_spin_unlock(lock);
	migrate_enable();
#else
	model_set_irqs_off(flags != 0);
#endif
}
