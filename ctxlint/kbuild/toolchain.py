# SPDX-License-Identifier: GPL-2.0-or-later
"""The programs that configuring a kernel needs, and which clang to use."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ctxlint.base.errors import ToolMissingError

#: program: (Debian package, Fedora package).
_PROGRAMS = {
    "make": ("make", "make"),
    "flex": ("flex", "flex"),
    "bison": ("bison", "bison"),
    "bc": ("bc", "bc"),
    "perl": ("perl", "perl"),
    "awk": ("mawk", "gawk"),
}
#: Header of a library that the kernel's host programs use: its packages.
_HEADERS = {
    "gelf.h": ("libelf-dev", "elfutils-libelf-devel"),
    "openssl/opensslv.h": ("libssl-dev", "openssl-devel"),
    "stdlib.h": ("libc6-dev", "glibc-devel"),
}
_CLANG_PACKAGES = {
    "clang": ("clang", "clang"),
    "ld.lld": ("lld", "lld"),
    "llvm-ar": ("llvm", "llvm"),
}
#: The binutils that LLVM=… makes kbuild use besides clang itself.
_BINUTILS = (
    "ld.lld",
    "llvm-ar",
    "llvm-nm",
    "llvm-objcopy",
    "llvm-objdump",
    "llvm-readelf",
    "llvm-strip",
)


@dataclass(frozen=True, kw_only=True)
class Toolchain:
    """One installed LLVM. ``llvm`` is the value for kbuild's ``LLVM=``.

    ``identity`` changes when another compiler is installed in its place.
    """

    clang: Path
    llvm: str
    identity: str


def find_toolchain(path: str | None = None) -> Toolchain:
    """The newest clang on ``path`` (default: PATH) that has its linker and binutils.

    Raises :class:`ToolMissingError` that names the package of what is missing.
    """
    search = os.environ.get("PATH", os.defpath) if path is None else path
    suffixes = {""}
    for directory in search.split(os.pathsep):
        try:
            names = [entry.name for entry in Path(directory or ".").iterdir()]
        except OSError:
            continue
        suffixes.update(m.group(1) for n in names if (m := re.fullmatch(r"clang(-\d+)", n)))
    incomplete: list[tuple[str, str]] = []
    best: tuple[int, str, Path] | None = None
    for suffix in sorted(suffixes, key=lambda s: -int(s[1:] or 0)):
        clang = shutil.which(f"clang{suffix}", path=search)
        if clang is None:
            continue
        absent = [tool for tool in _BINUTILS if not shutil.which(tool + suffix, path=search)]
        if absent:
            incomplete.append((suffix, absent[0]))
            continue
        major = (
            int(suffix[1:])
            if suffix
            else _major(clang, Path(clang).resolve().stat().st_mtime_ns)
        )
        if best is None or major > best[0]:
            best = (major, suffix, Path(clang))
    if best is None:
        raise _missing_clang(incomplete)
    _major_version, suffix, clang_path = best
    status = clang_path.resolve().stat()
    identity = f"{clang_path}:{clang_path.resolve()}:{status.st_size}:{status.st_mtime_ns}"
    return Toolchain(clang=clang_path, llvm=suffix or "1", identity=identity)


@functools.lru_cache(maxsize=8)
def _major(clang: str, _changed: int) -> int:
    """The version that a compiler tells; asked again when another one is in its place."""
    try:
        answer = subprocess.run(
            [clang, "--version"], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return 0
    found = re.search(r"version (\d+)", answer.stdout)
    return int(found.group(1)) if found else 0


def _missing_clang(incomplete: list[tuple[str, str]]) -> ToolMissingError:
    if not incomplete:
        return _missing("clang", "clang, lld and llvm", "clang lld llvm", "clang lld llvm")
    suffix, tool = incomplete[0]
    debian, fedora = _CLANG_PACKAGES["ld.lld" if tool == "ld.lld" else "llvm-ar"]
    return _missing(tool + suffix, f"{tool} beside clang{suffix}", debian + suffix, fedora)


def check_programs(path: str | None = None) -> None:
    """Raise :class:`ToolMissingError` when a program for configuring a kernel is absent."""
    for program, (debian, fedora) in _PROGRAMS.items():
        if shutil.which(program, path=path) is None:
            raise _missing(program, f"the program {program}", debian, fedora)


def _missing(name: str, what: str, debian: str, fedora: str) -> ToolMissingError:
    return ToolMissingError(
        f"{name} is not installed: configuring a kernel needs {what}",
        hint=f"Install it: apt install {debian} (Debian), dnf install {fedora} (Fedora).",
    )


def missing_header(output: str) -> ToolMissingError | None:
    """The error for a host header that the kernel's build said it could not find."""
    for header, (debian, fedora) in _HEADERS.items():
        if f"{header}' file not found" in output or f"{header}: No such file" in output:
            return _missing(header, f"the header {header}", debian, fedora)
    if re.search(r"libelf.* not found|libelf-dev|elfutils-libelf-devel", output):
        return _missing("gelf.h", "the header gelf.h", *_HEADERS["gelf.h"])
    return None
