# SPDX-License-Identifier: GPL-2.0-or-later
"""Real units lower without loss: no clang errors, nothing opaque, a sound IR."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import pytest

from ctxlint.frontend import Request, lower_many
from ctxlint.ir.codec import decode, encode
from ctxlint.ir.ops import Call, Func
from ctxlint.ir.unit import Function, Unit
from ctxlint.ir.verify import verify

from .scratch import Bench

PATHS = ("drivers/irqchip", "drivers/firmware")
PROFILES = (
    ("arm64", "defconfig", True),
    ("arm64", "allmodconfig", False),
    ("arm", "allmodconfig", False),
    ("riscv", "allmodconfig", False),
    ("x86_64", "allmodconfig", False),
)


@dataclass
class Seen:
    """What came out of a profile's units."""

    complaints: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)
    lowered: list[str] = field(default_factory=list)
    inlines: dict[str, bytes] = field(default_factory=dict)
    different: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)

    def take(self, request: Request, data: bytes, extra: bytes) -> None:
        unit = decode(data, Unit)
        self.lowered.append(request.file)
        self.errors += unit.errors
        self.complaints.update(verify(unit))
        self.missing.update(unit.inlines)
        for function in unit.new_inlines:
            body = encode(function)
            if self.inlines.setdefault(function.symbol, body) != body:
                self.different.add(function.symbol)


def run(bench: Bench, arch: str, config: str, rt: bool, files: tuple[str, ...]) -> Seen:
    done = bench.commands(arch, config, rt, files)
    commands = list(done.commands)
    if arch != "arm64":  # what another architecture builds too is lowered there
        there = {c.file for c in bench.commands("arm64", config, rt, files).commands}
        commands = [c for c in commands if c.file not in there]
    seen = Seen()
    requests = [
        Request(
            f"{done.spec_name}/{c.build_class}",
            str(bench.tree.path),
            c.file,
            c.arguments,
            str(c.directory),
        )
        for c in commands
    ]
    failures = lower_many(
        requests, processes=bench.jobs, timeout=300, on_result=seen.take,
    )  # fmt: skip
    assert [(f.request.file, f.reason) for f in failures] == []
    assert sorted(seen.lowered) == sorted(c.file for c in commands)
    return seen


@pytest.mark.parametrize(("arch", "config", "rt"), PROFILES)
def test_units_lower_without_loss(bench: Bench, arch: str, config: str, rt: bool) -> None:
    seen = run(bench, arch, config, rt, PATHS)
    assert seen.errors == []
    assert seen.complaints == {}
    assert len(seen.lowered) > (20 if arch == "arm64" else 10)
    assert seen.missing <= set(seen.inlines)


def lowered(bench: Bench, file: str) -> dict[str, Function]:
    found: dict[str, Function] = {}

    def take(request: Request, data: bytes, extra: bytes) -> None:
        unit = decode(data, Unit)
        found.update({f.name: f for f in (*unit.functions, *unit.new_inlines)})

    done = bench.commands("arm64", "defconfig", True, PATHS)
    command = next(c for c in done.commands if c.file == file)
    request = Request(
        "p", str(bench.tree.path), file, command.arguments, str(command.directory)
    )
    assert lower_many([request], on_result=take) == []
    return found


def callees(function: Function) -> Counter[str]:
    return Counter(
        op.fn.symbol.rpartition("::")[2]
        for block in function.blocks
        for op in block.ops
        if isinstance(op, Call) and isinstance(op.fn, Func)
    )


def test_what_a_known_driver_calls(bench: Bench) -> None:
    """The allocation hooks name a call twice: it is one; a dead arm has none;
    a callback that is only registered is a reference."""
    functions = lowered(bench, "drivers/irqchip/irq-gic-v3-its.c")
    calls = callees(functions["its_allocate_pending_table"])
    assert sum(n for name, n in calls.items() if name.startswith("alloc_pages")) == 1
    assert "gic_reserve_range" in {c for f in functions.values() for c in callees(f)}
    body = functions["its_cpu_init"]
    line = next(
        body.locs[op.loc].line
        for block in body.blocks
        for op in block.ops
        if isinstance(op, Call)
        and isinstance(op.fn, Func)
        and "its_cpu_init_lpis" in op.fn.symbol
    )
    text = (bench.tree.path / "drivers/irqchip/irq-gic-v3-its.c").read_text().splitlines()
    assert "its_cpu_init_lpis" in text[line - 1]
