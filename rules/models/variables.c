// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Variables of the kernel core that header functions read, and their values on a
 * machine that has just been started: CPU 0 is there, the others are possible.
 * Facts from kernel/cpu.c, mm/percpu.c, lib/cpumask.c and arch/arm64.
 */

#define NR_CPUS 512
#define LONGS 8

struct model_cpumask {
	unsigned long bits[LONGS];
};

unsigned int nr_cpu_ids;
unsigned long __per_cpu_offset[NR_CPUS];
struct model_cpumask __cpu_possible_mask;
struct model_cpumask __cpu_present_mask;
struct model_cpumask __cpu_online_mask;
struct model_cpumask __cpu_active_mask;
struct model_cpumask __cpu_enabled_mask;
struct model_cpumask __cpu_dying_mask;
struct model_cpumask cpus_booted_once_mask;
unsigned int __num_online_cpus;
unsigned long cpu_all_bits[LONGS];
unsigned long cpu_bit_bitmap[65][LONGS];
unsigned long node_to_cpumask_map[16][LONGS];
unsigned long node_states[6];
unsigned long system_cpucaps[2];
u64 __cpu_logical_map[NR_CPUS];
unsigned int __boot_cpu_mode[2] = { 0xe11, 0xe11 }; /* started in EL1 */
int kvm_protected_mode_initialized[4];
u64 elfcorehdr_addr;
int xen_domain_type;
int acpi_disabled;
bool arm64_use_ng_mappings;
bool kexec_in_progress;
u64 phys_initrd_start;
unsigned long phys_initrd_size;

extern int cpu_number;
extern int numa_node;
extern unsigned long this_cpu_off;

static inline void set_cpu(struct model_cpumask *mask, int cpu)
{
	mask->bits[cpu / 64] |= 1ul << cpu % 64;
}

static inline int *of_cpu(int *variable, int cpu)
{
	return (int *)((char *)variable + model_percpu_offset(cpu));
}

#ifdef MODEL_X86_64
void model_x86_boot(void);
#endif

u64 cpu_logical_map(unsigned int cpu) { return __cpu_logical_map[cpu]; }

void model_boot(void)
{
	int cpus = model_cpus();

	nr_cpu_ids = (unsigned int)cpus;
	elfcorehdr_addr = ~0ull;
	acpi_disabled = 1;
	for (int cpu = 0; cpu < NR_CPUS && cpu < cpus; cpu++) {
		__per_cpu_offset[cpu] = model_percpu_offset(cpu);
		*of_cpu(&cpu_number, cpu) = cpu;
		*(unsigned long *)of_cpu((int *)&this_cpu_off, cpu) = model_percpu_offset(cpu);
		__cpu_logical_map[cpu] = (u64)cpu;
		set_cpu(&__cpu_possible_mask, cpu);
		set_cpu(&__cpu_present_mask, cpu);
		set_cpu(&__cpu_enabled_mask, cpu);
		node_to_cpumask_map[0][cpu / 64] |= 1ul << cpu % 64;
	}
	for (int word = 0; word < LONGS; word++)
		cpu_all_bits[word] = ~0ul;
	for (int bit = 0; bit < 64; bit++)
		cpu_bit_bitmap[bit + 1][0] = 1ul << bit;
	for (int state = 0; state < 6; state++)
		node_states[state] = 1;
	set_cpu(&__cpu_online_mask, 0);
	set_cpu(&__cpu_active_mask, 0);
	set_cpu(&cpus_booted_once_mask, 0);
	__num_online_cpus = 1;
	model_boot_memory();
#ifdef MODEL_X86_64
	model_x86_boot();
#endif
}
