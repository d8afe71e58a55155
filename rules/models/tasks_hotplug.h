/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of CPU hotplug share. The numbers are those of 6.12, for programs that
 * name no state.
 */

#define HP_OFFLINE (model_enumerator("CPUHP_OFFLINE", 0))
#define HP_PREPARE_DYN (model_enumerator("CPUHP_BP_PREPARE_DYN", 64))
#define HP_PREPARE_DYN_END (model_enumerator("CPUHP_BP_PREPARE_DYN_END", 84))
#define HP_BRINGUP_CPU (model_enumerator("CPUHP_BRINGUP_CPU", 86))
#define HP_IDLE_DEAD (model_enumerator("CPUHP_AP_IDLE_DEAD", 87))
#define HP_AP_OFFLINE (model_enumerator("CPUHP_AP_OFFLINE", 88))
#define HP_AP_ONLINE (model_enumerator("CPUHP_AP_ONLINE", 144))
#define HP_TEARDOWN_CPU (model_enumerator("CPUHP_TEARDOWN_CPU", 145))
#define HP_ONLINE_IDLE (model_enumerator("CPUHP_AP_ONLINE_IDLE", 146))
#define HP_ONLINE_DYN (model_enumerator("CPUHP_AP_ONLINE_DYN", 192))
#define HP_ONLINE_DYN_END (model_enumerator("CPUHP_AP_ONLINE_DYN_END", 232))
#define HP_ACTIVE (model_enumerator("CPUHP_AP_ACTIVE", 235))
#define HP_ONLINE (model_enumerator("CPUHP_ONLINE", 236))

static inline bool section_is_ap(int state) { return state > HP_BRINGUP_CPU && state != HP_TEARDOWN_CPU; }

extern unsigned long cpu_add_remove_lock[16];
extern int cpu_hotplug_disabled;
int cpuhp_invoke_callback(unsigned int cpu, int state, bool bringup, void *node, void **resume);
int cpuhp_invoke_ap_callback(int cpu, int state, bool bringup, void *node);
int cpu_down_maps_locked(unsigned int cpu, int target);
int _cpu_up(unsigned int cpu, int tasks_frozen, int target);
int _cpu_down(unsigned int cpu, int tasks_frozen, int target);
int cpu_up(unsigned int cpu, int target);
void __cpu_hotplug_enable(void);
