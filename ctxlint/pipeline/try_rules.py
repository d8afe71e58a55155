# SPDX-License-Identifier: GPL-2.0-or-later
"""Rule files and fixtures tried in seconds, before they are part of anything.

A fixture is read as if it lay in a driver's directory of a tree, under each profile: of
the miniature tree that comes with the tool, or of a kernel tree, whose headers then say
what the real prototypes are. Neither tree is written to. Functions of the rules that the
fixture calls and nobody declares get a header that is made for the run: from the rule's
own prototype, or by including the kernel's header that has it.
"""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from ctxlint import kbuild
from ctxlint.base.errors import UsageError
from ctxlint.base.processes import scratch
from ctxlint.base.request import Progress, Request
from ctxlint.findings.expectations import Compared, Expectation, compare, expectations, seen
from ctxlint.findings.model import Finding, Incomplete
from ctxlint.pipeline import rule_fit
from ctxlint.pipeline.changed import MAX_UNITS, PatchedTree
from ctxlint.pipeline.copies import fixtures_directory
from ctxlint.pipeline.defaults import default_paths
from ctxlint.pipeline.session import Session
from ctxlint.rulebook import RegistrationRule, Rulebook, prototypes, treecheck
from ctxlint.rulebook.loader import load_alone
from ctxlint.rulebook.treecheck import Misfit
from ctxlint.units.digest import rules_with

_MADE = "include/rules-under-test.h"


@dataclass(frozen=True, kw_only=True)
class Tried:
    """What came of rule files and fixtures.

    ``rules`` counts the rules of each file, ``misfits`` are those that the kernel tree
    contradicts (none without one). ``compared`` has the comments and findings of each
    fixture, by the name that it was given by, ``findings`` what those found are.
    ``declared`` says of functions that no fixture declares where that was taken from.
    """

    rules: tuple[tuple[str, int], ...]
    misfits: tuple[Misfit, ...]
    compared: tuple[Compared, ...]
    findings: tuple[Finding, ...]
    declared: tuple[str, ...]
    incomplete: tuple[Incomplete, ...]

    @property
    def agrees(self) -> bool:
        """Whether rules fit the tree and findings are as the comments say."""
        return not self.misfits and not any(item.wrong for item in self.compared)


def try_rules(
    files: Sequence[Path], tree: Path | None, request: Request, progress: Progress
) -> Tried:
    """Try rule files (``.yaml``) and fixtures (``.c``) together.

    ``tree`` is a kernel tree, None for the miniature one. Of ``request`` count the
    profiles, builds, cache, rules and limits. Raises UsageError for other files and
    malformed comments, RuleError for a rule that is wrong in itself.
    """
    rule_files = tuple(path for path in files if path.suffix == ".yaml")
    fixtures = {path: _text(path) for path in files if path.suffix == ".c"}
    for path in files:
        if path not in rule_files and path not in fixtures:
            raise UsageError(f"{path}: neither a rule file (.yaml) nor a fixture (.c)")
    alone = {path: load_alone(path) for path in rule_files}
    request = dataclasses.replace(request, rules=(*request.rules, *rule_files))
    rules_with(request.rules)  # names that other files explain, every prototype
    misfits: list[Misfit] = []
    if tree is not None:
        for book in alone.values():
            misfits += rule_fit.misfits_of(tree, book)
    tried = Tried(
        rules=tuple((str(path), _count(book)) for path, book in alone.items()),
        misfits=tuple(misfits), compared=(), findings=(), declared=(), incomplete=(),
    )  # fmt: skip
    if not fixtures:
        return tried
    if tree is None:
        small = fixtures_directory() / "tree"
        builds = (small / "builds" / "rt", small / "builds" / "nort")
        request = dataclasses.replace(request, tree=small, builds=builds, config=None)
    return _with_fixtures(tried, fixtures, alone.values(), request, progress)


def _with_fixtures(
    tried: Tried,
    fixtures: Mapping[Path, str],
    books: Iterable[Rulebook],
    request: Request,
    progress: Progress,
) -> Tried:
    folder = next(iter(default_paths(kbuild.find_tree(request.tree).path)), "")
    session = Session.of(dataclasses.replace(request, paths=request.paths or (folder,)))
    profiles = session.profiles(progress)
    folder = folder if not request.paths else request.paths[0].rpartition("/")[0]
    # No name that the tree has: the fixture stands in for no file of it.
    names = {path: f"{folder}/fixture-{path.name}" for path in fixtures}
    if len(set(names.values())) < len(names):
        raise UsageError("two fixtures have one name")
    wanted = {path: _expectations(text, names[path], path) for path, text in fixtures.items()}
    contents: dict[str, bytes | None] = {
        names[path]: text.encode() for path, text in fixtures.items()
    }
    declared = _Declared(session.tree.path, profiles[0].arch)
    header = declared.header(books, fixtures)
    if header:
        contents[_MADE] = header.encode()
    reduced = [_of_fixtures(p, names.values(), bool(header), session.tree) for p in profiles]
    session = dataclasses.replace(session, paths=tuple(sorted(names.values())))
    with session.open_store(progress) as store, scratch("rules-", session.cache) as place:
        patched = PatchedTree(session, reduced, store, place, progress, {}, MAX_UNITS)
        result = patched.analyse(contents, contents).result
    shown = {name: str(path) for path, name in names.items()}
    builds = {"rt" if p.rt else "nort" for p in profiles}
    # Of what could not be read, nothing that is not found is right.
    unread = {item.file for item in result.incomplete if item.kind == "unit"}
    compared = [
        dataclasses.replace(item, file=str(path))
        for path in fixtures
        if names[path] not in unread
        for item in compare(wanted[path], seen(result), names[path], builds)
    ]
    return dataclasses.replace(
        tried,
        compared=tuple(compared),
        findings=tuple(
            msgspec.structs.replace(f, file=shown[f.file])
            for f in result.findings
            if f.file in shown
        ),
        declared=tuple(declared.notes),
        incomplete=tuple(_gap(item, shown) for item in result.incomplete),
    )


