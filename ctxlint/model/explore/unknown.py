# SPDX-License-Identifier: GPL-2.0-or-later
"""What lies beyond the functions that are run: unknown, as far as no rule tells.

A function without a body gives an unknown result and may have written what it was given
a pointer to. If a rule speaks of it, its effect on the execution context happens, and
its requirement is judged. Nothing here makes a path impossible: that only tests do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ctxlint.contexts.context import LEVELS, Context, Wait
from ctxlint.ir import ops
from ctxlint.ir.types import TArray, TPtr, TRecord, Type
from ctxlint.ir.unit import Decl, Function
from ctxlint.ir.walk import children, expressions
from ctxlint.model.code import Frame, Meta
from ctxlint.model.explore.path import Path
from ctxlint.model.image import DATA, MODEL_FILES, PERCPU_STRIDE, TEXT, Image, ImageError
from ctxlint.model.machine import Machine, no_value, width_of
from ctxlint.model.memory import PAGE, Blob, Fault, Object, Page, sym_page
from ctxlint.model.outcome import Crashed, Hang, OutOfFuel, Unmodelled
from ctxlint.model.runtime.outside import Beyond
from ctxlint.model.runtime.state import HARDIRQ_MASK, NMI_MASK, SOFTIRQ_MASK, Kernel, Report
from ctxlint.model.values import Value
from ctxlint.rulebook import effects
from ctxlint.rulebook.book import ApiRule, Rulebook
from ctxlint.rulebook.conditions import choose

_HAVOC = 64  # bytes that a function may write behind a pointer of unknown type


class Unknown:
    """An :class:`~ctxlint.model.machine.Outside` for one execution.

    ``values``: numbers that global variables can have in the entry's context.
    ``pointer_targets(meta, site)``: functions that a call by pointer can go to.
    ``constant(name)``: numbers of enumerators and constants in rules.
    ``is_goal(report)``: whether it is what the exploration looks for.
    """

    fills = True

    def __init__(
        self,
        path: Path,
        rules: Rulebook,
        decls: Mapping[str, Decl],
        values: Mapping[str, tuple[int, ...]],
        pointer_targets: Callable[[Meta, int], str | None],
        constant: Callable[[str], int | None],
        writes: Writes,
        is_goal: Callable[[Report], bool],
    ) -> None:
        self.path = path
        self.rules = rules
        self.decls = decls
        self.values = values
        self.pointer_targets = pointer_targets
        self.constant = constant
        self.writes = writes
        self.is_goal = is_goal
        self.assembler = Beyond()
        self.met: list[str] = []
        """Functions about which nothing is known, in the order of their calls."""
        self._same: dict[str, Value] = {}

    # functions

    def function(
        self, m: Machine, symbol: str, returns: Type | None, args: tuple[Any, ...]
    ) -> Any:
        name = symbol.rpartition("::")[2]
        rule = self.rules.api(symbol)
        model = m.image.overrides.get(name)
        if model is not None and m.stack and m.stack[-1].meta.model:
            return m.code.function(model)(m, *args)
        if rule is None:
            if not name.startswith("__builtin_") and name not in self.met:
                self.met.append(name)
            self._forget(m, name, args)
            return self._result(name, returns)
        broken = self._judge(m, rule, args)
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
        return self._effect(m, rule, args, returns)

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
        decl = self.decls.get(name)
        for i, value in enumerate(args):
            if value.__class__ is not int or not 0xFFFF_8002_0000_0000 <= value < 1 << 64:
                continue
            if value >= 0xFFFF_9000_0000_0000:
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

    def _context(self, kernel: Kernel) -> Context:
        task, cpu = kernel.task, kernel.cpu
        count = task.preempt_count
        return Context(
            irq=int(cpu.irqs_off),
            pre=count & 0xFF,
            bh=task.softirq_disabled + ((count & SOFTIRQ_MASK) >> 9),
            rcu=task.rcu_depth,
            mig=task.migration_disabled,
            soft=bool(count & 0x100),
            hard=bool(count & HARDIRQ_MASK),
            nmi=bool(count & NMI_MASK),
            exact=True,
        )

    def _splat(self, m: Machine, model: Function, args: tuple[Any, ...]) -> None:
        """Run what the kernel does there: its own check reports, with its words."""
        depth, fuel = len(m.stack), m.fuel
        try:
            m.code.function(model)(m, *args)
        except (Unmodelled, Fault, OutOfFuel, Hang, Crashed):
            del m.stack[depth:]
            m.fuel = fuel

    def _judge(self, m: Machine, rule: ApiRule, args: tuple[Any, ...]) -> Report | None:
        """What the rule says of a call here; None when it is legal."""
        kernel: Kernel = m.runtime
        cases = rule.cases(kernel.config.rt)
        if not cases:
            return None
        lookup = self._lookup(m, rule, args)
        chosen = choose(cases, lambda c: c.when, lookup)
        if not chosen:
            return None
        case, word = max(chosen, key=lambda c: LEVELS[c[0].level])
        level = LEVELS[case.level]
        context = self._context(kernel)
        allowed = context.allows(kernel.config.rt)
        if level <= allowed or level == Wait.SPIN:
            return None
        if any(name == "in_interrupt" and context.in_interrupt() for name in rule.api.legal_in):
            return None
        may = case.certainty == "may" or word == "possible"
        return Report(
            kind="sleeping",
            headline=f"{rule.show}() {'may sleep' if may else 'sleeps'}: {case.why}".rstrip(
                ": "
            ),
            cpu=kernel.cpu.number,
            task=kernel.task.comm,
            pid=kernel.task.pid,
            context=kernel.context(),
            frames=kernel.frames(),
            printed=False,
            suppressed="known from a rule, not run",
            certain=not may,
            time=kernel.now,
            facts={"operation": rule.symbol},
        )

    def _lookup(
        self, m: Machine, rule: ApiRule, args: tuple[Any, ...]
    ) -> Callable[[str], int | None]:
        bound = self._bind(rule, m)

        def lookup(name: str) -> int | None:
            if name in bound:
                index = bound[name]
                value = args[index] if index < len(args) else None
                return value if value.__class__ is int else None
            return self.constant(name)

        return lookup

    def _bind(self, rule: ApiRule, m: Machine) -> dict[str, int]:
        decl = self.decls.get(rule.symbol)
        if decl is not None:
            return rule.bind(decl.params)
        return {name: i for i, (name, _) in enumerate(rule.params)}

    def _effect(
        self, m: Machine, rule: ApiRule, args: tuple[Any, ...], returns: Type | None
    ) -> Any:
        kernel: Kernel = m.runtime
        api = rule.api
        special = self._special(kernel, rule, args)
        result = special if special is not None else self._result(rule.show, returns)
        phrases = rule.effects(kernel.config.rt)
        on = api.effect.on if api.effect is not None else ""
        if on and bool(result != 0) != (on == "nonzero"):
            return result
        bound = self._bind(rule, m)
        for effect in phrases:
            result = self._apply(kernel, effect, bound, args, result)
        return result

    def _special(self, kernel: Kernel, rule: ApiRule, args: tuple[Any, ...]) -> Value | None:
        word, _, arg = rule.api.returns.partition(" ")
        match word:
            case "preempt-count":
                return kernel.task.preempt_count
            case "irq-flags":
                return int(kernel.cpu.irqs_off) << 7
            case "irqs-disabled":
                if arg:
                    return int(bool(args[0] != 0)) if args else 0
                return int(kernel.cpu.irqs_off)
            case "same":
                if rule.symbol not in self._same:
                    self._same[rule.symbol] = self.path.fresh(f"{rule.show}()", 8)
                return self._same[rule.symbol]
        return None

    def _apply(
        self,
        kernel: Kernel,
        effect: effects.Effect,
        bound: Mapping[str, int],
        args: tuple[Any, ...],
        result: Any,
    ) -> Any:
        cpu, task = kernel.cpu, kernel.task
        match effect:
            case effects.Irq(off):
                cpu.irqs_off = off
            case effects.IrqSave(arg):
                flags = int(cpu.irqs_off) << 7
                cpu.irqs_off = True
                if arg == effects.RESULT:
                    return flags
            case effects.IrqRestore(arg):
                value = args[bound[arg]] if arg in bound and bound[arg] < len(args) else 0
                cpu.irqs_off = bool(value != 0)
            case effects.Count(counter, delta):
                self.count(kernel, counter, delta)
            case effects.Lock(kind):
                self._held(kernel, kind, 1)
            case effects.Unlock(kind):
                self._held(kernel, kind, -1)
        del task
        return result

    def _held(self, kernel: Kernel, kind: str, sign: int) -> None:
        for phrase in self.rules.phrases(kind, kernel.config.rt):
            if isinstance(phrase, effects.Count):
                self.count(kernel, phrase.counter, sign * phrase.delta)

    @staticmethod
    def count(kernel: Kernel, counter: str, delta: int) -> None:
        """Move a nesting counter; below 0 stays 0 (the caller's section ends)."""
        task = kernel.task
        if counter == "preempt":
            low = max(0, (task.preempt_count & 0xFF) + delta)
            task.preempt_count = (task.preempt_count & ~0xFF) | low
        elif counter == "bh":
            if kernel.config.rt:
                task.softirq_disabled = max(0, task.softirq_disabled + delta)
            else:
                task.preempt_count = max(0, task.preempt_count + 0x200 * delta)
        elif counter == "rcu":
            task.rcu_depth = max(0, task.rcu_depth + delta)
        else:
            task.migration_disabled = max(0, task.migration_disabled + delta)

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
        """A page of a variable: known where its value at start-up is sure to last."""
        name = symbol.rpartition("::")[2]
        placed = m.image.placed(symbol)
        assert placed is not None
        page_address = number * PAGE
        start = placed.address
        if placed.percpu:
            start = page_address - (page_address - placed.address) % PERCPU_STRIDE
        key = placed.type.key if isinstance(placed.type, TRecord) else ""
        obj = Object(start, placed.size, name, "global", key)
        if name in self.values:
            numbers = self.values[name]
            value = self.path.fresh(name, placed.size, low=min(numbers), high=max(numbers))
            for wrong in range(min(numbers), max(numbers)):
                if wrong not in numbers:
                    self.path.condition.add(value == wrong, False)
            page = sym_page(namer=self.path.namer(obj, page_address))
            m.mem.map(page_address, page)
            m.mem.store(placed.address, placed.size, value)
            return page
        init = m.image.initial(placed)
        variable = placed.variable
        if variable is not None and variable.file.startswith(MODEL_FILES):
            assert init is not None
            return bytearray(init[page_address - start :][:PAGE].ljust(PAGE, b"\0"))
        page = sym_page(namer=self._namer(m, placed.type, placed.types, obj, page_address))
        if init is not None:
            first = page_address - start
            content = init[first : first + PAGE]
            page[: len(content)] = content
            assert page.known is not None
            self._known(symbol, first, content, page.known)
        return page

    def _known(self, symbol: str, first: int, content: bytes, known: bytearray) -> None:
        """Mark the bytes of a variable that are what they were at start-up: all of one
        that nobody writes. Of one that is handed around: pointers to functions and
        literals (a list head, say, points to itself only at first)."""
        if symbol not in self.writes.escaped and symbol not in self.writes.stored:
            known[:] = b"\1" * PAGE
            return
        if symbol in self.writes.escaped:
            for low in range(0, len(content) - 7, 8):
                word = int.from_bytes(content[low : low + 8], "little")
                if TEXT <= word < DATA:
                    known[low : low + 8] = b"\1" * 8
        else:
            known[:] = b"\1" * PAGE
        for start, end in self.writes.stored.get(symbol, ()):
            low, high = max(start - first, 0), min(end - first, PAGE)
            if low < high:
                known[low:high] = bytes(high - low)

    def _namer(
        self, m: Machine, type_: Type, types: tuple[Type, ...], obj: Object, page_address: int
    ) -> Callable[[int, int], Value]:
        plain = self.path.namer(obj, page_address)
        if isinstance(type_, TRecord | TArray):
            return plain
        target = types[type_.to] if isinstance(type_, TPtr) else None
        key = target.key if isinstance(target, TRecord) else ""

        def name(offset: int, size: int) -> Value:
            if page_address + offset != obj.base:
                return plain(offset, size)
            sym = self.path.fresh(obj.name, size)
            self.path.points_to[id(sym)] = key
            return sym

        return name


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


@dataclass(frozen=True)
class Writes:
    """What functions do to variables: ``stored`` byte ranges, and ``escaped`` ones, whose
    address goes somewhere."""

    stored: Mapping[str, tuple[tuple[int, int], ...]]
    escaped: frozenset[str]


def writes_of(image: Image) -> Writes:
    """Which variables can hold something else than at start-up."""
    stored: dict[str, set[tuple[int, int]]] = {}
    escaped: set[str] = set()
    for fn in image.functions.values():
        for e in expressions(fn):
            if isinstance(e, ops.Addr):
                symbol, _, _ = _rooted(e.lvalue)
                if symbol:
                    escaped.add(symbol)
        for block in fn.blocks:
            for op in block.ops:
                dst = op.dst if isinstance(op, ops.Assign | ops.Call) else None
                if dst is None:
                    continue
                symbol, offset, exact = _rooted(dst)
                if not symbol:
                    continue
                end = 1 << 30
                if exact and not isinstance(dst, ops.Var):
                    try:
                        size = image.size_of(fn.types[dst.type], fn.types)
                        end = offset + max(size, 1)
                    except ImageError:
                        pass
                stored.setdefault(symbol, set()).add((offset if exact else 0, end))
    for variable in image.variables.values():
        stack: list[ops.Expr] = [variable.init] if variable.init is not None else []
        while stack:
            at = stack.pop()
            if isinstance(at, ops.Global):
                escaped.add(at.symbol)
            stack += children(at)
    return Writes({k: tuple(sorted(v)) for k, v in sorted(stored.items())}, frozenset(escaped))


def _rooted(e: ops.Expr) -> tuple[str, int, bool]:
    """``(variable, offset in bytes, whether that is exact)`` of a part of a variable."""
    offset, exact = 0, True
    while isinstance(e, ops.Field | ops.Index):
        if isinstance(e, ops.Field):
            offset += e.offset // 8
        else:
            exact = False
        e = e.base
    return (e.symbol, offset, exact) if isinstance(e, ops.Global) else ("", 0, False)


__all__ = ["Unknown", "Writes", "forget", "writes_of"]
