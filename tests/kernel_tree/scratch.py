# SPDX-License-Identifier: GPL-2.0-or-later
"""A kernel tree with some files replaced, and its compile commands.

The tree itself is never written to. :class:`Overlay` is a directory that looks like the
tree: what is replaced is a real file, directories on the way to it are real, everything
else is a symbolic link. A build directory for it is a ``.config`` and a
``compile_commands.json`` whose commands are those of the real tree with the path changed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from ctxlint.base.request import Quiet
from ctxlint.findings.model import Finding, Result
from ctxlint.kbuild import CompileCommand, Prepared, Tree, find_tree, prepare
from ctxlint.pipeline import Request, audit


class Overlay:
    """A stand-in for ``tree`` at ``root``, which must not exist yet."""

    def __init__(self, tree: Path, root: Path) -> None:
        self.tree = tree
        self.root = root
        self._written: set[str] = set()
        root.mkdir(parents=True)
        self._link_children("")

    def _link_children(self, directory: str) -> None:
        for child in (self.tree / directory).iterdir():
            (self.root / directory / child.name).symlink_to(child)

    def _open(self, directory: str) -> None:
        """Make ``directory`` (relative to the tree) and those above it real ones."""
        path = ""
        for part in Path(directory).parts:
            path = str(Path(path, part))
            here = self.root / path
            if here.is_symlink():
                here.unlink()
                here.mkdir()
                self._link_children(path)
            elif not here.exists():
                here.mkdir()

    def write(self, file: str, text: str) -> None:
        """Let ``file`` have this text."""
        self._open(str(Path(file).parent))
        self._unlink(file)
        (self.root / file).write_text(text)
        self._written.add(file)

    def _unlink(self, file: str) -> None:
        (self.root / file).unlink(missing_ok=True)

    def reset(self) -> None:
        """Every file as in the tree again."""
        for file in self._written:
            self._unlink(file)
            if (self.tree / file).exists():
                (self.root / file).symlink_to(self.tree / file)
        self._written.clear()


@dataclass
class Bench:
    """One kernel tree, a cache of its build directories, and a place for overlays."""

    tree: Tree
    cache: Path
    work: Path
    jobs: int = 1
    _count: int = field(default=0, init=False)

    def fresh(self, name: str) -> Path:
        """A path below ``work`` that nothing has."""
        self._count += 1
        return self.work / f"{name}-{self._count}"

    def commands(self, arch: str, config: str, rt: bool, files: Iterable[str]) -> Prepared:
        """The tree's own compile commands of ``files``."""
        return prepare(
            self.tree,
            arch=arch,
            config=config,
            rt=rt,
            paths=sorted(files),
            cache=self.cache,
            jobs=self.jobs,
        )

    def build(self, overlay: Overlay, done: Prepared, units: dict[str, str]) -> Path:
        """A build directory for ``overlay``: ``units`` maps a file to the file whose
        command it is compiled with (itself, or one like it)."""
        where = self.fresh("build") / done.config  # the profile is named after it
        where.mkdir(parents=True)
        for child in done.build.iterdir():  # commands run where their headers are
            (where / child.name).symlink_to(child)
        known = {command.file: command for command in done.commands}
        entries = [
            entry(overlay, known[like], file, where)
            for file, like in units.items()
            if like in known
        ]
        for name in ("compile_commands.json", ".config"):
            (where / name).unlink(missing_ok=True)
        (where / "compile_commands.json").write_text(json.dumps(entries))
        shutil.copy(done.build / ".config", where / ".config")
        return where

    def audit(self, root: Path, files: Iterable[str], builds: Iterable[Path]) -> Result:
        """The analyser's answer for ``files`` of the tree at ``root``."""
        request = Request(
            tree=find_tree(root).path,
            paths=tuple(sorted(files)),
            builds=tuple(builds),
            cache=self.cache,
            jobs=self.jobs,
        )
        return audit(request, Quiet())


def entry(
    overlay: Overlay, command: CompileCommand, file: str, build: Path
) -> dict[str, object]:
    """One entry of ``compile_commands.json`` in ``build``."""
    arguments = [a.replace(str(overlay.tree), str(overlay.root)) for a in command.arguments]
    target = str(overlay.root / file)
    output = file.replace("/", "_")[:-2] + ".o"
    return {
        "directory": str(build),
        "file": target,
        "arguments": ["clang", *arguments, "-c", "-o", output, target],
    }


def clang() -> str | None:
    """A clang to check syntax with: ``clang`` or the newest ``clang-NN``."""
    names = {
        path.name
        for directory in os.get_exec_path()
        if Path(directory).is_dir()
        for path in Path(directory).iterdir()
        if re.fullmatch(r"clang(-\d+)?", path.name)
    }
    order: Callable[[str], int] = lambda name: int(name.partition("-")[2] or 0)  # noqa: E731
    return max(names, key=order, default=None)


def syntax_errors(build: Path, files: set[str], root: Path, jobs: int) -> dict[str, str]:
    """Files of ``build`` that clang finds errors in, with the first lines of those."""
    compiler = clang()
    assert compiler is not None
    entries = [
        e
        for e in json.loads((build / "compile_commands.json").read_text())
        if str(Path(e["file"]).relative_to(root)) in files
    ]

    def check(one: dict[str, object]) -> tuple[str, str]:
        arguments = one["arguments"]
        assert isinstance(arguments, list)
        done = subprocess.run(
            [compiler, "-fsyntax-only", "-w", "-ferror-limit=3", *arguments[1:]],
            cwd=str(one["directory"]),
            capture_output=True,
            text=True,
            check=False,
        )
        return str(
            Path(str(one["file"])).relative_to(root)
        ), done.stderr if done.returncode else ""

    with ThreadPoolExecutor(jobs) as pool:
        return {file: text[:800] for file, text in pool.map(check, entries) if text}


def brief(finding: Finding) -> str:
    """One line about a finding, for messages of failed tests."""
    kind = "RT only" if finding.rt_only else "always"
    return (
        f"{finding.file}:{finding.line}: {finding.function} -> {finding.callee}"
        f" [{finding.check}, {kind}, {' '.join(finding.profiles)}]"
        f" entry {finding.entry.kind} {finding.entry.function}"
    )
