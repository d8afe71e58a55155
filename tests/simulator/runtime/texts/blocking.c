// SPDX-License-Identifier: GPL-2.0-or-later
typedef unsigned long ulong;
void mutex_lock(void *), mutex_unlock(void *);
#ifdef RT
void rt_spin_lock(void *), rt_spin_unlock(void *);
#define spin_lock rt_spin_lock
#define spin_unlock rt_spin_unlock
#else
void _raw_spin_lock(void *), _raw_spin_unlock(void *);
#define spin_lock _raw_spin_lock
#define spin_unlock _raw_spin_unlock
#endif
void cpus_read_lock(void), cpus_read_unlock(void);
unsigned long wait_for_completion_timeout(void *, ulong);
int remove_cpu(unsigned), add_cpu(unsigned);
void smp_shutdown_nonboot_cpus(unsigned);
void model_advance(ulong);
int model_set_irqs_off(int);
void model_preempt_add(int);
void model_rcu_add(int);
ulong lock[8], done[4];
void hold_spin(void) { spin_lock(lock); probe("held", 0); model_advance(300000); spin_unlock(lock); }
void hold_mutex(void) { mutex_lock(lock); probe("held", 0); model_advance(300000); mutex_unlock(lock); }
int op_spinc(unsigned int cpu) { spin_lock(lock); probe("in", cpu); spin_unlock(lock); return 0; }
int op_mutexc(unsigned int cpu) { mutex_lock(lock); probe("in", cpu); mutex_unlock(lock); return 0; }
int op_cpusread(unsigned int cpu) { cpus_read_lock(); probe("in", cpu); cpus_read_unlock(); return 0; }
int op_wfctmo(unsigned int cpu) { wait_for_completion_timeout(done, 5); probe("in", cpu); return 0; }
int state(int online) { return online ? CPUHP_AP_ONLINE_DYN : CPUHP_T_STARTING; }
int spinc(int online, int calls) { return __cpuhp_setup_state(state(online), "t", calls, op_spinc, 0, 0); }
int mutexc(int online, int calls) { return __cpuhp_setup_state(state(online), "t", calls, op_mutexc, 0, 0); }
int cpusread(int online, int calls) { return __cpuhp_setup_state(state(online), "t", calls, op_cpusread, 0, 0); }
int wfctmo(int online, int calls) { return __cpuhp_setup_state(state(online), "t", calls, op_wfctmo, 0, 0); }
int dying(void) { return __cpuhp_setup_state(CPUHP_T_STARTING2, "t", 0, 0, op_cpusread, 0); }
int prepare(void) { return __cpuhp_setup_state(CPUHP_BP_PREPARE_DYN, "t", 0, op_cpusread, 0, 0); }
int irqsoff_remcpu(void) { model_set_irqs_off(1); return remove_cpu(1); }
void irqsoff_shutnb(void) { model_set_irqs_off(1); smp_shutdown_nonboot_cpus(0); }
int preempt_remcpu(void) { model_preempt_add(1); return remove_cpu(1); }
int rcu_remcpu(void) { model_rcu_add(1); return remove_cpu(1); }
