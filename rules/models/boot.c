// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Start of the kernel, kernel threads and the threads of every CPU. Facts from
 * init/main.c, kernel/kthread.c and kernel/smpboot.c.
 *
 * A scenario hooks in by the names of the steps and of the initcall levels.
 */

#define BOOTED_SCHEDULING 1
#define BOOTED_FREEING_INITMEM 2
#define BOOTED_RUNNING 3

void model_cpuhp_boot(void);
void model_idle_loop(void);
void model_stop_machine_init(void);
void model_workqueue_init(void);
void cpuhp_threads_init(void);
void bringup_nonboot_cpus(unsigned int max_cpus);

unsigned int setup_max_cpus = 512;

/* threads */

static int kthread(int (*fn)(void *), void *data) { return fn(data); }
static int ret_from_fork(int (*fn)(void *), void *data, bool thread) { return thread ? kthread(fn, data) : fn(data); }
inline int model_entry_thread(int (*fn)(void *), void *data) { return ret_from_fork(fn, data, true); }

/* The first task is no kthread. */
inline int model_entry_first(int (*fn)(void *), void *data) { return ret_from_fork(fn, data, false); }

static int smpboot_thread_fn(void *data)
{
	struct model_thread *thread = data;

	for (;;) {
		model_rest(&thread->kick);
		thread->fn(thread->cpu);
	}
	return 0;
}

void model_start_thread(struct model_thread *thread, const char *comm, int cpu,
			void (*fn)(unsigned int cpu), int kind)
{
	thread->fn = fn;
	thread->cpu = (unsigned int)cpu;
	thread->kick = 0;
	thread->task = model_spawn(comm, cpu, (void *)smpboot_thread_fn, thread, kind);
}

/* initcalls */

int do_one_initcall(int (*fn)(void)) { return fn(); }

static inline void initcalls(const char *level)
{
	void *fn;

	model_boot_step(level);
	while ((fn = model_boot_next(level)) != NULL)
		do_one_initcall((int (*)(void))fn);
}

static inline void smp_init(void)
{
	cpuhp_threads_init();
	bringup_nonboot_cpus(setup_max_cpus);
	model_boot_step("smp");
}

static inline void kernel_init_freeable(void)
{
	model_boot_step("smp prepare");
	model_workqueue_init();
	model_stop_machine_init();
	initcalls("early");
	smp_init();
	initcalls("pure");
	initcalls("core");
	initcalls("postcore");
	initcalls("arch");
	initcalls("subsys");
	initcalls("fs");
	initcalls("device");
	initcalls("late");
}

static int kernel_init(void *unused)
{
	kernel_init_freeable();
	model_set_state(BOOTED_FREEING_INITMEM);
	model_set_state(BOOTED_RUNNING);
	model_boot_step("user");
	return 0;
}


static inline void rest_init(void)
{
	model_spawn("swapper/0", 0, (void *)kernel_init, NULL, FIRST);
	model_set_state(BOOTED_SCHEDULING);
	model_idle_loop();
}

void start_kernel(void)
{
	model_cpuhp_boot();
	model_boot_step("setup arch");
	model_boot_step("init irq");
	model_set_irqs_off(0);
	model_boot_step("init time");
	rest_init();
}

static void __primary_switched(void) { start_kernel(); }
inline void model_entry_boot(void) { __primary_switched(); }
