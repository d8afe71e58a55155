// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Interrupts, and calls of functions on other CPUs. Facts from kernel/smp.c,
 * kernel/softirq.c, kernel/irq_work.c and arch/arm64/kernel/entry-common.c; the frames
 * are those of recorded call traces on arm64 with a GICv3.
 */

#define MOST_CPUS 512

typedef void (*call_fn)(void *info);

void hrtimer_interrupt(void);
void model_softirqs_at_exit(void);
void model_irq_work_ipi(void *work);

static inline bool in_task(void) { return !(model_preempt_count() & 0xffff00 & ~0xfe00); }

/* the interrupt's way in */

#define CALLS 0
#define DEVICE 1
#define TIMER 2
#define IRQ_WORK 3
#define STOP 4

struct model_interrupt {
	int what;
	int irq;
	void *fn;
	void *data;
	int *done;
};


static void __flush_smp_call_function_queue(struct model_interrupt *interrupt)
{
	if (interrupt->what == IRQ_WORK) {
		model_irq_work_ipi(interrupt->data);
		return;
	}
	((call_fn)interrupt->fn)(interrupt->data);
	if (interrupt->done)
		model_count(interrupt->done, -1);
}

static void generic_smp_call_function_single_interrupt(struct model_interrupt *interrupt)
{
	__flush_smp_call_function_queue(interrupt);
}

/* An irq_work of the CPU itself has a list of its own. */
static void irq_work_run_list(struct model_interrupt *interrupt) { model_irq_work_ipi(interrupt->data); }
static void irq_work_run(struct model_interrupt *interrupt) { irq_work_run_list(interrupt); }

static void ipi_handler(struct model_interrupt *interrupt)
{
	if (interrupt->what == IRQ_WORK && interrupt->irq)
		irq_work_run(interrupt);
	else if (interrupt->what == STOP)
		((call_fn)interrupt->fn)(interrupt->data);
	else
		generic_smp_call_function_single_interrupt(interrupt);
}

static void arch_timer_handler_virt(void) { hrtimer_interrupt(); }

static void handle_percpu_devid_irq(struct model_interrupt *interrupt)
{
	if (interrupt->what == TIMER)
		arch_timer_handler_virt();
	else
		ipi_handler(interrupt);
}

static void __handle_irq_event_percpu(struct model_interrupt *interrupt)
{
	((int (*)(int, void *))interrupt->fn)(interrupt->irq, interrupt->data);
}

static void handle_irq_event(struct model_interrupt *interrupt) { __handle_irq_event_percpu(interrupt); }
static void handle_fasteoi_irq(struct model_interrupt *interrupt) { handle_irq_event(interrupt); }

static void handle_irq_desc(struct model_interrupt *interrupt)
{
	if (interrupt->what == DEVICE)
		handle_fasteoi_irq(interrupt);
	else
		handle_percpu_devid_irq(interrupt);
}

static void generic_handle_domain_irq(struct model_interrupt *interrupt) { handle_irq_desc(interrupt); }
static void gic_handle_irq(struct model_interrupt *interrupt) { generic_handle_domain_irq(interrupt); }
static void call_on_irq_stack(struct model_interrupt *interrupt) { gic_handle_irq(interrupt); }
static void do_interrupt_handler(struct model_interrupt *interrupt) { call_on_irq_stack(interrupt); }

static void irq_exit_rcu(void)
{
	model_irq_exit();
	if (in_task() && model_softirqs())
		model_softirqs_at_exit();
}

static void el1_interrupt(struct model_interrupt *interrupt)
{
	model_irq_enter();
	do_interrupt_handler(interrupt);
	irq_exit_rcu();
}

static void el1h_64_irq_handler(struct model_interrupt *interrupt) { el1_interrupt(interrupt); }
static void el1h_64_irq(struct model_interrupt *interrupt) { el1h_64_irq_handler(interrupt); }

inline void model_entry_interrupt(int what, int irq, void *fn, void *data, int *done)
{
	struct model_interrupt interrupt = { what, irq, fn, data, done };

	el1h_64_irq(&interrupt);
}

/* calls */

static inline void check_caller(int line)
{
	if (!in_task())
		model_warn_at("kernel/smp.c", line, 1);
}

/* On this CPU the function runs at once, with interrupts off. */
static void generic_exec_single(int cpu, call_fn fn, void *info, int *left)
{
	if (cpu == model_cpu()) {
		int were_off = model_set_irqs_off(1);

		fn(info);
		if (left)
			*left -= 1;
		model_set_irqs_off(were_off);
		return;
	}
	model_ipi(cpu, (void *)fn, info, left);
}

static inline void wait_for_calls(int *left)
{
	model_spin_word(left, 0, "function calls on other CPUs");
}

int smp_call_function_single(int cpu, call_fn fn, void *info, int wait)
{
	int left = 1;

	model_preempt_add(1);
	if (model_online(model_cpu()) && model_irqs_off() && !model_oops_in_progress())
		model_warn_at("kernel/smp.c", 652, 1);
	check_caller(661);
	if (cpu != model_cpu() && (cpu >= model_cpus() || !model_online(cpu))) {
		model_preempt_add(-1);
		return -ENXIO;
	}
	generic_exec_single(cpu, fn, info, wait ? &left : NULL);
	if (wait)
		wait_for_calls(&left);
	model_preempt_add(-1);
	return 0;
}

static void smp_call_function_many_cond(const void *mask, call_fn fn, void *info, bool wait, bool local,
					bool (*cond)(int cpu, void *info))
{
	int self = model_cpu();
	int left = 0;

	check_caller(815);
	for (int cpu = 0; cpu < model_cpus(); cpu++) {
		if (cpu == self || !model_online(cpu) || !model_mask_has(mask, cpu) || (cond && !cond(cpu, info)))
			continue;
		left += 1;
		model_ipi(cpu, (void *)fn, info, wait ? &left : NULL);
	}
	if (local && model_mask_has(mask, self) && (!cond || cond(self, info))) {
		int were_off = model_set_irqs_off(1);

		fn(info);
		model_set_irqs_off(were_off);
	}
	if (wait)
		wait_for_calls(&left);
}

void smp_call_function_many(const void *mask, call_fn fn, void *info, bool wait)
{
	smp_call_function_many_cond(mask, fn, info, wait, false, NULL);
}

void smp_call_function(call_fn fn, void *info, int wait)
{
	model_preempt_add(1);
	smp_call_function_many(NULL, fn, info, wait);
	model_preempt_add(-1);
}

void on_each_cpu_cond_mask(bool (*cond)(int cpu, void *info), call_fn fn, void *info, bool wait, const void *mask)
{
	model_preempt_add(1);
	smp_call_function_many_cond(mask, fn, info, wait, true, cond);
	model_preempt_add(-1);
}

int smp_call_function_any(const void *mask, call_fn fn, void *info, int wait)
{
	int cpu = model_cpu();

	if (!model_mask_has(mask, cpu))
		for (cpu = 0; cpu < model_cpus() && !(model_online(cpu) && model_mask_has(mask, cpu)); cpu++)
			;
	return smp_call_function_single(cpu, fn, info, wait);
}

/* for programs without the kernel's headers */
inline void on_each_cpu(call_fn fn, void *info, int wait) { on_each_cpu_cond_mask(NULL, fn, info, wait, NULL); }
inline void on_each_cpu_mask(const void *mask, call_fn fn, void *info, bool wait) { on_each_cpu_cond_mask(NULL, fn, info, wait, mask); }
