# SPDX-License-Identifier: GPL-2.0-or-later
"""A part of a series that is not analysed is told, whatever hides it."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from ctxlint.patches import PatchError, open_series

from .repository import ROSE, Repo

ZERO = "From 0123456789 Mon Sep 17 00:00:00 2001\n"


def made(name: str) -> str:
    return (
        f"diff --git a/{name} b/{name}\nnew file mode 100644\n--- /dev/null\n+++ b/{name}\n"
        "@@ -0,0 +1 @@\n+int x;\n"
    )


def message(tag: str, name: str, head: str = "", body: str | None = None) -> str:
    text = f"x\n---\n{made(name)}-- \n2.40\n\n" if body is None else body
    return f"{ZERO}From: A <a@example.org>\nSubject: {tag} {name}\n{head}\n{text}"


def opened(tree: Path, *messages: str, **options: bool) -> tuple[list[str], str]:
    """The new files that are analysed, and what is said to be missing."""
    data = "".join(messages).encode()
    series = open_series("-", tree=tree, stdin=data, **options)  # type: ignore[arg-type]
    return [name for p in series.patches for name in p.contents], "; ".join(series.gaps)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return tmp_path


def test_a_whole_series_has_no_gap(tree: Path) -> None:
    one, two = message("[PATCH 1/2]", "a.c"), message("[PATCH 2/2]", "b.c")
    cover = message("[PATCH 0/2]", "cover", body="Hello\n")
    answer = message("Re: [PATCH 1/2]", "a.c", body="> diff --git a/x b/x\n\nNice.\n")
    for messages in (
        (one, two),
        (cover, one, two),
        (two, one),
        (one, two, answer),
    ):
        assert opened(tree, *messages) == (["a.c", "b.c"], "")
    for messages in ((one, one, two), (one, two, message("Re: [PATCH 1/2]", "a.c"))):
        files, gaps = opened(tree, *messages)
        assert files == ["a.c", "b.c"]
        assert "comes twice" in gaps
    assert opened(tree, message("[PATCH]", "a.c"), message("[PATCH]", "b.c")) == (
        ["a.c", "b.c"],
        "",
    )


@pytest.mark.parametrize(
    ("messages", "files", "said"),
    [
        ([("Re: [PATCH 2/2]", "b.c")], ["a.c", "b.c"], "subject of an answer"),
        ([("Fwd: [PATCH 2/2]", "b.c")], ["a.c", "b.c"], "subject of an answer"),
        ([("[x] AW: re: [PATCH 2/2]", "b.c")], ["a.c", "b.c"], "subject of an answer"),
        ([("Re: x", "b.c")], ["a.c"], "left out: a diff in an answer"),
        ([], ["a.c"], "not in the input: patch 2/2"),
        ([("[PATCH v2 2/2]", "b.c")], ["b.c"], "left out: 1 message with a diff"),
        ([("[PATCH 2/2 v3]", "b.c")], ["b.c"], "not in the input: patch 1/2"),
        ([("[PATCHv2,2/2]", "b.c")], ["b.c"], "of another version than v2"),
        ([("[PATCH 3/2]", "b.c")], ["a.c", "b.c"], "out of the series' range"),
        ([("[PATCH 2/3]", "b.c")], ["a.c", "b.c"], "both 2 and 3"),
        (
            [("[PATCH]", "b.c"), ("[PATCH 2/2]", "c.c")],
            ["a.c", "b.c", "c.c"],
            "without a number",
        ),
        (
            [("[PATCH 0/2]", "b.c"), ("[PATCH 2/2]", "c.c")],
            ["b.c", "a.c", "c.c"],
            "cover letter",
        ),
    ],
)
def test_what_tags_hide(
    tree: Path, messages: list[tuple[str, str]], files: list[str], said: str
) -> None:
    found, gaps = opened(tree, message("[PATCH 1/2]", "a.c"), *(message(*x) for x in messages))
    assert (found, said in gaps) == (files, True), gaps


OTHER_KINDS = (
    "Content-Type: application/octet-stream\n",
    "Content-Type: text/html\n",
    "Content-Type: TEXT/HTML; charset=x\n",
    "Content-Type: image/png\n",
    "Content-Type: application/x-patch; name=x\n",
    "Content-Type: multipart/mixed\n",
    "Content-Type: message/partial\n",
)


@pytest.mark.parametrize("head", OTHER_KINDS)
def test_a_diff_that_is_no_text(tree: Path, head: str) -> None:
    hidden = message("[PATCH 2/2]", "b.c", head)
    found, gaps = opened(tree, message("[PATCH 1/2]", "a.c"), hidden)
    assert "b.c" in found or "diff" in gaps
    if "b.c" not in found:
        with pytest.raises(PatchError, match="no patch in the input"):
            opened(tree, hidden)


def test_an_attachment_that_is_no_text_beside_a_text(tree: Path) -> None:
    body = (
        f"--q\nContent-Type: text/plain\n\n{made('a.c')}\n"
        f"--q\nContent-Type: application/octet-stream\n\n{made('b.c')}\n--q--\n"
    )
    head = 'Content-Type: multipart/mixed; boundary="q"\n'
    found, gaps = opened(tree, message("[PATCH]", "a.c", head, body))
    assert found == ["a.c", "b.c"] and "git am" in gaps
    coded = base64.encodebytes(made("b.c").encode()).decode()
    body = body.replace(
        f"octet-stream\n\n{made('b.c')}",
        f"octet-stream\nContent-Transfer-Encoding: base64\n\n{coded}",
    )
    found, gaps = opened(tree, message("[PATCH]", "a.c", head, body))
    assert found == ["a.c", "b.c"] and gaps


def test_a_message_within_the_body_of_another(tree: Path) -> None:
    """An envelope line needs no empty line before it, for git."""
    coded = base64.encodebytes(f"x\n---\n{made('b.c')}".encode()).decode()
    inner = message("[PATCH 2/2]", "b.c", "Content-Transfer-Encoding: base64\n", coded)
    body = f"x\n---\n{made('a.c')}-- \n2.40\n{inner}"
    assert opened(tree, message("[PATCH 1/2]", "a.c", body=body)) == (["a.c", "b.c"], "")


def test_encoded_twice(tree: Path) -> None:
    """git does not decode what is nested in a message, others do."""
    coded = base64.encodebytes(made("b.c").encode()).decode()
    body = (
        f"--q\n\n{made('a.c')}\n--q\nContent-Type: message/rfc822\n\nSubject: x\n"
        f"Content-Transfer-Encoding: base64\n\n{coded}\n--q--\n"
    )
    head = 'Content-Type: multipart/mixed; boundary="q"\n'
    _, gaps = opened(tree, message("[PATCH]", "a.c", head, body))
    assert "git am takes other changes" in gaps


def test_the_order_matters_only_when_it_makes_other_files(tree: Path) -> None:
    (tree / "x.c").write_text("top\n" + "a\nb\nc\n" * 3 + "end\n")
    first = "--- a/x.c\n+++ b/x.c\n@@ -2,3 +2,3 @@\n a\n-b\n+B\n c\n"
    second = "--- a/x.c\n+++ b/x.c\n@@ -2,3 +2,2 @@\n a\n-b\n c\n"
    messages = [
        message(f"[PATCH {n}/2]", "x", body=f"x\n---\n{d}")
        for n, d in enumerate((first, second), 1)
    ]
    assert opened(tree, *messages)[1] == ""
    assert "order of their numbers" in opened(tree, *reversed(messages))[1]


def test_one_by_one(tree: Path) -> None:
    """Review tools hand over single messages: that the rest is elsewhere is no gap."""
    lone = message("[PATCH 2/3]", "b.c")
    assert opened(tree, lone)[1] == "not in the input: patch 1/3, patch 3/3"
    assert opened(tree, lone, singly=True) == (["b.c"], "")
    assert opened(tree, lone, message("[PATCH 3/3]", "c.c"), singly=True)[1]


@pytest.mark.parametrize(
    "tag",
    [
        f"[PATCH 1/{'9' * 5000}]", f"[PATCH {'0' * 60000}]", f"[PATCH v{'9' * 90} 1/2]",
        f"[PATCH {'1' * 400}/2]", "[PATCH 1/10000]", f"[PATCH 1/{'0' * 200}2]",
    ],
)  # fmt: skip
def test_numbers_that_are_none(tree: Path, tag: str) -> None:
    with pytest.raises(PatchError) as caught:
        opened(tree, message(tag, "a.c"))
    assert len(str(caught.value)) < 200


def test_many_messages(tree: Path) -> None:
    with pytest.raises(PatchError, match="more than 2000 messages"):
        opened(tree, *["From a 00:00:00 2020\n\n"] * 3000)
    with pytest.raises(PatchError, match="more than 500 patches"):
        opened(tree, *(message("[PATCH]", f"{n}.c") for n in range(501)))


def test_an_encoding_that_is_itself_encoded(tree: Path) -> None:
    """git decodes encoded words in the header that names the encoding of the text."""
    body = base64.encodebytes(f"x\n---\n{made('b.c')}-- \n2.40\n".encode()).decode()
    head = "Content-Type: text/plain\nContent-Transfer-Encoding: =?utf-8?q?b=61se64?=\n"
    files, gaps = opened(
        tree, message("[PATCH]", "a.c"), message("[PATCH]", "b.c", head=head, body=body)
    )
    assert files == ["a.c", "b.c"] or gaps


# Of EBCDIC, which Python does not know by this name: the bytes are those of code page 37,
# where the signs of a diff are the same.
EBCDIC = made("b.c").encode("cp037")
UTF_7 = made("b.c").replace("---", "+AC0ALQAt-").replace("diff", "+AGQ-iff")


@pytest.mark.parametrize(
    ("charset", "body"),
    [("IBM1047", EBCDIC), ("ebcdic-us", EBCDIC), ("utf-7", UTF_7.encode() + b"2.4 +A\n")],
)
def test_a_charset_that_git_alone_can_read(tree: Path, charset: str, body: bytes) -> None:
    """git decodes line by line, with a library that knows many charsets."""
    head = f"{ZERO}From: A <a@example.org>\nSubject: b\nContent-Type: text/plain; "
    hidden = f"{head}charset={charset}\n\n".encode() + body + b"\n"
    series = open_series("-", tree=tree, stdin=message("[PATCH]", "a.c").encode() + hidden)
    names = [name for p in series.patches for name in p.contents]
    assert "b.c" in names or "git am takes a diff" in "; ".join(series.gaps)


def test_a_commit_that_makes_a_link(tmp_path: Path) -> None:
    """What it leads to is compiled in its place, and was not looked at."""
    repo = Repo.make(tmp_path / "tree")
    source = repo.path / ROSE
    source.unlink()
    source.symlink_to("irq-snail.c")
    repo.commit("irqchip/rose: Be a snail")
    assert open_series("HEAD~1..", tree=repo.path).gaps == (
        f"{ROSE}: a link or a submodule, not followed",
    )
    source.unlink()
    repo.commit("irqchip/rose: Go")
    assert open_series("HEAD~1..", tree=repo.path).gaps == ()
