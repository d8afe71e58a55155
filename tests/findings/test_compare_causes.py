# SPDX-License-Identifier: GPL-2.0-or-later
"""A new caller of a function that sleeps is a new finding at an old place."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ctxlint.base.request import Quiet
from ctxlint.findings.compare import compare
from ctxlint.findings.model import Result
from ctxlint.pipeline import Request, audit
from tests.fixture_harness import BELOW, make_tree

HELPER = """
#include <linux/mutex.h>
#include <linux/spinlock.h>
static DEFINE_MUTEX(dipper_mutex);
static DEFINE_RAW_SPINLOCK(dipper_lock);
static void dipper_wait(void) { mutex_lock(&dipper_mutex); mutex_unlock(&dipper_mutex); }
"""
CALLER = """
void dipper_{name}(void)
{{
	raw_spin_lock(&dipper_lock);
	dipper_{way}();
	raw_spin_unlock(&dipper_lock);
}}
"""
LONG = "static void dipper_long(void) { dipper_wait(); }\n"


def result_of(where: Path, callers: Sequence[str], ways: dict[str, str]) -> Result:
    text = HELPER + LONG
    for name in callers:
        text += CALLER.format(name=name, way=ways.get(name, "wait"))
    builds = make_tree(where / "tree", {"dipper.c": text})
    request = Request(
        tree=where / "tree", paths=(BELOW,), builds=builds, cache=where / "cache", jobs=1
    )
    return audit(request, Quiet())


def test_a_second_caller(tmp_path: Path) -> None:
    before = result_of(tmp_path / "a", ["first"], {})
    after = result_of(tmp_path / "b", ["first", "second"], {})
    (finding,) = after.findings
    assert [cause.function for cause in finding.causes] == ["dipper_first", "dipper_second"]
    found = compare(before.findings, after.findings)
    (new,) = found.introduced
    assert "now from dipper_second() too" in new.message
    assert {step.function for step in new.path} >= {"dipper_second", "dipper_wait"}
    assert new.fingerprint != finding.fingerprint
    assert [f.fingerprint for f in found.kept] == [finding.fingerprint]
    assert not found.fixed
    again = compare(after.findings, after.findings)
    assert not again.introduced and not again.fixed


def test_a_shorter_way_is_no_fix(tmp_path: Path) -> None:
    """The path that is shown becomes the new caller's; the old bug is still there."""
    before = result_of(tmp_path / "a", ["first"], {"first": "long"})
    after = result_of(tmp_path / "b", ["first", "second"], {"first": "long"})
    found = compare(before.findings, after.findings)
    assert not found.fixed
    (new,) = found.introduced
    assert "dipper_second" in {step.function for step in new.path}


def test_a_caller_that_goes_leaves_the_rest(tmp_path: Path) -> None:
    before = result_of(tmp_path / "a", ["first", "second"], {})
    after = result_of(tmp_path / "b", ["second"], {})
    found = compare(before.findings, after.findings)
    assert not found.introduced and not found.fixed
    assert len(found.kept) + len(found.moved) == 1
