# SPDX-License-Identifier: GPL-2.0-or-later
"""IR objects to bytes and back: msgpack, compressed with zstandard."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
import zstandard

T = TypeVar("T")

SIZE_MAX = 256 << 20
"""Bytes of an object before compression; the largest unit of the kernel has a tenth."""

_LEVEL = 1  # the store is read far more often than it is worth shrinking

_encoder = msgspec.msgpack.Encoder()
_decoders: dict[Any, msgspec.msgpack.Decoder[Any]] = {}
_compressor = zstandard.ZstdCompressor(level=_LEVEL)
_decompressor = zstandard.ZstdDecompressor()


def encode(obj: object) -> bytes:
    """Bytes of any IR structure (or tuple of them); equal objects give equal
    bytes."""
    data: bytes = _compressor.compress(_encoder.encode(obj))
    return data


def decode(data: bytes, type_: type[T]) -> T:
    """The object that :func:`encode` made.

    Raises msgspec.DecodeError (or its ValidationError), zstandard.ZstdError and
    RecursionError for bytes that are not such an object, however large or deep what they
    unfold to is.
    """
    if zstandard.frame_content_size(data) > SIZE_MAX:
        raise zstandard.ZstdError("it is larger than anything that is stored")
    decoder = _decoders.get(type_)
    if decoder is None:
        decoder = _decoders[type_] = msgspec.msgpack.Decoder(type_)
    result: T = decoder.decode(_decompressor.decompress(data, max_output_size=SIZE_MAX))
    return result
