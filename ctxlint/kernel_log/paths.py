# SPDX-License-Identifier: GPL-2.0-or-later
"""The path that a stack shows, in the tree: whether each function calls the next one,
where, and what is called at its end."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec

from ctxlint.kernel_log import trace
from ctxlint.kernel_log import types as t
from ctxlint.kernel_log.context import SplatContext, names
from ctxlint.kernel_log.inlined_calls import Call, InlinedCalls, SourceLine, same_file
from ctxlint.kernel_log.rules import SplatRules, plain
from ctxlint.kernel_log.statements import Statements
from ctxlint.kernel_log.types import Record

if TYPE_CHECKING:
    from ctxlint.analysis.entry_points import EntryPoint
    from ctxlint.analysis.program import Program

_INNER_GAP = 5
_OWN_MAX = 12


class TreePath(msgspec.Struct, frozen=True, kw_only=True):
    """``calls`` from the outermost function that is in the tree to the innermost.
    ``entry``: how the kernel comes to call the outermost, in words. ``broken``: pairs
    of neighbours on the stack of which the tree does not show how one calls the other.
    ``tested`` is the call whose value a warning tests, ``operation`` and ``title`` the
    class of what is called at the end. ``moved``: how the statement differs from
    what the splat says; ``elsewhere``: it is not in the function that the stack names.
    ``found``: frames of the stack that are in the tree."""

    calls: tuple[Call, ...]
    entry: str = ""
    entry_context: str = ""
    broken: tuple[tuple[str, str], ...] = ()
    tested: str = ""
    operation: str = ""
    title: str = ""
    file: str = ""
    line: int = 0
    function: str = ""
    text: str = ""
    moved: str = ""
    elsewhere: bool = False
    found: int = 0


def own_frames(splat: Record, context: SplatContext | None, rules: SplatRules) -> list[str]:
    """Functions between the operation and the core that called them: what a reader
    would look up in the tree.

    Inner frames end at the outermost function that makes a demand on its context and is
    not more than a few frames away from the next one inside; outer frames begin at the
    signature of the context.
    """
    stack = names(splat, rules)
    outer = outermost(stack, rules)
    inner = -1
    for i, name in enumerate(stack[:outer]):
        if i - inner > _INNER_GAP:
            break
        rule = rules.api(name)
        if rule is not None and rule.api.requires:
            inner = i
    own = [n for n in stack[inner + 1 : outer] if n not in rules.carriers]
    return own[:_OWN_MAX]


def outermost(stack: tuple[str, ...], rules: SplatRules) -> int:
    """Where the core begins on a stack: at the innermost frame that tells a context."""
    marks = {name for s in rules.signatures for name in (*s.frames, *s.inside)}
    return next((i for i, name in enumerate(stack) if name in marks), len(stack))


def named_functions(splat: Record, rules: SplatRules) -> list[str]:
    """Functions that a splat names apart from its stack: the one that disabled
    preemption, and those that took the locks that are held."""
    places = [splat.disabled_at.where] if splat.disabled_at is not None else []
    if splat.held is not None:
        places += [lock.where for lock in splat.held.locks]
    found = [plain(trace.symbol_of(where)) for where in places]
    return [n for n in dict.fromkeys(found) if n and n not in rules.printers]


class Finder:
    """Looks for stacks in one program."""

    def __init__(
        self,
        program: Program,
        entries: Iterable[EntryPoint],
        rules: SplatRules,
        source: SourceLine,
    ) -> None:
        self.program = program
        self.rules = rules
        self.ways = InlinedCalls(program)
        self.statements = Statements(self.ways, rules, source)
        self.by_name: dict[str, list[str]] = {}
        for symbol in sorted(program.functions):
            self.by_name.setdefault(program.functions[symbol].name, []).append(symbol)
        self.entries: dict[str, list[EntryPoint]] = {}
        for entry in entries:
            self.entries.setdefault(entry.symbol, []).append(entry)

    def find(self, splat: Record, context: SplatContext | None) -> TreePath | None:
        """The part of the stack that is in the tree; None when there is none."""
        stack = names(splat, self.rules)
        if isinstance(splat, t.Warn) and not stack and splat.where:
            stack = (plain(splat.where.partition("+")[0]),)
        outer = outermost(stack, self.rules)
        known = [i for i in range(outer) if self._bodies(stack[i])]
        if not known:
            return None
        symbols, calls, broken = self._walk(stack, known)
        path = TreePath(
            calls=tuple(calls),
            broken=tuple(broken),
            found=len(symbols),
            function=self.program.functions[symbols[0]].name,
        )
        path = self._top(splat, stack, known[0], symbols[0], path)
        return self._entered(path, symbols[-1], context)

    def _bodies(self, name: str) -> list[str]:
        """Functions of that name that can be on a stack as themselves."""
        return [
            s
            for s in self.by_name.get(name, ())
            if not self.program.functions[s].file.endswith(".h")
        ]

    def _walk(
        self, stack: tuple[str, ...], known: list[int]
    ) -> tuple[list[str], list[Call], list[tuple[str, str]]]:
        """Connect the frames from ``known[0]`` outward: the symbols, innermost first,
        the calls, outermost first, and the pairs that do not connect."""
        symbols = [self._bodies(stack[known[0]])[0]]
        segments: list[list[Call]] = []
        broken: list[tuple[str, str]] = []
        for inner, outer in pairwise(known):
            pair = (stack[inner], stack[outer])
            strangers = [n for n in stack[inner + 1 : outer] if n not in self.rules.carriers]
            options = [
                (len(way), candidate, target, way)
                for candidate in self._bodies(stack[outer])
                for target in self._bodies(stack[inner])
                if (way := self.ways.way(candidate, target.__eq__)) is not None
            ]
            if not options or strangers:
                broken.append(pair)
                symbols.append(self._bodies(stack[outer])[0])
                continue
            _, candidate, target, way = min(options, key=lambda o: o[:3])
            if inner == known[0]:
                symbols[0] = target
            symbols.append(candidate)
            segments.append(way)
        return symbols, [call for way in reversed(segments) for call in way], broken

    # -- the innermost end ------------------------------------------------------------

    def _top(
        self, splat: Record, stack: tuple[str, ...], first: int, symbol: str, path: TreePath
    ) -> TreePath:
        """``path`` with what the innermost function of the tree does."""
        if isinstance(splat, t.Warn | t.Bug):
            return self._warning(splat, symbol, path)
        for name in reversed(stack[:first]):
            way = self.ways.way(symbol, lambda s, n=name: s.rpartition("::")[2] == n)  # type: ignore[misc]
            if way is None:
                continue
            rule = self.rules.api(name)
            last = way[-1]
            path = msgspec.structs.replace(
                path,
                calls=(*path.calls, *way),
                file=last.file,
                line=last.line,
                function=last.function,
            )
            return self._operation(path, rule.api.operation if rule is not None else "")
        fn = self.program.functions[symbol]
        printed = getattr(splat, "file", "")
        if printed and same_file(printed, fn.file):
            line: int = getattr(splat, "line", 0)
            return msgspec.structs.replace(path, file=fn.file, line=line)
        if first:
            pair = (stack[first - 1], stack[first])
            return msgspec.structs.replace(path, broken=(pair, *path.broken))
        return path

    def _operation(self, path: TreePath, operation: str) -> TreePath:
        known = self.rules.book.operations.get(operation)
        title = known.title if known is not None else ""
        return msgspec.structs.replace(path, operation=operation, title=title)

    def _warning(self, splat: t.Warn | t.Bug, symbol: str, path: TreePath) -> TreePath:
        site = self.statements.find(splat, symbol)
        if site is None:
            return path
        moved = site.moved
        if site.elsewhere:
            for entry in self.entries.get(site.fn.symbol, [])[:1]:
                moved += f"; {site.fn.name}() is {_entry_words(entry)}"
        path = msgspec.structs.replace(
            path,
            calls=(*path.calls, *site.way),
            file=site.file,
            line=site.line,
            function=site.fn.name,
            text=site.text,
            moved=moved,
            elsewhere=site.elsewhere,
        )
        if site.edge is None:
            return path
        tested = site.edge.symbol.rpartition("::")[2]
        path = msgspec.structs.replace(path, tested=tested)
        return self._operation(path, self._reaches(site.edge.symbol))

    def _reaches(self, symbol: str) -> str:
        """The class of the first operation below a function, nearest first."""
        rule = self.rules.book.api(symbol)
        if rule is None and symbol in self.program.functions:
            way = self.ways.way(symbol, self._waits)
            rule = self.rules.book.api(way[-1].callee) if way else None
        return rule.api.operation if rule is not None else ""

    def _waits(self, symbol: str) -> bool:
        rule = self.rules.book.api(symbol)
        return rule is not None and any(c.level != "spin" for c in rule.api.requires)

    # -- the outermost end --------------------------------------------------------------

    def _entered(self, path: TreePath, symbol: str, context: SplatContext | None) -> TreePath:
        entries = self.entries.get(symbol, [])
        if not entries:
            return path
        name = context.name if context is not None else ""
        entry = min(entries, key=lambda e: (e.context != name, e))
        return msgspec.structs.replace(
            path,
            entry=f"{self.program.functions[symbol].name}() is {_entry_words(entry)}",
            entry_context=entry.context,
        )


def _entry_words(entry: EntryPoint) -> str:
    state = f" for {entry.state}" if entry.state else ""
    return f"{entry.kind}{state} ({entry.file}:{entry.line})"
