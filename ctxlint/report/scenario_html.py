# SPDX-License-Identifier: GPL-2.0-or-later
"""The interleaving of a scenario as a page: a lane for each CPU, time runs down."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources
from typing import Any

from markupsafe import Markup

from ctxlint.report.html import environment

_MOST_ROWS = 3000


def render(result: dict[str, Any]) -> str:
    """The page of a result (plain data, as the JSON has it); needs nothing else."""
    style = (
        resources.files("ctxlint.report")
        .joinpath("templates", "scenario.css")
        .read_text(encoding="utf-8")
    )
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    text = (
        environment()
        .get_template("scenario.html.j2")
        .render(
            result=result,
            runs=[_run(run) for run in result["runs"]],
            style=Markup(style),
            style_hash=f"sha256-{digest}",
        )
    )
    return text.rstrip("\n") + "\n"


def _run(run: dict[str, Any]) -> dict[str, Any]:
    steps = run["trace"]
    held: dict[str, list[str]] = {}
    rows = [_row(step, held) for step in steps]
    rows = [row for row in rows if row is not None]
    return {
        "name": run["name"],
        "variant": run["variant"],
        "verdict": run["verdict"],
        "driver": run["driver"],
        "machine": run["machine"],
        "steps": run["steps"],
        "splats": run["splats"],
        "cpus": sorted({step["cpu"] for step in steps}),
        "rows": rows[:_MOST_ROWS],
        "dropped": max(len(rows) - _MOST_ROWS, 0),
    }


def _row(step: dict[str, Any], held: dict[str, list[str]]) -> dict[str, Any] | None:
    """A step; None for one that shows nothing of its own. ``held`` is kept up to date: the
    locks of each task."""
    effect, task = step["effect"], step["task"]
    kind, _, what = effect.partition(" ")
    locks = held.setdefault(task, [])
    if kind == "acquire":
        locks.append(what)
        return None
    if kind == "release" and what in locks:
        locks.remove(what)
    if kind in ("barrier", "clean"):
        return None
    context = "off" if step["irqs_off"] else "atomic" if step["word"] else "free"
    bad = kind.rstrip(":") if kind in ("prints:", "broken:") else ""
    return {
        "time": step["time"],
        "cpu": step["cpu"],
        "task": task,
        "word": f"{step['word']:x}",
        "context": context,
        "place": step["place"],
        "effect": effect,
        "locks": list(locks),
        "bad": bad,
    }


__all__ = ["render"]
