# SPDX-License-Identifier: GPL-2.0-or-later
"""Logs that a mailer filled like prose or stored in quoted-printable, and two CPUs that
print at once: what is read is what was printed."""

from __future__ import annotations

import quopri
import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctxlint.kernel_log.parse import parse
from ctxlint.kernel_log.prefix import raw_lines
from ctxlint.kernel_log.reflow import decoded, unfold
from ctxlint.kernel_log.types import Sleeping, SpinlockBug

MESSAGES = [
    "BUG: sleeping function called from invalid context at kernel/locking/mutex.c:281",
    "in_atomic(): 1, irqs_disabled(): 0, non_block: 0, pid: 698, name: ip",
    "preempt_count: 1, expected: 0",
    "CPU: 31 PID: 698 Comm: ip Tainted: G S      W I       5.14.0-rc4 #2",
    "Call Trace:",
    " dump_stack_lvl+0x33/0x42",
    " ? frob_set+0x8b/0x1c0 [frob]",
    " ___might_sleep.cold.150+0xda/0xea",
    " mutex_lock+0x1c/0x40",
    " frob_remove+0xe3/0x180 [frob]",
    " frob_set+0x8b/0x1c0 [frob]",
]
LINES = [f"[  203.{273000 + 7 * n:06}] {text}" for n, text in enumerate(MESSAGES)]


def read(text: str) -> tuple[object, ...]:
    (located,) = parse(text).splats
    splat = located.splat
    assert isinstance(splat, Sleeping)
    frames = [(f.symbol, f.offset, f.reliable, f.module) for f in splat.frames]
    count = (splat.in_atomic, splat.irqs_disabled, splat.preempt_count)
    return splat.file, splat.line, splat.cpu, splat.name, splat.pid, count, frames


PLAIN = read("\n".join(LINES))


@pytest.mark.parametrize("quote", ["", "> ", "> > "])
@pytest.mark.parametrize("width", range(58, 120, 3))
def test_filled_paragraphs(width: int, quote: str) -> None:
    filled = textwrap.fill(
        "\n".join(LINES), width, break_long_words=False, break_on_hyphens=False,
        initial_indent=quote, subsequent_indent=quote,
    )  # fmt: skip
    text = f"{quote}see this:\n{quote}\n{filled}\n{quote}\n{quote}Regards"
    assert read(text) == PLAIN
    assert parse(text).unread == ()


@pytest.mark.parametrize("quote", ["", "> ", ">> "])
def test_quoted_printable(quote: str) -> None:
    text = "".join(f"{quote}{line}\n" for line in [*LINES, "a = b, and t\u00e4glich"])
    coded = quopri.encodestring(text.encode()).decode()
    assert coded != text
    assert read(coded) == PLAIN


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=120)))
def test_quoted_printable_is_undone(texts: list[str]) -> None:
    texts = [f"x{text}x" for text in [*texts, "=" * 3 + "\u00e4" * 60]]
    coded = quopri.encodestring("\n".join(texts).encode()).decode()
    assert [item.text for item in decoded(coded.split("\n"))] == texts


@settings(max_examples=200)
@given(st.lists(st.sampled_from([*LINES, "", "> x", "[ 1.000000] a [ 1.000001] b", "c ["])))
def test_every_line_is_somewhere(texts: list[str]) -> None:
    """Messages come in order, and no line is left out."""
    items = unfold(texts, lambda _: 0)
    numbers = [item.number for item in items]
    assert numbers == sorted(numbers)
    covered = {n for x in items for n in range(x.number, x.number + len(x.more) + 1)}
    assert covered == set(range(1, len(texts) + 1))


def storm(cpu: int, task: str, pid: int) -> list[str]:
    return [
        f"BUG: spinlock lockup suspected on CPU#{cpu}, {task}/{pid}",
        " lock: 0xffffffc07bed2e00, .magic: dead4ead, .owner: frob/2270, .owner_cpu: 0",
        f"CPU: {cpu} PID: {pid} Comm: {task} Tainted: G      D         4.4.89 #1",
        "Call trace:",
        *(f"[<ffffff800808c00{n}>] frob_{task}_{n}+0x0/0x1e0" for n in range(6)),
    ]


@pytest.mark.parametrize("at", range(5, 10))
def test_a_splat_begins_while_another_goes_on(at: int) -> None:
    """The second one gets frames only below its own line of the CPU."""
    one, two = storm(2, "one", 11), storm(1, "two", 22)
    log = parse("\n".join([*one[:at], *two[:2], *one[at:], *two[2:]]))
    first, second = (located.splat for located in log.splats)
    assert isinstance(first, SpinlockBug) and isinstance(second, SpinlockBug)
    assert [f.symbol for f in first.frames] == [f"frob_one_{n}" for n in range(6)]
    assert [f.symbol for f in second.frames] == [f"frob_two_{n}" for n in range(6)]
    assert (first.cpu, second.cpu) == (2, 1)


def test_a_cpu_that_was_asked_prints_for_the_one_that_asked() -> None:
    texts = [
        "[    1.000000][    C1] watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [frob:9]",
        "[    1.000001][    C1] CPU: 1 PID: 9 Comm: frob Not tainted 5.10.0 #1",
        "[    1.000002][    C1] Call Trace:",
        "[    1.000003][    C1]  frob_loop+0x1/0x2",
        "[    1.000004][    C1] Sending NMI from CPU 1 to CPUs 0:",
        "[    1.000005][    C0] NMI backtrace for cpu 0",
        "[    1.000006][    C0] CPU: 0 PID: 8 Comm: other Not tainted 5.10.0 #1",
        "[    1.000007][    C0] Call Trace:",
        "[    1.000008][    C0]  other_loop+0x1/0x2",
    ]
    log = parse("\n".join(texts))
    (located,) = log.splats
    assert [f.symbol for f in located.splat.frames] == ["frob_loop"]
    assert (located.splat.cpu, log.unread) == (1, ())
    assert log.rest == () or set(log.rest) <= set(raw_lines("\n".join(texts)))
