# SPDX-License-Identifier: GPL-2.0-or-later
"""The linked program: lowered units and model functions, with an address for everything.

An image is made once and shared by all executions. Functions, variables and string
literals get their addresses when they are first asked for. Each variable begins on a
page of its own, so that pages can be made one variable at a time and a small overrun
meets nothing. Per-CPU variables live in a region of their own; CPU ``n`` has its copy
:data:`PERCPU_STRIDE` bytes times ``n + 1`` further.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from ctxlint.ir import ops
from ctxlint.ir.types import RecordDef, TArray, TFloat, TFunc, TInt, TPtr, TRecord, Type, TypeId
from ctxlint.ir.unit import EnumDef, Function, GlobalVar, HeaderFunction, Unit
from ctxlint.simulator.memory import PAGE
from ctxlint.simulator.unknowns import divide, remainder

TEXT = 0xFFFF_8000_1000_0000
RODATA = 0xFFFF_8000_4000_0000
DATA = 0xFFFF_8000_5000_0000
PERCPU = 0xFFFF_8001_0000_0000
PERCPU_STRIDE = 1 << 28
TEXT_STEP = 0x1000
"""Bytes of address space a function gets; places inside are made up."""

MODEL_FILES = "rules/models/"
"""What the names of model functions' files begin with."""

_PERCPU_SECTION = "section=.data..percpu"


class ImageError(Exception):
    """Something in the IR that the model cannot represent; the text says what."""


@dataclass
class Placed:
    """A variable with its address. ``init`` is None when it is not defined in the
    image (another unit's), ``writable`` is False for constants and literals."""

    symbol: str
    address: int
    size: int
    type: Type
    types: tuple[Type, ...]
    percpu: bool = False
    init: bytes | None = None
    variable: GlobalVar | None = None


