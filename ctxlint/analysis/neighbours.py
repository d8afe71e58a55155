# SPDX-License-Identifier: GPL-2.0-or-later
"""The calls around a function: callers up to the entry points, callees down to
the operations that may wait.

The shape is the call graph's, whatever the execution context; contexts and
findings are marked on it as the propagation found them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from ctxlint.analysis import witness
from ctxlint.analysis.nodes import Violation
from ctxlint.analysis.program import TARGETS_MAX, Program
from ctxlint.analysis.propagate import Propagation
from ctxlint.facts.summary import Edge, Summary
from ctxlint.findings.graph import CallGraph, GraphEdge, GraphNode
from ctxlint.ir.unit import Loc
from ctxlint.rulebook.book import Rulebook
from ctxlint.semantics.context import Context
from ctxlint.semantics.terms import Field, Param
from ctxlint.semantics.waits import LEVELS, Wait

LAYERS_MAX = 12
"""Calls from the focus, in each direction."""

_SEARCHED_MAX = 20_000
_CONTEXTS_MAX = 6


@dataclass(frozen=True)
class _Call:
    caller: str
    callee: str
    indirect: bool
    loc: Loc


@dataclass
class _Drawing:
    """What is drawn so far."""

    layer: dict[str, int] = field(default_factory=dict)
    more_callers: dict[str, int] = field(default_factory=dict)
    more_callees: dict[str, int] = field(default_factory=dict)


class GraphMaker:
    """Graphs of one profile. ``wanted`` selects the violations to mark."""

    def __init__(
        self, run: Propagation, rules: Rulebook, rt: bool, profile: str,
        wanted: Callable[[Violation], bool],
    ) -> None:  # fmt: skip
        self._program: Program = run.program
        self._run = run
        self._rules = rules
        self._rt = rt
        self._profile = profile
        self._calls: dict[str, list[_Call]] = {}
        self._callers: dict[str, list[_Call]] = {}
        for symbol in sorted(self._program.functions):
            calls = list(self._calls_of(self._program.functions[symbol]))
            self._calls[symbol] = calls
            for call in calls:
                self._callers.setdefault(call.callee, []).append(call)
        self._entered: dict[tuple[str, str], list[Context]] = {}
        for nodes in run.nodes.values():
            for node in nodes:
                if node.parent is not None:
                    key = (node.parent.fn.symbol, node.fn.symbol)
                    self._entered.setdefault(key, []).append(node.context)
        self._marked: set[tuple[str, str]] = set()
        for violation in run.violations:
            if wanted(violation):
                self._mark(violation)

    def symbols(self, name: str) -> list[str]:
        """Functions of that name, or with that symbol (``FILE::NAME``)."""
        functions = self._program.functions
        return sorted(s for s, fn in functions.items() if name in (fn.name, s))

    def contexts(self, symbol: str) -> tuple[str, ...]:
        """Execution contexts that the function is entered in, in words."""
        found = {
            node.context
            for node in self._run.nodes.get(symbol, ())
            if node.parent is not None or node.entry is not None
        }
        ordered = sorted(found, key=self._strictness)
        return tuple(dict.fromkeys(witness.describe(c, self._rules) for c in ordered))

    def graph(self, symbol: str, limit: int) -> CallGraph:
        """The calls around ``symbol``, at most ``limit`` functions in each
        direction (and their entry points and operations)."""
        drawing = _Drawing(layer={symbol: 0})
        self._upward(symbol, drawing, limit)
        self._downward(symbol, drawing, limit)
        nodes = [self._function(s, symbol, drawing) for s in drawing.layer]
        edges: list[GraphEdge] = []
        for source in drawing.layer:
            here: dict[tuple[str, bool], list[_Call]] = {}
            for call in self._calls[source]:
                if call.callee == symbol or (
                    call.callee in drawing.layer and not self._ends(call.callee)
                ):
                    here.setdefault((call.callee, call.indirect), []).append(call)
            edges += [self._edge(calls) for calls in here.values()]
            if drawing.layer[source] >= 0:
                self._operations(source, drawing.layer[source] + 1, nodes, edges)
            if drawing.layer[source] <= 0:
                self._entries(source, drawing.layer[source] - 1, nodes, edges)
        nodes.sort(key=lambda n: (n.layer, n.file, n.line, n.name, n.id))
        edges.sort(key=lambda e: (e.source, e.file, e.line, e.target, e.kind))
        return CallGraph(
            focus=symbol, profile=self._profile, nodes=tuple(nodes), edges=tuple(edges)
        )

    # -- which functions -----------------------------------------------------

    def _upward(self, symbol: str, drawing: _Drawing, limit: int) -> None:
        """Callers, level by level; where there are too many, those on the way to a
        finding come first, then those that run in a restricted context."""
        level, left = [symbol], limit
        for depth in range(1, LAYERS_MAX + 1):
            following: list[str] = []
            for callee in level:
                found = dict.fromkeys(c.caller for c in self._callers.get(callee, ()))
                ranked = sorted(
                    ((s, callee) not in self._marked, not self.contexts(s), s)
                    for s in found
                    if s not in drawing.layer
                )
                new = [caller for _, _, caller in ranked]
                for caller in new[:left]:
                    drawing.layer[caller] = -depth
                    following.append(caller)
                if len(new) > left:
                    drawing.more_callers[callee] = len(new) - left
                left -= min(left, len(new))
            level = following
        self._count_rest(level, drawing.layer, drawing.more_callers, self._caller_names)

    def _downward(self, symbol: str, drawing: _Drawing, limit: int) -> None:
        """Callees that an operation is below; calls on the way to a finding first."""
        useful = self._above_operations(symbol)
        level, left = [symbol], limit
        for depth in range(1, LAYERS_MAX + 1):
            following: list[str] = []
            for caller in level:
                found = dict.fromkeys(c.callee for c in self._calls[caller])
                new = [s for s in found if s in useful and s not in drawing.layer]
                new.sort(key=lambda s: ((caller, s) not in self._marked, s))
                for callee in new[:left]:
                    drawing.layer[callee] = depth
                    following.append(callee)
                if len(new) > left:
                    drawing.more_callees[caller] = len(new) - left
                left -= min(left, len(new))
            level = following

        def rest(caller: str) -> set[str]:
            return {c.callee for c in self._calls[caller]} & useful

        self._count_rest(level, drawing.layer, drawing.more_callees, rest)

    @staticmethod
    def _count_rest(
        level: Iterable[str],
        layer: dict[str, int],
        more: dict[str, int],
        names: Callable[[str], set[str]],
    ) -> None:
        """What lies beyond the last layer."""
        for symbol in level:
            missing = len(names(symbol) - set(layer))
            if missing:
                more[symbol] = missing

    def _caller_names(self, symbol: str) -> set[str]:
        return {call.caller for call in self._callers.get(symbol, ())}

    def _above_operations(self, symbol: str) -> set[str]:
        """Functions below ``symbol`` from which an operation can be reached."""
        seen, work = {symbol}, [symbol]
        above: dict[str, list[str]] = {}
        useful: list[str] = []
        while work and len(seen) < _SEARCHED_MAX:
            at = work.pop()
            for call in self._calls[at]:
                if self._waits(call.callee):
                    useful.append(at)
                if call.callee in self._program.functions and not self._ends(call.callee):
                    above.setdefault(call.callee, []).append(at)
                    if call.callee not in seen:
                        seen.add(call.callee)
                        work.append(call.callee)
        found = set(useful)
        while useful:
            for caller in above.get(useful.pop(), ()):
                if caller not in found:
                    found.add(caller)
                    useful.append(caller)
        return found

    # -- nodes and edges -----------------------------------------------------

    def _function(self, symbol: str, focus: str, drawing: _Drawing) -> GraphNode:
        fn = self._program.functions[symbol]
        return GraphNode(
            id=symbol,
            kind="focus" if symbol == focus else "function",
            name=fn.name,
            file=fn.file,
            line=fn.line,
            layer=drawing.layer[symbol],
            contexts=self.contexts(symbol)[:_CONTEXTS_MAX],
            more_callers=drawing.more_callers.get(symbol, 0),
            more_callees=drawing.more_callees.get(symbol, 0),
        )

    def _edge(self, calls: list[_Call]) -> GraphEdge:
        first = min(calls, key=lambda c: (c.loc.file, c.loc.line, c.loc.col))
        pair = (first.caller, first.callee)
        entered = sorted(self._entered.get(pair, ()), key=self._strictness)
        return GraphEdge(
            source=first.caller,
            target=first.callee,
            kind="indirect-call" if first.indirect else "call",
            file=first.loc.file,
            line=first.loc.line,
            sites=len({c.loc for c in calls}),
            context=entered[0].words() if entered else "",
            finding=pair in self._marked,
        )

    def _operations(
        self, symbol: str, layer: int, nodes: list[GraphNode], edges: list[GraphEdge]
    ) -> None:
        found: dict[tuple[str, str, bool], list[_Call]] = {}
        for call in self._calls[symbol]:
            if self._waits(call.callee):
                rule = self._rules.api(call.callee)
                assert rule is not None
                key = (rule.show, self._waits(call.callee), call.indirect)
                found.setdefault(key, []).append(call)
        for (shown, note, indirect), calls in found.items():
            edge = self._edge(calls)
            marked = any((symbol, c.callee) in self._marked for c in calls)
            identity = f"{symbol} {shown} {note} {'*' if indirect else ''}".rstrip()
            violated = [
                v
                for v in self._run.violations
                if v.node.fn.symbol == symbol and v.need.rule.show == shown
            ]
            words = ""
            if violated:
                # What the arguments decide is known here.
                worst = min(violated, key=lambda v: self._strictness(v.context))
                words = worst.context.words()
                level = max(v.need.level for v in violated)
                sure = any(v.need.certain for v in violated if v.need.level == level)
                note = ("sleeps" if sure else "may sleep") + _where(level)
            nodes.append(
                GraphNode(
                    id=identity, kind="operation", name=shown, note=note,
                    file=edge.file, line=edge.line, layer=layer,
                )
            )  # fmt: skip
            edges.append(
                GraphEdge(
                    source=symbol, target=identity, kind=edge.kind, file=edge.file,
                    line=edge.line, sites=edge.sites, context=words, finding=marked,
                )
            )  # fmt: skip

    def _entries(
        self, symbol: str, layer: int, nodes: list[GraphNode], edges: list[GraphEdge]
    ) -> None:
        for number, entry in enumerate(e for e in self._run.entries if e.symbol == symbol):
            rule = self._rules.contexts[entry.context]
            context = Context.of(self._rules.state(entry.context, self._rt), entry.context)
            identity = f"{symbol} entry {number}"
            nodes.append(
                GraphNode(
                    id=identity, kind="entry", name=entry.state or entry.kind, note=rule.title,
                    file=entry.file, line=entry.line, layer=layer,
                    contexts=(witness.describe(context, self._rules),),
                )
            )  # fmt: skip
            edges.append(
                GraphEdge(
                    source=identity, target=symbol, kind="registration", file=entry.file,
                    line=entry.line, context=context.words(),
                    finding=(identity, symbol) in self._marked,
                )
            )  # fmt: skip

    # -- facts ---------------------------------------------------------------

    def _calls_of(self, fn: Summary) -> Iterable[_Call]:
        for edge in fn.edges:
            loc = fn.locs[edge.loc]
            for target in self._targets(fn.symbol, edge):
                if target in self._program.functions or self._waits(target):
                    yield _Call(fn.symbol, target, not edge.symbol, loc)

    def _targets(self, symbol: str, edge: Edge) -> list[str]:
        """Every function that a call site may call; none where what is stored
        in the member is an entry point of its own."""
        if edge.symbol:
            return [edge.symbol]
        found: set[str] = set()
        for point in edge.points:
            target = point.target
            if target is None:
                continue
            if isinstance(target, Field) and self._rules.field_callbacks(*target.member):
                continue
            found.update(self._program.targets(target))
            if isinstance(target, Param):
                found.update(self._program.arguments(symbol, target.index))
        return sorted(found) if len(found) <= TARGETS_MAX else []

    def _ends(self, symbol: str) -> bool:
        """Whether the way ends with a call of it: an operation whose body is
        not looked into."""
        rule = self._rules.api(symbol)
        inside = rule is not None and rule.api.inside and symbol in self._program.functions
        return bool(self._waits(symbol)) and not inside

    def _waits(self, symbol: str) -> str:
        """What an operation may do, ``""`` for what is none."""
        rule = self._rules.api(symbol)
        if rule is None:
            return ""
        levels = [LEVELS[case.level] for case in rule.cases(self._rt)]
        level = max(levels, default=Wait.NONE)
        if level == Wait.SLEEP or (level == Wait.CONFIG and self._rt):
            return "may sleep" + _where(level)
        return ""

    def _strictness(self, context: Context) -> tuple[object, ...]:
        return (
            context.allows(self._rt),
            context.name == "",
            -len(context.words()),
            str(context),
        )

    def _mark(self, violation: Violation) -> None:
        chain = witness.nodes_of(violation)
        symbols = [node.fn.symbol for node in chain]
        self._marked.update(pairwise(symbols))
        target = violation.edge.symbol
        for call in self._targets(symbols[-1], violation.edge) if not target else [target]:
            self._marked.add((symbols[-1], call))
        root = chain[0]
        own = [e for e in self._run.entries if e.symbol == symbols[0]]
        for number, entry in enumerate(own):
            if entry == root.entry:
                self._marked.add((f"{symbols[0]} entry {number}", symbols[0]))


def _where(level: Wait) -> str:
    return " on PREEMPT_RT" if level == Wait.CONFIG else ""
