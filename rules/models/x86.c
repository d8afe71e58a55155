// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * CPUs of an x86 machine: how they are started and handed back to the firmware, NMIs,
 * and how all others are stopped. Facts from arch/x86/kernel/smpboot.c, smp.c, nmi.c,
 * reboot.c, crash.c, process.c, apic/, mm/ident_map.c and include/asm/smp.h.
 *
 * A hook of smp_ops that nobody has set does what the kernel's own table would do.
 */
#ifdef MODEL_X86_64

#define NMI_LOCAL 0
#define NMI_FLAG_FIRST 1
#define MOST_HANDLERS 8
#define TRAMPOLINE 0x9a000ul
#define PRESENT 1ul
#define LARGE 0x80ul
#define ADDRESS 0x000ffffffffff000ul
#define LARGE_PAGE 0x200000ul
#define GIB 0x40000000ul
#define SMP_OPS "struct smp_ops"

typedef int (*nmi_handler_t)(unsigned int type, void *regs);

typedef int (*wakeup_fn)(u32 apicid, unsigned long start);

/* struct nmiaction begins like this */
struct model_nmiaction {
	void *next, *prev;
	nmi_handler_t handler;
	u64 max_duration;
	unsigned long flags;
	const char *name;
};

/* struct x86_mapping_info */
struct model_mapping_info {
	void *(*alloc_pgt_page)(void *);
	void (*free_pgt_page)(void *, void *);
	void *context;
	unsigned long page_flag;
	unsigned long offset;
	bool direct_gbpages;
	unsigned long kernpg_flag;
};

unsigned long smp_ops[64];
unsigned long x86_apic[128];
unsigned long __x86_apic_override[128];
unsigned long __SCK__apic_call_wakeup_secondary_cpu_64[4];
void *apic;
int nr_pfn_mapped;
u64 pfn_mapped[8][2];
unsigned long sme_me_mask;
unsigned long __default_kernel_pte_mask;
u64 __supported_pte_mask;
unsigned long nmi_desc_lock[8];

/* four levels of page tables */
unsigned int pgdir_shift = 39;
unsigned int ptrs_per_p4d = 1;
u64 physical_mask = 0x000ffffffffffffful;

extern u32 x86_cpu_to_apicid;

static nmi_handler_t emergency_handler;
static struct model_nmiaction *handlers[MOST_HANDLERS];

static void (*shootdown_callback)(int cpu, void *regs);
static int crashing_cpu = -1;
static int waiting_for_crash_ipi;
static int crash_ipi_issued;
static int cpus_stopped;
static int stopping_cpu = -1;


inline void model_x86_boot(void)
{
	apic = x86_apic;
	nr_pfn_mapped = 1;
	pfn_mapped[0][0] = 0;
	pfn_mapped[0][1] = GIB >> 12;
	__default_kernel_pte_mask = ~0ul;
	__supported_pte_mask = ~0ull;
	for (int cpu = 0; cpu < model_cpus(); cpu++)
		*(u32 *)((char *)&x86_cpu_to_apicid + model_percpu_offset(cpu)) = (u32)cpu;
}

/* The side of a static branch that a plain machine takes: none of the features asked for. */
inline bool _static_cpu_has(u16 bit) { return false; }
inline void __static_call_update(void *key, void *tramp, void *func) { *(void **)key = func; }
inline void acpi_table_print_madt_entry(void *header) { }

/* starting a CPU */

static int do_boot_cpu(u32 apicid, int cpu)
{
	wakeup_fn wakeup = (wakeup_fn)model_member_of("x86_apic", "struct apic", "wakeup_secondary_cpu_64");

	if (wakeup)
		return wakeup(apicid, TRAMPOLINE);
	model_hp_start(cpu);
	return 0;
}

int native_kick_ap(unsigned int cpu)
{
	u32 apicid = *(u32 *)((char *)&x86_cpu_to_apicid + model_percpu_offset(cpu));
	int err = do_boot_cpu(apicid, cpu);

	if (err)
		model_log("do_boot_cpu failed(%ld) to wakeup CPU#%lu", err, cpu, 0);
	return err;
}

/* a CPU's end */

