# SPDX-License-Identifier: GPL-2.0-or-later
"""From a violation to what a person reads: the whole way, step by step."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ctxlint.analysis.entry_points import EntryPoint
from ctxlint.analysis.nodes import Node, Violation
from ctxlint.facts.summary import Edge, Point, Summary
from ctxlint.findings.model import ContextInfo, Entry, Origin, State, Step
from ctxlint.ir.unit import Loc
from ctxlint.rulebook import effects
from ctxlint.rulebook.book import Rulebook
from ctxlint.semantics.context import Context, Delta, Lock
from ctxlint.semantics.irqs import Irqs

SourceLine = Callable[[str, int], str]
"""Text of a line of a file of the tree, ``""`` when it cannot be read."""


_IRQS: dict[bool | None, Literal["on", "off", "unknown"]] = {
    True: "off",
    False: "on",
    None: "unknown",
}


@dataclass(frozen=True)
class Site:
    """Where a violation is told: in the innermost function of an audited .c file,
    at the call that the driver wrote."""

    fn: Summary
    edge: Edge
    loc: Loc
    inner: bool
    """The operation itself is below, in header code."""


def site_of(violation: Violation, reported: Callable[[str], bool]) -> Site | None:
    """None when no function of a reported .c file is on the way."""
    node: Node | None = violation.node
    edge = violation.edge
    inner = False
    while node is not None and (
        node.fn.file.endswith(".h") or not reported(node.fn.locs[edge.loc].file)
    ):
        if node.edge is None:
            return None
        edge, node, inner = node.edge, node.parent, True
    if node is None:
        return None
    return Site(node.fn, edge, node.fn.locs[edge.loc], inner)


def callee_name(site: Site, shown: str, source: SourceLine) -> str:
    """The operation as the driver wrote it: the macro's name, or the function's.

    A call inside of a macro's *argument* is the driver's own text.
    """
    loc = site.loc
    if site.edge.implicit:
        return shown  # the compiler put it here, at the end of a scope
    # A macro that defines the whole function, or an argument of a macro.
    whole = (loc.line, loc.col) == (site.fn.line, site.fn.col)
    own = not loc.macro or whole or loc.spelled.rpartition(":")[0] == loc.file
    if own:
        name = (
            site.edge.symbol.rpartition("::")[2] if site.inner and site.edge.symbol else shown
        )
        return name or site.edge.shown or shown
    if not site.inner or loc.macro.startswith(shown):
        return loc.macro
    text = source(loc.file, loc.line)[loc.col - 1 :]
    match = re.match(r"\w+\(\s*(\w+)", text)
    if match is not None and match[1] in site.edge.symbol:
        return f"{loc.macro}({match[1]})"  # scoped_guard(spinlock_irqsave, …)
    return loc.macro


def nodes_of(violation: Violation) -> list[Node]:
    """From the root to the function with the operation."""
    chain = []
    node: Node | None = violation.node
    while node is not None:
        chain.append(node)
        node = node.parent
    return chain[::-1]


def among(violation: Violation) -> int:
    """Of the calls through pointers on the way whose object is not known, the most
    functions that one can go to; 0 without such a call."""
    return max(0 if node.asked else node.among for node in nodes_of(violation))


def entry_of(violation: Violation) -> Entry:
    """Where the path of a violation begins: the entry point with the place of its
    registration, or, of a function without one (``kind`` ``"function"``), its definition."""
    root = nodes_of(violation)[0]
    entry = root.entry
    if entry is None:
        return Entry(
            kind="function", function=root.fn.name, file=root.fn.file, line=root.fn.line
        )
    return Entry(
        kind=entry.kind,
        function=root.fn.name,
        file=entry.file,
        line=entry.line,
        state=entry.state or None,
    )


def context_info(violation: Violation, rules: Rulebook) -> ContextInfo:
    """The execution context at the operation: its fields as the path has them, the locks that
    the path took and those that the entry point's rule names, outermost first."""
    context = violation.context
    locks = [*_of_entry(nodes_of(violation)[0], rules)]
    for node, delta in deltas(violation):
        locks += [f"{_lock(lock, rules)} (in {node.fn.name})" for lock in delta.locks]
    section = (rules.contexts[context.name].section or None) if context.name else None
    return ContextInfo(
        text=describe(context, rules),
        irqs=_IRQS[context.irqs_off],
        preempt="off" if context.counts.preempt > 0 else "on",
        nmi=context.nmi,
        hardirq=context.hard,
        softirq=context.soft,
        bh_disabled=context.counts.bh > 0,
        rcu=context.counts.rcu > 0,
        locks=tuple(locks),
        section=section,
    )


