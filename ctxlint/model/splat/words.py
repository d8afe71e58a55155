# SPDX-License-Identifier: GPL-2.0-or-later
"""What a splat says, for people who do not read splats every day."""

from __future__ import annotations

from ctxlint.model.splat import types as t
from ctxlint.model.splat.format import sections
from ctxlint.model.splat.rules import SplatRules
from ctxlint.model.splat.types import Record


def headline(splat: Record) -> str:
    """The line that the kernel begins with (the one that names the fault)."""
    if isinstance(splat, t.WaitContext | t.LockState | t.Lockdep):
        return sections(splat)[0][1][2 if splat.lead else 1].strip("[] ")
    if isinstance(splat, t.Oops):
        return splat.fault or splat.error
    pieces = dict(sections(splat))
    return pieces["head"][0]


def what(splat: Record, rules: SplatRules) -> str:
    """One sentence on what is wrong."""
    match splat:
        case t.Sleeping():
            return _sleeping(splat, rules)
        case t.Scheduling():
            count = splat.preempt_count
            return f"the scheduler was entered in atomic context (preempt count {count:x})"
        case t.NonBlocking():
            return "the scheduler was entered in a section that must not block"
        case t.IdleScheduling():
            return "the idle task gave up its CPU, which it must never do"
        case t.Assuming():
            return f"code that counts on {splat.what} context was called outside of it"
        case t.Preemptible():
            return f"{splat.operation}() was used where the task can move to another CPU"
        case t.Warn():
            return "a condition that should never be true was true"
        case t.Bug():
            return "a condition that must never be true was true; the task was killed"
        case t.Oops():
            return "an exception in the kernel; the task was killed"
        case t.Panic():
            return "the kernel stopped"
        case t.WaitContext():
            name = splat.lock.name if splat.lock is not None else "a lock"
            kind = _WAITS.get(splat.lock.inner if splat.lock is not None else 0, "waits")
            return (
                f"{name} {kind}, which {_ALLOWS.get(splat.context[1], 'is not allowed here')}"
            )
        case t.LockState():
            name = splat.lock.name if splat.lock is not None else "a lock"
            return f"{name} is used as {splat.before} and as {splat.now}: it can deadlock"
        case t.Lockdep():
            return "lockdep found a way to deadlock, or a rule that was broken"
        case t.HotplugFailure():
            way = "coming up" if splat.direction == "UP" else "going down"
            below = " or the next higher one" if splat.direction == "DOWN" else ""
            return (
                f"a hotplug callback failed on CPU {splat.on} {way}, where failures are "
                f"ignored: state {splat.state}{below}"
            )
        case t.CpuFailure():
            return f"CPU {splat.on} did not do what hotplug asked of it"
        case t.Notice():
            return splat.topic


_WAITS = {
    2: "spins",
    3: "may sleep on PREEMPT_RT (wait type 3)",
    4: "may sleep (wait type 4)",
}
_ALLOWS = {
    2: "must not happen where only spinning is allowed (wait type 2)",
    3: "must not happen where only spinlock_t may be waited for (wait type 3)",
    5: "must not happen under the locks that the task holds",
}


def _sleeping(splat: t.Sleeping, rules: SplatRules) -> str:
    operation = rules.book.operations.get(rules.operation_of(splat.file))
    name = operation.title if operation is not None else "an operation that may sleep"
    nested = splat.rcu_depth is not None and splat.rcu_depth > splat.rcu_expected
    if nested and not splat.in_atomic and not splat.irqs_disabled:
        return f"{name} inside an RCU read side section"
    if splat.non_block:
        return f"{name} in a section that must not block"
    return f"{name} where sleeping is not allowed"


def place(splat: Record) -> str:
    """``file:line`` that the splat names, ``""`` when it names none."""
    file = getattr(splat, "file", "")
    return f"{file}:{splat.line}" if file else ""  # type: ignore[union-attr]


def task(splat: Record) -> str:
    """CPU and task, ``""`` for kinds without."""
    if splat.cpu is None and not splat.name:
        return ""
    where = f"CPU {splat.cpu}, " if splat.cpu is not None else ""
    who = f"{splat.name} (pid {splat.pid})" if splat.name else f"pid {splat.pid}"
    return where + who
