# SPDX-License-Identifier: GPL-2.0-or-later
"""Suppressions, baseline and selection as a step from one result to another."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ctxlint.checks.base import docs
from ctxlint.findings import suppressions
from ctxlint.findings.baseline import Baseline, entry_of, updated
from ctxlint.findings.fingerprint import with_fingerprints
from ctxlint.findings.model import (
    ContextInfo,
    Entry,
    Finding,
    Incomplete,
    Profile,
    Result,
    ToolInfo,
    TreeInfo,
)
from ctxlint.findings.selection import PathRule, Selection, apply, failing

RT = Profile(name="rt", arch="arm64", rt=True, config="defconfig")
NORT = Profile(name="nort", arch="arm64", rt=False, config="defconfig")
SLEEP, ON_RT, UNUSED = "sleep-in-atomic", "rt-sleep-in-atomic", "unused-suppression"
CODE = """\
int first;
%s
static int f(void)
{
	%s
	msleep(1);%s
}
"""


def finding(
    check: str = SLEEP, file: str = "drivers/a.c", line: int = 6, **more: Any
) -> Finding:
    made = Finding(
        check=check,
        severity="error",
        profiles=("rt",),
        rt_only=check == ON_RT,
        message="msleep() sleeps",
        file=file,
        line=line,
        column=2,
        function="f",
        callee="msleep",
        operation="sleep",
        why="",
        certainty="certain",
        entry=Entry(kind="function", function="f", file=file, line=3),
        context=ContextInfo(
            text="interrupts off",
            irqs="off",
            preempt="on",
            nmi=False,
            hardirq=False,
            softirq=False,
            bh_disabled=False,
            rcu=False,
            locks=(),
        ),
        path=(),
        assumptions=(),
        fingerprint="",
    )
    return msgspec.structs.replace(made, **more)


def result(*findings: Finding, code: str = "", **more: Any) -> Result:
    fields: dict[str, Any] = {
        "tool": ToolInfo(name="ctxlint", version="0"),
        "tree": TreeInfo(version="6.12"),
        "profiles": (NORT, RT),
        "findings": with_fingerprints(findings),
        "incomplete": (),
        "uncovered": (),
        "unknown_callees": (),
        "statistics": {},
        "paths": ("drivers",),
        "suppressions": suppressions.of_text("drivers/a.c", code),
    }
    return Result(**(fields | more))


def select(given: Result, **settings: Any) -> Result:
    return apply(given, Selection(**settings), docs())


def checks(findings: tuple[Finding, ...]) -> list[str]:
    return [one.check for one in findings]


ALLOW = f"/* ctxlint: allow({SLEEP}) tested */"


@pytest.mark.parametrize(
    "code",
    [
        CODE % (ALLOW, "", ""),
        CODE % ("", ALLOW, ""),
        CODE % ("", "", ALLOW),
        f"// ctxlint: allow({ON_RT}, {SLEEP}) tested\n\nint x;\n\n\n\n",
    ],
)
def test_a_comment_hides(code: str) -> None:
    kept = select(result(finding(), code=code))
    assert [one for one in kept.findings if one.check != UNUSED] == []
    (hidden,) = kept.hidden
    (why,) = hidden.suppressed
    assert (why.kind, why.reason, why.file) == ("inSource", "tested", "drivers/a.c")
    assert hidden.baseline_state is None


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        (CODE % ("", "", "\n" + ALLOW), {}),  # below the call
        (CODE % ("", ALLOW + "\n", ""), {"line": 7}),  # an empty line between
        (CODE % ("", "", ALLOW), {"file": "drivers/b.c"}),
        (CODE % ("", "", ALLOW), {"check": ON_RT}),
        (CODE % ("", "", ALLOW.replace("tested", "")), {}),
        (CODE % ("", "", f'"{ALLOW}"'), {}),
        (CODE % (ALLOW + "\n", "", ""), {"line": 7}),
    ],
)
def test_a_comment_hides_nothing_else(code: str, changes: dict[str, Any]) -> None:
    kept = select(result(finding(**changes), code=code))
    assert kept.hidden == ()
    assert finding(**changes).check in checks(kept.findings)


def test_the_nearest_comment_is_shown() -> None:
    code = CODE % (ALLOW, "", ALLOW.replace("tested", "nearer"))
    kept = select(result(finding(), code=code))
    assert kept.hidden[0].suppressed[0].reason == "nearer"
    assert kept.findings == ()  # both are used


@pytest.mark.parametrize(
    ("comment", "said"),
    [
        (f"/* ctxlint: allow({SLEEP}) */", "has no reason"),
        ("/* ctxlint: allow(no-such) why */", "names no check that exists"),
        (f"/* ctxlint: allow({UNUSED}) why */", "is not possible"),
        ("/* ctxlint: disable(all) */", "not understood"),
        (ALLOW, "suppresses nothing: there is no such finding at this call"),
        (f"/* ctxlint: allow({ON_RT}) why */", "suppresses nothing"),
    ],
)
def test_a_comment_that_does_not_count_is_a_finding(comment: str, said: str) -> None:
    (found,) = select(result(code=CODE % ("", "", comment))).findings
    assert (found.check, found.severity, found.file, found.line) == (
        UNUSED,
        "warning",
        "drivers/a.c",
        6,
    )
    assert said in found.message
    assert found.fingerprint
    assert found.text.endswith(comment)


def test_each_check_of_a_comment_is_judged() -> None:
    comment = f"/* ctxlint: allow({SLEEP}, {ON_RT}) why */"
    kept = select(result(finding(), code=CODE % ("", "", comment)))
    assert checks(kept.hidden) == [SLEEP]
    (unused,) = kept.findings
    assert f"allow({ON_RT}) suppresses nothing" in unused.message


@pytest.mark.parametrize(
    ("check", "changes"),
    [
        (ON_RT, {"profiles": (NORT,)}),
        (SLEEP, {"profiles": (RT,)}),
        (SLEEP, {"paths": ("sound",)}),
        (SLEEP, {"uncovered": ("drivers/a.c",)}),
        (SLEEP, {"incomplete": (Incomplete(file="drivers/a.c", profile="rt", reason="x"),)}),
    ],
)
def test_unused_only_where_it_was_judged(check: str, changes: dict[str, Any]) -> None:
    """Also an entry of the baseline is stale only there."""
    code = CODE % ("", "", f"/* ctxlint: allow({check}) why */")
    known = Baseline(entries=(entry_of(with_fingerprints([finding(check)])[0]),))
    kept = select(result(code=code, **changes), baseline=known)
    assert (kept.findings, kept.stale) == ((), ())
    kept = select(result(code=code), baseline=known)
    assert (checks(kept.findings), len(kept.stale)) == ([UNUSED], 1)


def test_comments_are_matched_before_the_selection() -> None:
    kept = select(result(finding(), code=CODE % ("", "", ALLOW)), ignore=(SLEEP,))
    assert kept.findings == ()
    kept = select(result(code=CODE % ("", "", ALLOW)), ignore=(UNUSED,))
    assert (kept.findings, kept.statistics) == ((), {"not_selected": 1})


def test_without_comments() -> None:
    kept = select(result(finding(), code=CODE % ("", "", ALLOW)), comments=False)
    assert (checks(kept.findings), kept.hidden) == ([SLEEP], ())


def test_baseline() -> None:
    old = result(finding(), finding(ON_RT, line=9))
    known = updated(Baseline(), old.findings[:1], (), reason="old")
    kept = select(old, baseline=known)
    assert [(one.check, one.baseline_state) for one in kept.findings] == [(ON_RT, "new")]
    assert [(one.check, one.baseline_state) for one in kept.hidden] == [(SLEEP, "unchanged")]
    assert kept.hidden[0].suppressed[0].kind == "external"
    assert kept.hidden[0].suppressed[0].reason == "old"
    moved = result(finding(line=40), finding(ON_RT, line=50))
    assert len(select(moved, baseline=known).hidden) == 1


def test_baseline_of_a_file_that_is_gone_is_stale() -> None:
    known = Baseline(entries=(entry_of(with_fingerprints([finding(file="drivers/no.c")])[0]),))
    assert select(result(), baseline=known).stale == known.entries


def test_an_update_keeps_reasons_and_what_was_not_judged() -> None:
    one, two, three = with_fingerprints(
        [finding(), finding(file="drivers/b.c"), finding(file="sound/c.c")]
    )
    old = updated(Baseline(), [one, two, three], (), reason="why")
    kept = select(result(finding(), finding(file="drivers/d.c")), baseline=old)
    found = (*kept.findings, *kept.hidden)
    new = updated(old, found, kept.stale, reason="later")
    assert [(e.file, e.reason) for e in new.entries] == [
        ("drivers/a.c", "why"),
        ("drivers/d.c", "later"),
        ("sound/c.c", "why"),
    ]
    only = updated(old, found, kept.stale, add=False)
    assert [e.file for e in only.entries] == ["drivers/a.c", "sound/c.c"]


@pytest.mark.parametrize(
    ("settings", "left"),
    [
        ({}, [SLEEP, ON_RT]),
        ({"select": (SLEEP,)}, [SLEEP]),
        ({"ignore": (SLEEP,)}, [ON_RT]),
        ({"select": (SLEEP,), "ignore": (SLEEP,)}, []),
        ({"rt_only": True}, [ON_RT]),
        ({"per_path": (PathRule(patterns=("drivers/b.c",), ignore=(ON_RT,)),)}, [SLEEP]),
        ({"per_path": (PathRule(patterns=("drivers/a.c",), ignore=(ON_RT,)),)}, [SLEEP, ON_RT]),
    ],
)
def test_selection(settings: dict[str, Any], left: list[str]) -> None:
    kept = select(result(finding(), finding(ON_RT, file="drivers/b.c")), **settings)
    assert checks(kept.findings) == left
    assert kept.statistics.get("not_selected", 0) == 2 - len(left)


@pytest.mark.parametrize(
    ("pattern", "file", "matches"),
    [
        ("drivers", "drivers/a.c", True),
        ("drivers/", "drivers/x/a.c", True),
        ("drivers/a.c", "drivers/a.c", True),
        ("driver", "drivers/a.c", False),
        ("drivers/*.c", "drivers/x/a.c", True),
        ("*/irq-gic*", "drivers/irqchip/irq-gic-v3.c", True),
        ("irq-gic*", "drivers/irqchip/irq-gic-v3.c", False),
        ("drivers/?.c", "drivers/ab.c", False),
    ],
)
def test_patterns(pattern: str, file: str, matches: bool) -> None:
    assert PathRule(patterns=("none", pattern)).matches(file) is matches


def test_severity() -> None:
    def severities(**settings: Any) -> list[str]:
        kept = select(result(finding(), finding(ON_RT, file="drivers/b.c")), **settings)
        return [one.severity for one in kept.findings]

    rules = (
        PathRule(patterns=("drivers",), severity={ON_RT: "error", SLEEP: "warning"}),
        PathRule(patterns=("drivers/a.c",), severity={SLEEP: "error"}),
    )
    assert severities(severity={ON_RT: "warning"}) == ["error", "warning"]
    assert severities(severity={ON_RT: "warning"}, per_path=rules) == ["error", "error"]
    assert severities(per_path=rules[:1]) == ["warning", "error"]


@pytest.mark.parametrize(
    ("severity", "fails"),
    [
        ("error", {"error": True, "warning": True, "never": False}),
        ("warning", {"error": False, "warning": True, "never": False}),
    ],
)
def test_fail_on(severity: str, fails: dict[Any, bool]) -> None:
    found = result(finding(severity=severity))
    assert {kind: failing(found, kind) for kind in fails} == fails
    assert not any(failing(result(), kind) for kind in fails)


def test_applying_it_twice_changes_nothing() -> None:
    given = result(
        finding(),
        finding(ON_RT, line=9),
        finding(ON_RT, file="drivers/b.c"),
        code=CODE % ("// ctxlint: allow(x) y", "", ALLOW),
    )
    selection = Selection(
        ignore=(ON_RT,), baseline=Baseline(), per_path=(PathRule(patterns=("x",)),)
    )
    once = apply(given, selection, docs())
    assert apply(once, selection, docs()) == once
    assert once.statistics == {"not_selected": 2}
