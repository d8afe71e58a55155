// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The ways out of a running kernel: reboot, halt, power off, kexec, suspend,
 * hibernation, panic. Facts from kernel/reboot.c, kernel/kexec_core.c,
 * kernel/panic.c, kernel/power/suspend.c, hibernate.c, main.c, drivers/base/syscore.c,
 * arch/arm64/kernel/process.c and smp.c. What x86 does is in x86.c.
 */

#define RUNNING 3
#define HALT 4
#define POWER_OFF 5
#define RESTART 6
#define SUSPEND 7
#define SYS_RESTART 1
#define SYS_HALT 2
#define SYS_POWER_OFF 3
#define PM_HIBERNATION_PREPARE 1
#define PM_POST_HIBERNATION 2
#define PM_SUSPEND_PREPARE 3
#define PM_POST_SUSPEND 4
#define PM_RESTORE_PREPARE 5
#define PM_POST_RESTORE 6
#define FORWARDS 0
#define BACKWARDS 1

/* members of struct dev_pm_ops, in its order */
enum pm_op {
	PREPARE, COMPLETE, SUSPEND_OP, RESUME, FREEZE, THAW, POWEROFF, RESTORE,
	SUSPEND_LATE, RESUME_EARLY, FREEZE_LATE, THAW_EARLY, POWEROFF_LATE, RESTORE_EARLY,
	SUSPEND_NOIRQ, RESUME_NOIRQ, FREEZE_NOIRQ, THAW_NOIRQ, POWEROFF_NOIRQ, RESTORE_NOIRQ
};

/* what the runtime knows of a device that takes part: its operations, then itself */
struct model_device {
	int (**ops)(void *dev);
	void *dev;
	void (*shutdown)(void *dev);
};

extern bool kexec_in_progress;
extern unsigned int __num_online_cpus;
extern int cpu_hotplug_disabled;
int reboot_cpu;

void smp_shutdown_nonboot_cpus(unsigned int primary_cpu);
void cpu_hotplug_enable(void);
void cpu_hotplug_disable(void);
int freeze_secondary_cpus(int primary);
void thaw_secondary_cpus(void);
int model_reboot_chain(unsigned long action, void *data);
int pm_notifier_call_chain_robust(unsigned long up, unsigned long down);
int pm_notifier_call_chain(unsigned long action);
int atomic_notifier_call_chain(void *head, unsigned long action, void *data);
void smp_call_function(void (*fn)(void *), void *info, int wait);
extern unsigned long panic_notifier_list[16];

/* struct syscore_ops: a list node, then suspend, resume, shutdown */

struct model_syscore {
	void *next, *prev;
	int (*suspend)(void);
	void (*resume)(void);
	void (*shutdown)(void);
};

void register_syscore_ops(struct model_syscore *ops) { model_list_add("syscore", ops); }
void unregister_syscore_ops(struct model_syscore *ops) { model_list_drop("syscore", ops); }

/* struct syscore: a list node, its operations (which get data), the data */

struct model_syscore_data {
	void *next, *prev;
	struct {
		int (*suspend)(void *data);
		void (*resume)(void *data);
		void (*shutdown)(void *data);
	} *ops;
	void *data;
};

void register_syscore(struct model_syscore_data *core) { model_list_add("syscore with data", core); }
void unregister_syscore(struct model_syscore_data *core) { model_list_drop("syscore with data", core); }

static inline void resume_with_data(void)
{
	struct model_syscore_data *core;

	for (int i = 0; (core = model_list_at("syscore with data", i, FORWARDS)) != NULL; i++)
		if (core->ops->resume)
			core->ops->resume(core->data);
}

static inline int suspend_with_data(void)
{
	struct model_syscore_data *core;

	for (int i = 0; (core = model_list_at("syscore with data", i, BACKWARDS)) != NULL; i++) {
		int ret = core->ops->suspend ? core->ops->suspend(core->data) : 0;

		if (!ret)
			continue;
		while (i-- > 0) {
			core = model_list_at("syscore with data", i, BACKWARDS);
			if (core->ops->resume)
				core->ops->resume(core->data);
		}
		return ret;
	}
	return 0;
}

void syscore_resume(void)
{
	struct model_syscore *ops;

	resume_with_data();
	for (int i = 0; (ops = model_list_at("syscore", i, FORWARDS)) != NULL; i++)
		if (ops->resume)
			ops->resume();
}

int syscore_suspend(void)
{
	struct model_syscore *ops;

	for (int i = 0; (ops = model_list_at("syscore", i, BACKWARDS)) != NULL; i++) {
		int ret = ops->suspend ? ops->suspend() : 0;

		if (!ret)
			continue;
		/* Those that have suspended resume, the latest first. */
		while (i-- > 0) {
			ops = model_list_at("syscore", i, BACKWARDS);
			if (ops->resume)
				ops->resume();
		}
		return ret;
	}
	return suspend_with_data();
}

