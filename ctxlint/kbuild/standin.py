# SPDX-License-Identifier: GPL-2.0-or-later
"""The compiler stand-in: a shell script that records a compilation instead of doing it.

kbuild runs it as its compiler. While ``CTXLINT_RECORD`` is empty it is the real compiler.
Otherwise a kernel compilation (``-c`` of a ``.c`` or ``.S`` with kbuild's dependency file)
leaves a record, a dependency file and an object without code; anything else (compiler
probes, generated assembler, host programs) still reaches the real compiler. What that
answers to a probe is kept for all build directories of a cache, since Kconfig and every run
of make ask the same.
"""

from __future__ import annotations

import hashlib
import re
import shlex
import subprocess
from pathlib import Path

from ctxlint.base.errors import TreeError
from ctxlint.base.reading import read_regular
from ctxlint.kbuild.commands import RECORD_END, RECORD_SUFFIX
from ctxlint.kbuild.toolchain import Toolchain

RECORD_VARIABLE = "CTXLINT_RECORD"

_SCRIPT = """\
#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Made by ctxlint: stands in for the compiler.
real=@REAL@
compile= output= source= deps= empty=@DIRECTORY@/empty.o previous=
kept=@PROBES@ asks= words= stdin=
for argument do
    word=$argument
    case $argument in
    -c) compile=1 asks=1 ;;
    -S | -E | --version | -print* | -dump*) asks=1 ;;
    -Wp,-MMD,*) deps=${argument#-Wp,-MMD,} kept= ;;
    -m16 | -m32) empty=@DIRECTORY@/empty32.o ;;
    -) stdin=1 ;;
    -f*-prefix-map=* | -*=/dev/null) ;;
    -include* | -imacros* | -M* | -Wp,* | -gsplit* | -save-temps* | -f*=*/*) kept= ;;
    -* | /dev/null) ;;
    *)
        case $previous in
        -o) output=$argument word=OUTPUT ;;
        -x | -D | -I | -isystem | -iquote | -target | --param) ;;
        *) kept= ;;
        esac
        case $argument in *.c | *.S) source=$argument ;; esac
        ;;
    esac
    words="$words$word
"
    previous=$argument
done
case $@VARIABLE@:$compile:$output:$deps:$source in
?*:1:?*:?*:?*.[cS])
    set -e
    case $source in
    *.c)
        directory=${output%/*}
        [ "$directory" = "$output" ] && directory=.
        { printf '%s\\n' "$PWD" "$output" "$source" "$@"; echo @END@; } \\
            >"$directory/.${output##*/}@SUFFIX@"
        ;;
    esac
    echo "$output: $source" >"$deps"
    exec cp "$empty" "$output"
    ;;
esac
# Kconfig, and every Makefile anew, asks the compiler a hundred times what flags it takes.
# An answer is kept when no file but the compiler has a part in it.
[ -n "$kept" ] && [ -n "$asks" ] && { [ -d "$kept" ] || mkdir -p "$kept"; } || exec "$real" "$@"
ask() {
    if [ -n "$stdin" ]; then printf '%s' "${input%.}" | "$real" "$@"; else "$real" "$@"; fi
}
input=
[ -n "$stdin" ] && input=$(cat && echo .)
case $input in *'#'*include*) ask "$@"; exit ;; esac
name=$(printf '%s' "$words$input" | sha1sum) || { ask "$@"; exit; }
kept=$kept/${name%% *}
if [ ! -f "$kept.code" ]; then
    new=$kept.$$
    ask "$@" >"$new.out" 2>"$new.err"
    echo $? >"$new.code"
    [ -f "$output" ] && cp "$output" "$new.file" && mv "$new.file" "$kept.file"
    mv "$new.out" "$kept.out" && mv "$new.err" "$kept.err" && mv "$new.code" "$kept.code"
fi
[ -f "$kept.file" ] && cp "$kept.file" "$output"
[ -s "$kept.out" ] && cat "$kept.out"
[ -s "$kept.err" ] && cat "$kept.err" >&2
read -r code <"$kept.code"
exit "$code"
"""


def target_triple(tree: Path, srcarch: str) -> str | None:
    """The clang target of an architecture, from the tree's scripts/Makefile.clang."""
    data = read_regular(tree / "scripts/Makefile.clang")
    if data is None:
        return None
    text = data.decode("utf-8", "replace")
    found = re.search(rf"^CLANG_TARGET_FLAGS_{re.escape(srcarch)}\s*:=\s*(\S+)", text, re.M)
    return found.group(1) if found else None


def script(directory: Path, toolchain: Toolchain) -> str:
    """The text of the stand-in that lives in ``directory``."""
    text = _SCRIPT
    digest = hashlib.blake2b(toolchain.identity.encode(), digest_size=6).hexdigest()
    for name, value in {
        "REAL": shlex.quote(str(toolchain.clang)),
        "DIRECTORY": shlex.quote(str(directory)),
        "PROBES": shlex.quote(str(directory.parents[1] / f".answers-{digest}")),
        "VARIABLE": RECORD_VARIABLE,
        "SUFFIX": RECORD_SUFFIX,
        "END": RECORD_END,
    }.items():
        text = text.replace(f"@{name}@", value)
    return text


def write(directory: Path, toolchain: Toolchain, target: str | None) -> Path:
    """Put the stand-in and its empty objects into ``directory``; returns its path."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "cc"
    path.write_text(script(directory, toolchain), encoding="utf-8")
    path.chmod(0o755)
    flags = [f"--target={target}"] if target else []
    for name, more in ("empty.o", []), ("empty32.o", ["-m32"]):
        command = [str(toolchain.clang), *flags, *more, "-c", "-x", "c", "/dev/null", "-o"]
        answer = subprocess.run(
            [*command, str(directory / name)], capture_output=True, text=True, check=False
        )
        if answer.returncode and not more:
            raise TreeError(
                f"{toolchain.clang} cannot compile for {target}: {answer.stderr.strip()}",
                hint="Install a clang that knows this architecture.",
            )
    return path
