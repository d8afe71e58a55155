# SPDX-License-Identifier: GPL-2.0-or-later
"""Prototypes: types need no declaration, arguments are found by type, name or place."""

from __future__ import annotations

import pytest

from ctxlint.base.errors import RuleError
from ctxlint.rulebook.prototypes import bind, name_of, parse


def test_params() -> None:
    prototype = parse("void *take(struct device *dev, gfp_t flags, const char *fmt, ...)")
    assert prototype.name == "take"
    assert prototype.params == (
        ("dev", "struct device *"),
        ("flags", "gfp_t"),
        ("fmt", "const char *"),
    )
    assert prototype.variadic


def test_callback_param() -> None:
    prototype = parse("int later(cb_t fn, int (*call)(struct thing *, void *data), bool wait)")
    assert [name for name, _ in prototype.params] == ["fn", "call", "wait"]


def test_void() -> None:
    assert parse("int f(void)").params == ()


@pytest.mark.parametrize("text", ["f", "int f(", "int f(gfp_t)", "int f(int a) { }", "int x"])
def test_not_a_prototype(text: str) -> None:
    with pytest.raises(RuleError, match="not a prototype"):
        parse(text)


def test_name_without_parsing() -> None:
    assert name_of("struct irq_chip *get_it(void (*fn)(int), int irq)") == "get_it"


def test_bind_by_type_name_and_place() -> None:
    rule = (("size", "size_t"), ("flags", "gfp_t"), ("node", "int"))
    moved = (("bytes", "size_t"), ("b", "buckets *"), ("gfp", "gfp_t"), ("node", "int"))
    assert bind(rule, moved) == {"size": 0, "flags": 2, "node": 3}
    assert bind(rule, (("size", "size_t"),)) == {"size": 0}
    assert bind((("lock", "spinlock_t *"),), (("", "spinlock_t *"),)) == {"lock": 0}
