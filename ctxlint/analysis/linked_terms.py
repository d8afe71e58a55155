# SPDX-License-Identifier: GPL-2.0-or-later
"""Terms of several functions next to each other: they say of which function they speak."""

from __future__ import annotations

from ctxlint.semantics.terms import (
    Addr,
    Agg,
    Bin,
    Func,
    Local,
    Node,
    Param,
    Result,
    Select,
    Un,
    Value,
    rebuilt,
    walk,
)


def is_private(symbol: str) -> bool:
    """Whether a symbol is static in a .c file (``FILE::NAME``), so that only that file can
    name it."""
    return symbol.rpartition("::")[0].endswith(".c")


def framed(value: Value, symbol: str) -> Value:
    """A value whose parameters, locals and results say of which function they are."""
    if value is None:
        return None
    if type(value) is Param:
        return value if value.of else Param(value.index, symbol)
    if type(value) is Result:
        return value if value.of else Result(value.op, symbol)
    if type(value) is Local:
        return value if value.of else Local(value.slot, symbol)
    return rebuilt(value, lambda part: framed(part, symbol))


def functions_in(value: Value, found: set[str]) -> None:
    """Add to ``found`` the symbols of the functions that a value can be."""
    if type(value) is Func:
        found.add(value.symbol)
    elif value is not None and type(value) in _HOLDING:
        for part in value.parts():
            functions_in(part, found)


_HOLDING: frozenset[type[Node]] = frozenset({Select, Agg, Addr, Bin, Un})


def results_in(value: Value) -> set[str]:
    """Calls whose results occur in a value."""
    return {term.op for term in walk(value) if type(term) is Result}
