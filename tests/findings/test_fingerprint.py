# SPDX-License-Identifier: GPL-2.0-or-later
from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxlint.findings.fingerprint import (
    fingerprint,
    line_hashes,
    primary_location_line_hash,
    with_fingerprints,
)
from ctxlint.findings.model import ContextInfo, Entry, Finding

FIELDS: dict[str, Any] = {
    "check": "sleep-in-atomic",
    "file": "drivers/irqchip/irq-demo.c",
    "function": "demo_mask",
    "callee": "mutex_lock",
    "operation": "mutex",
    "entry_function": "demo_irq_mask",
    "entry_kind": "irq_chip operation",
    "section": None,
    "occurrence": 0,
}

PINNED = "2f1c21c9d52577c96cd1270d74f8c41b"


def finding(**changes: Any) -> Finding:
    fields: dict[str, Any] = {
        "check": "sleep-in-atomic",
        "severity": "error",
        "profiles": ("arm64",),
        "rt_only": False,
        "message": "m",
        "file": "a.c",
        "line": 10,
        "column": 2,
        "function": "f",
        "callee": "g",
        "operation": "mutex",
        "why": "w",
        "certainty": "certain",
        "entry": Entry(kind="k", function="e", file="a.c", line=1),
        "context": ContextInfo(
            text="t",
            irqs="off",
            preempt="0",
            nmi=False,
            hardirq=False,
            softirq=False,
            bh_disabled=False,
            rcu=False,
            locks=(),
        ),
        "path": (),
        "assumptions": (),
        "fingerprint": "",
        "text": "\tg(x);",
    }
    return Finding(**(fields | changes))


def test_value_is_pinned() -> None:
    """Saved baselines hold these values: a change needs a new recipe name."""
    assert fingerprint(**FIELDS) == PINNED


@pytest.mark.parametrize("field", sorted(FIELDS))
def test_every_field_counts(field: str) -> None:
    other = 1 if field == "occurrence" else "other"
    assert fingerprint(**(FIELDS | {field: other})) != fingerprint(**FIELDS)


def test_fields_do_not_run_together() -> None:
    one = fingerprint(**(FIELDS | {"function": "ab", "callee": "c"}))
    assert one != fingerprint(**(FIELDS | {"function": "a", "callee": "bc"}))


def test_no_absolute_paths() -> None:
    here = fingerprint(**(FIELDS | {"file": "/home/a/build/asm-offsets.h"}))
    assert here == fingerprint(**(FIELDS | {"file": "/home/b/build/asm-offsets.h"}))


def test_moving_code_keeps_it() -> None:
    (before,) = with_fingerprints([finding()])
    (after,) = with_fingerprints([finding(line=99, column=7, profiles=("x", "y"), message="n")])
    assert before.fingerprint == after.fingerprint


def test_equal_findings_are_told_apart_by_their_order() -> None:
    found = with_fingerprints([finding(line=20), finding(line=10)])
    assert [one.line for one in found] == [10, 20]
    assert len({one.fingerprint for one in found}) == 2
    assert found[0].fingerprint == with_fingerprints([finding(line=10)])[0].fingerprint


@given(st.permutations(range(5)))
def test_input_order_does_not_matter(order: list[int]) -> None:
    findings = [
        finding(line=line, entry=Entry(kind="k", function=name, file="a.c", line=1))
        for line, name in [(3, "a"), (3, "b"), (5, "a"), (7, "a"), (7, "c")]
    ]
    assert with_fingerprints([findings[index] for index in order]) == with_fingerprints(
        findings
    )


def test_line_hash_ignores_white_space() -> None:
    assert primary_location_line_hash("\tfoo (x);", 1) == primary_location_line_hash(
        "foo(x);", 1
    )
    assert primary_location_line_hash("foo(x);", 2).endswith(":2")
    with pytest.raises(ValueError):
        primary_location_line_hash("x", 0)


def test_equal_lines_are_numbered_in_their_file() -> None:
    hashes = line_hashes(
        [
            finding(line=30),
            finding(line=10),
            finding(line=10, check="rt"),
            finding(line=20, text="h();"),
            finding(file="b.c"),
        ]
    )
    assert hashes["a.c", 10].endswith(":1")
    assert hashes["a.c", 20].endswith(":1")
    assert hashes["a.c", 30].endswith(":2")
    assert hashes["b.c", 10] == hashes["a.c", 10]


def test_survives_text_that_is_not_unicode() -> None:
    odd = msgspec.structs.replace(finding(), file="a\udcff.c", text="\udcff")
    assert len(with_fingerprints([odd])[0].fingerprint) == 32
    assert line_hashes([odd])
