# SPDX-License-Identifier: GPL-2.0-or-later
"""The report on a patch series for programs; the fields are those of
``findings/series.py``."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from ctxlint.base.errors import UsageError
from ctxlint.findings.series import SeriesResult

VERSION = "ctxlint-series/1"


def render(series: SeriesResult) -> str:
    """Indented JSON in ASCII, ending in a line break."""
    fields: dict[str, Any] = msgspec.to_builtins(series)
    statistics = fields["result"]["statistics"]
    fields["result"]["statistics"] = dict(sorted(statistics.items()))
    return json.dumps({"schema": VERSION, **fields}, indent=2, ensure_ascii=True) + "\n"


def load(text: str | bytes) -> SeriesResult:
    """The result that :func:`render` wrote. Raises UsageError when it is none."""
    try:
        return msgspec.convert(json.loads(text), SeriesResult)
    except (ValueError, msgspec.ValidationError) as error:
        raise UsageError(
            f"not a saved result of a patch series: {error}",
            hint="Write one with: ctxlint patch SERIES --format json -o FILE",
        ) from error
