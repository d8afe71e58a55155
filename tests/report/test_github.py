# SPDX-License-Identifier: GPL-2.0-or-later
"""Workflow commands: escaping, limits, and what the log says besides."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest
import report_samples as samples
from golden_files import check_golden

from ctxlint.findings.model import Finding, Incomplete
from ctxlint.report import github

COMMAND = re.compile(r"::(\w+)(?: ([^:]*))?::(.*)")


def commands(text: str, kind: str) -> list[tuple[dict[str, str], str]]:
    """Properties and text of each command of that kind, as the runner reads them."""
    found = []
    for line in text.splitlines():
        match = COMMAND.fullmatch(line)
        if match and match.group(1) == kind:
            pairs = [pair.split("=", 1) for pair in (match.group(2) or "").split(",") if pair]
            found.append(({key: unescaped(value) for key, value in pairs}, match.group(3)))
    return found


def unescaped(text: str) -> str:
    for code, char in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        text = text.replace(code, char)
    return text


def many(severity: str, count: int, **changes: Any) -> list[Finding]:
    one = msgspec.structs.replace(samples.sdei_lock(), severity=severity, path=(), **changes)
    return [msgspec.structs.replace(one, line=line) for line in range(1, count + 1)]


def test_golden() -> None:
    check_golden("full.github", github.render(samples.full()))


def test_annotation() -> None:
    ((place, text),) = commands(github.render(samples.result(samples.sdei_lock())), "error")
    assert place == {
        "file": samples.SDEI,
        "line": "684",
        "col": "2",
        "title": "ctxlint: rt-sleep-in-atomic",
    }
    lines = unescaped(text).split("\n")
    assert lines[0] == samples.sdei_lock().message
    assert f"1. {samples.SDEI}:1007 in sdei_probe(): registers" in unescaped(text)
    assert "PREEMPT_RT kernels only" in text


def test_what_would_end_a_command_is_escaped() -> None:
    odd = msgspec.structs.replace(
        samples.sdei_lock(), file="a,b:c%d.c", message="100% :: one\ntwo\r::error::three"
    )
    text = github.render(samples.result(odd))
    ((place, said),) = commands(text, "error")
    assert place["file"] == "a,b:c%d.c"
    assert "file=a%2Cb%3Ac%25d.c," in text
    assert said.startswith("100%25 :: one two ::error::three%0A")
    assert len(commands(text, "notice")) == 1


@pytest.mark.parametrize("severity", ["error", "warning"])
@pytest.mark.parametrize("count", [10, 11, 25])
def test_ten_of_a_kind(severity: str, count: int) -> None:
    text = github.render(samples.result(*many(severity, count)))
    assert len(commands(text, severity)) == min(count, 10)
    ((_, notice),) = commands(text, "notice")
    plain = [line for line in text.splitlines() if not line.startswith("::")]
    assert len(plain) == max(count - 10, 0)
    assert (f"{count - 10} of them without an annotation" in notice) is (count > 10)
    assert ("::group::" in text) is (count > 10)
    assert text.count("::endgroup::") == (count > 10)


def test_the_worst_get_the_annotations() -> None:
    found = [*many("error", 10, certainty="may"), samples.irq_mask_mutex()]
    places = [
        place["file"] for place, _ in commands(github.render(samples.result(*found)), "error")
    ]
    assert places[0] == samples.EXPANDER
    assert len(places) == 10


def test_an_incomplete_run_is_an_error_and_never_dropped() -> None:
    units = tuple(
        Incomplete(file=f"a{n}.c", profile="rt", reason="timed out") for n in range(12)
    )
    text = github.render(samples.result(*many("error", 10), incomplete=units))
    errors = commands(text, "error")
    assert len(errors) == 10
    assert errors[0][0] == {"title": "ctxlint: incomplete"}
    assert unescaped(errors[0][1]).splitlines()[0] == "12 units could not be analysed:"
    assert unescaped(errors[0][1]).splitlines()[-1] == "and 2 more"


def test_lines_of_the_log_are_no_commands() -> None:
    """Commands of the old form count anywhere in a line."""
    hostile = "x ##[error]y\n::error::z"
    found = many("error", 12, message=hostile, file="::error::a.c")
    text = github.render(samples.result(*found))
    assert len(commands(text, "error")) == 10
    for line in text.splitlines():
        if not COMMAND.fullmatch(line):
            assert "##[" not in line
            assert line.startswith("error: ")


def test_clean_and_hidden() -> None:
    assert github.render(samples.result()) == "::notice title=ctxlint::No findings\n"
    text = github.render(samples.selected())
    assert "2 hidden by comments or the baseline; stale entries in the baseline: 1" in text


def test_hostile_text_stays_in_its_line() -> None:
    clean = github.render(samples.full()).count("\n")
    assert github.render(samples.poisoned("\x1b]8;;\r\n::error::x\u202e")).count("\n") == clean
