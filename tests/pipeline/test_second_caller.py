# SPDX-License-Identifier: GPL-2.0-or-later
"""A function of another file that sleeps is told at each call of the audited file."""

from __future__ import annotations

from pathlib import Path

from ctxlint.analysis.callers import SITES_MAX
from ctxlint.base.request import Quiet
from ctxlint.pipeline import Request, audit
from tests.fixture_harness import BELOW, make_tree

HELPERS = """
#include <linux/mutex.h>
static DEFINE_MUTEX(wader_mutex);
static void wader_inner(int n) { mutex_lock(&wader_mutex); mutex_unlock(&wader_mutex); }
void wader_wait(int n) { wader_inner(n); }
void wader_settle(int n) { wader_inner(n); }
"""

DRIVER = """
#include <linux/spinlock.h>
static DEFINE_RAW_SPINLOCK(wader_lock);
void wader_wait(int n);
void wader_settle(int n);
void wader_first(void)
{
	raw_spin_lock(&wader_lock);
	wader_wait(1);	/* here */
	raw_spin_unlock(&wader_lock);
}
void wader_second(int n)
{
	raw_spin_lock(&wader_lock);
	if (n)
		wader_wait(1);	/* here */
	else
		wader_wait(1);	/* here */
	raw_spin_unlock(&wader_lock);
}
static void wader_helper(void) { wader_settle(2); }	/* here */
void wader_third(void)
{
	raw_spin_lock(&wader_lock);
	wader_helper();
	raw_spin_unlock(&wader_lock);
}
void wader_right(void)
{
	wader_wait(1);
	wader_helper();
}
"""


def test_each_call_that_leads_there_is_a_finding(tmp_path: Path) -> None:
    builds = make_tree(tmp_path / "tree", {"driver.c": DRIVER, "helpers.c": HELPERS})
    result = audit(
        Request(
            tree=tmp_path / "tree",
            paths=(f"{BELOW}/driver.c",),
            builds=builds,
            cache=tmp_path / "cache",
            jobs=1,
            reach=1,
        ),
        Quiet(),
    )
    wanted = {n for n, line in enumerate(DRIVER.splitlines(), 1) if "/* here */" in line}
    assert {f.line for f in result.findings} == wanted
    for finding in result.findings:
        # The steps are those of this call, from the function that it is in.
        assert any(s.line == finding.line and s.kind == "call" for s in finding.path)
        assert finding.path[-1].function == "wader_inner"


def test_calls_beyond_the_limit_are_told(tmp_path: Path) -> None:
    calls = "".join(
        f"void many_{n}(void) {{ raw_spin_lock(&l); wader_wait({n}); raw_spin_unlock(&l); }}\n"
        for n in range(SITES_MAX + 1)
    )
    driver = (
        "#include <linux/spinlock.h>\nstatic DEFINE_RAW_SPINLOCK(l);\n"
        f"void wader_wait(int n);\n{calls}"
    )
    builds = make_tree(tmp_path / "tree", {"driver.c": driver, "helpers.c": HELPERS})
    result = audit(
        Request(
            tree=tmp_path / "tree",
            paths=(f"{BELOW}/driver.c",),
            builds=builds[:1],
            cache=tmp_path / "cache",
            jobs=1,
            reach=1,
        ),
        Quiet(),
    )
    assert len(result.findings) == SITES_MAX
    [item] = result.incomplete
    assert (item.kind, item.function) == ("limit", "wader_inner")
    assert f"more than {SITES_MAX} calls in audited files" in item.reason
