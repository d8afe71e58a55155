# SPDX-License-Identifier: GPL-2.0-or-later
"""Where splats of real kernels were printed, and what is made of it in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ctxlint.base.errors import RuleError
from ctxlint.kernel_log import rules as splat_rules
from ctxlint.kernel_log import types as t
from ctxlint.kernel_log import wording
from ctxlint.kernel_log.context import context_of, error_hint, interrupts_off, names
from ctxlint.kernel_log.parse import parse
from ctxlint.kernel_log.paths import named_functions, own_frames
from ctxlint.kernel_log.rules import plain
from ctxlint.rulebook import load

LOGS = Path(__file__).parent / "logs"
BOOK = load()
RULES = splat_rules.load(BOOK)


def read(name: str) -> Any:
    (located,) = parse((LOGS / f"{name}.txt").read_bytes().decode()).splats
    return located.splat


@pytest.mark.parametrize(
    "name, context, section",
    [
        ("warn-5.15-xen", "cpuhp-starting", "STARTING"),
        ("sleeping-starting", "cpuhp-starting", "STARTING"),
        ("sleeping-registration", "cpuhp-starting-online", "STARTING"),
        ("sleeping-dying", "cpuhp-dying", "DYING"),
        ("sleeping-sdei", "nmi", ""),
        ("sleeping-rcu", "task", ""),
        ("scheduling", "task", ""),
        ("idle", "ipi", ""),
        ("wait-context", "irq-work-hard", ""),
        ("lock-state", "nmi", ""),
        ("preemptible", "cpuhp-prepare", "PREPARE"),
        ("bug", "cpu-dead", ""),
        ("oops", "softirq", ""),
    ],
)
def test_contexts(name: str, context: str, section: str) -> None:
    found = context_of(read(name), RULES)
    assert found is not None
    assert (found.name, found.section) == (context, section)
    assert found.title and found.evidence


def test_the_words_are_those_of_the_other_reports() -> None:
    found = context_of(read("sleeping-starting"), RULES)
    assert found is not None
    assert found.title == BOOK.contexts["cpuhp-starting"].title
    assert found.state[:2] == ("interrupts off", "preempt count 1")
    assert "notify_cpu_starting" in found.evidence[0]
    sdei = context_of(read("sleeping-sdei"), RULES)
    assert sdei is not None and sdei.title == "SDEI event"


def made(*frames: str, **more: Any) -> t.Sleeping:
    values: dict[str, Any] = {"file": "a.c", "line": 1, "cpu": 0, **more}
    values = {"pid": 0 if "swapper" in values.get("name", "") else 7, "name": "x", **values}
    return t.Sleeping(frames=tuple(t.Frame(f, 1, 2) for f in frames), **values)


CPUHP = ("frob", "cpuhp_invoke_callback", "cpuhp_thread_fun", "smpboot_thread_fn", "kthread")


def lock(name: str) -> t.HeldLocks:
    return t.HeldLocks("cpuhp/1", 20, (t.HeldLock("ff", name),))


@pytest.mark.parametrize(
    "splat, context",
    [
        (made(*CPUHP), "cpuhp-online"),
        (made(*CPUHP, held=lock("cpuhp_state-down")), "cpuhp-online-down"),
        (made(*CPUHP, irqs_disabled=1, held=lock("cpuhp_state-up")), "cpuhp-starting-online"),
        (made(*CPUHP, irqs_disabled=1, held=lock("cpuhp_state-down")), "cpuhp-dying-online"),
        (made("frob", "multi_cpu_stop", "cpu_stopper_thread", irqs_disabled=1), "stop-machine"),
        (made("frob", "handle_softirqs", "irq_exit_rcu", "el1_interrupt"), "softirq"),
        (made("frob", "el1_interrupt", *CPUHP), "hardirq"),
        (made("frob", "__hrtimer_run_queues", preempt_count=0x10001), "hrtimer-hard"),
        (made("frob", "vfs_write", preempt_count=0x10000), "hardirq"),
        (made("frob", "vfs_write", preempt_count=0x200), "task"),
        (made("frob", "vfs_write", preempt_count=0x101), "softirq"),
        (made("frob", "process_one_work"), "kworker"),
    ],
)
def test_signatures(splat: t.Sleeping, context: str) -> None:
    found = context_of(splat, RULES)
    assert found is not None and found.name == context


def test_a_stack_that_ends_early_in_the_idle_task() -> None:
    found = context_of(made("frob", name="swapper/1"), RULES)
    assert found is not None and found.title == "idle task"


def test_unknown_interrupts_in_the_hotplug_thread_stay_unknown() -> None:
    found = context_of(t.Lockdep(
        title="WARNING: a", cpu=0, pid=20, name="cpuhp/0",
        frames=tuple(t.Frame(name, 1, 2) for name in CPUHP),
    ), RULES)  # fmt: skip
    assert found is not None and (found.name, found.section) == ("", "") and found.hints


def test_without_lockdep_both_halves_are_named() -> None:
    found = context_of(made(*CPUHP, irqs_disabled=1), RULES)
    assert found is not None
    assert found.section == "STARTING or DYING" and found.hints


def test_an_uncertain_frame_is_no_evidence() -> None:
    splat = made("frob", "vfs_write")
    maybe = t.Frame("notify_cpu_starting", 1, 2, reliable=False)
    assert context_of(t.Sleeping(
        file="a.c", line=1, cpu=0, pid=7, name="x", frames=(maybe, *splat.frames)
    ), RULES) == context_of(splat, RULES)  # fmt: skip


def test_interrupts_as_the_processor_saved_them() -> None:
    def warn(register: str) -> t.Warn:
        return t.Warn(where="a+0x1/0x2", cpu=0, registers=(register,))

    assert interrupts_off(warn("pstate: 600001c5 (nZCv dAIF -PAN)")) is True
    assert interrupts_off(warn("pstate: 60000005 (nZCv daif -PAN)")) is False
    assert interrupts_off(warn("RSP: 0018:ffffc900 EFLAGS: 00010046")) is True
    assert interrupts_off(warn("RSP: 0018:ffffc900 EFLAGS: 00010246")) is False
    assert interrupts_off(warn("sp : ffff800009c03ce0")) is None


@pytest.mark.parametrize(
    "register, hint",
    [
        ("x2 : 0 x1 : 0 x0 : 00000000ffffffed", ("x0", "-19 (ENODEV)")),
        ("x2 : 0 x1 : 0 x0 : fffffffffffffff4", ("x0", "-12 (ENOMEM)")),
        ("RAX: ffffffffffffffea RBX: 0 RCX: 0", ("RAX", "-22 (EINVAL)")),
        ("x2 : 0 x1 : 0 x0 : 0000000100000000", None),
        ("x20: 00000000ffffffed x19: 0 x18: 0", None),
    ],
)
def test_errno_in_a_register(register: str, hint: tuple[str, str] | None) -> None:
    assert error_hint(t.Warn(where="a+0x1/0x2", cpu=0, registers=(register,))) == hint


def test_names_of_functions() -> None:
    assert plain("frob.isra.0") == "frob"
    assert plain("frob.constprop.0.isra.0.cold") == "frob"
    assert plain("frob.llvm.1234567") == "frob"
    assert plain("frob.part.0") == "frob" and plain("frob") == "frob"
    assert names(read("sleeping-starting"), RULES)[:2] == ("rt_read_lock", "region_intersects")


def test_what_to_look_for_in_the_tree() -> None:
    splat = read("sleeping-starting")
    own = own_frames(splat, context_of(splat, RULES), RULES)
    assert own == ["its_cpu_init", "gic_starting_cpu"]


def test_every_kind_has_words() -> None:
    for path in sorted(LOGS.glob("*.txt")):
        splat = read(path.stem)
        assert wording.what(splat, RULES) and wording.headline(splat)
    sleeping = read("sleeping-starting")
    assert wording.what(sleeping, RULES) == "spinlock_t where sleeping is not allowed"
    assert wording.place(sleeping) == "kernel/locking/spinlock_rt.c:248"
    assert wording.what(read("sleeping-rcu"), RULES) == "mutex inside an RCU read side section"
    assert wording.headline(read("wait-context")) == "BUG: Invalid wait context"


@pytest.mark.parametrize(
    "text, message",
    [
        ("signatures: [{context: nowhere}]", "signatures.0..context: unknown name `nowhere`"),
        ("signatures: [{frames: [a]}]", "needs a context or a title"),
        ("signatures: [{kontext: task}]", "unknown field `kontext`"),
        ("places: [{file: a.c, operation: sing}]", "unknown `sing`"),
        ("signatures: {", "splats.yaml: "),
    ],
)
def test_wrong_rules(tmp_path: Path, text: str, message: str) -> None:
    rest = {"signatures": [], "printers": [], "carriers": [], "warnings": [], "places": []}
    lines = [text] + [f"{key}: []" for key in rest if not text.startswith(key)]
    path = tmp_path / "splats.yaml"
    path.write_text("\n".join(lines))
    with pytest.raises(RuleError, match=message):
        splat_rules.load(BOOK, path)


def test_generic_entry_code_does_not_cut_own_frames() -> None:
    """A rule alone does not end them: it must make a demand on its context."""
    frames = ("rt_spin_lock", "frob_update", "account_user_time", "update_process_times")
    splat = made(*frames, "tick_sched_timer", "__hrtimer_run_queues", preempt_count=0x10001)
    own = own_frames(splat, context_of(splat, RULES), RULES)
    assert own[:3] == ["frob_update", "account_user_time", "update_process_times"]
    splat = made("_raw_spin_lock", "frob_irq", "handle_percpu_devid_irq", "gic_handle_irq")
    assert own_frames(splat, context_of(splat, RULES), RULES) == ["frob_irq"]


def test_functions_beside_the_stack() -> None:
    held = t.HeldLocks("x", 7, (t.HeldLock("ff", "a", where="frob_lock+0x1/0x2 a/b.c:3"),))
    place = t.Place("ff", "__do_frob+0x2c/0x78")
    splat = made("frob", "vfs_write", held=held, disabled_at=place)
    assert named_functions(splat, RULES) == ["__do_frob", "frob_lock"]


@pytest.mark.parametrize(
    "registers, off",
    [
        (("pstate: 60400009 (nZCv daif +PAN)", "pmr: 000000c0"), True),
        (("pstate: 60400009 (nZCv daif +PAN)", "pmr_save: 000000e0"), False),
        (("pstate: 604000c9 (nZCv daIF +PAN)", "pmr: 000000e0"), True),
        (("Flags: nzcv  IRQs off  FIQs on  Mode SVC_32",), True),
        (("CFAR: c000000000d0249c IRQMASK: 1 ",), True),
        (("CFAR: c000000000d0249c IRQMASK: 0 ",), False),
        (("status: 0000000200000120 badaddr: 0 cause: 3",), False),
        (("status: 0000000200000100 badaddr: 0 cause: 3",), True),
        ((" PRMD: 00000004 (PPLV0 +PIE -PWE)",), False),
        (("           R:0 T:1 IO:0 EX:0 Key:0 M:1 W:0",), True),
        (("RSP: 002b:00007ffd3bd2c0a8 EFLAGS: 00000246 ORIG_RAX: 0",), None),
    ],
)
def test_interrupts_in_registers_of_all_architectures(
    registers: tuple[str, ...], off: bool | None
) -> None:
    assert interrupts_off(t.Warn(where="a+0x1/0x2", cpu=0, registers=registers)) is off


@pytest.mark.parametrize(
    "release, count, context",
    [
        ("6.12.1", 0x10001, "hardirq"),
        ("7.3.0-rc2", 0x10001, "task"),  # interrupts disabled once, as 7.3 counts it
        ("7.3.0-rc2", 0x1000001, "hardirq"),
        ("7.3.0-rc2", 0x10000001, "nmi"),
    ],
)
def test_the_layout_of_the_count_is_that_of_the_release(
    release: str, count: int, context: str
) -> None:
    found = context_of(made("frob", "vfs_write", preempt_count=count, release=release), RULES)
    assert found is not None and found.name == context


def test_the_words_on_a_context_never_contradict_the_state() -> None:
    place = t.Place("ff", "frob_lock+0x2c/0x78")
    off = context_of(
        made("frob", "process_one_work", irqs_disabled=1, disabled_at=place), RULES
    )
    assert off is not None
    assert off.title == "workqueue, with interrupts off since frob_lock()" and off.text == ""
    on = context_of(made("frob", "el1_interrupt"), RULES)
    assert on is not None and on.title == "hard interrupt, with interrupts on"
    free = context_of(made("frob", "process_one_work"), RULES)
    assert free is not None and "may sleep" in free.text