@dataclass
class Image:
    """See the module. ``overrides`` are model functions by plain name: they stand in
    for functions of headers and for those without a body, never for one of a .c file."""

    functions: dict[str, Function] = field(default_factory=dict)
    variables: dict[str, GlobalVar] = field(default_factory=dict)
    records: dict[str, RecordDef] = field(default_factory=dict)
    enums: dict[str, int] = field(default_factory=dict)
    overrides: dict[str, Function] = field(default_factory=dict)
    pointer_bytes: int = 8
    with_errors: set[str] = field(default_factory=set)
    """Files that the compiler understood only in part."""
    beyond: Callable[[str], bool] | None = None
    """Functions that are not entered although there is a body: a rule tells."""
    uses: dict[str, tuple[dict[str, int], set[str]]] = field(default_factory=dict)
    """By file: how often functions are called, and those whose address is taken
    (``simulator/runtime/trace.py`` fills it)."""

    _text: dict[str, int] = field(default_factory=dict)
    _at_text: dict[int, str] = field(default_factory=dict)
    _placed: dict[str, Placed] = field(default_factory=dict)
    _pages: dict[int, Placed] = field(default_factory=dict)
    _strings: dict[bytes, int] = field(default_factory=dict)
    _next_data: int = DATA
    _next_percpu: int = PERCPU
    _next_rodata: int = RODATA

    def add_unit(self, unit: Unit) -> None:
        if unit.errors:
            self.with_errors.add(unit.file)
        for fn in (*unit.functions, *unit.new_inlines):
            self.add_function(fn)
        for variable in unit.globals:
            self.add_variable(variable)
        self.add_records(unit.records)
        self.add_enums(unit.enums)

    def add_function(self, fn: Function) -> None:
        """As the linker does: a strong definition beats a weak one."""
        old = self.functions.get(fn.symbol)
        if old is None or ("weak" in old.attrs and "weak" not in fn.attrs):
            self.functions[fn.symbol] = fn

    def add_variable(self, variable: GlobalVar) -> None:
        old = self.variables.get(variable.symbol)
        if old is None or old.init is None or "weak" in old.attrs:
            if old is not None and old.init is not None and variable.init is None:
                return
            self.variables[variable.symbol] = variable

    def add_records(self, records: Iterable[RecordDef]) -> None:
        for record in records:
            old = self.records.get(record.key)
            if old is None or old.size <= 0:
                self.records[record.key] = record

    def add_enums(self, enums: Iterable[EnumDef]) -> None:
        for enum in enums:
            self.enums.update(enum.values)

    def override(self, functions: Iterable[Function]) -> None:
        for fn in functions:
            self.functions.setdefault(fn.symbol, fn)
            if "::" not in fn.symbol:
                self.overrides[fn.name] = fn

    def resolve(self, symbol: str) -> Function | None:
        """The function that a call of ``symbol`` runs."""
        name = symbol.rpartition("::")[2]
        file = symbol.rpartition("::")[0]
        own = self.functions.get(symbol)
        if self.beyond is not None and self.beyond(symbol):
            return None
        if name in self.overrides and (
            own is None or file.endswith(".h") or own is self.overrides[name]
        ):
            return self.overrides[name]
        if own is not None:
            alias = next((a[6:] for a in own.attrs if a.startswith("alias=")), "")
            if alias and not own.blocks[0].ops and alias in self.functions:
                return self.functions[alias]
        return own

    # sizes

    def size_of(self, type_: Type, types: tuple[Type, ...]) -> int:
        match type_:
            case TInt(bits) | TFloat(bits):
                return bits // 8
            case TPtr():
                return self.pointer_bytes
            case TArray(of, count):
                return max(count, 0) * self.size_of(types[of], types)
            case TRecord(key):
                record = self.records.get(key)
                if record is None:
                    raise ImageError(f"the layout of {key} is not known")
                return record.size
            case TFunc():
                return 1
        return 1  # void, as the compiler has it

    # addresses

    def text_of(self, symbol: str) -> int:
        address = self._text.get(symbol)
        if address is None:
            address = TEXT + TEXT_STEP * (len(self._text) + 1)
            self._text[symbol] = address
            self._at_text[address] = symbol
        return address

    def function_at(self, address: int) -> str | None:
        """The symbol whose address this is."""
        return self._at_text.get(address)

    def string_at(self, data: bytes) -> int:
        """The address of a literal (``data`` without its NUL)."""
        address = self._strings.get(data)
        if address is None:
            address = self._next_rodata
            size = len(data) + 1
            self._next_rodata += (size + PAGE - 1) // PAGE * PAGE
            placed = Placed(
                '"' + data[:40].decode("utf-8", "replace") + '"',
                address, size, TArray(0, size), (TInt(8, False),), init=data + b"\0",
            )  # fmt: skip
            self._register(placed)
            self._strings[data] = address
        return address

    def place(self, symbol: str, type_: Type, types: tuple[Type, ...]) -> Placed:
        """Where a variable is; ``type_`` is what a use of it says, for one that the
        image does not define."""
        placed = self._placed.get(symbol)
        if placed is not None:
            return placed
        variable = self.variables.get(symbol)
        if variable is not None:
            type_, types = variable.types[variable.type], variable.types
        percpu = variable is not None and any(
            a.startswith(_PERCPU_SECTION) for a in variable.attrs
        )
        try:
            size = max(self.size_of(type_, types), 1)
        except ImageError:
            size = PAGE
        if isinstance(type_, TArray) and type_.count < 0:
            size = PAGE
        room = (size + PAGE - 1) // PAGE * PAGE
        if percpu:
            address, self._next_percpu = self._next_percpu, self._next_percpu + room
        else:
            address, self._next_data = self._next_data, self._next_data + room
        placed = Placed(symbol, address, size, type_, types, percpu, variable=variable)
        self._placed[symbol] = placed
        self._register(placed)
        return placed

    def place_percpu(self, size: int) -> int:
        """Room for a dynamic per-CPU object: the address to add a CPU's offset to."""
        address = self._next_percpu
        self._next_percpu += (size + PAGE - 1) // PAGE * PAGE
        return address

    def _register(self, placed: Placed) -> None:
        for number in range(
            placed.address // PAGE, (placed.address + placed.size - 1) // PAGE + 1
        ):
            self._pages[number] = placed

    def placed_at(self, number: int) -> Placed | None:
        """The variable or literal on a page (of CPU-independent number)."""
        return self._pages.get(number)

    def placed(self, symbol: str) -> Placed | None:
        return self._placed.get(symbol)

    # contents

    def initial(self, placed: Placed) -> bytes | None:
        """The bytes at start-up; None when another unit defines it."""
        if placed.init is None and placed.variable is not None:
            variable = placed.variable
            out = bytearray(placed.size)
            if variable.init is not None:
                Initialiser(self, variable.types, variable.symbol).put(
                    out, 0, variable.types[variable.type], variable.init
                )
            placed.init = bytes(out)
        return placed.init


