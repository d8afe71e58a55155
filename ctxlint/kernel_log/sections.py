# SPDX-License-Identifier: GPL-2.0-or-later
"""Sections: the pieces that a splat is printed in, each read and written here.

A kind of splat (:mod:`ctxlint.kernel_log.kinds`) is a list of these, in the order of
Linux 6.12 (kernel/sched/core.c, kernel/panic.c, kernel/locking/lockdep.c,
lib/dump_stack.c).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from ctxlint.kernel_log import fields, trace
from ctxlint.kernel_log.fields import Fields, Lines
from ctxlint.kernel_log.types import Sleeping

CUT = "------------[ cut here ]------------"
BACKTRACE = "stack backtrace:"
_OTHER = "other info that might help us debug this:"
_STATE = r"\[HC\d{1,3}\[\d{1,6}\]:SC\d{1,3}\[\d{1,6}\]:HE\d:SE\d\]"


class Section(NamedTuple):
    """``starts`` matches the beginning of each line that is in the section (None: the
    parser knows by the lines around it)."""

    name: str
    starts: re.Pattern[str] | None
    read: Callable[[Lines], Fields]
    write: Callable[[Any], list[str]]


def _section(name: str, starts: str | None, read: Any, write: Any) -> Section:
    return Section(name, re.compile(starts) if starts is not None else None, read, write)


def text_line(name: str, words: str, field: str, absent: str | None = "") -> Section:
    """A line of ``words`` and the text of a field."""

    def read(lines: Lines) -> Fields:
        return {field: lines[0][len(words) :]}

    def write(splat: Any) -> list[str]:
        value = getattr(splat, field)
        return [] if value == absent else [words + value]

    return _section(name, re.escape(words), read, write)


def raw_lines(name: str, starts: str | None, field: str) -> Section:
    """Lines kept as they are."""
    return _section(
        name, starts, lambda lines: {field: tuple(lines)}, lambda s: list(getattr(s, field))
    )


# -- numbers ----------------------------------------------------------------------

ATOMIC_LINE = re.compile(
    r"in_atomic\(\): (-?\d+), irqs_disabled\(\): (-?\d+)(?:, non_block: (-?\d+))?"
    r"(?:, migration_disabled\(\) (\d+))?,? pid: (-?\d+), name: (\S.*)"
)


def _read_atomic(lines: Lines) -> Fields:
    found = ATOMIC_LINE.fullmatch(lines[0])
    if found is None:
        return {}
    values: Fields = {
        "in_atomic": int(found[1]),
        "irqs_disabled": int(found[2]),
        "pid": int(found[5]),
        "name": found[6],
    }
    if found[3] is not None:
        values["non_block"] = int(found[3])
    if found[4] is not None:
        values["migration_disabled"] = int(found[4])
    return values


def _write_atomic(splat: Any) -> list[str]:
    if splat.in_atomic is None or splat.irqs_disabled is None:
        return []
    text = f"in_atomic(): {splat.in_atomic}, irqs_disabled(): {splat.irqs_disabled}, "
    if getattr(splat, "non_block", None) is not None:
        text += f"non_block: {splat.non_block}, "
    if getattr(splat, "migration_disabled", None) is not None:
        text += f"migration_disabled() {splat.migration_disabled} "
    return [f"{text}pid: {splat.pid}, name: {splat.name}"]


_COUNT = re.compile(
    r"preempt_count: (?P<x_preempt_count>[0-9a-f]+), expected: (?P<x_expected>[0-9a-f]+)"
)


def _read_count(lines: Lines) -> Fields:
    found = _COUNT.fullmatch(lines[0])
    return {} if found is None else fields.values(found, Sleeping)


def _write_count(splat: Any) -> list[str]:
    if splat.preempt_count is None:
        return []
    return [f"preempt_count: {splat.preempt_count:x}, expected: {splat.expected:x}"]


def _read_rcu(lines: Lines) -> Fields:
    found = re.fullmatch(r"RCU nest depth: (-?\d+), expected: (-?\d+)", lines[0])
    return {} if found is None else {"rcu_depth": int(found[1]), "rcu_expected": int(found[2])}


def _write_rcu(splat: Any) -> list[str]:
    if splat.rcu_depth is None:
        return []
    return [f"RCU nest depth: {splat.rcu_depth}, expected: {splat.rcu_expected}"]


ATOMIC = _section("atomic", r"in_atomic\(\): ", _read_atomic, _write_atomic)
COUNT = _section("count", r"preempt_count: ", _read_count, _write_count)
RCU = _section("rcu", r"RCU nest depth: ", _read_rcu, _write_rcu)

_LEAK = re.compile(
    r"\s*preempt=0x([0-9a-f]{1,8}) lock=(\d{1,9})->(\d{1,9}) RCU=(-?\d{1,9})->(-?\d{1,9}) "
    r"workfn=(.*)"
)


def _read_leak(lines: Lines) -> Fields:
    found = _LEAK.fullmatch(lines[0])
    if found is None:
        return {"function": lines[0].partition("last function: ")[2]}
    return {
        "preempt_count": int(found[1], 16),
        "locks": (int(found[2]), int(found[3])),
        "rcu": (int(found[4]), int(found[5])),
        "function": found[6],
    }


def _write_leak(splat: Any) -> list[str]:
    if splat.locks is None or splat.rcu is None:
        return [f"     last function: {splat.function}"] if splat.function else []
    return [
        f"     preempt=0x{splat.preempt_count:08x} lock={splat.locks[0]}->{splat.locks[1]} "
        f"RCU={splat.rcu[0]}->{splat.rcu[1]} workfn={splat.function}"
    ]


LEAK = _section("leak", r"\s*(?:preempt=0x|last function: )", _read_leak, _write_leak)
OWNER_LINE = re.compile(
    r"\s*lock: (?P<lock>.*), \.magic: (?P<magic>[0-9a-f]{1,16}), "
    r"\.owner: (?P<owner>(?!<\w* ).*)/"
    r"(?P<owner_pid>-?\d{1,10}), \.owner_cpu: (?P<owner_cpu>-?\d{1,10})"
)


def _read_owner(lines: Lines) -> Fields:
    found = OWNER_LINE.fullmatch(lines[0])
    if found is None:
        return {}
    numbers = {"owner_pid": int(found["owner_pid"]), "owner_cpu": int(found["owner_cpu"])}
    return {**found.groupdict(), **numbers}


def _write_owner(splat: Any) -> list[str]:
    if not splat.lock:
        return []
    return [
        f" lock: {splat.lock}, .magic: {splat.magic}, .owner: {splat.owner}/"
        f"{splat.owner_pid}, .owner_cpu: {splat.owner_cpu}"
    ]


OWNER = _section("owner", r"\s*lock: .*, \.magic: ", _read_owner, _write_owner)

# -- state and stack ---------------------------------------------------------------

HELD = Section("held", fields.HELD, fields.read_held, fields.write_held)
IRQS = Section("irqs", fields.IRQS, fields.read_irqs, fields.write_irqs)
DISABLED = Section("disabled", fields.DISABLED, fields.read_disabled, fields.write_disabled)
MODULES = text_line("modules", "Modules linked in:", "modules", None)
REGISTERS = Section(
    "registers",
    fields.REGISTER,
    lambda lines: {"registers": tuple(lines)},
    lambda splat: list(splat.registers),
)
CODE = text_line("code", "Code: ", "code")
TRACE = Section("trace", None, trace.read_trace, trace.write_trace)
INTERRUPTED = raw_lines("interrupted", None, "interrupted")
TASK = (
    _section(
        "cpu", r"CPU: \d+ (UID|PID): |Pid: \d+, comm: ", fields.read_cpu, fields.write_cpu
    ),
    text_line("taints", "Tainted: ", "taints"),
    text_line("hardware", "Hardware name: ", "hardware"),
    text_line("work", "Workqueue: ", "work"),
    text_line("stopper", "Stopper: ", "stopper"),
)
STACK = (*TASK, REGISTERS, TRACE, INTERRUPTED)
CUT_HERE = _section(
    "cut",
    re.escape(CUT),
    lambda _: {"cut": True},
    lambda splat: [CUT] if splat.cut else [],
)
MESSAGE = raw_lines("message", None, "message")
ERROR = raw_lines(
    "error",
    r"Internal error: |Oops(?:: | - "
    r"| ?\[#)|general protection fault|invalid opcode|divide error"
    r"|stack segment|Kernel BUG \[#",
    "error",
)._replace(
    read=lambda lines: {"error": lines[0]},
    write=lambda splat: [splat.error] if splat.error else [],
)
END = _section(
    "end",
    r"---\[ end trace ",
    lambda lines: {"end": lines[0].removeprefix("---[ end trace ").removesuffix(" ]---")},
    lambda splat: [f"---[ end trace {splat.end} ]---"] if splat.end else [],
)

# -- lockdep ------------------------------------------------------------------------

TITLES = {
    "WaitContext": "[ BUG: Invalid wait context ]",
    "LockState": "WARNING: inconsistent lock state",
}
TITLE = re.compile(
    r"INFO: trying to register non-static key\."
    r"|(?:WARNING: "
    r"|\[ (?:BUG|INFO): )(?:possible (?:circular|recursive) locking (?:dependency )?detected"
    r"|inconsistent lock state|suspicious RCU usage\.?"
    r"|suspicious rcu_dereference_check\(\) usage"
    r"|Invalid wait context|bad (?:unlock balance|contention) detected!|held lock freed!"
    r"|Nested lock was not taken|possible irq lock inversion dependency detected"
    r"|[A-Z_]+-(?:READ-)?safe -> [A-Z_]+-(?:READ-)?unsafe lock order detected"
    r"|chain_key collision"
    r"|\S+/\d{1,10} still has locks held!|lock held when returning to user space!"
    r"|inconsistent \{.*\})(?: \])?"
)
"""Titles of lockdep's reports: they are known without the line of ``=`` above them."""


