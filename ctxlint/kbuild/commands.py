# SPDX-License-Identifier: GPL-2.0-or-later
"""Reading compile commands: compile_commands.json, kbuild's ``.*.cmd``, our own records."""

from __future__ import annotations

import itertools
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from ctxlint.base.errors import TreeError, UsageError
from ctxlint.base.reading import read_limited
from ctxlint.kbuild.flags import build_class, names_a_place, parser_flags
from ctxlint.kbuild.model import CompileCommand, Log, Tree

#: A record of the compiler stand-in is ``.NAME.o.args`` beside the object ``NAME.o``:
#: working directory, object, source, the arguments line by line, and this line.
RECORD_SUFFIX = ".args"
RECORD_END = ".end"

#: Bytes of a database: four times that of an allmodconfig kernel.
MAX_DATABASE = 512 << 20
#: Bytes of the command of one file.
MAX_COMMAND = 1 << 20


@dataclass(frozen=True, kw_only=True)
class RawCommand:
    """One compilation as it was run. ``arguments`` hold neither compiler nor source."""

    directory: Path
    source: str
    output: str
    arguments: tuple[str, ...]


def read_database(path: Path) -> Iterator[RawCommand]:
    """The commands of a ``compile_commands.json``; relative names start at its folder.

    Raises :class:`TreeError` when it is none, or too large.
    """
    try:
        entries = msgspec.json.decode(read_limited(path, MAX_DATABASE), type=list[_Entry])
        for entry in entries:
            directory = Path(os.path.normpath(path.parent.resolve() / entry.directory))
            if not (entry.arguments or entry.command):
                raise ValueError(f"{entry.file}: no command")
            if "\0" in entry.directory or "\0" in entry.file:
                raise ValueError("a name with a NUL in it")
            yield _raw(directory, entry.file, entry.arguments or split(entry.command or ""))
    except (UsageError, ValueError, RecursionError, msgspec.MsgspecError) as error:
        said = str(error).removeprefix(f"{path}: ")
        raise TreeError(
            f"{path}: not a compile command database: {said}",
            hint="Regenerate it (make compile_commands.json), or name another build directory.",
        ) from error


class _Entry(msgspec.Struct):
    directory: str
    file: str
    arguments: list[str] | None = None
    command: str | None = None


_CMD_LINE = re.compile(r"^(?:saved)?cmd_\S+ := (.*)$", re.M)
_SOURCE_LINE = re.compile(r"^source_\S+ := (\S+)$", re.M)


def read_cmd_files(build: Path, below: Iterable[str]) -> Iterator[RawCommand]:
    """The commands of kbuild's ``.NAME.o.cmd`` files below some directories of ``build``."""
    for directory in sorted(set(below)):
        for path in _files(build / directory, ".o.cmd"):
            text = _text(path, "replace")
            command, source = _CMD_LINE.search(text), _SOURCE_LINE.search(text)
            if command is None or source is None or not source.group(1).endswith(".c"):
                continue
            try:
                argv = split(command.group(1).replace("$$", "$").replace("$(pound)", "#"))
            except ValueError:
                continue
            yield _raw(build, source.group(1), argv)


def read_records(build: Path, below: Iterable[str]) -> Iterator[RawCommand]:
    """What the compiler stand-in recorded below some directories of ``build``.

    A record that was cut short (a killed run) is left out: its object is missing too.
    """
    for directory in sorted(set(below)):
        for path in _files(build / directory, ".o" + RECORD_SUFFIX):
            lines = _text(path, "surrogateescape").splitlines()
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


def _text(path: Path, errors: str) -> str:
    """What a file says; nothing when it is no file, or one that no compiler could leave."""
    try:
        return read_limited(path, MAX_COMMAND).decode("utf-8", errors)
    except UsageError:
        return ""


def _raw(directory: Path, source: str, argv: list[str]) -> RawCommand:
    """Cut the compiler's name, what follows a ``;``, and the source out of ``argv``."""
    for number, argument in enumerate(argv):
        if argument in (";", "&&", "||") or argument.endswith(";"):
            argv = argv[: number + (argument not in (";", "&&", "||"))]
            if argv:
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
    """A shell command's words; as :func:`shlex.split`, but fit for thousands of them.

    Raises ValueError for a quotation without an end.
    """
    if len(command) > MAX_COMMAND:
        raise ValueError("a command that no system could run")
    words = []
    end = 0
    for match in _WORD.finditer(command):
        if command[end : match.start()].strip():
            break
        end = match.end()
        words.append(match.group())
    if command[end:].strip():
        raise ValueError("unterminated quote in a command")
    return [_PART.sub(_unquote, word) if _special(word) else word for word in words]


