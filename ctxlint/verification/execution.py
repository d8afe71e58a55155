# SPDX-License-Identifier: GPL-2.0-or-later
"""One execution with unknown values: it decides them, and notes what else was possible.

An execution is determined by its list of decisions. Where two answers are possible it
takes one and hands over the list with the other answer, which is run later from the start
(:mod:`ctxlint.verification.worklist`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from ctxlint.simulator.code import Frame
from ctxlint.simulator.image import PERCPU_STRIDE
from ctxlint.simulator.machine import STACK, Machine
from ctxlint.simulator.memory import PAGE, Object, sym_page
from ctxlint.simulator.outcome import Cut, Infeasible, Unmodelled
from ctxlint.simulator.runtime.context import TASKS
from ctxlint.simulator.unknowns import Sym, Value, text
from ctxlint.verification.byte_names import bit_fields, member_path, pointee
from ctxlint.verification.solver import Condition

UNKNOWN = 0xFFFF_E000_0000_0000
"""Where objects are put that unknown pointers turn out to point to."""

LOWEST = 1 << 16
"""No object lies below this address, or as near to the end of the address space."""
_SPACING = 1 << 34  # room for the copies of per-CPU objects around each
_FIRST = UNKNOWN + _SPACING
Decision = tuple[str, int]
"""``("?", 0 or 1)`` for a test that could go both ways, ``("-", 0 or 1)`` for one that
could not, ``("=", n)`` and ``("!", n)`` for "it is (not) n"."""


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What an exploration may cost. ``loops``: decisions at one branch in one call;
    ``values``: numbers that one value is tried as; ``paths``, ``questions`` (to the
    solver) and ``steps`` are for all executions of one path together, ``finding`` is how
    many times as much all paths of a finding may take. All are counts, so a verdict is the
    same on every machine."""

    decisions: int = 600
    loops: int = 4
    values: int = 6
    paths: int = 400
    questions: int = 1200
    steps: int = 3_000_000
    fuel: int = 300_000
    finding: int = 3


@dataclass(frozen=True)
class Taken:
    """A decision as a report shows it: the condition, its outcome, and the place."""

    value: Value
    truth: bool
    place: str
    function: str


Site = tuple[str, int]
"""Function and block of a decision."""
Fork = Callable[[tuple[Decision, ...], Site, bool], None]
"""Told of another list of decisions, where it differs and which way it goes there."""


class Guide(Protocol):
    """Tells which way leads on; see :mod:`ctxlint.verification.target`."""

    def prefer(self, frame: Frame | None) -> bool: ...


