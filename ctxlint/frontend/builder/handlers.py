# SPDX-License-Identifier: GPL-2.0-or-later
"""Which function lowers which kind of node.

Modules enter their functions here and look up those of others, so expressions, statements
and initialisers can contain each other while their modules do not import each other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from ctxlint.ir.ops import Expr

Kind = TypeVar("Kind")
Value = TypeVar("Value", bound=Callable[..., Expr])
Statement = TypeVar("Statement", bound=Callable[[Any, Any], None])


class Handlers(Generic[Kind]):
    """Functions of a state and a node, by the kind of the node. ``effects`` are those of
    ``values`` that take ``wanted``, which is False where nobody wants the value."""

    def __init__(self) -> None:
        self.values: dict[Kind, Callable[..., Expr]] = {}
        self.effects: dict[Kind, Callable[..., Expr]] = {}
        self.statements: dict[Kind, Callable[[Any, Any], None]] = {}

    def expression(self, *kinds: Kind, effect: bool = False) -> Callable[[Value], Value]:
        """Enter a function that gives a pure expression and emits what its side effects
        need; with ``effect``, one that takes ``wanted``."""

        def enter(function: Value) -> Value:
            self.values.update(dict.fromkeys(kinds, function))
            if effect:
                self.effects.update(dict.fromkeys(kinds, function))
            return function

        return enter

    def statement(self, kind: Kind) -> Callable[[Statement], Statement]:
        """Enter a function that lowers a statement."""

        def enter(function: Statement) -> Statement:
            self.statements[kind] = function
            return function

        return enter
