# SPDX-License-Identifier: GPL-2.0-or-later
"""``ctxlint splat``."""

from __future__ import annotations

import dataclasses
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ctxlint.base.errors import UsageError
from ctxlint.base.reading import size
from ctxlint.cli import complete
from ctxlint.cli.main import EXIT_CLEAN, EXIT_FINDINGS, EXIT_INCOMPLETE
from ctxlint.cli.options import make_request, run_options, talk_options, tree_options
from ctxlint.cli.output import emit
from ctxlint.cli.progress import Reporter

if TYPE_CHECKING:
    from ctxlint.kernel_log.paths import TreePath
    from ctxlint.pipeline.splat import SplatAnswer, SplatReport

MAX_LOG = 256 << 20
"""Bytes of a log, or of a saved result. A device has no end."""
WIDTH = 78
FORMATS = ("text", "json")
_LABEL = 11
_FRAMES = 6
_SAID = 6
_UNREAD = 10

EPILOG = """\b
Examples:
  dmesg | ctxlint splat -
  ctxlint splat dmesg.txt --tree ~/linux --arch arm64 --rt
  ctxlint splat dmesg.txt --result audit.json --format json

\b
Without --tree the splats are read and their execution contexts named. With it
the files that define the functions on the stacks are audited (or PATHS are),
and each splat is compared with the findings and with the calls in the tree.
Exit code: 0 no splat in the log, 1 splats, 2 usage, 3 a line that looks like
a splat was not understood, or a file of the tree could not be analysed.
"""


@click.command("splat", epilog=EPILOG)
@click.argument("log", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.argument("paths", nargs=-1, shell_complete=complete.path)
@click.option(
    "--result",
    "saved",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Compare with this result of audit --format json.",
)
@click.option("--format", "-f", "style", type=click.Choice(FORMATS), default="text")
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write to this file.",
)
@tree_options
@run_options
@talk_options
def command(
    log: Path,
    saved: Path | None,
    style: str,
    output: Path | None,
    verbose: int,
    quiet: bool,
    no_color: bool,
    **options: Any,
) -> int:
    """Read the splats in LOG (a file, or - for standard input).

    For each: what the kernel says, the execution context it happened in, and the
    finding or the path in the tree that explains it.
    """
    text = _read(log)
    request = None
    if options["tree"] is not None:
        request, _ = make_request(options)
        if not options["paths"]:
            request = dataclasses.replace(request, paths=())
        if options.get("reach") is None:
            # The stack names the callers; looking for others would read much for nothing.
            request = dataclasses.replace(request, reach=0)
    elif options["paths"]:
        raise UsageError("PATHS need a tree", hint="name it with --tree")
    from ctxlint.pipeline import splat as pipeline
    from ctxlint.report import json_report

    result = json_report.load(_bytes(saved)) if saved is not None else None
    with Reporter(verbose=verbose, quiet=quiet, color=not no_color) as progress:
        report = pipeline.explain(text, request, result, progress)
    emit(_json(report) if style == "json" else render(report), output)
    if report.incomplete or report.unread:
        return EXIT_INCOMPLETE
    return EXIT_FINDINGS if report.splats else EXIT_CLEAN


for _option in command.params:
    if isinstance(_option, click.Option) and _option.name == "tree":
        _option.help = "Kernel tree to look in (default: none)."


def _read(log: Path) -> str:
    data = sys.stdin.buffer.read(MAX_LOG + 1) if str(log) == "-" else _bytes(log)
    if len(data) > MAX_LOG:
        raise UsageError(f"{log}: larger than {size(MAX_LOG)}")
    return data.decode("utf-8", "replace")


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_LOG + 1)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    if len(data) > MAX_LOG:
        raise UsageError(f"{path}: larger than {size(MAX_LOG)}")
    return data


def _json(report: SplatReport) -> str:
    import json

    import msgspec

    return json.dumps(msgspec.to_builtins(report), indent=2, ensure_ascii=True)


# -- text --------------------------------------------------------------------------


