# SPDX-License-Identifier: GPL-2.0-or-later
"""The kinds of splats: how each begins, and its sections in the order of Linux 6.12."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ctxlint.model.splat import sections as s
from ctxlint.model.splat import types as t
from ctxlint.model.splat.fields import Fields, Lines, values
from ctxlint.model.splat.sections import Section


class Kind(NamedTuple):
    """``head`` matches the whole headline and names fields; ``single``: one line."""

    record: type[Any]
    head: re.Pattern[str]
    sections: tuple[Section, ...]
    single: bool = False


def _head(
    record: type[Any], pattern: str, write: Callable[[Any], str]
) -> tuple[re.Pattern[str], Section]:
    compiled = re.compile(pattern)

    def read(lines: Lines) -> Fields:
        found = compiled.fullmatch(lines[0])
        return {} if found is None else values(found, record)

    return compiled, Section("head", None, read, lambda splat: [write(splat)])


def _kind(
    record: type[Any],
    pattern: str,
    write: Callable[[Any], str],
    *sections: Section,
    before: tuple[Section, ...] = (),
    single: bool = False,
) -> Kind:
    compiled, head = _head(record, pattern, write)
    return Kind(record, compiled, (*before, head, *sections), single)


def _warning(w: t.Warn) -> str:
    at = f"{w.file}:{w.line} {w.where}" if w.file else w.where
    return f"WARNING: CPU: {w.cpu or 0} PID: {w.pid} at {at}"


_AT = r"(?P<file>\S+):(?P<line>\d+)"
_TASK = r"(?P<name>.*)/(?P<pid>\d+)"
_PLACE = r"(?P<where>\S+\+0x\S+/0x[0-9a-f]+(?: \[\S+\])?|0x[0-9a-f]+)"

SIMPLE: tuple[Kind, ...] = (
    _kind(
        t.Sleeping,
        rf"BUG: sleeping function called from invalid context at {_AT}",
        lambda x: f"BUG: sleeping function called from invalid context at {x.file}:{x.line}",
        s.ATOMIC, s.COUNT, s.RCU, s.HELD, s.IRQS, s.DISABLED, *s.STACK,
    ),
    _kind(
        t.Scheduling,
        rf"BUG: scheduling while atomic: {_TASK}/0x(?P<x_preempt_count>[0-9a-f]+)",
        lambda x: f"BUG: scheduling while atomic: {x.name}/{x.pid}/0x{x.preempt_count:08x}",
        s.HELD, s.MODULES, s.IRQS, s.DISABLED, *s.STACK,
    ),
    _kind(
        t.NonBlocking,
        rf"BUG: scheduling in a non-blocking section: {_TASK}/(?P<depth>-?\d+)",
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
        r"BUG: using (?P<operation>\S+)\(\) in preemptible \[(?P<x_preempt_count>[0-9a-f]{8})\]"
        rf" code: {_TASK}",
        lambda x: f"BUG: using {x.operation}() in preemptible [{x.preempt_count:08x}]"
        f" code: {x.name}/{x.pid}",
        s.text_line("caller", "caller is ", "caller"), *s.STACK,
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
    rf"WARNING: CPU: (?P<cpu>\d+) PID: (?P<pid>\d+) at (?:{_AT} )?{_PLACE}",
    _warning,
    s.MODULES, *s.TASK, s.REGISTERS, s.TRACE, s.IRQS, s.END,
    before=(s.CUT_HERE, s.MESSAGE),
)  # fmt: skip

BUG = _kind(
    t.Bug,
    rf"kernel BUG at {_AT}!",
    lambda x: f"kernel BUG at {x.file}:{x.line}!",
    s.ERROR, s.MODULES, *s.TASK, s.REGISTERS, s.TRACE, s.CODE, s.END,
    before=(s.CUT_HERE, s.MESSAGE),
)  # fmt: skip

_FAULTS = (
    r"Unable to handle kernel .* at virtual address [0-9a-f]+",
    r"BUG: kernel NULL pointer dereference, address: [0-9a-f]+",
    r"BUG: unable to handle (?:page fault|kernel .*) .*",
)
_ERRORS = (r"Internal error: .*", r"Oops: .*", r"general protection fault.* \[#\d+\].*")
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
        s.ERROR, s.MODULES, *s.TASK, s.REGISTERS, s.TRACE, s.CODE, s.END,
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
}
LOCKDEP_TITLE = re.compile(r"WARNING: .+|\[ BUG: .+ \]")

HOTPLUG = _kind(
    t.HotplugFailure,
    r"CPU (?P<on>\d+) (?P<direction>UP|DOWN) state (?P<state>.*) "
    r"\((?P<number>-?\d+)\) failed \((?P<error>-?\d+)\)",
    lambda x: f"CPU {x.on} {x.direction} state {x.state} ({x.number}) failed ({x.error})",
    single=True,
)
CPU_FAILURE = _kind(
    t.CpuFailure,
    r"(?P<what>Failed to offline CPU(?P<on>\d+) - error=(?P<error>-?\d+))",
    lambda x: x.what,
    single=True,
)
CPU_REPORT = _kind(
    t.CpuFailure,
    r"(?P<what>CPU(?P<on>\d+):? failed .*)",
    lambda x: x.what,
    single=True,
)
_TOPICS = {
    "RCU stall": r"rcu: INFO: .* (?:detected (?:expedited )?stalls|self-detected stall).*",
    "hung task": r"INFO: task .* blocked for more than \d+ seconds\.",
    "lockup": r"(?:watchdog: )?(?:BUG: soft lockup|Watchdog detected hard LOCKUP).*",
    "firmware events": r"sdei: (?!SDEIv).*",
    "softirq": r"softirq: huh, entered softirq .*",
    "lost CPU": r"SMP: failed to stop secondary CPUs .*",
}


def _topic(pattern: str, topic: str) -> Kind:
    def read(lines: Lines) -> Fields:
        return {"topic": topic, "text": lines[0]}

    head = Section("head", None, read, lambda splat: [splat.text])
    return Kind(t.Notice, re.compile(pattern), (head,), True)


SINGLE: tuple[Kind, ...] = (
    HOTPLUG,
    CPU_FAILURE,
    CPU_REPORT,
    *(_topic(pattern, topic) for topic, pattern in _TOPICS.items()),
)
BY_RECORD: Mapping[type[Any], Kind] = {
    kind.record: kind
    for kind in (*SIMPLE, WARN, BUG, OOPS, WAIT_CONTEXT, LOCK_STATE, LOCKDEP, *SINGLE[::-1])
}
"""How each record is written (records with several heads are written alike)."""
