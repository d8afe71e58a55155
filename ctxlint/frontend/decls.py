# SPDX-License-Identifier: GPL-2.0-or-later
"""Names of functions and variables, their attributes and prototypes."""

from __future__ import annotations

import re

from ctxlint.frontend.clang import Cursor
from ctxlint.frontend.kinds import CursorKind, LinkageKind, PrintingPolicy, TypeKind
from ctxlint.frontend.parse import Parsed
from ctxlint.frontend.types import TypeWorld
from ctxlint.ir.unit import Decl, EnumDef

_ATTRIBUTE = re.compile(r"__attribute__\(\((\w+)(?:\((.*?)\))?\)\)")
_CLEANUP = re.compile(r"__attribute__\(\(cleanup\((\w+)\)\)\)")


class FunctionInfo:
    """What lowering wants to know of a function, once per unit."""

    __slots__ = ("attrs", "body", "cursor", "file", "header", "line", "name", "noreturn",
                 "symbol", "type")  # fmt: skip

    def __init__(
        self,
        cursor: Cursor,
        body: Cursor | None,
        symbol: str,
        name: str,
        attrs: tuple[str, ...],
        file: str,
        line: int,
        header: bool,
        type_: int,
    ) -> None:
        self.cursor = cursor
        self.body = body
        self.symbol = symbol
        self.name = name
        self.attrs = attrs
        self.noreturn = "noreturn" in attrs
        self.file = file
        self.line = line
        self.header = header  # its body is in a header
        self.type = type_


class GlobalInfo:
    __slots__ = ("cursor", "file", "name", "symbol", "type")

    def __init__(self, cursor: Cursor, symbol: str, name: str, file: str, type_: int) -> None:
        self.cursor = cursor
        self.symbol = symbol
        self.name = name
        self.file = file
        self.type = type_


