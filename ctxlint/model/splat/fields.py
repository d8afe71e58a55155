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

from ctxlint.model.splat.types import (
    Frame,
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
    r"CPU: (?P<cpu>\d+) (?:UID: (?P<uid>\d+) )?PID: (?P<pid>\d+) Comm: (?P<name>.*?) "
    r"(?P<kdump>Kdump: loaded )?(?:Not tainted|Tainted: (?P<taint>[A-Z ]+)) "
    r"(?P<release>[^ ]*[^A-Z ][^ ]*) ?(?P<build>.*)"
)
_FRAME = re.compile(
    r"(?P<indent>\s*)(?P<maybe>\? )?(?P<symbol>[\w.$]+)\+0x(?P<offset>[0-9a-f]+)"
    r"/0x(?P<size>[0-9a-f]+)(?: \[(?P<module>[^\]]+)\])?(?: (?P<tail>\([A-Z]+\)))?"
)
_ADDRESS = re.compile(r"(?P<indent>\s+)(?P<maybe>\? )?(?P<symbol>0x[0-9a-f]+)")
_MARK = re.compile(r"(?P<indent>\s*)<(?P<close>/?)(?P<stack>[A-Z#0-9]+)>")
TITLES = {"Call trace:": "arm64", "Call Trace:": "x86"}
REGISTER = re.compile(
    r" ?(pstate: |pc : |lr : |sp : |pmr_save: |x\d+ ?: |RIP: |RSP: |R[A-Z0-9]{2}: |FS: |CS: "
    r"|CR2: |DR\d: |PKRU: )"
)
HELD = re.compile(
    r"\d+ locks? held by .*:|no locks held by .*\.|INFO: lockdep is turned off\.| ?#\d+: .*"
)
LOCK = re.compile(
    r"(?P<address>[0-9a-f]+) \((?P<name>.*)\)\{(?P<usage>[^}]*)\}-"
    r"\{(?P<outer>\d+):(?P<inner>\d+)\}, at: (?P<where>.*)"
)
IRQS = re.compile(r"(irq event stamp: |hardirqs last |softirqs last )")
_IRQ = re.compile(r".*? at \((\d+)\): \[<([0-9a-f]+)>\] (.*)")
_IRQ_LINES = (
    ("hard_on", "hardirqs last  enabled"),
    ("hard_off", "hardirqs last disabled"),
    ("soft_on", "softirqs last  enabled"),
    ("soft_off", "softirqs last disabled"),
)
DISABLED = re.compile(r"Preemption disabled at:|\[<[0-9a-f]+>\] ")
_PLACE = re.compile(r"\[<([0-9a-f]+)>\] (.*)")
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
    found = CPU.fullmatch(lines[0])
    if found is None:
        return {}
    uid = found["uid"]
    return {
        "cpu": int(found["cpu"]),
        "uid": None if uid is None else int(uid),
        "pid": int(found["pid"]),
        "name": found["name"],
        "kdump": found["kdump"] is not None,
        "taint": found["taint"] or "",
        "release": found["release"],
        "build": found["build"],
    }


def write_cpu(splat: Splat) -> list[str]:
    if splat.cpu is None:
        return []
    uid = "" if splat.uid is None else f"UID: {splat.uid} "
    kdump = "Kdump: loaded " if splat.kdump else ""
    taint = f"Tainted: {splat.taint}" if splat.taint else "Not tainted"
    build = f" {splat.build}" if splat.build else ""
    return [
        f"CPU: {splat.cpu} {uid}PID: {splat.pid} Comm: {splat.name} "
        f"{kdump}{taint} {splat.release}{build}"
    ]


def is_trace(line: str) -> bool:
    """A title, a frame or a mark of a call trace."""
    return line in TITLES or any(p.fullmatch(line) for p in (_FRAME, _ADDRESS, _MARK))


