// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Chains of notifiers: reboot, power management, CPU power management, panic, and those
 * of drivers. Facts from kernel/notifier.c, reboot.c, cpu_pm.c and power/main.c.
 *
 * A chain is known by the address of its head; its lock is the head's first member.
 */

#define STOP_BIT 0x8000
#define CPU_PM_ENTER 0
#define CPU_PM_ENTER_FAILED 1
#define CPU_PM_EXIT 2

typedef int (*notifier_fn)(void *block, unsigned long action, void *data);

void down_read(void *sem);
void up_read(void *sem);
void down_write(void *sem);
void up_write(void *sem);
void rcu_read_lock(void);
void rcu_read_unlock(void);
void synchronize_rcu(void);

static unsigned long reboot_notifier_list[16];
static unsigned long pm_chain_head[16];
static unsigned long restart_handler_list[16];
static unsigned long cpu_pm_chain[2];
static unsigned long cpu_pm_lock[16];
static unsigned long die_chain[16];
unsigned long panic_notifier_list[16];

static inline int errno_of(int ret) { return ret & 0x7fff ? 1 - (ret & 0x7fff) : 0; }

static int notifier_call_chain(void *head, unsigned long action, void *data, int most, int *called)
{
	void *block;
	int ret = 0;

	for (int i = 0; i != most && (block = model_chain_at(head, i)) != NULL; i++) {
		ret = ((notifier_fn)model_chain_function(block))(block, action, data);
		if (called)
			*called += 1;
		if (ret & STOP_BIT)
			break;
	}
	return ret;
}

/* Those that were called before the one that refused hear that it came to nothing. */
static int notifier_call_chain_robust(void *head, unsigned long up, unsigned long down, void *data)
{
	int called = 0;
	int ret = notifier_call_chain(head, up, data, -1, &called);

	if (ret & STOP_BIT)
		notifier_call_chain(head, down, data, called - 1, NULL);
	return ret;
}

/* blocking */

int blocking_notifier_chain_register(void *head, void *block)
{
	int ret;

	if (!model_system_state())
		return model_chain_add(head, block);
	down_write(head);
	ret = model_chain_add(head, block);
	up_write(head);
	return ret;
}

int blocking_notifier_chain_unregister(void *head, void *block)
{
	int ret;

	if (!model_system_state())
		return model_chain_drop(head, block);
	down_write(head);
	ret = model_chain_drop(head, block);
	up_write(head);
	return ret;
}

int blocking_notifier_call_chain(void *head, unsigned long action, void *data)
{
	int ret = 0;

	if (!model_chain_at(head, 0))
		return 0;
	down_read(head);
	ret = notifier_call_chain(head, action, data, -1, NULL);
	up_read(head);
	return ret;
}

int blocking_notifier_call_chain_robust(void *head, unsigned long up, unsigned long down, void *data)
{
	int ret = 0;

	if (!model_chain_at(head, 0))
		return 0;
	down_read(head);
	ret = notifier_call_chain_robust(head, up, down, data);
	up_read(head);
	return ret;
}

/* atomic */

int atomic_notifier_chain_register(void *head, void *block)
{
	unsigned long flags = lock_irqsave(head);
	int ret = model_chain_add(head, block);

	unlock_irqrestore(head, flags);
	return ret;
}

int atomic_notifier_chain_unregister(void *head, void *block)
{
	unsigned long flags = lock_irqsave(head);
	int ret = model_chain_drop(head, block);

	unlock_irqrestore(head, flags);
	synchronize_rcu();
	return ret;
}

int atomic_notifier_call_chain(void *head, unsigned long action, void *data)
{
	int ret;

	rcu_read_lock();
	ret = notifier_call_chain(head, action, data, -1, NULL);
	rcu_read_unlock();
	return ret;
}

/* raw and sleepable: the callers of the first lock */

