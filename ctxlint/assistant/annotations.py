# SPDX-License-Identifier: GPL-2.0-or-later
"""Which of the kernel's own annotations would show a finding, and where they go.

What sleeps can say so where it begins (:func:`_below`: only functions that are entered
inside of what forbids it can; a function that takes the lock and sleeps itself has
nothing to promise). What to promise is the state in which the call is made that leads out
of the locked section.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

from ctxlint.findings.answers import Suggestion
from ctxlint.findings.model import Finding, State, Step
from ctxlint.rulebook.annotations import Annotation, load

Read = Callable[[str], "str | None"]
"""The text of a file of the tree; None when there is none."""

_HEAD_LINES = 60
"""Lines of the head of a function, for arguments on lines of their own."""


def suggestions(finding: Finding, read: Read) -> tuple[Suggestion, ...]:
    """The annotations of this tree that help, the most general first; none where the
    section and the operation are in one function, or the way is not known."""
    start = _origin_step(finding)
    below = _below(finding, start)
    if not below:
        return ()
    state = _state_at_call(finding, below[0])
    found = []
    for item in load():
        file, _, word = item.source.partition(":")
        if not re.search(rf"\b{re.escape(word)}\b", read(file) or ""):
            continue
        if item.against == "sleep":
            step = next((s for s in finding.path if s.function == finding.function), None)
            fits = finding.function in below
        else:
            step = next(s for s in finding.path if s.function == below[0])
            fits = start >= 0 and _speaks_of(item, finding, state)
        if step is not None and fits:
            found.append(_suggestion(item, finding, step, read))
    return tuple(found)


def _origin_step(finding: Finding) -> int:
    """The step at which sleeping becomes forbidden; -1 where that is so from the entry on."""
    origin = finding.origin
    if origin is None or origin.kind == "callback":
        return -1
    for index, step in enumerate(finding.path):
        if step.kind == "state" and (step.file, step.line) == (origin.file, origin.line):
            return index
    return len(finding.path)


def _below(finding: Finding, start: int) -> list[str]:
    """Functions that are entered while sleeping is forbidden, the outermost first."""
    steps = [step for step in finding.path if step.kind != "registration"]
    if start >= 0:
        outer = {step.function for step in finding.path[: start + 1]}
        steps = [s for s in finding.path[start + 1 :] if s.function not in outer]
    return list(dict.fromkeys(step.function for step in steps))


def _state_at_call(finding: Finding, function: str) -> State:
    for step, following in pairwise(finding.path):
        if following.function == function and step.function != function:
            return step.state or State()
    return State()


def _speaks_of(item: Annotation, finding: Finding, state: State) -> bool:
    """Whether that is what is wrong at the call: of a lock, not what it brings along."""
    origin = finding.origin
    if item.against == "lock":
        return origin is not None and origin.kind == "lock" and "&" in origin.name
    if origin is None or origin.kind == "lock":
        return False
    if item.against == "irqs":
        return state.irqs == "off"
    return not state.preempt and state.irqs != "off"


def _suggestion(item: Annotation, finding: Finding, step: Step, read: Read) -> Suggestion:
    text = item.rt if finding.rt_only and item.rt else item.text
    head, body = _function_at(step, read)
    where = f"at the beginning of {step.function}()"
    line = body
    if item.at == "declaration":
        where, line = f"behind the parameters of {step.function}()", head
    if finding.origin is not None and item.against == "lock":
        lock = finding.origin.name[finding.origin.name.index("&") :]
        text = text.replace("{lock}", lock)
        if re.fullmatch(r"&\w+", lock) is None:
            where += f", with the lock as that function names it ({lock} is its caller's word)"
    return Suggestion(
        annotation=text,
        place=f"{step.file}:{line}",
        function=step.function,
        where=where,
        shows=item.shows,
        needs=item.needs,
        kernel_file=item.source.partition(":")[0],
    )


def _function_at(step: Step, read: Read) -> tuple[int, int]:
    """The lines on which the head and the body of the function around a step begin, as
    the kernel's coding style has them; the step's own where it is written otherwise."""
    lines = (read(step.file) or "").split("\n")
    name = re.compile(
        rf"^\w.*\b{re.escape(step.function)}\s*\(|^{re.escape(step.function)}\s*\("
    )
    body = step.line
    if step.kind == "entry":  # the head itself
        following = lines[step.line - 1 : step.line - 1 + _HEAD_LINES]
        found = next((n for n, text in enumerate(following) if text.startswith("{")), 0)
        return step.line, step.line + found
    while 0 < body <= len(lines) and lines[body - 1][:1] not in ("{", "}"):
        body -= 1
    if not 0 < body <= len(lines) or lines[body - 1][0] == "}":
        return step.line, step.line
    for head in range(body, max(body - _HEAD_LINES, 0), -1):
        if name.search(lines[head - 1]):
            return head, body
    return body, body
