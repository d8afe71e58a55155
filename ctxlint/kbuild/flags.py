# SPDX-License-Identifier: GPL-2.0-or-later
"""From a compiler's command line to the flags that decide how a file parses."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

#: Flags with their value in the next argument, which is kept with them.
_KEPT_PAIRS = frozenset(
    {
        "-D",
        "-U",
        "-I",
        "-include",
        "-isystem",
        "-iquote",
        "-idirafter",
        "-imacros",
        "-x",
        "-target",
    }
)
#: The same, dropped together with their value.
_DROPPED_PAIRS = frozenset(
    {"-o", "-MF", "-MT", "-MQ", "-mllvm", "-Xclang", "-Xassembler", "-Xlinker", "-T", "--param",
     "-isysroot", "-aux-info", "-dumpbase", "-z", "-meabi"}
)  # fmt: skip
_KEPT_PREFIXES = (
    "-D", "-U", "-I", "-std=", "-isystem", "-iquote", "-idirafter", "-include", "-imacros",
    "--target=", "-O", "-ansi", "-nostdinc", "-undef",
)  # fmt: skip
#: Of the ``-f`` flags only these change what the parser sees or what an expression means.
_KEPT_F = frozenset(
    {
        "-fshort-wchar", "-fno-short-wchar", "-fshort-enums", "-fno-short-enums",
        "-funsigned-char", "-fno-unsigned-char", "-fsigned-char", "-fno-signed-char",
        "-fms-extensions", "-fgnu89-inline", "-ffreestanding", "-fno-builtin",
        "-fno-strict-aliasing", "-fno-strict-overflow", "-fwrapv", "-fno-common",
        "-fno-delete-null-pointer-checks", "-fPIC", "-fpic", "-fPIE", "-fpie", "-fno-pic",
        "-fno-PIC", "-fno-pie", "-fno-PIE", "-fasm", "-fno-asm", "-fblocks",
        "-funsigned-bitfields", "-fpack-struct",
    }
)  # fmt: skip
_KEPT_F_PREFIXES = (
    "-fno-builtin-", "-fmacro-prefix-map=", "-fstrict-flex-arrays", "-fvisibility=",
    "-fpack-struct=", "-fcf-protection",
)  # fmt: skip
#: ``-m`` flags that only gcc, or only a newer clang than the parser, has; none of them
#: changes a type, a macro or a declaration that the kernel looks at.
_DROPPED_M_PREFIXES = (
    "-mindirect-branch", "-mfunction-return", "-mrecord-mcount", "-mnop-mcount", "-mfentry",
    "-mstack-protector-guard", "-mpreferred-stack-boundary", "-mstack-alignment",
    "-mskip-rax-setup", "-maccumulate-outgoing-args", "-mno-accumulate-outgoing-args",
    "-mno-fp-ret-in-387", "-mretpoline", "-mharden-sls", "-mtune=", "-mtls-dialect",
    "-mapcs", "-mno-sched-prolog", "-mno-thumb-interwork", "-mthumb-interwork", "-mtp=",
    "-mpc-relative-literal-loads", "-mlow-precision", "-mno-global-merge", "-mfix-",
    "-mno-fix-", "-momit-leaf-frame-pointer", "-mno-omit-leaf-frame-pointer", "-mno-outline",
    "-mdirect-extern-access", "-mcall-", "-mno-explicit-reloc", "-mexplicit-reloc",
    "-mno-riscv-attribute", "-msave-restore", "-mno-save-restore", "-mstrict-align",
    "-mno-strict-align", "-mno-relax", "-mrelax", "-mforce-no-pic", "-mno-string",
    "-mno-pointers-to-nested", "-mlong-calls",
)  # fmt: skip
_PER_UNIT = (
    "-DKBUILD_MODNAME=", "-DKBUILD_BASENAME=", "-DKBUILD_MODFILE=", "-D__KBUILD_MODNAME=",
)  # fmt: skip


def parser_flags(
    arguments: Sequence[str], *, target: str | None = None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Split a command's arguments into those for the parser and those dropped.

    ``arguments`` come without the compiler's name and the source file. ``target`` is the
    triple to add where none is given (a gcc command: its compiler knows without a flag).
    """
    kept: list[str] = []
    dropped: list[str] = []
    targeted = False
    rest = iter(arguments)
    for argument in rest:
        if argument in _KEPT_PAIRS or argument in _DROPPED_PAIRS:
            pair = [argument, *(value for value in [next(rest, None)] if value is not None)]
            (kept if argument in _KEPT_PAIRS else dropped).extend(pair)
            targeted = targeted or argument == "-target"
        elif _matters(argument):
            kept.append(argument)
            targeted = targeted or argument.startswith("--target=")
        else:
            dropped.append(argument)
    if target is not None and not targeted:
        kept.insert(0, f"--target={target}")
    return tuple(kept), tuple(dropped)


def _matters(argument: str) -> bool:
    if argument.startswith("-f"):
        return argument in _KEPT_F or argument.startswith(_KEPT_F_PREFIXES)
    if argument.startswith("-m"):
        return not argument.startswith(_DROPPED_M_PREFIXES)
    return argument.startswith(_KEPT_PREFIXES)


def flags_like(arguments: Sequence[str], stem: str, directory: str) -> tuple[str, ...]:
    """A unit's flags for another file of its directory: what names the unit is renamed.

    ``stem`` is the other file's name without ``.c``.
    """
    name = stem.replace("-", "_")
    values = (f'"{name}"', f'"{name}"', f'"{directory}/{stem}"', f"kmod_{name}")
    renamed = dict(zip(_PER_UNIT, values, strict=True))
    out = []
    for argument in arguments:
        flag = next((f for f in _PER_UNIT if argument.startswith(f)), None)
        out.append(argument if flag is None else flag + renamed[flag])
    return tuple(out)


def build_class(arguments: Iterable[str], directory: str = "") -> str:
    """A digest of ``arguments`` without those that name the one unit or its directory.

    Units of one class are given the same macros and shared include paths, so a header means
    the same in each (source: ``modname_flags``, ``basename_flags`` and ``_c_flags`` in
    scripts/Makefile.lib). ``directory`` is the unit's, relative to the tree: kbuild adds it
    behind the include paths of the kernel, so it cannot hide one of their headers.
    """
    parts = directory.split("/")
    own = tuple("/" + "/".join(parts[:n]) for n in range(2, len(parts) + 1))
    common = [
        argument
        for argument in arguments
        if not argument.startswith(_PER_UNIT)
        and not (argument.startswith("-I") and f"/{argument[2:]}".endswith(own))
    ]
    return hashlib.blake2b("\0".join(common).encode(), digest_size=8).hexdigest()
