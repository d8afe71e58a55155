# SPDX-License-Identifier: GPL-2.0-or-later
"""What is known of a value that is not a number: single bits, or a few numbers.

Flag words are tested and put together bit by bit (``gfp & __GFP_DIRECT_RECLAIM``,
``atomic ? GFP_ATOMIC : GFP_KERNEL``), so a requirement can be certain of a word that is
not known as a whole. ``("bits", ones, zeros)`` is a value with these bits known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ctxlint.semantics.terms import Lookup, Value, evaluate, leaves, truth

ALTERNATIVES_MAX = 4
"""Numbers that a value may be; with more of them it is not known."""

_WORD = (1 << 64) - 1


@dataclass(frozen=True, eq=False, slots=True)
class Bits:
    """Bits that are set, and bits that are clear; of the others nothing is known.

    As an operand of a rule's condition: what does not depend on the others has a
    value, all else is None.
    """

    ones: int
    zeros: int

    def __and__(self, mask: int) -> int | None:
        """The masked word; with some of its bits open, those that are known to be set
        when there are any, as a condition asks whether it is zero."""
        if mask & _WORD & ~(self.ones | self.zeros):
            return self.ones & mask or None
        return self.ones & mask

    __rand__ = __and__

    def __eq__(self, other: Any) -> Any:
        differs = self.ones & ~other or self.zeros & other
        return False if differs else None

    def __ne__(self, other: Any) -> Any:
        return None if self.__eq__(other) is None else True

    def __hash__(self) -> int:
        return hash((self.ones, self.zeros))

    def _unknown(self, _other: Any) -> Any:
        return None

    __add__ = __sub__ = __mul__ = __or__ = __xor__ = _unknown
    __radd__ = __rsub__ = __rmul__ = __ror__ = __rxor__ = _unknown
    __lt__ = __le__ = __gt__ = __ge__ = __lshift__ = __rshift__ = _unknown


NOTHING = (0, 0)


def bits(value: Value, lookup: Lookup) -> tuple[int, int]:
    """Bits of a value that are set, and that are clear."""
    if value is None:
        return NOTHING
    number = evaluate(value, lookup)
    if number is not None:
        return number & _WORD, ~number & _WORD
    kind = value[0]
    if kind == "bits":
        return value[1], value[2]
    if kind == "b" and value[1] in ("&", "|"):
        (a, na), (b, nb) = bits(value[2], lookup), bits(value[3], lookup)
        return (a & b, na | nb) if value[1] == "&" else (a | b, na & nb)
    if kind == "?":
        (a, na), (b, nb) = bits(value[2], lookup), bits(value[3], lookup)
        return a & b, na & nb
    return NOTHING


def alternatives(value: Value, lookup: Lookup) -> tuple[int, ...]:
    """The numbers that a value can be, in order; empty when it can be any."""
    return tuple(sorted(_alternatives(value, lookup) or ()))


def _alternatives(value: Value, lookup: Lookup) -> frozenset[int] | None:
    if value is None:
        return None
    number = evaluate(value, lookup)
    if number is not None:
        return frozenset((number,))
    if value[0] == "?":
        chosen = truth(value[1], lookup)
        if chosen is None and "pc" in leaves(value[1]):
            return None  # it asks whether this is atomic, and is right as far as is known
        arms = value[2:] if chosen is None else (value[2 if chosen else 3],)
        parts = [_alternatives(arm, lookup) for arm in arms]
        found: frozenset[int] = frozenset()
        for part in parts:
            if part is None:
                return None
            found |= part
    elif value[0] == "b":
        left, right = _alternatives(value[2], lookup), _alternatives(value[3], lookup)
        if left is None or right is None:
            return None
        numbers = [
            evaluate(("b", value[1], ("k", a), ("k", b)), lookup) for a in left for b in right
        ]
        if None in numbers:
            return None
        found = frozenset(n for n in numbers if n is not None)
    else:
        return None
    return found if len(found) <= ALTERNATIVES_MAX else None


def refined(value: Value, known: dict[Value, tuple[int, int]]) -> Value:
    """A value with the bits that tests of it have shown; see :func:`shown_bits`."""
    if value is None or value not in known:
        return value
    ones, zeros = known[value]
    if zeros:
        value = ("b", "&", value, ("k", ~zeros & _WORD))
    return ("b", "|", value, ("k", ones)) if ones else value


def shown_bits(facts: dict[Value, int | bool]) -> dict[Value, tuple[int, int]]:
    """Bits that are known of values by facts about ``value & mask``."""
    found: dict[Value, tuple[int, int]] = {}
    for term, fact in facts.items():
        if term[0] != "b" or term[1] != "&" or term[3] is None or term[3][0] != "k":
            continue
        mask = term[3][1] & _WORD
        ones, zeros = found.get(term[2], NOTHING)
        if fact is True:
            ones |= mask if mask & (mask - 1) == 0 else 0
        else:
            ones, zeros = ones | (int(fact) & mask), zeros | (mask & ~int(fact))
        found[term[2]] = (ones, zeros)
    return {value: pair for value, pair in found.items() if pair != NOTHING}


def one_of(a: Value, b: Value, fresh: Value) -> Value:
    """A value that is one of the constants (numbers, functions) that two others are, by a
    condition of which nothing is known; ``fresh`` when there are too many, or when one of
    the two is no constant. The same constants always give the same value."""
    left, right = _constants(a), _constants(b)
    if left is None or right is None or len(left | right) > ALTERNATIVES_MAX:
        return fresh
    first, *others = sorted(left | right)
    value: Value = first
    for number, other in enumerate(others):
        # The condition is the name itself, so what forgets the name forgets this too.
        condition = ("v", f"{fresh[1]}?{number}") if number else fresh
        value = ("?", condition, other, value)
    return value


def _constants(value: Value) -> frozenset[Value] | None:
    if value is None:
        return None
    if value[0] in ("k", "f"):
        return frozenset((value,))
    if value[0] == "?" and value[1] is not None and value[1][0] == "v":
        yes, no = _constants(value[2]), _constants(value[3])
        return None if yes is None or no is None else yes | no
    return None
