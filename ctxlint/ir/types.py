# SPDX-License-Identifier: GPL-2.0-or-later
"""C types of the IR.

Types are interned in a table (``list[Type]``) that belongs to one function or
one unit; everything else refers to a type by its index (``TypeId``) in that
table, so a function can be stored, moved and read on its own.

Records are named by a *record key*, ``"struct irq_chip"`` or, for a record
without a tag, ``"struct @drivers/irqchip/irq-gic.c:77:2"``. Layouts live in
:class:`RecordDef`, which is stored once per profile.
"""

from __future__ import annotations

import msgspec

TypeId = int


class TVoid(msgspec.Struct, frozen=True, array_like=True, tag_field="node", tag="v"):
    """``void`` (also the type of an expression without a value)."""


class TInt(msgspec.Struct, frozen=True, array_like=True, tag_field="node", tag="i"):
    """An integer, ``_Bool`` or enum type.

    ``bits`` is the storage width; ``name`` is the outermost typedef, or
    ``"enum TAG"``, when there is one (``"gfp_t"``), else ``""``. An lvalue of a
    ``volatile`` type may read as another value each time.
    """

    bits: int
    signed: bool
    name: str = ""
    volatile: bool = False


class TFloat(msgspec.Struct, frozen=True, array_like=True, tag_field="node", tag="f"):
    """A floating-point type of that many bits."""

    bits: int


class TPtr(msgspec.Struct, frozen=True, array_like=True, tag_field="node", tag="p"):
    """``volatile`` is the pointer itself; what it points at says so on its own."""

    to: TypeId
    name: str = ""
    volatile: bool = False


class TArray(msgspec.Struct, frozen=True, array_like=True, tag_field="node", tag="a"):
    """An array; ``count`` is -1 when it is not a constant (flexible, VLA)."""

    of: TypeId
    count: int


class TRecord(msgspec.Struct, frozen=True, array_like=True, tag_field="node", tag="r"):
    """A structure or union by the key of its definition (:class:`RecordDef`); ``name`` is a
    typedef that it was written with."""

    key: str
    name: str = ""


class TFunc(msgspec.Struct, frozen=True, array_like=True, tag_field="node", tag="c"):
    """A function's type; parameters have the types that calls convert arguments to."""

    ret: TypeId
    params: tuple[TypeId, ...]
    variadic: bool = False


Type = TVoid | TInt | TFloat | TPtr | TArray | TRecord | TFunc


class FieldDef(msgspec.Struct, frozen=True, array_like=True):
    """One member. ``name`` is ``""`` for an anonymous struct or union member.

    ``offset`` and ``width`` are in bits; ``width`` is 0 unless the member is a
    bit-field. ``type`` indexes :attr:`RecordDef.types`.
    """

    name: str
    type: TypeId
    offset: int
    width: int = 0


class RecordDef(msgspec.Struct, frozen=True, array_like=True):
    """Layout of a struct or union as clang computed it for the profile."""

    key: str
    tag: str
    union: bool
    file: str
    line: int
    size: int
    align: int
    fields: tuple[FieldDef, ...]
    types: tuple[Type, ...]
