# SPDX-License-Identifier: GPL-2.0-or-later
"""Model functions: ISO C files that say what kernel functions do, to IR.

pycparser reads them. They are lowered to the same IR as the kernel's own
functions, with C's promotions and conversions made explicit, and run beside
them. Nothing is included: every header (``*.h``) of the set stands before
every C file.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping

import msgspec
import pycparser

from ctxlint.base.errors import RuleError
from ctxlint.frontend.model_functions import expressions  # noqa: F401 - fills the table
from ctxlint.frontend.model_functions.scope import Function as FunctionName
from ctxlint.frontend.model_functions.scope import Variable
from ctxlint.frontend.model_functions.source import all_macros, parse, prepare
from ctxlint.frontend.model_functions.state import FileUnit
from ctxlint.frontend.model_functions.types import World, same
from ctxlint.frontend.model_functions.unit import lower_file
from ctxlint.ir.printer import type_text
from ctxlint.ir.types import RecordDef, TFunc
from ctxlint.ir.unit import Decl, EnumDef, Function, GlobalVar

DIRECTORY = "rules/models"
PARSER = f"pycparser {pycparser.__version__}"
_DEPTH = 20_000


class Models(msgspec.Struct, frozen=True):
    """What a set of model files defines.

    ``decls`` are the functions that are used and have no body here: the
    primitives of the model, and functions of the kernel. ``records`` are the
    layouts of the set's own; everything is sorted by symbol, key or tag.
    """

    functions: tuple[Function, ...]
    globals: tuple[GlobalVar, ...]
    records: tuple[RecordDef, ...]
    decls: tuple[Decl, ...]
    enums: tuple[EnumDef, ...]


def lower_models(
    texts: Mapping[str, str],
    *,
    long_bits: int = 64,
    defines: Mapping[str, str] | None = None,
    records: Mapping[str, RecordDef] | None = None,
) -> Models:
    """Lower model files.

    ``texts`` are sources by relative file name; symbols and places have
    ``rules/models/`` before it. ``long_bits`` is the width of ``long`` and of
    pointers: 64, or 32 for arm. ``defines`` are macros as by ``-D``: a name and
    its value, which may be empty (``{"MODEL_RT": ""}``). ``records`` are
    layouts of the kernel by their key: a model that only declares such a record
    can use its members.

    Raises :class:`~ctxlint.base.errors.RuleError`, ``file:line:column: what``.
    """
    if long_bits not in (32, 64):
        raise ValueError("long has 32 or 64 bits")
    sys.setrecursionlimit(max(sys.getrecursionlimit(), _DEPTH))
    given = dict(defines or {})
    linked = _Linked(World(long_bits, records or {}))
    header_names = sorted(name for name in texts if name.endswith(".h"))
    for name in sorted(set(texts) - set(header_names)):
        if not name.endswith(".c"):
            raise RuleError(f"{DIRECTORY}/{name}: neither a .c nor a .h file")
        known = dict(given)
        sources = []
        for part in (*header_names, name):
            source = prepare(f"{DIRECTORY}/{part}", texts[part], known)
            known.update((macro.name, "") for macro in source.macros)
            sources.append(source)
        *headers, main = sources
        macros = all_macros(main, headers, given)
        ast = parse(main, headers, given)
        linked.world.layouts = {}
        by_file = {source.file: source for source in sources}
        linked.add(lower_file(linked.world, main.file, by_file, macros, ast))
    return linked.models()


class _Linked:
    """What the files define together, as a linker would see it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.names: dict[str, FunctionName | Variable] = {}
        self.functions: dict[str, Function] = {}
        self.globals: dict[str, GlobalVar] = {}
        self.records: dict[str, RecordDef] = {}
        self.enums: dict[str, EnumDef] = {}
        self.mentioned: dict[str, FunctionName] = {}

    def add(self, unit: FileUnit) -> None:
        for entity in unit.linked.values():
            self._declared(entity, unit)
        for function in unit.functions:
            before = self.functions.setdefault(function.symbol, function)
            if before != function:
                _twice(function, before)
        for variable in unit.globals:
            first = self.globals.setdefault(variable.symbol, variable)
            if first is not variable:
                _twice(variable, first)
        for layout in unit.world.layouts.values():
            if layout.key not in self.world.kernel:
                record = self.world.record_def(layout)
                if self.records.setdefault(record.key, record) != record:
                    _twice(record, self.records[record.key])
        for tag, enum in unit.enums.items():
            if self.enums.setdefault(tag, enum) != enum:
                _twice(enum, self.enums[tag])
        for symbol, entity in unit.mentioned.items():
            self.mentioned.setdefault(symbol, entity)

    def _declared(self, entity: FunctionName | Variable, unit: FileUnit) -> None:
        """The same symbol must have the same type everywhere."""
        before = self.names.setdefault(entity.symbol, entity)
        alike = type(before) is type(entity) and same(before.type, entity.type, self.world)
        if not alike:
            raise RuleError(
                f"{unit.file}: {entity.name} is declared with another type in another file",
                hint=f"declare {entity.name} once, in a header of {DIRECTORY}",
            )

    def models(self) -> Models:
        undefined = sorted(set(self.mentioned) - set(self.functions))
        return Models(
            tuple(self.functions[s] for s in sorted(self.functions)),
            tuple(self.globals[s] for s in sorted(self.globals)),
            tuple(self.records[k] for k in sorted(self.records)),
            tuple(_decl(self.mentioned[s], self.world) for s in undefined),
            tuple(self.enums[t] for t in sorted(self.enums)),
        )


def _twice(
    item: Function | GlobalVar | RecordDef | EnumDef,
    first: Function | GlobalVar | RecordDef | EnumDef,
) -> None:
    name = getattr(item, "name", None) or getattr(item, "key", None) or getattr(item, "tag", "")
    raise RuleError(
        f"{item.file}:{item.line}: {name} is defined in {first.file}:{first.line} too",
        hint="model files share one space of names; make one of them static, or rename it",
    )


def _decl(entity: FunctionName, world: World) -> Decl:
    """The prototype of a function without a body, as it is spelled."""
    from pycparser import c_generator

    generator = c_generator.CGenerator()

    def spelled(node: object, name: str | None) -> str:
        text = generator.visit(node)
        return re.sub(rf"\b{re.escape(name)}\b", "", text, count=1).strip() if name else text

    attrs = tuple(sorted(entity.attrs))
    function = entity.declaration.type
    if not hasattr(function, "args"):  # declared by a typedef of its type
        shape = world.types[entity.type]
        assert isinstance(shape, TFunc)
        types = [type_text(t, world.types) for t in (shape.ret, *shape.params)]
        return Decl(
            entity.symbol, entity.name, entity.file, entity.line, attrs, types[0],
            tuple(("", text) for text in types[1:]), shape.variadic,
        )  # fmt: skip
    params = []
    variadic = False
    for item in function.args.params:
        if type(item).__name__ == "EllipsisParam":
            variadic = True
            continue
        text = spelled(item, item.name)
        if text != "void":
            params.append((item.name or "", text))
    ret = spelled(function.type, entity.name)
    return Decl(
        entity.symbol,
        entity.name,
        entity.file,
        entity.line,
        attrs,
        ret,
        tuple(params),
        variadic,
    )


__all__ = ["DIRECTORY", "PARSER", "Models", "lower_models"]
