// SPDX-License-Identifier: GPL-2.0-or-later
int up(unsigned int cpu) { probe("up", cpu); return answer("up", cpu); }
int down(unsigned int cpu) { probe("down", cpu); return answer("down", cpu); }
int up2(unsigned int cpu) { probe("up2", cpu); return answer("up2", cpu); }
int down2(unsigned int cpu) { probe("down2", cpu); return answer("down2", cpu); }
int later_up(unsigned int cpu) { probe("later up", cpu); return answer("later up", cpu); }
int later_down(unsigned int cpu) { probe("later down", cpu); return answer("later down", cpu); }
int node_up(unsigned int cpu, void *n) { probe(n, cpu); return answer(n, cpu); }
int node_down(unsigned int cpu, void *n) { probe("undo", cpu); probe(n, cpu); return 0; }
int reg(int state, int calls) { return __cpuhp_setup_state(state, "t:one", calls, up, down, 0); }
int reg2(int state, int calls) { return __cpuhp_setup_state(state, "t:two", calls, up2, down2, 0); }
int starting(void) { return reg(CPUHP_T_STARTING, 0); }
int starting_calls(void) { return reg(CPUHP_T_STARTING, 1); }
int online(void) { return reg(CPUHP_AP_ONLINE_DYN, 1); }
int online_nocalls(void) { return reg(CPUHP_AP_ONLINE_DYN, 0); }
int online2(void) { return reg2(CPUHP_AP_ONLINE_DYN, 1); }
int last(void)
{
    return __cpuhp_setup_state(CPUHP_T_LAST, "t:last", 0, later_up, later_down, 0);
}
int prepare(void) { return reg(CPUHP_BP_PREPARE_DYN, 0); }
int prepare2(void) { return reg2(CPUHP_BP_PREPARE_DYN, 0); }
void unreg(int state, int calls) { __cpuhp_remove_state(state, calls); }
int multi(void)
{
    return __cpuhp_setup_state(CPUHP_T_ONLINE, "t:many", 1, (cb)node_up, (cb)node_down, 1);
}
int add(void *node) { return __cpuhp_state_add_instance(CPUHP_T_ONLINE, node, 1); }
int add_a(void) { return add("a"); }
int add_b(void) { return add("b"); }
int bad(void) { return reg(CPUHP_ONLINE, 0); }
int unnamed(void) { return __cpuhp_setup_state(CPUHP_T_STARTING, 0, 0, up, down, 0); }
int removed_inside(unsigned int cpu)
{
    __cpuhp_remove_state(CPUHP_AP_ONLINE_DYN, 0);
    return 0;
}
int deadlock(void)
{
    return __cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "t:self", 0, removed_inside, 0, 0);
}
int starting_state(void) { return CPUHP_T_STARTING; }
int offline_state(void) { return CPUHP_OFFLINE; }
int online_state(void) { return CPUHP_ONLINE; }
