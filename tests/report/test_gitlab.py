# SPDX-License-Identifier: GPL-2.0-or-later
from __future__ import annotations

import json

import report_samples as samples

from ctxlint.report import gitlab


def test_every_finding_is_an_entry() -> None:
    entries = json.loads(gitlab.render(samples.full()))
    found = samples.full().findings
    assert [entry["fingerprint"] for entry in entries[: len(found)]] == [
        finding.fingerprint for finding in found
    ]
    assert entries[0] == {
        "description": found[0].message,
        "check_name": "rt-sleep-in-atomic",
        "fingerprint": found[0].fingerprint,
        "severity": "major",
        "location": {"path": samples.SDEI, "lines": {"begin": 684}},
    }
    assert [entry["severity"] for entry in entries] == [
        "major",
        "major",
        "minor",
        "info",
        "info",
    ]


def test_units_that_could_not_be_analysed_are_entries() -> None:
    entries = json.loads(gitlab.render(samples.full()))[3:]
    assert [entry["check_name"] for entry in entries] == ["incomplete", "incomplete"]
    assert len({entry["fingerprint"] for entry in entries}) == 2
    assert entries[0]["location"]["path"] == "drivers/firmware/demo_fw.c"


def test_hidden_findings_are_left_out() -> None:
    entries = json.loads(gitlab.render(samples.selected()))
    assert len(entries) == 2
    assert gitlab.render(samples.result()) == "[]\n"


def test_odd_text_is_harmless() -> None:
    assert gitlab.render(samples.poisoned("\x1b\u202e\udc80")).isascii()
