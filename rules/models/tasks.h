/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The primitives for more than one task and CPU: ctxlint/simulator/runtime/. Each is
 * documented where it is defined. Functions called model_entry_*() are what the
 * runtime calls itself: a CPU that comes out of reset, a new task, an interrupt.
 */

/* threads.py */
int model_enumerator(const char *name, int usual);
void model_mask_set(const char *mask, int cpu, int on);
int model_mask_has(const void *mask, int cpu);
int model_online(int cpu);
void model_set_online(int cpu, int on);
int model_num_online(void);
void model_set_state(int system_state);
void *model_spawn(const char *comm, int cpu, void *fn, void *arg, int kind);
void model_rest(const int *word);
void model_wait_done(const int *word, const char *why);
void model_kick(int *word, int value);
int model_count(int *word, int by);
void model_observe(const int *word);
void model_idle(void);
_Noreturn void model_cpu_stops(void);
_Noreturn void model_exit(void);
void model_log(const char *text, long a, long b, long c);

#define KTHREAD 0
#define PER_CPU 1
#define STOPPER 2
#define FIRST 3

void model_leave_cpu(int cpu);
void model_migrate_to(int cpu);
void model_oops(int on);
void model_nmi(int cpu, void *fn);
void model_device_irq(int cpu, void *fn);
int model_call_if(const char *function);
int model_call_member(const char *variable, const char *record, const char *member, long arg);

void *model_member_of(const char *variable, const char *record, const char *member);

/* firmware.py */
void model_saved(int cpu);
void model_stopped_await(void);
_Noreturn void model_reset_vector(u64 vector, u64 tables, void *code);

/* kthreads.py */
struct task_struct *model_kthread(int (*fn)(void *), void *data, const char *name, int cpu);
int model_kthread_get(const struct task_struct *task, const char *what);
int model_kthread_set(struct task_struct *task, const char *what, int value);
void model_kthread_await(struct task_struct *task, const char *what);

/* cpuhp.py */
int model_hp_get(int cpu, const char *field);
void model_hp_set(int cpu, const char *field, int value);
int model_hp_begin(int cpu, int target);
void model_hp_turn(int cpu, int previous);
int model_hp_next(int cpu, int bringup, int target);
int model_hp_fails(int cpu, int state);
void *model_hp_callback(int state, int bringup);
int model_hp_multi(int state);
void *model_hp_instance(int state, int number);
int model_hp_store(int state, const char *name, void *startup, void *teardown, int multi);
int model_hp_busy(int state);
void model_hp_add(int state, void *node);
int model_hp_drop(int state, void *node);
void model_hp_complain(int cpu, int bringup, int err);
void model_hp_await(int cpu, int up);
void model_hp_done(int cpu, int up);
int model_hp_wait_running(int cpu, unsigned long us);
void model_hp_start(int cpu);

/* ipi.py */
void model_ipi(int cpu, void *fn, void *info, int *done);
void model_stop_ipi(int cpu, void *fn);
void model_irq_work(int cpu, void *work);
void model_spin_word(const int *word, int value, const char *why);
void model_raise_softirq(int cpu, int number);
int model_softirqs(void);
int model_next_softirq(void);
void model_irq_enter(void);
void model_irq_exit(void);

/* work.py */
void model_work_begin(int *pools, int unbound, void *worker);
int model_work_queue(int cpu, void *work, long us);
void *model_work_next(void *pool);
void model_work_finished(void *work);
void model_work_await(void *work);
int model_work_busy(const void *work);
void model_work_hurry(void *work);
int model_work_cancel(void *work);

/* timers.py */
void model_timer_add(void *timer, int cpu, long us, int kind);
int model_timer_del(void *timer);
int model_timer_pending(const void *timer);
int model_timer_running(const void *timer);
void *model_timer_due(int kind);
int model_timers_due(int kind);
void model_await_readers(void);
void model_timer_done(void *timer);

/* notifiers.py */
int model_chain_add(void *head, void *block);
int model_chain_drop(void *head, void *block);
void *model_chain_at(void *head, int number);
void *model_chain_function(void *block);
void *model_list_at(const char *list, int number, int backwards);
void model_list_add(const char *list, void *item);
void model_list_drop(const char *list, void *item);

/* smccc.py */
unsigned long model_smccc(int hypervisor, unsigned long number, unsigned long a0, unsigned long a1, unsigned long a2,
			  unsigned long a3, unsigned long a4);
void model_event_stack(const void *base);

/* boot.py */
void model_boot_step(const char *name);
void *model_boot_next(const char *level);
_Noreturn void model_next_kernel(const char *how);

/* kthread of every CPU, as kernel/smpboot.c keeps them */
struct model_thread {
	void (*fn)(unsigned int cpu);
	int kick;
	int parked;
	unsigned int cpu;
	void *task;
};

void model_start_thread(struct model_thread *thread, const char *comm, int cpu,
			void (*fn)(unsigned int cpu), int kind);
void model_start_stopper(int cpu);
int stop_machine_cpuslocked(int (*fn)(void *), void *data, const void *cpus);
void cpus_read_lock(void);
void cpus_read_unlock(void);
void cpus_write_lock(void);
void cpus_write_unlock(void);
long work_on_cpu_key(int cpu, long (*fn)(void *), void *arg, void *key);
void mutex_lock(void *lock);
void mutex_unlock(void *lock);
void percpu_down_read(void *sem);
void percpu_up_read(void *sem);
void percpu_down_write(void *sem);
void percpu_up_write(void *sem);
bool percpu_down_read_trylock(void *sem);

#define EAGAIN 11
#define EBUSY 16
#define EINVAL 22
#define EIO 5
#define ENOSPC 28
#define ENXIO 6
#define ECANCELED 125
#define EOPNOTSUPP 95
