# SPDX-License-Identifier: GPL-2.0-or-later
"""From one lowered unit to its facts: summaries, pointer stores, initialisers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from ctxlint.base.faults import reason_of
from ctxlint.facts import watched_stores
from ctxlint.facts.believed import followed
from ctxlint.facts.clobbers import Changes
from ctxlint.facts.field_values import Fields
from ctxlint.facts.known_at_calls import Carried
from ctxlint.facts.member_functions import Held
from ctxlint.facts.private_members import Private
from ctxlint.facts.state import State
from ctxlint.facts.static_keys import Switches
from ctxlint.facts.summary import Outcome, Store, Summary, UnitFacts
from ctxlint.facts.symbolic import Reader, expr_text
from ctxlint.facts.transfer import Analysis
from ctxlint.ir import ops
from ctxlint.ir.types import TArray, TFunc, TPtr, TRecord, Type
from ctxlint.ir.unit import Decl, Fault, Function, GlobalVar, Unit
from ctxlint.rulebook.book import Rulebook
from ctxlint.semantics.rule_calls import RecordInit
from ctxlint.semantics.terms import (
    SOMETHING,
    Addr,
    Func,
    Global,
    Param,
    Select,
    Term,
    Value,
)


class Known(Protocol):
    """Summaries of functions that were summarised before."""

    def get(self, symbol: str) -> Summary | None:
        """The summary of a function by symbol; None when there is none."""


def unit_facts(
    unit: Unit, rules: Rulebook, rt: bool, inlines: Known
) -> tuple[UnitFacts, dict[str, Summary]]:
    """Facts of a unit, and the summaries of its newly lowered header functions.

    ``inlines`` are the summaries of header functions lowered earlier.
    """
    decls = {d.symbol: d for d in unit.decls}
    local = {r.key: f"{r.key}@{r.file}" for r in unit.records if r.file.endswith(".c")}
    faults = list(unit.faults)
    stores: list[Store] = []
    inits: list[RecordInit] = []
    for var in unit.globals:
        if var.init is not None and not _is_discarded(var):
            try:
                _Walker(var, local, stores, inits).walk()
            except Exception as error:
                faults.append(Fault(var.file, var.line, var.name, reason_of(error)))
    for fn in unit.functions:
        try:
            stores += _body_stores(fn, local)
        except Exception as error:
            faults.append(Fault(fn.file, fn.line, fn.name, reason_of(error)))
    constant = frozenset(var.symbol for var in unit.globals if "const" in var.attrs)
    held = Held(stores, local, constant)
    new: dict[str, Summary] = {}
    fields = _fields(unit, rules, local)
    changes = Changes(unit.functions, local, fields.alone() if fields is not None else ())
    switches = Switches(unit, rules)
    carried = Carried(
        unit.functions,
        local,
        changes,
        () if fields is None else tuple(fields.domains),
        rules.memory,
    )

    def known(symbol: str) -> Summary | None:
        return new.get(symbol) or inlines.get(symbol)

    # Header functions first, and without this unit's own: other units share them.
    for functions in (unit.new_inlines, unit.functions):
        bodies = {f.symbol: f for f in functions}
        own = held if functions is unit.functions else None
        noted = fields if functions is unit.functions else None
        mine = (changes, switches, carried) if functions is unit.functions else (None,) * 3
        order = _callees_first(bodies, own, rules)
        for symbol in order:
            fn = bodies[symbol]
            try:
                new[symbol] = summarise(fn, rules, rt, decls, known, local, own, noted, *mine)
            except Exception as error:
                new[symbol] = _nothing_known(fn)
                faults.append(Fault(fn.file, fn.line, fn.name, reason_of(error)))
                fields = noted = None  # it may store anything
        if noted is not None:
            noted.solve(unit.globals)
            concerned = _concerned(bodies, order, noted, rules)
            for symbol in (s for s in order if s in concerned):
                fn = bodies[symbol]
                new[symbol] = summarise(fn, rules, rt, decls, known, local, own, noted, *mine)
    header = {f.symbol for f in unit.new_inlines}
    for fn in unit.functions:
        try:
            stores += watched_stores.stores(fn, rules, local, _place)
        except Exception as error:
            faults.append(Fault(fn.file, fn.line, fn.name, reason_of(error)))
    facts = UnitFacts(
        unit.file,
        tuple(new[f.symbol] for f in unit.functions),
        unit.inlines,
        tuple(dict.fromkeys(stores)),
        tuple(inits),
        unit.decls,
        unit.enums,
        unit.errors,
        tuple(faults),
    )
    return facts, {symbol: s for symbol, s in new.items() if symbol in header}


def _fields(unit: Unit, rules: Rulebook, local: Mapping[str, str]) -> Fields | None:
    """What members the unit's own structures can hold is followed, unless some of its
    code is not known."""
    if unit.errors or unit.faults:
        return None
    fields = Fields(Private(unit, rules), local)
    return fields if fields.domains else None


def _concerned(
    bodies: Mapping[str, Function], order: list[str], fields: Fields, rules: Rulebook
) -> set[str]:
    """Functions that read a member of which something is known, and their callers."""
    found: set[str] = set()
    for symbol in order:
        fn = bodies[symbol]
        if not found.isdisjoint(_callees(fn, bodies, None, rules)) or fields.is_read(fn):
            found.add(symbol)
    return found


def _nothing_known(fn: Function) -> Summary:
    """In place of the summary of a function that was lost: it is there, and that is all."""
    return Summary(
        fn.symbol, fn.name, fn.file, fn.line, fn.col, fn.attrs, fn.nparams, (), (), (), False,
        (), tuple(range(fn.nparams)),
    )  # fmt: skip


def summarise(
    fn: Function,
    rules: Rulebook,
    rt: bool,
    decls: Mapping[str, Decl],
    known: Callable[[str], Summary | None],
    local_records: Mapping[str, str],
    held: Held | None = None,
    fields: Fields | None = None,
    changes: Changes | None = None,
    switches: Switches | None = None,
    carried: Carried | None = None,
) -> Summary:
    """The summary of one function, given those of its callees (where known); ``held`` says
    which functions members can hold, ``fields`` which numbers, and takes note of stores
    before it knows, ``changes`` who stores into them,
    ``switches`` which static keys stay as they are, ``carried`` which members callees ask
    for."""

    def body(symbol: str) -> Summary | None:
        """The callee's summary, unless another file may replace its body."""
        callee = known(symbol)
        return None if callee is None or "weak" in callee.attrs else callee

    def outcomes(symbol: str) -> tuple[Outcome, ...]:
        callee = body(symbol)
        return followed(callee.outcomes) if callee is not None else ()

    def noreturn(symbol: str) -> bool:
        callee = body(symbol)
        return callee is not None and callee.noreturn

    def writes(symbol: str) -> tuple[int, ...] | None:
        callee = body(symbol)
        return callee.writes if callee is not None else None

    return Analysis(
        fn,
        rules,
        rt,
        decls.get,
        outcomes,
        noreturn,
        writes,
        local_records,
        held,
        fields,
        changes,
        switches,
        carried,
    ).run()


