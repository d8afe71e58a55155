# SPDX-License-Identifier: GPL-2.0-or-later
"""The manual page, from the commands as click knows them.

One page for all commands, with their examples, which generators of manual pages from
click leave out. Nothing in it depends on the version of click, on a terminal's width or
on the date.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import click

from ctxlint import __version__
from ctxlint.cli.main import COMMANDS, cli

_EXITS = (
    ("0", "Clean: everything was analysed and nothing found."),
    ("1", "Findings (see --fail-on)."),
    ("2", "Wrong usage, or input that cannot be read."),
    ("3", "Incomplete: something could not be analysed. There may be findings as well."),
)
_FILES = (
    (".ctxlint.toml", "Settings of the tree; also the table [tool.ctxlint] of its "
     "pyproject.toml."),
    ("$XDG_CONFIG_HOME/ctxlint/config.toml", "Settings of the user (default: in ~/.config)."),
    (".ctxlint-baseline", "Known findings, in the tree."),
    ("~/.cache/ctxlint", "Build directories and facts; below $XDG_CACHE_HOME if that is set."),
)  # fmt: skip
_ENVIRONMENT = (
    ("NO_COLOR", "No colour on terminals."),
    ("SOURCE_DATE_EPOCH", "The date that reports show (in seconds), for reproducible "
     "output."),
    ("_CTXLINT_COMPLETE", "bash_source, zsh_source or fish_source: print the completion "
     "script of that shell."),
    ("CTXLINT_CACHE, CTXLINT_SCOPE, CTXLINT_TIMEOUT, CTXLINT_FAIL, CTXLINT_BRIEF, "
     "CTXLINT_VERBOSE", "For ctxlint kbuild, whose command line belongs to make."),
)  # fmt: skip


def page() -> str:
    """The page as roff (man macros)."""
    lines = [
        '.\\" SPDX-License-Identifier: GPL-2.0-or-later',
        '.\\" Made from the commands by `make documents`.',
        f'.TH CTXLINT 1 "" "ctxlint {_escaped(__version__)}" "User Commands"',
        ".SH NAME",
        f"ctxlint \\- {_escaped(_first(cli.help))}",
        ".SH SYNOPSIS",
        ".B ctxlint",
        ".I COMMAND",
        "[\\fIOPTIONS\\fR] [\\fIARGUMENTS\\fR]",
        ".SH DESCRIPTION",
        *_text(cli.help or ""),
        ".SH COMMANDS",
    ]
    for name, command in _commands():
        lines += _command(name, command)
    lines.append(".SH EXIT STATUS")
    lines += _list(_EXITS)
    lines.append(".SH FILES")
    lines += _list(_FILES)
    lines.append(".SH ENVIRONMENT")
    lines += _list(_ENVIRONMENT)
    lines += [".SH SEE ALSO", ".BR make (1),", ".BR git (1)"]
    return "\n".join(lines) + "\n"


def _commands() -> Iterator[tuple[str, click.Command]]:
    for name in COMMANDS:
        yield from _below(f"ctxlint {name}", cli.get_command(click.Context(cli), name))


def _below(name: str, command: click.Command | None) -> Iterator[tuple[str, click.Command]]:
    assert command is not None
    yield name, command
    if isinstance(command, click.Group):
        for part in command.list_commands(click.Context(command)):
            yield from _below(
                f"{name} {part}", command.get_command(click.Context(command), part)
            )


def _command(name: str, command: click.Command) -> list[str]:
    words = [f"\\fB{_escaped(name)}\\fR"]
    shown = [p for p in command.params if not getattr(p, "hidden", False)]
    if any(isinstance(p, click.Option) for p in shown):
        words.append("[\\fIOPTIONS\\fR]")
    for item in shown:
        if isinstance(item, click.Argument):
            metavar = item.metavar or (item.name or "").upper()
            text = f"\\fI{_escaped(metavar)}\\fR"
            if item.nargs == -1 and not item.metavar:
                text += "..."
            words.append(text if item.required else f"[{text}]")
    if isinstance(command, click.Group):
        words.append("\\fICOMMAND\\fR")
    lines = [f".SS {_quoted(name)}", " ".join(words), ".PP", *_text(command.help or "")]
    for option in shown:
        if isinstance(option, click.Option):
            lines += [".TP", _option(option), *_text(option.help or "")]
    if command.epilog:
        lines += [".PP", *_text(command.epilog)]
    return lines


def _option(option: click.Option) -> str:
    names = ", ".join(f"\\fB{_escaped(o)}\\fR" for o in (*option.opts, *option.secondary_opts))
    if option.is_flag or option.count:
        return names
    if isinstance(option.type, click.Choice):
        value = "|".join(str(choice) for choice in option.type.choices)
    else:
        value = option.metavar or option.type.name.upper()
    return f"{names} \\fI{_escaped(value)}\\fR"


def _list(items: tuple[tuple[str, str], ...]) -> list[str]:
    return [
        line
        for name, text in items
        for line in (".TP", f"\\fB{_escaped(name)}\\fR", _escaped(text))
    ]


def _text(text: str) -> list[str]:
    """Paragraphs of click's help; those that begin with ``\\b`` keep their lines."""
    lines = []
    for number, part in enumerate(re.split(r"\n\s*\n", _plain(text).strip("\n"))):
        if number:
            lines.append(".PP")
        if part.lstrip().startswith("\b"):
            rows = part.lstrip().removeprefix("\b").strip("\n").split("\n")
            lines += [".nf", *map(_escaped, rows), ".fi"]
        elif part.strip():
            lines.append(_escaped(" ".join(part.split())))
    return [line for line in lines if line]


def _plain(text: str) -> str:
    """Without the indentation of a docstring."""
    import inspect

    return inspect.cleandoc(text)


def _first(text: str | None) -> str:
    return " ".join((text or "").split("\n\n")[0].split()).rstrip(".")


def _escaped(text: str) -> str:
    """Text that roff takes literally: no escapes, no request at the start of a line, and
    hyphens that can be copied to a shell."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("~", "\\(ti")
    text = text.replace("^", "\\(ha").replace("`", "\\(ga").replace("'", "\\(aq")
    return f"\\&{text}" if text.startswith((".", "'")) else text


def _quoted(text: str) -> str:
    return f'"{_escaped(text)}"'
