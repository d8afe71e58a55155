# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes drivers that hold one recorded cell in each small function.

A cell is an operation in an execution context. Each context becomes one C file:
for every operation ``op_<context>_<operation>`` does the operation, a callback or
a section around it makes the context, and the file's ``probe`` sets all of them up.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

DATA = Path(__file__).with_name("cells.json")
DIRECTORY = "drivers/ctxlint_cells"
"""Where the generated files are put, relative to the tree."""

HEADERS = [
    "bottom_half",
    "completion",
    "cpu",
    "cpuhotplug",
    "delay",
    "efi",
    "hrtimer",
    "init",
    "interrupt",
    "io",
    "irq_work",
    "irqflags",
    "jiffies",
    "kernel",
    "local_lock",
    "module",
    "mutex",
    "of",
    "percpu",
    "platform_device",
    "preempt",
    "printk",
    "random",
    "rcupdate",
    "rwsem",
    "sched",
    "semaphore",
    "seqlock",
    "sizes",
    "slab",
    "smp",
    "spinlock",
    "stop_machine",
    "swait",
    "timer",
    "vmalloc",
    "wait",
    "workqueue",
]  # of include/linux

STATE = "CPUHP_AP_ARM_CORESIGHT_STARTING"

OBJECTS = """
static DEFINE_SPINLOCK(plain);
static DEFINE_SPINLOCK(outer);
static DEFINE_RAW_SPINLOCK(rough);
static DEFINE_RAW_SPINLOCK(rough_outer);
static DEFINE_RWLOCK(shared);
static DEFINE_SEQLOCK(versioned);
static DEFINE_MUTEX(patient);
static DEFINE_MUTEX(patient_outer);
static DECLARE_RWSEM(sem_rw);
static DEFINE_SEMAPHORE(sem_one, 1);
static DEFINE_PER_CPU(local_lock_t, mine) = INIT_LOCAL_LOCK(mine);
static DECLARE_COMPLETION(event);
static DECLARE_WAIT_QUEUE_HEAD(waiters);
static DECLARE_SWAIT_QUEUE_HEAD(simple_waiters);
static struct task_struct *helper;

struct item {
	struct rcu_head head;
	u32 value;
};

static struct item *item;
static unsigned long pages;
static void *keep;

static void item_free(struct rcu_head *head)
{
	kfree(container_of(head, struct item, head));
}

static void work_nop(struct work_struct *work) { }
static DECLARE_WORK(job, work_nop);
static DECLARE_DELAYED_WORK(later_job, work_nop);
static void irq_work_nop(struct irq_work *work) { }
static DEFINE_IRQ_WORK(soft_iw, irq_work_nop);
static struct irq_work hard_iw = IRQ_WORK_INIT_HARD(irq_work_nop);
static void timer_nop(struct timer_list *timer) { }
static DEFINE_TIMER(ticker, timer_nop);
static void ipi_nop(void *unused) { }

static void fill(void)
{
	item = kzalloc(sizeof(*item), GFP_KERNEL);
	pages = __get_free_pages(GFP_KERNEL, 4);
	keep = vmalloc(PAGE_SIZE);
	helper = current;
}
"""

FLAGS = "\tunsigned long flags;\n\n"

