# SPDX-License-Identifier: GPL-2.0-or-later
"""Bugs in CPU hotplug callbacks, timers, perf, IPIs, notifiers and the core."""

from __future__ import annotations

from .edits import after, before, every, first, sleeping_lock, swap, within
from .model import Bug

SAVE = ("spin_lock_irqsave",)
PLAIN = ("spin_lock",)
PERF = "drivers/perf/"

HOTPLUG = [
    Bug(
        name="pvtime-starting",
        file="arch/arm64/kernel/paravirt.c",
        edit=within(
            "pv_time_init_stolen_time",
            swap("CPUHP_AP_ONLINE_DYN", "CPUHP_AP_ARM64_ISNDEP_STARTING"),
        ),
        function=("stolen_time_cpu_online",),
        callee=("memremap",),
        entries=("stolen_time_cpu_online",),
        rt_only=False,
        why="ONLINE callback that maps memory registered as STARTING, as before the fix "
        "'arm64: paravirt: Initialize steal time when cpu is online'",
    ),
    Bug(
        name="cpuinfo-starting",
        file="arch/arm64/kernel/cpuinfo.c",
        edit=swap("CPUHP_AP_ONLINE_DYN", "CPUHP_AP_ARM64_ISNDEP_STARTING"),
        function=("cpuid_cpu_online",),
        callee=("kobject_add", "sysfs_create_group", "sysfs_merge_group"),
        entries=("cpuid_cpu_online",),
        rt_only=False,
        why="ONLINE callback that adds to sysfs registered as STARTING",
    ),
    Bug(
        name="cacheinfo-starting",
        file="drivers/base/cacheinfo.c",
        edit=swap("CPUHP_AP_BASE_CACHEINFO_ONLINE", "CPUHP_AP_ARM64_ISNDEP_STARTING"),
        function=("cache_add_dev", "cpu_cache_sysfs_init", "cacheinfo_cpu_online"),
        callee=("kcalloc", "cpu_device_create"),
        entries=("cacheinfo_cpu_online",),
        rt_only=False,
        why="ONLINE callback with a blocking allocation two calls down registered as STARTING",
    ),
    Bug(
        name="smmu-pmu-dying",
        file=PERF + "arm_smmuv3_pmu.c",
        edit=swap("CPUHP_AP_ONLINE_DYN", "CPUHP_AP_PERF_ARM_STARTING"),
        function=("smmu_pmu_offline_cpu",),
        callee=("perf_pmu_migrate_context",),
        entries=("smmu_pmu_offline_cpu",),
        rt_only=False,
        why="teardown of a multi-instance ONLINE state moved to a STARTING state",
    ),
    Bug(
        name="armpmu-request-starting",
        file=PERF + "arm_pmu.c",
        edit=within(
            "arm_perf_starting_cpu",
            swap(
                "\tif (irq)\n\t\tper_cpu",
                "\tif (irq && !armpmu_request_irq(irq, cpu))\n\t\tper_cpu",
            ),
        ),
        function=("armpmu_request_irq",),
        callee=("request_nmi", "request_irq", "request_percpu_nmi", "request_percpu_irq"),
        entries=("arm_perf_starting_cpu",),
        rt_only=False,
        why="interrupt requested in a multi-instance STARTING callback, through a wrapper",
    ),
    Bug(
        name="armpmu-acpi-request-starting",
        file=PERF + "arm_pmu_acpi.c",
        edit=within(
            "arm_pmu_acpi_cpu_starting",
            before(
                "\tarm_pmu_acpi_associate_pmu_cpu(",
                "\tarmpmu_request_irq(per_cpu(pmu_irqs, cpu), cpu);\n",
            ),
        ),
        company=(PERF + "arm_pmu.c",),
        function=("armpmu_request_irq",),
        callee=("request_nmi", "request_irq", "request_percpu_nmi", "request_percpu_irq"),
        entries=("arm_pmu_acpi_cpu_starting",),
        rt_only=False,
        why="interrupt requested in a STARTING callback, by a helper of another file",
    ),
    Bug(
        name="arch-timer-starting-clock",
        file="drivers/clocksource/arm_arch_timer.c",
        edit=every(
            first("#include <linux/", "#include <linux/clk.h>\n#include <linux/"),
            before(
                "static int arch_timer_starting_cpu(", "static struct clk *arch_timer_clk;\n\n"
            ),
            within(
                "arch_timer_starting_cpu",
                before(
                    "\tarch_counter_set_user_access();",
                    "\tclk_prepare_enable(arch_timer_clk);\n",
                ),
            ),
        ),
        function=("arch_timer_starting_cpu",),
        callee=("clk_prepare_enable", "clk_prepare"),
        entries=("arch_timer_starting_cpu",),
        rt_only=False,
        why="clock prepared in a STARTING callback",
    ),
    Bug(
        name="apple-aic-starting-alloc",
        file="drivers/irqchip/irq-apple-aic.c",
        edit=every(
            first("#include <linux/", "#include <linux/slab.h>\n#include <linux/"),
            before("static int aic_init_cpu(", "static void *aic_saved[8];\n\n"),
            within(
                "aic_init_cpu",
                after("\tisb();\n", "\n\taic_saved[cpu & 7] = kzalloc(64, GFP_ATOMIC);\n"),
            ),
        ),
        function=("aic_init_cpu",),
        callee=("kzalloc",),
        entries=("aic_init_cpu",),
        rt_only=True,
        why="atomic allocation in a STARTING callback",
    ),
    Bug(
        name="breakpoint-reset-lock",
        file="arch/arm64/kernel/hw_breakpoint.c",
        edit=every(
            before(
                "static int hw_breakpoint_control(", "static DEFINE_SPINLOCK(bp_slot_lock);\n\n"
            ),
            within(
                "hw_breakpoint_control",
                swap(
                    "\ti = hw_breakpoint_slot_setup(slots, max_slots, bp, ops);\n",
                    "\tspin_lock(&bp_slot_lock);\n"
                    "\ti = hw_breakpoint_slot_setup(slots, max_slots, bp, ops);\n"
                    "\tspin_unlock(&bp_slot_lock);\n",
                ),
            ),
        ),
        function=("hw_breakpoint_control",),
        callee=PLAIN,
        entries=("hw_breakpoint_reset",),
        rt_only=True,
        why="spinlock_t one call below a STARTING callback; perf callbacks call it too",
    ),
    Bug(
        name="bcm2836-starting-mutex-guard",
        file="drivers/irqchip/irq-bcm2836.c",
        edit=every(
            first("#include <linux/", "#include <linux/mutex.h>\n#include <linux/"),
            before(
                "static int bcm2836_cpu_starting(", "static DEFINE_MUTEX(mailbox_lock);\n\n"
            ),
            within(
                "bcm2836_cpu_starting", swap("{\n", "{\n\tguard(mutex)(&mailbox_lock);\n\n")
            ),
        ),
        function=("bcm2836_cpu_starting",),
        callee=("guard(mutex)", "mutex_lock"),
        entries=("bcm2836_cpu_starting",),
        rt_only=False,
        why="guard(mutex) in a STARTING callback",
    ),
    Bug(
        name="clockevents-lock",
        file="kernel/time/clockevents.c",
        edit=sleeping_lock("clockevents_lock"),
        company=("drivers/clocksource/arm_arch_timer.c",),
        function=("clockevents_register_device",),
        callee=SAVE,
        entries=("arch_timer_starting_cpu",),
        rt_only=True,
        why="spinlock_t in the core, three calls below a driver's STARTING callback",
    ),
    Bug(
        name="mct-starting-wait",
        file="drivers/clocksource/exynos_mct.c",
        edit=within(
            "exynos4_mct_starting_cpu",
            swap(
                "\t\tenable_irq(evt->irq);\n",
                "\t\tsynchronize_irq(evt->irq);\n\t\tenable_irq(evt->irq);\n",
            ),
        ),
        function=("exynos4_mct_starting_cpu",),
        callee=("synchronize_irq",),
        entries=("exynos4_mct_starting_cpu",),
        rt_only=False,
        why="wait for an interrupt handler in a STARTING callback",
    ),
]

