# SPDX-License-Identifier: GPL-2.0-or-later
"""Suppression comments: their form, their reason, their place."""

from __future__ import annotations

import pytest

from ctxlint.findings import suppressions

BODY = "int x;\nint f(void)\n{\n\tg(); %s\n}\n"


def of(comment: str) -> list[tuple[tuple[str, ...], str, str]]:
    return [
        (found.checks, found.reason, found.problem)
        for found in suppressions.of_text("a.c", BODY % comment)
    ]


@pytest.mark.parametrize(
    ("comment", "checks", "reason"),
    [
        ("/* ctxlint: allow(a-b) why it is fine */", ("a-b",), "why it is fine"),
        ("// ctxlint: allow(a-b): why", ("a-b",), "why"),
        ("/* ctxlint:allow( a-b , c )  two\n\t * lines */", ("a-b", "c"), "two lines"),
        ("/*\n * Text.\n *\n * ctxlint: allow(a) why\n *\n * more\n */", ("a",), "why"),
        ("// ctxlint: allow(a) goes \\\n on", ("a",), "goes on"),
        ("/* ctxlint: allow(a, a) \u2014 once */", ("a",), "once"),
    ],
)
def test_form(comment: str, checks: tuple[str, ...], reason: str) -> None:
    assert of(comment) == [(checks, reason, "")]


@pytest.mark.parametrize(
    ("comment", "said"),
    [
        ("/* ctxlint: allow(a) */", "has no reason"),
        ("/* ctxlint: allow(a) - ... */", "has no reason"),
        ("/* ctxlint: allow() why */", "is not understood"),
        ("/* ctxlint: allow a why */", "is not understood"),
        ("/* ctxlint: ignore(a) why */", "is not understood"),
        ("/* ctxlint: allow(a,) why */", "is not understood"),
    ],
)
def test_what_is_wrong_is_kept(comment: str, said: str) -> None:
    ((_, _, problem),) = of(comment)
    assert said in problem


@pytest.mark.parametrize(
    "comment",
    [
        "/* see ctxlint: allow(a) why */",
        '"/* ctxlint: allow(a) why */";',
        "/* allow(a) why */",
    ],
)
def test_what_is_no_suppression(comment: str) -> None:
    assert of(comment) == []


def test_a_comment_at_nothing_says_so() -> None:
    (found,) = suppressions.of_text("a.c", "int x;\n/* ctxlint: allow(a) why */\n\nint y;\n")
    assert found.scope == "nothing"
    assert "stands at no call" in found.problem


def test_place_is_that_of_the_words() -> None:
    (one, two) = suppressions.of_text(
        "a.c",
        "int x;\n/* \u00e9\n * ctxlint: allow(a) b\n */\nint f(void)\n{\n"
        "\tg(); /* ctxlint: allow(c) d */\n}\n",
    )
    assert (one.line, one.column, one.text) == (3, 4, " * ctxlint: allow(a) b")
    assert (two.line, two.column, two.scope, two.first) == (7, 10, "call", 7)


def test_files_in_order_and_unreadable_ones_skipped() -> None:
    texts = {
        "b.c": "// ctxlint: allow(a) b\n",
        "a.c": "// ctxlint: allow(a) a\n",
        "c.c": "int x;\n",
    }
    found = suppressions.read(["b.c", "a.c", "c.c", "gone.c", "a.c"], texts.get)
    assert [one.file for one in found] == ["a.c", "b.c"]
