# SPDX-License-Identifier: GPL-2.0-or-later
"""Results of scenarios for a terminal. A result is plain data, as the JSON has it."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

_WIDTH = 80
_MOST_STEPS = 40


def table(results: Iterable[dict[str, Any]]) -> Iterator[str]:
    """A row for each run: id, what was different about it, expected, observed. Rows are
    given as soon as their result is there, the heading with the first."""
    lines = [f"{'scenario':<9}{'run':<33}{'expected':<18}{'observed':<18}", "-" * _WIDTH]
    runs = wrong = skipped = 0
    seen = []
    for result in results:
        seen.append(result)
        if result["skipped"]:
            skipped += 1
            lines += _wrap(f"{result['id']:<9}not run: {result['skipped']}", 9)
        for run in () if result["skipped"] else result["runs"]:
            runs += 1
            name = run["name"] or run["variant"]
            observed = run["verdict"] if not run["differences"] else f"{run['verdict']} !"
            wrong += bool(run["differences"])
            lines.append(
                f"{result['id']:<9}{name[:32]:<33}{run['expected']:<18}{observed}".rstrip()
            )
            for line in run["differences"]:
                lines += _wrap(f"{'':<11}{line}", 13)
        yield "\n".join(lines)
        lines = []
    lines.append("-" * _WIDTH)
    lines.append(f"{runs} runs, {wrong} not as expected, {skipped} scenarios not run")
    for result in seen:
        for one in result["differs"]:
            lines += ["", *_wrap(f"{result['id']}: the specification says: {one['said']}", 2)]
            lines += _wrap(f"  it is: {one['really']}", 4)
            lines += _wrap(f"  seen in: {one['evidence']}", 4)
    yield "\n".join(lines)


def full(result: dict[str, Any], brief: bool = False) -> str:
    """All there is to say about a scenario; ``brief``: machine, log, splats, verdict."""
    lines = _wrap(f"{result['id']}: {result['title']} (seed {result['seed']})", 2)
    if result["answer"]:
        lines += _wrap(f"Answer: {result['answer']}", 2)
    if result["skipped"]:
        return "\n".join([*lines, *_wrap(f"Not run: {result['skipped']}", 2)])
    for run in result["runs"]:
        lines += ["", f"== {run['name'] or run['variant']} ".ljust(_WIDTH, "=")]
        lines += _wrap(f"Driver: {run['variant']} ({run['driver']})", 2)
        lines += [text for part in run["machine"] for text in _wrap(f"Machine: {part}", 2)]
        lines += _wrap(f"Steps: {'; '.join(run['steps'])}", 2)
        if not brief:
            lines += ["", *_interleaving(run["trace"])]
        if run["log"]:
            lines += ["", "Log:"]
            lines += [f"  {generation}: {text}"[:200] for generation, text in run["log"]]
        for splat in run["splats"]:
            lines += ["", *(f"  {line}" for line in splat.splitlines())]
        if run["silent"] and not brief:
            lines += ["", "Violated, but not printed:"]
            for text, count in Counter(run["silent"]).items():
                often = f" ({count} times)" if count > 1 else ""
                lines += _wrap(f"  {text}{often}", 4)
        lines += ["", f"Verdict: {run['verdict']} (expected {run['expected']})"]
        if run["ending"]:
            lines += _wrap(f"Ended: {run['ending']}", 2)
        lines += [
            text for line in run["differences"] for text in _wrap(f"  mismatch: {line}", 4)
        ]
    for one in result["differs"]:
        lines += ["", *_wrap(f"The specification says: {one['said']}", 2)]
        lines += _wrap(f"It is: {one['really']}", 2) + _wrap(f"Seen in: {one['evidence']}", 2)
    return "\n".join(lines)


def _interleaving(steps: Sequence[dict[str, Any]]) -> list[str]:
    """The steps up to the first splat, or the first ones; a lock that is got at once is
    one step."""
    shown = [s for s in steps if not s["effect"].startswith(("acquire", "barrier", "clean"))]
    at = next((i for i, s in enumerate(shown) if s["effect"].startswith("prints")), None)
    end = _MOST_STEPS if at is None else at + 1
    start = max(end - _MOST_STEPS, 0)
    lines = [f"{'time us':>9} cpu context   task            step"]
    if start:
        lines.append(f"{'':>14}... {start} steps before")
    for step in shown[start:end]:
        word = f"{step['word']:x}{'-' if step['irqs_off'] else '+'}"
        text = (
            f"{step['time']:>9} {step['cpu']:>3} {word:<9} {step['task']:<15} {step['effect']}"
        )
        lines.append(text if len(text) <= _WIDTH else text[: _WIDTH - 3] + "...")
    if len(shown) > end:
        lines.append(f"{'':>14}... {len(shown) - end} steps after (--format json has all)")
    lines.append("Context: preempt_count, and interrupts on (+) or off (-).")
    return lines


def _wrap(text: str, indent: int) -> list[str]:
    return textwrap.wrap(
        text, _WIDTH, subsequent_indent=" " * indent, break_long_words=False,
        break_on_hyphens=False, drop_whitespace=True,
    )  # fmt: skip
