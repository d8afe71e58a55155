# SPDX-License-Identifier: GPL-2.0-or-later
"""Parsing a unit, and everything about places in its files."""

from __future__ import annotations

import ctypes as ct
import logging
import os
import re
from collections.abc import Sequence
from pathlib import Path

from ctxlint.base.errors import FrontendError
from ctxlint.frontend.clang import INCLUSION_VISITOR, Cursor, Library, SrcLoc
from ctxlint.frontend.kinds import ErrorCode, Severity
from ctxlint.frontend.overlay import changed_files
from ctxlint.ir.unit import Loc

_log = logging.getLogger(__name__)

_FLAG_TROUBLE = ("unknown argument", "unsupported option", "unsupported argument")
# Without warnings clang does not build its own flow graphs: a fifth of the time.
_ALWAYS = ("-w", "-fno-spell-checking")
_DEFINE = re.compile(rb"\s*#\s*define\s+(\w+)(?:\(([^)]*)\))?")
_MACRO_BIT = 1 << 31  # of a source location that is inside a macro expansion
_IDENTIFIER = re.compile(rb"[A-Za-z_]\w*")
_WORD = rb"~?[A-Za-z_]\w*(?:\([\w\s,]*\))?"
_CONSTANT = re.compile(
    rb"(\(\s*)?(%s(?:\s*\|\s*%s)*)(?(1)\s*\))(?=\s*(?:[);,?:\]}]|&&|\|\|))" % (_WORD, _WORD)
)
"""A name, a call of a macro, or several with ``|`` between them, to the operand's end."""
_LONGEST = 80
_REASONS = {
    ErrorCode.FAILURE: "failed",
    ErrorCode.CRASHED: "crashed",
    ErrorCode.INVALID_ARGUMENTS: "was given wrong arguments",
}


def _constant(found: re.Match[bytes]) -> str:
    """What :data:`_CONSTANT` found, on one line, as an operand."""
    text = " ".join(found[2].decode().split())
    return f"({text})" if "|" in text else text


