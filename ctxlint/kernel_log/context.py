# SPDX-License-Identifier: GPL-2.0-or-later
"""The execution context that a splat was printed in, and what its registers hint at."""

from __future__ import annotations

import re

import msgspec

from ctxlint.kernel_log import lockdep, registers, trace
from ctxlint.kernel_log import types as t
from ctxlint.kernel_log.registers import error_hint
from ctxlint.kernel_log.rules import Signature, SplatRules, plain
from ctxlint.kernel_log.types import Record
from ctxlint.rulebook.schema import Context

_OLD_BITS = {"nmi": 0xF00000, "hardirq": 0xF0000, "softirq": 0x100}
_NEW_BITS = {"nmi": 0x70000000, "hardirq": 0xF000000, "softirq": 0x100}
"""Fields of the preempt count (include/linux/preempt.h, 6.12 and 7.3); the lowest softirq
bit alone means that softirqs are served, the others that they are disabled. 7.3 counts
in between how often interrupts were disabled."""
_LOW = 0x70000000
"""From here on a count is one that went below zero; x86 hides the highest bit."""
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
    them, without those that print the splat. The function that the processor stopped in
    is the first one; not every architecture has it in the trace."""
    return tuple(name for name, _ in _own(splat, rules))


def _own(splat: Record, rules: SplatRules) -> list[tuple[str, str]]:
    """The functions of :func:`names`, each with the x86 stack that it is on."""
    stopped = _stopped(splat)
    culprit = {plain(trace.symbol_of(splat.where))} if isinstance(splat, t.Warn) else set()
    found = [
        (plain(frame.symbol), plain(name), frame.stack)
        for frame, name in trace.functions(splat.frames)
    ]
    inner = 0
    while inner < len(found) and found[inner][0] in rules.printers - culprit:
        inner += 1
    stack = [(name, on) for _, name, on in found[inner:]]
    if isinstance(splat, t.Stall | t.Panic):
        stack = _interrupted(stack, rules)
    there = any(stopped in (symbol, name) for symbol, name, _ in found)
    if stopped and not there and stopped not in (rules.printers - culprit) | rules.watchers:
        stack.insert(0, (stopped, stack[0][1] if stack else ""))
    return stack


_ENTRY_GAP = 4
"""Frames between two that enter one interrupt."""


def _interrupted(stack: list[tuple[str, str]], rules: SplatRules) -> list[tuple[str, str]]:
    """A CPU that finds itself stuck does so in an interrupt: what hangs is what the
    interrupt came to."""
    seen = [at for at, (name, _) in enumerate(stack) if name in rules.detectors]
    if not seen:
        return stack
    entry = -1
    for at in range(seen[-1] + 1, len(stack)):
        if stack[at][0] in rules.entries:
            entry = at
        elif 0 <= entry < at - _ENTRY_GAP:
            break
    if entry >= 0:
        return stack[entry + 1 :]
    while stack and stack[0][1] in ("IRQ", "NMI"):
        stack = stack[1:]
    return stack


def _stopped(splat: Record) -> str:
    """The function of the saved program counter, else of a warning's headline."""
    if not isinstance(splat, t.Warn | t.Bug | t.Oops | t.Stall):
        return ""
    where = registers.stopped_in(splat.registers)
    if not where and isinstance(splat, t.Warn):
        where = splat.where
    return plain(trace.symbol_of(where))


class Count(msgspec.Struct, frozen=True):
    """``value`` is the preempt count of the code that broke the rule, None when it is
    lower than it can be: then ``printed`` is what the kernel printed."""

    value: int | None
    printed: int


def count_of(splat: Record) -> Count | None:
    """The preempt count, as far as the kernel printed it."""
    if isinstance(splat, t.Scheduling):
        printed = splat.preempt_count
        # The scheduler has disabled preemption once by itself.
        low = printed == 0 or printed >= _LOW
        return Count(None if low else printed - 1, printed)
    if isinstance(splat, t.Sleeping | t.Preemptible | t.WorkqueueLeak):
        number = splat.preempt_count
        if number is not None:
            return Count(None if number >= _LOW else number, number)
    if isinstance(splat, t.Sleeping) and splat.in_atomic == 0:
        return Count(0, 0)
    return None


