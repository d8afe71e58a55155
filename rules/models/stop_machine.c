// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Stopping CPUs. Facts from kernel/stop_machine.c.
 *
 * Every online CPU's stopper comes to the same place, all switch interrupts off, and
 * then those that are meant run the function. A phase begins when all have come.
 */

#define MOST_CPUS 512
#define PREPARED 1
#define IRQS_ARE_OFF 2
#define RAN 3
#define LAST_PHASE 3

typedef int (*stop_fn)(void *);

struct stop_all {
	stop_fn fn;
	void *data;
	const void *active;
	int threads;
	int arrived;
	int phase_done[LAST_PHASE + 1];
};

struct stop_work {
	stop_fn fn;
	void *arg;
	int *pending;
	int result;
	int done;
};

static struct model_thread stoppers[MOST_CPUS];
static struct stop_work *queue[MOST_CPUS][8];
static unsigned char enabled[MOST_CPUS];
static unsigned long stop_cpus_mutex[16];
static bool initialised;

/* The last one to arrive lets all of them go on. */
static inline void arrive(struct stop_all *all, int phase)
{
	if (model_count(&all->arrived, 1) % all->threads == 0)
		model_kick(&all->phase_done[phase], 1);
	model_spin_word(&all->phase_done[phase], 1, "all CPUs to come to a stop");
}

static int multi_cpu_stop(void *data)
{
	struct stop_all *all = data;
	int were_off = model_irqs_off();
	int cpu = model_cpu();
	bool active;
	int err = 0;

	if (all->active) {
		active = model_mask_has(all->active, cpu);
	} else {
		int first = 0;

		while (!model_online(first))
			first++;
		active = cpu == first;
	}
	arrive(all, PREPARED);
	model_set_irqs_off(1);
	arrive(all, IRQS_ARE_OFF);
	if (active)
		err = all->fn(all->data);
	arrive(all, RAN);
	model_set_irqs_off(were_off);
	return err;
}

static void cpu_stopper_thread(unsigned int cpu)
{
	struct stop_work *work = queue[cpu][0];
	int ret;

	if (!work) {
		stoppers[cpu].kick = 0;
		return;
	}
	for (int i = 0; i < 7; i++)
		queue[cpu][i] = queue[cpu][i + 1];
	model_preempt_add(1);
	ret = work->fn(work->arg);
	if (ret)
		work->result = ret;
	if (work->pending && !model_count(work->pending, -1))
		model_kick(&work->done, 1);
	model_preempt_add(-1);
	if (!queue[cpu][0])
		stoppers[cpu].kick = 0;
	if (model_preempt_count())
		model_warn_at("kernel/stop_machine.c", 520, 1);
	/* The stopper of a CPU that has left parks itself. */
	if (!model_online((int)cpu))
		enabled[cpu] = 0;
}

static inline bool queue_work_on_stopper(int cpu, struct stop_work *work)
{
	int i = 0;

	if (!enabled[cpu])
		return false;
	while (queue[cpu][i])
		i++;
	queue[cpu][i] = work;
	model_kick(&stoppers[cpu].kick, 1);
	return true;
}

static inline void wait_for_stop(struct stop_work *work)
{
	while (!work->done) {
		model_wait_done(&work->done, "the stopped CPUs");
		schedule();
	}
	model_observe(&work->done);
}

int stop_one_cpu(unsigned int cpu, stop_fn fn, void *arg)
{
	int pending = 1;
	struct stop_work work = { fn, arg, &pending, 0, 0 };

	if (!queue_work_on_stopper((int)cpu, &work))
		return -2;
	wait_for_stop(&work);
	return work.result;
}

static int stop_cpus(stop_fn fn, void *arg)
{
	int pending = 0;
	struct stop_work work = { fn, arg, &pending, 0, 0 };

	mutex_lock(stop_cpus_mutex);
	model_preempt_add(1);
	for (int cpu = 0; cpu < model_cpus(); cpu++)
		if (model_online(cpu) && enabled[cpu])
			pending++;
	for (int cpu = 0; cpu < model_cpus(); cpu++)
		if (model_online(cpu))
			queue_work_on_stopper(cpu, &work);
	model_preempt_add(-1);
	wait_for_stop(&work);
	mutex_unlock(stop_cpus_mutex);
	return work.result;
}

int stop_machine_cpuslocked(stop_fn fn, void *data, const void *cpus)
{
	struct stop_all all = { fn, data, cpus, 0, 0, { 0 } };

	if (!initialised) {
		int were_off = model_set_irqs_off(1);
		int ret = fn(data);

		model_set_irqs_off(were_off);
		return ret;
	}
	all.threads = model_num_online();
	return stop_cpus(multi_cpu_stop, &all);
}

int stop_machine(stop_fn fn, void *data, const void *cpus)
{
	int ret;

	cpus_read_lock();
	ret = stop_machine_cpuslocked(fn, data, cpus);
	cpus_read_unlock();
	return ret;
}

void model_start_stopper(int cpu)
{
	if (!stoppers[cpu].task)
		model_start_thread(&stoppers[cpu], "migration/%u", cpu, cpu_stopper_thread, STOPPER);
	enabled[cpu] = 1;
}

void model_stop_machine_init(void)
{
	model_start_stopper(0);
	initialised = true;
}