void syscore_shutdown(void)
{
	struct model_syscore *ops;

	for (int i = 0; (ops = model_list_at("syscore", i, BACKWARDS)) != NULL; i++)
		if (ops->shutdown)
			ops->shutdown();
	struct model_syscore_data *core;

	for (int i = 0; (core = model_list_at("syscore with data", i, BACKWARDS)) != NULL; i++)
		if (core->ops->shutdown)
			core->ops->shutdown(core->data);
}

/* devices */

static int dpm_run_callback(struct model_device *device, int op) { return device->ops[op](device->dev); }

/* Down the list from its end, up again from its start; the first error ends a way down. */
static inline int dpm(int op, int direction)
{
	struct model_device *device;

	for (int i = 0; (device = model_list_at("devices", i, direction)) != NULL; i++) {
		int ret;

		if (!device->ops || !device->ops[op])
			continue;
		ret = dpm_run_callback(device, op);
		if (ret && direction == BACKWARDS)
			return ret;
	}
	return 0;
}

static int dpm_suspend(int op) { return dpm(op, BACKWARDS); }
static void dpm_resume(int op) { dpm(op, FORWARDS); }

void device_shutdown(void)
{
	struct model_device *device;

	for (int i = 0; (device = model_list_at("devices", i, BACKWARDS)) != NULL; i++)
		if (device->shutdown)
			device->shutdown(device->dev);
	model_boot_step("device shutdown");
}

#ifndef MODEL_X86_64

/* stopping the other CPUs without hotplug: they never come back */

static void local_cpu_stop(void)
{
	model_set_online(model_cpu(), 0);
	model_mask_set("__cpu_online_mask", model_cpu(), 0);
	__num_online_cpus = (unsigned int)model_num_online();
	model_set_irqs_off(1);
	model_call_if("sdei_mask_local_cpu");
	model_cpu_stops();
}

static void ipi_cpu_stop(void *info) { local_cpu_stop(); }

/* A CPU that does not take the interrupt within a second is given up. */
static inline void stop_others(void)
{
	for (int cpu = 0; cpu < model_cpus(); cpu++)
		if (cpu != model_cpu() && model_online(cpu))
			model_stop_ipi(cpu, (void *)ipi_cpu_stop);
	for (int us = 0; us < 1000000 && model_num_online() > 1; us += 100)
		model_advance(100);
	for (int cpu = 0; cpu < model_cpus(); cpu++)
		if (cpu != model_cpu() && model_online(cpu))
			model_nmi(cpu, (void *)ipi_cpu_stop);
	for (int us = 0; us < 10000 && model_num_online() > 1; us += 100)
		model_advance(100);
	if (model_num_online() > 1)
		model_log("SMP: failed to stop secondary CPUs", 0, 0, 0);
}

void smp_send_stop(void)
{
	stop_others();
	model_call_if("sdei_mask_local_cpu");
}

void crash_smp_send_stop(void)
{
	stop_others();
	model_call_if("sdei_mask_local_cpu");
	model_call_if("sdei_handler_abort");
}

#endif

/* the machine */

#ifdef MODEL_X86_64
void machine_shutdown(void);
void smp_send_stop(void);
void native_machine_crash_shutdown(void *regs);
#else
void machine_shutdown(void) { smp_shutdown_nonboot_cpus(reboot_cpu); }
#endif

static void machine_kexec(void)
{
#ifndef MODEL_X86_64
	if (model_num_online() > 1 && !model_oops_in_progress())
		model_panic("kernel BUG at arch/arm64/kernel/machine_kexec.c:171!");
	if (model_num_online() > 1)
		model_warn_at("arch/arm64/kernel/machine_kexec.c", 172, 0);
#endif
	model_set_irqs_off(1);
	model_next_kernel(model_oops_in_progress() ? "crash" : "kexec");
}

static inline void ends(const char *how)
{
#ifdef MODEL_X86_64
	machine_shutdown();
#else
	model_set_irqs_off(1);
	smp_send_stop();
#endif
	model_next_kernel(how);
}

static void machine_restart(void) { ends("restart"); }
static void machine_halt(void) { ends("halt"); }
static void machine_power_off(void) { ends("power off"); }

/* reboot */

void kernel_restart_prepare(char *cmd)
{
	model_reboot_chain(SYS_RESTART, cmd);
	model_set_state(RESTART);
	device_shutdown();
}

/* Control moves to the boot CPU, and hotplug is off from here on. */
void migrate_to_reboot_cpu(void)
{
	cpu_hotplug_disable();
	model_migrate_to(model_online(reboot_cpu) ? reboot_cpu : model_cpu());
}

void kernel_restart(char *cmd)
{
	kernel_restart_prepare(cmd);
	migrate_to_reboot_cpu();
	syscore_shutdown();
	machine_restart();
}

static inline void kernel_shutdown_prepare(int state)
{
	model_reboot_chain(state == HALT ? SYS_HALT : SYS_POWER_OFF, NULL);
	model_set_state(state);
	device_shutdown();
}

