# SPDX-License-Identifier: GPL-2.0-or-later
# ruff: noqa: F811 (fixtures of another module)
"""Date and command line of a result."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest
from test_cli import FINDING, Fake, fake, result, tree  # noqa: F401

from ctxlint.base.clock import now
from ctxlint.cli.main import main
from ctxlint.cli.stamp import command_line


def test_one_date_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    assert abs(time.mktime(time.strptime(now(), "%Y-%m-%d %H:%M UTC")) - time.time()) < 90000
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert now() == "2023-11-14 22:13 UTC"
    for wrong in ("soon", "9" * 30, "-" + "9" * 30):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", wrong)
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", now())


def test_no_path_of_this_machine() -> None:
    words = [
        "audit",
        "--tree",
        "/home/u/linux",
        "/home/u/linux/drivers/a b.c",
        "-o",
        "/x/y.html",
    ]
    assert command_line(words, Path("/home/u/linux")) == (
        "ctxlint audit --tree . 'drivers/a b.c' -o .../y.html"
    )
    assert command_line(["--build=/b/rt", "-f=html"], Path("/t")) == (
        "ctxlint --build=.../rt -f=html"
    )


def test_same_bytes_with_a_date_that_is_given(
    fake: Fake, tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.answer = result(FINDING)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    pages = []
    for _ in range(2):
        main(["audit", "drivers/perf", "-f", "html"])
        pages.append(capsys.readouterr().out)
    assert pages[0] == pages[1]
    assert "2023-11-14 22:13 UTC" in pages[0]
    assert "ctxlint audit drivers/perf -f html" in pages[0]


def test_a_saved_result_keeps_them(
    fake: Fake, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    fake.answer = result(FINDING)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    main(["audit", "-f", "json", "-o", str(tmp_path / "r.json")])
    saved = json.loads((tmp_path / "r.json").read_text())["run"]
    assert saved == {
        "date": "2023-11-14 22:13 UTC",
        "command": "ctxlint audit -f json -o .../r.json",
    }
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    main(["report", str(tmp_path / "r.json"), "-f", "html"])
    page = capsys.readouterr().out
    assert saved["date"] in page and saved["command"] in page
