# SPDX-License-Identifier: GPL-2.0-or-later
"""What a lowered function mentions."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from ctxlint.ir.ops import Func
from ctxlint.ir.unit import Function


def symbols(item: object) -> Iterator[str]:
    """Symbols of the function designators in any part of the IR."""
    if type(item) is Func:
        yield item.symbol
    elif isinstance(item, tuple):
        for part in item:
            yield from symbols(part)
    elif isinstance(item, msgspec.Struct):
        for name in item.__struct_fields__:
            value = getattr(item, name)
            if isinstance(value, tuple | msgspec.Struct):
                yield from symbols(value)


def is_inline_symbol(symbol: str) -> bool:
    """Whether a symbol is that of a function with its body in a header."""
    file, separator, _ = symbol.partition("::")
    return bool(separator) and not file.endswith(".c")


def inline_refs(function: Function) -> tuple[str, ...]:
    """The header functions that ``function`` refers to, sorted: what ``known``
    answers for it in :func:`ctxlint.frontend.lower_unit`."""
    return tuple(sorted({s for s in symbols(function.blocks) if is_inline_symbol(s)}))
