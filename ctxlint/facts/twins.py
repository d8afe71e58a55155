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
from ctxlint.semantics.terms import Value

Site = tuple[int, int]


class Twins:
    """``releases`` says whether a call releases a lock."""

    def __init__(self, fn: Function, releases: Callable[[ops.Call], bool]) -> None:
        self._groups: dict[Site, tuple[str, tuple[int, ...]]] = {}
        self._releasing: set[Site] = set()
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
            decided = {
                site for site in sites if len(sites) > 1 and _one_arm(fn, site[0], releases)
            }
            for site in sites if decided else ():
                call = fn.blocks[site[0]].ops[site[1]]
                assert isinstance(call, ops.Call)
                slots = sorted({slot for arg in call.args for slot in _slots(arg)})
                self._groups[site] = (text, tuple(slots))
            self._releasing |= decided

    def result(self, site: Site, st: State) -> Value:
        """A name for what the call returns, the same as that of its twin before if the
        variables that it is given have not changed; None for a call without a twin."""
        group = self._groups.get(site)
        if group is None:
            return None
        text, slots = group
        name = ("v", f"{text} of {[st.vals.get(slot) for slot in slots]!r}")
        if site not in self._releasing:
            st.forget(name)
        return name


def _tested(number: int, block: Block) -> Site | None:
    """The call at the end of a block that the block branches on."""
    if not isinstance(block.term, ops.Branch) or not block.ops:
        return None
    call, cond = block.ops[-1], block.term.cond
    while isinstance(cond, ops.Cast | ops.Un):
        cond = cond.e
    if not isinstance(call, ops.Call) or not isinstance(call.fn, ops.Func):
        return None
    tested = isinstance(cond, ops.Var) and isinstance(call.dst, ops.Var)
    if not tested or cond.slot != call.dst.slot:
        return None
    return (number, len(block.ops) - 1)


def _one_arm(fn: Function, block: int, releases: Callable[[ops.Call], bool]) -> bool:
    """Whether a lock is released right behind one side of a branch, and not the other."""
    term = fn.blocks[block].term
    assert isinstance(term, ops.Branch)
    sides = [term.then, term.els]
    # Where one side has nothing of its own, it is what comes after both.
    own = [to for to, other in (sides, sides[::-1]) if to not in successors(fn, other)]
    return 1 == sum(
        any(isinstance(op, ops.Call) and releases(op) for op in fn.blocks[to].ops) for to in own
    )


def _slots(e: ops.Expr) -> set[int]:
    found = {e.slot} if isinstance(e, ops.Var) else set()
    for part in children(e):
        found |= _slots(part)
    return found
