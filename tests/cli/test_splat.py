# SPDX-License-Identifier: GPL-2.0-or-later
"""``ctxlint splat``: what is printed, and the exit codes."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from ctxlint.cli.main import main
from ctxlint.findings.model import Incomplete
from ctxlint.pipeline import splat as pipeline

ROOT = Path(__file__).parents[2]
LOGS = ROOT / "tests/kernel_log/logs"
XEN = LOGS / "warn-5.15-xen.txt"
TREE = ROOT / "fixtures/tree"

EXPECTED = """\
1. WARNING: CPU: 30 PID: 0 at drivers/irqchip/irq-gic-v3-its.c:3074
   its_cpu_init+0x814/0xae0
  log         line 1 at 0.403737
  what        a condition that should never be true was true
  on          CPU 30, swapper/30 (pid 0)
  error       -19 (ENODEV), if x0 still holds what the condition tested
  context     CPU hotplug STARTING callback
              runs with interrupts off on the CPU that is brought up, in its
              idle task, before it is online
  state       interrupts off
  because     frames notify_cpu_starting; task swapper/30 (pid 0)
  stack       its_cpu_init < gic_starting_cpu < cpuhp_invoke_callback <
              cpuhp_invoke_callback_range < notify_cpu_starting <
              secondary_start_kernel, ...
  no finding  no findings to compare with; --tree or --result gives some

1 splat, 0 other lines
"""


def test_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["splat", str(XEN)]) == 1
    assert capsys.readouterr().out == EXPECTED


def test_standard_input(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Input:
        buffer = io.BytesIO(XEN.read_bytes() + b"\xff\n")

    monkeypatch.setattr("sys.stdin", Input)
    assert main(["splat", "-"]) == 1
    assert "1 splat, 1 other line" in capsys.readouterr().out


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["splat", str(XEN), "-f", "json"]) == 1
    report = json.loads(capsys.readouterr().out)
    (splat,) = report["splats"]
    assert splat["kind"] == "warning" and splat["record"]["kind"] == "warning"
    assert splat["context"]["section"] == "STARTING"
    assert splat["error"] == ["x0", "-19 (ENODEV)"]
    assert splat["record"]["frames"][0]["symbol"] == "its_cpu_init"


def test_a_log_without_splats(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "dmesg"
    log.write_text("[    0.000000] all is well\n")
    assert main(["splat", str(log)]) == 0
    assert capsys.readouterr().out == "0 splats, 1 other line\n"


@pytest.mark.parametrize(
    "words, message",
    [
        (["/nowhere"], "No such file"),
        ([str(XEN), "drivers"], "PATHS need a tree"),
        ([str(XEN), "--result", str(XEN)], "not a saved ctxlint result"),
        ([str(XEN), "--tree", "/"], "tree"),
        ([str(XEN), "--format", "sarif"], "sarif"),
    ],
)
def test_wrong_use(capsys: pytest.CaptureFixture[str], words: list[str], message: str) -> None:
    assert main(["splat", *words]) == 2
    said = capsys.readouterr()
    assert message in said.err and said.out == ""


def test_with_a_tree(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "dmesg"
    text = (LOGS / "sleeping-starting.txt").read_text()
    text = text.replace("its_cpu_init", "lily_its_cpu_init")
    log.write_text(text.replace("gic_starting_cpu", "lily_starting_cpu"))
    words = ["--tree", str(TREE), "--build", str(TREE / "builds/rt"), "-j", "1", "-q"]
    words += ["--cache", str(tmp_path / "cache")]
    assert main(["splat", str(log), *words]) == 1
    out = capsys.readouterr().out
    assert all(len(line) <= 80 for line in out.splitlines())
    assert "finding     rt-sleep-in-atomic at drivers/irqchip/irq-lily-its.c:" in out
    assert "lily_starting_cpu() is cpuhp startup for" in out
    assert "looked in   drivers/irqchip/irq-lily-its.c, drivers/irqchip/irq-lily.c" in out
    assert str(TREE) not in out


def test_what_could_not_be_analysed_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = Incomplete(file="a.c", profile="rt", reason="does not parse")
    report = pipeline.SplatReport(splats=(), lines=1, incomplete=(gone,))
    monkeypatch.setattr(pipeline, "explain", lambda *_: report)
    assert main(["splat", str(XEN)]) == 3
    assert "incomplete  a.c [rt]: does not parse" in capsys.readouterr().out


def test_nothing_of_the_log_reaches_the_terminal_as_control(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "dmesg"
    log.write_text("Kernel panic - not syncing: \x1b]0;owned\x07\x1b[31m\n")
    assert main(["splat", str(log)]) == 1
    assert "\x1b" not in capsys.readouterr().out
