# SPDX-License-Identifier: GPL-2.0-or-later
"""What a splat says, for people who do not read splats every day."""

from __future__ import annotations

import re

from ctxlint.kernel_log import lockdep, trace
from ctxlint.kernel_log import types as t
from ctxlint.kernel_log.context import count_of, names
from ctxlint.kernel_log.format import sections
from ctxlint.kernel_log.rules import SplatRules
from ctxlint.kernel_log.types import HeldLock, Record


def headline(splat: Record) -> str:
    """The line that the kernel begins with (the one that names the fault)."""
    if isinstance(splat, t.WaitContext | t.LockState | t.Lockdep):
        return sections(splat)[0][1][2 if splat.lead else 1].strip("[] ")
    if isinstance(splat, t.Oops):
        return splat.fault or splat.error
    if isinstance(splat, t.Stall | t.Sanitizer):
        return splat.text
    pieces = dict(sections(splat))
    return pieces["head"][0]


def what(splat: Record, rules: SplatRules) -> str:
    """One sentence on what is wrong."""
    match splat:
        case t.Sleeping():
            return _sleeping(splat, rules)
        case t.Scheduling():
            return _scheduling(splat)
        case t.NonBlocking():
            return "the scheduler was entered in a section that must not block"
        case t.IdleScheduling():
            return "the idle task gave up its CPU, which it must never do"
        case t.Assuming():
            return f"code that relies on {splat.what} context was called outside it"
        case t.Preemptible():
            return f"{splat.operation}() was used where the task can migrate to another CPU"
        case t.Warn():
            if splat.message and splat.message[0].strip():
                return f"the kernel warns: {splat.message[0].strip()}"
            return "a condition that should never be true was true"
        case t.Bug():
            return "a condition that must never be true was true; the task was killed"
        case t.Oops():
            return "an exception in the kernel; the task was killed"
        case t.Panic():
            return "the kernel stopped"
        case t.WaitContext():
            return _wait_context(splat)
        case t.LockState():
            name = splat.lock.name if splat.lock is not None else "a lock"
            return f"{name} is used as {splat.before} and as {splat.now}: it can deadlock"
        case t.Lockdep():
            return _lockdep(splat)
        case t.WorkqueueLeak():
            return _leak(splat)
        case t.SpinlockBug():
            return _spinlock(splat)
        case t.Stall():
            return _stall(splat)
        case t.Sanitizer():
            return (
                f"{splat.text.removeprefix('BUG: ')}; {splat.tool} reports do not concern "
                "contexts and are not analysed"
            )
        case t.HotplugFailure():
            way = "coming up" if splat.direction == "UP" else "going down"
            below = " or the next higher one" if splat.direction == "DOWN" else ""
            return (
                f"a hotplug callback failed on CPU {splat.on} {way}, where failures are "
                f"ignored: state {splat.state}{below}"
            )
        case t.CpuFailure():
            error = f" (error {splat.error})" if splat.error is not None else ""
            if "boot" in splat.what or "come online" in splat.what:
                return f"CPU {splat.on} did not boot{error}"
            return f"CPU {splat.on} did not do what hotplug requested{error}"
        case t.Notice():
            return splat.topic


def said(splat: Record) -> tuple[str, ...]:
    """The kernel's own words that are neither the headline nor a field."""
    match splat:
        case t.Warn() | t.Bug():
            return tuple(line for line in splat.message if line.strip())
        case t.Lockdep():
            report = lockdep.read(splat)
            return (report.rule,) if report.rule else ()
        case t.Preemptible():
            return (f"caller is {splat.caller.strip()}",) if splat.caller.strip() else ()
        case t.Stall() | t.Oops():
            told = (line.strip() for line in splat.info if not _TASK_STRUCT.match(line))
            return tuple(line for line in told if line)[:_SAID]
    return ()


def _taken(by: tuple[str, ...], rules: SplatRules) -> str:
    """By which locking function, and in which one that is none."""
    if not by:
        return ""
    caller = next((name for name in by if not _locks(name, rules)), by[0])
    return f", taken by {by[0]}()" + (f" in {caller}()" if caller != by[0] else "")


def _locks(name: str, rules: SplatRules) -> bool:
    rule = rules.api(name)
    return rule is not None and rule.api.effect is not None


_SAID = 12
_TASK_STRUCT = re.compile(r"\s*task: ?[0-9a-f]{8,16} ")