def _callees_first(
    bodies: Mapping[str, Function], held: Held | None, rules: Rulebook
) -> list[str]:
    """Bottom-up order; members of a cycle come in the order of their symbols."""
    order: list[str] = []
    state: dict[str, int] = {}
    for root in sorted(bodies):
        stack: list[tuple[str, list[str]]] = []
        if root not in state:
            state[root] = 1
            stack.append((root, _callees(bodies[root], bodies, held, rules)))
        while stack:
            symbol, todo = stack[-1]
            if todo:
                nxt = todo.pop()
                if nxt not in state:
                    state[nxt] = 1
                    stack.append((nxt, _callees(bodies[nxt], bodies, held, rules)))
            else:
                order.append(symbol)
                stack.pop()
    return order


def _callees(
    fn: Function, bodies: Mapping[str, Function], held: Held | None, rules: Rulebook
) -> list[str]:
    found = held.callees(fn) if held is not None else set()
    for block in fn.blocks:
        for op in block.ops:
            if isinstance(op, ops.Call) and isinstance(op.fn, ops.Func):
                found.add(op.fn.symbol)
                rule = rules.api(op.fn.symbol)
                if rule is not None and rule.api.runs:
                    given = (_function_value(fn, e) for e in op.args)
                    found |= {v.symbol for v in given if isinstance(v, Func)}
    return sorted((s for s in found if s in bodies), reverse=True)