OPERATIONS = {
    "none": "",
    "spin": "\tspin_lock(&plain);\n\tspin_unlock(&plain);",
    "spinirq": FLAGS
    + "\tspin_lock_irqsave(&plain, flags);\n\tspin_unlock_irqrestore(&plain, flags);",
    "spinbh": "\tspin_lock_bh(&plain);\n\tspin_unlock_bh(&plain);",
    "spintry": "\tif (spin_trylock(&plain))\n\t\tspin_unlock(&plain);",
    "raw": FLAGS
    + "\traw_spin_lock_irqsave(&rough, flags);\n\traw_spin_unlock_irqrestore(&rough, flags);",
    "rdlock": "\tread_lock(&shared);\n\tread_unlock(&shared);",
    "wrlock": "\twrite_lock(&shared);\n\twrite_unlock(&shared);",
    "seqw": "\twrite_seqlock(&versioned);\n\twrite_sequnlock(&versioned);",
    "mutex": "\tmutex_lock(&patient);\n\tmutex_unlock(&patient);",
    "mutextry": "\tif (mutex_trylock(&patient))\n\t\tmutex_unlock(&patient);",
    "rwsem": "\tdown_read(&sem_rw);\n\tup_read(&sem_rw);",
    "sem": "\tdown(&sem_one);\n\tup(&sem_one);",
    "semtry": "\tif (!down_trylock(&sem_one))\n\t\tup(&sem_one);",
    "locallock": "\tlocal_lock(&mine);\n\tlocal_unlock(&mine);",
    "kmatomic": "\tkeep = kmalloc(64, GFP_ATOMIC);",
    "kmnowait": "\tkeep = kmalloc(64, GFP_NOWAIT);",
    "kmkernel": "\tkeep = kmalloc(64, GFP_KERNEL);",
    "kmpair": "\tvoid *buffer = kmalloc(64, GFP_ATOMIC);\n\n\tkfree(buffer);",
    "kfree": "\tkfree(item);",
    "kfreelast": "\tvoid *last = xchg(&keep, NULL);\n\n\tkfree(last);",
    "kfreenull": "\tkfree(NULL);",
    "kfreercu": "\tkfree_rcu(item, head);",
    "callrcu": "\tcall_rcu(&item->head, item_free);",
    "free0": "\tfree_pages(pages, 0);",
    "free3": "\tfree_pages(pages, 3);",
    "free4": "\tfree_pages(pages, 4);",
    "alloc0": "\tpages = __get_free_pages(GFP_ATOMIC, 0);",
    "alloc4": "\tpages = __get_free_pages(GFP_ATOMIC, 4);",
    "alloc0k": "\tpages = __get_free_pages(GFP_KERNEL, 0);",
    "vmalloc": "\tkeep = vmalloc(PAGE_SIZE);",
    "vfree": "\tvfree(keep);",
    "cpusread": "\tcpus_read_lock();\n\tcpus_read_unlock();",
    "complete": "\tcomplete(&event);",
    "wakeup": "\twake_up(&waiters);",
    "swakeup": "\tswake_up_one(&simple_waiters);",
    "wakeproc": "\twake_up_process(helper);",
    "qwork": "\tqueue_work(system_wq, &job);",
    "qdwork": "\tqueue_delayed_work(system_wq, &later_job, HZ);",
    "irqwork": "\tirq_work_queue(&soft_iw);",
    "irqworkhard": "\tirq_work_queue(&hard_iw);",
    "printk": '\tpr_info("one line\\n");',
    "efires": "\tefi_mem_reserve_persistent(virt_to_phys((void *)pages), SZ_64K);",
    "msleep": "\tmsleep(5);",
    "udelay": "\tudelay(50);",
    "schedule": "\tschedule();",
    "condresched": "\tcond_resched();",
    "mightsleep": "\tmight_sleep();",
    "syncrcu": "\tsynchronize_rcu();",
    "flushwork": "\tflush_work(&job);",
    "random": "\titem->value = get_random_u32();",
    "timer": "\tmod_timer(&ticker, jiffies + HZ);",
    "timerdel": "\tdel_timer_sync(&ticker);",
    "ofnode": "\tof_node_put(of_get_cpu_node(0, NULL));",
    "ofprop": '\tof_property_read_u32(of_root, "#address-cells", &item->value);',
    "ioremap": "\tvoid __iomem *regs = ioremap(0x0a000000, PAGE_SIZE);\n\n"
    "\tif (regs)\n\t\tiounmap(regs);",
    "memremap": "\tvoid *map = memremap(virt_to_phys(item), 64, MEMREMAP_WB);\n\n"
    "\tif (map)\n\t\tmemunmap(map);",
    "smpcall": "\tsmp_call_function_single(0, ipi_nop, NULL, 1);",
    "remcpu": "\tremove_cpu(3);",
    "shutnb": "\tsmp_shutdown_nonboot_cpus(0);",
    "wfcdone": "\tcomplete(&event);\n\twait_for_completion(&event);",
    "wfctmo": "\twait_for_completion_timeout(&event, HZ);",
}


@dataclass(frozen=True)
class Context:
    """How a context is made: ``callback`` is the C of what the kernel calls (it
    calls ``op_@``), ``setup`` is the body of the function that hands it over, or
    the section itself. ``@`` stands for the cell's name."""

    setup: str
    callback: str = ""
    early: bool = False


CPU_CALLBACK = "static int cb_@(unsigned int cpu)\n{\n\top_@();\n\treturn 0;\n}\n"
VOID_CALLBACK = "static void cb_@(void *unused)\n{\n\top_@();\n}\n"
STOP_CALLBACK = "static int cb_@(void *unused)\n{\n\top_@();\n\treturn 0;\n}\n"
TIMER_CALLBACK = "static void cb_@(struct timer_list *timer)\n{\n\top_@();\n}\n"
HRTIMER_CALLBACK = (
    "static enum hrtimer_restart cb_@(struct hrtimer *timer)\n"
    "{\n\top_@();\n\treturn HRTIMER_NORESTART;\n}\nstatic struct hrtimer hr_@;\n"
)
IRQ_WORK_CALLBACK = "static void cb_@(struct irq_work *work)\n{\n\top_@();\n}\n"


