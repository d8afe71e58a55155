# SPDX-License-Identifier: GPL-2.0-or-later
"""What the shell offers for values, for ``shell_complete=`` of options and arguments.

Each answers from what is on the disk: names of files, rules, and the store of earlier
runs. Nothing is analysed and nothing is run. A command's module imports this one, so
what an answer needs is imported where it is given.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import click
from click.shell_completion import CompletionItem

Answer = Callable[[click.Context, str], Iterable[str | CompletionItem]]
Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]

#: Targets of kbuild that every tree has, with what Documentation/kbuild says of them.
_TARGETS = {
    "defconfig": "the architecture's default",
    "allmodconfig": "as much as possible, as modules",
    "allyesconfig": "as much as possible, built in",
    "allnoconfig": "as little as possible",
    "tinyconfig": "the smallest kernel",
}


def _offers(answer: Answer) -> Complete:
    """Items that begin as the word does. Whatever goes wrong, a prompt is no place to
    complain."""

    @functools.wraps(answer)
    def complete(
        ctx: click.Context, _param: click.Parameter, word: str
    ) -> list[CompletionItem]:
        with suppress(Exception):
            return [
                item if isinstance(item, CompletionItem) else CompletionItem(item)
                for item in answer(ctx, word)
            ]
        return []

    return complete


@_offers
def check(_ctx: click.Context, word: str) -> Iterable[str]:
    """The id of a check."""
    from ctxlint.checks import ids

    return [name for name in ids() if name.startswith(word)]


@_offers
def checks(_ctx: click.Context, word: str) -> Iterable[str]:
    """Ids of checks with commas between them; none twice."""
    from ctxlint.checks import ids

    before, comma, last = word.rpartition(",")
    there = before.split(",")
    return [
        f"{before}{comma}{name}"
        for name in ids()
        if name.startswith(last) and name not in there
    ]


@_offers
def architecture(ctx: click.Context, word: str) -> Iterable[str]:
    """One that the tree has."""
    from ctxlint.kbuild.arch import of_tree

    return [name for name in of_tree(_tree(ctx)) if name.startswith(word)]


@_offers
def configuration(ctx: click.Context, word: str) -> Iterable[CompletionItem]:
    """A target of kbuild, those of the architecture too; else the name of a file."""
    from ctxlint.kbuild.arch import canonical, srcarch

    targets = dict(_TARGETS)
    tree = _tree(ctx)
    if tree is not None:
        arch = srcarch(canonical(ctx.params.get("arch") or "arm64"))
        for path in sorted(tree.glob(f"arch/{arch}/configs/*config")):
            targets.setdefault(path.name, f"arch/{arch}/configs")
    found = [name for name in targets if name.startswith(word)]
    if not found:
        return [CompletionItem(word, type="file")]
    return [CompletionItem(name, help=targets[name]) for name in found]


@_offers
def file(_ctx: click.Context, word: str) -> Iterable[CompletionItem]:
    """Whatever the shell finds."""
    return [CompletionItem(word, type="file")]


@_offers
def path(ctx: click.Context, word: str) -> Iterable[CompletionItem]:
    """A file or directory: from here, else from the root of the tree, as arguments are
    looked for."""
    folder, slash, start = word.rpartition("/")
    here = Path(folder or ("/" if slash else "."))
    tree = _tree(ctx)
    # The shell does what it can do itself.
    if tree is None or any(one.name.startswith(start) for one in _entries(here)):
        return [CompletionItem(word, type="file")]
    found = _below(tree, folder, start)
    if len(found) == 1 and found[0].endswith("/"):
        # The shell would take the only answer for the whole word, and put a blank after it.
        found += _below(tree, found[0].rstrip("/"), "")
    return [CompletionItem(name) for name in found]


def _below(tree: Path, folder: str, start: str) -> list[str]:
    """What a folder of the tree has of that beginning, as paths from the tree's root."""
    return [
        f"{folder}{'/' if folder else ''}{one.name}{'/' if one.is_dir() else ''}"
        for one in _entries(tree / folder)
        if one.name.startswith(start) and (start or not one.name.startswith("."))
    ]


@_offers
def scenario(_ctx: click.Context, word: str) -> Iterable[CompletionItem]:
    """The id of a scenario, with its title."""
    from ctxlint.base.places import rules_directory

    found = {}
    for file in rules_directory().glob("scenarios/*.yaml"):
        # Reading the YAML takes ten times as long; a test holds this against it.
        text = file.read_text(encoding="utf-8")
        items = re.findall(r"^- id: (\S+)\n((?:  .*\n)*)", text, re.M)
        for name, body in items:
            title = re.search(r"^  title: (.*)", body, re.M)
            found[name] = title.group(1) if title else None
    return [CompletionItem(n, help=found[n]) for n in sorted(found) if n.startswith(word)]


@_offers
def rule(_ctx: click.Context, word: str) -> Iterable[str]:
    """What ``ctxlint rules show`` knows."""
    from ctxlint.rulebook.rows import all_rows

    return sorted({row.name for row in all_rows() if row.name.startswith(word)})


@_offers
def function(ctx: click.Context, word: str) -> Iterable[str]:
    """A function that an earlier run has read."""
    from ctxlint.base.places import STORE, default_cache
    from ctxlint.store.names import stored_functions

    cache = ctx.params.get("cache") or _cache_of_settings(ctx) or default_cache()
    return sorted(stored_functions(cache / STORE, word))


def _cache_of_settings(ctx: click.Context) -> Path | None:
    from ctxlint.cli.settings import load_settings

    with suppress(Exception):  # an invalid file is reported when a command runs
        return load_settings(_tree(ctx) or Path(), refuse=False).cache
    return None


def _tree(ctx: click.Context) -> Path | None:
    """The tree that the command would work on, if there is one."""
    from ctxlint.base.errors import CtxlintError
    from ctxlint.kbuild.tree import find_tree

    try:
        return find_tree(ctx.params.get("tree") or Path(), with_commit=False).path
    except CtxlintError:
        return None


def _entries(folder: Path) -> list[Path]:
    with suppress(OSError):
        return sorted(folder.iterdir())
    return []
