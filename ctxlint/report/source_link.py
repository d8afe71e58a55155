# SPDX-License-Identifier: GPL-2.0-or-later
"""Links to a line of a source file in a web view of the tree."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

from ctxlint.base.errors import UsageError
from ctxlint.findings.model import TreeInfo

_FIELDS = ("file", "line", "commit", "version")
_FIELD = re.compile(r"\{(\w+)\}")
_HINT = "for example https://example.org/linux/tree/{file}?id={commit}#n{line}"


class SourceLink:
    """A template with ``{file}``, ``{line}``, ``{commit}`` and ``{version}``.

    ``{file}`` keeps its slashes, everything else that has a meaning in a URL is
    quoted. Raises UsageError when the template is not an http(s) URL, has no
    ``{file}``, names another field, or needs a commit that is not known.
    """

    def __init__(self, template: str, tree: TreeInfo) -> None:
        names = set(_FIELD.findall(template))
        try:
            parts = urlsplit(template)
        except ValueError as error:
            raise UsageError(f"link template: {error}", hint=_HINT) from error
        if parts.scheme not in ("http", "https") or not parts.netloc or "{" in parts.netloc:
            raise UsageError("link template: not a URL with http:// or https://", hint=_HINT)
        if re.search("[{}]", _FIELD.sub("", template)):
            raise UsageError("link template: a brace that belongs to no field", hint=_HINT)
        unknown = sorted(names - set(_FIELDS))
        if unknown or "file" not in names:
            what = f"no field {{{unknown[0]}}}" if unknown else "{file} is missing"
            raise UsageError(f"link template: {what}", hint=_HINT)
        if "commit" in names and tree.commit is None:
            raise UsageError(
                "link template: {commit} of this tree is not known",
                hint="use {version}, or write a tag into the template",
            )
        self._template = template
        self._tree = {"commit": _quoted(tree.commit or ""), "version": _quoted(tree.version)}

    def to(self, file: str, line: int) -> str:
        """The URL of a line; ``""`` for a file outside of the tree."""
        if file.startswith("/") or ".." in file.split("/"):
            return ""
        quoted = quote(file.encode("utf-8", "surrogatepass"), safe="/")
        values = {"file": quoted, "line": str(line), **self._tree}
        return _FIELD.sub(lambda match: values[match[1]], self._template)


def _quoted(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="")
