# SPDX-License-Identifier: GPL-2.0-or-later
"""The kinds of splats: how each begins, and its sections in the order of Linux 6.12."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ctxlint.kernel_log import sections as s
from ctxlint.kernel_log import types as t
from ctxlint.kernel_log.fields import Fields, Lines, values
from ctxlint.kernel_log.sections import Section


class Kind(NamedTuple):
    """``head`` matches the whole headline and names fields; ``single``: one line."""

    record: type[Any]
    head: re.Pattern[str]
    sections: tuple[Section, ...]
    single: bool = False


def _head(
    record: type[Any],
    pattern: str,
    write: Callable[[Any], str],
    read: Callable[[re.Match[str]], Fields] | None,
) -> tuple[re.Pattern[str], Section]:
    compiled = re.compile(pattern)

    def read_head(lines: Lines) -> Fields:
        found = compiled.fullmatch(lines[0])
        if found is None:
            return {}
        return values(found, record) if read is None else read(found)

    return compiled, Section("head", None, read_head, lambda splat: [write(splat)])


def _kind(
    record: type[Any],
    pattern: str,
    write: Callable[[Any], str],
    *sections: Section,
    before: tuple[Section, ...] = (),
    single: bool = False,
    read: Callable[[re.Match[str]], Fields] | None = None,
) -> Kind:
    compiled, head = _head(record, pattern, write, read)
    return Kind(record, compiled, (*before, head, *sections), single)


def _warning(w: t.Warn) -> str:
    file = f"{w.file}:{w.line} " if w.file else ""
    if w.bare:
        return f"WARNING: at {file}{w.where}".rstrip()
    if w.named:
        return f"WARNING: {file}at {w.where}, CPU#{w.cpu or 0}: {w.name}/{w.pid}"
    return f"WARNING: CPU: {w.cpu or 0} PID: {w.pid} at {file}{w.where}"


_AT = r"(?P<file>\S+):(?P<line>\d{1,9})"
_TASK = r"(?P<name>.*)/(?P<pid>\d{1,10})"
_WARNED = (
    rf"WARNING: (?:CPU: (?P<cpu>\d{{1,9}}) PID: (?P<pid>\d{{1,10}}) at "
    rf"(?:{_AT} )?(?P<where>(?!\S+:\d+$)\S.*)"
    r"|(?:(?P<file2>\S+):(?P<line2>\d{1,9}) )?at (?P<where2>\S.*), CPU#(?P<cpu2>\d{1,9}): "
    r"(?P<name2>.*)/(?P<pid2>\d{1,10})"
    r"|at (?P<file3>\S+):(?P<line3>\d{1,9})(?: (?P<where3>(?:0x[0-9a-f]+ )?[\w.]+\+0x\S.*))?)"
)


def _read_warning(found: re.Match[str]) -> Fields:
    if found["file3"] is not None:
        old: Fields = {"bare": True, "file": found["file3"], "line": int(found["line3"])}
        return {**old, "where": found["where3"] or ""}
    named = found["cpu2"] is not None
    end = "2" if named else ""
    out: Fields = {"named": named, "where": found["where" + end]}
    out |= {"cpu": int(found["cpu" + end]), "pid": int(found["pid" + end])}
    if found["file" + end] is not None:
        out |= {"file": found["file" + end], "line": int(found["line" + end])}
    return {**out, "name": found["name2"]} if named else out


def _leak(x: t.WorkqueueLeak) -> str:
    if x.what == "lock or atomic":
        task = f"{x.name}/0x{x.preempt_count:08x}/{x.pid}"
    else:
        task = f"{x.name}[{x.pid}]"
    return f"BUG: workqueue leaked {x.what}: {task}"


def _read_leak(found: re.Match[str]) -> Fields:
    if found["what"] is not None:
        return {"what": found["what"], "name": found["name"], "pid": int(found["pid"])}
    return {
        "what": found["what2"],
        "name": found["name2"],
        "pid": int(found["pid2"]),
        "preempt_count": int(found["count"], 16),
    }


SIMPLE: tuple[Kind, ...] = (
    _kind(
        t.Sleeping,
        rf"BUG: sleeping function called from invalid context at {_AT}",
        lambda x: f"BUG: sleeping function called from invalid context at {x.file}:{x.line}",
        s.ATOMIC, s.COUNT, s.RCU, s.HELD, s.IRQS, s.DISABLED, *s.STACK,
    ),
    _kind(
        t.Scheduling,
        rf"BUG: scheduling while atomic: {_TASK}/0x(?P<x_preempt_count>[0-9a-f]{{1,16}})",
        lambda x: f"BUG: scheduling while atomic: {x.name}/{x.pid}/0x{x.preempt_count:08x}",
        s.HELD, s.MODULES, s.IRQS, s.DISABLED, *s.STACK,
    ),
    _kind(
        t.NonBlocking,
        rf"BUG: scheduling in a non-blocking section: {_TASK}/(?P<depth>-?\d{{1,10}})",
        lambda x: f"BUG: scheduling in a non-blocking section: {x.name}/{x.pid}/{x.depth}",
        *s.STACK,
    ),
    _kind(
        t.IdleScheduling,
        r"bad: scheduling from the idle thread!",
        lambda _: "bad: scheduling from the idle thread!",
        *s.STACK,
    ),
    _kind(
        t.Assuming,
        rf"BUG: assuming (?P<what>atomic|non migratable) context at {_AT}",
        lambda x: f"BUG: assuming {x.what} context at {x.file}:{x.line}",
        s.ATOMIC, s.HELD, *s.STACK,
    ),
    _kind(
        t.Preemptible,
        r"BUG: using (?P<operation>\S+)\(\) in preemptible "
        r"(?:\[(?P<x_preempt_count>[0-9a-f]{1,16})\]"
        rf" code: {_TASK}|\[\.{{2,3}}\](?: code: .*)?)",
        lambda x: f"BUG: using {x.operation}() in preemptible [{x.preempt_count:08x}]"
        f" code: {x.name}/{x.pid}" if x.preempt_count is not None
        else f"BUG: using {x.operation}() in preemptible [..]",
        s.text_line("caller", "caller is ", "caller"), *s.STACK,
    ),
    _kind(
        t.WorkqueueLeak,
        r"BUG: workqueue leaked (?:(?P<what>atomic, lock or RCU): (?P<name>.*)"
        r"\[(?P<pid>\d{1,10})\]"
        r"|(?P<what2>lock or atomic): (?P<name2>.*)/0x(?P<count>[0-9a-f]{1,8})"
        r"/(?P<pid2>\d{1,10}))",
        _leak,
        s.LEAK, s.HELD, *s.STACK,
        read=_read_leak,
    ),
    _kind(
        t.SpinlockBug,
        r"BUG: (?P<lock_type>spinlock|rwlock) (?P<what>.*) on CPU#(?P<cpu>\d{1,9}), "
        r"(?P<name>.*)/(?P<pid>\d{1,10})(?:, (?P<address>[0-9a-f]+))?",
        lambda x: f"BUG: {x.lock_type} {x.what} on CPU#{x.cpu or 0}, {x.name}/{x.pid}"
        + (f", {x.address}" if x.address else ""),
        s.OWNER, *s.STACK,
    ),
    _kind(
        t.Panic,
        r"Kernel panic - not syncing: (?P<reason>.*)",
        lambda x: f"Kernel panic - not syncing: {x.reason}",
        *s.STACK,
    ),
)  # fmt: skip

WARN = _kind(
    t.Warn,
    _WARNED,
    _warning,
    s.MODULES, *s.TASK, s.REGISTERS, s.TRACE, s.INTERRUPTED, s.IRQS, s.END,
    before=(s.CUT_HERE, s.MESSAGE),
    read=_read_warning,
)  # fmt: skip

BUG = _kind(
    t.Bug,
    rf"kernel BUG at {_AT}!"
    r"|Kernel BUG at (?P<address>[0-9a-f]{8,16}) \[verbose debug info unavailable\]",
    lambda x: f"kernel BUG at {x.file}:{x.line}!" if not x.address
    else f"Kernel BUG at {x.address} [verbose debug info unavailable]",
    s.ERROR, s.MODULES, *s.TASK, s.REGISTERS, s.TRACE, s.CODE, s.INTERRUPTED, s.END,
    before=(s.CUT_HERE, s.MESSAGE),
)  # fmt: skip

_FAULTS = (
    r"(?:CPU \d+ )?Unable to handle kernel .*(?:at virtual address [0-9a-f]+.*"
    r"|address space)",
    r"BUG: kernel NULL pointer dereference, address: [0-9a-f]+",
    r"BUG: [Uu]nable to handle (?:page fault|kernel .*) .*",
    r"Kernel attempted to (?:read|write|execute) .*",
)
_ERRORS = (
    r"Internal error: .*",
    r"Oops(?:: .*| - .*| ?\[#\d+\].*)",
    r"(?:general protection fault|stack segment|invalid opcode|divide error|int3"
    r"|traps).* \[#\d+\].*",
    r"Kernel BUG \[#\d+\].*",
)
OOPS = Kind(
    t.Oops,
    re.compile("|".join(_FAULTS + _ERRORS)),
    (
        Section(
            "fault",
            re.compile("|".join(_FAULTS)),
            lambda lines: {"fault": lines[0]},
            lambda x: [x.fault] if x.fault else [],
        ),
        s.raw_lines("info", None, "info"),
        s.ERROR, s.MODULES, *s.TASK, s.REGISTERS, s.TRACE, s.CODE, s.INTERRUPTED, s.END,
    ),
)  # fmt: skip

_NEVER = re.compile(r"(?!)")
WAIT_CONTEXT = Kind(
    t.WaitContext,
    _NEVER,
    (s.OPEN, s.WAIT_TASK, s.LOCK, s.OTHER, s.HELD, s.BACKTRACE_LINE, *s.STACK),
)
LOCK_STATE = Kind(
    t.LockState,
    _NEVER,
    (
        s.OPEN, s.USAGE, s.STATE_TASK, s.LOCK, s.REGISTERED, s.IRQS, s.SCENARIO, s.HELD,
        s.BACKTRACE_LINE, *s.STACK,
    ),
)  # fmt: skip
LOCKDEP = Kind(t.Lockdep, _NEVER, (s.OPEN, s.BODY, s.HELD, s.BACKTRACE_LINE, *s.STACK))
LOCKDEP_KINDS: Mapping[str, Kind] = {
    s.TITLES["WaitContext"]: WAIT_CONTEXT,
    s.TITLES["LockState"]: LOCK_STATE,
    "[ INFO: inconsistent lock state ]": LOCK_STATE,
    "[ INFO: Invalid wait context ]": WAIT_CONTEXT,
}
LOCKDEP_TITLE = re.compile(r"WARNING: .+|\[ (?:BUG|INFO): .+ \]")

HOTPLUG = _kind(
    t.HotplugFailure,
    r"CPU (?P<on>\d{1,9}) (?P<direction>UP|DOWN) state (?P<state>.*) "
    r"\((?P<number>-?\d{1,9})\) failed \((?P<error>-?\d{1,9})\)",
    lambda x: f"CPU {x.on} {x.direction} state {x.state} ({x.number}) failed ({x.error})",
    single=True,
)
_CPU_LINES = (
    r"(?P<what>Failed to offline CPU(?P<on>\d{1,9}) - error=(?P<error>-?\d{1,9}))",
    r"(?P<what>(?:psci: )?failed to boot CPU(?P<on>\d{1,9}) \((?P<error>-?\d{1,9})\))",
    r"(?P<what>CPU ?#?(?P<on>\d{1,9}):? failed to boot: (?P<error>-?\d{1,9}))",
    r"(?P<what>(?:smpboot: )?do_boot_cpu failed\((?P<error>-?\d{1,9})\) to wakeup "
    r"CPU#(?P<on>\d{1,9}))",
    r"(?P<what>(?:smpboot: )?CPU ?#?(?P<on>\d{1,9}):? (?:failed .*|died during early boot\S*"
    r"|is stuck in \S+.*|will not boot))",
    r"(?P<what>psci: CPU(?P<on>\d{1,9}) may not have shut down cleanly.*)",
)
_STALLS = {
    "soft lockup": r"BUG: soft lockup - CPU#(?P<cpu>\d{1,9}) stuck for \d+s! "
    r"\[(?P<name>.*):(?P<pid>\d{1,10})\]",
    "hard lockup": r"(?:(?:Watchdog )?CPU[ :]?\d+:? )?"
    r"(?:Watchdog detected hard LOCKUP on cpu (?P<cpu>\d{1,9})"
    r"|Watchdog detected hard LOCKUP.*|self-detected hard LOCKUP @ .*"
    r"|Hard LOCKUP|(?:detected )?Hard LOCKUP other CPUS:.*"
    r"|detected hard LOCKUP on other CPUs .*)",
    "RCU stall": r"INFO: .*(?:detected (?:expedited )?stalls|self-detected stall"
    r"|detected stall).*",
    "hung task": r"INFO: task (?P<name>.*):(?P<pid>\d{1,10}) (?:<.*> )?blocked "
    r"(?:for more than \d+ seconds|on .*)\.?",
    "workqueue lockup": r"BUG: workqueue lockup - pool.*",
    "interrupt that nobody handles": r"irq \d+: nobody cared.*",
    "CSD lock": r"(?:smp: )?csd: Detected non-responsive CSD lock .*",
}
INFO = re.compile(
    r"\s*(?:rcu: )?(?:\s*\(?(?:detected by|t=\d)|\s*\d+-\S*:? |Tasks blocked on"
    r"|.*kthread (?:starved|timer)"
    r"|\tUnless |RCU grace-period kthread|blocking rcu_node|\t?hardirqs|\t?(?:number"
    r"|cputime)[ :]"
    r"|Task dump for CPU|Sending NMI|NMI backtrace for|task:|Not tainted |Tainted: |\"echo 0 >"
    r"|handlers:|\[<[0-9a-f]+>\] \S+|Disabling IRQ|Showing busy|workqueue \S+: |pwq "
    r"|in-flight: "
    r"|pending: |CPU#\d+ Utilization|#\d+: +\d+% |Workqueue: |csd: |TB:|Blocked by"
    r"|rcu_\w+ +[RSDI] "
    r"|\S+ +[RSDIX] (?:running task|stack:)|irq event stamp|hardirqs last|softirqs last)"
)
_TOOLS = (
    r"BUG: (?:KASAN|KCSAN|KMSAN|KFENCE): .*",
    r"BUG: memory leak",
    r"UBSAN: .*",
)
_SANITIZED = re.compile(
    r"\s*(?:(?:Read|Write|read|write|read-write|free|race)\b.* (?:of size|to |at addr|of "
    r"|in |\()|Out-of-bounds |Use-after-free "
    r"|(?:Last potentially related|Second to last|Allocated|Freed|Uninit|Local variable"
    r"|Bytes? )|"
    r"The buggy address|Memory state|page:|page dumped|flags:|raw:|head:|value changed"
    r"|Reported by"
    r"|which belongs|located |\S+ is located|freed \d|The .*cache|allocated by task"
    r"|freed by task|kfence-#"
    r"|index -?\d|shift exponent|signed integer|load of |member access|(?:left"
    r"|right) shift|negation of"
    r"|>?\s*(?:ffff)?[0-9a-f]{8,16}: (?:[0-9a-f.]{2} ?)+|\^+$|={20,}$|-{20,}"
    r"|no locks held|\d+ locks? held|ref_tracker"
    r"|Pointer tag|Memory tag|buf:|CPU \d|unreferenced object|comm \"|hex dump \("
    r"|backtrace(?: \(crc [0-9a-f]+\))?:$|(?:[0-9a-f]{2} ){8,})"
)
_TOPICS = {
    "firmware events": r"sdei: (?!SDEIv).*",
    "softirq": r"(?:softirq: )?huh, entered softirq .*",
    "lost CPU": r"SMP: failed to stop secondary CPUs .*",
    "softirqs left when the tick stops": r"NOHZ(?: tick-stop error)?: .*"
    r"(?:local_softirq_pending|softirq work is pending).*",
    "RCU stall": r"(?:rcu: )?.* kthread (?:starved for \d+ jiffies"
    r"|timer wakeup didn't happen).*",
    "lockdep off": r"BUG: (?:MAX_\w+ too low!|looking up invalid subclass: .*"
    r"|key \S+ has not been registered!|key \S+ not in \.data!)",
    "time in an interrupt": r"(?:hrtimer: interrupt took .*|perf: interrupt took too long .*"
    r"|INFO: NMI handler \(.*\) took too long to run.*)",
    "hogged CPU": r"workqueue: \S+ hogged CPU for .*",
}


def _topic(pattern: str, topic: str) -> Kind:
    def read(lines: Lines) -> Fields:
        return {"topic": topic, "text": lines[0]}

    head = Section("head", None, read, lambda splat: [splat.text])
    return Kind(t.Notice, re.compile(pattern), (head,), True)


def _stall(pattern: str, topic: str) -> Kind:
    compiled = re.compile(rf"(?:NMI watchdog: |watchdog: |rcu: )*(?:{pattern})")

    def read(lines: Lines) -> Fields:
        found = compiled.fullmatch(lines[0])
        known = {} if found is None else values(found, t.Stall)
        return {**known, "topic": topic, "text": lines[0]}

    head = Section("head", None, read, lambda splat: [splat.text])
    info = s.raw_lines("info", INFO.pattern, "info")
    others = s.raw_lines("others", None, "others")
    kept = (s.MODULES, s.IRQS, s.HELD, *s.STACK, s.CODE)
    return Kind(t.Stall, compiled, (head, info, *kept, others))


def _sanitizer(lines: Lines) -> Fields:
    words = (w for w in ("KASAN", "KCSAN", "KMSAN", "KFENCE", "UBSAN") if w in lines[0])
    tool = next(words, "kmemleak")
    return {"tool": tool, "text": lines[0]}


SANITIZER = Kind(
    t.Sanitizer,
    re.compile("|".join(_TOOLS)),
    (
        Section("head", None, _sanitizer, lambda splat: [splat.text]),
        s.raw_lines("info", _SANITIZED.pattern, "info"),
        *s.STACK,
        s.END,
    ),
)
STALLS = tuple(_stall(pattern, topic) for topic, pattern in _STALLS.items())
SINGLE: tuple[Kind, ...] = (
    HOTPLUG,
    *(_kind(t.CpuFailure, line, lambda x: x.what, single=True) for line in _CPU_LINES),
    *(_topic(pattern, topic) for topic, pattern in _TOPICS.items()),
)
EVERY: tuple[Kind, ...] = (*SIMPLE, WARN, BUG, OOPS, *STALLS, SANITIZER, *SINGLE)
"""Kinds that their headline alone tells."""
BY_RECORD: Mapping[type[Any], Kind] = {
    kind.record: kind
    for kind in (*SIMPLE, WARN, BUG, OOPS, WAIT_CONTEXT, LOCK_STATE, LOCKDEP, *STALLS,
                 SANITIZER, *SINGLE[::-1])
}  # fmt: skip
"""How each record is written (records with several heads are written alike)."""
HEADS = re.compile(
    r"BUG: |WARNING: "
    r"|\[ (?:BUG|INFO): |bad: scheduling|Kernel |kernel BUG at |CPU|INFO: |Unable to "
    r"|Internal error: |Oops|general protection|stack segment|invalid opcode|divide error"
    r"|int3|traps"
    r"|NMI watchdog|watchdog: |rcu: |irq \d|psci: |failed to boot|smpboot: |do_boot_cpu"
    r"|Failed to offline"
    r"|sdei: |softirq: |huh, |SMP: |NOHZ|UBSAN: |hrtimer: |perf: |workqueue: |smp: |csd: "
    r"|\S+ kthread "
    r"|Watchdog |BUG:|self-detected"
)
"""Every headline begins with one of these (asked first, because most lines do not)."""
