# SPDX-License-Identifier: GPL-2.0-or-later
"""What was named or changed and not analysed, and what would analyse it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path

from ctxlint import kbuild
from ctxlint.base.errors import UsageError
from ctxlint.findings.model import Incomplete
from ctxlint.kbuild.tree import below, included_c_files, normal_paths

_SYMBOL = re.compile(rb"^[ \t]*(?:menu)?config[ \t]+(\w{1,99})", re.M)
_NAMED = re.compile(rb"CONFIG_(\w{1,99})")
_ASKS = b"__has_include"
_HEADERS = (".h", ".inc", ".inl", ".def")
_SOURCES = (".c", ".S", *_HEADERS)
_SHOWN = 3
_LONGEST = 60
_SEARCHED = 200_000
"""Directory entries that are searched for a source file."""


def check_paths(tree: kbuild.Tree, paths: Iterable[str]) -> None:
    """Raises :class:`UsageError` for a path that does not exist, for a directory without
    any source, which is a mistake, and if there is no path at all."""
    names = normal_paths(tree, paths)
    if not names:
        raise UsageError(
            "nothing to analyse: the default directories do not exist in this tree",
            hint="Name C files or directories relative to the tree.",
        )
    for path in names:
        if (tree.path / path).is_dir() and not _sources(tree.path / path)[0]:
            raise UsageError(
                f"{path}: contains no source",
                hint="Give C files, or directories that contain some, relative to the tree.",
            )


def unseen_paths(
    tree: kbuild.Tree,
    paths: Iterable[str],
    profiles: Sequence[kbuild.Prepared],
    read: Collection[str] = (),
) -> list[Incomplete]:
    """The named paths of which no profile has a unit. ``read`` are headers that some
    unit includes."""
    files = {c.file for p in profiles for c in p.commands}
    files |= included_c_files(tree, files)
    found = []
    for path in normal_paths(tree, paths):
        if path in read or path in files or any(below(file, (path,)) for file in files):
            continue
        if (tree.path / path).is_dir():
            found.append(_directory(tree, path, profiles))
        else:
            found.append(unseen_file(tree, path, profiles))
    return found


def unseen_file(
    tree: kbuild.Tree, file: str, profiles: Sequence[kbuild.Prepared]
) -> Incomplete:
    """A file that no profile's unit was read from."""
    if file.endswith(".c"):
        why = kbuild.why_unbuilt(tree, file, profiles)
    elif file.endswith(_HEADERS):
        some = kbuild.includers(tree, file)
        why = kbuild.Why(
            "a header is analysed with the .c files that include it",
            f"name one of them, for example {some[0]}" if some else "none was found",
        )
    elif language := kbuild.other_language(file):
        why = kbuild.Why(language, "")
    else:
        why = kbuild.Why("no C file", "name C files, or directories that contain some")
    return _incomplete(file, why)


def unread_by_makefiles(
    files: Iterable[str],
    before: Callable[[str], bytes | None],
    after: Mapping[str, bytes | None],
    read: Collection[str],
    there: Callable[[str], bool],
) -> list[Incomplete]:
    """What the Makefiles among the changed ``files`` have built that is not read, or is
    read with other flags. ``before`` gives the earlier contents of one, ``after`` holds the
    later; ``read`` and ``there`` are as for :func:`unread_builds`."""
    found = []
    for file in sorted(files):
        text = after.get(file)
        if text is not None and kbuild.is_makefile(file):
            found += unread_builds(file, before(file), text, read, there)
    return found


