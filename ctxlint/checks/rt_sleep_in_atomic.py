# SPDX-License-Identifier: GPL-2.0-or-later
"""An operation that sleeps on PREEMPT_RT is called in atomic context.

## Reports

Operations that spin, or are harmless, on a kernel without PREEMPT_RT but may
sleep with it, called with interrupts or preemption disabled, with a raw
spinlock held, in a hard interrupt handler or in an NMI:

- taking a `spinlock_t`, `rwlock_t` or `local_lock_t`, which are sleeping
  locks on PREEMPT_RT;
- allocating memory with any flags, `GFP_ATOMIC` and `GFP_NOWAIT` included,
  and freeing it, because the allocators use such locks internally;
- waking an ordinary wait queue, whose lock is a `spinlock_t`, and other
  functions that take such a lock internally.

Reported only under a profile with PREEMPT_RT; other kernels do not have the
bug. What sleeps on every kernel is reported as `sleep-in-atomic`. An error
means that the operation always takes such a lock, a warning that this depends
on data, such as the free lists of the allocator.

## Why it matters

On PREEMPT_RT these locks are built on an rtmutex: when the lock is taken, the
caller is put to sleep until its owner has run. In a section that may not
sleep, that corrupts what the section protects or hangs the CPU.

Because only `raw_spinlock_t` still disables preemption there, code that is
correct without PREEMPT_RT becomes wrong without being changed. CPU hotplug
callbacks of the STARTING section are a common place: they run with interrupts
disabled on a CPU that cannot schedule yet, when it comes up for the first
time and again after each suspend. A lock that happens to be free, or a page
from a per-CPU list, hides the bug until another CPU holds the same lock.

## Example

```c
static DEFINE_SPINLOCK(demo_lock);

static int demo_starting_cpu(unsigned int cpu)
{
        spin_lock(&demo_lock);          /* sleeps on PREEMPT_RT */
        demo_enable_cpu(cpu);
        spin_unlock(&demo_lock);
        return 0;
}

cpuhp_setup_state(CPUHP_AP_DEMO_STARTING, "demo:starting",
                  demo_starting_cpu, NULL);
```

The callback runs with interrupts disabled.

## Fix

- Make the lock a `raw_spinlock_t`, if everything done under it is short,
  bounded and free of the operations above. This makes the section
  non-preemptible, so it adds to the latency of the whole system.
- Move the work to where sleeping is allowed. For CPU hotplug: a PREPARE state
  to allocate before the CPU runs, an ONLINE state for what can wait until it
  does.
- Allocate and free outside the section; inside it, only exchange pointers.
- In interrupt handlers, keep the hard handler short and do the rest in the
  thread. Handlers that are forced into threads on PREEMPT_RT are not
  reported.

## Blind spots

- Everything under the same heading of `sleep-in-atomic`.
- The allocators can often serve a request without taking a sleeping lock.
  Whether they do depends on their state, hence a warning. Hitting the fast
  path by luck is no fix.
- A trylock of these locks does not sleep. In a hard interrupt handler it
  makes the interrupted task the owner, which is wrong on PREEMPT_RT all the
  same; it is reported only where a rule says so.
- Latency is not analysed: a raw spinlock held for long is legal here.
"""

from __future__ import annotations

from typing import ClassVar

from ctxlint.checks.base import Check, Severity, Violation


class RtSleepInAtomic(Check):
    """Operations of wait type "config", under a PREEMPT_RT profile."""

    id: ClassVar[str] = "rt-sleep-in-atomic"
    title: ClassVar[str] = "Operation that sleeps on PREEMPT_RT in atomic context"
    default_severity: ClassVar[Severity] = "error"
    help_uri: ClassVar[str] = "https://docs.kernel.org/locking/locktypes.html"
    tags: ClassVar[tuple[str, ...]] = ("concurrency", "linux-kernel", "preempt-rt")
    rt_only: ClassVar[bool] = True
    priority: ClassVar[int] = 10

    def applies(self, violation: Violation) -> bool:
        """Whether it waits on PREEMPT_RT alone, in such a profile."""
        return violation.level == "config" and violation.rt
