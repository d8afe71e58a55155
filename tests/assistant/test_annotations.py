# SPDX-License-Identifier: GPL-2.0-or-later
"""Annotations that would show a finding: which, and on which line of which function."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest
from warm_cache import TREE, warmed

from ctxlint.assistant.annotations import suggestions
from ctxlint.base.errors import RuleError
from ctxlint.findings.answers import Suggestion
from ctxlint.findings.model import Finding
from ctxlint.pipeline import Quiet, Request, audit
from ctxlint.rulebook import annotations

FILE = "drivers/irqchip/irq-snail.c"
MORE = """
static DEFINE_RAW_SPINLOCK(guard);
static DEFINE_SPINLOCK(soft);

struct shell {
	raw_spinlock_t lock;
	struct mutex own;
};

static void waits(struct shell *shell,
		int seldom)
{
	if (seldom)
		mutex_lock(&shell->own);
}

static void steps(struct shell *shell)
{
	waits(shell, 1);
}

void under_a_lock(struct shell *shell)
{
	raw_spin_lock(&guard);
	steps(shell);
	raw_spin_unlock(&guard);
}

static void waits_for_member(struct shell *s) { mutex_lock(&s->own); }

void under_its_lock(struct shell *shell)
{
	raw_spin_lock(&shell->lock);
	waits_for_member(shell);
	raw_spin_unlock(&shell->lock);
}

static void with_interrupts(struct shell *shell)
{
	mutex_lock(&shell->own);
}

void without_interrupts(struct shell *shell)
{
	local_irq_disable();
	with_interrupts(shell);
	local_irq_enable();
}

static void soft_one(void)
{
	spin_lock(&soft);
	spin_unlock(&soft);
}

void without_preemption(void)
{
	preempt_disable();
	soft_one();
	preempt_enable();
}

void all_in_one(struct shell *shell)
{
	preempt_disable();
	mutex_lock(&shell->own);
	preempt_enable();
}
"""
HEADERS = {
    "include/linux/kernel.h": "#define might_sleep()",
    "include/linux/lockdep.h": "lockdep_assert_not_held lockdep_assert_irqs_enabled "
    "lockdep_assert_preemption_enabled",
    "include/linux/compiler-context-analysis.h": "__must_not_hold",
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Finding]]:
    """The tree, and the findings by their function."""
    tree = tmp_path_factory.mktemp("advice") / "tree"
    shutil.copytree(TREE, tree)
    with (tree / FILE).open("a") as file:
        file.write(MORE)
    request = Request(
        tree=tree,
        builds=(tree / "builds/rt", tree / "builds/nort"),
        paths=("drivers/firmware", "drivers/irqchip"),
        cache=warmed(tree.parent / "cache"),
        jobs=1,
    )
    return tree, {f.function: f for f in audit(request, Quiet()).findings}


def advice(
    found: tuple[Path, dict[str, Finding]], function: str, headers: dict[str, str] = HEADERS
) -> dict[str, Suggestion]:
    """By what to write. The place is the line of the brace that begins the body."""
    tree, findings = found

    def read(file: str) -> str | None:
        return headers.get(file) if file.startswith("include/") else (tree / file).read_text()

    given = suggestions(findings[function], read)
    lines = (tree / FILE).read_text().split("\n")
    for item in given:
        file, _, line = item.place.partition(":")
        if file == FILE and item.function != "waits_for_member":
            expected = "{" if "behind" not in item.where else lines[int(line) - 1]
            assert lines[int(line) - 1] == expected
            if "behind" in item.where:
                assert f"{item.function}(" in expected
    return {item.annotation: item for item in given}


def test_below_a_lock(found: tuple[Path, dict[str, Finding]]) -> None:
    """What sleeps says so; what is called with the lock says that it must not be."""
    given = advice(found, "waits")
    assert list(given) == [
        "might_sleep()", "lockdep_assert_not_held(&guard)", "__must_not_hold(&guard)",
    ]  # fmt: skip
    assert given["might_sleep()"].function == "waits"
    assert given["lockdep_assert_not_held(&guard)"].function == "steps"
    assert given["might_sleep()"].where == "at the beginning of waits()"
    assert given["__must_not_hold(&guard)"].where == "behind the parameters of steps()"
    assert given["might_sleep()"].needs == "CONFIG_DEBUG_ATOMIC_SLEEP"


def test_a_lock_of_an_object_has_another_name_in_the_callee(
    found: tuple[Path, dict[str, Finding]],
) -> None:
    """And a body that is written in one line is told by the line of the call."""
    given = advice(found, "waits_for_member")["lockdep_assert_not_held(&shell->lock)"]
    assert "(&shell->lock is its caller's word)" in given.where
    line = int(given.place.partition(":")[2])
    assert "waits_for_member" in (found[0] / FILE).read_text().split("\n")[line - 1]


def test_below_a_section(found: tuple[Path, dict[str, Finding]]) -> None:
    given = advice(found, "with_interrupts")
    assert list(given) == ["might_sleep()", "lockdep_assert_irqs_enabled()"]
    assert {item.function for item in given.values()} == {"with_interrupts"}


def test_what_only_preempt_rt_forbids_is_asked_there_alone(
    found: tuple[Path, dict[str, Finding]],
) -> None:
    assert list(advice(found, "soft_one")) == [
        "if (IS_ENABLED(CONFIG_PREEMPT_RT)) might_sleep()",
        "if (IS_ENABLED(CONFIG_PREEMPT_RT)) lockdep_assert_preemption_enabled()",
    ]


def test_a_callback(found: tuple[Path, dict[str, Finding]]) -> None:
    """The kernel calls it so: a promise would be broken at once, a check shows it."""
    given = advice(found, "snail_irq_mask")
    assert list(given) == ["might_sleep()"]
    assert given["might_sleep()"].function == "snail_irq_mask"


def test_nothing_to_promise(found: tuple[Path, dict[str, Finding]]) -> None:
    """A function that goes atomic and sleeps itself."""
    assert advice(found, "all_in_one") == {}


def test_only_what_the_tree_has(found: tuple[Path, dict[str, Finding]]) -> None:
    assert advice(found, "waits", {}) == {}
    some = {"include/linux/lockdep.h": "lockdep_assert_not_held_not"}
    assert advice(found, "waits", some) == {}


def test_a_way_that_is_not_known(found: tuple[Path, dict[str, Finding]]) -> None:
    """As of a finding that another version saved."""
    bare = msgspec.structs.replace(found[1]["waits"], path=())
    assert suggestions(bare, HEADERS.get) == ()


@pytest.mark.parametrize("text", ["- text: x", "- {", "- {text: x, against: all}"])
def test_a_wrong_file_is_an_error(text: str, tmp_path: Path) -> None:
    (tmp_path / annotations.FILE).write_text(text)
    with pytest.raises(RuleError, match=r"annotations\.yaml"):
        annotations.load(tmp_path)
