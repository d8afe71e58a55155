# SPDX-License-Identifier: GPL-2.0-or-later
"""The two readers of the rules say the same of a call when everything is known."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from analysis.snippet import rules
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from ctxlint.ir.unit import Block, Function
from ctxlint.rulebook.book import ApiRule
from ctxlint.semantics import rule_calls
from ctxlint.semantics.context import Context, Counts
from ctxlint.semantics.rule_calls import RecordInit
from ctxlint.semantics.terms import Const, evaluate
from ctxlint.semantics.waits import Wait
from ctxlint.simulator.code import Code, Frame, Meta
from ctxlint.simulator.image import Image
from ctxlint.simulator.machine import Machine
from ctxlint.simulator.runtime.state import HARDIRQ, NMI, SOFTIRQ, Config, Kernel
from ctxlint.verification.execution import Bounds, Path
from ctxlint.verification.rule_bodies import Known, RuleInterpreter, context_of, count

FILE = "drivers/t.c"


@cache
def requiring() -> tuple[ApiRule, ...]:
    """The rules that require something."""
    found = [r for r in rules().apis.values() if r.api.requires or r.api.config is not None]
    return tuple(sorted(found, key=lambda rule: rule.symbol))


def constant(name: str) -> int | None:
    rule = rules().constants.get(name)
    if rule is None:
        return None
    return 1 << 3 if rule.shift else (rule.value if rule.value is not None else 5)


contexts = st.builds(
    Context,
    irqs_off=st.booleans(),
    counts=st.builds(Counts, st.integers(0, 2), st.integers(0, 1), st.integers(0, 1)),
    soft=st.booleans(),
    hard=st.booleans(),
    nmi=st.booleans(),
    exact=st.just(True),
    name=st.sampled_from(["", "hardirq", "kworker"]),
)


def kernel_in(context: Context, rt: bool) -> Machine:
    """A machine whose running task is in a context."""
    m = Machine(Code(Image()))
    kernel = Kernel(m, Config(rt=rt))
    task = kernel.new_task("t", 0)
    kernel.cpu.current = task
    kernel.install(task)
    task.preempt_count = (
        context.counts.preempt
        + HARDIRQ * context.hard
        + NMI * context.nmi
        + SOFTIRQ * context.soft
    )
    kernel.cpu.irqs_off = bool(context.irqs_off)
    task.rcu_depth = context.counts.rcu
    for _ in range(context.counts.bh):
        count(kernel, "bh", 1)
    caller = Function(
        "t",
        "t",
        FILE,
        1,
        1,
        1,
        (),
        0,
        0,
        False,
        (),
        (),
        (),
        (Block((), None),),  # type: ignore[arg-type]
    )
    m.stack.append(Frame(Meta(caller, m.image)))
    return m


@settings(max_examples=examples(60), deadline=None)
@given(
    context=contexts,
    rt=st.booleans(),
    rule=st.sampled_from(requiring()),
    args=st.lists(
        st.sampled_from([0, 1, 2, 0x400, 0x800, 0xCC0, 0x2400]), min_size=8, max_size=8
    ),
    chosen=st.dictionaries(
        st.sampled_from(["fast_io", "use_raw_spinlock", "disable_locking"]), st.integers(0, 1)
    ),
    relaxed=st.booleans(),
)
def test_both_readers_agree(
    context: Context,
    rt: bool,
    rule: ApiRule,
    args: list[int],
    chosen: dict[str, int],
    relaxed: bool,
) -> None:
    record = rule.api.config.record if rule.api.config is not None else "regmap_config"
    inits = (RecordInit(f"struct {record}", "t", tuple(sorted(chosen.items()))),)
    calls = set(rule.api.relaxed_by) if relaxed else set()

    bound = rule_calls.bind(rule, None)
    values = [Const(number) for number in args]
    find = rule_calls.lookup(bound, values, lambda v: evaluate(v, lambda _: None), constant)
    need = rule_calls.requirement(rule, rt, find, inits, calls)
    static = (
        need is not None
        and need.level > context.allows(rt)
        and not rule_calls.legal(rule, context)
    )

    m = kernel_in(context, rt)
    known = Known({}, constant, {FILE: inits}, {FILE: calls})
    ruled = RuleInterpreter(Path((), Bounds(), lambda *_: None), rules(), known, context.name)
    assert context_of(m.runtime, context.name).allows(rt) == context.allows(rt)
    report = ruled.check(m, rule, tuple(args))
    assert (report is not None) is static
    decided = need is None or need.level == need.most
    if decided:
        assert not ruled.undecided


class _Counting:
    """A target that writes down what happens."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def set_irqs(self, off: bool) -> None:
        self.seen.append(("irqs", off))

    def flags(self) -> str:
        return "flags"

    def save_irqs(self) -> str:
        return "flags"

    def restore_irqs(self, flags: Any) -> None:
        self.seen.append(("restore", flags))

    def count(self, counter: str, delta: int) -> None:
        self.seen.append((counter, delta))

    def lock(self, kind: str, argument: int, taken: bool) -> bool:
        self.seen.append(("lock" if taken else "unlock", kind, argument))
        return True

    def write(self, pointer: Any, value: Any) -> None:
        self.seen.append(("write", pointer, value))

    def preempt_count(self) -> int:
        return 7

    def irqs_off(self, flags: Any) -> Any:
        return ("off", flags)

    def same(self, symbol: str) -> str:
        return symbol


def effects_of(symbol: str, *args: Any, rt: bool = False) -> tuple[Any, list[Any]]:
    rule = rules().api(symbol)
    assert rule is not None
    target = _Counting()
    bound = rule_calls.bind(rule, None)
    result = rule_calls.apply(rule, rt, rules(), bound, args, target)
    return result, target.seen


def test_saved_flags_are_what_the_call_gives() -> None:
    result, seen = effects_of("_raw_spin_lock_irqsave", "lock")
    assert result == "flags"
    assert ("irqs", True) in seen
    assert ("preempt", 1) in seen


def test_restored_flags_are_the_argument() -> None:
    _, seen = effects_of("_raw_spin_unlock_irqrestore", "lock", "mine")
    assert ("restore", "mine") in seen
    assert ("preempt", -1) in seen


@pytest.mark.parametrize("name", ["preempt-count", "irq-flags", "irqs-disabled", "same"])
def test_returned_words_are_those_of_the_rules(name: str) -> None:
    rule = next(r for r in rules().apis.values() if r.api.returns.split(" ")[0] == name)
    bound = rule_calls.bind(rule, None)
    assert rule_calls.returned(rule, bound, ("a", "b", "c"), _Counting()) is not None


def test_an_unknown_case_is_neither_claimed_nor_excluded() -> None:
    """Which structure configures the bus is not known: from no lock to a mutex."""
    rule = rules().api("regmap_write")
    assert rule is not None
    need = rule_calls.requirement(rule, False, lambda name: None, (), ())
    assert need is not None
    assert (need.level, need.most) == (Wait.SPIN, Wait.SLEEP)
