# SPDX-License-Identifier: GPL-2.0-or-later
"""``ctxlint kbuild``: the checker of ``make C=1`` and ``make C=2``.

Its arguments are kbuild's, so options come from the environment and the configuration
file. One process runs for each unit, beside the compiler: what is not needed for a unit
is not imported.
"""

from __future__ import annotations

import gc
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ctxlint.base.errors import UsageError
from ctxlint.cli import streams
from ctxlint.cli.main import EXIT_CLEAN, EXIT_FINDINGS, EXIT_INCOMPLETE, EXIT_USAGE
from ctxlint.cli.progress import Plain
from ctxlint.cli.selecting import make_choice
from ctxlint.cli.settings import Settings, in_range, load_settings
from ctxlint.pipeline import Request

if TYPE_CHECKING:
    from ctxlint.findings.model import Finding
    from ctxlint.pipeline.single import UnitReport

EPILOG = """\b
Examples:
  make C=1 CHECK="ctxlint kbuild"                     what is compiled
  make C=2 CHECK="ctxlint kbuild" drivers/irqchip/    everything there

\b
Environment (or ~/.config/ctxlint/config.toml: cache, libclang, rules,
timeout; and paths, also in the tree's .ctxlint.toml):
  CTXLINT_CACHE     where facts are kept
  CTXLINT_SCOPE     directories analysed together (default: that of the unit)
  CTXLINT_TIMEOUT   seconds for a unit
  CTXLINT_FAIL=1    findings and failures stop make (default: only reported)
  CTXLINT_VERBOSE=1 more messages
  CTXLINT_BRIEF=1   one line per finding, without the path to it

\b
Afterwards `ctxlint audit --build OBJDIR DIRECTORY` parses no unit again.
"""


class _Words(click.Command):
    """Takes its arguments as they are: none of kbuild's flags is an option of ours."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args == ["--help"]:
            return super().parse_args(ctx, args)
        ctx.params["words"] = tuple(args)
        return []


@dataclass(frozen=True)
class _Options:
    fail: bool
    brief: bool


@click.command(
    "kbuild",
    cls=_Words,
    epilog=EPILOG,
    options_metavar="",
    context_settings={"help_option_names": ["--help"]},
)
@click.argument("words", nargs=-1, metavar="[FLAGS]... FILE.c")
def command(words: tuple[str, ...]) -> int:
    """Check one unit while the kernel is built (CHECK= of the kernel's Makefile)."""
    # A short life with many small objects that live to its end.
    gc.disable()
    from ctxlint.kbuild import checked_unit

    unit = checked_unit(words, Path.cwd(), os.environ.get("srctree"))  # noqa: SIM112
    if unit is None:  # generated, or of an external module: not a file of the tree
        return EXIT_CLEAN
    options = _Options(fail=_flag("CTXLINT_FAIL"), brief=_flag("CTXLINT_BRIEF"))
    from ctxlint.pipeline.single import check_unit

    settings = load_settings(unit.tree.path)
    choice = make_choice({}, settings, unit.tree.path)
    talk = Plain(_flag("CTXLINT_VERBOSE"))
    report = check_unit(unit, _request(unit.tree.path, settings), choice.selection, talk)
    from ctxlint.report.clean import clean

    lines = _lines(report, unit.prefix, options)
    if lines:
        # In one piece: other checkers and compilers write at the same time.
        try:
            sys.stderr.write("".join(f"{clean(line)}\n" for line in lines))
            sys.stderr.flush()
        except OSError:
            streams.silence("stderr")
            return EXIT_USAGE  # a finding that nobody can see must not pass
    if not options.fail:
        return EXIT_CLEAN  # make takes anything else as a failed compilation
    if report.incomplete:
        return EXIT_INCOMPLETE
    counts = ("error", "warning") if choice.fail_on == "warning" else (choice.fail_on,)
    shown = (*report.findings, *report.completed)
    return EXIT_FINDINGS if any(f.severity in counts for f in shown) else EXIT_CLEAN


def _request(tree: Path, settings: Settings) -> Request:
    cache = os.environ.get("CTXLINT_CACHE")
    timeout = os.environ.get("CTXLINT_TIMEOUT")
    try:
        seconds = float(timeout) if timeout else settings.timeout or Request.timeout
    except ValueError:
        raise UsageError(f"CTXLINT_TIMEOUT: '{timeout}' is not a number") from None
    in_range("timeout", seconds, "CTXLINT_TIMEOUT")
    scope = tuple(os.environ.get("CTXLINT_SCOPE", "").split()) or settings.paths
    return Request(
        tree=tree,
        paths=tuple(path.rstrip("/") for path in scope),
        cache=Path(cache).expanduser() if cache else settings.cache,
        timeout=seconds,
        libclang=settings.libclang,
        rules=settings.rules,
    )


def _flag(name: str) -> bool:
    return os.environ.get(name, "") not in ("", "0")


def _lines(report: UnitReport, prefix: str, options: _Options) -> list[str]:
    lines = []
    for item in report.incomplete:
        detail = item.detail.partition("\n")[0]
        text = f"{item.reason}: {detail}" if detail else item.reason
        what = "not all analysed" if item.kind == "limit" else "not analysed"
        place = f"{prefix}{item.file}:{item.line or 1}:1"
        lines.append(f"{place}: warning: {what}: {text} [ctxlint]")
    for finding in report.findings:
        lines += _finding(finding, prefix, options)
    for finding in report.completed:
        lines += _finding(finding, prefix, options, f", seen with {report.file}")
    return lines


def _finding(finding: Finding, prefix: str, options: _Options, more: str = "") -> list[str]:
    """As a compiler says it: the finding, and a note for each step to it."""
    lines = [
        f"{prefix}{finding.file}:{finding.line}:{finding.column}: {finding.severity}: "
        f"{finding.message}{more} [{finding.check}]"
    ]
    if options.brief:
        return lines
    for step in finding.path:
        where = f"in {step.function}(): " if step.function else ""
        note = step.note.partition("\n")[0]
        place = f"{prefix}{step.file}:{step.line}:{step.column or 1}"
        lines.append(f"{place}: note: {where}{note}")
    for assumption in finding.assumptions:
        lines.append(f"{prefix}{finding.file}:{finding.line}:1: note: only if {assumption}")
    return lines
