# SPDX-License-Identifier: GPL-2.0-or-later
"""Layouts and sizes: what clang computes for the kernel's targets."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from ctxlint.frontend import lower_unit
from ctxlint.frontend.model_functions import lower_models
from ctxlint.ir.ops import Const, Field, Ret
from ctxlint.ir.printer import function_text
from ctxlint.ir.types import RecordDef
from ctxlint.ir.walk import expressions
from tests.frontend.model_functions.test_snippets import PRELUDE, complaints, lower

RECORDS = """
enum mode { SLOW, FAST };
enum sign { BELOW = -1, ABOVE };
typedef void (*handler_t)(struct device *dev, int event);
struct small { char c; };
struct mixed { char c; short s; char d; int i; char e; long l; char f; u64 q; char g; };
struct pointers { handler_t one; void *two[3]; bool flag; enum mode mode; enum sign sign; };
struct nested { struct small small[3]; struct mixed mixed; union { u8 bytes[9]; u32 word; }; };
union either { struct mixed a; u64 b; char c[3]; };
struct inner { int a; struct { char b; long c; union { short d; char e[5]; }; } named; };
struct flexible { u16 count; u64 items[]; };
struct list { struct list *next, **pprev; union either value; struct flexible *tail; };
typedef struct { s8 a; size_t b; phys_addr_t c; } unnamed_t;
struct user { unnamed_t one; struct nested two[2]; };
int use(struct small *a, struct mixed *b, struct pointers *c, struct nested *d, union either *e,
	struct inner *f, struct flexible *g, struct list *h, struct user *i)
{
	return a->c + b->c + c->flag + d->word + e->b + f->a + g->count + h->value.c[0] + i->one.a;
}
"""
TARGETS = {"aarch64-linux-gnu": 64, "x86_64-linux-gnu": 64, "arm-linux-gnueabi": 32}


def like(record: RecordDef) -> RecordDef:
    """Without the place, which is in the name of a nameless record too."""
    key = record.key.partition("@")[0]
    types = tuple(
        msgspec.structs.replace(t, key=t.key.partition("@")[0]) if hasattr(t, "key") else t
        for t in record.types
    )
    return msgspec.structs.replace(record, key=key, file="", types=types)


def order(record: RecordDef) -> tuple[int, str, int, int]:
    return record.line, record.key, record.size, len(record.fields)


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_layouts_are_those_of_clang(target: str, tmp_path: Path) -> None:
    (tmp_path / "a.c").write_text(PRELUDE + RECORDS, encoding="utf-8")
    arguments = (f"--target={target}", "-std=c11", "-funsigned-char")
    unit = lower_unit(tree=tmp_path, file="a.c", arguments=arguments, directory=tmp_path)
    assert unit.errors == ()
    models = lower_models({"prelude.h": PRELUDE, "a.c": RECORDS}, long_bits=TARGETS[target])
    assert complaints(models) == []
    ours = sorted(map(like, models.records), key=order)
    below = PRELUDE.count("\n")
    theirs = [msgspec.structs.replace(r, line=r.line - below) for r in unit.records]
    theirs = sorted(map(like, theirs), key=order)
    assert len(theirs) > 10
    assert ours == theirs


def value(expression: str, long_bits: int = 64) -> int:
    text = f"{RECORDS}\nunsigned long f(void) {{ return {expression}; }}\n"
    models = lower_models({"prelude.h": PRELUDE, "a.c": text}, long_bits=long_bits)
    (f,) = [f for f in models.functions if f.name == "f"]
    term = f.blocks[0].term
    assert isinstance(term, Ret) and isinstance(term.value, Const)
    return term.value.value


@pytest.mark.parametrize(
    ("expression", "wide", "narrow"),
    [
        ("sizeof(long)", 8, 4),
        ("sizeof(long long)", 8, 8),
        ("sizeof(void *)", 8, 4),
        ("_Alignof(u64)", 8, 8),
        ("sizeof(struct mixed)", 48, 40),
        ("offsetof(struct mixed, q)", 32, 24),
        ("offsetof(struct nested, mixed.l)", 24, 24),
        ("offsetof(struct list, value.c[2])", 18, 10),
        ("sizeof(((struct pointers *)0)->two)", 24, 12),
        ('sizeof "abc"', 4, 4),
        ("sizeof('a')", 4, 4),
        ("sizeof(1 ? (char)1 : (short)2)", 4, 4),
        ("sizeof(0x80000000)", 4, 4),
        ("sizeof(2147483648)", 8, 8),
        ("sizeof(1ul + 1)", 8, 4),
        ("sizeof(enum mode)", 4, 4),
        ("sizeof(int [3][5])", 60, 60),
        ("-1 < 1u", 0, 0),
        ("-1l < 1u", 1, 0),
        ("(u8)-1 == 255 && (s8)255 == -1 && '\\xff' == 255", 1, 1),
        ("~0u >> 31 | 7 % -3 << 4", 17, 17),
        ("(BELOW < ABOVE) + ((enum mode)-1 > 0)", 2, 2),
    ],
)
def test_constants(expression: str, wide: int, narrow: int) -> None:
    assert value(expression) == wide
    assert value(expression, 32) == narrow


def test_the_kernels_layout_completes_what_is_declared(tmp_path: Path) -> None:
    """A record that a model only declares has the members that clang saw."""
    source = "typedef _Bool bool;\nstruct inner { bool on; int bits : 3; };\n"
    source += "struct work { struct work *next; struct inner in[2]; union { long a; }; };\n"
    source += "long f(struct work *w) { return w->a + w->in[0].on; }\n"
    (tmp_path / "k.c").write_text(source, encoding="utf-8")
    unit = lower_unit(
        tree=tmp_path, file="k.c", arguments=("--target=aarch64-linux-gnu",), directory=tmp_path
    )
    kernel = {r.key: r for r in unit.records}
    text = "struct work;\nstruct device *any;\nlong f(struct work *w)\n{\n"
    text += "\tw->in[1].on = w->next;\n\tw->in[0].bits = 9;\n\treturn w->a + sizeof(*w);\n}\n"
    models = lower(text, records=kernel)
    assert models.records == ()
    (f,) = models.functions
    assert "return (i64)(((u64)w->a) + 24)" in function_text(f)
    fields = {
        e.name: (e.record, e.offset, e.width) for e in expressions(f) if isinstance(e, Field)
    }
    assert fields["bits"] == ("struct inner", 8, 3)
    assert fields["a"][1] == 16 * 8
