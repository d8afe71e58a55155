# SPDX-License-Identifier: GPL-2.0-or-later
"""Each context is entered by the kernel's own way, and is what its rule says."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from ctxlint.rulebook.loader import rules_directory
from ctxlint.simulator.outcome import Unmodelled
from ctxlint.simulator.runtime.entries import enter, known
from tests.simulator.runtime.hotplug import world

TEXT = 'long here(void) { probe("here", 0); return 0; }'
CONTEXTS: dict[str, dict[str, Any]] = yaml.safe_load(
    (rules_directory() / "contexts.yaml").read_text(encoding="utf-8")
)
WITHOUT_A_WAY = {"cpu-dead", "irq-domain", "irq-setup"}


@pytest.mark.parametrize("rt", [True, False])
@pytest.mark.parametrize("context", sorted(CONTEXTS))
def test_a_context_is_what_its_rule_says(context: str, rt: bool) -> None:
    rule = CONTEXTS[context]
    expected = rule.get("any") if "any" in rule else rule["rt" if rt else "nort"]
    with world(TEXT, rt=rt) as w:
        m = w.kernel.m
        if context in WITHOUT_A_WAY:
            assert not known(m, context)
            return
        sim = w.boot()
        assert enter(sim, context, lambda: m.call("here")) == 0
        (seen,) = w.seen
        assert seen.irqs_off == (expected.get("irqs", True) is False or _unforced(context, rt))
        assert bool(seen.count & 0xF0000) == (
            expected.get("hardirq", False) or _unforced(context, rt)
        )
        assert bool(seen.count & 0xF00000) == expected.get("nmi", False)
        if expected.get("preempt"):
            assert seen.count & 0xFF
        if rt:
            assert seen.rcu >= expected.get("rcu", 0)
            assert seen.migration >= expected.get("migrate", 0)
        elif expected.get("softirq"):
            assert seen.count & 0x100
        sim.settle()
        assert not any(cpu.irqs_off for cpu in w.kernel.cpus if cpu.online)
        assert w.kernel.task.preempt_count in (0, 1)


def _unforced(context: str, rt: bool) -> bool:
    """Threads are forced with PREEMPT_RT alone."""
    return context == "irq-thread-forced" and not rt


def test_a_context_without_a_way() -> None:
    with world(TEXT) as w, pytest.raises(Unmodelled, match="irq-domain"):
        enter(w.boot(), "irq-domain", lambda: 0)
