# SPDX-License-Identifier: GPL-2.0-or-later
"""A defect of ours, put in at each level, costs what was being worked on and no more."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from warm_cache import warmed

from ctxlint import kbuild, pipeline
from ctxlint.analysis import entry_points, program, propagate, witness
from ctxlint.base.faults import reason_of
from ctxlint.base.request import Quiet
from ctxlint.cli import page
from ctxlint.facts import build, summary, transfer
from ctxlint.findings.model import Result
from ctxlint.frontend import lower, lower_unit
from ctxlint.pipeline import collect, run
from ctxlint.report import json_report
from ctxlint.rulebook import load
from ctxlint.units.digest import decode_facts
from ctxlint.units.index import Index
from ctxlint.verification.verdicts import Verifier

TREE = Path(__file__).parents[2] / "fixtures" / "tree"
ERRORS = (KeyError("x"), RecursionError("too deep"), MemoryError(), AssertionError())


def failing(real: Callable[..., Any], when: Callable[..., bool], error: Exception) -> Any:
    """``real``, which raises ``error`` where ``when`` says so of its arguments."""

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if when(*args):
            raise error
        return real(*args, **kwargs)

    return wrapper


TEXT = """
static int inner(int x) { return x; }
int good(int x) { return inner(x); }
int bad(int x) { return x + 1; }
int (*table[])(int) = { good, bad };
"""


def unit(tmp_path: Path) -> Any:
    (tmp_path / "u.c").write_text(TEXT, encoding="utf-8")
    words = ("--target=aarch64-linux-gnu", "-std=gnu11")
    return lower_unit(tree=tmp_path, file="u.c", arguments=words, directory=tmp_path)


@pytest.mark.parametrize("error", ERRORS, ids=repr)
def test_lowering_of_one_function(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def spelled(state: Any, cursor: Any, _: Any) -> bool:
        return bool(state.names.spelling(cursor) == "bad")

    monkeypatch.setattr(lower, "lower_body", failing(lower.lower_body, spelled, error))
    found = unit(tmp_path)
    assert [f.name for f in found.functions] == ["inner", "good"]
    assert [(f.file, f.line, f.name) for f in found.faults] == [("u.c", 4, "bad")]
    assert type(error).__name__ in found.faults[0].reason
    assert found.errors == ()


@pytest.mark.parametrize("error", ERRORS, ids=repr)
def test_facts_of_one_function(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    lowered = unit(tmp_path)
    monkeypatch.setattr(
        transfer.Analysis,
        "run",
        failing(transfer.Analysis.run, lambda self: self.fn.name == "bad", error),
    )
    found, _ = build.unit_facts(lowered, load(()), False, {})
    assert {s.name: bool(s.edges) for s in found.summaries} == {
        "bad": False, "good": True, "inner": False
    }  # fmt: skip
    assert [(f.line, f.name) for f in found.faults] == [(4, "bad")]


@pytest.mark.parametrize("part", ["_Walker", "_body_stores"])
def test_stores_of_one_variable_or_function(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    lowered = unit(tmp_path)
    real = getattr(build, part)
    monkeypatch.setattr(
        build,
        part,
        failing(real, lambda what, *_: what.name in ("table", "bad"), ERRORS[0]),
    )
    found, _ = build.unit_facts(lowered, load(()), False, {})
    assert len(found.faults) == 1
    assert len(found.summaries) == 3


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A tree and a cache with its units."""
    folder = tmp_path_factory.mktemp("faults")
    shutil.copytree(TREE, folder / "tree")
    warmed(folder / "cache")
    return folder / "tree", folder / "cache"


def result(tree: Path, cache: Path, **more: Any) -> Result:
    builds = (tree / "builds" / "rt",)
    request = pipeline.Request(tree=tree, cache=cache, builds=builds, jobs=1, **more)
    return run.audit(request, Quiet())


def broken(
    warm: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **more: Any
) -> Result:
    """An audit of the warm cache in which no result of a whole profile is kept."""
    tree, cache = warm
    shutil.copytree(cache, tmp_path / "cache")
    monkeypatch.setattr("ctxlint.store.Store.get_cached", lambda *_: None)
    return result(tree, tmp_path / "cache", **more)


@pytest.fixture
def whole(warm: tuple[Path, Path]) -> Result:
    found = result(*warm)
    assert found.incomplete == ()
    assert len(found.findings) > 2
    return found


