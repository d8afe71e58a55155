# SPDX-License-Identifier: GPL-2.0-or-later
"""The parts of a splat that several kinds share: each is read from lines and written
to lines by a pair of functions that are each other's inverse.

``read_*`` returns the fields that the lines give, ``write_*`` the lines of a record;
a line that is spelled otherwise is kept as a note by the caller.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from ctxlint.kernel_log.types import (
    HeldLock,
    HeldLocks,
    IrqEvent,
    IrqEvents,
    Place,
    Splat,
)

Fields = dict[str, Any]
Lines = Sequence[str]

CPU = re.compile(
    r"CPU: (?P<cpu>\d{1,9}) (?:UID: (?P<uid>\d{1,10}) )?PID: (?P<pid>\d{1,10}) "
    r"Comm: (?P<name>.*?) "
    r"(?P<kdump>Kdump: loaded )?(?:Not tainted|Tainted: (?P<taint>[A-Z() +-]+)) "
    r"(?P<release>\d[^ ]*) ?(?P<build>.*)"
)
_SHORT_CPU = re.compile(
    r"CPU: (?P<cpu>\d{1,9}) (?:UID: (?P<uid>\d{1,10}) )?PID: (?P<pid>\d{1,10}) "
    r"Comm: (?P<name>\S.*)"
)
"""Of a log that somebody shortened."""
_OLD_CPU = re.compile(
    r"Pid: (?P<pid>\d{1,10}), comm: +(?P<name>\S.*?) "
    r"(?:Not tainted|Tainted: (?P<taint>[A-Z() +-]+)) (?P<release>\d[^ ]*) ?(?P<build>.*)"
)
"""Of kernels before 3.9, which do not name the CPU."""
_LOOSE_CPU = re.compile(
    r"CPU: (?P<cpu>\d{1,9}) (?:UID: (?P<uid>\d{1,10}) )?PID: (?P<pid>\d{1,10}) "
    r"Comm: (?P<name>\S.*?) (?:Kdump: loaded )?(?:Not tainted|Tainted: ).*"
)
"""Where the release is not what a kernel prints, or missing."""
REGISTER = re.compile(
    r"\s*(?:pstate ?: |p[cs][r ]* ?: |lr : |sp : |pmr(?:_save)?: |x\d+ ?: |[RE]IP: "
    r"|[RE]SP: |[RE][A-Z0-9]{1,2}: "
    r"|FS: |CS: |DS: |CR\d: |DR\d: |PKRU: |task: |Stack ?:|Process |Flags: |Control: "
    r"|r\d+ ?: |Register r"
    r"|NIP(?:: | \[)|LR \[|REGS: |MSR: |CFAR: |GPR\d\d: |DAR: |Krnl |R:\d|epc ?: |ra ?: "
    r"|(?:gp|tp|[ast]\d+|s\d+) ?: |status: |\$ ?\d+ ?: |Hi +: |Lo +: |Status: |Cause ?: "
    r"|BadVA ?: "
    r"|PrId ?: |ERA: |CRMD: |PRMD: |EUEN: |ECFG: |ESTAT: |BADV: |PRID: |CPUCFG"
    r"|Exception stack|s?r\d\d-\d\d  |PSW: |IASQ: |I?IR: |IAOQ\[|RP\(r2\): |ORIG_R28: "
    r"|CPU: +\d+ +CR30: | +YZrvWESTH"
    r"|[0-9a-f]{4,16}: (?:[0-9a-f]{8,16} *)+$|(?:[0-9a-f]{8,16}\s+)*[0-9a-f]{8,16}$|\.\.\.$)"
)
HELD = re.compile(
    r"\d+ locks? held by .*:|no locks held by .*\.|locks held by .*/\d+: \d+, .* CPU#\d+:?"
    r"|INFO: lockdep is turned off\.|\s*#\d+:(?: .*|$)"
)
LOCK = re.compile(
    r"\s*(?:(?P<address>[0-9a-f]{4,16}) )?\((?P<name>.*)\)\{(?P<usage>[^}]*)\}"
    r"(?:-\{(?P<outer>\d{1,3}):(?P<inner>\d{1,3})\})?, at: (?P<where>.*)"
)
NUMBER = re.compile(r"\s*#\d{1,9}:\s*")
"""Of a lock that is held, when another message came between it and the lock."""
IRQS = re.compile(r"(irq event stamp: |hardirqs last |softirqs last )")
_IRQ = re.compile(r".*? at \((\d+)\): \[<([0-9a-f]+)>\] (.*)")
_IRQ_LINES = (
    ("hard_on", "hardirqs last  enabled"),
    ("hard_off", "hardirqs last disabled"),
    ("soft_on", "softirqs last  enabled"),
    ("soft_off", "softirqs last disabled"),
)
DISABLED = re.compile(r"Preemption disabled at:")
_PLACE = re.compile(r"(?:(?:\[<)?([0-9a-f]+)>\] )?(.*)")
TAINT_FLAGS = "GFSRMBUDAWCIOELKXTN"
"""Letters of the taint flags in the order of their bits; the first is ``G`` while no
proprietary module was loaded (kernel/panic.c, Linux 6.12)."""


def numbers(record: type[Any]) -> dict[str, bool]:
    """Fields that are numbers, with whether the kernel may leave them out."""
    if record not in _numbers:
        kinds = {int: False, int | None: True}
        _numbers[record] = {
            f.name: kinds[f.type] for f in msgspec.structs.fields(record) if f.type in kinds
        }
    return _numbers[record]


_numbers: dict[object, dict[str, bool]] = {}


def values(found: re.Match[str], record: type[Any]) -> Fields:
    """Fields from the groups of a match. A group ``x_NAME`` is the field NAME in
    hexadecimal, other fields that are numbers are decimal."""
    known = numbers(record)
    out: Fields = {}
    for group, text in found.groupdict().items():
        name = group.removeprefix("x_")
        if text is not None:
            base = 16 if name != group else 10
            out[name] = int(text, base) if name in known else text
    return out


def taint_letters(flags: str) -> str:
    """The letters as the kernel pads them: ``"W"`` gives ``"G        W         "``."""
    first = "P" if "P" in flags else "G"
    return first + "".join(c if c in flags else " " for c in TAINT_FLAGS[1:])


def read_cpu(lines: Lines) -> Fields:
    found = CPU.fullmatch(lines[0]) or _OLD_CPU.fullmatch(lines[0])
    if found is None:
        loose = "ainted" in lines[0]
        found = (_LOOSE_CPU if loose else _SHORT_CPU).fullmatch(lines[0])
    if found is None:
        return {}
    rest = {"kdump": None, "taint": None, "release": None, "build": None, **found.groupdict()}
    uid = rest.get("uid")
    cpu = rest.get("cpu")
    return {
        "cpu": None if cpu is None else int(cpu),
        "uid": None if uid is None else int(uid),
        "pid": int(found["pid"]),
        "name": found["name"],
        "kdump": rest["kdump"] is not None,
        "taint": rest["taint"] or "",
        "release": rest["release"] or "",
        "build": rest["build"] or "",
    }


def write_cpu(splat: Splat) -> list[str]:
    if splat.cpu is None:
        return []
    uid = "" if splat.uid is None else f"UID: {splat.uid} "
    kdump = "Kdump: loaded " if splat.kdump else ""
    taint = f"Tainted: {splat.taint}" if splat.taint else "Not tainted"
    build = f" {splat.build}" if splat.build else ""
    if not splat.release:
        return [f"CPU: {splat.cpu} {uid}PID: {splat.pid} Comm: {splat.name}"]
    return [
        f"CPU: {splat.cpu} {uid}PID: {splat.pid} Comm: {splat.name} "
        f"{kdump}{taint} {splat.release}{build}"
    ]


def read_lock(text: str) -> HeldLock | None:
    if text == "<RELEASED>":
        return HeldLock("", "")
    found = LOCK.fullmatch(text)
    if found is None:
        return None
    outer, inner = found["outer"], found["inner"]
    return HeldLock(
        found["address"] or "",
        found["name"],
        found["usage"],
        None if outer is None else int(outer),
        None if inner is None else int(inner),
        found["where"],
    )


def lock_text(lock: HeldLock) -> str:
    if not lock.address and not lock.name:
        return "<RELEASED>"
    kinds = f"{{{lock.usage}}}"
    if lock.inner is not None:
        kinds += f"-{{{lock.outer}:{lock.inner}}}"
    return f"{lock.address} ({lock.name}){kinds}, at: {lock.where}"


_OWNER = re.compile(
    r"(?:no|\d+) locks? held by (?P<name>.*)/(?P<pid>\d{1,10})[.:]"
    r"|locks held by (?P<name2>.*)/(?P<pid2>\d{1,10}): \d+, (?P<when>on"
    r"|last) CPU#(?P<cpu>\d{1,9}):?"
)


def read_held(lines: Lines) -> Fields:
    first = lines[0]
    if first == "INFO: lockdep is turned off.":
        return {"held": HeldLocks(off=True)}
    found = _OWNER.fullmatch(first)
    if found is None:
        return {}
    locks: dict[str, HeldLock] = {}
    alone = ""
    for line in lines[1:]:
        number, _, text = line.strip().partition(": ")
        if alone and LOCK.fullmatch(line):
            number, text = alone, line.strip()
        alone = number.rstrip(":") if NUMBER.fullmatch(line) else ""
        lock = read_lock(text)
        # A decoded lock has a line for each function that was inlined, the last is its own.
        if lock is not None:
            locks[number] = lock
    all_locks = tuple(locks.values())
    if found["when"] is None:
        return {"held": HeldLocks(found["name"], int(found["pid"]), all_locks)}
    when, cpu = found["when"], int(found["cpu"])
    name, pid = found["name2"], int(found["pid2"])
    return {"held": HeldLocks(name, pid, all_locks, cpu=cpu, when=when)}


def write_held(splat: Splat) -> list[str]:
    held = splat.held
    if held is None:
        return []
    if held.off:
        return ["INFO: lockdep is turned off."]
    count = len(held.locks)
    locks = [f" #{n}: {lock_text(lock)}" for n, lock in enumerate(held.locks)]
    task = f"held by {held.name}/{held.pid}"
    if held.cpu is not None:
        colon = ":" if count else ""
        return [f"locks {task}: {count}, {held.when} CPU#{held.cpu}{colon}", *locks]
    if not count:
        return [f"no locks {task}."]
    return [f"{count} lock{'s' if count > 1 else ''} {task}:", *locks]


def read_irqs(lines: Lines) -> Fields:
    events: dict[str, IrqEvent] = {}
    stamp = 0
    for line in lines:
        number = line.removeprefix("irq event stamp: ")
        if number != line and number.isdecimal():
            stamp = int(number)
        for name, words in _IRQ_LINES:
            found = _IRQ.fullmatch(line) if line.startswith(words) else None
            if found is not None:
                events[name] = IrqEvent(int(found[1]), Place(found[2], found[3]))
    return {"irqs": IrqEvents(stamp, **events)} if len(events) == len(_IRQ_LINES) else {}


def write_irqs(splat: Splat) -> list[str]:
    if splat.irqs is None:
        return []
    out = [f"irq event stamp: {splat.irqs.stamp}"]
    for name, words in _IRQ_LINES:
        event: IrqEvent = getattr(splat.irqs, name)
        place = event.place
        out.append(f"{words} at ({event.stamp}): [<{place.address}>] {place.where}")
    return out


def read_disabled(lines: Lines) -> Fields:
    # The place is on the same line when a mailer or a program joined the two.
    title = DISABLED.match(lines[0])
    rest = lines[0][title.end() :].strip() if title is not None else ""
    alone = title is None or len(lines) > 1
    found = _PLACE.fullmatch(rest or (lines[-1].strip() if alone else ""))
    if found is None or not found[2]:
        return {}
    return {"disabled_at": Place(found[1] or "", found[2])}


def write_disabled(splat: Splat) -> list[str]:
    at = splat.disabled_at
    if at is None:
        return []
    address = f"[<{at.address}>] " if at.address else ""
    return ["Preemption disabled at:", f"{address}{at.where}"]
