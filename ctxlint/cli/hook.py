# SPDX-License-Identifier: GPL-2.0-or-later
"""``ctxlint hook``: only findings that a commit or a push introduces stop it."""

from __future__ import annotations

import gc
import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ctxlint.base.errors import (
    FrontendError,
    StoreError,
    ToolMissingError,
    TreeError,
    UsageError,
)
from ctxlint.cli import githooks, streams
from ctxlint.cli.main import EXIT_CLEAN, EXIT_FINDINGS, EXIT_INCOMPLETE
from ctxlint.cli.options import make_request, run_options, talk_options, tree_of, tree_options
from ctxlint.cli.output import emit, wants_color
from ctxlint.cli.progress import Plain
from ctxlint.cli.selecting import Choice, make_choice, select_options

if TYPE_CHECKING:
    from ctxlint.findings.model import Result
    from ctxlint.patches.staged import Introduced
    from ctxlint.pipeline.cache_status import CacheStatus
    from ctxlint.pipeline.series import Change

COLD = ("pass", "fail", "build")
MAX_UNITS = 16
"""Units that a commit may have parsed before it is called too much for a hook."""

EPILOG = """\b
Examples:
  ctxlint audit                      once, to make the hook fast
  ctxlint hook install               a pre-commit hook in this repository
  ctxlint hook install --on push     a pre-push hook
  ctxlint hook run                   what the pre-commit hook does
"""

RUN_EPILOG = """\b
Exit code: 0 nothing introduced (or nothing could be checked, with a message),
1 findings introduced, 2 usage, 3 not checked and --cold is "fail", or a
changed file was not analysed (no profile compiles it, it did not parse) and
--incomplete is "fail". An installed hook lets that pass with a message.
`git commit --no-verify` skips the hook.
"""

_ON = click.option(
    "--on",
    "event",
    type=click.Choice(("commit", "push")),
    default="commit",
    help="Which hook (default: commit).",
)


_INCOMPLETE = click.option(
    "--incomplete",
    type=click.Choice(("pass", "fail")),
    default="fail",
    show_default=True,
    help="When a changed file was not analysed: exit code 3, or only a message.",
)


@click.group("hook", epilog=EPILOG)
def command() -> None:
    """Check commits and pushes in a git repository that is a kernel tree."""


@command.command("install")
@_ON
@click.option("--chain", is_flag=True, help="Keep another hook and run it first.")
@click.option("--force", is_flag=True, help="Replace another hook; uninstall restores it.")
@click.option(
    "--cold",
    type=click.Choice(COLD),
    default="pass",
    help="What the hook does when the index is cold (default: pass, with a message).",
)
@click.option(
    "--incomplete",
    type=click.Choice(("pass", "fail")),
    default="pass",
    help="What the hook does with files it could not analyse (default: pass, with a message).",
)
def install(event: str, chain: bool, force: bool, cold: str, incomplete: str) -> int:
    """Install the hook in this repository (shared by all its work trees)."""
    if chain and force:
        raise click.UsageError("--chain keeps another hook, --force replaces it: choose one")
    top = tree_of(None)
    where = githooks.place(top, "pre-commit" if event == "commit" else "pre-push")
    arguments = ["--cold", cold] if cold != "pass" else []
    arguments += ["--incomplete", incomplete] if incomplete != "fail" else []
    said = githooks.install(
        where, arguments, "chain" if chain else "force" if force else "refuse"
    )
    click.echo(f"installed {where.path}")
    if said:
        click.echo(said)
    click.echo("run `ctxlint audit` once on the directories you work on, to make it fast")
    return EXIT_CLEAN


@command.command("uninstall")
@_ON
def uninstall(event: str) -> int:
    """Remove the hook and restore the one that was there before."""
    where = githooks.place(Path.cwd(), "pre-commit" if event == "commit" else "pre-push")
    click.echo(githooks.uninstall(where) or f"there is no {where.path}")
    return EXIT_CLEAN


