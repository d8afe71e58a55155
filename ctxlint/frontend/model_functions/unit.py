# SPDX-License-Identifier: GPL-2.0-or-later
"""One model file: its declarations in order, bodies and variables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ctxlint.frontend.builder import finish
from ctxlint.frontend.model_functions.body import Body
from ctxlint.frontend.model_functions.declare import Declarations
from ctxlint.frontend.model_functions.init import Initialisers
from ctxlint.frontend.model_functions.scope import (
    Entity,
    Function,
    MacroName,
    Variable,
)
from ctxlint.frontend.model_functions.source import MACROS, Macro, Source, fail
from ctxlint.frontend.model_functions.types import World, same
from ctxlint.ir.ops import Assign, Expr, Global, Ret
from ctxlint.ir.types import TArray, TFunc, TVoid
from ctxlint.ir.unit import Function as IRFunction
from ctxlint.ir.unit import GlobalVar, Loc


class FileLowering(Declarations):
    """Lowers one file. ``functions`` and ``globals`` are what it defines,
    ``linked`` what it declares with a symbol, ``mentioned`` what it uses."""

    def __init__(
        self, world: World, file: str, sources: Mapping[str, Source], macros: list[Macro]
    ) -> None:
        super().__init__(world, file)
        self.sources = sources
        self.macros = {m.name: MacroName(m) for m in macros}
        self.functions: list[IRFunction] = []
        self.globals: list[GlobalVar] = []
        self.linked: dict[str, Function | Variable] = {}
        self.by_symbol: dict[str, Function] = {}
        self.mentioned: dict[str, Function] = {}
        self.function = ""  # the name of the one being lowered
        self.builder = Body(self)
        self._symbols: set[str] = set()
        self._literals = 0

    def run(self, ast: Any) -> None:
        items = list(ast.ext)
        values = items.pop()
        if getattr(getattr(values, "decl", None), "name", "") != MACROS:
            fail(self.file, 1, 0, "the file does not end where it should")
        nodes = values.body.block_items or []
        for (_, name), node in zip(self.macros.items(), nodes, strict=True):
            name.value = node
        self.top.names.update(self.macros)
        for item in items:
            self.place = item.coord or self.place
            self._external(item)
        for entity in self.linked.values():
            if isinstance(entity, Variable):
                self._tentative(entity)
            elif entity.symbol in self.mentioned and "static" in entity.attrs:
                self._must_exist(entity)

    def _must_exist(self, entity: Function) -> None:
        if not entity.defined:
            self.fail(entity.declaration, f"static {entity.name}() has no body")

    def name(self, name: str, entity: Entity, node: Any) -> None:
        if name in self.macros:
            self.fail(node, f"{name} is a macro")
        super().name(name, entity, node)

    def _external(self, item: Any) -> None:
        kind = type(item).__name__
        match kind:
            case "Typedef":
                self.typedef(item)
            case "FuncDef":
                self._body(item)
            case "StaticAssert":
                self.static_assert(item)
            case "Decl" if item.name is None:
                if item.storage or item.funcspec:
                    self.fail(item, "a declaration of nothing")
                self.resolve(item.type)
            case "Decl":
                self.declare(item, self.resolve(item.type))
            case "EmptyStatement":
                pass
            case _:
                self.fail(item, f"{kind} is nothing that model files can have here")

    def static_assert(self, node: Any) -> None:
        if not self.builder.constant(node.cond, "what is asserted"):
            text = node.message.value if node.message is not None else ""
            self.fail(node, f"the assertion does not hold {text}".rstrip())

    def plain(self, node: Any) -> None:
        """Refuse what a declaration of an object can carry in C and has no
        meaning here."""
        bad = [s for s in node.storage if s not in ("static", "extern")]
        bad += [s for s in node.funcspec if s not in ("inline", "_Noreturn")]
        if bad or node.align or node.bitsize is not None:
            what = bad[0] if bad else "an alignment"
            self.fail(node, f"{what} is not known here")

    # functions and variables with a symbol

    def declare(self, node: Any, number: int) -> None:
        """A function, a file-scope variable, or a static or extern local one."""
        self.plain(node)
        if isinstance(self.world.types[number], TFunc):
            self._declare_function(node, number)
            return
        if node.funcspec:
            self.fail(node, f"{node.funcspec[0]} on a variable")
        if self.scope is not self.top and "static" in node.storage:
            self._static_local(node, number)
        else:
            self._variable(node, number)

    def _known(self, node: Any, number: int) -> Function | Variable | None:
        """What was declared under this name before, with a like type."""
        entity = self.linked.get(node.name)
        if entity is not None and not same(entity.type, number, self.world):
            self.fail(node, f"{node.name} has another type than before")
        there = self.scope.names.get(node.name)
        if there is None:
            if entity is not None:
                self.scope.names[node.name] = entity
        elif there is not entity:
            self.fail(node, f"{node.name} is declared twice")
        return entity

    def _declare_function(self, node: Any, number: int) -> Function:
        if node.init is not None:
            self.fail(node, "a function with an initialiser")
        entity = self._known(node, number)
        static = "static" in node.storage
        if entity is None:
            symbol = f"{node.coord.file}::{node.name}" if static else node.name
            entity = Function(symbol, node.name, number, node.coord.file, node.coord.line, node)
            self.name(node.name, entity, node)
            self.linked[node.name] = self.by_symbol[symbol] = entity
        assert isinstance(entity, Function)
        if static and entity.symbol == node.name:
            self.fail(node, f"{node.name} was not static before")
        words = {"static": static, "inline": "inline" in node.funcspec,
                 "noreturn": "_Noreturn" in node.funcspec}  # fmt: skip
        entity.attrs |= {word for word, there in words.items() if there}
        return entity

    def is_noreturn(self, symbol: str) -> bool:
        return "noreturn" in self.by_symbol[symbol].attrs

    def _variable(self, node: Any, number: int) -> None:
        static, extern = "static" in node.storage, "extern" in node.storage
        entity = self._known(node, number)
        if entity is None:
            symbol = f"{node.coord.file}::{node.name}" if static else node.name
            entity = Variable(symbol, node.name, number, static)
            self.name(node.name, entity, node)
            self.linked[node.name] = entity
        assert isinstance(entity, Variable)
        if entity.static != static and not (extern and entity.static):
            self.fail(node, f"{node.name} is static in one place and not in another")
        if isinstance(self.world.types[entity.type], TArray):
            entity.type = self._longer(entity.type, number)
        if extern and node.init is None:
            return
        if self.scope is not self.top:
            self.fail(node, "extern with a value inside of a function")
        if not node.coord.file.endswith(".c"):
            self.fail(node, "a header declares variables, it has none")
        if node.init is None:
            entity.definition = entity.definition or node
            return
        if entity.done is not None:
            self.fail(node, f"{node.name} has a value already")
        entity.definition = node
        entity.done = self._value(entity, node)

    def _longer(self, a: int, b: int) -> int:
        first = self.world.types[a]
        return b if isinstance(first, TArray) and first.count < 0 else a

    def completed(self, number: int, count: int) -> int:
        """An array type with its length known."""
        shape = self.world.types[number]
        assert isinstance(shape, TArray)
        return self.world.intern(TArray(shape.of, count)) if shape.count < 0 else number

    def _static_local(self, node: Any, number: int) -> None:
        if not node.coord.file.endswith(".c"):
            self.fail(node, "a header has no static variables")
        base = f"{node.coord.file}::{self.function}.{node.name}"
        symbol, count = base, 1
        while symbol in self._symbols:
            count += 1
            symbol = f"{base}@{count}"
        self._symbols.add(symbol)
        entity = Variable(symbol, node.name, number, True, node)
        self.name(node.name, entity, node)
        self.globals.append(self._value(entity, node))

    def _value(self, entity: Variable, node: Any) -> GlobalVar:
        """The variable with its initialiser."""
        with self._building(Body(self)) as builder:
            value: Expr | None = None
            if node.init is not None:
                value = builder.initialiser(node.init, builder.table.local(entity.type))
                builder.check_static(value, node)
                entity.type = self._with_length(entity.type, builder, value)
            self.sized(node, entity.type, entity.name)
            self._mention(builder.entry.refs)
            type_ = builder.table.local(entity.type)
            attrs = ("static",) if entity.static else ()
            coord = node.coord
            return GlobalVar(
                entity.symbol, entity.name, coord.file, coord.line, attrs, type_, value,
                tuple(builder.types),
            )  # fmt: skip

    def _with_length(self, number: int, builder: Body, value: Expr) -> int:
        done = builder.types[builder.type_of(value)]
        if isinstance(done, TArray) and isinstance(self.world.types[number], TArray):
            return self.completed(number, done.count)
        return number

    def _tentative(self, entity: Variable) -> None:
        if entity.definition is not None and entity.done is None:
            entity.done = self._value(entity, entity.definition)
        if entity.done is not None:
            self.globals.append(entity.done)

    def compound_literal(self, builder: Initialisers, node: Any) -> Expr:
        """``(type){…}``: a temporary, or a variable when it is a static value."""
        number = self.resolve(node.type)
        node.coord = (
            node.coord or _located(node.init) or self.place
        )  # some pycparsers give none
        if builder.in_function:
            value = builder.initialiser(node.init, builder.table.local(number))
            holder = builder.temp(builder.type_of(value))
            builder.emit(Assign(holder, value, builder.loc(node)))
            return holder
        self._literals += 1
        name = f"@literal:{self._literals}"
        entity = Variable(f"{node.coord.file}::{name}", name, number, True, node)
        self.globals.append(self._value(entity, node))
        return Global(entity.symbol, builder.table.local(entity.type))

    @contextmanager
    def _building(self, builder: Body) -> Iterator[Body]:
        outer, self.builder = self.builder, builder
        try:
            yield builder
        finally:
            self.builder = outer

    def _mention(self, refs: list[Any]) -> None:
        for entity in refs:
            self.mentioned.setdefault(entity.symbol, entity)

    # bodies

    def _body(self, node: Any) -> None:
        decl = node.decl
        if node.param_decls:
            self.fail(node, "parameters are declared in the parameter list")
        self.place = decl.coord
        self.plain(decl)
        number = self.resolve(decl.type)
        shape = self.world.types[number]
        if type(decl.type).__name__ != "FuncDecl" or not isinstance(shape, TFunc):
            self.fail(decl, "a body needs a parameter list")
        entity = self._declare_function(decl, number)
        if entity.defined:
            self.fail(decl, f"{decl.name}() has a body already")
        coord = decl.coord
        if not coord.file.endswith(".c") and "static" not in entity.attrs:
            self.fail(decl, "functions of a header are static inline")
        entity.defined = True
        entity.declaration = decl
        entity.file, entity.line = coord.file, coord.line
        self.function = decl.name
        with self._building(Body(self)) as builder:
            self.functions.append(self._lowered(node, builder, entity, shape))
        self.function = ""

    def _lowered(self, node: Any, builder: Body, entity: Function, shape: TFunc) -> IRFunction:
        decl, coord = node.decl, node.decl.coord
        builder.in_function = True
        builder.ret = builder.table.local(shape.ret)
        self.enter()
        for item, number in zip(decl.type.args.params, shape.params, strict=False):
            if not getattr(item, "name", None):
                self.fail(item, "a parameter without a name")
            self.plain(item)
            builder.parameter(item.name, number, item)
        builder.body(node.body)
        self.leave()
        end_line, end_col = self._end(coord)
        builder.end(("ret", None, builder.loc_id(Loc(coord.file, end_line, end_col))))
        blocks, refs = finish(builder.entry, [])
        self._mention(refs)
        if not isinstance(builder.types[builder.ret], TVoid):
            self.sized(decl, shape.ret, "the value of the function")
            for block in blocks:
                if isinstance(block.term, Ret) and block.term.value is None:
                    fail(coord.file, end_line, end_col,
                         f"{decl.name}() may end without a value")  # fmt: skip
        return IRFunction(
            entity.symbol, decl.name, coord.file, coord.line, coord.column,
            end_line, tuple(sorted(entity.attrs)), builder.ret, len(shape.params),
            shape.variadic, tuple(builder.vars), tuple(builder.types), tuple(builder.locs),
            blocks,
        )  # fmt: skip

    def _end(self, coord: Any) -> tuple[int, int]:
        """Line and column of the brace that closes a body."""
        lines = self.sources[coord.file].plain.split("\n")
        depth, start = 0, coord.column - 1
        for number in range(coord.line - 1, len(lines)):
            for at, char in enumerate(lines[number][start:], start):
                depth += (char == "{") - (char == "}")
                if char == "}" and depth == 0:
                    return number + 1, at + 1
            start = 0
        return coord.line, coord.column


def _located(node: Any) -> Any:
    """The place of the first node inside that has one."""
    for _, child in node.children():
        found = child.coord or _located(child)
        if found is not None:
            return found
    return None