def _gap(item: Incomplete, shown: Mapping[str, str]) -> Incomplete:
    detail = item.detail
    for name, path in shown.items():
        detail = detail.replace(name, path)
    return msgspec.structs.replace(item, file=shown.get(item.file, item.file), detail=detail)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {getattr(error, 'strerror', None) or error}") from error


def _expectations(text: str, name: str, path: Path) -> list[Expectation]:
    try:
        return expectations(text, name)
    except ValueError as error:
        raise UsageError(
            str(error).replace(name, str(path), 1), hint="fixtures/README.md has the comments"
        ) from error


def _count(book: Rulebook) -> int:
    return len({place for place, _, _ in book.sources})


def _of_fixtures(
    profile: kbuild.Prepared, names: Iterable[str], included: bool, tree: kbuild.Tree
) -> kbuild.Prepared:
    """The profile with nothing in it but the fixtures, compiled as a file beside them is."""
    commands = []
    for name in sorted(names):
        like = kbuild.command_like(profile.commands, name)
        if like is None:
            folder = name.rpartition("/")[0]
            raise UsageError(
                f"{profile.spec_name}: nothing in {folder} is compiled",
                hint="name a file that is with --like FILE",
            )
        command = like[0]
        if included:
            made = os.path.relpath(tree.path / _MADE, command.directory)
            arguments = (*command.arguments, "-include", made)
            command = dataclasses.replace(command, arguments=arguments)
        commands.append(command)
    return dataclasses.replace(profile, commands=tuple(commands))


class _Declared:
    """Makes the header of what fixtures call and do not declare. ``notes`` say of each
    such function where its prototype is from."""

    def __init__(self, tree: Path, arch: str) -> None:
        self.tree = tree
        self.notes: list[str] = []
        self.folders = ("include", f"arch/{kbuild.arch_folder(arch)}/include")

    def header(self, books: Iterable[Rulebook], fixtures: Mapping[Path, str]) -> str:
        """Its text; empty when nothing is missing."""
        called = {}
        for book in books:
            for rule in (*book.apis.values(), *book.registrations.values()):
                by = [p for p, text in fixtures.items() if _calls(text, rule.symbol)]
                if by:
                    called[rule.symbol] = (rule, by[0])
        headers = rule_fit.headers_with(self.tree, self.folders, called) if called else {}
        lines: list[str] = []
        for name, (rule, path) in sorted(called.items()):
            found = _best(headers.get(name, ()), name, self._read)
            if found:
                include = f"#include <{found.partition('include/')[2]}>"
                if include in fixtures[path]:
                    continue
                lines.append(include)
                self.notes.append(f"{name}() is declared in {found}")
            else:
                lines += self._from_rule(rule, fixtures[path], path)
                self.notes.append(f"{name}() is declared as its rule has it")
        if not lines:
            return ""
        return "\n".join(("#include <linux/types.h>", *dict.fromkeys(lines), ""))

    def _read(self, file: str) -> str:
        return (self.tree / file).read_text(encoding="utf-8", errors="replace")

    def _from_rule(self, rule: Any, fixture: str, path: Path) -> list[str]:
        """A declaration of the function, after those of the types in it."""
        text = rule.prototype.rstrip().rstrip(";")
        lines = [f"{tag};" for tag in re.findall(r"\b(?:struct|union)\s+\w+", text)]
        callbacks = set()
        if isinstance(rule, RegistrationRule):
            callbacks = {item.arg for item in rule.registration.callbacks}
        types = dict.fromkeys(prototypes.type_names(text))
        known = rule_fit.headers_with(self.tree, self.folders, types)
        for name in types:
            if re.search(rf"\btypedef\b[^;]*\b{name}\b", fixture):
                raise UsageError(
                    f"{path}: defines {name} and does not declare {rule.symbol}()",
                    hint=f"write the prototype below it: {text};",
                )
            defined = [f for f in known.get(name, ()) if _defines(self._read(f), name)]
            if defined:
                lines.append(f"#include <{defined[0].partition('include/')[2]}>")
                continue
            pointer = any(kind == name and arg in callbacks for arg, kind in rule.params)
            lines.append(f"typedef {'void *' if pointer else 'unsigned long '}{name};")
        return [*lines, f"{text};"]


def _calls(text: str, name: str) -> bool:
    """Whether a fixture uses a function, and leaves the declaration to others: one that
    begins in the first column is its own."""
    own = rf"^(?:[A-Za-z_][^\n;={{}}()]*\b|#\s*define\s+){name}\s*\("
    return re.search(rf"\b{name}\b", text) is not None and not re.search(own, text, re.M)


def _best(headers: Iterable[str], name: str, read: Callable[[str], str]) -> str:
    """Of headers that have the word, the first that declares it as a function, or as a
    macro."""
    macro = ""
    for file in sorted(headers, key=lambda f: (f.count("/"), f)):
        text = read(file)
        if treecheck.parameters(text, name):
            return file
        if re.search(rf"^#\s*define\s+{name}\(", text, re.M):
            macro = macro or file
    return macro


def _defines(text: str, name: str) -> bool:
    return re.search(rf"\btypedef\b[^;]*\b{name}\b[^;]*;", text) is not None
