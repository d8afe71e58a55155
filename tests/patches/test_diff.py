# SPDX-License-Identifier: GPL-2.0-or-later
"""What the reader of diffs takes, and what it refuses."""

from __future__ import annotations

import pytest

from ctxlint.patches import PatchError, diff
from ctxlint.patches.model import MAX_PATCH_BYTES

GOOD = b"""\
diff --git a/drivers/a.c b/drivers/a.c
index 0123456..789abcd 100644
--- a/drivers/a.c
+++ b/drivers/a.c
@@ -1,3 +1,4 @@ int f(void)
 one
-two
+zwei
+drei
 three
diff --git a/new.h b/new.h
new file mode 100644
index 0000000..789abcd
--- /dev/null
+++ b/new.h
@@ -0,0 +1 @@
+x
\\ No newline at end of file
diff --git a/gone.c b/gone.c
deleted file mode 100644
index 0123456..0000000
--- a/gone.c
+++ /dev/null
@@ -1 +0,0 @@
-y
diff --git a/old.c b/name.c
similarity index 100%
rename from old.c
rename to name.c
"""


def one(name: str, *extra: str) -> bytes:
    """A patch of one file with that name, with more header lines."""
    head = "\n".join((f"diff --git a/{name} b/{name}", *extra))
    return f"{head}\n--- a/{name}\n+++ b/{name}\n@@ -1 +1 @@\n-a\n+b\n".encode()


def test_names_and_hunks() -> None:
    files = diff.parse(GOOD)
    assert [(f.old, f.new) for f in files] == [
        ("drivers/a.c", "drivers/a.c"),
        (None, "new.h"),
        ("gone.c", None),
        ("old.c", "name.c"),
    ]
    (hunk,) = files[0].hunks
    assert hunk.header == "@@ -1,3 +1,4 @@ int f(void)"
    assert {n: hunk.lines[i] for n, i in hunk.new_lines().items()} == {
        1: " one",
        2: "+zwei",
        3: "+drei",
        4: " three",
    }


def test_where_the_diff_begins() -> None:
    body = b"Text that says\n    diff --git a/x b/x\nis no diff.\n---\n stat\n\n" + GOOD
    assert diff.parse(diff.diff_of(body)) == diff.parse(GOOD)
    assert diff.has_diff(body)
    assert not diff.has_diff(b"Only --- text\n---\nand a scissors line\n")


def test_a_hunk_may_hold_what_looks_like_a_header() -> None:
    text = b"--- a/x.c\n+++ b/x.c\n@@ -1,2 +1,2 @@\n--- /etc/passwd\n+++ /etc/shadow\n a\n"
    (file,) = diff.parse(text)
    assert file.hunks[0].lines == ("--- /etc/passwd", "+++ /etc/shadow", " a")


def test_quoted_names() -> None:
    name = '"a/\\303\\244.c"'
    text = f'--- {name}\n+++ "b/\\303\\244.c"\n@@ -1 +1 @@\n-a\n+b\n'.encode()
    assert diff.parse(text)[0].new == "ä.c"


@pytest.mark.parametrize(
    "name",
    [
        "../outside.c",
        "drivers/../../outside.c",
        "./a.c",
        "drivers//a.c",
        ".git/hooks/post-checkout",
        "sub/.GIT/config",
        ".git /config",
        "git~1/config",
        ".git::$INDEX_ALLOCATION/config",
        ".gitmodules",
        "a\\b.c",
        "a/" * 70 + "x.c",
        "x" * 2000,
        "x" * 256 + ".c",
        "d/" + "\u00e4" * 130 + "/x.c",
        "\u202ec.x.c",
        ".g\u200cit/config",
        "d\x00.c",
    ],
)
def test_names_outside_of_the_tree(name: str) -> None:
    with pytest.raises(PatchError):
        diff.parse(one(name))
    for line in ("rename to", "rename from", "copy to"):
        text = f"diff --git a/x.c b/x.c\n{line} {name}\n".encode()
        with pytest.raises(PatchError):
            diff.parse(text)


def test_absolute_names() -> None:
    for text in (
        b"--- /etc/passwd\n+++ /etc/passwd\n@@ -1 +1 @@\n-a\n+b\n",
        b"--- a//etc/passwd\n+++ b//etc/passwd\n@@ -1 +1 @@\n-a\n+b\n",
        b"diff --git a/x b/x\nrename from /etc/passwd\nrename to x\n",
    ):
        with pytest.raises(PatchError):
            diff.parse(text)