class Names:
    """All functions and file-scope variables of a unit, resolved lazily."""

    def __init__(self, parsed: Parsed, world: TypeWorld) -> None:
        self.parsed = parsed
        self.world = world
        self.lib = parsed.lib
        lib = self.lib
        self._policy = lib.getCursorPrintingPolicy(parsed.root)
        lib.PrintingPolicy_setProperty(self._policy, PrintingPolicy.TERSE_OUTPUT, 1)
        lib.PrintingPolicy_setProperty(self._policy, PrintingPolicy.SUPPRESS_INITIALIZERS, 1)
        self._functions: dict[int, FunctionInfo] = {}
        self._globals: dict[int, GlobalInfo] = {}
        self._enumerators: dict[int, tuple[str, int, str]] = {}
        self._used_enums: set[str] = set()
        self.by_symbol: dict[str, FunctionInfo] = {}
        self.globals_by_symbol: dict[str, GlobalInfo] = {}

    def printed(self, cursor: Cursor) -> str:
        return self.lib.text(self.lib.getCursorPrettyPrinted(cursor, self._policy))

    def spelling(self, cursor: Cursor) -> str:
        return self.lib.text(self.lib.getCursorSpelling(cursor))

    def attributes(self, *declarations: Cursor) -> tuple[str, ...]:
        """Weak, noreturn, error, alias and section attributes as written on the
        declarations."""
        found = set()
        for declaration in declarations:
            text = self.printed(declaration)
            if "_Noreturn" in text:
                found.add("noreturn")
            if "__attribute__" not in text:
                continue
            for name, value in _ATTRIBUTE.findall(text):
                if name == "section":
                    found.add("section=" + value.strip('"'))
                elif name == "alias":
                    found.add("alias=" + value.strip('"'))
                elif name in ("weak", "noreturn", "error"):
                    found.add(name)
        return tuple(sorted(found))

    def cleanup(self, variable: Cursor) -> str | None:
        """The function of ``__attribute__((cleanup(f)))`` on a local."""
        match = _CLEANUP.search(self.printed(variable))
        return match[1] if match else None

    def function(self, cursor: Cursor) -> FunctionInfo:
        info = self._functions.get(cursor.d0)
        if info is not None:
            return info
        lib = self.lib
        canonical = lib.getCanonicalCursor(cursor)
        info = self._functions.get(canonical.d0)
        if info is None:
            info = self._resolve(cursor, canonical)
            self._functions[canonical.d0] = info
        self._functions[cursor.d0] = info
        return info

    def _resolve(self, cursor: Cursor, canonical: Cursor) -> FunctionInfo:
        lib = self.lib
        name = self.spelling(canonical)
        body: Cursor | None = lib.getCursorDefinition(cursor)
        if body is not None and body.kind != CursorKind.FUNCTION_DECL:
            body = None
        seen = {c.d0: c for c in (canonical, cursor, body) if c is not None}
        attrs = set(self.attributes(*seen.values()))
        ctype = lib.getCursorType(body or cursor)
        if "noreturn" in lib.text(lib.getTypeSpelling(ctype)):
            attrs.add("noreturn")
        static = lib.getCursorLinkage(canonical) == LinkageKind.INTERNAL
        inline = bool(lib.Cursor_isFunctionInlined(body or canonical))
        file, line, _, _ = self.parsed.place(canonical)
        if name.startswith("__builtin_"):
            file, line = "", 0  # else that of the first use
        home = self.parsed.place(body)[0] if body is not None else file
        header = body is not None and not home.endswith(".c") and (static or inline)
        symbol = f"{home}::{name}" if static or (header and inline) else name
        if static:
            attrs.add("static")
        if inline:
            attrs.add("inline")
        info = FunctionInfo(
            cursor, body, symbol, name, tuple(sorted(attrs)), file, line, header,
            self.world.number(ctype),
        )  # fmt: skip
        self.by_symbol.setdefault(symbol, info)
        return info

    def declaration(self, info: FunctionInfo) -> Decl:
        """The prototype, from whichever declaration names the parameters."""
        lib = self.lib
        cursor = lib.getCanonicalCursor(info.cursor)
        best: list[tuple[str, str]] = []
        for candidate in (cursor, info.cursor, info.body):
            if candidate is None:
                continue
            params = []
            for number in range(max(lib.Cursor_getNumArguments(candidate), 0)):
                parameter = lib.Cursor_getArgument(candidate, number)
                ctype = lib.getCursorType(parameter)
                params.append((self.spelling(parameter), lib.text(lib.getTypeSpelling(ctype))))
                self.note_enum(ctype)
            if not best or (params and not all(n for n, _ in best)):
                best = params
            if all(n for n, _ in best) and best:
                break
        ctype = lib.getCursorType(cursor)
        ret = lib.text(lib.getTypeSpelling(lib.getResultType(ctype)))
        variadic = ctype.kind == TypeKind.FUNCTIONNOPROTO or bool(lib.Cursor_isVariadic(cursor))
        return Decl(
            info.symbol, info.name, info.file, info.line, info.attrs, ret, tuple(best), variadic
        )

    def note_enum(self, ctype: object) -> None:
        """Remember an enum type so that its values are recorded."""
        canonical = self.lib.getCanonicalType(ctype)
        if canonical.kind == TypeKind.ENUM:
            self.world.number(canonical)
            self.used_enum(self.lib.getTypeDeclaration(canonical))

    def used_enum(self, decl: Cursor) -> None:
        self._used_enums.add(self.world.enum_tag(decl))

    def global_(self, cursor: Cursor) -> GlobalInfo:
        """A file-scope or static local variable."""
        info = self._globals.get(cursor.d0)
        if info is not None:
            return info
        lib = self.lib
        canonical = lib.getCanonicalCursor(cursor)
        info = self._globals.get(canonical.d0)
        if info is None:
            definition = lib.getCursorDefinition(cursor)
            best = definition if definition.kind == CursorKind.VAR_DECL else cursor
            name = self.spelling(canonical)
            file = self.parsed.place(best)[0]
            parent = lib.getCursorSemanticParent(canonical)
            linkage = lib.getCursorLinkage(canonical)
            symbol = name
            if parent.kind == CursorKind.FUNCTION_DECL and linkage != LinkageKind.EXTERNAL:
                symbol = f"{file}::{self.spelling(parent)}.{name}"
            elif linkage == LinkageKind.INTERNAL:
                symbol = f"{file}::{name}"
            type_ = self.world.number(lib.getCursorType(best))
            info = GlobalInfo(best, symbol, name, file, type_)
            number = 1
            while (clash := self.globals_by_symbol.get(info.symbol)) is not None:
                if clash.cursor.d0 == best.d0 or "." not in symbol:
                    break
                number += 1
                info.symbol = f"{symbol}@{number}"
            self.globals_by_symbol.setdefault(info.symbol, info)
            self._globals[canonical.d0] = info
        self._globals[cursor.d0] = info
        return info

    def enumerator(self, cursor: Cursor) -> tuple[str, int]:
        """Name and value; its enum is recorded."""
        found = self._enumerators.get(cursor.d0)
        if found is None:
            name = self.spelling(cursor)
            value = self.lib.getEnumConstantDeclValue(cursor)
            decl = self.lib.getCursorSemanticParent(cursor)
            tag = self.world.enum_tag(decl)
            found = self._enumerators[cursor.d0] = (name, value, tag)
        self._used_enums.add(found[2])
        return found[0], found[1]

    def enums(self) -> tuple[EnumDef, ...]:
        found = []
        lib = self.lib
        for tag in sorted(self._used_enums):
            decl = self.world.enum_decls[tag]
            file, line, _, _ = self.parsed.place(decl)
            values = tuple(
                (self.spelling(c), lib.getEnumConstantDeclValue(c))
                for c in lib.children(decl)
                if c.kind == CursorKind.ENUM_CONSTANT_DECL
            )
            found.append(EnumDef(tag, file, line, values))
        return tuple(found)
