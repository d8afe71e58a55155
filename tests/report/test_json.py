# SPDX-License-Identifier: GPL-2.0-or-later
from __future__ import annotations

import json
from typing import Any

import jsonschema
import msgspec
import pytest
import report_samples as samples
from golden_files import check_golden

from ctxlint.base.errors import UsageError
from ctxlint.findings.model import Result
from ctxlint.report import json_report, text

# Not in what the classes say: told to people, or narrower than the types.
_SAID_BY_HAND = {"$schema", "$comment", "title", "description", "default", "enum", "minimum"}


def test_golden() -> None:
    check_golden("full.json", json_report.render(samples.full()))


def test_order_of_keys() -> None:
    assert list(json.loads(json_report.render(samples.full()))) == [
        "tool",
        "tree",
        "run",
        "profiles",
        "paths",
        "findings",
        "hidden",
        "stale",
        "suppressions",
        "incomplete",
        "gaps",
        "unknown_callees",
        "untold",
        "statistics",
        "uncovered",
        "notes",
    ]


@pytest.mark.parametrize("result", [samples.full(), samples.result()])
def test_valid_by_its_schema(result: Result) -> None:
    jsonschema.Draft202012Validator.check_schema(json_report.schema())
    validator = jsonschema.Draft202012Validator(json_report.schema())
    validator.validate(json.loads(json_report.render(result)))


def test_schema_says_what_the_classes_say() -> None:
    assert stripped(json_report.schema()) == stripped(msgspec.json.schema(Result))


def test_schema_describes_every_property() -> None:
    for name, definition in json_report.schema()["$defs"].items():
        assert definition["description"], name
        for key, value in definition["properties"].items():
            assert value["description"].endswith("."), f"{name}.{key}"


@pytest.mark.parametrize("result", [samples.full(), samples.result()])
def test_round_trip(result: Result) -> None:
    saved = json_report.render(result)
    assert json_report.load(saved) == result
    assert json_report.load(saved.encode()) == result
    assert text.render(json_report.load(saved)) == text.render(result)


def test_odd_text_survives() -> None:
    odd = samples.result(
        msgspec.structs.replace(samples.sdei_lock(), text="\x1b[1m \u202e \udc80 é")
    )
    saved = json_report.render(odd)
    assert saved.isascii()
    assert saved.replace("\n", "").isprintable()
    assert json_report.load(saved) == odd


def test_keys_of_a_newer_version_are_ignored() -> None:
    fields = json.loads(json_report.render(samples.full()))
    fields["findings"][0]["invented_later"] = 1
    assert json_report.load(json.dumps(fields)) == samples.full()


@pytest.mark.parametrize("bad", ["", "{", "[]", '{"tool": 1}', b"\xff\xfe\x00", "null"])
def test_other_files_are_refused(bad: str | bytes) -> None:
    with pytest.raises(UsageError, match="not a saved ctxlint result"):
        json_report.load(bad)


def stripped(schema: Any, properties: bool = False) -> Any:
    """The schema without what is said by hand; names of properties stay."""
    if isinstance(schema, dict):
        return {
            key: stripped(value, properties=key in ("properties", "$defs"))
            for key, value in schema.items()
            if properties or key not in _SAID_BY_HAND
        }
    return [stripped(item) for item in schema] if isinstance(schema, list) else schema
