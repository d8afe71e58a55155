# SPDX-License-Identifier: GPL-2.0-or-later
"""Which object a pointer leads to, and what is stored in that object's members.

An object is named by where it lives: ``(root, path)``. The path is the chain of
``(record, member)`` from the outermost structure to the object, so member access
adds to it and ``container_of()`` takes away from it. The root is

``("g", symbol)``       a global variable
``("a", fn, op)``       what one call of an allocator returned
``("l", fn, slot)``     a local variable
``("t", record)``       any object of a record: nothing else is known of it

Pointers are followed through calls, parameters, returned values and members, on
demand. Where anything on the way is not known the answer is None ("open"): any
object of the record. So an answer may hold too much, and never too little of what
the units that were read can store. What is not followed: a store that casts the
pointer to a structure to its first member's type, pointers to pointers, and code
that was not read.
"""

from __future__ import annotations

from ctxlint.semantics.terms import Value

Chain = tuple[tuple[str, str], ...]
Obj = tuple[tuple[str, ...], Chain]
Objs = frozenset[Obj] | None
Member = tuple[str, str]

CHAIN_MAX = 8


def any_of(record: str) -> Obj:
    """The object of which only the record is known."""
    return (("t", record), ())


def is_any(obj: Obj) -> bool:
    """Whether an object is "any object of a record": no variable and no call is named."""
    return obj[0][0] == "t" and not obj[1]


def member(obj: Obj, record: str, name: str) -> Obj:
    """The object that is a member of another."""
    root, chain = obj
    if root[0] == "t" and not chain:
        root = ("t", record)
    return (root, (*chain, (record, name)))


def may_be(a: Obj, b: Obj) -> bool:
    """Whether two names can be the same object."""
    (root_a, chain_a), (root_b, chain_b) = a, b
    any_a, any_b = root_a[0] == "t", root_b[0] == "t"
    if not any_a and not any_b:
        return root_a == root_b and chain_a == chain_b
    if any_a and any_b:
        short, long = sorted((chain_a, chain_b), key=len)
    else:
        # What is known by its type may sit inside of the other, not around it.
        short, long = (chain_a, chain_b) if any_a else (chain_b, chain_a)
        if len(short) > len(long):
            return False
    return not short or long[-len(short) :] == short


def around(obj: Obj, record: str) -> Obj:
    """The enclosing object of a record (``container_of()``)."""
    root, chain = obj
    for depth in range(len(chain) - 1, -1, -1):
        if chain[depth][0] == record:
            if depth == 0 and root[0] == "t":
                return any_of(record)
            return (root, chain[:depth])
    return any_of(record)


def is_private(symbol: str) -> bool:
    """Whether a symbol is static in a .c file (``FILE::NAME``), so that only that file can
    name it."""
    return symbol.rpartition("::")[0].endswith(".c")


def framed(value: Value, symbol: str) -> Value:
    """A value whose parameters, locals and results say of which function they are."""
    if not isinstance(value, tuple) or not value:
        return value
    kind = value[0]
    if kind in ("p", "v", "l"):
        return value if len(value) == 3 else (kind, value[1], symbol)
    if kind in ("k", "f", "g", "pc", "fl", "io", "o"):
        return value
    return tuple(framed(v, symbol) if isinstance(v, tuple) else v for v in value)


def put_in(value: Value, symbol: str, args: tuple[Value, ...]) -> Value:
    """Replace the parameters of one function."""
    if not isinstance(value, tuple) or not value:
        return value
    kind = value[0]
    if kind == "p":
        if value[2] != symbol:
            return value
        return args[value[1]] if value[1] < len(args) else None
    if kind in ("k", "f", "g", "v", "l", "pc", "fl", "io", "o"):
        return value
    parts = tuple(put_in(v, symbol, args) if isinstance(v, tuple) else v for v in value)
    if kind == "*" and parts[1] is not None and parts[1][0] == "&":
        return parts[1][1]
    if kind in ("&", "[]") and parts[1] is None:
        return None
    return parts


def functions_in(value: Value, found: set[str]) -> None:
    """Add to ``found`` the symbols of the functions that a value can be."""
    if isinstance(value, tuple) and value:
        if value[0] == "f":
            found.add(value[1])
        elif value[0] in ("?", "agg", "&", "b", "u"):
            for part in value[1:]:
                if isinstance(part, tuple):
                    for inner in part if value[0] == "agg" else (part,):
                        functions_in(inner[1] if value[0] == "agg" else inner, found)


def results_in(value: Value) -> set[str]:
    """Calls whose results occur in a value."""
    if not isinstance(value, tuple) or not value:
        return set()
    if value[0] == "v":
        return {value[1]}
    out: set[str] = set()
    for part in value[1:]:
        if isinstance(part, tuple):
            out |= results_in(part)
    return out
