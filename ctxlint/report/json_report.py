# SPDX-License-Identifier: GPL-2.0-or-later
"""The report for programs, and the file that other reports are rendered from.

Field names are those of ``findings/model.py``; what each means is described in
``schema/ctxlint-1.schema.json``, a JSON Schema that is part of the package.
"""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

import msgspec

from ctxlint.base.errors import UsageError
from ctxlint.findings.model import Result

SCHEMA_NAME = "ctxlint-1.schema.json"

_ORDER = (
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
)


def render(result: Result) -> str:
    """The result as indented JSON, ending in a line break.

    Everything outside of ASCII is written as an escape, so the output is the
    same in every locale and harmless in a terminal.
    """
    fields: dict[str, Any] = msgspec.to_builtins(result)
    fields["statistics"] = dict(sorted(result.statistics.items()))
    ordered = {key: fields[key] for key in _ORDER}
    return json.dumps(ordered, indent=2, ensure_ascii=True) + "\n"


def load(text: str | bytes) -> Result:
    """The result that :func:`render` wrote.

    Keys it does not know are ignored, so an older ctxlint reads the file of a
    newer one as long as the schema has the same number. Raises UsageError when
    it is not such a file.
    """
    try:
        fields = json.loads(text)
        # Once what the model refuted was in a list of its own.
        if isinstance(fields, dict) and fields.get("refuted"):
            fields["findings"] += fields["refuted"]
        result = msgspec.convert(fields, Result)
        odd = {f.severity for f in (*result.findings, *result.hidden)} - {"error", "warning"}
        if odd:
            raise ValueError(f"no severity is called {min(odd)[:40]!r}")
        return result
    except (ValueError, TypeError, KeyError, RecursionError, msgspec.ValidationError) as error:
        raise UsageError(
            f"not a saved ctxlint result: {error}",
            hint="Write one with: ctxlint audit --format json -o FILE",
        ) from error


def schema() -> dict[str, Any]:
    """The JSON Schema of the output (draft 2020-12)."""
    source = resources.files("ctxlint.report") / "schema" / SCHEMA_NAME
    loaded: dict[str, Any] = json.loads(source.read_text(encoding="utf-8"))
    return loaded
