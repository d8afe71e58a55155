# SPDX-License-Identifier: GPL-2.0-or-later
"""A block of registers that hold what is written, but for those with a hook."""

from __future__ import annotations

from collections.abc import Callable


class Registers:
    """``values`` by byte offset; a register is as wide as its accesses. ``on_read`` and
    ``on_write`` stand in for the plain value; ``constant`` ones ignore writes.
    """

    def __init__(self) -> None:
        self.values: dict[int, int] = {}
        self.constant: set[int] = set()
        self.on_read: dict[int, Callable[[], int]] = {}
        self.on_write: dict[int, Callable[[int], None]] = {}

    def fix(self, offset: int, value: int) -> None:
        self.values[offset] = value
        self.constant.add(offset)

    def read(self, offset: int, size: int) -> int:
        hook = self.on_read.get(offset)
        value = hook() if hook is not None else self.values.get(offset)
        if value is None and offset % 8 == 4 and size == 4:  # the upper half
            value = self.read(offset - 4, 8) >> 32
        return (value or 0) & ((1 << 8 * size) - 1)

    def write(self, offset: int, size: int, value: int) -> None:
        if offset in self.constant:
            return
        hook = self.on_write.get(offset)
        if hook is not None:
            hook(int(value))
        else:
            self.values[offset] = int(value)


__all__ = ["Registers"]
