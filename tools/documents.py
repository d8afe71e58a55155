#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes the documents that are made from the program: ``make documents``.

- ``docs/checks/``: a page for each check, from its docstring;
- ``docs/rules/``: a page for each rule file, from the rules;
- ``man/ctxlint.1``: from the commands and their options.

They are in the repository, so that they can be read without the program; a test says
when they are not what this makes (``tests/test_generated.py``). With ``--check`` nothing
is written, and the exit code is 1 when something would be.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(Path(__file__).parent))

import manpage  # noqa: E402

from ctxlint.checks import base as checks  # noqa: E402
from ctxlint.cli.rulespages import index, pages  # noqa: E402
from ctxlint.rulebook.rows import all_rows  # noqa: E402

_LICENCE = "SPDX-License-Identifier: GPL-2.0-or-later"
_RULES_INTRO = """\
# Rules

What the tool assumes about the kernel. Each rule names its source (Linux 6.12: a file, and
the function or macro in it). Everything that no rule says is computed from the source code.
`ctxlint rules show NAME` prints a rule as it is written; [writing
rules](../writing-rules.md) explains the keys. `rules/splats.yaml` says how the execution
context of a splat is recognised, `rules/models/` what functions do in the executable model,
and `rules/annotations.yaml` which annotations would show a finding; each names its sources.
"""
_CHECKS_INTRO = """\
# Checks

`ctxlint explain CHECK` prints these pages.
"""


def documents() -> dict[str, str]:
    """Content by path from the root of the repository."""
    made = {"man/ctxlint.1": manpage.page()}
    listed = [_CHECKS_INTRO]
    for doc in checks.docs():
        made[f"docs/checks/{doc.id}.md"] = _generated(
            checks.explain(doc.id), f"ctxlint/checks/{doc.id.replace('-', '_')}.py"
        )
        listed.append(f"- [{doc.id}]({doc.id}.md): {doc.summary}")
    made["docs/checks/index.md"] = _generated("\n".join(listed) + "\n", "ctxlint/checks/")
    rows = all_rows()
    for file, text in pages(rows).items():
        made[_page_of(file)] = _generated(text, file)
    links = index(rows, lambda file: _page_of(file).removeprefix("docs/rules/"))
    made["docs/rules/index.md"] = _generated(f"{_RULES_INTRO}\n{links}", "rules/")
    return made


def _page_of(file: str) -> str:
    return f"docs/{file.removesuffix('.yaml')}.md"


def _generated(text: str, source: str) -> str:
    note = f"<!-- Made from {source} by `make documents`. -->"
    return f"<!-- {_LICENCE} -->\n{note}\n{text.rstrip()}\n"


def stale(root: Path) -> list[str]:
    """Paths below ``root`` that are not what they should be, or should not be there."""
    made = documents()
    wrong = [name for name, text in made.items() if _read(root / name) != text]
    there = [*root.glob("docs/checks/*"), *root.glob("docs/rules/**/*"), *root.glob("man/*")]
    names = (path.relative_to(root).as_posix() for path in there if path.is_file())
    return sorted([*wrong, *(name for name in names if name not in made)])


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""


def main(arguments: list[str]) -> int:
    names = stale(ROOT)
    for name in names:
        print(name)
    if "--check" in arguments:
        return 1 if names else 0
    made = documents()
    for name in names:
        path = ROOT / name
        if name in made:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(made[name], encoding="utf-8")
        else:
            path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
