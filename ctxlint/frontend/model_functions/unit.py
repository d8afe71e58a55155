# SPDX-License-Identifier: GPL-2.0-or-later
"""One model file: its declarations in order, bodies and variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ctxlint.frontend.builder import finish
from ctxlint.frontend.model_functions.scope import Function, MacroName, Variable
from ctxlint.frontend.model_functions.source import MACROS, Macro, Source, fail
from ctxlint.frontend.model_functions.state import FileUnit, State
from ctxlint.frontend.model_functions.statements import body, parameter
from ctxlint.frontend.model_functions.symbols import declare, declare_function, tentative
from ctxlint.frontend.model_functions.types import World
from ctxlint.ir.ops import Ret
from ctxlint.ir.types import TFunc, TVoid
from ctxlint.ir.unit import Function as IRFunction
from ctxlint.ir.unit import Loc


def lower_file(
    world: World, file: str, sources: Mapping[str, Source], macros: list[Macro], ast: Any
) -> FileUnit:
    """Lower one file, whose tree ends with the values of its macros."""
    names = {macro.name: MacroName(macro) for macro in macros}
    unit = FileUnit(world, file, names)
    items = list(ast.ext)
    values = items.pop()
    if getattr(getattr(values, "decl", None), "name", "") != MACROS:
        fail(unit.file, 1, 0, "the file does not end where it should")
    nodes = values.body.block_items or []
    for name, node in zip(names.values(), nodes, strict=True):
        name.value = node
    unit.top.names.update(names)
    for item in items:
        unit.place = item.coord or unit.place
        _external(unit, item, sources)
    for entity in unit.linked.values():
        if isinstance(entity, Variable):
            tentative(unit, entity)
        elif (
            not entity.defined and "static" in entity.attrs and entity.symbol in unit.mentioned
        ):
            unit.fail(entity.declaration, f"static {entity.name}() has no body")
    return unit


def _external(unit: FileUnit, item: Any, sources: Mapping[str, Source]) -> None:
    kind = type(item).__name__
    match kind:
        case "Typedef":
            unit.typedef(item)
        case "FuncDef":
            _function(unit, item, sources)
        case "StaticAssert":
            unit.static_assert(item)
        case "Decl" if item.name is None:
            if item.storage or item.funcspec:
                unit.fail(item, "a declaration of nothing")
            unit.resolve(item.type)
        case "Decl":
            declare(unit, item, unit.resolve(item.type))
        case "EmptyStatement":
            pass
        case _:
            unit.fail(item, f"{kind} is nothing that model files can have here")


def _function(unit: FileUnit, node: Any, sources: Mapping[str, Source]) -> None:
    decl = node.decl
    if node.param_decls:
        unit.fail(node, "parameters are declared in the parameter list")
    unit.place = decl.coord
    unit.plain(decl)
    number = unit.resolve(decl.type)
    shape = unit.world.types[number]
    if type(decl.type).__name__ != "FuncDecl" or not isinstance(shape, TFunc):
        unit.fail(decl, "a body needs a parameter list")
    entity = declare_function(unit, decl, number)
    if entity.defined:
        unit.fail(decl, f"{decl.name}() has a body already")
    coord = decl.coord
    if not coord.file.endswith(".c") and "static" not in entity.attrs:
        unit.fail(decl, "functions of a header are static inline")
    entity.defined = True
    entity.declaration = decl
    entity.file, entity.line = coord.file, coord.line
    unit.function = decl.name
    end = _end(sources[coord.file], coord)
    with unit.building() as s:
        unit.functions.append(_lowered(s, node, entity, shape, end))
    unit.function = ""


def _lowered(
    s: State, node: Any, entity: Function, shape: TFunc, end: tuple[int, int]
) -> IRFunction:
    unit, build = s.unit, s.build
    decl, coord = node.decl, node.decl.coord
    s.in_function = True
    s.ret = build.table.local(shape.ret)
    unit.enter()
    for item, number in zip(decl.type.args.params, shape.params, strict=False):
        if not getattr(item, "name", None):
            unit.fail(item, "a parameter without a name")
        unit.plain(item)
        parameter(s, item.name, number, item)
    body(s, node.body)
    unit.leave()
    build.end(("ret", None, build.loc_id(Loc(coord.file, *end))))
    blocks, refs = finish(build.entry, [])
    unit.mention(refs)
    if not isinstance(build.types[s.ret], TVoid):
        unit.sized(decl, shape.ret, "the value of the function")
        for block in blocks:
            if isinstance(block.term, Ret) and block.term.value is None:
                fail(coord.file, *end, f"{decl.name}() may end without a value")
    return IRFunction(
        entity.symbol, decl.name, coord.file, coord.line, coord.column,
        end[0], tuple(sorted(entity.attrs)), s.ret, len(shape.params),
        shape.variadic, tuple(build.vars), tuple(build.types), tuple(build.locs),
        blocks,
    )  # fmt: skip


def _end(source: Source, coord: Any) -> tuple[int, int]:
    """Line and column of the brace that closes a body."""
    lines = source.plain.split("\n")
    depth, start = 0, coord.column - 1
    for number in range(coord.line - 1, len(lines)):
        for at, char in enumerate(lines[number][start:], start):
            depth += (char == "{") - (char == "}")
            if char == "}" and depth == 0:
                return number + 1, at + 1
        start = 0
    return coord.line, coord.column