class Path:
    """A :class:`~ctxlint.simulator.unknowns.Decisions`. ``fork`` is told of every other list of
    decisions that is possible."""

    def __init__(
        self,
        prefix: tuple[Decision, ...],
        bounds: Bounds,
        fork: Fork,
        guide: Guide | None = None,
    ) -> None:
        self.prefix = prefix
        self.bounds = bounds
        self.fork = fork
        self.guide = guide
        self.condition = Condition()
        self.decisions: list[Decision] = []
        self.taken: list[Taken] = []
        self.m: Machine | None = None
        self.known: dict[int, int] = {}
        self.points_to: dict[int, str] = {}
        """Record keys by the identity of an unknown pointer."""
        self.pointers: set[int] = set()
        """Identities of unknowns that are pointers by their type."""
        self.bit_fields: dict[int, list[tuple[str, int, int]]] = {}
        """Names, shifts and widths of the bit-fields that an unknown consists of."""
        self._names: dict[str, int] = {}
        self._next_object = 0
        self._objects: dict[int, Object] = {}
        self._loops: dict[tuple[int, int], int] = {}
        self._frames: list[Frame] = []
        self._syms: list[Sym] = []
        self.likely: dict[int, int] = {}
        """Addresses of functions that unknown pointers most likely point to."""
        self.dependent: dict[int, tuple[Sym, Value]] = {}
        """Unknowns that were read where another value was known before, with that."""
        self.twins: dict[int, int] = {}
        """Objects that are another one unless a pointer changed: its address by theirs."""
        self.made: Callable[[int, int, int, Value], None] = lambda *_: None
        """Told of the unknown that bytes of a page became: page, offset, bytes."""
        self.late: Callable[[int], str] = lambda questions: ""
        """The bound for all executions that is used up, given this one's questions."""

    # unknowns

    def fresh(self, name: str, size: int, *, low: int = 0, high: int | None = None) -> Sym:
        """A new unknown of ``size`` bytes (unsigned), by default of any value."""
        count = self._names.get(name, 0)
        self._names[name] = count + 1
        shown = name if not count else f"{name}#{count + 1}"
        top = (1 << 8 * size) - 1 if high is None else high
        sym = Sym(self, "leaf", lo=low, hi=top, name=shown)
        self._syms.append(sym)
        return sym

    def attach(self, m: Machine) -> None:
        """Use the machine; unknown objects are backed in its memory."""
        self.m = m
        m.mem.back(UNKNOWN, UNKNOWN + (1 << 46), self._unknown_page)
        m.mem.back(TASKS, TASKS + (1 << 32), self._task_page)

    def object(self, name: str, type_key: str = "") -> Object:
        """A new object of unknown content and size."""
        base = _FIRST + self._next_object * _SPACING
        self._next_object += 1
        obj = Object(base, 1 << 20, name, "unknown", type_key)
        self._objects[self._next_object - 1] = obj
        return obj

    def _task_page(self, number: int) -> Any:
        """Of a task's record: what the runtime does not fill in is unknown."""
        assert self.m is not None
        address = number * PAGE
        obj = self.m.mem.object_at(address)
        if obj is None:
            return None
        return sym_page(namer=self.namer(obj, address))

    def _unknown_page(self, number: int) -> Any:
        address = number * PAGE
        obj = self.object_at(address)
        if obj is None:
            return None
        return sym_page(namer=self.namer(obj, address))

    def namer(self, obj: Object, page_address: int) -> Callable[[int, int], Value]:
        """Makes the unknowns of one page of an object, named after its members."""

        def name(offset: int, size: int) -> Value:
            value = self.member(obj, page_address + offset - obj.base, size)
            self.made(page_address // PAGE, offset, size, value)
            return value

        return name

    def object_at(self, address: int) -> Object | None:
        """The object of unknown content that an address belongs to."""
        if not UNKNOWN <= address < UNKNOWN + (1 << 46):
            return None
        return self._objects.get((address - _FIRST + _SPACING // 2) // _SPACING)

    def bound(self, value: Value) -> int | None:
        """The address that a pointer stands for; None when nothing was accessed with it."""
        if not isinstance(value, Sym):
            return value
        leaf, rest = pointer_of(value)
        base = self.known.get(id(leaf)) if leaf is not None else self.known.get(id(value))
        if base is None or not isinstance(rest, int):
            return None
        return (base + rest) & ((1 << 64) - 1) if leaf is not None else base

    def member(self, obj: Object, offset: int, size: int) -> Sym:
        """A new unknown for bytes of an object."""
        assert self.m is not None
        image = self.m.image
        sym = self.fresh(member_path(image, obj, offset, size), size)
        if size == image.pointer_bytes:
            target = pointee(image, obj, offset)
            if target is not None:
                self.points_to[id(sym)] = target
                self.pointers.add(id(sym))
        fields = bit_fields(image, obj, offset, size)
        if fields:
            self.bit_fields[id(sym)] = fields
        return sym

    # decisions

    def decide(self, value: Sym) -> bool:
        position = len(self.decisions)
        frame = self.m.stack[-1] if self.m is not None and self.m.stack else None
        if position < len(self.prefix):
            kind, answer = self.prefix[position]
            if kind not in "?-":
                raise Cut("an execution that could not be repeated")
            if kind == "?":
                self._loop(frame)
            return self._take(kind, value, bool(answer), frame)
        if position >= self.bounds.decisions:
            raise Cut(f"{self.bounds.decisions} decisions")
        late = self.late(self.condition.questions)
        if late:
            raise Cut(late)
        can, cannot = self.condition.possible(value)
        if can and cannot:
            self._loop(frame)
            first = self.guide.prefer(frame) if self.guide is not None else True
            other = (*self.decisions, ("?", int(not first)))
            self.fork(other, site_of(frame), not first)
            return self._take("?", value, first, frame)
        if not can and not cannot:
            raise Infeasible("no value is left")
        return self._take("-", value, can, frame)

    def _take(self, kind: str, value: Sym, truth: bool, frame: Frame | None) -> bool:
        self.decisions.append((kind, int(truth)))
        self.condition.add(value, truth)
        self._note(value, truth, frame)
        return truth

    def _note(self, value: Value, truth: bool, frame: Frame | None) -> None:
        assert self.m is not None
        place = self.m.place(frame) if frame is not None else ""
        function = frame.meta.name if frame is not None else ""
        self.taken.append(Taken(value, truth, place, function))

    def _loop(self, frame: Frame | None) -> None:
        if frame is None:
            return
        # In one call, and over all calls: a loop may be in the caller.
        self._frames.append(frame)  # its id must not be used again
        # A model function compares strings, say, of which one is known.
        loops = self.bounds.loops * (4 if frame.meta.model else 1)
        for key, most in (
            ((id(frame), frame.block), loops),
            ((id(frame.meta), frame.block), 3 * loops),
        ):
            self._loops[key] = self._loops.get(key, 0) + 1
            if self._loops[key] > most:
                assert self.m is not None
                raise Cut(f"{most} rounds of the loop at {self.m.place(frame)}")

    def pick(self, value: Sym) -> int:
        bound = self.known.get(id(value))
        if bound is not None:
            return bound
        if pointer_of(value)[0] is not None:
            return self.locate(value)
        return self._choose(value)

    def _choose(self, value: Sym) -> int:
        """Try numbers, one an execution."""
        tried = 0
        frame = self.m.stack[-1] if self.m is not None and self.m.stack else None
        while True:
            position = len(self.decisions)
            if position < len(self.prefix):
                kind, number = self.prefix[position]
            else:
                found = self._likely(value)
                if found is None:
                    raise Infeasible("no value is left")
                kind, number = "=", found
                if tried >= self.bounds.values:
                    raise Cut(f"{self.bounds.values} values of {text(value)}")
                if self.condition.feasible(value != number):
                    self.fork((*self.decisions, ("!", number)), site_of(frame), False)
            self.decisions.append((kind, number))
            if kind == "=":
                self._bind(value, number)
                self._note(value == number, True, frame)
                return number
            if kind != "!":
                raise Cut("an execution that could not be repeated")
            self.condition.add(value == number, False)
            tried += 1

    def _likely(self, value: Sym) -> int | None:
        """A number that it can be: a small one where that is possible."""
        if value.lo <= 0 <= value.hi and self.condition.feasible(value == 0):
            return 0
        return self.condition.some(value)

    def _bind(self, value: Sym, number: int) -> None:
        self.known[id(value)] = number
        self._syms.append(value)
        self.condition.add(value == number, True)

    def locate(self, value: Sym) -> int:
        """The address. An unknown pointer points to an object of its own, whose content
        is unknown too, so nothing is lost where it is in truth one that is known already;
        what it is equal to stays open (stores: :mod:`~ctxlint.verification.interference`)."""
        bound = self.known.get(id(value))
        if bound is not None:
            return bound
        leaf, rest = pointer_of(value)
        if leaf is not None:
            offset = rest if isinstance(rest, int) else self.pick(rest)
            base = self.known.get(id(leaf))
            if base is not None:
                return (base + offset) & ((1 << 64) - 1)
            obj = self.object(leaf.name, self.points_to.get(id(leaf), ""))
            # Offsets beyond an object's size are those of the CPUs' copies.
            wanted = obj.base - round(offset / PERCPU_STRIDE) * PERCPU_STRIDE
            test = leaf == wanted
            if not isinstance(test, Sym) or not self.condition.feasible(test):
                self._next_object -= 1
                number = self._choose(leaf)
                return (number + offset) & ((1 << 64) - 1)
            self.known[id(leaf)] = wanted
            self._syms.append(leaf)
            before = self.dependent.get(id(leaf))
            twin = None if before is None else self.bound(before[1])
            if twin is not None and STACK <= twin < STACK + (1 << 32):
                raise Unmodelled("a pointer to a local variable that others may have changed")
            if twin is not None:
                self.twins[wanted] = twin
            if abs(offset) < LOWEST:
                # What is accessed is there: neither NULL nor an error pointer.
                self.condition.add(leaf >= LOWEST, True)
                self.condition.add(leaf <= (1 << 64) - 2 * LOWEST, True)
            return (wanted + offset) & ((1 << 64) - 1)
        return self._choose(value) & ((1 << 64) - 1)


def site_of(frame: Frame | None) -> Site:
    return ("", 0) if frame is None else (frame.meta.fn.symbol, frame.block)


def pointer_of(value: Value) -> tuple[Sym | None, Value]:
    """``(unknown, offset)`` of a value that is the sum of an unknown pointer and numbers,
    known or not (an index, say)."""
    offset: Value = 0
    pointer: Sym | None = None
    stack: list[Value] = [value]
    while stack:
        at = stack.pop()
        if not isinstance(at, Sym):
            offset = offset + at
        elif at.op == "leaf" and at.hi >= (1 << 48) and pointer is None:
            pointer = at
        elif at.op == "+":
            stack += (at.a, at.b)
        elif at.op == "&" and at.b == (1 << 64) - 1:
            stack.append(at.a)
        else:
            offset = offset + at
    return (pointer, offset) if pointer is not None else (None, 0)
