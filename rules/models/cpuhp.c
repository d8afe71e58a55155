// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * CPU hotplug. Facts from kernel/cpu.c, include/linux/cpuhotplug.h and
 * arch/arm64/kernel/smp.c.
 *
 * The table of states and the counters of each CPU are in the runtime (cpuhp.py); here
 * is who calls what, on which CPU, under which locks.
 */



#define MOST_CPUS 512
#define SYSTEM_RUNNING 3

#ifdef MODEL_X86_64
int native_kick_ap(unsigned int cpu);
void arch_cpu_idle_dead(void);
#endif

typedef int (*single_fn)(unsigned int cpu);
typedef int (*multi_fn)(unsigned int cpu, void *node);

extern unsigned long cpu_hotplug_lock[32];
unsigned long cpu_add_remove_lock[16];
static unsigned long sparse_irq_lock[16];
static unsigned long device_hotplug_lock[16];

extern unsigned int __num_online_cpus;
int cpu_hotplug_disabled;
bool cpu_hotplug_offline_disabled;
bool cpuhp_tasks_frozen;

static struct model_thread hotplug_threads[MOST_CPUS];
static void *last[MOST_CPUS]; /* instance at which a walk over all of them stopped */
static void *only[MOST_CPUS]; /* instance that is being added or removed */

/* locks */

void cpus_write_lock(void) { percpu_down_write(cpu_hotplug_lock); }
void cpus_write_unlock(void) { percpu_up_write(cpu_hotplug_lock); }
void cpu_maps_update_begin(void) { mutex_lock(cpu_add_remove_lock); }
void cpu_maps_update_done(void) { mutex_unlock(cpu_add_remove_lock); }
void lock_device_hotplug(void) { mutex_lock(device_hotplug_lock); }
void unlock_device_hotplug(void) { mutex_unlock(device_hotplug_lock); }

void cpu_hotplug_disable(void)
{
	mutex_lock(cpu_add_remove_lock);
	cpu_hotplug_disabled++;
	mutex_unlock(cpu_add_remove_lock);
}

void __cpu_hotplug_enable(void)
{
	if (!cpu_hotplug_disabled)
		model_warn_at("kernel/cpu.c", 572, 1);
	else
		cpu_hotplug_disabled--;
}

void cpu_hotplug_enable(void)
{
	mutex_lock(cpu_add_remove_lock);
	__cpu_hotplug_enable();
	mutex_unlock(cpu_add_remove_lock);
}

void cpu_hotplug_disable_offlining(void)
{
	mutex_lock(cpu_add_remove_lock);
	cpu_hotplug_offline_disabled = true;
	mutex_unlock(cpu_add_remove_lock);
}

/* one state */

static inline bool section_is_atomic(int state) { return state >= HP_IDLE_DEAD && state < HP_AP_ONLINE; }

/*
 * All instances of a state, in the order of its list. A caller that can come back says
 * where it stopped (resume); for one that cannot, what was done is undone here.
 */
static inline int invoke_instances(unsigned int cpu, int state, bool bringup, void **resume)
{
	void *callback = model_hp_callback(state, bringup);
	void *undo = model_hp_callback(state, !bringup);
	void *node;
	int done = 0;
	int ret;

	for (; (node = model_hp_instance(state, done)) != NULL; done++) {
		if (resume && node == *resume)
			break;
		ret = ((multi_fn)callback)(cpu, node);
		if (!ret)
			continue;
		if (resume) {
			*resume = node;
			return ret;
		}
		for (int i = 0; undo && i < done; i++)
			if (((multi_fn)undo)(cpu, model_hp_instance(state, i)))
				model_warn_at("kernel/cpu.c", 246, 1);
		return ret;
	}
	if (resume)
		*resume = NULL;
	return 0;
}

int cpuhp_invoke_callback(unsigned int cpu, int state, bool bringup, void *node, void **resume)
{
	void *callback;

	if (model_hp_fails(cpu, state))
		return -EAGAIN;
	callback = model_hp_callback(state, bringup);
	if (!callback) {
		model_warn_at("kernel/cpu.c", 185, 1);
		return 0;
	}
	if (!model_hp_multi(state))
		return ((single_fn)callback)(cpu);
	if (node)
		return ((multi_fn)callback)(cpu, node);
	return invoke_instances(cpu, state, bringup, resume);
}

