# SPDX-License-Identifier: GPL-2.0-or-later
from __future__ import annotations

import report_samples as samples

from ctxlint.findings.model import Step
from ctxlint.report.witness import call_of, call_stack, context_changes, depths, in_function


def steps(*rows: tuple[str, str, str]) -> tuple[Step, ...]:
    return tuple(
        Step(
            kind=kind,
            function=function,
            file="a.c",
            line=line,
            column=1,
            note="",
            context=context,
        )
        for line, (kind, function, context) in enumerate(rows, start=1)
    )


def test_a_title_alone_is_no_change() -> None:
    path = steps(
        ("entry", "f", "timer: interrupts off"),
        ("call", "f", "interrupts off"),
        ("call", "g", ""),
        ("state", "h", "preemption off"),
        ("operation", "h", "preemption off"),
    )
    assert context_changes(path) == ("timer: interrupts off", "", "", "preemption off", "")


def test_a_step_at_file_scope_is_in_no_function() -> None:
    inside, outside = steps(("call", "f", ""), ("registration", "", ""))
    assert (in_function(inside), in_function(outside)) == (" in f():", "")


def test_registration_is_on_no_stack() -> None:
    path = samples.its_free().path
    assert depths(path)[0] == 1
    assert [step.function for step in call_stack(path)] == [
        "gic_starting_cpu",
        "its_cpu_init",
        "its_cpu_init_lpis",
        "its_free_pending_table",
    ]


def test_a_step_in_a_caller_returns_to_it() -> None:
    path = steps(
        ("entry", "f", ""), ("call", "f", ""), ("state", "lock_it", ""), ("operation", "f", "")
    )
    assert depths(path) == (1, 1, 2, 1)
    assert [(step.function, step.line) for step in call_stack(path)] == [("f", 4)]


def test_empty_path() -> None:
    assert depths(()) == ()
    assert call_stack(()) == ()


def test_what_is_written_as_a_call_stays() -> None:
    assert call_of("mutex_lock") == "mutex_lock()"
    assert call_of("guard(raw_spinlock)") == "guard(raw_spinlock)"
