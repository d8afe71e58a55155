# SPDX-License-Identifier: GPL-2.0-or-later
"""The ``ctxlint`` command: a group whose members are imported when they run.

``ctxlint --help`` must answer immediately, so this module imports click and nothing
of the analysis, and contains the one-line summaries of the commands.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import traceback
from collections.abc import Sequence

import click

from ctxlint import __version__
from ctxlint.base import processes
from ctxlint.base.errors import CtxlintError
from ctxlint.cli import streams

EXIT_CLEAN = 0
EXIT_FINDINGS = 1
EXIT_USAGE = 2
EXIT_INCOMPLETE = 3
EXIT_INTERRUPTED = 130

COMMANDS = {
    "audit": "Find calls that may sleep where they must not.",
    "hook": "Check what a commit or a push introduces.",
    "kbuild": "Check one unit while the kernel is built (make C=1).",
    "patch": "Show what a patch series introduces, fixes, or partly fixes.",
    "prepare": "Make the build directory and compile commands without compiling.",
    "baseline": "Keep a list of known findings, so that only new ones count.",
    "why": "Show how the kernel gets to a function, and in which contexts.",
    "graph": "Draw the calls around a function or a finding.",
    "splat": "Read the splats in a kernel log and find what explains them.",
    "report": "Render a saved result in any format.",
    "lsp": "Serve an editor (language server protocol).",
    "mcp": "Serve a reviewing assistant (Model Context Protocol).",
    "model": "Run scenarios on the executable model of the kernel.",
    "explain": "Explain what a check means, why it matters, how to fix it.",
    "config": "Show the settings that apply here, and where each comes from.",
    "rules": "List the facts about the kernel, with their provenance.",
}
"""Name -> summary. The command itself is ``ctxlint.cli.NAME:command``."""

EPILOG = """\b
Examples:
  cd ~/linux && ctxlint audit
  ctxlint audit drivers/irqchip/irq-gic.c --arch arm64 --rt
  ctxlint explain sleep-in-atomic

\b
Exit codes:
  0 clean, 1 findings, 2 usage, 3 analysis incomplete

\b
Shell completion (bash; also zsh, fish):
  eval "$(_CTXLINT_COMPLETE=bash_source ctxlint)"
"""

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 80}


class LazyGroup(click.Group):
    """A group that knows its commands' summaries without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"ctxlint.cli.{cmd_name}")
        command = module.command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        import difflib

        near = difflib.get_close_matches(args[0], COMMANDS, n=2) if args else []
        if near and args[0] not in COMMANDS:
            ctx.fail(f"No such command {args[0]!r}. Did you mean {' or '.join(near)}?")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(
    "ctxlint", cls=LazyGroup, context_settings=CONTEXT, epilog=EPILOG, no_args_is_help=True
)
@click.version_option(__version__, prog_name="ctxlint")
def cli() -> None:
    """Checks Linux kernel C source for sleeping in atomic context, PREEMPT_RT and
    CPU hotplug included."""


_LONGEST_LINE = 4000
"""Characters of a line of an error message; lists of known names have some hundred."""


def exit_code_of(_error: CtxlintError) -> int:
    """2: nothing was analysed, because the request or the set-up is wrong. What could not
    be analysed is part of a result and no error (3)."""
    return EXIT_USAGE


def _complain(message: str, hint: str = "") -> None:
    from ctxlint.report.clean import clean

    # A message may quote a file that is not the user's.
    first, *rest = message.split("\n")
    streams.tell(f"ctxlint: error: {clean(_bounded(first))}")
    for line in rest:
        streams.tell(clean(_bounded(line)))
    if hint:
        streams.tell(f"hint: {clean(_bounded(hint))}")


def _bounded(line: str) -> str:
    """A line with both of its ends: what stands between may be a stranger's name."""
    if len(line) <= _LONGEST_LINE:
        return line
    half = _LONGEST_LINE // 2
    return f"{line[:half]} ... {line[-half:]}"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit code (never raises for user errors).

    A signal ends it in order, with 128 and its number as a shell has it.
    """
    streams.guard()
    # A parser that crashes would start llvm-symbolizer, and leave its input in /tmp.
    os.environ["LLVM_DISABLE_SYMBOLIZATION"] = "1"
    code = EXIT_INTERRUPTED
    with contextlib.suppress(KeyboardInterrupt), processes.orderly() as signals:
        code = _run(argv)
    return 128 + signals.number if signals.number else code


def _run(argv: Sequence[str] | None) -> int:
    try:
        words = list(sys.argv[1:] if argv is None else argv)
        code = cli.main(
            args=words, prog_name="ctxlint", standalone_mode=False, obj=tuple(words)
        )
        with contextlib.suppress(ValueError):  # a server's client has closed it
            sys.stdout.flush()
    except CtxlintError as error:
        _complain(str(error), error.hint)
        return exit_code_of(error)
    except click.exceptions.NoArgsIsHelpError as error:
        streams.tell(error.format_message())
        return EXIT_USAGE
    except click.ClickException as error:
        ctx = getattr(error, "ctx", None)
        path = ctx.command_path if ctx is not None else "ctxlint"
        _complain(error.format_message(), f"'{path} --help' lists the options")
        return EXIT_USAGE
    except (KeyboardInterrupt, click.Abort):
        streams.tell("ctxlint: interrupted")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader (head, less) of a help text has gone.
        streams.silence("stdout")
        return EXIT_CLEAN
    except OSError as error:
        # A full disk, a closed stream, a name that is too long: the machine's, not ours.
        streams.silence("stdout")
        said = error.strerror or str(error)
        name = os.fsdecode(error.filename) if isinstance(error.filename, (str, bytes)) else ""
        _complain(f"{name}: {said}" if name else said)
        return EXIT_USAGE
    except MemoryError:
        _complain("out of memory", "fewer worker processes (-j 1) need less")
        return EXIT_INCOMPLETE
    except Exception:
        # Python's own exit code for this, 1, would read as "findings".
        for line in traceback.format_exc().splitlines():
            streams.tell(line)
        _complain("this is a bug in ctxlint", "report it with the lines above")
        return EXIT_INCOMPLETE
    return code if isinstance(code, int) else EXIT_CLEAN
