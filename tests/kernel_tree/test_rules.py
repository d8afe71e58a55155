# SPDX-License-Identifier: GPL-2.0-or-later
"""Every rule against a real kernel: the functions exist, and where a rule says that it
has its fact from, there is what it names.

CTXLINT_KERNEL_TREE may name several trees (separated as in PATH): a rule for another
version is then found in one of them.
"""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path

import pytest

from ctxlint.rulebook import load

pytestmark = pytest.mark.slow

# Where functions that rules name are declared or defined. The whole of drivers/ would
# take a minute, and rules do not name what only one driver knows.
SEARCHED = (
    "include", "kernel", "mm", "lib", "init", "arch/*/include/asm", "arch/*/kernel",
    "drivers/base", "drivers/clk", "drivers/firmware", "drivers/of", "drivers/gpio",
    "drivers/irqchip", "drivers/acpi", "drivers/cpuidle", "drivers/regulator", "fs/sysfs",
    "drivers/pinctrl", "drivers/reset", "drivers/mfd", "net/core", "security", "fs/kernfs",
)  # fmt: skip


@cache
def trees() -> tuple[Path, ...]:
    named = os.environ.get("CTXLINT_KERNEL_TREE", "")
    found = tuple(Path(name) for name in named.split(os.pathsep) if name)
    if not found or not all((tree / "Kbuild").is_file() for tree in found):
        pytest.skip("no unpacked kernel: set CTXLINT_KERNEL_TREE")
    return found


@cache
def words(path: Path) -> frozenset[str]:
    text = path.read_text("utf-8", "replace")
    return frozenset(re.findall(r"[A-Za-z_]\w*", text))


@cache
def known() -> frozenset[str]:
    result: set[str] = set()
    for tree in trees():
        for pattern in SEARCHED:
            for folder in tree.glob(pattern):
                for suffix in ("*.h", "*.c"):
                    for path in folder.rglob(suffix):
                        result |= words(path)
        words.cache_clear()
    return frozenset(result)


def test_functions_exist() -> None:
    """By name or by an alias; with several trees, every alias too."""
    book = load()
    missing: list[str] = []
    rules = {rule.where: rule for rule in (*book.apis.values(), *book.registrations.values())}
    for where, rule in sorted(rules.items()):
        note = getattr(rule, "api", None) or getattr(rule, "registration", None)
        if note is not None and note.note.startswith("newer than"):
            continue
        names = (rule.symbol, *rule.aliases)
        absent = [name for name in names if name not in known()]
        if len(trees()) > 1 or len(absent) == len(names):
            missing += [f"{where}: {name}" for name in absent]
    for name, entries in sorted(book.named_entries.items()):
        # x86 entry macros put two underscores before the name that is written.
        if name not in known() and name.removeprefix("__") not in known():
            missing += [f"entry {name} ({entry.file})" for entry in entries]
    assert not missing, "\n".join(missing)


def test_parameters_exist() -> None:
    """A prototype has as many parameters as the function where its source shows it."""
    book = load()
    wrong: list[str] = []
    for rule in (*book.apis.values(), *book.registrations.values()):
        path = rule.source.partition(":")[0]
        counts = {
            count
            for tree in trees()
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


def test_sources_show_it() -> None:
    """``path:identifier`` is in the tree; a path alone has the function's own name."""
    wrong: list[str] = []
    for where, source, name in load().sources:
        path, _, identifier = source.partition(":")
        if not path:
            wrong.append(f"{where}: no source")
            continue
        files = [tree / path for tree in trees() if (tree / path).is_file()]
        if not files:
            wrong.append(f"{where}: no file {path}")
        elif not any((identifier or name) in words(file) for file in files):
            wrong.append(f"{where}: no {identifier or name} in {path}")
    assert not wrong, "\n".join(wrong)
