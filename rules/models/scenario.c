// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What scenarios call themselves: a state of CPU hotplug that does nothing.
 */

int __cpuhp_setup_state(int state, const char *name, bool invoke, void *startup, void *teardown, bool multi);

static int nothing(unsigned int cpu) { return 0; }

int model_entry_register(int state, const char *name)
{
	return __cpuhp_setup_state(state, name, false, (void *)nothing, (void *)nothing, false);
}