@command.command("run", epilog=RUN_EPILOG)
@click.argument("remote", nargs=-1)
@click.option("--push", is_flag=True, help="Check what is pushed instead of what is staged.")
@click.option(
    "--cold",
    type=click.Choice(COLD),
    default="pass",
    help="When the index is cold: pass, fail, or build it (slow).",
)
@_INCOMPLETE
@click.option(
    "--max-units",
    type=click.IntRange(1),
    default=MAX_UNITS,
    show_default=True,
    help="Parse at most this many units per run and profile.",
)
@tree_options
@select_options
@run_options
@talk_options
def run(
    remote: tuple[str, ...],
    push: bool,
    cold: str,
    incomplete: str,
    max_units: int,
    verbose: int,
    quiet: bool,
    no_color: bool,
    **options: Any,
) -> int:
    """Check what is staged, or what is pushed (as git calls its hooks)."""
    begin = time.monotonic()
    if cold != "build":
        gc.disable()  # a short life
    tree = tree_of(options.get("tree"))
    codes = []
    found, unchecked = _introduced(tree, push, remote)
    if unchecked and cold == "fail":
        codes.append(EXIT_INCOMPLETE)
    for introduced, what in found:
        for link in introduced.links:
            _say(f"not checked: {link}: a link or a submodule, not followed")
        if introduced.links and incomplete == "fail":
            codes.append(EXIT_INCOMPLETE)
        if not _sources(introduced):
            if _unread_builds(introduced, tree) and incomplete == "fail":
                codes.append(EXIT_INCOMPLETE)
            continue
        if _only_unread(introduced):
            codes.append(EXIT_INCOMPLETE if incomplete == "fail" else EXIT_CLEAN)
            continue
        check = _Check(introduced, what, cold, incomplete, max_units, begin)
        try:
            change = check.compare({**options, "tree": tree}, Plain(verbose, quiet))
        except (FrontendError, StoreError, ToolMissingError, TreeError) as error:
            hint = f" ({error.hint})" if error.hint else ""
            change = None
            _say(f"{what} was not checked: {error}{hint}")
        codes.append(check.report(change, wants_color(no_color, None)))
    return max(codes, default=EXIT_CLEAN)


def _sources(introduced: Introduced) -> set[str]:
    """The files of code that change, in any language."""
    from ctxlint.kbuild import may_hold_code

    there = (file for file, data in introduced.changes.items() if data is not None)
    return {*introduced.sources, *filter(may_hold_code, there)}


def _only_unread(introduced: Introduced) -> bool:
    """Whether no file that changes is C; then it is said of each that it is not read."""
    from ctxlint.kbuild import other_language

    reasons = {file: other_language(file) for file in sorted(_sources(introduced))}
    if not all(reasons.values()):
        return False
    for file, reason in reasons.items():
        _say(f"not checked: {file}: {reason}")
    return True


def _unread_builds(introduced: Introduced, tree: Path) -> bool:
    """Whether a change without any code has code built that was not, or built otherwise;
    then it is said what."""
    from ctxlint.pipeline.not_analysed import unread_by_makefiles
    from ctxlint.report.unseen import sentence

    missed = unread_by_makefiles(
        introduced.changes,
        lambda file: introduced.base.get(file),
        introduced.changes,
        (),
        lambda file: (tree / file).is_file(),
    )
    for item in missed:
        _say(f"not checked: {sentence(item)}")
    return bool(missed)


def _introduced(
    tree: Path, push: bool, remote: tuple[str, ...]
) -> tuple[list[tuple[Introduced, str]], bool]:
    """What to check, with its name in messages; and whether there is more that is not
    checked, for which a message gives the reason."""
    from ctxlint.patches import staged

    first, last = os.environ.get("PRE_COMMIT_FROM_REF"), os.environ.get("PRE_COMMIT_TO_REF")
    try:
        if first and last:  # from the pre-commit program
            return [_range(tree, first, last)], False
        if not push:
            found = staged.staged(tree, os.environ.get("GIT_INDEX_FILE"))
            if found is not None:
                return [(found, "this commit")], False
            _say("the first commit was not checked: there is nothing to compare it with")
            return [], True
    except staged.TooMuchError as error:
        _say(f"not checked: {error}", error.hint)
        return [], True
    result = []
    unchecked = False
    for line in sys.stdin.read().splitlines():
        # LOCAL-REF LOCAL-SHA REMOTE-REF REMOTE-SHA (githooks(5)); zeros: not there.
        words = line.split(" ")
        if len(words) != 4 or not words[1].strip("0"):
            continue
        name, tip, _, old = words
        start: str | None = old
        if not old.strip("0"):
            start = staged.start_of_branch(tree, tip, remote[0] if remote else "")
        try:
            if start is None:
                raise UsageError("cannot tell where it starts")
            result.append(_range(tree, start, tip))
        except UsageError as error:  # what the server has need not be known here
            _say(f"{name} was not checked: {error}")
            unchecked = True
    return result, unchecked


def _range(tree: Path, old: str, new: str) -> tuple[Introduced, str]:
    from ctxlint.patches.staged import between

    found = between(tree, old, new)
    commits = f"{found.commits} commits" if found.commits != 1 else "1 commit"
    return found, f"this push ({commits})"