TIMERS = [
    Bug(
        name="cmt-next-event-lock",
        file="drivers/clocksource/sh_cmt.c",
        edit=sleeping_lock("lock"),
        function=("sh_cmt_clock_event_next",),
        callee=SAVE,
        entries=("sh_cmt_clock_event_next",),
        rt_only=True,
        why="spinlock_t in a clock event device's set_next_event",
    ),
    Bug(
        name="tmu-start-lock",
        file="drivers/clocksource/sh_tmu.c",
        edit=sleeping_lock("lock"),
        function=("sh_tmu_start_stop_ch",),
        callee=SAVE,
        entries=(
            "sh_tmu_clock_event_next",
            "sh_tmu_clock_event_shutdown",
            "sh_tmu_clock_event_set_periodic",
            "sh_tmu_clock_event_set_oneshot",
        ),
        rt_only=True,
        why="spinlock_t some calls below clock event callbacks",
    ),
    Bug(
        name="cmt-enable-clock",
        file="drivers/clocksource/sh_cmt.c",
        edit=within("sh_cmt_enable", swap("clk_enable(", "clk_prepare_enable(")),
        function=("sh_cmt_enable",),
        callee=("clk_prepare_enable", "clk_prepare"),
        entries=(
            "sh_cmt_clock_event_set_oneshot",
            "sh_cmt_clock_event_set_periodic",
            "sh_cmt_clocksource_enable",
            "sh_cmt_clocksource_resume",
        ),
        rt_only=False,
        why="clock prepared with a raw lock held, several calls below the callback",
    ),
    Bug(
        name="mailbox-hard-hrtimer",
        file="drivers/mailbox/mailbox.c",
        edit=swap("\t\t\t     HRTIMER_MODE_REL);", "\t\t\t     HRTIMER_MODE_REL_HARD);"),
        function=("txdone_hrtimer", "tx_tick"),
        callee=SAVE,
        entries=("txdone_hrtimer",),
        rt_only=True,
        why="hrtimer callback with a spinlock_t moved to hard interrupt context",
    ),
    Bug(
        name="broadcast-lock",
        file="kernel/time/tick-broadcast.c",
        edit=sleeping_lock("tick_broadcast_lock"),
        function=("tick_handle_oneshot_broadcast", "tick_handle_periodic_broadcast"),
        callee=PLAIN,
        entries=("tick_handle_oneshot_broadcast", "tick_handle_periodic_broadcast"),
        rt_only=True,
        why="spinlock_t in a clock event device's event handler",
    ),
    Bug(
        name="timekeeper-lock",
        file="kernel/time/timekeeping.c",
        edit=every(
            sleeping_lock("timekeeper_lock"),
            swap("SEQCNT_RAW_SPINLOCK_ZERO(", "SEQCNT_SPINLOCK_ZERO("),
            swap("seqcount_raw_spinlock_t\tseq", "seqcount_spinlock_t\tseq"),
        ),
        also={"kernel/time/timekeeping_internal.h": sleeping_lock("timekeeper_lock")},
        function=("change_clocksource",),
        callee=SAVE,
        entries=("change_clocksource",),
        rt_only=True,
        why="spinlock_t in a stop_machine callback",
    ),
]

