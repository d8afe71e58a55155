# SPDX-License-Identifier: GPL-2.0-or-later
"""One function, on its own: from IR to a summary.

The function is interpreted over sets of disjuncts (:mod:`ctxlint.facts.state`)
relative to its unknown entry context. The summary says, for every call site, in
which context differences and under which conditions it is reached, and with
which arguments; and how the function returns. Whole-program propagation then
only adds entry contexts; it never looks at a body again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from heapq import heappop, heappush
from types import MappingProxyType

import msgspec

from ctxlint.facts import limits
from ctxlint.facts.arms import switch_arms
from ctxlint.facts.believed import believed, least_often, with_untold
from ctxlint.facts.callee import apply_delta, at_caller
from ctxlint.facts.clobbers import Changes
from ctxlint.facts.disjuncts import Disjuncts, Key
from ctxlint.facts.escape import bare
from ctxlint.facts.field_stores import Recorder
from ctxlint.facts.field_values import Fields, Knowledge
from ctxlint.facts.known_at_calls import Carried
from ctxlint.facts.lock_calls import LockCalls, paired_release
from ctxlint.facts.member_functions import Held, one_effect
from ctxlint.facts.pointer_stores import Moves, returned
from ctxlint.facts.reduce import (
    RETURNS_NONZERO,
    RETURNS_ZERO,
    both_ways,
    distinct_points,
    fewer_outcomes,
)
from ctxlint.facts.rule_effects import StateTarget, Taken
from ctxlint.facts.shape import (
    chosen_results,
    constant_slots,
    dead_slots,
    decides,
    deciding_slots,
    reverse_postorder,
    tested_results,
)
from ctxlint.facts.state import LockKinds, State
from ctxlint.facts.static_keys import Switches
from ctxlint.facts.summary import (
    Assumption,
    Callback,
    Edge,
    Guard,
    Loss,
    Outcome,
    Point,
    Summary,
)
from ctxlint.facts.symbolic import Reader, expr_text
from ctxlint.facts.twins import Twins
from ctxlint.facts.value_sets import spread
from ctxlint.ir import ops
from ctxlint.ir.types import TPtr, TRecord
from ctxlint.ir.unit import Decl, Function
from ctxlint.ir.walk import type_of
from ctxlint.rulebook import effects as fx
from ctxlint.rulebook.book import ApiRule, Rulebook
from ctxlint.semantics import rule_calls
from ctxlint.semantics.known_bits import refined, shown_bits
from ctxlint.semantics.terms import (
    ZERO,
    Addr,
    Agg,
    Bin,
    Const,
    Deref,
    Field,
    Func,
    Local,
    Param,
    Result,
    Select,
    Term,
    Value,
    depends_on_entry,
    on_entry_memory,
    params,
)

_depends_on_entry = lru_cache(maxsize=1 << 16)(depends_on_entry)
_on_entry_memory = lru_cache(maxsize=1 << 16)(on_entry_memory)

_CHECKED = {
    "__builtin_add_overflow": "+",
    "__builtin_sub_overflow": "-",
    "__builtin_mul_overflow": "*",
}
"""Builtins that store what is left of a result behind their third argument, and tell whether
it fits."""

Outcomes = Callable[[str], tuple[Outcome, ...]]
Decls = Callable[[str], Decl | None]


class Analysis:
    """Interprets one function. ``outcomes`` and ``noreturn`` answer for callees
    that are already summarised (empty: neutral, returns)."""

    def __init__(
        self,
        function: Function,
        rules: Rulebook,
        rt: bool,
        decls: Decls,
        outcomes: Outcomes,
        noreturn: Callable[[str], bool],
        writes: Callable[[str], tuple[int, ...] | None] = lambda symbol: None,
        local_records: Mapping[str, str] = MappingProxyType({}),
        held: Held | None = None,
        fields: Fields | None = None,
        changes: Changes | None = None,
        switches: Switches | None = None,
        carried: Carried | None = None,
    ) -> None:
        self.fn = function
        self.rules = rules
        self.rt = rt
        self.decls = decls
        self.outcomes = outcomes
        self.noreturn = noreturn
        self.writes = writes
        self.held = held
        self.written: set[int] = set()
        self.taken = Taken(function)
        self.reader = Reader(function, local_records)
        self.changes = changes
        self.switches = switches
        self.carried = carried
        self.handed_out: set[int] = set()
        self.fields = fields
        self.recorder: Recorder | None = None
        self.known: Knowledge | None = None
        if fields is not None and not fields.solved:
            self.recorder = Recorder(fields, function, self.reader)
        elif fields is not None and fields.table:
            self.known = Knowledge(fields, function)
        self.variables = rules.context_variables
        constants = constant_slots(function)
        self.deciding = deciding_slots(function, constants, rules.flag_types)
        ordered = sorted(constants, key=lambda slot: slot not in self.deciding)
        telling = (*tested_results(function, self._is_told), *chosen_results(function))
        ordered = list(dict.fromkeys((*telling, *ordered)))
        self.tracked = tuple(ordered[: limits.TRACKED_MAX])
        self.losses: dict[str, set[object]] = {}
        self.order = reverse_postorder(function)
        self.lock_calls = LockCalls(function, rules, outcomes)
        self.twins = Twins(function, self.lock_calls.takes, self.lock_calls.releases)
        self.moves = Moves(function, self.reader, rules.mode_members)
        self.callbacks: dict[tuple[int, int], Callback] = {}
        self.points: dict[tuple[int, int], dict[tuple[object, int], Point]] = {}
        self.returns: dict[tuple[int, object, int, bool], tuple[State, Value]] = {}
        self.places: dict[int, Disjuncts] = {}

    def run(self) -> Summary:
        """Interpret the function until nothing changes, or a limit drops something
        (``losses``); its summary."""
        start = State()
        start.known = self.known
        start.kinds = LockKinds(
            self.rules.same_locks(self.rt),
            self.rules.sleeping_locks(self.rt),
            self.rules.shared_locks,
        )
        for slot in range(self.fn.nparams):
            start.vals[slot] = Param(slot)
        self.places[0] = self._place("b0")
        queue: list[tuple[int, int]] = [(0, 0)]
        dirty: dict[int, set[Key]] = {0: set(self.places[0].join(start))}
        visits: dict[int, int] = {}
        dead = dead_slots(self.fn)
        while queue:
            _, block = heappop(queue)
            keys = dirty.pop(block, None)
            if not keys:
                continue
            visits[block] = visits.get(block, 0) + 1
            if visits[block] > limits.VISITS_PER_BLOCK:
                self._lose("visits", block)
                continue
            states = self.places[block].states
            for key in sorted(keys, key=repr) if len(keys) > 1 else keys:
                if key not in states:
                    continue
                for target, out in self._block(block, key, states[key].copy()):
                    if target not in self.places:
                        self.places[target] = self._place(f"b{target}")
                    for slot in dead[target]:
                        out.vals.pop(slot, None)
                    if changed := self.places[target].join(out):
                        dirty.setdefault(target, set()).update(changed)
                        heappush(queue, (self.order.get(target, 0), target))
        if self.recorder is not None and self.fields is not None:
            complete = not {"states", "visits"} & set(self.losses)
            self.fields.notes[self.fn.symbol] = self.recorder.notes(complete=complete)
        return self._summary()

    def _is_told(self, op: ops.Call) -> bool:
        """Whether what a callee was given decides if it returns a certain number: zero for
        a caller that must not wait, say."""
        symbol = op.fn.symbol if isinstance(op.fn, ops.Func) else ""
        ways = self.outcomes(symbol) if symbol and self.rules.api(symbol) is None else ()
        return any(self._is_chosen(outcome) for outcome in ways)

    def _is_chosen(self, outcome: Outcome) -> bool:
        return isinstance(outcome.value, Const) and any(
            _depends_on_entry(guard.value, self.variables) for guard in outcome.guards
        )

    # -- control flow ------------------------------------------------------

    def _place(self, name: str) -> Disjuncts:
        return Disjuncts(name, self.tracked, self.deciding, self._lose)

    def _few(self, live: list[State], where: str) -> list[State]:
        """States in the middle of a block, no more than may be."""
        if len(live) <= limits.STATES_PER_BLOCK:
            return live
        place = self._place(where)
        for state in live:
            place.join(state)
        return list(place.states.values())

    def _lose(self, what: str, which: object) -> None:
        """Note what is dropped, once however often the fixpoint comes by."""
        self.losses.setdefault(what, set()).add(which)

    def _block(self, block: int, key: object, state: State) -> list[tuple[int, State]]:
        body = self.fn.blocks[block]
        live = [state]
        for index, op in enumerate(body.ops):
            self._note(block, index, key, live)
            if isinstance(op, ops.Call):
                after: list[State] = []
                for n, st in enumerate(live):
                    after += self._call(block, index, op, (key, n), st)
                live = self._few(after, f"{block}.{index}m")
                if not live:
                    return []
                if any(st.over for st in live):
                    self._lose("saves", block)
            elif isinstance(op, ops.Assign):
                for n, st in enumerate(live):
                    self.moves.note((block, index), (key, n), st)
                    self._assign(st, op.dst, op.src, (block, index))
            elif isinstance(op, ops.Stated):
                for st in live:
                    self._stated(st, op)
            else:
                for n, st in enumerate(live):
                    self.moves.note((block, index), (key, n), st)
                    self._asm(st, op, f"{block}.{index}")
        self._note(block, len(body.ops), key, live)
        out: list[tuple[int, State]] = []
        for n, st in enumerate(live):
            out += self._terminate(block, body.term, (key, n), st)
        return out

    def _note(self, block: int, index: int, key: object, live: list[State]) -> None:
        if self.recorder is not None:
            for n, st in enumerate(live):
                self.recorder.note((block, index), (key, n), st)

    def _terminate(
        self, block: int, term: ops.Term, where: tuple[object, int], st: State
    ) -> list[tuple[int, State]]:
        if isinstance(term, ops.Jump):
            return [(term.to, st)]
        if isinstance(term, ops.Branch):
            value = self.reader.value(term.cond, st)
            out = []
            for truth, to in ((True, term.then), (False, term.els)):
                arm = st.copy() if truth else st
                if arm.assume(value, truth):
                    arm.conds[block] = truth
                    out.append((to, arm))
            return out
        if isinstance(term, ops.Switch):
            return switch_arms(term, self.reader.value(term.e, st), st)
        if isinstance(term, ops.Ret):
            value = None if term.value is None else self.reader.value(term.value, st)
            if isinstance(value, Select) and _depends_on_entry(value.cond, self.variables):
                other = st.copy()
                if other.assume(value.cond, False):
                    self.returns[(block, *where, False)] = (other, value.b)
                if not st.assume(value.cond, True):
                    return []
                value = value.a
            self.returns[(block, *where, True)] = (st, value)
            return []
        if isinstance(term, ops.AsmGoto):
            self._asm(st, term.asm, f"{block}.t")
            return [(to, st.copy()) for to in dict.fromkeys((term.fall, *term.targets))]
        if isinstance(term, ops.IndirectJump):
            return [(to, st.copy()) for to in dict.fromkeys(term.targets)]
        return []

    # -- operations --------------------------------------------------------

    def _assign(self, st: State, dst: ops.Expr, src: ops.Expr, site: tuple[int, int]) -> None:
        op_id = f"{site[0]}.{site[1]}"
        value = self.reader.value(src, st)
        if type(value) is Func and self.carried is not None:
            self._put_callback(st, dst, value.symbol, site, self.carried)
        if self.reader.cut and isinstance(dst, ops.Var) and dst.slot in self.deciding:
            self._lose("depth", op_id)
        self.reader.assign(st, dst, value, op_id, src)
        if not isinstance(dst, ops.Var):
            self.written |= params(self.reader.place(dst, st))
            if isinstance(value, Addr) and isinstance(value.place, Local):
                self.handed_out.add(value.place.slot)

    def _put_callback(
        self, st: State, dst: ops.Expr, symbol: str, site: tuple[int, int], carried: Carried
    ) -> None:
        place = self.reader.place(dst, st)
        if type(place) is not Field or place.base is None:
            return
        known = carried.stored(st, self.fn, site, symbol)
        before = self.callbacks.get(site)
        if before is not None:
            known = tuple(g for g in before.known if g in known)
        self.callbacks[site] = Callback(symbol, place.base, place.record, place.name, known)

    def _asm(self, st: State, op: ops.Asm, op_id: str) -> None:
        for _, out in op.outs:
            if not isinstance(out, ops.Var):
                self.written |= params(self.reader.place(out, st))
            self.reader.assign(st, out, None, op_id)
        if op.memory:
            for n, (_, given) in enumerate(op.ins):
                value = self.reader.value(given, st)
                if isinstance(value, Addr | Param | Bin):
                    self.reader.escape(st, value, f"{op_id}.{n}")
                    self.written |= params(value)

    def _stated(self, st: State, op: ops.Stated) -> None:
        """An assertion: what it states holds here, whoever called."""
        rule = self.rules.api(op.names[0]) or self.rules.api(op.names[1])
        if rule is None or not rule.stated:
            return
        shown = ", ".join(expr_text(self.fn, arg) for arg in op.args)
        text = f"{op.names[0]}({shown})"
        for phrase in rule.stated:
            if isinstance(phrase, fx.Irq):
                st.stated = st.stated.add("irq", text, op.loc)
            elif isinstance(phrase, fx.Count):
                st.stated = st.stated.add(phrase.counter, text, op.loc)
            elif isinstance(phrase, fx.Held) and op.args:
                kind = self._lock_kind(op.args[0])
                # A lock that was taken here is counted already.
                if kind and (kind, shown) not in {(k.kind, k.path) for k in st.locks}:
                    for part in self.rules.phrases(kind, self.rt):
                        if isinstance(part, fx.Count):
                            st.stated = st.stated.add(part.counter, text, op.loc)

    def _lock_kind(self, lock: ops.Expr) -> str:
        """The kind of lock that a pointer's type tells, ``""`` for what is none."""
        kind = type_of(self.fn, lock)
        record = self.fn.types[kind.to] if isinstance(kind, TPtr) else kind
        return self.rules.lock_types.get(record.key, "") if isinstance(record, TRecord) else ""

    def _call(
        self, block: int, index: int, op: ops.Call, where: tuple[object, int], st: State
    ) -> list[State]:
        reader = self.reader
        args = tuple(self._argument(a, st, f"{block}.{index}") for a in op.args)
        target = reader.value(op.fn, st)
        symbol = target.symbol if type(target) is Func else ""
        rule = self.rules.api(symbol) if symbol else None
        self._record((block, index), where, op, st, args, target)
        if symbol and (self._never_returns(symbol) or (rule is not None and rule.api.noreturn)):
            return []
        op_id = f"{block}.{index}"
        if symbol in _CHECKED and isinstance(into := bare(op.args[2]), ops.Addr):
            number = reader.result(_CHECKED[symbol], args[0], args[1], into.lvalue, st)
            reader.assign(st, into.lvalue, number, f"{op_id}&")
            self._set_result(st, op, None, op_id)
            return [st]
        self._escape(st, symbol, rule, args, op_id)
        self._meanwhile(st, symbol, rule, op_id)
        if (
            rule is not None
            and rule.api.runs
            and (states := self._run(st, op, rule, symbol, args, op_id))
        ):
            return states
        if rule is not None and (rule.api.effect is not None or rule.api.returns):
            return self._apply_rule(st, op, rule, symbol, args, op_id)
        known = None if self.switches is None else self.switches.result(symbol, args)
        if known is not None:
            self._set_result(st, op, known, op_id)
            return [st]
        if symbol and (rule is None or rule.api.inside):
            outcomes = self.outcomes(symbol)
            if outcomes:
                return self._apply_outcomes(st, op, outcomes, args, op_id)
        elif not symbol and self.held is not None:
            callees = self.held.functions(target)
            outcomes = (
                one_effect(self.outcomes(callee) for callee in callees) if callees else ()
            )
            if outcomes:
                return self._apply_outcomes(st, op, outcomes, args, op_id)
        if op.dst is not None:
            reader.assign(st, op.dst, self.twins.result((block, index), st), op_id)
        return [st]

    def _argument(self, e: ops.Expr, st: State, op_id: str) -> Value:
        value = self.reader.value(e, st)
        if self.reader.cut and decides(self.fn, type_of(self.fn, e), self.rules.flag_types):
            self._lose("depth", op_id)
        return value

    def _escape(
        self, st: State, symbol: str, rule: ApiRule | None, args: tuple[Value, ...], op_id: str
    ) -> None:
        """A callee may write through the pointers that it is given."""
        writes = self.writes(symbol) if symbol else None
        if rule is not None and rule.api.effect is not None:
            writes = ()  # locks and counters: nothing of the caller's data
        for i, arg in enumerate(args):
            if writes is None or i in writes:
                self.reader.escape(st, arg, op_id)
                self.written |= params(arg)

    def _meanwhile(self, st: State, symbol: str, rule: ApiRule | None, op_id: str) -> None:
        """What the callee stores, and what others may store while it runs."""
        if self.changes is None or symbol.startswith("__builtin_"):
            return
        if symbol in self.changes.below:
            self.changes.called(st, symbol)
        elif self.writes(symbol) is None and (rule is None or rule.api.effect is None):
            self.changes.meanwhile(st, self.fn.symbol)
            for slot in sorted(self.handed_out):
                self.reader.escape(st, Addr(Local(slot)), op_id)

    def _never_returns(self, symbol: str) -> bool:
        if self.noreturn(symbol):
            return True
        decl = self.decls(symbol)
        return decl is not None and "noreturn" in decl.attrs

    def _record(
        self,
        site: tuple[int, int],
        where: tuple[object, int],
        op: ops.Call,
        st: State,
        args: tuple[Value, ...],
        target: Value,
    ) -> None:
        guards = tuple(
            guard
            for value, fact in st.facts.items()
            if (guard := self._guard(value, fact, self._is_asked(value))) is not None
        )
        guards += self._flag_guards(st)
        known = shown_bits(st.facts)
        # What a test has shown of a parameter, the callee may test again.
        args = tuple(
            Const(number) if value in st.facts and (number := st.number(value)) else value
            for value in args
        )
        if self.known is not None:
            args = tuple(self.known.chosen(value) for value in args)
        point = Point(
            st.delta_here(),
            guards,
            self._assumptions(st),
            tuple(refined(value, known) for value in args) if known else args,
            None if type(target) is Func else target,
            self._flags(st, op),
            self.carried.known(st, self.fn, site, op, args) if self.carried is not None else (),
        )
        self.points.setdefault(site, {})[where] = point

    def _flags(self, st: State, op: ops.Call) -> tuple[tuple[str, str, int], ...]:
        if self.changes is None or not isinstance(op.fn, ops.Func):
            return ()
        return self.changes.flags_below(st, op.fn.symbol)

    def _flag_guards(self, st: State) -> tuple[Guard, ...]:
        """Conditions on flags that callers may have set, or that all objects have where
        sleeping is forbidden. Which object has them is left out: a path meets one."""
        flags = self.changes.flags if self.changes is not None else frozenset()
        modes = self.rules.atomic_modes
        found: dict[tuple[str, str], set[int | bool]] = {}
        for value, fact in st.facts.items():
            if type(value) is Field and (value.member in flags or value.member in modes):
                found.setdefault(value.member, set()).add(fact)
        out = []
        for name, facts in sorted(found.items()):
            if len(facts) == 1:
                out.append(_guard_of(Field(ZERO, *name), next(iter(facts))))
        return tuple(out)

    def _is_asked(self, value: Term) -> bool:
        """Whether a value is a member of which callers may know: it says how the object of
        a parameter works, or they test it too."""
        if self.carried is not None and self.carried.guards(self.fn.symbol, value):
            return True
        if type(value) is not Field or value.member not in self.rules.mode_members:
            return False
        at = value.base
        while isinstance(at, Field | Deref):
            at = at.base if isinstance(at, Field) else at.pointer
        return isinstance(at, Param)

    def _guard(self, value: Term, fact: int | bool, memory: bool = False) -> Guard | None:
        """A fact as a condition on the entry; with ``memory``, on what parameters
        point to as well (callers can judge that, contexts cannot)."""
        if not _depends_on_entry(value, self.variables) and not (
            memory and _on_entry_memory(value)
        ):
            return None
        return _guard_of(value, fact)

    def _assumptions(self, st: State) -> tuple[Assumption, ...]:
        """The conditions nearest before the point, as the driver wrote them."""
        found = []
        for block, truth in list(st.conds.items())[-4:]:
            term = self.fn.blocks[block].term
            assert isinstance(term, ops.Branch)
            text = expr_text(self.fn, term.cond)
            if text:
                found.append(Assumption(text, truth, term.loc))
        return tuple(found)

    def _apply_rule(
        self,
        st: State,
        op: ops.Call,
        rule: ApiRule,
        symbol: str,
        args: tuple[Value, ...],
        op_id: str,
    ) -> list[State]:
        bound = rule_calls.bind(rule, self.decls(symbol))
        result: Value = Result(op_id)
        changed = st
        on = rule.api.effect.on if rule.api.effect is not None else ""
        without: State | None = st.copy() if on else None
        target = StateTarget(self.fn, self.taken, changed, op, args, op_id, tried=bool(on))
        saved = rule_calls.apply(rule, self.rt, self.rules, bound, args, target)
        result = rule_calls.returned(rule, bound, args, target) or saved or result
        states = [changed]
        self._set_result(changed, op, result, op_id)
        if without is not None:
            self._set_result(without, op, result, op_id)
            if op.dst is not None:
                nonzero = on == "nonzero"
                changed.assume(result, nonzero)
                without.assume(result, not nonzero)
                states.append(without)
        return states

    def _run(
        self,
        st: State,
        op: ops.Call,
        rule: ApiRule,
        symbol: str,
        args: tuple[Value, ...],
        op_id: str,
    ) -> list[State]:
        """What a function does that is called where this call returns non-zero; empty
        when it is not known."""
        index = rule_calls.bind(rule, self.decls(symbol)).get(rule.api.runs, -1)
        given = args[index] if 0 <= index < len(args) else None
        outcomes = self.outcomes(given.symbol) if isinstance(given, Func) else ()
        states = []
        for outcome in (None, *outcomes) if outcomes else ():
            new = st.copy()
            if outcome is not None:
                apply_delta(new, outcome, op.loc)
                self.taken.kinds.update(lock.kind for lock in outcome.delta.locks)
            self._set_result(new, op, Result(op_id), op_id)
            if op.dst is not None:
                new.assume(Result(op_id), outcome is not None)
            states.append(new)
        return states

    def _set_result(self, st: State, op: ops.Call, result: Value, op_id: str) -> None:
        if op.dst is not None:
            st.forget(Result(op_id))
            self.reader.assign(st, op.dst, result, op_id)

    def _apply_outcomes(
        self,
        st: State,
        op: ops.Call,
        outcomes: tuple[Outcome, ...],
        args: tuple[Value, ...],
        op_id: str,
    ) -> list[State]:
        outcomes = believed(outcomes, self.lock_calls.releases_more)
        paired = paired_release(outcomes, st, args, self.taken.kinds)
        states = self._states_after(st, op, paired, args, op_id)
        if not states and len(paired) < len(outcomes):
            states = self._states_after(st, op, outcomes, args, op_id)
        return states

    def _lock_here(self, op: ops.Call, path: str) -> str:
        """A lock that a callee takes, as it is called here: the argument, when it is one
        (``guard()`` hands its lock to a constructor)."""
        decl = self.decls(op.fn.symbol) if isinstance(op.fn, ops.Func) else None
        names = [name for name, _ in decl.params] if decl is not None else []
        if path not in names or names.index(path) >= len(op.args):
            return path
        return expr_text(self.fn, op.args[names.index(path)]) or path

    def _states_after(
        self,
        st: State,
        op: ops.Call,
        outcomes: tuple[Outcome, ...],
        args: tuple[Value, ...],
        op_id: str,
    ) -> list[State]:
        """A state for each outcome whose guards may hold."""
        states = []
        for outcome in outcomes:
            new = st.copy()
            if op.dst is not None:
                new.forget(Result(op_id))
            if not all(
                new.assume(at_caller(g.value, args, st), g.truth) for g in outcome.guards
            ):
                continue
            apply_delta(new, outcome, op.loc, lambda path: self._lock_here(op, path))
            if outcome.released:
                Changes.dropped(new)
            self.taken.kinds.update(lock.kind for lock in outcome.delta.locks)
            if op.dst is not None:
                result = at_caller(outcome.value, args, st)
                if result is None or type(result) is Result:
                    result = Result(op_id)
                    if outcome.value in (RETURNS_ZERO, RETURNS_NONZERO):
                        new.assume(result, outcome.value == RETURNS_NONZERO)
                self.reader.assign(new, op.dst, result, op_id)
            states.append(new)
        return states

    # -- results -----------------------------------------------------------

    def _summary(self) -> Summary:
        edges = []
        guarded: set[int] = set()
        for (block, index), points in sorted(self.points.items()):
            op = self.fn.blocks[block].ops[index]
            assert isinstance(op, ops.Call)
            unique = distinct_points(points.values(), (block, index), self._lose)
            symbol = op.fn.symbol if isinstance(op.fn, ops.Func) else ""
            for point in unique:
                for guard in point.guards:
                    guarded |= params(guard.value)
                guarded |= params(point.target)
            shown = expr_text(self.fn, op.fn)
            if symbol and self.rules.registration(symbol) is not None:
                unique = tuple(self._spread(point) for point in unique)
            edges.append(Edge(symbol, shown, op.loc, op.implicit, unique, f"{block}.{index}"))
        outcomes = self._outcomes()
        for outcome in outcomes:
            for guard in outcome.guards:
                guarded |= params(guard.value)
        fn = self.fn
        return Summary(
            fn.symbol,
            fn.name,
            fn.file,
            fn.line,
            fn.col,
            fn.attrs,
            fn.nparams,
            fn.locs,
            tuple(edges),
            outcomes,
            not self.returns,
            tuple(sorted(guarded)),
            tuple(sorted(self.written)),
            tuple(Loss(what, len(which)) for what, which in sorted(self.losses.items())),
            self.moves.all(),
            returned(fn, [value for _, value in self.returns.values()]),
            self._callbacks(),
        )

    def _callbacks(self) -> tuple[Callback, ...]:
        """All places where a function is put of which something is known at one."""
        telling = {put.symbol for put in self.callbacks.values() if put.known}
        return tuple(put for _, put in sorted(self.callbacks.items()) if put.symbol in telling)

    def _spread(self, point: Point) -> Point:
        """The arguments of a registration, as far as all assignments tell them."""
        args = tuple(spread(self.fn, value) for value in point.args)
        return msgspec.structs.replace(point, args=args)

    def _return_value(self, st: State, value: Value) -> Value:
        """A return value in terms that the caller understands."""
        number = st.number(value)
        if number is not None and not isinstance(value, Func | Addr):
            return Const(number)
        if isinstance(value, Agg | Func) or _depends_on_entry(value, self.variables):
            return value
        truth = st.truth(value)
        if truth is not None:
            return RETURNS_NONZERO if truth else RETURNS_ZERO
        return None

    def _outcomes(self) -> tuple[Outcome, ...]:
        """Ways to return, merged; empty when all of them are neutral."""
        ways: dict[Outcome, State] = {}
        for st, value in self.returns.values():
            shown = self._return_value(st, value)
            guards = tuple(
                g
                for v, fact in st.facts.items()
                if (g := self._guard(v, fact, True)) is not None
            )
            way = Outcome(st.delta_after(), shown, guards, st.pops, st.saves, st.released)
            ways[way] = st
        found: dict[tuple[object, object], tuple[Outcome, State]] = {}
        few = limits.OF_CONTEXTS.isdisjoint(self.losses)
        for way, st in zip(with_untold(tuple(ways), few=few), ways.values(), strict=True):
            key = (st.context_key(), way.value)
            found[key] = (both_ways(found[key][0], way) if key in found else way, st)
        outcomes = [
            outcome for _, (outcome, _) in sorted(found.items(), key=lambda kv: repr(kv[0]))
        ]
        contexts = {key[0] for key in found}
        neutral = State().context_key()
        if contexts <= {neutral}:
            telling = [o for o in outcomes if not isinstance(o.value, Result | None)]
            chosen = any(self._is_chosen(o) for o in outcomes)
            if len(outcomes) > 2 or (len(telling) != len(outcomes) and not chosen):
                return ()
        elif len(outcomes) > limits.VALUES_MAX:
            outcomes = fewer_outcomes(list(found.values()), self._lose)
        return least_often(outcomes)


def _guard_of(value: Term, fact: int | bool) -> Guard:
    """A fact about a value, as a condition."""
    if fact is True or fact == 0:
        return Guard(value, fact is True)
    return Guard(Bin("==", value, Const(fact)), True)
