# SPDX-License-Identifier: GPL-2.0-or-later
"""Logs as people post them: of all architectures and ages, quoted, cut and decoded.

``posted/`` holds logs made after ones that were posted (other names, numbers and
machines), with what must be read of each in ``expected.yaml``, and in ``public.yaml``
the log too.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ctxlint.cli.main import main
from ctxlint.cli.splat import render
from ctxlint.kernel_log.context import count_of, interrupts_off
from ctxlint.kernel_log.format import lines
from ctxlint.kernel_log.parse import parse
from ctxlint.pipeline.splat import SplatAnswer, SplatReport, explain

POSTED = Path(__file__).parent / "posted"
WORDS = {True: "off", False: "on", None: "unknown"}


def expected() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path in sorted(POSTED.glob("*.yaml")):
        found |= yaml.load(path.read_bytes(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return found


EXPECTED = expected()


def log_of(name: str) -> str:
    """The log: a file of its own, or beside its answer."""
    if "log" in EXPECTED[name]:
        return str(EXPECTED[name]["log"])
    return (POSTED / name).read_text()


def seen(answer: SplatAnswer, wanted: dict[str, Any]) -> dict[str, Any]:
    """What was read, in the words of ``expected.yaml``."""
    splat, count = answer.record, count_of(answer.record)
    title = answer.context.title if answer.context is not None else ""
    held = splat.held.locks if splat.held is not None else ()
    found = {
        "kind": answer.kind,
        "headline": [x for x in wanted.get("headline", ()) if x in answer.headline],
        "place": answer.place,
        "cpu": splat.cpu,
        "task": wanted.get("task") if wanted.get("task", "") in answer.task else answer.task,
        "pid": wanted.get("pid") if f"pid {wanted.get('pid')}" in answer.task else answer.task,
        "irqs": WORDS[interrupts_off(splat)],
        "count": count.value if count is not None else None,
        "context": wanted.get("context") if wanted.get("context", "") in title else title,
        "frames": len(splat.frames),
        "held": len(held),
        "stack": list(answer.frames[: len(wanted.get("stack", ()))]),
    }
    return {key: value for key, value in found.items() if key in wanted}


def text_of(report: SplatReport) -> str:
    return " ".join(render(report).split())


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_posted(name: str) -> None:
    wanted = dict(EXPECTED[name])
    wanted.pop("log", None)
    report = explain(log_of(name), None, None, None)  # type: ignore[arg-type]
    assert sum(1 + a.same for a in report.splats) == wanted.pop("splats", 1)
    assert [item.line for item in report.unread] == wanted.pop("unread", [])
    text = text_of(report)
    says = wanted.pop("says", [])
    assert [x for x in says if x in text] == says
    assert [x for x in wanted.pop("not", ()) if x in text] == []
    at = wanted.pop("at", 0)
    if report.splats:
        assert seen(report.splats[at], wanted) == wanted


def test_every_log_is_judged() -> None:
    assert {path.name for path in POSTED.glob("*.txt")} == {
        name for name, wanted in EXPECTED.items() if "log" not in wanted
    }


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_posted_logs_lose_nothing(name: str) -> None:
    log = parse(log_of(name))
    for located in log.splats:
        assert lines(located.splat) == list(located.lines)


X86 = """\
BUG: sleeping function called from invalid context at kernel/locking/spinlock_rt.c:46
in_atomic(): 1, irqs_disabled(): 1, non_block: 0, pid: 0, name: swapper/2
preempt_count: 1, expected: 0
CPU: 2 PID: 0 Comm: swapper/2 Not tainted 6.1.0-13-rt-amd64 #1
Call Trace:
 <TASK>
 __might_resched.cold+0xdf/0xf2
 rt_spin_lock+0x3c/0xd0
 frob_starting_cpu+0x20/0x40 [frob]
 notify_cpu_starting+0x6a/0x90
 </TASK>
