// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Per-CPU variables of the kernel core: each CPU has its copy of every variable of this
 * file. model_boot() gives them their values.
 */

int cpu_number;
int numa_node;
unsigned long this_cpu_off;
u32 x86_cpu_to_apicid;
