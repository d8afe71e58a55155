// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Per-CPU variables of the kernel core: each CPU has its copy of every variable of this
 * file. model_boot() gives them their values.
 */

int cpu_number;
int numa_node;
unsigned long this_cpu_off;

/* arch/arm64/kernel/sdei.c: declared there as well as defined */
unsigned long *sdei_stack_normal_ptr;
unsigned long *sdei_stack_critical_ptr;
u32 x86_cpu_to_apicid;
