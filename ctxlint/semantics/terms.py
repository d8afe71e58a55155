# SPDX-License-Identifier: GPL-2.0-or-later
"""Symbolic values: small immutable trees, the same in memory and in the store.

A *term* is one of the classes below; a *value* is a term, or None where nothing is known.
Parts of a term may be None as well: ``(*unknown).lock`` still says which member it is.
They are msgspec structs: they are made and compared in C, decode from the store as what
they are, and hold no cycles, so the garbage collector need not look at them.

Two terms may share a subterm, but all walks, comparisons and hashes take them for trees; so
what builds a term from others goes through :func:`bounded`, and no term has more than
:data:`NODES_MAX` nodes. A new class is added to :data:`Term` and to :func:`rebuilt`; all
else that goes through terms is made of :meth:`Node.parts` and of that.
"""

from __future__ import annotations

import operator
import zlib
from collections.abc import Callable, Iterator
from functools import lru_cache

import msgspec

from ctxlint.semantics.irqs import Irqs
from ctxlint.semantics.objects import Obj

NODES_MAX = 128
"""Nodes of a term, counted as a tree. ``x ^= x << 1`` doubles the tree of x; a condition
that somebody wrote has less than fifty."""


class Node(msgspec.Struct, frozen=True, array_like=True, gc=False, tag_field="node"):
    """What all terms are."""

    def parts(self) -> tuple[Value, ...]:
        """The terms that this one is made of."""
        return ()


class Const(Node, frozen=True, tag="k"):
    """An integer."""

    number: int


class Param(Node, frozen=True, tag="p"):
    """A parameter, as it was at entry. ``of`` is its function, ``""`` where only one is
    spoken of."""

    index: int
    of: str = ""


class Func(Node, frozen=True, tag="f"):
    """A function: its address."""

    symbol: str


class Global(Node, frozen=True, tag="g"):
    """A global variable: the place, or what is in it."""

    symbol: str


class Local(Node, frozen=True, tag="l"):
    """A local variable, as a place. ``of`` as in :class:`Param`."""

    slot: int
    of: str = ""


class Result(Node, frozen=True, tag="v"):
    """What an operation gave, which is otherwise unknown. ``of`` as in :class:`Param`."""

    op: str
    of: str = ""


class At(Node, frozen=True, tag="o"):
    """An object of the linked program, as a place."""

    obj: Obj


class Addr(Node, frozen=True, tag="&"):
    """The address of a place."""

    place: Term

    def parts(self) -> tuple[Value, ...]:
        """The place."""
        return (self.place,)


class Deref(Node, frozen=True, tag="*"):
    """What a pointer points to."""

    pointer: Value

    def parts(self) -> tuple[Value, ...]:
        """The pointer."""
        return (self.pointer,)


class Field(Node, frozen=True, tag="."):
    """A member of the object ``base``, which is a ``record``."""

    base: Value
    record: str
    name: str

    @property
    def member(self) -> tuple[str, str]:
        """Record and member."""
        return self.record, self.name

    def parts(self) -> tuple[Value, ...]:
        """The object."""
        return (self.base,)


class Index(Node, frozen=True, tag="[]"):
    """An element of the array ``base``."""

    base: Value
    index: Value

    def parts(self) -> tuple[Value, ...]:
        """The array, then the index."""
        return self.base, self.index


class Bin(Node, frozen=True, tag="b"):
    """A binary operation. ``bits`` and ``signed`` are the type of the result where it may
    leave that type's range (see :func:`result_type`); ``bits`` is 0 elsewhere."""

    op: str
    a: Value
    b: Value
    bits: int = 0
    signed: bool = False

    def parts(self) -> tuple[Value, ...]:
        """Both operands."""
        return self.a, self.b


class Un(Node, frozen=True, tag="u"):
    """A unary operation, with a type as in :class:`Bin`."""

    op: str
    e: Value
    bits: int = 0
    signed: bool = False

    def parts(self) -> tuple[Value, ...]:
        """The operand."""
        return (self.e,)


class Select(Node, frozen=True, tag="?"):
    """``cond ? a : b``."""

    cond: Value
    a: Value
    b: Value

    def parts(self) -> tuple[Value, ...]:
        """The condition, then both choices."""
        return self.cond, self.a, self.b


