# SPDX-License-Identifier: GPL-2.0-or-later
"""An operation that may sleep is called in atomic context.

## Reports

Calls that give up the CPU, or may do so, in an execution context that does
not allow it: with interrupts or preemption disabled, in an interrupt handler,
in a softirq, in an NMI, with a spinning lock held, or inside an RCU read-side
critical section.

Operations of this kind are, for example, taking a mutex, waiting for a
completion, `msleep()`, an allocation with `GFP_KERNEL`, `synchronize_rcu()`,
`cpus_read_lock()` and access to user memory. They sleep on every kernel, so
this is a bug with and without PREEMPT_RT.

Each finding shows how the kernel gets there: where the callback was
registered, each call on the path, and each place where the execution context
changes. A warning instead of an error means that the operation sleeps only in
some cases, depending on data.

## Why it matters

A task that sleeps with interrupts or preemption disabled hands the CPU to
another task while it relies on nothing else running there. Data protected in
this way is corrupted, a spinlock stays locked while its owner is not running,
and a CPU that waits for it hangs. An interrupt handler has no task of its own
to put to sleep: whichever task was interrupted is blocked instead.

Tests often miss it. A mutex that is free is taken without sleeping, and an
allocation seldom has to wait, so the code works until the system is under
load. The kernel's own warning ("sleeping function called from invalid
context") is off unless CONFIG_DEBUG_ATOMIC_SLEEP is set, is silent during
early boot, suspend and panic, and covers only code that actually runs.

## Example

```c
static void demo_irq_mask(struct irq_data *d)
{
        struct demo_chip *chip = irq_data_get_irq_chip_data(d);

        mutex_lock(&chip->lock);        /* may sleep */
        demo_update_mask(chip, d->hwirq);
        mutex_unlock(&chip->lock);
}
```

The interrupt core calls `irq_mask` with the descriptor's raw spinlock held
and interrupts off.

## Fix

- Do the sleeping part elsewhere: before the lock is taken, after it is
  released, in a work item, or in a threaded interrupt handler.
- Use a variant that does not sleep, if failure can be handled: `GFP_ATOMIC`,
  `mutex_trylock()` (not in interrupt handlers), `udelay()` for a few
  microseconds.
- For an interrupt controller behind a slow bus, implement `irq_bus_lock` and
  `irq_bus_sync_unlock`, and only record the new mask in `irq_mask`.
- For CPU hotplug, move the work to a state of the PREPARE or ONLINE section,
  or allocate for all possible CPUs when the driver is probed.

## Blind spots

- A function with neither a known body nor a rule is assumed not to sleep.
  Such functions are counted in the report.
- For an indirect call, only targets that the analysed files assign are
  followed. A pointer set elsewhere, or by assembly, is not seen.
- Both outcomes of a condition that depends on data are assumed possible,
  unless it tests the execution context or a value that the analysis follows.
  Each finding names the conditions that it depends on.
- Deadlocks that do not involve sleeping (a lock taken twice, wrong order) are
  not covered by this check.
"""

from __future__ import annotations

from typing import ClassVar

from ctxlint.checks.base import Check, Severity, Violation


class SleepInAtomic(Check):
    """Operations of wait type "sleep", whatever the profile."""

    id: ClassVar[str] = "sleep-in-atomic"
    title: ClassVar[str] = "Sleeping operation in atomic context"
    default_severity: ClassVar[Severity] = "error"
    help_uri: ClassVar[str] = "https://docs.kernel.org/kernel-hacking/locking.html"
    tags: ClassVar[tuple[str, ...]] = ("concurrency", "correctness", "linux-kernel")
    priority: ClassVar[int] = 20

    def applies(self, violation: Violation) -> bool:
        """Whether the operation waits on every kernel."""
        return violation.level == "sleep"
