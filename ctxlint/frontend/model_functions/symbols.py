# SPDX-License-Identifier: GPL-2.0-or-later
"""Functions and variables with a symbol, and the values of these variables."""

from __future__ import annotations

from typing import Any

from ctxlint.frontend.model_functions.initialisers import check_static, initialiser
from ctxlint.frontend.model_functions.scope import Function, Variable
from ctxlint.frontend.model_functions.state import FileUnit, State, expression
from ctxlint.frontend.model_functions.types import same
from ctxlint.ir.ops import Assign, Expr, Global
from ctxlint.ir.types import TArray, TFunc
from ctxlint.ir.unit import GlobalVar


def declare(unit: FileUnit, node: Any, number: int) -> None:
    """A function, a file-scope variable, or a static or extern local one."""
    unit.plain(node)
    if isinstance(unit.world.types[number], TFunc):
        declare_function(unit, node, number)
        return
    if node.funcspec:
        unit.fail(node, f"{node.funcspec[0]} on a variable")
    if unit.scope is not unit.top and "static" in node.storage:
        _static_local(unit, node, number)
    else:
        _variable(unit, node, number)


def _known(unit: FileUnit, node: Any, number: int) -> Function | Variable | None:
    """What was declared under this name before, with a like type."""
    entity = unit.linked.get(node.name)
    if entity is not None and not same(entity.type, number, unit.world):
        unit.fail(node, f"{node.name} has another type than before")
    there = unit.scope.names.get(node.name)
    if there is None:
        if entity is not None:
            unit.scope.names[node.name] = entity
    elif there is not entity:
        unit.fail(node, f"{node.name} is declared twice")
    return entity


def declare_function(unit: FileUnit, node: Any, number: int) -> Function:
    if node.init is not None:
        unit.fail(node, "a function with an initialiser")
    entity = _known(unit, node, number)
    static = "static" in node.storage
    if entity is None:
        symbol = f"{node.coord.file}::{node.name}" if static else node.name
        entity = Function(symbol, node.name, number, node.coord.file, node.coord.line, node)
        unit.name(node.name, entity, node)
        unit.linked[node.name] = unit.by_symbol[symbol] = entity
    assert isinstance(entity, Function)
    if static and entity.symbol == node.name:
        unit.fail(node, f"{node.name} was not static before")
    words = {"static": static, "inline": "inline" in node.funcspec,
             "noreturn": "_Noreturn" in node.funcspec}  # fmt: skip
    entity.attrs |= {word for word, there in words.items() if there}
    return entity


def _variable(unit: FileUnit, node: Any, number: int) -> None:
    static, extern = "static" in node.storage, "extern" in node.storage
    entity = _known(unit, node, number)
    if entity is None:
        symbol = f"{node.coord.file}::{node.name}" if static else node.name
        entity = Variable(symbol, node.name, number, static)
        unit.name(node.name, entity, node)
        unit.linked[node.name] = entity
    assert isinstance(entity, Variable)
    if entity.static != static and not (extern and entity.static):
        unit.fail(node, f"{node.name} is static in one place and not in another")
    if isinstance(unit.world.types[entity.type], TArray):
        entity.type = _longer(unit, entity.type, number)
    if extern and node.init is None:
        return
    if unit.scope is not unit.top:
        unit.fail(node, "extern with a value inside of a function")
    if not node.coord.file.endswith(".c"):
        unit.fail(node, "a header declares variables, it has none")
    if node.init is None:
        entity.definition = entity.definition or node
        return
    if entity.done is not None:
        unit.fail(node, f"{node.name} has a value already")
    entity.definition = node
    entity.done = _value(unit, entity, node)


def _longer(unit: FileUnit, a: int, b: int) -> int:
    first = unit.world.types[a]
    return b if isinstance(first, TArray) and first.count < 0 else a


def _static_local(unit: FileUnit, node: Any, number: int) -> None:
    if not node.coord.file.endswith(".c"):
        unit.fail(node, "a header has no static variables")
    base = f"{node.coord.file}::{unit.function}.{node.name}"
    symbol, count = base, 1
    while symbol in unit.symbols:
        count += 1
        symbol = f"{base}@{count}"
    unit.symbols.add(symbol)
    entity = Variable(symbol, node.name, number, True, node)
    unit.name(node.name, entity, node)
    unit.globals.append(_value(unit, entity, node))


def _value(unit: FileUnit, entity: Variable, node: Any) -> GlobalVar:
    """The variable with its initialiser."""
    with unit.building() as s:
        value: Expr | None = None
        if node.init is not None:
            value = initialiser(s, node.init, s.build.table.local(entity.type))
            check_static(s, value, node)
            done, shape = s.build.shape(value), unit.world.types[entity.type]
            if isinstance(done, TArray) and isinstance(shape, TArray):
                entity.type = unit.completed(entity.type, done.count)
        unit.sized(node, entity.type, entity.name)
        unit.mention(s.build.entry.refs)
        type_ = s.build.table.local(entity.type)
        attrs = ("static",) if entity.static else ()
        coord = node.coord
        return GlobalVar(
            entity.symbol, entity.name, coord.file, coord.line, attrs, type_, value,
            tuple(s.build.types),
        )  # fmt: skip


def tentative(unit: FileUnit, entity: Variable) -> None:
    """A variable at the end of the file, which has none or another value by then."""
    if entity.definition is not None and entity.done is None:
        entity.done = _value(unit, entity, entity.definition)
    if entity.done is not None:
        unit.globals.append(entity.done)


@expression("CompoundLiteral")
def _compound_literal(s: State, node: Any) -> Expr:
    """``(type){…}``: a temporary, or a variable when it is a static value."""
    unit, build = s.unit, s.build
    number = unit.resolve(node.type)
    node.coord = node.coord or _located(node.init) or unit.place  # some pycparsers give none
    if s.in_function:
        value = initialiser(s, node.init, build.table.local(number))
        holder = build.temp(build.type_of(value))
        build.emit(Assign(holder, value, s.loc(node)))
        return holder
    unit.literals += 1
    name = f"@literal:{unit.literals}"
    entity = Variable(f"{node.coord.file}::{name}", name, number, True, node)
    unit.globals.append(_value(unit, entity, node))
    return Global(entity.symbol, build.table.local(entity.type))


def _located(node: Any) -> Any:
    """The place of the first node inside that has one."""
    for _, child in node.children():
        found = child.coord or _located(child)
        if found is not None:
            return found
    return None
