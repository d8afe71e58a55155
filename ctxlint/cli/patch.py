# SPDX-License-Identifier: GPL-2.0-or-later
"""``ctxlint patch``."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ctxlint.base.errors import CtxlintError, UsageError
from ctxlint.cli import complete
from ctxlint.cli.main import EXIT_CLEAN, EXIT_FINDINGS, EXIT_INCOMPLETE, exit_code_of
from ctxlint.cli.options import make_request, run_options, talk_options, tree_options
from ctxlint.cli.output import emit, wants_color
from ctxlint.cli.page import source_url_option
from ctxlint.cli.progress import Reporter
from ctxlint.cli.selecting import FailOn, make_choice, select_options

if TYPE_CHECKING:
    from ctxlint.findings.series import SeriesResult
    from ctxlint.patches.model import Series
    from ctxlint.pipeline import Request
    from ctxlint.report.mail import Again

FORMATS = ("text", "json", "sarif", "html", "github", "gitlab", "mail", "b4", "b4-lines")

_ASIDE = 16
"""Lines on standard error about what was not analysed."""

EPILOG = """\b
Examples:
  ctxlint patch series.mbox --tree ~/linux
  ctxlint patch HEAD~3..
  ctxlint patch topic --base v6.12 --format json -o out.json
  b4 am -o - MESSAGE-ID | ctxlint patch - --format mail

\b
SERIES: an mbox, a .patch file, a folder of them, a maildir, "-" (standard
input), a range A..B, or a branch (its commits since its upstream, or HEAD).
The checkout is never written to, and nothing in the patches is run.
Exit code: 0 nothing introduced, 1 findings introduced, 2 usage (a patch does
not apply or is unsafe), 3 incomplete (there may be findings as well).
"""


@click.command("patch", epilog=EPILOG)
@click.argument("series", metavar="SERIES", shell_complete=complete.file)
@click.option("--base", help="Commit that the series applies to (default: its own"
              " base-commit, else HEAD).")  # fmt: skip
@click.option("--path", "paths", multiple=True, shell_complete=complete.path,
              help="Also analyse this file or directory (repeatable).")  # fmt: skip
@click.option("--max-units", type=click.IntRange(1), default=None,
              help="Parse at most this many units per patch and profile"
              " (default: 64).")  # fmt: skip
@tree_options
@click.option("--format", "-f", type=click.Choice(FORMATS), help="Output (default: text).")
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write to this file.",
)
@source_url_option
@select_options
@run_options
@talk_options
def command(
    series: str,
    base: str | None,
    verbose: int,
    quiet: bool,
    no_color: bool,
    format: str | None,
    output: Path | None,
    source_url: str | None,
    **options: Any,
) -> int:
    """Show what each patch of SERIES introduces, fixes, or partly fixes."""
    style = format or "text"
    color = wants_color(no_color, output)
    try:
        request, settings = make_request(options)
        choice = make_choice(options, settings, request.tree)
        with Reporter(verbose=verbose, quiet=quiet, color=color) as progress:
            found = _open(series, base, request.tree, singly=style in ("b4", "b4-lines"))
            # What the command line names is the user's own.
            own = () if options.get("baseline") else (choice.baseline,)
            check_trusted(
                found, request.tree, (*own, *(() if options.get("builds") else request.builds))
            )
            from ctxlint.pipeline import series as steps
            from ctxlint.pipeline.changed import MAX_UNITS

            result = steps.run(
                request,
                found,
                progress,
                max_units=options["max_units"] or MAX_UNITS,
                selection=choice.selection,
            )
    except CtxlintError as error:
        if style not in ("b4", "b4-lines"):
            raise
        from ctxlint.report import b4

        text = str(error)
        emit(b4.failure(text, error.hint) if style == "b4" else b4.failure_lines(text), output)
        return exit_code_of(error)
    code = exit_code(result, choice.fail_on)
    noted = choice.noted(result.result, code, exit_code(result, choice.own_fail_on))
    import msgspec

    from ctxlint.cli.stamp import stamped

    result = msgspec.structs.replace(result, result=stamped(noted, request.tree))
    if style == "html":
        text = _page(result, found, request.tree, source_url)
    else:
        text = render(
            result,
            style,
            color=color,
            code=code,
            tree=request.tree,
            again=_again(series, request, options, result) if style == "mail" else None,
        )
    if text or output is not None:
        emit(text, output)
    if style == "mail":
        _aside(result)
    return code


def _aside(result: SeriesResult) -> None:
    """A mail asks the patch's author; what was not analysed concerns who runs this."""
    from ctxlint.report.clean import clean
    from ctxlint.report.unseen import counted, sentence

    if result.incomplete:
        click.echo(f"ctxlint: incomplete: {counted(result.incomplete)}", err=True)
    for item in result.incomplete[:_ASIDE]:
        click.echo(f"ctxlint: {clean(sentence(item))}", err=True)
    if len(result.incomplete) > _ASIDE:
        click.echo(f"ctxlint: and {len(result.incomplete) - _ASIDE} more", err=True)
    for note in result.result.notes:
        click.echo(f"ctxlint: {clean(note)}", err=True)


