# SPDX-License-Identifier: GPL-2.0-or-later
"""A call of a pointer that could go to many functions: told when asked for."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ctxlint.analysis.possible import _is_long
from ctxlint.analysis.targets import Targets
from ctxlint.base.request import Quiet
from ctxlint.facts import limits
from ctxlint.findings.model import Result
from ctxlint.pipeline import Request, audit
from tests.fixture_harness import BELOW, make_tree

CORE = """
#include <linux/mutex.h>
#include <linux/spinlock.h>
struct teal;
struct teal_ops { void (*set)(struct teal *t, int value); };
struct teal { const struct teal_ops *ops; };
static DEFINE_MUTEX(teal_mutex);
static DEFINE_RAW_SPINLOCK(teal_lock);
void teal_set(struct teal *t)
{
	raw_spin_lock(&teal_lock);
	t->ops->set(t, 1);
	raw_spin_unlock(&teal_lock);
}
static void teal_slow(struct teal *t, int value)
{
	mutex_lock(&teal_mutex);
	mutex_unlock(&teal_mutex);
}
const struct teal_ops teal_slow_ops = { .set = teal_slow };
"""
OTHER = """
static void teal_{n}(struct teal *t, int value) {{ }}
const struct teal_ops teal_{n}_ops = {{ .set = teal_{n} }};
"""


RESET = """
#include <linux/spinlock.h>
struct reset_control;
extern int reset_control_assert(struct reset_control *rstc);
static DEFINE_RAW_SPINLOCK(teal_lock);
void teal_reset(struct reset_control *rstc)
{
	raw_spin_lock(&teal_lock);
	reset_control_assert(rstc);
	raw_spin_unlock(&teal_lock);
}
"""
"""Few reset controllers sleep, and which one this is the device tree says."""


def result_of(tmp_path: Path, others: int, possible: bool) -> Result:
    text = CORE + "".join(OTHER.format(n=n) for n in range(others))
    return result_on(text, tmp_path, possible)


def result_on(text: str, tmp_path: Path, possible: bool) -> Result:
    builds = make_tree(tmp_path / "tree", {"teal.c": text})
    return audit(
        Request(
            tree=tmp_path / "tree",
            paths=(BELOW,),
            builds=builds,
            cache=tmp_path / "cache",
            jobs=1,
            possible=possible,
        ),
        Quiet(),
    )


def test_few_functions_are_shown(tmp_path: Path) -> None:
    result = result_of(tmp_path, 2, False)
    (finding,) = result.findings
    assert finding.severity == "warning"
    assert finding.among == 3
    assert not result.notes


@pytest.mark.parametrize("possible", [False, True])
def test_many_functions_are_shown_when_asked_for(tmp_path: Path, possible: bool) -> None:
    result = result_of(tmp_path, 6, possible)
    if possible:
        (finding,) = result.findings
        assert finding.among == 7
        assert not result.notes
    else:
        assert not result.findings
        (note,) = result.notes
        assert note.startswith("1 finding is possible and not shown")
        assert "--possible" in note


def test_another_drivers_function_is_shown_when_asked_for(tmp_path: Path) -> None:
    """A function of a directory apart is hardly held by an object that is not known; one of
    the core's directory, or of one below it, is."""
    header = CORE[: CORE.index("static DEFINE_MUTEX")]
    use = "#include <linux/teal.h>\n"
    lock = CORE[CORE.index("static DEFINE_RAW") : CORE.index("static void teal_slow")]
    slow = CORE[CORE.index("static void teal_slow") :] + OTHER.format(n=0)
    mutex = "static DEFINE_MUTEX(teal_mutex);\n"
    for where, shown in (("core/slow/b.c", 1), ("other/b.c", 0)):
        files = {"core/a.c": use + lock, where: use + mutex + slow}
        place = tmp_path / where.partition("/")[0]
        for possible in (False, True):
            tree = place / str(possible)
            builds = make_tree(tree, files)
            (tree / "include/linux/teal.h").write_text(header, encoding="utf-8")
            request = Request(
                tree=tree, paths=(BELOW,), builds=builds,
                cache=place / "cache", jobs=1, possible=possible,
            )  # fmt: skip
            assert len(audit(request, Quiet()).findings) == max(shown, possible)


