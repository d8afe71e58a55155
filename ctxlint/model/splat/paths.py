# SPDX-License-Identifier: GPL-2.0-or-later
"""The way that a stack shows, in the tree: whether each function calls the next one
(through functions that the compiler inlines), where, and what is called at its end."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator

import msgspec

from ctxlint.callgraph.facts import Edge, Summary
from ctxlint.callgraph.program import Program
from ctxlint.contexts.entries import EntryPoint
from ctxlint.model.splat import types as t
from ctxlint.model.splat.context import SplatContext, error_hint, names
from ctxlint.model.splat.rules import SplatRules, plain
from ctxlint.model.splat.types import Record

_DEPTH = 6
"""So many functions in a row may have been inlined."""
_INNER_GAP = 5
_OWN_MAX = 12
SourceLine = Callable[[str, int], str]


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """``function`` at ``file:line`` calls ``callee``; ``shown`` is how it is written.
    ``inlined``: the function is not on the stack."""

    function: str
    file: str
    line: int
    callee: str
    shown: str
    inlined: bool = False


class TreePath(msgspec.Struct, frozen=True, kw_only=True):
    """``calls`` from the outermost function that is in the tree to the innermost.
    ``entry``: how the kernel comes to call the outermost, in words. ``broken``: pairs
    of neighbours on the stack of which the tree does not show how one calls the other.
    ``tested`` is the call whose value a warning tests, ``operation`` the class of what
    is called at the end. ``moved``: the statement was found elsewhere than the splat
    says."""

    calls: tuple[Call, ...]
    entry: str = ""
    entry_context: str = ""
    broken: tuple[tuple[str, str], ...] = ()
    tested: str = ""
    operation: str = ""
    file: str = ""
    line: int = 0
    function: str = ""
    text: str = ""
    moved: str = ""
    found: int = 0


def own_frames(splat: Record, context: SplatContext | None, rules: SplatRules) -> list[str]:
    """Functions between the operation and the core that called them: what a reader
    would look up in the tree.

    Inner frames end at the outermost function with a rule that is not more than a few
    frames away from the next one inside; outer frames begin at the signature.
    """
    stack = names(splat, rules)
    marks = {name for s in rules.signatures for name in (*s.frames, *s.inside)}
    outer = next((i for i, name in enumerate(stack) if name in marks), len(stack))
    inner = -1
    for i, name in enumerate(stack[:outer]):
        if i - inner > _INNER_GAP:
            break
        if rules.book.api(name) is not None:
            inner = i
    own = [n for n in stack[inner + 1 : outer] if n not in rules.carriers]
    return own[:_OWN_MAX]


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
        self.source = source
        self.by_name: dict[str, list[str]] = {}
        for symbol in sorted(program.functions):
            self.by_name.setdefault(program.functions[symbol].name, []).append(symbol)
        self.entries: dict[str, list[EntryPoint]] = {}
        for entry in entries:
            self.entries.setdefault(entry.symbol, []).append(entry)

    def find(self, splat: Record, context: SplatContext | None) -> TreePath | None:
        """The part of the stack that is in the tree; None when there is none."""
        stack = names(splat, self.rules)
        if isinstance(splat, t.Warn | t.Bug) and not stack and splat_symbol(splat):
            stack = (splat_symbol(splat),)
        marks = {n for s in self.rules.signatures for n in (*s.frames, *s.inside)}
        outer = next((i for i, name in enumerate(stack) if name in marks), len(stack))
        known = [i for i in range(outer) if self._bodies(stack[i])]
        if not known:
            return None
        first, symbols, calls, broken = self._walk(stack, known)
        path = TreePath(
            calls=tuple(calls),
            broken=tuple(broken),
            found=len(symbols),
            function=self.program.functions[symbols[0]].name,
        )
        path = self._top(splat, stack, first, symbols[0], path)
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
    ) -> tuple[int, list[str], list[Call], list[tuple[str, str]]]:
        """Connect the frames from ``known[0]`` outward; innermost symbol first."""
        symbols = [self._bodies(stack[known[0]])[0]]
        segments: list[list[Call]] = []
        broken: list[tuple[str, str]] = []
        for inner, outer in zip(known, known[1:], strict=False):
            if any(name not in self.rules.carriers for name in stack[inner + 1 : outer]):
                broken.append((stack[inner], stack[outer]))
            options = []
            for candidate in self._bodies(stack[outer]):
                for target in self._bodies(stack[inner]):
                    way = self._way(candidate, lambda s, t=target: s == t)  # type: ignore[misc]
                    if way is not None:
                        options.append((len(way), candidate, target, way))
            if options:
                _, candidate, target, way = min(options, key=lambda o: (o[0], o[1], o[2]))
                if len(segments) == 0:
                    symbols[0] = target
                symbols.append(candidate)
                segments.append(way)
            else:
                symbols.append(self._bodies(stack[outer])[0])
                pair = (stack[inner], stack[outer])
                if pair not in broken:
                    broken.append(pair)
        calls = [call for way in reversed(segments) for call in way]
        return known[0], symbols, calls, broken

    # -- ways through functions that vanish ------------------------------------------

    def _targets(self, edge: Edge) -> set[str]:
        found = {edge.symbol} if edge.symbol else set()
        for point in edge.points:
            found.update(self.program.targets(point.target))
        return found

    def _vanishes(self, symbol: str) -> bool:
        fn = self.program.functions.get(symbol)
        return fn is not None and bool({"static", "inline"} & set(fn.attrs))

    def _way(self, start: str, reached: Callable[[str], bool]) -> list[Call] | None:
        """The shortest way from a function to a call of something wanted."""
        before: dict[str, tuple[str, Edge]] = {}
        todo = deque([(start, 0)])
        seen = {start}
        while todo:
            symbol, depth = todo.popleft()
            fn = self.program.functions[symbol]
            for edge in fn.edges:
                for target in sorted(self._targets(edge)):
                    if reached(target):
                        return self._unwind(before, start, symbol, edge, target)
                    if target not in seen and depth < _DEPTH and self._vanishes(target):
                        seen.add(target)
                        before[target] = (symbol, edge)
                        todo.append((target, depth + 1))
        return None

    def _unwind(
        self,
        before: dict[str, tuple[str, Edge]],
        start: str,
        symbol: str,
        edge: Edge,
        target: str,
    ) -> list[Call]:
        calls = [self._call(symbol, edge, target, symbol != start)]
        while symbol != start:
            caller, via = before[symbol]
            calls.append(self._call(caller, via, symbol, caller != start))
            symbol = caller
        return calls[::-1]

    def _call(self, symbol: str, edge: Edge, target: str, inlined: bool) -> Call:
        fn = self.program.functions[symbol]
        loc = fn.locs[edge.loc]
        return Call(
            function=fn.name,
            file=loc.file,
            line=loc.line,
            callee=target.rpartition("::")[2],
            shown=edge.shown or target.rpartition("::")[2],
            inlined=inlined,
        )

    # -- the innermost end ------------------------------------------------------------

    def _top(
        self, splat: Record, stack: tuple[str, ...], first: int, symbol: str, path: TreePath
    ) -> TreePath:
        if isinstance(splat, t.Warn | t.Bug):
            return self._warning(splat, symbol, path)
        for name in reversed(stack[:first]):
            way = self._way(symbol, lambda s, n=name: s.rpartition("::")[2] == n)  # type: ignore[misc]
            if way is None:
                continue
            rule = self.rules.book.api(name)
            last = way[-1]
            return msgspec.structs.replace(
                path,
                calls=(*path.calls, *way),
                operation=rule.api.operation if rule else "",
                file=last.file,
                line=last.line,
                function=last.function,
                tested="",
            )
        fn = self.program.functions[symbol]
        here = getattr(splat, "file", "")
        if here and _same_file(here, fn.file):
            return msgspec.structs.replace(path, file=fn.file, line=getattr(splat, "line", 0))
        if first:
            return msgspec.structs.replace(
                path, broken=((stack[first - 1], stack[first]), *path.broken)
            )
        return path

    def _warning(self, splat: t.Warn | t.Bug, symbol: str, path: TreePath) -> TreePath:
        """The statement that warns: in the function or in what is inlined in it, at the
        line or at the one nearest to it."""
        wants_error = isinstance(splat, t.Warn) and error_hint(splat) is not None
        sites = [
            s for s in self._sites(symbol) if _same_file(splat.file, s[1]) or not splat.file
        ]
        # At its line it is certain; elsewhere only what can give the value that the
        # register still holds is the same statement.
        exact = [s for s in sites if s[2] == splat.line]
        fitting = exact or [s for s in sites if not wants_error or self._gives_error(s[3])]
        if fitting:
            fn, file, line, edge, way = min(
                fitting, key=lambda s: (abs(s[2] - splat.line), s[0].symbol)
            )
            moved = "" if line == splat.line else f"line {splat.line} in the kernel of the splat"
            return self._at_site(path, fn, file, line, edge, tuple(way), moved)
        text = self._statement(symbol, splat)
        if text:
            return msgspec.structs.replace(
                path, file=self._file(splat.file), line=splat.line, text=text
            )
        elsewhere = sorted(
            (
                s
                for other in sorted(self.program.functions)
                if _same_file(splat.file, self.program.functions[other].file)
                for s in self._own_sites(other)
                if wants_error and self._gives_error(s[3])
                and "section=.init.text" not in self.program.functions[other].attrs
            ),
            key=lambda s: (abs(s[2] - splat.line), s[0].symbol),
        )
        if not elsewhere:
            return path
        fn, file, line, edge, _ = elsewhere[0]
        moved = f"no such warning is in {path.function}() of this tree"
        return self._at_site(path, fn, file, line, edge, (), moved)

    def _at_site(
        self,
        path: TreePath,
        fn: Summary,
        file: str,
        line: int,
        edge: Edge,
        way: tuple[Call, ...],
        moved: str,
    ) -> TreePath:
        tested = edge.symbol.rpartition("::")[2]
        return msgspec.structs.replace(
            path,
            calls=(*path.calls, *way),
            tested=tested,
            operation=self._reaches(edge.symbol),
            file=file,
            line=line,
            function=fn.name,
            text=self.source(file, line).strip(),
            moved=moved,
        )

    def _sites(self, symbol: str) -> Iterator[tuple[Summary, str, int, Edge, list[Call]]]:
        """Calls inside of warnings, in a function and in what may be inlined in it."""
        seen = {symbol}
        todo: deque[tuple[str, list[Call]]] = deque([(symbol, [])])
        while todo:
            at, way = todo.popleft()
            for fn, file, line, edge, _ in self._own_sites(at):
                call = self._call(at, edge, edge.symbol, at != symbol)
                yield fn, file, line, edge, [*way, call]
            for edge in self.program.functions[at].edges:
                target = edge.symbol
                if target not in seen and len(way) < _DEPTH and self._vanishes(target):
                    seen.add(target)
                    todo.append((target, [*way, self._call(at, edge, target, at != symbol)]))

    def _own_sites(self, symbol: str) -> Iterator[tuple[Summary, str, int, Edge, list[Call]]]:
        fn = self.program.functions[symbol]
        for edge in fn.edges:
            loc = fn.locs[edge.loc]
            # In the argument: what the macro itself calls is spelled in its definition.
            own = loc.spelled in ("", f"{loc.file}:{loc.line}")
            if loc.macro in self.rules.warnings and edge.symbol and own:
                yield fn, loc.file, loc.line, edge, []

    def _gives_error(self, edge: Edge) -> bool:
        decl = self.program.decls.get(edge.symbol)
        return decl is None or decl.ret in ("int", "long", "s32", "s64")

    def _statement(self, symbol: str, splat: t.Warn | t.Bug) -> str:
        """Text of the line when it has a warning and lies in the function's file."""
        if not _same_file(splat.file, self.program.functions[symbol].file):
            return ""
        text = self.source(self._file(splat.file), splat.line).strip()
        return text if any(f"{name}(" in text for name in self.rules.warnings) else ""

    def _file(self, file: str) -> str:
        """A path of a splat as the tree has it."""
        return next(
            (u for u in self.program.units if _same_file(file, u)), file.removeprefix("./")
        )

    def _reaches(self, symbol: str) -> str:
        """The class of the first operation below a function, nearest first."""
        rule = self.rules.book.api(symbol)
        if rule is not None:
            return rule.api.operation
        way = (
            self._way(symbol, lambda s: self._waits(s))
            if symbol in self.program.functions
            else None
        )
        rule = self.rules.book.api(way[-1].callee) if way else None
        return rule.api.operation if rule is not None else ""

    def _waits(self, symbol: str) -> bool:
        rule = self.rules.book.api(symbol)
        return rule is not None and any(c.level != "spin" for c in rule.api.requires)

    # -- the outermost end --------------------------------------------------------------

    def _entered(
        self, path: TreePath, symbol: str, context: SplatContext | None
    ) -> TreePath:
        entries = self.entries.get(symbol, [])
        if not entries:
            return path
        name = context.name if context is not None else ""
        entry = min(entries, key=lambda e: (e.context != name, e))
        state = f" for {entry.state}" if entry.state else ""
        fn = self.program.functions[symbol].name
        return msgspec.structs.replace(
            path,
            entry=f"{fn}() is {entry.kind}{state} ({entry.file}:{entry.line})",
            entry_context=entry.context,
        )


def splat_symbol(splat: Record) -> str:
    """The function that a warning names."""
    where = getattr(splat, "where", "")
    return plain(where.partition("+")[0])


def _same_file(printed: str, file: str) -> bool:
    """Splats spell a path from the build directory, sometimes absolute."""
    printed = printed.removeprefix("./")
    return printed == file or printed.endswith("/" + file)
