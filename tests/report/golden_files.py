# SPDX-License-Identifier: GPL-2.0-or-later
"""Compares with a golden file; CTXLINT_UPDATE_GOLDEN=1 rewrites it instead.

JSON and SARIF are compared as data, HTML as its tags, attributes and words: how they are
laid out is nobody's concern.
"""

from __future__ import annotations

import json
import os
from html.parser import HTMLParser
from pathlib import Path

GOLDEN = Path(__file__).parent / "golden"


class _Structure(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: list[object] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: " ".join((value or "").split()) for name, value in attrs}
        self.seen.append((tag, values))

    def handle_endtag(self, tag: str) -> None:
        self.seen.append(f"/{tag}")

    def handle_data(self, data: str) -> None:
        self.seen += data.split()


def _structure(name: str, text: str) -> object:
    if name.endswith((".json", ".sarif")):
        return json.loads(text)
    return _Structure(text).seen if name.endswith(".html") else text


def check_golden(name: str, text: str) -> None:
    path = GOLDEN / name
    if os.environ.get("CTXLINT_UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert _structure(name, text) == _structure(name, path.read_text(encoding="utf-8"))
