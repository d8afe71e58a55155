# SPDX-License-Identifier: GPL-2.0-or-later
"""Memory: a flat address space of bytes, some of them not known.

Addresses are plain numbers, so everything that C does with pointers just works:
``container_of``, per-CPU offsets, the arithmetic of ``page_to_phys()`` on NULL. Pages
come into being when they are touched, from the first *backing* that covers them.
What lies in a page may be bytes, a device (each access is an event), or bytes of which
some are unknown: those become named symbols when they are read.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from ctxlint.simulator.unknowns import Sym, Value

PAGE = 4096
_SHIFT = 12
_MASK = PAGE - 1
_FROM = int.from_bytes
M64 = (1 << 64) - 1
_ALL = tuple((1 << 8 * size) - 1 for size in range(17))  # by number of bytes


class Fault(Exception):  # noqa: N818 - the hardware's word
    """An access that the hardware would not let pass. ``address`` is a number."""

    def __init__(self, what: str, address: int, size: int, write: bool) -> None:
        super().__init__(f"{what} at {address:#x}")
        self.what = what
        self.address = address
        self.size = size
        self.write = write


class Device(Protocol):
    """Registers: offsets are bytes from where the device is mapped."""

    def read(self, offset: int, size: int) -> Value: ...

    def write(self, offset: int, size: int, value: Any) -> None: ...


class DevicePage:
    __slots__ = ("base", "device")

    def __init__(self, device: Device, base: int) -> None:
        self.device = device
        self.base = base


class SymPage(bytearray):
    """A page with symbols in it: ``syms[offset] = (size, value)``. ``known`` marks
    the bytes that are not to be made up, in a page of an unknown object; ``wrote`` says
    where plain numbers were stored in such a page, and of which size; what is read at an
    offset in ``racy`` is asked for each time (``Memory.racy_read``)."""

    __slots__ = ("known", "namer", "racy", "syms", "wrote")

    syms: dict[int, tuple[int, Value]]
    known: bytearray | None
    namer: Callable[[int, int], Value] | None
    wrote: dict[int, int]
    racy: set[int]


Page = Any
"""``bytearray``, :class:`SymPage` or :class:`DevicePage`."""
Backing = Callable[[int], Page | None]
"""Makes the page of a page number, or None when it is not there."""


@dataclass
class Object:
    """Something with a name and a size; ``kind`` is ``"global"``, ``"heap"``,
    ``"stack"``, ``"percpu"``, ``"unknown"`` or ``"mapping"``. ``type`` is the record
    key of what it holds, ``""`` when that is not known."""

    base: int
    size: int
    name: str
    kind: str
    type: str = ""
    alive: bool = True
    facts: dict[str, object] = field(default_factory=dict)


class Memory:
    """One address space. ``ld*``/``st*`` take any address and give and take values in
    the range of an unsigned integer of that size."""

    def __init__(self) -> None:
        self.pages: dict[int, Page] = {}
        self._backings: list[tuple[int, int, Backing]] = []
        self._objects: dict[int, Object] = {}
        self._bases: list[int] = []
        self.stored: Callable[[int, int, Any], None] | None = None
        """Told of each store into an object of unknown content before it happens
        (address, bytes, value; None for a block)."""
        self.racy_read: Callable[[int, int], None] | None = None
        """Told before a place that others change is read (address, bytes)."""

    # what is where

    def back(self, start: int, end: int, backing: Backing) -> None:
        """Pages of addresses ``start`` to ``end`` come from ``backing``."""
        self._backings.append((start >> _SHIFT, (end + _MASK) >> _SHIFT, backing))

    def map(self, address: int, page: Page) -> None:
        self.pages[address >> _SHIFT] = page

    def unmap(self, address: int) -> None:
        self.pages.pop(address >> _SHIFT, None)

    def add_object(self, obj: Object) -> Object:
        if obj.base not in self._objects:
            at = bisect_right(self._bases, obj.base)
            self._bases.insert(at, obj.base)
        self._objects[obj.base] = obj
        return obj

    def object_at(self, address: int) -> Object | None:
        """The object that the address lies in (or just behind)."""
        at = bisect_right(self._bases, address) - 1
        if at < 0:
            return None
        obj = self._objects[self._bases[at]]
        return obj if address <= obj.base + obj.size else None

    # pages

    def page(self, number: int, address: int, size: int, write: bool) -> Page:
        page = self.pages.get(number)
        if page is None:
            for start, end, backing in self._backings:
                if start <= number < end:
                    page = backing(number)
                    if page is not None:
                        self.pages[number] = page
                        return page
            what = "NULL pointer dereference" if address < 16 * PAGE else "bad address"
            raise Fault(what, address, size, write)
        return page

    # loads

    def load(self, address: Any, size: int) -> Any:
        """The unsigned integer of ``size`` bytes at ``address``."""
        if address.__class__ is not int:
            address = address.decisions.locate(address)
        offset = address & _MASK
        number = address >> _SHIFT
        page = self.pages.get(number)
        if page.__class__ is bytearray and offset + size <= PAGE:
            return _FROM(page[offset : offset + size], "little")
        if page is None:
            page = self.page(number, address, size, False)
        if offset + size > PAGE:
            half = PAGE - offset
            low = self.load(address, half)
            return low | (self.load(address + half, size - half) << (8 * half))
        if page.__class__ is bytearray:
            return _FROM(page[offset : offset + size], "little")
        if isinstance(page, DevicePage):
            return page.device.read(page.base + offset, size)
        if page.racy and offset in page.racy and self.racy_read is not None:
            self.racy_read(address, size)
        return load_sym(page, offset, size)

    def l1(self, address: Any) -> Any:
        try:
            page = self.pages[address >> 12]
            if page.__class__ is bytearray:
                return page[address & 4095]
        except (KeyError, TypeError):
            pass
        return self.load(address, 1)

    def l4(self, address: Any) -> Any:
        try:
            page = self.pages[address >> 12]
            offset = address & 4095
            if page.__class__ is bytearray and offset < 4093:
                return _FROM(page[offset : offset + 4], "little")
        except (KeyError, TypeError):
            pass
        return self.load(address, 4)

    def l8(self, address: Any) -> Any:
        try:
            page = self.pages[address >> 12]
            offset = address & 4095
            if page.__class__ is bytearray and offset < 4089:
                return _FROM(page[offset : offset + 8], "little")
        except (KeyError, TypeError):
            pass
        return self.load(address, 8)

    # stores

    def store(self, address: Any, size: int, value: Any) -> None:
        """Write the low ``size`` bytes of ``value``."""
        if address.__class__ is not int:
            address = address.decisions.locate(address)
        assert isinstance(address, int)
        offset = address & _MASK
        number = address >> _SHIFT
        page = self.pages.get(number)
        if page.__class__ is bytearray and value.__class__ is int and offset + size <= PAGE:
            page[offset : offset + size] = (value & _ALL[size]).to_bytes(size, "little")
            return
        if page is None:
            page = self.page(number, address, size, True)
        if offset + size > PAGE:
            half = PAGE - offset
            self.store(address, half, value & ((1 << 8 * half) - 1))
            self.store(address + half, size - half, value >> (8 * half))
            return
        if isinstance(page, DevicePage):
            page.device.write(page.base + offset, size, value & ((1 << 8 * size) - 1))
            return
        if value.__class__ is not int:
            value = value & ((1 << 8 * size) - 1)
        if page.__class__ is bytearray:
            if value.__class__ is int:
                page[offset : offset + size] = (value & ((1 << 8 * size) - 1)).to_bytes(
                    size, "little"
                )
                return
            # The same bytes may be mapped twice (a device and the kernel see them).
            page = self._symbolic(number, page)
        if page.known is not None and self.stored is not None:
            self.stored(address, size, value)
        put(page, offset, size, value)

    def s4(self, address: Any, value: Any) -> None:
        try:
            page = self.pages[address >> 12]
            offset = address & 4095
            if page.__class__ is bytearray and offset < 4093 and value.__class__ is int:
                page[offset : offset + 4] = (value & 0xFFFFFFFF).to_bytes(4, "little")
                return
        except (KeyError, TypeError):
            pass
        self.store(address, 4, value)

    def s8(self, address: Any, value: Any) -> None:
        try:
            page = self.pages[address >> 12]
            offset = address & 4095
            if page.__class__ is bytearray and offset < 4089 and value.__class__ is int:
                page[offset : offset + 8] = (value & M64).to_bytes(8, "little")
                return
        except (KeyError, TypeError):
            pass
        self.store(address, 8, value)

    def _symbolic(self, number: int, page: Page) -> SymPage:
        assert isinstance(page, bytearray)
        new = sym_page(page)
        for other, held in list(self.pages.items()):
            if held is page:
                self.pages[other] = new
        self.pages[number] = new
        return new

    # blocks

    def read(self, address: Any, size: int) -> Blob:
        """``size`` bytes as a value (a struct)."""
        if address.__class__ is not int:
            address = address.decisions.locate(address)
        assert isinstance(address, int)
        page = self.pages.get(address >> _SHIFT)
        offset = address & _MASK
        if page.__class__ is bytearray and offset + size <= PAGE:
            return Blob(bytes(page[offset : offset + size]))
        parts: list[tuple[int, int, Value]] = []
        data = bytearray(size)
        at = 0
        while at < size:
            here = address + at
            offset = here & _MASK
            step = min(size - at, PAGE - offset)
            page = self.page(here >> _SHIFT, here, step, False)
            if page.__class__ is bytearray:
                data[at : at + step] = page[offset : offset + step]
            elif isinstance(page, DevicePage):
                for i in range(step):
                    parts.append((at + i, 1, page.device.read(page.base + offset + i, 1)))
            else:
                _read_sym(page, offset, step, data, at, parts)
            at += step
        return Blob(bytes(data), tuple(parts))

    def write(self, address: Any, blob: Blob | bytes) -> None:
        data, parts = (blob, ()) if isinstance(blob, bytes) else (blob.data, blob.parts)
        if address.__class__ is not int:
            address = address.decisions.locate(address)
        assert isinstance(address, int)
        page = self.pages.get(address >> _SHIFT)
        offset = address & _MASK
        if page.__class__ is bytearray and not parts and offset + len(data) <= PAGE:
            page[offset : offset + len(data)] = data
            return
        at = 0
        while at < len(data):
            here = address + at
            offset = here & _MASK
            step = min(len(data) - at, PAGE - offset)
            page = self.page(here >> _SHIFT, here, step, True)
            if isinstance(page, DevicePage):
                for i in range(step):
                    page.device.write(page.base + offset + i, 1, data[at + i])
            else:
                if isinstance(page, SymPage):
                    if page.known is not None and self.stored is not None:
                        self.stored(here, step, None)
                    clear(page, offset, step)
                page[offset : offset + step] = data[at : at + step]
            at += step
        for start, size, value in parts:
            self.store(address + start, size, value)

    def fill(self, address: Any, byte: int, size: int) -> None:
        self.write(address, bytes([byte & 255]) * size)

    def lose(self, address: int, size: int) -> None:
        """Forget bytes of an unknown object: the next read makes something up again."""
        page = self.pages.get(address >> _SHIFT)
        if isinstance(page, SymPage) and page.known is not None:
            offset = address & _MASK
            clear(page, offset, min(size, PAGE - offset))
            page.known[offset : offset + size] = bytes(min(size, PAGE - offset))

    def text(self, address: Any, limit: int = 512) -> str:
        """The C string at an address; what is not known in it shows as ``?``."""
        out = bytearray()
        while len(out) < limit:
            byte = self.load(address, 1)
            if byte.__class__ is not int:
                out += b"?"
                break
            if byte == 0:
                break
            out.append(byte)
            address = address + 1
        return out.decode("utf-8", "replace")


@dataclass(slots=True)
class Blob:
    """A struct as a value: bytes, and symbols at ``(offset, size, value)``. Nobody
    changes one (not frozen: that makes it three times as slow to make)."""

    data: bytes
    parts: tuple[tuple[int, int, Value], ...] = ()


def sym_page(
    content: bytearray | None = None, namer: Callable[[int, int], Value] | None = None
) -> SymPage:
    """A page that can hold symbols. With ``namer(offset, size)`` the bytes that were
    never written are unknown, and it makes their symbol."""
    page = SymPage(content if content is not None else PAGE)
    page.syms = {}
    page.wrote = {}
    page.racy = set()
    page.namer = namer
    page.known = None if namer is None else bytearray(PAGE)
    return page


def _overlaps(page: SymPage, offset: int, size: int) -> list[int]:
    end = offset + size
    return [
        start
        for start in range(max(0, offset - 7), end)
        if start in page.syms and start + page.syms[start][0] > offset
    ]


def load_sym(page: SymPage, offset: int, size: int) -> Value:
    """What a page with symbols has at an offset; what was not known becomes a symbol."""
    found = page.syms.get(offset)
    if found is not None and found[0] == size:
        return found[1]
    known = page.known
    hits = _overlaps(page, offset, size)
    if not hits:
        if known is None or all(known[offset : offset + size]):
            return _FROM(page[offset : offset + size], "little")
        if (
            page.namer is not None
            and not any(known[offset : offset + size])
            and size in (1, 2, 4, 8)
        ):
            value = page.namer(offset, size)
            page.syms[offset] = (size, value)
            known[offset : offset + size] = b"\1" * size
            return value
    if size == 1:
        if not hits:
            assert page.namer is not None and known is not None
            value = page.namer(offset, 1)
            page.syms[offset] = (1, value)
            known[offset] = 1
            return value
        start = hits[-1]
        return (page.syms[start][1] >> (8 * (offset - start))) & 255
    total: Value = 0
    for i in range(size):
        total = total | (load_sym(page, offset + i, 1) << (8 * i))
    return total


def clear(page: SymPage, offset: int, size: int) -> None:
    """Make a range plain bytes; symbols that reach beyond it are cut in bytes."""
    for start in _overlaps(page, offset, size):
        length, value = page.syms.pop(start)
        for i in range(length):
            at = start + i
            if not offset <= at < offset + size:
                page.syms[at] = (1, (value >> (8 * i)) & 255)
    if page.known is not None:
        page.known[offset : offset + size] = b"\1" * size


def put(page: SymPage, offset: int, size: int, value: Any) -> None:
    """Store into a page with symbols."""
    clear(page, offset, size)
    if isinstance(value, Sym):
        page.syms[offset] = (size, value)
        page[offset : offset + size] = bytes(size)
    else:
        page[offset : offset + size] = (value & ((1 << 8 * size) - 1)).to_bytes(size, "little")
        if page.known is not None:
            page.wrote[offset] = size


def _read_sym(
    page: SymPage,
    offset: int,
    size: int,
    data: bytearray,
    at: int,
    parts: list[tuple[int, int, Value]],
) -> None:
    """A block out of a page with symbols: whole symbols where they lie inside, fresh
    ones by words where nothing is known."""
    end = offset + size
    here = offset
    while here < end:
        found = page.syms.get(here)
        if found is not None and here + found[0] <= end:
            parts.append((at + here - offset, *found))
            here += found[0]
            continue
        step = 1
        if page.known is not None and not page.known[here]:
            step = next(
                n
                for n in (8, 4, 2, 1)
                if here % n == 0
                and here + n <= end
                and not any(page.known[here : here + n])
                and not _overlaps(page, here, n)
            )
        value = load_sym(page, here, step)
        if isinstance(value, Sym):
            parts.append((at + here - offset, step, value))
        else:
            data[at + here - offset : at + here - offset + step] = value.to_bytes(
                step, "little"
            )
        here += step


__all__ = [
    "PAGE",
    "Backing",
    "Blob",
    "Device",
    "DevicePage",
    "Fault",
    "Memory",
    "Object",
    "SymPage",
    "clear",
    "load_sym",
    "put",
    "sym_page",
]  # fmt: skip
