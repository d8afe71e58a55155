# SPDX-License-Identifier: GPL-2.0-or-later
"""What lies beyond the functions that are run: unknown, as far as no rule tells.

A function without a body gives an unknown result and may have written what it was given
a pointer to. If a rule speaks of it, its effect on the execution context happens, and
its requirement is analysed. Nothing here makes a path impossible: that only tests do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ctxlint.ir import ops
from ctxlint.ir.types import TFloat, TPtr, TRecord, Type
from ctxlint.ir.unit import Function
from ctxlint.rulebook import effects
from ctxlint.rulebook.book import ApiRule
from ctxlint.simulator.code import Frame, Meta
from ctxlint.simulator.emit import in_memory
from ctxlint.simulator.machine import STACK, Machine, no_value, width_of
from ctxlint.simulator.memory import Blob, Fault, Page
from ctxlint.simulator.outcome import Crashed, Hang, OutOfFuel, Unmodelled
from ctxlint.simulator.runtime.assembly import AssemblyByRule
from ctxlint.simulator.runtime.state import Report
from ctxlint.verification.byte_names import local_name, scalars
from ctxlint.verification.execution import UNKNOWN, Path
from ctxlint.verification.interference import Shared
from ctxlint.verification.rule_bodies import RuleInterpreter
from ctxlint.verification.variables import Variables

FIRST = "whether another function is called first"
_OUTPUT = 64  # bytes that a function may write behind a pointer of unknown type
_NO_TIME = ("same", "preempt-count", "irq-flags", "irqs-disabled")


class Unknown:
    """An :class:`~ctxlint.simulator.machine.Externals` for one execution.

    ``pointer_targets(m, meta, site)``: the function that a call by pointer goes to, and
    whether it may go to others before.
    ``is_goal(report)``: whether it is what the exploration looks for.
    """

    fills = True

    def __init__(
        self,
        path: Path,
        ruled: RuleInterpreter,
        variables: Variables,
        shared: Shared,
        rt: bool,
        pointer_targets: Callable[[Machine, Meta, int], tuple[str, bool] | None],
        is_goal: Callable[[Report], bool],
    ) -> None:
        self.path = path
        self.ruled = ruled
        self.variables = variables
        self.shared = shared
        self.rt = rt
        self.pointer_targets = pointer_targets
        self.is_goal = is_goal
        self.assembler = AssemblyByRule()
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
            own = m.image.functions.get(symbol)
            if own is not None and "weak" in own.attrs:
                # A file that was not read may have the one that counts.
                other = self.path.fresh(f"{name}() is another file's", 1, high=1)
                if other == 0:
                    return m.code.function(own)(m, *args)
            if not name.startswith("__builtin_"):
                self.meet(name)
                self._others(name, args, keeps=True)
            return self.result(m, name, returns)
        if _harmless(rule):
            body = model or m.image.functions.get(symbol)
            if body is not None:
                return m.code.function(body)(m, *args)
        broken = self.ruled.check(m, rule, args)
        if broken is not None:
            body = model or m.image.functions.get(symbol)
            if body is not None and self.is_goal(broken):
                self._splat(m, body, args)
            m.runtime.reports.append(broken)
        if rule.api.inside:
            fn = m.image.functions.get(symbol)
            if fn is not None:
                return m.code.function(fn)(m, *args)
        if rule.api.noreturn:
            raise Crashed(f"{rule.show}()")
        self._around(rule, name, args)
        result = self.result(m, rule.show, returns)
        return self.ruled.effect(m, rule, args, result)

    def meet(self, name: str) -> None:
        if name not in self.met:
            self.met.append(name)

    def result(self, m: Machine, name: str, returns: Type | None) -> Any:
        """What a function gives that nothing is known about."""
        if no_value(returns):
            return 0
        assert returns is not None
        if isinstance(returns, TRecord):
            return unknown_record(m, self.path, f"{name}()", returns.key)
        bits, signed = width_of(returns, 8)
        if bits > 64 or isinstance(returns, TFloat):
            raise Unmodelled(f"{name}()", "the type of its result")
        value = self.path.fresh(f"{name}()", bits // 8)
        if isinstance(returns, TPtr):
            return value
        sign = 1 << (bits - 1)
        return (value ^ sign) - sign if signed else value

    def _around(self, rule: ApiRule, name: str, args: tuple[Any, ...]) -> None:
        """What may happen to memory in the course of a call that a rule speaks of."""
        if rule.api.returns.partition(" ")[0] in _NO_TIME:
            return
        if rule.api.effect is None:
            self._others(name, args, keeps=False)
        elif not all(
            isinstance(effect, effects.Count) and effect.delta > 0
            for effect in rule.effects(self.rt)
        ):
            self.shared.event()

    def _others(self, name: str, args: tuple[Any, ...], *, keeps: bool) -> None:
        """A function that is not run: others can run meanwhile, and it may write behind
        its arguments. ``keeps``: it may also hand pointers on; else only those to
        records, which callers give away (work, completions)."""
        self.shared.event()
        decl = self.ruled.known.decls.get(name)
        for i, value in enumerate(args):
            spelled = decl.params[i][1] if decl is not None and i < len(decl.params) else "*"
            if spelled.startswith("const ") or "*" not in spelled:
                continue
            target = spelled.replace("*", "").strip()
            record = target.startswith(("struct ", "union "))
            self.shared.passed(value, keeps=keeps or record)
            address = self.path.bound(value)
            if address is not None and not record and not STACK <= address < UNKNOWN:
                size = 8 if spelled.count("*") > 1 else _SIZES.get(target, _OUTPUT)
                self.shared.lose(address, size, dependent=False)

    def _splat(self, m: Machine, model: Function, args: tuple[Any, ...]) -> None:
        """Run what the kernel does there: its own check reports, with its words."""
        depth, fuel, sp = len(m.stack), m.fuel, m.sp
        try:
            m.code.function(model)(m, *args)
        except (Unmodelled, Fault, OutOfFuel, Hang, Crashed):
            del m.stack[depth:]
            m.fuel = fuel
            m.sp = sp

    # calls by pointer, assembly, variables

    def pointer(
        self, m: Machine, target: Any, meta: Meta, site: int, args: tuple[Any, ...]
    ) -> Any:
        reported = self.pointer_targets(m, meta, site)
        if reported is not None:
            symbol, again = reported
            first = self.path.fresh(FIRST, 1, high=1) if again else 0
            if int(first) == 0:
                return m.call(symbol, *args)
        name = f"a call by pointer in {meta.name}()"
        self.meet(name)
        likely = self.path.likely.get(id(target))
        other = None if likely is None else m.image.function_at(likely)
        if other is not None:
            return m.call(other, *args)
        self._others("", args, keeps=True)
        op = meta.sites[site]
        if op.dst is None:
            return 0
        type_ = meta.fn.types[
            meta.fn.vars[op.dst.slot].type if isinstance(op.dst, ops.Var) else op.dst.type
        ]
        return self.result(m, f"(*{meta.name}#{site})", type_)

    def assembly(
        self, m: Machine, frame: Frame, op: ops.Asm, ends: bool, outs: Any, ins: Any
    ) -> Any:
        rule = self.assembler.rule(op.template)
        if op.memory:
            self.shared.event()
            for value in ins:
                self.shared.passed(value, keeps=False)
        for (constraint, e), where in zip(op.outs, outs, strict=False):
            if in_memory(constraint):
                bits, _ = width_of(_type_of(frame.meta.fn, e), 8)
                self.shared.lose(where, max(bits // 8, 1), dependent=False)
        if rule is not None and rule.does not in ("register", "hint"):
            return self.assembler.assembly(m, frame, op, ends, outs, ins)
        if ends:
            raise Crashed(f"BUG at {m.place(frame)}")
        values: list[Any] = []
        for i, (_, e) in enumerate(op.outs):
            bits, _ = width_of(_type_of(frame.meta.fn, e), 8)
            name = f"assembly in {frame.meta.name}()"
            values.append(self.path.fresh(f"{name}.{i}" if i else name, max(bits // 8, 1)))
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


def _harmless(rule: ApiRule) -> bool:
    """A rule that only says that a function never waits: it can be run."""
    api = rule.api
    return not (
        api.requires or api.config or api.effect or api.returns or api.noreturn or api.inside
    )


def unknown_record(m: Machine, path: Path, name: str, key: str) -> Blob:
    """A structure as a value of which nothing is known."""
    record = m.image.records.get(key)
    if record is None:
        raise Unmodelled(f"the layout of {key}")
    parts = tuple(
        (offset, size, path.fresh(local_name(m.image, name, key, offset, size), size))
        for offset, size in scalars(m.image, key)
    )
    return Blob(bytes(max(record.size, 0)), parts)


def _type_of(fn: Function, e: ops.Expr) -> Type:
    return fn.types[fn.vars[e.slot].type if isinstance(e, ops.Var) else e.type]


_SIZES = {
    "u8": 1, "s8": 1, "bool": 1, "char": 1, "unsigned char": 1, "u16": 2, "s16": 2,
    "short": 2, "unsigned short": 2, "int": 4, "unsigned int": 4, "u32": 4, "s32": 4,
    "u64": 8, "s64": 8, "long": 8, "unsigned long": 8, "size_t": 8, "phys_addr_t": 8,
    "resource_size_t": 8, "dma_addr_t": 8, "irq_hw_number_t": 8, "unsigned": 4,
}  # fmt: skip


__all__ = ["FIRST", "Unknown", "unknown_record"]