def rcu_locks(violation: Violation, rules: Rulebook, rt: bool) -> list[str]:
    """Locks held at a violation that are RCU read-side sections too (spinlock_t on
    PREEMPT_RT), the outermost first."""
    out = []
    for _, delta in deltas(violation):
        for lock in delta.locks:
            phrases = rules.phrases(lock.kind, rt) if lock.kind in rules.locks else ()
            if any(isinstance(p, effects.Count) and p.counter == "rcu" for p in phrases):
                out.append(_lock(lock, rules))
    return out


def _lock(lock: Lock, rules: Rulebook) -> str:
    title = rules.locks[lock.kind].title if lock.kind in rules.locks else lock.kind
    return f"{title} {lock.path}".strip()


def origin(violation: Violation, rules: Rulebook, rt: bool) -> Origin:
    """What forbids the operation: the last change of the context on the way before which
    it would have been allowed, or the callback that the way begins with."""
    level = violation.need.level

    def phrases(kind: str) -> tuple[effects.Effect, ...]:
        return rules.phrases(kind, rt)

    for node, delta in reversed(deltas(violation)):
        context = node.context
        if context.allows(rt) < level or context.then(delta).allows(rt) >= level:
            continue
        for lock in delta.locks:
            taken = context.after((effects.Lock(lock.kind, ""),), phrases)
            if lock.kind in rules.locks and taken.allows(rt) < level:
                name = _lock(lock, rules)
                loc = node.fn.locs[lock.loc]
                return Origin(
                    kind="lock", name=name, function=node.fn.name, file=loc.file,
                    line=loc.line, text=f"{name}, taken in {node.fn.name}()",
                )  # fmt: skip
        at = delta.irq_loc if delta.irqs == Irqs.OFF else delta.pre_loc
        loc = node.fn.locs[at] if at >= 0 else Loc(node.fn.file, node.fn.line, node.fn.col)
        words = context.then(delta).words()
        return Origin(
            kind="section", name=words, function=node.fn.name, file=loc.file, line=loc.line,
            text=f"{words} in {node.fn.name}()",
        )  # fmt: skip
    root, entry = nodes_of(violation)[0], entry_of(violation)
    return Origin(
        kind="callback",
        name=entry.kind.partition(".")[0],
        function=(root.entry.by or root.entry.what) if root.entry is not None else "",
        file=entry.file,
        line=entry.line,
        text=f"{root.fn.name}() as {entry.state or entry.kind}",
    )


def describe(context: Context, rules: Rulebook) -> str:
    """A context in words, after the title that ``rules/contexts.yaml`` gives it, if it has
    one."""
    if context.name:
        return f"{rules.contexts[context.name].title}: {context.words()}"
    return context.words()


def deltas(violation: Violation) -> list[tuple[Node, Delta]]:
    """Each function on the way with the state changes before its call."""
    chain = nodes_of(violation)
    points: list[Point] = [n.point for n in chain[1:] if n.point is not None]
    points.append(violation.point)
    return [(node, point.delta) for node, point in zip(chain, points, strict=True)]


def steps(
    violation: Violation, rules: Rulebook, rt: bool, shown: str, why: str, source: SourceLine
) -> tuple[Step, ...]:
    """The witness: registration, entry, calls, context changes, operation."""
    chain = nodes_of(violation)
    out: list[Step] = []
    context = chain[0].context
    root = chain[0]
    held = _of_entry(root, rules)
    if root.entry is not None:
        out += _entry_steps(root, root.entry, rules, _state(context, held), source)
    else:
        out.append(
            _step(
                "entry",
                root.fn.name,
                Loc(root.fn.file, root.fn.line, root.fn.col),
                f"{root.fn.name}() is called",
                "not known; taken as preemptible",
                None,
                source,
            )
        )
    edges: list[tuple[Edge, Point]] = [
        (n.edge, n.point) for n in chain[1:] if n.edge is not None and n.point is not None
    ]
    edges.append((violation.edge, violation.point))
    for i, (node, (edge, point)) in enumerate(zip(chain, edges, strict=True)):
        inside = context.then(point.delta)
        held = (*held, *(_lock(lock, rules) for lock in point.delta.locks))
        state = _state(inside, held)
        out += _state_steps(node, point.delta, context, rules, state, source)
        context = inside
        loc = node.fn.locs[edge.loc]
        words = context.words()
        if i + 1 < len(chain):
            callee = chain[i + 1].fn
            indirect = not edge.symbol
            note = (
                f"{edge.shown or 'a function pointer'} can be {callee.name}()"
                if indirect
                else f"calls {callee.name}()"
            )
            kind = "indirect-call" if indirect else "call"
            out.append(_step(kind, node.fn.name, loc, note, words, state, source))
        else:
            note = f"{shown}() {why}".strip()
            out.append(_step("operation", node.fn.name, loc, note, words, state, source))
    return tuple(out)