class Parsed:
    """One parsed translation unit; close it to free clang's memory."""

    def __init__(
        self,
        lib: Library,
        *,
        tree: Path,
        file: str,
        arguments: Sequence[str],
        directory: Path,
        overlay: str = "",
    ) -> None:
        self.lib = lib
        self._changed = changed_files(overlay) if overlay else {}
        self.tree = os.path.realpath(tree)
        self.directory = str(directory)
        self.main = str(Path(self.tree) / file)
        extra = ("-ivfsoverlay", overlay) if overlay else ()
        words = [
            a.encode()
            for a in (*arguments, *_ALWAYS, f"-working-directory={directory}", *extra)
        ]
        vector = (ct.c_char_p * len(words))(*words)
        self._index = lib.createIndex(0, 0)
        unit = ct.c_void_p()
        code = lib.parseTranslationUnit2(
            self._index, self.main.encode(), vector, len(words), None, 0, 0, ct.byref(unit)
        )
        if code or not unit:
            lib.disposeIndex(self._index)
            reason = _REASONS.get(code)
            raise FrontendError(f"{file}: libclang {reason or f'returned {code}'}")
        self._unit = unit
        self.root: Cursor = lib.getTranslationUnitCursor(unit)
        self._paths: dict[int | None, str] = {None: ""}
        self._full: dict[str, str] = {"": ""}
        self._texts: dict[str, bytes] = {}
        self._locs: dict[int, Loc] = {}
        self._file = ct.c_void_p()
        self._line, self._col, self._off = ct.c_uint(), ct.c_uint(), ct.c_uint()
        self._out = tuple(ct.byref(x) for x in (self._file, self._line, self._col, self._off))

        self._files = self._inclusions()
        self._source_ranges = self._ranges()

    def close(self) -> None:
        self.lib.disposeTranslationUnit(self._unit)
        self.lib.disposeIndex(self._index)

    def _name(self, file: int | None) -> str:
        name = self._paths.get(file)
        if name is None:
            raw = self.lib.text(self.lib.getFileName(file))
            full = os.path.normpath(Path(self.directory) / raw)
            prefix = self.tree + os.sep
            if not full.startswith(prefix):
                real = os.path.realpath(full)
                if real.startswith(prefix):
                    full = real
            name = full.removeprefix(prefix)
            self._paths[file] = name
            self._full[name] = full
        return name

    def expansion(self, loc: SrcLoc) -> tuple[str, int, int, int]:
        """File, line, column and byte offset of the outermost macro use."""
        self.lib.getExpansionLocation(loc, *self._out)
        return self._name(self._file.value), self._line.value, self._col.value, self._off.value

    def spelling(self, loc: SrcLoc) -> tuple[str, int, int, int]:
        """The same of the characters themselves, in a macro's definition when
        they are from one. (clang_getSpellingLocation stops at the outermost
        macro when macros are nested; the token knows better.)"""
        if not loc.raw & _MACRO_BIT:
            return self.expansion(loc)
        lib = self.lib
        token = lib.getToken(self._unit, loc)
        if not token:
            return "", 0, 0, 0
        place = self.expansion(lib.getTokenLocation(self._unit, token[0]))
        lib.disposeTokens(self._unit, token, 1)
        return place

    def written(self, op: str, first: Cursor, second: Cursor) -> str:
        """The second operand of a binary operator as the source has it, when that is the
        name of a constant, such as a macro's, or such names with ``|`` between; else ``""``.

        Both are looked for where they stand in a file, be it as the argument of a macro.
        """
        lib = self.lib
        begin = lib.getRangeStart(lib.getCursorExtent(first))
        lib.getFileLocation(begin, *self._out)
        file, before = self._file.value, self._off.value
        lib.getFileLocation(lib.getRangeStart(lib.getCursorExtent(second)), *self._out)
        at = self._off.value
        if self._file.value != file or at < before:
            return ""
        if at == before:  # where a macro is used that has both in its body
            return self._defined(op, begin)
        found = _CONSTANT.match(self.text(self._name(file)), at, at + _LONGEST)
        return _constant(found) if found is not None else ""

    def _defined(self, op: str, begin: SrcLoc) -> str:
        """The same in the definition of a macro, where it is written in one line and has
        that operator once. A parameter is no name."""
        file, _, col, offset = self.spelling(begin)
        text = self.text(file)
        start = offset - col + 1
        end = text.find(b"\n", offset)
        line = text[start : end if end >= 0 else len(text)]
        head = _DEFINE.match(line)
        sign = rb"(?<![-&|<>=!+])%s(?![&|<>=])\s*" % re.escape(op.encode())
        places = [match.end() for match in re.finditer(sign, line)]
        found = _CONSTANT.match(line, places[0]) if len(places) == 1 else None
        if head is None or found is None:
            return ""
        names = set(_IDENTIFIER.findall(found[2]))
        return _constant(found) if names.isdisjoint(_IDENTIFIER.findall(head[2] or b"")) else ""

    def text(self, file: str) -> bytes:
        """The bytes of a file of this unit (empty when it is not one)."""
        data = self._texts.get(file)
        if data is None:
            try:
                full = self._full[file]
                data = Path(self._changed.get(full, full)).read_bytes() if file else b""
            except (OSError, KeyError):
                data = b""
            self._texts[file] = data
        return data

    def loc(self, loc: SrcLoc) -> Loc:
        found = self._locs.get(loc.raw)
        if found is None:
            file, line, col, offset = self.expansion(loc)
            macro = spelled = ""
            if loc.raw & _MACRO_BIT:
                word = _IDENTIFIER.match(self.text(file), offset)
                macro = word[0].decode() if word else ""
                where = self.spelling(loc)
                if where[0]:
                    spelled = f"{where[0]}:{where[1]}"
            found = self._locs[loc.raw] = Loc(file, line, col, macro, spelled)
        return found

    def macros(self, cursor: Cursor) -> tuple[str, str]:
        """The outermost macro that a statement comes from, and the innermost one, whose
        definition it is written in (on the line of its ``#define``); empty outside of
        macros."""
        loc = self.loc(self.lib.getCursorLocation(cursor))
        if not loc.macro:
            return "", ""
        file, _, number = loc.spelled.rpartition(":")
        lines = self.text(file).split(b"\n", int(number)) if file else []
        found = (
            _DEFINE.match(lines[int(number) - 1])
            if len(lines) >= int(number or 0) > 0
            else None
        )
        return loc.macro, found[1].decode() if found else loc.macro

    def place(self, cursor: Cursor) -> tuple[str, int, int, int]:
        return self.expansion(self.lib.getCursorLocation(cursor))

    def source(self, cursor: Cursor) -> bytes:
        """Text from the cursor's first character (in a macro: of the macro's
        definition) to the end of that file."""
        lib = self.lib
        begin = self.spelling(lib.getRangeStart(lib.getCursorExtent(cursor)))
        return self.text(begin[0])[begin[3] : begin[3] + 20000]

    def _inclusions(self) -> dict[str, int]:
        """Files that were read, with clang's handles."""
        found: list[int] = []

        def visit(file: int, stack: object, depth: int, data: object) -> None:
            found.append(file)

        self.lib.getInclusions(self._unit, INCLUSION_VISITOR(visit), None)
        return {self._name(f): f for f in found}

    def dependencies(self) -> tuple[str, ...]:
        """All files that were read, sorted."""
        return tuple(sorted(self._files))

    def in_source(self, cursor: Cursor) -> bool:
        """Whether a declaration is in the main file or another .c file."""
        raw = self.lib.getCursorLocation(cursor).raw
        if raw & _MACRO_BIT:
            return self.place(cursor)[0].endswith(".c")
        return any(low <= raw <= high for low, high in self._source_ranges)

    def _ranges(self) -> list[tuple[int, int]]:
        """Location numbers of the .c files: a file has one for every byte."""
        ranges = []
        for name, handle in self._files.items():
            if name.endswith(".c"):
                start = self.lib.getLocationForOffset(self._unit, handle, 0).raw
                ranges.append((start, start + len(self.text(name))))
        return ranges

    def errors(self) -> tuple[str, ...]:
        """Diagnostics of severity error and above as ``file:line: text``.

        Flags that this libclang does not know are logged, not errors: another
        compiler was meant, and clang goes on without them.
        """
        lib = self.lib
        found = []
        for number in range(lib.getNumDiagnostics(self._unit)):
            diagnostic = lib.getDiagnostic(self._unit, number)
            if lib.getDiagnosticSeverity(diagnostic) >= Severity.ERROR:
                loc = self.expansion(lib.getDiagnosticLocation(diagnostic))
                text = lib.text(lib.getDiagnosticSpelling(diagnostic))
                if not loc[0] and text.startswith(_FLAG_TROUBLE):
                    _log.debug("%s: %s", self.main, text)
                    lib.disposeDiagnostic(diagnostic)
                    continue
                found.append(f"{loc[0]}:{loc[1]}: {text}" if loc[0] else text)
            lib.disposeDiagnostic(diagnostic)
        return tuple(found)
