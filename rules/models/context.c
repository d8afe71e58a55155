// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The execution context. Facts from include/linux/preempt.h, kernel/sched/core.c,
 * kernel/softirq.c, include/linux/rcupdate.h and the irqflags.h and preempt.h of arm64
 * and x86.
 *
 * Counts and flags live in the runtime and not in thread_info, so whatever header
 * function touches them has a model here.
 */

#define PREEMPT_MASK 0xff
#define PREEMPT_OFFSET 1
#define SOFTIRQ_DISABLE_OFFSET 0x200
#define HARDIRQ_MASK 0xf0000
#define IRQS_ON 0
#define IRQS_OFF 1

/* preemption count */

inline int preempt_count(void) { return model_preempt_count(); }
inline void preempt_count_set(u64 pc) { model_preempt_set((int)pc); }
inline void __preempt_count_add(int val) { model_preempt_add(val); }
inline void __preempt_count_sub(int val) { model_preempt_add(-val); }

/* Whether the scheduler should run now: the scheduler of the model decides that. */
inline bool __preempt_count_dec_and_test(void)
{
	model_preempt_add(-1);
	return false;
}

inline bool should_resched(int preempt_offset) { return false; }
inline bool test_preempt_need_resched(void) { return false; }

/* With DEBUG_PREEMPT these are functions. */
void preempt_count_add(int val) { model_preempt_add(val); }

void preempt_count_sub(int val)
{
	if (val > model_preempt_count()) {
		model_warn("kernel/sched/core.c", 5858, "DEBUG_LOCKS_WARN_ON(val > preempt_count())");
		return;
	}
	if (val < PREEMPT_MASK && !(model_preempt_count() & PREEMPT_MASK)) {
		model_warn("kernel/sched/core.c", 5863,
			   "DEBUG_LOCKS_WARN_ON((val < PREEMPT_MASK) && !(preempt_count() & PREEMPT_MASK))");
		return;
	}
	model_preempt_add(-val);
}

void preempt_schedule(void) { model_point("preempt", NULL); }
void preempt_schedule_notrace(void) { model_point("preempt", NULL); }
void dynamic_preempt_schedule(void) { model_point("preempt", NULL); }
void dynamic_preempt_schedule_notrace(void) { model_point("preempt", NULL); }

/* For programs that have no kernel headers. */
inline void preempt_disable(void) { preempt_count_add(PREEMPT_OFFSET); }
inline void preempt_enable(void) { preempt_count_sub(PREEMPT_OFFSET); }

/* interrupts: the flags are 0 or 1 whatever the architecture's register has */

inline unsigned long arch_local_save_flags(void) { return model_irqs_off(); }
inline bool arch_irqs_disabled_flags(unsigned long flags) { return flags != IRQS_ON; }
inline bool arch_irqs_disabled(void) { return model_irqs_off(); }
inline unsigned long arch_local_irq_save(void) { return model_set_irqs_off(IRQS_OFF); }
inline void arch_local_irq_disable(void) { model_set_irqs_off(IRQS_OFF); }
inline void arch_local_irq_enable(void) { model_set_irqs_off(IRQS_ON); }
inline void arch_local_irq_restore(unsigned long flags) { model_set_irqs_off(flags != IRQS_ON); }
inline void native_irq_disable(void) { model_set_irqs_off(IRQS_OFF); }
inline void native_irq_enable(void) { model_set_irqs_off(IRQS_ON); }
inline unsigned long native_save_fl(void) { return model_irqs_off(); }

/* bottom halves */

/*
 * With PREEMPT_RT the depth is the task's. Where it could be preempted, the first level
 * takes a sleeping lock of the CPU and enters an RCU reader; elsewhere it does neither.
 */
#ifdef MODEL_RT
static unsigned long softirq_lock[512][8];

static inline bool preemptible(void) { return !model_preempt_count() && !model_irqs_off(); }
#endif

static inline bool in_hard_interrupt(void) { return model_preempt_count() & HARDIRQ_MASK; }