def _cpuhp(call: str, state: str, startup: bool, more: str = "") -> str:
    callbacks = "cb_@, NULL" if startup else "NULL, cb_@"
    return f'\t{call}({state}, "cells:@", {callbacks});' + more


def _hrtimer(mode: str) -> Context:
    return Context(
        f"\thrtimer_init(&hr_@, CLOCK_MONOTONIC, {mode});\n"
        "\thr_@.function = cb_@;\n"
        f"\thrtimer_start(&hr_@, ms_to_ktime(2), {mode});",
        HRTIMER_CALLBACK,
    )


def _around(before: str, after: str, flags: bool = False) -> Context:
    return Context(f"{FLAGS if flags else ''}\t{before};\n\top_@();\n\t{after};")


SETUP, NOCALLS = "cpuhp_setup_state", "cpuhp_setup_state_nocalls"
ONLINE, PREPARE = "CPUHP_AP_ONLINE_DYN", "CPUHP_BP_PREPARE_DYN"

CONTEXTS = {
    "hp": Context(_cpuhp(NOCALLS, STATE, True), CPU_CALLBACK),
    "setup": Context(_cpuhp(SETUP, STATE, True), CPU_CALLBACK),
    "boot": Context(_cpuhp(NOCALLS, STATE, True), CPU_CALLBACK, early=True),
    "early": Context(_cpuhp(SETUP, STATE, True), CPU_CALLBACK, early=True),
    "dying": Context(_cpuhp(NOCALLS, STATE, False), CPU_CALLBACK),
    "rmdying": Context(
        _cpuhp(NOCALLS, STATE, False, f"\n\tcpuhp_remove_state({STATE});"), CPU_CALLBACK
    ),
    "online": Context(_cpuhp(SETUP, ONLINE, True), CPU_CALLBACK),
    "hponline": Context(_cpuhp(NOCALLS, ONLINE, True), CPU_CALLBACK),
    "offline": Context(_cpuhp(NOCALLS, ONLINE, False), CPU_CALLBACK),
    "prep": Context(_cpuhp(NOCALLS, PREPARE, True), CPU_CALLBACK),
    "dead": Context(_cpuhp(NOCALLS, PREPARE, False), CPU_CALLBACK),
    "task": Context("\top_@();"),
    "irqsoff": _around("local_irq_save(flags)", "local_irq_restore(flags)", flags=True),
    "preempt": _around("preempt_disable()", "preempt_enable()"),
    "migrate": _around("migrate_disable()", "migrate_enable()"),
    "bh": _around("local_bh_disable()", "local_bh_enable()"),
    "rcu": _around("rcu_read_lock()", "rcu_read_unlock()"),
    "rcusched": _around("rcu_read_lock_sched()", "rcu_read_unlock_sched()"),
    "rcubh": _around("rcu_read_lock_bh()", "rcu_read_unlock_bh()"),
    "raw": _around("raw_spin_lock(&rough_outer)", "raw_spin_unlock(&rough_outer)"),
    "rawirq": _around(
        "raw_spin_lock_irqsave(&rough_outer, flags)",
        "raw_spin_unlock_irqrestore(&rough_outer, flags)",
        flags=True,
    ),
    "spin": _around("spin_lock(&outer)", "spin_unlock(&outer)"),
    "spinirq": _around(
        "spin_lock_irqsave(&outer, flags)", "spin_unlock_irqrestore(&outer, flags)", flags=True
    ),
    "spinbh": _around("spin_lock_bh(&outer)", "spin_unlock_bh(&outer)"),
    "mutex": _around("mutex_lock(&patient_outer)", "mutex_unlock(&patient_outer)"),
    "cpusread": _around("cpus_read_lock()", "cpus_read_unlock()"),
    "nested": _around(
        "spin_lock(&outer);\n\traw_spin_lock(&rough_outer)",
        "raw_spin_unlock(&rough_outer);\n\tspin_unlock(&outer)",
    ),
    "hardirq": Context(
        "\tirq_work_queue_on(&iw_@, 1);",
        IRQ_WORK_CALLBACK + "static struct irq_work iw_@ = IRQ_WORK_INIT_HARD(cb_@);\n",
    ),
    "irqworknorm": Context(
        "\tirq_work_queue_on(&iw_@, 1);",
        IRQ_WORK_CALLBACK + "static struct irq_work iw_@ = IRQ_WORK_INIT(cb_@);\n",
    ),
    "ipi": Context("\tsmp_call_function_single(1, cb_@, NULL, 1);", VOID_CALLBACK),
    "ipiself": Context(
        "\tmigrate_disable();\n"
        "\tsmp_call_function_single(smp_processor_id(), cb_@, NULL, 1);\n"
        "\tmigrate_enable();",
        VOID_CALLBACK,
    ),
    "stop": Context("\tstop_machine(cb_@, NULL, NULL);", STOP_CALLBACK),
    "stopone": Context("\tstop_one_cpu(1, cb_@, NULL);", STOP_CALLBACK),
    "timer": Context(
        "\tmod_timer(&timer_@, jiffies + 1);",
        TIMER_CALLBACK + "static DEFINE_TIMER(timer_@, cb_@);\n",
    ),
    "timerirqsafe": Context(
        "\ttimer_setup(&timer_@, cb_@, TIMER_IRQSAFE);\n\tmod_timer(&timer_@, jiffies + 1);",
        TIMER_CALLBACK + "static struct timer_list timer_@;\n",
    ),
    "hrhard": _hrtimer("HRTIMER_MODE_REL_HARD"),
    "hrdef": _hrtimer("HRTIMER_MODE_REL"),
    "hrsoft": _hrtimer("HRTIMER_MODE_REL_SOFT"),
    "wq": Context(
        "\tschedule_work(&work_@);",
        "static void cb_@(struct work_struct *work)\n{\n\top_@();\n}\n"
        "static DECLARE_WORK(work_@, cb_@);\n",
    ),
    "rcucb": Context(
        "\tcall_rcu(&head_@, cb_@);",
        "static void cb_@(struct rcu_head *head)\n{\n\top_@();\n}\n"
        "static struct rcu_head head_@;\n",
    ),
    "tasklet": Context(
        "\ttasklet_schedule(&tasklet_@);",
        "static void cb_@(struct tasklet_struct *tasklet)\n{\n\top_@();\n}\n"
        "static DECLARE_TASKLET(tasklet_@, cb_@);\n",
    ),
}


