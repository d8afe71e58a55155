// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Locks whose nature depends on PREEMPT_RT: spinlock_t, rwlock_t, struct mutex.
 * Facts from kernel/locking/spinlock_rt.c, rtmutex.c, rtmutex_api.c, rwbase_rt.c,
 * mutex.c, and include/linux/spinlock.h, spinlock_rt.h, rwlock_rt.h.
 */

void _raw_spin_lock(void *lock);
void _raw_spin_lock_bh(void *lock);
void _raw_spin_lock_irq(void *lock);
int _raw_spin_trylock(void *lock);
int _raw_spin_trylock_bh(void *lock);
void _raw_spin_unlock(void *lock);
void _raw_spin_unlock_bh(void *lock);
void _raw_spin_unlock_irq(void *lock);
void _raw_spin_unlock_irqrestore(void *lock, unsigned long flags);

#ifdef MODEL_RT

/*
 * Sleeping locks. The RCU depth of the moment is what the check expects: nesting in an
 * RCU reader is legal for them. Interrupts and the preemption count stay untouched.
 */

static inline void rtlock_might_resched(int line)
{
	__might_resched("kernel/locking/spinlock_rt.c", line, (unsigned int)model_rcu_depth() << 8);
}

static void rtlock_slowlock_locked(void *lock, int shared)
{
	while (!model_trylock(lock, shared)) {
		model_wait_lock(lock, shared);
		schedule_rtlock();
	}
}

static inline void rtlock_lock(void *lock, int shared)
{
	if (!model_trylock(lock, shared))
		rtlock_slowlock_locked(lock, shared);
	__rcu_read_lock();
	migrate_disable();
}

static inline int rtlock_try(void *lock, int shared)
{
	if (!model_trylock(lock, shared | TRY))
		return 0;
	__rcu_read_lock();
	migrate_disable();
	return 1;
}

static inline void rtlock_unlock(void *lock, int shared)
{
	migrate_enable();
	model_unlock(lock, shared);
	__rcu_read_unlock();
}

void rt_spin_lock(void *lock)
{
	rtlock_might_resched(48);
	rtlock_lock(lock, EXCLUSIVE);
}

void rt_spin_unlock(void *lock) { rtlock_unlock(lock, EXCLUSIVE); }
int rt_spin_trylock(void *lock) { return rtlock_try(lock, EXCLUSIVE); }

int rt_spin_trylock_bh(void *lock)
{
	__local_bh_disable_ip(0, 0x200);
	if (rtlock_try(lock, EXCLUSIVE))
		return 1;
	__local_bh_enable_ip(0, 0x200);
	return 0;
}

void rt_spin_lock_unlock(void *lock)
{
	rt_spin_lock(lock);
	rt_spin_unlock(lock);
}

void rt_read_lock(void *lock)
{
	rtlock_might_resched(248);
	rtlock_lock(lock, SHARED);
}

void rt_write_lock(void *lock)
{
	rtlock_might_resched(258);
	rtlock_lock(lock, EXCLUSIVE);
}

int rt_read_trylock(void *lock) { return rtlock_try(lock, SHARED); }
int rt_write_trylock(void *lock) { return rtlock_try(lock, EXCLUSIVE); }
void rt_read_unlock(void *lock) { rtlock_unlock(lock, SHARED); }
void rt_write_unlock(void *lock) { rtlock_unlock(lock, EXCLUSIVE); }
void rt_rwlock_init(void *lock) { model_lock_init(lock); }
void rt_mutex_base_init(void *lock) { model_lock_init(lock); }
void __rt_spin_lock_init(void *lock, const char *name, void *key, bool percpu) { model_lock_init(lock); }

inline void spin_lock(void *lock) { rt_spin_lock(lock); }
inline void spin_unlock(void *lock) { rt_spin_unlock(lock); }
inline void spin_lock_irq(void *lock) { rt_spin_lock(lock); }
inline void spin_unlock_irq(void *lock) { rt_spin_unlock(lock); }
inline void spin_unlock_irqrestore(void *lock, unsigned long flags) { rt_spin_unlock(lock); }
inline int spin_trylock(void *lock) { return rt_spin_trylock(lock); }

inline void spin_lock_bh(void *lock)
{
	__local_bh_disable_ip(0, 0x200);
	rt_spin_lock(lock);
}

inline void spin_unlock_bh(void *lock)
{
	rt_spin_unlock(lock);
	__local_bh_enable_ip(0, 0x200);
}

inline int spin_is_locked(void *lock) { return model_lock_is_taken(lock); }

/* struct mutex */

void rt_mutex_schedule(void);

static void rt_mutex_slowlock_block(void *lock)
{
	while (!model_trylock(lock, EXCLUSIVE)) {
		model_wait_lock(lock, EXCLUSIVE);
		rt_mutex_schedule();
	}
}

