# SPDX-License-Identifier: GPL-2.0-or-later
"""Units that a parser gives up: how often they are tried, and what is remembered."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import pytest
from warm_cache import warmed

from ctxlint import kbuild, pipeline
from ctxlint.base.request import Quiet
from ctxlint.findings.model import Result
from ctxlint.frontend import worker
from ctxlint.store import Store
from ctxlint.units import forked, prefetch
from ctxlint.units.failed import Failures
from tests.pipeline.miniature import TREE

SNAIL = "drivers/irqchip/irq-snail.c"
CRASH = "\n#pragma clang __debug llvm_fatal_error\n"
HANG = "\n#include <linux/forever.h>\n"


@pytest.fixture
def request_(tmp_path: Path) -> pipeline.Request:
    tree = tmp_path / "tree"
    shutil.copytree(TREE, tree)
    # Every inclusion doubles: nobody sees the end of it.
    (tree / "include/linux/forever.h").write_text(
        "#if __INCLUDE_LEVEL__ < 60\n" + '#include "forever.h"\n' * 2 + "#endif\nint x;\n",
        encoding="utf-8",
    )
    return pipeline.Request(
        tree=tree, builds=(tree / "builds/rt",), cache=warmed(tmp_path / "cache"), jobs=1
    )


def hasty(request: pipeline.Request, timeout: float = 1) -> pipeline.Request:
    """For units that never end. A processor is busy with them all that time, and what
    does end must not be read meanwhile: a busy machine may need longer for it."""
    return dataclasses.replace(request, timeout=timeout)


def append(request: pipeline.Request, text: str) -> None:
    path = request.tree / SNAIL
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


@pytest.fixture
def tries(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Files in the order in which a parser was given them."""
    found: list[str] = []
    give, child = worker._Worker.give, forked._Child.__init__

    def given(self: Any, request: Any, timeout: float) -> None:
        found.append(request.file)
        give(self, request, timeout)

    def started(self: Any, number: int, job: Any, timeout: float) -> None:
        found.append(job.request.file)
        child(self, number, job, timeout)

    monkeypatch.setattr(worker, "write_reproducer", lambda *_: Path("reproducer"))
    monkeypatch.setattr(worker._Worker, "give", given)
    monkeypatch.setattr(forked._Child, "__init__", started)
    return found


def audit(request: pipeline.Request) -> Result:
    return pipeline.audit(request, Quiet())


@pytest.mark.parametrize("few", [6, 0], ids=["forked", "pool"])
@pytest.mark.parametrize("text", [HANG, CRASH], ids=["hang", "crash"])
def test_tried_once_and_then_known(
    request_: pipeline.Request,
    tries: list[str],
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    few: int,
) -> None:
    whole = audit(request_)
    assert whole.incomplete == ()
    monkeypatch.setattr(prefetch, "FEW", few)
    append(request_, text)
    if text == HANG:
        request_ = hasty(request_)
    tries.clear()
    first = audit(request_)
    assert tries == [SNAIL]
    [incomplete] = first.incomplete
    assert "timed out" in incomplete.reason or "crashed" in incomplete.reason
    assert {f.file for f in first.findings} == {f.file for f in whole.findings} - {SNAIL}
    tries.clear()
    again = audit(request_)
    assert tries == []
    assert again.incomplete[0].reason == incomplete.reason
    assert again.findings == first.findings


def test_other_units_in_flight_are_not_lost(
    request_: pipeline.Request, tries: list[str]
) -> None:
    append(request_, CRASH)
    cold = request_.tree.parent / "cold"
    found = audit(dataclasses.replace(request_, jobs=3, cache=cold))
    assert [i.file for i in found.incomplete] == [SNAIL]
    others = [file for file in tries if file != SNAIL]
    assert len(others) == len(set(others))


def test_what_changes_is_tried_again(request_: pipeline.Request, tries: list[str]) -> None:
    header = request_.tree / "include/linux/forever.h"
    bad = header.read_text(encoding="utf-8")
    append(request_, HANG)
    assert audit(hasty(request_)).incomplete
    tries.clear()
    assert audit(hasty(request_, 0.8)).incomplete
    assert tries == []
    assert audit(hasty(request_, 1.2)).incomplete
    assert tries == [SNAIL]
    header.write_text("int x;\n", encoding="utf-8")
    audit(hasty(request_, 1.2))
    assert tries == [SNAIL] * 2
    assert audit(request_).incomplete == ()
    header.write_text(bad, encoding="utf-8")
    assert audit(hasty(request_)).incomplete


def test_an_end_from_outside_is_not_remembered(
    request_: pipeline.Request, tmp_path: Path
) -> None:
    command = kbuild.CompileCommand(
        file=SNAIL, directory=request_.tree, arguments=("-I", "include"), build_class="kernel"
    )
    with Store.open(tmp_path / "s", log=lambda *_: None, tree=request_.tree) as store:
        failures = Failures(store, request_.tree, None, 60, 1)
        for reason, known in (
            ("the worker ended with code -9", False),
            ("the worker ended with code -15", False),
            ("the worker ended with code -11", True),
            ("internal error: KeyError", True),
        ):
            failures.remember(reason, command, reason)
            assert (failures.known(reason, command) is not None) == known


def test_a_header_that_appears_or_changes_counts(
    request_: pipeline.Request, tmp_path: Path
) -> None:
    """As far as the text tells, and in a series as on the disk."""
    tree = request_.tree
    (tree / "a.c").write_text('#include <one.h>\n#include "missing.h"\n', encoding="utf-8")
    (tree / "include/one.h").write_text("  #  include <two.h>\n", encoding="utf-8")
    (tree / "include/two.h").write_text("int two;\n", encoding="utf-8")
    command = kbuild.CompileCommand(
        file="a.c", directory=tree, arguments=("-Iinclude",), build_class="kernel"
    )
    with Store.open(tmp_path / "s", log=lambda *_: None, tree=tree) as store:

        def failures(contents: dict[str, bytes | None] | None = None) -> Failures:
            return Failures(store, tree, contents, 60, 1)

        failures().remember("key", command, "the parser ended with code -6")
        assert failures().known("key", command)
        assert failures({"other.h": b"x"}).known("key", command)
        assert not failures({"include/two.h": b"long two;\n"}).known("key", command)
        assert not failures({"include/one.h": None}).known("key", command)
        assert not failures({"missing.h": b""}).known("key", command)
        (tree / "include/two.h").write_text("long two;\n", encoding="utf-8")
        assert not failures().known("key", command)
