# SPDX-License-Identifier: GPL-2.0-or-later
"""What is printed is read again as it was."""

from __future__ import annotations

import inspect

from examples import examples
from hypothesis import given, settings

from ctxlint.kernel_log import fields
from ctxlint.kernel_log import types as t
from ctxlint.kernel_log.format import lines, render
from ctxlint.kernel_log.kinds import BY_RECORD
from ctxlint.kernel_log.parse import parse

from .records import record


@settings(max_examples=examples(15), deadline=None)
@given(record, record)
def test_printed_and_read(first: t.Record, second: t.Record) -> None:
    log = parse(render([first, second], time="    1.000001"))
    assert [located.splat for located in log.splats] == [first, second]
    assert log.rest == ()


def test_every_record_can_be_written() -> None:
    kinds = {
        kind
        for _, kind in inspect.getmembers(t, inspect.isclass)
        if issubclass(kind, t.Splat) and kind is not t.Splat
    }
    assert set(BY_RECORD) == kinds


def test_as_the_model_makes_it() -> None:
    splat = t.Sleeping(
        file="kernel/locking/spinlock_rt.c",
        line=48,
        in_atomic=1,
        irqs_disabled=1,
        pid=0,
        name="swapper/1",
        preempt_count=1,
        cpu=1,
        taint=fields.taint_letters("W"),
        taints="[W]=WARN",
        frames=(t.Frame("rt_spin_lock", 0x38, 0x154), t.Frame("frob", 8, 16, "frob")),
    )
    assert render([splat]) == (
        "BUG: sleeping function called from invalid context at"
        " kernel/locking/spinlock_rt.c:48\n"
        "in_atomic(): 1, irqs_disabled(): 1, non_block: 0, pid: 0, name: swapper/1\n"
        "preempt_count: 1, expected: 0\n"
        "RCU nest depth: 0, expected: 0\n"
        "CPU: 1 UID: 0 PID: 0 Comm: swapper/1 Tainted: G        W          6.12 #1\n"
        "Tainted: [W]=WARN\n"
        "Call trace:\n"
        " rt_spin_lock+0x38/0x154\n"
        " frob+0x8/0x10 [frob]\n"
    )


def test_x86_stacks_are_marked() -> None:
    splat = t.IdleScheduling(
        cpu=0,
        arch="x86",
        frames=(t.Frame("a", 1, 2, stack="IRQ"), t.Frame("b", 1, 2, reliable=False)),
    )
    assert lines(splat)[2:] == [
        "Call Trace:",
        " <IRQ>",
        " a+0x1/0x2",
        " </IRQ>",
        " <TASK>",
        " ? b+0x1/0x2",
        " </TASK>",
    ]