@pytest.mark.parametrize("error", ERRORS, ids=repr)
def test_one_root_of_the_propagation(
    warm: tuple[Path, Path],
    whole: Result,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    victim = whole.findings[0]
    monkeypatch.setattr(
        propagate.Propagation,
        "_edge",
        failing(
            propagate.Propagation._edge,
            lambda self, node, edge: node.fn.name == victim.function,
            error,
        ),
    )
    found = broken(warm, tmp_path, monkeypatch)
    told(found, whole, victim.function, error)


def told(found: Result, whole: Result, function: str, error: Exception) -> None:
    """One place is lost and said so, all others are as they were."""
    (incomplete,) = found.incomplete
    assert incomplete.reason.startswith(f"{function}(): internal error: {type(error).__name__}")
    lost = {f.function for f in whole.findings} - {f.function for f in found.findings}
    assert lost == {function}
    assert json_report.render(found)


@pytest.mark.parametrize("step", ["site_of", "steps", "context_info"])
def test_one_witness(
    warm: tuple[Path, Path],
    whole: Result,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
) -> None:
    victim = whole.findings[1]
    monkeypatch.setattr(
        witness,
        step,
        failing(
            getattr(witness, step),
            lambda violation, *_: violation.node.fn.name == victim.function,
            ERRORS[1],
        ),
    )
    found = broken(warm, tmp_path, monkeypatch)
    told(found, whole, victim.function, ERRORS[1])


def test_one_registration(
    warm: tuple[Path, Path], whole: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finder = entry_points._Finder

    def fails(*_: Any) -> Iterator[Any]:
        yield from ()
        raise ERRORS[0]

    monkeypatch.setattr(finder, "_registered", fails)
    found = broken(warm, tmp_path, monkeypatch)
    assert found.incomplete
    assert all("internal error: KeyError" in i.reason for i in found.incomplete)
    assert found.findings


def test_one_source_excerpt(
    warm: tuple[Path, Path], whole: Result, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page has the others, and each finding with its own line."""
    real = collect.source_reader
    victim = whole.findings[0]

    def reader(*args: Any) -> Any:
        return failing(real(*args), lambda file, _: file == victim.file, ERRORS[1])

    monkeypatch.setattr(collect, "source_reader", reader)
    text = page.render(whole, warm[0])
    for finding in whole.findings:
        assert finding.fingerprint in text
    assert tree_lines(text) > 10


def tree_lines(text: str) -> int:
    return text.count('class="source"') + text.count("<tr") + text.count("<li")


def test_one_verdict(
    warm: tuple[Path, Path], whole: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    victim = whole.findings[0]
    monkeypatch.setattr(
        Verifier,
        "verify",
        failing(
            Verifier.verify,
            lambda self, path, *_: path.steps[-1].fn.name == victim.function,
            ERRORS[1],
        ),
    )
    found = broken(warm, tmp_path, monkeypatch, verify=True)
    mine = [f for f in found.findings if f.function == victim.function]
    assert [f.verdict for f in mine] == ["unmodelled"] * len(mine)
    assert any(f.verdict not in (None, "unmodelled") for f in found.findings)
    assert all("RecursionError" in i.reason for i in found.incomplete)
    assert found.incomplete


@pytest.mark.parametrize("step", ["link", "decode_facts"])
def test_a_fault_of_the_whole_costs_its_profile(
    warm: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def fails(*_: object) -> None:
        raise ERRORS[0]

    monkeypatch.setattr(f"ctxlint.units.index.{step}", fails)
    found = broken(warm, tmp_path, monkeypatch)
    assert found.findings == ()
    assert found.incomplete
    assert all("internal error: KeyError" in i.reason for i in found.incomplete)


def test_an_answer_that_is_no_unit_costs_it() -> None:
    """What a parser that was taken over sends is bytes and no more."""
    index = Index("tool")
    command = kbuild.CompileCommand(
        file="a.c", directory=Path("/"), arguments=(), build_class="kernel"
    )
    for extra in (b"", b"\xc1", b"\x90" * 40, msgspec.msgpack.encode((b"x", (), (), (), ()))):
        index.take("p", command, 0, b"", extra)
    assert [i.file for i in index.incomplete] == ["a.c"] * 4
    assert all("internal error" in i.reason for i in index.incomplete)
    assert index.facts == {}


def test_facts_keep_what_was_lost() -> None:
    found = summary.UnitFacts("u.c", (), (), (), (), (), (), ())
    assert decode_facts(msgspec.msgpack.encode(found)) == found
    assert program.link([found], ()).functions == {}


def test_reasons_have_one_line_and_a_place() -> None:
    try:
        load((Path("/no/such/rules"),))
    except Exception as error:
        assert "(rulebook/loader.py:" in reason_of(error)
    long = reason_of(ValueError("x\n" * 1000))
    assert "\n" not in long
    assert len(long) < 300
