# SPDX-License-Identifier: GPL-2.0-or-later
"""Edits that look like bugs and are right: they must give no new finding."""

from __future__ import annotations

from .edits import before, every, first, include, sleeping_lock, swap, within
from .model import Quiet

PERF = "drivers/perf/"
IRQCHIP, GPIO = "drivers/irqchip/", "drivers/gpio/"

QUIET = [
    Quiet(
        name="gc-list-lock",
        file="kernel/irq/generic-chip.c",
        edit=sleeping_lock("gc_lock"),
        why="the list of generic chips is only locked by code that sets chips up, in a task",
    ),
    Quiet(
        name="pca953x-bus-lock-sleeps",
        file=GPIO + "gpio-pca953x.c",
        edit=every(
            include("linux/delay.h"),
            within(
                "pca953x_irq_bus_lock", swap("\tmutex_lock(", "\tmsleep(1);\n\tmutex_lock(")
            ),
        ),
        company=("kernel/irq/manage.c",),
        why="irq_bus_lock and irq_bus_sync_unlock may sleep",
    ),
    Quiet(
        name="cpuinfo-online-alloc",
        file="arch/arm64/kernel/cpuinfo.c",
        edit=every(
            include("linux/slab.h"),
            within(
                "cpuid_cpu_online",
                swap(
                    "\tdev = get_cpu_device(cpu);\n",
                    "\tkfree(kzalloc(64, GFP_KERNEL));\n\tdev = get_cpu_device(cpu);\n",
                ),
            ),
        ),
        why="ONLINE callbacks run in the hotplug thread",
    ),
    Quiet(
        name="gic-prepare-alloc",
        file=IRQCHIP + "irq-gic-v3.c",
        edit=every(
            include("linux/slab.h"),
            within(
                "gic_check_rdist",
                first("{\n", "{\n\tmsleep(1);\n\tkfree(kzalloc(64, GFP_KERNEL));\n\n"),
            ),
        ),
        why="PREPARE callbacks run in the task that changes the CPU's state",
    ),
    Quiet(
        name="tegra-request-resources",
        file=GPIO + "gpio-tegra.c",
        edit=within(
            "tegra_gpio_irq_request_resources",
            swap("\ttegra_gpio_enable(", "\tmight_sleep();\n\ttegra_gpio_enable("),
        ),
        why="irq_request_resources runs in a task without the descriptor's lock",
    ),
    Quiet(
        name="sei-alloc-sleeps",
        file=IRQCHIP + "irq-mvebu-sei.c",
        edit=within(
            "mvebu_sei_domain_alloc",
            swap("\t/* Not much to do", "\tmight_sleep();\n\t/* Not much to do"),
        ),
        why="irq_domain callbacks run in a task",
    ),
    Quiet(
        name="intmux-lock-only-without-rt",
        file=IRQCHIP + "irq-imx-intmux.c",
        edit=every(
            before(
                "static void imx_intmux_irq_mask(", "static DEFINE_SPINLOCK(stats_lock);\n\n"
            ),
            within(
                "imx_intmux_irq_mask",
                swap(
                    "\traw_spin_lock_irqsave(",
                    "\tif (!IS_ENABLED(CONFIG_PREEMPT_RT)) {\n"
                    "\t\tspin_lock(&stats_lock);\n\t\tspin_unlock(&stats_lock);\n\t}\n"
                    "\traw_spin_lock_irqsave(",
                ),
            ),
        ),
        why="the lock is only taken where it does not sleep",
    ),
    Quiet(
        name="gpcv2-trylock",
        file=IRQCHIP + "irq-imx-gpcv2.c",
        edit=every(
            before(
                "static void imx_gpcv2_irq_unmask(", "static DEFINE_SPINLOCK(wake_lock);\n\n"
            ),
            within(
                "imx_gpcv2_irq_unmask",
                swap(
                    "\traw_spin_lock(&cd->rlock);\n",
                    "\tif (spin_trylock(&wake_lock))\n\t\tspin_unlock(&wake_lock);\n"
                    "\traw_spin_lock(&cd->rlock);\n",
                ),
            ),
        ),
        why="a trylock does not wait",
    ),
    Quiet(
        name="mpm-check-context",
        file=IRQCHIP + "irq-qcom-mpm.c",
        edit=within(
            "qcom_mpm_enable_irq",
            swap(
                "\traw_spin_lock_irqsave(",
                "\tif (!irqs_disabled() && preemptible())\n\t\tmsleep(1);\n"
                "\traw_spin_lock_irqsave(",
            ),
        ),
        why="only sleeps where interrupts are on and the task is preemptible",
    ),
    Quiet(
        name="affinity-notifier-before-lock",
        file="kernel/irq/manage.c",
        edit=within(
            "irq_set_affinity_notifier",
            swap(
                "\traw_spin_lock_irqsave(",
                "\tkfree(kzalloc(8, GFP_KERNEL));\n\traw_spin_lock_irqsave(",
            ),
        ),
        why="the allocation is before the raw lock",
    ),
    Quiet(
        name="msi-drop-lock-to-allocate",
        file=IRQCHIP + "irq-imx-mu-msi.c",
        edit=within(
            "imx_mu_msi_domain_irq_alloc",
            swap(
                "\tif (pos < IMX_MU_CHANS)\n",
                "\traw_spin_unlock_irqrestore(&msi_data->lock, flags);\n"
                "\tkfree(kmemdup(args, sizeof(msi_alloc_info_t), GFP_KERNEL));\n"
                "\traw_spin_lock_irqsave(&msi_data->lock, flags);\n"
                "\tif (pos < IMX_MU_CHANS)\n",
            ),
        ),
        why="the raw lock is dropped around the allocation",
    ),
    Quiet(
        name="evtstrm-online",
        file="drivers/clocksource/arm_arch_timer.c",
        edit=every(
            include("linux/delay.h"),
            swap("CPUHP_AP_ARM_ARCH_TIMER_EVTSTRM_STARTING", "CPUHP_AP_ONLINE_DYN"),
            within("arch_timer_evtstrm_starting_cpu", first("{\n", "{\n\tmsleep(1);\n")),
        ),
        why="the callback sleeps, and is registered for an ONLINE state now",
    ),
    Quiet(
        name="its-cleanup-work-sleeps",
        file=IRQCHIP + "irq-gic-v3-its.c",
        edit=within("rdist_memreserve_cpuhp_cleanup_workfn", first("{\n", "{\n\tmsleep(1);\n")),
        company=(IRQCHIP + "irq-gic-v3.c",),
        why="a work item runs in a task",
    ),
    Quiet(
        name="rcar-thermal-irq-lock",
        file="drivers/thermal/renesas/rcar_thermal.c",
        edit=within(
            "rcar_thermal_irq",
            swap(
                "\tstatus = status & ~mask;\n",
                "\tspin_lock(&common->lock);\n"
                "\tstatus = status & ~mask;\n\tspin_unlock(&common->lock);\n",
            ),
        ),
        why="spinlock_t in an ordinary handler: PREEMPT_RT runs that in a thread",
    ),
    Quiet(
        name="mailbox-soft-hrtimer",
        file="drivers/mailbox/mailbox.c",
        edit=every(
            swap("\t\t\t     HRTIMER_MODE_REL);", "\t\t\t     HRTIMER_MODE_REL_SOFT);"),
            within(
                "txdone_hrtimer",
                first(
                    "\tfor (i = 0;",
                    "\tspin_lock(&mbox->poll_hrt_lock);\n"
                    "\tspin_unlock(&mbox->poll_hrt_lock);\n\tfor (i = 0;",
                ),
            ),
        ),
        why="spinlock_t in a soft hrtimer's callback",
    ),
    Quiet(
        name="cacheinfo-online-kernel",
        file="drivers/base/cacheinfo.c",
        edit=within(
            "cacheinfo_cpu_online",
            swap(
                "\tif (rc)\n\t\treturn rc;\n", "\tif (rc)\n\t\treturn rc;\n\tmight_sleep();\n"
            ),
        ),
        why="ONLINE callbacks run in the hotplug thread",
    ),
    Quiet(
        name="dsu-probe-mutex",
        file=PERF + "arm_dsu_pmu.c",
        edit=within(
            "dsu_pmu_event_init", first("{\n", "{\n\tkfree(kzalloc(8, GFP_KERNEL));\n")
        ),
        why="pmu::event_init runs in a task that may sleep",
    ),
    Quiet(
        name="its-boot-alloc",
        file=IRQCHIP + "irq-gic-v3-its.c",
        edit=within(
            "its_alloc_collections", first("{\n", "{\n\tkfree(kzalloc(8, GFP_KERNEL));\n")
        ),
        company=(IRQCHIP + "irq-gic-v3.c",),
        why="only the boot CPU runs it, while the interrupt controller is probed",
    ),
    Quiet(
        name="rpmh-second-trylock",
        file="drivers/soc/qcom/rpmh-rsc.c",
        edit=within(
            "rpmh_rsc_cpu_pm_callback",
            swap(
                "\tif (spin_trylock(&drv->lock)) {",
                "\tif (spin_trylock(&drv->lock)) {\n\t\tudelay(1);",
            ),
        ),
        why="trylock and busy waiting with interrupts off",
    ),
]