def _special(word: str) -> bool:
    return "'" in word or "\\" in word or '"' in word


def _unquote(match: re.Match[str]) -> str:
    single, escaped, double = match.groups()
    if single is not None:
        return single
    return escaped if escaped is not None else re.sub(r'\\(["\\$`])', r"\1", double)


def compile_commands(
    tree: Tree, build: Path, raw: Iterable[RawCommand], *, target: str | None, log: Log
) -> dict[str, CompileCommand]:
    """One command per C file of ``tree``, by file name.

    Commands that run elsewhere than in the tree or in ``build``, and flags that include from
    elsewhere, are left out with a warning (headers of a compiler are no elsewhere). A file
    that is compiled more than once (for a second module, say) keeps the command whose object
    is named after it. Sources outside the tree (generated ones in the build directory) are
    left out.
    """
    chosen: dict[str, tuple[tuple[bool, str], RawCommand]] = {}
    within = _Within(tree.path, build)
    outside: Counter[str] = Counter()
    for command in raw:
        if not within(str(command.directory)):
            outside[str(command.directory)] += 1
            continue
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
        kept, dropped = parser_flags(
            command.arguments, target=target, allowed=within.from_there(command.directory)
        )
        arguments = cleaned.setdefault(kept, kept)
        outside.update(_places(dropped))
        unused.update(flag for flag in dropped if flag.startswith("-"))
        commands[file] = CompileCommand(
            file=file,
            directory=command.directory,
            arguments=arguments,
            build_class=build_class(arguments, file.rpartition("/")[0]),
        )
    if unused:
        common = sorted(flag for flag in unused if not flag.startswith(("-Wp,", "-W")))
        log("info", f"{len(common)} kinds of flags are not passed to the parser")
        log("debug", "flags not passed to the parser: " + " ".join(common))
    if outside:
        some = ", ".join(name for name, _ in outside.most_common(3))
        log(
            "warning",
            f"compile commands name places outside {tree.path} and {build}, which are "
            f"left out ({sum(outside.values())} times): {some}",
        )
    return commands


#: Where compilers keep headers of their own (clang, and gcc also for other machines).
_COMPILER = re.compile(
    r"/.*/lib\w*/((llvm-[\w.]+/lib/)?clang/[\w.]+|gcc(-cross)?/[\w.-]+/[\w.]+)/include(-fixed)?/?"
)


class _Within:
    """Whether a place is in the tree, in the build directory, or a compiler's own."""

    def __init__(self, *roots: Path) -> None:
        real = {os.path.realpath(root) for root in roots}
        self._roots = tuple({f"{root}{os.sep}" for root in {*real, *map(str, roots)}})
        self._known: dict[str, bool] = {}

    def __call__(self, path: str) -> bool:
        known = self._known.get(path)
        if known is None:
            full = os.path.normpath(path)
            # By name first: files of a tree may be links to elsewhere.
            known = f"{full}{os.sep}".startswith(self._roots) or (
                f"{os.path.realpath(full)}{os.sep}".startswith(self._roots)
            )
            self._known[path] = known = known or _COMPILER.fullmatch(full) is not None
        return known

    def from_there(self, directory: Path) -> Callable[[str], bool]:
        """The same for names that may be relative to ``directory``."""
        return lambda name: self(os.path.join(directory, name))  # noqa: PTH118


def _places(dropped: Iterable[str]) -> Iterator[str]:
    """Of dropped arguments the flags that name a place."""
    rest = iter(dropped)
    for flag in rest:
        if names_a_place(flag):
            yield flag if flag not in ("-I", "-include") else f"{flag} {next(rest, '')}"


def _relative(full: str, tree: Path) -> str | None:
    root = f"{tree}{os.sep}"
    if full.startswith(root):
        return Path(full[len(root) :]).as_posix()
    real = os.path.realpath(full)
    return Path(real[len(root) :]).as_posix() if real.startswith(root) else None