PERF_AND_TRACE = [
    Bug(
        name="dsu-pmu-lock",
        file=PERF + "arm_dsu_pmu.c",
        edit=sleeping_lock("pmu_lock"),
        function=("dsu_pmu_read_counter", "dsu_pmu_write_counter", "dsu_pmu_set_event"),
        callee=SAVE,
        entries=("dsu_pmu_start", "dsu_pmu_read", "dsu_pmu_add", "dsu_pmu_stop", "dsu_pmu_del"),
        rt_only=True,
        why="spinlock_t below perf callbacks, which run under the raw context lock",
    ),
    Bug(
        name="cci-pmu-lock",
        file=PERF + "arm-cci.c",
        edit=sleeping_lock("pmu_lock"),
        function=("cci_pmu_start", "cci_pmu_enable"),
        callee=SAVE,
        entries=("cci_pmu_start", "cci_pmu_enable", "cci_pmu_add"),
        rt_only=True,
        why="spinlock_t in perf callbacks",
    ),
    Bug(
        name="imx8-ddr-add-mutex",
        file=PERF + "fsl_imx8_ddr_perf.c",
        edit=every(
            before(
                "static int ddr_perf_event_add(", "static DEFINE_MUTEX(ddr_counter_lock);\n\n"
            ),
            within(
                "ddr_perf_event_add",
                swap(
                    "\tcounter = ddr_perf_alloc_counter(pmu, cfg);\n",
                    "\tmutex_lock(&ddr_counter_lock);\n"
                    "\tcounter = ddr_perf_alloc_counter(pmu, cfg);\n"
                    "\tmutex_unlock(&ddr_counter_lock);\n",
                ),
            ),
        ),
        function=("ddr_perf_event_add",),
        callee=("mutex_lock",),
        entries=("ddr_perf_event_add",),
        rt_only=False,
        why="mutex in pmu::add",
    ),
    Bug(
        name="smmu-pmu-irq-alloc",
        file=PERF + "arm_smmuv3_pmu.c",
        edit=within(
            "smmu_pmu_handle_irq",
            swap(
                "\tbitmap_from_u64(ovs, ovsr);\n",
                "\tbitmap_from_u64(ovs, ovsr);\n"
                '\tkfree(kasprintf(GFP_ATOMIC, "%llx", ovsr));\n',
            ),
        ),
        function=("smmu_pmu_handle_irq",),
        callee=("kasprintf", "kfree"),
        entries=("smmu_pmu_handle_irq",),
        rt_only=True,
        why="atomic allocation in an IRQF_NO_THREAD handler",
    ),
    Bug(
        name="etb10-update-lock",
        file="drivers/hwtracing/coresight/coresight-etb10.c",
        edit=sleeping_lock("spinlock"),
        company=("drivers/hwtracing/coresight/coresight-etm-perf.c",),
        function=("etb_update_buffer",),
        callee=SAVE,
        entries=("etm_event_stop", "etm_event_del"),
        rt_only=True,
        why="spinlock_t in a coresight sink operation that another file's pmu callback calls",
    ),
    Bug(
        name="trbe-starting",
        file="drivers/hwtracing/coresight/coresight-trbe.c",
        edit=within(
            "arm_trbe_probe_cpuhp",
            swap("CPUHP_AP_ONLINE_DYN", "CPUHP_AP_ARM_CORESIGHT_STARTING"),
        ),
        config="allmodconfig",
        function=("arm_trbe_register_coresight_cpu", "arm_trbe_probe_cpu"),
        callee=("devm_kasprintf", "coresight_register", "devm_kzalloc"),
        entries=("arm_trbe_cpu_startup",),
        rt_only=False,
        why="multi-instance ONLINE callback with a blocking allocation moved to STARTING",
    ),
]

