# SPDX-License-Identifier: GPL-2.0-or-later
"""Messages, strings, bits, atomics, static branches, assembly."""

from __future__ import annotations

import pytest

from ctxlint.simulator.machine import Machine
from ctxlint.simulator.outcome import Crashed, Unmodelled
from ctxlint.simulator.runtime.assembly import Registers
from ctxlint.simulator.runtime.state import Kernel

from ..program import image_of
from .bench import Config, add_models, boot, cells, compiled


def kernel() -> Kernel:
    return boot(cells(False), False, code=compiled(False))


def string(m: Machine, text: str) -> int:
    return m.image.string_at(text.encode())


@pytest.mark.parametrize(
    ("text", "arguments", "wanted"),
    [
        ("%d %u %x", (-1, 5, 255), "-1 5 ff"),
        ("%08lx|%-4d|%4d", (0xABC, 7, 7), "00000abc|7   |   7"),
        ("%llx %#x %hhu", (1 << 40, 16, 0x1FF), "10000000000 0x10 255"),
        ("%c%c%%", (65, 66), "AB%"),
        ("%5.3d", (7,), "  007"),
        ("%zu %ld", (3, (1 << 64) - 2), "3 -2"),
        ("no more %d", (), "no more 0"),
        ("%pe", ((1 << 64) - 12,), "-12"),
    ],
)
def test_formats(text: str, arguments: tuple[int, ...], wanted: str) -> None:
    k = kernel()
    k.m.call("_printk", string(k.m, "\x016" + text + "\n"), *arguments)
    assert k.log == [wanted]


def test_formats_with_memory() -> None:
    k = kernel()
    m = k.m
    room = m.call("__kmalloc_noprof", 256, 0)
    m.store(room, 8, 0x4008_0000)
    m.store(room + 8, 8, 0b1011_0111)
    m.call("_printk", string(m, "%s %pa %*pbl %pS"), string(m, "its"), room, 8, room + 8,
           m.image.text_of("op_spin"))  # fmt: skip
    assert k.log == ["its 0x0000000040080000 0-2,4-5,7 op_spin"]
    assert m.call("snprintf", room, 4, string(m, "%d"), 123456) == 6
    assert m.mem.text(room) == "123"


def test_strings_and_blocks() -> None:
    m = kernel().m
    a, b = string(m, "abc"), string(m, "abd")
    assert m.call("strcmp", a, b) == -1
    assert m.call("strncmp", a, b, 2) == 0
    assert m.call("strlen", a) == 3
    assert m.call("memcmp", b, a, 3) == 1
    assert m.call("strchr", a, ord("c")) == a + 2
    room = m.call("__kmalloc_noprof", 64, 0)
    assert m.call("sized_strscpy", room, a, 3) == -7
    assert m.mem.text(room) == "ab"
    m.call("memset", room, 0xFF, 16)
    m.call("memcpy", room + 16, room, 8)
    assert m.load(room + 16, 8) == (1 << 64) - 1


def test_options_and_numbers() -> None:
    m = kernel().m
    room = m.call("__kmalloc_noprof", 64, 0)
    assert m.call("kstrtobool", string(m, "off"), room) == 0
    assert m.load(room, 1) == 0
    assert m.call("kstrtobool", string(m, "what"), room) == -22
    assert m.call("parse_option_str", string(m, "debug,nosoft"), string(m, "nosoft")) == 1
    assert m.call("parse_option_str", string(m, "debug,nosoft"), string(m, "soft")) == 0
    assert [m.call("ida_alloc_range", room, 3, 4, 0) for _ in range(3)] == [3, 4, -28]
    m.call("ida_free", room, 3)
    assert m.call("ida_alloc_range", room, 0, 9, 0) == 0
    assert m.call("ida_alloc_range", room, 3, 9, 0) == 3


def test_bits() -> None:
    m = kernel().m
    room = m.call("__kmalloc_noprof", 64, 0)
    m.store(room, 8, 1 << 63)
    m.store(room + 8, 8, 1)
    assert m.call("_find_first_bit", room, 128) == 63
    assert m.call("_find_next_bit", room, 128, 64) == 64
    assert m.call("_find_next_bit", room, 128, 65) == 128
    assert m.call("_find_next_zero_bit", room, 128, 63) == 65
    assert m.call("__bitmap_weight", room, 65) == 2
    m.call("__bitmap_set", room, 3, 4)
    assert m.load(room, 8) == 1 << 63 | 0b1111000
    assert m.call("arch_test_and_set_bit", 3, room) == 1
    assert m.call("arch_test_and_clear_bit", 3, room) == 1
    assert m.load(room, 8) == 1 << 63 | 0b1110000


