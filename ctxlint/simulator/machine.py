# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine that runs compiled functions: memory, a call stack, fuel, and *primitives*.

Primitives are the Python functions behind the model functions of ``rules/models/*.c``;
their names begin with ``model_`` and each is registered once (:func:`primitive`). What
the machine calls and finds no body for is handed to its :class:`Externals`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from ctxlint.ir import ops
from ctxlint.ir.types import TFunc, TInt, TPtr, TRecord, TVoid, Type
from ctxlint.ir.unit import Function, Loc
from ctxlint.simulator.builtins import BUILTINS
from ctxlint.simulator.code import Callee, Code, Frame, Meta
from ctxlint.simulator.image import PERCPU, PERCPU_STRIDE, Image
from ctxlint.simulator.memory import PAGE, Blob, Memory, Object, Page
from ctxlint.simulator.outcome import OutOfFuel, Unmodelled
from ctxlint.simulator.unknowns import Sym, Value

STACK = 0xFFFF_8200_0000_0000
"""Behind the per-CPU copies of all CPUs there can be."""
STACK_SIZE = 1 << 20
FUEL = 2_000_000

Primitive = Callable[..., Any]
_PRIMITIVES: dict[str, Primitive] = {}


def primitive(function: Primitive) -> Primitive:
    """Register ``model_NAME``; it is called with the machine and the C arguments."""
    if function.__name__ in _PRIMITIVES:
        raise TypeError(f"two primitives are called {function.__name__}")
    _PRIMITIVES[function.__name__] = function
    return function


def primitives() -> dict[str, Primitive]:
    """All primitives by name."""
    return dict(_PRIMITIVES)


class Externals(Protocol):
    """What lies beyond the image: functions without a body, assembly, variables that
    another unit defines (with ``fills``: all variables)."""

    fills: bool

    def function(
        self, m: Machine, symbol: str, returns: Type | None, args: tuple[Any, ...]
    ) -> Any: ...

    def pointer(
        self, m: Machine, target: Any, meta: Meta, site: int, args: tuple[Any, ...]
    ) -> Any: ...

    def assembly(
        self, m: Machine, frame: Frame, op: ops.Asm, ends: bool, outs: Any, ins: Any
    ) -> Any: ...

    def variable_page(self, m: Machine, symbol: str, number: int) -> Page | None: ...


class StrictExternals:
    """Nothing beyond the image is known: meeting it ends the run as unmodelled."""

    fills = False

    def function(
        self, m: Machine, symbol: str, returns: Type | None, args: tuple[Any, ...]
    ) -> Any:
        raise Unmodelled(symbol.rpartition("::")[2])

    def pointer(
        self, m: Machine, target: Any, meta: Meta, site: int, args: tuple[Any, ...]
    ) -> Any:
        raise Unmodelled(f"a call through {target!r}", f"in {meta.name}()")

    def assembly(
        self, m: Machine, frame: Frame, op: ops.Asm, ends: bool, outs: Any, ins: Any
    ) -> Any:
        raise Unmodelled(f"assembly {op.template}", f"in {frame.meta.name}()")

    def variable_page(self, m: Machine, symbol: str, number: int) -> Page | None:
        raise Unmodelled(f"variable {symbol}")


class Machine:
    """One execution. Not shared between threads; cheap to make.

    ``stack``, ``sp`` and ``varargs`` are those of the running task: a scheduler
    exchanges them.
    """

    def __init__(
        self, code: Code, outside: Externals | None = None, *, fuel: int = FUEL
    ) -> None:
        self.code = code
        self.image: Image = code.image
        self.mem = Memory()
        self.outside: Externals = outside or StrictExternals()
        self.fuel = fuel
        self.stack: list[Frame] = []
        self.varargs: list[tuple[Any, ...]] = []
        self.va_lists: dict[int, list[Any]] = {}
        self.sp = STACK + STACK_SIZE
        self.runtime: Any = None
        """State of the kernel's runtime (``model/runtime``)."""
        mem = self.mem
        self.l1, self.l4, self.l8, self.load = mem.l1, mem.l4, mem.l8, mem.load
        self.s4, self.s8, self.store = mem.s4, mem.s8, mem.store
        self.read, self.write = mem.read, mem.write
        mem.back(STACK, STACK + (1 << 32), lambda number: bytearray(PAGE))
        mem.back(0xFFFF_8000_4000_0000, PERCPU, self._variable)
        mem.back(PERCPU, STACK, self._percpu)

    # memory of the image

    def _variable(self, number: int) -> Page | None:
        placed = self.image.placed_at(number)
        if placed is None:
            return None
        init = self.image.initial(placed)
        obj = self.mem.object_at(placed.address)
        if obj is None or obj.base != placed.address:
            kind = "literal" if placed.symbol.startswith('"') else "global"
            key = placed.type.key if isinstance(placed.type, TRecord) else ""
            self.mem.add_object(Object(placed.address, placed.size, placed.symbol, kind, key))
        if init is None or (self.outside.fills and placed.variable is not None):
            return self.outside.variable_page(self, placed.symbol, number)
        start = (number - placed.address // PAGE) * PAGE
        return bytearray(init[start : start + PAGE].ljust(PAGE, b"\0"))

    def _percpu(self, number: int) -> Page | None:
        stride = PERCPU_STRIDE // PAGE
        base = PERCPU // PAGE
        cpu, local = divmod(number - base, stride)
        if self.runtime is not None and cpu > len(self.runtime.cpus):
            return None
        placed = self.image.placed_at(base + local)
        if placed is None:
            return bytearray(PAGE)  # dynamic
        init = self.image.initial(placed)
        address = number * PAGE - (local * PAGE - (placed.address - PERCPU))
        if placed.size:
            name = f"{placed.symbol} of CPU{cpu - 1}"
            self.mem.add_object(Object(address, placed.size, name, "percpu"))
        if init is None or self.outside.fills:
            return self.outside.variable_page(self, placed.symbol, number)
        start = (base + local - placed.address // PAGE) * PAGE
        return bytearray(init[start : start + PAGE].ljust(PAGE, b"\0"))

    # what compiled code calls

    def load_volatile(self, address: Any, size: int, declared: bool) -> Any:
        """A read of a volatile place. ``declared``: it always is."""
        return self.load(address, size)

    def enter(self, size: int) -> int:
        """Room for a function's variables in memory, cleared; their address."""
        self.sp -= size
        self.mem.write(self.sp, bytes(size))
        return self.sp

    def leave(self, size: int) -> None:
        self.sp += size

    def literal(self, blob: Blob, size: int) -> int:
        """A compound literal's object: lives as long as the run."""
        self.sp -= (size + 15) // 16 * 16
        self.mem.write(self.sp, blob)
        return self.sp

    def set_bits(
        self, address: Value, length: int, shift: int, width: int, value: Value
    ) -> None:
        """Store into a bit-field."""
        mask = ((1 << width) - 1) << shift
        word = self.mem.load(address, length)
        whole = (1 << 8 * length) - 1
        new = (word & (whole & ~mask)) | ((value << shift) & mask)
        self.mem.store(address, length, new)

    def call_through(self, target: Any, meta: Meta, site: int, *args: Any) -> Any:
        """A call by pointer."""
        if target.__class__ is int:
            symbol = self.image.function_at(target)
            if symbol is not None:
                return self.call(symbol, *args)
        return self.outside.pointer(self, target, meta, site, args)

    def leaf(self, symbol: str, returns: Type | None) -> Callee:
        """What is called for a symbol without a body, by any machine of the image."""
        name = symbol.rpartition("::")[2]
        found = _PRIMITIVES.get(name) or _BUILTINS.get(name) or BUILTINS.get(name)
        if found is not None:
            return found

        def outside(m: Machine, *args: Any) -> Any:
            return m.outside.function(m, symbol, returns, args)

        return outside

    def assembly(self, frame: Frame, number: int, outs: Any, ins: Any) -> Any:
        op, ends = frame.meta.asms[number]
        return self.outside.assembly(self, frame, op, ends, outs, ins)

    def took(self, frame: Frame, block: int) -> None:
        """A branch of a traced function goes to ``block``."""

    def unreachable(self, frame: Frame) -> None:
        raise Unmodelled(f"control goes on where it cannot, in {frame.meta.name}()")

    def out_of_fuel(self, frame: Frame) -> None:
        raise OutOfFuel(f"{frame.meta.name}() {self.place(frame)}")

    def cannot(self, fn: Function, why: str) -> Any:
        raise Unmodelled(f"{fn.name}()", why)

    # for those who run it

    def call(self, symbol: str, *args: Any) -> Any:
        """Run a function of the image (or a primitive) by symbol."""
        fn = self.image.resolve(symbol)
        if fn is None:
            return self.leaf(symbol, None)(self, *args)
        callee = self.code.function(fn)
        if not fn.variadic:
            args = args[: fn.nparams]
        return callee(self, *args)

    def address_of(self, symbol: str) -> int:
        """The address of a variable of the image."""
        placed = self.image.placed(symbol)
        if placed is None:
            variable = self.image.variables.get(symbol)
            if variable is None:
                raise Unmodelled(f"variable {symbol}")
            placed = self.image.place(symbol, variable.types[variable.type], variable.types)
        return placed.address

    def percpu(self, symbol: str, cpu: int) -> int:
        """The address of CPU ``cpu``'s copy of a per-CPU variable."""
        return self.address_of(symbol) + self.percpu_offset(cpu)

    @staticmethod
    def percpu_offset(cpu: int) -> int:
        return (cpu + 1) * PERCPU_STRIDE

    def named(self, address: int) -> str:
        """What an address is in, for people: ``variable+0x8``; the address itself when
        nothing is known there."""
        obj = self.mem.object_at(address)
        placed = self.image.placed_at(address // PAGE) if obj is None else None
        if obj is not None:
            base, name = obj.base, obj.name
        elif placed is not None:
            base, name = placed.address, placed.symbol
        else:
            return f"{address:#x}"
        return f"{name}+{address - base:#x}" if address != base else name

    def place(self, frame: Frame) -> str:
        """``file:line`` of where a frame is."""
        loc = self.loc(frame)
        return f"{loc.file}:{loc.line}"

    def loc(self, frame: Frame) -> Loc:
        fn = frame.meta.fn
        if frame.loc < 0:
            return Loc(fn.file, fn.line, fn.col)
        return fn.locs[frame.loc]


def no_value(returns: Type | None) -> bool:
    """Whether a call gives nothing."""
    return returns is None or isinstance(returns, TVoid)


def width_of(type_: Type, pointer_bytes: int) -> tuple[int, bool]:
    """Bits and signedness of a scalar."""
    if isinstance(type_, TInt):
        return type_.bits, type_.signed
    if isinstance(type_, TPtr | TFunc):
        return pointer_bytes * 8, False
    return 64, False


def _int(value: Any) -> int:
    return value if value.__class__ is int else int(value)


# What compilers define themselves; the bits of an argument are in the name.
_BUILTINS: dict[str, Primitive] = {}


def _bits(name: str, bits: int, function: Callable[[int, int], int]) -> None:
    def call(m: Machine, value: Value) -> int:
        return function(_int(value) & ((1 << bits) - 1), bits)

    _BUILTINS[name] = call


for _suffix, _width in (("", 32), ("l", 64), ("ll", 64)):
    _bits(f"__builtin_clz{_suffix}", _width, lambda v, n: n - v.bit_length())
    _bits(f"__builtin_ctz{_suffix}", _width, lambda v, n: (v & -v).bit_length() - 1 if v else n)
    _bits(f"__builtin_ffs{_suffix}", _width, lambda v, n: (v & -v).bit_length())
    _bits(f"__builtin_popcount{_suffix}", _width, lambda v, n: v.bit_count())
    _bits(f"__builtin_parity{_suffix}", _width, lambda v, n: v.bit_count() & 1)
for _size in (16, 32, 64):
    _bits(
        f"__builtin_bswap{_size}",
        _size,
        lambda v, n: int.from_bytes(v.to_bytes(n // 8, "little"), "big"),
    )


def _va_start(m: Machine, place: int) -> None:
    m.va_lists[place] = list(reversed(m.varargs[-1]))


def _va_arg(m: Machine, place: int) -> Any:
    rest = m.va_lists.get(place)
    return rest.pop() if rest else 0


def _va_copy(m: Machine, to: int, place: int) -> None:
    m.va_lists[to] = list(m.va_lists.get(place, ()))


def _return_address(m: Machine, level: int) -> int:
    """Some place in the caller: its address."""
    at = -2 - int(level)
    return m.image.text_of(m.stack[at].meta.fn.symbol) if len(m.stack) >= -at else 0


_BUILTINS["__builtin_return_address"] = _return_address
# A va_list is known by its address; what it holds stays here.
_BUILTINS["__builtin_va_start"] = _va_start
_BUILTINS["__builtin_va_arg"] = _va_arg
_BUILTINS["__builtin_va_copy"] = _va_copy


__all__ = [
    "FUEL",
    "STACK",
    "Externals",
    "Machine",
    "StrictExternals",
    "Sym",
    "no_value",
    "primitive",
    "primitives",
    "width_of",
]  # fmt: skip