IPIS_AND_NOTIFIERS = [
    Bug(
        name="qman-cgr-lock",
        file="drivers/soc/fsl/qbman/qman.c",
        edit=sleeping_lock("cgr_lock"),
        function=("qman_update_cgr", "qman_delete_cgr"),
        callee=SAVE,
        entries=("qman_update_cgr_smp_call", "qman_delete_cgr_smp_call"),
        rt_only=True,
        why="spinlock_t in an IPI, as before 'soc: fsl: qbman: Use raw spinlock for cgr_lock'",
    ),
    Bug(
        name="rpmh-cpu-pm-lock",
        file="drivers/soc/qcom/rpmh-rsc.c",
        edit=within(
            "rpmh_rsc_cpu_pm_callback",
            swap(
                "\tif (spin_trylock(&drv->lock)) {",
                "\tspin_lock(&drv->lock);\n\tif (drv->cpus_in_pm.counter) {",
            ),
        ),
        function=("rpmh_rsc_cpu_pm_callback",),
        callee=PLAIN,
        entries=("rpmh_rsc_cpu_pm_callback",),
        rt_only=True,
        why="trylock turned into a lock in a CPU PM notifier (interrupts off)",
    ),
    Bug(
        name="armpmu-cpu-pm-mutex",
        file=PERF + "arm_pmu.c",
        edit=every(
            before("static int cpu_pm_pmu_notify(", "static DEFINE_MUTEX(armpmu_pm_lock);\n\n"),
            within(
                "cpu_pm_pmu_notify",
                swap(
                    "\tcase CPU_PM_ENTER:\n",
                    "\tcase CPU_PM_ENTER:\n\t\tmutex_lock(&armpmu_pm_lock);\n"
                    "\t\tmutex_unlock(&armpmu_pm_lock);\n",
                ),
            ),
        ),
        function=("cpu_pm_pmu_notify",),
        callee=("mutex_lock",),
        entries=("cpu_pm_pmu_notify",),
        rt_only=False,
        why="mutex in a CPU PM notifier (interrupts off)",
    ),
    Bug(
        name="pvpanic-lock",
        file="drivers/misc/pvpanic/pvpanic.c",
        edit=within(
            "pvpanic_send_event",
            swap(
                "\tif (!spin_trylock(&pvpanic_lock))\n\t\treturn;\n",
                "\tspin_lock(&pvpanic_lock);\n",
            ),
        ),
        config="allmodconfig",
        function=("pvpanic_send_event",),
        callee=PLAIN,
        entries=("pvpanic_panic_notify",),
        rt_only=True,
        why="lock in a panic notifier, as before 'misc/pvpanic: Convert regular spinlock into "
        "trylock on panic path'",
    ),
    Bug(
        name="gpio-restart-sleep",
        file="drivers/power/reset/gpio-restart.c",
        edit=within("gpio_restart_notify", first("mdelay(", "msleep(")),
        config="allmodconfig",
        function=("gpio_restart_notify",),
        callee=("msleep",),
        entries=("gpio_restart_notify",),
        rt_only=False,
        why="sleep in a restart handler",
    ),
    Bug(
        name="psci-idle-mutex",
        file="drivers/cpuidle/cpuidle-psci.c",
        edit=every(
            before(
                "static __cpuidle int psci_enter_idle_state(",
                "static DEFINE_MUTEX(psci_state_lock);\n\n",
            ),
            within(
                "psci_enter_idle_state",
                swap("\tu32 *state = ", "\tguard(mutex)(&psci_state_lock);\n\tu32 *state = "),
            ),
        ),
        function=("psci_enter_idle_state",),
        callee=("guard(mutex)", "mutex_lock"),
        entries=("psci_enter_idle_state",),
        rt_only=False,
        why="mutex in a cpuidle state's enter",
    ),
    Bug(
        name="acpi-idle-c3-lock",
        file="drivers/acpi/processor_idle.c",
        edit=sleeping_lock("c3_lock"),
        function=("acpi_idle_enter_bm",),
        callee=PLAIN,
        entries=("acpi_idle_enter",),
        arch="x86_64",
        rt_only=True,
        why="spinlock_t below a cpuidle state's enter",
    ),
    Bug(
        name="xen-dynirq-alloc",
        file="drivers/xen/events/events_base.c",
        edit=within(
            "do_mask",
            swap(
                "\tif (!info->mask_reason)\n",
                "\tif (!info->eoi_time)\n"
                "\t\tkfree(kmalloc(16, GFP_NOWAIT));\n\tif (!info->mask_reason)\n",
            ),
        ),
        function=("do_mask",),
        callee=("kmalloc", "kfree"),
        entries=(
            "disable_dynirq",
            "mask_ack_dynirq",
            "ack_dynirq",
            "lateeoi_ack_dynirq",
            "lateeoi_mask_ack_dynirq",
            "shutdown_pirq",
        ),
        rt_only=True,
        why="GFP_NOWAIT allocation under a raw lock in irq_mask",
    ),
    Bug(
        name="ffa-sched-irq-direct",
        file="drivers/firmware/arm_ffa/driver.c",
        edit=within(
            "ffa_sched_recv_irq_handler",
            swap(
                "\tqueue_work(info->notif_pcpu_wq, &info->sched_recv_irq_work);\n",
                "\tflush_work(&info->sched_recv_irq_work);\n",
            ),
        ),
        config="allmodconfig",
        function=("ffa_sched_recv_irq_handler",),
        callee=("flush_work",),
        entries=("ffa_sched_recv_irq_handler",),
        rt_only=False,
        why="wait for a work item in a per-CPU interrupt handler",
    ),
]