/* With nofail an error is only told: nobody could act on it in those sections. */
int __cpuhp_invoke_callback_range(bool bringup, unsigned int cpu, int target, bool nofail)
{
	int ret = 0;
	int state;

	while ((state = model_hp_next(cpu, bringup, target)) >= 0) {
		int err = cpuhp_invoke_callback(cpu, state, bringup, NULL, NULL);

		if (!err)
			continue;
		if (!nofail)
			return err;
		model_hp_complain(cpu, bringup, err);
		ret = -1;
	}
	return ret;
}

/* the hotplug thread of a CPU: one state each time it is called */

static void cpuhp_thread_fun(unsigned int cpu)
{
	bool bringup = model_hp_get(cpu, "bringup");
	bool more = true;
	int result = 0;
	int state;

	if (model_hp_get(cpu, "single")) {
		state = model_hp_get(cpu, "cb_state");
		more = false;
	} else {
		state = model_hp_next(cpu, bringup, model_hp_get(cpu, "target"));
		more = state >= 0;
	}
	if (state >= 0) {
		if (section_is_atomic(state)) {
			model_set_irqs_off(1);
			result = cpuhp_invoke_callback(cpu, state, bringup, only[cpu], &last[cpu]);
			model_set_irqs_off(0);
			if (result)
				model_warn_at("kernel/cpu.c", 1100, 1);
		} else {
			result = cpuhp_invoke_callback(cpu, state, bringup, only[cpu], &last[cpu]);
		}
		model_hp_set(cpu, "result", result);
		if (result) {
			if (model_hp_get(cpu, "rollback"))
				model_warn_at("kernel/cpu.c", 1111, 1);
			more = false;
		}
	}
	if (!more) {
		hotplug_threads[cpu].kick = 0;
		model_hp_done(cpu, bringup);
	}
}

static inline void wait_for_ap_thread(int cpu, bool up)
{
	model_hp_await(cpu, up);
	schedule();
}

static inline void kick_thread(int cpu)
{
	if (!model_hp_get(cpu, "single") && model_hp_get(cpu, "state") == model_hp_get(cpu, "target"))
		return;
	model_hp_set(cpu, "result", 0);
	model_kick(&hotplug_threads[cpu].kick, 1);
	wait_for_ap_thread(cpu, model_hp_get(cpu, "bringup"));
}

static inline void turn_round(int cpu, int previous)
{
	/* A walk over instances that stopped in the middle is taken up where it stopped. */
	model_hp_set(cpu, "partial", last[cpu] != NULL);
	model_hp_turn(cpu, previous);
}

static int cpuhp_kick_ap(int cpu, int target)
{
	int previous;
	int ret;

	last[cpu] = NULL;
	previous = model_hp_begin(cpu, target);
	kick_thread(cpu);
	ret = model_hp_get(cpu, "result");
	if (ret) {
		turn_round(cpu, previous);
		kick_thread(cpu);
	}
	return ret;
}

/* a single callback, on the CPU it belongs to */

int cpuhp_invoke_ap_callback(int cpu, int state, bool bringup, void *node)
{
	int ret;

	if (!model_online(cpu))
		return 0;
	if (!hotplug_threads[cpu].task)
		return cpuhp_invoke_callback(cpu, state, bringup, node, NULL);

	last[cpu] = NULL;
	only[cpu] = node;
	model_hp_set(cpu, "rollback", 0);
	model_hp_set(cpu, "bringup", bringup);
	model_hp_set(cpu, "cb_state", state);
	model_hp_set(cpu, "single", 1);
	kick_thread(cpu);
	ret = model_hp_get(cpu, "result");
	if (ret && last[cpu]) {
		model_hp_set(cpu, "rollback", 1);
		model_hp_set(cpu, "bringup", !bringup);
		kick_thread(cpu);
	}
	only[cpu] = NULL;
	last[cpu] = NULL;
	return ret;
}

/* the CPU that comes up */

static inline void set_online(int cpu, int on)
{
	model_set_online(cpu, on);
	model_mask_set("__cpu_online_mask", cpu, on);
	__num_online_cpus = (unsigned int)model_num_online();
}

void notify_cpu_starting(unsigned int cpu)
{
	int target = model_hp_get(cpu, "target");

	model_mask_set("cpus_booted_once_mask", cpu, 1);
	__cpuhp_invoke_callback_range(true, cpu, target < HP_AP_ONLINE ? target : HP_AP_ONLINE, true);
}

void cpuhp_online_idle(void)
{
	int cpu = model_cpu();

	model_start_stopper(cpu);
	model_hp_set(cpu, "state", HP_ONLINE_IDLE);
	model_hp_done(cpu, true);
}

