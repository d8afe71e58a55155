# SPDX-License-Identifier: GPL-2.0-or-later
"""SARIF output: its shape, and validity by the format's own tools.

The validator and the schema are not part of this repository. To run the tests
that need them, outside of the checkout:

    mkdir sarif && cd sarif && npm install @microsoft/sarif-multitool
    CTXLINT_SARIF_MULTITOOL=$PWD pytest tests/report/test_sarif.py

which runs, on each report,

    Sarif.Multitool validate FILE --rule-kind 'Sarif;Gh;Ghas' --level 'Error;Warning'
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
import report_samples as samples
import sarif_om as om
from golden_files import check_golden

from ctxlint.checks import base as checks
from ctxlint.findings.model import Result
from ctxlint.report import sarif
from ctxlint.report.sarif_json import to_json

OPTIONS = sarif.Options(
    source_root="/home/user/linux 6.12",
    repository_uri="https://git.kernel.org/pub/scm/linux/kernel/git/stable/linux.git",
    information_uri="https://docs.kernel.org/dev-tools/index.html",
)
# Accepted: the network is not reachable, no such home page, or a matter of taste.
ACCEPTED = {
    "SARIF2005",  # informationUri, when the caller gave none
    "SARIF2006",  # links are not fetched
}
CASES = {
    "full": (samples.full(), None),
    "full-options": (samples.full(), OPTIONS),
    "clean": (samples.result(), None),
    "hostile": (samples.poisoned("\x1b]\u202e\udc80\n[x](1) \u00e9"), None),
}


def render(name: str) -> str:
    result, options = CASES[name]
    return sarif.render(result, samples.DOCS, options)


def run_of(result: Result, options: sarif.Options | None = None) -> dict[str, Any]:
    run: dict[str, Any] = json.loads(sarif.render(result, samples.DOCS, options))["runs"][0]
    return run


def test_golden() -> None:
    check_golden("full.sarif", render("full"))


def test_level_is_always_written() -> None:
    """ "warning" is the default of the format, and must be there all the same."""
    run = run_of(samples.full())
    assert [result["level"] for result in run["results"]] == ["error", "error", "warning"]
    for rule in run["tool"]["driver"]["rules"]:
        assert rule["defaultConfiguration"]["level"] == "error"
    notes = run["invocations"][0]["toolExecutionNotifications"]
    assert all("level" in note for note in notes)


def test_flow_and_stack() -> None:
    run = run_of(samples.result(samples.its_free()))
    (result,) = run["results"]
    flow = result["codeFlows"][0]["threadFlows"][0]["locations"]
    assert [step["nestingLevel"] for step in flow] == [1, 1, 1, 2, 3, 4]
    assert [step["executionOrder"] for step in flow] == [1, 2, 3, 4, 5, 6]
    assert all("physicalLocation" in step["location"] for step in flow)
    stack = result["stacks"][0]
    assert stack["message"]["text"]
    names = [frame["location"]["message"]["text"] for frame in stack["frames"]]
    assert names == [
        "its_free_pending_table()",
        "its_cpu_init_lpis()",
        "its_cpu_init()",
        "gic_starting_cpu()",
    ]
    lines = [
        frame["location"]["physicalLocation"]["region"]["startLine"]
        for frame in stack["frames"]
    ]
    assert lines == [2973, 3170, 5336, 1375]


def test_message_links_to_every_related_location() -> None:
    run = run_of(samples.full())
    for result in run["results"]:
        ids = {location["id"] for location in result["relatedLocations"]}
        links = {int(found) for found in re.findall(r"\]\((\d+)\)", result["message"]["text"])}
        assert ids == links
        assert 1 in ids


def test_brackets_of_the_source_are_no_links() -> None:
    finding = msgspec.structs.replace(samples.sdei_lock(), message="takes a[0](1)")
    (result,) = run_of(samples.result(finding))["results"]
    assert result["message"]["text"].startswith(r"takes a\[0\](1).")


def test_identity() -> None:
    run = run_of(samples.full())
    assert run["automationDetails"]["id"] == "ctxlint/arm64-defconfig+arm64-defconfig-rt/"
    for result, finding in zip(run["results"], samples.full().findings, strict=True):
        prints = result["partialFingerprints"]
        assert prints["ctxlint/v1"] == finding.fingerprint
        assert re.fullmatch(r"[0-9a-f]{16}:\d+", prints["primaryLocationLineHash"])


def test_indices_point_to_what_they_mean() -> None:
    run = run_of(samples.full())
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        place = result["locations"][0]["physicalLocation"]["artifactLocation"]
        assert run["artifacts"][place["index"]]["location"]["uri"] == place["uri"]


def test_region_is_the_callee() -> None:
    (result,) = run_of(samples.result(samples.sdei_lock()))["results"]
    region = result["locations"][0]["physicalLocation"]["region"]
    assert (region["startColumn"], region["endColumn"]) == (2, 11)
    assert region["snippet"]["text"] == "spin_lock"


def test_columns_count_utf16_units() -> None:
    # \U0001f427 is four bytes and two UTF-16 units; the compiler counts bytes.
    line = "\t/* \U0001f427 */ spin_lock(&sdei_list_lock);"
    finding = msgspec.structs.replace(samples.sdei_lock(), text=line, column=13)
    (result,) = run_of(samples.result(finding))["results"]
    region = result["locations"][0]["physicalLocation"]["region"]
    assert (region["startColumn"], region["endColumn"]) == (11, 20)
    assert region["snippet"]["text"] == "spin_lock"


@pytest.mark.parametrize(
    ("result", "code", "successful"),
    [
        (samples.result(), 0, True),
        (samples.result(samples.sdei_lock()), 1, True),
        (samples.full(), 3, False),
    ],
)
def test_invocation(result: Result, code: int, successful: bool) -> None:
    (invocation,) = run_of(result)["invocations"]
    assert invocation["exitCode"] == code
    assert invocation["executionSuccessful"] is successful


def test_incomplete_units_are_notifications() -> None:
    run = run_of(samples.full())
    notes = run["invocations"][0]["toolExecutionNotifications"]
    kinds = [note["descriptor"]["id"] for note in notes]
    assert kinds.count("unit-not-analysed") == 2
    assert kinds.count("file-not-covered") == 2
    assert kinds.count("unknown-callee") == 2
    declared = {one["id"] for one in run["tool"]["driver"]["notifications"]}
    assert set(kinds) <= declared


def test_nothing_depends_on_the_machine() -> None:
    assert "file://" not in render("full")
    assert "Utc" not in render("full-options")


def test_tree_and_revision() -> None:
    run = run_of(samples.full(), OPTIONS)
    assert run["originalUriBaseIds"]["SRCROOT"]["uri"] == "file:///home/user/linux%206.12/"
    (provenance,) = run["versionControlProvenance"]
    assert provenance["revisionId"] == samples.full().tree.commit
    assert "versionControlProvenance" not in run_of(samples.full())


def test_long_lists_stay_within_the_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sarif, "MAX_RESULTS", 2)
    monkeypatch.setattr(sarif, "MAX_STEPS", 3)
    run = run_of(samples.full())
    assert len(run["results"]) == 2
    notes = run["invocations"][0]["toolExecutionNotifications"]
    assert notes[-1]["message"]["text"].startswith("1 more finding")
    flow = run["results"][1]["codeFlows"][0]["threadFlows"][0]["locations"]
    assert [step["kinds"] for step in flow] == [["registration"], ["entry"], ["operation"]]


def test_a_check_without_documentation_is_refused() -> None:
    with pytest.raises(ValueError, match="rt-sleep-in-atomic"):
        sarif.render(samples.full(), samples.DOCS[1:])


def test_serialiser_maps_names_and_drops_defaults() -> None:
    """Also the fields whose default is made by a factory."""
    written = json.loads(to_json(om.Run(tool=om.Tool(driver=om.ToolComponent(name="x")))))
    assert written == {"tool": {"driver": {"name": "x"}}}
    result = json.loads(to_json(om.Result(message=om.Message(text="t"), rule_index=0)))
    assert result == {"message": {"text": "t"}, "level": "warning", "ruleIndex": 0}


# ---- by the format's own tools ----


def _installed(pattern: str) -> Path:
    folder = os.environ.get("CTXLINT_SARIF_MULTITOOL")
    if not folder:
        pytest.skip(
            "CTXLINT_SARIF_MULTITOOL is not set: SARIF is NOT validated. "
            "See the top of this file"
        )
    found = sorted(Path(folder).glob(f"node_modules/@microsoft/sarif-multitool-*/{pattern}"))
    assert found, f"npm install @microsoft/sarif-multitool in {folder} first"
    return found[0]


@pytest.mark.parametrize("name", sorted(CASES))
def test_valid_by_the_schema(name: str) -> None:
    path = _installed("sarif-2.1.0.json")
    schema = json.loads(path.read_text(encoding="utf-8-sig"))
    jsonschema.validators.validator_for(schema)(schema).validate(json.loads(render(name)))


@pytest.mark.parametrize("name", [*sorted(CASES), "own-docs"])
def test_valid_by_the_validator(name: str, tmp_path: Path) -> None:
    """Microsoft's rules for the format and GitHub's, without errors or warnings."""
    log = tmp_path / "log.sarif"
    own = name == "own-docs"
    log.write_text(
        sarif.render(samples.full(), checks.docs(), OPTIONS) if own else render(name),
        encoding="utf-8",
    )
    out = tmp_path / "out.sarif"
    done = subprocess.run(
        [
            _installed("Sarif.Multitool"),
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
    complaints = [
        f"{result['ruleId']}: {result['message']}"
        for result in run.get("results", [])
        if result["ruleId"] not in ACCEPTED
    ]
    assert complaints == []
    assert run["invocations"][0]["executionSuccessful"] is True
