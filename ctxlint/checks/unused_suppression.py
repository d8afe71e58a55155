# SPDX-License-Identifier: GPL-2.0-or-later
"""A comment that should suppress a finding suppresses nothing.

## Reports

A comment `ctxlint: allow(CHECK) REASON` that

- has no reason after the parenthesis: it does not count, and what it should
  suppress is reported besides;
- names a check that does not exist;
- stands where it concerns nothing: it has to be on the line of the call or
  on the line above, directly above a function, or before the file's first
  declaration;
- is in order, but there is no such finding where it stands.

## Why it matters

A suppression tells the next reader that there is a problem and that somebody
judged it. When the problem has gone, or was never there, it misleads, and it
hides the next finding that turns up at the same place.

## Example

```c
raw_spin_lock(&demo_lock);
/* ctxlint: allow(sleep-in-atomic) */
mutex_lock(&demo_mutex);        /* reported: no reason was given */
```

## Fix

- Write the reason, why the finding is wrong or can be tolerated.
- Correct the name of the check, or the place of the comment.
- Remove the comment when nothing needs it any more.

## Blind spots

- A comment is called unused only if its file was analysed without errors,
  under a profile that the check speaks of: nothing is said of
  `rt-sleep-in-atomic` in a run without PREEMPT_RT.
- What another architecture or configuration would need is not seen, nor are
  callers in files that the run did not read. Audit the whole directory before
  a comment is removed.
- Comments in header files are read only where the header has findings.
"""

from __future__ import annotations

from typing import ClassVar

from ctxlint.checks.base import Severity, Violation
from ctxlint.findings.selection import UNUSED


class UnusedSuppression:
    """Judged when comments are matched with findings, so no violation is its own."""

    id: ClassVar[str] = UNUSED
    title: ClassVar[str] = "Suppression comment that suppresses nothing"
    default_severity: ClassVar[Severity] = "warning"
    help_uri: ClassVar[str] = "https://docs.kernel.org/dev-tools/checkpatch.html"
    tags: ClassVar[tuple[str, ...]] = ("linux-kernel", "maintainability")
    rt_only: ClassVar[bool] = False
    priority: ClassVar[int] = 0

    def applies(self, violation: Violation) -> bool:
        return False
