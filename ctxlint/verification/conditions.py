# SPDX-License-Identifier: GPL-2.0-or-later
"""What a path needs, in the words of the source."""

from __future__ import annotations

from ctxlint.ir import ops
from ctxlint.ir.types import TPtr, TRecord, Type
from ctxlint.ir.unit import Function
from ctxlint.simulator.memory import PAGE
from ctxlint.simulator.unknowns import Sym, leaves, text
from ctxlint.verification.execution import LOWEST, Path
from ctxlint.verification.externals import FIRST

IDLE = "whether the task is idle"
"""An unknown of the start that no report shows."""


def taken_for(fn: Function, slot: int) -> tuple[str, Type] | None:
    """The variable that a pointer parameter without a type is copied to, and the record
    that this one points to."""
    for block in fn.blocks:
        for op in block.ops:
            if not isinstance(op, ops.Assign) or not isinstance(op.dst, ops.Var):
                continue
            source = op.src
            while isinstance(source, ops.Cast):
                source = source.e
            var = fn.vars[op.dst.slot]
            type_ = fn.types[var.type]
            if source == ops.Var(slot) and isinstance(type_, TPtr) and var.name:
                target = fn.types[type_.to]
                if isinstance(target, TRecord):
                    return var.name, target
    return None


def values_of(path: Path, functions: frozenset[str]) -> tuple[str, ...]:
    """What has to hold in the functions of the way: numbers of simple unknowns, else
    conditions. What other functions decided on their own account is left out."""
    model = path.condition.model(path.pointers)
    shown: dict[str, None] = {}
    for taken in path.taken:
        if taken.function not in functions:
            continue
        found = list({id(leaf): leaf for leaf in leaves(taken.value)}.values())
        if len(found) == 1 and found[0].name in model:
            if found[0].name.partition("#")[0] not in (IDLE, FIRST):
                shown |= dict.fromkeys(_value(path, found[0], model[found[0].name]))
        else:
            word = "" if taken.truth else " is false"
            shown[f"{text(taken.value)}{word} ({taken.place})"] = None
    return tuple(shown)


def _value(path: Path, leaf: Sym, number: int) -> list[str]:
    """An unknown and its number, as the source would have it."""
    assert path.m is not None
    if id(leaf) in path.pointers:
        symbol = path.m.image.function_at(number)
        placed = path.m.image.placed_at(number // PAGE)
        if symbol is not None:
            return [f"{leaf.name} = {symbol.rpartition('::')[2]}"]
        if placed is not None and placed.address == number:
            return [f"{leaf.name} = &{placed.symbol.rpartition('::')[2]}"]
        if number == 0:
            return [f"{leaf.name} = NULL"]
        if number >= LOWEST:
            plain = number % 8 == 0
            return [f"{leaf.name} != NULL" if plain else f"{leaf.name} = {number:#x}"]
    fields = path.bit_fields.get(id(leaf), ())
    parts = [(name, number >> shift & (1 << width) - 1) for name, shift, width in fields]
    if parts:
        return [f"{name} = {part}" for name, part in parts if part] or [
            f"{name} = 0" for name, _ in parts
        ]
    word = str(number) if -4096 < number < 4096 else hex(number)
    return [f"{leaf.name} = {word}"]


__all__ = ["IDLE", "taken_for", "values_of"]
