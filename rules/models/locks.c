// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Locks that both kinds of kernel have: raw spinlocks, semaphores, per-CPU
 * reader-writer semaphores, bit spinlocks, sequence counters. Facts from
 * include/linux/spinlock_api_smp.h, kernel/locking/spinlock.c, semaphore.c,
 * percpu-rwsem.c, rwsem.c and include/linux/bit_spinlock.h.
 *
 * The check for sleeping stands where the kernel's annotation is.
 */

/* raw_spinlock_t */

void _raw_spin_lock(void *lock) { raw_lock(lock, EXCLUSIVE); }
void _raw_spin_lock_bh(void *lock) { raw_lock_bh(lock, EXCLUSIVE); }
void _raw_spin_lock_irq(void *lock) { raw_lock_irq(lock, EXCLUSIVE); }
unsigned long _raw_spin_lock_irqsave(void *lock) { return raw_lock_irq(lock, EXCLUSIVE); }
int _raw_spin_trylock(void *lock) { return raw_try(lock, EXCLUSIVE); }

int _raw_spin_trylock_bh(void *lock)
{
	__local_bh_disable_ip(0, 0x200);
	if (raw_try(lock, EXCLUSIVE))
		return 1;
	__local_bh_enable_ip(0, 0x200);
	return 0;
}

/*
 * The unlocks are copies in each file where UNINLINE_SPIN_UNLOCK is not set, which is
 * so with PREEMPT_RT and without DEBUG_SPINLOCK.
 */
void __raw_spin_unlock(void *lock) { raw_unlock(lock, EXCLUSIVE); }
void __raw_spin_unlock_irq(void *lock) { raw_unlock_irq(lock, EXCLUSIVE); }
#ifdef MODEL_RT
inline void _raw_spin_unlock(void *lock) { __raw_spin_unlock(lock); }
inline void _raw_spin_unlock_irq(void *lock) { __raw_spin_unlock_irq(lock); }
#else
void _raw_spin_unlock(void *lock) { raw_unlock(lock, EXCLUSIVE); }
void _raw_spin_unlock_irq(void *lock) { raw_unlock_irq(lock, EXCLUSIVE); }
#endif
void _raw_spin_unlock_bh(void *lock) { raw_unlock_bh(lock, EXCLUSIVE); }
void _raw_spin_unlock_irqrestore(void *lock, unsigned long flags) { raw_unlock_flags(lock, EXCLUSIVE, flags); }

void __raw_spin_lock_init(void *lock, const char *name, void *key, short inner) { model_lock_init(lock); }
inline void do_raw_spin_unlock(void *lock) { model_unlock(lock, EXCLUSIVE); }
inline int queued_spin_is_locked(void *lock) { return model_lock_is_taken(lock); }

/* bit spinlocks: the bit is part of the lock's name */

inline void bit_spin_lock(int bitnum, unsigned long *addr)
{
	preempt_count_add(1);
	model_spin_lock((char *)addr + bitnum / 8, EXCLUSIVE, 0);
}

inline int bit_spin_trylock(int bitnum, unsigned long *addr) { return raw_try((char *)addr + bitnum / 8, EXCLUSIVE); }

inline void bit_spin_unlock(int bitnum, unsigned long *addr) { raw_unlock((char *)addr + bitnum / 8, EXCLUSIVE); }
inline void __bit_spin_unlock(int bitnum, unsigned long *addr) { raw_unlock((char *)addr + bitnum / 8, EXCLUSIVE); }

/* struct semaphore: a raw lock, then a count; whoever gives it back need not be who took it */

struct model_semaphore {
	unsigned int lock;
	unsigned int count;
};

static bool take_semaphore(struct model_semaphore *sem)
{
	if (!sem->count)
		return false;
	sem->count--;
	return true;
}

static int __down(struct model_semaphore *sem, long timeout)
{
	while (!take_semaphore(sem)) {
		_raw_spin_unlock_irq(sem);
		model_wait_word(&sem->count, "the semaphore is 0");
		timeout = schedule_timeout(timeout);
		_raw_spin_lock_irq(sem);
		if (timeout <= 0)
			return -62;
	}
	return 0;
}

static inline int down_at(struct model_semaphore *sem, int line, long timeout)
{
	unsigned long flags;
	int ret = 0;

	__might_sleep("kernel/locking/semaphore.c", line);
	flags = _raw_spin_lock_irqsave(sem);
	if (!take_semaphore(sem))
		ret = __down(sem, timeout);
	_raw_spin_unlock_irqrestore(sem, flags);
	return ret;
}