class PreemptWord(Node, frozen=True, tag="pc"):
    """The word that counts what forbids preemption, with what was added since entry."""

    pre: int
    bh: int


class SavedFlags(Node, frozen=True, tag="fl"):
    """A saved interrupt state."""

    irqs: Irqs


class IrqsOff(Node, frozen=True, tag="io"):
    """Whether interrupts were off at entry."""


class KnownBits(Node, frozen=True, tag="bits"):
    """A word of which some bits are known to be set, and some to be clear."""

    ones: int
    zeros: int


class Once(Node, frozen=True, tag="once"):
    """What one volatile read of a place gave. ``read`` names the read where its value is kept
    in a variable, ``""`` where each mention is a read of its own."""

    place: Term
    read: str = ""

    def parts(self) -> tuple[Value, ...]:
        """The place that was read."""
        return (self.place,)


class Agg(Node, frozen=True, tag="agg"):
    """A structure by value: the members of a record that are known."""

    record: str
    members: tuple[tuple[str, Value], ...]

    def parts(self) -> tuple[Value, ...]:
        """The values of the members."""
        return tuple(value for _, value in self.members)


Term = (
    Const | Param | Func | Global | Local | Result | At | Addr | Deref | Field | Index | Bin
    | Un | Select | PreemptWord | SavedFlags | IrqsOff | KnownBits | Once | Agg
)  # fmt: skip
Value = Term | None
Lookup = Callable[[Term], "int | None"]

ZERO = Const(0)
SOMETHING = Result("?")
"""A value, or a place, of which nothing is known, where a term has to stand."""

_INT_MIN, _INT_MAX = -(1 << 63), (1 << 64) - 1
"""What the store can hold, and more than any comparison of a driver needs."""

_ARITH: dict[str, Callable[[int, int], int]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "&": operator.and_,
    "|": operator.or_, "^": operator.xor,
    "<<": operator.lshift, ">>": operator.rshift,
    "==": lambda a, b: int(a == b), "!=": lambda a, b: int(a != b),
    "<": lambda a, b: int(a < b), "<=": lambda a, b: int(a <= b),
    ">": lambda a, b: int(a > b), ">=": lambda a, b: int(a >= b),
    "&&": lambda a, b: int(bool(a) and bool(b)), "||": lambda a, b: int(bool(a) or bool(b)),
}  # fmt: skip

_LEAVING = frozenset({"+", "-", "*", "/", "<<", "~"})
"""Operators whose result may leave the range of its type."""


# -- walking -------------------------------------------------------------------


def walk(value: Value) -> Iterator[Term]:
    """A term and all that it is made of."""
    stack = [value]
    while stack:
        term = stack.pop()
        if term is not None:
            yield term
            stack += term.parts()


def rebuilt(term: Term, part: Callable[[Value], Value]) -> Value:
    """A term with its parts replaced; None for what is said of a place that is not known."""
    if type(term) is Field:
        return Field(part(term.base), term.record, term.name)
    if type(term) is Deref:
        return Deref(part(term.pointer))
    if type(term) is Addr:
        place = part(term.place)
        return None if place is None else Addr(place)
    if type(term) is Bin:
        return Bin(term.op, part(term.a), part(term.b), term.bits, term.signed)
    if type(term) is Un:
        return Un(term.op, part(term.e), term.bits, term.signed)
    if type(term) is Index:
        return Index(part(term.base), part(term.index))
    if type(term) is Select:
        return Select(part(term.cond), part(term.a), part(term.b))
    if type(term) is Agg:
        return Agg(term.record, tuple((name, part(v)) for name, v in term.members))
    if type(term) is Once:
        place = part(term.place)
        return None if place is None else Once(place, term.read)
    return term


def bounded(value: Value) -> Value:
    """The value, or None (not known) when it is too large to be worked with.

    Parts of it that were built before are themselves bounded, so this takes a bounded
    time too.
    """
    left = NODES_MAX
    stack = [value]
    while stack:
        term = stack.pop()
        if term is not None:
            left -= 1
            if left < 0:
                return None
            stack += term.parts()
    return value


