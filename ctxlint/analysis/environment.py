# SPDX-License-Identifier: GPL-2.0-or-later
"""What is known in a function when it is reached: of its arguments, and of objects."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from ctxlint.analysis.heap import Modes
from ctxlint.analysis.program import Program
from ctxlint.facts.known_at_calls import is_in_argument
from ctxlint.facts.summary import Edge, Guard, Point
from ctxlint.semantics.objects import Member
from ctxlint.semantics.terms import (
    ZERO,
    Addr,
    Bin,
    Const,
    Deref,
    Field,
    Func,
    Index,
    Param,
    Term,
    Value,
    on_entry_memory,
    params,
    place_of,
    substitute,
)

Condition = tuple[Term, bool]
"""A member, or a comparison of one with a number, and whether it holds."""

_ASKED_MAX = 16
_ASKED_DEPTH = 4


class Env(NamedTuple):
    """``args`` are parameters with their values, in order. ``conditions`` are what callers
    knew of members of the objects that they passed, on places of the function; ``flags``
    what callers in the file have set in the one object of a record that a way meets;
    ``modes`` what holds for all objects of a record. ``meant`` are those modes that a
    function on the way asks its callers for, so that any object with that value is meant: a
    test alone leaves open which object it is."""

    args: tuple[tuple[int, Term], ...] = ()
    conditions: tuple[Condition, ...] = ()
    flags: tuple[tuple[Member, int], ...] = ()
    modes: Modes = ()
    meant: tuple[Member, ...] = ()

    def only(self, used: Collection[int]) -> Env:
        """What matters to a value that depends on these parameters alone."""
        return Env(tuple(item for item in self.args if item[0] in used))

    def without_objects(self) -> Env:
        """The same without which objects arguments lead to."""
        return self._replace(args=tuple(i for i in self.args if not is_object(i[1])))

    def names_objects(self) -> bool:
        """Whether an argument leads to an object that is known."""
        return any(is_object(value) for _, value in self.args)

    def numbers(self) -> dict[Term, int]:
        """The members of which callers knew the number."""
        found: dict[Term, int] = {}
        for value, truth in self.conditions:
            if isinstance(value, Bin) and value.a is not None and isinstance(value.b, Const):
                found[value.a] = value.b.number
            elif not truth:
                found[value] = 0
        return found

    def is_covered_by(self, other: Env) -> bool:
        """Whether the other says all that this one does."""
        return set(self.args) <= set(other.args) and all(
            not mine or mine == theirs
            for mine, theirs in (
                (self.conditions, other.conditions),
                (self.flags, other.flags),
                ((self.modes, self.meant) if self.modes else (), (other.modes, other.meant)),
            )
        )


NO_ENV = Env()


def answers(
    asked: Iterable[Term], args: tuple[Value, ...], conditions: Iterable[Condition]
) -> tuple[Condition, ...]:
    """What is known of the members that a callee asks for, as conditions on its places;
    ``conditions`` are the caller's, the later ones go before."""
    by_place: dict[Value, Condition] = {
        at: (value, truth) for value, truth in conditions if (at := place_of(value)) is not None
    }
    found: list[Condition] = []
    for place in asked if by_place else ():
        known = by_place.get(_around(place, args) or substitute(place, args))
        if known is not None:
            value, truth = known
            inner = Bin("==", place, value.b) if isinstance(value, Bin) else place
            found.append((inner, truth))
    return tuple(sorted(found, key=repr))


def _around(place: Term, args: tuple[Value, ...]) -> Value:
    """A member of what container_of() makes of a parameter, of which the caller passed the
    address of a member: the member of the object around that. None for any other place."""
    if type(place) is not Field or type(place.base) is not Deref:
        return None
    pointer = place.base.pointer
    if type(pointer) is not Bin or pointer.op != "-" or type(pointer.a) is not Param:
        return None
    given = args[pointer.a.index] if pointer.a.index < len(args) else None
    inner = given.place if type(given) is Addr else None
    while type(inner) is Field:
        if inner.record == place.record:
            return Field(inner.base, place.record, place.name)
        inner = inner.base
    return None


def known_at(point: Point, env: Env) -> Iterator[Condition]:
    """What is known at a call of members; of those that are what the function was given, if
    that is known."""
    args = dict(env.args)
    for guard in point.known:
        value = guard.value
        if isinstance(value, Bin) and type(value.b) is Param:
            number = args.get(value.b.index)
            if type(number) is not Const:
                continue
            value = Bin(value.op, value.a, number)
        yield value, guard.truth


def given_members(point: Point) -> set[int]:
    """Parameters that were put into structures which are passed on."""
    return {i for g in point.known if isinstance(g.value, Bin) for i in params(g.value.b)}


def flag_of(value: Value) -> Member:
    """The member that a guard asks for, if it is one of an object left out."""
    if isinstance(value, Bin):
        value = value.a
    return value.member if isinstance(value, Field) and value.base == ZERO else ("", "")


def asks_for_mode(target: Value, env: Env) -> bool:
    """Whether a call goes to any object of its record that is in a mode."""
    target = member_called(target)
    return isinstance(target, Field) and any(record == target.record for record, _ in env.meant)


def member_called(target: Value) -> Value:
    """The place of which an element, or what it points to, is called."""
    while isinstance(target, Index | Deref):
        target = target.base if isinstance(target, Index) else target.pointer
    return target


def is_object(value: Term) -> bool:
    """Whether a value of an environment is a pointer to an object that is known."""
    return type(value) is not Const and type(value) is not Func


def contradicts(guard: Guard, env: Env) -> bool:
    """Whether a guard asks for zero where callers knew that a member is not."""
    value: Value = guard.value
    truth = guard.truth
    if isinstance(value, Bin) and value.op == "==" and value.b == ZERO:
        value, truth = value.a, not truth
    return not truth and (value, True) in env.conditions


def bind(value: Value, env: Env) -> Value:
    """Put the constant parameters of a node into a value of its function."""
    if value is None or type(value) is Const:
        return value
    if env == NO_ENV:
        return None if type(value) is Param else value
    needed = params(value)
    if not needed:
        return value
    known = dict(env.args)
    return substitute(value, tuple(known.get(i) for i in range(max(needed) + 1)))


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


def asked_places(program: Program) -> dict[str, set[Term]]:
    """Members, as places of each function, that its calls or those of its callees are
    guarded by, where some caller knows of one."""
    functions = program.functions
    found: dict[str, set[Term]] = {}
    if not any(p.known for fn in functions.values() for e in fn.edges for p in e.points):
        return found
    for symbol, fn in functions.items():
        for edge in fn.edges:
            for point in edge.points:
                for guard in point.guards:
                    asked = place_of(guard.value)
                    if asked is not None:
                        found.setdefault(symbol, set()).add(asked)
    work = deque((symbol, 0) for symbol in sorted(found))
    while work:
        callee, depth = work.popleft()
        for caller, edge in program.callers.get(callee, ()):
            beyond = caller.file != functions[callee].file
            mine = found.setdefault(caller.symbol, set())
            count = len(mine)
            for point in edge.points:
                for place in sorted(found[callee], key=repr):
                    if beyond and not (isinstance(place, Field) and is_in_argument(place)):
                        continue
                    outer = _around(place, point.args) or substitute(place, point.args)
                    if outer is not None and len(mine) < _ASKED_MAX and on_entry_memory(outer):
                        mine.add(outer)
            if len(mine) > count and depth < _ASKED_DEPTH:
                work.append((caller.symbol, depth + 1))
    return found