void kernel_halt(void)
{
	kernel_shutdown_prepare(HALT);
	migrate_to_reboot_cpu();
	syscore_shutdown();
	machine_halt();
}

void kernel_power_off(void)
{
	kernel_shutdown_prepare(POWER_OFF);
	migrate_to_reboot_cpu();
	syscore_shutdown();
	machine_power_off();
}

int kernel_kexec(void)
{
	kexec_in_progress = true;
	kernel_restart_prepare(NULL);
	migrate_to_reboot_cpu();
	syscore_shutdown();
	/* This way needs hotplug once more. */
	cpu_hotplug_enable();
	model_log("Starting new kernel", 0, 0, 0);
	machine_shutdown();
	machine_kexec();
	return 0;
}

/* crash: no notifier of hotplug, no lock */

void __crash_kexec(void *regs)
{
	model_set_irqs_off(1);
#ifdef MODEL_X86_64
	native_machine_crash_shutdown(regs);
#else
	crash_smp_send_stop();
#endif
	model_boot_step("crash shutdown");
	machine_kexec();
}

/* The runtime calls it for an oops or a panic while a crash kernel is loaded. */
void model_entry_crash(int loaded)
{
	model_oops(1);
	model_set_irqs_off(1);
	model_preempt_add(1);
	if (loaded)
		__crash_kexec(NULL);
	smp_send_stop();
	atomic_notifier_call_chain(panic_notifier_list, 0, NULL);
	model_next_kernel("panic");
}

/* suspend to RAM: devices with all CPUs, then the CPUs, then the core */

static inline void core_suspended(void)
{
	model_set_irqs_off(1);
	model_set_state(SUSPEND);
	if (!syscore_suspend()) {
		model_boot_step("suspended");
		syscore_resume();
	}
	model_set_state(RUNNING);
	model_set_irqs_off(0);
}

static int suspend_enter(void)
{
	int error = dpm_suspend(SUSPEND_LATE);

	if (!error) {
		error = dpm_suspend(SUSPEND_NOIRQ);
		if (!error) {
			error = freeze_secondary_cpus(-1);
			if (!error)
				core_suspended();
			thaw_secondary_cpus();
		}
		dpm_resume(RESUME_NOIRQ);
	}
	dpm_resume(RESUME_EARLY);
	return error;
}

static int suspend_devices_and_enter(void)
{
	int error = dpm_suspend(PREPARE);

	if (!error)
		error = dpm_suspend(SUSPEND_OP);
	if (!error)
		error = suspend_enter();
	dpm_resume(RESUME);
	dpm_resume(COMPLETE);
	return error;
}

int pm_suspend(int state)
{
	int error = pm_notifier_call_chain_robust(PM_SUSPEND_PREPARE, PM_POST_SUSPEND);

	if (error)
		return error;
	cpu_hotplug_disable();
	error = suspend_devices_and_enter();
	cpu_hotplug_enable();
	pm_notifier_call_chain(PM_POST_SUSPEND);
	return error;
}

/* hibernation: freeze, take the image, thaw; or restore one */

static inline int with_cpus_down(int late, int noirq, const char *step, int early, int noirq_up)
{
	int error = dpm_suspend(late);

	if (!error)
		error = dpm_suspend(noirq);
	if (!error) {
		error = freeze_secondary_cpus(-1);
		if (!error) {
			model_set_irqs_off(1);
			model_set_state(SUSPEND);
			if (!syscore_suspend()) {
				model_boot_step(step);
				syscore_resume();
			}
			model_set_state(RUNNING);
			model_set_irqs_off(0);
		}
		thaw_secondary_cpus();
		dpm_resume(noirq_up);
	}
	dpm_resume(early);
	return error;
}

static int create_image(void)
{
	return with_cpus_down(FREEZE_LATE, FREEZE_NOIRQ, "image", THAW_EARLY, THAW_NOIRQ);
}

int hibernation_snapshot(int platform_mode)
{
	int error = dpm_suspend(PREPARE);

	if (!error)
		error = dpm_suspend(FREEZE);
	if (!error)
		error = create_image();
	dpm_resume(THAW);
	dpm_resume(COMPLETE);
	return error;
}

int hibernate(void)
{
	int error = pm_notifier_call_chain_robust(PM_HIBERNATION_PREPARE, PM_POST_HIBERNATION);

	if (error)
		return error;
	cpu_hotplug_disable();
	error = hibernation_snapshot(0);
	cpu_hotplug_enable();
	pm_notifier_call_chain(PM_POST_HIBERNATION);
	return error;
}

/*
 * What the kernel of the image does when it finds itself restored: it goes on where its
 * image was taken, and its devices are restored instead of thawed.
 */
void model_entry_restored(void)
{
	thaw_secondary_cpus();
	dpm_resume(RESTORE_NOIRQ);
	dpm_resume(RESTORE_EARLY);
	dpm_resume(RESTORE);
	dpm_resume(COMPLETE);
	pm_notifier_call_chain(PM_POST_HIBERNATION);
}
