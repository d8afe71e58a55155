# SPDX-License-Identifier: GPL-2.0-or-later
"""Compares the analyser with what the kernels did, cell by cell.

``differences.yaml`` names the cells where the two may differ, each with its reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import yaml

from ctxlint.findings.model import Finding, Result

from ..scratch import brief
from .generate import DIRECTORY, Cell

TABLE = Path(__file__).with_name("differences.yaml")
ALWAYS, RT_ONLY = "sleep-in-atomic", "rt-sleep-in-atomic"


@dataclass(frozen=True)
class Difference:
    """Cells that may differ: ``tool`` is what the analyser says there, ``finding`` or
    ``silent``. Empty ``contexts`` or ``operations`` mean all of them."""

    contexts: tuple[str, ...]
    operations: tuple[str, ...]
    profiles: tuple[str, ...]
    tool: str
    reason: str

    def covers(self, cell: Cell, profile: str, tool: str) -> bool:
        """Is this the explanation for the cell?"""
        return (
            (not self.contexts or cell.context in self.contexts)
            and (not self.operations or cell.operation in self.operations)
            and profile in self.profiles
            and tool == self.tool
        )


def explanations() -> list[Difference]:
    """The table; unknown keys are errors."""
    known = {"contexts", "operations", "profiles", "tool", "reason"}
    result = []
    for row in yaml.safe_load(TABLE.read_text()):
        assert set(row) <= known, set(row) - known
        assert row["tool"] in ("finding", "silent"), row
        result.append(
            Difference(
                contexts=tuple(row.get("contexts", "").split()),
                operations=tuple(row.get("operations", "").split()),
                profiles=tuple(row.get("profiles", "rt nort").split()),
                tool=row["tool"],
                reason=row["reason"],
            )
        )
    return result


@dataclass
class Comparison:
    """``wrong``: differences without an explanation, and findings of the wrong class.
    ``unneeded``: explanations (or parts of them) that no difference needs."""

    cells: int
    agree: int
    explained: int
    missed: list[str]
    false: list[str]
    classes: list[str]
    stray: list[str]
    unneeded: list[str]

    @property
    def wrong(self) -> list[str]:
        """Everything that makes the test fail."""
        return [*self.missed, *self.false, *self.classes, *self.stray, *self.unneeded]


def compare(cells: Iterable[Cell], result: Result) -> Comparison:
    """``result`` is that of an audit of every generated file under both profiles."""
    modes = {p.name: "rt" if p.rt else "nort" for p in result.profiles}
    assert set(modes.values()) == {"rt", "nort"}, modes
    by_function: dict[str, list[Finding]] = {}
    for finding in result.findings:
        by_function.setdefault(finding.function, []).append(finding)
    table = explanations()
    needed: Counter[tuple[int, str]] = Counter()
    answer = Comparison(0, 0, 0, [], [], [], [], [])
    functions = set()
    for cell in cells:
        functions.add(cell.function)
        findings = by_function.get(cell.function, [])
        said = {modes[name] for finding in findings for name in finding.profiles}
        for profile, kernel in (("rt", cell.rt), ("nort", cell.nort)):
            answer.cells += 1
            tool = "finding" if profile in said else "silent"
            splat = "sleep" in kernel.split("|")
            if splat == (tool == "finding") and kernel in ("sleep", "silent", "silent|sleep"):
                answer.agree += 1
                continue
            covering = [n for n, row in enumerate(table) if row.covers(cell, profile, tool)]
            if covering:
                answer.explained += 1
                for number in covering:
                    needed[number, "context " + cell.context] += 1
                    needed[number, "operation " + cell.operation] += 1
                    needed[number, "profile " + profile] += 1
                continue
            line = f"{cell.context}:{cell.operation} {profile}: kernel {kernel}, tool {tool}"
            line += "".join(f"\n      {brief(finding)}" for finding in findings)
            (answer.missed if splat else answer.false).append(line)
        answer.classes += _class(cell, findings, said)
    for number, row in enumerate(table):
        parts = [
            *("context " + name for name in row.contexts),
            *("operation " + name for name in row.operations),
            *("profile " + name for name in row.profiles),
        ]
        unused = [part for part in parts if not needed[number, part]]
        if unused:
            answer.unneeded.append(f"row {number + 1}: not needed: {', '.join(unused)}")
    answer.stray = [
        f"not a cell: {brief(finding)}"
        for finding in result.findings
        if finding.file.startswith(DIRECTORY) and finding.function not in functions
    ]
    return answer


def _class(cell: Cell, findings: list[Finding], said: set[str]) -> list[str]:
    """Findings whose check does not fit the profiles that they hold in."""
    wanted = {"rt": RT_ONLY}.get("".join(sorted(said)), ALWAYS)
    if not said or any(
        f.check == wanted and f.rt_only == (wanted == RT_ONLY) for f in findings
    ):
        return []
    return [
        f"{cell.context}:{cell.operation}: want {wanted}: {'; '.join(map(brief, findings))}"
    ]
