# SPDX-License-Identifier: GPL-2.0-or-later
"""Execution contexts over the whole program.

Breadth first from the entry points, and from every function as if called from
an unknown, unrestricted context (so that a section which a function opens
itself is analysed too). A node is a function in a context with the constant
arguments that matter to it; it is visited once and remembers the call that led
to it, so the first way found is a shortest one. A call is followed only where
the context restricts something: code that may sleep needs no proof.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cached_property, partial

from ctxlint.analysis.entry_points import EntryPoint
from ctxlint.analysis.environment import (
    NO_ENV,
    Env,
    answers,
    asked_flags,
    asked_places,
    asks_for_mode,
    bind,
    contradicts,
    given_members,
    known_at,
)
from ctxlint.analysis.heap import Modes, Objects
from ctxlint.analysis.linked_terms import is_private
from ctxlint.analysis.nodes import Need, Node, Unknowns, Violation, place_of_call
from ctxlint.analysis.program import TARGETS_MAX, Program
from ctxlint.analysis.static_calls import Trampolines
from ctxlint.analysis.targets import Targets
from ctxlint.analysis.watched import Watched
from ctxlint.base.faults import reason_of
from ctxlint.facts import limits
from ctxlint.facts.known_at_calls import is_in_argument
from ctxlint.facts.summary import Edge, Point, Summary
from ctxlint.ir.unit import Fault
from ctxlint.rulebook.book import ApiRule, Rulebook
from ctxlint.semantics import rule_calls
from ctxlint.semantics.context import Context
from ctxlint.semantics.known_bits import ALTERNATIVES_MAX, NOTHING, Bits, alternatives, bits
from ctxlint.semantics.objects import Member
from ctxlint.semantics.terms import (
    ZERO,
    Bin,
    Const,
    Field,
    Func,
    KnownBits,
    Lookup,
    Param,
    PreemptWord,
    Select,
    Term,
    Value,
    evaluate,
    nothing,
    params,
    truth,
)
from ctxlint.semantics.waits import Wait


class Propagation:
    """Runs over a linked program; results in ``violations`` and ``unknown``."""

    def __init__(
        self, program: Program, rules: Rulebook, rt: bool, entries: Iterable[EntryPoint]
    ) -> None:
        self.program = program
        self.rules = rules
        self.constant = partial(rules.constant, enumerators=program.enumerators)
        self.rt = rt
        self.entries = tuple(entries)
        self.trampolines = Trampolines(program, rules)
        self.violations: list[Violation] = []
        self.unknown: dict[str, Unknowns] = {}
        self.faults: dict[tuple[str, str], Fault] = {}
        self.nodes: dict[str, list[Node]] = {}
        self.also: dict[Node, list[tuple[Node, Edge, Point]]] = {}
        self.losses: dict[str, dict[str, int]] = {
            symbol: {loss.what: loss.count for loss in fn.losses}
            for symbol, fn in program.functions.items()
            if fn.losses
        }
        self._seen: dict[tuple[object, ...], Node] = {}
        self._named: dict[str, set[tuple[Context, Env]]] = {}
        self._dropped: set[tuple[object, ...]] = set()
        self._queue: deque[Node] = deque()
        self._rules: dict[str, ApiRule | None] = {}
        self.objects = Objects(program, rules.allocators, rules.copiers)
        self.targets = Targets(program, rules, self.objects)
        self._callees: dict[tuple[str, int, str], tuple[str, ...]] = {}
        self._worlds: dict[str, list[dict[str, int]]] = {}
        self._spinning: dict[tuple[str, str], bool] = {}
        self._waiting_inlines = self._inlines_that_wait()
        self._relevant = self._relevant_params()
        self._aimed = self._aimed_params()
        self._roots()

    def run(self) -> None:
        """Carry contexts along calls until nothing is new; what a defect of ours costs is in
        ``faults``."""
        while self._queue:
            node = self._queue.popleft()
            for edge in node.fn.edges:
                try:
                    self._edge(node, edge)
                except Exception as error:
                    self._fault(node.fn, error)

    def _fault(self, fn: Summary, error: Exception) -> None:
        """A defect of ours costs what hangs on this function; each is told once."""
        fault = Fault(fn.file, fn.line, fn.name, reason_of(error))
        self.faults.setdefault((fn.symbol, fault.reason), fault)

    # -- roots -------------------------------------------------------------

    def _roots(self) -> None:
        # Where a function runs certainly comes first: it is the one that is told.
        given: dict[str, set[Env]] = {}
        for entry in sorted(self.entries, key=lambda e: not e.certain):
            fn = self.program.functions.get(entry.symbol)
            if fn is None:
                continue
            env = self._given(fn, entry)
            given.setdefault(fn.symbol, set()).add(env)
            context = Context.of(self.rules.state(entry.context, self.rt), entry.context)
            if context.allows(self.rt) == Wait.SLEEP:
                self.nodes.setdefault(fn.symbol, []).append(
                    Node(fn, context, NO_ENV, None, None, None, entry, 0)
                )
                continue
            self._push(Node(fn, context, env, None, None, None, entry, 0))
        called = self._called_by_core_alone()
        for symbol in sorted(self.program.functions.keys() - called):
            fn = self.program.functions[symbol]
            asked = self.rules.mode_functions.get(fn.name)
            env = NO_ENV if asked is None else Env(modes=(asked,), meant=(asked[0],))
            if asked is None and is_private(symbol) and len(given.get(symbol, ())) == 1:
                (env,) = given[symbol]  # it is a callback, and its object is known
            self._push(Node(fn, Context(), env, None, None, None, None, 0))

    def _called_by_core_alone(self) -> set[str]:
        """Static functions that nothing calls but whoever they are registered with, and always
        in a context that forbids something. As if anybody called them, they would be said to
        do what only their real context allows."""
        found: dict[str, bool] = {}
        for entry in self.entries:
            context = Context.of(self.rules.state(entry.context, self.rt), entry.context)
            atomic = context.allows(self.rt) < Wait.SLEEP
            known = entry.certain and not entry.possible and is_private(entry.symbol)
            found[entry.symbol] = found.get(entry.symbol, True) and atomic and known
        return {s for s, alone in found.items() if alone and not self._users.get(s)}

    def _given(self, fn: Summary, entry: EntryPoint) -> Env:
        """What the core calls a driver's function for, when it is one object: the one that
        the driver put the function in, or that it registered it with."""
        args: dict[int, Term] = {}
        for i, value in entry.given:
            bound = self.objects.bound(value, "", {})
            if i not in self._aimed.get(fn.symbol, ()):
                continue
            if bound is not None and self.objects.tells(bound):
                args[i] = bound
        decl = self.program.decls.get(fn.symbol)
        for i in self._aimed.get(fn.symbol, ()) if decl is not None else ():
            kind = decl.params[i][1] if decl is not None and i < len(decl.params) else ""
            record, pointer, rest = kind.removeprefix("const ").partition(" *")
            if pointer and not rest:
                found = self.objects.holder(fn.symbol, record)
                if found is not None and self.objects.tells(found):
                    args[i] = found
        known: tuple[tuple[Term, bool], ...] = ()
        if entry.known and (asked := self._asked_places.get(fn.symbol)):
            given = dict(entry.given)
            values = tuple(given.get(i) for i in range(fn.nparams))
            known = answers(asked, values, [(g.value, g.truth) for g in entry.known])
        return Env(tuple(sorted(args.items())), known)

    def _push(self, node: Node) -> None:
        # What happens in a header function is told at each place that a driver
        # wrote, so it is a node of its own for each of them.
        place = place_of_call(node) if node.fn.symbol in self._waiting_inlines else None
        if node.env.names_objects():
            named = self._named.setdefault(node.fn.symbol, set())
            named.add((node.context, node.env))
            if len(named) > limits.OBJECTS_PER_FUNCTION:
                node = replace(node, env=node.env.without_objects())
        key = (node.fn.symbol, node.context, node.env, place)
        if key in self._seen and self._seen[key].doubt <= node.doubt:
            self._again(self._seen[key], node)
            return
        nodes = self.nodes.setdefault(node.fn.symbol, [])
        if place is None and len(nodes) >= limits.NODES_PER_FUNCTION:
            known = next((other for other in nodes if _covers(other, node)), None)
            bound = limits.NODES_PER_FUNCTION
            if known is None and node.env != NO_ENV:
                self._lose("constants", node.fn)
                node, bound = replace(node, env=NO_ENV, cut=True), 2 * bound
                known = next((other for other in nodes if _covers(other, node)), None)
            if known is not None:
                self._seen[key] = known
                self._again(known, node)
                return
            if len(nodes) >= bound:
                if key not in self._dropped:
                    self._dropped.add(key)
                    self._lose("nodes", node.fn)
                return
        self._seen[key] = node
        nodes.append(node)
        self._queue.append(node)

    def _again(self, first: Node, node: Node) -> None:
        """A later call into a function that was visited in this context."""
        if node.parent is not None and node.edge is not None and node.point is not None:
            calls = self.also.setdefault(first, [])
            if not any(p is node.parent and e is node.edge for p, e, _ in calls[-4:]):
                calls.append((node.parent, node.edge, node.point))

    def _lose(self, what: str, fn: Summary) -> None:
        found = self.losses.setdefault(fn.symbol, {})
        found[what] = found.get(what, 0) + 1

    # -- edges -------------------------------------------------------------

    def _edge(self, node: Node, edge: Edge) -> None:
        # Calls in a context that allows everything are left out below.
        modes = self.rules.atomic_modes
        lookups = [node.lookup(self.rt, v, modes) for v in self._variables(node.context.name)]
        for point in edge.points:
            context = node.context.then(point.delta)
            allowed = context.allows(self.rt)
            if allowed == Wait.SLEEP:
                continue
            if point.guards and (
                any(contradicts(g, node.env) for g in point.guards)
                or not any(
                    all(_holds(g.value, g.truth, lookup) for g in point.guards)
                    for lookup in lookups
                )
            ):
                continue
            ways = self._arguments(edge, point, node.env, lookups[0])
            for args in ways:
                self._reach(node, edge, point, context, allowed, args, len(ways) == 1)

    def _arguments(
        self, edge: Edge, point: Point, env: Env, lookup: Lookup
    ) -> list[tuple[Value, ...]]:
        """The arguments of a call, once for each choice that a condition makes among
        constants; of a word that is not known, the bits that are."""
        rule = self._rule(edge.symbol) if edge.symbol else None
        judged = rule is not None and any(case.when for case in rule.api.requires)
        relevant = self._relevant.get(edge.symbol, ())
        ways: list[tuple[Value, ...]] = [()]
        for index, value in enumerate(point.args):
            bound = bind(value, env)
            choices: list[Value] = [bound]
            matters = judged or index in relevant
            if matters and _is_word(value) and evaluate(bound, nothing) is None:
                numbers = alternatives(value, lookup)
                if numbers and len(ways) * len(numbers) <= ALTERNATIVES_MAX:
                    choices = [Const(number) for number in numbers]
                elif (known := bits(value, lookup)) != NOTHING:
                    choices = [KnownBits(*known)]
            ways = [(*way, choice) for way in ways for choice in choices]
        return ways

    def _reach(
        self,
        node: Node,
        edge: Edge,
        point: Point,
        context: Context,
        allowed: Wait,
        args: tuple[Value, ...],
        sure: bool,
    ) -> None:
        patched = self.trampolines.targets(edge.symbol, point.target)
        if patched is not None:
            if not patched:
                name = edge.symbol or edge.shown
                self._unknown(name, "patched call without a known target", node, edge)
            for symbol in patched:
                self._call(node, edge, point, context, allowed, symbol, args, sure)
        elif edge.symbol:
            self._call(node, edge, point, context, allowed, edge.symbol, args, sure)
        elif not self.targets.is_entry(point.target):
            modes = tuple(sorted(self._modes_at(node, point).items()))
            targets, known = self.targets.of_call(point.target, node.fn.symbol, node.env, modes)
            if not targets or len(targets) > TARGETS_MAX:
                reason = "unresolved indirect call" if not targets else "too many targets"
                self._unknown(edge.shown or "indirect call", reason, node, edge)
                return
            # One object with many functions in a member is one of many: a table of states, or
            # a pointer that is set anew for each call.
            sure_of = known and len(targets) <= limits.KNOWN_MAX
            among = 0 if sure_of or self.targets.is_alone(targets, node) else len(targets)
            asked = asks_for_mode(point.target, node.env)
            own = self.targets.own(targets, node) if among > 1 else ()
            apart = [s for s in targets if self.targets.is_foreign(s, node)]
            for symbol in targets:
                # The one function that was seen may be a helper library's only user. Of one
                # object in two drivers, the structures of one tag are two.
                foreign = (
                    symbol not in own
                    if own
                    else symbol in apart and (among > 1 or len(apart) < len(targets))
                )
                self._call(
                    node, edge, point, context, allowed, symbol, args, sure, among, foreign,
                    asked,
                )  # fmt: skip

    def _variables(self, context: str) -> list[dict[str, int]]:
        """Values that global variables can have together in a context."""
        if context not in self._worlds:
            rule = self.rules.contexts.get(context)
            worlds: list[dict[str, int]] = [{}]
            for name, words in sorted(rule.values.items()) if rule is not None else ():
                numbers = [self.constant(word) for word in words]
                if None not in numbers:
                    worlds = [w | {name: n} for w in worlds for n in numbers if n is not None]
            self._worlds[context] = worlds
        return self._worlds[context]

    def _call(
        self,
        node: Node,
        edge: Edge,
        point: Point,
        context: Context,
        allowed: Wait,
        symbol: str,
        args: tuple[Value, ...],
        sure: bool,
        among: int = 0,
        foreign: bool = False,
        asked: bool = False,
    ) -> None:
        sure = sure and node.sure and not among
        rule = self._rule(symbol)
        callee = self.program.functions.get(symbol)
        if rule is not None:
            need = self._need(rule, symbol, node, args)
            if rule.before:
                context = context.after(rule.before, lambda k: self.rules.phrases(k, self.rt))
                allowed = context.allows(self.rt)
            forbidden = need is not None and need.level > allowed
            if need is not None and forbidden and not rule_calls.legal(rule, context):
                if not sure:
                    need = replace(need, certain=False)
                self.violations.append(Violation(node, edge, point, context, need, self.rt))
            body_counts = rule.api.inside or (
                # A rule stands for a body that was not read; an audited one is.
                callee is not None and callee.file.endswith(".c") and not rule.api.opaque
            )
            if not body_counts or (forbidden and not rule.api.inside):
                return
        if callee is None:
            if rule is None and not symbol.startswith("__builtin_"):
                self._unknown(symbol.rpartition("::")[2], "no body and no rule", node, edge)
            return
        env = self._env(callee, args, node, point, direct=edge.symbol == symbol)
        depth = node.depth + 1
        if not sure:
            env = env.without_objects()
        below = Node(
            callee, context, env, node, edge, point, node.entry, depth, sure, among,
            foreign, asked,
        )  # fmt: skip
        doubt = 0 if sure else 1 if below.likely and node.doubt < 2 else 2
        self._push(replace(below, doubt=doubt))

    def _env(
        self,
        callee: Summary,
        args: tuple[Value, ...],
        node: Node,
        point: Point,
        *,
        direct: bool,
    ) -> Env:
        """What is known of the arguments that matter: numbers, functions, and, as long
        as the way is sure, which object a pointer leads to."""
        known: dict[int, Term] = {}
        for i in self._relevant.get(callee.symbol, ()):
            value = args[i] if i < len(args) else None
            number = evaluate(value, nothing)
            if type(value) is Func or type(value) is KnownBits:
                known[i] = value
            elif number is not None:
                known[i] = Const(number)
        for i in self._aimed.get(callee.symbol, ()) if node.sure else ():
            if i < len(args) and type(args[i]) not in _NO_POINTERS:
                found = self.targets.object_of(point.args[i], node)
                if found is not None:
                    known[i] = found
        modes, meant = self._modes_below(callee, node, point)
        flags = self._flags_below(callee, node, point)
        asked = self._asked_places.get(callee.symbol) if direct else None
        conditions: tuple[tuple[Term, bool], ...] = ()
        if asked and callee.file != node.fn.file:
            asked = {at for at in asked if isinstance(at, Field) and is_in_argument(at)}
        if asked:
            facts = (*node.env.conditions, *known_at(point, node.env))
            conditions = answers(asked, point.args, facts)
        return Env(tuple(sorted(known.items())), conditions, flags, modes, meant)

    def _flags_below(
        self, callee: Summary, node: Node, point: Point
    ) -> tuple[tuple[tuple[str, str], int], ...]:
        """Members that functions of the file have set on the way, and that nothing below
        them sets, as far as the callee or what it calls asks for them."""
        if callee.file != node.fn.file:
            return ()
        asked = self._asked_flags.get(callee.symbol)
        if not asked:
            return ()
        flags = dict(node.env.flags) | {(r, name): number for r, name, number in point.flags}
        return tuple(sorted((k, n) for k, n in flags.items() if k in asked))

    @cached_property
    def _asked_flags(self) -> dict[str, set[tuple[str, str]]]:
        return asked_flags(self.program, self._users)

    @cached_property
    def _asked_places(self) -> dict[str, set[Term]]:
        return asked_places(self.program)

    def _modes_below(
        self, callee: Summary, node: Node, point: Point
    ) -> tuple[Modes, tuple[Member, ...]]:
        """Members that say how objects work, with the values that they have in a callee:
        where they were tested, or where the callee asks for it. In the latter case each
        object with that value is meant, which the second part says by member."""
        modes, meant = self._modes_at(node, point), set(node.env.meant)
        asked = self.rules.mode_functions.get(callee.name)
        if asked is not None:
            modes[asked[0]] = asked[1]
            meant.add(asked[0])
        return tuple(sorted(modes.items())), tuple(sorted(meant))

    def _modes_at(self, node: Node, point: Point) -> dict[Member, int]:
        """The values of such members at a call, by what was tested on the way to it."""
        modes = dict(node.env.modes)
        members = self.rules.mode_members
        for guard in point.guards:
            value = guard.value
            if isinstance(value, Field) and value.member in members:
                modes[value.member] = int(guard.truth)
        return modes

    def _rule(self, symbol: str) -> ApiRule | None:
        if symbol not in self._rules:
            self._rules[symbol] = self.rules.api(symbol)
        return self._rules[symbol]

    def _unknown(self, name: str, reason: str, node: Node, edge: Edge) -> None:
        at = node.fn.locs[edge.loc]
        known = self.unknown.get(name)
        if known is None:
            self.unknown[name] = Unknowns(1, reason, f"{at.file}:{at.line}")
        else:
            known.count += 1
            known.example = min(known.example, f"{at.file}:{at.line}")

    # -- requirements ------------------------------------------------------

    def _need(
        self, rule: ApiRule, symbol: str, node: Node, args: tuple[Value, ...]
    ) -> Need | None:
        bound = rule_calls.bind(rule, self.program.decls.get(symbol))
        found = rule_calls.requirement(
            rule,
            self.rt,
            rule_calls.lookup(bound, args, _operand, self.constant),
            self.program.inits.get(node.fn.file, ()),
            self.program.calls_in_file.get(node.fn.file, set()),
        )
        if found is None or self._spins(rule, node.fn.file):
            return None
        certain = found.certain and (node.entry is None or node.entry.certain)
        return Need(found.level, certain, found.why, rule, found.possible)

    def _spins(self, rule: ApiRule, file: str) -> bool:
        """Whether all objects of the file's directory are set up so that nothing waits."""
        calls = rule.api.spins_if_all
        if not calls:
            return False
        key = (rule.symbol, file.rpartition("/")[0])
        if key not in self._spinning:
            watched = Watched(self.program, self.rules, self.constant)
            self._spinning[key] = watched.all_call(calls, file)
        return self._spinning[key]

    # -- header functions --------------------------------------------------

    def _inlines_that_wait(self) -> set[str]:
        """Header functions below which an operation waits."""
        callers: dict[str, set[str]] = {}
        found: set[str] = set()
        for symbol, fn in self.program.functions.items():
            if not fn.file.endswith(".h"):
                continue
            for edge in fn.edges:
                callers.setdefault(edge.symbol, set()).add(symbol)
                rule = self._rule(edge.symbol) if edge.symbol else None
                if rule is not None and (
                    rule.api.config is not None
                    or any(c.level != "spin" for c in rule.api.requires)
                ):
                    found.add(symbol)
        work = sorted(found)
        while work:
            for caller in callers.get(work.pop(), ()):
                if caller not in found:
                    found.add(caller)
                    work.append(caller)
        return found

    # -- which parameters matter -------------------------------------------

    def _edge_targets(self, symbol: str, edge: Edge) -> tuple[str, ...]:
        """Every function that a call site may call."""
        if edge.symbol:
            return self.trampolines.targets(edge.symbol, None) or (edge.symbol,)
        key = (symbol, edge.loc, edge.shown)
        if key not in self._callees:
            found: set[str] = set()
            try:
                for point in edge.points:
                    found.update(self.targets.of_value(point.target))
                    if isinstance(point.target, Param):
                        found.update(self.program.arguments(symbol, point.target.index))
            except Exception as error:
                self._fault(self.program.functions[symbol], error)
                found = set()
            self._callees[key] = tuple(sorted(found)) if len(found) <= TARGETS_MAX else ()
        return self._callees[key]

    def _relevant_params(self) -> dict[str, set[int]]:
        """Parameters whose value decides something below: guards, targets of
        indirect calls, arguments of conditional requirements."""
        relevant: dict[str, set[int]] = {}
        for symbol, fn in self.program.functions.items():
            relevant[symbol] = set(fn.guarded_params)
            for edge in fn.edges:
                if edge.symbol in self._asked_places:
                    for point in edge.points:
                        relevant[symbol] |= given_members(point)
                try:
                    rule = self.rules.api(edge.symbol) if edge.symbol else None
                    if rule is not None and any(c.when for c in rule.api.requires):
                        for point in edge.points:
                            for value in point.args:
                                relevant[symbol] |= params(value)
                except Exception as error:
                    self._fault(fn, error)
        return self._with_callers(relevant, lambda value, _: params(value))

    def _aimed_params(self) -> dict[str, set[int]]:
        """Parameters that lead to the target of an indirect call below."""
        aimed: dict[str, set[int]] = {}
        for symbol, fn in self.program.functions.items():
            try:
                for edge in fn.edges:
                    for point in edge.points:
                        if point.target is not None and not self.targets.is_entry(point.target):
                            found = self.targets.parameters(point.target, symbol)
                            aimed.setdefault(symbol, set()).update(found)
            except Exception as error:
                self._fault(fn, error)
        return self._with_callers(aimed, self.targets.parameters)

    def _with_callers(
        self,
        relevant: dict[str, set[int]],
        used: Callable[[Value, str], set[int]],
    ) -> dict[str, set[int]]:
        """The same, with the parameters that callers pass on as one of these."""
        work = deque(sorted(relevant))
        while work:
            callee = work.popleft()
            needs = tuple(relevant.get(callee, ()))  # a recursive call adds to the set
            if not needs:
                continue
            for symbol, edge in self._users.get(callee, ()):
                mine = relevant.setdefault(symbol, set())
                before = len(mine)
                for point in edge.points:
                    for i in needs:
                        if i < len(point.args) and point.args[i] is not None:
                            mine |= used(point.args[i], symbol)
                if len(mine) != before:
                    work.append(symbol)
        return {symbol: found for symbol, found in relevant.items() if found}

    @cached_property
    def _users(self) -> dict[str, list[tuple[str, Edge]]]:
        """Call sites that may call each function."""
        users: dict[str, list[tuple[str, Edge]]] = {}
        for symbol in sorted(self.program.functions):
            for edge in self.program.functions[symbol].edges:
                for target in self._edge_targets(symbol, edge):
                    users.setdefault(target, []).append((symbol, edge))
        return users


