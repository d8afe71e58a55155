# SPDX-License-Identifier: GPL-2.0-or-later
"""Results as the analysis makes them, for the tests of the reports.

They follow three real kinds of bug: memory of the ITS freed by a STARTING
callback, a spinlock_t taken by the SDEI driver's callback after it was moved to
a STARTING state, and a mutex taken by an irq_mask operation. Line numbers and
source lines are made up.
"""

from __future__ import annotations

from typing import Any

import msgspec

from ctxlint.findings import suppressions
from ctxlint.findings.baseline import Baseline, entry_of
from ctxlint.findings.checkdoc import CheckDoc
from ctxlint.findings.fingerprint import with_fingerprints
from ctxlint.findings.model import (
    ContextInfo,
    Entry,
    Finding,
    Incomplete,
    Origin,
    Profile,
    Result,
    Run,
    State,
    Step,
    ToolInfo,
    TreeInfo,
    UnknownCallee,
    UntoldMember,
)
from ctxlint.findings.selection import Selection, apply

GIC = "drivers/irqchip/irq-gic-v3.c"
ITS = "drivers/irqchip/irq-gic-v3-its.c"
SDEI = "drivers/firmware/arm_sdei.c"
EXPANDER = "drivers/gpio/gpio-demo-expander.c"

RT = Profile(name="arm64-defconfig-rt", arch="arm64", rt=True, config="defconfig")
NORT = Profile(name="arm64-defconfig", arch="arm64", rt=False, config="defconfig")

STATE = "interrupts off, preemption off"
STARTING = f"CPU hotplug STARTING callback: {STATE}"

DOCS = (
    CheckDoc(
        id="rt-sleep-in-atomic",
        name="Operation that sleeps on PREEMPT_RT in atomic context",
        summary="An operation that sleeps on PREEMPT_RT is called where sleeping is forbidden.",
        help="An operation that sleeps on PREEMPT_RT.\n\n## Reports\n\nCalls `like_this()`.",
        level="error",
        help_uri="https://docs.kernel.org/locking/locktypes.html",
        tags=("preempt-rt", "concurrency"),
        rt_only=True,
    ),
    CheckDoc(
        id="sleep-in-atomic",
        name="Sleeping operation in atomic context",
        summary="An operation that may sleep is called where sleeping is forbidden.",
        help="An operation that may sleep.\n\n## Reports\n\nCalls.",
        level="error",
        help_uri="https://docs.kernel.org/kernel-hacking/locking.html",
        tags=("concurrency",),
    ),
    CheckDoc(
        id="unused-suppression",
        name="Suppression comment that suppresses nothing",
        summary="A comment that should suppress a finding suppresses nothing.",
        help="A comment that suppresses nothing.\n\n## Reports\n\nComments.",
        level="warning",
        help_uri="https://docs.kernel.org/dev-tools/checkpatch.html",
        tags=("maintainability",),
    ),
)


def state_in(context: str, *locks: str) -> State | None:
    """What the words of the samples stand for."""
    if not context or "not known" in context:
        return None
    return State(
        irqs="off" if "interrupts off" in context else "on",
        preempt="preemption off" not in context,
        nmi="in NMI" in context,
        hardirq="in hard interrupt" in context,
        softirq="in softirq" in context,
        rcu="RCU read side" in context,
        locks=locks,
    )


def _step(kind: str, function: str, file: str, line: int, column: int, **more: str) -> Step:
    return Step(
        kind=kind,
        function=function,
        file=file,
        line=line,
        column=column,
        note=more.get("note", ""),
        context=more.get("context", ""),
        text=more.get("text", ""),
        state=state_in(more.get("context", ""), *more.get("locks", "").split()),
    )


def _starting() -> ContextInfo:
    return ContextInfo(
        text=STARTING,
        irqs="off",
        preempt="on",
        nmi=False,
        hardirq=False,
        softirq=False,
        bh_disabled=False,
        rcu=False,
        locks=(),
        section="STARTING",
    )


