# SPDX-License-Identifier: GPL-2.0-or-later
"""What the kernel prints for a report, as a record of ``model/splat``.

Offsets and sizes of the functions in a trace are made up, as the addresses are: the
model has no machine code. They are the same in every run.
"""

from __future__ import annotations

from ctxlint.model.runtime.state import HARDIRQ_MASK, NMI_MASK, Config, Report
from ctxlint.model.splat import types
from ctxlint.model.splat.fields import taint_letters
from ctxlint.model.splat.format import render

_COUNT_MASK = 0x7FFF_FFFF


def splat_of(report: Report, config: Config) -> types.Record | None:
    """The record; None for reports that no kernel prints (a race, a corruption)."""
    place = str(report.facts.get("place", ""))
    file, _, line = place.rpartition(":")
    frames = tuple(types.Frame(name, *_offset(name), stack="TASK") for name in report.trace)
    context = report.context
    count = context["count"] & _COUNT_MASK
    arch = "x86" if config.arch.startswith("x86") else "arm64"
    match report.kind:
        case "sleeping":
            return types.Sleeping(
                file=file,
                line=int(line or 0),
                in_atomic=int(count != 0),
                irqs_disabled=context["irqs_disabled"],
                non_block=context["non_block"],
                preempt_count=count,
                expected=int(report.facts.get("expected", 0)),
                rcu_depth=context["rcu_depth"] if config.preempt_rcu else None,
                rcu_expected=int(report.facts.get("rcu_expected", 0)),
                cpu=report.cpu,
                pid=report.pid,
                name=report.task,
                release=config.release,
                arch=arch,
                frames=frames,
            )
        case "scheduling-while-atomic":
            return types.Scheduling(
                preempt_count=count,
                cpu=report.cpu,
                pid=report.pid,
                name=report.task,
                release=config.release,
                arch=arch,
                frames=frames,
            )
        case "warn" if place:
            name = report.trace[0] if report.trace else "?"
            offset, size = _offset(name)
            return types.Warn(
                file=file,
                line=int(line or 0),
                where=f"{name}+{offset:#x}/{size:#x}",
                cpu=report.cpu,
                pid=report.pid,
                name=report.task,
                release=config.release,
                arch=arch,
                frames=frames,
                taint=taint_letters(""),
            )
        case "bug" if place:
            return types.Bug(
                file=file,
                line=int(line or 0),
                cpu=report.cpu,
                pid=report.pid,
                name=report.task,
                release=config.release,
                arch=arch,
                frames=frames,
            )
    return None


def splat_text(report: Report, config: Config) -> str:
    """The lines that the kernel prints, without times; ``""`` when it prints nothing."""
    if not report.printed:
        return ""
    record = splat_of(report, config)
    return report.headline + "\n" if record is None else render([record])


def where_of(report: Report) -> str:
    """The kind of context in a word: ``"NMI"``, ``"hardirq"`` or ``"task"``."""
    count = report.context["count"]
    if count & NMI_MASK:
        return "NMI"
    return "hardirq" if count & HARDIRQ_MASK else "task"


def _offset(name: str) -> tuple[int, int]:
    """An offset and a size for a function: from its name, so always the same."""
    seed = sum(ord(c) * (i + 1) for i, c in enumerate(name))
    size = 0x40 + seed % 61 * 0x10
    return 4 * (seed % (size // 4 - 1) + 1), size


__all__ = ["splat_of", "splat_text", "where_of"]
