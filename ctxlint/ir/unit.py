# SPDX-License-Identifier: GPL-2.0-or-later
"""Functions, global variables and translation units of the IR.

Symbols
    An external function or variable is its plain name (``its_cpu_init``). A
    static one is ``"FILE::NAME"`` with the file relative to the tree
    (``drivers/irqchip/irq-gic.c::gic_starting_cpu``,
    ``include/linux/slab.h::kmalloc_noprof``), so equal names in different
    files are different functions. A static local is ``"FILE::FUNCTION.NAME"``.
"""

from __future__ import annotations

import msgspec

from ctxlint.ir.ops import Expr, LocId, Op, Slot, Term
from ctxlint.ir.types import RecordDef, Type, TypeId


class Loc(msgspec.Struct, frozen=True, array_like=True):
    """A place as its reader sees it: where the outermost macro was written.

    ``file`` is relative to the tree (absolute only outside of it). ``macro`` is
    the name of that outermost macro, ``""`` when the text is not from one; then
    ``spelled`` is ``"file:line"`` of the text inside the macro's definition.
    """

    file: str
    line: int
    col: int
    macro: str = ""
    spelled: str = ""


class VarDecl(msgspec.Struct, frozen=True, array_like=True):
    """A parameter, local or temporary (``name`` is ``""`` for a temporary)."""

    name: str
    type: TypeId


class Block(msgspec.Struct, frozen=True, array_like=True):
    """Operations that run one after the other, and how control goes on."""

    ops: tuple[Op, ...]
    term: Term


class Function(msgspec.Struct, frozen=True, array_like=True):
    """A lowered function body. Block 0 is the entry.

    ``vars[:nparams]`` are the parameters. ``attrs`` holds ``"noreturn"``,
    ``"weak"``, ``"inline"``, ``"static"``, ``"error"`` (must not be reached),
    ``"alias=NAME"`` and ``"section=.init.text"`` where they apply.
    """

    symbol: str
    name: str
    file: str
    line: int
    col: int
    end_line: int
    attrs: tuple[str, ...]
    ret: TypeId
    nparams: int
    variadic: bool
    vars: tuple[VarDecl, ...]
    types: tuple[Type, ...]
    locs: tuple[Loc, ...]
    blocks: tuple[Block, ...]


class Decl(msgspec.Struct, frozen=True, array_like=True):
    """A function that is called or referred to: its prototype.

    ``params`` are ``(name, type spelling)`` with typedefs kept
    (``("flags", "gfp_t")``); ``file`` and ``line`` are those of the canonical
    declaration; ``attrs`` as in :class:`Function`.
    """

    symbol: str
    name: str
    file: str
    line: int
    attrs: tuple[str, ...]
    ret: str
    params: tuple[tuple[str, str], ...]
    variadic: bool


class GlobalVar(msgspec.Struct, frozen=True, array_like=True):
    """A file-scope or static local variable; ``init`` is None when there is no
    initialiser. ``types`` is the table that ``type`` and ``init`` refer to.

    ``attrs`` holds ``"static"``, ``"const"``, ``"weak"``, ``"section=…"`` and, for one that a
    macro defines, ``"macro=NAME"`` of the outermost.
    """

    symbol: str
    name: str
    file: str
    line: int
    attrs: tuple[str, ...]
    type: TypeId
    init: Expr | None
    types: tuple[Type, ...]


class EnumDef(msgspec.Struct, frozen=True, array_like=True):
    """An enumeration with its values by name; ``tag`` is ``""`` for one without."""

    tag: str
    file: str
    line: int
    values: tuple[tuple[str, int], ...]


class Fault(msgspec.Struct, frozen=True, array_like=True):
    """A function (or variable) that was lost to a defect of this program: ``reason`` is
    a line of text (:func:`ctxlint.base.faults.reason_of`)."""

    file: str
    line: int
    name: str
    reason: str


class Unit(msgspec.Struct, frozen=True, array_like=True):
    """What one translation unit contributes.

    ``functions`` are the bodies from the main file (and from other .c files
    that it includes). ``inlines`` are the symbols of header functions that are
    reachable from them, ``new_inlines`` the bodies of those which were lowered
    in this parse because nobody had lowered them before. ``deps`` are all
    included files; ``errors`` clang's errors as text, with file and line.
    ``faults`` are functions and variables that are left out.
    """

    file: str
    functions: tuple[Function, ...]
    inlines: tuple[str, ...]
    new_inlines: tuple[Function, ...]
    globals: tuple[GlobalVar, ...]
    decls: tuple[Decl, ...]
    records: tuple[RecordDef, ...]
    enums: tuple[EnumDef, ...]
    deps: tuple[str, ...]
    errors: tuple[str, ...]
    faults: tuple[Fault, ...] = ()


class HeaderFunction(msgspec.Struct, frozen=True, array_like=True):
    """A header function as it is stored: with the layouts that running it takes, since
    the unit in which it was lowered may not be at hand then."""

    function: Function
    records: tuple[RecordDef, ...]


def loc_of(function: Function, loc: LocId) -> Loc:
    """The place that a number in an operation stands for."""
    return function.locs[loc]


def param_slots(function: Function) -> range:
    """The slots of ``vars`` that are parameters, in order."""
    return range(function.nparams)


__all__ = [
    "Block", "Decl", "EnumDef", "Fault", "Function", "GlobalVar", "HeaderFunction", "Loc",
    "Slot", "Unit", "VarDecl", "loc_of", "param_slots",
]  # fmt: skip
