# SPDX-License-Identifier: GPL-2.0-or-later
"""A comment that should suppress a finding suppresses nothing.

## Reports

A comment `ctxlint: allow(CHECK) REASON` that

- has no reason after the parenthesis: it does not count, and the finding that
  it should suppress is reported as well;
- names a check that does not exist;
- is in a place where it applies to nothing: it has to be on the line of the
  call or on the line above, directly above a function, or before the file's
  first declaration;
- is well formed, but there is no such finding at that place.

## Why it matters

A suppression tells the next reader that there is a problem and that somebody
assessed it. When the problem is gone, or was never there, the comment is
misleading, and it hides the next finding that turns up at the same place.

## Example

```c
raw_spin_lock(&demo_lock);
/* ctxlint: allow(sleep-in-atomic) */
mutex_lock(&demo_mutex);        /* reported: no reason was given */
```

## Fix

- Give the reason why the finding is wrong or can be tolerated.
- Correct the name of the check, or move the comment.
- Remove the comment when it is no longer needed.

## Blind spots

- A comment is reported as unused only if its file was analysed without
  errors, under a profile that the check covers: a run without PREEMPT_RT says
  nothing about `rt-sleep-in-atomic`.
- Other architectures or configurations may need the comment, and so may
  callers in files that the run did not read. Audit the whole directory before
  you remove it.
- Comments in header files are read only where the header has findings.
"""

from __future__ import annotations

from typing import ClassVar

from ctxlint.checks.base import Check, Severity, Violation
from ctxlint.findings.selection import UNUSED


class UnusedSuppression(Check):
    """Decided when comments are matched with findings, so no violation is its own."""

    id: ClassVar[str] = UNUSED
    title: ClassVar[str] = "Suppression comment that suppresses nothing"
    default_severity: ClassVar[Severity] = "warning"
    help_uri: ClassVar[str] = "https://docs.kernel.org/dev-tools/checkpatch.html"
    tags: ClassVar[tuple[str, ...]] = ("linux-kernel", "maintainability")
    priority: ClassVar[int] = 0

    def applies(self, violation: Violation) -> bool:
        """Never: the comments are judged after the findings."""
        return False
