# SPDX-License-Identifier: GPL-2.0-or-later
"""The fixtures, and the harness that reads their comments."""

from __future__ import annotations

from pathlib import Path

import pytest
from fixture_harness import BELOW, MINIATURE, all_sources, audited, make_tree
from warm_cache import warmed

from ctxlint import pipeline
from ctxlint.base.request import Quiet
from ctxlint.checks.base import docs
from ctxlint.findings.expectations import Expectation, expectations, mismatches, seen
from ctxlint.findings.model import Finding, Result
from ctxlint.report import json_report

SOURCES = all_sources()


def audit(
    tree: Path, builds: tuple[Path, ...], paths: tuple[str, ...], cache: Path, jobs: int = 0
) -> Result:
    request = pipeline.Request(tree=tree, builds=builds, paths=paths, cache=cache, jobs=jobs)
    return pipeline.audit(request, Quiet())


@pytest.fixture(scope="session")
def result() -> Result:
    """One audit of all fixtures at once, as of a tree."""
    return audited()[1]


@pytest.fixture(scope="session")
def miniature(tmp_path_factory: pytest.TempPathFactory) -> Result:
    builds = (MINIATURE / "builds/rt", MINIATURE / "builds/nort")
    paths = ("drivers/irqchip", "drivers/firmware")
    return audit(MINIATURE, builds, paths, warmed(tmp_path_factory.mktemp("cache")))


@pytest.mark.parametrize("name", SOURCES)
def test_fixture(name: str, result: Result) -> None:
    file = f"{BELOW}/{name}"
    assert not [item for item in result.incomplete if item.file == file]
    problems = mismatches(expectations(SOURCES[name], file), seen(result), file)
    assert not problems, "\n" + "\n".join(problems)


@pytest.mark.parametrize("name", SOURCES)
def test_form(name: str) -> None:
    lines = SOURCES[name].splitlines()
    # Programs of the executable model say themselves what is expected of them.
    program = name.startswith("model/")
    assert program or len(lines) < 40
    assert lines[0] == "// SPDX-License-Identifier: GPL-2.0-or-later"
    wanted = expectations(SOURCES[name], name)
    known = {doc.id for doc in docs()}
    assert {item.check for item in wanted} <= known
    if not program and "/" not in name.partition("/")[2]:
        assert wanted, "a fixture without an expectation shows nothing"


def test_every_unit_was_analysed(result: Result) -> None:
    assert result.incomplete == ()
    assert result.uncovered == ()


@pytest.mark.slow
def test_jobs_and_company_do_not_matter(tmp_path: Path) -> None:
    """Byte-identical with one job and two, and a unit's findings are those it has alone."""
    sources = {name: text for name, text in SOURCES.items() if "/guard-" in name}
    builds = make_tree(tmp_path / "tree", sources)
    one, two = (
        audit(tmp_path / "tree", builds, (BELOW,), tmp_path / f"cache{jobs}", jobs)
        for jobs in (1, 2)
    )
    assert json_report.render(one) == json_report.render(two)
    for name in sources:
        path = f"{BELOW}/{name}"
        alone = audit(tmp_path / "tree", builds, (path,), tmp_path / f"cache-{Path(name).stem}")
        assert seen(alone) == {item for item in seen(one) if item[0] == path}


# -- the miniature tree of the demo ------------------------------------------------


def by_place(result: Result) -> dict[tuple[str, str, str], Finding]:
    return {(f.file.rpartition("/")[2], f.callee, f.check): f for f in result.findings}


def test_miniature_findings(miniature: Result) -> None:
    assert set(by_place(miniature)) == {
        ("irq-lily-its.c", "free_pages", "rt-sleep-in-atomic"),
        ("irq-lily-its.c", "efi_mem_reserve_persistent", "rt-sleep-in-atomic"),
        ("irq-snail.c", "mutex_lock", "sleep-in-atomic"),
        ("tulip_sdei.c", "spin_lock", "rt-sleep-in-atomic"),
    }


