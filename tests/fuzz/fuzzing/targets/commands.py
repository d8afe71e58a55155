# SPDX-License-Identifier: GPL-2.0-or-later
"""Compile command databases."""

from __future__ import annotations

from ctxlint.base.errors import TreeError
from ctxlint.kbuild import commands
from ctxlint.kbuild.model import Tree, quiet
from fuzzing.reader import Reader, folder

FOLDER = folder()
REFUSED = ("@", "-fplugin", "-fpass-plugin", "-load", "-Xclang", "-cc1", "-B", "-wrapper")
"""How a word would begin that has clang read a file of words, load a library or run another
program; as the value of an option (`-I fplugin`) the rest is a name."""
TREE = Tree(path=FOLDER, version="6")


def read(data: bytes) -> object:
    path = FOLDER / "compile_commands.json"
    path.write_bytes(data)
    raw = commands.read_database(path)
    found = commands.compile_commands(TREE, FOLDER, raw, target="t", log=quiet)
    for command in found.values():
        for word in command.arguments:
            assert not word.startswith(REFUSED), word
    return found


ENTRY = b'{"directory": ".", "file": "a%d.c", "arguments": ["cc", "-DX", "a.c"]},'
COMMAND = b'[{"directory": ".", "file": "a.c", "command": "cc %s"}]'

READER = Reader(
    rate=3500,
    read=read,
    allowed=(TreeError,),
    words=(
        b'"directory": ', b'"file": ', b'"arguments": ', b'"command": ', b'"cc -DX a.c"',
        b'"-D", "@x",', b'"-fplugin=x",', b'"-include",', b'"/etc/passwd",', b'"-I",', b'"-o",',
        b'"../../a.c"', b'"\\u0000"', b'"\\ud800"', b"null", b"[]", b"{}", b'"', b"'", b"\\\\",
        b'"-Xclang",', b";", b"&&",
    ),
    growing={
        "entries": lambda n: b"[" + b"".join(ENTRY % i for i in range(n)) + b"{}]",
        "one file": lambda n: b"[" + ENTRY % 1 * n + b"{}]",
        "words": lambda n: b'[{"directory":".","file":"a.c","arguments":[%s"x"]}]'
        % (b'"-Ia/../b",' * n),
        "command": lambda n: COMMAND % (b"-Dx " * n),
        "quotes": lambda n: COMMAND % (b"'a'" * n),
        "macro": lambda n: COMMAND % (b"-DX(" + b"a," * n),
        "path": lambda n: COMMAND % (b"-I" + b"../" * n),
        "brackets": lambda n: b"[" * n,
    },
    size=500,
)  # fmt: skip
