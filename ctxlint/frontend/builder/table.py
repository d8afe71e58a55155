# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables of IR types.

An :class:`Interner` belongs to a translation unit: every type that occurs gets
a number. A :class:`Table` belongs to one function (or global): it renumbers
what that function uses, in order of use, so it does not depend on what else
was lowered. ``_Bool`` has the shape of an unsigned byte and converts as no
byte does, so both keep apart which of their types are it.
"""

from __future__ import annotations

from ctxlint.ir.types import TArray, TFunc, TInt, TPtr, TRecord, TVoid, Type, TypeId


class Interner:
    """The types of one unit. Numbers index :attr:`types`."""

    def __init__(self, pointer_bits: int = 64) -> None:
        self.types: list[Type] = []
        self.bools: set[int] = set()
        self._numbers: dict[Type, int] = {}
        self._bool_numbers: dict[Type, int] = {}
        self.pointer_bits = pointer_bits
        self.void = self.intern(TVoid())
        self.int_ = self.intern(TInt(32, True))

    def intern(self, type_: Type, is_bool: bool = False) -> int:
        numbers = self._bool_numbers if is_bool else self._numbers
        number = numbers.get(type_)
        if number is None:
            number = numbers[type_] = len(self.types)
            self.types.append(type_)
            if is_bool:
                self.bools.add(number)
        return number

    def part(self, key: str, at: int) -> tuple[str, int] | None:
        """Name and type of the ``at``-th member of a record that an initialiser can fill
        (``@N`` for an anonymous record); None behind the last."""
        raise NotImplementedError


class Table:
    """The types that one function uses; local ids in order of first use."""

    def __init__(self, world: Interner) -> None:
        self.world = world
        self.types: list[Type] = []
        self.bools: set[TypeId] = set()
        self._local: dict[int, TypeId] = {}
        self._own: dict[Type, TypeId] = {}

    def local(self, number: int) -> TypeId:
        """The id in this table of a type that the world numbered."""
        local = self._local.get(number)
        if local is not None:
            return local
        type_ = self.world.types[number]
        match type_:
            case TPtr(to, name, volatile):
                type_ = TPtr(self.local(to), name, volatile)
            case TArray(of, count):
                type_ = TArray(self.local(of), count)
            case TFunc(ret, params, variadic):
                type_ = TFunc(self.local(ret), tuple(map(self.local, params)), variadic)
        is_bool = number in self.world.bools
        local = self._local[number] = self._add(type_, is_bool)
        return local

    def _add(self, type_: Type, is_bool: bool) -> TypeId:
        if is_bool:
            self.bools.add(len(self.types))
        else:
            own = self._own.get(type_)
            if own is not None:
                return own
            self._own[type_] = len(self.types)
        self.types.append(type_)
        return len(self.types) - 1

    def intern(self, type_: Type) -> TypeId:
        """A type built here; its parts already are ids of this table."""
        own = self._own.get(type_)
        return self._add(type_, False) if own is None else own

    def record_keys(self) -> set[str]:
        return {t.key for t in self.types if type(t) is TRecord}