"""
T = "[    1.234567]"


@pytest.mark.parametrize(
    "prefix",
    [
        "  ", "    ", "\t", f"  {T} ", f"    {T} ", f"\t{T} ", "| ", f"| {T} ", "> ", "> > > ",
        f">>> {T} ", "kernel: ", "Nov 29 16:10:21 kernel: ", "Nov 29 16:10:21 host kernel: ",
        "Sun 2026-11-29 16:10:21 UTC host kernel: ", f"{T} host kernel: ",
        "1764432621.123456 host kernel: ", "nov. 29 16:10:21 host kernel: ",
        "29. Nov 16:10:21 host kernel: ", "M\u00e4r 29 16:10:21 host kernel: ",
        f"Nov 29 16:10:21 host kernel[0]: {T} ", f"host kern.err kernel: {T} ",
        "Sun Nov 29 16:10:21 2026 kern.err kernel: ",
        f"Sun Nov 29 16:10:21 2026 kern.warn kernel: {T} ",
        "3,630,413574879,-;", "3,630,413574879,-,caller=T1;", f"{T}[    T1/swapper/0] ",
        f"<3>{T} c3 ", f"<3>{T} (3)[0:swapper/3]", f"{T} [3:    swapper/3:    0] ",
        "11-29 16:10:21.123     0     0 E         : ", f"2026-11-29T16:10:21.123456  {T} ",
        f"[2026-11-29 16:10:21] {T} ", f"16:10:21 {T} ", f"16:10:21.123 {T} ",
        "[    1.234567 <    0.000012>] ", "[Sun Nov 29 16:10:21.123456 2026] ",
        "kern  :err   : ", f"\x1b[33m{T} \x1b[0m\x1b[31m", "\ufeff", "[\u00a0   1.234567] ",
        f"qemu-arm64(7)| {T} ", "console-3 >> ", "/dev/ttyUSB0: ", f"{T}[   T12@C3] ",
    ],
)  # fmt: skip
def test_prefixes(prefix: str) -> None:
    """Whatever stands before the lines, the splat is the same."""
    (plain,) = parse(X86).splats
    for ending in ("\n", "   \n", "\r\n"):
        text = "".join(prefix + line + ending for line in X86.splitlines())
        log = parse("boot\n" + text)
        assert [located.splat for located in log.splats] == [plain.splat]
        assert log.splats[0].line == 2 and log.unread == ()


def test_a_dictionary_of_a_test_lab() -> None:
    lines_ = [f'- {{"dt": "2026-11-29T16:10:21", "lvl": "target", "msg": "{T} {x}"}}'
              for x in X86.splitlines()]  # fmt: skip
    (located,) = parse("\n".join(lines_)).splats
    assert located.splat == parse(X86).splats[0].splat


def sleeping(name: str, pid: int, cpu: int) -> list[str]:
    return [
        "BUG: sleeping function called from invalid context at mm/slab.h:567",
        f"in_atomic(): 1, irqs_disabled(): 128, non_block: 0, pid: {pid}, name: {name}",
        f"CPU: {cpu} PID: {pid} Comm: {name} Not tainted 5.8.0 #1",
        "Call trace:",
        f" frob_{name}+0x1/0x2",
    ]


def test_two_cpus_at_once_are_taken_apart_by_their_tasks() -> None:
    """No prefix says whose a line is: the line of the CPU names a task."""
    one, two = sleeping("one", 11, 1), sleeping("two", 22, 2)
    mixed = [one[0], one[1], two[0], two[1], *one[2:], *two[2:]]
    log = parse("\n".join(mixed))
    assert [(x.splat.name, x.splat.pid, x.splat.cpu) for x in log.splats] == [
        ("one", 11, 1), ("two", 22, 2),
    ]  # fmt: skip
    assert [[f.symbol for f in x.splat.frames] for x in log.splats] == [
        ["frob_one"], ["frob_two"],
    ]  # fmt: skip


def test_a_line_of_another_task_is_not_joined() -> None:
    one, two = sleeping("one", 11, 1), sleeping("two", 22, 2)
    log = parse("\n".join([one[0], one[1], two[2], *two[3:]]))
    (located,) = log.splats
    assert (located.splat.name, located.splat.pid, located.splat.cpu) == ("one", 11, None)


@pytest.mark.parametrize(
    "line",
    [
        "BUG: a kind that nobody has heard of",
        "[    1.000000] INFO: rcu_frob does what it never did",
        "[ BUG: frob! ]",
        "Call trace:",
        "WARNING: CPU: 1 PID:",
        "> [    1.000000] Kernel panic - or so",
    ],
)
def test_what_is_not_understood_is_told(
    line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "log"
    log.write_text(f"first\n{line}\n")
    assert main(["splat", str(log)]) == 3
    assert "not read    line 2: " in capsys.readouterr().out


@pytest.mark.parametrize(
    "line",
    ["WARNING: this takes a while.", "see the BUG: below", "a word of BUG: s", "all well"],
)
def test_prose_is_no_splat(line: str) -> None:
    log = parse(line)
    assert log.splats == () and log.unread == ()