@dataclass(frozen=True)
class Cell:
    """One observation; ``rt`` and ``nort`` are outcomes as cells.json names them."""

    context: str
    operation: str
    rt: str
    nort: str

    @property
    def function(self) -> str:
        """The generated function that holds the operation."""
        return f"op_{self.context}_{self.operation}"


def load() -> list[Cell]:
    """All recorded cells, sorted."""
    contexts = json.loads(DATA.read_text())["contexts"]
    return sorted(
        (
            Cell(context, operation, *outcomes.split())
            for context, groups in contexts.items()
            for outcomes, operations in groups.items()
            for operation in operations.split()
        ),
        key=lambda cell: (cell.context, cell.operation),
    )


def source(context: str, operations: list[str]) -> str:
    """The C file of one context."""
    how = CONTEXTS[context]
    lines = ["// SPDX-License-Identifier: GPL-2.0-or-later"]
    lines += [f"#include <linux/{header}.h>" for header in HEADERS]
    lines.append(OBJECTS)
    calls = []
    for operation in operations:
        name = f"{context}_{operation}"
        body = OPERATIONS[operation]
        lines.append(f"static noinline void op_{name}(void)\n{{\n{body}\n}}\n")
        init = "__init " if how.early else ""
        setup = f"static {init}void run_@(void)\n{{\n{how.setup}\n}}\n"
        lines.append((how.callback + "\n" + setup).replace("@", name))
        calls.append(f"\trun_{name}();")
    everything = "\n".join(["\tfill();", *calls, "\treturn 0;"])
    if how.early:
        lines.append(f"static int __init begin(void)\n{{\n{everything}\n}}")
        lines.append("early_initcall(begin);\n")
    else:
        lines.append(f"static int probe(struct platform_device *pdev)\n{{\n{everything}\n}}\n")
        lines.append(
            "static struct platform_driver cells = {\n\t.probe = probe,\n"
            f'\t.driver = {{ .name = "cells-{context}" }},\n}};\n'
            "builtin_platform_driver(cells);\n"
        )
    return "\n".join(lines)


def sources() -> dict[str, str]:
    """Every generated file: path relative to the tree -> text."""
    operations: dict[str, list[str]] = {}
    for cell in load():
        operations.setdefault(cell.context, []).append(cell.operation)
    return {
        f"{DIRECTORY}/{context}.c": source(context, names)
        for context, names in sorted(operations.items())
    }