def preempt_count(splat: Record) -> int | None:
    """The preempt count of the code that broke the rule; None: not known."""
    count = count_of(splat)
    return None if count is None else count.value


def _bits(splat: Record) -> frozenset[str] | None:
    """The interrupts that the counts tell of; None: they do not."""
    irqs = lockdep.counts(splat)
    if irqs is not None:
        hard, soft, _, _ = irqs
        found = {"hardirq"} if hard else {"softirq"} if soft else set()
        if isinstance(splat, t.LockState) and "IN-NMI" in splat.now:
            found.add("nmi")
        return frozenset(found)
    count = preempt_count(splat)
    release = re.match(r"(\d{1,4})\.(\d{1,4})", splat.release)
    version = (int(release[1]), int(release[2])) if release is not None else (0, 0)
    if count is None or version == (7, 2):  # the layout changed about then
        return None
    layout = _NEW_BITS if version > (7, 2) else _OLD_BITS
    return frozenset(name for name, mask in layout.items() if count & mask)


def interrupts_off(splat: Record) -> bool | None:
    """Whether interrupts were off: printed, or in the saved processor state."""
    if isinstance(splat, t.Sleeping | t.Assuming) and splat.irqs_disabled is not None:
        return splat.irqs_disabled != 0
    irqs = lockdep.counts(splat)
    if irqs is not None:
        return not irqs[2]
    return registers.interrupts_off(splat.registers)


def context_of(splat: Record, rules: SplatRules) -> SplatContext | None:
    """None for kinds that have neither a task nor a stack."""
    if isinstance(splat, t.Sanitizer | t.Notice):
        return None  # left aside
    own = _own(splat, rules)
    stack = tuple(name for name, _ in own)
    if not stack and splat.cpu is None and not splat.name:
        return None
    best: tuple[int, int] | None = None
    chosen: Signature | None = None
    for number, signature in enumerate(rules.signatures):
        distance = _distance(signature, splat, own)
        if distance is not None and (best is None or (distance, number) < best):
            best, chosen = (distance, number), signature
    if chosen is None:
        return None
    if chosen.context == "task" and isinstance(splat, t.Stall) and not splat.name:
        return None  # a dump of one task or another
    rule = rules.book.contexts.get(chosen.context)
    title = chosen.title or (rule.title if rule else "")
    text = chosen.text or (rule.text if rule else "")
    title, text = _agreeing(title, text, rule, chosen, splat)
    return SplatContext(
        name=chosen.context,
        title=title,
        text=text,
        section=chosen.section or (rule.section if rule else "") or "",
        state=_state(splat),
        evidence=_evidence(chosen, splat, stack),
        hints=(chosen.hint,) if chosen.hint else (),
    )


def _agreeing(
    title: str, text: str, rule: Context | None, chosen: Signature, splat: Record
) -> tuple[str, str]:
    """Title and text of a context, without what the state of the splat refutes."""
    off = interrupts_off(splat)
    if rule is None:
        return title, text
    entry = rule.any or rule.nort
    strict = entry is not None and (entry.irqs == "off" or entry.hardirq)
    if strict:
        return (f"{title}, with interrupts on", "") if off is False else (title, text)
    if entry is None or entry.softirq or entry.bh or entry.rcu or entry.preempt:
        return title, text
    # Code that may sleep as a rule: not where something was turned off on the way.
    count = preempt_count(splat)
    if count is None and isinstance(splat, t.Sleeping):
        count = splat.in_atomic
    without = [word for word, gone in (("interrupts", off), ("preemption", count)) if gone]
    plain_task = chosen.context == "task"
    if without:
        since = trace.symbol_of(splat.disabled_at.where) if splat.disabled_at else ""
        words = f"with {' and '.join(without)} off" + (f" since {since}()" if since else "")
        return f"{'task' if plain_task else title}, {words}", ""
    spinning = (2, 3) if lockdep.nesting(splat) else (2,)
    held = splat.held.locks if splat.held is not None else ()
    locks = [lock.name for lock in held if lock.inner in spinning]
    if locks:
        return f"{'task' if plain_task else title}, with {locks[-1]} held", ""
    if isinstance(splat, t.Sleeping) and (splat.rcu_depth or 0) > splat.rcu_expected:
        return f"{'task' if plain_task else title}, in an RCU read side section", ""
    certain = off is False and count == 0
    if not certain:
        return title, "" if plain_task or "sleep" in text else text
    return title, text


