# SPDX-License-Identifier: GPL-2.0-or-later
"""Model files and the IR they lower to.

Beside each ``snippets/NAME.c`` stands ``NAME.ir``: functions, variables and
prototypes as printed. ``CTXLINT_REWRITE=1`` writes these files anew: read the
difference.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ctxlint.frontend.model_functions import Models, lower_models
from ctxlint.ir.printer import function_text, global_text
from ctxlint.ir.verify import verify
from ctxlint.rulebook import models_directory

SNIPPETS = Path(__file__).parent / "snippets"
PRELUDE = (models_directory() / "prelude.h").read_text(encoding="utf-8")


def lower(text: str, **options: object) -> Models:
    return lower_models({"prelude.h": PRELUDE, "a.c": text}, **options)  # type: ignore[arg-type]


def complaints(models: Models) -> list[str]:
    records = {record.key: record for record in models.records}
    return [t for item in (*models.functions, *models.globals) for t in verify(item, records)]


def printed(models: Models) -> str:
    parts = [function_text(f) for f in models.functions]
    parts += [global_text(g) for g in models.globals]
    parts += [
        f"{d.ret} {d.name}({', '.join(f'{t} {n}'.strip() for n, t in d.params)}"
        f"{', ...' * d.variadic}) {list(d.attrs)}\n"
        for d in models.decls
    ]
    return "\n".join(parts)


@pytest.mark.parametrize("source", sorted(p.name for p in SNIPPETS.glob("*.c")))
def test_snippet(source: str) -> None:
    models = lower((SNIPPETS / source).read_text(encoding="utf-8"))
    assert complaints(models) == []
    expected = SNIPPETS / source.replace(".c", ".ir")
    text = printed(models)
    if os.environ.get("CTXLINT_REWRITE"):
        expected.write_text(text, encoding="utf-8")
    assert text == expected.read_text(encoding="utf-8")


def test_places_are_those_of_the_file() -> None:
    text = "\n/* one\n two */ #define N 4\n"
    text = "\n/* one\n two */\n#define N (2 + 2)\nint call(int);\nint f(int a)\n{\n"
    text += "\tint b = N; // comment\n\n\treturn call(b +\n\t\t     N);\n}\n"
    models = lower(text)
    (f,) = models.functions
    assert (f.file, f.line, f.col, f.end_line) == ("rules/models/a.c", 6, 5, 12)
    lines = function_text(f, locations=True).splitlines()
    assert lines[2].endswith("; rules/models/a.c:8:6")
    assert lines[3].endswith("; rules/models/a.c:10:9")
    used = {(loc.line, loc.col, loc.macro, loc.spelled) for loc in f.locs}
    assert (8, 6, "", "") in used
    (decl,) = models.decls
    assert (decl.file, decl.line) == ("rules/models/a.c", 5)


def test_a_value_from_a_macro_names_it() -> None:
    text = "#define STEP (call(1))\nint call(int);\nint f(void)\n{\n\treturn STEP;\n}\n"
    (f,) = lower(text).functions
    (loc,) = [loc for loc in f.locs if loc.macro]
    assert (loc.line, loc.col, loc.macro) == (5, 9, "STEP")
    assert loc.spelled == "rules/models/a.c:1"


def test_conditions_and_values_from_outside() -> None:
    text = "#ifdef MODEL_RT\nint f(void) { return GFP; }\n"
    text += "#else\nint g(void) { return 0; }\n#endif\n"
    assert [f.name for f in lower(text).functions] == ["g"]
    (f,) = lower(text, defines={"MODEL_RT": "", "GFP": "0xcc0"}).functions
    assert function_text(f).splitlines()[2] == f"  return {0xCC0}"


def test_files_meet_by_symbol() -> None:
    header = "struct a { int x; };\nint shared(struct a *p);\nextern int number;\n"
    header += "static inline int twice(int n) { return 2 * n; }\n"
    texts = {
        "a.h": header,
        "a.c": "int number = 3;\nint shared(struct a *p) { return p->x; }\n",
        "b.c": "static int own(void) { return twice(number); }\n"
        "int f(struct a *p) { return shared(p) + own(); }\n",
    }
    models = lower_models(texts)
    assert [f.symbol for f in models.functions] == [
        "f",
        "rules/models/a.h::twice",
        "rules/models/b.c::own",
        "shared",
    ]
    assert [f.attrs for f in models.functions] == [(), ("inline", "static"), ("static",), ()]
    assert [g.symbol for g in models.globals] == ["number"]
    assert models.decls == ()
    assert lower_models(dict(reversed(texts.items()))) == models


def test_inline_names_of_the_api_and_any_number_of_arguments() -> None:
    text = "inline int g(void) { return 1; }\nint f(const char *format, ...) { return g(); }\n"
    f, g = lower(text).functions
    assert (f.variadic, f.nparams, g.variadic) == (True, 1, False)
    assert (g.symbol, g.attrs) == ("g", ("inline",))


@pytest.mark.parametrize(
    ("long_bits", "defines"),
    [
        (64, {"MODEL_RT": ""}),
        pytest.param(64, {}, marks=pytest.mark.slow),
        pytest.param(32, {"MODEL_RT": ""}, marks=pytest.mark.slow),
        pytest.param(32, {}, marks=pytest.mark.slow),
    ],
)
def test_the_files_that_come_with_the_tool(long_bits: int, defines: dict[str, str]) -> None:
    """They lower, on both widths and with and without PREEMPT_RT."""
    texts = {
        p.name: p.read_text(encoding="utf-8")
        for p in sorted(models_directory().iterdir())
        if p.suffix in (".c", ".h")
    }
    assert "prelude.h" in texts
    probe = {"probe.c": "u64 probe(bool b) { return b == true ? sizeof(size_t) : 0; }"}
    models = lower_models({**texts, **probe}, long_bits=long_bits, defines=defines)
    assert complaints(models) == []


def test_prototypes_keep_their_typedefs() -> None:
    text = "typedef int fn_t(struct device *, gfp_t);\nfn_t by_type;\n"
    text += "void *take(size_t n, gfp_t flags, void (*done)(void *), ...);\n"
    text += "void *f(void) { return by_type(NULL, 1) ? take(1, 2, NULL, 3) : NULL; }\n"
    first, second = lower(text).decls
    assert (first.ret, first.params) == ("i32", (("", "struct device*"), ("", "gfp_t")))
    assert (second.ret, second.variadic) == ("void *", True)
    assert second.params == (("n", "size_t"), ("flags", "gfp_t"), ("done", "void (*)(void *)"))
