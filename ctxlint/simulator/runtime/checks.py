# SPDX-License-Identifier: GPL-2.0-or-later
"""Reports: rules that were broken, and whether the kernel would have said so.

A report of the rule is made each time; ``printed`` and ``suppressed`` say what the
kernel's own check does with it. Sources: ``__might_resched()`` and ``schedule_debug()``
in kernel/sched/core.c.
"""

from __future__ import annotations

from typing import Any

from ctxlint.simulator.machine import Machine, primitive
from ctxlint.simulator.outcome import Crashed
from ctxlint.simulator.runtime.choice import Choices
from ctxlint.simulator.runtime.splats import splat_of
from ctxlint.simulator.runtime.state import BOOTING, RUNNING, Kernel, Report, kernel_of
from ctxlint.simulator.runtime.trace import call_trace

# When the kernel keeps quiet about a broken rule (Report.suppressed).
NOT_BUILT = "CONFIG_DEBUG_ATOMIC_SLEEP is off"
WHILE_BOOTING = "the system is booting"
AFTER_RUNNING = "the system is going down"
IN_OOPS = "an oops is in progress"
RATE_LIMIT = "another report was printed less than a second ago"


def report(
    kernel: Kernel,
    kind: str,
    headline: str,
    *,
    suppressed: str = "",
    log: bool = True,
    **facts: Any,
) -> Report:
    """Record one; ``suppressed`` says why the kernel does not print it, ``log`` is
    whether the headline goes to the kernel's log when it does."""
    frames = kernel.frames()
    task = kernel.task
    choices = kernel.part(Choices)
    made = Report(
        kind=kind,
        headline=headline,
        cpu=kernel.cpu.number,
        task=task.comm,
        pid=task.pid,
        context=kernel.context(),
        frames=frames,
        trace=call_trace(kernel.m.image, frames),
        printed=not suppressed,
        suppressed=suppressed,
        certain=not choices.open,
        time=kernel.now,
        facts=facts,
    )
    if choices.open:
        made.facts["depends_on"] = tuple(choices.open)
    kernel.reports.append(made)
    note = getattr(kernel.sched, "note", None)
    if note is not None:
        note(f"{'prints' if made.printed else 'broken'}: {headline}")
    if not suppressed:
        made.splat = splat_of(made, kernel.config, kernel.taint)
        if log:
            kernel.log.append(headline)
    return made


def place_of(m: Machine, file: int, line: int) -> str:
    """``file:line`` that a check was given. Code hands over ``__FILE__``, which may be
    an absolute path: where a function of the stack lies in that file, its name counts."""
    text = m.mem.text(file).removeprefix("./")
    for frame in reversed(m.stack):
        name = m.loc(frame).file
        if text.endswith("/" + name):
            text = name
            break
    return f"{text}:{int(line)}"


@primitive
def model_might_resched(m: Machine, file: int, line: int, offsets: int) -> None:
    """``void model_might_resched(const char *file, int line, unsigned int offsets)``:
    something that may sleep. ``offsets`` is what the counts may be: the preemption count
    in the low 8 bits, the RCU depth above."""
    kernel = kernel_of(m)
    task = kernel.task
    offsets = int(offsets)
    nested = task.preempt_count + (task.rcu_depth << 8)
    legal = nested == offsets and not kernel.cpu.irqs_off and not task.idle
    if legal and not task.non_block:
        return
    place = place_of(m, file, line)
    why = _quiet(kernel)
    made = report(
        kernel,
        "sleeping",
        f"BUG: sleeping function called from invalid context at {place}",
        suppressed=why,
        place=place,
        expected=offsets & 0xFF,
        rcu_expected=offsets >> 8,
    )
    if made.printed:
        kernel.last_splat = kernel.now
        kernel.taint.add("W")


def _quiet(kernel: Kernel) -> str:
    """Why the kernel's check for sleeping would print nothing now."""
    if not kernel.config.debug_atomic_sleep:
        return NOT_BUILT
    if kernel.system_state == BOOTING:
        return WHILE_BOOTING
    if kernel.system_state > RUNNING:
        return AFTER_RUNNING
    if kernel.oops_in_progress:
        return IN_OOPS
    last = kernel.last_splat
    if kernel.config.rate_limit and last is not None and kernel.now - last < 1_000_000:
        return RATE_LIMIT
    return ""


