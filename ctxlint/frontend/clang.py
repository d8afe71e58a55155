# SPDX-License-Identifier: GPL-2.0-or-later
"""The part of libclang's C interface that lowering needs.

Own prototypes instead of ``clang.cindex``'s classes: one foreign call costs
well under a microsecond this way, and the members of a cursor are read as
plain attributes. The shared library is the one in the ``libclang`` wheel
unless the caller names another (also ``CTXLINT_LIBCLANG``).
"""

from __future__ import annotations

import ctypes as ct
import os
import sys
from pathlib import Path
from typing import Any

from ctxlint.base.errors import FrontendError
from ctxlint.frontend.kinds import ChildVisit, EvalResultKind


class Cursor(ct.Structure):
    """CXCursor; ``d0`` identifies a declaration, ``d1`` a statement."""

    _fields_ = (
        ("kind", ct.c_int),
        ("xdata", ct.c_int),
        ("d0", ct.c_void_p),
        ("d1", ct.c_void_p),
        ("d2", ct.c_void_p),
    )


class CType(ct.Structure):
    """CXType; ``d0`` identifies the type with its qualifiers and sugar."""

    _fields_ = (("kind", ct.c_int), ("d0", ct.c_void_p), ("d1", ct.c_void_p))


class SrcLoc(ct.Structure):
    """CXSourceLocation; ``raw`` is unique within one translation unit."""

    _fields_ = (("p0", ct.c_void_p), ("p1", ct.c_void_p), ("raw", ct.c_uint))


class SrcRange(ct.Structure):
    _fields_ = (
        ("p0", ct.c_void_p),
        ("p1", ct.c_void_p),
        ("begin", ct.c_uint),
        ("end", ct.c_uint),
    )


class CString(ct.Structure):
    _fields_ = (("data", ct.c_void_p), ("flags", ct.c_uint))


class Token(ct.Structure):
    _fields_ = (("data", ct.c_uint * 4), ("p", ct.c_void_p))


VISITOR = ct.CFUNCTYPE(ct.c_int, Cursor, Cursor, ct.c_void_p)
FIELD_VISITOR = ct.CFUNCTYPE(ct.c_int, Cursor, ct.c_void_p)
INCLUSION_VISITOR = ct.CFUNCTYPE(None, ct.c_void_p, ct.POINTER(SrcLoc), ct.c_uint, ct.c_void_p)

_P, _I, _U, _L = ct.c_void_p, ct.c_int, ct.c_uint, ct.c_longlong
_OUT = (SrcLoc, _P, _P, _P, _P)