def unread_builds(
    file: str,
    before: bytes | None,
    after: bytes,
    read: Collection[str],
    there: Callable[[str], bool],
) -> list[Incomplete]:
    """What a changed Makefile has built, or built differently, and nothing analysed: the
    build system sees the base. ``read`` are the C files that some unit was read from,
    ``there`` says whether a file is in the changed tree."""
    old, new = kbuild.what_it_builds(before or b""), kbuild.what_it_builds(after)
    folder = file.rpartition("/")[0]
    found = []
    for word in sorted({word for _, word in new.objects - old.objects}):
        stem = os.path.normpath(f"{folder}/{word.removesuffix('.o')}").lstrip("/")
        names = (f"{stem}{end}" for end in (".c", ".c_shipped", ".S", ".rs"))
        name = next(filter(there, names), "")
        if name and name not in read:
            why = kbuild.Why(
                f"{file} now builds it and did not before",
                "audit it with the change applied",
            )
            found.append(_incomplete(name, why))
    unclear = sorted(new.unclear - old.unclear)
    if unclear:
        more = f" and {len(unclear) - 1} more" if len(unclear) > 1 else ""
        why = kbuild.Why(
            f"what it builds now is not known ({shortened(unclear[0])}{more})",
            "audit it with the change applied",
        )
        found.append(_incomplete(file, why))
    changed = sorted(old.flags ^ new.flags)
    if changed:
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        why = kbuild.Why(
            "it changes compiler flags, and no C file was read with the new ones "
            f"({shortened(changed[0])}{more})",
            "audit it with the change applied",
        )
        found.append(_incomplete(file, why))
    return found


def unread_symbols(
    files: Iterable[str],
    before: Callable[[str], bytes | None],
    after: Mapping[str, bytes | None],
) -> list[Incomplete]:
    """Changed code files that name a symbol which a changed Kconfig file adds: it is on
    under no configuration of the base. The arguments are as for :func:`unread_by_makefiles`."""
    files = sorted(files)
    new: set[bytes] = set()
    for file in files:
        if file.rpartition("/")[2].startswith("Kconfig") and (text := after.get(file)):
            new |= {*_SYMBOL.findall(text)}.difference(_SYMBOL.findall(before(file) or b""))
    found = []
    for file in files if new else ():
        named = new.intersection(_NAMED.findall(after.get(file) or b""))
        if named and kbuild.may_hold_code(file):
            symbol = f"CONFIG_{min(named).decode()}"
            why = kbuild.Why(
                f"{symbol} is new, and the code that it enables was not analysed",
                "audit it with the change applied",
            )
            found.append(_incomplete(file, why))
    return found


def asks_for_files(
    files: Iterable[str],
    before: Callable[[str], bytes | None],
    after: Mapping[str, bytes | None],
) -> list[Incomplete]:
    """Changed code files that now ask which files exist: a later patch may add one, and
    units that did not find it are not read again. The arguments are as for
    :func:`unread_by_makefiles`."""
    found = []
    for file in sorted(files):
        text = after.get(file) or b""
        if not kbuild.may_hold_code(file) or _ASKS not in text:
            continue
        if _ASKS not in (before(file) or b""):
            why = kbuild.Why(
                f"it uses {_ASKS.decode()} to ask which files exist, which is not followed",
                "audit it with the change applied",
            )
            found.append(_incomplete(file, why))
    return found


def shortened(text: str) -> str:
    """A stranger's line, cut to a length that fits into a sentence."""
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "..."


def _directory(tree: kbuild.Tree, path: str, profiles: Sequence[kbuild.Prepared]) -> Incomplete:
    _, units = _sources(tree.path / path)
    if not units:
        return _incomplete(
            path,
            kbuild.Why(
                "no C file there, and headers are analysed with the .c files that include them",
                "name those, or the directories that contain them",
            ),
        )
    reasons: dict[str, kbuild.Why] = {}
    for file in units[:_SHOWN]:
        name = file.relative_to(tree.path).as_posix()
        why = kbuild.why_unbuilt(tree, name, profiles)
        reasons.setdefault(why.reason, why)
    first = next(iter(reasons.values()))
    many = "no C file there is compiled"
    return _incomplete(path, kbuild.Why(f"{many}: {'; '.join(reasons)}", first.hint))


def _sources(folder: Path) -> tuple[bool, list[Path]]:
    """Whether a directory holds any source, and its first C files."""
    units: list[Path] = []
    any_source = False
    seen = 0
    for root, directories, names in os.walk(folder):
        directories[:] = sorted(d for d in directories if not d.startswith("."))
        seen += len(names)
        any_source = any_source or any(name.endswith(_SOURCES) for name in names)
        units += [Path(root, name) for name in sorted(names) if name.endswith(".c")]
        if len(units) >= _SHOWN or seen > _SEARCHED:
            break
    return any_source, units


def _incomplete(path: str, why: kbuild.Why) -> Incomplete:
    return Incomplete(file=path, profile="", reason=why.reason, detail=why.hint, kind="path")
