# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads a folder with a ``history.py`` that lists edits in its own way.

``M`` are dictionaries of bugs, ``QUIET`` edits that stay right, ``RIGHT`` code of the
unmodified tree that is right: ``(file, function, why)``. Names of functions are taken out
of the prose that such a list describes entry points and calls with.
"""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path
from typing import Any

from .model import Arch, Bug, Case, Quiet

#: Files on the way that a list does not name.
COMPANY = {
    "its-": ("drivers/irqchip/irq-gic-v3.c", "drivers/firmware/efi/efi.c"),
    "cacheinfo-": (
        "arch/arm64/kernel/smp.c",
        "drivers/base/arch_topology.c",
    ),
    "arm-pmu-acpi-": ("drivers/perf/arm_pmu.c",),
    "neg-its-": ("drivers/irqchip/irq-gic-v3.c", "drivers/irqchip/irq-gic-v3-its.c"),
    "pkg-temp-": ("drivers/thermal/intel/therm_throt.c", "arch/x86/kernel/irq.c"),
}

#: Files that no configuration with PREEMPT_RT builds, and ones like them.
LIKE = {"drivers/gpio/gpio-omap.c": "drivers/gpio/gpio-mxc.c"}

#: Verdicts that the list has from an older driver: RT only, or not. This tree's gpio-omap
#: does not call pm_runtime_irq_safe() any more, so resuming it there may always sleep.
RT_ONLY = {"gpio-omap-pm": False}


def load(folder: Path) -> tuple[list[Case], list[tuple[str, str, str]]]:
    """The cases of ``folder/history.py``, and its right code."""
    sys.path.insert(0, str(folder))
    try:
        module: Any = importlib.import_module("history")
    finally:
        sys.path.remove(str(folder))
    cases = [_bug(row) for row in module.M] + [_quiet(row) for row in module.QUIET]
    return cases, list(module.RIGHT)


def _common(row: dict[str, Any]) -> dict[str, Any]:
    # 32-bit Arm has no PREEMPT_RT; what is listed for it also builds for arm64.
    arch: Arch = "x86_64" if row["arch"] == "x86" else "arm64"
    company: tuple[str, ...] = ()
    for start, files in COMPANY.items():
        if row["id"].startswith(start):
            company = files
    return {
        "name": row["id"],
        "file": row["file"],
        "edit": row["apply"],
        "also": row["extra"],
        "company": company,
        "arch": arch,
        "like": LIKE.get(row["file"], ""),
    }


def _words(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[A-Za-z_]\w+", text))


def _bug(row: dict[str, Any]) -> Case:
    expect = row["expect"]
    return Bug(
        **_common(row),
        function=(expect["function"],),
        callee=_words(expect["callee"]),
        entries=_words(expect["entry"] + " " + expect["chain"]),
        rt_only=RT_ONLY.get(row["id"], expect["rt_only"]),
        why=str(row["fix"][0]),
    )


def _quiet(row: dict[str, Any]) -> Case:
    return Quiet(**_common(row), why=row["reason"])