class _Check:
    """One comparison, its policy and its words."""

    def __init__(
        self,
        introduced: Introduced,
        what: str,
        cold: str,
        incomplete: str,
        max_units: int,
        begin: float,
    ) -> None:
        self.introduced = introduced
        self.what = what
        self.cold = cold
        self.incomplete = incomplete
        self.max_units = max_units
        self.begin = begin
        self.choice: Choice | None = None

    def compare(self, options: dict[str, Any], progress: Plain) -> Change | None:
        """The comparison; None, after a message, when it would take too long."""
        request, settings = make_request(options)
        self.choice = make_choice(options, settings, request.tree)
        if request.reach is None:
            request = replace(request, reach=0)
        homes = self._homes_of_headers(request.tree)
        if homes:
            request = replace(request, paths=tuple(sorted({*request.paths, *homes})))
        from ctxlint.pipeline import cache_status, series

        base, changes = self.introduced.base, self.introduced.changes
        if self.cold != "build":
            sources = [f for f in changes if f.endswith(".c") and changes[f] is not None]
            if len(sources) > self.max_units:
                _say(
                    f"{self.what} was not checked: it changes {len(sources)} C files, "
                    f"a hook reads at most {self.max_units}",
                    "ctxlint patch checks a series, ctxlint audit the result",
                )
                return None
            state = cache_status.cache_status(request, base, {*base, *changes}, progress)
            if not state.prepared or state.missing > self.max_units:
                _say(*self._cold(state))
                return None
        return series.compare(
            request, base, changes, progress, max_units=self.max_units, trusted=True
        )

    def _homes_of_headers(self, tree: Path) -> set[str]:
        """Directories of changed headers that stand beside their C files."""
        folders = {f.rpartition("/")[0] for f in self.introduced.sources if f.endswith(".h")}
        return {f for f in folders if f and any((tree / f).glob("*.c"))}

    def _cold(self, state: CacheStatus) -> tuple[str, str]:
        missing = (
            f"{state.missing} of {state.units} units have not been read"
            if state.prepared
            else "kbuild has to run first"
        )
        return (
            f"the index is cold ({missing}), {self.what} was not checked",
            "run once: ctxlint audit " + " ".join(state.paths),
        )

    def report(self, change: Change | None, color: bool) -> int:
        """Report the outcome; the exit code."""
        if change is None:
            return EXIT_INCOMPLETE if self.cold == "fail" else EXIT_CLEAN
        from ctxlint.report.unseen import sentence

        result = self._selected(change)
        new = result.findings
        for item in change.incomplete:
            what = "not all checked" if item.kind == "limit" else "not checked"
            _say(f"{what}: {sentence(item)}")
        for file, like in sorted(change.flags_from.items()):
            _say(f"{file} is new: read with the compile flags of {like}")
        for pair in change.comparison.partly_fixed:
            _say(
                f"{pair.after.file}:{pair.after.line}: {pair.after.function}() is "
                "partly fixed: it still sleeps on PREEMPT_RT"
            )
        if new:
            emit(_text(result, color), None)
        seconds = time.monotonic() - self.begin
        unseen = {item.file for item in change.incomplete if item.kind != "limit"}
        files = len(_sources(self.introduced) - unseen)
        _say(
            f"{self.what}: {files} file{'s' if files != 1 else ''} checked, "
            f"{len(new)} finding{'s' if len(new) != 1 else ''} introduced ({seconds:.1f} s)"
        )
        if new:
            _say("git's --no-verify skips this check", "ctxlint explain " + new[0].check)
        from ctxlint.findings.selection import failing

        left_out = EXIT_CLEAN
        if change.incomplete and self.incomplete == "fail":
            left_out = EXIT_INCOMPLETE
        if self.choice is None:
            return EXIT_FINDINGS if failing(result, "warning") else left_out
        code = EXIT_FINDINGS if failing(result, self.choice.fail_on) else left_out
        own = EXIT_FINDINGS if failing(result, self.choice.own_fail_on) else left_out
        for note in self.choice.noted(result, code, own).notes:
            _say(note)
        return code

    def _selected(self, change: Change) -> Result:
        """The result of what is introduced and of nothing else, without what is
        suppressed, in the baseline or not selected."""
        import msgspec

        from ctxlint.pipeline.select import select

        result = change.result
        new = {finding.fingerprint for finding in change.comparison.introduced}
        notes: tuple[str, ...] = ()
        if self.choice is not None:
            only = tuple(f for f in result.findings if f.fingerprint in new)
            only_new = msgspec.structs.replace(result, findings=only, suppressions=())
            notes = select(only_new, self.choice.selection).notes
            result = select(result, self.choice.selection)
        return msgspec.structs.replace(
            result,
            notes=notes,
            findings=tuple(f for f in result.findings if f.fingerprint in new),
            hidden=(),
            stale=(),
            uncovered=(),
            unknown_callees=(),
        )


def _text(result: Result, color: bool) -> str:
    from ctxlint.report import text

    return text.render(result, colour=color)


def _say(message: str, hint: str = "") -> None:
    from ctxlint.report.clean import clean

    streams.tell(f"ctxlint: {clean(message)}")
    if hint:
        streams.tell(f"hint: {clean(hint)}")
