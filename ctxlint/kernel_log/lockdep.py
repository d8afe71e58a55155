# SPDX-License-Identifier: GPL-2.0-or-later
"""What a report of lockdep says: the locks, their chain, and the rule that was broken.

The lines are kept as the kernel printed them; this reads them (kernel/locking/lockdep.c).
"""

from __future__ import annotations

import re

import msgspec

from ctxlint.kernel_log import trace
from ctxlint.kernel_log import types as t
from ctxlint.kernel_log.fields import LOCK, read_lock
from ctxlint.kernel_log.types import HeldLock

_TASK = re.compile(
    r"(?P<name>\S.*)/(?P<pid>\d{1,10}) (?:\[(?P<state>HC[^ ]*)\] )?"
    r"(?:is trying to (?:acquire|lock|release|contend)"
    r"|just changed the state of lock|is freeing memory|is leaving the kernel"
    r"|takes:)(?P<rest>.*)"
)
_HOLDING = re.compile(
    r"but task is already holding lock:|and this task is already holding:"
    r"|but this task is not holding:"
)
_RELEASED = re.compile(r" lock \((?P<name>.*)\) at:")
_LINK = re.compile(
    r"-> #(?P<number>\d{1,6})\s+\((?P<name>.*)\)\{(?P<usage>[^}]*)\}(?P<types>-\{\d+:\d+\})?:?"
)
_RULE = re.compile(r"(?P<file>\S+):(?P<line>\d{1,9}) (?P<text>\S.*)")
_STATE = re.compile(r"HC(\d+)\[(\d+)\]:SC(\d+)\[(\d+)\]:HE(\d):SE(\d)")
_SCENARIO = re.compile(r"Possible (?:interrupt )?unsafe locking scenario")
_LINKS = 40


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """``wanted`` is the lock that is taken, ``holding`` the one that is held, ``chain``
    the locks between them, last dependency first, each with the functions that took it, from
    the locking function on;
    ``order`` is what lockdep makes of it. ``rule`` is the statement of a broken rule of
    RCU, at ``file:line``. ``state``: the counts that lockdep printed. ``waits``: the
    wanted lock is waited for, not taken (SRCU)."""

    task: str = ""
    pid: int | None = None
    state: str = ""
    wanted: HeldLock | None = None
    holding: HeldLock | None = None
    chain: tuple[tuple[str, tuple[str, ...]], ...] = ()
    order: str = ""
    rule: str = ""
    file: str = ""
    line: int = 0
    scenario: tuple[str, ...] = ()
    waits: bool = False


def read(splat: t.Lockdep | t.LockState | t.WaitContext) -> Report:
    """What a report says in its body."""
    if isinstance(splat, t.WaitContext):
        return Report(task=splat.name, pid=splat.pid, wanted=splat.lock)
    if isinstance(splat, t.LockState):
        return Report(
            task=splat.name, pid=splat.pid, state=splat.state, wanted=splat.lock,
            scenario=_scenario([line.strip() for line in splat.scenario]),
        )  # fmt: skip
    return _read([line.strip() for line in splat.body])


def _read(lines: list[str]) -> Report:
    values: dict[str, object] = {"scenario": _scenario(lines)}
    chain: list[tuple[str, tuple[str, ...]]] = []
    awaiting = got = ""
    for at, line in enumerate(lines):
        found = _TASK.fullmatch(line)
        if found is not None:
            values |= {
                "task": found["name"],
                "pid": int(found["pid"]),
                "state": found["state"] or "",
            }
            awaiting = "wanted"
            released = _RELEASED.fullmatch(found["rest"])
            if released is not None:
                values["wanted"] = HeldLock("", released["name"])
                awaiting = ""
        elif _HOLDING.fullmatch(line):
            awaiting = "holding"
        elif (awaiting or got) and LOCK.fullmatch(line):
            # Decoded, there is a line for each function that was inlined.
            got = awaiting or got
            values[got] = read_lock(line)
            awaiting = ""
            continue
        elif (link := _LINK.fullmatch(line)) is not None and len(chain) < _LINKS:
            chain.append((link["name"], _takers(lines, at + 1)))
        elif line.startswith("Chain exists of:"):
            rest = line.partition(":")[2].strip()
            values["order"] = rest or (lines[at + 1] if at + 1 < len(lines) else "")
        elif "rule" not in values and not awaiting and (rule := _RULE.fullmatch(line)):
            values |= {"rule": rule["text"], "file": rule["file"], "line": int(rule["line"])}
        got = ""
    wanted = values.get("wanted")
    waits = isinstance(wanted, HeldLock) and f"sync({wanted.name});" in lines
    return Report(chain=tuple(chain), waits=waits, **values)  # type: ignore[arg-type]


def _takers(lines: list[str], at: int) -> tuple[str, ...]:
    """The first functions of a link's trace that are not lockdep's own."""
    found = []
    for line in lines[at : at + 8]:
        frame = trace.frame_of(line)
        if frame is None:
            break
        if not re.match(r"_*(?:lock_(?:acquire|sync)|validate_chain|check_prev)", frame.symbol):
            found.append(frame.symbol)
    return tuple(found)


def _scenario(lines: list[str]) -> tuple[str, ...]:
    start = next((i for i, x in enumerate(lines) if _SCENARIO.match(x)), None)
    if start is None:
        return ()
    out = []
    for line in lines[start + 1 : start + 40]:
        if "DEADLOCK" in line:
            break
        if line and not re.fullmatch(r"(?:CPU\d\s*|-{4}\s*)+", line):
            out.append(line)
    return tuple(out)


def counts(splat: t.Record) -> tuple[int, int, bool, bool] | None:
    """What lockdep prints of a task: in hard interrupts and softirqs (depth, 0: not),
    whether hard and soft interrupts are enabled."""
    state = ""
    if isinstance(splat, t.LockState):
        state = splat.state
    elif isinstance(splat, t.Lockdep):
        state = _read([line.strip() for line in splat.body]).state
    found = _STATE.fullmatch(state)
    if found is None:
        return None
    hard = max(int(found[1]), int(found[2]))
    return hard, max(int(found[3]), int(found[4]) & 1), found[5] == "1", found[6] == "1"


def nesting(splat: t.Record) -> bool | None:
    """Whether the kernel tells spinlock_t from raw_spinlock_t (PROVE_RAW_LOCK_NESTING, a
    part of PROVE_LOCKING since 6.13): then a lock that sleeps has type 4 and a task's
    context 5, else 3 and 4. None: the report does not show it."""
    inner = 0
    if isinstance(splat, t.WaitContext) and splat.context is not None:
        inner = splat.context[0]
    types = {lock.inner for lock in splat.held.locks} if splat.held is not None else set()
    if isinstance(splat, t.WaitContext) and splat.lock is not None:
        types.add(splat.lock.inner)
    if inner in (3, 5) or 4 in types:
        return True
    if inner == 4:
        return False
    found = re.match(r"(\d{1,3})\.(\d{1,3})", splat.release)
    if found is not None and (int(found[1]), int(found[2])) >= (6, 13):
        return True
    return None


def wait_kind(inner: int | None, nested: bool | None) -> str:
    """What a wait type means, in words."""
    if inner == 1:
        return "waits for nothing"
    if inner == 2:
        return "a raw spinlock" if nested else "a spinlock"
    if inner == 3:
        return {
            True: "a spinlock_t, which sleeps on PREEMPT_RT",
            False: "sleeps",
            None: "a spinlock_t that sleeps on PREEMPT_RT or a lock that sleeps",
        }[nested]
    return "sleeps" if inner == 4 else ""
