# SPDX-License-Identifier: GPL-2.0-or-later
"""Every rule against a real kernel: the functions exist, and where a rule says that it
has its fact from, there is what it names.

CTXLINT_MORE_KERNEL_TREES names trees of other versions (separated as in PATH): with them,
every alias of a rule must be in one of the trees.
"""

from __future__ import annotations

import contextlib
import os
import re
from functools import cache
from pathlib import Path

import pytest

from ctxlint.pipeline.rule_fit import misfits
from ctxlint.rulebook import annotations, load

pytestmark = pytest.mark.slow

# Where functions that rules name are declared or defined. The whole of drivers/ would
# take a minute, and rules do not name what only one driver knows.
SEARCHED = (
    "include", "kernel", "mm", "lib", "init", "arch/*/include/asm", "arch/*/kernel",
    "drivers/base", "drivers/clk", "drivers/firmware", "drivers/of", "drivers/gpio",
    "drivers/irqchip", "drivers/acpi", "drivers/cpuidle", "drivers/regulator", "fs/sysfs",
    "drivers/pinctrl", "drivers/reset", "drivers/mfd", "net/core", "security", "fs/kernfs",
)  # fmt: skip


@pytest.fixture(scope="module")
def trees(kernel_tree: Path, request: pytest.FixtureRequest) -> tuple[Path, ...]:
    """6.12, the newest kernel when there is one, and more that the environment names."""
    more = [
        Path(p) for p in os.environ.get("CTXLINT_MORE_KERNEL_TREES", "").split(os.pathsep) if p
    ]
    with contextlib.suppress(pytest.skip.Exception):
        more.insert(0, request.getfixturevalue("new_kernel_tree"))
    return (kernel_tree, *more)


@cache
def words(path: Path) -> frozenset[str]:
    text = path.read_text("utf-8", "replace")
    return frozenset(re.findall(r"[A-Za-z_]\w*", text))


@pytest.fixture(scope="module")
def known(trees: tuple[Path, ...]) -> frozenset[str]:
    """Every identifier of the searched folders."""
    result: set[str] = set()
    for tree in trees:
        for pattern in SEARCHED:
            for folder in tree.glob(pattern):
                for suffix in ("*.h", "*.c"):
                    for path in folder.rglob(suffix):
                        result |= words(path)
        words.cache_clear()
    return frozenset(result)


def test_rules_fit(trees: tuple[Path, ...]) -> None:
    """Functions, members, parameters, constants and sources, in every one of the trees."""
    wrong = [f"{tree.name}: {item}" for tree in trees for item in misfits(tree)]
    assert not wrong, "\n".join(wrong)


def test_aliases_exist(trees: tuple[Path, ...], known: frozenset[str]) -> None:
    """With several trees, every alias is in one of them."""
    if len(trees) < 2:
        pytest.skip("one tree lacks what only other versions have")
    book = load()
    missing = {
        f"{rule.where}: {name}"
        for rule in (*book.apis.values(), *book.registrations.values())
        for name in rule.aliases
        if name not in known
        and name not in book.some_kernels
        # The macros that declare a tracepoint put this name together.
        and name.removeprefix("register_trace_") not in known
    }
    assert not missing, "\n".join(sorted(missing))


def test_sources_show_it(trees: tuple[Path, ...]) -> None:
    """``path:identifier`` is in the tree; a path alone has the function's own name. What
    only newer kernels have needs one of them."""
    if len(trees) < 2:
        pytest.skip("one tree lacks what only other versions have")
    wrong: list[str] = []
    for where, source, name in load().sources:
        path, _, identifier = source.partition(":")
        if not path:
            wrong.append(f"{where}: no source")
            continue
        files = [tree / path for tree in trees if (tree / path).is_file()]
        if not files:
            wrong.append(f"{where}: no file {path}")
        elif not any((identifier or name) in words(file) for file in files):
            wrong.append(f"{where}: no {identifier or name} in {path}")
    assert not wrong, "\n".join(wrong)


def test_annotations_exist(trees: tuple[Path, ...]) -> None:
    """Each is in one of the trees, where its rule says."""
    if len(trees) < 2:
        pytest.skip("one tree lacks what only other versions have")
    for item in annotations.load():
        path, _, name = item.source.partition(":")
        assert item.text.startswith(name)
        files = [tree / path for tree in trees if (tree / path).is_file()]
        assert any(name in words(file) for file in files), item.source


# The body calls what sleeps, and yet: page faults are off; a task that cannot go on.
SLEEPS_AND_YET = {"strncpy_from_user_nofault", "make_task_dead"}
_BODY = re.compile(
    r"^(?:[A-Za-z_][^\n;{}#]*\b)?(\w+)\([^;{}]*?\)[^;{}()]*\n\{\n(.*?)\n\}", re.M | re.S
)
_CALL = re.compile(r"\b([a-z_]\w*)\s*\(")
_SLEEPING_GUARD = "a guard that sleeps"
_GUARD = re.compile(r"guard\((?:mutex|rwsem_read|rwsem_write|cpus_read_lock|msi_descs_lock)\W")


@cache
def bodies(path: Path) -> dict[str, frozenset[str]]:
    """What each function of a file calls, by its text; guards that sleep too."""
    found: dict[str, frozenset[str]] = {}
    for match in _BODY.finditer(path.read_text("utf-8", "replace")):
        text = re.sub(r"/\*.*?\*/|//[^\n]*", "", match[2], flags=re.S)
        calls = {*_CALL.findall(text), *([_SLEEPING_GUARD] if _GUARD.search(text) else [])}
        found.setdefault(match[1], frozenset(calls))
    return found


def test_harmless_functions_call_nothing_that_sleeps(trees: tuple[Path, ...]) -> None:
    """Neither themselves nor in a function of the same file that has no rule."""
    book = load()
    sleeping = {_SLEEPING_GUARD, "might_sleep", "mutex_lock", "wait_event"} | {
        name
        for name, rule in book.apis.items()
        if rule.api.requires
        and all(
            (c.level, c.when, c.certainty) == ("sleep", "", "certain")
            for c in rule.api.requires
        )
    }
    wrong: list[str] = []
    for name, rule in sorted(book.apis.items()):
        if rule.api.requires or rule.api.config or rule.api.inside or name in SLEEPS_AND_YET:
            continue
        for tree in trees:
            path = tree / rule.source.partition(":")[0]
            known = bodies(path) if path.is_file() else {}
            for callee in sorted(known.get(name, ())):
                below = (
                    known.get(callee, frozenset()) if callee not in book.apis else frozenset()
                )
                if callee in sleeping or below & sleeping:
                    way = " -> ".join((callee, *sorted(below & sleeping)[:1]))
                    wrong.append(f"{tree.name} {rule.where}: {name} -> {way}")
    assert not wrong, "\n".join(wrong)
