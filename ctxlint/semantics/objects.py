# SPDX-License-Identifier: GPL-2.0-or-later
"""Names of the objects that a linked program has.

An object is named by where it lives: a root, and the chain of ``(record, member)`` from
the outermost structure to the object. So member access adds to the chain and
``container_of()`` takes away from it.
"""

from __future__ import annotations

import msgspec

Member = tuple[str, str]
Chain = tuple[Member, ...]

CHAIN_MAX = 8


class Variable(msgspec.Struct, frozen=True, array_like=True, gc=False, tag="g"):
    """A global variable."""

    symbol: str


class Made(msgspec.Struct, frozen=True, array_like=True, gc=False, tag="a"):
    """What one call of an allocator returned: the calling function, and which operation."""

    function: str
    op: str


class OnStack(msgspec.Struct, frozen=True, array_like=True, gc=False, tag="l"):
    """A local variable of a function."""

    function: str
    slot: int


class AnyOf(msgspec.Struct, frozen=True, array_like=True, gc=False, tag="t"):
    """Any object of a record: nothing else is known of it."""

    record: str


Root = Variable | Made | OnStack | AnyOf


class Obj(msgspec.Struct, frozen=True, array_like=True, gc=False, cache_hash=True):
    """An object, or a member of one."""

    root: Root
    chain: Chain = ()


Objs = frozenset[Obj] | None


def any_of(record: str) -> Obj:
    """The object of which only the record is known."""
    return Obj(AnyOf(record))


def is_any(obj: Obj) -> bool:
    """Whether an object is "any object of a record": no variable and no call is named."""
    return type(obj.root) is AnyOf and not obj.chain


def member(obj: Obj, record: str, name: str) -> Obj:
    """The object that is a member of another."""
    root = AnyOf(record) if is_any(obj) else obj.root
    return Obj(root, (*obj.chain, (record, name)))


def may_be(a: Obj, b: Obj) -> bool:
    """Whether two names can be the same object."""
    any_a, any_b = type(a.root) is AnyOf, type(b.root) is AnyOf
    if not any_a and not any_b:
        return a == b
    if any_a and any_b:
        short, long = sorted((a.chain, b.chain), key=len)
    else:
        # What is known by its type may sit inside of the other, not around it.
        short, long = (a.chain, b.chain) if any_a else (b.chain, a.chain)
        if len(short) > len(long):
            return False
    return not short or long[-len(short) :] == short


def around(obj: Obj, record: str) -> Obj:
    """The enclosing object of a record (``container_of()``)."""
    for depth in range(len(obj.chain) - 1, -1, -1):
        if obj.chain[depth][0] == record:
            if depth == 0 and type(obj.root) is AnyOf:
                return any_of(record)
            return Obj(obj.root, obj.chain[:depth])
    return any_of(record)
