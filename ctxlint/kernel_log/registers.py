# SPDX-License-Identifier: GPL-2.0-or-later
"""What saved registers show: whether interrupts were on, which function ran, and which
errno a value may have been. They are printed as each architecture likes."""

from __future__ import annotations

import errno
import re
from collections.abc import Callable, Iterable

from ctxlint.kernel_log.types import Record

PRIORITY_ON = 0xE0
"""Priority mask of the GIC that lets interrupts through (GIC_PRIO_IRQON)."""
_PMR = re.compile(r"\s*pmr(?:_save)?: ([0-9a-f]{1,8})")
_STATES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], bool]], ...] = (
    # arm64: PSTATE.I masks; arm: the flags line says it.
    (re.compile(r"\s*pstate ?: [0-9a-f]+ \([nN][zZ][cC][vV] [dD][aA](?P<irq>[iI])"),
     lambda m: m["irq"] == "I"),
    (re.compile(r"\s*Flags: \w+ +IRQs (?P<irq>on|off)"), lambda m: m["irq"] == "off"),
    (re.compile(r".*\bpstate ?: (?P<state>[0-9a-f]{8})$"),
     lambda m: bool(int(m["state"], 16) & 0x80)),
    # x86: the interrupt flag, of kernel mode alone.
    (re.compile(r"\s*[RE]SP: (?!0033|002b|0023|007b)\S+ +EFLAGS: (?P<flags>[0-9a-f]{1,16})"),
     lambda m: not int(m["flags"], 16) & 0x200),
    (re.compile(r"\s*EFLAGS: (?P<flags>[0-9a-f]{1,16})"),
     lambda m: not int(m["flags"], 16) & 0x200),
    (re.compile(r"\s*EIP: (?!0073)\S+ EFLAGS: (?P<flags>[0-9a-f]{1,16})"),
     lambda m: not int(m["flags"], 16) & 0x200),
    # powerpc: the software mask, else MSR.EE.
    (re.compile(r".*\bIRQMASK: (?P<mask>[0-9a-f]{1,2})\b"), lambda m: m["mask"] != "0"),
    (re.compile(r"\s*MSR: .*<(?P<bits>[A-Z,]+)>"), lambda m: "EE" not in m["bits"].split(",")),
    # riscv: SPIE, what SIE was before the trap.
    (re.compile(r"\s*status: (?P<status>[0-9a-f]{1,16}) badaddr"),
     lambda m: not int(m["status"], 16) & 0x20),
    # s390: the masks for I/O and external interrupts.
    (re.compile(r"\s*(?:Krnl PSW : )?R:\d T:\d IO:(?P<io>\d) EX:(?P<ex>\d)"),
     lambda m: (m["io"], m["ex"]) == ("0", "0")),
    (re.compile(r"\s*Krnl PSW : (?P<psw>[0-9a-f]{16}) "),
     lambda m: not int(m["psw"][:2], 16) & 3),
    # mips and loongarch: what was on before the exception.
    (re.compile(r"\s*Status: .*\b(?P<ie>IE)\b"), lambda _: False),
    (re.compile(r"\s*PRMD: .*(?P<ie>[+-])PIE"), lambda m: m["ie"] == "-"),
)  # fmt: skip
_STOPPED = (
    re.compile(r"\s*(?:RIP: 0010:|EIP: (?!00)|pc : |PC is at |epc ?: (?!\w+ ra)"
               r"|NIP \[[^\]]*\] )(?P<where>[\w.$]+\+0x\S+)"),
    re.compile(r"\s*IAOQ\[0\]: (?P<where>[\w.$]+\+0x\S+)"),
    re.compile(r"\s*Krnl PSW : .*\((?P<where>[\w.$]+\+0x[^)]*)\)"),
    re.compile(r"\s*(?:epc|ERA|era|pc)\s*: [0-9a-f]{8,16} (?P<where>[\w.$]+\+0x\S+)"),
    re.compile(r"\s*(?:RIP: 0010:|pc : |NIP \[[^\]]*\] )(?P<where>[\w.$]+ \(\S+:\d+.*)"),
    re.compile(r"\s*RIP: 0010:(?P<where>[\w.$]+ \S+:\d+ \[inline\])"),
    re.compile(r"\s*RIP: 0010:\[<[0-9a-f]+>\] +\[<[0-9a-f]+>\] (?P<where>[\w.$]+\+0x\S+)"),
)  # fmt: skip


def interrupts_off(lines: Iterable[str]) -> bool | None:
    """Whether interrupts were off where these registers were saved; None: they do not
    tell. On arm64 with priorities instead of the mask in PSTATE, both decide."""
    answer: bool | None = None
    for line in lines:
        masked = _PMR.match(line)
        if masked is not None and answer is False:
            return int(masked[1], 16) != PRIORITY_ON
        if answer is None:
            answer = _state(line)
    return answer


def priority_masked(lines: Iterable[str]) -> str:
    """The mask that keeps interrupts off although PSTATE does not (``""``: none)."""
    lines = list(lines)
    if not any((found := pattern.match(x)) and not off(found) for x in lines
               for pattern, off in _STATES[:1]):  # fmt: skip
        return ""
    for line in lines:
        masked = _PMR.match(line)
        if masked is not None and int(masked[1], 16) != PRIORITY_ON:
            return line.strip()
    return ""


def _state(line: str) -> bool | None:
    for pattern, off in _STATES:
        found = pattern.match(line)
        if found is not None:
            return off(found)
    return None


def stopped_in(lines: Iterable[str]) -> str:
    """``f+0x1/0x2`` of the saved program counter (``""``: not there)."""
    for line in lines:
        for pattern in _STOPPED:
            found = pattern.match(line)
            if found is not None:
                return found["where"]
    return ""


def error_hint(splat: Record) -> tuple[str, str] | None:
    """A register that holds a negative errno, as (register, ``"-19 (ENODEV)"``).

    A warning does not print the value that it tested, but the register of return
    values often still holds it when the test was all that the code did with it.
    """
    for line in splat.registers:
        for register, digits in re.findall(r"\b(x0|RAX) ?: ([0-9a-f]{16})\b", line):
            low = int(digits, 16) & 0xFFFFFFFF
            number = (1 << 32) - low
            if number in errno.errorcode:
                return register, f"-{number} ({errno.errorcode[number]})"
    return None
