# SPDX-License-Identifier: GPL-2.0-or-later
"""Functions that compilers define themselves and that the IR shows as calls.

Those of the C library (``__builtin_memcpy``) run the image's function of the plain name
where there is one, a model function say, because a compiler calls it too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ctxlint.simulator.unknowns import WIDTH, Sym, Value, bounds

if TYPE_CHECKING:
    from ctxlint.simulator.machine import Machine

Builtin = Callable[..., Any]

OVERFLOW: dict[str, Callable[[Any, Any], Any]] = {
    "__builtin_add_overflow": lambda a, b: a + b,
    "__builtin_sub_overflow": lambda a, b: a - b,
    "__builtin_mul_overflow": lambda a, b: a * b,
}
"""They need the type of their result: compiled code adds its bits and signedness."""
BUILTINS: dict[str, Builtin] = {}


def _overflow(operate: Callable[[Any, Any], Any]) -> Builtin:
    def call(m: Machine, a: Value, b: Value, to: Value, bits: int, signed: bool) -> Value:
        exact: Any = operate(a, b)
        if isinstance(exact, Sym):
            low, high = bounds(exact)
            if max(abs(low), abs(high)) >> (WIDTH - 2):  # more than the solver's terms hold
                exact = operate(int(a), int(b))
        wrapped = exact & ((1 << bits) - 1)
        m.mem.store(to, (bits + 7) // 8, wrapped)
        if signed:
            sign = 1 << (bits - 1)
            wrapped = (wrapped ^ sign) - sign
        overflows: Value = +(exact != wrapped)
        return overflows

    return call


for _name, _operate in OVERFLOW.items():
    BUILTINS[_name] = _overflow(_operate)


def _magnitude(m: Machine, value: Value) -> Value:
    return -value if value < 0 else value


def _same_signs(bits: int) -> Builtin:
    """How many bits behind the first one are as it is."""

    def call(m: Machine, value: Value) -> int:
        value = int(value)
        return bits - 1 - (~value if value < 0 else value).bit_length()

    return call


for _suffix, _bits in (("", 32), ("l", 64), ("ll", 64)):
    BUILTINS[f"__builtin_{_suffix}abs"] = _magnitude
    BUILTINS[f"__builtin_clrsb{_suffix}"] = _same_signs(_bits)


def _library(function: Builtin) -> None:
    name = function.__name__.strip("_")

    def call(m: Machine, *args: Any) -> Any:
        if m.image.resolve(name) is not None:
            return m.call(name, *args)
        return function(m, *args)

    BUILTINS[f"__builtin_{name}"] = call


@_library
def _memcpy(m: Machine, to: Value, start: Value, size: Value) -> Value:
    m.mem.write(to, m.mem.read(start, int(size)))
    return to


@_library
def _memmove(m: Machine, to: Value, start: Value, size: Value) -> Value:
    m.mem.write(to, m.mem.read(start, int(size)))
    return to


@_library
def _memset(m: Machine, to: Value, byte: Value, size: Value) -> Value:
    if isinstance(byte, Sym):
        for i in range(int(size)):
            m.mem.store(to + i, 1, byte)
    else:
        m.mem.fill(to, byte, int(size))
    return to


@_library
def _memcmp(m: Machine, a: Value, b: Value, size: Value) -> int:
    for i in range(int(size)):
        one, two = m.mem.load(a + i, 1), m.mem.load(b + i, 1)
        if one != two:
            return -1 if one < two else 1
    return 0


@_library
def _strlen(m: Machine, text: Value) -> int:
    length = 0
    while m.mem.load(text + length, 1):
        length += 1
    return length


@_library
def _strcmp(m: Machine, a: Value, b: Value) -> int:
    i = 0
    while True:
        one, two = m.mem.load(a + i, 1), m.mem.load(b + i, 1)
        if one != two:
            return -1 if one < two else 1
        if not one:
            return 0
        i += 1


__all__ = ["BUILTINS", "OVERFLOW"]
