# SPDX-License-Identifier: GPL-2.0-or-later
"""How a function gives a structure away as bytes: see :mod:`ctxlint.facts.private_members`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctxlint.ir import ops
from ctxlint.ir.types import TArray, TInt, TPtr, TRecord, TVoid, Type
from ctxlint.ir.unit import Decl, Function
from ctxlint.ir.walk import children, operands, type_of

if TYPE_CHECKING:
    from ctxlint.facts.private_members import Private


class Giver:
    """Reads one function for what opens a record of ``private``."""

    def __init__(self, private: Private, fn: Function) -> None:
        self.p = private
        self.fn = fn
        self.sources: dict[int, list[ops.Expr | tuple[str, ops.Call]]] = {}
        for b, block in enumerate(fn.blocks):
            for i, op in enumerate(block.ops):
                if isinstance(op, ops.Assign) and isinstance(op.dst, ops.Var):
                    self.sources.setdefault(op.dst.slot, []).append(op.src)
                elif isinstance(op, ops.Call) and isinstance(op.dst, ops.Var):
                    self.sources.setdefault(op.dst.slot, []).append((f"{b}.{i}", op))

    def type(self, e: ops.Expr) -> Type:
        """The C type of an expression of this function."""
        return type_of(self.fn, e)

    def foreign(self) -> None:
        """A function of a header that looks into a record of this file."""
        for block in self.fn.blocks:
            for op in (*block.ops, block.term):
                stack = list(operands(op))
                while stack:
                    e = stack.pop()
                    if isinstance(e, ops.Field) and e.record in self.p.own:
                        self.p.open_record(e.record)
                    stack += children(e)

    # -- memory that is no object of ours ------------------------------------

    def raw_places(self, found: set[object]) -> None:
        """Members, variables and parameters that memory of unknown content is put into."""
        for block in self.fn.blocks:
            for op in block.ops:
                if isinstance(op, ops.Assign) and not isinstance(op.dst, ops.Var):
                    if self._is_bytes(self.type(op.dst)) and self._is_raw(op.src, 0):
                        found.add(place_name(op.dst))
                elif isinstance(op, ops.Call):
                    dst = op.dst
                    if (
                        dst is not None
                        and not isinstance(dst, ops.Var)
                        and self._is_bytes(self.type(dst))
                        and self._makes(op) not in ("old", "zero")
                    ):
                        found.add(place_name(dst))
                    if isinstance(op.fn, ops.Func):
                        for n, arg in enumerate(op.args):
                            if self._is_bytes(self.type(arg)) and self._is_raw(arg, 0):
                                found.add((op.fn.symbol, n))

    @staticmethod
    def _is_bytes(kind: Type) -> bool:
        return isinstance(kind, TPtr)

    def _is_raw(self, e: ops.Expr, depth: int) -> bool:
        e = bare(e)
        if isinstance(e, ops.Var) and depth < 6:
            if (self.fn.symbol, e.slot) in self.p.raw:
                return True
            for source in self.sources.get(e.slot, ()):
                if isinstance(source, tuple):
                    if self._makes(source[1]) not in ("old", "zero"):
                        return True
                elif self._is_raw(source, depth + 1):
                    return True
            return False
        if isinstance(e, ops.Select):
            return self._is_raw(e.a, depth + 1) or self._is_raw(e.b, depth + 1)
        if isinstance(e, ops.Bin):
            return self._is_raw(e.a, depth + 1)
        return isinstance(e, ops.Field | ops.Global) and place_name(e) in self.p.raw

    def _makes(self, call: ops.Call) -> str:
        """What the pointer that a call returns leads to: ``old``, an object that was made
        elsewhere, or nowhere; ``zero``, new memory that is cleared; else ``raw``."""
        if not isinstance(call.fn, ops.Func):
            return "raw" if self._numbers(call) else "old"
        name = call.fn.symbol.rpartition("::")[2]
        memory = self.p.rules.memory.get(name)
        if memory is not None and memory.clears:
            return "zero"
        if memory is not None and memory.result == "new":
            return "zero" if self._asks_zeros(call) else "raw"
        if memory is not None and memory.result:
            return "old"
        return "raw" if self._numbers(call) else "old"

    def _asks_zeros(self, call: ops.Call) -> bool:
        """Whether an allocation is given __GFP_ZERO."""
        decl = self.p.decls.get(call.fn.symbol) if isinstance(call.fn, ops.Func) else None
        kinds = [kind for _, kind in decl.params] if decl is not None else []
        return any(
            kind == "gfp_t" and self._has_bit(arg, self.p.gfp_zero)
            for kind, arg in zip(kinds, call.args, strict=False)
        )

    def _has_bit(self, e: ops.Expr, bit: int) -> bool:
        e = bare(e)
        if isinstance(e, ops.Bin) and e.op == "|":
            return self._has_bit(e.a, bit) or self._has_bit(e.b, bit)
        return isinstance(e, ops.Const) and bool(e.value & bit)

    def _number(self, e: ops.Expr) -> int | None:
        """The number that an argument always is."""
        e = bare(e)
        if isinstance(e, ops.Var):
            found = self.sources.get(e.slot, [])
            if len(found) != 1 or isinstance(found[0], tuple):
                return None
            e = bare(found[0])
        return e.value if isinstance(e, ops.Const) else None

    def _numbers(self, call: ops.Call) -> bool:
        """Whether a call has a number among its arguments: a size, an index."""
        return any(isinstance(self.type(a), TInt) for a in call.args)

    # -- reading -------------------------------------------------------------

    def read(self) -> None:
        """Go through the function once, and open in ``private`` each record (or member of one)
        that it gives away as bytes."""
        self._locals()
        self._requests()
        for block in self.fn.blocks:
            for op in (*block.ops, block.term):
                if isinstance(op, ops.Stated):
                    continue
                if isinstance(op, ops.Asm | ops.AsmGoto):
                    self._asm(op if isinstance(op, ops.Asm) else op.asm)
                    continue
                if isinstance(op, ops.Call):
                    self._call(op)
                elif isinstance(op, ops.Assign):
                    self.p.size(op.src, self.fn.types)
                for e in operands(op):
                    self._visit(e)

    def _locals(self) -> None:
        """Local variables that are not initialised as a whole hold anything."""
        whole: set[int] = set(range(self.fn.nparams))
        for block in self.fn.blocks:
            for op in block.ops:
                if isinstance(op, ops.Assign | ops.Call) and isinstance(op.dst, ops.Var):
                    whole.add(op.dst.slot)
                if isinstance(op, ops.Call) and (where := self._cleared(op)) is not None:
                    place = bare(where)
                    if isinstance(place, ops.Addr) and isinstance(place.lvalue, ops.Var):
                        whole.add(place.lvalue.slot)
        others_call = "static" not in self.fn.attrs
        for slot, var in enumerate(self.fn.vars):
            kind = element(self.fn.types[var.type], self.fn.types)
            if isinstance(kind, TRecord):
                self.p.elsewhere.update(self.p.nested(kind.key))
                if slot not in whole or (slot < self.fn.nparams and others_call):
                    self.p.open_record(kind.key)

    def _cleared(self, call: ops.Call) -> ops.Expr | None:
        """The pointer behind which a call fills everything with zeros, if it does that."""
        name = call.fn.symbol.rpartition("::")[2] if isinstance(call.fn, ops.Func) else ""
        memory = self.p.rules.memory.get(name)
        if memory is None or memory.fills is None or max(memory.fills) >= len(call.args):
            return None
        where, byte = (call.args[number] for number in memory.fills)
        return where if isinstance(byte, ops.Const) and byte.value == 0 else None

    def _visit(self, top: ops.Expr) -> None:
        stack: list[tuple[ops.Expr, ops.Expr | None]] = [(top, None)]
        while stack:
            e, above = stack.pop()
            if isinstance(e, ops.Opaque):
                for key in self.p.own:
                    self.p.open_record(key)
            elif isinstance(e, ops.Deref) and self._same_access(e):
                # *(volatile T *)&member is the member.
                inner = bare(e.ptr)
                assert isinstance(inner, ops.Addr)
                if isinstance(inner.lvalue, ops.Field):
                    self.p.shared.add((inner.lvalue.record, inner.lvalue.name))
                stack.append((inner.lvalue, e))
                continue
            elif isinstance(e, ops.Addr):
                self.p.address(e.lvalue)
            elif isinstance(e, ops.Cast):
                self._cast(e, above)
            stack += [(c, e) for c in children(e)]

    def _same_access(self, e: ops.Deref) -> bool:
        """An access through a cast address that is one to the variable itself."""
        inner = bare(e.ptr)
        if not isinstance(inner, ops.Addr):
            return False
        mine, theirs = self.fn.types[e.type], self.type(inner.lvalue)
        if isinstance(mine, TPtr) and isinstance(theirs, TPtr):
            return True
        return (
            isinstance(mine, TInt)
            and isinstance(theirs, TInt)
            and (mine.bits == theirs.bits and mine.signed == theirs.signed)
        )

    def _asm(self, op: ops.Asm) -> None:
        for _, e in op.outs:
            at = e
            while isinstance(at, ops.Index):
                at = at.base
            if isinstance(at, ops.Field):
                self.p.address(at)
            elif isinstance(at, ops.Deref):
                self._given(at.ptr)
            self._visit(e)
        for _, e in op.ins:
            self._given(e)
            if isinstance(e, ops.Field | ops.Index):
                self.p.address(e)  # an operand in memory
            self._visit(e)

    def _given(self, e: ops.Expr) -> None:
        """A pointer is given to what can write everything behind it."""
        for inner in (e, bare(e)):
            key = self.p.in_pointer(self.type(inner), self.fn.types)
            if key:
                self.p.open_record(key)

    # -- casts ---------------------------------------------------------------

    def _cast(self, e: ops.Cast, above: ops.Expr | None) -> None:
        source, target = self.type(e.e), self.fn.types[e.type]
        mine = self.p.in_pointer(source, self.fn.types)
        other = self.p.in_pointer(target, self.fn.types)
        if mine and mine != other:
            self._away(mine, target, above)
        if other and mine != other:
            self._towards(other, e.e)

    def _away(self, key: str, target: Type, above: ops.Expr | None) -> None:
        """A pointer to a record becomes one to something else, or a number."""
        if isinstance(target, TPtr):
            to = self.fn.types[target.to]
            if isinstance(to, TVoid):
                return  # see _call()
            if isinstance(to, TRecord) and self.p.first(key, to.key):
                return
            if (
                isinstance(above, ops.Bin)
                and above.op == "-"
                and isinstance(above.b, ops.Const)
            ):
                return  # container_of()
        self.p.open_record(key)

    def _towards(self, key: str, source: ops.Expr) -> None:
        """Something becomes a pointer to a record."""
        kind = self.type(source)
        e = bare(source)
        if isinstance(e, ops.Const) or (
            isinstance(e, ops.Bin) and e.op == "-" and isinstance(e.b, ops.Const)
        ):
            return  # NULL, an error; container_of()
        if isinstance(kind, TPtr):
            to = self.fn.types[kind.to]
            if isinstance(to, TRecord) and (
                self.p.first(to.key, key) or self.p.first(key, to.key)
            ):
                return
            if isinstance(to, TVoid):
                self._from_void(key, source, 0)
                return
        self.p.open_record(key)

    def _from_void(self, key: str, e: ops.Expr, depth: int) -> None:
        e = bare(e)
        if depth > 5:
            self.p.open_record(key)
        elif isinstance(e, ops.Var):
            if (self.fn.symbol, e.slot) in self.p.raw:
                self.p.open_record(key)
            for source in self.sources.get(e.slot, ()):
                if isinstance(source, tuple):
                    self._from_call(key, *source)
                else:
                    self._from_void(key, source, depth + 1)
        elif isinstance(e, ops.Select):
            self._from_void(key, e.a, depth + 1)
            self._from_void(key, e.b, depth + 1)
        elif isinstance(e, ops.Const) or (
            isinstance(e, ops.Bin) and e.op == "-" and isinstance(e.b, ops.Const)
        ):
            return
        elif isinstance(e, ops.Field | ops.Global | ops.Deref | ops.Index):
            if place_name(e) in self.p.raw:
                self.p.open_record(key)
        elif not (isinstance(e, ops.Addr) or self.p.in_pointer(self.type(e), self.fn.types)):
            self.p.open_record(key)

    def _from_call(self, key: str, op_id: str, call: ops.Call) -> None:
        made = self._makes(call)
        if made == "zero":
            record = self.p.records[key]
            if record.size in map(self._number, call.args):
                self.p.made.setdefault(key, []).append((self.fn.symbol, op_id))
            else:
                self.p.elsewhere.add(key)
            # What it consists of is cleared, and made nowhere else by that.
            for inner in self.p.nested(key) - {key}:
                self.p.elsewhere.add(inner)
        elif made == "raw":
            self.p.open_record(key)

    # -- calls -----------------------------------------------------------------

    def _call(self, call: ops.Call) -> None:
        if call.dst is not None and not isinstance(call.dst, ops.Var):
            key = self.p.in_pointer(self.type(call.dst), self.fn.types)
            if key and self._makes(call) == "raw":
                self.p.open_record(key)
        symbol = call.fn.symbol if isinstance(call.fn, ops.Func) else ""
        name = symbol.rpartition("::")[2]
        decl = self.p.decls.get(symbol)
        memory = self.p.rules.memory.get(name)
        if memory is None or not (memory.clears or memory.copies):
            for arg in call.args:
                self.p.size(arg, self.fn.types)
        for n, arg in enumerate(call.args):
            key = self._void(arg, 0)
            if not key or (memory is not None and memory.keeps_nothing):
                continue
            if arg is self._cleared(call) or self._is_const(decl, n):
                continue
            if memory is not None and memory.copies and self._copies_own(call, memory.copies):
                continue
            if symbol and self.p.rules.registration(symbol) is not None:
                continue
            filled = memory is not None and memory.fills is not None
            if filled or self._is_unread(symbol) or self._has_size(call, n, key, decl):
                self.p.open_record(key)

    def _is_unread(self, symbol: str) -> bool:
        """Whether nothing at all is known of a function: no body, no rule."""
        name = symbol.rpartition("::")[2]
        rules = self.p.rules
        return not (
            symbol in self.p.bodies
            or symbol in self.p.headers
            or rules.api(symbol) is not None
            or name in rules.memory
        )

    def _copies_own(self, call: ops.Call, ways: tuple[int, int]) -> bool:
        """Bytes of a record are copied over another one of the same record."""
        if max(ways) >= len(call.args):
            return False
        to, source = (self._void(call.args[i], 0) for i in ways)
        return bool(to) and to == source

    def _void(self, e: ops.Expr, depth: int) -> str:
        """The record behind a pointer that is given as ``void *``."""
        kind = self.type(e)
        if not isinstance(kind, TPtr) or not isinstance(self.fn.types[kind.to], TVoid):
            return ""
        inner = bare(e)
        key = self.p.in_pointer(self.type(inner), self.fn.types)
        if not key and isinstance(inner, ops.Var) and depth < 4:
            for source in self.sources.get(inner.slot, ()):
                if not isinstance(source, tuple) and (key := self._void(source, depth + 1)):
                    break
        return key

    @staticmethod
    def _is_const(decl: Decl | None, n: int) -> bool:
        return (
            decl is not None
            and n < len(decl.params)
            and (decl.params[n][1].lstrip().startswith("const "))
        )

    def _has_size(self, call: ops.Call, n: int, key: str, decl: Decl | None) -> bool:
        """Whether a call may be told how much there is to write."""
        size = self.p.records[key].size
        for i, arg in enumerate(call.args):
            kind = self.type(arg)
            if i == n or not isinstance(kind, TInt):
                continue
            if isinstance(arg, ops.Const):
                if arg.value and arg.value % max(size, 1) == 0:
                    return True
                continue
            named = decl.params[i] if decl is not None and i < len(decl.params) else ("", "")
            if (
                kind.bits == 64
                or "size" in named[1]
                or any(word in named[0] for word in ("len", "size", "count", "bytes"))
            ):
                return True
        return False

    def _requests(self) -> None:
        """A request that is told in two members where the bytes go, and how many."""
        sizes: set[int] = set()
        seen: set[str] = set()
        for block in self.fn.blocks:
            for op in block.ops:
                if isinstance(op, ops.Assign) and isinstance(op.dst, ops.Field):
                    if isinstance(op.src, ops.Const):
                        sizes.add(op.src.value)
                    elif key := self._void(op.src, 0):
                        seen.add(key)
        for key in seen:
            if self.p.records[key].size in sizes:
                self.p.open_record(key)


def bare(e: ops.Expr) -> ops.Expr:
    """An expression without the casts around it."""
    while isinstance(e, ops.Cast):
        e = e.e
    return e


def element(kind: Type, types: tuple[Type, ...]) -> Type:
    """The type of the elements of an array, of any number of dimensions; another type as it
    is."""
    while isinstance(kind, TArray):
        kind = types[kind.of]
    return kind


def place_name(e: ops.Expr) -> object:
    """What a place is called wherever it is: a member, a variable."""
    while isinstance(e, ops.Index | ops.Cast):
        e = e.base if isinstance(e, ops.Index) else e.e
    if isinstance(e, ops.Field):
        return (e.record, e.name)
    return e.symbol if isinstance(e, ops.Global) else "?"


__all__ = ["Giver", "bare", "element", "place_name"]
