# SPDX-License-Identifier: GPL-2.0-or-later
"""The statement in the tree that printed a warning.

Its line number is often that of another version. Then the function decides,
with what is inlined in it; and when the registers still hold an errno, the statement
tests the value of a call that can give that errno.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ctxlint.kernel_log import types as t
from ctxlint.kernel_log.inlined_calls import DEPTH, Call, InlinedCalls, SourceLine, same_file
from ctxlint.kernel_log.registers import error_hint
from ctxlint.kernel_log.rules import SplatRules

if TYPE_CHECKING:
    from ctxlint.facts.summary import Edge, Summary

_ERROR_DEPTH = 3
_BODY_LINES = 400
_INTEGERS = frozenset({"int", "long", "s32", "s64", "ssize_t"})


@dataclass(frozen=True)
class Site:
    """A statement that warns. ``edge`` is the call that it tests (None: it tests
    something else), ``way`` leads there from the function on the stack; ``moved`` says
    what is not as the splat says, ``elsewhere`` that it is in another function."""

    fn: Summary
    file: str
    line: int
    text: str
    edge: Edge | None = None
    way: tuple[Call, ...] = ()
    moved: str = ""
    elsewhere: bool = False


class Statements:
    """Looks for statements in one program."""

    def __init__(self, ways: InlinedCalls, rules: SplatRules, source: SourceLine) -> None:
        self.ways = ways
        self.program = ways.program
        self.rules = rules
        self.source = source

    def find(self, splat: t.Warn | t.Bug, symbol: str) -> Site | None:
        """The statement in ``symbol`` or in what may be inlined in it: at the line, or
        the nearest that fits; else one that fits in another function of the file."""
        hint = error_hint(splat) if isinstance(splat, t.Warn) else None
        error = hint[1].partition("(")[2].rstrip(")") if hint is not None else ""
        sites = [s for s in self._sites(symbol) if same_file(splat.file, s.file)]
        exact = [s for s in sites if s.line == splat.line]
        if not exact:
            plain = self._at_line(splat, symbol)
            if plain is not None:
                return plain
        fitting = exact or [s for s in sites if self._gives(s.edge, error)]
        if fitting:
            site = min(fitting, key=lambda s: (abs(s.line - splat.line), s.fn.symbol))
            moved = f"the splat says line {splat.line}" if site.line != splat.line else ""
            return self._with(site, moved, False)
        return self._elsewhere(splat, symbol, error) if error else None

    def _elsewhere(self, splat: t.Warn | t.Bug, symbol: str, error: str) -> Site | None:
        found = [
            site
            for other in sorted(self.program.functions)
            if same_file(splat.file, self.program.functions[other].file)
            and "section=.init.text" not in self.program.functions[other].attrs
            for site in self._own_sites(other)
            if self._gives(site.edge, error)
        ]
        if not found:
            return None
        site = min(found, key=lambda s: (abs(s.line - splat.line), s.fn.symbol))
        name = self.program.functions[symbol].name
        moved = f"in this tree no warning in {name}() tests what can be -{error}"
        return self._with(site, moved, True)

    def _with(self, site: Site, moved: str, elsewhere: bool) -> Site:
        text = self.source(site.file, site.line).strip()
        return Site(site.fn, site.file, site.line, text, site.edge, site.way, moved, elsewhere)

    def _at_line(self, splat: t.Warn | t.Bug, symbol: str) -> Site | None:
        """The warning of that very line, if the tree has one there."""
        home = [f for f in self.program.functions.values() if same_file(splat.file, f.file)]
        before = [f for f in home if f.line <= splat.line]
        if not before:
            return None
        fn = max(before, key=lambda f: (f.line, f.symbol))
        text = self.source(fn.file, splat.line).strip()
        if not any(re.search(rf"\b{name}\(", text) for name in self.rules.warnings):
            return None
        way: list[Call] | None = []
        if fn.symbol != symbol:
            way = self.ways.way(symbol, lambda s: s == fn.symbol)
        if way is None:
            return None
        return Site(fn, fn.file, splat.line, text, way=tuple(way))

    # -- calls inside of warnings --------------------------------------------------------

    def _sites(self, symbol: str) -> Iterator[Site]:
        """In a function, and in what may be inlined in it."""
        seen = {symbol}
        todo: deque[tuple[str, tuple[Call, ...]]] = deque([(symbol, ())])
        while todo:
            at, way = todo.popleft()
            for site in self._own_sites(at):
                assert site.edge is not None
                call = self.ways.call(at, site.edge, site.edge.symbol, at != symbol)
                yield Site(site.fn, site.file, site.line, "", site.edge, (*way, call))
            for edge in self.program.functions[at].edges:
                target = edge.symbol
                if target not in seen and len(way) < DEPTH and self.ways.vanishes(target):
                    seen.add(target)
                    call = self.ways.call(at, edge, target, at != symbol)
                    todo.append((target, (*way, call)))

    def _own_sites(self, symbol: str) -> Iterator[Site]:
        fn = self.program.functions[symbol]
        for edge in fn.edges:
            loc = fn.locs[edge.loc]
            # What the macro itself calls is spelled in its definition, not here.
            own = loc.spelled in ("", f"{loc.file}:{loc.line}")
            if loc.macro in self.rules.warnings and edge.symbol and own:
                yield Site(fn, loc.file, loc.line, "", edge)

    def _gives(self, edge: Edge | None, error: str) -> bool:
        """Whether a call can give an errno: its type, and the errno's name in its text
        or in that of what it calls. With ``""`` everything fits."""
        if not error or edge is None:
            return not error
        decl = self.program.decls.get(edge.symbol)
        if decl is not None and decl.ret not in _INTEGERS:
            return False
        word = re.compile(rf"-{error}\b")
        seen = {edge.symbol}
        todo = deque([(edge.symbol, 0)])
        while todo:
            symbol, depth = todo.popleft()
            fn = self.program.functions.get(symbol)
            if fn is None:
                continue
            if any(word.search(line) for line in self._body(fn)):
                return True
            for inner in fn.edges if depth < _ERROR_DEPTH else ():
                if inner.symbol and inner.symbol not in seen:
                    seen.add(inner.symbol)
                    todo.append((inner.symbol, depth + 1))
        return False

    def _body(self, fn: Summary) -> Iterator[str]:
        """Text of a function, up to the closing brace in the first column."""
        for number in range(fn.line, fn.line + _BODY_LINES):
            line = self.source(fn.file, number)
            yield line
            if line.startswith("}"):
                return
