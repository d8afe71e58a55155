# SPDX-License-Identifier: GPL-2.0-or-later
"""The condition of a path, which is kept in parts that have no unknown in common."""

from __future__ import annotations

from typing import Any, cast

from ctxlint.simulator.unknowns import Sym
from ctxlint.verification.solver import Condition


def unknown(name: str) -> Sym:
    return Sym(cast("Any", None), "leaf", lo=0, hi=1000, name=name)


def test_unknowns_that_meet_are_asked_together() -> None:
    a, b, c = unknown("a"), unknown("b"), unknown("c")
    path = Condition()
    path.add(cast("Sym", a == 3), True)
    path.add(cast("Sym", b == 4), True)
    path.add(cast("Sym", c == a + b), True)
    assert path.possible(cast("Sym", c == 7)) == (True, False)
    assert path.some(c) == 7
    assert path.model() == {"a": 3, "b": 4, "c": 7}
    assert not path.impossible()


def test_one_part_makes_the_path_impossible() -> None:
    a, b = unknown("a"), unknown("b")
    path = Condition()
    path.add(cast("Sym", a == 3), True)
    path.add(cast("Sym", a == 4), True)
    path.add(cast("Sym", b == 1), True)
    assert path.possible(cast("Sym", b == 1)) == (True, False)
    assert path.impossible()
    assert path.model() == {}
