# SPDX-License-Identifier: GPL-2.0-or-later
"""Names for bytes of an object, as a kernel developer would write them."""

from __future__ import annotations

from ctxlint.ir.types import RecordDef, TArray, TPtr, TRecord, Type
from ctxlint.simulator.image import Image, ImageError
from ctxlint.simulator.memory import Object

_ELEMENTS = 64  # of an array that get a name each


def member_path(image: Image, obj: Object, offset: int, size: int) -> str:
    """``gic_rdists->has_rvpeid`` for a place in the object that a pointer of that name
    points to; with the offset where the type is not known."""
    arrow = "." if obj.kind == "global" else "->"
    record = image.records.get(obj.type) if obj.type else None
    if record is None:
        return f"{obj.name}[{offset:#x}]" if offset else f"*{obj.name}"
    if not 0 <= offset < record.size:
        return f"{obj.name}[{offset:#x}]"
    return obj.name + arrow + "".join(_within(image, record, offset * 8, size * 8))


def local_name(image: Image, name: str, key: str, offset: int, size: int) -> str:
    """``msg.status`` for bytes of a local variable; ``key`` is its record, if it is one."""
    record = image.records.get(key) if key else None
    if record is None or not 0 <= offset < record.size:
        return f"{name}[{offset:#x}]" if offset else name
    return f"{name}." + "".join(_within(image, record, offset * 8, size * 8))


def scalars(image: Image, key: str) -> list[tuple[int, int]]:
    """Offset and size, bytes, of what a record consists of: its members (the largest of
    a union's), and single bytes between them."""
    record = image.records[key]
    found: dict[int, int] = {}
    _scalars(image, record, 0, found)
    out = []
    at = 0
    while at < record.size:
        size = found.get(at, 1)
        if at + size > record.size:
            size = 1
        out.append((at, size))
        at += size
    return out


def _scalars(image: Image, record: RecordDef, start: int, found: dict[int, int]) -> None:
    for member in record.fields:
        type_: Type = record.types[member.type]
        at = start + member.offset // 8
        try:
            size = image.size_of(type_, record.types)
        except ImageError:
            continue
        count = 1
        if isinstance(type_, TArray):
            count = max(type_.count, 0)
            type_ = record.types[type_.of]
            size = size // count if count else 0
        for index in range(min(count, _ELEMENTS)):
            place = at + index * size
            if isinstance(type_, TRecord) and type_.key in image.records:
                _scalars(image, image.records[type_.key], place, found)
            elif size in (1, 2, 4, 8) and not member.width and place % size == 0:
                found[place] = max(found.get(place, 0), size)


def _within(image: Image, record: RecordDef, offset: int, bits: int) -> list[str]:
    for member in record.fields:
        type_ = record.types[member.type]
        try:
            width = member.width or image.size_of(type_, record.types) * 8
        except ImageError:
            continue
        if not member.offset <= offset < member.offset + max(width, 1):
            continue
        inside = offset - member.offset
        if isinstance(type_, TRecord) and type_.key in image.records:
            inner = _within(image, image.records[type_.key], inside, bits)
            return [member.name, ".", *inner] if member.name else inner
        if isinstance(type_, TArray):
            return [member.name, *_element(image, record, type_, inside, bits)]
        return [member.name]
    return [f"[{offset // 8:#x}]"]


def _element(
    image: Image, record: RecordDef, array: TArray, offset: int, bits: int
) -> list[str]:
    of = record.types[array.of]
    step = image.size_of(of, record.types) * 8
    if not step:
        return []
    index, inside = divmod(offset, step)
    out = [f"[{index}]"]
    if isinstance(of, TRecord) and of.key in image.records:
        out += [".", *_within(image, image.records[of.key], inside, bits)]
    return out


def pointee(image: Image, obj: Object, offset: int) -> str | None:
    """The record that the pointer at a place of the object points to, ``""`` when it
    points to something else; None when that is not a pointer, or not known."""
    record = image.records.get(obj.type) if obj.type else None
    found = None if record is None else _type_at(image, record, offset * 8)
    if found is None:
        return None
    type_, types = found
    if not isinstance(type_, TPtr):
        return None
    target = types[type_.to]
    return target.key if isinstance(target, TRecord) else ""


def bit_fields(image: Image, obj: Object, offset: int, size: int) -> list[tuple[str, int, int]]:
    """Name, shift and width of each bit-field in some bytes of an object."""
    record = image.records.get(obj.type) if obj.type else None
    if record is None:
        return []
    arrow = "." if obj.kind == "global" else "->"
    return [
        (f"{obj.name}{arrow}{member.name}", member.offset - 8 * offset, member.width)
        for member in record.fields
        if member.width
        and member.name
        and 8 * offset <= member.offset
        and member.offset + member.width <= 8 * (offset + size)
    ]


def _type_at(
    image: Image, record: RecordDef, offset: int
) -> tuple[Type, tuple[Type, ...]] | None:
    for member in record.fields:
        type_ = record.types[member.type]
        if member.offset == offset and isinstance(type_, TPtr):
            return type_, record.types
        inside = offset - member.offset
        if isinstance(type_, TRecord) and type_.key in image.records:
            inner = image.records[type_.key]
            if 0 <= inside < inner.size * 8:
                found = _type_at(image, inner, inside)
                if found is not None:
                    return found
        elif isinstance(type_, TArray) and isinstance(record.types[type_.of], TPtr):
            step = 64
            if 0 <= inside < step * max(type_.count, 0) and inside % step == 0:
                return record.types[type_.of], record.types
    return None