def _open(source: str, base: str | None, tree: Path, *, singly: bool) -> Series:
    from ctxlint.patches import open_series
    from ctxlint.patches.mail import MAX_INPUT

    if source == "-" and sys.stdin is None:
        raise UsageError("standard input is closed", hint="Give a file, or a pipe.")
    stdin = sys.stdin.buffer.read(MAX_INPUT + 1) if source == "-" else None
    tracking = _tracking() if source == "-" else None
    return open_series(
        source, tree=tree, base=base, stdin=stdin, tracking=tracking, singly=singly
    )


def check_trusted(found: Series, tree: Path, named: Iterable[Path | None]) -> None:
    """Raises UsageError when the checkout has other settings than the base, or otherwise
    a baseline or a build directory that settings name (``named``), or makefiles of a base
    that a mail chose."""
    from ctxlint.findings.baseline import DEFAULT_NAME
    from ctxlint.kbuild.filekinds import is_build_file
    from ctxlint.kbuild.tree import below

    inside = {
        os.path.relpath(os.path.realpath(path), os.path.realpath(tree))
        for path in named
        if path is not None
    } - {"."}  # of a build in the tree itself only the .config is git's
    for name in sorted(found.difference):
        # They can hide findings; kbuild evaluates a .config.
        settings = name.rpartition("/")[2] in (".ctxlint.toml", "pyproject.toml")
        if settings or name in (".config", DEFAULT_NAME) or below(name, inside):
            raise UsageError(
                f"{name} in the tree is not the one of the base, so it is not trusted",
                hint="Check out the base and give the patches by mail or as a range.",
            )
    build = [name for name in found.difference if is_build_file(name)]
    if found.senders_base and build:
        raise UsageError(
            f"the series names the base {str(found.base)[:12]}, which HEAD does not come from, "
            f"and its {build[0]} would be run",
            hint=f"--base {str(found.base)[:12]} if that commit is trusted, or --base HEAD.",
        )


def _tracking() -> bytes | None:
    """What b4 review passes to its checks about the series."""
    name = os.environ.get("B4_TRACKING_FILE")
    if not name:
        return None
    try:
        with Path(name).open("rb") as file:
            return file.read(8 << 20)
    except OSError:
        return None


def exit_code(result: SeriesResult, fail_on: FailOn = "warning") -> int:
    """As for ``audit``: incomplete comes before findings."""
    if result.incomplete or result.gaps:
        return EXIT_INCOMPLETE
    new = [f for patch in result.patches for f in patch.introduced]
    failing = fail_on != "never" and any(
        fail_on == "warning" or f.severity == "error" for f in new
    )
    return EXIT_FINDINGS if failing else EXIT_CLEAN


def _page(result: SeriesResult, found: Series, tree: Path, source_url: str | None) -> str:
    """What the series leaves behind, with its lines as they are after the last patch."""
    from ctxlint.checks.base import docs
    from ctxlint.cli.page import tree_reader
    from ctxlint.report import html

    contents = dict(found.difference)
    for patch in found.patches:
        contents.update(patch.contents)
    on_disk = tree_reader(tree)
    lines = {
        file: (data or b"").decode("utf-8", "replace").splitlines()
        for file, data in contents.items()
        if file in {step.file for f in result.result.findings for step in f.path}
    }

    def source(file: str, number: int) -> str:
        if file not in lines:
            return on_disk(file, number)
        text = lines[file]
        return text[number - 1] if 0 < number <= len(text) else ""

    return html.render(
        result.result, docs(), html.Options(source=source, source_url=source_url)
    )


def _again(
    source: str, request: Request, options: dict[str, Any], result: SeriesResult
) -> Again:
    """What somebody needs who wants to see the same."""
    from ctxlint.kbuild import find_tree
    from ctxlint.kbuild.existing import profile_of
    from ctxlint.report.mail import Again

    def seen(path: Path) -> str:
        return os.path.relpath(path, request.tree)

    tree = find_tree(request.tree, with_commit=False)
    places = {profile_of(tree, build).name: seen(build) for build in request.builds}
    config = Path(request.config or "")
    if config.is_file():
        places |= {profile.name: seen(config) for profile in result.profiles}
    paths = request.paths if options["paths"] else ()
    words = [("--path", path) for path in paths]
    words += [("--rules", seen(rules.resolve())) for rules in request.rules]
    if options["max_units"] is not None:
        words.append(("--max-units", str(options["max_units"])))
    file = Path(source)
    return Again(
        source=seen(file.resolve()) if source != "-" and file.exists() else source,
        places=places,
        options=tuple(words),
    )


def render(
    result: SeriesResult,
    style: str,
    *,
    color: bool,
    code: int,
    tree: Path,
    again: Again | None = None,
) -> str:
    """The report as text. Only the module of the format asked for is imported."""
    if style == "json":
        from ctxlint.report import series_json

        return series_json.render(result)
    if style == "mail":
        from ctxlint.report import mail

        return mail.render(result, again)
    if style in ("b4", "b4-lines"):
        from ctxlint.report import b4

        return b4.render(result) if style == "b4" else b4.render_lines(result)
    if style == "github":
        from ctxlint.report import github

        return github.render(result.result)
    if style == "gitlab":
        from ctxlint.report import gitlab

        return gitlab.render(result.result)
    if style == "sarif":
        from ctxlint.checks.base import docs
        from ctxlint.kbuild.tree import origin
        from ctxlint.report import sarif

        options = sarif.Options(
            source_root=str(tree), repository_uri=origin(tree), exit_code=code
        )
        return sarif.render(result.result, docs(), options)
    from ctxlint.report import series_text

    return series_text.render(result, colour=color)