def read_trace(lines: Lines) -> Fields:
    arch = TITLES.get(lines[0], "arm64")
    frames: list[Frame] = []
    indent: str | None = None
    stack = "" if arch == "x86" else "TASK"
    for line in lines:
        if line in TITLES:
            continue
        mark = _MARK.fullmatch(line)
        if mark is not None:
            stack = "" if mark["close"] else mark["stack"]
            continue
        found = _FRAME.fullmatch(line)
        if found is not None:
            frame = Frame(
                found["symbol"],
                int(found["offset"], 16),
                int(found["size"], 16),
                found["module"] or "",
                found["maybe"] is None,
                stack,
                found["tail"] or "",
            )
        else:
            found = _ADDRESS.fullmatch(line)
            if found is None:
                continue
            frame = Frame(found["symbol"], reliable=found["maybe"] is None, stack=stack)
        frames.append(frame)
        indent = found["indent"] if indent is None else indent
    if not frames:
        return {}
    return {"arch": arch, "frames": tuple(frames), "indent": indent}


def write_trace(splat: Splat) -> list[str]:
    if not splat.frames:
        return []
    x86 = splat.arch == "x86"
    out = ["Call Trace:" if x86 else "Call trace:"]
    stack = ""
    for frame in splat.frames:
        if x86 and frame.stack != stack:
            if stack:
                out.append(f"{splat.indent}</{stack}>")
            if frame.stack:
                out.append(f"{splat.indent}<{frame.stack}>")
            stack = frame.stack
        out.append(splat.indent + frame_text(frame))
    if x86 and stack:
        out.append(f"{splat.indent}</{stack}>")
    return out


def frame_text(frame: Frame) -> str:
    """A frame as it is printed, without what stands before it."""
    text = ("" if frame.reliable else "? ") + frame.symbol
    if frame.size is not None:
        text += f"+{frame.offset:#x}/{frame.size:#x}"
    if frame.module:
        text += f" [{frame.module}]"
    return f"{text} {frame.tail}" if frame.tail else text


def read_lock(text: str) -> HeldLock | None:
    if text == "<RELEASED>":
        return HeldLock("", "")
    found = LOCK.fullmatch(text)
    if found is None:
        return None
    return HeldLock(
        found["address"],
        found["name"],
        found["usage"],
        int(found["outer"]),
        int(found["inner"]),
        found["where"],
    )


def lock_text(lock: HeldLock) -> str:
    if not lock.address:
        return "<RELEASED>"
    kinds = f"{{{lock.usage}}}-{{{lock.outer}:{lock.inner}}}"
    return f"{lock.address} ({lock.name}){kinds}, at: {lock.where}"


def read_held(lines: Lines) -> Fields:
    first = lines[0]
    if first == "INFO: lockdep is turned off.":
        return {"held": HeldLocks(off=True)}
    found = re.fullmatch(r"(?:no|\d+) locks? held by (.*)/(\d+)[.:]", first)
    if found is None:
        return {}
    locks = [read_lock(line.partition(": ")[2]) for line in lines[1:]]
    return {"held": HeldLocks(found[1], int(found[2]), tuple(lock for lock in locks if lock))}


def write_held(splat: Splat) -> list[str]:
    held = splat.held
    if held is None:
        return []
    if held.off:
        return ["INFO: lockdep is turned off."]
    task = f"held by {held.name}/{held.pid}"
    if not held.locks:
        return [f"no locks {task}."]
    count = len(held.locks)
    return [
        f"{count} lock{'s' if count > 1 else ''} {task}:",
        *(f" #{n}: {lock_text(lock)}" for n, lock in enumerate(held.locks)),
    ]


def read_irqs(lines: Lines) -> Fields:
    events: dict[str, IrqEvent] = {}
    stamp = 0
    for line in lines:
        if line.startswith("irq event stamp: "):
            stamp = int(line.rpartition(" ")[2])
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
    found = _PLACE.fullmatch(lines[-1])
    return {} if found is None else {"disabled_at": Place(found[1], found[2])}


def write_disabled(splat: Splat) -> list[str]:
    at = splat.disabled_at
    return [] if at is None else ["Preemption disabled at:", f"[<{at.address}>] {at.where}"]
