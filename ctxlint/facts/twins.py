# SPDX-License-Identifier: GPL-2.0-or-later
"""Locks that are taken and released under the same condition, when that is a call.

``if (test_bit(n, &p->map)) lock(&p->lock)`` has a twin below with unlock(): what the call
returns is not known, and may differ each time. Which of the two ways the twin goes is decided
by the first nevertheless, as a lock that was taken under a condition is released under the
same one. No other condition is decided so: code that asks again, because the answer can
have changed, goes both ways.
"""

from __future__ import annotations

from collections.abc import Callable

from ctxlint.facts.shape import successors
from ctxlint.facts.state import State
from ctxlint.facts.symbolic import expr_text
from ctxlint.ir import ops
from ctxlint.ir.unit import Block, Function
from ctxlint.ir.walk import children
from ctxlint.semantics.terms import Result, Value

Site = tuple[int, int]


class Twins:
    """``takes`` and ``releases`` say what a call does with a lock."""

    def __init__(
        self,
        fn: Function,
        takes: Callable[[ops.Call], bool],
        releases: Callable[[ops.Call], bool],
    ) -> None:
        self._groups: dict[Site, tuple[str, tuple[int, ...]]] = {}
        self._decided: set[Site] = set()
        by_text: dict[str, list[Site]] = {}
        for number, block in enumerate(fn.blocks):
            site = _tested(number, block)
            if site is None:
                continue
            call = block.ops[site[1]]
            assert isinstance(call, ops.Call) and isinstance(call.fn, ops.Func)
            shown = [expr_text(fn, arg) for arg in call.args]
            if all(shown):
                by_text.setdefault(f"{call.fn.symbol}({', '.join(shown)})", []).append(site)
        for text, sites in by_text.items():
            if len(sites) < 2:
                continue
            taken = {_side(fn, site[0], takes) for site in sites} - {None}
            decided = {site for site in sites if _side(fn, site[0], releases) in taken}
            for site in sites if decided else ():
                call = fn.blocks[site[0]].ops[site[1]]
                assert isinstance(call, ops.Call)
                slots = sorted({slot for arg in call.args for slot in _slots(arg)})
                self._groups[site] = (text, tuple(slots))
            self._decided |= decided

    def result(self, site: Site, st: State) -> Value:
        """A name for what the call returns, the same as that of its twin before if the
        variables that it is given have not changed; None for a call without a twin."""
        group = self._groups.get(site)
        if group is None:
            return None
        text, slots = group
        name = Result(f"{text} of {[st.vals.get(slot) for slot in slots]!r}")
        if site not in self._decided:
            st.forget(name)
        return name


def _tested(number: int, block: Block) -> Site | None:
    """The call at the end of a block that the block branches on."""
    if not isinstance(block.term, ops.Branch) or not block.ops:
        return None
    call, cond = block.ops[-1], block.term.cond
    while isinstance(cond, ops.Cast) or (isinstance(cond, ops.Un) and cond.op == "!"):
        cond = cond.e
    if not isinstance(call, ops.Call) or not isinstance(call.fn, ops.Func):
        return None
    if not isinstance(cond, ops.Var) or not isinstance(call.dst, ops.Var):
        return None
    if cond.slot != call.dst.slot:
        return None
    return (number, len(block.ops) - 1)


def _side(fn: Function, block: int, does: Callable[[ops.Call], bool]) -> bool | None:
    """What the call at the end of a block returns, zero or not, where such a call stands
    right behind that side of the branch, and not the other; None: on both, or neither."""
    term = fn.blocks[block].term
    assert isinstance(term, ops.Branch)
    sides = {True: term.then, False: term.els}
    found = [
        truth
        for truth, to in sides.items()
        # Where a side has nothing of its own, it is what comes after both.
        if to not in successors(fn, sides[not truth])
        and any(isinstance(op, ops.Call) and does(op) for op in fn.blocks[to].ops)
    ]
    return found[0] is not _negated(term.cond) if len(found) == 1 else None


def _negated(cond: ops.Expr) -> bool:
    negated = False
    while isinstance(cond, ops.Cast | ops.Un):
        negated ^= isinstance(cond, ops.Un)
        cond = cond.e
    return negated


def _slots(e: ops.Expr) -> set[int]:
    found = {e.slot} if isinstance(e, ops.Var) else set()
    for part in children(e):
        found |= _slots(part)
    return found