static void cpuhp_report_idle_dead(void)
{
	int cpu = model_cpu();

	if (model_hp_get(cpu, "state") != HP_AP_OFFLINE)
		model_panic("kernel BUG at kernel/cpu.c:1364!");
	model_hp_set(cpu, "state", HP_IDLE_DEAD);
	model_hp_done(cpu, false);
}

static void default_idle_call(void) { model_idle(); }

static void do_idle(void)
{
	model_set_irqs_off(1);
	if (!model_online(model_cpu())) {
		cpuhp_report_idle_dead();
#ifdef MODEL_X86_64
		arch_cpu_idle_dead();
#else
		model_cpu_stops();
#endif
	}
	default_idle_call();
}

static void cpu_startup_entry(bool secondary)
{
	if (secondary)
		cpuhp_online_idle();
	for (;;)
		do_idle();
}

#ifdef MODEL_X86_64
static void ap_starting(void)
{
	notify_cpu_starting(model_cpu());
}

static void start_secondary(void *unused)
{
	int cpu = model_cpu();

	ap_starting();
	set_online(cpu, 1);
	model_hp_set(cpu, "running", 1);
	model_set_irqs_off(0);
	cpu_startup_entry(true);
}

static void common_startup_64(void) { start_secondary(NULL); }
inline void model_entry_secondary(void) { common_startup_64(); }
#else
static void secondary_start_kernel(void)
{
	int cpu = model_cpu();

	notify_cpu_starting(cpu);
	model_log("CPU%ld: Booted secondary processor", cpu, 0, 0);
	set_online(cpu, 1);
	model_hp_set(cpu, "running", 1);
	model_set_irqs_off(0);
	cpu_startup_entry(true);
}

static void __secondary_switched(void) { secondary_start_kernel(); }
inline void model_entry_secondary(void) { __secondary_switched(); }
#endif

/*
 * The boot CPU's idle loop is called as the last thing that rest_init() does, which has
 * no frame of its own, and does not return: the address to return to is in the function
 * that the linker put behind, and that is the name in call traces.
 */
static void kernel_init(void) { cpu_startup_entry(false); }
inline void model_idle_loop(void) { kernel_init(); }

/* bring-up, from the CPU in control */

#ifdef MODEL_X86_64
/* The CPU is started in a state of its own just before, and has ten seconds. */
static int __cpu_up(unsigned int cpu)
{
	int ret;

	model_hp_set(cpu, "running", 0);
	ret = native_kick_ap(cpu);
	if (ret)
		return ret;
	model_hp_wait_running(cpu, 10000000);
	schedule();
	if (model_online(cpu))
		return 0;
	model_log("CPU%ld failed to report alive state", cpu, 0, 0);
	return -EIO;
}
#else
/* Five seconds as the arm64 code waits. */
static int __cpu_up(unsigned int cpu)
{
	model_hp_set(cpu, "running", 0);
	model_hp_start(cpu);
	model_hp_wait_running(cpu, 5000000);
	schedule();
	if (model_online(cpu))
		return 0;
	model_log("CPU%ld: failed to come online", cpu, 0, 0);
	return -EIO;
}
#endif

int bringup_cpu(unsigned int cpu)
{
	int target;
	int ret;

	mutex_lock(sparse_irq_lock);
	ret = __cpu_up(cpu);
	if (!ret) {
		wait_for_ap_thread(cpu, true);
		if (!model_online(cpu)) {
			model_warn_at("kernel/cpu.c", 798, 1);
			ret = -ECANCELED;
		} else {
			hotplug_threads[cpu].parked = 0;
		}
	}
	mutex_unlock(sparse_irq_lock);
	target = model_hp_get(cpu, "target");
	if (ret || target <= HP_ONLINE_IDLE)
		return ret;
	return cpuhp_kick_ap(cpu, target);
}

static inline int run_up(unsigned int cpu, int target)
{
	int previous = model_hp_get(cpu, "state");
	int ret = __cpuhp_invoke_callback_range(true, cpu, target, false);

	if (ret) {
		model_hp_set(cpu, "partial", 0);
		model_hp_turn(cpu, previous);
		if (__cpuhp_invoke_callback_range(false, cpu, previous, false))
			model_warn_at("kernel/cpu.c", 1028, 0);
	}
	return ret;
}