CORE = [
    Bug(
        name="resend-lock",
        file="kernel/irq/resend.c",
        edit=sleeping_lock("irq_resend_lock"),
        company=("kernel/irq/chip.c", "kernel/irq/manage.c"),
        function=("irq_sw_resend",),
        callee=PLAIN,
        entries=(),
        rt_only=True,
        why="spinlock_t with the raw lock of the descriptor held by a caller of another file",
    ),
    Bug(
        name="affinity-notifier-under-lock",
        file="kernel/irq/manage.c",
        edit=within(
            "irq_set_affinity_notifier",
            swap(
                "\tdesc->affinity_notify = notify;\n",
                "\tdesc->affinity_notify = notify;\n"
                "\tif (old_notify)\n\t\tcancel_work_sync(&old_notify->work);\n",
            ),
        ),
        function=("irq_set_affinity_notifier",),
        callee=("cancel_work_sync",),
        entries=(),
        rt_only=False,
        why="wait for a work item moved under a raw lock",
    ),
    Bug(
        name="affinity-notify-alloc-under-lock",
        file="kernel/irq/manage.c",
        edit=within(
            "irq_affinity_notify",
            swap(
                "\tif (!desc || !alloc_cpumask_var(&cpumask, GFP_KERNEL))\n\t\tgoto out;\n",
                "\tif (!desc)\n\t\tgoto out;\n",
            ),
            swap(
                "\traw_spin_lock_irqsave(&desc->lock, flags);\n",
                "\traw_spin_lock_irqsave(&desc->lock, flags);\n"
                "\tnotify = krealloc(notify, sizeof(*notify), GFP_KERNEL);\n",
            ),
        ),
        function=("irq_affinity_notify",),
        callee=("krealloc",),
        entries=("irq_affinity_notify",),
        rt_only=False,
        why="blocking allocation moved under a raw lock in a work item",
    ),
    Bug(
        name="asid-lock",
        file="arch/arm64/mm/context.c",
        edit=sleeping_lock("cpu_asid_lock"),
        company=("kernel/sched/core.c",),
        function=("check_and_switch_context",),
        callee=SAVE,
        entries=(),
        rt_only=True,
        why="spinlock_t in the context switch, where the raw run queue lock is held",
    ),
    Bug(
        name="vector-lock",
        file="arch/x86/kernel/apic/vector.c",
        edit=sleeping_lock("vector_lock"),
        arch="x86_64",
        function=("apic_set_affinity", "apic_retrigger_irq"),
        callee=PLAIN + SAVE,
        entries=("apic_set_affinity", "apic_retrigger_irq"),
        rt_only=True,
        why="spinlock_t in irq_set_affinity and irq_retrigger",
    ),
    Bug(
        name="ioapic-lock",
        file="arch/x86/kernel/apic/io_apic.c",
        edit=sleeping_lock("ioapic_lock"),
        arch="x86_64",
        function=("mask_ioapic_irq",),
        callee=("guard(spinlock_irqsave)", *SAVE),
        entries=("mask_ioapic_irq",),
        rt_only=True,
        why="spinlock_t in irq_mask",
    ),
]

BUGS = [*HOTPLUG, *TIMERS, *PERF_AND_TRACE, *IPIS_AND_NOTIFIERS, *CORE]
