# SPDX-License-Identifier: GPL-2.0-or-later
"""One line a finding, and counts instead of findings."""

from __future__ import annotations

import re

import msgspec
import report_samples as samples

from ctxlint.report import concise


def test_one_line_a_finding() -> None:
    result = samples.full()
    rows = concise.render(result).splitlines()[: len(result.findings)]
    pattern = r"\S+:\d+:\d+: (error|warning): .+\(\) (sleeps|may sleep)(, .+)? \[[a-z-]+\]"
    assert all(re.fullmatch(pattern, row) for row in rows)
    assert max(map(len, rows)) <= concise.WIDTH
    assert any("IRQs off" in row for row in rows)


def test_a_finding_about_a_comment() -> None:
    bare = msgspec.structs.replace(
        samples.sdei_lock(), operation="", path=(), message="m" * 200
    )
    (row, *_) = concise.render(samples.result(bare)).splitlines()
    assert len(row) <= concise.WIDTH + 3 and row.endswith("[rt-sleep-in-atomic]")


def test_counts() -> None:
    one = samples.irq_mask_mutex()
    result = samples.result(one, samples.same_origin(one), samples.sdei_lock())
    text = concise.statistics(result)
    assert re.search(r"^ +2  sleep-in-atomic$", text, re.M)
    assert re.search(r"^ +1  mutex_lock\(\)$", text, re.M)
    assert re.search(r"^ +2  expander_irq_mask\(\) as irq_chip operation", text, re.M)
    assert "3 findings of 2 origins" in text
    assert "Checks" not in concise.statistics(samples.result())
