# SPDX-License-Identifier: GPL-2.0-or-later
"""How the run of a function can end other than by returning.

Raised through compiled code, caught by whoever started the run (a CPU's scheduler, the
explorer). Each says what happened in words that a report can use.
"""

from __future__ import annotations


class Stop(Exception):  # noqa: N818 - an ending, not an error
    """Base of all endings."""


class Unmodelled(Stop):
    """A function, an instruction or a construct that the model has nothing for."""

    def __init__(self, name: str, why: str = "") -> None:
        super().__init__(f"{name}: {why}" if why else name)
        self.name = name
        self.why = why


class Hang(Stop):
    """Nothing can go on; the text is the condition that is waited for."""


class Crashed(Stop):
    """The kernel ends here: BUG(), an oops, panic. The text says which."""


class OutOfFuel(Stop):
    """The bound on steps is used up; the text names the loop."""


class Halted(Stop):
    """The CPU was taken out of service on purpose (power off, parked in firmware)."""


class Infeasible(Stop):
    """No values of the unknowns lead here (explorer only)."""


class Cut(Stop):
    """A bound of the exploration ends this path; the text names the bound."""
