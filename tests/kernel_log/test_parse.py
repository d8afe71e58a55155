# SPDX-License-Identifier: GPL-2.0-or-later
"""Logs of real kernels, and what happens to logs on their way to a reader."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from ctxlint.kernel_log import types as t
from ctxlint.kernel_log.context import error_hint, interrupts_off
from ctxlint.kernel_log.format import lines
from ctxlint.kernel_log.parse import parse
from ctxlint.kernel_log.prefix import split

LOGS = Path(__file__).parent / "logs"
ALL = sorted(LOGS.glob("*.txt"))


def read(name: str) -> str:
    return (LOGS / name).read_bytes().decode()


def only(text: str) -> Any:
    (located,) = parse(text).splats
    return located.splat


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_real_logs_lose_nothing(path: Path) -> None:
    text = path.read_bytes().decode()
    log = parse(text)
    (located,) = log.splats
    assert lines(located.splat) == [line.text for line in split(text)]
    assert log.rest == ()
    # Everything of these logs has a field of its own.
    assert located.splat.notes == () and located.splat.layout == ()


def test_there_is_a_log_of_every_kind_that_real_kernels_print() -> None:
    kinds = {type(only(path.read_bytes().decode())) for path in ALL}
    assert kinds >= {
        t.Sleeping, t.Scheduling, t.IdleScheduling, t.Preemptible, t.Warn, t.Bug, t.Oops,
        t.Lockdep, t.WaitContext, t.LockState, t.HotplugFailure,
    }  # fmt: skip


def test_the_warning_of_a_xen_guest() -> None:
    """Linux 5.15 on arm64, sent by mail: no UID, one space instead of many."""
    splat = only(read("warn-5.15-xen.txt"))
    assert isinstance(splat, t.Warn)
    assert (splat.file, splat.line) == ("drivers/irqchip/irq-gic-v3-its.c", 3074)
    assert (splat.cpu, splat.pid, splat.name, splat.uid) == (30, 0, "swapper/30", None)
    assert splat.where == "its_cpu_init+0x814/0xae0"
    assert (splat.taint, splat.release, splat.build) == (
        "G W", "5.15.23-ampere-lts-standard", "#1",
    )  # fmt: skip
    assert [f.symbol for f in splat.frames][:2] == ["its_cpu_init", "gic_starting_cpu"]
    assert splat.frames[0] == t.Frame("its_cpu_init", 0x814, 0xAE0)
    assert splat.end == "f68728a0d3053b70"
    assert error_hint(splat) == ("x0", "-19 (ENODEV)")
    assert interrupts_off(splat) is True


def test_fields_of_a_sleeping_splat() -> None:
    splat = only(read("sleeping-registration.txt"))
    assert isinstance(splat, t.Sleeping)
    assert (splat.file, splat.line) == ("include/linux/percpu-rwsem.h", 49)
    assert (splat.in_atomic, splat.irqs_disabled, splat.non_block) == (0, 1, 0)
    assert (splat.pid, splat.name) == (21, "cpuhp/0")
    assert (splat.preempt_count, splat.expected) == (0, 0)
    assert (splat.rcu_depth, splat.rcu_expected) == (0, 0)
    assert splat.held is not None and splat.irqs is not None
    lock = splat.held.locks[1]
    assert (lock.name, lock.usage, lock.outer) == ("cpuhp_state-up", "+.+.", 0)
    assert lock.where == "cpuhp_thread_fun+0x44/0x250"
    assert splat.irqs.hard_off.stamp == 1294
    assert splat.irqs.hard_off.place.where == "cpuhp_thread_fun+0x1e4/0x250"
    assert splat.hardware == "linux,dummy-virt (DT)"


def test_counts_are_hexadecimal() -> None:
    assert only(read("sleeping-sdei.txt")).preempt_count == 0x110000
    assert only(read("scheduling.txt")).preempt_count == 2
    assert only(read("sleeping-rcu.txt")).rcu_depth == 1


def test_lockdep() -> None:
    wait = only(read("wait-context.txt"))
    assert (wait.lock.name, wait.lock.inner, wait.context) == ("&zone->lock", 3, (2, 2))
    assert wait.held == t.HeldLocks("swapper/1", 0)
    state = only(read("lock-state.txt"))
    assert (state.before, state.now) == ("INITIAL USE", "IN-NMI")
    assert state.lock.name == "&pool->lock" and len(state.held.locks) == 4
    assert state.registered[1] == "  lock_acquire+0x13c/0x358"
    assert "        lock(&pool->lock);" not in state.registered
    assert any("lock(&pool->lock);" in line for line in state.scenario)
    other = only(read("lockdep-recursive.txt"))
    assert other.title == "WARNING: possible recursive locking detected"
    assert "but task is already holding lock:" in other.body


def test_exceptions() -> None:
    bug = only(read("bug.txt"))
    assert (bug.file, bug.line) == ("kernel/cpu.c", 1364)
    assert bug.error.startswith("Internal error: Oops - BUG: ")
    assert bug.code.endswith("(d4210000)")
    oops = only(read("oops.txt"))
    assert oops.fault.startswith("Unable to handle kernel NULL pointer dereference")
    assert oops.info[0] == "Mem abort info:" and len(oops.info) == 12
    assert only(read("warn-message.txt")).message == (
        "DEBUG_LOCKS_WARN_ON(val > preempt_count())",
    )


def test_hotplug_lines() -> None:
    splat = only(read("hotplug.txt"))
    assert splat == t.HotplugFailure(
        on=1, direction="UP", state="satest:starting", number=136, error=-22
    )
    (off,) = parse("Failed to offline CPU3 - error=-16\n").splats
    assert off.splat == t.CpuFailure(on=3, what="Failed to offline CPU3 - error=-16", error=-16)


OLD = """\
BUG: sleeping function called from invalid context at kernel/locking/mutex.c:580
in_atomic(): 1, irqs_disabled(): 128, non_block: 0, pid: 0, name: swapper/2
CPU: 2 PID: 0 Comm: swapper/2 Not tainted 5.15.0-25-generic #25-Ubuntu
Call trace:
 dump_backtrace+0x0/0x1ec
 ___might_sleep+0x120/0x160
 mutex_lock+0x30/0x70
 frob_starting_cpu+0x20/0x44 [frob]
 notify_cpu_starting+0x9c/0xc0