@primitive
def model_schedule_bug(m: Machine) -> None:
    """``void model_schedule_bug(void)``: the scheduler was entered in atomic context.
    The count in the message has the scheduler's own preempt_disable() in it."""
    kernel = kernel_of(m)
    task = kernel.task
    headline = (
        f"BUG: scheduling while atomic: {task.comm}/{task.pid}/{task.preempt_count:#010x}"
    )
    quiet = IN_OOPS if kernel.oops_in_progress else ""
    if report(kernel, "scheduling-while-atomic", headline, suppressed=quiet).printed:
        kernel.taint.add("W")


@primitive
def model_cant_sleep(m: Machine, file: int, line: int, offset: int) -> None:
    """``void model_cant_sleep(const char *file, int line, int offset)``: something that
    must be called in atomic context."""
    kernel = kernel_of(m)
    if kernel.cpu.irqs_off or kernel.task.preempt_count > int(offset):
        return
    place = place_of(m, file, line)
    why = "" if kernel.config.debug_atomic_sleep else NOT_BUILT
    report(
        kernel,
        "cant-sleep",
        f"BUG: assuming atomic context at {place}",
        suppressed=why,
        place=place,
    )


@primitive
def model_idle_bug(m: Machine) -> None:
    """``void model_idle_bug(void)``: the idle task gave up its CPU."""
    report(kernel_of(m), "idle-scheduling", "bad: scheduling from the idle thread!")


@primitive
def model_warn(m: Machine, file: int, line: int, text: int) -> None:
    """``void model_warn(const char *file, int line, const char *text)``: a warning with a
    text, of the function that calls it, which stands at that place of the kernel."""
    place = f"{m.mem.text(file)}:{int(line)}"
    warning(kernel_of(m), place, _shown(m), once=False, text=m.mem.text(text))


@primitive
def model_warn_at(m: Machine, file: int, line: int, once: int) -> None:
    """``void model_warn_at(const char *file, int line, int once)``: the same without a
    text; ``once``: WARN_ONCE()."""
    place = f"{m.mem.text(file)}:{int(line)}"
    warning(kernel_of(m), place, _shown(m), once=bool(once))


def _shown(m: Machine) -> str:
    """The innermost function that has a frame of its own."""
    names = (f.meta.name for f in reversed(m.stack) if "inline" not in f.meta.fn.attrs)
    return next(names, "")


def warning(kernel: Kernel, place: str, function: str, *, once: bool, text: str = "") -> None:
    """A WARN at ``file:line`` of a function; ``once`` prints the first only. A ``text``
    is printed before it and is the headline."""
    seen = kernel.part(_Once).places
    why = "printed once before" if once and place in seen else ""
    seen.add(place)
    headline = text or (
        f"WARNING: CPU: {kernel.cpu.number} PID: {kernel.task.pid} at {place} {function}"
    )
    report(kernel, "warn", headline, suppressed=why, place=place, function=function, text=text)
    kernel.taint.add("W")


class _Once:
    """Places of warnings that speak once."""

    def __init__(self, kernel: Kernel) -> None:
        self.places: set[str] = set()


@primitive
def model_rule(m: Machine, kind: int, text: int) -> None:
    """``void model_rule(const char *kind, const char *text)``: a rule is broken that the
    kernel does not check itself."""
    kernel = kernel_of(m)
    report(kernel, m.mem.text(kind), m.mem.text(text), suppressed="the kernel does not check")


@primitive
def model_panic(m: Machine, text: int) -> None:
    """``_Noreturn void model_panic(const char *text)``: the kernel ends here."""
    kernel = kernel_of(m)
    message = m.mem.text(text)
    report(kernel, "bug", message)
    raise Crashed(message)


__all__ = [
    "AFTER_RUNNING", "IN_OOPS", "NOT_BUILT", "RATE_LIMIT", "WHILE_BOOTING", "place_of",
    "report", "warning",
]  # fmt: skip
