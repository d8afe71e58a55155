# SPDX-License-Identifier: GPL-2.0-or-later
"""The numbers of ``frontend/kinds.py`` are those of clang's binding; what the binding has no
enumeration for is looked at in a parsed file."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import clang.cindex
import pytest

from ctxlint.frontend import kinds
from ctxlint.frontend.clang import Cursor, library
from ctxlint.frontend.kinds import BinaryOperator, CursorKind, TypeKind, UnaryOperator
from ctxlint.frontend.parse import Parsed

FRONTEND = Path(inspect.getfile(kinds)).parent
SPELLED = {"STMT_EXPR": "StmtExpr"}  # in the binding
NEWER = {"FLOAT16", "BFLOAT16"}  # not in every binding
BINARY = {
    "MUL": "*", "DIV": "/", "REM": "%", "ADD": "+", "SUB": "-", "SHL": "<<", "SHR": ">>",
    "LT": "<", "GT": ">", "LE": "<=", "GE": ">=", "EQ": "==", "NE": "!=", "AND": "&",
    "XOR": "^", "OR": "|", "LAND": "&&", "LOR": "||", "ASSIGN": "=", "COMMA": ",",
}  # fmt: skip
UNARY = {
    "POST_INC": "x++", "POST_DEC": "x--", "PRE_INC": "++x", "PRE_DEC": "--x", "ADDR_OF": "&x",
    "DEREF": "*p", "PLUS": "+x", "MINUS": "-x", "NOT": "~x", "LNOT": "!x",
    "EXTENSION": "__extension__ x",
}  # fmt: skip


def numbers(enumeration: type) -> dict[str, int]:
    return {name: value for name, value in vars(enumeration).items() if name.isupper()}


@pytest.mark.parametrize("name", ["CursorKind", "TypeKind", "LinkageKind", "StorageClass"])
def test_numbers_are_those_of_the_binding(name: str) -> None:
    binding = getattr(clang.cindex, name)
    ours = numbers(getattr(kinds, name))
    theirs = {
        ours_name: getattr(binding, SPELLED.get(ours_name, ours_name)).value
        for ours_name in ours
        if ours_name not in NEWER or hasattr(binding, ours_name)
    }
    assert theirs == {key: ours[key] for key in theirs}
    assert set(ours) - set(theirs) <= NEWER


def test_severity_is_that_of_the_binding() -> None:
    assert clang.cindex.Diagnostic.Error == kinds.Severity.ERROR


def test_expressions_are_those_of_the_binding() -> None:
    for kind in clang.cindex.CursorKind.get_all_kinds():
        if kind.name != "BUILTIN_BIT_CAST_EXPR":  # of C++, numbered among the statements
            assert kinds.is_expression(kind.value) == kind.is_expression(), kind
        if kind.value < 500:
            assert kinds.is_attribute(kind.value) == kind.is_attribute(), kind


def parsed(folder: Path, text: str) -> Parsed:
    (folder / "a.c").write_text(text, encoding="utf-8")
    arguments = ("-std=gnu11", "--target=aarch64-linux-gnu")
    return Parsed(library(), tree=folder, file="a.c", arguments=arguments, directory=folder)


def below(cursor: Cursor) -> list[Cursor]:
    """Depth first, so in the order of the text."""
    return [c for kid in library().children(cursor) for c in (kid, *below(kid))]


def operators(folder: Path, written: dict[str, str], kind: int, ask: Any) -> dict[str, int]:
    """The number of each operator, from an expression with it."""
    body = "".join(f"{text};\n" for text in written.values())
    unit = parsed(folder, f"void f(int x, int y, int *p) {{\n{body}}}\n")
    found = [ask(cursor) for cursor in below(unit.root) if cursor.kind == kind]
    unit.close()
    return dict(zip(written, found, strict=True))


def test_operators(tmp_path: Path) -> None:
    lib = library()
    binary = {name: f"x {op} y" for name, op in BINARY.items()}
    compound = {
        f"{name}_ASSIGN": f"x {BINARY[name]}= y"
        for name in ("MUL", "DIV", "REM", "ADD", "SUB", "SHL", "SHR", "AND", "XOR", "OR")
    }
    ask = lib.getCursorBinaryOperatorKind
    assert {
        **operators(tmp_path, binary, CursorKind.BINARY_OPERATOR, ask),
        **operators(tmp_path, compound, CursorKind.COMPOUND_ASSIGNMENT_OPERATOR, ask),
    } == numbers(BinaryOperator)
    ask = lib.getCursorUnaryOperatorKind
    found = operators(tmp_path, UNARY, CursorKind.UNARY_OPERATOR, ask)
    assert found == numbers(UnaryOperator)


def test_types_that_not_every_binding_has(tmp_path: Path) -> None:
    lib = library()
    unit = parsed(tmp_path, "_Float16 half; __bf16 brain;\n")
    types = [lib.getCursorType(cursor).kind for cursor in lib.children(unit.root)]
    unit.close()
    assert types[-2] == TypeKind.FLOAT16
    unexposed = clang.cindex.TypeKind.UNEXPOSED.value  # what older libraries answer
    assert types[-1] in (TypeKind.BFLOAT16, unexposed)


def test_kinds_are_written_as_names() -> None:
    bare = re.compile(r"(kind|Kind\(\w+\)|StorageClass\(.*\)) (==|!=|<=?|>=?|in) \(?\d\d?")
    for path in set(FRONTEND.glob("**/*.py")) - {FRONTEND / "kinds.py"}:
        for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
            assert not bare.search(line), f"{path.name}:{number}: {line.strip()}"
