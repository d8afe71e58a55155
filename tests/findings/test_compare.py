# SPDX-License-Identifier: GPL-2.0-or-later
"""What became of findings between two states."""

from __future__ import annotations

import random
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from ctxlint.findings.compare import Comparison, compare
from ctxlint.findings.fingerprint import with_fingerprints
from ctxlint.findings.model import ContextInfo, Entry, Finding

CONTEXT = ContextInfo(
    text="interrupts off", irqs="off", preempt="on", nmi=False, hardirq=False, softirq=False,
    bh_disabled=False, rcu=False, locks=(), section="STARTING",
)  # fmt: skip
BASE = Finding(
    check="sleep-in-atomic", severity="error", profiles=("p",), rt_only=False, message="m",
    file="a.c", line=10, column=2, function="f", callee="kzalloc", operation="allocate",
    why="", certainty="certain", entry=Entry(kind="cpuhp", function="e", file="a.c", line=1),
    context=CONTEXT, path=(), assumptions=(), fingerprint="", text="	p = kzalloc(1, G);",
)  # fmt: skip


def finding(**changes: Any) -> Finding:
    return msgspec.structs.replace(BASE, **changes)


def rt(**changes: Any) -> Finding:
    return finding(check="rt-sleep-in-atomic", rt_only=True, **changes)


def of(before: list[Finding], after: list[Finding]) -> Comparison:
    return compare(with_fingerprints(before), with_fingerprints(after))


def counts(found: Comparison) -> tuple[int, int, int, int, int]:
    parts = (found.introduced, found.fixed, found.partly_fixed, found.moved, found.kept)
    return tuple(len(part) for part in parts)  # type: ignore[return-value]


def test_introduced_fixed_kept_moved() -> None:
    one, other = finding(), finding(callee="msleep", text="msleep(1);")
    assert counts(of([], [one])) == (1, 0, 0, 0, 0)
    assert counts(of([one], [])) == (0, 1, 0, 0, 0)
    assert counts(of([one], [one, other])) == (1, 0, 0, 0, 1)
    assert counts(of([one], [finding(line=99)])) == (0, 0, 0, 1, 0)


def test_half_a_fix_and_the_other_way_round() -> None:
    assert counts(of([finding()], [rt()])) == (0, 0, 1, 0, 0)
    assert counts(of([rt()], [finding()])) == (1, 1, 0, 0, 0)
    lock = finding(callee="mutex_lock", operation="mutex", text="mutex_lock(m);")
    spin = rt(callee="spin_lock", operation="spinlock", text="spin_lock(s);")
    assert counts(of([lock], [spin])) == (0, 0, 1, 0, 0)
    elsewhere = rt(function="g", text="spin_lock(s);")
    assert counts(of([lock], [elsewhere])) == (1, 1, 0, 0, 0)


def test_a_second_call_before_the_first() -> None:
    """The new one is the one whose line is new, though fingerprints count from above."""
    old = finding()
    new = finding(line=8, text="	q = kzalloc(2, G);")
    found = of([old], [new, finding(line=11)])
    assert [f.line for f in found.introduced] == [8]
    assert [(p.before.line, p.after.line) for p in found.moved] == [(10, 11)]
    assert len(found.renamed) == 1


def test_code_that_moves_takes_its_finding_along() -> None:
    moved = finding(file="b.c", function="g", line=3, text="p  =  kzalloc(1, G);")
    found = of([finding()], [moved])
    assert counts(found) == (0, 0, 0, 1, 0)
    assert counts(of([finding(text="")], [finding(text="", file="b.c", function="g")])) == (
        1, 1, 0, 0, 0,
    )  # fmt: skip


# One line holds one text.
FINDINGS = st.lists(
    st.builds(
        lambda name, line, only: (rt if only else finding)(
            function=name, line=line, text="ab"[line % 2] if line > 2 else ""
        ),
        st.sampled_from("fgh"),
        st.integers(1, 9),
        st.booleans(),
    ),
    max_size=8,
)


@given(FINDINGS, FINDINGS, st.randoms())
def test_every_finding_is_told_once_in_any_order(
    before: list[Finding], after: list[Finding], shuffle: random.Random
) -> None:
    found = of(before, after)
    introduced, fixed, partly_fixed, moved, kept = counts(found)
    assert fixed + partly_fixed + moved + kept == len(before)
    assert introduced + partly_fixed + moved + kept == len(after)
    shuffle.shuffle(before)
    shuffle.shuffle(after)
    assert of(before, after) == found
    assert counts(of(after, after)) == (0, 0, 0, 0, len(after))
