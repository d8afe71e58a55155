# SPDX-License-Identifier: GPL-2.0-or-later
"""Results of scenarios as plain data: what the JSON has, what reports are made of."""

from __future__ import annotations

from typing import Any

import msgspec

from ctxlint.kernel_log.format import lines
from ctxlint.scenarios.runner import RunResult, ScenarioResult
from ctxlint.scenarios.schema import Variant
from ctxlint.simulator.runtime.state import Report
from ctxlint.simulator.trace import IRQS_OFF


def plain(result: ScenarioResult, variants: dict[str, Variant]) -> dict[str, Any]:
    """A result; the same for the same seed, byte for byte."""
    scenario = result.scenario
    return {
        "id": scenario.id,
        "seed": scenario.seed,
        "title": scenario.title,
        "answer": scenario.answer,
        "skipped": result.skipped,
        "left_out": result.left_out,
        "as_expected": result.as_expected,
        "differs": msgspec.to_builtins(scenario.differs),
        "runs": [_run(run, variants) for run in result.runs],
    }


def _run(run: RunResult, variants: dict[str, Variant]) -> dict[str, Any]:
    printed = [r for _, r in run.reports if r.printed]
    silent = [(g, r) for g, r in run.reports if not r.printed]
    return {
        "name": run.name,
        "variant": run.variant,
        "driver": variants[run.variant].about,
        "setup": msgspec.to_builtins(run.setup),
        "machine": run.machine,
        "steps": run.steps,
        "verdict": run.verdict,
        "expected": run.expected,
        "differences": run.differences,
        "facts": {key: value for key, value in run.facts.items() if key != "asked"},
        "returns": run.returns,
        "ending": run.ending,
        "log": [list(line) for line in run.log],
        "splats": [text for report in printed if (text := splat_text(report))],
        "silent": [f"{r.headline} [{r.task}/{r.pid}, {r.suppressed}]" for _, r in silent],
        "reports": [_report(g, r) for g, r in run.reports],
        "trace": [
            {
                "time": step.time,
                "cpu": step.cpu,
                "task": f"{step.comm}/{step.pid}",
                "word": step.word & (IRQS_OFF - 1),
                "irqs_off": bool(step.word & IRQS_OFF),
                "place": step.place,
                "effect": step.effect,
            }
            for step in run.trace
        ],
    }


def _report(generation: int, report: Report) -> dict[str, Any]:
    return {
        "kernel": generation,
        "kind": report.kind,
        "headline": report.headline,
        "time": report.time,
        "cpu": report.cpu,
        "task": report.task,
        "pid": report.pid,
        "context": report.context,
        "trace": list(report.trace),
        "printed": report.printed,
        "suppressed": report.suppressed,
        "certain": report.certain,
    }


def splat_text(report: Report) -> str:
    """What the kernel prints for a report; nothing for a message that is no splat."""
    return "" if report.splat is None else "\n".join(lines(report.splat))


__all__ = ["plain", "splat_text"]
