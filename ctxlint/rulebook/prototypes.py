# SPDX-License-Identifier: GPL-2.0-or-later
"""C prototypes of rules: names and parameters.

A rule file is read as a whole, but few of its functions are called by a given
unit: the name is found by a pattern at load time, the parameters are parsed
when the rule is used.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from ctxlint.base.errors import RuleError

Param = tuple[str, str]
"""Name and type as spelled, typedefs kept: ``("flags", "gfp_t")``."""

_NAME = re.compile(r"([A-Za-z_]\w*)\s*\(")

_KEYWORDS = frozenset(
    re.findall(
        r"\w+",
        "void char short int long float double signed unsigned _Bool struct union enum "
        "const volatile static inline extern restrict",
    )
)

# A word is a type when a name, a `*` or a declarator in parentheses follows it.
_TYPE_WORD = re.compile(
    r"(?<!struct )(?<!union )(?<!enum )\b([A-Za-z_]\w*)"
    r"(?=\s+(?:const\s+|volatile\s+)*[A-Za-z_]|\s*\*|\s+\(\s*\*)"
)


@dataclass(frozen=True)
class Prototype:
    """A function's name and parameters; ``variadic``: more may follow them."""

    name: str
    params: tuple[Param, ...]
    variadic: bool


def name_of(text: str) -> str:
    """The function's name, from the text alone; :class:`RuleError` without one."""
    match = _NAME.search(text)
    if match is None:
        raise _bad(text)
    return match[1]


def mentions(text: str, param: str) -> bool:
    """Whether the parameter list in ``text`` has the word ``param``."""
    return re.search(rf"\(.*\b{re.escape(param)}\b", text) is not None


def type_names(text: str) -> list[str]:
    """The words in the places of types that are no keywords: typedefs, sorted."""
    return sorted(set(_TYPE_WORD.findall(text)) - _KEYWORDS)


@cache
def parse(text: str) -> Prototype:
    """Parse a prototype whose parameters all have names.

    Type names need no declaration: a word in the place of a type is one.
    """
    from pycparser import c_ast, c_generator, c_parser  # 30 ms, see conditions.py

    types = type_names(text)
    prelude = "".join(f"typedef int {name};" for name in types)
    try:
        declaration = c_parser.CParser().parse(f"{prelude}{text.rstrip().rstrip(';')};").ext[-1]
    except c_parser.ParseError as error:
        raise _bad(text) from error
    function = getattr(declaration, "type", None)
    if not isinstance(function, c_ast.FuncDecl) or declaration.name != name_of(text):
        raise _bad(text)
    params: list[Param] = []
    variadic = False
    generator = c_generator.CGenerator()
    for item in function.args.params if function.args else ():
        if isinstance(item, c_ast.EllipsisParam):
            variadic = True
            continue
        spelled = generator.visit(item)
        if spelled == "void" and len(function.args.params) == 1:
            break
        if not isinstance(item, c_ast.Decl) or item.name is None:
            raise _bad(text)
        name = item.name
        params.append((name, re.sub(rf"\b{name}\b", "", spelled, count=1).strip()))
    return Prototype(declaration.name, tuple(params), variadic)


def bind(rule: Sequence[Param], actual: Sequence[Param]) -> dict[str, int]:
    """Which argument of the tree's function plays each parameter of the rule.

    By type, when both have one ``gfp_t`` (its place varies with the
    configuration); else by name, else by position. A parameter that the tree's
    function lacks is not in the result.
    """
    result: dict[str, int] = {}
    gfp = [index for index, (_, type_) in enumerate(actual) if type_ == "gfp_t"]
    names = {name: index for index, (name, _) in enumerate(actual) if name}
    for position, (name, type_) in enumerate(rule):
        if type_ == "gfp_t" and len(gfp) == 1:
            result[name] = gfp[0]
        elif name in names:
            result[name] = names[name]
        elif position < len(actual):
            result[name] = position
    return result


def _bad(text: str) -> RuleError:
    return RuleError(
        f"`{text}` is not a prototype",
        hint='write "int f(struct device *dev, gfp_t flags)", with a name for each parameter',
    )