def _read_open(lines: Lines) -> Fields:
    lead = not lines[0]
    rest = [line for line in lines if line.strip("=- ")]
    values: Fields = {"lead": lead, "title": rest[0] if rest else ""}
    values["ident"] = rest[1] if len(rest) > 1 else ""
    return values


def _write_open(splat: Any) -> list[str]:
    title = TITLES.get(type(splat).__name__) or splat.title
    ident = [splat.ident] if splat.ident else []
    lines = ["=" * len(title), title, *ident, "-" * len(title)]
    return ["", *lines] if splat.lead else lines


OPEN = _section("open", None, _read_open, _write_open)


def _read_wait(lines: Lines) -> Fields:
    found = re.fullmatch(r"(.*)/(\d+) is trying to lock:", lines[0])
    return {} if found is None else {"name": found[1], "pid": int(found[2])}


WAIT_TASK = _section(
    "task",
    r".*/\d+ is trying to lock:$",
    _read_wait,
    lambda splat: [f"{splat.name}/{splat.pid} is trying to lock:"],
)
LOCK = _section(
    "lock",
    rf"(?:{fields.LOCK.pattern}|<RELEASED>)$",
    # A decoded lock has a line for each function that was inlined, the last is its own.
    lambda lines: {"lock": fields.read_lock(lines[-1])},
    lambda splat: [fields.lock_text(splat.lock)] if splat.lock else [],
)


