# SPDX-License-Identifier: GPL-2.0-or-later
"""What a stranger's log can do to the readers: nothing. Their time is linear in the log,
and no bytes end in an exception."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from ctxlint.cli.splat import render
from ctxlint.kernel_log.format import lines
from ctxlint.kernel_log.parse import parse
from ctxlint.kernel_log.prefix import raw_lines, split
from ctxlint.pipeline.splat import explain

from .test_posted import EXPECTED, log_of

LOGS = Path(__file__).parent / "logs"
HEAD = "BUG: scheduling while atomic: a/1/0x00000002\n"
CPU = "CPU: 1 PID: 1 Comm: a Not tainted 6.12 #1\n"

GENERATORS: dict[str, Callable[[int], str]] = {
    "a trace": lambda n: HEAD + CPU + "Call trace:\n" + " f+0x1/0x2\n" * n,
    "traces": lambda n: (HEAD + CPU + "Call trace:\n f+0x1/0x2\n") * (n // 4),
    "headlines": lambda n: HEAD * n,
    "scissors": lambda n: "------------[ cut here ]------------\n" * n,
    "a message": lambda n: "------------[ cut here ]------------\n" + "word\n" * n,
    "rules": lambda n: "=====\n" * n,
    "lockdep": lambda n: "=====\nWARNING: possible circular locking dependency detected\n"
    + "-> #1 (a){+.+.}-{2:2}:\n       f+0x1/0x2\n" * n,
    "held": lambda n: HEAD + f"{n} locks held by a/1:\n"
    + "".join(f" #{i}: ffff (a){{+.+.}}-{{2:2}}, at: f+0x1/0x2\n" for i in range(n)),
    "strangers": lambda n: (HEAD + "word\n" * 3) * (n // 4),
    "wrapped": lambda n: "BUG: sleeping function called from invalid context at\n" * n,
    "a long line": lambda n: "BUG: scheduling while atomic: " + "a/1" * n + "\n",
    "slashes": lambda n: ("BUG: scheduling while atomic: " + "/1" * 1000 + "\n") * (n // 50),
    "quotes": lambda n: "> " * n + HEAD,
    "prefixes": lambda n: ("[    1.000000] " * 20 + "x\n") * (n // 4),
    "unknown prefixes": lambda n: "".join(f"x{i % 7}y> {HEAD}" for i in range(n)),
    "blank": lambda n: HEAD + "\n" * n,
    "blanks": lambda n: (" " * 300 + "x" + " " * 300 + "\n") * (n // 20),
    "parentheses": lambda n: ("[<ffff>] (f) from " * 20 + "\n") * (n // 8),
    "places": lambda n: HEAD + "Call trace:\n"
    + (" f (" + "a/b.c:12 " * 300 + "\n") * (n // 60),
    "hex": lambda n: HEAD + CPU + ("deadbeefdeadbeef " * 100 + "x\n") * (n // 40),
    "stalls": lambda n: "rcu: INFO: rcu_preempt self-detected stall on CPU\n"
    + "Call trace:\n f+0x1/0x2\n" * n,
    "filled": lambda n: "".join(
        f"{'abc'[i % 3]} b [    1.{i:06}] BUG: c [    1.{i:06}] d\n" for i in range(n)
    ),
    "filled by nothing": lambda n: "".join(f"{'abc'[i % 3]} [\n" for i in range(n)),
    "soft breaks": lambda n: "x=3D=\n" * n,
    "names": lambda n: HEAD + CPU + "Call trace:\n" + "a_name\n" * n,
    "broken frames": lambda n: HEAD + CPU + "Call trace:\n" + "f (a/b.c:1 /x\n" * n,
    "pads": lambda n: ("BUG: x" + " " * 100 + "y" * 20 + "\n") * (n // 8),
    "spinlocks": lambda n: "BUG: spinlock lockup on CPU#1, a/1\nf+0x1/0x2\n" * (n // 2),
    "asked": lambda n: "[    1.000000][   C1] Sending NMI from CPU 1 to CPUs 0:\n"
    + "[    1.000000][   C0] NMI backtrace for cpu 0\n" * n,
    "consoles": lambda n: ("x" * 90 + "[    1.000000] BUG: x\n") * (n // 8),
    "escapes": lambda n: ("\x1b[31m" * 100 + "x\n") * (n // 40),
}  # fmt: skip


def cost(text: str) -> float:
    """Seconds of processor time."""
    start = time.process_time()
    parse(text)
    return time.process_time() - start


@pytest.mark.parametrize("name", GENERATORS)
def test_reading_takes_linear_time(name: str) -> None:
    """Eight times the log takes far less than the 64 times of a quadratic reader, as
    measured in the processor's time, so that a busy machine does not matter; nor does one
    slow try of three."""
    make = GENERATORS[name]
    text = make(500)
    small = min(cost(text) for _ in range(3))
    text = make(4000)
    assert any(cost(text) < 24 * max(small, 0.002) for _ in range(3))


@pytest.mark.parametrize(
    "prefix", ["", "[    1.0] ", "[  1.000][T1] ", "kern  :err   : [    1.0] "]
)
@pytest.mark.parametrize(
    "head",
    [
        "BUG: scheduling while atomic: {}/1/0x00000002",
        "WARNING: CPU: 0 PID: 1 at {}.c:10 f+0x1/0x2",
        "Oops: {}",
        "INFO: task {}:1 blocked for more than 120 seconds.",
        "Kernel panic - not syncing: {}",
        "watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [{}:1]",
    ],
)
def test_a_headline_that_is_too_long_is_told(prefix: str, head: str) -> None:
    text = prefix + head.format("a" * 5000) + "\n" + CPU
    log = parse(text)
    assert not log.splats
    [unread] = log.unread
    assert unread.line == 1
    assert unread.text.startswith(head[:6])
    assert unread.text.endswith("4096 at most are read)") and len(unread.text) < 160
    assert parse("word " * 2000 + "\n").unread == ()


POOL = sorted(
    {line for name in EXPECTED for line in log_of(name).splitlines()}
    | {line for path in LOGS.glob("*.txt") for line in path.read_text().splitlines()}
)
WORDS = sorted({word for line in POOL for word in line.split()})


@settings(max_examples=examples(40), deadline=None)
@given(st.lists(st.sampled_from(POOL), max_size=50), st.sampled_from(("", "> ", "  ", "x: ")))
def test_any_mixture_of_posted_lines_is_kept(mixture: list[str], prefix: str) -> None:
    text = "\n".join(prefix + line for line in mixture)
    log = parse(text)
    for located in log.splats:
        assert lines(located.splat) == list(located.lines)
    taken = sum(len(located.lines) for located in log.splats)
    assert taken <= len(split(text))
    left = iter(raw_lines(text))
    assert all(line in left for line in log.rest)  # in order, as they were


@settings(max_examples=examples(30), deadline=None)
@given(st.lists(st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join), max_size=30))
def test_words_of_kernels_end_in_no_exception(mixture: list[str]) -> None:
    render(explain("\n".join(mixture), None, None, None))  # type: ignore[arg-type]


@settings(max_examples=examples(30), deadline=None)
@given(st.binary(max_size=400), st.sampled_from(POOL), st.integers(0, 200))
def test_any_bytes_end_in_no_exception(noise: bytes, line: str, at: int) -> None:
    data = line.encode()[:at] + noise + line.encode()[at:] + b"\n" + noise
    render(explain(data.decode("utf-8", "replace"), None, None, None))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "BUG: scheduling while atomic: a/" + "1" * 5000 + "/0x00000002",
        "BUG: scheduling while atomic: a/1/0x" + "f" * 5000,
        "in_atomic(): " + "1" * 4000 + ", irqs_disabled(): 0, pid: 1, name: a",
        "BUG: sleeping function called from invalid context at a.c:" + "9" * 4000,
        HEAD + "Call trace:\n f+0x" + "f" * 3000 + "/0x2",
        HEAD + "irq event stamp: " + "9" * 4090,
        "CPU: " + "1" * 4000 + " PID: 1 Comm: a Not tainted 6.1 #1",
        "WARNING: CPU: 1 PID: 1 at " + "a" * 300 + ".c:1 " + "f" * 300 + "+0x1/0x2",
        "\x00" * 5000,
        "[" * 4000,
        "(" * 4000,
        HEAD + "RCU nest depth: " + "-" * 10,
        HEAD + "irq event stamp: x",
    ],
    ids=range(13),
)
def test_numbers_and_names_of_any_length(text: str) -> None:
    render(explain(text + "\n", None, None, None))  # type: ignore[arg-type]
