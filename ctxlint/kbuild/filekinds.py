# SPDX-License-Identifier: GPL-2.0-or-later
"""Which files of a kernel tree hold code, and what a Makefile's change has built.

What a series changes and nothing analyses has to be reported, unless it is not code. What a
name says decides, and for a Makefile its text; nothing is run.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from ctxlint.kbuild.tree import NOT_KERNEL

_CODE = frozenset(
    ("c", "h", "S", "s", "inc", "inl", "def", "rs", "asm", "sa", "uc", "cc", "cpp", "hpp")
)
"""Suffixes of files that are compiled, or included where something is. ``_shipped`` may
follow: kbuild copies such a file to its name without it."""

_OTHER_LANGUAGES = {
    "S": "assembly, which is not analysed",
    "s": "assembly, which is not analysed",
    "asm": "assembly, which is not analysed",
    "sa": "assembly, which is not analysed",
    "rs": "Rust, which is not analysed",
    "uc": "a template of code, which is not analysed",
    "cc": "C++, which is not analysed",
    "cpp": "C++, which is not analysed",
    "hpp": "C++, which is not analysed",
}
_DATA = ("include/dt-bindings/",)
"""Headers that hold numbers for device trees and no code."""

_BUILD_FILE = re.compile(
    r"(?:^|/)(?:Makefile|Kbuild|Kconfig|Platform)[^/]*$|\.(?:mk|sh|pl|py|awk|config|lds)$"
    r"|^(?:scripts|tools|certs|usr)/|^arch/[^/]+/(?:tools|boot|configs)/"
)
_MAKEFILE = re.compile(r"(?:^|/)(?:Makefile|Kbuild|Platform)(?:\.[^/]*)?$")
_ASSIGNED = re.compile(r"([^\s:+?=]+)[ \t]*[:+?]*=(.*)")
_FOR_C = re.compile(r"(?:c|cpp|CPP|C)flags|CFLAGS|CPPFLAGS|NOSTDINC_FLAGS|LINUXINCLUDE", re.I)
_HARMLESS = re.compile(r"-[WOgf][\w=,+.-]*|\\|[()]|\$\(call|cc-(?:option|disable-warning),?")
_CONDITION = re.compile(r"(?:else\s+)?(?:ifdef|ifndef|ifeq|ifneq)\b|else\b|endif\b")
_OBJECTS = re.compile(
    r"(?:obj|lib|core|libs|net|drivers|head)-|.*-(?:y|m|objs|\$\(CONFIG_\w+\))$"
)
# From the makefile alone it is not known what such a line does.
_COMPUTED = re.compile(r"[-s]?include\s|define\s|.*\$[({](?:eval|shell|foreach|file)\b")
_RULE = re.compile(r"[^=]*\.[cho](?:_shipped)?\s*&?::?(?!=)")
# A variable that stands alone has its own lines; in the middle of a name it makes one.
_PLAIN = re.compile(r"^\$[({][^$\s(){}:,]+[)}]$|\$[({](?:CONFIG_\w+|obj|src)[)}]")
_BYTES = 1 << 20
_LONGEST = 200
_DEPTH = 16
"""Conditions below each other of which a line is known to stand under."""


class Built(NamedTuple):
    """What a Makefile says: ``objects`` are each object with what it is assigned to,
    ``flags`` the lines that give the compiler what can change the meaning of C, ``unclear``
    those of which it is not known what they build: they compute names, take in another
    file, or make a source. What stands under a condition has the condition before it."""

    objects: frozenset[tuple[str, str]]
    flags: frozenset[str]
    unclear: frozenset[str] = frozenset()


def may_hold_code(file: str) -> bool:
    """Whether a file of the tree may hold code of the kernel, by its name.

    Documentation, programs for user space, device trees, scripts, configuration, and
    linker scripts hold none.
    """
    if file.partition("/")[0] in NOT_KERNEL - {"rust"} or file.startswith(_DATA):
        return False
    name = file.rpartition("/")[2]
    return _suffix(name) in _CODE and not name.endswith(".lds.S")


def other_language(file: str) -> str:
    """What a file of code is that no analysis of C can read, ``""`` for C."""
    return _OTHER_LANGUAGES.get(_suffix(file.rpartition("/")[2]), "")


def is_makefile(file: str) -> bool:
    """Whether kbuild reads from a file what to build, of the kernel itself."""
    return file.partition("/")[0] not in NOT_KERNEL and bool(_MAKEFILE.search(file))


def what_it_builds(text: bytes) -> Built:
    """Of the text of a Makefile. Takes time linear in it, and 1 MiB of it at most."""
    objects = set()
    flags = set()
    unclear = set()
    under: list[str] = []
    for line in _lines(text[:_BYTES].decode("utf-8", "replace")):
        if condition := _CONDITION.match(line):
            if not condition[0].startswith("if") and under:
                under.pop()
            if condition[0] != "endif":
                under.append(_shortened(" ".join(line.split())))
            continue
        where = "".join(f"{condition}: " for condition in under[-_DEPTH:])
        whole = where + " ".join(line.split())
        found = _ASSIGNED.match(line)
        if found is not None and _FOR_C.search(found[1]):
            if _HARMLESS.sub(" ", found[2]).split():
                flags.add(whole)
            continue
        if _COMPUTED.match(line) or (found is None and _RULE.match(line)):
            unclear.add(whole)
        if found is None:
            continue
        name, value = found[1], found[2]
        if _OBJECTS.match(name) and any("$" in _PLAIN.sub("", word) for word in value.split()):
            unclear.add(whole)
        objects |= {(where + name, word) for word in value.split() if word.endswith(".o")}
    return Built(frozenset(objects), frozenset(flags), frozenset(unclear))


def _shortened(words: str) -> str:
    """A condition: it is repeated for each line under it."""
    if len(words) <= _LONGEST:
        return words
    return f"{words[:_LONGEST]}... {zlib.crc32(words.encode()):x}"


def _lines(text: str) -> Iterator[str]:
    for line in text.replace("\\\n", " ").splitlines():
        words = line.split("#", 1)[0].strip()
        if words:
            yield words


def _suffix(name: str) -> str:
    return name.removesuffix("_shipped").rpartition(".")[2] if "." in name else ""


def is_build_file(file: str) -> bool:
    """Whether the kernel's build system runs a file or takes flags from it."""
    return _BUILD_FILE.search(file) is not None
