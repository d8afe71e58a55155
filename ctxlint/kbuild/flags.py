# SPDX-License-Identifier: GPL-2.0-or-later
"""From a compiler's command line to the flags that decide how a file parses."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence

#: Flags that name a file or a directory, in the same argument or in the next one.
_PLACES = ("-include", "-imacros", "-isystem", "-iquote", "-idirafter", "-I")
#: Flags whose value is the next argument, and what it may be.
_PAIRS = {
    "-D": re.compile(r"[A-Za-z_$][\w$]*(\([\w$, .]*\))?(=[^\n\0]*)?"),
    "-U": re.compile(r"[A-Za-z_$][\w$]*"),
    "-x": re.compile(r"c"),
    "-target": re.compile(r"\w[\w.-]*"),
}
#: Flags that are left out, with a value in the next argument that goes with them.
_VALUED = frozenset(
    {"-o", "-MF", "-MT", "-MQ", "-MJ", "-mllvm", "-Xclang", "-Xassembler", "-Xlinker",
     "-Xpreprocessor", "-Xanalyzer", "-Xarch_host", "-Xarch_device", "-T", "--param", "-B",
     "-A", "-e", "-u", "-L", "-l", "-G", "-arch", "-isysroot", "-imultilib", "-iprefix",
     "-iwithprefix", "-iwithprefixbefore", "-iwithsysroot", "-isystem-after", "-ivfsoverlay",
     "-iframework", "-include-pch", "-include-pth", "-cxx-isystem", "-c-isystem", "-F",
     "-aux-info", "-dumpbase", "-dumpdir", "-z", "-meabi", "-specs", "--specs", "-wrapper",
     "--config", "-serialize-diagnostics", "--serialize-diagnostics", "-working-directory",
     "--sysroot", "--output", "--include", "--imacros", "--library-directory", "--language",
     "-load", "-plugin", "-add-plugin", "-bundle_loader", "-dylib_file", "-fmodule-file",
     "-fmodules-cache-path", "-fplugin-arg", "-gcc-toolchain"}
)  # fmt: skip
#: Of the ``-f`` flags only these change what the parser sees or what an expression means.
_CODE_NAMES = """
    short-wchar no-short-wchar short-enums no-short-enums unsigned-char no-unsigned-char
    signed-char no-signed-char ms-extensions gnu89-inline freestanding no-builtin
    no-strict-aliasing no-strict-overflow wrapv no-common no-delete-null-pointer-checks
    PIC pic PIE pie no-pic no-PIC no-pie no-PIE asm no-asm blocks unsigned-bitfields
    pack-struct strict-flex-arrays cf-protection
"""
#: Machine flags that change a macro, a type or what assembly is possible, with or without
#: ``no-`` and a value. Those that only change the code that is made are left out, since a
#: clang that does not know one refuses the unit. (Sources: the kernel's arch/*/Makefile.)
_MACHINE_NAMES = """
    16 32 64 x32 31 abi arch cpu cmodel fpu float-abi fp-mode soft-float hard-float
    little-endian big-endian general-regs-only branch-protection sign-return-address arm
    thumb implicit-it unaligned-access regparm red-zone sse sse2 sse3 ssse3 sse4 sse4.1
    sse4.2 sse4a mmx 3dnow 3dnowa avx avx2 avx512f aes pclmul rdrnd rdseed xsave movbe cmov
    apx-features apxf 80387 x87 altivec vsx spe htm mma pcrel prefixed power8-vector
    power9-vector power10-vector crypto multiple isel fprnd popcntd crbits toc profile-kernel
    rop-protect backchain packed-stack zarch vx zvector hotpatch abicalls micromips
    smartmips msa mt dsp dspr2 virt ginv crc mips16 mips3d mdmx fp32 fp64 fpxx odd-spreg nan
    abs sym32 xgot shared loongson-mmi loongson-ext loongson-ext2 branch-likely
    check-zero-division lsx lasx div32 lam-bh lamcas ld-seq-sa frecipe v8plus vis vis2 vis3
    fast-indirect-calls disable-fpregs space-regs 1 2 2a 3 4 4-nofpu 4a 4a-nofpu 4al b l
    68000 68020 68030 68040 68060 hw-mul hw-mulx hw-div bmx cdx xl-soft-mul xl-soft-div
    xl-barrel-shift xl-multiply-high xl-pattern-compare xl-reorder big-endian-code isa-spec
    double-float single-float simd v7.0 v7-r
"""


def _any(names: str) -> str:
    return "|".join(map(re.escape, names.split()))


_VALUE = r"(=[\w.,+:-]*)?"
_WHOLE = (
    re.compile(r"-(std=(gnu|c|iso9899:)\w+|O\w{0,4}|ansi|nostdinc|undef)"),
    re.compile(r"--target=\w[\w.-]*"),
    re.compile(r"-fno-builtin-\w+|-fmacro-prefix-map=[^\n\0]*|-fvisibility=\w+"),
    re.compile(rf"-f({_any(_CODE_NAMES)}){_VALUE}"),
    re.compile(rf"-m(no-)?({_any(_MACHINE_NAMES)}){_VALUE}"),
)
_PER_UNIT = (
    "-DKBUILD_MODNAME=", "-DKBUILD_BASENAME=", "-DKBUILD_MODFILE=", "-D__KBUILD_MODNAME=",
)  # fmt: skip


def parser_flags(
    arguments: Sequence[str],
    *,
    target: str | None = None,
    allowed: Callable[[str], bool] = lambda _place: True,
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Split a command's arguments into those for the parser and those dropped.

    ``arguments`` come without the compiler's name and the source file, and somebody else
    may have written them: what is not known not to load, run, write or read another file
    is dropped, words that begin with ``@`` (files with further words) among it. ``allowed``
    says which files and directories may be named. ``target`` is the triple to add where
    none is given (a gcc command: its compiler knows without a flag).
    """
    kept: list[str] = []
    dropped: list[str] = []
    targeted = False
    rest = iter(arguments)
    for argument in rest:
        if argument in _PAIRS or argument in _PLACES or argument in _VALUED:
            value = next(rest, None)
            pair = [argument] if value is None else [argument, value]
            good = value is not None and _value_matters(argument, value, allowed)
            (kept if good else dropped).extend(pair)
            targeted = targeted or (good and argument == "-target")
        elif _matters(argument, allowed):
            kept.append(argument)
            targeted = targeted or argument.startswith("--target=")
        else:
            dropped.append(argument)
    if target is not None and not targeted:
        kept.insert(0, f"--target={target}")
    return tuple(kept), tuple(dropped)


def _matters(argument: str, allowed: Callable[[str], bool]) -> bool:
    """Of a flag that is complete in one argument."""
    if any(pattern.fullmatch(argument) for pattern in _WHOLE):
        return True
    for flag in ("-D", "-U", *_PLACES):
        # "-include-pch" is no "-include": such flags take another value.
        if argument.startswith(flag) and argument[len(flag)] not in "-=":
            return _value_matters(flag, argument[len(flag) :], allowed)
    return False


def _value_matters(flag: str, value: str, allowed: Callable[[str], bool]) -> bool:
    if value.startswith(("@", "-")) or flag in _VALUED:
        return False
    if flag in _PLACES:
        return bool(value) and not set(value) & {"\0", "\n"} and allowed(value)
    return _PAIRS[flag].fullmatch(value) is not None


def names_a_place(flag: str) -> bool:
    """Whether a flag names a file or directory to include from."""
    return flag.startswith(_PLACES)


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
