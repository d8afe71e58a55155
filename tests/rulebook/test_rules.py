# SPDX-License-Identifier: GPL-2.0-or-later
"""The shipped rules: complete, consistent, and the only place with kernel names."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from ctxlint.rulebook import Rulebook, check_shipped, load, prototypes, rules_directory
from ctxlint.rulebook.conditions import choose
from ctxlint.rulebook.effects import Count, Irq, IrqSave, Lock

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def book() -> Rulebook:
    return load()


def test_what_loading_leaves_out(book: Rulebook) -> None:
    assert check_shipped().sources == book.sources


def test_every_rule_names_its_source(book: Rulebook) -> None:
    assert not [where for where, source, _ in book.sources if not source]


def test_operations_that_wait_say_why(book: Rulebook) -> None:
    """A requirement has words for the report: its own, or those of its operation."""
    silent = []
    for rule in book.apis.values():
        operation = book.operations.get(rule.api.operation)
        for case in rule.api.requires:
            if case.level == "spin" or case.why:
                continue
            words = operation and (
                operation.why_sleep if case.level == "sleep" else operation.why_rt
            )
            if not words:
                silent.append(f"{rule.where}: {rule.symbol} ({case.level})")
    assert not silent, "\n".join(silent)


def test_no_orphans(book: Rulebook) -> None:
    """Operations and lock kinds that no rule speaks of would only be noise."""
    used = {rule.api.operation for rule in book.apis.values()}
    assert not set(book.operations) - used


def test_raw_and_spin_differ_on_rt(book: Rulebook) -> None:
    assert book.phrases("raw", True) == (Count("preempt", 1),)
    assert Count("preempt", 1) not in book.phrases("spin", True)
    lock = book.api("spin_lock_irq")
    assert lock is not None
    assert lock.effects(True) == (Lock("spin", "lock"),)
    assert Irq(True) in lock.effects(False)


def test_irqsave_gives_the_state_back(book: Rulebook) -> None:
    rule = book.api("_raw_spin_lock_irqsave")
    assert rule is not None
    assert rule.effects(True) == (IrqSave("RESULT"), Lock("raw", "lock"))
    assert rule.show == "raw_spin_lock_irqsave"


def test_static_functions(book: Rulebook) -> None:
    """A rule holds for the header's inline, not for a driver's static of that name."""
    assert book.api("include/linux/slab.h::kmalloc_noprof") is book.api("kmalloc_noprof")
    assert book.api("drivers/a/b.c::kmalloc_noprof") is None


def test_aliases_keep_their_names(book: Rulebook) -> None:
    """The report says what was called, unless the rule has a better name for it."""
    killable, nested = book.api("down_killable"), book.api("mutex_lock_nested")
    assert killable is not None
    assert nested is not None
    assert (killable.show, nested.show) == ("down_killable", "mutex_lock")


def test_allocation_depends_on_the_flags(book: Rulebook) -> None:
    rule = book.api("kmalloc_noprof")
    assert rule is not None
    names = {"__GFP_DIRECT_RECLAIM": book.constants["__GFP_DIRECT_RECLAIM"].value}

    def levels(**values: int) -> list[str]:
        known = names | values
        found = choose(rule.cases(True), lambda case: case.when, known.get)
        return [case.level for case, _ in found]

    assert levels(flags=0xCC0) == ["sleep"]
    assert levels(flags=0x820) == ["config"]
    assert levels() == ["sleep", "config"]


def test_page_order(book: Rulebook) -> None:
    rule = book.api("free_pages")
    assert rule is not None
    names = {"PAGE_ALLOC_COSTLY_ORDER": 3, "addr": 4096}
    for order, certainty in ((4, "certain"), (3, "may")):
        ((case, _),) = choose(
            rule.cases(True), lambda c: c.when, (names | {"order": order}).get
        )
        assert case.certainty == certainty


@pytest.mark.parametrize(
    ("state", "contexts"),
    [(10, {"cpuhp-prepare"}), (100, {"cpuhp-starting"}), (200, {"cpuhp-online"})],
)
def test_hotplug_sections(book: Rulebook, state: int, contexts: set[str]) -> None:
    rule = book.registration("cpuhp_setup_state_nocalls")
    assert rule is not None
    names = {"CPUHP_BRINGUP_CPU": 60, "CPUHP_AP_IDLE_DEAD": 61, "CPUHP_AP_ONLINE": 180}
    startup = rule.registration.callbacks[0]
    lookup = (names | {"state": state}).get
    assert {
        c.context for c, _ in choose(startup.contexts, lambda c: c.when, lookup)
    } == contexts


def test_hrtimer_default_differs_on_rt(book: Rulebook) -> None:
    field = book.field_callbacks("struct hrtimer", "function")
    assert field is not None
    assert field.paired is not None
    names = {"HRTIMER_MODE_SOFT": 4, "HRTIMER_MODE_HARD": 8, "mode": 1}
    for absent, context in (("nort", "hrtimer-soft"), ("rt", "hrtimer-hard")):
        cases = [case for case in field.contexts if case.profile != absent]
        ((case, _),) = choose(cases, lambda c: c.when, names.get)
        assert case.context == context


def test_few_prototypes_are_parsed(tmp_path: Path) -> None:
    """Every process that reads C asks the rules what is in them, and parsing all of their
    prototypes takes longer than most units."""
    parsed = prototypes.parse.cache_info
    prototypes.parse.cache_clear()
    fresh = load()
    assert parsed().misses == 0
    (tmp_path / "apis").mkdir()
    (tmp_path / "apis/a.yaml").write_text(
        "source: a.h\napis:\n  - prototype: void frob(int gfp)\n"
    )
    load([tmp_path])
    assert parsed().misses == 1
    assert "gfp_t" in fresh.flag_types
    conditional = sum(any(c.when for c in r.api.requires) for r in fresh.apis.values())
    assert 1 < parsed().misses <= 1 + conditional < len(fresh.apis) / 10


def test_rules_have_a_licence() -> None:
    for path in rules_directory().rglob("*.yaml"):
        assert path.read_text().startswith("# SPDX-License-Identifier: GPL-2.0-or-later\n"), (
            path
        )


def test_no_kernel_function_in_python(book: Rulebook) -> None:
    """Names of kernel functions live in rules/ alone; help texts may have examples. Words
    of plain English that are functions, too (``down``), are let through by length, and so
    is what kernels print and a task has under that name."""
    names = {
        name
        for name in (*book.apis, *book.registrations, *book.named_entries)
        if "_" in name and len(name) > 6
    } - {"preempt_count"}
    wrong = []
    for path in sorted((ROOT / "ctxlint").rglob("*.py")):
        if "cli" in path.parts:
            continue
        tree = ast.parse(path.read_text())
        documentation = {
            id(node.body[0].value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
            and node.body
            and isinstance(node.body[0], ast.Expr)
        }
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and id(node) not in documentation
            ):
                found = names & set(node.value.replace("(", " ").replace(")", " ").split())
                wrong += [
                    f"{path.relative_to(ROOT)}:{node.lineno}: {name}" for name in sorted(found)
                ]
    assert not wrong, "\n".join(wrong)