def mentions(value: Value, needle: Term) -> bool:
    """Whether a term is, or has among its parts, another one."""
    kind = type(needle)
    return any(type(term) is kind and term == needle for term in walk(value))


@lru_cache(maxsize=1 << 17)
def names_of(value: Value) -> frozenset[Result | Local | Once]:
    """The results, local variables and reads that a term is, or has among its parts."""
    return frozenset(term for term in walk(value) if isinstance(term, Result | Local | Once))


@lru_cache(maxsize=1 << 15)
def as_read(value: Value, read: str) -> Value:
    """The value with the volatile reads in it named, as it is kept from here on."""

    def put(term: Value) -> Value:
        if term is None:
            return None
        if type(term) is Once:
            return term if term.read else Once(term.place, read)
        return rebuilt(term, put) if term.parts() else term

    return put(value) if any(type(term) is Once for term in walk(value)) else value


def params(value: Value) -> set[int]:
    """Indices of the parameters that a value depends on."""
    return {term.index for term in walk(value) if type(term) is Param}


def globals_of(value: Value) -> set[str]:
    """Symbols of the global variables in a value."""
    return {term.symbol for term in walk(value) if type(term) is Global}


def leaves(value: Value) -> set[type[Node]]:
    """What a value comes from: the classes of its terms, without operations."""
    found: set[type[Node]] = {type(term) for term in walk(value)}
    return found - _OPERATIONS


_OPERATIONS: frozenset[type[Node]] = frozenset({Bin, Un, Select, Once, Agg})
_ENTRY: frozenset[type[Node]] = frozenset({Param, PreemptWord, SavedFlags, IrqsOff})
_ENTRY_VALUE = _ENTRY | {Const, Func}
_ENTRY_MEMORY: frozenset[type[Node]] = frozenset({Param, Const, Field, Deref})


def on_entry_memory(value: Value) -> bool:
    """True when the value is read from memory that a parameter leads to."""
    found = leaves(value)
    return Param in found and found <= _ENTRY_MEMORY


def depends_on_entry(value: Value, variables: frozenset[str] = frozenset()) -> bool:
    """True when the value is a function of parameters and execution context;
    ``variables`` are global variables that count as context (system_state)."""
    found = leaves(value)
    if Global in found and variables and globals_of(value) <= variables:
        found = (found - {Global}) | {IrqsOff}
    if found & {PreemptWord, IrqsOff}:
        return True  # what else is in it may not be known, and need not be
    return bool(found & _ENTRY) and found <= _ENTRY_VALUE


def substitute(
    value: Value, args: tuple[Value, ...], of: str = "", *, partial: bool = False
) -> Value:
    """Replace the parameters of a function by the caller's values.

    None when an operation's operand is not known then (with ``partial`` that stays a part
    that is not known), and when the term grows beyond all bounds.
    """

    def put(term: Value) -> Value:
        if term is None:
            return None
        if type(term) is Param:
            if term.of != of:
                return term
            return args[term.index] if term.index < len(args) else None
        new = rebuilt(term, put)
        if new is term or new is None:
            return new
        if type(new) is Deref and type(new.pointer) is Addr:
            return new.pointer.place
        if type(new) is Index and new.base is None:
            return None
        if not partial and type(new) in _NEED_PARTS and None in new.parts():
            return None
        return new

    new = put(value)
    return new if new is value else bounded(new)


_NEED_PARTS: frozenset[type[Node]] = frozenset({Bin, Un, Select, Index, Field})
"""Terms that say nothing without one of their parts."""


# -- evaluation ----------------------------------------------------------------


def result_type(op: str, bits: int, signed: bool) -> tuple[int, bool]:
    """Width and signedness to wrap the result of an operator at; (0, False) where that
    does not matter."""
    return (bits, signed) if op in _LEAVING else (0, False)


def wrapped(number: int, bits: int, signed: bool) -> int | None:
    """A number in the range of an integer type, as the machine wraps it (the kernel is
    compiled with -fno-strict-overflow); None when it does not fit into 64 bits."""
    number &= (1 << bits) - 1
    if signed and number >> (bits - 1):
        number -= 1 << bits
    return number if _INT_MIN <= number <= _INT_MAX else None


