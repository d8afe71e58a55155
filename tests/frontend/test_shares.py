# SPDX-License-Identifier: GPL-2.0-or-later
"""Work that is shared with children of the process."""

from __future__ import annotations

import os

import pytest

from ctxlint.frontend import shares


def _who(item: int) -> bytes:
    return f"{item} {os.getpid()}".encode()


def test_in_order_and_by_several() -> None:
    done = [blob.decode().split() for blob in shares.each(_who, range(40), 3)]
    assert [item for item, _ in done] == [str(n) for n in range(40)]
    assert len({pid for _, pid in done}) == 3


def test_few_items_are_done_here() -> None:
    assert {blob.split()[1] for blob in shares.each(_who, range(4), 3)} == {
        str(os.getpid()).encode()
    }


def test_what_a_child_leaves_is_done_here() -> None:
    parent = os.getpid()

    def work(item: int) -> bytes:
        if os.getpid() != parent and item > 10:
            os._exit(1)
        return _who(item)

    done = [blob.decode().split()[0] for blob in shares.each(work, range(40), 2)]
    assert done == [str(n) for n in range(40)]


def test_an_error_is_raised_here() -> None:
    def work(item: int) -> bytes:
        if item == 3:
            raise ValueError("three")
        return b""

    with pytest.raises(ValueError, match="three"):
        shares.each(work, range(40), 2)