@pytest.mark.parametrize(("among", "shown"), [(2, 1), (3, 0)])
def test_functions_of_other_files_are_fewer(tmp_path: Path, among: int, shown: int) -> None:
    """Where the call is not in the file of one that it can go to, it chose among nothing."""
    header = CORE[: CORE.index("static DEFINE_MUTEX")]
    use = "#include <linux/teal.h>\n"
    lock = CORE[CORE.index("static DEFINE_RAW") : CORE.index("static void teal_slow")]
    slow = CORE[CORE.index("static void teal_slow") :]
    others = "".join(OTHER.format(n=n) for n in range(among - 1))
    mutex = "static DEFINE_MUTEX(teal_mutex);\n"
    files = {"core/a.c": use + lock, "core/b.c": use + mutex + slow + others}
    tree = tmp_path / "tree"
    builds = make_tree(tree, files)
    (tree / "include/linux/teal.h").write_text(header, encoding="utf-8")
    request = Request(
        tree=tree, paths=(BELOW,), builds=builds, cache=tmp_path / "cache", jobs=1
    )
    assert len(audit(request, Quiet()).findings) == shown


@pytest.mark.parametrize(
    ("calls", "files", "shown"), [(8, 3, 1), (9, 3, 0), (9, 2, 1), (16, 2, 1), (17, 2, 0)]
)
def test_a_long_way_is_shown_when_asked_for(
    tmp_path: Path, calls: int, files: int, shown: int
) -> None:
    """However certain each step is, nobody reads it. In a driver of two files it is."""
    top = "#include <linux/mutex.h>\n#include <linux/spinlock.h>\n"
    texts = [top] * files
    texts[0] += "static DEFINE_MUTEX(teal_mutex);\nvoid teal_0(void) "
    texts[0] += "{ mutex_lock(&teal_mutex); mutex_unlock(&teal_mutex); }\n"
    for n in range(1, calls):
        texts[n % files] += f"void teal_{n - 1}(void);\n"
        texts[n % files] += f"void teal_{n}(void) {{ teal_{n - 1}(); }}\n"
    texts[0] += f"void teal_{calls - 1}(void);\nstatic DEFINE_RAW_SPINLOCK(teal_lock);\n"
    texts[0] += "void teal_begin(void)\n{ raw_spin_lock(&teal_lock); "
    texts[0] += f"teal_{calls - 1}(); raw_spin_unlock(&teal_lock); }}\n"
    tree = tmp_path / "tree"
    builds = make_tree(tree, {f"teal{n}.c": text for n, text in enumerate(texts)})
    for possible in (False, True):
        request = Request(
            tree=tree, paths=(BELOW,), builds=builds,
            cache=tmp_path / "cache", jobs=1, possible=possible,
        )  # fmt: skip
        assert len(audit(request, Quiet()).findings) == max(shown, possible)


def test_a_way_that_comes_back_is_no_longer_for_that() -> None:
    """Which of two ways is found first is chance, and one may go through a function twice."""
    way: list[Any] = [
        SimpleNamespace(fn=SimpleNamespace(symbol=f"f{n}", file=f"{n % 3}.c"))
        for n in range(limits.CALLS_MAX + 2)
    ]
    assert not _is_long([*way[:-1], *way[:-1]])
    assert _is_long(way)


@pytest.mark.parametrize("possible", [False, True])
def test_a_driver_that_few_others_are_like(tmp_path: Path, possible: bool) -> None:
    result = result_on(RESET, tmp_path, possible)
    assert [f.severity for f in result.findings] == ["warning"] * possible
    assert len(result.notes) == (not possible)


TEAL_CORE = """
#include "teal.h"
void teal_done(struct teal *t) { t->ops->stop(t); }
"""
TEAL_HEADER = """
#include <linux/interrupt.h>
#include <linux/mutex.h>
struct teal;
struct teal_ops { void (*stop)(struct teal *t); };
struct teal { const struct teal_ops *ops; };
void teal_done(struct teal *t);
int teal_add(struct teal *t, const struct teal_ops *ops);
static DEFINE_MUTEX(lock);
"""
TEAL_BUS = """
#include "teal.h"
static void {bus}_stop(struct teal *t) {{ mutex_lock(&lock); mutex_unlock(&lock); }}
static const struct teal_ops {bus}_ops = {{ .stop = {bus}_stop }};
static irqreturn_t {bus}_handler(int irq, void *data)
{{
	{called};
	return IRQ_HANDLED;
}}
int {bus}_probe(struct teal *t)
{{
	teal_add(t, &{bus}_ops);
	return request_irq(1, {bus}_handler, 0, "{bus}", t);
}}
"""