def test_miniature_way_across_two_files(miniature: Result) -> None:
    finding = by_place(miniature)["irq-lily-its.c", "free_pages", "rt-sleep-in-atomic"]
    assert finding.rt_only
    assert finding.entry.function == "lily_starting_cpu"
    assert finding.entry.state == "CPUHP_AP_IRQ_GIC_STARTING"
    functions = [step.function for step in finding.path]
    way = ["lily_starting_cpu", "lily_cpu_init", "lily_its_cpu_init", "lily_free_pending_table"]
    assert [name for name in functions if name in way] == sorted(
        [name for name in functions if name in way], key=way.index
    )
    assert finding.path[0].kind == "registration"
    assert {step.file.rpartition("/")[2] for step in finding.path} >= {
        "irq-lily.c",
        "irq-lily-its.c",
    }


def test_miniature_profiles(miniature: Result) -> None:
    snail = by_place(miniature)["irq-snail.c", "mutex_lock", "sleep-in-atomic"]
    assert not snail.rt_only
    assert len(snail.profiles) == 2


# -- the harness itself --------------------------------------------------------------

WRONG = """// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/delay.h>
#include <linux/spinlock.h>
static DEFINE_RAW_SPINLOCK(raw);
void wrong_fixture(void)
{
	raw_spin_lock(&raw);
	msleep(1);
	udelay(1); // expect: sleep-in-atomic
	msleep(2); // ok: sleep-in-atomic
	msleep(3); // fn: sleep-in-atomic: not known to be missed
	raw_spin_unlock(&raw);
	msleep(4); // fp: sleep-in-atomic: not known to be found
}
"""


def test_harness_sees_a_wrong_fixture(tmp_path: Path) -> None:
    builds = make_tree(tmp_path / "tree", {"wrong.c": WRONG})
    result = audit(tmp_path / "tree", builds, (BELOW,), tmp_path / "cache")
    file = f"{BELOW}/wrong.c"
    problems = mismatches(expectations(WRONG, file), seen(result), file)
    text = "\n".join(problem for problem in problems if "[nort]" in problem)
    assert "wrong.c:8: [nort] sleep-in-atomic: found and not expected" in text
    assert "wrong.c:9: [nort] sleep-in-atomic: expected and not found" in text
    assert "wrong.c:10: [nort] sleep-in-atomic: found where" in text
    assert "wrong.c:11: [nort] sleep-in-atomic: known as missed, but found" in text
    assert "wrong.c:13: [nort] sleep-in-atomic: a known false one, but gone" in text
    assert len(problems) == 10


def test_matching_is_two_way() -> None:
    wanted = [Expectation("a.c", 3, "expect", "sleep-in-atomic", ("rt",))]
    right = frozenset({("a.c", 3, "sleep-in-atomic", "rt")})
    assert mismatches(wanted, right, "a.c") == []
    assert len(mismatches(wanted, frozenset(), "a.c")) == 1
    other_build = frozenset({("a.c", 3, "sleep-in-atomic", "nort")})
    assert len(mismatches(wanted, right | other_build, "a.c")) == 1
    other_check = frozenset({("a.c", 3, "rt-sleep-in-atomic", "rt")})
    assert len(mismatches(wanted, right | other_check, "a.c")) == 1
    other_file = frozenset({("b.c", 3, "sleep-in-atomic", "rt")})
    assert mismatches(wanted, right | other_file, "a.c") == []


def test_comments_are_read() -> None:
    text = "a(); // expect[rt]: some-check // ok: other-check\nb(); // a word on expect\n"
    assert expectations(text, "a.c") == [
        Expectation("a.c", 1, "expect", "some-check", ("rt",)),
        Expectation("a.c", 1, "ok", "other-check", ("rt", "nort")),
    ]


@pytest.mark.parametrize(
    "comment",
    ["// expect[arm]: some-check", "// expect: Some Check", "// fp: a-check", "// ok:x"],
)
def test_malformed_comments_are_errors(comment: str) -> None:
    with pytest.raises(ValueError, match=r"a\.c:1"):
        expectations(comment, "a.c")
