# SPDX-License-Identifier: GPL-2.0-or-later
"""What a name stands for in a model file, and where."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ctxlint.frontend.model_functions.source import Macro
from ctxlint.ir.unit import GlobalVar


@dataclass
class TypedefName:
    type: int  # number in the world, like the types below


@dataclass
class Enumerator:
    value: int


@dataclass
class Local:
    """A parameter or variable of the function that ``owner`` builds."""

    type: int
    slot: int
    owner: Any


@dataclass
class Variable:
    """A variable with a symbol. ``definition`` is the declaration that says its
    value, or a tentative one; None for one that is elsewhere."""

    symbol: str
    name: str
    type: int
    static: bool
    definition: Any = None
    done: GlobalVar | None = None


@dataclass
class Function:
    symbol: str
    name: str
    type: int
    file: str
    line: int
    declaration: Any  # the Decl that names the parameters best
    attrs: set[str] = field(default_factory=set)
    defined: bool = False


@dataclass
class MacroName:
    macro: Macro
    value: Any = None  # the expression's node
    busy: bool = False  # being lowered: a use inside its own value


Entity = TypedefName | Enumerator | Local | Variable | Function | MacroName


class Scope:
    """A block; ``outer`` is None for that of the file."""

    def __init__(self, outer: Scope | None = None) -> None:
        self.outer = outer
        self.names: dict[str, Entity] = {}
        self.tags: dict[str, tuple[str, str]] = {}  # tag: (struct|union|enum, key)

    def find(self, name: str) -> Entity | None:
        scope: Scope | None = self
        while scope is not None:
            found = scope.names.get(name)
            if found is not None:
                return found
            scope = scope.outer
        return None

    def tag(self, name: str) -> tuple[str, str] | None:
        scope: Scope | None = self
        while scope is not None:
            found = scope.tags.get(name)
            if found is not None:
                return found
            scope = scope.outer
        return None