def locks(splat: Record, rules: SplatRules) -> tuple[tuple[str, str], ...]:
    """The locks of a splat as (what of it, lock): wanted, held, and the chain between."""
    out: list[tuple[str, str]] = []
    nested: bool | None = None
    if isinstance(splat, t.Lockdep | t.LockState | t.WaitContext):
        report = lockdep.read(splat)
        if isinstance(splat, t.WaitContext):
            nested = lockdep.nesting(splat)
        if report.wanted is not None:
            out.append(("waits for" if report.waits else "takes", _lock(report.wanted, nested)))
        if report.holding is not None:
            out.append(("holds", _lock(report.holding, nested)))
        out += [("chain", name + _taken(by, rules)) for name, by in report.chain]
        if report.order:
            out.append(("order", report.order))
        out += [("scenario", line) for line in report.scenario]
    if splat.held is not None:
        out += [("held", _lock(lock, nested)) for lock in splat.held.locks]
    return tuple(out)


def _lock(lock: HeldLock, nested: bool | None) -> str:
    if not lock.name:
        return "a lock that has been released since"
    types = f" {{{lock.outer}:{lock.inner}}}" if lock.inner is not None else ""
    kind = lockdep.wait_kind(lock.inner, nested) if nested is not None else ""
    where = f" at {lock.where}" if lock.where else ""
    return f"{lock.name}{types}{f' ({kind})' if kind else ''}{where}"


def _scheduling(splat: t.Scheduling) -> str:
    count = count_of(splat)
    if count is not None and count.value is None:
        return (
            f"the preempt count is too low ({splat.preempt_count:#x}): preemption was enabled "
            "once too often (underflow)"
        )
    return (
        "the scheduler was entered in atomic context "
        f"(preempt count {splat.preempt_count:x}, including 1 of its own)"
    )


def _wait_context(splat: t.WaitContext) -> str:
    lock = splat.lock
    if lock is None:
        return "a lock may wait in a way that the context does not allow"
    nested = lockdep.nesting(splat)
    wanted = f"{lock.name} ({lockdep.wait_kind(lock.inner, nested)})"
    outer = [] if splat.held is None else splat.held.locks
    inside = [x for x in outer if x.inner is not None and 0 < x.inner < (lock.inner or 0)]
    if inside:
        held = inside[-1]
        kind = lockdep.wait_kind(held.inner, nested)
        text = f"{wanted} is taken under {held.name} ({kind})"
        return text if nested is not False else text + _UNNESTED
    allowed = _ALLOWS.get(splat.context[1], "") if splat.context is not None else ""
    return f"{wanted} is taken where {allowed or 'it may not be waited for'}"


_UNNESTED = (
    "; this kernel does not distinguish spinlock_t and raw_spinlock_t (no "
    "PROVE_RAW_LOCK_NESTING), so 3 is the type of sleeping locks"
)
_ALLOWS = {
    2: "only spinning is allowed (a hard interrupt, or under a spinning lock)",
    3: "only spinlock_t may be waited for (softirq or a threaded interrupt)",
}


def _lockdep(splat: t.Lockdep) -> str:
    report = lockdep.read(splat)
    wanted = report.wanted.name if report.wanted is not None else "a lock"
    holding = report.holding.name if report.holding is not None else "another"
    title = splat.title
    if report.rule:
        return f"an RCU rule is violated: {report.rule}"
    if "circular" in title:
        verb = "waited for" if report.waits else "taken"
        return (
            f"{wanted} is {verb} while {holding} is held, which elsewhere is taken inside "
            "it: two tasks can wait for each other"
        )
    if "recursive" in title:
        if report.wanted is not None and report.holding is not None:
            taken = trace.symbol_of(report.wanted.where) or report.wanted.where
            before = trace.symbol_of(report.holding.where) or report.holding.where
            return (
                f"{wanted} is taken by {taken} while it, or another lock of its class, is held "
                f"since {before}"
            )
        return f"{wanted} is taken while a lock of its class is held"
    if "unlock balance" in title:
        return f"{wanted} is released but not held"
    if "lock order" in title or "inversion" in title:
        return (
            f"{wanted} and {holding} are taken so that an interrupt between them can deadlock"
            if report.holding is not None
            else f"{wanted} is used so that an interrupt can deadlock"
        )
    if "non-static key" in title:
        return "a lock is taken that was never initialised, or that lockdep cannot tell apart"
    if "held lock freed" in title:
        return f"memory is freed while {wanted}, a lock in it, is held"
    locks_ = ", ".join(lock.name for lock in splat.held.locks) if splat.held else ""
    if "returning to user space" in title:
        return f"a system call returns with locks held: {locks_ or 'not listed'}"
    if "still has locks held" in title:
        return f"a task ends or freezes with locks held: {locks_ or 'not listed'}"
    return "a lockdep rule is violated"


