# SPDX-License-Identifier: GPL-2.0-or-later
"""Clang types to IR types, and the layouts of records.

:class:`TypeWorld` belongs to a unit: it knows each clang type by its address
and interns it as a number with a structure.
"""

from __future__ import annotations

from typing import NamedTuple

from ctxlint.frontend.builder import Interner, Table
from ctxlint.frontend.clang import CType, Cursor
from ctxlint.frontend.kinds import CursorKind, TypeKind
from ctxlint.frontend.parse import Parsed
from ctxlint.ir.types import (
    FieldDef,
    RecordDef,
    TArray,
    TFloat,
    TFunc,
    TInt,
    TPtr,
    TRecord,
    TypeId,
)

ARRAYS = frozenset(
    (TypeKind.CONSTANTARRAY, TypeKind.INCOMPLETEARRAY, TypeKind.VARIABLEARRAY, TypeKind.VECTOR)
)
_FUNCTIONS = frozenset({TypeKind.FUNCTIONPROTO, TypeKind.FUNCTIONNOPROTO})
_SIGNED = frozenset(
    {TypeKind.CHAR_S, TypeKind.SCHAR, TypeKind.WCHAR, TypeKind.SHORT, TypeKind.INT,
     TypeKind.LONG, TypeKind.LONGLONG, TypeKind.INT128}
)  # fmt: skip
_UNSIGNED = frozenset(
    {TypeKind.BOOL, TypeKind.CHAR_U, TypeKind.UCHAR, TypeKind.CHAR16, TypeKind.CHAR32,
     TypeKind.USHORT, TypeKind.UINT, TypeKind.ULONG, TypeKind.ULONGLONG, TypeKind.UINT128}
)  # fmt: skip
_FLOATS = frozenset(
    {TypeKind.FLOAT, TypeKind.DOUBLE, TypeKind.LONGDOUBLE, TypeKind.FLOAT128, TypeKind.HALF,
     TypeKind.FLOAT16, TypeKind.BFLOAT16}
)  # fmt: skip


class Member(NamedTuple):
    """A member as it is reached from a record, through anonymous members."""

    record: str
    offset: int
    width: int
    type: int  # number in the world


