# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel's log and formatted text, and blocks of memory for the C library's names.

Formats are those that kernel code uses (source: lib/vsprintf.c), with bounds on width
and length; what is unknown in an argument prints as ``?``.
"""

from __future__ import annotations

import re
from typing import Any

from ctxlint.kernel_log.fields import TAINT_FLAGS
from ctxlint.simulator.image import find_member
from ctxlint.simulator.machine import Machine, primitive
from ctxlint.simulator.runtime.state import kernel_of
from ctxlint.simulator.unknowns import Sym

_LONGEST = 1024
_SPEC = re.compile(
    r"%(?P<flags>[-+ #0]*)(?P<width>\*|\d+)?(?:\.(?P<precision>\*|\d+)?)?"
    r"(?P<size>hh|h|ll|l|z|t|L)?(?P<kind>[%a-zA-Z])"
)
_POINTER = re.compile(r"bl|b|O[Ffn]|ap|ad|[a-zA-Z]?")
_SUFFIXES = frozenset(
    ["", "bl", "b", "OF", "Of", "On", "S", "s", "a", "ap", "ad", "e", "V", "K"]
)
_BITS = {"hh": 8, "h": 16, "": 32, "l": 64, "ll": 64, "z": 64, "t": 64, "L": 64}


def formatted(m: Machine, text: str, arguments: list[Any]) -> str:
    """``text`` with its arguments put in; arguments that are missing read as 0."""
    rest = list(arguments)
    out: list[str] = []
    at = 0

    def take() -> Any:
        return rest.pop(0) if rest else 0

    while at < len(text):
        percent = text.find("%", at)
        if percent < 0:
            out.append(text[at:])
            break
        out.append(text[at:percent])
        found = _SPEC.match(text, percent)
        if found is None:
            out.append("%")
            at = percent + 1
            continue
        at = found.end()
        width = int(take()) if found["width"] == "*" else int(found["width"] or 0)
        precision = found["precision"]
        limit = int(take()) if precision == "*" else int(precision or -1)
        kind = found["kind"]
        if kind == "%":
            out.append("%")
        elif kind == "p":
            more = _POINTER.match(text, at)
            suffix = more[0] if more and more[0] in _SUFFIXES else ""
            at += len(suffix)
            out.append(_pointer(m, suffix, take(), width))
        else:
            out.append(_pad(_plain(m, found, kind, limit, take()), found["flags"], width))
    return "".join(out)[:_LONGEST]


def _pad(text: str, flags: str, width: int) -> str:
    width = min(width, _LONGEST)
    if "-" in flags:
        return text.ljust(width)
    if "0" in flags and text[:1] not in "?":
        return text.zfill(width)
    return text.rjust(width)


def _plain(m: Machine, found: re.Match[str], kind: str, limit: int, value: Any) -> str:
    if isinstance(value, Sym):
        return "?"
    if kind == "s":
        if not value:
            return "(null)"
        return m.mem.text(value, limit if limit >= 0 else 512)
    if kind == "c":
        return chr(value & 255)
    bits = _BITS[found["size"] or ""]
    number = int(value) & ((1 << bits) - 1)
    if kind in "di":
        if number >> (bits - 1):
            number -= 1 << bits
        digits = str(number)
    else:
        digits = {
            "u": f"{number}",
            "x": f"{number:x}",
            "X": f"{number:X}",
            "o": f"{number:o}",
        }.get(kind, str(number))
    if limit > len(digits.lstrip("-")):
        sign = "-" if digits.startswith("-") else ""
        digits = sign + digits.lstrip("-").zfill(limit)
    return ("0x" if "#" in found["flags"] and kind in "xX" else "") + digits


def _pointer(m: Machine, suffix: str, value: Any, width: int) -> str:
    if isinstance(value, Sym):
        return "?"
    value = int(value)
    if suffix in ("S", "s"):
        symbol = m.image.function_at(value)
        return f"{value:#x}" if symbol is None else symbol.rpartition("::")[2]
    if suffix in ("a", "ap", "ad"):
        return f"0x{int(m.load(value, 8)):016x}"
    if suffix == "e":
        return str(value - (1 << 64)) if value >= (1 << 64) - 4095 else f"{value:#x}"
    if suffix in ("bl", "b"):
        bits = int.from_bytes(m.read(value, (width + 63) // 64 * 8).data, "little")
        return _ranges(bits & ((1 << width) - 1))
    if suffix.startswith("O"):
        return _node_name(m, value)
    if suffix == "V":
        return _nested(m, value)
    return f"{value:016x}"


def _ranges(bits: int) -> str:
    """A bitmap as ``0-3,5``."""
    parts = []
    at = 0
    while bits >> at:
        if bits >> at & 1:
            end = at
            while bits >> (end + 1) & 1:
                end += 1
            parts.append(str(at) if end == at else f"{at}-{end}")
            at = end
        at += 1
    return ",".join(parts)


def _node_name(m: Machine, node: int) -> str:
    record = m.image.records.get("struct device_node")
    found = record and find_member(m.image, record, "full_name")
    if not node or not found:
        return "(null)" if not node else f"node@{node:#x}"
    return m.mem.text(m.load(node + found[0] // 8, 8))


def _nested(m: Machine, value: int) -> str:
    """``struct va_format``: a format and a pointer to its va_list."""
    arguments = m.va_lists.get(int(m.load(value + 8, 8)), [])
    return formatted(m, m.mem.text(m.load(value, 8)), list(reversed(arguments)))


@primitive
def model_printk(m: Machine, text: int) -> int:
    """``int model_printk(const char *format)``: a line of the log, with the variable
    arguments of the calling model function."""
    message = formatted(m, m.mem.text(text, _LONGEST), list(m.varargs[-1]))
    if message[:1] == "\x01":
        message = message[2:]
    kernel_of(m).log.append(message.rstrip("\n"))
    return len(message)


@primitive
def model_format(m: Machine, buffer: int, size: int, text: int) -> int:
    """``int model_format(char *buf, unsigned long size, const char *format)``: like
    snprintf() with the variable arguments of the calling model function."""
    return _put(m, int(buffer), int(size), formatted(m, m.mem.text(text), list(m.varargs[-1])))


@primitive
def model_vformat(m: Machine, buffer: int, size: int, text: int, arguments: int) -> int:
    """``int model_vformat(char *buf, unsigned long size, const char *format, void *args)``:
    the same with a va_list."""
    rest = list(reversed(m.va_lists.get(int(arguments), [])))
    return _put(m, int(buffer), int(size), formatted(m, m.mem.text(text), rest))


def _put(m: Machine, buffer: int, size: int, text: str) -> int:
    data = text.encode("utf-8", "replace")
    if size:
        m.write(buffer, data[: size - 1] + b"\0")
    return len(data)


@primitive
def model_warn_printk(m: Machine, text: int) -> None:
    """``void model_warn_printk(const char *format)``: the message in front of a WARN."""
    message = formatted(m, m.mem.text(text), list(m.varargs[-1]))
    kernel_of(m).log.append(message.rstrip("\n"))


@primitive
def model_taint(m: Machine, flag: int) -> None:
    """``void model_taint(unsigned int flag)``: enum-like TAINT_* numbers."""
    kernel_of(m).taint.add(TAINT_FLAGS[int(flag)])


# blocks of memory


@primitive
def model_copy(m: Machine, to: int, source: int, size: int) -> None:
    """``void model_copy(void *to, const void *from, unsigned long size)``; they may
    overlap."""
    if int(size):
        m.write(to, m.read(source, int(size)))


@primitive
def model_fill(m: Machine, to: int, byte: int, size: int) -> None:
    """``void model_fill(void *to, int byte, unsigned long size)``."""
    if int(size):
        m.mem.fill(to, int(byte), int(size))


@primitive
def model_find_bit(m: Machine, address: int, end: int, start: int, wanted: int) -> int:
    """``unsigned long model_find_bit(const unsigned long *bits, unsigned long end, unsigned
    long start, int wanted)``: the first bit of that value; ``end`` if there is none."""
    first, last = int(start), int(end)
    word = first // 64
    while word * 64 < last:
        value = int(m.l8(int(address) + 8 * word))
        if not wanted:
            value = ~value & ((1 << 64) - 1)
        if word * 64 < first:
            value = value >> (first - word * 64) << (first - word * 64)
        if value:
            return min(word * 64 + (value & -value).bit_length() - 1, last)
        word += 1
    return last
