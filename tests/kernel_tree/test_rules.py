# SPDX-License-Identifier: GPL-2.0-or-later
"""Every rule against a real kernel: the functions exist, and where a rule says that it
has its fact from, there is what it names.

CTXLINT_MORE_KERNEL_TREES names trees of other versions (separated as in PATH): with them,
every alias of a rule must be in one of the trees.
"""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path

import pytest

from ctxlint.rulebook import load
from ctxlint.rulebook.prototypes import name_of

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
def trees(kernel_tree: Path) -> tuple[Path, ...]:
    more = os.environ.get("CTXLINT_MORE_KERNEL_TREES", "")
    return (kernel_tree, *(Path(name) for name in more.split(os.pathsep) if name))


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


def test_functions_exist(trees: tuple[Path, ...], known: frozenset[str]) -> None:
    """By name or by an alias; with several trees, every alias too. One tree lacks what
    only other versions have, which is little."""
    book = load()
    missing: list[str] = []
    rules = {rule.where: rule for rule in (*book.apis.values(), *book.registrations.values())}
    for where, rule in sorted(rules.items()):
        note = getattr(rule, "api", None) or getattr(rule, "registration", None)
        if note is not None and note.note.startswith("newer than"):
            continue
        names = (name_of(rule.prototype), *rule.aliases)
        absent = [name for name in names if name not in known]
        if len(trees) > 1 or len(absent) == len(names):
            missing += [f"{where}: {name}" for name in absent]
    for name, entries in sorted(book.named_entries.items()):
        # x86 entry macros put two underscores before the name that is written.
        if name not in known and name.removeprefix("__") not in known:
            missing += [f"entry {name} ({entry.file})" for entry in entries]
    allowed = 0 if len(trees) > 1 else len(rules) // 100
    assert len(missing) <= allowed, "\n".join(missing)


def test_parameters_exist(trees: tuple[Path, ...]) -> None:
    """A prototype has as many parameters as the function where its source shows it."""
    book = load()
    wrong: list[str] = []
    for rule in (*book.apis.values(), *book.registrations.values()):
        if rule.symbol in rule.aliases:
            continue
        path = rule.source.partition(":")[0]
        counts = {
            count
            for tree in trees
            if (tree / path).is_file()
            for count in parameter_counts(
                (tree / path).read_text("utf-8", "replace"), rule.symbol
            )
        }
        if counts and len(rule.params) not in counts:
            wrong.append(f"{rule.where}: {rule.symbol} has {sorted(counts)} parameters")
    assert not wrong, "\n".join(sorted(set(wrong)))


def parameter_counts(text: str, name: str) -> set[int]:
    """Parameter counts of the definitions of ``name`` that begin in the first column."""
    counts: set[int] = set()
    pattern = rf"^[a-z][^\n;={{}}()#]*\b{re.escape(name)}\(((?:[^()]|\([^()]*\))*)\)"
    for match in re.finditer(pattern, text, re.M):
        inner = re.sub(r"\([^()]*\)", "x", match[1]).strip()
        if "DECL_BUCKET_PARAMS" in inner:
            continue
        parts = [part.strip() for part in inner.split(",")]
        counts.add(0 if parts in ([""], ["void"]) else len([p for p in parts if p != "..."]))
    return counts


def test_sources_show_it(trees: tuple[Path, ...]) -> None:
    """``path:identifier`` is in the tree; a path alone has the function's own name."""
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
