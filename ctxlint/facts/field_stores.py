# SPDX-License-Identifier: GPL-2.0-or-later
"""Takes note of the stores of one function while it is interpreted, and of what an object
that it makes holds when others get it: see :mod:`ctxlint.facts.field_values`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ctxlint.facts.escape import bare
from ctxlint.facts.field_values import Fields, Noted, Notes, Site
from ctxlint.facts.private_members import Member
from ctxlint.facts.shape import successors
from ctxlint.facts.state import State
from ctxlint.facts.symbolic import Reader
from ctxlint.ir import ops
from ctxlint.ir.types import TArray, TInt, TRecord, Type
from ctxlint.ir.unit import Function
from ctxlint.ir.walk import type_of
from ctxlint.semantics.terms import ZERO, Deref, Field, Param, Result, Value


class Recorder:
    """Notes the stores of one function while it is interpreted."""

    def __init__(self, fields: Fields, fn: Function, reader: Reader) -> None:
        self.fields = fields
        self.fn = fn
        self.reader = reader
        self.sites: dict[Site, tuple[ops.Expr, ops.Expr | None]] = {}
        self.found: dict[Site, dict[object, tuple[Noted, ...]]] = {}
        self.given: dict[Site, dict[object, tuple[Noted, ...]]] = {}
        made: dict[str, list[str]] = {}
        for key, calls in fields.private.made.items():
            for symbol, op_id in calls:
                if symbol == fn.symbol:
                    made.setdefault(op_id, []).append(fields.local.get(key, key))
        self.made = made
        for b, block in enumerate(fn.blocks):
            for i, op in enumerate(block.ops):
                if isinstance(op, ops.Assign) and self._counts(op):
                    self.sites[(b, i)] = (op.dst, op.src)
                elif (
                    isinstance(op, ops.Call) and op.dst is not None and self._is_member(op.dst)
                ):
                    self.sites[(b, i)] = (op.dst, None)
        self.leaks = self._leaks() if made else {}
        self.late = self._after(self.leaks) if made else set()

    def _counts(self, op: ops.Assign) -> bool:
        if isinstance(bare(op.src), ops.Agg):
            kind = self.fn.types[bare(op.src).type]  # type: ignore[union-attr]
            return isinstance(kind, TRecord | TArray)
        return self._is_member(op.dst)

    def _is_member(self, e: ops.Expr) -> bool:
        e = _direct(e)
        return isinstance(e, ops.Field) and self._member(e) in self.fields.domains

    def _member(self, e: ops.Field) -> Member:
        return self.reader.local.get(e.record, e.record), e.name

    # -- objects that are made here --------------------------------------------

    def _leaks(self) -> dict[Site, set[str]]:
        """Where objects are given to others: calls, stores, returns."""
        slots: dict[int, set[str]] = {}
        changed = True
        while changed:
            changed = False
            for b, block in enumerate(self.fn.blocks):
                for i, op in enumerate(block.ops):
                    if not isinstance(op, ops.Assign | ops.Call) or not isinstance(
                        op.dst, ops.Var
                    ):
                        continue
                    name = f"{b}.{i}"
                    given = {name} if name in self.made else set()
                    if isinstance(op, ops.Assign):
                        given |= _leaked(op.src, slots)
                    before = slots.setdefault(op.dst.slot, set())
                    if not given <= before:
                        before |= given
                        changed = True
        memory = self.fields.private.rules.memory
        found: dict[Site, set[str]] = {}
        for b, block in enumerate(self.fn.blocks):
            everything: tuple[ops.Op | ops.Term, ...] = (*block.ops, block.term)
            for i, at in enumerate(everything):
                out: set[str] = set()
                if isinstance(at, ops.Call):
                    symbol = at.fn.symbol if isinstance(at.fn, ops.Func) else ""
                    rule = memory.get(symbol.rpartition("::")[2])
                    if rule is None or not rule.keeps_nothing:
                        for arg in at.args:
                            out |= _leaked(arg, slots)
                elif isinstance(at, ops.Assign):
                    if not isinstance(at.dst, ops.Var):
                        out |= _leaked(at.src, slots)
                elif isinstance(at, ops.Ret):
                    out |= set() if at.value is None else _leaked(at.value, slots)
                elif isinstance(at, ops.Asm | ops.AsmGoto):
                    asm = at if isinstance(at, ops.Asm) else at.asm
                    for _, e in (*asm.ins, *asm.outs):
                        out |= _leaked(e, slots)
                if out:
                    found[(b, i)] = out
        return found

    def _after(self, leaks: Iterable[Site]) -> set[Site]:
        """Stores that may come when others have an object."""
        found: set[Site] = set()
        for b, i in leaks:
            later: set[int] = set()
            todo = [b]
            while todo:
                for to in successors(self.fn, todo.pop()):
                    if to not in later:
                        later.add(to)
                        todo.append(to)
            found |= {s for s in self.sites if s[0] in later or (s[0] == b and s[1] > i)}
        return found

    # -- while the function is interpreted ---------------------------------------

    def note(self, site: Site, where: object, st: State) -> None:
        """A state in which an operation is reached (before it)."""
        if site in self.sites:
            dst, src = self.sites[site]
            self.found.setdefault(site, {})[where] = tuple(self._stored(site, dst, src, st))
        if site in self.leaks:
            given = tuple(self._handed(self.leaks[site], st))
            self.given.setdefault(site, {})[where] = given

    def _stored(
        self, site: Site, dst: ops.Expr, src: ops.Expr | None, st: State
    ) -> Iterator[Noted]:
        whole = None if src is None else bare(src)
        if isinstance(whole, ops.Agg):
            yield from self._aggregate(whole, st)
            return
        at = _direct(dst)
        assert isinstance(at, ops.Field)
        value = None if src is None else self.reader.value(src, st)
        made = ""
        if site not in self.late:
            base = self.reader.place(at.base, st)
            pointer = base.pointer if isinstance(base, Deref) else None
            if isinstance(pointer, Result) and pointer.op in self.made:
                made = pointer.op
        member = self._member(at)
        yield Noted(member, value, dict(st.facts), made, self._plain(value, member))

    def _plain(self, value: Value, member: Member) -> bool:
        """Whether a value is compared as the member would be: a pointer as an address, a
        number with the sign that its own type has."""
        domain = self.fields.domains[member]
        if domain.pointer:
            return True
        kind: Type | None = None
        if isinstance(value, Param):
            kind = self.fn.types[self.fn.vars[value.index].type]
        elif not isinstance(value, Result):
            return False
        elif (name := value.op.split("."))[0].isdigit() and len(name) == 2:
            block, index = int(name[0]), int(name[1]) if name[1].isdigit() else -1
            at = self.fn.blocks[block].ops if block < len(self.fn.blocks) else ()
            if 0 <= index < len(at):
                op = at[index]
                dst = op.dst if isinstance(op, ops.Call | ops.Assign) else None
                kind = None if dst is None else type_of(self.fn, dst)
        return isinstance(kind, TInt) and not kind.signed and not domain.signed

    def _aggregate(self, e: ops.Agg, st: State) -> Iterator[Noted]:
        """A structure that is put together: what is not named is zero."""
        kind = self.fn.types[e.type]
        if isinstance(kind, TRecord):
            name = self.reader.local.get(kind.key, kind.key)
            items = dict(e.items)
            for member in self.fields.of(name):
                item = items.get(member[1])
                value = ZERO if item is None else self.reader.value(item, st)
                yield Noted(member, value, dict(st.facts))
        for _, item in e.items:
            inner = bare(item)
            if isinstance(inner, ops.Agg):
                yield from self._aggregate(inner, st)

    def _handed(self, made: Iterable[str], st: State) -> Iterator[Noted]:
        for op_id in sorted(made):
            for name in self.made.get(op_id, ()):
                pointer = Result(op_id)
                if st.truth(pointer) is False:
                    continue
                facts = dict(st.facts)
                for member in self.fields.of(name):
                    value = st.mem.get(Field(Deref(pointer), *member))
                    if value is not None:
                        plain = self._plain(value, member)
                        yield Noted(member, value, facts, op_id, plain)
                    else:
                        yield Noted(member, ZERO, {}, op_id, stored=False)

    def notes(self, *, complete: bool) -> Notes:
        """What was found; ``complete``: every way through the function was looked at."""
        out = Notes()
        for site, (dst, src) in self.sites.items():
            states = self.found.get(site)
            if states is None or not complete:
                out.missed |= self._members_of(dst, src)
            for stores in (states or {}).values():
                out.stores += stores
        absent: set[tuple[Member, str]] = set()
        for given in self.given.values():
            for items in given.values():
                out.given += items
                absent |= {(i.member, i.made) for i in items if not i.stored}
        reached = {op_id for out_ids in self.leaks.values() for op_id in out_ids}
        for store in out.stores:
            # It is not known with which of several values the object is given away.
            if store.made and (
                (store.member, store.made) in absent or (store.made not in reached)
            ):
                store.made = ""
        if not complete:
            for names in self.made.values():
                for name in names:
                    out.missed.update(self.fields.of(name))
        return out

    def _members_of(self, dst: ops.Expr, src: ops.Expr | None) -> set[Member]:
        at = _direct(dst)
        found: set[Member] = set()
        if isinstance(at, ops.Field) and self._member(at) in self.fields.domains:
            found.add(self._member(at))
        stack: list[ops.Expr] = [] if src is None else [bare(src)]
        while stack:
            e = stack.pop()
            if isinstance(e, ops.Agg):
                kind = self.fn.types[e.type]
                if isinstance(kind, TRecord):
                    found.update(self.fields.of(self.reader.local.get(kind.key, kind.key)))
                stack += [bare(item) for _, item in e.items]
        return found


def _leaked(e: ops.Expr, slots: Mapping[int, set[str]]) -> set[str]:
    """Objects to which the value of an expression leads, by more than what is read
    from them."""
    if isinstance(e, ops.Var):
        return slots.get(e.slot, set())
    if isinstance(e, ops.Field):
        return _leaked_place(e.base, slots) if isinstance(e.base, ops.Index) else set()
    if isinstance(e, ops.Deref | ops.Index | ops.Const):
        return set()
    if isinstance(e, ops.Addr):
        return _leaked_place(e.lvalue, slots)
    if isinstance(e, ops.Bin):
        if e.op in ("==", "!=", "&&", "||", "<", ">", "<=", ">="):
            return set()
        return _leaked(e.a, slots) | _leaked(e.b, slots)
    if isinstance(e, ops.Un):
        return set() if e.op == "!" else _leaked(e.e, slots)
    if isinstance(e, ops.Cast):
        return _leaked(e.e, slots)
    if isinstance(e, ops.Select):
        return _leaked(e.a, slots) | _leaked(e.b, slots)
    if isinstance(e, ops.Agg):
        found: set[str] = set()
        for _, item in e.items:
            found |= _leaked(item, slots)
        return found
    return set()


def _leaked_place(e: ops.Expr, slots: Mapping[int, set[str]]) -> set[str]:
    while isinstance(e, ops.Field | ops.Index):
        e = e.base
    return _leaked(e.ptr, slots) if isinstance(e, ops.Deref) else set()


def _direct(e: ops.Expr) -> ops.Expr:
    """``x`` of ``*(volatile T *)&x``."""
    while isinstance(e, ops.Deref):
        inner = bare(e.ptr)
        if not isinstance(inner, ops.Addr):
            return e
        e = inner.lvalue
    return e


__all__ = ["Recorder"]
