# SPDX-License-Identifier: GPL-2.0-or-later
"""Takes HTML and SVG apart as a strict reader: balanced, and nothing active."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = frozenset({"meta", "input", "line", "circle", "rect"})


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]


@dataclass
class Document:
    elements: list[Element] = field(default_factory=list)
    text: str = ""

    def all(self, tag: str) -> list[Element]:
        return [element for element in self.elements if element.tag == tag]

    def classed(self, name: str) -> list[Element]:
        return [e for e in self.elements if name in e.attributes.get("class", "").split()]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.document = Document()
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"attribute twice in {self.get_starttag_text()}"
        self.document.elements.append(Element(tag, {k: v or "" for k, v in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self._open and self._open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        if not self._open or self._open[-1] not in ("style", "script"):
            self.document.text += data

    def close(self) -> None:
        super().close()
        assert not self._open, f"left open: {self._open}"


def read(page: str) -> Document:
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return reader.document


def assert_harmless(document: Document) -> None:
    """No element that loads or runs, no handler, no link but to the page itself
    or to a web page."""
    tags = {element.tag for element in document.elements}
    assert not tags & {"img", "iframe", "object", "embed", "link", "base", "image", "a:"}
    assert len(document.all("script")) <= 1 and len(document.all("style")) <= 1
    drawn = {f"#{element.attributes['id']}" for element in document.all("g")
             if "id" in element.attributes}  # fmt: skip
    for element in document.elements:
        if element.tag == "use":
            # Of this page, and nothing that a finding has named.
            assert element.attributes["href"] in drawn
            assert re.fullmatch(r"#p\d+", element.attributes["href"])
        for name, value in element.attributes.items():
            assert not name.startswith("on") and name not in ("style", "src", "srcset"), name
            if name == "href":
                assert value.startswith(("#", "https://")), value
