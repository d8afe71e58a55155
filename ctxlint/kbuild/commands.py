# SPDX-License-Identifier: GPL-2.0-or-later
"""Reading compile commands: compile_commands.json, kbuild's ``.*.cmd``, our own records."""

from __future__ import annotations

import itertools
import json
import os
import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ctxlint.base.errors import TreeError
from ctxlint.kbuild.flags import build_class, parser_flags
from ctxlint.kbuild.model import CompileCommand, Log, Tree

#: A record of the compiler stand-in is ``.NAME.o.args`` beside the object ``NAME.o``:
#: working directory, object, source, the arguments line by line, and this line.
RECORD_SUFFIX = ".args"
RECORD_END = ".end"


@dataclass(frozen=True, kw_only=True)
class RawCommand:
    """One compilation as it was run. ``arguments`` hold neither compiler nor source."""

    directory: Path
    source: str
    output: str
    arguments: tuple[str, ...]


def read_database(path: Path) -> Iterator[RawCommand]:
    """The commands of a ``compile_commands.json``; relative names start at its folder."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        for entry in entries:
            directory = Path(os.path.normpath(path.parent.resolve() / entry["directory"]))
            argv = entry.get("arguments") or split(entry["command"])
            yield _raw(directory, entry["file"], argv)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise TreeError(
            f"{path}: not a compile command database: {error!r}",
            hint="Make it anew (make compile_commands.json), or name another build directory.",
        ) from error


_CMD_LINE = re.compile(r"^(?:saved)?cmd_\S+ := (.*)$", re.M)
_SOURCE_LINE = re.compile(r"^source_\S+ := (\S+)$", re.M)


def read_cmd_files(build: Path, below: Iterable[str]) -> Iterator[RawCommand]:
    """The commands of kbuild's ``.NAME.o.cmd`` files below some directories of ``build``."""
    for directory in sorted(set(below)):
        for path in _files(build / directory, ".o.cmd"):
            text = path.read_text(encoding="utf-8", errors="replace")
            command, source = _CMD_LINE.search(text), _SOURCE_LINE.search(text)
            if command is None or source is None or not source.group(1).endswith(".c"):
                continue
            argv = split(command.group(1).replace("$$", "$").replace("$(pound)", "#"))
            yield _raw(build, source.group(1), argv)


def read_records(build: Path, below: Iterable[str]) -> Iterator[RawCommand]:
    """What the compiler stand-in recorded below some directories of ``build``.

    A record that was cut short (a killed run) is left out: its object is missing too.
    """
    for directory in sorted(set(below)):
        for path in _files(build / directory, ".o" + RECORD_SUFFIX):
            lines = path.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
            if len(lines) > 3 and lines[-1] == RECORD_END:
                where, output, source = lines[:3]
                arguments = tuple(a for a in lines[3:-1] if a != source)
                yield RawCommand(
                    directory=Path(where), source=source, output=output, arguments=arguments
                )


def _files(directory: Path, suffix: str) -> Iterator[Path]:
    for root, directories, files in os.walk(directory):
        directories.sort()
        for name in sorted(files):
            if name.startswith(".") and name.endswith(suffix):
                yield Path(root, name)


def _raw(directory: Path, source: str, argv: list[str]) -> RawCommand:
    """Cut the compiler's name, what follows a ``;``, and the source out of ``argv``."""
    for number, argument in enumerate(argv):
        if argument in (";", "&&", "||") or argument.endswith(";"):
            argv = argv[: number + (argument not in (";", "&&", "||"))]
            argv[-1] = argv[-1].removesuffix(";")
            break
    start = 1
    while start < len(argv) and not argv[start].startswith("-"):
        start += 1  # a launcher such as ccache stands before the compiler
    if start == len(argv):
        start = 1
    arguments = tuple(argument for argument in argv[start:] if argument != source)
    output = next((b for a, b in itertools.pairwise(argv) if a == "-o"), "")
    return RawCommand(directory=directory, source=source, output=output, arguments=arguments)


_WORD = re.compile(r"""(?:[^\s'"\\;&|]|'[^']*'|\\.|"(?:[^"\\]|\\.)*")+|[;&|]+""")
_PART = re.compile(r"""'([^']*)'|\\(.)|"((?:[^"\\]|\\.)*)\"""")


def split(command: str) -> list[str]:
    """A shell command's words; as :func:`shlex.split`, but fit for thousands of them."""
    words = _WORD.findall(command)
    if sum(map(len, words)) != len(re.sub(r"\s+", "", command)) and "'" not in command:
        return shlex.split(command)
    return [_PART.sub(_unquote, word) if _special(word) else word for word in words]


def _special(word: str) -> bool:
    return "'" in word or "\\" in word or '"' in word


def _unquote(match: re.Match[str]) -> str:
    single, escaped, double = match.groups()
    if single is not None:
        return single
    return escaped if escaped is not None else re.sub(r'\\(["\\$`])', r"\1", double)


def compile_commands(
    tree: Tree, raw: Iterable[RawCommand], *, target: str | None, log: Log
) -> dict[str, CompileCommand]:
    """One command per C file of ``tree``, by file name.

    A file that is compiled more than once (for a second module, say) keeps the command
    whose object is named after it. Sources outside the tree (generated ones in the build
    directory) are left out.
    """
    chosen: dict[str, tuple[tuple[bool, str], RawCommand]] = {}
    for command in raw:
        full = os.path.normpath(command.directory / command.source)
        file = _relative(full, tree.path)
        if file is None:
            log("debug", f"{command.source}: generated, not part of the tree")
            continue
        stem = file.rpartition("/")[2].removesuffix(".c")
        rank = (command.output.rpartition("/")[2] != stem + ".o", command.output)
        known = chosen.get(file)
        if known is not None:
            log("debug", f"{file}: compiled more than once, also as {command.output}")
        if known is None or rank < known[0]:
            chosen[file] = (rank, command)
    commands: dict[str, CompileCommand] = {}
    cleaned: dict[tuple[str, ...], tuple[str, ...]] = {}
    unused: set[str] = set()
    for file, (_rank, command) in sorted(chosen.items()):
        kept, dropped = parser_flags(command.arguments, target=target)
        arguments = cleaned.setdefault(kept, kept)
        unused.update(flag for flag in dropped if flag.startswith("-"))
        commands[file] = CompileCommand(
            file=file,
            directory=command.directory,
            arguments=arguments,
            build_class=build_class(arguments, file.rpartition("/")[0]),
        )
    if unused:
        common = sorted(flag for flag in unused if not flag.startswith(("-Wp,", "-W")))
        log("debug", "flags not given to the parser: " + " ".join(common))
    return commands


def _relative(full: str, tree: Path) -> str | None:
    root = f"{tree}{os.sep}"
    if full.startswith(root):
        return Path(full[len(root) :]).as_posix()
    real = os.path.realpath(full)
    return Path(real[len(root) :]).as_posix() if real.startswith(root) else None
