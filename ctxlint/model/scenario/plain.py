# SPDX-License-Identifier: GPL-2.0-or-later
"""Results of scenarios as plain data: what the JSON has, what reports are made of."""

from __future__ import annotations

from typing import Any

import msgspec

from ctxlint.model.runtime.state import Report
from ctxlint.model.scenario.runner import RunResult, ScenarioResult
from ctxlint.model.scenario.schema import Variant
from ctxlint.model.trace import IRQS_OFF


def plain(result: ScenarioResult, variants: dict[str, Variant]) -> dict[str, Any]:
    """A result; the same for the same seed, byte for byte."""
    scenario = result.scenario
    return {
        "id": scenario.id,
        "seed": scenario.seed,
        "title": scenario.title,
        "answer": scenario.answer,
        "skipped": result.skipped,
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
        "splats": [splat_text(report) for report in printed],
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
    """What the kernel prints for a report."""
    context = report.context
    lines = [report.headline]
    if report.kind == "sleeping":
        lines += [
            f"in_atomic(): {int(context['count'] != 0)}, irqs_disabled(): "
            f"{context['irqs_disabled']}, non_block: {context['non_block']}, pid: {report.pid}, "
            f"name: {report.task}",
            f"preempt_count: {context['count']:x}, expected: "
            f"{report.facts.get('expected', 0):x}",
        ]
    lines += [f"CPU: {report.cpu} PID: {report.pid} Comm: {report.task}", "Call trace:"]
    return "\n".join([*lines, *(f" {name}" for name in report.trace)])


__all__ = ["plain", "splat_text"]