static void create_thread(unsigned int cpu)
{
	if (!hotplug_threads[cpu].task) {
		hotplug_threads[cpu].parked = cpu != 0;
		model_start_thread(&hotplug_threads[cpu], "cpuhp/%u", cpu, cpuhp_thread_fun, PER_CPU);
	}
}

int _cpu_up(unsigned int cpu, int tasks_frozen, int target)
{
	int ret = 0;

	cpus_write_lock();
	if (!model_hp_get(cpu, "present")) {
		ret = -EINVAL;
	} else if (model_hp_get(cpu, "state") < target) {
		cpuhp_tasks_frozen = tasks_frozen;
		last[cpu] = NULL;
		create_thread(cpu);
		model_hp_begin(cpu, target);
		if (model_hp_get(cpu, "state") > HP_BRINGUP_CPU)
			ret = cpuhp_kick_ap(cpu, target);
		if (!ret)
			ret = run_up(cpu, target < HP_BRINGUP_CPU ? target : HP_BRINGUP_CPU);
	}
	cpus_write_unlock();
	return ret;
}

int cpu_up(unsigned int cpu, int target)
{
	int err = -EBUSY;

	if (cpu >= (unsigned int)model_cpus()) {
		model_log("can't online cpu %ld because it is not configured as may-hotadd at boot time", cpu, 0, 0);
		return -EINVAL;
	}
	mutex_lock(cpu_add_remove_lock);
	if (!cpu_hotplug_disabled)
		err = _cpu_up(cpu, 0, target);
	mutex_unlock(cpu_add_remove_lock);
	return err;
}

static int cpu_device_up(unsigned int cpu) { return cpu_up(cpu, HP_ONLINE); }
static int cpu_subsys_online(unsigned int cpu) { return cpu_device_up(cpu); }
static int device_online(unsigned int cpu) { return cpu_subsys_online(cpu); }

int add_cpu(unsigned int cpu)
{
	int ret;

	lock_device_hotplug();
	ret = device_online(cpu);
	unlock_device_hotplug();
	return ret;
}

int model_entry_cpu_up(unsigned int cpu) { return add_cpu(cpu); }

/* takedown */

static int __cpu_disable(void)
{
	int refused = model_hp_get(model_cpu(), "refuse");

	if (refused)
		return refused;
	set_online(model_cpu(), 0);
	model_leave_cpu(model_cpu());
	return 0;
}

static int take_cpu_down(void *param)
{
	unsigned int cpu = model_cpu();
	int target = model_hp_get(cpu, "target");
	int err = __cpu_disable();

	if (err < 0)
		return err;
	if (model_hp_get(cpu, "state") != HP_TEARDOWN_CPU - 1)
		model_warn_at("kernel/cpu.c", 1283, 0);
	__cpuhp_invoke_callback_range(false, cpu, target > HP_AP_OFFLINE ? target : HP_AP_OFFLINE, true);
	return 0;
}

int takedown_cpu(unsigned int cpu)
{
	unsigned long victim[MOST_CPUS / 64] = { 0 };
	int err;

	hotplug_threads[cpu].parked = 1;
	mutex_lock(sparse_irq_lock);
	victim[cpu / 64] = 1ul << cpu % 64;
	err = stop_machine_cpuslocked(take_cpu_down, NULL, victim);
	if (err) {
		mutex_unlock(sparse_irq_lock);
		hotplug_threads[cpu].parked = 0;
		return err;
	}
	if (model_online(cpu))
		model_panic("kernel BUG at kernel/cpu.c:1320!");
	wait_for_ap_thread(cpu, false);
	if (model_hp_get(cpu, "state") != HP_IDLE_DEAD)
		model_panic("kernel BUG at kernel/cpu.c:1330!");
	mutex_unlock(sparse_irq_lock);
#ifdef MODEL_X86_64
	model_call_member("smp_ops", "struct smp_ops", "cpu_die", cpu);
	if (model_system_state() == SYSTEM_RUNNING)
		model_log("CPU %lu is now offline", cpu, 0, 0);
#endif
	return 0;
}

static inline int run_down(unsigned int cpu, int target)
{
	int previous = model_hp_get(cpu, "state");
	int ret = __cpuhp_invoke_callback_range(false, cpu, target, false);

	if (ret) {
		model_hp_set(cpu, "partial", 0);
		model_hp_turn(cpu, previous);
		if (model_hp_get(cpu, "state") < previous &&
		    __cpuhp_invoke_callback_range(true, cpu, previous, false))
			model_warn_at("kernel/cpu.c", 1391, 0);
	}
	return ret;
}

