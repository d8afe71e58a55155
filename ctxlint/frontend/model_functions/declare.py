# SPDX-License-Identifier: GPL-2.0-or-later
"""Declarations of one model file: scopes, types, tags."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from ctxlint.base.errors import RuleError
from ctxlint.frontend.model_functions.scope import (
    Entity,
    Enumerator,
    MacroName,
    Scope,
    TypedefName,
)
from ctxlint.frontend.model_functions.source import error_at
from ctxlint.frontend.model_functions.types import Layout, LayoutError, World
from ctxlint.ir.types import TArray, TFunc, TInt, TPtr, TRecord, TVoid
from ctxlint.ir.unit import EnumDef

_MOST = 1 << 24  # elements of one array


class Declarations:
    """The names and types of a file while it is read from top to bottom.

    ``constant`` gives the value of a constant expression, or fails with what that is.
    """

    def __init__(
        self,
        world: World,
        file: str,
        macros: Mapping[str, MacroName],
        constant: Callable[[Any, str], int],
    ) -> None:
        self.world = world
        self.file = file
        self.macros = macros
        self.constant = constant
        self.top = self.scope = Scope()
        self.place: Any = None  # of the declaration being lowered
        self.enums: dict[str, EnumDef] = {}
        self._numbers: dict[int, int] = {}  # of record and enum definitions, by node
        self._names_of_nameless: dict[int, str] = {}  # typedefs, by node

    def error(self, node: Any, text: str, hint: str = "") -> RuleError:
        """What is wrong with the source at a node."""
        coord = getattr(node, "coord", None) or self.place
        if coord is None:
            return error_at(self.file, 1, 0, text, hint)
        return error_at(coord.file, coord.line, coord.column or 0, text, hint)

    def fail(self, node: Any, text: str, hint: str = "") -> NoReturn:
        raise self.error(node, text, hint)

    # scopes

    def enter(self) -> None:
        self.scope = Scope(self.scope)

    def leave(self) -> None:
        assert self.scope.outer is not None
        self.scope = self.scope.outer

    def name(self, name: str, entity: Entity, node: Any) -> None:
        """Declare ``name`` in this scope, which must not have it."""
        if name in self.macros:
            self.fail(node, f"{name} is a macro")
        if name in self.scope.names:
            self.fail(node, f"{name} is declared twice")
        self.scope.names[name] = entity

    def typedef(self, node: Any) -> None:
        inner = getattr(node.type, "type", None)
        tagged = type(inner).__name__ in ("Struct", "Union", "Enum")
        if inner is not None and tagged and not inner.name:
            self._names_of_nameless[id(inner)] = node.name
        number = self.resolve(node.type)
        known = self.scope.names.get(node.name)
        renamed = self.world.renamed(number, node.name)
        if isinstance(known, TypedefName) and known.type == renamed:
            return
        self.name(node.name, TypedefName(renamed), node)

    def static_assert(self, node: Any) -> None:
        if not self.constant(node.cond, "what is asserted"):
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

    # types

    def resolve(self, node: Any) -> int:
        """The number of the type that a declarator spells."""
        kind = type(node).__name__
        if getattr(node, "attributes", None) or getattr(node, "align", None):
            self.fail(node, "attributes and alignments are not known here")
        match kind:
            case "TypeDecl" | "Typename" | "Decl":
                return self.resolve(node.type)
            case "IdentifierType":
                return self._named(node)
            case "PtrDecl":
                return self.world.intern(TPtr(self.resolve(node.type)))
            case "ArrayDecl":
                return self._array(node)
            case "FuncDecl":
                return self._function(node)
            case "Struct" | "Union":
                return self._record(node)
            case "Enum":
                return self._enum(node)
        raise self.error(node, f"{kind} is not a type that model files can have")

    def _named(self, node: Any) -> int:
        words = tuple(node.names)
        if len(words) == 1:
            found = self.scope.find(words[0])
            if isinstance(found, TypedefName):
                return found.type
        number = self.world.basic.get(tuple(sorted(words)))
        if number is None:
            if {"float", "double", "_Complex"} & set(words):
                self.fail(node, "the kernel has no floating point, and no model has")
            self.fail(node, f"`{' '.join(words)}` is not a known type")
        return number

    def sized(self, node: Any, number: int, what: str) -> int:
        """``number``, which must be a complete object type."""
        try:
            self.world.size(number, self.world.types)
        except LayoutError as error:
            self.fail(node, f"{what}: {error}")
        return number

    def completed(self, number: int, count: int) -> int:
        """An array type with its length known."""
        shape = self.world.types[number]
        assert isinstance(shape, TArray)
        return self.world.intern(TArray(shape.of, count)) if shape.count < 0 else number

    def _array(self, node: Any) -> int:
        of = self.sized(node, self.resolve(node.type), "array element")
        if node.dim_quals:
            self.fail(node, "qualifiers of an array length are not known here")
        if node.dim is None:
            return self.world.intern(TArray(of, -1))
        count = self.constant(node.dim, "the length of an array")
        if not 0 < count <= _MOST:
            self.fail(node, f"an array of {count} elements")
        return self.world.intern(TArray(of, count))

    def _function(self, node: Any) -> int:
        ret = self.resolve(node.type)
        if isinstance(self.world.types[ret], TArray | TFunc):
            self.fail(node, "a function cannot give back an array or function")
        if node.args is None:
            self.fail(node, "a parameter list is missing", "write (void) for none")
        params: list[int] = []
        variadic = False
        self.enter()  # tags of a parameter list
        for item in node.args.params:
            if type(item).__name__ == "EllipsisParam":
                variadic = True
                continue
            if type(item).__name__ == "ID":
                self.fail(item, f"parameter {item.name} has no type")
            number = self.parameter(item)
            if isinstance(self.world.types[number], TVoid):
                if len(node.args.params) != 1 or getattr(item, "name", None):
                    self.fail(item, "a parameter of type void")
                break
            params.append(number)
        if self.scope.tags:
            tag, (word, _) = next(iter(self.scope.tags.items()))
            self.fail(node, f"{word} {tag} is first named in a parameter list",
                      f"declare `{word} {tag};` before")  # fmt: skip
        self.leave()
        return self.world.intern(TFunc(ret, tuple(params), variadic))

    def parameter(self, node: Any) -> int:
        """The type of a parameter: arrays and functions are pointers."""
        number = self.resolve(node.type)
        match self.world.types[number]:
            case TArray(of):
                return self.world.intern(TPtr(of))
            case TFunc():
                return self.world.intern(TPtr(number))
        return number

    # records and enums

    def _key(self, word: str, node: Any) -> str:
        """As the clang side has it: places for what is nameless or local."""
        place = f"@{node.coord.file}:{node.coord.line}:{node.coord.column}"
        name = node.name or self._names_of_nameless.get(id(node), "")
        local = self.scope is not self.top or not name
        return f"{word} {name}{place if local else ''}"

    def _record(self, node: Any) -> int:
        done = self._numbers.get(id(node))
        if done is not None:
            return done
        word = type(node).__name__.lower()
        known = None
        if node.name:
            known = self.scope.tag(node.name) if node.decls is None else (
                self.scope.tags.get(node.name)
            )  # fmt: skip
        if known is not None and known[0] != word:
            self.fail(node, f"{node.name} is a {known[0]}, not a {word}")
        key = known[1] if known is not None else self._key(word, node)
        if node.name:
            if known is None:
                self.scope.tags[node.name] = (word, key)
        elif node.decls is None:
            self.fail(node, f"a {word} without name and members")
        number = self.world.intern(TRecord(key))
        if node.decls is not None:
            self._numbers[id(node)] = number
            self._define(node, key, word)
        return number

    def _define(self, node: Any, key: str, word: str) -> None:
        before = self.world.layouts.get(key)
        if before is not None:
            self.fail(node, f"{key} is defined twice")
        if not node.decls:
            self.fail(node, f"a {word} without members")
        layout = Layout(key, word == "union", node.coord.file, node.coord.line)
        members: list[tuple[str, int]] = []
        seen: set[str] = set()
        for item in node.decls:
            if type(item).__name__ != "Decl":
                self.fail(item, f"not a member of a {word}")
            if item.bitsize is not None:
                self.fail(item, "bit-fields are not known here")
            if item.storage or item.funcspec or item.align:
                self.fail(item, "a member has no storage class, specifier or alignment")
            number = self.resolve(item.type)
            shape = self.world.types[number]
            if item.name is None and not isinstance(shape, TRecord):
                self.fail(item, "a member without a name")
            if not (isinstance(shape, TArray) and shape.count < 0):
                self.sized(item, number, f"member {item.name or ''}".rstrip())
            for name in self._names(item.name, number):
                if name in seen:
                    self.fail(item, f"member {name} is there twice")
                seen.add(name)
            members.append((item.name or "", number))
        try:
            self.world.complete(layout, members)
        except LayoutError as error:
            self.fail(node, str(error))
        self.world.layouts[key] = layout
        given = self.world.kernel.get(key)
        if given is not None:
            self.fail(node, f"{key} is the kernel's own and has its members from there",
                      f"declare it only: `{key};`")  # fmt: skip

    def _names(self, name: str | None, number: int) -> list[str]:
        shape = self.world.types[number]
        if name or not isinstance(shape, TRecord):
            return [name or ""]
        layout = self.world.layout(shape.key)
        assert layout is not None
        return [n for m in layout.members for n in self._names(m.name, m.type)]

    def _enum(self, node: Any) -> int:
        done = self._numbers.get(id(node))
        if done is not None:
            return done
        if getattr(node, "type", None) is not None:
            self.fail(node, "an enum with a type of its own is not known here")
        if node.values is None:
            known = self.scope.tag(node.name)
            if known is None or known[0] != "enum":
                self.fail(node, f"enum {node.name} is not defined here")
            return self._enum_number(known[1])
        tag = self._key("enum", node)
        if node.name:
            if node.name in self.scope.tags:
                self.fail(node, f"{node.name} is defined twice")
            self.scope.tags[node.name] = ("enum", tag)
        values: list[tuple[str, int]] = []
        following = 0
        for item in node.values.enumerators:
            if item.value is not None:
                following = self.constant(item.value, f"the value of {item.name}")
            if not -(1 << 31) <= following < 1 << 31:
                self.fail(item, f"{item.name} does not fit an int")
            self.name(item.name, Enumerator(following), item)
            values.append((item.name, following))
            following += 1
        coord = node.coord
        self.enums[tag] = EnumDef(tag, coord.file, coord.line, tuple(values))
        number = self._numbers[id(node)] = self._enum_number(tag)
        return number

    def _enum_number(self, tag: str) -> int:
        signed = any(value < 0 for _, value in self.enums[tag].values)
        return self.world.intern(TInt(32, signed, tag))
