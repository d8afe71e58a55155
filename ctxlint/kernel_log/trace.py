# SPDX-License-Identifier: GPL-2.0-or-later
"""Call traces: each line is read and written by a pair of functions.

What stands before a symbol tells the architecture and the age of a kernel (addresses
in brackets up to 4.x on x86 and arm64, still on riscv, mips, s390 and loongarch; the
stack pointer too on powerpc; ``callee from caller`` on arm), what stands behind it
whether a script decoded the trace: scripts/decode_stacktrace.sh puts places in
parentheses, syzbot puts them bare and marks what is inlined.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from ctxlint.kernel_log.types import Frame, Splat

Lines = Sequence[str]

_PLACE = (
    r"(?:[\w./+@~-]+\.(?:[chS]|rs|inc):\d+(?::\d+)?(?:\ \(discriminator\ \d+\))?|\?\?:[?0])"
)
PLACES = rf"(?:{_PLACE}|\({_PLACE}(?:\ {_PLACE})*\))"
"""Where the source of a frame is: one place, or several in parentheses."""
_ADDRESS = (
    r"(?:\[<?(?:(?:0x)?[0-9a-f]{4,16}|\ {0,2}\(_{0,4}(?:ptrval|null)_{0,4}\))>?\]\ {0,2})"
)
_SYMBOL = r"[A-Za-z_.$][\w.$]*(?:::[\w.$]+)*"
_FRAME = re.compile(
    rf"""(?P<indent>\s*)(?:<(?P<mark>/?[A-Z\#0-9]+)>\s*)?
    (?P<before>\(?{_ADDRESS}{{0,2}}\(?)
    (?P<maybe>\?\ )?(?P<symbol>{_SYMBOL})
    (?:\+(?:0x)?(?P<offset>[0-9a-f]{{1,16}})(?:/(?:0x)?(?P<size>[0-9a-f]{{1,16}}))?)?
    (?:\ (?P<place>{PLACES}))?(?P<inline>\ \[inline\])?
    (?:\ \[(?P<module>[^\]]+)\])?(?:\ (?P<tail>\((?:[A-Z]+|unreliable)\)))?\)?""",
    re.VERBOSE,
)
_FROM = re.compile(
    rf"(?P<inner>[^\s].*?)\ from\ (?P<outer>{_ADDRESS}?\(?(?:{_SYMBOL}|0x[0-9a-f]+).*)"
)
_BARE = re.compile(
    rf"(?P<indent>\s*)(?P<before>\(?{_ADDRESS}{{0,2}}\(?)(?P<maybe>\?\ )?"
    r"(?P<symbol>0x[0-9a-f]{1,16}|\((?:ptrval|null)\))(?:\ \[(?P<module>[^\]]+)\])?"
    r"(?:\ (?P<tail>\((?:[A-Z]+|unreliable)\)))?\)?"
)
_MARK = re.compile(r"(?P<indent>\s*)<(?P<close>/?)(?P<stack>[A-Z#0-9]+)>")
_MODULE_WORD = re.compile(r"(?P<frame>.*\)) (?P<module>[a-z][a-z0-9_]*)")
_ENTERED = re.compile(
    r"(?P<before>Function entered at )(?P<inner>\[<[0-9a-f]{8,16}>\])"
    r" from (?P<outer>\[<[0-9a-f]{8,16}>\])"
)
"""What arm prints without CONFIG_KALLSYMS: addresses alone."""
_BEFORE = re.compile(r"^0x[0-9a-f]{8,16} (?=[a-z_])")
_NAME = re.compile(r"\s*(?:\? )?[a-z_][a-z0-9_.]*(?: \[[\w-]+\])?")
TITLES = {
    "Call trace:": "arm64", "Call Trace:": "x86", "Backtrace:": "arm64",
    "Stack Trace:": "arm64",
}  # fmt: skip


def frame_of(text: str) -> Frame | None:
    """The frame of a line, without what stack it is on; None for other lines."""
    if " from " in text:
        entered = _ENTERED.fullmatch(text.strip())
        if entered is not None:
            outer = Frame(entered["outer"])
            return Frame(entered["inner"], before=entered["before"], outer=outer)
        both = _FROM.fullmatch(text.strip())
        if both is not None:
            inner, caller = _single(both["inner"], True), _single(both["outer"], True)
            if inner is None or caller is None:
                return None
            return _replace(inner, outer=caller)
    found = _single(text)
    if found is None and text.count(")") > 0:
        word = _MODULE_WORD.fullmatch(text)
        found = _single(word["frame"]) if word is not None else None
        if found is not None and found.place and word is not None:
            return _replace(found, module=word["module"])
        return None
    return found


def _replace(frame: Frame, **values: Any) -> Frame:
    return msgspec.structs.replace(frame, **values)


def _single(text: str, named: bool = False) -> Frame | None:
    found = _FRAME.fullmatch(text)
    if found is not None:
        # A word alone is no frame: an offset or a place must come with it.
        if found["offset"] is None and found["place"] is None and not named:
            return None
        return Frame(
            found["symbol"],
            int(found["offset"] or "0", 16),
            int(found["size"], 16) if found["size"] is not None else None,
            found["module"] or "",
            found["maybe"] is None,
            tail=found["tail"] or "",
            before=found["before"],
            place=found["place"] or "",
            inline=found["inline"] is not None,
            short=found["offset"] is not None and found["size"] is None,
        )
    found = _BARE.fullmatch(text)
    if found is None or not (found["indent"] or found["before"]):
        return None
    return Frame(
        found["symbol"],
        module=found["module"] or "",
        reliable=found["maybe"] is None,
        tail=found["tail"] or "",
        before=found["before"],
    )


def is_trace(line: str) -> bool:
    """A title, a frame or a mark of a call trace."""
    return line in TITLES or _MARK.fullmatch(line) is not None or frame_of(line) is not None


def is_name(line: str) -> bool:
    """A function's name alone: a frame of which somebody took the offset, or a word."""
    return _NAME.fullmatch(line) is not None


def is_sure(line: str) -> bool:
    """A frame that nothing else looks like: one with an offset and a size, or decoded."""
    frame = frame_of(line)
    return frame is not None and (
        frame.outer is not None or frame.size is not None or frame.inline
    )


def read_trace(lines: Lines) -> dict[str, Any]:
    arch = TITLES.get(lines[0], "arm64")
    frames: list[Frame] = []
    indent: str | None = None
    stack = "" if arch == "x86" else "TASK"
    for line in lines:
        if line in TITLES:
            continue
        mark = _MARK.fullmatch(line)
        if mark is not None:
            stack = "" if mark["close"] else mark["stack"]
            continue
        frame = frame_of(line) or _single(line, True)
        if frame is None:
            continue
        text = line.lstrip()
        if text.startswith("<") and (mark := _MARK.match(text)) is not None:
            stack = "" if mark["close"] or mark["stack"] in ("EOI", "EOE") else mark["stack"]
        frames.append(_replace(frame, stack=stack))
        indent = line[: len(line) - len(text)] if indent is None else indent
    if not frames:
        return {}
    return {"arch": arch, "frames": tuple(frames), "indent": indent}


def write_trace(splat: Splat) -> list[str]:
    if not splat.frames:
        return []
    x86 = splat.arch == "x86"
    out = ["Call Trace:" if x86 else "Call trace:"]
    stack = ""
    for frame in splat.frames:
        if x86 and frame.stack != stack:
            if stack:
                out.append(f"{splat.indent}</{stack}>")
            if frame.stack:
                out.append(f"{splat.indent}<{frame.stack}>")
            stack = frame.stack
        out.append(splat.indent + frame_text(frame))
    if x86 and stack:
        out.append(f"{splat.indent}</{stack}>")
    return out


def frame_text(frame: Frame) -> str:
    """A frame as it is printed, without what stands before it."""
    text = frame.before + ("" if frame.reliable else "? ") + frame.symbol
    if frame.size is not None:
        text += f"+{frame.offset:#x}/{frame.size:#x}"
    elif frame.short:
        text += f"+{frame.offset:#x}"
    if frame.place:
        text += f" {frame.place}"
    if frame.inline:
        text += " [inline]"
    if frame.module:
        text += f" [{frame.module}]"
    if frame.tail:
        text += f" {frame.tail}"
    if "(" in frame.before:
        text += ")"
    return text if frame.outer is None else f"{text} from {frame_text(frame.outer)}"


def functions(frames: Sequence[Frame]) -> Iterator[tuple[Frame, str]]:
    """Symbols on the stack that are certain, innermost first, each with its line. A
    line of arm has two; the outer one is the inner one of the next line as a rule."""
    sure = [frame for frame in frames if frame.reliable]
    for at, frame in enumerate(sure):
        yield frame, frame.symbol
        outer = frame.outer
        if outer is None:
            continue
        following = sure[at + 1] if at + 1 < len(sure) else None
        if following is None or following.symbol != outer.symbol:
            yield frame, outer.symbol


def places_of(frame: Frame) -> tuple[tuple[str, int], ...]:
    """The decoded places of a frame, as (file, line), outermost last."""
    return tuple(
        (file, int(line))
        for file, line in re.findall(r"([\w./+@~-]+\.(?:[chS]|rs)):(\d+)", frame.place)
        if len(line) < 9
    )


def symbol_of(where: str) -> str:
    """The function of ``f+0x1/0x2``, however it is decoded; ``""`` for an address."""
    frame = _single(_BEFORE.sub("", where.strip().removesuffix("()")), True)
    return "" if frame is None or frame.symbol.startswith(("0x", "(")) else frame.symbol
