# SPDX-License-Identifier: GPL-2.0-or-later
"""Types and layouts of model files, as the kernel's ABIs have them.

Little endian, natural alignment, ``char`` unsigned (the kernel is built with
``-funsigned-char``); pointers and ``long`` have 64 bits, or 32 on arm, where
``long long`` still is aligned to 8 bytes. An enum is ``unsigned int``, or
``int`` when one of its values is negative, as gcc and clang have it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ctxlint.frontend.builder import Interner, Table
from ctxlint.ir.types import (
    FieldDef,
    RecordDef,
    TArray,
    TFloat,
    TFunc,
    TInt,
    TPtr,
    TRecord,
    TVoid,
    Type,
    TypeId,
)


@dataclass(frozen=True)
class Member:
    """A direct member, ``""`` for an anonymous record; ``offset`` in bits."""

    name: str
    type: int  # number in the world
    offset: int
    width: int = 0


@dataclass
class Layout:
    """A record; ``size`` is -1 until its members are known. Sizes in bytes."""

    key: str
    union: bool
    file: str
    line: int
    size: int = -1
    align: int = 1
    members: list[Member] = field(default_factory=list)


class LayoutError(Exception):
    """What is wrong with a type; the caller knows where."""


class World(Interner):
    """All types of a set of model files.

    ``kernel`` are layouts that clang computed: a record which a model file only
    declares has its members from there.
    """

    def __init__(self, long_bits: int, kernel: Mapping[str, RecordDef]) -> None:
        super().__init__(long_bits)
        self.kernel = kernel
        self.layouts: dict[str, Layout] = {}
        word = TInt(long_bits, False)
        self.ulong = self.intern(word)
        self.long_ = self.intern(TInt(long_bits, True))
        self.uint = self.intern(TInt(32, False))
        self.char = self.intern(TInt(8, False))
        self.basic = self._basic()

    def _basic(self) -> dict[tuple[str, ...], int]:
        """Numbers by the sorted words of a type."""
        found: dict[tuple[str, ...], int] = {("void",): self.void, ("char",): self.char}
        found["_Bool",] = self.intern(TInt(8, False), is_bool=True)
        for words, bits in (
            (("short",), 16), (("short", "int"), 16), (("int",), 32), ((), 32),
            (("long",), self.pointer_bits), (("long", "int"), self.pointer_bits),
            (("long", "long"), 64), (("long", "long", "int"), 64), (("char",), 8),
        ):  # fmt: skip
            for sign in ("signed", "unsigned", ""):
                if not sign and words in ((), ("char",)):
                    continue
                key = tuple(sorted((*words, sign) if sign else words))
                found[key] = self.intern(TInt(bits, sign != "unsigned"))
        return found

    def renamed(self, number: int, name: str) -> int:
        """The type under a typedef."""
        type_ = self.types[number]
        match type_:
            case TInt(bits, signed):
                return self.intern(TInt(bits, signed, name), number in self.bools)
            case TPtr(to):
                return self.intern(TPtr(to, name))
            case TRecord(key):
                return self.intern(TRecord(key, name))
        return number

    # layouts

    def layout(self, key: str) -> Layout | None:
        """The layout of a record that is complete, else None."""
        known = self.layouts.get(key)
        if known is not None and known.size >= 0:
            return known
        given = self.kernel.get(key)
        if given is None:
            return None
        numbers = _Imported(self, given.types)
        members = [
            Member(f.name, numbers.number(f.type), f.offset, f.width) for f in given.fields
        ]
        made = Layout(
            key, given.union, given.file, given.line, given.size, given.align, members
        )
        self.layouts[key] = made
        return made

    def part(self, key: str, at: int) -> tuple[str, int] | None:
        layout = self.layout(key)
        if layout is None or at >= len(layout.members):
            return None
        member = layout.members[at]
        return member.name or f"@{at}", member.type

    def size(self, type_id: TypeId, types: Sequence[Type]) -> int:
        """Bytes; LayoutError for a type that has no size."""
        match types[type_id]:
            case TInt(bits) | TFloat(bits):
                return bits // 8
            case TPtr():
                return self.pointer_bits // 8
            case TArray(of, count) if count >= 0:
                return count * self.size(of, types)
            case TArray():
                raise LayoutError("an array of unknown length has no size")
            case TRecord(key):
                layout = self.layout(key)
                if layout is None:
                    raise LayoutError(f"{key} is not defined here")
                return layout.size
            case TFunc():
                raise LayoutError("a function has no size")
        raise LayoutError("void has no size")

    def align(self, type_id: TypeId, types: Sequence[Type]) -> int:
        match types[type_id]:
            case TArray(of):
                return self.align(of, types)
            case TRecord(key):
                layout = self.layout(key)
                if layout is None:
                    raise LayoutError(f"{key} is not defined here")
                return layout.align
        return self.size(type_id, types)

    def complete(self, layout: Layout, members: Sequence[tuple[str, int]]) -> None:
        """Lay out the members, in order."""
        at, align, size = 0, 1, 0
        for number, (name, type_) in enumerate(members):
            shape = self.types[type_]
            flexible = isinstance(shape, TArray) and shape.count < 0
            if flexible and (number != len(members) - 1 or not number or layout.union):
                raise LayoutError(f"only the last of several members may be {name}[]")
            step = self.align(type_, self.types)
            bytes_ = 0 if flexible else self.size(type_, self.types)
            at = 0 if layout.union else -(-at // step) * step
            layout.members.append(Member(name, type_, at * 8))
            at += bytes_
            size, align = max(size, at), max(align, step)
        layout.align = align
        layout.size = -(-size // align) * align

    def find(self, key: str, name: str) -> tuple[str, Member] | None:
        """A member, also of anonymous members: the record that declares it, and
        where it is from the start of ``key``."""
        layout = self.layout(key)
        for member in layout.members if layout is not None else ():
            if member.name == name:
                return key, member
            inner = self.types[member.type]
            if not member.name and isinstance(inner, TRecord):
                found = self.find(inner.key, name)
                if found is not None:
                    owner, deep = found
                    offset = deep.offset + member.offset
                    return owner, Member(name, deep.type, offset, deep.width)
        return None

    def record_def(self, layout: Layout) -> RecordDef:
        table = Table(self)
        fields = tuple(
            FieldDef(m.name, table.local(m.type), m.offset, m.width) for m in layout.members
        )
        tag = layout.key.partition(" ")[2]
        return RecordDef(
            layout.key, "" if tag.startswith("@") else tag, layout.union, layout.file,
            layout.line, layout.size, layout.align, fields, tuple(table.types),
        )  # fmt: skip


class _Imported:
    """Numbers of the types of a record that clang laid out.

    In a stored layout ``_Bool`` is an unsigned byte; it is told by the name of
    the kernel's typedef, ``bool``.
    """

    def __init__(self, world: World, types: Sequence[Type]) -> None:
        self.world = world
        self.types = types

    def number(self, type_id: TypeId) -> int:
        type_ = self.types[type_id]
        match type_:
            case TPtr(to, name):
                type_ = TPtr(self.number(to), name)
            case TArray(of, count):
                type_ = TArray(self.number(of), count)
            case TFunc(ret, params, variadic):
                type_ = TFunc(self.number(ret), tuple(map(self.number, params)), variadic)
        is_bool = isinstance(type_, TInt) and type_.bits == 8 and type_.name == "bool"
        return self.world.intern(type_, is_bool)


def same(a: TypeId, b: TypeId, table: Interner | Table) -> bool:
    """Whether two types are compatible; typedef names do not matter."""
    if a == b:
        return True
    x, y = table.types[a], table.types[b]
    match x, y:
        case TInt(), TInt():
            alike = (x.bits, x.signed) == (y.bits, y.signed)
            return alike and (a in table.bools) == (b in table.bools)
        case TPtr(), TPtr():
            return same(x.to, y.to, table)
        case TArray(), TArray():
            return same(x.of, y.of, table) and (x.count == y.count or -1 in (x.count, y.count))
        case TRecord(), TRecord():
            return x.key == y.key
        case TFunc(), TFunc():
            return (
                same(x.ret, y.ret, table)
                and len(x.params) == len(y.params)
                and x.variadic == y.variadic
                and all(same(p, q, table) for p, q in zip(x.params, y.params, strict=True))
            )
        case TVoid(), TVoid():
            return True
    return False