def origin_of(finding: Finding) -> Origin:
    """Of a finding whose callback is called in atomic context."""
    entry = finding.entry
    return Origin(
        kind="callback",
        name=entry.kind.partition(".")[0],
        function=finding.path[0].function,
        file=entry.file,
        line=entry.line,
        text=f"{entry.function}() as {entry.state or entry.kind}",
    )


def same_origin(finding: Finding) -> Finding:
    """Another finding of the same origin: another call in the same function."""
    path = (
        *finding.path[:-1],
        msgspec.structs.replace(finding.path[-1], line=finding.line + 1),
    )
    return msgspec.structs.replace(
        finding, line=finding.line + 1, callee="msleep", path=path, text="\tmsleep(1);",
        message=finding.message.replace("mutex_lock", "msleep"), assumptions=(),
    )  # fmt: skip


def its_free() -> Finding:
    free = "\tfree_pages((unsigned long)page_address(pt), get_order(LPI_PENDBASE_SZ));"
    register = "\tcpuhp_setup_state_nocalls(CPUHP_AP_IRQ_GIC_STARTING,"
    return Finding(
        check="rt-sleep-in-atomic",
        severity="warning",
        profiles=(RT.name,),
        rt_only=True,
        message="free_pages() may sleep on PREEMPT_RT, and gic_starting_cpu() reaches it with "
        "interrupts off",
        file=ITS,
        line=2973,
        column=2,
        function="its_free_pending_table",
        callee="free_pages",
        operation="free-on-rt",
        why="on PREEMPT_RT, free_pages() may take zone->lock, a spinlock_t and so a lock that "
        "sleeps there",
        certainty="may",
        entry=Entry(
            kind="CPU hotplug STARTING callback",
            function="gic_starting_cpu",
            file=GIC,
            line=1465,
            state="CPUHP_AP_IRQ_GIC_STARTING",
        ),
        context=_starting(),
        path=(
            _step(
                "registration",
                "gic_smp_init",
                GIC,
                1465,
                2,
                note="registers gic_starting_cpu() for CPUHP_AP_IRQ_GIC_STARTING",
                text=register,
            ),
            _step(
                "entry",
                "gic_starting_cpu",
                GIC,
                1369,
                12,
                note="runs with interrupts off on the CPU that comes up, before it is online",
                context=STARTING,
            ),
            _step(
                "call",
                "gic_starting_cpu",
                GIC,
                1375,
                3,
                note="calls its_cpu_init()",
                context=STATE,
                text="\t\tits_cpu_init();",
            ),
            _step(
                "call",
                "its_cpu_init",
                ITS,
                5336,
                3,
                note="calls its_cpu_init_lpis()",
                context=STATE,
                text="\t\tits_cpu_init_lpis();",
            ),
            _step(
                "call",
                "its_cpu_init_lpis",
                ITS,
                3170,
                3,
                note="calls its_free_pending_table()",
                context=STATE,
                text="\t\tits_free_pending_table(pend_page);",
            ),
            _step(
                "operation",
                "its_free_pending_table",
                ITS,
                2973,
                2,
                note="calls free_pages()",
                context=STATE,
                text=free,
            ),
        ),
        assumptions=(
            f"`gic_dist_supports_lpis()` is true in gic_starting_cpu() ({GIC}:1374)",
            "`gic_data_rdist()->flags & RD_LOCAL_PENDTABLE_PREALLOCATED` is true in "
            f"its_cpu_init_lpis() ({ITS}:3169)",
        ),
        fingerprint="",
        text=free,
    )