def evaluate(value: Value, lookup: Lookup) -> int | None:
    """Three-valued evaluation: an integer, or None when it is not known.

    ``lookup`` answers for leaves and for whole subterms (facts about them).
    """
    if value is None:
        return None
    if type(value) is Const:
        return value.number
    known = lookup(value)
    if known is not None:
        return known
    if type(value) is Bin:
        a, b = value.a, value.b
        if value.op == "&" and type(a) is KnownBits:
            mask = evaluate(b, lookup)
            if mask is not None and not mask & _INT_MAX & ~(a.ones | a.zeros):
                return a.ones & mask
        if (_somewhere(a) or _somewhere(b)) and a != b and ZERO not in (a, b):
            return None
        return _binary(value, evaluate(a, lookup), evaluate(b, lookup))
    if type(value) is Un:
        inner = evaluate(value.e, lookup)
        if inner is None:
            return None
        if value.op == "!":
            return int(not inner)
        return _fitting(-inner if value.op == "-" else ~inner, value.bits, value.signed)
    if type(value) is Select:
        cond = evaluate(value.cond, lookup)
        if cond is None:
            yes, no = evaluate(value.a, lookup), evaluate(value.b, lookup)
            return yes if yes == no else None
        return evaluate(value.a if cond else value.b, lookup)
    if type(value) is Func:
        return address(value.symbol)
    if type(value) is Addr:
        place = value.place
        # Else: not null, and no more than that.
        return address(place.symbol) if type(place) is Global else 1
    return None


def _somewhere(value: Value) -> bool:
    """An address that is known not to be null, but not to differ from others."""
    return type(value) is Addr and type(value.place) is not Global


def truth(value: Value, lookup: Lookup) -> bool | None:
    """Whether a value is non-zero, as far as that is known: ``x | 1`` is, for
    any x."""
    if value is None:
        return None
    if type(value) is Un and value.op == "!":
        inner = truth(value.e, lookup)
        return None if inner is None else not inner
    if type(value) is Bin:
        op, a, b = value.op, value.a, value.b
        if op in ("==", "!=") and b == ZERO:
            inner = truth(a, lookup)
            if inner is not None:
                return inner if op == "!=" else not inner
        if op in ("|", "||"):
            left, right = truth(a, lookup), truth(b, lookup)
            if left or right:
                return True
            return False if left is False and right is False else None
        if op == "&&":
            left, right = truth(a, lookup), truth(b, lookup)
            if left is False or right is False:
                return False
            return True if left and right else None
    number = evaluate(value, lookup)
    return None if number is None else bool(number)


def address(symbol: str) -> int:
    """A number that stands for the address of a variable or function in
    comparisons."""
    return (1 << 63) | zlib.crc32(symbol.encode())


def nothing(_: Term) -> int | None:
    """A lookup that knows of no term."""
    return None


def _fitting(number: int, bits: int, signed: bool) -> int | None:
    if bits:
        return wrapped(number, bits, signed)
    return number if _INT_MIN <= number <= _INT_MAX else None


def _binary(term: Bin, a: int | None, b: int | None) -> int | None:
    op = term.op
    if a is not None and b is not None:
        if op in ("/", "%"):
            if b == 0:
                return None
            quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
            number = quotient if op == "/" else a - quotient * b
            return _fitting(number, term.bits, term.signed)
        if op in ("<<", ">>") and not 0 <= b < 64:
            return None  # of 128 bits, or not defined
        fn = _ARITH.get(op)
        return _fitting(fn(a, b), term.bits, term.signed) if fn else None
    if op in ("&", "*", "&&") and 0 in (a, b):
        return 0
    if op == "||" and (a or b):
        return 1
    return None


# -- questions -----------------------------------------------------------------


def place_of(value: Value) -> Field | None:
    """The member that a condition is about: itself, or compared with a number."""
    if isinstance(value, Bin) and isinstance(value.b, Const):
        value = value.a
    return value if isinstance(value, Field) and value.base != ZERO else None


def is_number(value: Value) -> bool:
    """Whether a value is a constant."""
    return type(value) is Const
