# SPDX-License-Identifier: GPL-2.0-or-later
"""What is known in a function when it is reached: of its arguments, and of objects.

An environment is a sorted tuple of (parameter, value). In place of a parameter there can be
what holds of members: :data:`MODES` for all objects of a record, :data:`FLAGS` for the one
object of a record that a way meets, :data:`FACTS` for places of the function.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping

from ctxlint.analysis.heap import Modes
from ctxlint.analysis.objects import Member
from ctxlint.analysis.program import Program
from ctxlint.facts.summary import Edge, Guard
from ctxlint.semantics.terms import Value, on_entry_memory, params, place_of, substitute

Env = tuple[tuple[int, Value], ...]
Condition = tuple[Value, bool]
"""A member, or a comparison of one with a number, and whether it holds."""

MODES = -1
"""In place of a parameter: what holds for all objects of a record."""
FLAGS = -2
"""Likewise, of what callers in the file have set."""
FACTS = -3
"""Likewise: what callers knew of members of the objects that they passed, as conditions
on places of the function."""
_ASKED_MAX = 16
_ASKED_DEPTH = 4


def modes_in(env: Env) -> Modes:
    """Members that say how objects of a record work, with their values."""
    for number, value in env[:3]:
        if number == MODES:
            found: Modes = value[1]
            return found
    return ()


def flags_in(env: Env) -> dict[tuple[str, str], int]:
    """Members that callers in the file have set, with their values."""
    return next((dict(value[1]) for number, value in env[:2] if number == FLAGS), {})


def conditions_in(env: Env) -> tuple[Condition, ...]:
    """What callers knew of members: (condition on a place, whether it holds)."""
    return env[0][1][1] if env and env[0][0] == FACTS else ()


def numbers_in(env: Env) -> dict[Value, int]:
    """The members of which callers knew the number."""
    found = {}
    for value, truth in conditions_in(env):
        if value[0] == "b":
            found[value[2]] = int(value[3][1])
        elif not truth:
            found[value] = 0
    return found


def answers(
    asked: Iterable[Value], args: tuple[Value, ...], conditions: Iterable[Condition]
) -> tuple[Condition, ...]:
    """What is known of the members that a callee asks for, as conditions on its places;
    ``conditions`` are the caller's, the later ones go before."""
    by_place = {place_of(value): (value, truth) for value, truth in conditions}
    found = []
    for place in asked if by_place else ():
        value, truth = by_place.get(substitute(place, args), (None, False))
        if value is not None:
            inner = place if value[0] == "." else ("b", "==", place, value[3])
            found.append((inner, truth))
    return tuple(sorted(found, key=repr))


def flag_of(value: Value) -> tuple[str, str]:
    """The member that a guard asks for, if it is one of an object left out."""
    if value is not None and value[0] == "b":
        value = value[2]
    if value is None or value[0] != "." or value[1] != ("k", 0):
        return ("", "")
    return (value[2], value[3])


def meant_in(env: Env) -> tuple[Member, ...]:
    """Those of :func:`modes_in` that a function on the way asks its callers for, so that any
    object with that value is meant. A test alone leaves open which object it is."""
    for number, value in env[:3]:
        if number == MODES:
            found: tuple[Member, ...] = value[2]
            return found
    return ()


def asks_for_mode(target: Value, env: Env) -> bool:
    """Whether a call goes to any object of its record that is in a mode."""
    while target is not None and target[0] in ("[]", "*"):
        target = target[1]
    if target is None or target[0] != ".":
        return False
    return any(record == target[2] for record, _ in meant_in(env))


def is_object(value: Value) -> bool:
    """Whether a value of an environment is a pointer to an object that is known."""
    return value[0] not in ("k", "f", "modes", "flags", "facts")


def contradicts(guard: Guard, env: Env) -> bool:
    """Whether a guard asks for zero where callers knew that a member is not."""
    value, truth = guard.value, guard.truth
    if value[0] == "b" and value[1] == "==" and value[3] == ("k", 0):
        value, truth = value[2], not truth
    return not truth and (value, True) in conditions_in(env)


def bind(value: Value, env: Env) -> Value:
    """Put the constant parameters of a node into a value of its function."""
    if value is None or not env:
        return value if value is None or value[0] not in ("p",) else None
    known = dict(env)
    count = max(known) + 1
    needed = params(value)
    if not needed:
        return value
    return substitute(value, tuple(known.get(i) for i in range(max(count, max(needed) + 1))))


def asked_flags(
    program: Program, users: Mapping[str, list[tuple[str, Edge]]]
) -> dict[str, set[tuple[str, str]]]:
    """Flags that each function, or one below it, is guided by."""
    functions = program.functions
    known = {
        (record, name)
        for fn in functions.values()
        for edge in fn.edges
        for point in edge.points
        for record, name, _ in point.flags
    }
    found: dict[str, set[tuple[str, str]]] = {}
    if not known:
        return found
    for symbol, fn in functions.items():
        for edge in fn.edges:
            for point in edge.points:
                for guard in point.guards:
                    name = flag_of(guard.value)
                    if name in known:
                        found.setdefault(symbol, set()).add(name)
    work = deque(sorted(found))
    while work:
        callee = work.popleft()
        for symbol, _ in users.get(callee, ()):
            if functions[symbol].file != functions[callee].file:
                continue
            mine = found.setdefault(symbol, set())
            if not found[callee] <= mine:
                mine |= found[callee]
                work.append(symbol)
    return found


def asked_places(program: Program) -> dict[str, set[Value]]:
    """Members, as places of each function, that its calls or those of its callees are
    guarded by, where some caller knows of one."""
    functions = program.functions
    found: dict[str, set[Value]] = {}
    if not any(p.known for fn in functions.values() for e in fn.edges for p in e.points):
        return found
    for symbol, fn in functions.items():
        for edge in fn.edges:
            for point in edge.points:
                for guard in point.guards:
                    place = place_of(guard.value)
                    if place is not None:
                        found.setdefault(symbol, set()).add(place)
    work = deque((symbol, 0) for symbol in sorted(found))
    while work:
        callee, depth = work.popleft()
        for caller, edge in program.callers.get(callee, ()):
            if caller.file != functions[callee].file:
                continue
            mine = found.setdefault(caller.symbol, set())
            count = len(mine)
            for point in edge.points:
                for place in sorted(found[callee], key=repr):
                    outer = substitute(place, point.args)
                    if outer is not None and len(mine) < _ASKED_MAX and on_entry_memory(outer):
                        mine.add(outer)
            if len(mine) > count and depth < _ASKED_DEPTH:
                work.append((caller.symbol, depth + 1))
    return found
