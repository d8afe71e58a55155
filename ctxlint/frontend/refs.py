# SPDX-License-Identifier: GPL-2.0-or-later
"""Which header functions a lowered function mentions."""

from __future__ import annotations

from ctxlint.ir.unit import Function
from ctxlint.ir.walk import function_refs


def is_inline_symbol(symbol: str) -> bool:
    """Whether a symbol is that of a function with its body in a header."""
    file, separator, _ = symbol.partition("::")
    return bool(separator) and not file.endswith(".c")


def inline_refs(function: Function) -> tuple[str, ...]:
    """The header functions that ``function`` refers to, sorted: what ``known``
    answers for it in :func:`ctxlint.frontend.lower_unit`."""
    return tuple(sorted(filter(is_inline_symbol, function_refs(function))))
