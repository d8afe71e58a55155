# SPDX-License-Identifier: GPL-2.0-or-later
from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest
import report_samples as samples
from golden_files import check_golden
from hypothesis import given, settings
from hypothesis import strategies as st

from ctxlint.findings.model import Finding, Incomplete, Result
from ctxlint.report import text
from ctxlint.report.clean import clean

CASES = {
    "its_free": samples.result(samples.its_free()),
    "sdei_lock": samples.result(samples.sdei_lock()),
    "irq_mask_mutex": samples.result(samples.irq_mask_mutex()),
    "full": samples.full(),
    "clean": samples.result(),
}


def widest(rendered: str) -> int:
    """Width of everything but headlines, which are one line each for editors, and lines
    of the source."""
    headline = re.compile(r"\S+:\d+:\d+: |.* \| ")
    rows = [r for r in rendered.splitlines() if not headline.match(r)]
    return max(map(len, rows))


@pytest.mark.parametrize("name", sorted(CASES))
def test_golden(name: str) -> None:
    check_golden(f"{name}.txt", text.render(CASES[name]))


@pytest.mark.parametrize("name", sorted(CASES))
def test_fits_and_is_plain(name: str) -> None:
    rendered = text.render(CASES[name])
    assert widest(rendered) <= text.WIDTH
    assert rendered.isascii()
    assert not re.search(r"[ \t]$", rendered, re.MULTILINE)
    assert rendered.endswith("\n")


@pytest.mark.parametrize("name", sorted(CASES))
def test_colour_changes_nothing_else(name: str) -> None:
    coloured = text.render(CASES[name], colour=True)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    assert re.sub(r" +$", "", plain, flags=re.MULTILINE) == text.render(CASES[name])
    assert coloured != plain


@pytest.mark.parametrize("name", ["its_free", "irq_mask_mutex", "sdei_lock"])
def test_headline_fits_and_the_context_stands_below(name: str) -> None:
    first, second, *_ = text.render(CASES[name]).splitlines()
    assert re.fullmatch(r"\S+:\d+:\d+: \w+: \w+\(\) (may sleep|sleeps)( \[.*\])?", first)
    assert len(first) <= text.WIDTH and second.startswith("  ")


def test_unwrapped_headline_is_one_line() -> None:
    first = text.render(CASES["its_free"], width=0).splitlines()[0]
    assert re.fullmatch(r"[^:]+:2973:2: warning: .* \[rt-sleep-in-atomic\]", first)


def one(**changes: Any) -> str:
    finding = msgspec.structs.replace(samples.sdei_lock(), **changes)
    return text.render(samples.result(finding))


@pytest.mark.parametrize(
    ("line", "column", "expected"),
    [
        ("\tspin_lock(&a);", 2, ("        spin_lock(&a);", "        ^~~~~~~~~")),
        ("spin_lock(&a);", 1, ("spin_lock(&a);", "^~~~~~~~~")),
        (
            "\tif (x)\tspin_lock(&a);",
            9,
            ("        if (x)  spin_lock(&a);", " " * 16 + "^~~~~~~~~"),
        ),
        ("\tLOCK(&a);", 2, ("        LOCK(&a);", "        ^")),
        (
            "  /* caf\u00e9 */ spin_lock(a);",
            16,
            ("  /* caf\u00e9 */ spin_lock(a);", " " * 13 + "^~~~~~~~~"),
        ),
        ("\tspin_lock(&a);", 9, ("        spin_lock(&a);", "        ^~~~~~~~~")),
        ("x", 40, ("x", "^")),
    ],
)
def test_caret(line: str, column: int, expected: tuple[str, str]) -> None:
    rows = one(text=line, column=column).splitlines()
    source = next(index for index, row in enumerate(rows) if row.startswith("  684 | "))
    assert (rows[source][8:], rows[source + 1][8:]) == expected