static void __rt_mutex_slowlock_locked(void *lock) { rt_mutex_slowlock_block(lock); }
static void rt_mutex_slowlock(void *lock) { __rt_mutex_slowlock_locked(lock); }

static inline void lock_mutex(void *lock)
{
	__might_sleep("kernel/locking/rtmutex_api.c", 518);
	if (!model_trylock(lock, EXCLUSIVE))
		rt_mutex_slowlock(lock);
}

static inline void lock_mutex_at(void *lock, int line) { lock_mutex(lock); }
void __mutex_rt_init(void *lock, const char *name, void *key) { }

#else

inline void spin_lock(void *lock) { _raw_spin_lock(lock); }
inline void spin_unlock(void *lock) { _raw_spin_unlock(lock); }
inline void spin_lock_bh(void *lock) { _raw_spin_lock_bh(lock); }
inline void spin_unlock_bh(void *lock) { _raw_spin_unlock_bh(lock); }
inline void spin_lock_irq(void *lock) { _raw_spin_lock_irq(lock); }
inline void spin_unlock_irq(void *lock) { _raw_spin_unlock_irq(lock); }
inline void spin_unlock_irqrestore(void *lock, unsigned long flags) { _raw_spin_unlock_irqrestore(lock, flags); }
inline int spin_trylock(void *lock) { return _raw_spin_trylock(lock); }
inline int spin_is_locked(void *lock) { return model_lock_is_taken(lock); }

/* rwlock_t spins */

void _raw_read_lock(void *lock) { raw_lock(lock, SHARED); }
void _raw_read_lock_irq(void *lock) { raw_lock_irq(lock, SHARED); }
unsigned long _raw_read_lock_irqsave(void *lock) { return raw_lock_irq(lock, SHARED); }
void _raw_read_lock_bh(void *lock) { raw_lock_bh(lock, SHARED); }
int _raw_read_trylock(void *lock) { return raw_try(lock, SHARED); }
void _raw_read_unlock(void *lock) { raw_unlock(lock, SHARED); }
void _raw_read_unlock_irq(void *lock) { raw_unlock_irq(lock, SHARED); }
void _raw_read_unlock_irqrestore(void *lock, unsigned long flags) { raw_unlock_flags(lock, SHARED, flags); }
void _raw_read_unlock_bh(void *lock) { raw_unlock_bh(lock, SHARED); }
void _raw_write_lock(void *lock) { raw_lock(lock, EXCLUSIVE); }
void _raw_write_lock_irq(void *lock) { raw_lock_irq(lock, EXCLUSIVE); }
unsigned long _raw_write_lock_irqsave(void *lock) { return raw_lock_irq(lock, EXCLUSIVE); }
void _raw_write_lock_bh(void *lock) { raw_lock_bh(lock, EXCLUSIVE); }
int _raw_write_trylock(void *lock) { return raw_try(lock, EXCLUSIVE); }
void _raw_write_unlock(void *lock) { raw_unlock(lock, EXCLUSIVE); }
void _raw_write_unlock_irq(void *lock) { raw_unlock_irq(lock, EXCLUSIVE); }
void _raw_write_unlock_irqrestore(void *lock, unsigned long flags) { raw_unlock_flags(lock, EXCLUSIVE, flags); }
void _raw_write_unlock_bh(void *lock) { raw_unlock_bh(lock, EXCLUSIVE); }
void __rwlock_init(void *lock, const char *name, void *key) { model_lock_init(lock); }

/* struct mutex: spins while the owner runs, then sleeps */

static void schedule_preempt_disabled(void) { schedule(); }

static void __mutex_lock(void *lock)
{
	while (!model_trylock(lock, EXCLUSIVE)) {
		if (model_spin_on_owner(lock))
			continue;
		model_wait_lock(lock, EXCLUSIVE);
		schedule_preempt_disabled();
	}
}

static void __mutex_lock_slowpath(void *lock) { __mutex_lock(lock); }

static inline void lock_mutex_at(void *lock, int line)
{
	__might_sleep("kernel/locking/mutex.c", line);
	if (!model_trylock(lock, EXCLUSIVE))
		__mutex_lock_slowpath(lock);
}

static inline void lock_mutex(void *lock) { lock_mutex_at(lock, 283); }
void __mutex_init(void *lock, const char *name, void *key) { model_lock_init(lock); }
#endif

void mutex_lock(void *lock) { lock_mutex(lock); }
int mutex_lock_interruptible(void *lock) { lock_mutex_at(lock, 992); return 0; }
int mutex_lock_killable(void *lock) { lock_mutex_at(lock, 1016); return 0; }
int mutex_trylock(void *lock) { return model_trylock(lock, EXCLUSIVE | TRY); }
void mutex_unlock(void *lock) { model_unlock(lock, EXCLUSIVE); }
bool mutex_is_locked(void *lock) { return model_lock_is_taken(lock); }