PROTOTYPES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "clang_createIndex": (_P, (_I, _I)),
    "clang_disposeIndex": (None, (_P,)),
    "clang_parseTranslationUnit2": (_I, (_P, ct.c_char_p, _P, _I, _P, _U, _U, _P)),
    "clang_disposeTranslationUnit": (None, (_P,)),
    "clang_getTranslationUnitCursor": (Cursor, (_P,)),
    "clang_getNumDiagnostics": (_U, (_P,)),
    "clang_getDiagnostic": (_P, (_P, _U)),
    "clang_disposeDiagnostic": (None, (_P,)),
    "clang_getDiagnosticSeverity": (_I, (_P,)),
    "clang_getDiagnosticSpelling": (CString, (_P,)),
    "clang_getDiagnosticLocation": (SrcLoc, (_P,)),
    "clang_getInclusions": (None, (_P, INCLUSION_VISITOR, _P)),
    "clang_getLocationForOffset": (SrcLoc, (_P, _P, _U)),
    "clang_getFileName": (CString, (_P,)),
    "clang_getClangVersion": (CString, ()),
    "clang_disposeString": (None, (CString,)),
    "clang_visitChildren": (_U, (Cursor, VISITOR, _P)),
    "clang_Type_visitFields": (_U, (CType, FIELD_VISITOR, _P)),
    "clang_getCursorType": (CType, (Cursor,)),
    "clang_getCursorReferenced": (Cursor, (Cursor,)),
    "clang_getCursorDefinition": (Cursor, (Cursor,)),
    "clang_getCanonicalCursor": (Cursor, (Cursor,)),
    "clang_getCursorSpelling": (CString, (Cursor,)),
    "clang_getCursorLocation": (SrcLoc, (Cursor,)),
    "clang_getCursorExtent": (SrcRange, (Cursor,)),
    "clang_getRangeStart": (SrcLoc, (SrcRange,)),
    "clang_getRangeEnd": (SrcLoc, (SrcRange,)),
    "clang_getCursorLinkage": (_I, (Cursor,)),
    "clang_getCursorSemanticParent": (Cursor, (Cursor,)),
    "clang_isCursorDefinition": (_U, (Cursor,)),
    "clang_Cursor_isFunctionInlined": (_U, (Cursor,)),
    "clang_Cursor_isVariadic": (_U, (Cursor,)),
    "clang_Cursor_getStorageClass": (_I, (Cursor,)),
    "clang_Cursor_getNumArguments": (_I, (Cursor,)),
    "clang_Cursor_getArgument": (Cursor, (Cursor, _U)),
    "clang_Cursor_getVarDeclInitializer": (Cursor, (Cursor,)),
    "clang_Cursor_Evaluate": (_P, (Cursor,)),
    "clang_EvalResult_getKind": (_I, (_P,)),
    "clang_EvalResult_getAsLongLong": (_L, (_P,)),
    "clang_EvalResult_getAsDouble": (ct.c_double, (_P,)),
    "clang_EvalResult_dispose": (None, (_P,)),
    "clang_getCursorBinaryOperatorKind": (_I, (Cursor,)),
    "clang_getCursorUnaryOperatorKind": (_I, (Cursor,)),
    "clang_getExpansionLocation": (None, _OUT),
    "clang_getFileLocation": (None, _OUT),
    "clang_getToken": (ct.POINTER(Token), (_P, SrcLoc)),
    "clang_getTokenLocation": (SrcLoc, (_P, Token)),
    "clang_disposeTokens": (None, (_P, ct.POINTER(Token), _U)),
    "clang_getCursorPrintingPolicy": (_P, (Cursor,)),
    "clang_PrintingPolicy_setProperty": (None, (_P, _I, _U)),
    "clang_PrintingPolicy_dispose": (None, (_P,)),
    "clang_getCursorPrettyPrinted": (CString, (Cursor, _P)),
    "clang_getCanonicalType": (CType, (CType,)),
    "clang_getTypeSpelling": (CString, (CType,)),
    "clang_getTypeDeclaration": (Cursor, (CType,)),
    "clang_Type_getNamedType": (CType, (CType,)),
    "clang_getTypedefName": (CString, (CType,)),
    "clang_getTypedefDeclUnderlyingType": (CType, (Cursor,)),
    "clang_getPointeeType": (CType, (CType,)),
    "clang_getArrayElementType": (CType, (CType,)),
    "clang_getArraySize": (_L, (CType,)),
    "clang_getResultType": (CType, (CType,)),
    "clang_getNumArgTypes": (_I, (CType,)),
    "clang_getArgType": (CType, (CType, _U)),
    "clang_isFunctionTypeVariadic": (_U, (CType,)),
    "clang_isConstQualifiedType": (_U, (CType,)),
    "clang_isVolatileQualifiedType": (_U, (CType,)),
    "clang_Type_getSizeOf": (_L, (CType,)),
    "clang_Type_getAlignOf": (_L, (CType,)),
    "clang_Type_getModifiedType": (CType, (CType,)),
    "clang_Type_getValueType": (CType, (CType,)),
    "clang_Cursor_getOffsetOfField": (_L, (Cursor,)),
    "clang_getFieldDeclBitWidth": (_I, (Cursor,)),
    "clang_getEnumDeclIntegerType": (CType, (Cursor,)),
    "clang_getEnumConstantDeclValue": (_L, (Cursor,)),
}


