# SPDX-License-Identifier: GPL-2.0-or-later
"""What forbids an operation: the lock, the callback or the section, with fields for it."""

from __future__ import annotations

import pytest

from ctxlint.base.request import Quiet
from ctxlint.findings.model import Finding
from ctxlint.pipeline import Request, audit
from tests.fixture_harness import BELOW, make_tree

TEXT = """
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
static DEFINE_MUTEX(teal_mutex);
static DEFINE_RAW_SPINLOCK(teal_lock);
static DEFINE_MUTEX(other_mutex);
static void teal_wait(void) { mutex_lock(&teal_mutex); }
void teal_get(void)
{
	unsigned long flags;
	raw_spin_lock_irqsave(&teal_lock, flags);
	teal_wait();
	raw_spin_unlock_irqrestore(&teal_lock, flags);
}
void teal_put(void)
{
	raw_spin_lock(&teal_lock);
	mutex_unlock(&teal_mutex);
	mutex_lock(&other_mutex);
	raw_spin_unlock(&teal_lock);
}
void teal_off(void)
{
	local_irq_disable();
	mutex_lock(&other_mutex);
	local_irq_enable();
}
static void teal_mask(struct irq_data *d) { mutex_lock(&other_mutex); }
static void teal_unmask(struct irq_data *d)
{
	raw_spin_lock(&teal_lock);
	mutex_lock(&other_mutex);
	raw_spin_unlock(&teal_lock);
}
struct irq_chip teal_chip = { .irq_mask = teal_mask, .irq_unmask = teal_unmask };
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Finding]:
    folder = tmp_path_factory.mktemp("origin")
    builds = make_tree(folder / "tree", {"teal.c": TEXT})
    request = Request(
        tree=folder / "tree", paths=(BELOW,), builds=builds, cache=folder / "cache", jobs=1
    )
    findings = audit(request, Quiet()).findings
    return {f.function: f for f in findings if f.callee == "mutex_lock"}


def origin(finding: Finding) -> tuple[str, str]:
    assert finding.origin is not None
    return finding.origin.kind, finding.origin.name


def test_one_lock_taken_in_two_functions_is_one_origin(found: dict[str, Finding]) -> None:
    kind, name = origin(found["teal_wait"])
    assert kind == "lock" and name.endswith("&teal_lock")
    one, two = found["teal_wait"].origin, found["teal_put"].origin
    assert one is not None and two is not None and one.key == two.key
    assert one.text.endswith("taken in teal_get()")


def test_a_section(found: dict[str, Finding]) -> None:
    assert origin(found["teal_off"]) == ("section", "interrupts off")


def test_callbacks_of_one_chip_are_one_origin(found: dict[str, Finding]) -> None:
    """Also where a lock is taken below: the chip's callbacks may not sleep without it."""
    one, two = found["teal_mask"].origin, found["teal_unmask"].origin
    assert one is not None and two is not None and one.key == two.key
    assert (one.kind, one.name, one.function) == ("callback", "irq_chip", "teal_chip")


def test_steps_have_the_state_in_fields(found: dict[str, Finding]) -> None:
    path = found["teal_wait"].path
    assert [step.kind for step in path][-1] == "operation"
    last = path[-1].state
    assert last is not None and last.irqs == "off" and not last.preempt
    assert [lock.endswith("&teal_lock") for lock in last.locks] == [True]
    (first, *_) = [step.state for step in found["teal_unmask"].path if step.kind == "entry"]
    assert first is not None and len(first.locks) == 1  # that of the interrupt core