@pytest.mark.parametrize("char", ["\x1b[2J", "\r", "\x07", "\u202e", "\x80"])
def test_terminal_escapes_in_names_are_refused_and_not_obeyed(char: str) -> None:
    with pytest.raises(PatchError) as caught:
        diff.parse(one(f"drivers/x{char}y.c"))
    assert char not in str(caught.value)


@pytest.mark.parametrize("mode", ["120000", "160000", "040000", "100600", "060000", "104755"])
def test_only_regular_files(mode: str) -> None:
    for line in (f"new file mode {mode}", f"old mode {mode}", f"index 0123456..789abcd {mode}"):
        with pytest.raises(PatchError):
            diff.parse(one("x.c", line))


@pytest.mark.parametrize("mode", ["120000", "160000", "040000"])
@pytest.mark.parametrize(
    "odd", ["{} ", "{}\t", " {}", "{}\r", "0{}", "+{}", "{} x", "{}\x0b", "{} 100644"]
)
def test_modes_as_git_takes_them(mode: str, odd: str) -> None:
    """git reads a number and does not mind what is around it."""
    for line in ("new file mode ", "old mode ", "new mode ", "index 0123456..789abcd "):
        with pytest.raises(PatchError, match=r"link|submodule|directory|mode|NUL|binary"):
            diff.parse(one("x.c", line + odd.format(mode)))


def test_numbers_of_a_hunk() -> None:
    for part in ("-1,{} +1", "-{} +1", "-1 +1,{}", "-1 +{}"):
        text = f"@@ {part.format('9' * 5000)} @@"
        with pytest.raises(PatchError, match="more than 9 digits"):
            diff.parse(f"--- a/x.c\n+++ b/x.c\n{text}\n-a\n+b\n".encode())


def test_a_name_is_not_told_in_full() -> None:
    for name in ("../" + "x" * 100_000, '"a/' + "\\303" * 100_000):
        with pytest.raises(PatchError) as caught:
            diff.parse(one(name))
        assert len(str(caught.value)) < 300


def test_a_message_is_fit_for_a_terminal() -> None:
    for text in ("\x1b[2J\u202e\udc80\x9b", "x" * 100_000):
        shown = str(PatchError(f"hunk {text}"))
        assert len(shown) < 600 and shown.isprintable()


def test_where_git_sees_a_diff_begin() -> None:
    for text in (b"--- my dir/x.c\n+++ b/x.c\n@@ -1 +1 @@\n-a\n+b\n", b"--- x\n+++ y\n"):
        assert diff.has_diff(b"Words.\n" + text)
    assert diff.parse(b"--- my dir/x.c\n+++ b/x.c\n@@ -1 +1 @@\n-a\n+b\n")[0].new == "x.c"


def test_binary_patches() -> None:
    text = b"diff --git a/x b/x\nindex 0123456..789abcd 100644\nGIT binary patch\nliteral 9\n"
    for data in (text, text.replace(b"GIT binary patch\nliteral 9", b"Binary files a and b")):
        with pytest.raises(PatchError, match="binary"):
            diff.parse(data)
    with pytest.raises(PatchError, match="NUL"):
        diff.parse(one("x.c") + b"\0")


@pytest.mark.parametrize(
    "text",
    [
        b"--- a/x.c\n+++ b/x.c\n@@ -1,9 +1,9 @@\n-a\n+b\n",
        b"--- a/x.c\n+++ b/x.c\n@@ -1 +1 @@\n*a\n+b\n",
        b"--- a/x.c\n+++ b/x.c\n@@ -1,99999999999999999999 +1 @@\n",
        b"--- a/x.c\n+++ b/x.c\nnothing\n",
        b'--- "a/x.c\n+++ b/x.c\n@@ -1 +1 @@\n-a\n+b\n',
        b"--- a/x.c\n+++ b/y.c\n--- a/z.c\n+++ b/z.c\n@@ -1 +1 @@\n-a\n+b\n",
        b"diff --git a/x.c b/x.c\n--- a/x.c\n+++ b/y.c\n@@ -1 +1 @@\n-a\n+b\n",
        b"--- x.c\n+++ x.c\n@@ -1 +1 @@\n-a\n+b\n",
    ],
)
def test_malformed(text: bytes) -> None:
    with pytest.raises(PatchError):
        diff.parse(text)


def test_too_large() -> None:
    with pytest.raises(PatchError, match="MB"):
        diff.parse(b"+" * (MAX_PATCH_BYTES + 1))
    with pytest.raises(PatchError, match="files"):
        diff.parse(b"".join(one(f"f{n}.c") for n in range(4001)))
