# SPDX-License-Identifier: GPL-2.0-or-later
"""Comments in C text, and what they apply to.

This reads only as much of C as it needs: the first phases of translation (spliced lines,
comments, strings and character constants, preprocessor directives) and the
braces of what is declared at the top level. Nothing is expanded and no branch of
a conditional is chosen; the branches of one conditional are taken to open and
close the same braces, which holds for code that compiles both ways.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

Scope = Literal["call", "function", "file", "nothing"]

# A line is continued after blanks too; compilers warn about it and go on.
_SPLICE = re.compile(r"\\[ \t\r\f\v]*\n")
_TOKEN = re.compile(
    r"""
    (?P<comment>/\*.*?(?:\*/|\Z)|//[^\n]*)
  | (?P<string>"(?:\\[^\n]|[^"\\\n])*"?|'(?:\\[^\n]|[^'\\\n])*'?)
  | (?P<newline>\n)
  | (?P<blank>[^\S\n]+)
  | (?P<word>\w+)
  | (?P<mark>.)
    """,
    re.VERBOSE | re.DOTALL,
)


class Comment(NamedTuple):
    """A comment with its delimiters; spliced lines of ``//`` are joined.

    ``line``/``end`` are its first and last line, ``column`` counts bytes, from 1.
    It concerns the lines ``first`` to ``last`` (none if ``first > last``).
    """

    text: str
    line: int
    end: int
    column: int
    scope: Scope
    first: int
    last: int


class _Token(NamedTuple):
    kind: str
    text: str
    line: int
    end: int
    column: int
    directive: bool


@dataclass
class _Item:
    """Something declared at the top level. ``start`` and ``body`` are line and
    column of its first token and first brace, ``last`` is its last line."""

    start: tuple[int, int]
    body: tuple[int, int] = (0, 0)
    last: int = 0
    call: bool = False
    value: bool = False
    function: bool = False


def comments(text: str) -> tuple[Comment, ...]:
    """The comments of ``text`` in order, each with the lines that it concerns.

    A comment on a line with code concerns that line; one that stands alone, the
    line below (comments may be in between). Outside of functions: the function
    whose definition begins directly below, without a blank line; else the whole
    file, when nothing was declared before it.
    """
    tokens = list(_tokens(text))
    code = {
        line
        for token in tokens
        if token.kind != "comment" and not token.directive
        for line in range(token.line, token.end + 1)
    }
    directives = {token.line for token in tokens if token.directive}
    said = {
        line
        for token in tokens
        if token.kind == "comment"
        for line in range(token.line, token.end + 1)
    }
    items = _items(tokens)
    below: dict[int, int] = {}  # the line after the comments that a line begins
    for line in sorted(said, reverse=True):
        below[line] = below.get(line + 1, line + 1)
    end = text.count("\n") + 1
    return tuple(
        Comment(
            token.text,
            token.line,
            token.end,
            token.column,
            *_place(token, items, code, directives, below, end),
        )
        for token in tokens
        if token.kind == "comment"
    )


def _place(
    comment: _Token,
    items: list[_Item],
    code: set[int],
    directives: set[int],
    after: dict[int, int],
    end: int,
) -> tuple[Scope, int, int]:
    at = (comment.line, comment.column)
    own = any(line in code for line in range(comment.line, comment.end + 1))
    below = comment.end if own else after.get(comment.end + 1, comment.end + 1)
    index = bisect.bisect_right(items, at, key=lambda item: item.start) - 1
    if index >= 0 and comment.line <= items[index].last:
        item = items[index]
        if own:
            return "call", comment.line, comment.end
        if item.function and at < item.body:
            # Above the definition, after a macro that needs no semicolon.
            return "function", comment.line, item.last
        return ("call", below, below) if below in code else ("nothing", 1, 0)
    following = items[index + 1] if index + 1 < len(items) else None
    if following is not None and following.start[0] == below and following.function:
        return "function", following.start[0], following.last
    if index < 0 and not own and comment.line not in directives:
        return "file", 1, end
    return "nothing", 1, 0


def _items(tokens: list[_Token]) -> list[_Item]:
    """What is declared at the top level. An unfinished one reaches to the end."""
    items: list[_Item] = []
    item: _Item | None = None
    depth = parens = 0
    branches: list[tuple[int, int]] = []
    hash_next = False
    for token in tokens:
        if token.kind == "comment":
            continue
        if token.directive:
            if token.text == "#" and token.kind == "mark":
                hash_next = True
            elif hash_next:
                hash_next = False
                if token.text in ("if", "ifdef", "ifndef"):
                    branches.append((depth, parens))
                elif token.text.startswith(("elif", "else")) and branches:
                    depth, parens = branches[-1]
                elif token.text == "endif" and branches:
                    branches.pop()
            continue
        if item is None:
            if token.text == ";":
                continue
            item = _Item((token.line, token.column))
            items.append(item)
        item.last = token.end
        text = token.text if token.kind == "mark" else ""
        if text == "{":
            if depth == 0 and parens == 0:
                item.function = item.call and not item.value
                item.body = (token.line, token.column)
            depth += 1
        elif text == "}":
            depth = max(depth - 1, 0)
            if depth == 0 and parens == 0 and item.function:
                item = None
        elif depth == 0:
            parens = max(parens + (text == "(") - (text == ")"), 0)
            item.call |= text == "("
            item.value |= text == "=" and parens == 0
            if text == ";" and parens == 0:
                item = None
    if item is not None and tokens:
        item.last = max(item.last, tokens[-1].end)
    return items


def _tokens(text: str) -> Iterator[_Token]:
    """Tokens of the text, without blanks and line breaks."""
    spliced, cuts = _spliced(text)
    line, start, passed = 1, 0, 0
    fresh, directive = True, False
    column, counted = 1, 0  # of what is counted so far of the line
    for match in _TOKEN.finditer(spliced):
        kind, value, offset = match.lastgroup or "", match.group(), match.start()
        while passed < len(cuts) and cuts[passed] <= offset:
            line += 1
            start = cuts[passed]
            passed += 1
        if kind == "newline":
            line, start = line + 1, match.end()
            fresh, directive = True, False
            continue
        if kind == "blank":
            continue
        end = line + value.count("\n")
        ahead = passed
        while ahead < len(cuts) and cuts[ahead] < match.end():
            end += 1
            ahead += 1
        if kind == "mark" and value == "#" and fresh:
            directive = True
        fresh = fresh and kind == "comment"
        if counted < start:
            column, counted = 1, start
        column += len(spliced[counted:offset].encode("utf-8", "replace"))
        counted = offset
        yield _Token(kind, value, line, end, column, directive)
        if end > line:
            line, passed = end, ahead
            breaks = value.rfind("\n")
            start = max(
                offset + breaks + 1 if breaks >= 0 else 0, cuts[ahead - 1] if ahead else 0
            )


def _spliced(text: str) -> tuple[str, list[int]]:
    """The text with continued lines joined, and where they were joined."""
    parts: list[str] = []
    cuts: list[int] = []
    done = length = 0
    for match in _SPLICE.finditer(text):
        parts.append(text[done : match.start()])
        length += match.start() - done
        cuts.append(length)
        done = match.end()
    parts.append(text[done:])
    return "".join(parts), cuts
