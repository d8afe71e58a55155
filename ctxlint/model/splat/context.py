# SPDX-License-Identifier: GPL-2.0-or-later
"""The execution context that a splat was printed in, and what its registers hint at."""

from __future__ import annotations

import errno
import re

import msgspec

from ctxlint.model.splat import types as t
from ctxlint.model.splat.rules import Signature, SplatRules, plain
from ctxlint.model.splat.types import Record

_BITS = {"nmi": 0xF00000, "hardirq": 0xF0000, "softirq": 0x100}
"""Fields of the preempt count (include/linux/preempt.h); the lowest softirq bit alone
means that softirqs are served, the others that they are disabled."""
_FAR = 1 << 20


class SplatContext(msgspec.Struct, frozen=True, kw_only=True):
    """``name`` is that of rules/contexts.yaml (``""``: none there), ``section`` the
    hotplug section. ``state`` are the facts that the splat prints about itself, in
    words; ``evidence`` is what the conclusion rests on."""

    name: str
    title: str
    text: str
    section: str
    state: tuple[str, ...]
    evidence: tuple[str, ...]
    hints: tuple[str, ...] = ()


def names(splat: Record, rules: SplatRules) -> tuple[str, ...]:
    """Functions on the stack that are certain, innermost first, as the source names
    them, without those that print the splat."""
    found = [plain(frame.symbol) for frame in splat.frames if frame.reliable]
    inner = 0
    while inner < len(found) and found[inner] in rules.printers:
        inner += 1
    return tuple(found[inner:])


def preempt_count(splat: Record) -> int | None:
    """The preempt count, as far as the kernel printed it."""
    if isinstance(splat, t.Sleeping | t.Preemptible):
        return splat.preempt_count
    # The scheduler has disabled preemption once by itself.
    return splat.preempt_count - 1 if isinstance(splat, t.Scheduling) else None


_PSTATE = re.compile(r"pstate: [0-9a-f]+ \([nN][zZ][cC][vV] [dD][aA](?P<irq>[iI])")
_EFLAGS = re.compile(r"EFLAGS: ([0-9a-f]+)")


def interrupts_off(splat: Record) -> bool | None:
    """Whether interrupts were off: printed, or in the saved processor state."""
    if isinstance(splat, t.Sleeping | t.Assuming) and splat.irqs_disabled is not None:
        return splat.irqs_disabled != 0
    for line in splat.registers:
        state = _PSTATE.match(line)
        if state is not None:
            return state["irq"] == "I"
        flags = _EFLAGS.search(line)
        if flags is not None:
            return not int(flags[1], 16) & 0x200
    return None


def error_hint(splat: Record) -> tuple[str, str] | None:
    """A register that holds a negative errno, as (register, ``"-19 (ENODEV)"``).

    A warning does not print the value that it tested, but the register of return
    values often still holds it when the test was all that the code did with it.
    """
    for line in splat.registers:
        for register, digits in re.findall(r"\b(x0|RAX) ?: ([0-9a-f]{16})\b", line):
            low = int(digits, 16) & 0xFFFFFFFF
            number = (1 << 32) - low
            if number in errno.errorcode:
                return register, f"-{number} ({errno.errorcode[number]})"
    return None


def context_of(splat: Record, rules: SplatRules) -> SplatContext | None:
    """None for kinds that have neither a task nor a stack."""
    stack = names(splat, rules)
    if not stack and splat.cpu is None and not splat.name:
        return None
    best: tuple[int, int] | None = None
    chosen: Signature | None = None
    for number, signature in enumerate(rules.signatures):
        distance = _distance(signature, splat, stack)
        if distance is not None and (best is None or (distance, number) < best):
            best, chosen = (distance, number), signature
    if chosen is None:
        return None
    rule = rules.book.contexts.get(chosen.context)
    return SplatContext(
        name=chosen.context,
        title=chosen.title or (rule.title if rule else ""),
        text=chosen.text or (rule.text if rule else ""),
        section=chosen.section or (rule.section if rule else "") or "",
        state=_state(splat),
        evidence=_evidence(chosen, splat, stack),
        hints=(chosen.hint,) if chosen.hint else (),
    )


def _distance(signature: Signature, splat: Record, stack: tuple[str, ...]) -> int | None:
    """How far out the frame of a signature is; None: it does not fit."""
    count = preempt_count(splat)
    if signature.bits and count is not None and not count & _BITS[signature.bits]:
        return None
    if signature.bits and count is None and not signature.frames:
        return None
    if signature.idle and splat.pid != 0:
        return None
    if signature.irqs and interrupts_off(splat) is not (signature.irqs == "off"):
        return None
    if signature.lock and not any(
        lock.name == signature.lock for lock in (splat.held.locks if splat.held else ())
    ):
        return None
    if signature.stack and (not splat.frames or splat.frames[0].stack != signature.stack):
        return None
    if signature.inside and not set(signature.inside) & set(stack):
        return None
    if set(signature.without) & set(stack):
        return None
    if signature.frames:
        at = next((i for i, name in enumerate(stack) if name in signature.frames), None)
        if at is None:
            return None
        return 0 if signature.bits and count is not None else at + 1
    return 0 if signature.bits or signature.stack else _FAR


def _state(splat: Record) -> tuple[str, ...]:
    out = []
    off = interrupts_off(splat)
    if off is not None:
        out.append("interrupts off" if off else "interrupts on")
    count = preempt_count(splat)
    if count is not None:
        out.append(f"preempt count {count:x}")
    if isinstance(splat, t.Sleeping):
        if splat.rcu_depth:
            out.append(f"RCU nest depth {splat.rcu_depth} (expected {splat.rcu_expected})")
        if splat.non_block:
            out.append("non-blocking section")
    if splat.disabled_at is not None:
        out.append(f"preemption disabled at {splat.disabled_at.where}")
    return tuple(out)


def _evidence(chosen: Signature, splat: Record, stack: tuple[str, ...]) -> tuple[str, ...]:
    out = []
    hits = [name for name in stack if name in (*chosen.frames, *chosen.inside)]
    if hits:
        out.append("frames " + " < ".join(hits))
    count = preempt_count(splat)
    if chosen.bits and count is not None:
        out.append(f"{chosen.bits} bits of preempt count {count:x}")
    if chosen.irqs:
        out.append(f"interrupts {chosen.irqs}")
    if chosen.lock:
        out.append(f"{chosen.lock} held")
    if chosen.stack:
        out.append(f"{chosen.stack} stack")
    if splat.cpu is not None or splat.name:
        out.append(f"task {splat.name} (pid {splat.pid})")
    return tuple(out)