void __local_bh_disable_ip(unsigned long ip, unsigned int cnt)
{
#ifdef MODEL_RT
	if (in_hard_interrupt())
		model_warn_at("kernel/softirq.c", 161, 1);
	if (!model_softirq_disabled() && preemptible()) {
		lock_local(softirq_lock[model_cpu()]);
		__rcu_read_lock();
	}
	model_softirq_add((int)cnt);
#else
	model_preempt_add((int)cnt);
#endif
}

void __local_bh_enable_ip(unsigned long ip, unsigned int cnt)
{
	if (in_hard_interrupt())
#ifdef MODEL_RT
		model_warn_at("kernel/softirq.c", 225, 1);
#else
		model_warn_at("kernel/softirq.c", 386, 1);
#endif
#ifdef MODEL_RT
	model_softirq_add(-(int)cnt);
	if (!model_softirq_disabled() && preemptible()) {
		__rcu_read_unlock();
		unlock_local(softirq_lock[model_cpu()], 0);
	}
#else
	preempt_count_sub((int)cnt);
#endif
}

void _local_bh_enable(void) { __local_bh_enable_ip(0, SOFTIRQ_DISABLE_OFFSET); }
inline void local_bh_disable(void) { __local_bh_disable_ip(0, SOFTIRQ_DISABLE_OFFSET); }
inline void local_bh_enable(void) { __local_bh_enable_ip(0, SOFTIRQ_DISABLE_OFFSET); }
inline void local_bh_enable_ip(unsigned long ip) { __local_bh_enable_ip(ip, SOFTIRQ_DISABLE_OFFSET); }

/* RCU */

void __rcu_read_lock(void) { model_rcu_add(1); }
void __rcu_read_unlock(void) { model_rcu_add(-1); }
inline int rcu_preempt_depth(void) { return model_rcu_depth(); }
inline void rcu_read_lock(void) { __rcu_read_lock(); }
inline void rcu_read_unlock(void) { __rcu_read_unlock(); }

inline void rcu_read_lock_bh(void)
{
	__local_bh_disable_ip(0, SOFTIRQ_DISABLE_OFFSET);
}

inline void rcu_read_unlock_bh(void)
{
	__local_bh_enable_ip(0, SOFTIRQ_DISABLE_OFFSET);
}

inline void rcu_read_lock_sched(void) { preempt_count_add(PREEMPT_OFFSET); }
inline void rcu_read_unlock_sched(void) { preempt_count_sub(PREEMPT_OFFSET); }
bool rcu_is_watching(void) { return true; }

/* exceptions that look like an NMI: context tracking has nothing to do in a model */

void ct_nmi_enter(void) { }
void ct_nmi_exit(void) { }
void ct_irq_enter(void) { }
void ct_irq_exit(void) { }

/* migration */

void migrate_disable(void) { model_migrate_add(1); }
void migrate_enable(void) { model_migrate_add(-1); }

/* who and where */

inline struct task_struct *get_current(void) { return model_current(); }
inline unsigned long __kern_my_cpu_offset(void) { return model_percpu_offset(model_cpu()); }
unsigned int debug_smp_processor_id(void) { return model_cpu_number(); }
void __this_cpu_preempt_check(const char *op) { }
inline bool is_idle_task(const struct task_struct *p) { return p == model_current() && model_is_idle(); }

/* time */

inline void cpu_relax(void) { model_point("relax", NULL); model_advance(1); }
void __udelay(unsigned long usecs) { model_advance(usecs); }
void __ndelay(unsigned long nsecs) { model_advance((nsecs + 999) / 1000); }
/* usecs times 2^32 / 1000000, rounded up */
void __const_udelay(unsigned long xloops) { model_advance(xloops / 4295); }
inline void udelay(unsigned long usecs) { model_advance(usecs); }
inline void mdelay(unsigned long msecs) { model_advance(1000 * msecs); }

/* the checks */

void __might_resched(const char *file, int line, unsigned int offsets)
{
	model_might_resched(file, line, offsets);
}

void __might_sleep(const char *file, int line)
{
	__might_resched(file, line, 0);
}

void __cant_sleep(const char *file, int line, int preempt_offset)
{
	model_cant_sleep(file, line, preempt_offset);
}

inline void non_block_start(void) { model_non_block_add(1); }
inline void non_block_end(void) { model_non_block_add(-1); }
