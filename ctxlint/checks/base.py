# SPDX-License-Identifier: GPL-2.0-or-later
"""What a check is, how checks are found, and their documentation.

A check is one file of this package: ``sleep_in_atomic.py`` holds the class of
``sleep-in-atomic``. The analysis computes facts; a check says which of them it
reports, before which other checks, how severely, and in which words. Its module
docstring is what ``ctxlint explain`` prints and what reports carry, so its form is
fixed: a first line, a summary sentence, then one ``## Heading`` each for the names
in :data:`HEADINGS`.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, ClassVar, Literal, cast

from ctxlint.base.errors import CheckError, UsageError
from ctxlint.checks import ids
from ctxlint.findings.checkdoc import CheckDoc
from ctxlint.findings.model import ContextInfo, Entry

if TYPE_CHECKING:
    from ctxlint.analysis import nodes

Severity = Literal["error", "warning"]

HEADINGS = ("Reports", "Why it matters", "Example", "Fix", "Blind spots")


@dataclass(frozen=True, kw_only=True)
class Violation:
    """An operation in an execution context that does not allow it, with all that is known
    of it.

    ``level`` is the wait type of the operation: ``"sleep"`` (sleeps on every
    kernel) or ``"config"`` (sleeps on PREEMPT_RT only). ``rt``: the profile is
    a PREEMPT_RT one. ``operation`` is a key of ``rules/operations.yaml``.
    ``certainty`` is ``"may"`` when the outcome depends on data.

    ``callee`` is the operation as the driver wrote it, ``function`` the one that it is
    called in. ``context`` is the execution context at the call, ``held`` the same in the
    words of a headline ("with interrupts off", "in an NMI"); ``entry`` is where the path
    begins (``kind`` ``"function"``: one of which no registration is known). ``facts`` is
    the violation as the analysis has it: the path with the summary of each function on it,
    the call site with its guards and arguments, the rule that was broken.
    """

    level: Literal["sleep", "config"]
    rt: bool
    operation: str
    certainty: Literal["certain", "may"]
    callee: str
    function: str
    context: ContextInfo
    held: str
    entry: Entry
    facts: nodes.Violation


class Check:
    """What every check is made of; a check says what is different.

    ``id`` is a kebab-case noun phrase for the bad thing, ``title`` a short
    name without a full stop. ``help_uri`` is a page about the subject. ``rt_only``:
    it reports under PREEMPT_RT profiles alone. Of the checks that apply to a violation the
    one of the highest ``priority`` reports it; no two checks have the same one.
    """

    id: ClassVar[str]
    title: ClassVar[str]
    default_severity: ClassVar[Severity]
    help_uri: ClassVar[str]
    tags: ClassVar[tuple[str, ...]]
    rt_only: ClassVar[bool] = False
    priority: ClassVar[int]

    def applies(self, violation: Violation) -> bool:
        """Whether this check reports the violation."""
        raise NotImplementedError

    def severity(self, violation: Violation) -> Severity:
        """The check's default, but a warning where the outcome depends on data."""
        return "warning" if violation.certainty == "may" else self.default_severity

    def happens(self, violation: Violation) -> str:
        """What the operation does, as a verb phrase: the last step of the path ends in it."""
        verb = "sleeps" if violation.certainty == "certain" else "may sleep"
        return f"{verb} on PREEMPT_RT" if violation.level == "config" else verb

    def message(self, violation: Violation) -> str:
        """The finding in one line, without a full stop."""
        name = violation.callee
        called = name if name.endswith(")") else f"{name}()"  # scoped_guard(spinlock)
        text = f"{called} {self.happens(violation)}, called {violation.held}"
        entry = violation.entry
        if entry.kind == "function":
            return text
        role = f"for {entry.state}" if entry.state else f"as {entry.kind}"
        return f"{text} ({entry.function}() {role})"


@cache
def checks() -> tuple[Check, ...]:
    """Every check, by id. CheckError: a module of the package holds none, or one that is
    not complete, or two have one priority (which of them reports would be an accident)."""
    modules = (f"ctxlint.checks.{name.replace('-', '_')}" for name in ids())
    return distinct(_check_of(importlib.import_module(module)) for module in modules)


def distinct(found: Iterable[Check]) -> tuple[Check, ...]:
    """The same checks; CheckError when two of them have one priority."""
    by_priority: dict[int, Check] = {}
    for check in found:
        other = by_priority.setdefault(check.priority, check)
        if other is not check:
            raise CheckError(
                f"{other.id} and {check.id} have the priority {check.priority}",
                hint="the higher one reports what both apply to, so no two may be equal",
            )
    return tuple(by_priority.values())


def reporting(violation: Violation) -> Check | None:
    """The check that reports a violation; None: no one does."""
    applying = [check for check in checks() if check.applies(violation)]
    return max(applying, key=lambda check: check.priority, default=None)


def find(check_id: str) -> Check:
    """The check of that id; UsageError, with the nearest ids, if there is none."""
    known = {check.id: check for check in checks()}
    if check_id in known:
        return known[check_id]
    near = difflib.get_close_matches(check_id, known, n=2) or sorted(known)
    raise UsageError(f"no check is called {check_id!r}", hint=f"Try: {', '.join(near)}")


def explain(check_id: str) -> str:
    """Documentation of a check as Markdown, for ``ctxlint explain``."""
    check = find(check_id)
    return f"# {check.id}\n\n{_doc(check)}\n"


def docs() -> tuple[CheckDoc, ...]:
    """Documentation of every check, for the reports."""
    return tuple(
        CheckDoc(
            id=check.id,
            name=check.title,
            summary=_summary(check),
            help=_doc(check),
            level=check.default_severity,
            help_uri=check.help_uri,
            tags=check.tags,
            rt_only=check.rt_only,
        )
        for check in checks()
    )


def sections(text: str) -> dict[str, str]:
    """The bodies of the ``## Heading`` parts of a check's docstring.

    Raises ValueError when the headings are not :data:`HEADINGS`, in that order,
    or when one of them has no body.
    """
    parts = re.split(r"^## +(.+?) *$", text, flags=re.MULTILINE)
    names, bodies = parts[1::2], [body.strip() for body in parts[2::2]]
    if tuple(names) != HEADINGS:
        raise ValueError(f"headings are {names}, expected {list(HEADINGS)}")
    empty = [name for name, body in zip(names, bodies, strict=True) if not body]
    if empty:
        raise ValueError(f"nothing under {', '.join(empty)}")
    return dict(zip(names, bodies, strict=True))


def _check_of(module: ModuleType) -> Check:
    found = [
        item
        for item in vars(module).values()
        if inspect.isclass(item) and item.__module__ == module.__name__ and hasattr(item, "id")
    ]
    name = module.__name__.rpartition(".")[2]
    if len(found) != 1 or found[0].id != name.replace("_", "-"):
        raise CheckError(f"{module.__name__} must hold one check, {name.replace('_', '-')!r}")
    kind = cast(type[Check], found[0])
    missing = [name for name in Check.__annotations__ if not hasattr(kind, name)]
    if kind.applies is Check.applies:
        missing.append("applies()")
    if missing:
        raise CheckError(f"{module.__name__}: {kind.__name__} lacks {', '.join(missing)}")
    return kind()


def _doc(check: Check) -> str:
    module = importlib.import_module(type(check).__module__)
    return inspect.cleandoc(module.__doc__ or "")


def _summary(check: Check) -> str:
    """The paragraph before the first heading, as one line."""
    return " ".join(_doc(check).split("\n## ")[0].split())
