# SPDX-License-Identifier: GPL-2.0-or-later
"""What lies beyond the image: assembly by ``rules/models/asm.yaml``, and no guesses.

A function without a body and without a model, a variable that nobody defines and an
instruction that no rule knows end the run as unmodelled.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ctxlint.base import yamldata
from ctxlint.base.errors import RuleError
from ctxlint.base.places import rules_directory
from ctxlint.ir import ops
from ctxlint.ir.types import Type
from ctxlint.simulator.code import Frame, Meta
from ctxlint.simulator.emit import in_memory
from ctxlint.simulator.machine import Machine
from ctxlint.simulator.memory import Page
from ctxlint.simulator.outcome import Crashed, Unmodelled
from ctxlint.simulator.runtime.checks import report, warning
from ctxlint.simulator.runtime.context import model_current
from ctxlint.simulator.runtime.state import Kernel, kernel_of
from ctxlint.simulator.runtime.trace import inlined

_DOES = ("nothing", "barrier", "bug", "register", "hint", "current", "percpu")


@dataclass(frozen=True)
class AsmRule:
    pattern: re.Pattern[str]
    does: str
    once: re.Pattern[str] | None


def read_rules(path: Path) -> tuple[AsmRule, ...]:
    """The rules of a file; raises :class:`RuleError`."""
    rows = yamldata.load(path.read_text(encoding="utf-8"))
    found = []
    for row in rows:
        unknown = set(row) - {"pattern", "does", "once"}
        if unknown or row.get("does") not in _DOES:
            raise RuleError(f"{path.name}: {row}", hint=f"does is one of {', '.join(_DOES)}")
        once = re.compile(row["once"]) if "once" in row else None
        found.append(AsmRule(re.compile(row["pattern"]), row["does"], once))
    return tuple(found)


@cache
def shipped_rules() -> tuple[AsmRule, ...]:
    return read_rules(rules_directory() / "models" / "asm.yaml")


class Registers:
    """System registers that something gave a value, by name, and hooks for those that
    are more than a value (``read[name](kernel)``, ``write[name](kernel, value)``)."""

    def __init__(self, kernel: Kernel) -> None:
        self.values: dict[tuple[int, str], int] = {}
        self.reads: dict[str, Callable[[Kernel], Any]] = {}
        self.writes: dict[str, Callable[[Kernel, Any], None]] = {}


class AssemblyByRule:
    """See the module; an :class:`~ctxlint.simulator.machine.Externals`."""

    fills = False

    def __init__(self, rules: tuple[AsmRule, ...] | None = None) -> None:
        self.rules = shipped_rules() if rules is None else rules
        self._rule_of: dict[str, AsmRule | None] = {}

    def function(
        self, m: Machine, symbol: str, returns: Type | None, args: tuple[Any, ...]
    ) -> Any:
        raise Unmodelled(symbol.rpartition("::")[2])

    def pointer(
        self, m: Machine, target: Any, meta: Meta, site: int, args: tuple[Any, ...]
    ) -> Any:
        where = f"in {meta.name}()"
        if target == 0:
            raise Crashed(f"a call of NULL {where}")
        raise Unmodelled(f"a call through {target!r}", where)

    def variable_page(self, m: Machine, symbol: str, number: int) -> Page | None:
        raise Unmodelled(f"variable {symbol}")

    # assembly

    def assembly(
        self, m: Machine, frame: Frame, op: ops.Asm, ends: bool, outs: Any, ins: Any
    ) -> Any:
        rule = self.rule(op.template)
        if rule is None:
            raise Unmodelled(f"assembly {op.template}", f"in {frame.meta.name}()")
        if rule.does == "bug":
            self._bug(m, frame, rule, ends)
        elif rule.does == "barrier":
            kernel_of(m).sched.point("barrier")
        elif rule.does == "current":
            return (model_current(m), *outs[1:])
        elif rule.does == "percpu":
            return (m.percpu_offset(kernel_of(m).cpu.number), *outs[1:])
        elif rule.does == "register":
            return self._register(m, frame, op, outs, ins)
        return outs

    def rule(self, template: str) -> AsmRule | None:
        """What is known of an instruction; None when nothing is."""
        if template not in self._rule_of:
            self._rule_of[template] = next(
                (rule for rule in self.rules if rule.pattern.search(template)), None
            )
        return self._rule_of[template]

    def _bug(self, m: Machine, frame: Frame, rule: AsmRule, ends: bool) -> None:
        kernel = kernel_of(m)
        loc = m.loc(frame)
        place = f"{loc.file}:{loc.line}"
        if ends:
            text = f"kernel BUG at {place}!"
            report(kernel, "bug", text, place=place)
            raise Crashed(text)
        shown = next(
            (f.meta.name for f in reversed(m.stack) if not inlined(m.image, f.meta.fn)),
            frame.meta.name,
        )
        once = rule.once is not None and rule.once.search(loc.macro) is not None
        warning(kernel, place, shown, once=once)

    def _register(self, m: Machine, frame: Frame, op: ops.Asm, outs: Any, ins: Any) -> Any:
        kernel = kernel_of(m)
        registers = kernel.part(Registers)
        name = register_name(m, frame, op)
        if op.outs and not in_memory(op.outs[0][0]):
            hook = registers.reads.get(name)
            value = hook(kernel) if hook else registers.values.get((kernel.cpu.number, name), 0)
            return (value, *outs[1:])
        value = ins[0] if ins else 0
        write = registers.writes.get(name)
        if write is not None:
            write(kernel, value)
        else:
            registers.values[kernel.cpu.number, name] = value
        return outs


def register_name(m: Machine, frame: Frame, op: ops.Asm) -> str:
    """The register of an access: as the template has it; where it comes from a macro's
    argument, what ``registers.yaml`` says of the function, else the two names."""
    found = re.search(r"\bmsr (\w+), %|\bmrs %\w+, (\w+)", op.template)
    if found:
        return found[1] or found[2]
    macro = m.loc(frame).macro
    names = named_registers().get(frame.meta.name)
    if names is None:
        return f"{frame.meta.name}:{macro}"
    fn = frame.meta.fn
    places = sorted(
        {
            (fn.locs[other.loc].line, fn.locs[other.loc].col)
            for other, _ in frame.meta.asms
            if other.loc >= 0 and fn.locs[other.loc].macro == macro
        }
    )
    return names[places.index((fn.locs[op.loc].line, fn.locs[op.loc].col)) % len(names)]


@cache
def named_registers() -> dict[str, list[str]]:
    """``rules/models/registers.yaml``: registers by function, in the order of accesses."""
    path = rules_directory() / "models" / "registers.yaml"
    rows = yamldata.load(path.read_text(encoding="utf-8"))
    ok = isinstance(rows, dict) and all(isinstance(v, list) and v for v in rows.values())
    if not ok:
        raise RuleError(f"{path.name}: lists of registers by function are expected")
    return {str(key): [str(name) for name in value] for key, value in rows.items()}


__all__ = [
    "AsmRule",
    "AssemblyByRule",
    "Registers",
    "read_rules",
    "register_name",
    "shipped_rules",
]