def render(report: SplatReport) -> str:
    """The report for people, at most 78 columns wide where the log's words allow."""
    from ctxlint.report.clean import clean

    lines: list[str] = []
    for number, answer in enumerate(report.splats, 1):
        lines += _one(number, answer)
        lines.append("")
    count = sum(1 + answer.same for answer in report.splats)
    other = f"{report.lines} other line{'s' * (report.lines != 1)}"
    lines.append(f"{count} splat{'s' * (count != 1)}, {other}")
    for item in report.unread[:_UNREAD]:
        lines += _wrap("not read", f"line {item.line}: {item.text}")
    if len(report.unread) > _UNREAD:
        lines += _wrap("", f"and {len(report.unread) - _UNREAD} more lines")
    if report.looked_in:
        lines += _wrap("looked in", ", ".join(report.looked_in))
    for gap in report.incomplete:
        lines += _wrap("incomplete", f"{gap.file} [{gap.profile}]: {gap.reason}")
    return "\n".join(clean(line) for line in lines) + "\n"


def _wrap(label: str, text: str) -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=f"  {label:<{_LABEL}} ",
        subsequent_indent=" " * (_LABEL + 3),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _one(number: int, answer: SplatAnswer) -> list[str]:
    time = f" at {answer.time}" if answer.time else ""
    lines = textwrap.wrap(
        f"{number}. {answer.headline}",
        WIDTH,
        subsequent_indent="   ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    lines += _wrap("log", f"line {answer.line}{time}" + _repeats(answer.same))
    lines += _wrap("what", answer.what)
    for line in _some(tuple(x for x in answer.said if x not in answer.what)):
        lines += _wrap("says", line)
    if answer.task:
        lines += _wrap("on", answer.task)
    label = ""
    for name, lock in answer.locks:
        lines += _wrap(name if name != label else "", lock)
        label = name
    if answer.error is not None:
        register, value = answer.error
        lines += _wrap("error", f"{value}, if {register} still holds what the condition tested")
    lines += _context(answer)
    if answer.frames:
        more = ", ..." if len(answer.frames) > _FRAMES else ""
        lines += _wrap("stack", " < ".join(answer.frames[:_FRAMES]) + more)
    lines += _finding(answer)
    if answer.path is not None:
        lines += _path(answer.path, answer.profile)
    return lines


def _some(said: tuple[str, ...]) -> tuple[str, ...]:
    """The first lines of what the kernel said; the record has all."""
    return said[:_SAID] if len(said) <= _SAID else (*said[: _SAID - 1], "...")


def _repeats(same: int) -> str:
    return f"; printed {same} more time{'s' * (same != 1)}" if same else ""


def _context(answer: SplatAnswer) -> list[str]:
    context = answer.context
    if context is None:
        return []
    lines = _wrap("context", context.title)
    if context.text:
        lines += _wrap("", context.text)
    if context.state:
        lines += _wrap("state", ", ".join(context.state))
    if context.evidence:
        lines += _wrap("because", "; ".join(context.evidence))
    for hint in context.hints:
        lines += _wrap("but", hint)
    return lines


def _finding(answer: SplatAnswer) -> list[str]:
    found = answer.finding
    if found is None:
        return _wrap("no finding", answer.nothing)
    item = found.finding
    lines = _wrap("finding", f"{item.check} at {item.file}:{item.line} in {item.function}()")
    lines += _wrap("", item.message)
    way = " < ".join(found.on_stack)
    if found.inlined:
        way += f"; inlined: {', '.join(found.inlined)}"
    lines += _wrap("matched by", way)
    if not found.sure:
        doubt = "the place or the operation differs slightly"
        if found.others:
            doubt = f"its path does not have {', '.join(found.others)}"
        lines += _wrap("but", doubt)
    return lines


def _path(path: TreePath, profile: str) -> list[str]:
    lines: list[str] = []
    for label, text in _steps(path):
        lines += _wrap(label, text)
    return [*lines, *_wrap("profile", profile)] if lines and profile else lines


def _steps(path: TreePath) -> Iterator[tuple[str, str]]:
    label = "tree"
    if path.entry:
        yield label, path.entry
        label = ""
    for call in path.calls:
        inlined = ", inlined" if call.inlined else ""
        yield (
            label,
            f"{call.function}(){inlined}, calls {call.shown}() at {call.file}:{call.line}",
        )
        label = ""
    if path.file:
        place = f"{path.file}:{path.line} in {path.function}()"
        if path.tested:
            yield "warns", f"at {place}, about the value of {path.tested}()"
        elif path.text:
            yield "warns", f"at {place}"
    if path.text:
        yield "", path.text
    if path.moved:
        yield "moved", path.moved
    if path.operation:
        yield "operation", path.title or path.operation
    for inner, outer in path.broken:
        yield "gap", f"how {outer}() reaches {inner}() is not known"
