# SPDX-License-Identifier: GPL-2.0-or-later
"""The text of a model file, made fit for pycparser.

Comments and lines that a condition leaves out become blanks, so every token
keeps its line and column. A ``#define`` of a constant is not pasted into the
text: its expression is parsed once, behind the file, and stands for the name
wherever that is used. That needs no expansion of tokens, and it means that
the value must hold together by itself, as one in parentheses does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NoReturn

from ctxlint.base.errors import RuleError

MACROS = "__values_of_macros"  # the function that holds them

_TOKEN = re.compile(
    r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|/\*|["']""", re.DOTALL
)
_OPEN_ESCAPE = re.compile(r'\\(?:x[0-9A-Fa-f]|[0-7]{1,2})"\s*"')
_DIRECTIVE = re.compile(r"\s*#\s*(\w*)\s*(.*?)\s*$")
_DEFINE = re.compile(r"(\w+)(\(?)\s*(.*)$")
_NUMBER_OR_NAME = re.compile(r"[-~!]?\s*[\w.]+|'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"")
_NOT_BLANK = re.compile(r"[^\n\t]")


@dataclass(frozen=True)
class Macro:
    """``#define name`` at a place; ``text`` begins at column ``col``."""

    name: str
    text: str
    file: str
    line: int
    col: int


@dataclass
class Source:
    """One file (or header) after its directives.

    ``text`` goes to the parser, ``plain`` is the same without the contents of
    literals, for finding braces.
    """

    file: str
    text: str
    plain: str
    macros: list[Macro] = field(default_factory=list)


def error_at(file: str, line: int, col: int, text: str, hint: str = "") -> RuleError:
    """The error of a place in a model file; ``col`` 0 is none."""
    where = f"{file}:{line}:{col}" if col else f"{file}:{line}"
    return RuleError(f"{where}: {text}", hint=hint)


def fail(file: str, line: int, col: int, text: str, hint: str = "") -> NoReturn:
    raise error_at(file, line, col, text, hint)


def _blank(text: str) -> str:
    return _NOT_BLANK.sub(" ", text)


def prepare(file: str, text: str, defined: Mapping[str, str]) -> Source:
    """Read the directives of one file. ``defined`` are the names that
    ``#ifdef`` knows from outside."""
    return _Directives(file, defined).read(text)


class _Directives:
    def __init__(self, file: str, defined: Mapping[str, str]) -> None:
        self.file = file
        self.names = set(defined)
        self.macros: dict[str, Macro] = {}
        self.conditions: list[tuple[bool, bool, int]] = []  # active, seen else, line

    def read(self, text: str) -> Source:
        kept, plain = self._without_comments(text)
        lines = kept.split("\n")
        plain_lines = plain.split("\n")
        for number, line in enumerate(lines):
            match = _DIRECTIVE.match(line)
            if match:
                self._directive(match, line, number + 1)
            elif all(active for active, _, _ in self.conditions):
                continue
            lines[number] = plain_lines[number] = ""
        if self.conditions:
            fail(self.file, self.conditions[-1][2], 0, "this condition has no #endif")
        macros = list(self.macros.values())
        return Source(self.file, "\n".join(lines), "\n".join(plain_lines), macros)

    def _without_comments(self, text: str) -> tuple[str, str]:
        def kept(match: re.Match[str]) -> str:
            token = match[0]
            if token in ('"', "'", "/*"):
                line = text.count("\n", 0, match.start()) + 1
                what = "comment" if token == "/*" else "literal"
                fail(self.file, line, 0, f"a {what} that does not end")
            return _blank(token) if token.startswith("/") else token

        def plain(match: re.Match[str]) -> str:
            return "_" * len(match[0])

        without = _TOKEN.sub(kept, text)
        bad = _OPEN_ESCAPE.search(without)
        if bad:
            line = without.count("\n", 0, bad.start()) + 1
            fail(self.file, line, 0, "the escape before the next string would run into it")
        return without, _TOKEN.sub(plain, without)

    def _directive(self, match: re.Match[str], line: str, number: int) -> None:
        word, rest = match[1], match[2]
        if line.rstrip().endswith("\\"):
            fail(self.file, number, 0, f"#{word} must fit one line")
        active = all(on for on, _, _ in self.conditions)
        if word in ("ifdef", "ifndef"):
            if not rest.isidentifier():
                fail(self.file, number, 0, f"#{word} takes one name")
            known = rest in self.names
            self.conditions.append((known == (word == "ifdef"), False, number))
        elif word in ("else", "endif"):
            if not self.conditions:
                fail(self.file, number, 0, f"#{word} without a condition")
            on, other, begin = self.conditions.pop()
            if word == "else":
                if other:
                    fail(self.file, number, 0, "a second #else")
                self.conditions.append((not on, True, begin))
        elif not active:
            if word in ("if", "elif"):
                fail(self.file, number, 0, f"#{word} is not known here")
        elif word == "define":
            self._define(rest, number, match.start(2) + 1)
        elif word == "include":
            fail(self.file, number, 0, "#include is not needed",
                 "the headers of rules/models are before every model file")  # fmt: skip
        else:
            fail(self.file, number, 0, f"#{word} is not known here",
                 "model files have #define, #ifdef, #ifndef, #else and #endif")  # fmt: skip

    def _define(self, rest: str, number: int, col: int) -> None:
        match = _DEFINE.match(rest)
        if match is None or not match[1].isidentifier():
            fail(self.file, number, 0, "#define takes a name and a constant")
        name, text = match[1], match[3]
        if match[2] and rest[len(name)] == "(" and not _encloses(rest[len(name) :]):
            fail(self.file, number, 0, f"{name} is a macro with parameters",
                 "write a static inline function")  # fmt: skip
        if match[2]:
            fail(self.file, number, 0, f"{name} needs a space before its value")
        if name in self.names:
            fail(self.file, number, 0, f"{name} is defined twice")
        self.names.add(name)
        if not text:
            return  # for #ifdef alone
        if not _NUMBER_OR_NAME.fullmatch(text) and not _encloses(text):
            fail(self.file, number, 0, f"the value of {name} needs parentheses around it")
        self.macros[name] = Macro(name, text, self.file, number, col + match.start(3))


def _encloses(text: str) -> bool:
    """Whether the first parenthesis closes at the very end."""
    depth = 0
    for at, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if depth == 0:
            return char == ")" and at == len(text) - 1
    return False


def parse(source: Source, headers: list[Source], given: Mapping[str, str]) -> Any:
    """The AST of a file behind its headers. Its last item is a function whose
    statements are the values of :func:`all_macros`, in that order."""
    from pycparser import c_ast

    known = _behind("\n".join(_numbered(headers)), headers[-1].file) if headers else ()
    # Where a declaration begins depends on which names are types, and on nothing else.
    types = [item.name for item in known if isinstance(item, c_ast.Typedef)]
    parts = [f"typedef int {name};" for name in types]
    parts += _numbered([source])
    parts.append(f"static void {MACROS}(void) {{")
    for macro in all_macros(source, headers, given):
        blanks = " " * max(macro.col - 2, 0)
        parts += [f'#line {macro.line} "{macro.file}"', f"{blanks}({macro.text});"]
    parts.append("}")
    ast = _parsed("\n".join(parts) + "\n", source.file)
    ast.ext[: len(types)] = known
    return ast


def _numbered(parts: Iterable[Source]) -> list[str]:
    return [text for part in parts for text in (f'#line 1 "{part.file}"', part.text)]


@lru_cache(maxsize=4)
def _behind(headers: str, file: str) -> tuple[Any, ...]:
    """The declarations of the headers, which every file of a set has before it."""
    return tuple(_parsed(headers + "\n", file).ext)


def _parsed(text: str, file: str) -> Any:
    from pycparser import c_parser  # 30 ms

    parser = c_parser.CParser()
    try:
        return parser.parse(text, file)
    except c_parser.ParseError as error:
        raise _syntax_error(str(error), file, parser) from None


def all_macros(source: Source, headers: list[Source], given: Mapping[str, str]) -> list[Macro]:
    outside = [
        Macro(name, text, "(given)", 1, 2) for name, text in sorted(given.items()) if text
    ]
    return [*outside, *(m for part in (*headers, source) for m in part.macros)]


def _syntax_error(text: str, file: str, parser: Any) -> RuleError:
    """pycparser's message, with a place where it has none."""
    match = re.match(r"(.*?):(\d+):(\d+): (.*)$", text, re.DOTALL)
    if match:
        where, what = f"{match[1]}:{match[2]}:{match[3]}", match[4]
    else:
        lexer = getattr(parser, "clex", None)
        line = getattr(lexer, "lineno", 0) or getattr(lexer, "_lineno", 0)
        name = getattr(lexer, "filename", None) or file
        where, what = f"{name}:{line}", text.partition(": ")[2] or text
    if MACROS in what or where.startswith("(given)"):
        what = "the file ends inside a declaration"
    return RuleError(f"{where}: {what[:1].lower()}{what[1:]}", hint="model files are ISO C")