class Initialiser:
    """Evaluates constant initialisers into bytes; ``symbol`` is the variable's."""

    def __init__(self, image: Image, types: tuple[Type, ...], symbol: str = "") -> None:
        self.image = image
        self.types = types
        self.symbol = symbol

    def put(self, out: bytearray, at: int, type_: Type, e: ops.Expr) -> None:
        image, types = self.image, self.types
        if isinstance(e, ops.Agg):
            if isinstance(type_, TArray):
                step = image.size_of(types[type_.of], types)
                for index, item in e.items:
                    end = at + (int(index) + 1) * step
                    if end > len(out):  # a flexible member's elements
                        out.extend(bytes(end - len(out)))
                    self.put(out, at + int(index) * step, types[type_.of], item)
            elif isinstance(type_, TRecord):
                for name, item in e.items:
                    self._member(out, at, image.records[type_.key], str(name), item)
            return
        if isinstance(e, ops.Str) and isinstance(type_, TArray):
            data = e.data if type_.count < 0 else e.data[: type_.count]
            if at + len(data) > len(out):
                out.extend(bytes(at + len(data) - len(out)))
            out[at : at + len(data)] = data
            return
        if isinstance(type_, TRecord | TArray):
            raise ImageError(f"an initialiser of {type(e).__name__}")
        size = image.size_of(type_, types)
        out[at : at + size] = (self.value(e) & ((1 << 8 * size) - 1)).to_bytes(size, "little")

    def _member(
        self, out: bytearray, at: int, record: RecordDef, name: str, item: ops.Expr
    ) -> None:
        found = find_member(self.image, record, name)
        if found is None:
            raise ImageError(f"{record.key} has no member {name!r}")
        offset, width, type_, types = found
        if width:
            # Of a packed record, one can lie across units of its type.
            start, shift = divmod(offset, 8)
            end = start + (shift + width + 7) // 8
            mask = ((1 << width) - 1) << shift
            word = int.from_bytes(out[at + start : at + end], "little") & ~mask
            word |= (self.value(item) << shift) & mask
            out[at + start : at + end] = word.to_bytes(end - start, "little")
            return
        if isinstance(item, ops.Agg):
            self.put(out, at + offset // 8, self.types[item.type], item)
        elif isinstance(item, ops.Str):
            self.put(out, at + offset // 8, type_, item)
        else:
            size = self.image.size_of(type_, types)
            start = at + offset // 8
            word = self.value(item) & ((1 << 8 * size) - 1)
            out[start : start + size] = word.to_bytes(size, "little")

    def value(self, e: ops.Expr) -> int:
        """A constant as a number; addresses are those of the image."""
        match e:
            case ops.Const(value):
                return value
            case ops.Func(symbol):
                return self.image.text_of(symbol)
            case ops.Str(data):
                return self.image.string_at(data)
            case ops.Addr(lvalue):
                return self.address(lvalue)
            case ops.LabelAddr(block):
                return self.image.text_of(self._function()) + 1 + block
            case ops.Cast(inner, type_id):
                return wrap(self.value(inner), self.types[type_id], self.image.pointer_bytes)
            case ops.Un(op, inner, type_id):
                value = self.value(inner)
                result = {"-": -value, "~": ~value, "!": int(not value)}[op]
                return wrap(result, self.types[type_id], self.image.pointer_bytes)
            case ops.Select(cond, a, b):
                return self.value(a if self.value(cond) else b)
            case ops.Bin():
                return self._binary(e)
            case ops.Global(symbol, type_id):
                placed = self.image.place(symbol, self.types[type_id], self.types)
                init = self.image.initial(placed)
                if init is not None:
                    return int.from_bytes(init[: min(placed.size, 8)], "little")
        raise ImageError(f"not a constant: {type(e).__name__}")

    def _function(self) -> str:
        """The symbol of the function that the variable belongs to."""
        file, _, inner = self.symbol.rpartition("::")
        name = inner.partition(".")[0]
        own = f"{file}::{name}"
        return own if own in self.image.functions else name

    def address(self, e: ops.Expr) -> int:
        match e:
            case ops.Global(symbol, type_id):
                return self.image.place(symbol, self.types[type_id], self.types).address
            case ops.Func(symbol):
                return self.image.text_of(symbol)
            case ops.Str(data):
                return self.image.string_at(data)
            case ops.Field(base, _, _, offset):
                return self.address(base) + offset // 8
            case ops.Index(base, index, type_id):
                step = self.image.size_of(self.types[type_id], self.types)
                return self.address(base) + self.value(index) * step
            case ops.Deref(ptr):
                return self.value(ptr)
            case ops.Agg(_, type_id):
                return self._anonymous(e, self.types[type_id])
        raise ImageError(f"not a constant address: {type(e).__name__}")

    def _anonymous(self, e: ops.Agg, type_: Type) -> int:
        """A compound literal at file scope: an object without a name."""
        size = self.image.size_of(type_, self.types)
        out = bytearray(size)
        self.put(out, 0, type_, e)
        symbol = f"(literal {self.image._next_data:#x})"
        placed = self.image.place(symbol, TArray(0, len(out)), (TInt(8, False),))
        placed.init = bytes(out)
        return placed.address

    def _binary(self, e: ops.Bin) -> int:
        a: Any
        b: Any
        a, b = self.value(e.a), self.value(e.b)
        type_ = self.types[e.type]
        if isinstance(type_, TPtr):
            step = self.image.size_of(self.types[type_.to], self.types)
            b *= step
        table: dict[str, Callable[[], Any]] = {
            "+": lambda: a + b, "-": lambda: a - b, "*": lambda: a * b,
            "&": lambda: a & b, "|": lambda: a | b, "^": lambda: a ^ b,
            "<<": lambda: a << b, ">>": lambda: a >> b,
            "/": lambda: divide(a, b), "%": lambda: remainder(a, b),
            "==": lambda: int(a == b), "!=": lambda: int(a != b),
            "<": lambda: int(a < b), ">": lambda: int(a > b),
            "<=": lambda: int(a <= b), ">=": lambda: int(a >= b),
            "&&": lambda: int(bool(a and b)), "||": lambda: int(bool(a or b)),
        }  # fmt: skip
        return wrap(table[e.op](), type_, self.image.pointer_bytes)


def find_member(
    image: Image, record: RecordDef, name: str
) -> tuple[int, int, Type, tuple[Type, ...]] | None:
    """Offset and width in bits, type and its table, of a member; through anonymous
    members, and by position (``"#2"``) where the initialiser names none."""
    for member in record.fields:
        if member.name == name:
            return member.offset, member.width, record.types[member.type], record.types
    for member in record.fields:
        inner = record.types[member.type]
        if not member.name and isinstance(inner, TRecord) and inner.key in image.records:
            found = find_member(image, image.records[inner.key], name)
            if found is not None:
                return member.offset + found[0], *found[1:]
    return None


def wrap(value: int, type_: Type, pointer_bytes: int = 8) -> int:
    """``value`` reduced to the range of an integer or pointer type."""
    if isinstance(type_, TInt):
        value &= (1 << type_.bits) - 1
        if type_.signed and value >> (type_.bits - 1):
            value -= 1 << type_.bits
        return value
    if isinstance(type_, TPtr):
        return value & ((1 << 8 * pointer_bytes) - 1)
    return value


def _renamed(unit: Unit, keys: Mapping[str, str]) -> Unit:
    """A unit with other keys for records whose tag means something else elsewhere."""

    def types(table: tuple[Type, ...]) -> tuple[Type, ...]:
        return tuple(
            TRecord(keys.get(t.key, t.key), t.name) if isinstance(t, TRecord) else t
            for t in table
        )

    replace = msgspec.structs.replace
    return replace(
        unit,
        functions=tuple(replace(f, types=types(f.types)) for f in unit.functions),
        new_inlines=tuple(replace(f, types=types(f.types)) for f in unit.new_inlines),
        globals=tuple(replace(g, types=types(g.types)) for g in unit.globals),
        records=tuple(
            replace(r, key=keys.get(r.key, r.key), types=types(r.types)) for r in unit.records
        ),
    )


def link(units: Iterable[Unit], headers: Iterable[HeaderFunction]) -> Image:
    """One image of the units of a profile and the header functions they reach."""
    image = Image()
    units = list(units)
    places: dict[str, set[str]] = {}
    for unit in units:
        for record in unit.records:
            places.setdefault(record.key, set()).add(record.file)
    shared = {key for key, files in places.items() if len(files) > 1}
    for unit in units:
        mine = {r.key: f"{r.key} of {r.file}" for r in unit.records if r.key in shared}
        image.add_unit(_renamed(unit, mine) if mine else unit)
    for header in headers:
        image.add_function(header.function)
        image.add_records(header.records)
    return image


__all__ = [
    "DATA", "PERCPU", "PERCPU_STRIDE", "RODATA", "TEXT", "Image", "ImageError", "Initialiser",
    "Placed", "TypeId", "find_member", "link", "wrap",
]  # fmt: skip