class _Walker:
    """Walks the initialiser of one variable."""

    def __init__(
        self,
        var: GlobalVar,
        local: Mapping[str, str],
        stores: list[Store],
        inits: list[RecordInit],
    ) -> None:
        self.var = var
        self.local = local
        self.stores = stores
        self.inits = inits

    def walk(self) -> None:
        assert self.var.init is not None
        self._visit(self.var.init, (), (), -1)

    def _visit(
        self,
        e: ops.Expr,
        path: tuple[tuple[str, str], ...],
        siblings: tuple[tuple[str, int], ...],
        index: int,
    ) -> None:
        while isinstance(e, ops.Cast):
            e = e.e
        if isinstance(e, ops.Addr) and isinstance(e.lvalue, ops.Func):
            e = e.lvalue
        if isinstance(e, ops.Func):
            self._store(Func(e.symbol), path, siblings, index)
        elif isinstance(e, ops.Addr) and isinstance(e.lvalue, ops.Global):
            if path:
                self._store(Addr(Global(e.lvalue.symbol)), path, siblings, index)
        elif isinstance(e, ops.Select):
            self._visit(e.a, path, siblings, index)
            self._visit(e.b, path, siblings, index)
        elif isinstance(e, ops.Agg):
            self._aggregate(e, path, index)

    def _aggregate(self, e: ops.Agg, path: tuple[tuple[str, str], ...], index: int) -> None:
        kind = self.var.types[e.type]
        if isinstance(kind, TRecord):
            values = tuple(_constants(e, ""))
            record = self.local.get(kind.key, kind.key)
            self.inits.append(RecordInit(record, self.var.symbol, values))
            for name, item in e.items:
                self._visit(item, (*path, (record, str(name))), values, index)
        else:
            top = isinstance(kind, TArray) and not path
            for i, item in e.items:
                self._visit(item, path, (), i if top and isinstance(i, int) else index)

    def _store(
        self,
        value: Term,
        path: tuple[tuple[str, str], ...],
        siblings: tuple[tuple[str, int], ...],
        index: int,
    ) -> None:
        var = self.var
        self.stores.append(
            Store(var.symbol, path, value, var.file, var.line, 1, "", var.name, siblings, index)
        )


def _is_discarded(var: GlobalVar) -> bool:
    """Whether the linker throws the variable away (what an exported symbol leaves)."""
    return any(attr.startswith("section=.discard") for attr in var.attrs)


def _constants(e: ops.Agg, prefix: str) -> Iterable[tuple[str, int]]:
    """Constant members by name, those of nested structures with dots."""
    for name, item in e.items:
        item = _strip(item)
        if isinstance(item, ops.Const):
            yield f"{prefix}{name}", item.value
        elif isinstance(item, ops.Agg):
            yield from _constants(item, f"{prefix}{name}.")


def _strip(e: ops.Expr) -> ops.Expr:
    while isinstance(e, ops.Cast):
        e = e.e
    return e


def _body_stores(fn: Function, local: Mapping[str, str]) -> Iterable[Store]:
    """Functions (or parameters that may be functions) assigned to members."""
    reader = Reader(fn, local)
    state = State()
    for slot in range(fn.nparams):
        state.vals[slot] = Param(slot)
    for block in fn.blocks:
        for op in block.ops:
            if isinstance(op, ops.Assign):
                yield from _assigned(fn, reader, state, op.dst, op.src, op.loc)


def _assigned(
    fn: Function, reader: Reader, state: State, dst: ops.Expr, src: ops.Expr, loc: int
) -> Iterable[Store]:
    src = _strip(src)
    if isinstance(src, ops.Agg):
        kind = fn.types[src.type]
        if isinstance(kind, TRecord):
            values = tuple(_constants(src, ""))
            for name, item in src.items:
                place = ops.Field(dst, kind.key, str(name), 0, 0, src.type)
                for store in _assigned(fn, reader, state, place, item, loc):
                    yield Store(
                        store.base,
                        store.path,
                        store.value,
                        store.file,
                        store.line,
                        store.col,
                        store.function,
                        store.object,
                        values or store.siblings,
                        -1,
                    )
        return
    value = _function_value(fn, src)
    if value is None:
        return
    base, path = _place(dst, reader.local)
    if not path and not base:
        return
    at = fn.locs[loc]
    yield Store(
        base, path, value, at.file, at.line, at.col, fn.symbol, expr_text(fn, dst), (), -1
    )


def _function_value(fn: Function, e: ops.Expr) -> Value:
    e = _strip(e)
    if isinstance(e, ops.Addr):
        e = e.lvalue
    if isinstance(e, ops.Func):
        return Func(e.symbol)
    if (
        isinstance(e, ops.Var)
        and e.slot < fn.nparams
        and _is_function_pointer(fn.types, fn.vars[e.slot].type)
    ):
        return Param(e.slot)
    if isinstance(e, ops.Select):
        a, b = _function_value(fn, e.a), _function_value(fn, e.b)
        return a if b is None or a == b else (b if a is None else Select(SOMETHING, a, b))
    return None


def _is_function_pointer(types: tuple[Type, ...], type_id: int) -> bool:
    kind = types[type_id]
    return isinstance(kind, TPtr) and isinstance(types[kind.to], TFunc)


def _place(e: ops.Expr, local: Mapping[str, str]) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Global symbol at the bottom (or ``""``) and the member chain above the
    last pointer."""
    path: list[tuple[str, str]] = []
    while True:
        if isinstance(e, ops.Field):
            path.append((local.get(e.record, e.record), e.name))
            e = e.base
        elif isinstance(e, ops.Index | ops.Cast):
            e = e.base if isinstance(e, ops.Index) else e.e
        elif isinstance(e, ops.Global):
            return e.symbol, tuple(reversed(path))
        else:
            return "", tuple(reversed(path))
