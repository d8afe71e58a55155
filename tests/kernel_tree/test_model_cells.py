# SPDX-License-Identifier: GPL-2.0-or-later
"""Recorded cells with the kernel's own headers: the model's API is what they call."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest
from simulator.runtime.bench import NO_RT, RT, boot, enter

from ctxlint.frontend import lower_unit
from ctxlint.simulator.code import Code
from ctxlint.simulator.image import Image, link
from ctxlint.simulator.memory import Fault
from ctxlint.simulator.outcome import Stop, Unmodelled
from ctxlint.simulator.runtime import boot as _boot  # noqa: F401 - its primitives
from ctxlint.simulator.runtime.choice import Choices
from ctxlint.simulator.runtime.library import add_models
from ctxlint.simulator.runtime.state import Config, Kernel

from .groundtruth.generate import DIRECTORY, OPERATIONS, load, source
from .scratch import Bench, Overlay, entry

LIKE = "drivers/base/topology.c"
MADE_BY_CODE = ("irqsoff", "nested", "bh", "task")
"""Contexts with a generated file of their own; the others run what is in task.c."""
MADE_OUTSIDE = ("hp", "setup", "hardirq")

# Not a single task's business, or devices that have no model here.
ELSEWHERE = {
    *("ofnode", "ofprop", "remcpu", "shutnb", "efires", "smpcall", "flushwork", "qwork"),
    *("qdwork", "timer", "timerdel", "irqwork", "irqworkhard", "wakeproc", "callrcu"),
    "kfreercu",
}


@pytest.fixture(scope="module")
def images(bench: Bench) -> dict[bool, tuple[Image, Code]]:
    overlay = Overlay(bench.tree.path, bench.fresh("tree"))
    found = {}
    for context in MADE_BY_CODE:
        overlay.write(f"{DIRECTORY}/{context}.c", source(context, list(OPERATIONS)))
    for rt in (True, False):
        command = bench.commands("arm64", "defconfig", rt, [LIKE]).commands[0]
        units = []
        for context in MADE_BY_CODE:
            file = f"{DIRECTORY}/{context}.c"
            made = entry(overlay, command, file, command.directory)
            arguments = made["arguments"]
            assert isinstance(arguments, list)
            units.append(
                lower_unit(
                    tree=overlay.root,
                    file=file,
                    arguments=tuple(arguments[1:-4]),
                    directory=Path(str(made["directory"])),
                )
            )
            assert not units[-1].errors
        image = link(units, ())
        add_models(image, Config(rt=rt, numa=True))
        found[rt] = image, Code(image)
    return found


def outcome(
    image: Image, code: Code, rt: bool, context: str, operation: str, forced: dict[str, bool]
) -> tuple[str, Kernel]:
    """``sleep`` when something was printed, else ``silent``."""
    k = boot(image, rt, code=code, numa=True)
    file = context if context in MADE_BY_CODE else "task"
    scope = f"{DIRECTORY}/{file}.c::"
    k.m.call(scope + "fill")
    assert not k.reports
    k.part(Choices).asked.clear()
    k.part(Choices).forced.update(forced)
    try:
        if context in MADE_OUTSIDE:
            enter(k, (RT if rt else NO_RT)[context])
            k.m.call(f"{scope}op_{file}_{operation}")
        else:
            k.m.call(f"{scope}run_{context}_{operation}")
    except (Unmodelled, Fault):
        raise
    except Stop:
        pass  # a hang or a crash after what was printed
    return ("sleep" if any(r.printed for r in k.reports) else "silent"), k


def cells() -> Iterator[tuple[str, str, bool, set[str]]]:
    for cell in load():
        if cell.context in MADE_BY_CODE + MADE_OUTSIDE and cell.operation not in ELSEWHERE:
            yield cell.context, cell.operation, True, set(cell.rt.split("|"))
            yield cell.context, cell.operation, False, set(cell.nort.split("|"))


def test_cells_with_real_headers(images: dict[bool, tuple[Image, Code]]) -> None:
    wrong = []
    count = 0
    for context, operation, rt, wanted in cells():
        count += 1
        image, code = images[rt]
        try:
            first, k = outcome(image, code, rt, context, operation, {})
            usual = dict(k.part(Choices).asked)
            others = {first}
            for size in range(1, len(usual) + 1):
                for names in combinations(sorted(usual), size):
                    forced = {n: not usual[n] for n in names}
                    others.add(outcome(image, code, rt, context, operation, forced)[0])
        except (Unmodelled, Fault) as error:
            wrong.append(f"{context}:{operation} rt={rt}: {error}")
            continue
        if wanted != {first} and not wanted <= others:
            wrong.append(f"{context}:{operation} rt={rt}: kernel {wanted}, model {others}")
    assert count > 300
    assert not wrong, "\n".join(wrong)
