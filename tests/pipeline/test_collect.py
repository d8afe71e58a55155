# SPDX-License-Identifier: GPL-2.0-or-later
"""Reading the tree's files."""

from __future__ import annotations

from pathlib import Path

from ctxlint.pipeline.collect import source_reader, text_reader


def test_lines_are_counted_as_the_compiler_counts_them(tmp_path: Path) -> None:
    """A form feed, as some old drivers have it, and other separators end no line."""
    (tmp_path / "a.c").write_bytes(b"one\x0c\r\ntwo\xc2\x85\xe2\x80\xa8\nthree\xff")
    line = source_reader(tmp_path)
    assert [line("a.c", number) for number in range(5)] == [
        "",
        "one\x0c",
        "two\x85\u2028",
        "three\ufffd",
        "",
    ]


def test_what_cannot_be_read(tmp_path: Path) -> None:
    assert text_reader(tmp_path)("gone.c") is None
    assert source_reader(tmp_path)("gone.c", 1) == ""
