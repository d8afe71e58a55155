# SPDX-License-Identifier: GPL-2.0-or-later
"""``ctxlint rules``: what the tool assumes about the kernel, and the sources."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ctxlint.base.errors import UsageError
from ctxlint.cli import complete
from ctxlint.cli.main import CONTEXT, EXIT_CLEAN, EXIT_FINDINGS, EXIT_INCOMPLETE
from ctxlint.cli.options import make_request, talk_options, trial_tree_options
from ctxlint.cli.output import emit
from ctxlint.cli.progress import Reporter
from ctxlint.cli.rulespages import pages
from ctxlint.rulebook.rows import Row, all_rows

if TYPE_CHECKING:
    from ctxlint.pipeline.try_rules import Tried
    from ctxlint.rulebook.treecheck import Misfit

EPILOG = """\b
Examples:
  ctxlint rules list
  ctxlint rules list spin_lock
  ctxlint rules list --format markdown
  ctxlint rules show mutex_lock
  ctxlint rules check --tree ~/src/linux
  ctxlint rules test frob.yaml frob.c
  ctxlint rules test frob.yaml frob.c --tree ~/src/linux
"""

TEST_EPILOG = """\b
Examples:
  ctxlint rules test frob.yaml
  ctxlint rules test frob.yaml frob.c
  ctxlint rules test frob.yaml frob.c --tree ~/src/linux --no-rt