"""

X86 = """\
BUG: sleeping function called from invalid context at kernel/locking/spinlock_rt.c:46
in_atomic(): 1, irqs_disabled(): 1, non_block: 0, pid: 0, name: swapper/2
preempt_count: 1, expected: 0
RCU nest depth: 0, expected: 0
CPU: 2 PID: 0 Comm: swapper/2 Not tainted 6.1.0-13-rt-amd64 #1  Debian 6.1.55-1
Hardware name: QEMU Standard PC (Q35 + ICH9, 2009), BIOS 1.16.2
Call Trace:
 <TASK>
 dump_stack_lvl+0x44/0x5c
 __might_resched.cold+0xdf/0xf2
 ? frob_exit+0x10/0x10 [frob]
 rt_spin_lock+0x3c/0xd0
 frob_starting_cpu+0x20/0x40 [frob]
 notify_cpu_starting+0x6a/0x90
 start_secondary+0x59/0x130
 secondary_startup_64_no_verify+0xe5/0xeb
 </TASK>
"""


@pytest.mark.parametrize("text", [OLD, X86], ids=["5.15 arm64", "6.1 x86"])
def test_older_kernels(text: str) -> None:
    splat = only(text)
    assert "\n".join(lines(splat)) + "\n" == text
    assert splat.notes == () and splat.layout == ()
    assert splat.uid is None
    assert [f.module for f in splat.frames].count("frob") >= 1


def test_what_older_kernels_do_not_say() -> None:
    splat = only(OLD)
    assert (splat.preempt_count, splat.rcu_depth, splat.irqs_disabled) == (None, None, 128)
    assert not only(X86).frames[2].reliable


@pytest.mark.parametrize(
    "prefix",
    [
        "[    1.250000] ",
        "[    1.250000][    T1] ",
        "[    1.250000] [   C2] ",
        "<3>[    1.250000] ",
        "<3>",
        "Nov  6 11:54:30 host kernel: [    1.250000] ",
        "Nov 26 11:54:30 host kernel: ",
        "2026-11-26T11:54:30.123456+01:00 host kernel: ",
        "kern  :err   : [    1.250000] ",
        "[Mon Sep  5 22:40:51 2022] ",
        "[Nov26 11:54] ",
        "[  +0.000012] ",
        "> [    1.250000] ",
        "",
    ],
)
def test_prefixes(prefix: str) -> None:
    for ending in ("\n", "\r\n"):
        text = "".join(prefix + line + ending for line in X86.splitlines())
        assert only(text) == only(X86)


def test_time_and_caller_are_kept() -> None:
    text = "".join(f"[    1.25{n}000][   C{2}] {x}\n" for n, x in enumerate(X86.splitlines()))
    (located,) = parse("boot\n\n" + text).splats
    assert (located.line, located.time, located.caller) == (3, "1.250000", "C2")


def test_two_cpus_at_once_are_taken_apart_by_their_callers() -> None:
    mixed = []
    for old, new in zip(OLD.splitlines(), X86.splitlines(), strict=False):
        mixed += [f"[    1.000000][    T5] {old}", f"[    1.000000][    C2] {new}"]
    mixed += [f"[    1.000000][    C2] {x}" for x in X86.splitlines()[len(OLD.splitlines()) :]]
    mixed.insert(7, "[    1.000000][    T9] frob: hello")
    log = parse("\n".join(mixed) + "\n")
    assert [x.splat for x in log.splats] == [only(OLD), only(X86)]
    assert log.rest == ("[    1.000000][    T9] frob: hello",)


def test_a_stranger_between_is_a_note_in_its_place() -> None:
    text = X86.splitlines()
    text.insert(11, "frob: hello")
    splat = only("\n".join(text) + "\n")
    assert splat.notes == ("frob: hello",)
    assert lines(splat) == text
    assert splat.frames == only(X86).frames


def test_the_rest_is_untouched() -> None:
    before, after = "[    0.100000] frob: up\n\n", "init: done\n[    9.000000] \n"
    log = parse(before + X86 + after)
    assert log.rest == ("[    0.100000] frob: up", "", "init: done", "[    9.000000] ")
    assert log.splats[0].line == 3


@pytest.mark.parametrize("keep", range(1, len(X86.splitlines())))
def test_a_log_that_ends_early(keep: int) -> None:
    text = X86.splitlines()[:keep]
    log = parse("\n".join(text))
    assert [line for x in log.splats for line in lines(x.splat)] + list(log.rest) == text
    assert len(log.splats) == 1


def test_two_splats_in_a_row_stay_two() -> None:
    log = parse(X86 + X86 + OLD)
    assert [x.splat for x in log.splats] == [only(X86), only(X86), only(OLD)]


def test_a_line_that_is_spelled_otherwise_is_not_lost() -> None:
    text = X86.replace("expected: 0\nRCU", "expected: none\nRCU").splitlines()
    splat = only("\n".join(text))
    assert lines(splat) == text
    assert splat.notes == ("preempt_count: 1, expected: none",)
    assert splat.preempt_count is None


def test_words_about_splats_are_none() -> None:
    text = "see BUG: sleeping function called from invalid context at a.c:1 yesterday\n"
    assert parse(text).splats == ()
    assert parse("").splats == () and parse("").rest == ()


POOL = sorted({line for path in ALL for line in path.read_bytes().decode().splitlines()})
POOL += [*X86.splitlines(), *OLD.splitlines(), "", "=====", "frob", "Call trace:", " <IRQ>"]


@settings(max_examples=examples(30), deadline=None)
@given(st.lists(st.sampled_from(POOL), max_size=60))
def test_any_mixture_of_lines_is_kept(mixture: list[str]) -> None:
    log = parse("\n".join(mixture) + "\n")
    for located in log.splats:
        assert lines(located.splat) == list(located.lines)
    assert sum(len(x.lines) for x in log.splats) + len(log.rest) == len(mixture or [""])


@settings(max_examples=examples(20), deadline=None)
@given(st.sampled_from(ALL), st.data())
def test_a_log_with_holes_is_kept(path: Path, data: st.DataObject) -> None:
    text = path.read_bytes().decode().splitlines()
    keep = data.draw(st.lists(st.booleans(), min_size=len(text), max_size=len(text)))
    left = [line for line, kept in zip(text, keep, strict=True) if kept]
    log = parse("\n".join(left))
    for located in log.splats:
        assert lines(located.splat) == list(located.lines)
    assert sum(len(x.lines) for x in log.splats) + len(log.rest) == len(left)
