# SPDX-License-Identifier: GPL-2.0-or-later
"""The fixtures in a tree, audited; and their comments on what running a finding gives."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
from once import once

from ctxlint import pipeline
from ctxlint.base.request import Quiet
from ctxlint.findings.expectations import BUILDS
from ctxlint.findings.model import Result

FIXTURES = Path(__file__).parent.parent / "fixtures"
MINIATURE = FIXTURES / "tree"
DRIVERS = FIXTURES / "model"
"""What the scenarios of the executable model run; no fixtures of a check."""
BELOW = "drivers/fixtures"

_MODEL = re.compile(r"model(?:\[(rt|nort)\])?: ([a-z]+(?:\|[a-z]+)*)")


@dataclass(frozen=True)
class Wanted:
    """A comment on what running a finding gives: ``words`` are first words of verdicts."""

    file: str
    line: int
    words: tuple[str, ...]
    builds: tuple[str, ...]


def verdicts_wanted(text: str, file: str) -> list[Wanted]:
    """The comments ``// model: WORD`` (or ``WORD|WORD``) of one file."""
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        for comment in line.split("//")[1:]:
            match = _MODEL.fullmatch(comment.strip())
            if match is not None:
                build, words = match.groups()
                builds = (build,) if build else BUILDS
                found.append(Wanted(file, number, tuple(words.split("|")), builds))
            elif comment.strip().startswith("model"):
                raise ValueError(f"{file}:{number}: not understood: //{comment}")
    return found


def make_tree(root: Path, sources: Mapping[str, str]) -> tuple[Path, ...]:
    """A kernel tree at ``root`` with the fake headers and ``sources`` (path -> text)
    below ``drivers/fixtures``; returns its two build directories."""
    for name in ("Makefile", "Kconfig"):
        root.mkdir(parents=True, exist_ok=True)
        shutil.copy(MINIATURE / name, root / name)
    for name in ("include", "arch"):
        shutil.copytree(MINIATURE / name, root / name)
    for name, text in sources.items():
        path = root / BELOW / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    builds = []
    for build in BUILDS:
        template = json.loads(
            (MINIATURE / "builds" / build / "compile_commands.json").read_text()
        )
        flags = template[0]["arguments"][:-4]
        commands = []
        for name in sorted(sources):
            source = f"../../{BELOW}/{name}"
            arguments = [*flags, "-c", "-o", f"{name[:-2]}.o", source]
            commands.append({"directory": ".", "file": source, "arguments": arguments})
        folder = root / "builds" / build
        folder.mkdir(parents=True)
        shutil.copy(MINIATURE / "builds" / build / ".config", folder / ".config")
        (folder / "compile_commands.json").write_text(json.dumps(commands), encoding="utf-8")
        builds.append(folder)
    return tuple(builds)


def all_sources() -> dict[str, str]:
    """Every fixture: its path below ``fixtures/`` and its text."""
    return {
        path.relative_to(FIXTURES).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(FIXTURES.rglob("*.c"))
        if not path.is_relative_to(MINIATURE) and not path.is_relative_to(DRIVERS)
    }


def audited() -> tuple[Path, Result]:
    """The fixtures in a tree, and what an audit with an empty cache says of them: a folder
    with ``tree`` and ``cache`` as that run has left them, and its result."""

    def make(root: Path) -> None:
        builds = make_tree(root / "tree", all_sources())
        request = pipeline.Request(
            tree=root / "tree", builds=builds, paths=(BELOW,), cache=root / "cache"
        )
        result = pipeline.audit(request, Quiet())
        (root / "result").write_bytes(msgspec.msgpack.encode(result))

    root = once("fixtures", make)
    return root, msgspec.msgpack.decode((root / "result").read_bytes(), type=Result)
