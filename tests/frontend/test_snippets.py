# SPDX-License-Identifier: GPL-2.0-or-later
"""C snippets and the IR they lower to.

Beside each ``snippets/NAME.c`` stands ``NAME.ir``, the printed functions and
variables. ``CTXLINT_REWRITE=1`` writes these files anew: read the difference.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ctxlint.frontend import lower_unit
from ctxlint.ir.printer import function_text, global_text
from ctxlint.ir.unit import Unit
from ctxlint.ir.verify import verify

SNIPPETS = Path(__file__).parent / "snippets"
ARGUMENTS = ("--target=aarch64-linux-gnu", "-std=gnu11", "-funsigned-char", "-fshort-wchar")


def lower(name: str) -> Unit:
    return lower_unit(tree=SNIPPETS, file=name, arguments=ARGUMENTS, directory=SNIPPETS)


def printed(unit: Unit) -> str:
    parts = [function_text(f, locations="locations" in unit.file) for f in unit.functions]
    parts += [function_text(f) for f in unit.new_inlines]
    parts += [global_text(g) for g in unit.globals]
    return "\n".join(parts)


@pytest.mark.parametrize("source", sorted(p.name for p in SNIPPETS.glob("*.c")))
def test_snippet(source: str) -> None:
    unit = lower(source)
    assert unit.errors == ()
    assert verify(unit) == []
    expected = SNIPPETS / source.replace(".c", ".ir")
    text = printed(unit)
    if os.environ.get("CTXLINT_REWRITE"):
        expected.write_text(text, encoding="utf-8")
    assert text == expected.read_text(encoding="utf-8")


def test_lowering_twice_gives_the_same() -> None:
    assert lower("cleanup.c") == lower("cleanup.c")
