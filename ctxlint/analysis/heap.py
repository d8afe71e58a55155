# SPDX-License-Identifier: GPL-2.0-or-later
"""What is stored in the members of an object, and which object a value leads to.

A value of a function is *bound* to the objects that the function was called for: then it
means the same in every function. A path of members that starts at an object (``At``)
stays as it is while that says more than the set of objects which it may lead to
(``gc->gpiodev->chip`` is ``gc`` again).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

from ctxlint.analysis.linked_terms import framed, functions_in, is_private, results_in
from ctxlint.analysis.pointers import Pointers
from ctxlint.analysis.stores import HOLD_FUNCTIONS, WRAPPERS
from ctxlint.semantics.objects import (
    CHAIN_MAX,
    AnyOf,
    Made,
    Member,
    Obj,
    OnStack,
    Variable,
    any_of,
    around,
    is_any,
    may_be,
    member,
)
from ctxlint.semantics.terms import (
    ZERO,
    Addr,
    At,
    Bin,
    Const,
    Deref,
    Field,
    Func,
    Global,
    Index,
    Local,
    Param,
    Result,
    Select,
    Term,
    Value,
    params,
)

if TYPE_CHECKING:
    from ctxlint.analysis.program import Program

Mode = tuple[Member, int]
Modes = tuple[Mode, ...]

_DEPTH_MAX = 24
_SINGLE_MAX = 40
_TERMS_MAX = 60
"""Calls whose results are looked into for one value."""

_NO_FUNCTIONS: frozenset[str] = frozenset()


class Objects(Pointers):
    """Of one linked program."""

    def __init__(
        self,
        program: Program,
        allocators: frozenset[str],
        copiers: Mapping[str, tuple[int, int]] = MappingProxyType({}),
    ) -> None:
        super().__init__(program, allocators, copiers)
        self._functions: dict[Member, tuple[dict[Obj, set[str]], frozenset[Obj]]] = {}
        self._held: dict[tuple[Obj, Member], tuple[frozenset[str], bool]] = {}
        self._single: dict[Obj, Value] = {}
        self._kept: dict[tuple[str, Member], bool] = {}
        self._parameters: dict[tuple[str, str, int], set[int]] = {}
        self._terms = 0
        self._ways: frozenset[Member] = frozenset()
        self._back = self._back_pointers()
        self._ways = frozenset(way for way, _ in self._back)

    # -- what is asked -----------------------------------------------------

    def targets(self, term: Field, modes: Modes = ()) -> tuple[frozenset[str], bool]:
        """Functions that a member, as :meth:`bound` gives it, can hold; and whether it is
        known which object it is. ``modes`` are members of objects with the values that
        they have here."""
        found, known = self._all_targets(term)
        for (record, name), value in modes:
            mode = ((record, name), value)
            other = self._in_other_mode if record == term.record else self._table_in_other_mode
            found = frozenset(f for f in found if not other(f, term.member, mode))
        return found, known

    def _in_other_mode(self, function: str, key: Member, mode: Mode) -> bool:
        """Whether every object that holds a function in a member has another value."""
        holders = [
            obj for obj, functions in self._table(key)[0].items() if function in functions
        ]
        return bool(holders) and all(self._has_other(obj, mode) for obj in holders)

    def _table_in_other_mode(self, function: str, key: Member, mode: Mode) -> bool:
        """The same, where a table of operations holds it and the objects point to the
        table: whoever sets the pointer sets the mode next to it, or leaves it zero."""
        (record, name), value = mode
        holders = [
            obj for obj, functions in self._table(key)[0].items() if function in functions
        ]
        tables = [
            o.root.symbol for o in holders if isinstance(o.root, Variable) and not o.chain
        ]
        if not holders or len(tables) != len(holders):
            return False
        setters = [s for table in tables for s in self._pointing.get(table, ())]
        if not setters or any(kind != record for _, _, (kind, _) in setters):
            return False
        stores = self._moves.get((record, name), ())
        given = set[tuple[str, Value]]().union(*(self._given(key) for _, _, key in setters))
        if any((symbol, base) not in given for symbol, base, _ in stores):
            return False
        for symbol, base, _ in setters:
            values = [v for s, b, v in stores if (s, b) == (symbol, base)] or [ZERO]
            if any(not isinstance(v, Const) or bool(v.number) == bool(value) for v in values):
                return False
        return True

    def _given(self, pointer: Member) -> set[tuple[str, Value]]:
        """Functions that set a pointer to a table, a variable or a part of some object, and
        in which object they set it."""
        return {
            (symbol, base)
            for symbol, base, value in self._moves.get(pointer, ())
            if isinstance(value, Addr) and isinstance(value.place, Global | Field)
        }

    @cached_property
    def _pointing(self) -> dict[str, list[tuple[str, Value, Member]]]:
        """Where a member is set to a variable's address: (function, object, member)."""
        found: dict[str, list[tuple[str, Value, Member]]] = {}
        for key, stores in self._moves.items():
            for symbol, base, value in stores:
                if isinstance(value, Addr) and isinstance(value.place, Global):
                    found.setdefault(value.place.symbol, []).append((symbol, base, key))
        return found

    def _has_other(self, obj: Obj, mode: Mode) -> bool:
        key, value = mode
        if isinstance(obj.root, Variable):
            name = ".".join((*(n for _, n in obj.chain), key[1]))
            for values in self._initial.get(obj.root.symbol, ()):
                if bool(values.get(name, 0)) != bool(value):
                    return True
        seen = False
        for base, stored in self._stores_in(key):
            objs = self._place(base, key[0])
            if objs is not None and not any(may_be(o, obj) for o in objs):
                continue
            if not isinstance(stored, Const) or bool(stored.number) == bool(value):
                return False
            seen = seen or (objs is not None and obj in objs)
        return seen

    @cached_property
    def _initial(self) -> dict[str, list[dict[str, int]]]:
        """Constant members of initialised variables."""
        found: dict[str, list[dict[str, int]]] = {}
        for inits in self.program.inits.values():
            for init in inits:
                found.setdefault(init.variable, []).append(dict(init.values))
        return found

    def _all_targets(self, term: Field) -> tuple[frozenset[str], bool]:
        self._steps = 0
        record, key = term.record, term.member
        whole = frozenset(self.program.members.get(key, ()))
        objs = self._place(term.base, record)
        if objs is None:
            return whole, False
        found: set[str] = set()
        for obj in objs:
            functions, complete = self._member_functions(obj, key)
            if not complete:
                return frozenset(f for f in whole if self._may_hold(obj, key, f)), False
            found |= functions
        if not found and not all(self._is_known(o, record) for o in objs):
            if not all(obj.chain for obj in objs):
                return whole, False
            # A part of a structure, and what fills it was not read. Functions that are in
            # parts of other structures alone it cannot hold.
            held = (f for f in whole if any(self._may_hold(obj, key, f) for obj in objs))
            return frozenset(held), False
        return frozenset(found), len(objs) == 1

    def bound(self, value: Value, symbol: str, env: Mapping[int, Value]) -> Value:
        """A value of a function with its parameters replaced, in terms that mean the
        same in every function; None when nothing is known of it."""
        self._steps = self._terms = 0
        return self._pointer(framed(value, symbol), "", symbol, env, 0)

    def bound_place(self, place: Value, symbol: str, env: Mapping[int, Value]) -> Value:
        """The same for a place."""
        self._steps = self._terms = 0
        return self._fixed(framed(place, symbol), "", symbol, env, 0)

    def holder(self, function: str, record: str) -> Value:
        """A pointer to the one object of a record that holds a function, in a member or in
        a table of this file that it points to: what the function is called for. None when
        there may be several."""
        found: set[Obj] = set()
        for key, table in self._stored_in.get(function, ()):
            self._steps = 0
            if key[0] == record:
                for base, value in self._stores_in(key):
                    stored: set[str] = set()
                    functions_in(value, stored)
                    objs = self._place(base, record) if function in stored else ()
                    if objs is None:
                        return None
                    found |= set(objs)
                continue
            if not is_private(table):
                return None
            for symbol, base, (kind, _) in self._pointing.get(table, ()):
                objs = self._place(framed(base, symbol), kind) if kind == record else ()
                if objs is None:
                    return None
                found |= set(objs)
        one = found.pop() if len(found) == 1 else None
        return None if one is None or isinstance(one.root, AnyOf) else Addr(At(one))

    @cached_property
    def _stored_in(self) -> dict[str, set[tuple[Member, str]]]:
        """Members that each function is stored in, and variables that they are part of."""
        out: dict[str, set[tuple[Member, str]]] = {}
        for store in self.program.stores:
            functions: set[str] = set()
            functions_in(store.value, functions)
            for function in functions:
                key = store.path[-1] if store.path else ("", "")
                out.setdefault(function, set()).add((key, store.base))
        return out

    def parameters(self, value: Value, symbol: str, depth: int = 0) -> set[int]:
        """Parameters of a function that a value depends on, also as arguments of the
        calls that it comes from."""
        found = params(value)
        for op in results_in(value) if depth < WRAPPERS else ():
            found |= self._parameters_of_call(symbol, op, depth + 1)
        return found

    def _parameters_of_call(self, symbol: str, op: str, depth: int) -> set[int]:
        """The same of the arguments of one call. It is asked for again by each call that takes
        the result of this one, so it is kept."""
        key = (symbol, op, depth)
        found = self._parameters.get(key)
        if found is None:
            found = set()
            edge = self._calls.get(symbol, {}).get(op)
            for point in edge.points if edge is not None else ():
                for arg in point.args:
                    found |= self.parameters(arg, symbol, depth)
            self._parameters[key] = found
        return found

    def tells(self, value: Value) -> bool:
        """Whether a bound pointer says more of its object than its record does."""
        match value:
            case Addr():
                return not isinstance(value.place, At) or not is_any(value.place.obj)
            case At():
                chain = value.obj.chain
                return (bool(chain) and chain[-1] in self._ways) or bool(
                    self._pointed(value, "")
                )
            case Field():
                return self.tells(value.base)
            case Deref():
                return self.tells(value.pointer)
            case Bin():
                return self.tells(value.a)
        return False

    # -- terms that mean the same everywhere ---------------------------------

    def _fixed(
        self, t: Value, want: str, symbol: str, env: Mapping[int, Value], depth: int
    ) -> Value:
        if depth > _DEPTH_MAX:
            return None
        match t:
            case At():
                return t
            case Global():
                return At(Obj(Variable(t.symbol)))
            case Local():
                return At(Obj(OnStack(t.of, t.slot)))
            case Field():
                base = self._fixed(t.base, t.record, symbol, env, depth + 1)
                if base is None:
                    base = At(any_of(t.record))
                elif isinstance(base, Deref) and not self.tells(base.pointer):
                    base = At(self._only(base.pointer, t.record))
                if isinstance(base, At) and len(base.obj.chain) < CHAIN_MAX:
                    return At(member(base.obj, t.record, t.name))
                return Field(base, t.record, t.name)
            case Index():
                return self._fixed(t.base, want, symbol, env, depth + 1)
            case Deref():
                pointer = self._pointer(t.pointer, want, symbol, env, depth + 1)
                if pointer is None:
                    return At(any_of(want)) if want else None
                return pointer.place if isinstance(pointer, Addr) else Deref(pointer)
        return None

    def _pointer(
        self, t: Value, want: str, symbol: str, env: Mapping[int, Value], depth: int
    ) -> Value:
        if t is None or depth > _DEPTH_MAX:
            return None
        match t:
            case Const() | Func():
                return t
            case Addr():
                place = self._fixed(t.place, want, symbol, env, depth + 1)
                return None if place is None else Addr(place)
            case Param():
                return env.get(t.index) if t.of == symbol else None
            case Result():
                return self._result_term(t, want, symbol, env, depth)
            case Bin(op="+"):
                return self._pointer(t.a, want, symbol, env, depth + 1)
            case Bin(op="-", b=Const()):
                inner = self._pointer(t.a, "", symbol, env, depth + 1)
                if inner is None:
                    return None
                if isinstance(inner, Addr) and isinstance(inner.place, At) and want:
                    return Addr(At(around(inner.place.obj, want)))
                return Bin("-", inner, t.b)
            case Field() | Global() | Deref() | Index() | At():
                place = self._fixed(t, "", symbol, env, depth + 1)
                return None if place is None else self._loaded(place)
        return None

    def _only(self, pointer: Value, record: str) -> Obj:
        """The one object that a pointer leads to, else any of the record."""
        objs = self._pointed(pointer, record)
        return next(iter(objs)) if objs and len(objs) == 1 else any_of(record)

    def _loaded(self, place: Term) -> Term:
        """What is read from a place; a back pointer leads to where it came from."""
        if isinstance(place, Field) and isinstance(place.base, Deref):
            through = place.base.pointer
            way = None
            if isinstance(through, Field):
                way = through.member
            elif isinstance(through, At) and through.obj.chain:
                way = through.obj.chain[-1]
            if way is not None and (way, place.member) in self._back:
                if isinstance(through, Field) and through.base is not None:
                    return Addr(through.base)
                if isinstance(through, At):
                    return Addr(At(Obj(through.obj.root, through.obj.chain[:-1])))
        if isinstance(place, At) and place.obj.chain and place.obj.chain[-1] not in self._ways:
            return self._only_value(place.obj) or place
        return place

    def _only_value(self, obj: Obj) -> Value:
        """The pointer that every store into a member stores, when it is one."""
        if obj not in self._single:
            self._single[obj] = None  # a cycle ends here
            self._single[obj] = self._find_only_value(obj)
        return self._single[obj]

    def _find_only_value(self, obj: Obj) -> Value:
        key, holder = obj.chain[-1], Obj(obj.root, obj.chain[:-1])
        found: set[Value] = set()
        stores = self._stores_in(key)
        if len(stores) > _SINGLE_MAX:
            return None
        for base, value in stores:
            objs = self._place(base, key[0])
            if objs is not None and not any(may_be(o, holder) for o in objs):
                continue
            bound = self._pointer(value, "", "", {}, _DEPTH_MAX // 3)
            if isinstance(bound, Const):
                continue
            found.add(bound)
            if len(found) > 1 or not self.tells(bound):
                return None
        if not found or self._copied_into(holder, key[0]):
            return None
        return found.pop()

    def _result_term(
        self, t: Result, want: str, symbol: str, env: Mapping[int, Value], depth: int
    ) -> Value:
        """What a call returned, when it can be only one thing."""
        edge = self._calls.get(t.of, {}).get(t.op)
        if edge is None or not edge.symbol:
            return None
        if edge.symbol.rpartition("::")[2] in self.allocators:
            return Addr(At(Obj(Made(t.of, t.op))))
        callee = self.program.functions.get(edge.symbol)
        if callee is None or not callee.returns:
            return None
        self._terms += 1
        if self._terms > _TERMS_MAX:
            return None
        found: set[Value] = set()
        needed = set().union(*(self.parameters(v, callee.symbol) for v in callee.returns))
        for given in dict.fromkeys(
            tuple((i, point.args[i]) for i in sorted(needed) if i < len(point.args))
            for point in edge.points
        ):
            args = {
                i: self._pointer(framed(a, t.of), "", symbol, env, depth + 1) for i, a in given
            }
            for value in callee.returns:
                if value is None:
                    return None
                if isinstance(value, Const):
                    continue
                found.add(
                    self._pointer(
                        framed(value, callee.symbol), want, callee.symbol, args, depth + 2
                    )
                )
        found = {v for v in found if not isinstance(v, Const)}  # an error, not an object
        if not found:
            return ZERO
        one = found.pop() if len(found) == 1 else None
        if callee.file.endswith(".h") and isinstance(one, Addr) and isinstance(one.place, At):
            obj = one.place.obj
            if isinstance(obj.root, Made):
                return Addr(At(Obj(Made(t.of, t.op), obj.chain)))
        return one

    # -- what members hold -------------------------------------------------

    def _member_functions(self, obj: Obj, key: Member) -> tuple[frozenset[str], bool]:
        """Functions in a member of an object, and whether that is all of them."""
        if (obj, key) not in self._held:
            self._held[(obj, key)] = (_NO_FUNCTIONS, False)  # a cycle ends here
            self._held[(obj, key)] = self._find_functions(obj, key)
        return self._held[(obj, key)]

    def _find_functions(self, obj: Obj, key: Member) -> tuple[frozenset[str], bool]:
        if is_any(obj) or self._copied_into(obj, key[0]):
            return _NO_FUNCTIONS, False
        table, unknown = self._table(key)
        if any(may_be(o, obj) for o in unknown):
            return _NO_FUNCTIONS, False
        found: set[str] = set()
        for holder, functions in table.items():
            if may_be(holder, obj):
                found |= functions
        return frozenset(found), True

    def _may_hold(self, obj: Obj, key: Member, function: str) -> bool:
        """Whether a member of an object that is not fully known may hold a function: not
        when each place that the function is put in is known to be another object."""
        if is_any(obj) or self._copied_into(obj, key[0]) or not self._kept_in(function, key):
            return True
        holders = [o for o, held in self._table(key)[0].items() if function in held]
        return not holders or any(may_be(o, obj) for o in holders)

    def _kept_in(self, function: str, key: Member) -> bool:
        """Whether a function of a .c file goes nowhere but into one member: stored there,
        or passed to functions that store it there."""
        if (function, key) not in self._kept:
            stored, given = self._uses.get(function, (set(), set()))
            self._kept[function, key] = (
                is_private(function)
                and stored <= {key}
                and all(self._parameter_kept(s, index, key, 0) for s, index in given)
            )
        return self._kept[function, key]

    def _parameter_kept(self, symbol: str, index: int, key: Member, depth: int) -> bool:
        fn = self.program.functions.get(symbol)
        if fn is None or depth > WRAPPERS or any(index in params(v) for v in fn.returns):
            return False
        for move in fn.moves:
            if index in params(move.value) and (
                not isinstance(move.place, Field) or move.place.member != key
            ):
                return False
        for edge in fn.edges:
            for point in edge.points:
                for i, value in enumerate(point.args):
                    if index in params(value) and not self._parameter_kept(
                        edge.symbol, i, key, depth + 1
                    ):
                        return False
        return True

    @cached_property
    def _uses(self) -> dict[str, tuple[set[Member], set[tuple[str, int]]]]:
        """Of each function whose address is taken: the members that it is stored in, and
        the functions that it is passed to, as which parameter."""
        out: dict[str, tuple[set[Member], set[tuple[str, int]]]] = {}

        def entry(value: Value) -> list[tuple[set[Member], set[tuple[str, int]]]]:
            found: set[str] = set()
            functions_in(value, found)
            return [out.setdefault(f, (set(), set())) for f in found]

        for store in self.program.stores:
            for stored, _ in entry(store.value):
                stored.add(store.path[-1] if store.path else ("", store.base))
        for fn in self.program.functions.values():
            for move in fn.moves:
                key = move.place.member if isinstance(move.place, Field) else ("", "")
                for stored, _ in entry(move.value):
                    stored.add(key)
            for value in fn.returns:
                for stored, _ in entry(value):
                    stored.add(("", ""))
            for edge in fn.edges:
                for point in edge.points:
                    for i, value in enumerate(point.args):
                        if type(value) in HOLD_FUNCTIONS:
                            for _, given in entry(value):
                                given.add((edge.symbol, i))
        return out

    def _table(self, key: Member) -> tuple[dict[Obj, set[str]], frozenset[Obj]]:
        """Of one member: its functions by object, and objects in which it may hold
        another that is not known."""
        if key in self._functions:
            return self._functions[key]
        self._functions[key] = ({}, frozenset((any_of(key[0]),)))  # a cycle ends here
        table: dict[Obj, set[str]] = {}
        unknown: set[Obj] = set()
        for base, value in self._stores_in(key):
            objs = self._place(base, key[0])
            if objs is None:
                objs = frozenset((any_of(key[0]),))
            functions = self._value_functions(value)
            for obj in objs:
                if functions is None:
                    unknown.add(obj)
                else:
                    table.setdefault(obj, set()).update(functions)
        self._functions[key] = (table, frozenset(unknown))
        return self._functions[key]

    def _value_functions(self, value: Value) -> frozenset[str] | None:
        if isinstance(value, Func):
            return frozenset((value.symbol,))
        if isinstance(value, Const):
            return _NO_FUNCTIONS
        if isinstance(value, Select):
            a, b = self._value_functions(value.a), self._value_functions(value.b)
            return None if a is None or b is None else a | b
        if isinstance(value, Field) and value.member in self.program.members:
            objs = self._place(value.base, value.record)
            if objs is None:
                return None
            found: frozenset[str] = _NO_FUNCTIONS
            for obj in objs:
                functions, complete = self._member_functions(obj, value.member)
                if not complete:
                    return None
                found |= functions
            return found
        return None

    def _is_known(self, obj: Obj, record: str) -> bool:
        """Whether some function is stored in another member of the object."""
        for key in self._members_of.get(record, ()):
            functions, complete = self._member_functions(obj, key)
            if complete and functions:
                return True
        return False

    @cached_property
    def _members_of(self) -> dict[str, list[Member]]:
        found: dict[str, list[Member]] = {}
        for key in sorted(self.program.members):
            found.setdefault(key[0], []).append(key)
        return found

    # -- back pointers -----------------------------------------------------

    def _back_pointers(self) -> set[tuple[Member, Member]]:
        """Pairs of members: what ``x.f`` points to points back to x with ``g``.

        Where x.f is set, it is to memory that was just allocated, and the same
        function sets g there to x; and g is set nowhere else.
        """
        found: dict[tuple[Member, Member], int] = {}
        for symbol, fn in self.program.functions.items():
            news = [
                (m.place.base, m.place.member, m.value)
                for m in fn.moves
                if isinstance(m.place, Field) and isinstance(m.value, Result)
            ]
            if not news:
                continue
            for move in fn.moves:
                if not isinstance(move.place, Field) or not isinstance(move.place.base, Deref):
                    continue
                into = move.place.base.pointer
                if isinstance(into, Bin) and into.op == "+":
                    into = into.a
                for owner, way, new in news:
                    points_back = (
                        isinstance(move.value, Addr) and move.value.place == owner
                    ) or (isinstance(owner, Deref) and owner.pointer == move.value)
                    if new == into and points_back and self._is_new(symbol, new):
                        pair = (way, move.place.member)
                        found[pair] = found.get(pair, 0) + 1
        return {
            (way, back)
            for (way, back), count in found.items()
            if len(self._moves.get(back, ())) == count == len(self._moves.get(way, ()))
        }

    def _is_new(self, symbol: str, value: Value) -> bool:
        objs = self._pointed(framed(value, symbol), "")
        return bool(objs) and all(isinstance(o.root, Made) for o in objs or ())
