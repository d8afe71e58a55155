# SPDX-License-Identifier: GPL-2.0-or-later
"""Every recorded cell: where the kernel splats the analyser speaks, and only there."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..scratch import Bench, Overlay, syntax_errors
from .compare import compare
from .generate import CONTEXTS, OPERATIONS, load, sources

LIKE = "drivers/base/topology.c"
"""The generated files are compiled like this one."""


def test_every_cell_can_be_generated() -> None:
    cells = load()
    assert len({(cell.context, cell.operation) for cell in cells}) == len(cells)
    assert {cell.context for cell in cells} == set(CONTEXTS)
    assert {cell.operation for cell in cells} == set(OPERATIONS)


@pytest.fixture(scope="module")
def generated(bench: Bench) -> tuple[Overlay, list[Path]]:
    """The generated files in an overlay, and a build directory for each profile."""
    overlay = Overlay(bench.tree.path, bench.fresh("tree"))
    for file, text in sources().items():
        overlay.write(file, text)
    units = dict.fromkeys(sources(), LIKE)
    profiles = [bench.commands("arm64", "defconfig", rt, [LIKE]) for rt in (True, False)]
    return overlay, [bench.build(overlay, done, units) for done in profiles]


def test_cells_parse(bench: Bench, generated: tuple[Overlay, list[Path]]) -> None:
    overlay, builds = generated
    for build in builds:
        assert not syntax_errors(build, set(sources()), overlay.root, bench.jobs)


def test_cells(
    bench: Bench,
    generated: tuple[Overlay, list[Path]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    overlay, builds = generated
    result = bench.audit(overlay.root, sources(), builds)
    assert not result.incomplete, result.incomplete
    answer = compare(load(), result)
    with capsys.disabled():
        print(f"\n{answer.cells} cells: {answer.agree} agree, {answer.explained} explained,")
        print(f"  {len(answer.missed)} missed, {len(answer.false)} false")
    assert not answer.wrong, "\n".join(answer.wrong)
