# SPDX-License-Identifier: GPL-2.0-or-later
"""Inline assembly.

libclang shows the operand expressions of inline assembly and nothing else, so
template, constraints and labels are read from the source text, which for
assembly in a macro is the macro's definition.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ctxlint.frontend.builder import Node
from ctxlint.frontend.clang import Cursor
from ctxlint.frontend.kinds import CursorKind, is_expression
from ctxlint.frontend.lowering.state import State, expr, statement
from ctxlint.ir.ops import Asm, Expr, LocId

_HEAD = re.compile(
    r"\s*(?:__asm__|__asm|asm(?:_inline|_volatile_goto|_goto_output)?)\b"
    r"((?:\s|\\\n|volatile|__volatile__|__volatile|inline|__inline__|__inline|goto)*)\("
)
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
_OPERAND = re.compile(r'\s*(?:\[\s*(\w+)\s*\])?\s*((?:"(?:[^"\\]|\\.)*"\s*)+)?', re.S)
_LOADS = frozenset(
    {CursorKind.UNEXPOSED_EXPR, CursorKind.INTEGER_LITERAL, CursorKind.CHARACTER_LITERAL,
     CursorKind.CXX_UNARY_EXPR}
)  # fmt: skip


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


@statement(CursorKind.ASM_STMT)
def _asm(s: State, cursor: Cursor) -> None:
    kids = [k for k in s.lib.children(cursor) if is_expression(k.kind)]
    text = split(s.parsed.source(cursor).decode("utf-8", "replace"))
    operands = [expr(s, k) for k in kids]
    loc = s.loc(cursor)
    if text is None or len(operands) != len(text.outs) + len(text.ins):
        place = s.lib.getCursorLocation(cursor)
        template = text.template if text else s.parsed.loc(place).macro
        outs = _outputs(kids, operands)
        ins = [e for e in operands if not any(e is o for o in outs)]
        op = Asm(
            template,
            tuple(("=?", e) for e in outs),
            tuple(("?", e) for e in ins),
            loc,
            memory=True,
        )
    else:
        cut = len(text.outs)
        outs_ = tuple(zip(text.outs, operands[:cut], strict=True))
        ins_ = tuple(zip(text.ins, operands[cut:], strict=True))
        op = Asm(text.template, outs_, ins_, loc, text.memory)
    if text is not None and text.goto:
        _asm_goto(s, op, text.labels, loc)
    else:
        s.build.emit(op)


def _outputs(kids: list[Cursor], operands: list[Expr]) -> list[Expr]:
    """Without readable text: operands that are lvalues come first and are
    not loaded (a load shows as an implicit cast)."""
    found = []
    for kid, e in zip(kids, operands, strict=True):
        if kid.kind in _LOADS:
            break
        found.append(e)
    return found


def _asm_goto(s: State, op: Asm, labels: tuple[str, ...], loc: LocId) -> None:
    targets = []
    for name in labels or ("",):  # a macro hides them: any label, then
        edge = Node()
        edge.used = True
        s.asm_gotos.append((name, edge, s.scope, loc))
        targets.append(edge)
    after = Node()
    after.used = True
    was_dead = s.build.dead
    s.build.end(("asmgoto", op, after, tuple(targets)))
    s.build.start(after, live=not was_dead)
