# SPDX-License-Identifier: GPL-2.0-or-later
"""What the kernel prints for a report, as a record of ``model/splat``.

The model has no machine code: the offsets and sizes in a trace are those of lines, at
:data:`LINE` bytes each, and the line ``Preemption disabled at`` is left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from ctxlint.base import yamldata
from ctxlint.kernel_log.fields import taint_letters
from ctxlint.kernel_log.format import render
from ctxlint.kernel_log.types import (
    Assuming,
    Bug,
    Frame,
    IdleScheduling,
    Panic,
    Record,
    Scheduling,
    Sleeping,
    Warn,
)
from ctxlint.rulebook.loader import models_directory
from ctxlint.simulator.runtime.state import HARDIRQ_MASK, NMI_MASK, Config, Report

# What the letters of taint stand for (source: kernel/panic.c).
_TAINTS = {
    "P": "PROPRIETARY_MODULE", "F": "FORCED_MODULE", "S": "CPU_OUT_OF_SPEC",
    "R": "FORCED_RMMOD", "M": "MACHINE_CHECK", "B": "BAD_PAGE", "U": "USER", "D": "DIE",
    "A": "OVERRIDDEN_ACPI_TABLE", "W": "WARN", "C": "CRAP", "I": "FIRMWARE_WORKAROUND",
    "O": "OOT_MODULE", "E": "UNSIGNED_MODULE", "L": "SOFTLOCKUP", "K": "LIVEPATCH", "X": "AUX",
    "T": "RANDSTRUCT", "N": "TEST",
}  # fmt: skip
LINE = 8
"""Bytes of code that a line is taken for."""


@cache
def _above(arch: str) -> tuple[Frame, ...]:
    text = (models_directory() / "trace.yaml").read_text(encoding="utf-8")
    return tuple(Frame(name, LINE, 2 * LINE) for name in yamldata.load(text).get(arch, ()))


def splat_of(
    report: Report, config: Config, taint: Iterable[str] = frozenset()
) -> Record | None:
    """The record; None for what no kernel prints, or prints without a form of its own.
    ``taint`` are the letters that the kernel had before it."""
    common: dict[str, Any] = {
        "cpu": report.cpu,
        "pid": report.pid,
        "name": report.task,
        "release": config.release,
        "arch": "arm64" if config.arch == "arm64" else "x86",
        **_taint(taint),
    }
    own = _frames(report)
    dumped = (*_above(config.arch), *own)
    context, facts = report.context, report.facts
    file, _, line = str(facts.get("place", "")).rpartition(":")
    match report.kind:
        case "sleeping":
            return Sleeping(
                file=file,
                line=int(line),
                in_atomic=int(context["count"] != 0),
                irqs_disabled=context["irqs_disabled"],
                non_block=context["non_block"],
                preempt_count=context["count"],
                expected=facts["expected"],
                rcu_depth=context["rcu_depth"] if config.preempt_rcu else None,
                rcu_expected=facts["rcu_expected"],
                frames=dumped,
                **common,
            )
        case "scheduling-while-atomic":
            return Scheduling(
                preempt_count=context["count"], modules="", frames=dumped, **common
            )
        case "idle-scheduling":
            return IdleScheduling(frames=dumped, **common)
        case "cant-sleep":
            return Assuming(
                what="atomic", file=file, line=int(line),
                in_atomic=int(context["count"] != 0),
                irqs_disabled=context["irqs_disabled"], frames=dumped, **common,
            )  # fmt: skip
        case "warn" if line:
            text = facts.get("text", "")
            return Warn(
                file=file, line=int(line), where=_where(own, facts), modules="",
                message=(text,) if text else (), frames=own, **common,
            )  # fmt: skip
        case "bug" if line:
            return Bug(file=file, line=int(line), modules="", frames=own, **common)
        case "bug":
            return Panic(reason=report.headline, frames=dumped, **common)
    return None


def _where(frames: tuple[Frame, ...], facts: dict[str, Any]) -> str:
    """``symbol+offset/size`` of a warning."""
    name = str(facts.get("function", ""))
    frame = next((f for f in frames if f.symbol == name), None)
    return name if frame is None else f"{name}+{frame.offset:#x}/{frame.size or 0:#x}"


def _frames(report: Report) -> tuple[Frame, ...]:
    """The functions of the trace; what is inlined counts for the one that it is in."""
    found = []
    places = iter(report.frames)
    for name in report.trace:
        place = next((p for p in places if p.fn.name == name), None)
        if place is None:  # a caller that the run did not go through
            found.append(Frame(name, LINE, 2 * LINE))
            places = iter(report.frames)
            continue
        fn = place.fn
        inside = place.loc.file == fn.file and fn.line <= place.loc.line <= fn.end_line
        offset = (place.loc.line - fn.line if inside else 0) + 1
        found.append(Frame(name, offset * LINE, (fn.end_line - fn.line + 2) * LINE))
    return tuple(found)


def _taint(taint: Iterable[str]) -> dict[str, str]:
    has = set(taint)
    if not has:
        return {}
    spelled = ", ".join(f"[{k}]={name}" for k, name in _TAINTS.items() if k in has)
    return {"taint": taint_letters("".join(sorted(has))), "taints": spelled}


def splat_text(report: Report, config: Config) -> str:
    """The lines that the kernel prints, without times; ``""`` when it prints nothing."""
    if not report.printed:
        return ""
    record = report.splat or splat_of(report, config)
    return report.headline + "\n" if record is None else render([record])


def where_of(report: Report) -> str:
    """The kind of context in a word: ``"NMI"``, ``"hardirq"`` or ``"task"``."""
    count = report.context["count"]
    if count & NMI_MASK:
        return "NMI"
    return "hardirq" if count & HARDIRQ_MASK else "task"


__all__ = ["splat_of", "splat_text", "where_of"]
