// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Registration of CPU hotplug callbacks. Facts from kernel/cpu.c.
 */

static unsigned long cpuhp_state_mutex[16];

static inline int issue_call(int cpu, int state, bool bringup, void *node)
{
	int ret;

	if (!model_hp_callback(state, bringup))
		return 0;
	if (section_is_ap(state))
		ret = cpuhp_invoke_ap_callback(cpu, state, bringup, node);
	else
		ret = cpuhp_invoke_callback(cpu, state, bringup, node, NULL);
	if (ret && !bringup)
		model_panic("kernel BUG at kernel/cpu.c:2374!");
	return ret;
}

/* All CPUs below `end` that are at least at the state. The number of the CPU that failed, or end. */
static inline int issue_calls(int end, int state, bool bringup, void *node, int *error)
{
	for (int cpu = 0; cpu < end; cpu++) {
		if (!model_hp_get(cpu, "present") || model_hp_get(cpu, "state") < state)
			continue;
		*error = issue_call(cpu, state, bringup, node);
		if (*error)
			return cpu;
	}
	return end;
}

/* registration */

static inline bool bad_state(int state) { return state <= HP_OFFLINE || state >= HP_ONLINE; }
static inline bool dynamic(int state) { return state == HP_ONLINE_DYN || state == HP_PREPARE_DYN; }

static int cpuhp_store_callbacks(int state, const char *name, void *startup, void *teardown, bool multi)
{
	int slot = state;

	if (name && dynamic(state)) {
		int end = state == HP_ONLINE_DYN ? HP_ONLINE_DYN_END : HP_PREPARE_DYN_END;

		while (slot <= end && model_hp_busy(slot))
			slot++;
		if (slot > end) {
			model_warn_at("kernel/cpu.c", 2300, 0);
			return -ENOSPC;
		}
	} else if (name && model_hp_busy(slot)) {
		return -EBUSY;
	}
	model_hp_store(slot, name, startup, teardown, multi);
	return name && dynamic(state) ? slot : 0;
}

int __cpuhp_setup_state_cpuslocked(int state, const char *name, bool invoke, void *startup,
				   void *teardown, bool multi_instance)
{
	bool chosen = dynamic(state);
	int cpus = model_cpus();
	int ret;

	if (bad_state(state) || !name)
		return -EINVAL;
	mutex_lock(cpuhp_state_mutex);
	ret = cpuhp_store_callbacks(state, name, startup, teardown, multi_instance);
	if (ret > 0) {
		state = ret;
		ret = 0;
	}
	if (!ret && invoke && startup) {
		int failed = issue_calls(cpus, state, true, NULL, &ret);

		if (failed < cpus) {
			int ignored;

			if (teardown)
				issue_calls(failed, state, false, NULL, &ignored);
			cpuhp_store_callbacks(state, NULL, NULL, NULL, false);
		}
	}
	mutex_unlock(cpuhp_state_mutex);
	return !ret && chosen ? state : ret;
}

int __cpuhp_setup_state(int state, const char *name, bool invoke, void *startup, void *teardown,
			bool multi_instance)
{
	int ret;

	cpus_read_lock();
	ret = __cpuhp_setup_state_cpuslocked(state, name, invoke, startup, teardown, multi_instance);
	cpus_read_unlock();
	return ret;
}

void __cpuhp_remove_state_cpuslocked(int state, bool invoke)
{
	int ignored;

	if (bad_state(state))
		model_panic("kernel BUG at kernel/cpu.c:2605!");
	mutex_lock(cpuhp_state_mutex);
	if (model_hp_multi(state)) {
		if (model_hp_instance(state, 0))
			model_warn_at("kernel/cpu.c", 2611, 0);
	} else if (invoke && model_hp_callback(state, false)) {
		issue_calls(model_cpus(), state, false, NULL, &ignored);
	}
	cpuhp_store_callbacks(state, NULL, NULL, NULL, false);
	mutex_unlock(cpuhp_state_mutex);
}

void __cpuhp_remove_state(int state, bool invoke)
{
	cpus_read_lock();
	__cpuhp_remove_state_cpuslocked(state, invoke);
	cpus_read_unlock();
}

int __cpuhp_state_add_instance_cpuslocked(int state, void *node, bool invoke)
{
	int cpus = model_cpus();
	int ret = 0;

	if (!model_hp_multi(state))
		return -EINVAL;
	mutex_lock(cpuhp_state_mutex);
	if (invoke && model_hp_callback(state, true)) {
		int failed = issue_calls(cpus, state, true, node, &ret);
		int ignored;

		if (failed < cpus && model_hp_callback(state, false))
			issue_calls(failed, state, false, node, &ignored);
	}
	if (!ret)
		model_hp_add(state, node);
	mutex_unlock(cpuhp_state_mutex);
	return ret;
}

int __cpuhp_state_add_instance(int state, void *node, bool invoke)
{
	int ret;

	cpus_read_lock();
	ret = __cpuhp_state_add_instance_cpuslocked(state, node, invoke);
	cpus_read_unlock();
	return ret;
}

int __cpuhp_state_remove_instance(int state, void *node, bool invoke)
{
	int ignored;

	if (bad_state(state))
		model_panic("kernel BUG at kernel/cpu.c:2558!");
	if (!model_hp_multi(state))
		return -EINVAL;
	cpus_read_lock();
	mutex_lock(cpuhp_state_mutex);
	if (invoke && model_hp_callback(state, false))
		issue_calls(model_cpus(), state, false, node, &ignored);
	model_hp_drop(state, node);
	mutex_unlock(cpuhp_state_mutex);
	cpus_read_unlock();
	return 0;
}

/* what a program without the kernel's header calls */

inline int cpuhp_setup_state(int state, const char *name, void *startup, void *teardown)
{
	return __cpuhp_setup_state(state, name, true, startup, teardown, false);
}

inline int cpuhp_setup_state_nocalls(int state, const char *name, void *startup, void *teardown)
{
	return __cpuhp_setup_state(state, name, false, startup, teardown, false);
}

inline int cpuhp_setup_state_cpuslocked(int state, const char *name, void *startup, void *teardown)
{
	return __cpuhp_setup_state_cpuslocked(state, name, true, startup, teardown, false);
}

inline int cpuhp_setup_state_nocalls_cpuslocked(int state, const char *name, void *startup, void *teardown)
{
	return __cpuhp_setup_state_cpuslocked(state, name, false, startup, teardown, false);
}

inline int cpuhp_setup_state_multi(int state, const char *name, void *startup, void *teardown)
{
	return __cpuhp_setup_state(state, name, false, startup, teardown, true);
}

inline int cpuhp_state_add_instance(int state, void *node) { return __cpuhp_state_add_instance(state, node, true); }
inline int cpuhp_state_add_instance_nocalls(int state, void *node) { return __cpuhp_state_add_instance(state, node, false); }
inline int cpuhp_state_remove_instance(int state, void *node) { return __cpuhp_state_remove_instance(state, node, true); }
inline int cpuhp_state_remove_instance_nocalls(int state, void *node) { return __cpuhp_state_remove_instance(state, node, false); }
inline void cpuhp_remove_state(int state) { __cpuhp_remove_state(state, true); }
inline void cpuhp_remove_state_nocalls(int state) { __cpuhp_remove_state(state, false); }
inline void cpuhp_remove_state_nocalls_cpuslocked(int state) { __cpuhp_remove_state_cpuslocked(state, false); }
