/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The primitives of the runtime (ctxlint/simulator/runtime/): what the model functions
 * are made of. Each is documented where it is defined.
 *
 * Conditions: MODEL_RT for PREEMPT_RT, MODEL_NUMA for NUMA.
 */

/* context.py */
int model_preempt_count(void);
void model_preempt_add(int value);
void model_preempt_set(int value);
int model_irqs_off(void);
int model_set_irqs_off(int off);
int model_rcu_depth(void);
void model_rcu_add(int value);
void model_migrate_add(int value);
int model_softirq_disabled(void);
void model_softirq_add(int value);
void model_non_block_add(int value);
void *model_current(void);
int model_is_idle(void);
int model_cpu(void);
int model_cpu_number(void);
int model_cpus(void);
unsigned long model_percpu_offset(int cpu);
int model_system_state(void);
int model_oops_in_progress(void);
void model_point(const char *kind, const void *what);
void model_advance(unsigned long us);
unsigned long model_jiffies(void);
int model_hz(void);
unsigned long model_now(void);

/* checks.py */
void model_might_resched(const char *file, int line, unsigned int offsets);
void model_schedule_bug(void);
void model_cant_sleep(const char *file, int line, int offset);
void model_warn(const char *file, int line, const char *text);
void model_idle_bug(void);
void model_warn_at(const char *file, int line, int once);
void model_rule(const char *kind, const char *text);
void model_panic(const char *text);

/* choice.py */
int model_may(const char *name, int expected);
void model_may_end(void);
int model_state(const char *name, int expected);

/* locks.py */
void model_lock_init(void *lock);
void model_spin_lock(void *lock, int shared, int irqs_were_off);
int model_trylock(void *lock, int shared);
void model_wait_lock(void *lock, int shared);
int model_unlock(void *lock, int shared);
int model_lock_is_held(const void *lock);
int model_lock_is_taken(const void *lock);

#define EXCLUSIVE 0
#define SHARED 1
#define TRY 2 /* with one of the above: nothing is done when it is taken */

/* what model files use of each other */
void __might_resched(const char *file, int line, unsigned int offsets);
void __might_sleep(const char *file, int line);
void preempt_count_add(int val);
void preempt_count_sub(int val);
void __rcu_read_lock(void);
void __rcu_read_unlock(void);
void migrate_disable(void);
void migrate_enable(void);
void __local_bh_disable_ip(unsigned long ip, unsigned int cnt);
void __local_bh_enable_ip(unsigned long ip, unsigned int cnt);
void schedule(void);
void schedule_rtlock(void);
long schedule_timeout(long timeout);

/* waits.py */
void model_wait_word(const unsigned int *address, const char *why);
void model_wait_time(long us);
void model_set_later(unsigned int *address, unsigned long us);
int model_sleeps(void);
void model_switch(void);
int model_spin_on_owner(void *lock);

/* alloc.py, physical.py */
int model_fail(const char *name);
void *model_alloc_pages(unsigned int order);
void model_free_pages(void *page, unsigned int order);
void model_reserve(unsigned long address, unsigned long size);
void *model_page_address(const void *page);
void *model_virt_to_page(const void *address);
unsigned long model_virt_to_phys(const void *address);
void *model_phys_to_virt(unsigned long address);
unsigned long model_ram_start(int index);
unsigned long model_ram_size(int index);
int model_is_ram(unsigned long address, unsigned long size);
void *model_map(unsigned long address, unsigned long size, const char *what);
void model_unmap(const void *address);
unsigned long model_variable(const char *name, unsigned long fallback);
void *model_alloc(unsigned long size);
void model_free(const void *object);
unsigned long model_size(const void *object);
int model_last_here(const void *object);
void *model_alloc_percpu(unsigned long size);
void model_free_percpu(void *address);
int model_constant(int index);
int model_enum(const char *name, int usual);

void model_boot_memory(void);
void model_boot_resources(void);

/* layout.py */
void *model_member_at(const void *object, const char *record, const char *member);
unsigned long model_record_size(const char *record);

/* printk.py */
int model_printk(const char *format);
int model_format(char *buf, unsigned long size, const char *format);
int model_vformat(char *buf, unsigned long size, const char *format, void *args);
void model_warn_printk(const char *format);
void model_taint(unsigned int flag);
void model_copy(void *to, const void *from, unsigned long size);
void model_fill(void *to, int byte, unsigned long size);
unsigned long model_find_bit(const unsigned long *bits, unsigned long end, unsigned long start, int wanted);