#define NEVER 0x7fffffffffffffff

void down(struct model_semaphore *sem) { down_at(sem, 59, NEVER); }
int down_interruptible(struct model_semaphore *sem) { return down_at(sem, 83, NEVER); }
int down_killable(struct model_semaphore *sem) { return down_at(sem, 110, NEVER); }
int down_timeout(struct model_semaphore *sem, long timeout) { return down_at(sem, 165, timeout); }

int down_trylock(struct model_semaphore *sem)
{
	unsigned long flags = _raw_spin_lock_irqsave(sem);
	bool taken = take_semaphore(sem);

	_raw_spin_unlock_irqrestore(sem, flags);
	return !taken;
}

void up(struct model_semaphore *sem)
{
	unsigned long flags = _raw_spin_lock_irqsave(sem);

	sem->count++;
	_raw_spin_unlock_irqrestore(sem, flags);
}

/* struct percpu_rw_semaphore */

static void percpu_rwsem_wait(void *sem, int shared)
{
	model_wait_lock(sem, shared);
	schedule();
}

bool __percpu_down_read(void *sem, bool try)
{
	if (try)
		return false;
	while (!model_trylock(sem, SHARED))
		percpu_rwsem_wait(sem, SHARED);
	return true;
}

/* The compiler keeps it as a function of its own. */
void percpu_down_read(void *sem)
{
	__might_sleep("include/linux/percpu-rwsem.h", 49);
	if (!model_trylock(sem, SHARED))
		__percpu_down_read(sem, false);
}

inline bool percpu_down_read_trylock(void *sem) { return model_trylock(sem, SHARED | TRY); }
inline void percpu_up_read(void *sem) { model_unlock(sem, SHARED); }

void percpu_down_write(void *sem)
{
	__might_sleep("kernel/locking/percpu-rwsem.c", 228);
	while (!model_trylock(sem, EXCLUSIVE))
		percpu_rwsem_wait(sem, EXCLUSIVE);
}

void percpu_up_write(void *sem) { model_unlock(sem, EXCLUSIVE); }
int __percpu_init_rwsem(void *sem, const char *name, void *key) { model_lock_init(sem); return 0; }
bool percpu_is_write_locked(void *sem) { return model_lock_is_taken(sem); }
bool percpu_is_read_locked(void *sem) { return model_lock_is_taken(sem); }

/* struct rw_semaphore: the annotations are on the same lines in both kinds of kernel */

static void rwsem_down_slowpath(void *sem, int shared)
{
	while (!model_trylock(sem, shared)) {
		if (!shared && model_spin_on_owner(sem))
			continue;
		model_wait_lock(sem, shared);
		schedule();
	}
}

static inline void down_rwsem(void *sem, int shared, int line)
{
	__might_sleep("kernel/locking/rwsem.c", line);
	if (!model_trylock(sem, shared))
		rwsem_down_slowpath(sem, shared);
}

void down_read(void *sem) { down_rwsem(sem, SHARED, 1523); }
int down_read_interruptible(void *sem) { down_rwsem(sem, SHARED, 1532); return 0; }
int down_read_killable(void *sem) { down_rwsem(sem, SHARED, 1546); return 0; }
void down_write(void *sem) { down_rwsem(sem, EXCLUSIVE, 1576); }
int down_write_killable(void *sem) { down_rwsem(sem, EXCLUSIVE, 1587); return 0; }
void down_read_nested(void *sem, int subclass) { down_rwsem(sem, SHARED, 1648); }
void down_write_nested(void *sem, int subclass) { down_rwsem(sem, EXCLUSIVE, 1678); }
int down_read_trylock(void *sem) { return model_trylock(sem, SHARED | TRY); }
int down_write_trylock(void *sem) { return model_trylock(sem, EXCLUSIVE | TRY); }
void up_read(void *sem) { model_unlock(sem, SHARED); }
void up_write(void *sem) { model_unlock(sem, EXCLUSIVE); }
void __init_rwsem(void *sem, const char *name, void *key) { model_lock_init(sem); }

/* the lock of CPU hotplug, read side; the write side is the hotplug code's */

unsigned long cpu_hotplug_lock[32];

void cpus_read_lock(void) { percpu_down_read(cpu_hotplug_lock); }
void cpus_read_unlock(void) { percpu_up_read(cpu_hotplug_lock); }
int cpus_read_trylock(void) { return percpu_down_read_trylock(cpu_hotplug_lock); }
void lockdep_assert_cpus_held(void) { }