void play_dead_common(void)
{
	/* That it is dead has been told by whoever called: see do_idle(). */
	model_set_irqs_off(1);
}

static void native_play_dead(void)
{
	play_dead_common();
	model_cpu_stops();
}

void arch_cpu_idle_dead(void)
{
	if (model_call_member("smp_ops", SMP_OPS, "play_dead", 0))
		model_panic("control comes back to a CPU that is dead");
	native_play_dead();
}

void asm_acpi_mp_play_dead(u64 reset_vector, u64 pgd_pa)
{
	model_reset_vector(reset_vector, pgd_pa, (void *)asm_acpi_mp_play_dead);
}

static inline _Noreturn void halt_for_good(void) { model_cpu_stops(); }

static inline void leave(const char *file_and_line)
{
	if (model_call_member("smp_ops", SMP_OPS, "stop_this_cpu", 0))
		model_panic(file_and_line);
	halt_for_good();
}

void stop_this_cpu(void *dummy)
{
	model_set_irqs_off(1);
	model_set_online(model_cpu(), 0);
	leave("kernel BUG at arch/x86/kernel/process.c:853!");
}

/* NMIs */

int __register_nmi_handler(unsigned int type, struct model_nmiaction *action)
{
	unsigned long flags;
	int end;

	if (!action->handler || model_fail("nmi")) {
		model_warn_at("arch/x86/kernel/nmi.c", 188, 1);
		return -EINVAL;
	}
	flags = model_set_irqs_off(1);
	model_preempt_add(1);
	model_spin_lock(nmi_desc_lock, EXCLUSIVE, (int)flags);
	for (end = 0; end < MOST_HANDLERS - 1 && handlers[end]; end++)
		;
	if (action->flags & NMI_FLAG_FIRST) {
		for (; end > 0; end--)
			handlers[end] = handlers[end - 1];
	}
	handlers[end] = action;
	model_unlock(nmi_desc_lock, EXCLUSIVE);
	model_preempt_add(-1);
	model_set_irqs_off(flags != 0);
	return 0;
}

void set_emergency_nmi_handler(unsigned int type, nmi_handler_t handler)
{
	if (emergency_handler == handler)
		model_warn_at("arch/x86/kernel/nmi.c", 258, 1);
	emergency_handler = handler;
}

static void nmi_handle(void)
{
	if (emergency_handler) {
		emergency_handler(NMI_LOCAL, NULL);
		return;
	}
	for (int i = 0; i < MOST_HANDLERS && handlers[i]; i++)
		handlers[i]->handler(NMI_LOCAL, NULL);
}

static void default_do_nmi(void) { nmi_handle(); }
void exc_nmi(void *unused) { default_do_nmi(); }

inline void model_entry_nmi(void) { exc_nmi(NULL); }

static inline void nmi_all_but_self(void)
{
	for (int cpu = 0; cpu < model_cpus(); cpu++)
		if (cpu != model_cpu() && model_online(cpu))
			model_nmi(cpu, (void *)exc_nmi);
}

/* what drivers call in its place */
inline void apic_send_IPI_allbutself(unsigned int vector) { nmi_all_but_self(); }

/* stopping the others: reboot, halt, kexec */

static int smp_stop_nmi_callback(unsigned int type, void *regs)
{
	if (model_cpu() == stopping_cpu)
		return 1;
	stop_this_cpu(NULL);
	return 1;
}

static struct model_nmiaction smp_stop_action;

static void sysvec_reboot(void *info) { stop_this_cpu(NULL); }

static void native_stop_other_cpus(int wait)
{
	if (stopping_cpu != -1)
		return;
	stopping_cpu = model_cpu();
	for (int cpu = 0; cpu < model_cpus(); cpu++)
		if (cpu != model_cpu() && model_online(cpu))
			model_stop_ipi(cpu, (void *)sysvec_reboot);
	for (int us = 0; us < 1000000 && model_num_online() > 1; us += 100)
		model_advance(100);
	if (model_num_online() == 1)
		return;
	smp_stop_action.handler = smp_stop_nmi_callback;
	smp_stop_action.flags = NMI_FLAG_FIRST;
	if (!__register_nmi_handler(NMI_LOCAL, &smp_stop_action)) {
		model_log("Shutting down cpus with NMI", 0, 0, 0);
		nmi_all_but_self();
	}
	if (wait) {
		model_stopped_await();
		return;
	}
	for (int us = 0; us < 10000 && model_num_online() > 1; us += 100)
		model_advance(100);
}