class TypeWorld(Interner):
    """Types and records of one unit. Numbers index :attr:`types`."""

    def __init__(self, parsed: Parsed) -> None:
        super().__init__()
        self.parsed = parsed
        self.lib = parsed.lib
        self._by_address: dict[int, int] = {}
        self._keys: dict[int, str] = {}
        self._record_types: dict[str, CType] = {}
        self._members: dict[str, dict[str, Member]] = {}
        self._parts: dict[str, list[tuple[str, int, int | None]]] = {}
        self._enum_of: dict[int, Cursor] = {}
        self.enum_decls: dict[str, Cursor] = {}

    def number(self, ctype: CType) -> int:
        address = ctype.d0
        if address is None:
            return self.void
        number = self._by_address.get(address)
        if number is None:
            number = self._by_address[address] = self._convert(ctype)
        return number

    def _convert(self, ctype: CType) -> int:
        lib = self.lib
        name = ""
        canonical = lib.getCanonicalType(ctype)  # with the qualifiers, which a name has not
        while ctype.kind == TypeKind.ELABORATED:
            ctype = lib.Type_getNamedType(ctype)
        if ctype.kind == TypeKind.TYPEDEF:
            name = lib.text(lib.getTypedefName(ctype))
        kind = canonical.kind
        volatile = bool(lib.isVolatileQualifiedType(canonical))
        if kind in _UNSIGNED or kind in _SIGNED:
            bits = lib.Type_getSizeOf(canonical) * 8
            return self.intern(
                TInt(bits, kind in _SIGNED, name, volatile), kind == TypeKind.BOOL
            )
        if kind == TypeKind.POINTER:
            self.pointer_bits = lib.Type_getSizeOf(canonical) * 8
            pointee = lib.getPointeeType(ctype if ctype.kind == TypeKind.POINTER else canonical)
            return self.intern(TPtr(self.number(pointee), name, volatile))
        if kind == TypeKind.RECORD:
            return self.intern(TRecord(self.record_key(canonical), name))
        if kind == TypeKind.ENUM:
            decl = lib.getTypeDeclaration(canonical)
            under = self.types[self.number(lib.getEnumDeclIntegerType(decl))]
            tag = self.enum_tag(decl)
            if not isinstance(under, TInt):
                under = TInt(32, False)
            return self.intern(TInt(under.bits, under.signed, name or tag, volatile))
        if kind in ARRAYS:
            plain = ctype if ctype.kind in ARRAYS else canonical
            count = lib.getArraySize(plain) if kind == TypeKind.CONSTANTARRAY else -1
            of = self.number(lib.getArrayElementType(plain))
            return self.intern(TArray(of, count))
        if kind in _FUNCTIONS:
            plain = ctype if ctype.kind in _FUNCTIONS else canonical
            total = max(lib.getNumArgTypes(plain), 0)
            params = tuple(self.number(lib.getArgType(plain, i)) for i in range(total))
            unspecified = kind == TypeKind.FUNCTIONNOPROTO
            variadic = unspecified or bool(lib.isFunctionTypeVariadic(plain))
            return self.intern(TFunc(self.number(lib.getResultType(plain)), params, variadic))
        if kind in _FLOATS:
            return self.intern(TFloat(lib.Type_getSizeOf(canonical) * 8))
        if kind == TypeKind.ATOMIC:
            return self.number(lib.Type_getValueType(canonical))
        return self.void

    def is_const(self, ctype: CType) -> bool:
        """Whether an object of the type is never written."""
        lib = self.lib
        plain = lib.getCanonicalType(ctype)
        while plain.kind in ARRAYS:
            plain = lib.getCanonicalType(lib.getArrayElementType(plain))
        return bool(lib.isConstQualifiedType(plain))

    # records and enums

    def record_key(self, record: CType) -> str:
        """The record key of a canonical record type."""
        lib = self.lib
        decl = lib.getTypeDeclaration(record)
        key = self._keys.get(decl.d0)
        if key is None:
            word = "union" if decl.kind == CursorKind.UNION_DECL else "struct"
            tag = lib.text(lib.getCursorSpelling(decl))
            nameless = not tag or "(" in tag
            if nameless or lib.getCursorSemanticParent(decl).kind == CursorKind.FUNCTION_DECL:
                file, line, col, _ = self.parsed.place(decl)
                tag = f"{'' if nameless else tag}@{file}:{line}:{col}"
            key = self._keys[decl.d0] = f"{word} {tag}"
            self._record_types.setdefault(key, record)
        return key

    def enum_tag(self, decl: Cursor) -> str:
        """``"enum TAG"``; the declaration is remembered under it."""
        tag = self.lib.text(self.lib.getCursorSpelling(decl))
        if not tag or "(" in tag:
            file, line, col, _ = self.parsed.place(decl)
            tag = f"@{file}:{line}:{col}"
        tag = f"enum {tag}"
        self.enum_decls.setdefault(tag, decl)
        return tag

    def members(self, key: str) -> dict[str, Member]:
        """Members by name, those of anonymous members included."""
        found = self._members.get(key)
        if found is None:
            found = self._members[key] = {}
            lib = self.lib
            for field in lib.fields(self._record_types[key]):
                name = lib.text(lib.getCursorSpelling(field))
                offset = lib.Cursor_getOffsetOfField(field)
                number = self.number(lib.getCursorType(field))
                type_ = self.types[number]
                if not name or "(" in name:
                    if isinstance(type_, TRecord):
                        for inner, m in self.members(type_.key).items():
                            found[inner] = m._replace(offset=m.offset + offset)
                    continue
                width = max(lib.getFieldDeclBitWidth(field), 0)
                found[name] = Member(key, offset, width, number)
        return found

    def parts(self, key: str) -> list[tuple[str, int, int | None]]:
        """Direct members that an initialiser can fill, in order: name (``@N``
        for an anonymous record), type, and the declaration's address."""
        found = self._parts.get(key)
        if found is None:
            found = self._parts[key] = []
            lib = self.lib
            for at, field in enumerate(lib.fields(self._record_types[key])):
                name = lib.text(lib.getCursorSpelling(field))
                number = self.number(lib.getCursorType(field))
                if not name or "(" in name:
                    if not isinstance(self.types[number], TRecord):
                        continue  # padding
                    name = f"@{at}"
                found.append((name, number, field.d0))
        return found

    def part(self, key: str, at: int) -> tuple[str, int] | None:
        parts = self.parts(key)
        return parts[at][:2] if at < len(parts) else None

    def record_def(self, key: str) -> RecordDef | None:
        """The layout, or None when the record is not complete in this unit."""
        lib = self.lib
        record = self._record_types[key]
        size = lib.Type_getSizeOf(record)
        if size < 0:
            return None
        table = TypeTable(self)
        fields = []
        for field in lib.fields(record):
            name = lib.text(lib.getCursorSpelling(field))
            fields.append(
                FieldDef(
                    "" if "(" in name else name,
                    table.local(self.number(lib.getCursorType(field))),
                    lib.Cursor_getOffsetOfField(field),
                    max(lib.getFieldDeclBitWidth(field), 0),
                )
            )
        decl = lib.getTypeDeclaration(record)
        file, line, _, _ = self.parsed.place(decl)
        word, tag = key.split(" ", 1)
        return RecordDef(
            key,
            "" if tag.startswith("@") else tag,
            word == "union",
            file,
            line,
            size,
            lib.Type_getAlignOf(record),
            tuple(fields),
            tuple(table.types),
        )

    def embedded(self, key: str) -> list[str]:
        """Keys of the records that a record holds by value."""
        found = []
        for field in self.lib.fields(self._record_types[key]):
            type_ = self.types[self.number(self.lib.getCursorType(field))]
            while isinstance(type_, TArray):
                type_ = self.types[type_.of]
            if isinstance(type_, TRecord):
                found.append(type_.key)
        return found


class TypeTable(Table):
    """The types that one function uses, found by clang's."""

    def __init__(self, world: TypeWorld) -> None:
        super().__init__(world)
        self._world = world
        self._by_address: dict[int | None, TypeId] = {}

    def of(self, ctype: CType) -> TypeId:
        local = self._by_address.get(ctype.d0)
        if local is None:
            local = self.local(self._world.number(ctype))
            self._by_address[ctype.d0] = local
        return local
