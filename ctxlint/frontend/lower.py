# SPDX-License-Identifier: GPL-2.0-or-later
"""One translation unit: parse, lower what is wanted, collect the facts."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from ctxlint.base.faults import reason_of
from ctxlint.frontend.builder import finish
from ctxlint.frontend.clang import library
from ctxlint.frontend.decls import FunctionInfo, GlobalInfo
from ctxlint.frontend.kinds import CursorKind, StorageClass, is_expression
from ctxlint.frontend.lowering import State, UnitContext, initialiser, label_blocks, lower_body
from ctxlint.frontend.parse import Parsed
from ctxlint.ir.ops import Expr
from ctxlint.ir.types import RecordDef, TArray, Type
from ctxlint.ir.unit import Fault, Function, GlobalVar, Unit, VarDecl

Known = Callable[[str], Sequence[str] | None]

_COUNTED = re.compile(r"^(__UNIQUE_ID_\w*?)\d+$")  # names made with __COUNTER__
_DEPTH = 20_000  # Python calls: macros nest expressions some hundred levels deep


def lower_unit(
    *,
    tree: Path,
    file: str,
    arguments: Sequence[str],
    directory: Path,
    known: Known = lambda symbol: None,
    libclang: str | None = None,
    overlay: str = "",
) -> Unit:
    """Lower one C file.

    ``file`` is relative to ``tree``; ``arguments`` are the compiler's without
    the input, ``-c`` and ``-o``; ``directory`` is where it would run.
    ``known(symbol)`` gives the header functions that a header function, whose
    body is already stored, refers to; None asks for it to be lowered. ``overlay`` is what
    :func:`~ctxlint.frontend.overlay.write_overlay` gave.

    Raises FrontendError when libclang gives no translation unit at all. Errors
    in the source are in ``Unit.errors``.
    """
    sys.setrecursionlimit(max(sys.getrecursionlimit(), _DEPTH))
    lib = library(libclang)
    parsed = Parsed(
        lib, tree=tree, file=file, arguments=arguments, directory=directory, overlay=overlay
    )
    try:
        return UnitLowering(parsed, known).run(file)
    finally:
        parsed.close()


class UnitLowering:
    def __init__(self, parsed: Parsed, known: Known) -> None:
        self.unit = UnitContext(parsed)
        self.lib = parsed.lib
        self.parsed = parsed
        self.names = self.unit.names
        self.known = known
        self._functions: dict[str, Function] = {}
        self._queue: list[FunctionInfo | GlobalInfo] = []
        self._seen: set[str] = set()
        self._inlines: set[str] = set()
        self._records: set[str] = set()
        self._mentioned: dict[str, FunctionInfo] = {}
        self._faults: list[Fault] = []

    def run(self, file: str) -> Unit:
        kinds = (CursorKind.FUNCTION_DECL, CursorKind.VAR_DECL)
        for cursor in self.unit.top:
            if cursor.kind not in kinds or not self.parsed.in_source(cursor):
                continue
            if cursor.kind == CursorKind.FUNCTION_DECL:
                info = self.names.function(cursor)
                if info.body is not None and not info.header:
                    self._want(info)
            else:
                self._want(self.names.global_(cursor))
        order = []
        while self._queue:
            item = self._queue.pop()
            try:
                if isinstance(item, FunctionInfo):
                    self._functions[item.symbol] = self._function(item)
                    order.append(item)
                else:
                    self._global(item)
            except Exception as error:
                self._lost(item, error)
        functions = [self._functions[i.symbol] for i in order if not i.header]
        functions.sort(key=lambda f: (f.file, f.line, f.symbol))
        inlines = sorted(i.symbol for i in order if i.header)
        return Unit(
            file,
            tuple(functions),
            tuple(sorted(self._inlines)),
            tuple(self._functions[s] for s in inlines),
            tuple(self.unit.globals[s] for s in sorted(self.unit.globals)),
            tuple(self.names.declaration(self._mentioned[s]) for s in sorted(self._mentioned)),
            self._record_defs(),
            self.names.enums(),
            self.parsed.dependencies(),
            self.parsed.errors(),
            tuple(sorted(self._faults, key=lambda f: (f.file, f.line, f.name))),
        )

    def _lost(self, item: FunctionInfo | GlobalInfo, error: Exception) -> None:
        """A defect of ours costs this function or variable."""
        self.unit.initialising = False
        self._inlines.discard(item.symbol)
        cursor = item.body if isinstance(item, FunctionInfo) else item.cursor
        assert cursor is not None
        file, line, _, _ = self.parsed.place(cursor)
        self._faults.append(Fault(file, line, item.name, reason_of(error)))

    # what is wanted

    def _want(self, item: FunctionInfo | GlobalInfo) -> None:
        """Lower an item that has a body in this unit, unless it is known."""
        if isinstance(item, FunctionInfo):
            self._mentioned.setdefault(item.symbol, item)
            if item.body is None:
                return
        if item.symbol in self._seen:
            return
        self._seen.add(item.symbol)
        if isinstance(item, FunctionInfo) and item.header:
            self._inlines.add(item.symbol)
            refers = self.known(item.symbol)
            if refers is not None:
                for symbol in refers:
                    self._want_symbol(symbol)
                return
        self._queue.append(item)

    def _want_symbol(self, symbol: str) -> None:
        if symbol in self._seen:
            return
        refers = self.known(symbol)
        if refers is None:
            cursor = self.unit.function_named(symbol.rpartition("::")[2])
            if cursor is not None:
                self._want(self.names.function(cursor))
            return
        self._seen.add(symbol)
        self._inlines.add(symbol)
        for inner in refers:
            self._want_symbol(inner)

    # bodies

    def _function(self, info: FunctionInfo) -> Function:
        lib = self.lib
        assert info.body is not None
        cursor = info.body
        state = State(self.unit)
        build = state.build
        body = next(
            (k for k in lib.children(cursor) if k.kind == CursorKind.COMPOUND_STMT), None
        )
        assert body is not None
        ret = lower_body(state, cursor, body)
        blocks, refs = finish(build.entry, state.label_nodes)
        self.unit.label_blocks.update(label_blocks(state))
        for item in refs:
            self._want(item)
        self._records |= build.table.record_keys()
        file, line, col, _ = self.parsed.place(cursor)
        extent = lib.getCursorExtent(cursor)
        end_line = self.parsed.expansion(lib.getRangeEnd(extent))[1]
        return Function(
            info.symbol,
            info.name,
            file,
            line,
            col,
            end_line,
            info.attrs,
            ret,
            max(lib.Cursor_getNumArguments(cursor), 0),
            bool(lib.Cursor_isVariadic(cursor)),
            tuple(VarDecl(_COUNTED.sub(r"\1", v.name), v.type) for v in build.vars),
            tuple(build.types),
            tuple(build.locs),
            blocks,
        )

    def _global(self, info: GlobalInfo) -> None:
        lib = self.lib
        init = lib.Cursor_getVarDeclInitializer(info.cursor)
        has_value = is_expression(init.kind)
        if lib.Cursor_getStorageClass(info.cursor) == StorageClass.EXTERN and not has_value:
            return  # declared here, defined elsewhere
        state = State(self.unit)
        build = state.build
        type_ = state.type(info.cursor)
        value: Expr | None = None
        if has_value:
            self.unit.initialising = True
            value = initialiser(state, init, type_)
            self.unit.initialising = False
            type_ = build.type_of(value) if _is_open(build.types[type_]) else type_
        for item in build.entry.refs:
            self._want(item)
        self._records |= build.table.record_keys()
        loc = self.parsed.loc(lib.getCursorLocation(info.cursor))
        attrs = set(self.names.attributes(info.cursor))
        if lib.Cursor_getStorageClass(info.cursor) == StorageClass.STATIC:
            attrs.add("static")
        if self.unit.world.is_const(lib.getCursorType(info.cursor)):
            attrs.add("const")
        if loc.macro:
            attrs.add(f"macro={loc.macro}")
        self.unit.globals[info.symbol] = GlobalVar(
            info.symbol,
            info.name,
            loc.file,
            loc.line,
            tuple(sorted(attrs)),
            type_,
            value,
            tuple(build.types),
        )

    def _record_defs(self) -> tuple[RecordDef, ...]:
        found: dict[str, RecordDef] = {}
        stack = sorted(self._records)
        seen = set(stack)
        while stack:
            key = stack.pop()
            definition = self.unit.world.record_def(key)
            if definition is None:
                continue
            found[key] = definition
            for inner in self.unit.world.embedded(key):
                if inner not in seen:
                    seen.add(inner)
                    stack.append(inner)
        return tuple(found[key] for key in sorted(found))


def _is_open(shape: Type) -> bool:
    return isinstance(shape, TArray) and shape.count < 0