def _of_entry(root: Node, rules: Rulebook) -> tuple[str, ...]:
    """The lock that a callback is called with."""
    lock = rules.state(root.context.name, True).lock if root.context.name else ""
    return (lock,) if lock else ()


def _state(context: Context, locks: tuple[str, ...]) -> State:
    return State(
        irqs=_IRQS[context.irqs_off],
        preempt=context.counts.preempt == 0,
        nmi=context.nmi,
        hardirq=context.hard,
        softirq=context.soft,
        bh_disabled=context.counts.bh > 0,
        rcu=context.counts.rcu > 0,
        locks=locks,
    )


def _entry_steps(
    root: Node, entry: EntryPoint, rules: Rulebook, state: State, source: SourceLine
) -> list[Step]:
    fn = root.fn
    rule = rules.contexts[entry.context]
    where = f" by {entry.what}()" if entry.by and entry.state else ""
    if entry.state:
        note = f"{fn.name}() is registered for {entry.state}{where}"
    elif entry.by:
        note = f"{fn.name}() is registered as {entry.kind} in {entry.by}()"
    elif entry.what == fn.name:
        note = ""
    else:
        note = f"{fn.name}() is {entry.kind} of {entry.what}"
    out = []
    if note:
        at = Loc(entry.file, entry.line, entry.column)
        out.append(_step("registration", entry.by, at, note, "", None, source))
    at = Loc(fn.file, fn.line, fn.col)
    words = f"{rule.title}: {root.context.words()}"
    out.append(_step("entry", fn.name, at, f"{fn.name}() {rule.text}", words, state, source))
    return out


def _state_steps(
    node: Node, delta: Delta, before: Context, rules: Rulebook, state: State,
    source: SourceLine,
) -> list[Step]:  # fmt: skip
    marks: list[tuple[int, str]] = []
    if delta.irqs == Irqs.OFF and delta.irq_loc >= 0 and not before.irqs_off:
        marks.append((delta.irq_loc, "interrupts go off"))
    locked = set()
    for lock in delta.locks:
        title = rules.locks[lock.kind].title if lock.kind in rules.locks else lock.kind
        marks.append(
            (
                lock.loc,
                f"takes {_article(title)} {title}" + (f", {lock.path}" if lock.path else ""),
            )
        )
        locked.add(lock.loc)
    marks += [(at, f"stated by {text}") for text, at in delta.stated]
    if delta.counts.preempt > 0 and delta.pre_loc >= 0 and delta.pre_loc not in locked:
        marks.append((delta.pre_loc, "preemption goes off"))
    if delta.counts.bh > 0 and not locked:
        marks.append((-1, "bottom halves are off"))
    if delta.counts.rcu > 0 and not locked:
        marks.append((-1, "enters an RCU read-side section"))
    out = []
    words = before.then(delta).words()
    for index, note in sorted(set(marks)):
        loc = node.fn.locs[index] if index >= 0 else Loc(node.fn.file, node.fn.line, 1)
        out.append(_step("state", node.fn.name, loc, note, words, state, source))
    return out


def assumptions(violation: Violation) -> tuple[str, ...]:
    """Conditions that the way depends on, the nearest to the operation first."""
    chain = nodes_of(violation)
    points = [n.point for n in chain[1:] if n.point is not None] + [violation.point]
    found: list[str] = []
    for node, point in list(zip(chain, points, strict=True))[::-1][:3]:
        for item in point.assumptions[::-1][:2]:
            loc = node.fn.locs[item.loc]
            word = "is true" if item.truth else "is false"
            found.append(f"`{item.text}` {word} in {node.fn.name}() ({loc.file}:{loc.line})")
    root = chain[0]
    if root.entry is not None and not root.entry.certain:
        found.append(
            f"{root.fn.name}() really runs in this context: the arguments of its registration "
            "are not constants"
        )
    for node in chain[1:]:
        if node.edge is not None and not node.edge.symbol:
            called = node.edge.shown or "the function pointer"
            note = f"{called} is {node.fn.name}() here"
            if node.among:
                note += (
                    f", one of {node.among} functions: its object is not known"
                    if node.among > 1
                    else ", the only function that was seen: its object is not known"
                )
            found.append(note)
    return tuple(dict.fromkeys(found))


def _step(
    kind: str, function: str, loc: Loc, note: str, context: str, state: State | None,
    source: SourceLine,
) -> Step:  # fmt: skip
    return Step(
        kind=kind,
        function=function,
        file=loc.file,
        line=loc.line,
        column=loc.col,
        note=note,
        context=context,
        text=source(loc.file, loc.line),
        state=state,
    )


def _article(word: str) -> str:
    return "an" if word[:1] in "aeiou" else "a"