def test_the_object_is_that_of_the_driver_that_calls(tmp_path: Path) -> None:
    """An interrupt handler of one bus calls the core, and this the operations of the
    object: those of the handler's own file."""
    files = {
        "teal.h": TEAL_HEADER,
        "core.c": TEAL_CORE,
        "one.c": TEAL_BUS.format(bus="one", called="teal_done(data)"),
        "two.c": TEAL_BUS.format(bus="two", called="(void)data"),
    }
    builds = make_tree(tmp_path / "tree", files)
    request = Request(
        tree=tmp_path / "tree", paths=(BELOW,), builds=builds, cache=tmp_path / "cache", jobs=1
    )
    result = audit(request, Quiet())
    assert [f.function for f in result.findings] == ["one_stop"]
    assert len(result.notes) == 1


HW_HEADER = """
#include <linux/mutex.h>
#include <linux/spinlock.h>
struct hw { void (*reset)(struct hw *hw); };
"""
HW_ONE = """
#include "hw.h"
static DEFINE_RAW_SPINLOCK(gate);
static void one_reset(struct hw *hw) { }
void one_probe(struct hw *hw)
{
	hw->reset = one_reset;
	raw_spin_lock(&gate);
	hw->reset(hw);
	raw_spin_unlock(&gate);
}
"""
HW_TWO = """
#include "hw.h"
static DEFINE_MUTEX(lock);
static void two_reset(struct hw *hw) { mutex_lock(&lock); mutex_unlock(&lock); }
void two_probe(struct hw *hw) { hw->reset = two_reset; }
"""


@pytest.mark.parametrize(("where", "shown"), [("one", True), ("two", False)])
def test_structures_of_one_tag_in_two_drivers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, shown: bool
) -> None:
    """Of an object that is known to hold functions of its own driver's directory and of
    another's, only the former are meant."""
    both = ("drivers/fixtures/one/a.c::one_reset", f"drivers/fixtures/{where}/b.c::two_reset")
    monkeypatch.setattr(Targets, "of_call", lambda *args: (both, True))
    files = {"one/hw.h": HW_HEADER, "two/hw.h": HW_HEADER}
    files |= {"one/a.c": HW_ONE, f"{where}/b.c": HW_TWO}
    builds = make_tree(tmp_path / "tree", files)
    request = Request(
        tree=tmp_path / "tree", paths=(BELOW,), builds=builds, cache=tmp_path / "cache", jobs=1
    )
    assert [f.function for f in audit(request, Quiet()).findings] == ["two_reset"] * shown


STATES = """
#include <linux/mutex.h>
#include <linux/spinlock.h>
struct state {{ void (*down)(void); }};
static DEFINE_MUTEX(lock);
static DEFINE_RAW_SPINLOCK(stop);
static void slow(void) {{ mutex_lock(&lock); mutex_unlock(&lock); }}
{functions}
static struct state states[] = {{ {{ slow }}, {entries} }};
void take_down(int state)
{{
	raw_spin_lock(&stop);
	states[state].down();
	raw_spin_unlock(&stop);
}}
"""


@pytest.mark.parametrize(("others", "shown"), [(4, True), (12, False)])
def test_a_table_of_many_states(tmp_path: Path, others: int, shown: bool) -> None:
    """Which entry it is nothing tells, and the core runs only some of them so."""
    text = STATES.format(
        functions="\n".join(f"static void quick{n}(void) {{ }}" for n in range(others)),
        entries=", ".join(f"{{ quick{n} }}" for n in range(others)),
    )
    result = result_on(text, tmp_path, False)
    assert len(result.findings) == shown
    assert len(result.notes) == (not shown)


MANY_WAYS = """
#include <linux/mutex.h>
#include <linux/spinlock.h>
static DEFINE_MUTEX(mutex);
static DEFINE_RAW_SPINLOCK(lock);
static void teal_get(int size, int flags)
{
	if (flags & 1)
		mutex_lock(&mutex);
}
void teal_fill(void)
{
	raw_spin_lock(&lock);
	teal_get(1, 2);
	teal_get(2, 4);
	teal_get(3, 8);
	raw_spin_unlock(&lock);
}
"""


def test_what_a_limit_has_dropped_decides_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a function is called in too many ways, what it is passed is dropped, and it
    could be called with any flags."""

    def sleeping(where: Path) -> list[str]:
        found = result_on(MANY_WAYS, where, False).findings
        return [f.check for f in found if f.check == "sleep-in-atomic"]

    assert not sleeping(tmp_path / "all")
    monkeypatch.setattr(limits, "NODES_PER_FUNCTION", 1)
    assert not sleeping(tmp_path / "few")