def sdei_lock() -> Finding:
    return Finding(
        check="rt-sleep-in-atomic",
        severity="error",
        profiles=(RT.name,),
        rt_only=True,
        message="spin_lock() sleeps on PREEMPT_RT, and sdei_cpuhp_up() calls it with "
        "interrupts off",
        file=SDEI,
        line=684,
        column=2,
        function="sdei_cpuhp_up",
        callee="spin_lock",
        operation="spinlock-on-rt",
        why="on PREEMPT_RT, spin_lock() on sdei_list_lock takes an rtmutex and schedules when "
        "the lock is contended",
        certainty="certain",
        entry=Entry(
            kind="CPU hotplug STARTING callback",
            function="sdei_cpuhp_up",
            file=SDEI,
            line=1007,
            state="CPUHP_AP_ARM_SDEI_STARTING",
        ),
        context=_starting(),
        path=(
            _step(
                "registration",
                "sdei_probe",
                SDEI,
                1007,
                8,
                note="registers sdei_cpuhp_up() for CPUHP_AP_ARM_SDEI_STARTING",
                text='\terr = cpuhp_setup_state(CPUHP_AP_ARM_SDEI_STARTING, "SDEI",',
            ),
            _step(
                "entry",
                "sdei_cpuhp_up",
                SDEI,
                678,
                12,
                note="runs with interrupts off on the CPU that comes up, before it is online",
                context=STARTING,
            ),
            _step(
                "operation",
                "sdei_cpuhp_up",
                SDEI,
                684,
                2,
                note="calls spin_lock()",
                context=STATE,
                text="\tspin_lock(&sdei_list_lock);",
            ),
        ),
        assumptions=(),
        fingerprint="",
        text="\tspin_lock(&sdei_list_lock);",
    )


def irq_mask_mutex() -> Finding:
    raw = "irq_chip operation: interrupts off, preemption off"
    update = "interrupts off, preemption off, raw spinlock chip->bank_lock held"
    lock = "\tmutex_lock(&chip->io_lock);"
    return Finding(
        check="sleep-in-atomic",
        severity="error",
        profiles=(NORT.name, RT.name),
        rt_only=False,
        message="mutex_lock() sleeps, and expander_irq_mask() reaches it with a "
        "raw_spinlock_t held",
        file=EXPANDER,
        line=88,
        column=2,
        function="expander_write",
        callee="mutex_lock",
        operation="mutex",
        why="mutex_lock() schedules when the mutex is contended, on every kernel",
        certainty="certain",
        entry=Entry(
            kind="irq_chip operation",
            function="expander_irq_mask",
            file=EXPANDER,
            line=151,
        ),
        context=ContextInfo(
            text=update,
            irqs="off",
            preempt="off",
            nmi=False,
            hardirq=False,
            softirq=False,
            bh_disabled=False,
            rcu=False,
            locks=("irq_desc.lock", "chip->bank_lock"),
        ),
        path=(
            _step(
                "registration",
                "",
                EXPANDER,
                151,
                2,
                note="expander_irq_mask() is the irq_mask of expander_irq_chip",
                text="\t.irq_mask\t= expander_irq_mask,",
            ),
            _step(
                "entry",
                "expander_irq_mask",
                EXPANDER,
                120,
                13,
                note="called by the interrupt core",
                context=raw,
                locks="irq_desc.lock",
            ),
            _step(
                "state",
                "expander_irq_mask",
                EXPANDER,
                125,
                2,
                note="takes chip->bank_lock",
                context=update,
                locks="irq_desc.lock chip->bank_lock",
                text="\traw_spin_lock_irqsave(&chip->bank_lock, flags);",
            ),
            _step(
                "indirect-call",
                "expander_irq_mask",
                EXPANDER,
                127,
                2,
                note="calls expander_write() through chip->ops->write",
                context=update,
                locks="irq_desc.lock chip->bank_lock",
                text="\tchip->ops->write(chip, EXPANDER_INT_MASK + d->hwirq / 8, d->mask, 1);",
            ),
            _step(
                "operation",
                "expander_write",
                EXPANDER,
                88,
                2,
                note="",
                context=update,
                locks="irq_desc.lock chip->bank_lock",
                text=lock,
            ),
        ),
        assumptions=("chip->ops->write is expander_write() here",),
        fingerprint="",
        text=lock,
    )