int raw_notifier_chain_register(void *head, void *block) { return model_chain_add(head, block); }
int raw_notifier_chain_unregister(void *head, void *block) { return model_chain_drop(head, block); }
int raw_notifier_call_chain(void *head, unsigned long action, void *data) { return notifier_call_chain(head, action, data, -1, NULL); }

int raw_notifier_call_chain_robust(void *head, unsigned long up, unsigned long down, void *data)
{
	return notifier_call_chain_robust(head, up, down, data);
}

int srcu_notifier_chain_register(void *head, void *block)
{
	int ret;

	mutex_lock(head);
	ret = model_chain_add(head, block);
	mutex_unlock(head);
	return ret;
}

int srcu_notifier_chain_unregister(void *head, void *block)
{
	int ret;

	mutex_lock(head);
	ret = model_chain_drop(head, block);
	mutex_unlock(head);
	return ret;
}

int srcu_notifier_call_chain(void *head, unsigned long action, void *data)
{
	return notifier_call_chain(head, action, data, -1, NULL);
}

/* the kernel's own chains */

int register_reboot_notifier(void *block) { return blocking_notifier_chain_register(reboot_notifier_list, block); }
int unregister_reboot_notifier(void *block) { return blocking_notifier_chain_unregister(reboot_notifier_list, block); }
inline int model_reboot_chain(unsigned long action, void *data) { return blocking_notifier_call_chain(reboot_notifier_list, action, data); }

int register_restart_handler(void *block) { return atomic_notifier_chain_register(restart_handler_list, block); }
int unregister_restart_handler(void *block) { return atomic_notifier_chain_unregister(restart_handler_list, block); }

int register_pm_notifier(void *block) { return blocking_notifier_chain_register(pm_chain_head, block); }
int unregister_pm_notifier(void *block) { return blocking_notifier_chain_unregister(pm_chain_head, block); }
int pm_notifier_call_chain_robust(unsigned long up, unsigned long down)
{
	return errno_of(blocking_notifier_call_chain_robust(pm_chain_head, up, down, NULL));
}

int pm_notifier_call_chain(unsigned long action)
{
	return errno_of(blocking_notifier_call_chain(pm_chain_head, action, NULL));
}

int register_die_notifier(void *block) { return atomic_notifier_chain_register(die_chain, block); }
int unregister_die_notifier(void *block) { return atomic_notifier_chain_unregister(die_chain, block); }

/* CPU power management: in the idle task, interrupts off */

int cpu_pm_register_notifier(void *block)
{
	unsigned long flags = _raw_spin_lock_irqsave(cpu_pm_lock);
	int ret = raw_notifier_chain_register(cpu_pm_chain, block);

	_raw_spin_unlock_irqrestore(cpu_pm_lock, flags);
	return ret;
}

int cpu_pm_unregister_notifier(void *block)
{
	unsigned long flags = _raw_spin_lock_irqsave(cpu_pm_lock);
	int ret = raw_notifier_chain_unregister(cpu_pm_chain, block);

	_raw_spin_unlock_irqrestore(cpu_pm_lock, flags);
	if (!ret)
		synchronize_rcu();
	return ret;
}

static int cpu_pm_notify(unsigned long action)
{
	int ret;

	rcu_read_lock();
	ret = raw_notifier_call_chain(cpu_pm_chain, action, NULL);
	rcu_read_unlock();
	return errno_of(ret);
}

static int cpu_pm_notify_robust(unsigned long up, unsigned long down)
{
	unsigned long flags = _raw_spin_lock_irqsave(cpu_pm_lock);
	int ret = raw_notifier_call_chain_robust(cpu_pm_chain, up, down, NULL);

	_raw_spin_unlock_irqrestore(cpu_pm_lock, flags);
	return errno_of(ret);
}

int cpu_pm_enter(void) { return cpu_pm_notify_robust(CPU_PM_ENTER, CPU_PM_ENTER_FAILED); }
int cpu_pm_exit(void) { return cpu_pm_notify(CPU_PM_EXIT); }
