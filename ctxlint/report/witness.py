# SPDX-License-Identifier: GPL-2.0-or-later
"""Reading a witness: wording of a step, depth of the call stack, the stack."""

from __future__ import annotations

from collections.abc import Sequence

from ctxlint.findings.model import Finding, Step


def only_if(finding: Finding) -> str:
    """The head of the list of a finding's conditions."""
    return f"A bug only if {'all of these hold' if finding.assumptions[1:] else 'this holds'}:"


def call_of(name: str) -> str:
    """``"f()"`` for ``"f"``; what is already written as a call, such as a scoped
    lock with its kind, stays."""
    return name if name.endswith(")") else f"{name}()"


def what_sleeps(finding: Finding) -> str:
    """``"kzalloc() may sleep"``: what the message of a finding begins with."""
    may = "may sleep" if finding.certainty == "may" else "sleeps"
    return f"{call_of(finding.callee)} {may}"


def verdict_of(finding: Finding) -> str:
    """The verdict of the model and its reason; ``""`` for a finding that was not run."""
    why = next((e.why for e in finding.evidence if e.verdict == finding.verdict), "")
    return f"{finding.verdict}: {why}" if why else finding.verdict or ""


def in_function(step: Step) -> str:
    """``" in f():"``; nothing for a registration at file scope."""
    return f" in {step.function}():" if step.function else ""


def note_of(finding: Finding, index: int) -> str:
    """The note of step ``index``, or one made from its kind if it has none."""
    path = finding.path
    step = path[index]
    if step.note:
        return step.note
    target = path[index + 1].function if index + 1 < len(path) else finding.callee
    if step.kind == "registration":
        state = f" for {finding.entry.state}" if finding.entry.state else ""
        return f"registers {finding.entry.function}(){state}"
    if step.kind == "entry":
        return f"{step.function}() is called by the kernel"
    if step.kind == "state":
        return "the execution context changes here"
    if step.kind == "indirect-call":
        return f"calls {target}() through a pointer"
    if step.kind == "operation":
        return f"calls {call_of(finding.callee)}"
    return f"calls {target}()"


def context_changes(path: tuple[Step, ...]) -> tuple[str, ...]:
    """The execution context at each step where it becomes another one, else ""."""
    shown, last = [], ""
    for step in path:
        new = step.context and state_of(step.context) != last
        shown.append(step.context if new else "")
        last = state_of(step.context) if new else last
    return tuple(shown)


def state_of(context: str) -> str:
    """The state in words, without the title of the callback that it began with
    (``"CPU hotplug STARTING callback: interrupts off"``)."""
    return context.partition(": ")[2] or context


def depths(path: tuple[Step, ...]) -> tuple[int, ...]:
    """Depth of the call stack at each step, from 1.

    A registration happens at another time, on a stack of its own; it has
    depth 1. A step in a function that is already on the stack returns to it.
    """
    return tuple(len(stack) or 1 for stack in _stacks(path))


def call_stack(path: tuple[Step, ...]) -> tuple[Step, ...]:
    """The stack at the last step, outermost first: in each function, the line
    that it has reached."""
    return _stacks(path)[-1] if path else ()


def after_origin(finding: Finding) -> tuple[Step, ...]:
    """The steps from what forbids the operation on."""
    path, origin = finding.path, finding.origin
    if origin is not None:
        for index, step in enumerate(path):
            here = (step.file, step.line) == (origin.file, origin.line)
            if here and step.kind in ("state", "registration"):
                return path[index:] if step.kind == "state" else path[index + 1 :]
    return tuple(step for step in path if step.kind != "registration")


def words_of_origin(findings: Sequence[Finding]) -> tuple[str, str]:
    """The origin that several findings have in common, and where it is."""
    origins = [f.origin for f in findings if f.origin is not None]
    texts = {origin.text for origin in origins}
    first = origins[0]
    if len(texts) == 1:
        return first.text, f"{first.file}:{first.line}"
    if first.kind == "lock":
        return first.name, first.file
    by = f" of {first.function}" if first.function else ""
    return f"callbacks {first.name}{by}", first.file


def _stacks(path: tuple[Step, ...]) -> list[tuple[Step, ...]]:
    stack: list[Step] = []
    result: list[tuple[Step, ...]] = []
    for step in path:
        if step.kind == "registration":
            result.append(())
            continue
        functions = [known.function for known in stack]
        if step.function in functions:
            del stack[functions.index(step.function) :]
        stack.append(step)
        result.append(tuple(stack))
    return result
