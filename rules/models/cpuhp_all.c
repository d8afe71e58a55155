// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Taking down all CPUs but one, and bringing them back. Facts from kernel/cpu.c.
 */

#define MOST_CPUS 512

void smp_shutdown_nonboot_cpus(unsigned int primary_cpu)
{
	mutex_lock(cpu_add_remove_lock);
	if (!model_online(primary_cpu))
		for (primary_cpu = 0; !model_online(primary_cpu); primary_cpu++)
			;
	for (int cpu = 0; cpu < model_cpus(); cpu++) {
		int error;

		if (!model_online(cpu) || cpu == (int)primary_cpu)
			continue;
		error = cpu_down_maps_locked(cpu, HP_OFFLINE);
		if (error) {
			model_log("Failed to offline CPU%ld - error=%ld", cpu, error, 0);
			break;
		}
	}
	if (model_num_online() > 1)
		model_panic("kernel BUG at kernel/cpu.c:1564!");
	cpu_hotplug_disabled++;
	mutex_unlock(cpu_add_remove_lock);
}

static unsigned char frozen[MOST_CPUS];

int freeze_secondary_cpus(int primary)
{
	int error = 0;

	mutex_lock(cpu_add_remove_lock);
	if (primary < 0 || !model_online(primary))
		for (primary = 0; !model_online(primary); primary++)
			;
	for (int cpu = 0; cpu < MOST_CPUS; cpu++)
		frozen[cpu] = 0;
	model_log("Disabling non-boot CPUs ...", 0, 0, 0);
	for (int cpu = model_cpus() - 1; cpu >= 0; cpu--) {
		if (!model_online(cpu) || cpu == primary)
			continue;
		error = _cpu_down(cpu, 1, HP_OFFLINE);
		if (error) {
			model_log("Error taking CPU%ld down: %ld", cpu, error, 0);
			break;
		}
		frozen[cpu] = 1;
	}
	if (error)
		model_log("Non-boot CPUs are not disabled", 0, 0, 0);
	else if (model_num_online() > 1)
		model_panic("kernel BUG at kernel/cpu.c:1940!");
	cpu_hotplug_disabled++;
	mutex_unlock(cpu_add_remove_lock);
	return error;
}

void thaw_secondary_cpus(void)
{
	bool any = false;

	mutex_lock(cpu_add_remove_lock);
	__cpu_hotplug_enable();
	for (int cpu = 0; cpu < model_cpus(); cpu++)
		any |= frozen[cpu];
	if (any)
		model_log("Enabling non-boot CPUs ...", 0, 0, 0);
	for (int cpu = 0; cpu < model_cpus(); cpu++) {
		int error;

		if (!frozen[cpu])
			continue;
		error = _cpu_up(cpu, 1, HP_ONLINE);
		if (error)
			model_log("Error taking CPU%ld up: %ld", cpu, error, 0);
		else
			model_log("CPU%ld is up", cpu, 0, 0);
		frozen[cpu] = 0;
	}
	mutex_unlock(cpu_add_remove_lock);
}

int bringup_hibernate_cpu(unsigned int sleep_cpu)
{
	return model_online(sleep_cpu) ? 0 : cpu_up(sleep_cpu, HP_ONLINE);
}