def _with_origin(finding: Finding) -> Finding:
    if not finding.path or finding.origin is not None:
        return finding
    return msgspec.structs.replace(finding, origin=origin_of(finding))


def result(*findings: Finding, **changes: object) -> Result:
    fields: dict[str, object] = {
        "tool": ToolInfo(name="ctxlint", version="0.1.0"),
        "tree": TreeInfo(version="6.12.117", commit=None),
        "profiles": (NORT, RT),
        "findings": with_fingerprints(_with_origin(f) for f in findings),
        "incomplete": (),
        "uncovered": (),
        "unknown_callees": (),
        "statistics": {"units": 154},
    }
    return Result(**(fields | changes))  # type: ignore[arg-type]


def full() -> Result:
    return result(
        its_free(),
        sdei_lock(),
        irq_mask_mutex(),
        tree=TreeInfo(version="6.12.117", commit="0123456789abcdef0123456789abcdef01234567"),
        run=Run(date="2026-01-02 03:04 UTC", command="ctxlint audit drivers --format html"),
        incomplete=(
            Incomplete(
                file="drivers/firmware/demo_fw.c",
                profile=RT.name,
                reason="does not parse",
                detail="drivers/firmware/demo_fw.c:12:1: error: unknown type name 'demo_t'",
            ),
            Incomplete(
                file="drivers/irqchip/irq-demo.c",
                profile=RT.name,
                reason="timed out after 60 s",
            ),
        ),
        uncovered=("drivers/irqchip/irq-demo-mips.c", "drivers/irqchip/irq-demo-arc.c"),
        unknown_callees=(
            UnknownCallee(
                callee="demo_smc", reason="no body and no rule", count=7, example=f"{SDEI}:99"
            ),
            UnknownCallee(
                callee="ops->poke", reason="unresolved pointer", count=1, example=f"{ITS}:10"
            ),
        ),
        untold=(
            UntoldMember(member="demo_ops.mask", count=1, example=f"{SDEI}:120"),
            UntoldMember(member="demo_ops.poke", count=3, example=f"{ITS}:20"),
        ),
    )


def selected() -> Result:
    """One finding suppressed by a comment, one known, one new, one comment that
    suppresses nothing, and an entry of the baseline that is stale."""
    sdei = (
        "\n" * 682 + "{\n\tspin_lock(&l); /* ctxlint: allow(rt-sleep-in-atomic) a [test] */\n}"
    )
    its = "/* ctxlint: allow(sleep-in-atomic) was fixed */\n"
    before = result(its_free(), sdei_lock(), irq_mask_mutex())
    gone = entry_of(
        msgspec.structs.replace(its_free(), function="its_gone", fingerprint="0" * 32)
    )
    known = entry_of(before.findings[1], "waits for [PATCH 1/2]")
    return apply(
        msgspec.structs.replace(
            before,
            paths=("drivers",),
            suppressions=(
                *suppressions.of_text(ITS, its),
                *suppressions.of_text(SDEI, sdei),
            ),
        ),
        Selection(baseline=Baseline(entries=(known, gone))),
        DOCS,
    )


def poisoned(text: str) -> Result:
    """The full result with ``text`` in the middle of every string but the ids."""
    made: Result = _poison(full(), text)
    return made


def _poison(item: Any, text: str) -> Any:
    """Every string inside of ``item`` with ``text`` in its middle."""
    if isinstance(item, str):
        return item[:3] + text + item[3:]
    if isinstance(item, tuple):
        return tuple(_poison(part, text) for part in item)
    if isinstance(item, dict):
        return item
    if isinstance(item, msgspec.Struct):
        fields = {
            field: _poison(getattr(item, field), text) for field in item.__struct_fields__
        }
        kept = {
            field: getattr(item, field)
            for field in ("check", "severity", "kind", "certainty", "fingerprint")
            if field in fields
        }
        return type(item)(**(fields | kept))
    return item
