# SPDX-License-Identifier: GPL-2.0-or-later
"""Memory against one number for each byte.

Values that are not known are leaves of which the test knows the number: whatever comes
out of memory as a term is computed with those numbers and compared.
"""

from __future__ import annotations

from examples import examples
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from ctxlint.simulator.memory import PAGE, Blob, Memory, sym_page
from ctxlint.simulator.unknowns import Sym, Value
from tests.simulator.fuzz.terms import Pinned, number_of

KNOWN, TWICE, UNKNOWN = 0x10000, 0x40000, 0x80000
"""Three pages of bytes; one page mapped at two addresses; two pages that are unknown."""

SIZES = st.sampled_from((1, 2, 4, 8, 3, 5, 6, 7))
SPOTS = st.one_of(
    st.integers(0, 24),
    st.integers(PAGE - 12, PAGE + 12),
    st.integers(0, 2 * PAGE - 64),
)


class Both(RuleBasedStateMachine):
    """The memory, and what its bytes are."""

    def __init__(self) -> None:
        super().__init__()
        self.decisions = Pinned()
        self.mem = Memory()
        self.bytes: dict[int, int] = {}
        page = bytearray(PAGE)
        self.mem.map(TWICE, page)
        self.mem.map(TWICE + PAGE, page)
        self.mem.back(KNOWN, KNOWN + 3 * PAGE, lambda number: bytearray(PAGE))
        self.mem.back(UNKNOWN, UNKNOWN + 3 * PAGE, self.unknown)

    @initialize(pattern=st.integers(1, 250))
    def begin(self, pattern: int) -> None:
        self.pattern = pattern

    def unknown(self, number: int) -> object:
        def name(offset: int, size: int) -> Value:
            address = number * PAGE + offset
            value = sum(self.byte(address + i) << 8 * i for i in range(size))
            return self.decisions.leaf(value, size)

        return sym_page(namer=name)

    def byte(self, address: int) -> int:
        if TWICE + PAGE <= address < TWICE + 2 * PAGE:
            address -= PAGE
        known = self.bytes.get(address)
        if known is None:
            known = (address * self.pattern >> 3) & 255 if address >= UNKNOWN else 0
        return known

    def put(self, address: int, number: int, size: int) -> None:
        for i in range(size):
            at = address + i
            if TWICE + PAGE <= at < TWICE + 2 * PAGE:
                at -= PAGE
            self.bytes[at] = number >> 8 * i & 255

    def want(self, address: int, size: int) -> int:
        return sum(self.byte(address + i) << 8 * i for i in range(size))

    @rule(base=st.sampled_from((KNOWN, TWICE, UNKNOWN)), spot=SPOTS, size=SIZES)
    def load(self, base: int, spot: int, size: int) -> None:
        address = base + spot
        short = {1: self.mem.l1, 4: self.mem.l4, 8: self.mem.l8}.get(size)
        value = self.mem.load(address, size) if short is None else short(address)
        assert number_of(value) == self.want(address, size)
        again = self.mem.load(address, size)
        assert number_of(again) == number_of(value)

    @rule(
        base=st.sampled_from((KNOWN, TWICE, UNKNOWN)), spot=SPOTS, size=SIZES,
        number=st.integers(0, (1 << 64) - 1), hidden=st.booleans(), signed=st.booleans(),
    )  # fmt: skip
    def store(
        self, base: int, spot: int, size: int, number: int, hidden: bool, signed: bool
    ) -> None:
        number &= (1 << 8 * size) - 1
        value: Value = self.decisions.leaf(number, size) if hidden else number
        if signed and number >> (8 * size - 1):
            value = value - (1 << 8 * size)
        address = base + spot
        if size == 4:
            self.mem.s4(address, value)
        elif size == 8:
            self.mem.s8(address, value)
        else:
            self.mem.store(address, size, value)
        self.put(address, number, size)

    @rule(
        start=st.sampled_from((KNOWN, TWICE, UNKNOWN)), spot=SPOTS,
        to=st.sampled_from((KNOWN, TWICE, UNKNOWN)), other=SPOTS,
        size=st.one_of(st.integers(0, 40), st.integers(PAGE - 8, PAGE + 40)),
    )  # fmt: skip
    def copy(self, start: int, spot: int, to: int, other: int, size: int) -> None:
        size = min(size, 2 * PAGE - spot, 2 * PAGE - other)
        if to == TWICE:
            size = min(size, PAGE)  # no byte twice: a copy has no order of its parts
        blob = self.mem.read(start + spot, size)
        want = [self.byte(start + spot + i) for i in range(size)]
        assert bytes_of(blob) == bytes(want)
        self.mem.write(to + other, blob)
        for i, byte in enumerate(want):
            self.put(to + other + i, byte, 1)

    @rule(base=st.sampled_from((KNOWN, TWICE, UNKNOWN)), spot=SPOTS, size=st.integers(0, 40))
    def fill(self, base: int, spot: int, size: int) -> None:
        self.mem.fill(base + spot, 0xA5, size)
        self.put(base + spot, int.from_bytes(b"\xa5" * size, "little"), size)


def bytes_of(blob: Blob) -> bytes:
    data = bytearray(blob.data)
    for start, size, value in blob.parts:
        data[start : start + size] = number_of(value).to_bytes(size, "little")
    return bytes(data)


Both.TestCase.settings = settings(
    max_examples=examples(30),
    stateful_step_count=30,
    deadline=None,
    database=None,
    derandomize=True,
)
TestMemory = Both.TestCase


def test_unknown_bytes_are_the_same_in_any_width() -> None:
    home = Pinned()
    mem = Memory()
    mem.map(0, sym_page(namer=lambda offset, size: home.leaf(0x0123456789ABCDEF, size)))
    whole = mem.load(8, 8)
    assert isinstance(whole, Sym)
    assert number_of(mem.load(10, 2)) == 0x89AB
    assert number_of(mem.read(11, 3).parts[0][2]) == 0x89
