# SPDX-License-Identifier: GPL-2.0-or-later
"""How one function reaches another, through functions that the compiler inlines."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from ctxlint.analysis.program import Program
    from ctxlint.facts.summary import Edge


DEPTH = 6
"""So many functions in a row may have been inlined."""
SourceLine = Callable[[str, int], str]
"""Text of a line of a file of the tree, ``""`` when it cannot be read."""


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """``function`` at ``file:line`` calls ``callee``; ``shown`` is how it is written.
    ``inlined``: the function is not on the stack."""

    function: str
    file: str
    line: int
    callee: str
    shown: str
    inlined: bool = False


class InlinedCalls:
    """Shortest ways in one program."""

    def __init__(self, program: Program) -> None:
        self.program = program

    def _targets(self, edge: Edge) -> set[str]:
        found = {edge.symbol} if edge.symbol else set()
        for point in edge.points:
            found.update(self.program.targets(point.target))
        return found

    def vanishes(self, symbol: str) -> bool:
        fn = self.program.functions.get(symbol)
        return fn is not None and bool({"static", "inline"} & set(fn.attrs))

    def way(self, start: str, reached: Callable[[str], bool]) -> list[Call] | None:
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
                    if target not in seen and depth < DEPTH and self.vanishes(target):
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
        calls = [self.call(symbol, edge, target, symbol != start)]
        while symbol != start:
            caller, via = before[symbol]
            calls.append(self.call(caller, via, symbol, caller != start))
            symbol = caller
        return calls[::-1]

    def call(self, symbol: str, edge: Edge, target: str, inlined: bool) -> Call:
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


def same_file(printed: str, file: str) -> bool:
    """Splats spell a path from the build directory, sometimes absolute."""
    printed = printed.removeprefix("./")
    return printed == file or printed.endswith("/" + file)
