# SPDX-License-Identifier: GPL-2.0-or-later
"""Long work is told of where there is no terminal: a line a minute."""

from __future__ import annotations

import pytest

from ctxlint.cli import progress
from ctxlint.cli.progress import Plain, Reporter, _Lines


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_line_a_minute(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    lines = _Lines(clock)
    lines.start("reading arm64-defconfig", 450)
    for _ in range(450):
        clock.now += 1
        lines.advance("reading arm64-defconfig")
    lines.finish("reading arm64-defconfig")
    lines.advance("reading arm64-defconfig")
    assert capsys.readouterr().err.splitlines() == [
        f"ctxlint: reading arm64-defconfig: {n * 60} of 450 done, {n} min" for n in range(1, 8)
    ]


def test_a_stage_of_unknown_length(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    lines = _Lines(clock)
    lines.start("preparing arm64", 0)
    clock.now = 200
    lines.advance("preparing arm64")
    assert capsys.readouterr().err == "ctxlint: preparing arm64: 1 done, 3 min\n"


def test_short_work_and_quiet_say_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for made in (Plain(), Reporter()):
        made.start("stage", 3)
        made.advance("stage")
        made.finish("stage")
    monkeypatch.setattr(progress, "_SAY_SECONDS", -1.0)
    for quiet in (Plain(quiet=True), Reporter(quiet=True)):
        quiet.start("stage", 3)
        quiet.advance("stage")
    assert capsys.readouterr().err == ""
    loud = Reporter()
    loud.start("stage", 3)
    assert capsys.readouterr().err == "ctxlint: stage: 0 of 3 done\n"


def test_levels(capsys: pytest.CaptureFixture[str]) -> None:
    for made in (Plain(), Reporter()):
        made.log("notice", "once")
        made.log("warning", "beware")
        made.log("info", "not seen")
    Plain(quiet=True).log("notice", "not seen")
    assert capsys.readouterr().err == "ctxlint: once\nctxlint: warning: beware\n" * 2
