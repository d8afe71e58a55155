# SPDX-License-Identifier: GPL-2.0-or-later
"""What the functions and initialisers of one translation unit share."""

from __future__ import annotations

from ctxlint.frontend.clang import Cursor
from ctxlint.frontend.decls import Names
from ctxlint.frontend.kinds import CursorKind
from ctxlint.frontend.parse import Parsed
from ctxlint.frontend.types import TypeWorld
from ctxlint.ir.unit import GlobalVar


class UnitContext:
    """``globals`` are the variables that were lowered so far, compound literals of static
    ones among them."""

    def __init__(self, parsed: Parsed) -> None:
        self.parsed = parsed
        self.lib = parsed.lib
        self.world = TypeWorld(parsed)
        self.names = Names(parsed, self.world)
        self.top: list[Cursor] = self.lib.children(parsed.root)
        self.globals: dict[str, GlobalVar] = {}
        self.initialising = False  # a variable that exists before the program runs
        self.label_blocks: dict[int | None, int] = {}  # of functions that are done
        self._field_names: dict[int | None, str] = {}
        self._by_name: dict[str, Cursor] | None = None

    def function_named(self, name: str) -> Cursor | None:
        """A file-scope function by its name."""
        if self._by_name is None:
            functions = [c for c in self.top if c.kind == CursorKind.FUNCTION_DECL]
            self._by_name = {self.names.spelling(c): c for c in functions}
        return self._by_name.get(name)

    def field_name(self, cursor: Cursor) -> str:
        """The member that a member expression names."""
        decl = self.lib.getCursorReferenced(cursor)
        name = self._field_names.get(decl.d0)
        if name is None:
            name = self._field_names[decl.d0] = self.names.spelling(decl)
        return name