def _leak(splat: t.WorkqueueLeak) -> str:
    found = []
    if splat.preempt_count:
        found.append(f"preempt count {splat.preempt_count:x}")
    for pair, what_ in ((splat.locks, "locks"), (splat.rcu, "RCU read lock")):
        if pair is not None and pair[0] != pair[1]:
            found.append(f"{what_} {pair[0]}->{pair[1]}")
    leaked = ", ".join(found) or splat.what
    return f"{leaked} leaked by {splat.function or 'a work function'}"


_SECONDS = re.compile(r"(?:stuck for|more than) (\d{1,9})s?\b")
_WHO = (
    re.compile(r"(?P<who>\w+) (?:self-)?detected (?:expedited )?stall"),
    re.compile(r"CPU ?(?P<cpu>\d{1,9})(?:: .*)? self-detected hard LOCKUP @ (?P<at>\S+)"),
    re.compile(r"hard LOCKUP on other CPUs (?P<cpu>\S+)"),
    re.compile(r"hard LOCKUP on cpu (?P<cpu>\d{1,9})"),
    re.compile(r"pool cpus=(?P<pool>\S+)"),
    re.compile(r"irq (?P<irq>\d{1,9}): nobody cared"),
)


def _stall(splat: t.Stall) -> str:
    words = [splat.topic]
    found = next((m for m in (p.search(splat.text) for p in _WHO) if m is not None), None)
    groups = found.groupdict() if found is not None else {}
    if groups.get("who"):
        words.append(groups["who"])
    if groups.get("cpu") or splat.cpu is not None:
        words.append(f"CPU {groups.get('cpu') or splat.cpu}")
    if groups.get("at"):
        words.append(f"in {groups['at']}")
    if groups.get("pool"):
        words.append(f"pool of CPU {groups['pool']}")
    if groups.get("irq"):
        words.append(f"interrupt {groups['irq']}")
    seconds = _SECONDS.search(splat.text)
    if seconds is not None:
        words.append(f"{seconds[1]} s")
    return ", ".join(words)


def _spinlock(splat: t.SpinlockBug) -> str:
    if not splat.lock:
        return f"{splat.lock_type}: {splat.what}"
    text = f"{splat.lock_type} {splat.lock.partition('+')[0]}: {splat.what}"
    if splat.what == "bad magic" and splat.magic.strip("0") == "":
        text += f" {splat.magic}, it was never initialised"
    owner = splat.owner if splat.owner not in ("", "<none>") else ""
    return f"{text}, held by {owner} (pid {splat.owner_pid})" if owner else f"{text}, no owner"


def _sleeping(splat: t.Sleeping, rules: SplatRules) -> str:
    name, by = _operation(splat, rules)
    function = f" ({by})" if by else ""
    nested = splat.rcu_depth is not None and splat.rcu_depth > splat.rcu_expected
    if nested and not splat.in_atomic and not splat.irqs_disabled:
        return f"{name}{function} inside an RCU read side section"
    if splat.non_block:
        return f"{name}{function} in a section that must not block"
    return f"{name}{function} where sleeping is not allowed"


def _operation(splat: t.Sleeping, rules: SplatRules) -> tuple[str, str]:
    """What sleeps: the operation's title, and the function when the stack tells it."""
    operation = rules.book.operations.get(rules.operation_of(splat.file))
    for name in names(splat, rules)[:_INNER]:
        rule = rules.api(name)
        if rule is None or not any(case.level != "spin" for case in rule.api.requires):
            continue
        own = rules.book.operations.get(rule.api.operation)
        if operation is None:
            return (own.title, name) if own is not None else (f"{name}()", "")
        break
    return (operation.title if operation is not None else "an operation that may sleep"), ""


_INNER = 4
"""The operation is so near to the end of the stack."""


def place(splat: Record) -> str:
    """``file:line`` that the splat names, ``""`` when it names none."""
    if isinstance(splat, t.Lockdep):
        report = lockdep.read(splat)
        return f"{report.file}:{report.line}" if report.file else ""
    file = getattr(splat, "file", "")
    return f"{file}:{splat.line}" if file else ""  # type: ignore[union-attr]


def task(splat: Record) -> str:
    """CPU and task, ``""`` for kinds without."""
    name, pid = splat.name, splat.pid
    if not name and isinstance(splat, t.Lockdep) and (report := lockdep.read(splat)).task:
        name, pid = report.task, report.pid or 0
    if not name and splat.held is not None and splat.held.name:
        name, pid = splat.held.name, splat.held.pid
    if splat.cpu is None and not name:
        return ""
    where = f"CPU {splat.cpu}" if splat.cpu is not None else ""
    if not name and isinstance(splat, t.Stall) and not splat.frames:
        return where
    who = f"{name} (pid {pid})" if name else f"pid {pid}"
    return f"{where}, {who}" if where else who
