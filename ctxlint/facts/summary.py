# SPDX-License-Identifier: GPL-2.0-or-later
"""What one translation unit tells the whole-program stages.

Facts are computed next to the parser, once per unit, and stored; the call graph
and the contexts are computed from them alone, without the IR.

Values are terms (:mod:`ctxlint.semantics.terms`), or None where nothing is known.
"""

from __future__ import annotations

import msgspec

from ctxlint.ir.unit import Decl, EnumDef, Fault, Loc
from ctxlint.semantics.context import NO_COUNTS, Delta
from ctxlint.semantics.irqs import Irqs
from ctxlint.semantics.rule_calls import RecordInit
from ctxlint.semantics.terms import Result, Term, Value


class Guard(msgspec.Struct, frozen=True, array_like=True):
    """A condition on the entry (parameters, execution context) that must be
    ``truth`` for a point to be reached."""

    value: Term
    truth: bool


class Assumption(msgspec.Struct, frozen=True, array_like=True):
    """A condition on data that holds on every path to a point."""

    text: str
    truth: bool
    loc: int


class Point(msgspec.Struct, frozen=True, array_like=True):
    """One way in which a call site is reached. ``flags`` are members (record, name, number)
    that the function has set, and that hold so all through the callee; ``known`` are
    conditions on places of the function that hold there, and that callees may ask for."""

    delta: Delta
    guards: tuple[Guard, ...]
    assumptions: tuple[Assumption, ...]
    args: tuple[Value, ...]
    target: Value
    flags: tuple[tuple[str, str, int], ...] = ()
    known: tuple[Guard, ...] = ()


class Edge(msgspec.Struct, frozen=True, array_like=True):
    """A call site. ``symbol`` is the callee of a direct call, else ``""``;
    ``shown`` is the callee as written (``ops->mask``); ``Result(op)`` is what the
    call returns."""

    symbol: str
    shown: str
    loc: int
    implicit: str
    points: tuple[Point, ...]
    op: str = ""


class Move(msgspec.Struct, frozen=True, array_like=True):
    """A pointer (to a function, a structure or nothing in particular) put into memory.

    ``place`` and ``value`` are in the function's own terms; ``value`` is None when it
    is not known. ``whole`` is the record when a whole structure is copied: ``value`` is
    the place that it is read from, then.
    """

    place: Term
    value: Value
    whole: str = ""


class Callback(msgspec.Struct, frozen=True, array_like=True):
    """A function that is put into the member ``name`` of the object ``place``, which is a
    ``record``. ``known`` are conditions on places of the storing function that hold then and
    later, and that the callback may ask for."""

    symbol: str
    place: Term
    record: str
    name: str
    known: tuple[Guard, ...]


class Outcome(msgspec.Struct, frozen=True, array_like=True):
    """A way to return: net state change, return value, and its guards.

    ``pops`` counts restores of states that the caller saved; ``released`` are
    kinds of locks that the caller took. ``untold``: it leaves more behind than another way,
    and callers cannot tell which it was.
    """

    delta: Delta
    value: Value
    guards: tuple[Guard, ...]
    pops: int
    saves: tuple[Irqs, ...]
    released: tuple[str, ...]
    untold: bool = False


class CallResult(msgspec.Struct, frozen=True, array_like=True):
    """The result of a function that rules ask for. The function that does the call knows
    it as ``name``."""

    function: str
    args: tuple[Value, ...]
    name: Result


class Store(msgspec.Struct, frozen=True, array_like=True):
    """A function (or a value that may be one) put into a member.

    ``path`` is the chain of ``(record tag, field)`` from the outermost known
    object to the member; ``base`` the symbol of the global variable that holds
    it, or ``""``; ``siblings`` constant members of the same initialiser;
    ``index`` the array index in a table, or -1; ``result`` what is stored when it is the
    result of a function that rules ask for (and ``value`` is None).
    """

    base: str
    path: tuple[tuple[str, str], ...]
    value: Value
    file: str
    line: int
    col: int
    function: str
    object: str
    siblings: tuple[tuple[str, int], ...] = ()
    index: int = -1
    result: CallResult | None = None


class Loss(msgspec.Struct, frozen=True, array_like=True):
    """What a limit of the analysis dropped in a function, and how many of it. ``what``
    is a key of :data:`ctxlint.facts.limits.LIMITS`."""

    what: str
    count: int


class Summary(msgspec.Struct, frozen=True, array_like=True):
    """One function. ``outcomes`` is empty when the function is neutral: it
    returns with the execution context it was called in. ``writes`` are the
    parameters through which it may write memory, ``losses`` what the summary
    leaves out, ``moves`` the pointers that it stores, ``returns`` the pointers that
    it may return (None: one that is not known), ``callbacks`` the functions that it puts into
    members of objects of which something is known."""

    symbol: str
    name: str
    file: str
    line: int
    col: int
    attrs: tuple[str, ...]
    nparams: int
    locs: tuple[Loc, ...]
    edges: tuple[Edge, ...]
    outcomes: tuple[Outcome, ...]
    noreturn: bool
    guarded_params: tuple[int, ...]
    writes: tuple[int, ...] = ()
    losses: tuple[Loss, ...] = ()
    moves: tuple[Move, ...] = ()
    returns: tuple[Value, ...] = ()
    callbacks: tuple[Callback, ...] = ()


def changes_context(outcome: Outcome) -> bool:
    """Whether callers go on in another execution context than they called in."""
    delta = outcome.delta
    return bool(
        delta.irqs != Irqs.ENTRY
        or delta.counts != NO_COUNTS
        or (delta.locks or outcome.pops or outcome.saves or outcome.released)
    )


def is_neutral(summary: Summary) -> bool:
    """Whether callers go on in the execution context they called in."""
    return not any(changes_context(outcome) for outcome in summary.outcomes)


class UnitFacts(msgspec.Struct, frozen=True, array_like=True):
    """What one unit says: the summaries of the functions of its files and the symbols of the
    header functions that it reaches, functions stored in members (``stores``), constant
    initialisers (``inits``), prototypes and enums of the unit. ``errors`` are the
    compiler's, ``faults`` functions that were lost to a defect of ours."""

    file: str
    summaries: tuple[Summary, ...]
    inlines: tuple[str, ...]
    stores: tuple[Store, ...]
    inits: tuple[RecordInit, ...]
    decls: tuple[Decl, ...]
    enums: tuple[EnumDef, ...]
    errors: tuple[str, ...]
    faults: tuple[Fault, ...] = ()
