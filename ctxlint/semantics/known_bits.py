# SPDX-License-Identifier: GPL-2.0-or-later
"""What is known of a value that is not a number: single bits, or a few numbers.

Flag words are tested and put together bit by bit (``gfp & __GFP_DIRECT_RECLAIM``,
``atomic ? GFP_ATOMIC : GFP_KERNEL``), so a requirement can be certain of a word that is
not known as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ctxlint.semantics.terms import (
    Bin,
    Const,
    Func,
    KnownBits,
    Lookup,
    Param,
    PreemptWord,
    Result,
    Select,
    Term,
    Un,
    Value,
    evaluate,
    leaves,
    truth,
    walk,
)

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
    if type(value) is KnownBits:
        return value.ones, value.zeros
    if type(value) is Bin and value.op in ("&", "|"):
        (a, na), (b, nb) = bits(value.a, lookup), bits(value.b, lookup)
        return (a & b, na | nb) if value.op == "&" else (a | b, na & nb)
    if type(value) is Select:
        (a, na), (b, nb) = bits(value.a, lookup), bits(value.b, lookup)
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
    if type(value) is Select:
        chosen = truth(value.cond, lookup)
        if chosen is None and PreemptWord in leaves(value.cond):
            return None  # it asks whether this is atomic, and is right as far as is known
        both = (value.a, value.b)
        arms = both if chosen is None else (value.a if chosen else value.b,)
        parts = [_alternatives(arm, lookup) for arm in arms]
        found: frozenset[int] = frozenset()
        for part in parts:
            if part is None:
                return None
            found |= part
    elif type(value) is Bin:
        left, right = _alternatives(value.a, lookup), _alternatives(value.b, lookup)
        if left is None or right is None:
            return None
        numbers = [
            evaluate(Bin(value.op, Const(a), Const(b), value.bits, value.signed), lookup)
            for a in left
            for b in right
        ]
        if None in numbers:
            return None
        found = frozenset(n for n in numbers if n is not None)
    else:
        return None
    return found if len(found) <= ALTERNATIVES_MAX else None


def refined(value: Value, known: dict[Term, tuple[int, int]]) -> Value:
    """A value with the bits that tests of it have shown; see :func:`shown_bits`."""
    if value is None or value not in known:
        return value
    ones, zeros = known[value]
    if zeros:
        value = Bin("&", value, Const(~zeros & _WORD))
    return Bin("|", value, Const(ones)) if ones else value


def shown_bits(facts: dict[Term, int | bool]) -> dict[Term, tuple[int, int]]:
    """Bits that are known of values by facts about ``value & mask``."""
    found: dict[Term, tuple[int, int]] = {}
    for term, fact in facts.items():
        if type(term) is not Bin or term.op != "&" or type(term.b) is not Const:
            continue
        if term.a is None:
            continue
        mask = term.b.number & _WORD
        ones, zeros = found.get(term.a, NOTHING)
        if fact is True:
            ones |= mask if mask & (mask - 1) == 0 else 0
        else:
            ones, zeros = ones | (int(fact) & mask), zeros | (mask & ~int(fact))
        found[term.a] = (ones, zeros)
    return {value: pair for value, pair in found.items() if pair != NOTHING}


def one_of(a: Value, b: Value, fresh: Result) -> Term:
    """A value that is one of the constants (numbers, functions), or of the words made of
    parameters, that two others are, by a condition of which nothing is known; ``fresh`` when
    there are too many, or when one of the two is something else. The same words always give
    the same value."""
    left, right = _words(a), _words(b)
    if left is None or right is None or len(left | right) > ALTERNATIVES_MAX:
        return fresh
    first, *others = sorted(left | right, key=_order)
    value: Term = first
    for number, other in enumerate(others):
        # The condition is the name itself, so what forgets the name forgets this too.
        condition = Result(f"{fresh.op}?{number}") if number else fresh
        value = Select(condition, other, value)
    return value


def _order(word: Term) -> tuple[int, str, int]:
    """Functions before numbers before others."""
    if isinstance(word, Func):
        return 0, word.symbol, 0
    return (1, "", word.number) if isinstance(word, Const) else (2, repr(word), 0)


def _words(value: Value) -> frozenset[Term] | None:
    if type(value) is Const or type(value) is Func or type(value) is Param:
        return frozenset((value,))
    if type(value) is Select and type(value.cond) is Result:
        yes, no = _words(value.a), _words(value.b)
        return None if yes is None or no is None else yes | no
    if type(value) is Bin and value.op in _WORD_OPERATORS:
        parts = list(walk(value))
        if len(parts) <= _WORD_MAX and all(type(part) in _WORD_PARTS for part in parts):
            return frozenset((value,))
    return None


_WORD_OPERATORS = ("|", "&")
_WORD_PARTS: frozenset[type] = frozenset({Bin, Un, Const, Param})
_WORD_MAX = 7
"""Terms in a word of flags, of which a few are set and cleared."""