def test_atomics() -> None:
    m = kernel().m
    room = m.call("__kmalloc_noprof", 64, 0)
    m.store(room, 4, 5)
    assert m.call("raw_atomic_add_return", 3, room) == 8
    assert m.call("raw_atomic_fetch_sub_release", 10, room) == 8
    assert m.load(room, 4) == 2**32 - 2
    assert m.call("raw_atomic_cmpxchg", room, -2, 1) == -2
    assert m.call("raw_atomic_dec_and_test", room) == 1
    assert m.call("raw_atomic_fetch_add_unless", room, 1, 0) == 0
    assert m.load(room, 4) == 0
    m.store(room, 8, 1 << 40)
    assert m.call("raw_atomic64_fetch_or", 1, room) == 1 << 40
    assert m.call("__cmpxchg_mb", room, 1 << 40 | 1, 9, 8) == 1 << 40 | 1
    assert m.call("__cmpxchg_mb", room, 0x109, 7, 1) == 9
    assert m.load(room, 8) == 7


def test_static_branches_follow_the_key() -> None:
    m = kernel().m
    key = m.call("__kmalloc_noprof", 16, 0)
    assert m.call("arch_static_branch", key, 0) == 0
    assert m.call("arch_static_branch", key, 1) == 1
    m.call("static_key_enable", key)
    assert m.call("arch_static_branch", key, 0) == 1
    assert m.call("arch_static_branch_jump", key, 1) == 0
    assert m.call("alternative_has_cap_unlikely", 70) == 0
    m.store(m.address_of("system_cpucaps") + 8, 8, 1 << 6)
    assert m.call("alternative_has_cap_unlikely", 70) == 1


BUGS = """
#define WARN(x) ({ int _w = !!(x); if (_w) __asm__ volatile("__BUG_FLAGS(0)"); _w; })
#define WARN_ONCE(x) ({ int _w = !!(x); if (_w) __asm__ volatile("__BUG_FLAGS(0)"); _w; })
static int inner(int x) { return WARN(x); }
int outer(int x) { return inner(x); }
int once(int x) { return WARN_ONCE(x); }
void end(int x) { if (x) { __asm__ volatile("__BUG_FLAGS(0)"); __builtin_unreachable(); } }
unsigned long get(void)
{
    unsigned long v;
    __asm__ volatile("mrs %0, tcr_el1" : "=r"(v));
    return v;
}
void put(unsigned long v) { __asm__ volatile("msr tcr_el1, %x0" : : "r"(v)); }
int times(int a, int b, int *r) { return __builtin_mul_overflow(a, b, r); }
int plus(unsigned long a, unsigned long b)
{
    unsigned long r;
    return __builtin_add_overflow(a, b, &r) ? -1 : (int)r;
}
void odd(void) { __asm__ volatile("frobnicate x0"); }
void order(void) { __asm__ volatile("dsb sy"); __asm__ volatile("isb"); __asm__ volatile(""); }
void missing(void);
void call(void) { missing(); }
extern int absent;
int use(void) { return absent; }
"""


def strange() -> Kernel:
    image = image_of(BUGS)
    add_models(image, Config(rt=False))
    return boot(image, False)


def test_warnings_name_the_function_that_has_a_frame() -> None:
    k = strange()
    assert k.m.call("outer", 0) == 0
    assert k.m.call("outer", 3) == 1
    assert k.m.call("outer", 3) == 1
    assert k.m.call("once", 1) == 1
    assert k.m.call("once", 1) == 1
    lines = [(r.headline.split(" at ")[1], r.printed) for r in k.reports]
    assert lines == [
        ("u0.c:4 outer", True), ("u0.c:4 outer", True), ("u0.c:6 once", True),
        ("u0.c:6 once", False),
    ]  # fmt: skip
    with pytest.raises(Crashed, match=r"kernel BUG at u0\.c:7!"):
        k.m.call("end", 1)


def test_registers_and_the_unknown() -> None:
    k = strange()
    assert k.m.call("get") == 0
    k.m.call("put", 77)
    assert k.m.call("get") == 77
    k.part(Registers).reads["tcr_el1"] = lambda kernel: 5
    assert k.m.call("get") == 5
    k.m.call("order")
    room = k.m.call("__kmalloc_noprof", 8, 0)
    assert k.m.call("times", 1 << 20, 1 << 12, room) == 1
    assert k.m.call("times", -3, 5, room) == 0
    assert k.m.load(room, 4) == 2**32 - 15
    assert k.m.call("plus", (1 << 64) - 1, 1) == -1
    assert k.m.call("plus", 2, 1) == 3
    with pytest.raises(Unmodelled, match="frobnicate"):
        k.m.call("odd")
    with pytest.raises(Unmodelled, match="missing"):
        k.m.call("call")
    with pytest.raises(Unmodelled, match="variable absent"):
        k.m.call("use")
