# SPDX-License-Identifier: GPL-2.0-or-later
"""Constants in conditions have the names that the source gives them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctxlint.facts.symbolic import expr_text
from ctxlint.frontend import lower_unit
from ctxlint.ir import ops

PRELUDE = """\
#define FLAG 0x40
#define BIT(n) (1UL << (n))
#define TOP BIT(63)
#define NULL ((void *)0)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define WARN_ON(x) ({ int on = !!(x); unlikely(on); })
#define has_flag(p) (!!((p)->f & FLAG))
#define has_four(p) ((p)->f & 4)
#define has_two(p) ((p)->f & FLAG && (p)->f & TOP)
#define test(a, b) (a & b)
#define test_bit(p, b) ((p)->f & (1 << b))
#define is_kind(p, FLAG2) ((p)->f == FLAG2)
enum { RED = 7 };
struct s { unsigned long f; void *p; };
void g(void);
"""


def conditions(folder: Path, condition: str) -> list[str]:
    """Texts of the branches of ``if (CONDITION)``."""
    text = f"{PRELUDE}void f(struct s *s, int x)\n{{\n\tif ({condition}) g();\n}}\n"
    (folder / "t.c").write_text(text)
    unit = lower_unit(tree=folder, file="t.c", arguments=(), directory=folder)
    assert unit.errors == ()
    (fn,) = [f for f in unit.functions if f.name == "f"]
    terms = [block.term for block in fn.blocks]
    return [expr_text(fn, term.cond) for term in terms if isinstance(term, ops.Branch)]


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        ("s->f & FLAG", "s->f & FLAG"),
        ("s->f & TOP", "s->f & TOP"),  # a macro of a macro
        ("unlikely(s->f & FLAG)", "s->f & FLAG"),  # the argument of another
        ("s->f & BIT(5)", "s->f & BIT(5)"),
        ("s->f & (FLAG | TOP)", "s->f & (FLAG | TOP)"),
        ("s->f & ( FLAG )", "s->f & FLAG"),
        ("!(s->f & ~FLAG)", "s->f & ~FLAG"),
        ("(s->f & FLAG) == FLAG && x", "(s->f & FLAG) == FLAG && x"),
        ("s->p == NULL", "s->p == NULL"),
        ("x == RED", "x == RED"),
        ("x < sizeof(int)", "x < sizeof(int)"),
        ("has_flag(s)", "s->f & FLAG"),  # in the definition of another
        ("test(s->f, FLAG)", "s->f & FLAG"),
        # A number, where the text is not surely the operand's.
        ("has_four(s)", "s->f & 4"),
        ("has_two(s)", "s->f & 64 && s->f & 0x8000000000000000"),
        ("test_bit(s, 3)", "s->f & 8"),
        ("is_kind(s, 9)", "s->f == 9"),
        ("s->f == FLAG + 1", "s->f == 65"),
        ("s->f & (unsigned)FLAG", "s->f & 64"),
        ("x > 12", "x > 12"),
    ],
)
def test_names(condition: str, text: str, tmp_path: Path) -> None:
    assert conditions(tmp_path, condition) == [text]
