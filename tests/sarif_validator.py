# SPDX-License-Identifier: GPL-2.0-or-later
"""The validator of the SARIF format, where it is installed.

It is no part of this repository. To run the tests that need it, outside of the
checkout:

    mkdir sarif && cd sarif && npm install @microsoft/sarif-multitool
    CTXLINT_SARIF_MULTITOOL=$PWD pytest tests/report/test_sarif.py

which runs, on each report,

    Sarif.Multitool validate FILE --rule-kind 'Sarif;Gh;Ghas' --level 'Error;Warning'
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

# Accepted: the network is not reachable, no such home page, or a matter of taste.
ACCEPTED = {
    "SARIF2005",  # informationUri, when the caller gave none
    "SARIF2006",  # links are not fetched
}


def installed(pattern: str) -> Path:
    """A file of the package; skips the test when it is not installed."""
    folder = os.environ.get("CTXLINT_SARIF_MULTITOOL")
    if not folder:
        pytest.skip(
            "CTXLINT_SARIF_MULTITOOL is not set: SARIF is NOT validated. "
            "See tests/sarif_validator.py"
        )
    found = sorted(Path(folder).glob(f"node_modules/@microsoft/sarif-multitool-*/{pattern}"))
    assert found, f"npm install @microsoft/sarif-multitool in {folder} first"
    return found[0]


def complaints(log: Path) -> list[str]:
    """What Microsoft's rules for the format and GitHub's say of the file."""
    out = log.with_suffix(".out.sarif")
    done = subprocess.run(
        [
            installed("Sarif.Multitool"),
            "validate",
            log,
            "--rule-kind",
            "Sarif;Gh;Ghas",
            "--level",
            "Error;Warning",
            "-o",
            out,
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert out.exists(), done.stdout + done.stderr
    run = json.loads(out.read_text(encoding="utf-8-sig"))["runs"][0]
    assert run["invocations"][0]["executionSuccessful"] is True
    return [
        f"{result['ruleId']}: {result['message']}"
        for result in run.get("results", [])
        if result["ruleId"] not in ACCEPTED
    ]
