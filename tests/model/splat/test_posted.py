# SPDX-License-Identifier: GPL-2.0-or-later
"""Logs as people post them: of all architectures and ages, quoted, cut and decoded.

``posted/`` holds logs made after ones that were posted (other names, numbers and
machines), with what must be read of each in ``expected.yaml``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ctxlint.cli.splat import render
from ctxlint.model.splat.context import count_of, interrupts_off
from ctxlint.model.splat.format import lines
from ctxlint.model.splat.parse import parse
from ctxlint.pipeline.splat import SplatAnswer, SplatReport, explain

POSTED = Path(__file__).parent / "posted"
WORDS = {True: "off", False: "on", None: "unknown"}


def expected() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path in sorted(POSTED.glob("*.yaml")):
        found |= yaml.safe_load(path.read_text())
    return found


EXPECTED = expected()


def seen(answer: SplatAnswer, wanted: dict[str, Any]) -> dict[str, Any]:
    """What was read, in the words of ``expected.yaml``."""
    splat, count = answer.record, count_of(answer.record)
    title = answer.context.title if answer.context is not None else ""
    held = splat.held.locks if splat.held is not None else ()
    found = {
        "kind": answer.kind,
        "headline": [x for x in wanted.get("headline", ()) if x in answer.headline],
        "place": answer.place,
        "cpu": splat.cpu,
        "task": wanted.get("task") if wanted.get("task", "") in answer.task else answer.task,
        "pid": wanted.get("pid") if f"pid {wanted.get('pid')}" in answer.task else answer.task,
        "irqs": WORDS[interrupts_off(splat)],
        "count": count.value if count is not None else None,
        "context": wanted.get("context") if wanted.get("context", "") in title else title,
        "frames": len(splat.frames),
        "held": len(held),
        "stack": list(answer.frames[: len(wanted.get("stack", ()))]),
    }
    return {key: value for key, value in found.items() if key in wanted}


def text_of(report: SplatReport) -> str:
    return " ".join(render(report).split())


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_posted(name: str) -> None:
    wanted = dict(EXPECTED[name])
    report = explain((POSTED / name).read_text(), None, None, None)  # type: ignore[arg-type]
    assert sum(1 + a.same for a in report.splats) == wanted.pop("splats", 1)
    assert [item.line for item in report.unread] == wanted.pop("unread", [])
    text = text_of(report)
    says = wanted.pop("says", [])
    assert [x for x in says if x in text] == says
    assert [x for x in wanted.pop("not", ()) if x in text] == []
    at = wanted.pop("at", 0)
    if report.splats:
        assert seen(report.splats[at], wanted) == wanted


def test_every_log_is_judged() -> None:
    assert {path.name for path in POSTED.glob("*.txt")} == set(EXPECTED)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_posted_logs_lose_nothing(name: str) -> None:
    text = (POSTED / name).read_text()
    log = parse(text)
    for located in log.splats:
        assert lines(located.splat) == list(located.lines)
