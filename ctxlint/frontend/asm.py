# SPDX-License-Identifier: GPL-2.0-or-later
"""The text of an ``asm`` statement.

libclang shows the operand expressions of inline assembly and nothing else, so
template, constraints and labels are read from the source text, which for
assembly in a macro is the macro's definition.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_HEAD = re.compile(
    r"\s*(?:__asm__|__asm|asm(?:_inline|_volatile_goto|_goto_output)?)\b"
    r"((?:\s|\\\n|volatile|__volatile__|__volatile|inline|__inline__|__inline|goto)*)\("
)
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
_OPERAND = re.compile(r'\s*(?:\[\s*(\w+)\s*\])?\s*((?:"(?:[^"\\]|\\.)*"\s*)+)?', re.S)


class AsmText(NamedTuple):
    template: str
    outs: tuple[str, ...]
    ins: tuple[str, ...]
    labels: tuple[str, ...]
    goto: bool
    memory: bool


def split(source: str) -> AsmText | None:
    """The parts of the asm statement that ``source`` begins with."""
    head = _HEAD.match(source)
    if not head:
        return None
    sections: list[list[str]] = [[]]
    start = at = head.end()
    depth = 0
    while at < len(source):
        char = source[at]
        if char == '"':
            string = _STRING.match(source, at)
            if not string:
                return None
            at = string.end()
            continue
        if char == "/" and source.startswith("/*", at):
            at = source.find("*/", at) + 2
            continue
        if char in "([{":
            depth += 1
        elif char in ")]}":
            if depth == 0:
                sections[-1].append(source[start:at])
                break
            depth -= 1
        elif depth == 0 and char in ":,":
            sections[-1].append(source[start:at])
            start = at + 1
            if char == ":":
                sections.append([])
        at += 1
    else:
        return None
    template = re.sub(r"\s*\\?\n\s*", " ", ",".join(sections[0])).strip()
    parts = [[p for p in section if p.strip(" \t\n\\")] for section in sections[1:]]
    parts += [[]] * (4 - len(parts))
    labels = tuple(p.strip(" \t\n\\") for p in parts[3])
    goto = "goto" in head[0]
    memory = any('"memory"' in part for part in parts[2])
    return AsmText(template, _operands(parts[0]), _operands(parts[1]), labels, goto, memory)


def _operands(parts: list[str]) -> tuple[str, ...]:
    found = []
    for part in parts:
        match = _OPERAND.match(part)
        text = "".join(_STRING.findall(match[2])) if match and match[2] else "?"
        name = f"[{match[1]}]" if match and match[1] else ""
        found.append(name + text)
    return tuple(found)