def test_long_source_lines_are_cut_around_the_callee() -> None:
    rendered = one(text="\t" + "a" * 120 + " = spin_lock(" + "b" * 90 + ");", column=125)
    assert max(map(len, rendered.splitlines())) <= text.SOURCE_WIDTH + 8
    row = next(row for row in rendered.splitlines() if row.startswith("  684 | "))
    assert row.startswith("  684 | ...") and "spin_lock" in row


def test_findings_of_one_origin_stand_together() -> None:
    one = samples.irq_mask_mutex()
    whole = text.render(samples.result(samples.same_origin(one), one, samples.its_free()))
    assert whole.count("How the kernel gets here") == 2
    assert "1 more finding of the same origin: expander_irq_mask() as" in whole
    assert "3 findings of 2 origins" in whole
    assert "= calls: expander_irq_mask() -> expander_write() -> mutex_lock()" in whole


def test_step_without_note_is_put_in_words() -> None:
    bare = tuple(msgspec.structs.replace(step, note="") for step in samples.its_free().path)
    rendered = text.render(
        samples.result(msgspec.structs.replace(samples.its_free(), path=bare))
    )
    assert "registers gic_starting_cpu() for CPUHP_AP_IRQ_GIC_STARTING" in rendered
    assert "calls its_cpu_init()" in rendered
    assert "calls free_pages()" in rendered


def test_verdict_is_called_a_models() -> None:
    assert "= verdict of the model: confirmed" in one(verdict="confirmed")


def test_long_lists_are_cut_and_say_so() -> None:
    units = tuple(
        Incomplete(file=f"drivers/demo/u{number:03}.c", profile="p", reason="r")
        for number in range(50)
    )
    rendered = text.render(samples.result(incomplete=units))
    assert "No findings in what was analysed" in rendered
    assert "and 30 more (--format json, key incomplete)" in rendered


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize(
    "bad", ["\x1b[31m", "\x9b2J", "\r\n", "\x00\x07", "\u202e", "\u2028", "\u200b", "\udc80"]
)
def test_nothing_of_the_source_reaches_the_terminal(bad: str, colour: bool) -> None:
    rendered = text.render(samples.poisoned(bad), colour=colour)
    own = re.sub(r"\x1b\[[0-9;]+m", "", rendered) if colour and "\x1b" not in bad else rendered
    if colour and "\x1b" in bad:
        codes = {f"\x1b[{code}m" for code in [*text._STYLES.values(), "0"]}
        assert set(re.findall(r"\x1b\[[0-9;]*[A-Za-z]", rendered)) <= codes
        own = re.sub(r"\x1b\[[0-9;]+m", "", rendered)
    assert all(char == "\n" or char.isprintable() for char in own)
    own.encode("utf-8")


@given(st.text())
def test_clean_is_idempotent_and_printable(raw: str) -> None:
    once = clean(raw)
    assert clean(once) == once
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", once)


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=200), st.integers(-5, 300))
def test_any_line_and_column_can_be_shown(line: str, column: int) -> None:
    finding: Finding = msgspec.structs.replace(samples.sdei_lock(), text=line, column=column)
    assert text.render(Result(**fields_of(samples.result(), findings=(finding,))))


def fields_of(result: Result, **changes: Any) -> dict[str, Any]:
    return {name: getattr(result, name) for name in result.__struct_fields__} | changes


def test_hidden_and_stale_are_told() -> None:
    shown = text.render(samples.selected())
    check_golden("selected.txt", shown)
    assert "\nHidden: 1 by comments in the source, 1 by the baseline\n" in shown
    assert "\nStale in the baseline: 1 entry" in shown
    assert "its_gone" in shown
    assert "arm_sdei.c" not in shown


def test_a_finding_about_a_comment() -> None:
    """It claims nothing of kernels or contexts."""
    (finding,) = [f for f in samples.selected().findings if not f.operation]
    shown = text.render(samples.result(finding))
    assert "suppresses nothing" in shown
    assert "bug on" not in shown
    assert "\n1 finding: 1 warning\n" in shown


def test_what_is_not_selected_is_counted() -> None:
    shown = text.render(samples.result(statistics={"units": 1, "not_selected": 3}))
    assert "\nNot selected: 3 (" in shown
