# SPDX-License-Identifier: GPL-2.0-or-later
"""Check sums on what is stored.

SQLite notices a broken tree of pages but not a flipped bit inside a row. Every
blob therefore begins with a CRC-32 of itself and of the names it is stored
under, so a damaged or misplaced blob is never taken for a good one.
"""

from __future__ import annotations

import sys
import zlib
from array import array
from collections.abc import Iterable


class DamagedError(Exception):
    """Stored data is not what was written (handled inside of the store)."""


def _sum(data: bytes, names: tuple[str, ...]) -> bytes:
    start = zlib.crc32("\0".join(names).encode("utf-8", "surrogateescape"))
    return zlib.crc32(data, start).to_bytes(4, "little")


def seal(data: bytes, *names: str) -> bytes:
    """``data`` with a check sum over it and the names in front."""
    return _sum(data, names) + data


def unseal(sealed: object, *names: str) -> bytes:
    """What was sealed under these names; :class:`DamagedError` if it is not that."""
    if not isinstance(sealed, bytes) or sealed[:4] != _sum(sealed[4:], names):
        raise DamagedError("a check sum does not match")
    return sealed[4:]


def pack_ids(ids: Iterable[int]) -> bytes:
    """Row ids as sorted little-endian 32-bit numbers, without duplicates."""
    packed = array("I", sorted(set(ids)))
    if sys.byteorder == "big":
        packed.byteswap()
    return packed.tobytes()


def unpack_ids(data: bytes) -> array[int]:
    """The inverse of :func:`pack_ids`."""
    packed = array("I")
    if len(data) % packed.itemsize:
        raise DamagedError("a list of rows is cut")
    packed.frombytes(data)
    if sys.byteorder == "big":
        packed.byteswap()
    return packed
