// SPDX-License-Identifier: GPL-2.0-or-later
struct block { int (*fn)(struct block *, unsigned long, void *); struct block *next; int priority; };
struct syscore { void *next, *prev; int (*suspend)(void); void (*resume)(void), (*shutdown)(void); };
int register_reboot_notifier(struct block *);
int unregister_reboot_notifier(struct block *);
int register_pm_notifier(struct block *);
int cpu_pm_register_notifier(struct block *);
int cpu_pm_enter(void), cpu_pm_exit(void);
void register_syscore_ops(struct syscore *);
void *kthread_create_on_node(int (*)(void *), void *, int, const char *, ...);
int wake_up_process(void *), kthread_stop(void *);
_Bool kthread_should_stop(void);
void model_list_add(const char *, void *);
void msleep(unsigned);
int model_set_irqs_off(int);
void model_advance(unsigned long);
int up(unsigned int cpu) { probe("up", cpu); return 0; }
int down(unsigned int cpu) { probe("down", cpu); return 0; }
int reg(void) { return __cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "t:one", 0, up, down, 0); }
int low_fn(struct block *b, unsigned long action, void *data) { probe("low", action); return answer("low", 0); }
int high_fn(struct block *b, unsigned long action, void *data) { probe("high", action); return answer("high", 0); }
struct block low = { low_fn, 0, 0 }, high = { high_fn, 0, 5 };
int reboot_blocks(void) { return register_reboot_notifier(&low) * 100 + register_reboot_notifier(&high); }
int twice(void) { register_reboot_notifier(&low); return register_reboot_notifier(&low); }
int gone(void) { register_reboot_notifier(&low); unregister_reboot_notifier(&low); return unregister_reboot_notifier(&low); }
int pm_blocks(void) { return register_pm_notifier(&low) + register_pm_notifier(&high); }
int cpu_pm_blocks(void) { return cpu_pm_register_notifier(&low) + cpu_pm_register_notifier(&high); }
int idles(void) { model_set_irqs_off(1); int ret = cpu_pm_enter(); if (!ret) cpu_pm_exit(); model_set_irqs_off(0); return ret; }
int core_suspend(void) { probe("core suspend", 0); return 0; }
void core_resume(void) { probe("core resume", 0); }
void core_shutdown(void) { probe("core shutdown", 0); }
struct syscore core = { 0, 0, core_suspend, core_resume, core_shutdown };
int op(void *dev, const char *name) { probe(name, 0); return answer(name, 0); }
int d_suspend(void *dev) { return op(dev, "suspend"); }
int d_resume(void *dev) { return op(dev, "resume"); }
int d_freeze(void *dev) { return op(dev, "freeze"); }
int d_thaw(void *dev) { return op(dev, "thaw"); }
int d_restore(void *dev) { return op(dev, "restore"); }
void d_shutdown(void *dev) { probe("device shutdown", 0); }
int (*pm_ops[20])(void *) = { [2] = d_suspend, [3] = d_resume, [4] = d_freeze, [5] = d_thaw, [7] = d_restore };
struct device_of_model { void *ops, *dev; void (*shutdown)(void *); } device = { pm_ops, 0, d_shutdown };
void setup(void) { reg(); register_syscore_ops(&core); model_list_add("devices", &device); reboot_blocks(); }
int worker(void *data)
{
    int n = 0;
    probe("thread", 0);
    while (!kthread_should_stop()) { msleep(5); n++; }
    return n;
}
int threads(void)
{
    void *t = kthread_create_on_node(worker, 0, -1, "drv-%d", 7);
    probe("made", 0);
    wake_up_process(t);
    msleep(50);
    return kthread_stop(t);
}
int never(void) { return kthread_stop(kthread_create_on_node(worker, 0, -1, "drv")); }
void forever(void) { model_set_irqs_off(1); for (;;) model_advance(10000); }
