# SPDX-License-Identifier: GPL-2.0-or-later
"""Why a file is not compiled under a configuration, and what would compile it.

Makefiles and Kconfig files are read as text, nothing of them is run, so the answer can be
incomplete where they compute; it is a hint for a person. What is read is bounded, the
tree may be a stranger's.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from ctxlint.kbuild import arch as arches
from ctxlint.kbuild import config as configs
from ctxlint.kbuild.model import Prepared, Tree
from ctxlint.kbuild.tree import NOT_KERNEL, recursive

_MAX_BYTES = 1 << 20
_MAX_DEPTH = 6
_MAX_WORDS = 8
_SECONDS = 20
_ASSIGNED = re.compile(r"([\w./-]+?)-(\$\(CONFIG_(\w{1,99})\)|y|m|objs)\s*[:+]?=(.*)")
_IF = re.compile(r"(ifdef\s+|ifeq\s*\(\$\()CONFIG_(\w{1,99})(?:\)\s*,\s*[ym]\s*\))?")
_GOALS = ("obj", "lib", "core", "drivers", "net", "libs")


class Why(NamedTuple):
    """``reason`` completes "not analysed:", ``hint`` says what to do (may be ``""``)."""

    reason: str
    hint: str


def why_unbuilt(tree: Tree, file: str, profiles: Sequence[Prepared]) -> Why:
    """Of a C file of the tree that none of ``profiles`` compiles."""
    parts = file.split("/")
    if parts[0] == "rust":
        return Why("code for the kernel's Rust, which is not analysed", "")
    if parts[0] in NOT_KERNEL:
        return Why(f"{parts[0]}/ holds no kernel code", "")
    names = {arches.srcarch(p.arch) for p in profiles}
    if parts[0] == "arch" and len(parts) > 2 and parts[1] not in names:
        return Why(f"built for {parts[1]}, not for {_some(names)}", _for_arch(tree, parts[1]))
    includer = _includer(tree, file)
    if includer is not None:
        return Why(f"{includer} includes it", f"name that file: {includer}")
    ways = [way for way in _ways(tree, file) if way is not None]
    if not ways:
        return Why("no Makefile names it", "")
    options = [configs.read_config(p.build / ".config") for p in profiles if _configured(p)]
    if not options:
        return Why("no profile compiles it", "")
    off = min(([s for s in way if all(s not in on for on in options)] for way in ways), key=len)
    if not off:
        return Why("no compile command was recorded for it", "-v shows what kbuild printed")
    return Why(f"CONFIG_{off[0]} is off in {_configurations(profiles)}",
               _switch(tree, file, off[0], profiles))  # fmt: skip


def includers(tree: Tree, header: str) -> list[str]:
    """Some C files that include a header by its name, the nearest first."""
    name = header.rpartition("/")[2]
    pattern = re.compile(
        rb'^[ \t]*#[ \t]*include[ \t]*["<](?:[^">\n]*/)?' + re.escape(name.encode()) + rb'[">]',
        re.M,
    )
    folder = Path(header).parent
    while folder.parts and folder.parts[0] != "include":
        if found := _first(tree, _grep(tree, name, "*.c", [f"{folder}/"]), pattern):
            return found
        folder = folder.parent
    for top in _code(tree):
        if found := _first(tree, _grep(tree, name, "*.c", [top]), pattern):
            return found
    return []


def _first(tree: Tree, files: list[str], pattern: re.Pattern[bytes]) -> list[str]:
    found: list[str] = []
    for file in files:
        if pattern.search(_bytes(tree, file)):
            found.append(file)
        if len(found) == 3:
            break
    return found


def _switch(tree: Tree, file: str, symbol: str, profiles: Sequence[Prepared]) -> str:
    """What switches a symbol on."""
    if symbol in configs.NEVER:
        return (
            f"ctxlint's profiles never enable {symbol}: with --build, name a build of a "
            "kernel that has it"
        )
    if not all(p.own for p in profiles):
        return f"build a kernel with CONFIG_{symbol} and name its build with --build"
    mine = {arches.srcarch(p.arch) for p in profiles}
    other = _architecture(tree, file, symbol, mine)
    if other:
        return _for_arch(tree, other)
    if all(Path(p.config).name != "allmodconfig" for p in profiles):
        return "try --config allmodconfig"
    return f"name a .config that has CONFIG_{symbol} with --config, or a build with --build"


def _architecture(tree: Tree, file: str, symbol: str, mine: set[str]) -> str:
    """The architecture that a symbol needs, ``""`` when it needs none of its own."""
    known = {p.parent.name for p in tree.path.glob("arch/*/Kconfig")}
    text, where = _kconfig(tree, file, symbol)
    direct = _is_architecture(symbol, where, known)
    if direct:
        return direct if direct not in mine else ""
    if "COMPILE_TEST" in text:
        return ""
    for line in text.splitlines():
        if "depends on" not in line:
            continue
        words = re.findall(r"(?<![!\w])[A-Z]\w*", line)[:_MAX_WORDS]
        needed = [_is_architecture(w, _kconfig(tree, file, w)[1], known) for w in words]
        others = [name for name in needed if name and name not in mine]
        if others and (len(others) == len(needed) or "||" not in line):
            return sorted(others)[0]
    if re.search(r"(bool|tristate)[ \t]*$", text, re.M):  # not to be chosen, but selected
        for name in sorted(known - mine):
            config = _text(tree, f"arch/{name}/configs/defconfig")
            if re.search(rf"^CONFIG_{symbol}=[ym]$", config, re.M):
                return name
    return ""


def _is_architecture(symbol: str, where: str, known: set[str]) -> str:
    """The architecture of which a symbol is one, by its name (``ARM64``, ``PPC32``) or
    the Kconfig file that has it."""
    parts = where.split("/")
    if parts[0] == "arch" and len(parts) > 2 and parts[1] in known:
        return parts[1]
    stem = re.sub(r"_?(32|64)$", "", symbol) if symbol != "ARM64" else symbol
    names = {re.sub(r"\W", "_", name).upper(): name for name in known}
    return (names | {"PPC": "powerpc"}).get(stem, "")


def _kconfig(tree: Tree, file: str, symbol: str) -> tuple[str, str]:
    """What a symbol depends on, and the Kconfig file that has it."""
    entry = re.compile(rf"^[ \t]*(?:menu)?config[ \t]+{symbol}[ \t]*$", re.M)
    near = [str(d / "Kconfig") for d in Path(file).parents]
    found_files = _grep(tree, f"config {symbol}", "Kconfig*", _code(tree))
    found_files.sort(key=lambda path: path.startswith("arch/"))
    for path in [*near, *found_files]:
        text = _text(tree, path)
        found = entry.search(text)
        if found is None:
            continue
        lines = []
        for line in text[found.end() :].splitlines()[:60]:
            if re.match(r"[ \t]*(menu)?config\s|endif|endmenu|source", line):
                break
            if re.match(r"\s+(depends on|bool|tristate)\b", line):
                lines.append(line)
        return "\n".join(lines), path
    return "", ""


def _ways(tree: Tree, file: str) -> Iterator[tuple[str, ...] | None]:
    """For each way in which Makefiles lead to an object, the symbols that it needs."""
    folder = Path(file).parent
    directories = _directories(tree, folder)
    while True:
        word = str(Path(file).relative_to(folder).with_suffix(".o"))
        yield from ((*directories, *way) for way in _named(tree, folder, word))
        if not folder.parts or folder == Path(file).parent.parent:
            return
        folder = folder.parent


def _directories(tree: Tree, folder: Path) -> tuple[str, ...]:
    """The symbols under which kbuild goes down to a directory."""
    needed: list[str] = []
    while folder.parts:
        above = folder.parent
        ways = list(_named(tree, above, folder.name + "/"))
        if ways:
            needed = [*min(ways, key=len), *needed]
        folder = above
    return tuple(needed)


def _named(tree: Tree, folder: Path, word: str) -> Iterator[tuple[str, ...]]:
    """The symbols under which a Makefile names an object or a directory, also as a part
    of a larger object: of each object that it is a part of one way, with the fewest steps."""
    assigned = tuple(_assignments(tree, folder))
    ways: dict[str, tuple[str, ...]] = {word: ()}
    reached = {word}
    for _ in range(_MAX_DEPTH):
        outer: dict[str, tuple[str, ...]] = {}
        for stem, symbols, words in assigned:
            for part in words.intersection(reached):
                if stem in _GOALS:
                    yield (*symbols, *ways[part])
                elif stem + ".o" not in ways:
                    outer.setdefault(stem + ".o", (*symbols, *ways[part]))
        ways |= outer
        reached = set(outer)


def _assignments(
    tree: Tree, folder: Path
) -> Iterator[tuple[str, tuple[str, ...], frozenset[str]]]:
    """Each ``NAME-$(CONFIG_X) += words``: the name, the symbols it stands under, words."""
    for name in ("Kbuild", "Makefile"):
        text = _text(tree, folder / name)
        blocks: list[str] = []
        for line in text.replace("\\\n", " ").splitlines():
            words = line.split("#", 1)[0].strip()
            if words.startswith("if"):
                found = _IF.match(words)
                blocks.append(found[2] if found else "")
            elif words.startswith("else") and blocks:
                blocks[-1] = ""
            elif words.startswith("endif") and blocks:
                blocks.pop()
            elif found := _ASSIGNED.match(words):
                symbols = [s for s in (*blocks[:_MAX_WORDS], found[3]) if s]
                yield found[1], tuple(symbols), frozenset(found[4].split())


def _includer(tree: Tree, file: str) -> str | None:
    """A C file of the same directory that includes another."""
    name = file.rpartition("/")[2]
    pattern = re.compile(
        rb'^[ \t]*#[ \t]*include[ \t]*"' + re.escape(name.encode()) + rb'"', re.M
    )
    folder = Path(file).parent
    for path in sorted((tree.path / folder).glob("*.c"))[:1000]:
        if path.name != name and pattern.search(_bytes(tree, path)):
            return (folder / path.name).as_posix()
    return None


def _for_arch(tree: Tree, folder: str) -> str:
    name = "x86_64" if folder == "x86" else folder
    return f"try --arch {name}"


def _configurations(profiles: Sequence[Prepared]) -> str:
    return _some({f"{Path(p.config).name} of {p.arch}" for p in profiles})


def _configured(profile: Prepared) -> bool:
    return (profile.build / ".config").is_file()


def _some(names: set[str]) -> str:
    return " and ".join(sorted(names))


def _code(tree: Tree) -> list[str]:
    """The directories at the top that can hold kernel code."""
    names = {
        entry.name + "/"
        for entry in tree.path.iterdir()
        if entry.is_dir() and entry.name not in NOT_KERNEL and entry.name[0] != "."
    }
    first = [name for name in ("kernel/", "mm/", "fs/", "net/", "drivers/") if name in names]
    return [*first, *sorted(names.difference(first))]


def _grep(tree: Tree, text: str, names: str, folders: list[str]) -> list[str]:
    """Files that hold a text, sorted; none when that takes too long."""
    if not folders:
        return []
    try:
        done = subprocess.run(
            [
                "grep",
                recursive(tree.path),
                "-lF",
                f"--include={names}",
                "-e",
                text,
                "--",
                *folders,
            ],
            cwd=tree.path,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    return sorted(done.stdout.splitlines())


def _bytes(tree: Tree, file: str | Path) -> bytes:
    """What a file of the tree begins with; nothing of one that is a link, unless the whole
    tree is made of links."""
    path = tree.path / file
    try:
        if not path.is_file() or (path.is_symlink() and recursive(tree.path) == "-r"):
            return b""
        with path.open("rb") as opened:
            return opened.read(_MAX_BYTES)
    except OSError:
        return b""


def _text(tree: Tree, file: str | Path) -> str:
    return _bytes(tree, file).decode("utf-8", "replace")
