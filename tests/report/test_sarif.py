# SPDX-License-Identifier: GPL-2.0-or-later
"""SARIF output: its shape, and validity by the format's own tools
(tests/sarif_validator.py says how to install them)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
import report_samples as samples
import sarif_om as om
from golden_files import check_golden
from sarif_validator import complaints, installed

from ctxlint.base.errors import UsageError
from ctxlint.checks import base as checks
from ctxlint.findings.model import Finding, Result
from ctxlint.report import sarif, sarif_parts
from ctxlint.report.ranking import worst_first
from ctxlint.report.sarif_json import to_json

OPTIONS = sarif.Options(
    source_root="/home/user/linux 6.12",
    repository_uri="https://git.kernel.org/pub/scm/linux/kernel/git/stable/linux.git",
    information_uri="https://docs.kernel.org/dev-tools/index.html",
)
CASES = {
    "full": (samples.full(), None),
    "full-options": (samples.full(), OPTIONS),
    "clean": (samples.result(), None),
    "selected": (samples.selected(), OPTIONS),
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
    rules = run["tool"]["driver"]["rules"]
    levels = [rule["defaultConfiguration"]["level"] for rule in rules]
    assert levels == ["error", "error", "warning"]
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
    found = worst_first(samples.full().findings)
    for result, finding in zip(run["results"], found, strict=True):
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


# ---- what consumers keep, show and refuse ----


def many(count: int, **changes: Any) -> tuple[Finding, ...]:
    """Findings that differ in their line."""
    one = msgspec.structs.replace(samples.sdei_lock(), path=(), **changes)
    return tuple(
        msgspec.structs.replace(one, line=line, fingerprint=f"{line:032x}")
        for line in range(1, count + 1)
    )


@pytest.mark.slow
def test_github_refuses_more_than_25000_results() -> None:
    """The least important ones are left out, and that is said."""
    found = (*many(24_999, severity="warning"), samples.irq_mask_mutex(), samples.its_free())
    run = run_of(msgspec.structs.replace(samples.result(), findings=found))
    assert len(run["results"]) == 25_000
    assert run["results"][0]["ruleId"] == "sleep-in-atomic"
    assert run["results"][-1]["partialFingerprints"]["ctxlint/v1"] == f"{24_999:032x}"
    notes = run["invocations"][0]["toolExecutionNotifications"]
    assert notes[0]["message"]["text"].startswith("1 more finding")
    assert notes[0]["level"] == "warning"


@pytest.mark.slow
def test_github_keeps_5000_results() -> None:
    """The worst come first, what is hidden or gone last, and a note says it."""
    warnings, errors = many(4_999, severity="warning"), samples.irq_mask_mutex()
    selected = samples.selected()
    run = run_of(
        msgspec.structs.replace(
            samples.result(),
            findings=(*warnings, errors),
            hidden=selected.hidden,
            stale=selected.stale,
        )
    )
    results = run["results"]
    assert results[0]["level"] == "error"
    assert not any(result.get("suppressions") for result in results[:5_000])
    assert [bool(result.get("suppressions")) for result in results[5_000:]] == [
        True,
        True,
        False,
    ]
    (note,) = run["invocations"][0]["toolExecutionNotifications"]
    assert note["message"]["text"].startswith("GitHub keeps 5000 results")
    below = run_of(msgspec.structs.replace(samples.result(), findings=warnings))
    assert below["invocations"][0]["toolExecutionNotifications"] == []


def test_what_is_kept_is_the_worst() -> None:
    kinds = [
        {"severity": "error", "certainty": "certain", "rt_only": False},
        {"severity": "error", "certainty": "certain", "rt_only": True},
        {"severity": "error", "certainty": "may", "rt_only": False},
        {"severity": "warning", "certainty": "certain", "rt_only": False},
        {"severity": "warning", "certainty": "may", "rt_only": False},
        {"severity": "warning", "certainty": "certain", "operation": ""},
    ]
    found = [msgspec.structs.replace(samples.sdei_lock(), **kind) for kind in kinds]
    assert worst_first(found[::-1]) == found


def test_1000_steps_of_a_flow_and_1000_locations() -> None:
    """The end of the way is never cut: it is what the finding is about."""
    finding = samples.sdei_lock()
    step = msgspec.structs.replace(finding.path[1], kind="state")
    path = (finding.path[0], *[step] * 1_500, finding.path[-1])
    (result,) = run_of(samples.result(msgspec.structs.replace(finding, path=path)))["results"]
    flow = result["codeFlows"][0]["threadFlows"][0]["locations"]
    assert len(flow) == 1_000
    assert flow[-1]["kinds"] == ["operation"]
    assert len(result["relatedLocations"]) <= 1_000
    assert len(result["locations"]) == 1
    assert all(len(stack["frames"]) <= 1_000 for stack in result["stacks"])


def test_20_tags_of_a_rule() -> None:
    doc = msgspec.structs.replace(samples.DOCS[0], tags=tuple(f"t{n}" for n in range(30)))
    run = json.loads(sarif.render(samples.result(), [doc]))["runs"][0]
    (rule,) = run["tool"]["driver"]["rules"]
    assert rule["properties"]["tags"] == [f"t{n}" for n in range(20)]
    for check in checks.docs():
        assert len(check.tags) <= sarif_parts.MAX_TAGS // 2  # GitHub shows half of them


def test_one_run_one_flow() -> None:
    """Viewers show the first flow alone, so there is one, and it is the best way."""
    log = json.loads(render("full"))
    assert len(log["runs"]) == 1
    for result in log["runs"][0]["results"]:
        (flow,) = result["codeFlows"]
        assert len(flow["threadFlows"]) == 1


@pytest.mark.parametrize("name", sorted(CASES))
def test_steps_that_every_viewer_draws(name: str) -> None:
    for result in json.loads(render(name))["runs"][0]["results"]:
        for flow in result.get("codeFlows", ()):
            steps = flow["threadFlows"][0]["locations"]
            assert steps[0]["nestingLevel"] == 1
            assert all(step["nestingLevel"] >= 1 for step in steps)
            assert all("physicalLocation" in step["location"] for step in steps)
        assert all(stack["message"]["text"] for stack in result.get("stacks", ()))


@pytest.mark.parametrize("name", sorted(CASES))
def test_paths_are_relative_to_the_tree(name: str) -> None:
    """One base, itself absolute and without a base: viewers do not go further."""
    run = json.loads(render(name))["runs"][0]
    assert set(run["originalUriBaseIds"]) == {"SRCROOT"}
    assert "uriBaseId" not in run["originalUriBaseIds"]["SRCROOT"]
    places = [found for found in every(run["results"]) if "uri" in found]
    assert places or not run["results"]
    for place in places:
        assert place["uriBaseId"] == "SRCROOT"
        assert not place["uri"].startswith(("/", "file:", ".."))


def every(item: Any) -> Iterator[dict[str, Any]]:
    """Every object inside of some JSON."""
    if isinstance(item, dict):
        yield item
    for part in item.values() if isinstance(item, dict) else item:
        if isinstance(part, (dict, list)):
            yield from every(part)


def test_an_alert_survives_an_edit_above_it() -> None:
    """Path, rule and fingerprints are what GitHub follows an alert by."""
    before = samples.sdei_lock()
    after = msgspec.structs.replace(before, line=before.line + 40)

    def identity(finding: Finding) -> Any:
        (result,) = run_of(samples.result(finding))["results"]
        place = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        return result["ruleId"], place, result["partialFingerprints"]

    assert identity(before) == identity(after)
    assert set(identity(before)[2]) == {"ctxlint/v1", "primaryLocationLineHash"}


# ---- baseline and suppressions ----


def test_baseline_states() -> None:
    run = run_of(samples.selected())
    states = [(r["baselineState"], len(r["suppressions"])) for r in run["results"]]
    assert sorted(states) == [
        ("absent", 0),
        ("new", 0),
        ("new", 0),
        ("new", 1),
        ("unchanged", 1),
    ]
    absent = run["results"][-1]
    assert absent["partialFingerprints"] == {"ctxlint/v1": "0" * 32}
    assert "its_gone" in absent["message"]["text"]
    assert absent["ruleId"] == "rt-sleep-in-atomic"


def test_without_a_baseline_nothing_is_said_of_it() -> None:
    """Viewers take a missing state as "new", and a missing list as "not known"."""
    for result in run_of(samples.full())["results"]:
        assert "baselineState" not in result
        assert "suppressions" not in result


def test_suppressions_say_where_and_why() -> None:
    run = run_of(samples.selected())
    (comment, known) = [r["suppressions"][0] for r in run["results"] if r["suppressions"]]
    if comment["kind"] != "inSource":
        comment, known = known, comment
    assert comment["justification"] == "a [test]"
    place = comment["location"]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == samples.SDEI
    assert place["region"] == {"startLine": 684}
    assert known == {"kind": "external", "justification": "waits for [PATCH 1/2]"}


def test_a_finding_about_a_comment_has_no_way() -> None:
    run = run_of(samples.selected())
    (result,) = [r for r in run["results"] if r["ruleId"] == "unused-suppression"]
    assert "codeFlows" not in result
    assert "stacks" not in result
    assert result["message"]["text"].startswith("allow(sleep-in-atomic) suppresses nothing")
    region = result["locations"][0]["physicalLocation"]["region"]
    assert region["snippet"]["text"].startswith("ctxlint: allow(sleep-in-atomic)")


def test_a_check_without_documentation_is_refused() -> None:
    with pytest.raises(UsageError, match="rt-sleep-in-atomic"):
        sarif.render(samples.full(), samples.DOCS[1:])


def test_serialiser_maps_names_and_drops_defaults() -> None:
    """Also the fields whose default is made by a factory."""
    written = json.loads(to_json(om.Run(tool=om.Tool(driver=om.ToolComponent(name="x")))))
    assert written == {"tool": {"driver": {"name": "x"}}}
    result = json.loads(to_json(om.Result(message=om.Message(text="t"), rule_index=0)))
    assert result == {"message": {"text": "t"}, "level": "warning", "ruleIndex": 0}


# ---- by the format's own tools ----


@pytest.mark.parametrize("name", sorted(CASES))
def test_valid_by_the_schema(name: str) -> None:
    path = installed("sarif-2.1.0.json")
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
    assert complaints(log) == []