void stop_other_cpus(int wait)
{
	if (!model_call_member("smp_ops", SMP_OPS, "stop_other_cpus", wait))
		native_stop_other_cpus(wait);
}

inline void smp_send_stop(void) { stop_other_cpus(0); }

void native_machine_shutdown(void)
{
	model_set_irqs_off(1);
	stop_other_cpus(1);
	model_boot_step("machine shutdown");
}

void machine_shutdown(void) { native_machine_shutdown(); }

/* stopping the others: crash */

static int crash_nmi_callback(unsigned int type, void *regs)
{
	int cpu = model_cpu();

	if (cpu == crashing_cpu)
		return 1;
	model_set_irqs_off(1);
	if (shootdown_callback)
		shootdown_callback(cpu, regs);
	model_count(&waiting_for_crash_ipi, -1);
	leave("kernel BUG at arch/x86/kernel/reboot.c:886!");
	return 1;
}

void nmi_shootdown_cpus(void (*callback)(int cpu, void *regs))
{
	int left = 1000;

	model_set_irqs_off(1);
	if (crash_ipi_issued) {
		model_warn_at("arch/x86/kernel/reboot.c", 920, 1);
		return;
	}
	crashing_cpu = model_cpu();
	shootdown_callback = callback;
	waiting_for_crash_ipi = model_num_online() - 1;
	set_emergency_nmi_handler(NMI_LOCAL, crash_nmi_callback);
	nmi_all_but_self();
	crash_ipi_issued = 1;
	while (waiting_for_crash_ipi > 0 && left--)
		model_advance(1000);
}

static void kdump_nmi_callback(int cpu, void *regs) { model_saved(cpu); }
static void kdump_nmi_shootdown_cpus(void) { nmi_shootdown_cpus(kdump_nmi_callback); }

void crash_smp_send_stop(void)
{
	if (cpus_stopped)
		return;
	if (!model_call_member("smp_ops", SMP_OPS, "crash_stop_other_cpus", 0))
		kdump_nmi_shootdown_cpus();
	cpus_stopped = 1;
}

void native_machine_crash_shutdown(void *regs)
{
	model_set_irqs_off(1);
	crash_smp_send_stop();
	model_saved(model_cpu());
}

/*
 * The map of memory at its own addresses. A level that does not exist comes from
 * the caller; four levels, large pages.
 */

static inline u64 *next_table(struct model_mapping_info *info, u64 *entry)
{
	u64 *table;

	if (*entry & PRESENT)
		return model_phys_to_virt(*entry & ADDRESS);
	table = info->alloc_pgt_page(info->context);
	if (table)
		*entry = model_virt_to_phys(table) | info->kernpg_flag | PRESENT;
	return table;
}

int kernel_ident_mapping_init(struct model_mapping_info *info, u64 *pgd, unsigned long start, unsigned long end)
{
	for (unsigned long at = start & -LARGE_PAGE; at < end; at += LARGE_PAGE) {
		u64 *pud = next_table(info, &pgd[at >> 39 & 511]);
		u64 *pmd = pud ? next_table(info, &pud[at >> 30 & 511]) : NULL;

		if (!pmd)
			return -12;
		if (!(pmd[at >> 21 & 511] & PRESENT))
			pmd[at >> 21 & 511] = at | info->page_flag | LARGE | PRESENT;
	}
	return 0;
}

static void free_level(struct model_mapping_info *info, u64 *table, int level)
{
	for (int i = 0; level && i < 512; i++)
		if ((table[i] & PRESENT) && !(table[i] & LARGE))
			free_level(info, model_phys_to_virt(table[i] & ADDRESS), level - 1);
	info->free_pgt_page(table, info->context);
}

void kernel_ident_mapping_free(struct model_mapping_info *info, u64 *pgd) { free_level(info, pgd, 3); }

#endif