def _distance(signature: Signature, splat: Record, own: list[tuple[str, str]]) -> int | None:
    """How far out the frame of a signature is, or the end of its x86 stack (softirqs run
    on the stack of hard interrupts, too); None: it does not fit."""
    stack = [name for name, _ in own]
    bits = _bits(splat)
    if signature.bits and bits is not None and signature.bits not in bits:
        return None
    if signature.bits and bits is None and not signature.frames:
        return None
    if signature.idle and (splat.pid != 0 or not splat.name):
        return None
    if signature.irqs and interrupts_off(splat) is not (signature.irqs == "off"):
        return None
    if signature.lock and not any(
        lock.name == signature.lock for lock in (splat.held.locks if splat.held else ())
    ):
        return None
    on = next((at for at, (_, on) in enumerate(own) if on != signature.stack), len(own))
    if signature.stack and not on:
        return None
    if signature.inside and not set(signature.inside) & set(stack):
        return None
    if set(signature.without) & set(stack):
        return None
    if signature.frames:
        at = next((i for i, name in enumerate(stack) if name in signature.frames), None)
        if at is None:
            return None
        return 0 if signature.bits and bits is not None else at + 1
    if signature.stack:
        return on
    return 0 if signature.bits else _FAR


def _state(splat: Record) -> tuple[str, ...]:
    out = []
    off = interrupts_off(splat)
    if off is not None:
        mask = registers.priority_masked(splat.registers)
        out.append("interrupts off" if off else "interrupts on")
        if off and mask:
            out[-1] += f" (by the priority mask, {mask})"
    count = count_of(splat)
    if count is not None:
        out.append(
            f"preempt count {count.value:x}"
            if count.value is not None
            else f"preempt count {count.printed:#x}, lower than it can be (underflow)"
        )
    if isinstance(splat, t.Sleeping):
        if splat.rcu_depth:
            out.append(f"RCU nest depth {splat.rcu_depth} (expected {splat.rcu_expected})")
        if splat.non_block:
            out.append("non-blocking section")
    irqs = lockdep.counts(splat)
    if irqs is not None and not irqs[3]:
        out.append("softirqs off")
    if splat.disabled_at is not None:
        out.append(f"preemption disabled at {splat.disabled_at.where}")
    return tuple(out)


def _evidence(chosen: Signature, splat: Record, stack: tuple[str, ...]) -> tuple[str, ...]:
    out = []
    hits = [name for name in stack if name in (*chosen.frames, *chosen.inside)]
    if hits:
        out.append("frames " + " < ".join(hits))
    bits, count = _bits(splat), preempt_count(splat)
    if chosen.bits and bits is not None:
        of = f"preempt count {count:x}" if count is not None else "the counts of lockdep"
        out.append(f"{chosen.bits} bits of {of}")
    if chosen.irqs:
        out.append(f"interrupts {chosen.irqs}")
    if chosen.lock:
        out.append(f"{chosen.lock} held")
    if chosen.stack:
        out.append(f"{chosen.stack} stack")
    if splat.cpu is not None or splat.name:
        out.append(f"task {splat.name} (pid {splat.pid})" if splat.name else f"pid {splat.pid}")
    return tuple(out)


__all__ = [
    "Count",
    "SplatContext",
    "context_of",
    "count_of",
    "error_hint",
    "interrupts_off",
    "names",
    "preempt_count",
]
