# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel's checker convention: one call for each unit that ``make C=1`` compiles.

kbuild runs ``$(CHECK) $(CHECKFLAGS) $(c_flags) FILE`` in the build directory (source:
``cmd_checksrc`` in scripts/Makefile.build). ``c_flags`` are the compiler's own and begin
with the dependency file (scripts/Makefile.lib); what stands before them is meant for
sparse and would change what is parsed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ctxlint.base.errors import TreeError, UsageError
from ctxlint.kbuild import arch as arches
from ctxlint.kbuild import commands as reading
from ctxlint.kbuild import standin, tree
from ctxlint.kbuild.commands import RawCommand
from ctxlint.kbuild.existing import profile_of
from ctxlint.kbuild.model import Prepared, ProfileSpec, Tree, quiet

_DEPFILE = re.compile(r"-Wp,-M?MD,(.+)")


@dataclass(frozen=True, kw_only=True)
class CheckedUnit:
    """What one call of the checker is about.

    ``file`` is relative to the tree; ``prefix`` is what kbuild puts before such names
    (``"../"``, ``"/home/me/linux/"``, or nothing), so that messages can name files as the
    compiler's messages do.
    """

    tree: Tree
    build: Path
    spec: ProfileSpec
    file: str
    prefix: str
    raw: RawCommand

    def prepared(self, paths: Iterable[str]) -> Prepared:
        """The profile with the commands of this unit, and of all others at or below
        ``paths`` that kbuild has compiled in this directory so far.

        They are those that :func:`use_build` reads, so units have the same identity in
        the store whoever parses them. Files without a command are not looked for.
        """
        names = tuple(sorted(set(paths)))
        folders = {
            n if (self.build / n).is_dir() else n.rpartition("/")[0] or "." for n in names
        }
        folders = {f for f in folders if not tree.below(f, folders - {f})}
        target = standin.target_triple(self.tree.path, arches.srcarch(self.spec.arch))
        # Ours comes first: of two commands for one object, it is the newer one.
        raw = [self.raw, *reading.read_cmd_files(self.build, folders)]
        known = reading.compile_commands(self.tree, self.build, raw, target=target, log=quiet)
        chosen = (f for f in sorted(known) if f == self.file or tree.below(f, names))
        return Prepared(
            spec_name=self.spec.name,
            arch=self.spec.arch,
            rt=self.spec.rt,
            config=self.spec.config,
            build=self.build,
            commands=tuple(known[f] for f in chosen),
            uncovered=(),
            paths=names,
            own=False,
        )


def checked_unit(words: Sequence[str], build: Path, srctree: str | None) -> CheckedUnit | None:
    """Read a checker's arguments; None for a source that is not part of the tree.

    ``build`` is the directory that kbuild runs the checker in, ``srctree`` kbuild's
    variable of that name (None: the tree that the source lies in). Raises
    :class:`UsageError` when ``words`` name no C file, :class:`TreeError` when ``build``
    is not a configured build directory.
    """
    if not words or not words[-1].endswith(".c"):
        raise UsageError(
            "the last argument must be a C file",
            hint='kbuild runs this: make C=1 CHECK="ctxlint kbuild"',
        )
    source = words[-1]
    build = build.resolve()
    full = Path(os.path.normpath(build / source))
    try:
        # Generated sources lie in the build directory, external modules elsewhere.
        start = build / srctree if srctree else full.parent
        found = tree.find_tree(start, with_commit=False)
    except TreeError:
        if srctree:
            raise
        return None
    file = _relative(full, found.path)
    if file is None or (_is_generated(full, build, found.path)):
        return None
    arguments, output = _compiler_part(words[:-1])
    return CheckedUnit(
        tree=found,
        build=build,
        spec=profile_of(found, build),
        file=file,
        prefix=source.removesuffix(file) if source.endswith(file) else f"{found.path}/",
        raw=RawCommand(directory=build, source=source, output=output, arguments=arguments),
    )


def _relative(full: Path, root: Path) -> str | None:
    for name in full, full.resolve():
        if name.is_relative_to(root):
            return name.relative_to(root).as_posix()
    return None


def _is_generated(full: Path, build: Path, root: Path) -> bool:
    """Whether a source is in the build directory, which may lie below the tree."""
    return build != root and full.is_relative_to(build)


def _compiler_part(words: Sequence[str]) -> tuple[tuple[str, ...], str]:
    """The compiler's own arguments, and the object that they make."""
    for number, word in enumerate(words):
        match = _DEPFILE.fullmatch(word)
        if match:
            folder, _, name = match[1].rpartition("/")
            name = name.removeprefix(".").removesuffix(".d")
            return tuple(words[number:]), f"{folder}/{name}" if folder else name
    return tuple(words), ""