\b
Exit code: 0 as the comments say, 1 differences, 2 a rule or comment is wrong in
itself, 3 a fixture could not be analysed.
"""

_RULES = click.option(
    "--rules",
    "directories",
    type=click.Path(path_type=Path, file_okay=False),
    multiple=True,
    help="Add the rules in this directory (repeatable).",
)


@click.group("rules", epilog=EPILOG, context_settings=CONTEXT, no_args_is_help=True)
def command() -> None:
    """Facts about the kernel that the analysis rests on, with their provenance."""


@command.command("list", epilog=EPILOG)
@click.argument("text", required=False)
@click.option(
    "--format",
    "-f",
    "style",
    type=click.Choice(("text", "markdown")),
    default="text",
    help="Markdown: a table per rule file, with what each rule says.",
)
@_RULES
def list_rules(text: str | None, style: str, directories: tuple[Path, ...]) -> int:
    """List every rule, or those whose name contains TEXT."""
    rows = [row for row in all_rows(directories) if text is None or text in row.name]
    if style == "markdown":
        emit("\n".join(pages(rows).values()), None)
        return EXIT_CLEAN
    wide = min(max((len(row.name) for row in rows), default=0), 40)
    lines = [f"{row.name:<{wide}}  {row.kind:<12}  {row.source}".rstrip() for row in rows]
    lines.append(f"{len(rows)} rules")
    emit("\n".join(lines), None)
    return EXIT_CLEAN


@command.command("show", epilog=EPILOG)
@click.argument("name", shell_complete=complete.rule)
@_RULES
def show_rule(name: str, directories: tuple[Path, ...]) -> int:
    """Show everything the rules say about NAME.

    NAME is a function, a member (irq_chip.irq_mask), an execution context, a
    kind of lock, an operation class or a constant.
    """
    rows = all_rows(directories)
    found = [row for row in rows if row.name == name]
    if not found:
        near = difflib.get_close_matches(name, sorted({row.name for row in rows}), n=3)
        hint = f"near: {', '.join(near)}" if near else "'ctxlint rules list' lists all"
        raise UsageError(f"no rule for '{name}'", hint=hint)
    emit("\n".join(_shown(row) for row in found), None)
    return EXIT_CLEAN


@command.command("check", epilog=EPILOG)
@click.option(
    "--tree",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="Kernel tree (default: found from here upward).",
)
@click.option(
    "--format",
    "-f",
    "style",
    type=click.Choice(("text", "json")),
    default="text",
    help="JSON: a list with one object per rule that does not fit.",
)
@_RULES
def check_rules(tree: Path, style: str, directories: tuple[Path, ...]) -> int:
    """List the rules that do not fit a kernel tree.

    Rules whose function, member or source the tree lacks, or whose parameters or constant
    differ. Such a rule may be stale, and no rule covers what the tree has instead. Exit
    code 1 if there are any.
    """
    from ctxlint.pipeline.rule_fit import misfits

    found = misfits(tree, directories)
    if style == "json":
        import json

        import msgspec

        emit(json.dumps(msgspec.to_builtins(list(found)), indent=2), None)
    else:
        emit("\n".join(_misfit_lines(found)), None)
    return EXIT_FINDINGS if found else EXIT_CLEAN


@command.command("test", epilog=TEST_EPILOG)
@click.argument(
    "files",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
)
@trial_tree_options
@click.option(
    "--like",
    "paths",
    metavar="FILE",
    shell_complete=complete.path,
    help="Compile a fixture as this file of the tree is.",
)
@_RULES
@talk_options
def test_rules(
    files: tuple[Path, ...],
    paths: str | None,
    directories: tuple[Path, ...],
    verbose: int,
    quiet: bool,
    no_color: bool,
    **options: Any,
) -> int:
    """Try rule files and fixtures, before they are part of anything.

    FILE is a rule file (.yaml), or a fixture (.c) with comments that say what is found
    in it ("// expect: CHECK", "// ok: CHECK" and the others of fixtures/README.md).
    Without --tree, fixtures are read with the small headers that come with ctxlint; with
    it, as a driver of that kernel, and each rule is compared with the tree. A function of
    a rule that the fixture does not declare is declared as the tree's headers have it,
    or else as the rule does.
    """
    from ctxlint.pipeline.copies import fixtures_directory
    from ctxlint.pipeline.try_rules import try_rules

    tree = options["tree"]
    small = fixtures_directory() / "tree"
    asked = {**options, "rules": directories, "tree": tree or small}
    if paths is not None:
        asked["paths"] = (paths,)
    request, _ = make_request(asked)
    if paths is None:  # those of the settings are not what the fixture is like
        request = dataclasses.replace(request, paths=())
    with Reporter(verbose=verbose, quiet=quiet, color=False) as progress:
        tried = try_rules(files, None if tree is None else request.tree, request, progress)
    emit("\n".join(_tried_lines(tried)), None)
    if tried.incomplete:
        return EXIT_INCOMPLETE
    return EXIT_CLEAN if tried.agrees else EXIT_FINDINGS


def _tried_lines(tried: Tried) -> Iterator[str]:
    for file, count in tried.rules:
        yield f"{file}: {count} rule{'s' if count != 1 else ''}"
    for item in tried.misfits:
        yield f"{item.rule}: {item.text} ({item.place})"
    for note in tried.declared:
        yield f"note: {note}"
    messages = {(f.file, f.line, f.check): f.message for f in tried.findings}
    wrong = 0
    for (file, line, check, found, text), items in groupby(
        tried.compared, key=lambda c: (c.file, c.line, c.check, c.found, c.wrong)
    ):
        builds = ", ".join(item.build for item in items)
        wrong += bool(text)
        said = text or ("found, as expected" if found else "not found, which is right")
        yield f"{file}:{line}: {check}: {said} [{builds}]"
        if found:
            yield f"    {messages[file, line, check]}"
    for file, reason, detail in dict.fromkeys(
        (gap.file, gap.reason, gap.detail) for gap in tried.incomplete
    ):
        yield f"{file}: not analysed: {reason}"
        yield from (f"    {line}" for line in detail.splitlines())
    if tried.compared:
        yield "as the comments say" if not wrong else f"not as the comments say: {wrong}"
    elif tried.rules and not tried.misfits and not tried.incomplete:
        yield "no mistake found"


_HEADS = {
    "function": "functions that the tree does not have",
    "member": "members that the tree does not have",
    "prototype": "functions with other parameters",
    "constant": "constants with another value",
    "source": "sources of rules that the tree does not have",
}


def _misfit_lines(found: tuple[Misfit, ...]) -> Iterator[str]:
    """One line for what several rules have in common, under a headline for each kind."""
    groups: dict[str, dict[tuple[str, str], list[str]]] = {}
    for item in found:
        places = groups.setdefault(item.kind, {}).setdefault((item.rule, item.text), [])
        places.append(item.place)
    for kind, items in groups.items():
        yield f"{_HEADS[kind]}: {len(items)}"
        for (rule, text), places in items.items():
            more = f" and {len(places) - 1} more" if places[1:] else ""
            yield f"  {rule}: {text} ({places[0]}{more})"
    count = len({item.place for item in found})
    many = "1 rule does" if count == 1 else f"{count} rules do"
    yield f"{many} not fit this tree" if count else "every rule fits this tree"


def _shown(row: Row) -> str:
    import msgspec
    import yaml

    body = _without_empty(msgspec.to_builtins(row.rule))
    body.pop("source", None)
    text = yaml.safe_dump(body, sort_keys=False, width=78, allow_unicode=True)
    lines = [f"{row.name} ({row.kind})", f"  rule:   {row.place}", f"  source: {row.source}"]
    return "\n".join([*lines, *(f"  {line}" for line in text.splitlines())]) + "\n"


def _without_empty(value: Any) -> Any:
    """Drop what a rule does not say (empty defaults)."""
    if isinstance(value, dict):
        kept = {key: _without_empty(item) for key, item in value.items()}
        return {
            key: item for key, item in kept.items() if item not in ("", [], {}, None, False)
        }
    if isinstance(value, (list, tuple)):
        return [_without_empty(item) for item in value]
    return value