def _read_other(lines: Lines) -> Fields:
    found = re.fullmatch(r"context-\{(\d{1,3}):(\d{1,3})\}", lines[-1])
    return {} if found is None else {"context": (int(found[1]), int(found[2]))}


OTHER = _section(
    "other",
    rf"{_OTHER}$|context-\{{\d+:\d+\}}$",
    _read_other,
    lambda splat: (
        [_OTHER, f"context-{{{splat.context[0]}:{splat.context[1]}}}"] if splat.context else []
    ),
)


def _read_usage(lines: Lines) -> Fields:
    found = re.fullmatch(r"inconsistent \{(.*)\} -> \{(.*)\} usage\.", lines[0])
    return {} if found is None else {"before": found[1], "now": found[2]}


USAGE = _section(
    "usage",
    r"inconsistent \{.*\} -> \{.*\} usage\.$",
    _read_usage,
    lambda splat: [f"inconsistent {{{splat.before}}} -> {{{splat.now}}} usage."],
)


def _read_state(lines: Lines) -> Fields:
    found = re.fullmatch(r"(.*)/(\d+) \[(.*)\] takes:", lines[0])
    return (
        {}
        if found is None
        else {
            "name": found[1],
            "pid": int(found[2]),
            "state": found[3],
        }
    )


STATE_TASK = _section(
    "task",
    r".*/\d+ \[HC.*\] takes:$",
    _read_state,
    lambda splat: [f"{splat.name}/{splat.pid} [{splat.state}] takes:"],
)
REGISTERED = raw_lines("registered", None, "registered")
SCENARIO = raw_lines("scenario", None, "scenario")
BODY = raw_lines("body", None, "body")


def _write_backtrace(splat: Any) -> list[str]:
    if not splat.backtrace:
        return []
    return ["", BACKTRACE] if getattr(splat, "gap", False) else [BACKTRACE]


def _read_backtrace(lines: Lines) -> Fields:
    return {"backtrace": True, "gap": not lines[0]}


BACKTRACE_LINE = _section("backtrace", rf"{BACKTRACE}$", _read_backtrace, _write_backtrace)