class Library:
    """A loaded libclang. ``lib`` holds the functions without their prefix."""

    def __init__(self, path: str | None = None) -> None:
        path = path or os.environ.get("CTXLINT_LIBCLANG") or _wheel_library()
        try:
            dll = ct.CDLL(path)
        except OSError as error:
            raise FrontendError(
                f"cannot load libclang from {path}: {error}",
                hint="install the libclang package, or name a library with --libclang",
            ) from error
        self.path = path
        for name, (result, arguments) in PROTOTYPES.items():
            try:
                function = getattr(dll, name)
            except AttributeError as error:
                raise FrontendError(
                    f"{path} has no {name}", hint="libclang 17 or newer is needed"
                ) from error
            function.restype = result
            function.argtypes = arguments
            setattr(self, name.removeprefix("clang_"), function)
        self._found: list[Cursor] = []

        def collect(cursor: Cursor, parent: Cursor, data: object) -> int:
            self._found.append(cursor)
            return ChildVisit.CONTINUE

        def collect_field(cursor: Cursor, data: object) -> int:
            self._found.append(cursor)
            return ChildVisit.CONTINUE

        self._collect = VISITOR(collect)
        self._collect_field = FIELD_VISITOR(collect_field)

    def __getattr__(self, name: str) -> Any:  # functions set in __init__
        raise AttributeError(name)

    def children(self, cursor: Cursor) -> list[Cursor]:
        found: list[Cursor] = []
        self._found = found
        if self.visitChildren(cursor, self._collect, None):
            raise _in_callback()
        return found

    def fields(self, record: CType) -> list[Cursor]:
        found: list[Cursor] = []
        self._found = found
        self.Type_visitFields(record, self._collect_field, None)
        if unraised:
            raise _in_callback()
        return found

    def text(self, string: CString) -> str:
        data = string.data
        value = ct.string_at(data).decode("utf-8", "replace") if data else ""
        self.disposeString(string)
        return value

    def version(self) -> str:
        return self.text(self.getClangVersion())

    def any_descendant(self, cursor: Cursor, kinds: frozenset[int]) -> bool:
        """Whether a node of one of ``kinds`` is below ``cursor`` (or is it)."""
        if cursor.kind in kinds:
            return True

        def look(node: Cursor, parent: Cursor, data: object) -> int:
            return ChildVisit.BREAK if node.kind in kinds else ChildVisit.RECURSE

        return bool(self.visitChildren(cursor, VISITOR(look), None))

    def evaluate(self, cursor: Cursor) -> int | None:
        """The value of a constant integer expression, as a signed 64-bit
        number; None when clang cannot tell."""
        result = self.Cursor_Evaluate(cursor)
        if not result:
            return None
        value = None
        if self.EvalResult_getKind(result) == EvalResultKind.INT:
            value = self.EvalResult_getAsLongLong(result)
        self.EvalResult_dispose(result)
        return value

    def evaluate_float(self, cursor: Cursor) -> float | None:
        result = self.Cursor_Evaluate(cursor)
        if not result:
            return None
        value = None
        if self.EvalResult_getKind(result) == EvalResultKind.FLOAT:
            value = self.EvalResult_getAsDouble(result)
        self.EvalResult_dispose(result)
        return value


unraised: list[BaseException] = []
"""Exceptions of callbacks, which ctypes can only print: their result would be taken for an
end of the children. A worker keeps them here and gives the unit up."""


def keep_unraised() -> None:
    """Keep exceptions of callbacks in :data:`unraised` instead of printing them."""
    sys.unraisablehook = lambda found: unraised.append(found.exc_value or RuntimeError())


def _in_callback() -> BaseException:
    error = unraised.pop() if unraised else RecursionError("in a callback of libclang")
    return error if isinstance(error, Exception) else RuntimeError(repr(error))


def _wheel_library() -> str:
    import clang.native

    folder = Path(next(iter(clang.native.__path__)))
    for name in ("libclang.so", "libclang.dylib", "libclang.dll"):
        if (folder / name).exists():
            return str(folder / name)
    raise FrontendError(
        f"no libclang in {folder}", hint="install the libclang package, or use --libclang"
    )


_LIBRARIES: dict[str | None, Library] = {}


def library(path: str | None = None) -> Library:
    """The library at ``path`` (default: the wheel's), loaded once."""
    if path not in _LIBRARIES:
        _LIBRARIES[path] = Library(path)
    return _LIBRARIES[path]
