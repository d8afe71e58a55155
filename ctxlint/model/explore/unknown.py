# SPDX-License-Identifier: GPL-2.0-or-later
"""What lies beyond the functions that are run: unknown, as far as no rule tells.

A function without a body gives an unknown result and may have written what it was given
a pointer to. If a rule speaks of it, its effect on the execution context happens, and
its requirement is judged. Nothing here makes a path impossible: that only tests do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ctxlint.ir import ops
from ctxlint.ir.types import TPtr, TRecord, Type
from ctxlint.ir.unit import Function
from ctxlint.model.code import Frame, Meta
from ctxlint.model.explore.path import UNKNOWN, Path
from ctxlint.model.explore.ruled import Ruled
from ctxlint.model.explore.variables import Variables
from ctxlint.model.machine import STACK, Machine, no_value, width_of
from ctxlint.model.memory import Blob, Fault, Page
from ctxlint.model.outcome import Crashed, Hang, OutOfFuel, Unmodelled
from ctxlint.model.runtime.outside import Beyond
from ctxlint.model.runtime.state import Report

_HAVOC = 64  # bytes that a function may write behind a pointer of unknown type


class Unknown:
    """An :class:`~ctxlint.model.machine.Outside` for one execution.

    ``pointer_targets(meta, site)``: the function that a call by pointer goes to.
    ``is_goal(report)``: whether it is what the exploration looks for.
    """

    fills = True

    def __init__(
        self,
        path: Path,
        ruled: Ruled,
        variables: Variables,
        pointer_targets: Callable[[Meta, int], str | None],
        is_goal: Callable[[Report], bool],
    ) -> None:
        self.path = path
        self.ruled = ruled
        self.variables = variables
        self.pointer_targets = pointer_targets
        self.is_goal = is_goal
        self.assembler = Beyond()
        self.met: list[str] = []
        """Functions about which nothing is known, in the order of their calls."""

    # functions

    def function(
        self, m: Machine, symbol: str, returns: Type | None, args: tuple[Any, ...]
    ) -> Any:
        name = symbol.rpartition("::")[2]
        rule = self.ruled.rules.api(symbol)
        model = m.image.overrides.get(name)
        inside = m.stack and m.stack[-1].meta.model
        if model is not None and (inside or (rule is not None and rule.api.returns == "same")):
            return m.code.function(model)(m, *args)
        if rule is None:
            if not name.startswith("__builtin_") and name not in self.met:
                self.met.append(name)
            self._forget(m, name, args)
            return self._result(name, returns)
        broken = self.ruled.judge(m, rule, args)
        if broken is not None:
            if model is not None and self.is_goal(broken):
                self._splat(m, model, args)
            m.runtime.reports.append(broken)
        if rule.api.inside:
            fn = m.image.functions.get(symbol)
            if fn is not None:
                return m.code.function(fn)(m, *args)
        self._forget(m, name, args)
        if rule.api.noreturn:
            raise Crashed(f"{rule.show}()")
        result = self._result(rule.show, returns)
        return self.ruled.effect(m, rule, args, result)

    def _result(self, name: str, returns: Type | None) -> Any:
        if no_value(returns):
            return 0
        assert returns is not None
        if isinstance(returns, TRecord):
            return Blob(bytes(8))
        bits, signed = width_of(returns, 8)
        value = self.path.fresh(f"{name}()", bits // 8)
        if isinstance(returns, TPtr):
            return value
        sign = 1 << (bits - 1)
        return (value ^ sign) - sign if signed else value

    def _forget(self, m: Machine, name: str, args: tuple[Any, ...]) -> None:
        """What is behind pointers to variables of a caller may have been written."""
        decl = self.ruled.known.decls.get(name)
        for i, value in enumerate(args):
            if value.__class__ is not int or not STACK <= value < UNKNOWN:
                continue
            spelled = decl.params[i][1] if decl is not None and i < len(decl.params) else ""
            if spelled.startswith("const ") or "*" not in spelled:
                continue
            size = _SIZES.get(spelled.replace("*", "").strip(), 0)
            if not size:
                key = spelled.replace("*", "").strip()
                record = m.image.records.get(key)
                size = record.size if record is not None else _HAVOC
            if spelled.count("*") > 1:
                size = 8
            forget(m, self.path, value, size, f"*{name}(argument {i + 1})")

    def _splat(self, m: Machine, model: Function, args: tuple[Any, ...]) -> None:
        """Run what the kernel does there: its own check reports, with its words."""
        depth, fuel = len(m.stack), m.fuel
        try:
            m.code.function(model)(m, *args)
        except (Unmodelled, Fault, OutOfFuel, Hang, Crashed):
            del m.stack[depth:]
            m.fuel = fuel

    # calls by pointer, assembly, variables

    def pointer(
        self, m: Machine, target: Any, meta: Meta, site: int, args: tuple[Any, ...]
    ) -> Any:
        symbol = self.pointer_targets(meta, site)
        if symbol is not None:
            return m.call(symbol, *args)
        op = meta.sites[site]
        name = f"a call by pointer in {meta.name}()"
        if name not in self.met:
            self.met.append(name)
        self._forget(m, "", args)
        if op.dst is None:
            return 0
        type_ = meta.fn.types[
            meta.fn.vars[op.dst.slot].type if isinstance(op.dst, ops.Var) else op.dst.type
        ]
        return self._result(f"(*{meta.name}#{site})", type_)

    def assembly(
        self, m: Machine, frame: Frame, op: ops.Asm, ends: bool, outs: Any, ins: Any
    ) -> Any:
        rule = self.assembler.rule(op.template)
        if rule is not None and rule.does not in ("register", "hint"):
            return self.assembler.assembly(m, frame, op, ends, outs, ins)
        if ends:
            raise Crashed(f"BUG at {m.place(frame)}")
        values: list[Any] = []
        for i, (constraint, e) in enumerate(op.outs):
            fn = frame.meta.fn
            type_ = fn.types[fn.vars[e.slot].type if isinstance(e, ops.Var) else e.type]
            bits, _ = width_of(type_, 8)
            name = f"assembly in {frame.meta.name}()"
            values.append(self.path.fresh(f"{name}.{i}" if i else name, max(bits // 8, 1)))
            del constraint
        if self._is_goto(frame, op):
            labels = self._labels(frame)
            choice = self.path.fresh(f"asm goto in {frame.meta.name}()", 1, high=labels)
            for i in range(labels):
                if choice == i:
                    return i
            return -1
        return values

    @staticmethod
    def _is_goto(frame: Frame, op: ops.Asm) -> bool:
        term = frame.meta.fn.blocks[frame.block].term
        return isinstance(term, ops.AsmGoto) and term.asm is op

    @staticmethod
    def _labels(frame: Frame) -> int:
        term = frame.meta.fn.blocks[frame.block].term
        assert isinstance(term, ops.AsmGoto)
        return len(term.targets)

    def variable_page(self, m: Machine, symbol: str, number: int) -> Page | None:
        return self.variables.page(m, symbol, number)


def forget(m: Machine, path: Path, address: int, size: int, name: str) -> None:
    """Bytes in memory are unknown from here on."""
    for start in range(address, address + size, 8):
        step = min(8, address + size - start)
        if step in (1, 2, 4, 8):
            shown = name if start == address else f"{name}+{start - address}"
            m.mem.store(start, step, path.fresh(shown, step))


_SIZES = {
    "u8": 1, "s8": 1, "bool": 1, "char": 1, "unsigned char": 1, "u16": 2, "s16": 2,
    "short": 2, "unsigned short": 2, "int": 4, "unsigned int": 4, "u32": 4, "s32": 4,
    "u64": 8, "s64": 8, "long": 8, "unsigned long": 8, "size_t": 8, "phys_addr_t": 8,
    "resource_size_t": 8, "dma_addr_t": 8, "irq_hw_number_t": 8, "unsigned": 4,
}  # fmt: skip


__all__ = ["Unknown", "forget"]
