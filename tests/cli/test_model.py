# SPDX-License-Identifier: GPL-2.0-or-later
"""``ctxlint model``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ctxlint.cli.main import main
from ctxlint.pipeline import scenario
from ctxlint.scenarios import schema


def out(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    code = main(["model", *argv])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    code, text, _ = out(capsys, "list")
    assert code == 0
    lines = text.splitlines()
    assert len(lines) == len(schema.load().scenarios) + 1
    assert [line for line in lines if line.startswith("X1-08 ") and "(unsupported)" in line]


@pytest.mark.slow
def test_a_splat_before_the_fix_and_none_after(capsys: pytest.CaptureFixture[str]) -> None:
    code, text, err = out(capsys, "run", "M0-01")
    assert code == 0
    before, after = text.split("== after the fix, PREEMPT_RT")[:2]
    after = after.split("\n== ")[0]
    assert "BUG: sleeping function called from invalid context" in before
    assert "name: swapper/1" in before and "notify_cpu_starting+0x" in before
    assert "Verdict: CONFIRMED_SPLAT" in before
    assert "in_atomic()" not in after and "Verdict: REFUTED" in after
    assert "2 runs of kernel files left out" in err


def test_the_table_is_narrow_and_names_what_was_not_run(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, text, err = out(capsys, "run", "M0-20", "M0-16", "--format", "table")
    assert code == 0
    assert max(map(len, text.splitlines())) <= 80
    assert "needs a kernel tree (--tree)" in text and "M0-16" in err
    assert "the specification says" in text


def test_a_difference_is_an_exit_code(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    where = Path(schema.rules_directory()) / "scenarios"
    for path in sorted(where.glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        (tmp_path / path.name).write_text(
            text.replace("memory again, count: 1", "memory again, count: 2")
        )
    real = schema.load
    monkeypatch.setattr(schema, "load", lambda directory=None: real(tmp_path))
    code, text, _ = out(capsys, "run", "M0-22", "--format", "json")
    (result,) = json.loads(text)
    assert code == 1
    assert [run["differences"] != [] for run in result["runs"]] == [True, False]


def test_side_by_side_gives_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    one = out(capsys, "run", "M0-13", "M0-14", "--format", "json")
    two = out(capsys, "run", "M0-13", "M0-14", "--format", "json", "--jobs", "2")
    assert one[:2] == two[:2]


@pytest.mark.parametrize("style", ["table", "text"])
def test_each_result_is_printed_when_it_is_there(
    style: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = scenario.run_many

    def slow(*args: Any, **options: Any) -> Iterator[dict[str, Any]]:
        """What has been written when the second result is asked for."""
        for result in real(*args, **options):
            yield result
            assert result["id"] in capfd.readouterr().out

    monkeypatch.setattr(scenario, "run_many", slow)
    assert main(["model", "run", "M0-13", "M0-14", "--format", style]) == 0


def test_results_of_several_processes_come_one_by_one() -> None:
    catalogue = schema.load()
    results = scenario.run_many(catalogue, ["M0-13", "M0-14"], jobs=2)
    assert next(results)["id"] == "M0-13"
    assert [result["id"] for result in results] == ["M0-14"]


def test_trace(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    page = tmp_path / "out.html"
    code, _, _ = out(capsys, "trace", "M0-01", "--html", str(page))
    text = page.read_text(encoding="utf-8")
    assert code == 0
    assert text.count("<th>CPU3</th>") == 4
    assert re.search(
        r'<tr class="prints"><td>\d+</td><td></td><td><span class="word off"', text
    )
    assert "http" not in text.replace("http-equiv", "")


@pytest.mark.parametrize(
    ("argv", "complaint"),
    [
        (("run",), "name scenarios, or use --all"),
        (("run", "M0-01", "--all"), "name scenarios, or use --all"),
        (("run", "M9-99"), "no scenario is called M9-99"),
        (("run", "M0-01", "--only", "x"), "no run is called 'x'"),
    ],
)
def test_wrong_requests(
    capsys: pytest.CaptureFixture[str], argv: tuple[str, ...], complaint: str
) -> None:
    code, _, err = out(capsys, *argv)
    assert code == 2
    assert complaint in err


MODEL = """
int frob_wait(struct frob *frob, unsigned int flags)
{
	if (flags & 0x400)
		__might_sleep("drivers/frob/core.c", 120);
	return flags + 1;
}
"""


def test_one_model_function(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Of a file that is not among the tool's: what it says in each context."""
    file = tmp_path / "frob.c"
    file.write_text("struct frob;\n" + MODEL)
    call = ("call", "frob_wait", "--file", str(file), "--rt", "--in", "hardirq")
    code, text, _ = out(capsys, *call, "--in", "kworker", "flags=__GFP_DIRECT_RECLAIM")
    assert code == 1
    hard, worker = text.split("frob_wait() in kworker, PREEMPT_RT: ")
    assert hard.startswith(
        "frob_wait() in hardirq, PREEMPT_RT: returns 1025\n    BUG: sleeping"
    )
    assert "called from invalid context at drivers/frob/core.c:120\n" in hard
    assert hard.count("BUG:") == 1 and " frob_wait+0x" in hard
    assert worker == "returns 1025\n"
    assert out(capsys, *call)[:2] == (0, "frob_wait() in hardirq, PREEMPT_RT: returns 1\n")


def test_what_a_model_function_calls_may_be_missing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "frob.c"
    file.write_text(
        "void no_such_function(void);\nvoid frob_end(void) { no_such_function(); }\n"
    )
    code, text, _ = out(capsys, "call", "frob_end", "--file", str(file), "--no-rt")
    assert code == 3
    assert text == "frob_end() in task, no PREEMPT_RT: not modelled: no_such_function\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("mutex_lokc",), "no model function is called mutex_lokc"),
        (("mutex_lock", "key=1"), "no parameter of mutex_lock() is called key"),
        (("mutex_lock", "lock=GFP_NONE"), "'GFP_NONE' is neither a number nor a constant"),
        (("mutex_lock", "lock"), "PARAMETER=VALUE"),
        (("mutex_lock", "--in", "hardirk"), "no execution context is called hardirk"),
    ],
)
def test_what_cannot_be_called(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    code, _, err = out(capsys, "call", *arguments)
    assert code == 2 and said in err