_NO_POINTERS: frozenset[type] = frozenset({Func, Const, KnownBits})


def _covers(other: Node, node: Node) -> bool:
    """Whether everything that can be wrong in a node is looked at in the other: the
    same context, with no more known about arguments, callers and RCU sections."""
    mine, theirs = node.context, other.context
    return (
        theirs.counts.rcu >= mine.counts.rcu
        and theirs.counts.preempt == mine.counts.preempt
        and theirs.counts.bh == mine.counts.bh
        and (theirs.exact == mine.exact or not theirs.exact)
        and theirs.name in ("", mine.name)
        and theirs.irqs_off == mine.irqs_off
        and (theirs.soft, theirs.hard, theirs.nmi) == (mine.soft, mine.hard, mine.nmi)
        and other.env.is_covered_by(node.env)
        and other.sure >= node.sure
    )


def _holds(value: Term, wanted: bool, lookup: Lookup) -> bool:
    """False only when the guard is known to fail."""
    known = truth(value, lookup)
    if known is None and type(value) is PreemptWord and lookup(Bin("!=", value, ZERO)):
        known = True  # the exact word is not known, but it is not zero
    return known is None or known is wanted


def _is_word(value: Value) -> bool:
    """Whether a value is put together from others: by a condition, or by an operator."""
    return type(value) is Select or type(value) is Bin or type(value) is Param


def _operand(value: Value) -> int | Bits | None:
    """An argument as a rule's condition can use it."""
    number = evaluate(value, nothing)
    if number is None and (known := bits(value, nothing)) != NOTHING:
        return Bits(*known)
    return number
