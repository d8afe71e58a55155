# SPDX-License-Identifier: GPL-2.0-or-later
"""Where comments are, and what they stand at."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxlint.findings.comments import Comment, comments

HEAD = "int first;\n"


def one(text: str) -> Comment:
    (found,) = [comment for comment in comments(text) if "HERE" in comment.text]
    return found


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("int f(void)\n{\n\tg(); /* HERE */\n}\n", (3, 3)),
        ("int f(void)\n{\n\tg(); // HERE\n\th();\n}\n", (3, 3)),
        ("int f(void)\n{\n\t/* HERE */\n\tg();\n}\n", (4, 4)),
        ("int f(void)\n{\n\t/* HERE\n\t * more\n\t */\n\tg();\n}\n", (6, 6)),
        ("int f(void)\n{\n\t// HERE\n\t// other\n\tg();\n}\n", (5, 5)),
        ("int f(void)\n{\n\tg(1, /* HERE\n\t*/ 2);\n}\n", (3, 4)),
        ("int f(void)\n{\n\tg(\n\t  h()); /* HERE */\n}\n", (4, 4)),
        ("int f(void) { g(); } /* HERE */\n", (1, 1)),
        # A spliced line comment goes on; what follows is the line after it.
        ("int f(void)\n{\n\t// HERE \\\n\tstill comment\n\tg();\n}\n", (5, 5)),
        ("int f(void)\n{\n\tg(\\\n\t1); /* HERE */\n}\n", (4, 4)),
    ],
)
def test_at_a_call(text: str, lines: tuple[int, int]) -> None:
    found = one(HEAD + text)
    assert (found.scope, found.first - 1, found.last - 1) == ("call", *lines)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("/* HERE */\nstatic int f(void)\n{\n\tg();\n}\n", (2, 5)),
        ("/* HERE */ static int f(void)\n{\n\tg();\n}\n", (1, 4)),
        ("// HERE\n/** f() - x */\nstruct s *f(void)\n{\n}\nint x;\n", (3, 5)),
        ("/* HERE */\nint f(int (*g)(void))\n\t__must_hold(l)\n{ g(); }\n", (2, 4)),
        ("DEFINE_IDA(x)\n/* HERE */\nint f(void)\n{\n}\n", (2, 5)),
        # Both branches open the brace that one line closes.
        (
            "/* HERE */\nint f(void)\n{\n#ifdef A\n\tif (a) {\n#else\n\tif (b) {\n#endif\n\t}"
            "\n}\nint g(void)\n{\n}\n",
            (2, 10),
        ),
        # Braces in strings, characters and comments are none.
        (
            "/* HERE */\nint f(void)\n{\n\tg(\"}\\\"}\", '}', '\\'');\n\t/* } */ // }\n}\n",
            (2, 6),
        ),
    ],
)
def test_at_a_function(text: str, lines: tuple[int, int]) -> None:
    found = one(HEAD + text)
    assert (found.scope, found.first - 1, found.last - 1) == ("function", *lines)


@pytest.mark.parametrize(
    "text",
    [
        "/* HERE */\n\n#include <a.h>\nint x;\n",
        "/* head */\n#include <a.h>\n\n/* HERE */\n\nint f(void)\n{\n}\n",
        "#ifndef H\n#define H\n// HERE\nstruct s;\n#endif\n",
        "// HERE",
    ],
)
def test_at_the_file(text: str) -> None:
    found = one(text)
    assert (found.scope, found.first, found.last) == ("file", 1, text.count("\n") + 1)


@pytest.mark.parametrize(
    "text",
    [
        "/* HERE */\n\nint f(void)\n{\n}\n",  # an empty line is no "directly"
        "/* HERE */\nint table[] = { 1 };\n",
        "/* HERE */\n#include <b.h>\nint f(void)\n{\n}\n",
        "int f(void)\n{\n\t/* HERE */\n\n\tg();\n}\n",
        "int f(void)\n{\n\t/* HERE */\n#ifdef A\n\tg();\n#endif\n}\n",
        "/* HERE */",
    ],
)
def test_at_nothing(text: str) -> None:
    found = one(HEAD + text)
    assert found.scope == "nothing"
    assert found.first > found.last


@pytest.mark.parametrize(
    "text",
    [
        'char *s = "/* HERE */";\n',
        'char *s = "\\"/* HERE */";\n',
        'char *s = "a\\\n/* HERE */";\n',
        "int c = '/*'; int d = 'HERE*/';\n",
        "int a = 1 /2; /\\\n* x */ int HERE;\n",
    ],
)
def test_what_is_no_comment(text: str) -> None:
    assert not any("HERE" in comment.text for comment in comments(text))


def test_an_apostrophe_in_a_directive_ends_with_its_line() -> None:
    assert one("#error don't\n/* HERE */\n\nint x;\n").scope == "file"


def test_a_comment_that_looks_like_another_kind() -> None:
    assert [comment.text for comment in comments("/* // */ int x; // /* \n int y;\n")] == [
        "/* // */",
        "// /* ",
    ]


def test_places_count_lines_and_bytes() -> None:
    found = one("int a;\n\nint b; /* \u00e9 */ /* HERE\n */\n")
    assert (found.line, found.end, found.column) == (3, 4, 17)


@given(st.text(alphabet="/*\"'\\\n{}();=# ax\r", max_size=80))
def test_any_text_is_read(text: str) -> None:
    """Never fails, and comments stand in order, within the text, apart."""
    last = 0
    for comment in comments(text):
        assert 1 <= comment.line <= comment.end <= text.count("\n") + 1
        assert comment.line >= last
        assert comment.text.startswith(("/*", "//"))
        assert comment.scope == "nothing" or comment.first <= comment.last
        last = comment.end
