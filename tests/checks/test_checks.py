# SPDX-License-Identifier: GPL-2.0-or-later
from __future__ import annotations

import re
from types import ModuleType

import pytest

from ctxlint.base.errors import CheckError, UsageError
from ctxlint.checks import base
from ctxlint.checks.base import Check, Violation
from ctxlint.findings.model import ContextInfo, Entry

IDS = [check.id for check in base.checks()]


def violation(**changes: object) -> Violation:
    fields = {
        "level": "sleep",
        "rt": False,
        "operation": "mutex",
        "certainty": "certain",
        "callee": "mutex_lock",
        "function": "frob_irq",
        "context": ContextInfo(
            text="hard interrupt: interrupts off", irqs="off", preempt="off", nmi=False,
            hardirq=True, softirq=False, bh_disabled=False, rcu=False, locks=(),
        ),
        "held": "with interrupts off",
        "entry": Entry(kind="function", function="frob_irq", file="a.c", line=1),
        "facts": None,
    }  # fmt: skip
    return Violation(**(fields | changes))  # type: ignore[arg-type]


def test_checks_are_discovered_in_order() -> None:
    assert sorted(IDS) == IDS
    assert {"sleep-in-atomic", "rt-sleep-in-atomic"} <= set(IDS)


@pytest.mark.parametrize("check_id", IDS)
def test_documentation_has_its_form(check_id: str) -> None:
    text = base.explain(check_id)
    assert text.startswith(f"# {check_id}\n\n")
    assert set(base.sections(text)) == set(base.HEADINGS)
    assert "```c" in base.sections(text)["Example"]
    assert max(map(len, text.splitlines())) <= 78


@pytest.mark.parametrize("check_id", IDS)
def test_metadata_is_complete(check_id: str) -> None:
    check = base.find(check_id)
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", check.id)
    assert check.default_severity in ("error", "warning")
    assert check.help_uri.startswith("https://")
    assert check.tags == tuple(sorted(check.tags))
    assert not check.title.endswith(".")


@pytest.mark.parametrize("check_id", IDS)
def test_doc_for_reports(check_id: str) -> None:
    (doc,) = [doc for doc in base.docs() if doc.id == check_id]
    assert doc.summary.endswith(".")
    assert "\n" not in doc.summary
    assert doc.help.startswith(doc.summary[:20])


@pytest.mark.parametrize(
    ("level", "rt", "expected"),
    [
        ("sleep", False, {"sleep-in-atomic"}),
        ("sleep", True, {"sleep-in-atomic"}),
        ("config", False, set()),
        ("config", True, {"rt-sleep-in-atomic"}),
    ],
)
def test_which_check_reports(level: str, rt: bool, expected: set[str]) -> None:
    found = violation(level=level, rt=rt)
    assert {check.id for check in base.checks() if check.applies(found)} == expected


class Named(Check):
    def __init__(self, id: str, priority: int, applies: bool = True) -> None:
        self.id, self.priority, self._applies = id, priority, applies  # type: ignore[misc]

    def applies(self, violation: Violation) -> bool:
        return self._applies


def test_of_several_checks_the_one_of_the_highest_priority_reports(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = (Named("a", 1), Named("b", 3), Named("c", 2), Named("d", 9, False))
    monkeypatch.setattr(base, "checks", lambda: known)
    found = base.reporting(violation(level="sleep", rt=False))
    assert found is not None and found.id == "b"
    monkeypatch.setattr(base, "checks", lambda: known[3:])
    assert base.reporting(violation(level="sleep", rt=False)) is None


def test_two_checks_of_one_priority_are_an_error() -> None:
    assert len(base.distinct([Named("a", 1), Named("b", 2)])) == 2
    with pytest.raises(CheckError, match="a and b have the priority 1"):
        base.distinct([Named("a", 1), Named("b", 1)])


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("", "frob_bad must hold one check, 'frob-bad'"),
        ("class Bad(Check):\n    id = 'bad-frob'\n", "frob_bad must hold one check"),
        (
            "class Bad(Check):\n    id = 'frob-bad'\n    priority = 3\n",
            "frob_bad: Bad lacks title, default_severity, help_uri, tags, applies",
        ),
    ],
)
def test_a_check_that_is_not_complete(body: str, said: str) -> None:
    module = ModuleType("frob_bad")
    exec(f"from ctxlint.checks.base import Check\n{body}", vars(module) | {}, vars(module))
    for item in vars(module).values():
        if isinstance(item, type) and item is not Check:
            item.__module__ = "frob_bad"
    with pytest.raises(CheckError, match=said):
        base._check_of(module)


def test_severity_follows_certainty() -> None:
    check = base.find("sleep-in-atomic")
    assert check.severity(violation()) == "error"
    assert check.severity(violation(certainty="may")) == "warning"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, "mutex_lock() sleeps, called with interrupts off"),
        ({"certainty": "may"}, "mutex_lock() may sleep, called with interrupts off"),
        (
            {"level": "config", "callee": "guard(spinlock)"},
            "guard(spinlock) sleeps on PREEMPT_RT, called with interrupts off",
        ),
        (
            {"entry": Entry(kind="timer", function="frob_tick", file="a.c", line=1)},
            "mutex_lock() sleeps, called with interrupts off (frob_tick() as timer)",
        ),
        (
            {"entry": Entry(kind="cpuhp", function="up", file="a.c", line=1, state="S")},
            "mutex_lock() sleeps, called with interrupts off (up() for S)",
        ),
    ],
)
def test_message(changes: dict[str, object], message: str) -> None:
    assert base.find("sleep-in-atomic").message(violation(**changes)) == message


def test_unknown_check_names_the_nearest() -> None:
    with pytest.raises(UsageError) as error:
        base.explain("sleep-in-atomics")
    assert "sleep-in-atomic" in error.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "Summary.\n\n## Reports\n\nx",
        "\n\n".join(f"## {name}\n\nx" for name in reversed(base.HEADINGS)),
        "\n\n".join(f"## {name}\n" for name in base.HEADINGS),
    ],
)
def test_wrong_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        base.sections(text)