int _cpu_down(unsigned int cpu, int tasks_frozen, int target)
{
	int previous;
	int ret = 0;

	if (model_num_online() == 1)
		return -EBUSY;
	if (!model_hp_get(cpu, "present"))
		return -EINVAL;
	cpus_write_lock();
	cpuhp_tasks_frozen = tasks_frozen;
	last[cpu] = NULL;
	previous = model_hp_begin(cpu, target);
	if (model_hp_get(cpu, "state") > HP_TEARDOWN_CPU) {
		int stop = target > HP_TEARDOWN_CPU ? target : HP_TEARDOWN_CPU;

		model_hp_set(cpu, "target", stop);
		ret = cpuhp_kick_ap(cpu, stop);
		if (ret || model_hp_get(cpu, "state") > HP_TEARDOWN_CPU) {
			cpus_write_unlock();
			return ret;
		}
		model_hp_set(cpu, "target", target);
	}
	ret = run_down(cpu, target);
	if (ret && model_hp_get(cpu, "state") < previous) {
		if (model_hp_get(cpu, "state") == HP_TEARDOWN_CPU) {
			model_hp_set(cpu, "partial", 0);
			model_hp_turn(cpu, previous);
			kick_thread(cpu);
		} else {
			model_warn_at("kernel/cpu.c", 1449, 0);
		}
	}
	cpus_write_unlock();
	return ret;
}

struct down {
	unsigned int cpu;
	int target;
};

static long __cpu_down_maps_locked(void *arg)
{
	struct down *work = arg;

	return _cpu_down(work->cpu, 0, work->target);
}

int cpu_down_maps_locked(unsigned int cpu, int target)
{
	struct down work = { cpu, target };

	if (cpu_hotplug_offline_disabled)
		return -EOPNOTSUPP;
	if (cpu_hotplug_disabled)
		return -EBUSY;
	for (int other = 0; other < model_cpus(); other++)
		if (model_online(other) && other != (int)cpu)
			return work_on_cpu_key(other, __cpu_down_maps_locked, &work, NULL);
	return -EBUSY;
}

static inline int cpu_down(unsigned int cpu, int target)
{
	int err;

	mutex_lock(cpu_add_remove_lock);
	err = cpu_down_maps_locked(cpu, target);
	mutex_unlock(cpu_add_remove_lock);
	return err;
}

static int cpu_device_down(unsigned int cpu) { return cpu_down(cpu, HP_OFFLINE); }
static int cpu_subsys_offline(unsigned int cpu) { return cpu_device_down(cpu); }
static int device_offline(unsigned int cpu) { return cpu_subsys_offline(cpu); }

int remove_cpu(unsigned int cpu)
{
	int ret;

	lock_device_hotplug();
	ret = device_offline(cpu);
	unlock_device_hotplug();
	return ret;
}

int model_entry_cpu_down(unsigned int cpu) { return remove_cpu(cpu); }

/*
 * The scheduler's own state, the last one: on the way down nothing goes on before all
 * readers of RCU have seen that the CPU is not active.
 */

static int sched_cpu_activate(unsigned int cpu)
{
	model_mask_set("__cpu_active_mask", (int)cpu, 1);
	return 0;
}

static int sched_cpu_deactivate(unsigned int cpu)
{
	model_mask_set("__cpu_active_mask", (int)cpu, 0);
	__might_sleep("kernel/rcu/tree.c", 4027);
	model_await_readers();
	schedule();
	return 0;
}

/* boot */

void model_cpuhp_boot(void)
{
	model_hp_set(0, "state", HP_ONLINE);
	model_hp_set(0, "target", HP_ONLINE);
	model_mask_set("cpus_booted_once_mask", 0, 1);
	model_hp_store(HP_ACTIVE, "sched:active", (void *)sched_cpu_activate, (void *)sched_cpu_deactivate, 0);
	model_hp_store(HP_BRINGUP_CPU, "cpu:bringup", (void *)bringup_cpu, NULL, 0);
	model_hp_store(HP_TEARDOWN_CPU, "cpu:teardown", NULL, (void *)takedown_cpu, 0);
}

void cpuhp_threads_init(void) { create_thread(0); }

void bringup_nonboot_cpus(unsigned int max_cpus)
{
	for (int cpu = 0; cpu < model_cpus() && max_cpus; cpu++) {
		if (!model_hp_get(cpu, "present"))
			continue;
		cpu_up(cpu, HP_ONLINE);
		max_cpus--;
	}
}
