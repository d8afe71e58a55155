# SPDX-License-Identifier: GPL-2.0-or-later
"""Saved results: what can be read can be shown in every format."""

from __future__ import annotations

from ctxlint.base.errors import UsageError
from ctxlint.cli.audit import FORMATS, render
from ctxlint.cli.page import render as page
from ctxlint.report import json_report
from fuzzing.reader import HERE, Reader


def read(data: bytes) -> object:
    result = json_report.load(data)
    for style in FORMATS:
        if style == "html":
            text = page(result, None)
        else:
            text = render(result, style, tree=HERE, color=False, code=0)
        assert "\x1b" not in text and "\x00" not in text
    return result


READER = Reader(
    rate=1500,
    read=read,
    allowed=(UsageError,),
    words=(
        b'"findings": ',
        b'"path": ',
        b'"line": ',
        b'"column": ',
        b'"severity": "error"',
        b'"check": ',
        b'"text": ',
        b'"evidence": ',
        b"null",
        b"true",
        b"[]",
        b"{}",
        b"-1",
        b"1e999",
        b"9" * 30,
        b'"\\u001b[2J"',
        b'"\\ud800"',
        b'"<script>"',
        b'"',
        b",",
        b"}",
        b'"../../etc/passwd"',
        b'"::error::"',
        b'""',
    ),
    growing={
        "brackets": lambda n: b"[" * n,
        "objects": lambda n: b'{"a":' * n,
        "digits": lambda n: b"9" * n,
        "string": lambda n: b'"' + b"\\u0000" * n + b'"',
        "keys": lambda n: b"{" + b",".join(b'"a%d":1' % i for i in range(n)) + b"}",
    },
)
