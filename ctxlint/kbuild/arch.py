# SPDX-License-Identifier: GPL-2.0-or-later
"""Names of architectures: ours, kbuild's ``ARCH=``, and the directory below ``arch/``."""

from __future__ import annotations

import platform
import re
from pathlib import Path

from ctxlint.base.errors import UsageError
from ctxlint.kbuild.config import read_config

_ALIASES = {
    "aarch64": "arm64",
    "armv7l": "arm",
    "amd64": "x86_64",
    "x86": "x86_64",
    "i686": "i386",
    "riscv64": "riscv",
    "ppc64le": "powerpc",
    "s390x": "s390",
    "loongarch64": "loongarch",
}
_DIRECTORIES = {"x86_64": "x86", "i386": "x86"}
_SYMBOLS = {"X86_64": "x86_64", "X86_32": "i386", "PPC": "powerpc"}


def canonical(name: str) -> str:
    """Our name of an architecture: also kbuild's ``ARCH=`` (``x86_64``, ``arm64``)."""
    return _ALIASES.get(name, name)


def host() -> str:
    """The architecture of this machine."""
    return canonical(platform.machine())


def srcarch(arch: str) -> str:
    """The directory below ``arch/`` of a canonical name."""
    return _DIRECTORIES.get(arch, arch)


def of_tree(tree: Path | None) -> list[str]:
    """Canonical names that a tree has, sorted; without a tree those that we know."""
    if tree is None:
        return sorted({*_ALIASES.values(), *_SYMBOLS.values(), "arm"})
    folders = {path.parent.name for path in tree.glob("arch/*/Makefile")}
    ours = {name for name, folder in _DIRECTORIES.items() if folder in folders}
    return sorted(ours | folders - set(_DIRECTORIES.values()))


def check(tree: Path, arch: str) -> str:
    """The canonical name of ``arch``; :class:`UsageError` when the tree has none such."""
    name = canonical(arch)
    # It becomes part of a directory's name.
    if (
        re.fullmatch(r"[a-z][a-z0-9_]*", name)
        and (tree / "arch" / srcarch(name) / "Makefile").is_file()
    ):
        return name
    known = sorted(p.parent.name for p in tree.glob("arch/*/Makefile"))
    raise UsageError(
        f"unknown architecture {arch}",
        hint=f"This tree has: {', '.join(known)}." if known else "The tree has no arch/.",
    )


def of_config(options: dict[str, str], tree: Path) -> str | None:
    """The architecture that a configuration is for, from its own symbol (``ARM64=y``).

    A miniature tree without ``arch/`` may name any architecture that we know.
    """
    for symbol, name in _SYMBOLS.items():
        if options.get(symbol) == "y":
            return name
    names = {p.parent.name for p in tree.glob("arch/*/Kconfig")} or {"arm64", "arm", "riscv"}
    for name in sorted(names):
        if options.get(re.sub(r"\W", "_", name).upper()) == "y":
            return name
    return None


def of_config_file(config: Path, tree: Path) -> str | None:
    """The architecture that a ``.config`` is for, None when it does not tell."""
    return of_config(read_config(config), tree) or of_header(config)


def of_header(config: Path) -> str | None:
    """The architecture in a ``.config``'s own first lines (``# Linux/arm64 6.12 …``)."""
    try:
        with config.open(encoding="utf-8", errors="replace") as file:
            head = file.read(400)
    except OSError:
        return None
    found = re.search(r"^# Linux/(\w+) ", head, re.M)
    return canonical(found.group(1)) if found else None
